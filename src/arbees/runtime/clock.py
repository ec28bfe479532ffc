"""Clocks: the wall clock anchored to the monotonic one, and the clock of recorded time.

Guarantees that time never runs backwards within a process, and that a jump of the wall clock is
seen (`SystemClock.jump_ns`) instead of followed.
"""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable

from arbees.core.language.units import NS_PER_SECOND

JUMP_MAX_NS = 2 * NS_PER_SECOND
"""A larger jump halts (design, section 5)."""


class SystemClock:
    """UTC nanoseconds: the wall clock at the start plus what the monotonic clock has run since."""

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Anchor the wall clock to the monotonic one."""
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._anchor_ns = wall_ns() - steady_ns()
        self._last_ns = 0
        self._accepted_ns = 0

    def now_ns(self) -> int:
        """Return UTC nanoseconds; never runs backwards."""
        self._last_ns = max(self._last_ns, self._anchor_ns + self._steady_ns())
        return self._last_ns

    def jump_ns(self) -> int:
        """Return by how much the wall clock left the anchored one since that was last accepted."""
        anchored = self._anchor_ns + self._steady_ns()
        return self._wall_ns() - anchored - self._accepted_ns

    def slew(self) -> None:
        """Follow a small drift of the wall clock; backwards only by standing still meanwhile."""
        jump = self.jump_ns()
        if abs(jump) <= JUMP_MAX_NS:
            self._anchor_ns += jump

    def accept_jump(self) -> None:
        """Go on by the monotonic clock after a jump was reported: each jump is reported once."""
        self._accepted_ns += self.jump_ns()

    async def sleep(self, seconds: float) -> None:
        """Wait for real."""
        await asyncio.sleep(seconds)


class RecordedClock:
    """A clock that stands still until it is moved; whoever sleeps wakes in order of due time."""

    def __init__(self, now_ns: int) -> None:
        """Stand at a moment."""
        self._now_ns = now_ns
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    def now_ns(self) -> int:
        """Return where the clock stands."""
        return self._now_ns

    def jump_ns(self) -> int:
        """Return 0: recorded gaps are no jumps."""
        return 0

    def slew(self) -> None:
        """Do nothing: nothing drifts."""

    def accept_jump(self) -> None:
        """Do nothing: nothing jumps."""

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been moved past the due time."""
        due_ns = self._now_ns + max(1, round(seconds * NS_PER_SECOND))
        waiter = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (due_ns, self._count, waiter))
        await waiter

    def next_due_ns(self) -> int | None:
        """Return when the next sleeper wakes."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def move_to(self, ns: int, settle: Callable[[], Awaitable[None]]) -> None:
        """
        Move forwards, waking every sleeper due on the way, one by one, in order.

        Args:
            ns: where to; an earlier time changes nothing.
            settle: awaited after each wake-up, until everything that it set off is done.
        """
        while (due := self.next_due_ns()) is not None and due <= ns:
            _, _, waiter = heapq.heappop(self._sleepers)
            self._now_ns = max(self._now_ns, due)
            if not waiter.done():
                waiter.set_result(None)
            await settle()
        self._now_ns = max(self._now_ns, ns)
