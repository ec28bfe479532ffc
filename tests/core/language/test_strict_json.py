"""JSON on the wire: read exactly or refused with the name of the field."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.language import strict_json
from arbees.core.language.strict_json import (
    ABSENT,
    Malformed,
    decode,
    format_time,
    number,
    parse_time,
    shown,
)
from arbees.core.language.words import Platform, TimeInForce


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    """What is nested."""

    name: str


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    """What is read."""

    name: str
    count: int = 0
    inner: list[Inner] = []


SHAPE = msgspec.json.Decoder(Shape)
NUMBER = "Expected a decimal number, was "


def refusal(data: bytes) -> tuple[str | None, str]:
    """Return field and message of the refusal of an object."""
    with pytest.raises(Malformed) as error:
        decode(data, SHAPE)
    return error.value.field, error.value.message


def test_a_refusal_names_the_field() -> None:
    """Its text begins with the field, where there is one."""
    assert str(Malformed("size", "Expected 1")) == "size: Expected 1"
    assert str(Malformed(None, "Expected 1")) == "Expected 1"
    assert (Malformed("size", "Expected 1").field, Malformed("a", "b").message) == ("size", "b")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (msgspec.Raw(b'"ab"'), '"ab"'),
        (msgspec.Raw(b"\xff"), "�"),
        ("ab", "'ab'"),
        (5, "5"),
        ("a" * 78, "'" + "a" * 78 + "'"),
        ("a" * 79, "'" + "a" * 79 + "..."),
        (msgspec.Raw(b"1" * 81), "1" * 80 + "..."),
    ],
)
def test_values_are_shown_bounded(value: object, text: str) -> None:
    """Raw JSON is shown as it came, other values as Python writes them, 80 characters of each."""
    assert shown(value) == text


# Objects ---------------------------------------------------------------------------------------


def test_an_object_is_read() -> None:
    """What is of the type is returned, nested objects and odd blanks included."""
    assert decode(b'{"name":"a","count":2}', SHAPE) == Shape("a", 2)
    assert decode(b'{"name" : "a"}', SHAPE) == Shape("a")
    assert decode(b'{"name"\t:"a"}', SHAPE) == Shape("a")
    assert decode(b'{"name"\n:"a"}', SHAPE) == Shape("a")
    assert decode(b'{"name"\r:"a"}', SHAPE) == Shape("a")
    nested = b'{"name":"a","inner":[{"name":"b"},{"name":"c"}]}'
    assert decode(nested, SHAPE) == Shape("a", inner=[Inner("b"), Inner("c")])
    assert decode(b'{"name":"with \\":\\" inside"}', SHAPE) == Shape('with ":" inside')


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        (b'{"name":"a","name":"b"}', "name", "Expected the field once, was there twice"),
        (b'{"name":"a","name":"a"}', "name", "Expected the field once, was there twice"),
        (b'{"name" :"a","name" :"b"}', "name", "Expected the field once, was there twice"),
        (b'{"name"\t:"a","name":"b"}', "name", "Expected the field once, was there twice"),
        (b'{"name":"a","name"\n:"b"}', "name", "Expected the field once, was there twice"),
        (b'{"name":"a","name"\r:"b"}', "name", "Expected the field once, was there twice"),
        (b'{"name":"a","n\\u0061me":"b"}', "name", "Expected the field once, was there twice"),
        (
            b'{"name":"a","inner":[{"name":"b","name":"c"}]}',
            "name",
            "Expected the field once, was there twice",
        ),
        (b'{"name":"a","extra":1}', "extra", "Object contains unknown field `extra`"),
        (b"{}", "name", "Object missing required field `name`"),
        (b'{"name":5}', "name", "Expected `str`, was `int`"),
        (b'{"name":"a","count":"x"}', "count", "Expected `int`, was `str`"),
        (b'{"name":"a","inner":[{"name":5}]}', "inner[0].name", "Expected `str`, was `int`"),
        (b'{"name":"a","inner":[{}]}', "inner[0].name", "Object missing required field `name`"),
        (b"[]", None, "Expected `object`, was `array`"),
        (b"5", None, "Expected `object`, was `int`"),
    ],
)
def test_a_bad_object_is_refused(data: bytes, field: str | None, message: str) -> None:
    """Duplicate, unknown and missing fields and wrong types are named, wherever they are."""
    assert refusal(data) == (field, message)


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"name":"a"} x', b'{"name":"\xff"}', b'{"name":"a\x00"}']
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    """What cannot be read at all names no field."""
    field, message = refusal(data)
    assert field is None
    assert re.match(r"Expected a JSON object, was unreadable: .+", message)


def test_what_is_nested_too_deeply_is_refused() -> None:
    """A hundred thousand brackets are not worth a stack."""
    deep = b'{"count":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(Malformed) as error:
        decode(deep, msgspec.json.Decoder(dict[str, msgspec.Raw]))
    assert error.value.field is None
    assert "recursion" in error.value.message


def test_json_that_only_one_reader_takes_is_refused() -> None:
    """Should the second reader not take what the first did, the text is refused."""
    with pytest.raises(Malformed) as error:
        strict_json.refuse_duplicates(b'{"name" :', 2)
    assert error.value.field is None
    assert error.value.message.startswith("Expected JSON, was unreadable: Expecting value")
    with pytest.raises(Malformed, match="Expected JSON, was unreadable: maximum recursion"):
        strict_json.refuse_duplicates(b'{"a" :' + b"[" * 100_000, 2)


def test_counting_is_enough_where_names_stand_alone() -> None:
    """As many names as fields means that none is there twice; more are looked at closely."""
    strict_json.refuse_duplicates(b'{"a":1,"b":2}', 2)
    strict_json.refuse_duplicates(b'{"a":1,"b":{"c":2}}', 2)
    with pytest.raises(Malformed, match="a: Expected the field once"):
        strict_json.refuse_duplicates(b'{"a":1,"a":2}', 1)


@given(st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4), min_size=1))
def test_no_object_loses_a_field(fields: dict[str, int | str]) -> None:
    """An object without duplicates passes; with one of its fields repeated it never does."""
    data = msgspec.json.encode(fields)
    strict_json.refuse_duplicates(data, len(fields))
    name = next(iter(fields))
    twice = data[:-1] + b"," + msgspec.json.encode({name: 1})[1:]
    with pytest.raises(Malformed) as error:
        strict_json.refuse_duplicates(twice, len(fields))
    assert error.value.field == name


# Numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"0.65", 650_000),
        (b'"0.65"', 650_000),
        (b'"\\u0030.65"', 650_000),
        (b"-3", -3_000_000),
        (b"1e3", 1_000_000_000),
        (b'"1E-6"', 1),
    ],
)
def test_numbers_are_numbers_or_texts(raw: bytes, expected: int) -> None:
    """A number is read exactly, also from a text, however that is escaped."""
    assert number("size", msgspec.Raw(raw)) == expected
    assert strict_json.optional_number("size", msgspec.Raw(raw)) == expected


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'" 5"', NUMBER + "' 5'"),
        (b'"5 "', NUMBER + "'5 '"),
        (b'"1_000"', NUMBER + "'1_000'"),
        (b'"+5"', NUMBER + "'+5'"),
        (b'"NaN"', NUMBER + "'NaN'"),
        (b'"Infinity"', NUMBER + "'Infinity'"),
        (b'""', NUMBER + "''"),
        (b'"\\u0035\\u00b2"', NUMBER + "'5²'"),
        ('"5²"'.encode(), NUMBER + "'5²'"),
        (b"true", NUMBER + "'true'"),
        (b"[5]", NUMBER + "'[5]'"),
        (b'{"a":5}', NUMBER + "'{\"a\":5}'"),
        (b"\xff", NUMBER + "'�'"),
        (b"0.0000001", "Expected a multiple of 0.000001, was 0.0000001"),
        (b"1e400", "Expected a number below 1e18 in steps of 0.000001, was 1e400"),
    ],
)
def test_what_is_no_number_is_refused(raw: bytes, message: str) -> None:
    """Every spelling that JSON does not know, and every value that is not exact, is refused."""
    with pytest.raises(Malformed) as error:
        number("size", msgspec.Raw(raw))
    assert (error.value.field, error.value.message) == ("size", message)


def test_a_text_with_a_broken_escape_is_refused() -> None:
    """Half a pair of surrogates is no text."""
    with pytest.raises(Malformed, match="size: Input data was truncated"):
        number("size", msgspec.Raw(b'"\\ud800"'))


def test_an_absent_number_is_none() -> None:
    """Not there and null are the same."""
    assert strict_json.optional_number("edge_pct", ABSENT) is None
    assert strict_json.optional_number("edge_pct", msgspec.Raw(b"null")) is None
    with pytest.raises(Malformed, match="edge_pct: "):
        strict_json.optional_number("edge_pct", msgspec.Raw(b'"null"'))


# Times -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:01z", 10**9),
        ("1970-01-02 00:00:00Z", 86_400 * 10**9),
        ("1970-01-01T00:00:00.5Z", 500_000_000),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T19:00:00-05:00", 0),
        ("1970-01-01T01:00:00.123456789+01:00", 123_456_789),
        ("1969-12-31T19:00:00.5-05:00", 500_000_000),
        ("1969-12-31T23:59:59.999Z", -1_000_000),
        ("2026-01-28T20:30:00Z", 1_769_632_200 * 10**9),
        ("2024-02-29T00:00:00Z", 1_709_164_800 * 10**9),
    ],
)
def test_times_are_read(text: str, expected: int) -> None:
    """RFC 3339 with a zone, to the nanosecond, is read exactly."""
    assert parse_time(text) == expected
    assert strict_json.time("created_at", text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-28T20:30:00",
        "2026-01-28",
        "2026-01-28T20:30Z",
        "2026-01-28T20:30:00.Z",
        "2026-01-28T20:30:00.1234567890Z",
        "2026-01-28T20:30:00+0100",
        "2026-01-28T20:30:00Z ",
        " 2026-01-28T20:30:00Z",
        "2026-01-28_20:30:00Z",
        "٢026-01-28T20:30:00Z",
        "1769632200",
    ],
)
def test_other_formats_are_refused(text: str) -> None:
    """No zone, too fine, another format: refused, not guessed."""
    with pytest.raises(Malformed) as error:
        strict_json.time("created_at", text)
    assert error.value.field == "created_at"
    assert error.value.message == (
        f"Expected an RFC 3339 time with a zone (2026-01-28T20:30:00Z), was {text!r}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-28T24:00:01Z",
        "2026-01-28T20:60:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-28T20:30:00+24:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_times_that_do_not_exist_are_refused(text: str) -> None:
    """A day, an hour or a zone that no calendar has is refused."""
    with pytest.raises(ValueError, match="Expected") as error:
        parse_time(text)
    assert str(error.value) == f"Expected a time that exists, was {text!r}"


@pytest.mark.parametrize("fraction", [",5", ".", "..5", ".-1", ".1234567890", ".٣", "5", ".5.5"])
def test_fractions_of_another_kind_are_refused(fraction: str) -> None:
    """Up to nine digits after a point."""
    for zone in ("Z", "+01:00"):
        with pytest.raises(ValueError, match="Expected an RFC 3339 time with a zone"):
            parse_time(f"2026-01-28T20:30:00{fraction}{zone}")


def test_an_absent_time_is_none() -> None:
    """A field that is not there is no time."""
    assert strict_json.time("created_at", None) is None


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (999_999, "1970-01-01T00:00:00.000Z"),
        (1_000_000, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_769_632_200_123_456_789, "2026-01-28T20:30:00.123Z"),
        (1_769_632_200_040_000_000, "2026-01-28T20:30:00.040Z"),
    ],
)
def test_times_are_written(ns: int, text: str) -> None:
    """Milliseconds of UTC, rounded down."""
    assert format_time(ns) == text


@given(st.integers(-(9 * 10**15), 9 * 10**15))
def test_a_time_that_is_written_reads_the_same(microseconds: int) -> None:
    """Writing loses only what is below a millisecond."""
    ns = microseconds * 1_000
    assert parse_time(format_time(ns)) == ns // 1_000_000 * 1_000_000


# Words and ids ---------------------------------------------------------------------------------


def test_words_in_any_case() -> None:
    """`Kalshi`, `KALSHI` and `kalshi` are the same venue."""
    platforms = strict_json.words(Platform)
    assert platforms == {"kalshi": Platform.KALSHI, "polymarket": Platform.POLYMARKET}
    for text in ("Kalshi", "KALSHI", "kalshi", "kAlShI"):
        assert strict_json.word("platform", text, platforms) is Platform.KALSHI
    assert (
        strict_json.word("time_in_force", "gtd", strict_json.words(TimeInForce)) is TimeInForce.GTD
    )


def test_an_unknown_word_is_refused() -> None:
    """The refusal lists the words that there are."""
    with pytest.raises(Malformed) as error:
        strict_json.word("platform", "Kalshi ", strict_json.words(Platform))
    assert error.value.field == "platform"
    assert error.value.message == "Expected one of Kalshi, Polymarket, was 'Kalshi '"


@pytest.mark.parametrize("text", ["a", "a" * 128, "a b", "~!@#$%^&*()", "0"])
def test_ids(text: str) -> None:
    """1 to 128 printable ASCII characters are an id."""
    assert strict_json.identifier("request_id", text) == text


@pytest.mark.parametrize("text", ["", "a" * 129, "a\n", "\x7f", "é", "a\x00", "\t"])
def test_what_is_no_id_is_refused(text: str) -> None:
    """Nothing, too much, control characters and other alphabets are refused."""
    with pytest.raises(Malformed) as error:
        strict_json.identifier("request_id", text)
    assert error.value.field == "request_id"
    assert error.value.message == f"Expected 1 to 128 printable ASCII characters, was {shown(text)}"


@pytest.mark.parametrize(
    ("data", "is_plain"),
    [
        (b'{"a":"~ !"}', True),
        (b"", True),
        (b'{"a":"\\n"}', False),
        (b'{"a":"\x7f"}', False),
        ('{"a":"é"}'.encode(), False),
    ],
)
def test_plain_text_needs_no_second_look(data: bytes, is_plain: bool) -> None:
    """Escapes, other alphabets and the one control character that JSON allows are looked at."""
    assert strict_json.is_plain(data) is is_plain


def test_what_came_is_quoted_not_echoed() -> None:
    """A name or a value of any length makes a short message."""
    with pytest.raises(Malformed) as found:
        decode(b'{"name":"a","' + b"x" * 60_000 + b'":1}', SHAPE)
    assert found.value.field is not None
    assert len(found.value.field) < 200
    assert len(str(found.value)) < 1_000
