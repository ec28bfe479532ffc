"""Chain the records, so that a changed, missing or inserted one is found.

Guarantees that a record's hash covers every column of it and the hash of the record before, without
two different records giving the same bytes: a label that serves nothing else stands in front, fixed
numbers are big-endian and whatever varies in length carries its length. Why: one hash kept outside
the database (the witness) then vouches for all that came before it. It fails by naming the first
record that does not follow from its predecessor; it cannot tell an attacker who rewrites
everything, the witness included.
"""

from collections.abc import Iterator
from hashlib import sha256
from struct import Struct

import msgspec

Row = tuple[int, int, int, str, str | None, bytes, bytes]
"""A record as it lies in the table: sequence, time_ns, epoch, kind, request_id, hash, body."""

COLUMNS = "sequence, time_ns, epoch, kind, request_id, hash, body"
"""The columns of a `Row`, for a query."""

GENESIS = bytes(32)
"""What stands in the place of the hash before the first record."""

_NUMBERS = Struct(">QqQ")
_LENGTH = Struct(">I")
_ABSENT = b"\xff\xff\xff\xff"


def _label(text: bytes) -> bytes:
    return _LENGTH.pack(len(text)) + text


_RECORD = _label(b"arbees/journal/record/v1")
_SNAPSHOT = _label(b"arbees/journal/snapshot/v1")


def record_hash(  # noqa: PLR0917 (the columns, on the path of every commit)
    previous: bytes,
    sequence: int,
    time_ns: int,
    epoch: int,
    kind: str,
    request_id: str | None,
    body: bytes,
) -> bytes:
    """
    Return the hash of a record, 32 bytes.

    Args:
        previous: hash of the record before, `GENESIS` for the first.
        sequence: number of the record, from 1.
        time_ns: its time, UTC nanoseconds.
        epoch: the writer's epoch.
        kind: name of the event.
        request_id: the request it belongs to, if any.
        body: JSON of the event.
    """
    name = kind.encode()
    if request_id is None:
        owner = _ABSENT
    else:
        text = request_id.encode()
        owner = _LENGTH.pack(len(text)) + text
    return sha256(
        b"".join(
            (
                _RECORD,
                previous,
                _NUMBERS.pack(sequence, time_ns, epoch),
                _LENGTH.pack(len(name)),
                name,
                owner,
                _LENGTH.pack(len(body)),
                body,
            )
        )
    ).digest()


def snapshot_hash(record: bytes, sequence: int, version: str, body: bytes) -> bytes:
    """
    Return the hash of a snapshot, bound to the chain by the hash of the record it stands at.

    Args:
        record: hash of the record at `sequence`.
        sequence: the last record that the snapshot contains.
        version: what wrote it.
        body: the snapshot.
    """
    text = version.encode()
    return sha256(
        b"".join(
            (
                _SNAPSHOT,
                record,
                _NUMBERS.pack(sequence, 0, 0),
                _LENGTH.pack(len(text)),
                text,
                _LENGTH.pack(len(body)),
                body,
            )
        )
    ).digest()


_TYPES = ((int,), (int,), (int,), (str,), (str, type(None)), (bytes,), (bytes,))


def is_row(values: tuple[object, ...]) -> bool:
    """Return whether values have the types of a `Row`; a damaged page may say anything."""
    return len(values) == len(_TYPES) and all(
        type(value) in types for value, types in zip(values, _TYPES, strict=True)
    )


class ChainBreak(msgspec.Struct, frozen=True):
    """A record that does not follow from the one before."""

    code: str
    """`SEQUENCE_GAP`, `CHAIN_BROKEN`, `TIME_BACKWARDS` or `EPOCH_BACKWARDS`."""
    sequence: int
    """The first number at which the chain does not hold."""
    message: str


class Chain:
    """The end of a chain that was followed so far; each record is compared with it in turn."""

    def __init__(
        self, sequence: int = 0, last: bytes = GENESIS, time_ns: int = 0, epoch: int = 0
    ) -> None:
        """
        Begin behind a record that is trusted.

        Args:
            sequence: its number, 0 to begin with the first record.
            last: its hash.
            time_ns: its time.
            epoch: its epoch.
        """
        self.sequence = sequence
        self.last = last
        self.time_ns = time_ns
        self.epoch = epoch

    def follow(self, row: Row) -> Iterator[ChainBreak]:
        """Move on to a record and yield what does not hold there; nothing if all does."""
        if not is_row(row):
            self.sequence += 1
            yield ChainBreak("CHAIN_BROKEN", self.sequence, f"Expected a record, was {row!r:.200}")
            return
        sequence, time_ns, epoch, kind, request_id, stored, body = row
        if sequence != self.sequence + 1:
            yield ChainBreak(
                "SEQUENCE_GAP",
                self.sequence + 1,
                f"Expected record {self.sequence + 1}, was {sequence}",
            )
        elif stored != record_hash(self.last, sequence, time_ns, epoch, kind, request_id, body):
            yield ChainBreak(
                "CHAIN_BROKEN",
                sequence,
                "Expected the hash of what is stored, was another: this record was changed, or"
                " the hash of the one before it",
            )
        if time_ns < self.time_ns:
            yield ChainBreak(
                "TIME_BACKWARDS",
                sequence,
                f"Expected a time at or after {self.time_ns}, was {time_ns}",
            )
        if epoch < self.epoch:
            yield ChainBreak(
                "EPOCH_BACKWARDS",
                sequence,
                f"Expected epoch {self.epoch} or later, was {epoch}",
            )
        self.sequence, self.last, self.time_ns, self.epoch = sequence, stored, time_ns, epoch
