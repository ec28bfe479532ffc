"""One run of one cell of the fault matrix: the whole gateway, live, on stage.

Guarantees that a client behaves meanwhile as real ones do: it comes again with the same key after
an answer that it did not get, and asks for more than the limits allow, so that an order which was
forgotten would show as a limit exceeded at the exchange.
"""

import asyncio
import random
from collections.abc import Awaitable

import msgspec

from arbees.core.language.request import Request
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import TimeInForce
from arbees.interface.views import Undecided
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import ExchangeChange, ExchangeOrder, Status
from arbees.rehearsal.kalshi.server import OWNER
from verification.live.cells import (
    CALLS,
    Cell,
    Moment,
    Operation,
    words_of,
)
from verification.live.scene import (
    MARKET,
    OTHER,
    KalshiScene,
    kalshi_stage,
)

SETTINGS = {
    "MAX_ORDER_SIZE": "3",
    "MAX_ORDER_CONTRACTS": "10",
    "MAX_POSITION_PER_MARKET": "5",
    "MAX_OPEN_ORDERS": "12",
    "MAX_ORDERS_PER_MINUTE": "1000",
    "MAX_ORDERS_PER_HOUR": "10000",
    "MAX_UNKNOWN_ORDERS": "20",
}
ANSWER_SECONDS = 0.4
STANDS_SECONDS = 8.0
"""How long a fault stands on the stage's clock, before everything is well again."""
STEPS = 16
FATAL = frozenset({"JOURNAL_TROUBLE", "TASK_DIED"})
"""Alerts that no cell may raise."""
EVIDENCE_SECONDS = 900.0
DELAY_MAX = 0.015
WORKING = {Operation.CREATE: 0, Operation.CANCEL: 2, Operation.BATCH: 7, Operation.MASS: 8}


class Ran(msgspec.Struct, kw_only=True):
    """What a run came to."""

    cell: Cell
    seed: int
    happened: int = 0
    """How often the fault did."""
    duplicates: int = 0
    lost_fills: int = 0
    breaches: int = 0
    unknown: int = 0
    """Left once the fault healed and the time for evidence is over."""
    over_limit: int = 0
    """Calls that the exchange answered 429 because they really were too fast."""
    evidence_seconds: float = 0.0
    """Of the exchange's clock, from the beginning of the fault until both sides agreed for good."""
    failures: list[str] = []

    @property
    def is_good(self) -> bool:
        """Whether every promise was kept."""
        wrong = self.duplicates or self.lost_fills or self.breaches or self.unknown
        return not (wrong or self.over_limit or self.failures)


