"""Rebuilds the book from every record of a journal, and holds it against the newest snapshot.

Guarantees that what it says was proved by folding all records from the first on: the snapshot is
compared, never used. It fails with `JournalCorrupt` at the first record that cannot be read or does
not follow. The chain is not its matter: see `arbees.journal.proof.verifier`.
"""

import gc
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Protocol

import msgspec

from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import (
    Book,
    decode,
    encode,
    fresh,
)
from arbees.errors import InvariantViolation, JournalCorrupt
from arbees.history.recovery import snapshot_version

CHUNK = 5_000
"""Records between two reports of progress."""


class Records(Protocol):
    """What is asked of a journal."""

    def bodies(self, after: int = 0) -> Iterator[tuple[int, int, bytes]]:
        """Yield sequence, time and body of the durable records after one, in order."""
        ...

    def snapshot(self) -> tuple[int, str, bytes] | None:
        """Return the newest intact snapshot."""
        ...


class SnapshotComparison(msgspec.Struct, frozen=True):
    """The newest snapshot beside the fold of all records up to it."""

    sequence: int
    version: str
    is_ours: bool
    """Of this version and shape of the book; another is not read by anybody."""
    is_equal: bool | None
    """None = not compared, since it is not ours."""
    differs: tuple[str, ...] = ()
    """Fields of the book that are not the same."""


class Rebuild:
    """One replay; drive it with `steps`, then look at `book` and `compared`."""

    def __init__(
        self,
        reader: Records,
        *,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        cpu_ns: Callable[[], int] = time.thread_time_ns,
    ) -> None:
        """Prepare; nothing is read yet but the snapshot."""
        self._reader = reader
        self._snapshot = reader.snapshot()
        self._monotonic_ns = monotonic_ns
        self._cpu_ns = cpu_ns
        self.book: Book = fresh()
        self.compared: SnapshotComparison | None = None
        self.duration_ns = 0
        """Spent reading, decoding and applying; not on the comparison."""
        self.worked_ns = 0
        """The same in time of the processor, which neighbours do not lengthen."""

    @property
    def records_per_second(self) -> int:
        """The rate of reading, decoding and applying."""
        return self.book.sequence * 1_000_000_000 // max(self.duration_ns, 1)

    @property
    def records_per_cpu_second(self) -> int:
        """The same by time of the processor."""
        return self.book.sequence * 1_000_000_000 // max(self.worked_ns, 1)

    def steps(self, until: int) -> Iterator[int]:
        """
        Go on to a record, and yield the last one that was applied after each chunk.

        Raises:
            JournalCorrupt: with the number of the first record that does not hold.
        """
        due = until + 1 if self._snapshot is None else self._snapshot[0]
        records = self._reader.bodies(self.book.sequence)
        with _undisturbed():
            while self.book.sequence < until:
                at = self.book.sequence
                end = due if at < due <= until else until
                begun_ns, worked_ns = self._monotonic_ns(), self._cpu_ns()
                self._fold(records, min(CHUNK, end - at))
                self.duration_ns += self._monotonic_ns() - begun_ns
                self.worked_ns += self._cpu_ns() - worked_ns
                if self.book.sequence == due:
                    self._compare()
                yield self.book.sequence

    def _fold(self, records: Iterator[tuple[int, int, bytes]], count: int) -> None:
        book, decode_event = self.book, events.decode
        before, at = book.sequence, book.sequence + 1
        try:
            for at, time_ns, body in islice(records, count):
                apply(book, decode_event(body), at, time_ns)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise JournalCorrupt(
                f"Expected an event that this version knows, was none: {error}", sequence=at
            ) from error
        except (InvariantViolation, KeyError, ValueError) as error:
            raise JournalCorrupt(
                f"Expected a record that follows from those before, was none: {error}",
                sequence=at,
            ) from error
        if book.sequence != before + count:
            raise JournalCorrupt(
                f"Expected record {book.sequence + 1}, was the end", sequence=book.sequence + 1
            )

    def _compare(self) -> None:
        assert self._snapshot is not None
        sequence, version, body = self._snapshot
        is_ours = version == snapshot_version()
        is_equal: bool | None = None
        differs: tuple[str, ...] = ()
        if is_ours:
            is_equal = encode(self.book) == body
            differs = () if is_equal else _differences(self.book, decode(body))
        self.compared = SnapshotComparison(sequence, version, is_ours, is_equal, differs)


def digest(book: Book) -> str:
    """Return a digest of a whole book, to compare two replays by."""
    return hashlib.sha256(encode(book)).hexdigest()


def _differences(one: Book, other: Book) -> tuple[str, ...]:
    found = tuple(
        name for name in Book.__struct_fields__ if getattr(one, name) != getattr(other, name)
    )
    return found or ("the order of entries",)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Collect no garbage meanwhile: nothing of a book is any."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
