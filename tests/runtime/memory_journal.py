"""A journal in memory, by hand: what is appended is found, and whatever a disk may do it does.

It keeps to the port: all of a commit or nothing, and once it failed it fails for ever.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import Book, fresh
from arbees.core.event import Event
from arbees.core.ports import (
    Entry,
    Head,
    KeyRow,
    OrderRow,
    RequestRow,
    SignalRow,
    Stored,
)
from arbees.errors import JournalError, LeaseLost


class Room:
    """How much room a disk has."""

    def __init__(self, free_bytes: int, *, is_low: bool) -> None:
        self.free_bytes = free_bytes
        self.is_low = is_low


class MemoryJournal:
    """Implements `core.ports.Journal`."""

    def __init__(self, now_ns: int) -> None:
        """Begin with the record that binds it."""
        self.stored: list[Stored] = []
        self.commits: list[tuple[Entry, ...]] = []
        self.keys: dict[str, KeyRow] = {}
        self.requests: dict[str, RequestRow] = {}
        self.signal_rows: dict[tuple[str, str, str, str], dict[str, SignalRow]] = {}
        self.orders: dict[str, OrderRow] = {}
        self.snapshots: list[tuple[int, str, bytes]] = []
        self.failure: JournalError | LeaseLost | AssertionError | None = None
        """Raised by the next append, and by every later one."""
        self.snapshot_failure: JournalError | None = None
        self.before_append: Callable[[Sequence[Entry]], None] = lambda _entries: None
        """Called when a commit begins: nothing of it may have been told by then."""
        self.after_append: Callable[[], None] = lambda: None
        self.room = Room(1 << 30, is_low=False)
        self.rest: Iterator[object] = iter(())
        """What following the whole chain yields, or raises."""
        self.maintained = 0
        self.trouble: str | None = None
        self.is_closed = False
        bound = events.Bound(account="main", environment="local", mode="paper")
        self.append([Entry(now_ns, events.kind(bound), events.encode(bound), None)])
        self.commits.clear()

    # The port ----------------------------------------------------------------------------------

    @property
    def head(self) -> Head:
        """The last durable record."""
        if not self.stored:
            return Head(0, bytes(32), 0)
        last = self.stored[-1]
        return Head(last.sequence, last.hash, last.time_ns)

    def append(self, entries: Sequence[Entry]) -> Head:
        """Keep all entries, or none."""
        self.before_append(entries)
        if self.failure is not None:
            raise self.failure
        for entry in entries:
            head = self.head
            assert entry.time_ns >= head.time_ns, "time runs backwards"
            digest = hashlib.sha256(head.hash + entry.body).digest()
            self.stored.append(
                Stored(
                    head.sequence + 1,
                    entry.time_ns,
                    entry.kind,
                    entry.body,
                    entry.request_id,
                    digest,
                )
            )
            for row in entry.index:
                self._keep(row)
        self.commits.append(tuple(entries))
        self.after_append()
        return self.head

    def _keep(self, row: KeyRow | RequestRow | SignalRow | OrderRow) -> None:
        if isinstance(row, KeyRow):
            self.keys[row.idempotency_key] = row
        elif isinstance(row, RequestRow):
            self.requests.setdefault(row.request_id, row)
        elif isinstance(row, SignalRow):
            name = (row.signal_id, row.market_key, row.side, row.action)
            self.signal_rows.setdefault(name, {})[row.idempotency_key] = row
        else:
            self.orders[row.client_order_id] = row

    def view(self) -> AbstractContextManager["MemoryJournal"]:
        """Return itself: nothing changes meanwhile."""
        return nullcontext(self)

    def key(self, idempotency_key: str) -> KeyRow | None:
        """Return the last attempt of a key."""
        return self.keys.get(idempotency_key)

    def request(self, request_id: str) -> RequestRow | None:
        """Return under which key a request id was seen."""
        return self.requests.get(request_id)

    def signals(
        self, signal_id: str, market_key: str, side: str, action: str
    ) -> Sequence[SignalRow]:
        """Return the keys of a signal."""
        return tuple(self.signal_rows.get((signal_id, market_key, side, action), {}).values())

    def order(self, client_order_id: str) -> OrderRow | None:
        """Return where an order is found."""
        return self.orders.get(client_order_id)

    def order_by_venue_id(self, platform: str, venue_order_id: str) -> OrderRow | None:
        """Return where an order is found, by the venue's id."""
        for row in self.orders.values():
            if (row.platform, row.venue_order_id) == (platform, venue_order_id):
                return row
        return None

    def records(self, after: int = 0) -> Iterator[Stored]:
        """Yield the records after a sequence."""
        yield from self.stored[after:]

    def records_of(self, request_id: str) -> Sequence[Stored]:
        """Return the records of one request."""
        return [each for each in self.stored if each.request_id == request_id]

    def write_snapshot(self, sequence: int, version: str, body: bytes) -> None:
        """Keep a snapshot."""
        if self.snapshot_failure is not None:
            raise self.snapshot_failure
        assert sequence <= self.head.sequence, "a snapshot of what is not durable"
        self.snapshots.append((sequence, version, body))

    def snapshot(self) -> tuple[int, str, bytes] | None:
        """Return the newest snapshot."""
        return self.snapshots[-1] if self.snapshots else None

    def close(self) -> None:
        """Close."""
        self.is_closed = True

    # Upkeep ------------------------------------------------------------------------------------

    def space(self) -> Room:
        """Return how much room there is."""
        return self.room

    def maintain(self) -> None:
        """Use an idle moment."""
        self.maintained += 1

    def verify_rest(self) -> Iterator[object]:
        """Follow the whole chain, once."""
        rest, self.rest = self.rest, iter(())
        return rest

    # For tests ---------------------------------------------------------------------------------

    @property
    def events(self) -> list[Event]:
        """Everything that is durable."""
        return [events.decode(each.body) for each in self.stored]

    def kinds(self, *wanted: type[Event]) -> list[str]:
        """Return the kinds of the records in order: all, or those that are wanted."""
        names = {each.__name__ for each in wanted}
        return [each.kind for each in self.stored if not names or each.kind in names]

    def replayed(self) -> Book:
        """Return the book that the records give."""
        book = fresh()
        for each in self.stored:
            apply(book, events.decode(each.body), each.sequence, each.time_ns)
        return book
