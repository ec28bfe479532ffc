"""Index rows: what the journal's tables must say once an event is durable.

Guarantees that the tables follow from the records alone, so that a verifier can prove them.
"""

from arbees.core import events
from arbees.core.book.open_order import Order
from arbees.core.language.request import Request
from arbees.core.language.words import OrderStatus
from arbees.core.orders.lifecycle import end_of, opened, reopened
from arbees.core.ports import IndexRow, KeyRow, OrderRow, RequestRow, SignalRow

OPEN = "open"
DENIED = "denied"
NOT_SENT = "not_sent"
SPENT = "spent"
RETRIABLE = frozenset({DENIED, NOT_SENT})
"""Outcomes after which a caller may come again with the next attempt."""
_OUTCOMES = {OrderStatus.DENIED: DENIED, OrderStatus.NOT_SENT: NOT_SENT}
"""Ends that leave a key to be tried again; all others spend it."""


def rows_of(event: events.Event, time_ns: int, order: Order | None) -> tuple[IndexRow, ...]:
    """
    Return the index rows of one event.

    Args:
        event: what happened.
        time_ns: time of its record.
        order: the order it happened to, open or past, also if that is what opened it; None for
            other events.
    """
    if isinstance(event, events.RequestDenied):
        return _of_request(event.request, DENIED, time_ns, event.request.fingerprint())
    if isinstance(event, events.DuplicateRefused):
        return _duplicate(event, time_ns)
    if isinstance(event, events.OrderApproved):
        return _approved(event, time_ns, order)
    if order is None or not isinstance(event, events.OrderEvent):
        return ()
    if isinstance(event, events.OrderReopened):
        name, there = order.client_order_id, event.order.venue_order_id
        row = OrderRow(name, order.request_id, order.platform, there)
        return row, *_moved(order, OPEN, time_ns)
    if isinstance(event, events.OrderAcknowledged | events.VenueIdChanged):
        return (
            OrderRow(order.client_order_id, order.request_id, order.platform, event.venue_order_id),
        )
    outcome = _outcome(event, order)
    return () if outcome is None else _moved(order, outcome, time_ns)


def _outcome(event: events.OrderEvent, order: Order) -> str | None:
    """Return what a record makes of its key; None = what it was."""
    if isinstance(event, events.OrderFilled) and event.corrects is not None:
        # Later truth: what might have been tried again was at the venue after all.
        return SPENT if order.status in _OUTCOMES else None
    end = end_of(event)
    return None if end is None else _OUTCOMES.get(end, SPENT)


def _of_request(
    request: Request, outcome: str, time_ns: int, fingerprint: str
) -> tuple[KeyRow, RequestRow]:
    return (
        KeyRow(
            request.idempotency_key,
            request.request_id,
            request.attempt,
            fingerprint,
            outcome,
            time_ns,
        ),
        RequestRow(request.request_id, request.idempotency_key),
    )


def _duplicate(event: events.DuplicateRefused, time_ns: int) -> tuple[IndexRow, ...]:
    request = event.request
    if event.code == "DUPLICATE_SIGNAL":
        return _of_request(request, DENIED, time_ns, request.fingerprint())
    return (RequestRow(request.request_id, request.idempotency_key),)


def _approved(
    event: events.OrderApproved, time_ns: int, order: Order | None
) -> tuple[IndexRow, ...]:
    request = event.request
    fingerprint = request.fingerprint() if order is None else order.fingerprint
    key, seen = _of_request(request, OPEN, time_ns, fingerprint)
    row = OrderRow(event.client_order_id, request.request_id, event.platform, None)
    if request.signal_id is None:
        return key, seen, row
    signal = SignalRow(
        request.signal_id,
        event.market_key,
        event.side,
        request.action,
        request.idempotency_key,
        OPEN,
    )
    return key, seen, row, signal


def _moved(order: Order, outcome: str, time_ns: int) -> tuple[IndexRow, ...]:
    key = KeyRow(
        order.idempotency_key,
        order.request_id,
        order.attempt,
        order.fingerprint,
        outcome,
        time_ns,
    )
    if order.signal_id is None:
        return (key,)
    return (
        key,
        SignalRow(
            order.signal_id,
            order.market_key,
            order.side,
            order.action,
            order.idempotency_key,
            outcome,
        ),
    )


class IndexFold:
    """Index rows of a whole journal, record by record; keeps only what is not spent."""

    def __init__(self) -> None:
        """Start before the first record."""
        self._orders: dict[str, Order] = {}

    def rows(self, event: events.Event, time_ns: int) -> tuple[IndexRow, ...]:
        """Return the rows of the next event."""
        if isinstance(event, events.OrderApproved):
            order = self._orders[event.client_order_id] = opened(event, time_ns)
            return rows_of(event, time_ns, order)
        if not isinstance(event, events.OrderEvent):
            return rows_of(event, time_ns, None)
        if isinstance(event, events.OrderReopened):
            order = self._orders[event.client_order_id] = reopened(event, time_ns)
            return rows_of(event, time_ns, order)
        found = self._orders.get(event.client_order_id)
        rows = rows_of(event, time_ns, found)
        if found is not None:
            outcome = _outcome(event, found)
            if outcome in RETRIABLE:
                found.status = end_of(event) or found.status
            elif outcome is not None:
                del self._orders[event.client_order_id]
        return rows
