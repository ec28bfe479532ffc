"""The life of an order: the one fold of its records, from which everything else is made.

Guarantees that the book, results, receipts, the audit log, quality, counters and closed orders say
the same of an order, because none of them reads its records in another way: which record ends it,
how, what has filled, what is reserved, what corrects what. A record that contradicts the table of
states is `InvariantViolation`: it was never decided by this program.

| record | what it does to the order |
|---|---|
| approved | PENDING, reserved in its worst case |
| acknowledged | WORKING, or PARTIALLY_FILLED if a fill came first; an unknown is known |
| unknown | UNKNOWN; what is reserved stays |
| filled | counts once, in every state; ends it as FILLED if nothing remains |
| fill disputed | remembered, not counted |
| fill reversed | counted back, once |
| amended | the venue's terms are kept beside the approved ones |
| denied, rejected, not sent, cancelled, expired | ended, nothing is reserved |
| reopened | as it was, at work again, reserved again; its next end corrects the first |
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from arbees.core import events
from arbees.core.book.open_order import (
    CLOSED_STATES,
    NOTHING,
    TRANSITIONS,
    Order,
    amended,
)
from arbees.core.language.words import OrderStatus
from arbees.errors import InvariantViolation

_ENDS: dict[type, OrderStatus] = {
    events.OrderDenied: OrderStatus.DENIED,
    events.OrderRejected: OrderStatus.REJECTED,
    events.OrderNotSent: OrderStatus.NOT_SENT,
    events.OrderCancelled: OrderStatus.CANCELLED,
    events.OrderExpired: OrderStatus.EXPIRED,
}
NEVER_THERE = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.NOT_SENT})
"""Ends by which the venue never had the order: that it shows it at all contradicts them."""


def end_of(event: events.Event) -> OrderStatus | None:
    """Return the state in which a record ends its order; None = it goes on."""
    if isinstance(event, events.OrderFilled):
        return OrderStatus.FILLED if event.is_complete else None
    return _ENDS.get(type(event))


def falls_back(event: events.Event) -> bool:
    """Tell whether an alternate is tried next: what ended there is not the final result."""
    return getattr(event, "falls_back", False) is True


def opened(event: events.OrderApproved, time_ns: int) -> Order:
    """Return the order as it stands right after approval."""
    request = event.request
    return Order(
        client_order_id=event.client_order_id,
        request_id=request.request_id,
        idempotency_key=request.idempotency_key,
        attempt=request.attempt,
        fingerprint=request.fingerprint(),
        signal_id=request.signal_id,
        leg=event.leg,
        platform=event.platform,
        market_id=event.market_id,
        market_key=event.market_key,
        side=event.side,
        is_flipped=event.is_flipped,
        action=request.action,
        quantity=request.size,
        limit_price=event.limit_price,
        time_in_force=request.time_in_force,
        created_ns=time_ns,
        expires_ns=request.expires_ns,
        strategy=event.strategy,
        model_version=request.model_version,
        sport=event.sport,
        is_reducing=event.is_reducing,
        trades=[],
        reserved=event.reserved,
        reference=event.reference,
        rates=event.rates,
        key_id=event.key_id,
        pool=event.pool,
    )


def advance(order: Order, event: events.OrderEvent, time_ns: int) -> Order:
    """
    Take the next record of an order.

    Args:
        order: as the record found it; changed in place, unless it is reopened.
        event: what happened to it.
        time_ns: of the record.

    Returns:
        The order as the record leaves it.

    Raises:
        InvariantViolation: an end, or a word of the venue, of an order that cannot have it.
    """
    status = _ENDS.get(type(event))
    if status is not None:
        _end(order, status)
        return order
    step = _STEPS.get(type(event))
    return order if step is None else step(order, event, time_ns)


def _move(order: Order, status: OrderStatus) -> None:
    if status not in TRANSITIONS.get(order.status, frozenset()):
        msg = f"Expected no way from {order.status} to {status} ({order.client_order_id})"
        raise InvariantViolation(msg)
    order.status = status


def _end(order: Order, status: OrderStatus) -> None:
    _move(order, status)
    order.reserved = NOTHING


def _acknowledged(order: Order, event: events.OrderAcknowledged, time_ns: int) -> Order:
    order.venue_order_id, order.acknowledged_ns = event.venue_order_id, time_ns
    if order.status in {OrderStatus.PENDING, OrderStatus.UNKNOWN}:
        _move(order, OrderStatus.PARTIALLY_FILLED if order.filled else OrderStatus.WORKING)
    return order


def _unknown(order: Order, event: events.OrderUnknown, _time_ns: int) -> Order:
    _move(order, OrderStatus.UNKNOWN)
    order.sent_ns = event.sent_ns
    return order


def _filled(order: Order, event: events.OrderFilled, _time_ns: int) -> Order:
    order.filled += event.quantity
    order.value += event.value
    order.fees += event.fee
    order.trades.append(event.trade_id)
    if event.trade_id in order.disputed:
        order.disputed.remove(event.trade_id)
    if order.status in CLOSED_STATES:
        return order
    if event.is_complete:
        _end(order, OrderStatus.FILLED)
        return order
    order.reserved = event.reserved
    if order.status in {OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED}:
        _move(order, OrderStatus.PARTIALLY_FILLED)
    return order


def _disputed(order: Order, event: events.FillDisputed, _time_ns: int) -> Order:
    order.disputed.append(event.trade_id)
    return order


def _reversed(order: Order, event: events.FillReversed, _time_ns: int) -> Order:
    order.filled -= event.quantity
    order.value -= event.value
    order.fees -= event.fee
    order.reversed.append(event.trade_id)
    if order.status not in CLOSED_STATES:
        order.reserved = event.reserved
    return order


def _amended(order: Order, event: events.OrderAmended, _time_ns: int) -> Order:
    order.amended = amended(order, event.quantity, event.limit_price)
    order.reserved = event.reserved
    return order


def _renamed(order: Order, event: events.VenueIdChanged, _time_ns: int) -> Order:
    order.venue_order_id = event.venue_order_id
    return order


def _cancel_requested(order: Order, event: events.CancelRequested, _time_ns: int) -> Order:
    order.cancel_reason = event.reason
    return order


def _reopened(_order: Order, event: events.OrderReopened, time_ns: int) -> Order:
    return reopened(event, time_ns)


def reopened(event: events.OrderReopened, time_ns: int) -> Order:
    """Return the order that a record opens again; the record's own is never changed."""
    order = event.order
    return replace(
        order,
        acknowledged_ns=time_ns,
        corrects=event.corrects,
        trades=list(order.trades),
        disputed=list(order.disputed),
        reversed=list(order.reversed),
    )


