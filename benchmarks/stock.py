"""Journals that take long to make, kept under var/ between runs.

Guarantees that one is used only by the version of the program, of the tables and of the events that
made it, and that a half-made one is never used. Made through the journal itself.
"""

import hashlib
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from msgspec.structs import fields

import arbees
from arbees.core import events
from arbees.core.book import book as books
from arbees.core.book.apply import apply
from arbees.core.book.book import Book
from arbees.core.book.market import Listing
from arbees.core.book.open_order import Reservation
from arbees.core.deciding.facts import Facts
from arbees.core.language.request import Request
from arbees.core.ports import Entry, KeyRow, OrderRow, RequestRow, SignalRow
from arbees.history.recovery import snapshot_version
from arbees.journal import SqliteJournal
from benchmarks import scene

START_NS = 1_769_641_200_000_000_000
MARKETS = 10_000
BATCH = 10_000


def fingerprint() -> str:
    """Return what a kept journal depends on: version, tables, and the shapes of events and book."""
    kinds = (*get_args(events.AnyEvent), Request, Facts, Listing, Reservation, events.Finding)
    shapes = [
        (kind.__name__, [(field.name, repr(field.type)) for field in fields(kind)])
        for kind in kinds
    ]
    digest = hashlib.sha256(f"{shapes} {snapshot_version()}".encode())
    for migration in sorted((Path(arbees.__file__).parent / "journal/migrations").glob("*.sql")):
        digest.update(migration.read_bytes())
    return f"{arbees.__version__}-{digest.hexdigest()[:8]}"


def kept(folder: Path, name: str, make: Callable[[SqliteJournal], None]) -> Path:
    """Return the folder of a kept journal, making it first if need be."""
    place = folder / f"{name}-{fingerprint()}"
    if place.exists():
        return place
    for old in folder.glob(f"{name}-*"):
        shutil.rmtree(old)
    half = folder / f"half-{name}"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    print(f"Making {name} (once; kept in {place})", flush=True)
    with open_kept(half, lambda: START_NS) as journal:
        make(journal)
    half.rename(place)
    return place


def open_kept(place: Path, clock_ns: Callable[[], int] = time.time_ns) -> SqliteJournal:
    """Open a kept journal for writing."""
    return SqliteJournal.open(
        place / "journal.db",
        account=scene.ACCOUNT,
        environment=scene.ENVIRONMENT,
        mode="paper",
        clock_ns=clock_ns,
    )


def warm(place: Path) -> None:
    """Read a kept journal once, so that its pages lie in the machine's memory."""
    with (place / "journal.db").open("rb") as file:
        while file.read(1 << 20):
            pass


def keys(folder: Path, count: int, markets: int) -> Path:
    """Return a journal with so many spent keys, and a snapshot at its end."""
    name = f"keys-{count}-markets-{markets}"
    return kept(folder, name, lambda journal: _make_keys(journal, count, markets))


def _make_keys(journal: SqliteJournal, count: int, markets: int) -> None:
    draw = random.Random(count)
    book = scene.replayed(journal)
    append_events(journal, book, scene.opening(markets, START_NS))
    entries: list[Entry] = []
    for _ in range(count):
        name = f"{draw.getrandbits(64):016x}"
        ids = (f"arb-{name}{name}", f"req_{name}")
        event = events.CancelAnswered(client_order_id=ids[0], request_id=ids[1], message="spent")
        market = scene.market_id(draw.randrange(markets))
        rows = (
            KeyRow(f"key_{name}", ids[1], 1, name * 2, "spent", START_NS),
            RequestRow(ids[1], f"key_{name}"),
            OrderRow(ids[0], ids[1], "Kalshi", None),
            SignalRow(f"sig_{name}", market, "Yes", "Buy", f"key_{name}", "spent"),
        )
        entries.append(_entry(book, event, ids[1], rows))
        if len(entries) >= BATCH:
            journal.append(entries)
            entries.clear()
    if entries:
        journal.append(entries)
    journal.write_snapshot(book.sequence, snapshot_version(), books.encode(book))


def append_events(journal: SqliteJournal, book: Book, new_events: tuple[events.Event, ...]) -> None:
    """Apply events and make them durable, many to a commit."""
    for begin in range(0, len(new_events), BATCH):
        part = new_events[begin : begin + BATCH]
        journal.append([_entry(book, event, None, ()) for event in part])


def _entry(
    book: Book,
    event: events.Event,
    about: str | None,
    rows: tuple[KeyRow | RequestRow | OrderRow | SignalRow, ...],
) -> Entry:
    time_ns = max(book.time_ns + 1, START_NS)
    apply(book, event, book.sequence + 1, time_ns)
    return Entry(time_ns, events.kind(event), events.encode(event), about, rows)
