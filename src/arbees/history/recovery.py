"""Rebuilds the book from the journal: the newest snapshot that is ours, and the records after it.

Guarantees the same book as a replay of every record. A snapshot of another version, or of another
shape of the book, is passed over, and everything is replayed.
"""

import gc
import hashlib
from collections.abc import Iterable

import msgspec

from arbees import __version__
from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import Book, decode, fresh
from arbees.core.ports import Journal, Stored


def snapshot_version() -> str:
    """Return what a snapshot must be of to be read: this version, and this shape of the book."""
    shape = hashlib.sha256(repr(msgspec.json.schema(Book)).encode()).hexdigest()
    return f"{__version__}/{shape[:16]}"


def recover(journal: Journal) -> Book:
    """Return the book: the newest snapshot, and the records after it."""
    found = journal.snapshot()
    is_ours = found is not None and found[1] == snapshot_version()
    book = decode(found[2]) if found is not None and is_ours else fresh()
    replay(journal.records(book.sequence), book)
    return book


def replay(records: Iterable[Stored], book: Book) -> None:
    """Apply records to a book; nothing of it is garbage, so nothing is looked for meanwhile."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for stored in records:
            apply(book, events.decode(stored.body), stored.sequence, stored.time_ns)
    finally:
        if was_enabled:
            gc.enable()
