"""Index rows: what the journal's tables must say once an event is durable.

Guarantees that the tables follow from the records alone, so that a verifier can prove them.
"""

from msgspec.structs import replace

from arbees.core import events as e
from arbees.core.order import Order
from arbees.core.ports import IndexRow, KeyRow, OrderRow, RequestRow, SignalRow
from arbees.core.request import Request
from arbees.core.words import OrderStatus

OPEN = "open"
DENIED = "denied"
NOT_SENT = "not_sent"
SPENT = "spent"
RETRIABLE = frozenset({DENIED, NOT_SENT})
"""Outcomes after which a caller may come again with the next attempt."""
_RETRIABLE_STATUS = {DENIED: OrderStatus.DENIED, NOT_SENT: OrderStatus.NOT_SENT}


def rows_of(event: e.Event, time_ns: int, order: Order | None) -> tuple[IndexRow, ...]:
    """
    Return the index rows of one event.

    Args:
        event: what happened.
        time_ns: time of its record.
        order: the order it happened to, open or past, also if that is what opened it; None for
            other events.
    """
    if isinstance(event, e.RequestDenied):
        return _asked(event.request, DENIED, time_ns, event.request.fingerprint())
    if isinstance(event, e.DuplicateRefused):
        return _duplicate(event, time_ns)
    if isinstance(event, e.OrderApproved):
        return _approved(event, time_ns, order)
    if order is None or not isinstance(event, e.OrderEvent):
        return ()
    if isinstance(event, e.OrderReopened):
        opened = event.order
        return (
            OrderRow(
                opened.client_order_id, opened.request_id, opened.platform, opened.venue_order_id
            ),
            *_moved(order, OPEN, time_ns),
        )
    if isinstance(event, e.OrderAcknowledged | e.VenueIdChanged):
        return (
            OrderRow(order.client_order_id, order.request_id, order.platform, event.venue_order_id),
        )
    outcome = _outcome(event, order)
    return () if outcome is None else _moved(order, outcome, time_ns)


def _outcome(event: e.OrderEvent, order: Order) -> str | None:
    if isinstance(event, e.OrderDenied):
        return DENIED
    if isinstance(event, e.OrderNotSent):
        return NOT_SENT
    if isinstance(event, e.OrderFilled):
        if event.corrects is None:
            return SPENT if event.is_complete else None
        # Later truth: what might have been tried again was at the venue after all.
        return SPENT if order.status in _RETRIABLE_STATUS.values() else None
    if isinstance(event, e.OrderRejected | e.OrderCancelled | e.OrderExpired):
        return SPENT
    return None


def _asked(
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


def _duplicate(event: e.DuplicateRefused, time_ns: int) -> tuple[IndexRow, ...]:
    request = event.request
    if event.code == "DUPLICATE_SIGNAL":
        return _asked(request, DENIED, time_ns, request.fingerprint())
    return (RequestRow(request.request_id, request.idempotency_key),)


def _approved(event: e.OrderApproved, time_ns: int, order: Order | None) -> tuple[IndexRow, ...]:
    request = event.request
    fingerprint = request.fingerprint() if order is None else order.fingerprint
    key, seen = _asked(request, OPEN, time_ns, fingerprint)
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


def order_of(event: e.OrderApproved, time_ns: int) -> Order:
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


class IndexFold:
    """Index rows of a whole journal, record by record; keeps only what is not spent."""

    def __init__(self) -> None:
        """Start before the first record."""
        self._orders: dict[str, Order] = {}

    def rows(self, event: e.Event, time_ns: int) -> tuple[IndexRow, ...]:
        """Return the rows of the next event."""
        if isinstance(event, e.OrderApproved):
            opened = self._orders[event.client_order_id] = order_of(event, time_ns)
            return rows_of(event, time_ns, opened)
        if not isinstance(event, e.OrderEvent):
            return rows_of(event, time_ns, None)
        if isinstance(event, e.OrderReopened):
            opened = self._orders[event.client_order_id] = replace(event.order)
            return rows_of(event, time_ns, opened)
        order = self._orders.get(event.client_order_id)
        rows = rows_of(event, time_ns, order)
        if order is not None:
            outcome = _outcome(event, order)
            if outcome in RETRIABLE:
                order.status = _RETRIABLE_STATUS[outcome]
            elif outcome is not None:
                del self._orders[event.client_order_id]
        return rows
