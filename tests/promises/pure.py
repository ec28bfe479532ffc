"""The core alone, as a writer drives it, with the obvious in place of journal and venue.

`PureDesk` keeps records in a list and the journal's tables in dictionaries; each event goes through
its JSON, as it would through a journal. `Truth` is what an order really is at its venue, whatever
the gateway has been told.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import Book, fresh
from arbees.core.book.book import decode as decode_book
from arbees.core.book.book import encode as encode_book
from arbees.core.book.index_rows import RETRIABLE, rows_of
from arbees.core.deciding import commands
from arbees.core.deciding.decide import decide
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.outcomes import ApprovedOrder, Fill, VenueOrder
from arbees.core.language.words import Action
from arbees.core.orders.closed_orders import closed_order
from arbees.core.orders.result import Recorded
from arbees.core.ports import KeyRow, OrderRow, RequestRow, SignalRow

Log = list[tuple[commands.Command, Facts, commands.Decision]]


class PureDesk:
    """Decides and applies commands; remembers everything."""

    def __init__(self, rules: commands.Rules) -> None:
        self.rules = rules
        self.book: Book = fresh()
        self.records: list[Recorded] = []
        self.bodies: list[bytes] = []
        self.log: Log = []
        self.keys: dict[str, KeyRow] = {}
        self.requests: dict[str, str] = {}
        self.orders: dict[str, OrderRow] = {}
        self.signals: dict[tuple[str, ...], SignalRow] = {}

    def take(self, command: commands.Command, facts: Facts) -> list[commands.Effect]:
        """Decide a command, record and apply it; return the effects, alternates decided."""
        command = self.complete(command)
        decision = decide(self.book, facts, command, self.rules)
        self.log.append((command, facts, decision))
        for event in decision.events:
            self.record(event, facts.now_ns, getattr(command, "past", None))
        effects: list[commands.Effect] = []
        for effect in decision.effects:
            if isinstance(effect, commands.TryAlternate):
                follow = commands.Submit(
                    request=effect.request,
                    received_ns=facts.now_ns,
                    leg=effect.leg,
                    key_id=effect.key_id,
                )
                effects += self.take(follow, facts)
            else:
                effects.append(effect)
        return effects

    def record(
        self, event: events.Event, now_ns: int, past: commands.ClosedOrder | None = None
    ) -> None:
        """Append one event and apply it as it comes back from its JSON."""
        body = events.encode(event)
        event = events.decode(body)
        time_ns = max(now_ns, self.book.time_ns)
        order = None
        if isinstance(event, events.OrderEvent):
            order = self.book.orders.get(event.client_order_id)
            order = past.order if order is None and past is not None else order
        for row in rows_of(event, time_ns, order):
            self._keep(row)
        apply(self.book, event, self.book.sequence + 1, time_ns)
        self.records.append((self.book.sequence, time_ns, event))
        self.bodies.append(body)

    def _keep(self, row: object) -> None:
        if isinstance(row, KeyRow):
            self.keys[row.idempotency_key] = row
        elif isinstance(row, RequestRow):
            self.requests.setdefault(row.request_id, row.idempotency_key)
        elif isinstance(row, OrderRow):
            self.orders[row.client_order_id] = row
        elif isinstance(row, SignalRow):
            name = (row.signal_id, row.market_key, row.side, row.action, row.idempotency_key)
            self.signals[name] = row

    # What the tables say -----------------------------------------------------------------------

    def complete(self, command: commands.Command) -> commands.Command:
        """Add what the tables know, the slow and obvious way."""
        if isinstance(command, commands.Submit) and command.leg == 0:
            request = command.request
            signal = self._signal(command)
            return msgspec.structs.replace(
                command,
                known=commands.Known(
                    key=self.keys.get(request.idempotency_key),
                    request_key=self.requests.get(request.request_id),
                    signal=signal,
                    signal_request_id=(
                        None if signal is None else self.keys[signal.idempotency_key].request_id
                    ),
                ),
            )
        name = _order_named(command)
        if name is not None and name not in self.book.orders and name in self.orders:
            past = closed_order(self.life(self.orders[name].request_id))
            return msgspec.structs.replace(command, past=past)
        return command

    def _signal(self, command: commands.Submit) -> SignalRow | None:
        request = command.request
        found = self.book.market_of(request.platform, request.market_id)
        if request.signal_id is None or found is None:
            return None
        market, is_flipped = found
        side = request.side.opposite if is_flipped else request.side
        wanted = (request.signal_id, market.listing.market_key, side, request.action)
        for name, row in self.signals.items():
            is_other = row.idempotency_key != request.idempotency_key
            if name[:4] == wanted and is_other and row.outcome not in RETRIABLE:
                return row
        return None

    def life(self, request_id: str) -> list[Recorded]:
        """Return the records of one request."""
        return [record for record in self.records if request_of(record[2]) == request_id]

    # Restarts ----------------------------------------------------------------------------------

    def replayed(self) -> Book:
        """Return the fold of all records from their JSON."""
        book = fresh()
        for (sequence, time_ns, _), body in zip(self.records, self.bodies, strict=True):
            apply(book, events.decode(body), sequence, time_ns)
        return book

    def resumed(self, at: int) -> Book:
        """Return the fold that goes on from a snapshot after `at` records."""
        book = fresh()
        for index, body in enumerate(self.bodies):
            if index == at:
                book = decode_book(encode_book(book))
            apply(book, events.decode(body), self.records[index][0], self.records[index][1])
        return book

    def decided_again(self) -> Iterator[tuple[commands.Decision, commands.Decision]]:
        """Yield each decision beside the one that the same command gets from a replayed book."""
        book = fresh()
        rest = iter(zip(self.records, self.bodies, strict=True))
        for command, facts, decision in self.log:
            yield decision, decide(book, facts, command, self.rules)
            for _ in decision.events:
                (sequence, time_ns, _), body = next(rest)
                apply(book, events.decode(body), sequence, time_ns)


def _order_named(command: commands.Command) -> str | None:
    if isinstance(command, commands.TakeFill):
        return command.fill.client_order_id
    if isinstance(command, commands.TakeOutcome | commands.TakeLookup):
        return command.client_order_id
    if isinstance(command, commands.TakeVenueOrder):
        return command.listed.client_order_id
    return None


def request_of(event: events.Event) -> str | None:
    """Return the id of the request that an event is about."""
    if isinstance(event, events.RequestDenied | events.OrderApproved | events.DuplicateRefused):
        return event.request.request_id
    return event.request_id if isinstance(event, events.OrderEvent) else None


def plain(decision: commands.Decision) -> tuple[Any, ...]:
    """Return a decision in a form that compares, approved orders included."""
    effects: list[Any] = []
    for effect in decision.effects:
        if isinstance(effect, commands.SendOrder):
            order = effect.order
            effects.append([getattr(order, name) for name in order.__slots__])
        else:
            effects.append(effect)
    return decision.events, effects


class Truth:
    """What an order really is at its venue."""

    def __init__(self, order: ApprovedOrder) -> None:
        self.order = order
        self.venue_order_id = f"v-{order.client_order_id}-{order.leg}"
        self.is_travelling = True
        """Sent, and it may still arrive."""
        self.is_placed = False
        self.is_answered = False
        """The gateway had its one answer, whichever; a crash loses it too."""
        self.closed: str | None = None
        self.fills: list[Fill] = []
        self.quantity = order.quantity
        """What it may fill in all; less than approved once somebody decreased it by hand."""

    @property
    def remaining(self) -> int:
        """What may still fill."""
        return self.quantity - self.filled

    @property
    def filled(self) -> int:
        """What has filled."""
        return sum(fill.quantity for fill in self.fills)

    def listed(self, now_ns: int) -> VenueOrder:
        """Return it as its venue lists it."""
        order = self.order
        return VenueOrder(
            client_order_id=order.client_order_id,
            venue_order_id=self.venue_order_id,
            platform=order.platform,
            market_id=order.market_id,
            side=order.side,
            action=order.action,
            quantity=self.quantity if self.closed is None else self.filled,
            filled=self.filled,
            limit_price=order.limit_price,
            closed=self.closed,
            time_ns=now_ns,
        )

    @property
    def is_working(self) -> bool:
        """Whether it may still fill."""
        return self.is_placed and self.closed is None

    def fill(self, quantity: int, price: int, fee: int, now_ns: int) -> Fill:
        """Execute part of it."""
        fill = Fill(
            client_order_id=self.order.client_order_id,
            trade_id=f"{self.venue_order_id}-{len(self.fills)}",
            quantity=quantity,
            price=price,
            fee=fee,
            is_maker=False,
            time_ns=now_ns,
            venue_order_id=self.venue_order_id,
        )
        self.fills.append(fill)
        if not self.remaining:
            self.closed = "filled"
        return fill

    @property
    def is_buy(self) -> bool:
        """Whether it pays."""
        return self.order.action is Action.BUY
