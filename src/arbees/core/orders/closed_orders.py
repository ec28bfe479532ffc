"""Closed orders, rebuilt from their records: for fills and evidence that come later."""

from collections.abc import Iterable

from arbees.core import events
from arbees.core.deciding.commands import ClosedOrder
from arbees.core.language.request import Request
from arbees.core.orders.lifecycle import RequestLife
from arbees.core.orders.result import Recorded


def closed_order(records: Iterable[Recorded]) -> ClosedOrder | None:
    """Return the last order of a request as its records leave it; None if there was none."""
    life = RequestLife()
    request: Request | None = None
    final_sequence = final_ns = 0
    for sequence, time_ns, event in records:
        if isinstance(event, events.OrderApproved):
            request = event.request
        life.take(sequence, time_ns, event)
        if life.final_sequence is not None:
            final_sequence, final_ns = life.final_sequence, life.final_ns
    if life.order is None or request is None:
        return None
    return ClosedOrder(
        order=life.order, final_sequence=final_sequence, request=request, final_ns=final_ns
    )
