"""What the journal's tables say, with what the open batch adds: keys, signals, lives of requests.

Guarantees that a key is found from the moment it is decided, durable or not, and that memory does
not grow with the number of keys: only lives of open requests are kept, and of those that closed
last, since whoever waits for one reads it then.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.book.index_rows import RETRIABLE
from arbees.core.deciding import commands
from arbees.core.language.ids import is_scoped, own
from arbees.core.language.request import Alternate, Request
from arbees.core.orders.closed_orders import closed_order
from arbees.core.orders.result import Recorded
from arbees.core.ports import IndexRow, Journal, KeyRow, KeyTables, RequestRow, SignalRow, Stored

CLOSED_MAX = 1_024
"""Lives of closed requests that are kept."""


class Lookups:
    """Read side of the writer; on its thread only."""

    def __init__(self, journal: Journal, book: Book) -> None:
        """Load the lives of the open orders' requests."""
        self._journal = journal
        self._tables: KeyTables = journal
        self._book = book
        self._keys: dict[str, KeyRow] = {}
        self._requests: dict[str, str] = {}
        self._signals: dict[tuple[str, str, str, str], dict[str, SignalRow]] = {}
        self._lives: dict[str, list[Recorded]] = {
            order.request_id: self._stored(order.request_id) for order in book.orders.values()
        }
        self._closed: OrderedDict[str, list[Recorded]] = OrderedDict()
        """The lives that closed last, the oldest first."""
        self._touched: set[str] = set()

    # What a command needs ----------------------------------------------------------------------

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Hold one view of the tables while a batch is decided; cheaper than one a question."""
        with self._journal.view() as tables:
            self._tables = tables
            try:
                yield
            finally:
                self._tables = self._journal

    def is_known(self, request: Request) -> bool:
        """Tell whether a request's key was seen before, durable or not."""
        key = request.idempotency_key
        return key in self._keys or self._tables.key(key) is not None

    def complete(self, command: commands.Command) -> commands.Command:
        """Add to a command what the tables know of its key or order."""
        if isinstance(command, commands.Submit):
            if command.leg == 0:
                known = self._known(command.request)
                return command if known is commands.UNSEEN else replace(command, known=known)
            return replace(command, known=self._known_of_leg(command.request, command.leg))
        if isinstance(command, commands.TakeReversal):
            return self._complete_reversal(command)
        if isinstance(command, commands.TakeOutcome | commands.TakeLookup):
            if command.client_order_id not in self._book.orders:
                return replace(command, past=self._closed_order(command.client_order_id))
        elif isinstance(command, commands.TakeFill | commands.TakeVenueOrder):
            client_order_id = _named(command)
            if client_order_id not in self._book.orders:
                return replace(command, past=self._closed_order(client_order_id))
        return command

    def _known(self, request: Request) -> commands.Known:
        key = self._keys.get(request.idempotency_key)
        if key is None:
            key = self._tables.key(request.idempotency_key)
        request_key = self._requests.get(request.request_id)
        if request_key is None:
            row = self._tables.request(request.request_id)
            request_key = None if row is None else row.idempotency_key
        if is_scoped(request.idempotency_key):
            key, request_key = self._of_before(request, key, request_key)
        signal = self._signal(request, request)
        if key is None and request_key is None and signal is None:
            return commands.UNSEEN
        return commands.Known(
            key=key,
            request_key=request_key,
            signal=signal,
            signal_request_id=None if signal is None else self._request_of(signal.idempotency_key),
        )

    def _of_before(
        self, request: Request, key: KeyRow | None, request_key: str | None
    ) -> tuple[KeyRow | None, str | None]:
        """
        Return what is known of a bound key's ids from before strategies had ids of their own.

        Their rows stand under the plain ids. They are looked at as long as nothing newer is known,
        and where they were of the same strategy: a key is good for one order, for ever.
        """
        if key is None:
            older = self._tables.key(own(request.idempotency_key))
            if older is not None and self._is_of(older.request_id, request.strategy):
                key = older
        if request_key is None:
            name = own(request.request_id)
            row = self._tables.request(name)
            if row is not None and self._is_of(name, request.strategy):
                is_same = row.idempotency_key == own(request.idempotency_key)
                request_key = request.idempotency_key if is_same else row.idempotency_key
        return key, request_key

    def _is_of(self, request_id: str, strategy: str | None) -> bool:
        """Tell whether a request was a strategy's."""
        asked = (getattr(event, "request", None) for _, _, event in self.records(request_id))
        return any(isinstance(each, Request) and each.strategy == strategy for each in asked)

    def _known_of_leg(self, request: Request, leg: int) -> commands.Known:
        """Return what stands in the way of an alternate; its key is the request's own."""
        return commands.Known(signal=self._signal(request, request.alternates[leg - 1]))

    def _signal(self, request: Request, there: Request | Alternate) -> SignalRow | None:
        """Return an execution of the same signal under another key that stands in the way."""
        if request.signal_id is None:
            return None
        found = self._book.market_of(there.platform, there.market_id)
        if found is None:
            return None
        market, is_flipped = found
        side = there.side.opposite if is_flipped else there.side
        name = (request.signal_id, market.listing.market_key, str(side), str(request.action))
        durable, decided = self._tables.signals(*name), self._signals.get(name)
        if not durable and decided is None:
            return None
        rows = {row.idempotency_key: row for row in durable} | (decided or {})
        for key, row in rows.items():
            if key != request.idempotency_key and row.outcome not in RETRIABLE:
                return row
        return None

    def _request_of(self, idempotency_key: str) -> str | None:
        row = self._keys.get(idempotency_key) or self._tables.key(idempotency_key)
        return None if row is None else row.request_id

    def _complete_reversal(self, command: commands.TakeReversal) -> commands.TakeReversal:
        """Add how the execution was booked, and its order if that is closed."""
        name, filled = command.client_order_id, None
        row = self._journal.order(name)
        for _, _, event in [] if row is None else self.records(row.request_id):
            if isinstance(event, events.OrderFilled) and event.trade_id == command.trade_id:
                filled = event
        past = None if name in self._book.orders else self._closed_order(name)
        return replace(command, filled=filled, past=past)

    def _closed_order(self, client_order_id: str) -> commands.ClosedOrder | None:
        row = self._journal.order(client_order_id)
        return None if row is None else closed_order(self.records(row.request_id))

    # What was decided --------------------------------------------------------------------------

    def remember(self, about: str | None, record: Recorded, rows: tuple[IndexRow, ...]) -> None:
        """Keep a record that is decided, until it is durable and its request closed."""
        for row in rows:
            if isinstance(row, KeyRow):
                self._keys[row.idempotency_key] = row
            elif isinstance(row, RequestRow):
                self._requests.setdefault(row.request_id, row.idempotency_key)
            elif isinstance(row, SignalRow):
                name = (row.signal_id, row.market_key, row.side, row.action)
                self._signals.setdefault(name, {})[row.idempotency_key] = row
        if about is None:
            return
        life = self._lives.get(about)
        if life is None:
            is_later = isinstance(record[2], events.OrderEvent | events.DenialReviewed)
            life = self._closed.pop(about, None)
            if life is None:
                life = self._stored(about) if is_later else []
            self._lives[about] = life
        life.append(record)
        self._touched.add(about)

    def forget_batch(self) -> None:
        """Drop what the tables hold now; keep the lives of open requests, and some that closed."""
        self._keys.clear()
        self._requests.clear()
        self._signals.clear()
        for about in self._touched:
            if not self._is_open(self._lives[about]):
                self._closed[about] = self._lives.pop(about)
        while len(self._closed) > CLOSED_MAX:
            self._closed.popitem(last=False)
        self._touched.clear()

    def _is_open(self, life: list[Recorded]) -> bool:
        """Tell whether an order of a request is open; it closes with a record of that request."""
        for _, _, event in life:
            if isinstance(event, events.OrderApproved):
                order = self._book.orders.get(event.client_order_id)
                if order is not None and order.request_id == event.request.request_id:
                    return True
        return False

    # Reads -------------------------------------------------------------------------------------

    def records(self, about: str) -> list[Recorded]:
        """Return the records of a request (or receipt), with what is decided but not durable."""
        life = self._lives.get(about) or self._closed.get(about)
        return list(life) if life is not None else self._stored(about)

    def _stored(self, about: str) -> list[Recorded]:
        return [recorded(stored) for stored in self._journal.records_of(about)]


def _named(command: commands.TakeFill | commands.TakeVenueOrder) -> str:
    if isinstance(command, commands.TakeFill):
        return command.fill.client_order_id
    return command.listed.client_order_id or ""


def recorded(stored: Stored) -> Recorded:
    """Decode a stored record. Raises msgspec.ValidationError."""
    return stored.sequence, stored.time_ns, events.decode(stored.body)
