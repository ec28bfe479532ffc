"""An evening in which everything goes wrong at once, drawn from a seed.

Several strategies trade on three markets at the same time while answers and reports are lost,
repeated and shuffled, the venue is away now and then, threads take their time, and somebody pulls
the kill switch and lets go of it again.
"""

import asyncio
import random

from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.venues.paper.faults import Fault
from tests.runtime.evenings import GAME, OTHER, TOKEN, Evening, alternate, until_known

MARKETS = (GAME, OTHER, TOKEN)
STRATEGIES = 4
REQUESTS = 12
FAULTS = (
    Fault.LOST_AFTER,
    Fault.LOST_BEFORE,
    Fault.OUTAGE,
    Fault.UNHEALTHY,
    Fault.READ_LAG,
    Fault.REPORT_LOST,
    Fault.REPORT_TWICE,
    Fault.REPORTS_SHUFFLED,
)
"""All but the one by which a venue breaks its word: it may take an exposure over its limit."""


class Chaos:
    """Draws an evening."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.is_over = False

    def thread_seconds(self) -> float:
        """Draw how long a thread takes: mostly nothing, at times some milliseconds."""
        return self.draw.choice((0.0, 0.0, 0.0, 0.0005, 0.002, 0.006))

    async def __call__(self, evening: Evening) -> None:
        """Let everybody act at once, then heal, and wait until everything is known."""
        for market in MARKETS:
            await evening.quote(market, ask=(620, 200))
        background = [
            asyncio.create_task(self._quotes(evening)),
            asyncio.create_task(self._faults(evening)),
            asyncio.create_task(self._operator(evening)),
        ]
        await asyncio.gather(*(self._strategy(evening, number) for number in range(STRATEGIES)))
        self.is_over = True
        await asyncio.gather(*background)
        faults = evening.assembly.exchange.faults
        faults.clear()
        faults.latency_ns = faults.answer_latency_ns = (0, 0)
        await until_known(evening.assembly, evening.clock)

    async def _pause(self, evening: Evening, longest: float) -> None:
        await evening.clock.sleep(self.draw.uniform(0, longest))

    async def _quotes(self, evening: Evening) -> None:
        while not self.is_over:
            middle = self.draw.randint(600, 625)
            await evening.quote(
                self.draw.choice(MARKETS),
                bid=(middle - 10, self.draw.randint(1, 60)),
                ask=(middle + 10, self.draw.randint(1, 60)),
            )
            await self._pause(evening, 0.02)

    async def _faults(self, evening: Evening) -> None:
        faults = evening.assembly.exchange.faults
        while not self.is_over:
            fault = self.draw.choice(FAULTS)
            faults.set(
                fault,
                platform=self.draw.choice((None, *Platform)),
                chance=self.draw.choice((200_000, 600_000, 1_000_000)),
                times=self.draw.randint(1, 4),
            )
            faults.latency_ns = (0, self.draw.choice((0, 1_000_000, 10_000_000)))
            faults.answer_latency_ns = (0, self.draw.choice((0, 1_000_000, 10_000_000)))
            await self._pause(evening, 0.05)

    async def _operator(self, evening: Evening) -> None:
        gateway = evening.assembly.gateway
        while not self.is_over:
            await self._pause(evening, 0.2)
            what = self.draw.randrange(4)
            scope = self.draw.choice(("all", f"market:{GAME}", "sport:NBA"))
            if what == 0:
                await gateway.cancel_all(reason="drill", actor="ann", scope=scope)
            elif what == 1:
                await evening.halt(scope, self.draw.choice(("ENABLE", "REDUCE")))
                await self._pause(evening, 0.05)
                await evening.resume(scope)
            elif what == 2:
                await gateway.reconciler.run()

    async def _strategy(self, evening: Evening, number: int) -> None:
        for count in range(REQUESTS):
            await self._pause(evening, 0.05)
            await self._request(evening, f"{number}-{count}")

    async def _request(self, evening: Evening, key: str) -> None:
        draw = self.draw
        if evening.asked and draw.random() < 0.15:
            before = draw.choice(evening.asked)
            await evening.repeat_all(before)
            return
        is_sell = draw.random() < 0.25
        fields = {
            "market": draw.choice(MARKETS),
            "contracts": draw.randint(1, 20),
            "side": draw.choice((Side.YES, Side.YES, Side.NO)),
            "action": Action.SELL if is_sell else Action.BUY,
            "price": draw.choice((380, 400, 600, 610, 620, 630)),
            "time_in_force": draw.choice(
                (TimeInForce.IOC, TimeInForce.IOC, TimeInForce.GTC, TimeInForce.FOK)
            ),
            "strategy": draw.choice(("edge", "arb")),
        }
        if draw.random() < 0.2:
            fields["alternates"] = alternate(draw.choice(MARKETS))
        if draw.random() < 0.2:
            fields["signal_id"] = f"signal-{draw.randint(1, 5)}"
        result = await evening.ask(key, draw.choice((0.0, 0.01, 1.0)), **fields)
        if result.final and result.status in {"Rejected", "Failed"} and draw.random() < 0.5:
            again = {**fields, "attempt": 2, "request_id": f"request-{key}-2"}
            await evening.ask(key, 0.0, **again)
