"""Reads JSON strictly: exact numbers, times with a zone, no duplicate and no unknown fields.

Guarantees that bad input ends as `Malformed`, which names the field, what was expected and what
came. Nothing is repaired, nothing is guessed.
"""

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, TypeVar

import msgspec

from arbees.core.language import input_hints
from arbees.core.language.units import (
    NS_PER_SECOND,
    parse_micro,
    whole_milliseconds,
    whole_seconds,
)

T = TypeVar("T")

_STEM = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d", re.ASCII)
_ZONE = re.compile(r"Z|[+-]\d\d:\d\d", re.ASCII)
_SCALE = tuple(int("1".ljust(10 - digits, "0")) for digits in range(10))
"""Nanoseconds of the last digit of a fraction, by its number of digits."""
_FORMAT = "Expected an RFC 3339 time with a zone (2026-01-28T20:30:00Z)"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_END = 1 << 63
"""Nanoseconds that journal and snapshots can hold: to April 2262."""
_SHOWN_MAX = 80
_FIELD_MAX = 128
_MESSAGE_MAX = 400
"""What came from outside is quoted, never echoed at length."""

ID_MAX = 128
Identifier = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=ID_MAX, extra_json_schema={"pattern": "^[ -~]+$"}),
]
"""An id in a type that is decoded, as far as its length goes; `identifier` tells the rest."""
IdentifierText = Annotated[
    str,
    msgspec.Meta(extra_json_schema={"minLength": 1, "maxLength": ID_MAX, "pattern": "^[ -~]+$"}),
]
"""An id in a type that is decoded, of which `identifier` tells all."""
_ID = f"Expected 1 to {ID_MAX} printable ASCII characters"


