"""Names the likely mistake behind input that cannot be read, so that a message says what to do.

Guarantees that it only ever adds a sentence to a refusal: nothing is repaired, and what is read
well never comes here. Each function returns a sentence that follows what was expected and what
came, or nothing.
"""

import difflib
import re
from collections.abc import Iterable

from arbees.core.language.words import Platform

_CURRENCY = re.compile(r"[$€£¢%]|usd|usdc|dollars?|cents?|contracts?", re.IGNORECASE)
_THOUSANDS = re.compile(r"-?\d{1,3}([,_ ']\d{3})+(\.\d+)?", re.ASCII)
_COMMA = re.compile(r"-?\d+,\d{1,6}", re.ASCII)
_NOISY = re.compile(r"-?\d*\.(?:\d{3,}?(?:0{6,}|9{6,})\d*|\d{12,})(?:e-?\d+)?", re.ASCII)
_FRACTION = re.compile(r"(-?)\.\d+", re.ASCII)
_PLAIN = re.compile(r"-?\d+\.\d+(?:[eE][-+]?\d+)?", re.ASCII)
_NO_NUMBER = {"nan", "inf", "infinity", "-inf", "-infinity", "+inf", "none", "null", "undefined"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?", re.ASCII)
_BARE_ZONE = re.compile(r".*[+-]\d{4}|.*[+-]\d\d", re.ASCII)
_EPOCH = re.compile(r"\d{9,19}(\.\d+)?", re.ASCII)

SYNONYMS = {
    "price": "limit_price",
    "limit": "limit_price",
    "quantity": "size",
    "qty": "size",
    "count": "size",
    "contracts": "size",
    "amount": "size",
    "ticker": "market_id",
    "market": "market_id",
    "symbol": "market_id",
    "venue": "platform",
    "exchange": "platform",
    "outcome": "side",
    "tif": "time_in_force",
    "key": "idempotency_key",
    "id": "request_id",
    "timestamp": "created_at",
    "time": "created_at",
    "expiry": "expires_at",
    "expiration": "expires_at",
    "edge": "edge_pct",
    "probability": "model_prob",
    "model": "model_version",
}
"""What people write instead of a field's name."""
_NAME_MAX = 64
_NUMBER_MAX = 200
_DECIMALS_MAX = 4
"""Of a number whose hundredth still has six."""
_LOOKED_AT_MAX = 4_096
"""Bytes of a text that is no JSON; the patterns take long on long ones."""
_SWITCH = {
    "on": "ENABLE",
    "stop": "ENABLE",
    "halt": "ENABLE",
    "off": "DISABLE",
    "resume": "DISABLE",
}
"""What operators say instead of the kill switch's words."""
MISSING = {
    "idempotency_key": "one for each order that you mean; a retry carries the same",
    "request_id": "a name of your own for this request",
    "reason": "it is journaled: say who decides this, and why",
    "size": "contracts",
    "limit_price": "dollars of the named side; there are no market orders",
    "side": "Yes or No",
}
"""What a field is for, of those that are forgotten."""
_DOLLARS = {"dollars", "amount_usd", "usd", "notional", "stake", "size_usd", "cost"}


def of_number(text: str) -> str:
    """Return what is wrong with a text that should be a decimal number."""
    text = text[:_NUMBER_MAX]
    bare = text.strip()
    if _PLAIN.fullmatch(text):
        return _of_steps(text)
    if bare.lower() in _NO_NUMBER:
        return "a number that is not known is left out, with its field"
    if _CURRENCY.search(bare):
        return "without a sign or unit: dollars as 0.52, contracts as 10, probabilities as 0.55"
    if _THOUSANDS.fullmatch(bare):
        plain = re.sub(r"[,_ ']", "", bare)
        return f"without separators: {plain}"
    if _COMMA.fullmatch(bare):
        return f"with a point: {bare.replace(',', '.')}"
    if _FRACTION.fullmatch(bare):
        return f"with a digit before the point: {bare.replace('.', '0.')}"
    if bare.startswith("+") or bare != text:
        return f"without {'a plus' if bare.startswith('+') else 'blanks'}: {bare.lstrip('+')}"
    return ""


def _of_steps(text: str) -> str:
    if _NOISY.fullmatch(text):
        return "floating-point noise? Round it to the tick, or send a string such as '0.3'"
    return "at most six decimals: round it to the tick"


def of_price(shown: str, micro: int) -> str:
    """Return what is wrong with a price that is not between 0 and 1 dollar."""
    cents = _hundredth(shown, micro)
    if cents:
        return f"did you mean {cents}? Prices are dollars, {shown} cents are {cents}"
    if micro <= 0:
        return "to sell, send action: Sell with a price above 0"
    return "a contract pays at most 1 dollar"


def of_probability(shown: str, micro: int) -> str:
    """Return what is wrong with a probability that is not between 0 and 1."""
    fraction = _hundredth(shown, micro)
    if fraction:
        return f"did you mean {fraction}? {shown} percent are {fraction}"
    return "leave the field out where it is not known" if micro < 0 else ""


def _hundredth(shown: str, micro: int) -> str:
    """Write a hundredth of a number above 1 and below 100; nothing of any other."""
    whole, _, decimals = shown.partition(".")
    if not 1_000_000 < micro < 100_000_000 or len(decimals) > _DECIMALS_MAX:
        return ""
    return f"0.{whole.zfill(2)}{decimals}"


def of_size(micro: int) -> str:
    """Return what is wrong with a size that is not above 0."""
    if micro < 0:
        return "size has no sign: to sell, send action: Sell"
    if micro == 0:
        return "leave out a request that orders nothing"
    return "size is contracts, not dollars"


def of_time(text: str) -> str:
    """Return what is wrong with a text that should be a time with a zone."""
    if _ZONELESS.fullmatch(text):
        plain = text.replace(" ", "T")
        return f"which zone? {plain}Z in UTC, {plain}-05:00 in New York in winter"
    if _EPOCH.fullmatch(text):
        return "seconds since 1970 are no RFC 3339: write the date and time out, with Z for UTC"
    if _DATE.match(text) and _BARE_ZONE.fullmatch(text[10:]):
        return "a zone is Z or has hours and minutes with a colon, such as -05:00"
    if _DATE.match(text) and text[-1:].isalpha() and text[-1:] not in "Zz":
        return "a zone is Z or an offset such as -05:00: names of zones are ambiguous"
    return ""


def of_word(text: str, options: Iterable[str]) -> str:
    """Return what is wrong with a text that should be one of some words."""
    bare = text.strip().lower()
    if bare in {"buy", "sell"}:
        return f"that is an action: send action: {bare.title()}, and side: Yes or No"
    if bare in {"yes", "no", "true", "false", "y", "n"}:
        named = "Yes" if bare in {"yes", "true", "y"} else "No"
        is_side = named in set(options)
        return f"did you mean {named}?" if is_side else f"that is a side: send side: {named}"
    meant = {"fak": "IOC", "day": "GTD", "limit": "GTC", "market": "IOC", **_SWITCH}.get(bare)
    near = [meant] if meant in set(options) else _near(bare, options)
    return f"did you mean {near[0]}?" if near else ""


def of_scope(text: str, kinds: Iterable[str]) -> str:
    """Return what is wrong with a text that should be a scope such as sport:NBA."""
    kind, colon, name = (part.strip() for part in text.partition(":"))
    if text.strip().lower() in {"all", "*", "everything", "global", ""}:
        return "did you mean all?"
    if not colon:
        named = [each for each in Platform if each.lower() == kind.lower()]
        guess = f"platform:{named[0]}" if named else f"sport:{kind.upper()}"
        return f"did you mean {guess}? The kind stands in front"
    near = _near(kind.lower(), kinds)
    return f"did you mean {near[0]}:{name or 'X'}?" if near else ""


def of_name(name: str, known: Iterable[str]) -> str:
    """Return what is wrong with the name of a field that is not known."""
    name = name[:_NAME_MAX]
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]", "_", name).lower()
    fields = tuple(known)
    if plain in _DOLLARS and "size" in fields:
        return "did you mean size? It is contracts: dollars divided by limit_price"
    meant = SYNONYMS.get(plain, plain)
    near = [meant] if meant in fields else _near(plain, fields)
    return f"did you mean {near[0]}?" if near else ""