class Run:
    """One run; `play` is all of it."""

    def __init__(self, scene: KalshiScene, cell: Cell, seed: int) -> None:
        """Take a scene whose gateway runs."""
        self._scene = scene
        self._cell = cell
        self._draw = random.Random(f"{seed}|{cell.name}")
        self._names: list[str] = []
        self._tasks: list[asyncio.Task[object]] = []
        self._request: Request | None = None
        self._taken = asyncio.Event()
        self._is_hit = False
        self._hit_ns = 0
        self._agreed_ns: int | None = None

    async def play(self) -> Ran:
        """Set up, disturb, heal, and count what is left."""
        scene, cell = self._scene, self._cell
        if WORKING[cell.operation]:
            markets = (MARKET, OTHER) if cell.operation is Operation.MASS else (MARKET,)
            self._names = await scene.rest(WORKING[cell.operation], markets=markets)
        scene.exchange.listeners.append(self._on_change)
        if cell.moment is Moment.RECOVERY:
            scene.server.fault(FaultKind.LOST_AFTER, call=CALLS[cell.operation])
        elif cell.moment is Moment.BEFORE:
            self._hit()
        await self._act()
        await self._live_on()
        happened = scene.server.faults.happened.get(cell.fault, 0) + (self._is_hit)
        scene.server.heal()
        return await self._count(happened)

    # The fault ---------------------------------------------------------------------------------

    def _hit(self) -> None:
        if not self._is_hit:
            self._is_hit = True
            self._hit_ns = self._scene.clock.now_ns()
            words = words_of(self._cell, self._draw)
            self._scene.server.fault(self._cell.fault, **words)

    def _on_change(self, change: ExchangeChange) -> None:
        """Notice that the exchange takes the call; hit before its answer leaves."""
        about = change.about
        if change.owner != OWNER or not isinstance(about, ExchangeOrder) or self._taken.is_set():
            return
        if self._cell.operation is not Operation.CREATE and about.status is Status.RESTING:
            return
        self._taken.set()
        if self._cell.moment is Moment.AFTER:
            self._hit()

    # The gateway and its client ----------------------------------------------------------------

    async def _act(self) -> None:
        cell, scene = self._cell, self._scene
        self._start(self._operate())
        if cell.moment is not Moment.BEFORE:
            await self._moment()
        else:
            await asyncio.sleep(self._draw.uniform(0, DELAY_MAX))
        if cell.moment is Moment.RECOVERY:
            self._hit()
        if not cell.is_killed:
            return
        await scene.kill()
        await scene.start(waits=False)
        if cell.moment is Moment.RECOVERY:
            await asyncio.sleep(self._draw.uniform(0, 2 * DELAY_MAX))
            await scene.restart(waits=False)
        self._start(self._operate())

    async def _moment(self) -> None:
        """Wait until the exchange took the call; not for ever, should the fault forbid it."""
        try:
            async with asyncio.timeout(2.0):
                await self._taken.wait()
        except TimeoutError:
            self._hit()

    def _start(self, work: Awaitable[object]) -> None:
        async def ended() -> None:
            try:
                await work
            except Undecided:
                return  # the client does not know, and comes again

        self._tasks.append(asyncio.create_task(ended()))

    async def _operate(self) -> object:
        """Do what the cell is about; a second time it is the same request again."""
        scene = self._scene
        gateway = scene.assembly.gateway
        if self._cell.operation is Operation.CREATE:
            if self._request is None:
                kind = self._draw.choice([TimeInForce.IOC, TimeInForce.GTC, TimeInForce.FOK])
                self._request = scene.request("5", "0.40", kind)
            return await scene.send(self._request, 1.0)
        if self._cell.operation is Operation.CANCEL:
            return await gateway.cancel(self._names[0], reason="rehearsal", actor="client")
        if self._cell.operation is Operation.BATCH:
            scope = f"market:{MARKET}"
            return await gateway.cancel_all(scope=scope, reason="rehearsal", actor="client")
        return await gateway.kill_switch(
            "ENABLE", scope="all", reason="rehearsal", source="http", actor="client"
        )

    async def _live_on(self) -> None:
        """Let the fault stand, while somebody trades with us and the client asks for more."""
        scene = self._scene
        self._trade()
        for place in range(STEPS):
            if place == STEPS // 2:
                self._push()
                self._trade()
            await scene.pass_time(STANDS_SECONDS / STEPS)
            self._look()

    def _trade(self) -> None:
        """Let somebody take a part of what rests."""
        resting = self._scene.exchange.resting(OWNER)
        if resting and not self._scene.exchange.paused:
            self._scene.trade(self._draw.choice(resting))

    def _push(self) -> None:
        """Ask for more than the limits allow."""
        if self._cell.operation is Operation.CREATE:
            self._scene.show(MARKET)
        for _ in range(3):
            self._start(self._scene.send(self._scene.request("5", "0.40"), 0.5))

    # The end -----------------------------------------------------------------------------------

    def _look(self) -> bool:
        """Tell whether all is over and agreed, and remember since when."""
        if not self._is_over():
            self._agreed_ns = None
        elif self._agreed_ns is None:
            self._agreed_ns = self._scene.clock.now_ns()
        return self._agreed_ns is not None

    def _is_over(self) -> bool:
        orders = self._scene.assembly.gateway.desk.book.orders
        aimed = self._names[:1] if self._cell.operation is Operation.CANCEL else self._names
        return not any(name in orders for name in aimed) and self._scene.is_settled

    async def _count(self, happened: int) -> Ran:
        scene = self._scene
        ran = Ran(cell=self._cell, seed=self._draw.randrange(0, 1), happened=happened)
        try:
            await scene.until(self._look, EVIDENCE_SECONDS)
            ran.evidence_seconds = ((self._agreed_ns or 0) - self._hit_ns) / NS_PER_SECOND
        except TimeoutError:
            ran.failures.append(f"no agreement within {EVIDENCE_SECONDS:g} s")
        if self._request is not None:
            # The client asks a last time, when all is over.
            await scene.send(self._request, 0.5)
            self._push()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await scene.until(lambda: scene.is_settled, EVIDENCE_SECONDS)
        except TimeoutError:
            ran.failures.append("no agreement after the last requests")
        found = scene.compare()
        ran.duplicates, ran.lost_fills = found.duplicates, found.lost_fills
        ran.unknown, ran.breaches = found.unknown, len(scene.watch.breaches)
        ran.failures += found.differences + scene.watch.breaches
        ran.over_limit = scene.server.rest.over_limit
        if scene.server.doorman.repeats:
            ran.failures.append("a signature left twice")
        ran.failures += [text for name, text in scene.alerts if name in FATAL]
        return ran


async def run_cell(cell: Cell, seed: int) -> Ran:
    """Run a cell once."""
    async with kalshi_stage(SETTINGS, seed=seed, answer_seconds=ANSWER_SECONDS) as scene:
        ran = await Run(scene, cell, seed).play()
        return msgspec.structs.replace(ran, seed=seed)
