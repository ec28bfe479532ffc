"""Holds what a gateway says it would refuse against what it does refuse: an order that asks.

Guarantees that the two are independent: the order goes the whole way of every other, and is the
smallest that opens something. Every denial of it must have been said within two seconds of it, and
nothing may be said for all of those seconds of an order that was let through.
"""

import asyncio

import msgspec

from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import SCOPE_ALL, Platform, Side
from arbees.core.orders.result import Result
from arbees.runtime.looking.refusals import OF_THE_ORDER
from arbees.venues.kalshi.markets.markets import pool_name
from verification.live.scene import MARKET, KalshiScene

WITHIN_NS = 2 * NS_PER_SECOND
TURN_SECONDS = 0.1
"""So long, for real, the clock of the stage stands still for an order that asks."""
SIZE, PRICE = "0.01", "0.41"
"""Of the smallest order, at a price that meets the book of the stage."""
KINDS = ("market:", "sport:", "game:")
"""Scopes that are asked about where they are the market's own."""


class RefusalShown(msgspec.Struct, frozen=True):
    """What was said to be refused for orders of the market, at a moment."""

    at_ns: int
    codes: frozenset[str]


class ProbeOrder(msgspec.Struct, frozen=True):
    """An order that asked: from when until when, and what it was denied for; empty = it passed."""

    from_ns: int
    until_ns: int
    codes: frozenset[str]


class Truth:
    """Looks and asks; `lies` compares."""

    def __init__(self, scene: KalshiScene) -> None:
        """Watch the gateway of a scene."""
        self._scene = scene
        self._said: list[RefusalShown] = []
        self._asked: list[ProbeOrder] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def look(self) -> frozenset[str]:
        """Remember what is said now; return the codes."""
        if not self._scene.is_running:
            return frozenset()
        codes = self._codes()
        self._said.append(RefusalShown(self._scene.clock.now_ns(), codes))
        return codes

    def _codes(self) -> frozenset[str]:
        refusing = self._scene.assembly.gateway.refusing
        refusing.forget()  # what was kept is a second old, and the clock of the stage runs ahead
        return frozenset(
            each.code
            for each in refusing.now()
            if self._is_meant(each.scope) and not each.reason.startswith(f"Buy {Side.NO}:")
        )

    def _is_meant(self, scope: str) -> bool:
        found = self._scene.assembly.gateway.desk.book.market_of(Platform.KALSHI, MARKET)
        pool = "" if found is None else found[0].listing.pool
        wide = {SCOPE_ALL, f"platform:{Platform.KALSHI}", f"pool:{pool or pool_name(0)}"}
        return scope in wide or scope.startswith((f"market:{MARKET}", *KINDS[1:]))

    async def ask(self) -> None:
        """Send the smallest order between two looks; one that takes its time is left to it."""
        self.look()
        task = asyncio.create_task(self._ask())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=TURN_SECONDS)
        self.look()

    async def _ask(self) -> None:
        scene = self._scene
        if not scene.is_running:
            return
        from_ns = scene.clock.now_ns()
        result = await scene.send(scene.request(SIZE, PRICE), 0.5)
        codes = None if result is None else _codes_of(result)
        if codes is not None:
            self._asked.append(ProbeOrder(from_ns, scene.clock.now_ns(), codes))

    async def lies(self) -> list[str]:
        """Return what was refused and not said, and what was said and not refused."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        found: list[str] = []
        for asked in self._asked:
            near = [
                each.codes
                for each in self._said
                if asked.from_ns - WITHIN_NS <= each.at_ns <= asked.until_ns + WITHIN_NS
            ]
            unsaid = asked.codes - frozenset().union(*near)
            if unsaid:
                found.append(f"refused, and `refuses` did not say it: {sorted(unsaid)}")
            if not asked.codes and near and all(near):
                said = sorted(frozenset.intersection(*near) or near[0])
                found.append(f"`refuses` says {said}, and an order is let through")
        return found


def _codes_of(result: Result) -> frozenset[str] | None:
    """Return what an order was denied for now; None = nothing is known, or its own terms."""
    if result.rejected_by != "gateway":
        return None if result.rejected_by else frozenset()
    codes = {each.code for each in result.denials} or {result.code or ""}
    return frozenset(codes - OF_THE_ORDER - {"NOT_SENT"}) or None
