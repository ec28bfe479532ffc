"""Times on the wire: what fits into 64 bits of nanoseconds is read, anything else is refused."""

import msgspec
import pytest

from arbees.core.language.strict_json import parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2262-04-11T23:47:16.854775807Z", (1 << 63) - 1),
        ("1677-09-21T00:12:43.145224192Z", -(1 << 63)),
    ],
)
def test_a_time_that_snapshots_can_hold_is_read(text: str, expected: int) -> None:
    """The first and the last nanosecond of 64 bits are read exactly, and can be stored."""
    assert parse_time(text) == expected
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(expected)) == expected


@pytest.mark.parametrize(
    "text",
    ["2262-04-11T23:47:16.854775808Z", "1677-09-21T00:12:43.145224191Z", "9999-12-31T23:59:59Z"],
)
def test_a_time_that_no_snapshot_can_hold_is_refused(text: str) -> None:
    """A time like 9999 as "never" is refused, not journaled as what no snapshot could hold."""
    with pytest.raises(ValueError, match="from the years 1678 to 2261, was '") as refusal:
        parse_time(text)
    assert text in str(refusal.value)