_STEPS: dict[type, Callable[[Order, Any, int], Order]] = {
    events.OrderAcknowledged: _acknowledged,
    events.OrderUnknown: _unknown,
    events.OrderFilled: _filled,
    events.FillDisputed: _disputed,
    events.FillReversed: _reversed,
    events.OrderAmended: _amended,
    events.VenueIdChanged: _renamed,
    events.CancelRequested: _cancel_requested,
    events.OrderReopened: _reopened,
}
"""What goes on with an order without ending it; an answer to a cancel changes nothing."""

KINDS = frozenset(each.__name__ for each in (*_ENDS, *_STEPS))
"""Kinds of records that change an order."""
DECIDED = (events.RequestDenied, events.OrderApproved)
"""Records by which a request, or a leg of it, is decided."""


class RequestLife(msgspec.Struct, kw_only=True):
    """The orders of one request, leg by leg, as its records leave them, and its final result."""

    orders: list[Order] = []
    final_sequence: int | None = None
    """Record of the final result in force; None = there is none yet, or it was taken back."""
    final_ns: int = 0
    first: int | None = None
    """Record of the first final result, which all later ones correct."""
    finals: int = 0
    """How many final results there were: never more than one (P8), the rest are corrections."""
    corrects: int | None = None
    """Record of the final result that the last later truth corrects."""

    @property
    def order(self) -> Order | None:
        """The order that was tried last."""
        return self.orders[-1] if self.orders else None

    @property
    def is_acknowledged(self) -> bool:
        """Whether a venue has, or had, one of them."""
        return any(order.acknowledged_ns is not None for order in self.orders)

    def of(self, event: events.OrderEvent) -> Order | None:
        """Return the order that a record is about: the last one, or where a fill came from."""
        if isinstance(event, events.OrderFilled | events.FillReversed):
            for order in reversed(self.orders):
                if (order.platform, order.market_key) == (event.platform, event.market_key):
                    return order
            return None
        return self.order

    def take(self, sequence: int, time_ns: int, event: events.Event) -> Order | None:
        """Take the next record of the request; return the order that it is about."""
        if isinstance(event, events.OrderApproved):
            self.orders.append(opened(event, time_ns))
            self.final_sequence = None
            return self.orders[-1]
        if isinstance(event, events.RequestDenied | events.DuplicateRefused):
            # A duplicate under the id of its original is no part of the original's life.
            is_another = isinstance(event, events.DuplicateRefused) and bool(
                self.orders or self.finals
            )
            if not (is_another or falls_back(event)):
                self._end(sequence, time_ns)
            return None
        if not isinstance(event, events.OrderEvent):
            return None
        order = self.of(event)
        if order is None:
            return None
        was_open = order.status not in CLOSED_STATES
        after = advance(order, event, time_ns)
        self.orders[next(n for n, each in enumerate(self.orders) if each is order)] = after
        if isinstance(event, events.OrderReopened):
            self.final_sequence, self.corrects = None, event.corrects
        elif was_open and after.status in CLOSED_STATES:
            if not falls_back(event):
                self._end(sequence, time_ns)
        elif (
            isinstance(event, events.OrderFilled | events.FillReversed)
            and event.corrects is not None
        ):
            self.corrects = event.corrects
        return after

    def _end(self, sequence: int, time_ns: int) -> None:
        self.final_sequence, self.final_ns = sequence, time_ns
        self.finals += self.corrects is None
        if self.first is None:
            self.first = sequence
