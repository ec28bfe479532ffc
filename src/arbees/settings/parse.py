"""Turns the text of one setting into its value, and back.

Guarantees that a value is read exactly as `core.language.units` reads numbers, lies in the range
that its setting states, and is written in one way only, so that equal settings have equal text.
Refuses by raising `BadValue`, which says what was expected and what to write instead.
"""

import re
from collections.abc import Callable, Sequence
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from arbees.core.language.setting import HIDDEN, Setting, SettingKind
from arbees.core.language.strict_json import format_time, parse_time
from arbees.core.language.units import (
    MICRO,
    format_micro,
    parse_micro,
    ratio_floor,
)
from arbees.errors import without_login

Value = bool | int | str | tuple[str, ...]

TRUE = frozenset({"1", "true", "yes"})
FALSE = frozenset({"0", "false", "no"})
BLANK_IS_UNSET = frozenset(
    {
        SettingKind.TEXT,
        SettingKind.LIST,
        SettingKind.TIME,
        SettingKind.ZONE,
        SettingKind.PATH,
        SettingKind.URL,
    }
)
"""Kinds of which an empty text means that nothing was set; elsewhere it is malformed."""

_NS_PER_MICRO = 1_000
"""Nanoseconds in a millionth of a second."""
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
_UNSOUND = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line ends, and bytes of the environment that are not UTF-8."""
_TEXT_MAX = 4096

UNITS = {
    SettingKind.DOLLARS: "dollars",
    SettingKind.PRICE: "dollars a contract",
    SettingKind.CONTRACTS: "contracts",
    SettingKind.RATIO: "a share, 0.1 meaning 10 %",
    SettingKind.POINTS: "percentage points",
    SettingKind.COUNT: "a whole number",
    SettingKind.SECONDS: "seconds",
}
"""The kinds that are numbers, and the unit that their text is in."""
_HIGHEST = {
    SettingKind.DOLLARS: "1000000000",
    SettingKind.PRICE: "1",
    SettingKind.CONTRACTS: "1000000000",
    SettingKind.RATIO: "1000",
    SettingKind.POINTS: "1000",
    SettingKind.COUNT: "1000000000",
    SettingKind.SECONDS: "31536000",
}


class BadValue(Exception):  # noqa: N818 - an expected outcome of reading
    """
    A text that is no value of its setting.

    Attributes:
        expected: what was expected.
        fix: what to write instead.
    """

    def __init__(self, expected: str, fix: str) -> None:
        """Say what was expected and what to write instead."""
        super().__init__(expected)
        self.expected = expected
        self.fix = fix


def range_of(setting: Setting) -> tuple[str, str]:
    """Return the least and the greatest value of a number, as text in the setting's own unit."""
    return (
        "0" if setting.low is None else setting.low,
        _HIGHEST[setting.kind] if setting.high is None else setting.high,
    )


def parse(setting: Setting, text: str) -> Value:
    """
    Read the text of a setting.

    Args:
        setting: which one.
        text: as it was written; blanks count. Never empty where `BLANK_IS_UNSET`.

    Returns:
        The value, of the Python type that the setting's kind documents.

    Raises:
        BadValue: it is none, or out of range.
    """
    if setting.kind in UNITS:
        return _number(setting, text)
    return _READERS[setting.kind](setting, text)


