"""Records as server-sent events: one each, whole, and without what proves an API key."""

from typing import get_args

import msgspec
import pytest

from arbees.core import events
from arbees.core.ports import Stored
from arbees.telemetry.stream.frames import WITHHELD, block_of, event_of

SECRET_WORDS = ("secret", "digest", "password", "hash", "token")
HARMLESS = {"settings_hash", "limits_hash"}
"""Fields whose names sound like secrets and are none."""


def stored(
    sequence: int, kind: str = "Noted", body: bytes = b"{}", about: str | None = None
) -> Stored:
    """Return a record."""
    return Stored(sequence, 1_769_632_200_123_456_789, kind, body, about, b"hash")


def test_an_event_is_three_lines() -> None:
    """Id, kind and one JSON object, then a blank line."""
    event = event_of(stored(7, "OrderFilled", b'{"type":"OrderFilled","quantity":5}', 'r"1'))
    first, second, third, *rest = event.split(b"\n")
    assert (first, second, rest) == (b"id: 7", b"event: OrderFilled", [b"", b""])
    assert msgspec.json.decode(third.removeprefix(b"data: ")) == {
        "sequence": 7,
        "time": "2026-01-28T20:30:00.123Z",
        "kind": "OrderFilled",
        "request_id": 'r"1',
        "body": {"type": "OrderFilled", "quantity": 5},
    }


def test_a_body_on_several_lines_stays_one_event() -> None:
    """Line breaks between tokens, which nobody of ours writes, do not cut an event in two."""
    event = event_of(stored(1, body=b'{\n"a":\r\n1\n}'))
    assert event.count(b"\n") == 4
    assert b"\r" not in event
    assert b'"body":{"a":1}' in event


@pytest.mark.parametrize("kind", ["HaltRaised", "MassCancelled", "FlattenPlanned"])
def test_the_id_of_a_receipt_is_no_request(kind: str) -> None:
    """Halts and mass cancels are found by their receipt, which stands in the body."""
    assert b'"request_id":null' in event_of(stored(1, kind, b"{}", "receipt-1"))


def test_no_event_tells_what_proves_a_key() -> None:
    """Every field whose name sounds like a secret is withheld, or known to be none."""
    kinds = {kind.__name__: kind for kind in get_args(events.AnyEvent)}
    for name, kind in kinds.items():
        fields = set(kind.__struct_fields__)
        doubtful = {field for field in fields if any(word in field for word in SECRET_WORDS)}
        assert doubtful - HARMLESS <= set(WITHHELD.get(name, ())), name
    for name, withheld in WITHHELD.items():
        body = msgspec.json.encode({"type": name, "kept": 1} | dict.fromkeys(withheld, "s3cret"))
        event = event_of(stored(1, name, body))
        assert b"s3cret" not in event
        assert b'"kept":1' in event


def test_a_block_ends_where_it_is_long_enough() -> None:
    """A block takes what fits, at least one, and can be entered at any record."""
    records = [stored(number) for number in range(5, 15)]
    size = len(event_of(records[0]))
    block = block_of(records, size * 3)
    assert (block.after, block.last) == (4, 7)
    assert block.beyond(4) == b"".join(event_of(record) for record in records[:3])
    assert block.beyond(6) == event_of(records[2])
    assert block_of(records, 1).last == 5
