"""Closed orders, rebuilt from their records: for fills and evidence that come later."""

from collections.abc import Iterable

from msgspec.structs import replace

from arbees.core import events as e
from arbees.core.commands import Past
from arbees.core.index import order_of
from arbees.core.order import NOTHING, Order, amended
from arbees.core.request import Request
from arbees.core.result import Recorded
from arbees.core.words import OrderStatus

_ENDS: dict[type, OrderStatus] = {
    e.OrderDenied: OrderStatus.DENIED,
    e.OrderRejected: OrderStatus.REJECTED,
    e.OrderNotSent: OrderStatus.NOT_SENT,
    e.OrderCancelled: OrderStatus.CANCELLED,
    e.OrderExpired: OrderStatus.EXPIRED,
}


def past_order(records: Iterable[Recorded]) -> Past | None:
    """Return the last order of a request as its records leave it; None if there was none."""
    order: Order | None = None
    request: Request | None = None
    final_sequence = final_ns = 0
    for sequence, time_ns, event in records:
        if isinstance(event, e.OrderApproved):
            order, request = order_of(event, time_ns), event.request
            order.reserved = NOTHING
        elif order is None:
            continue
        elif isinstance(event, e.OrderAcknowledged):
            order.venue_order_id, order.acknowledged_ns = event.venue_order_id, time_ns
        elif isinstance(event, e.OrderFilled):
            order.filled += event.quantity
            order.trades.append(event.trade_id)
            if event.is_complete:
                order.status, final_sequence, final_ns = OrderStatus.FILLED, sequence, time_ns
        elif isinstance(event, e.OrderReopened):
            order = replace(event.order, trades=list(event.order.trades), reserved=NOTHING)
            order.acknowledged_ns = time_ns
        elif isinstance(event, e.OrderAmended):
            order.amended = amended(order, event.quantity, event.limit_price)
        elif isinstance(event, e.VenueIdChanged):
            order.venue_order_id = event.venue_order_id
        elif type(event) in _ENDS:
            order.status, final_sequence, final_ns = _ENDS[type(event)], sequence, time_ns
    if order is None or request is None:
        return None
    return Past(order=order, final_sequence=final_sequence, request=request, final_ns=final_ns)
