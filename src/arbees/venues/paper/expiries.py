"""When working orders expire: each exactly once, earliest first, then oldest.

Guarantees memory that follows the orders that work, not those that ever did: entries of ended
orders are dropped when they come up, or all at once when they outnumber the living.
"""

import heapq
from collections.abc import Mapping

from arbees.core.language.words import TimeInForce
from arbees.venues.paper.state import PaperOrder

_SLACK = 64


class Expiries:
    """A queue over the working orders, whose only owner stays the exchange's state."""

    def __init__(self, working: Mapping[str, PaperOrder]) -> None:
        """Watch every working order that expires."""
        self._working = working
        self._queue: list[tuple[int, int, str]] = []
        self._rebuild()

    def __len__(self) -> int:
        return len(self._queue)

    def watch(self, order: PaperOrder) -> None:
        """Add an order that has just begun to work."""
        entry = _entry(order)
        if entry is not None:
            heapq.heappush(self._queue, entry)
        if len(self._queue) > 2 * len(self._working) + _SLACK:
            self._rebuild()

    def next_due_ns(self) -> int | None:
        """Return when the next working order expires."""
        while self._queue and self._queue[0][2] not in self._working:
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def take_due(self, now_ns: int) -> PaperOrder | None:
        """Take the next order that is due, if any; the caller ends it."""
        due_ns = self.next_due_ns()
        if due_ns is None or due_ns > now_ns:
            return None
        return self._working[heapq.heappop(self._queue)[2]]

    def _rebuild(self) -> None:
        entries = (_entry(order) for order in self._working.values())
        self._queue = [entry for entry in entries if entry is not None]
        heapq.heapify(self._queue)


def _entry(order: PaperOrder) -> tuple[int, int, str] | None:
    if order.time_in_force is not TimeInForce.GTD or order.expires_ns is None:
        return None
    return order.expires_ns, order.sequence, order.client_order_id
