"""Whose turn it is to spend tokens: orders that reduce first, then first come, first served.

Guarantees that an order waits for its tokens at most a few seconds and never past its own expiry,
that none which came later overtakes it but one that reduces, and that the number of those who wait
is bounded. Tokens are ours to count: who gets none in time was not sent, which is no fault of the
venue.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable

from arbees.core.language.units import NS_PER_SECOND
from arbees.core.ports import Clock

PATIENCE_NS = 5 * NS_PER_SECOND
"""An order waits no longer than this for its tokens; then it is not sent, and may come again."""
WAITING_MAX = 1_000
Ticket = tuple[int, int]


class Turns:
    """The orders that wait for tokens of one bucket."""

    def __init__(self, clock: Clock) -> None:
        """Nobody waits."""
        self._clock = clock
        self._numbers = itertools.count()
        self._waiting: list[Ticket] = []
        self._calls: dict[Ticket, asyncio.Event] = {}

    async def take(
        self, tokens: Callable[[int], int], *, is_reducing: bool, expires_ns: int | None
    ) -> int:
        """
        Wait for a turn, and take tokens.

        Args:
            tokens: takes them at a time, or returns nanoseconds until they are there; 0 = taken.
            is_reducing: comes before all that do not reduce.
            expires_ns: when it is too late for it; None = never.

        Returns:
            0 = taken; else how long they would take: it was too long.
        """
        now_ns = self._clock.now_ns()
        until_ns = now_ns + PATIENCE_NS
        if expires_ns is not None:
            until_ns = min(until_ns, expires_ns)
        if not self._waiting and tokens(now_ns) == 0:
            return 0
        if len(self._waiting) >= WAITING_MAX:
            return PATIENCE_NS
        ticket = (0 if is_reducing else 1, next(self._numbers))
        heapq.heappush(self._waiting, ticket)
        self._calls[ticket] = asyncio.Event()
        try:
            while True:
                if self._waiting[0] != ticket:
                    self._calls[ticket].clear()
                    await self._calls[ticket].wait()
                    continue
                now_ns = self._clock.now_ns()
                wait_ns = tokens(now_ns)
                if wait_ns == 0:
                    return 0
                if now_ns + wait_ns > until_ns:
                    return wait_ns
                await self._clock.sleep(wait_ns / NS_PER_SECOND)
        finally:
            self._leave(ticket)

    def _leave(self, ticket: Ticket) -> None:
        self._waiting.remove(ticket)
        heapq.heapify(self._waiting)
        del self._calls[ticket]
        if self._waiting:
            self._calls[self._waiting[0]].set()