_NUMBER: dict[str, Any] = {"type": ["number", "string"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
Number = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema=_NUMBER)]
"""A number in a type that is decoded: kept as it was written, for `number` to read exactly."""
OptionalNumber = Annotated[
    msgspec.Raw, msgspec.Meta(extra_json_schema={**_NUMBER, "type": ["number", "string", "null"]})
]
"""The same of a number that may be absent or null, for `optional_number`."""
Timestamp = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""A time in a type that is decoded, for `time` to read."""
ABSENT = msgspec.Raw(b"")
"""The value of a number that is not there."""


class Malformed(Exception):  # noqa: N818 - a word of the design
    """
    Input that cannot be read; spends no key.

    Attributes:
        field: the field meant, None when the whole text is unreadable.
        message: what was expected and what came.
        advice: what to do, where the mistake behind it is likely; empty otherwise.
    """

    def __init__(self, field: str | None, message: str, advice: str = "") -> None:
        """Name the field and say what was expected and what came."""
        self.field = None if field is None else _bounded(field, _FIELD_MAX)
        self.message = _bounded(message, _MESSAGE_MAX)
        self.advice = advice
        super().__init__(f"{self.field}: {self.text}" if field else self.text)

    @property
    def text(self) -> str:
        """Message and advice."""
        return f"{self.message}: {self.advice}" if self.advice else self.message


def _bounded(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[:characters] + "..."


def shown(value: object) -> str:
    """Return a value for a message, bounded."""
    text = (
        bytes(value).decode("utf-8", "replace") if isinstance(value, msgspec.Raw) else repr(value)
    )
    return _bounded(text, _SHOWN_MAX)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Malformed(name, "Expected the field once, was there twice")
        found[name] = value
    return found


def refuse_duplicates(data: bytes, fields: int) -> None:
    """
    Refuse an object that names a field twice.

    Args:
        data: JSON text of an object, already known to decode.
        fields: how many distinct field names it holds, nested objects included.

    Raises:
        Malformed: a field is named twice.
    """
    # Each name is followed by a colon: without blanks, `":` is there once a name, or more often.
    if data.translate(None, _BLANKS).count(b'":') == fields:
        return
    try:
        json.loads(data, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise Malformed(None, f"Expected JSON, was unreadable: {error}") from None


_BLANKS = b" \t\n\r"
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANYTHING = msgspec.json.Decoder(dict[str, Any])


def decode(data: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    """
    Decode one JSON object of a known type, strictly.

    Raises:
        Malformed: unreadable, of a wrong type, with an unknown or a duplicate field.
    """
    try:
        value = decoder.decode(data)
        refuse_duplicates(data, len(_OBJECT.decode(data)))
    except msgspec.ValidationError as error:
        raise _explain(error, data, decoder) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"Expected a JSON object, was unreadable: {error}"
        raise Malformed(None, message, input_hints.of_json(data)) from None
    return value


def _explain(
    error: msgspec.ValidationError, data: bytes, decoder: "msgspec.json.Decoder[T]"
) -> Malformed:
    text = str(error)
    where = re.search(r" - at `\$\.?([^`]*)`$", text)
    named = re.search(r"(unknown|required) field `([^`]+)`", text)
    kinds = re.search(r"Expected `([^`]+)`, got `([^`]+)`", text)
    place = where.group(1) if where else ""
    name = named.group(2) if named else ""
    field = (f"{place}.{name}" if place and name else place or name) or None
    message, advice = text[: where.start()] if where else text, ""
    if field is not None and message.startswith("Expected `str` of length"):
        message = f"{_ID}, was {shown(_ANYTHING.decode(data).get(field))}"
    elif named and named.group(1) == "unknown":
        known = () if place else getattr(decoder.type, "__struct_fields__", ())
        advice = input_hints.of_name(name, known)
    elif named:
        advice = input_hints.MISSING.get(name, "")
    elif kinds:
        advice = input_hints.of_kind(kinds.group(1), kinds.group(2), field)
    return Malformed(field, message.replace(", got ", ", was "), advice)


_micro = lru_cache(maxsize=4_096)(parse_micro)
"""Most prices and sizes come again and again; what is refused is not kept."""


def number(field: str, raw: msgspec.Raw) -> int:
    """Read a JSON number, or a string that holds one, as millionths. Raises Malformed."""
    try:
        return _micro(str(raw, "ascii"))
    except ValueError:
        return _quoted(field, str(raw, "utf-8", "replace"), raw)


def _quoted(field: str, text: str, raw: msgspec.Raw) -> int:
    """Read what is no plain number: a string that holds one. Raises Malformed."""
    if text[:1] == '"':
        text = text[1:-1] if text.isascii() and "\\" not in text else _text_of(field, raw)
    try:
        return _micro(text)
    except ValueError as error:
        raise Malformed(field, str(error), input_hints.of_number(text)) from None


def _text_of(field: str, raw: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=str)
    except msgspec.MsgspecError as error:
        raise Malformed(field, str(error)) from None


def optional_number(field: str, raw: msgspec.Raw) -> int | None:
    """Read a number that may be absent or null. Raises Malformed."""
    if raw is ABSENT:
        return None
    try:
        return _micro(str(raw, "ascii"))
    except ValueError:
        text = str(raw, "utf-8", "replace")
        return None if text in {"", "null"} else _quoted(field, text, raw)


def parse_time(text: str) -> int:
    """
    Read an RFC 3339 time with a zone as UTC nanoseconds.

    Raises:
        ValueError: another format, no zone, a date that does not exist, or before 1678 or after
            2261 (64 bits of nanoseconds).
    """
    is_utc = text[-1:] in {"Z", "z"}
    zone, fraction = ("Z", text[19:-1]) if is_utc else (text[-6:], text[19:-6])
    try:
        time_ns = _seconds_of(text[:19], zone)
        if fraction:
            time_ns += _fraction_of(fraction)
    except ValueError as error:
        msg = f"{error}, was {shown(text)}"
        raise ValueError(msg) from None
    if not -_TIME_END <= time_ns < _TIME_END:
        msg = f"Expected a time from the years 1678 to 2261, was {shown(text)}"
        raise ValueError(msg)
    return time_ns


@lru_cache(maxsize=256)
def _seconds_of(stem: str, zone: str) -> int:
    """Return whole seconds since 1970 UTC, in nanoseconds. Raises ValueError."""
    if _STEM.fullmatch(stem) is None or _ZONE.fullmatch(zone) is None:
        raise ValueError(_FORMAT)
    try:
        moment = datetime.fromisoformat(stem + ("+00:00" if zone == "Z" else zone))
        delta = moment.astimezone(UTC) - _EPOCH
    except (ValueError, OverflowError):
        msg = "Expected a time that exists"
        raise ValueError(msg) from None
    return (delta.days * 86_400 + delta.seconds) * NS_PER_SECOND


def _fraction_of(text: str) -> int:
    """Return the nanoseconds of `.123`, up to nine digits. Raises ValueError."""
    digits = text[1:]
    if not (text[0] == "." and digits.isdecimal() and text.isascii() and len(digits) <= 9):
        raise ValueError(_FORMAT)
    return int(digits) * _SCALE[len(digits)]


def format_time(ns: int) -> str:
    """Write UTC nanoseconds as RFC 3339 in milliseconds, rounded down."""
    seconds = whole_seconds(ns)
    millis = whole_milliseconds(ns - seconds * NS_PER_SECOND)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def time(field: str, text: str | None) -> int | None:
    """Read a time that may be absent. Raises Malformed."""
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        raise Malformed(field, str(error), input_hints.of_time(text)) from None


def words(options: type[T]) -> dict[str, T]:
    """Return the members of an enum by their lower-case spelling, for reading in any case."""
    return {str(member).lower(): member for member in options}  # type: ignore[attr-defined]


def word(field: str, text: str, options: dict[str, T]) -> T:
    """Read a word of an enum in any case. Raises Malformed."""
    found = options.get(text) or options.get(text.lower())
    if found is None:
        names = tuple(dict.fromkeys(str(value) for value in options.values()))
        message = f"Expected one of {', '.join(names)}, was {shown(text)}"
        raise Malformed(field, message, input_hints.of_word(text, names))
    return found


def is_plain(data: bytes) -> bool:
    """Tell whether every text in valid JSON is printable ASCII for certain."""
    return data.isascii() and b"\\" not in data and b"\x7f" not in data


def identifier(field: str, text: str) -> str:
    """Return an id of 1 to 128 printable ASCII characters. Raises Malformed."""
    if not (0 < len(text) <= ID_MAX and text.isascii() and text.isprintable()):
        raise Malformed(field, f"{_ID}, was {shown(text)}")
    return text
