"""A clock that can be moved on by hand, for both ends of a rehearsal at the same time.

Guarantees that whoever sleeps on it wakes when it says so, whether time passed or was moved; so
that evidence which takes a minute of the exchange's time does not take a minute of ours.
"""

import asyncio
import heapq

from arbees.core.language.units import NS_PER_SECOND
from arbees.runtime.clock import SystemClock


class AdvancingClock(SystemClock):
    """The machine's clock, and what it was moved on by."""

    def __init__(self) -> None:
        """Start at the machine's time."""
        super().__init__()
        self._shift_ns = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def now_ns(self) -> int:
        """Return UTC nanoseconds as far as they were moved; never runs backwards."""
        return super().now_ns() + self._shift_ns

    def advance(self, seconds: float) -> None:
        """Move on at once; whoever is due wakes in the next turn of the loop."""
        self._shift_ns += round(seconds * NS_PER_SECOND)
        self._ring()

    async def sleep(self, seconds: float) -> None:
        """Wait until so much time passed, or was moved on."""
        waiter = asyncio.get_running_loop().create_future()
        due_ns = self.now_ns() + max(0, round(seconds * NS_PER_SECOND))
        self._count += 1
        heapq.heappush(self._sleepers, (due_ns, self._count, waiter))
        self._arm()
        await waiter

    def _ring(self) -> None:
        now_ns = self.now_ns()
        while self._sleepers and (self._sleepers[0][2].done() or self._sleepers[0][0] <= now_ns):
            waiter = heapq.heappop(self._sleepers)[2]
            if not waiter.done():
                waiter.set_result(None)
        self._arm()

    def _arm(self) -> None:
        """Wake for the first who is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sleepers:
            left_ns = max(0, self._sleepers[0][0] - self.now_ns())
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(left_ns / NS_PER_SECOND, self._ring)