def written(setting: Setting, value: Value | None) -> str:
    """Return a value as text in its one spelling; empty for None. Secrets are not hidden here."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, str) or setting.kind is SettingKind.COUNT:
        return str(value)
    if setting.kind is SettingKind.TIME:
        return format_time(value)
    return format_micro(value // _NS_PER_MICRO if setting.kind is SettingKind.SECONDS else value)


def hidden(setting: Setting, text: str) -> str:
    """Return the text of a secret as it may be shown: a URL without its inner parts, else `***`."""
    if not text:
        return ""
    if setting.kind is not SettingKind.URL:
        return HIDDEN
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return HIDDEN
    if not parts.hostname:
        return HIDDEN
    user = f"{HIDDEN}@" if "@" in parts.netloc else ""
    rest = parts.path if re.fullmatch(r"/?[0-9]{0,3}", parts.path, re.ASCII) else f"/{HIDDEN}"
    query = f"?{HIDDEN}" if parts.query or parts.fragment else ""
    return f"{parts.scheme}://{user}{parts.hostname}{port}{rest}{query}"


def _number(setting: Setting, text: str) -> int:
    low, high = range_of(setting)
    unit = UNITS[setting.kind]
    span = f"from {low} to {high}"
    fix = f"Set a number {span}" + (f", such as {setting.default}." if setting.default else ".")
    if setting.kind is SettingKind.COUNT:
        if _WHOLE.fullmatch(text) is None:
            raise BadValue(f"Expected a whole number {span}", fix)
        value = int(text)
        least, most = int(low), int(high)
    else:
        try:
            value = parse_micro(text)
        except ValueError:
            expected = f"Expected a number {span} ({unit}) in steps of 0.000001"
            raise BadValue(expected, fix) from None
        least, most = parse_micro(low), parse_micro(high)
    if not least <= value <= most:
        raise BadValue(f"Expected a number {span} ({unit})", _meant(setting, value) or fix)
    return value * _NS_PER_MICRO if setting.kind is SettingKind.SECONDS else value


def _meant(setting: Setting, value: int) -> str | None:
    """
    Return what to write for cents or per cent where dollars or a share are meant.

    Nobody means a cent and a half, nor 1 % by 1.5: only whole numbers from 2 on are taken for such.
    """
    is_whole = value % MICRO == 0 and 2 * MICRO <= value < 100 * MICRO
    if setting.kind not in {SettingKind.PRICE, SettingKind.RATIO} or not is_whole:
        return None
    unit = "cents" if setting.kind is SettingKind.PRICE else "%"
    share = format_micro(ratio_floor(value, 100 * MICRO))
    return f"{format_micro(value)} {unit} is {share}: set {share}."


def _flag(_: Setting, text: str) -> bool:
    word = text.lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise BadValue("Expected 1, true, yes, 0, false or no", "Set true or false.")


def _choice(setting: Setting, text: str) -> str:
    for choice in setting.choices:
        if text.lower() == choice.lower():
            return choice
    words = ", ".join(setting.choices)
    raise BadValue(f"Expected one of {words}", f"Set one of {words}.")


def _text(setting: Setting, text: str) -> str:
    if setting.is_secret:
        if not text.isascii() and _UNSOUND.search(text):
            raise BadValue("Expected text in UTF-8", "Write it in UTF-8.")
        # A private key spans lines; in a single line they may stand as \n.
        return text.replace("\\n", "\n") if text.startswith("-----BEGIN") else text
    if _UNSOUND.search(text) or len(text) > _TEXT_MAX or text != text.strip():
        raise BadValue(
            f"Expected printable text of at most {_TEXT_MAX} characters without blanks around it",
            "Remove blanks around the text, line breaks and control characters.",
        )
    if setting.choices:
        return _choice(setting, text)
    return text


def _list(setting: Setting, text: str) -> tuple[str, ...]:
    items = [item.strip() for item in text.split(",")]
    if not all(items) or any(_UNSOUND.search(item) for item in items):
        raise BadValue(
            "Expected names separated by single commas",
            "Remove the empty item, or leave the setting out.",
        )
    if setting.choices:
        items = [_choice(setting, item) for item in items]
    if len(set(items)) != len(items):
        raise BadValue("Expected each name once", "Remove the second one.")
    return tuple(items)


def _time(_: Setting, text: str) -> int:
    try:
        return parse_time(text)
    except ValueError:
        raise BadValue(
            "Expected an RFC 3339 time with a zone that exists",
            "Write it like 2026-01-28T20:30:00Z or 2026-01-28T15:30:00-05:00.",
        ) from None


def _zone(setting: Setting, text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadValue(
            "Expected a name of the IANA time zone database",
            f"Write a name such as {setting.default or 'America/New_York'} or UTC.",
        ) from None
    return text


def _path(_: Setting, text: str) -> str:
    if _UNSOUND.search(text) or text != text.strip() or len(text) > _TEXT_MAX:
        raise BadValue(
            "Expected a path without blanks around it", "Remove blanks and control characters."
        )
    if text.startswith("~"):
        raise BadValue(
            "Expected a path that no shell has to expand", "Write the whole path instead of ~."
        )
    if text.endswith("/"):
        raise BadValue("Expected the path of a file", "Name a file, not a directory.")
    return text


def _url(setting: Setting, text: str) -> str:
    schemes = setting.choices or ("https", "http")
    like = setting.default or f"{schemes[0]}://host"
    if "://" not in text and re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]+)?(/\S*)?", text, re.ASCII):
        like = f"{'http' if 'http' in schemes else schemes[0]}://{without_login(text)}"
    fix = f"Write it like {like}."
    expected = "Expected a URL with " + " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        parts = urlsplit(text)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        raise BadValue(expected, fix) from None
    is_clean = not re.search(r"[\x00-\x20\x7f]", text) and text.isascii()
    if parts.scheme not in schemes or not is_clean or not has_port or not _has_place(parts):
        raise BadValue(expected, fix)
    if "@" in parts.netloc and not setting.is_secret:
        raise BadValue("Expected a URL without a user name", fix)
    return text


def _has_place(parts: SplitResult) -> bool:
    return bool(parts.path) if parts.scheme == "unix" else bool(parts.hostname)


_READERS: dict[SettingKind, Callable[[Setting, str], Value]] = {
    SettingKind.FLAG: _flag,
    SettingKind.CHOICE: _choice,
    SettingKind.TEXT: _text,
    SettingKind.LIST: _list,
    SettingKind.TIME: _time,
    SettingKind.ZONE: _zone,
    SettingKind.PATH: _path,
    SettingKind.URL: _url,
}


def text_of(raw: object) -> str | None:
    """
    Return a scalar of arbees.toml as the text that a `.env` would hold; None for a structure.

    Args:
        raw: what tomllib made of it, with floats kept as text.
    """
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, str | int):
        return str(raw)
    if isinstance(raw, Sequence):
        parts = [text_of(item) for item in raw]
        if any(part is None or "," in part for part in parts):
            return None
        return ",".join(part for part in parts if part is not None)
    isoformat = getattr(raw, "isoformat", None)
    return None if isoformat is None else str(isoformat())


assert set(_READERS) | set(UNITS) | {SettingKind.TABLE} == set(SettingKind)
