"""Records as server-sent events: what `GET /v1/events` says of each.

Guarantees one event a record, whole and on lines of its own, with the sequence as its id, so that
a reader that was cut off names the last one it has; and that nothing of an API key but its name
leaves. Bodies are those of the journal: numbers in millionths, times in nanoseconds.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from arbees.core.language.strict_json import format_time
from arbees.core.language.visible_text import harmless
from arbees.core.ports import Stored

HELLO = b": every record, once and in order\nretry: 1000\n\n"
"""The first piece of a stream; a browser's EventSource comes again after a second."""
HEARTBEAT = b": alive\n\n"

WITHHELD = {"KeyCreated": ("digest", "secret", "hash")}
"""Fields that stay in the journal, by kind: what an API key is proved with."""
_RECEIPTS = frozenset({"HaltRaised", "MassCancelled", "FlattenPlanned"})
"""Kinds that are found by the id of a receipt, which stands in the body, and not of a request."""


class Block(NamedTuple):
    """Consecutive events as they go out, shared by all who read them."""

    after: int
    """Sequence of the record before the first."""
    last: int
    data: bytes
    ends: Sequence[int]
    """Where each event ends in `data`."""

    def beyond(self, sequence: int) -> bytes:
        """Return the events above a sequence that lies inside."""
        return self.data if sequence == self.after else self.data[self._start(sequence) :]

    def _start(self, sequence: int) -> int:
        return self.ends[sequence - self.after - 1]


class _Data(msgspec.Struct, frozen=True):
    sequence: int
    time: str
    kind: str
    request_id: str | None
    body: msgspec.Raw


_ENCODER = msgspec.json.Encoder()


def event_of(stored: Stored) -> bytes:
    """Return a record as one server-sent event."""
    data = _Data(
        stored.sequence,
        format_time(stored.time_ns),
        stored.kind,
        None if stored.kind in _RECEIPTS else stored.request_id,
        msgspec.Raw(_open_to_all(stored)),
    )
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        stored.sequence,
        stored.kind.encode(),
        harmless(_ENCODER.encode(data)),
    )


def _open_to_all(stored: Stored) -> bytes:
    """Return the body on one line, without what is withheld."""
    withheld = WITHHELD.get(stored.kind)
    if withheld is not None:
        body = msgspec.json.decode(stored.body)
        return _ENCODER.encode({name: body[name] for name in body if name not in withheld})
    if b"\n" in stored.body or b"\r" in stored.body:
        return msgspec.json.format(stored.body, indent=-1)
    return stored.body


def block_of(records: Sequence[Stored], bytes_max: int) -> Block:
    """
    Return the first of these records as a block.

    Args:
        records: consecutive, at least one.
        bytes_max: where the block ends; a record that is longer stands alone.
    """
    events: list[bytes] = []
    ends: list[int] = []
    size = 0
    for stored in records:
        event = event_of(stored)
        if events and size + len(event) > bytes_max:
            break
        events.append(event)
        size += len(event)
        ends.append(size)
    after = records[0].sequence - 1
    return Block(after, after + len(events), b"".join(events), ends)