def _near(text: str, options: Iterable[str]) -> list[str]:
    by_lower = {each.lower(): each for each in options}
    found = difflib.get_close_matches(text[:_NAME_MAX], list(by_lower), n=1)
    return [by_lower[each] for each in found]


def of_kind(expected: str, came: str, field: str | None) -> str:
    """Return what is wrong with a value of another JSON type, by the names of both types."""
    if field is None and came == "array" and expected.startswith("object"):
        return "send one request a call, not a list"
    if expected.startswith("str") and came in {"int", "float"}:
        if field is not None and field.endswith("_at"):
            return "a time is text: '2026-01-28T20:30:00Z'"
        return "put it in quotes"
    if expected.startswith("str") and came == "bool" and field == "side":
        return "a side is text: 'Yes' or 'No'"
    if came == "null":
        return "leave the field out, or give it a value"
    if expected.startswith("int") and came == "str":
        return "without quotes"
    return ""


_PYTHON = "with Python: json.dumps(...), not str(...)"
_NO_JSON: tuple[tuple[bytes, str], ...] = (
    (rb"\s*$", "the body is empty; with curl: -d '{...}' or -d @file"),
    (rb"\xff\xfe|\xfe\xff|.?\x00", "it is UTF-16: save it as UTF-8"),
    (rb"\xef\xbb\xbf", "it begins with a byte order mark: save it as UTF-8 without one"),
    (rb"\s*(?:[{\[]\s*)?'", f"JSON has double quotes; {_PYTHON}"),
    (rb"\s*[a-z_]+=", "it is a form: send a JSON object"),
    (rb".*:\s*(?:NaN|-?Infinity)\b", "JSON has no NaN and no Infinity: leave the field out"),
    (rb".*:\s*(?:None|True|False)\b", f"JSON has null, true and false; {_PYTHON}"),
    (rb".*,\s*[}\]]", "a comma stands before a closing bracket: take it away"),
    (rb".*[{,]\s*[A-Za-z_]\w*\s*:", "names of fields stand in double quotes"),
    (rb".*(?:^|\s)(?://|/\*|#)", "JSON has no comments"),
    (rb".*:\s*(?:-?\.\d|-?0\d|\+)", "a number begins with one digit, as 0.5, without a plus"),
    (rb".*\d,\d{3}\D", "numbers have no thousands separators"),
)
"""What a text that is no JSON begins with, and what to do; the first that fits is said."""


def of_json(data: bytes) -> str:
    """Return what is wrong with a text that is no JSON."""
    start = data[:_LOOKED_AT_MAX]
    return next((said for found, said in _NO_JSON if re.match(found, start, re.DOTALL)), "")
