"""The stage of a drill: a gateway of its own, in recorded time, and what is said of each step.

Guarantees that a step is either as expected or names what came instead; that files lie in a
temporary place; and that `passes` means the order reached the exchange.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from arbees.core import events
from arbees.core.book.book import MINUTE_NS
from arbees.core.deciding.commands import Record
from arbees.core.language.quote import Quote
from arbees.core.language.request import Request
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import Result
from arbees.errors import InvariantViolation
from arbees.rehearsal.playback import Player
from arbees.runtime.clock import RecordedClock
from arbees.runtime.intake.writer import Lane
from arbees.runtime.signals import Ends
from arbees.settings import Settings
from arbees.venues.kalshi.spec import weekly_pause
from arbees.wiring.bootstrap import Files, assemble

HALF = MICRO // 2
MARKET = "DRILL-1"
OTHER_MARKET = "DRILL-2"
SPORT = "DRILL"
STRATEGY = "drill"
_LONGEST_MINUTES = 300
"""Recorded time that a drill may take: three of the longest refresh intervals, and more."""
DEPTH = 1_000_000_000 * MICRO


class DrillStep(msgspec.Struct, frozen=True):
    """One thing that was tried."""

    text: str
    """What, and what came of it."""
    is_as_expected: bool


class DrillStage:
    """One gateway, asked one order at a time."""

    def __init__(
        self, player: Player, clock: RecordedClock, steps: list[DrillStep], safeguard: str
    ) -> None:
        """Take a started gateway, to drill one safeguard."""
        self.player = player
        self.gateway = player.assembly.gateway
        self.faults = player.assembly.exchange.faults
        self.clock = clock
        self._steps = steps
        self._safeguard = safeguard
        self._count = 0

    @property
    def now_ns(self) -> int:
        """Where the clock stands."""
        return self.clock.now_ns()

    # What is there -----------------------------------------------------------------------------

    async def wait(self, ns: int) -> None:
        """Let recorded time pass."""
        await self.player.move_to(self.now_ns + ns)

    async def quote(
        self,
        market: str = MARKET,
        *,
        bid: int | None = 490_000,
        ask: int | None = 510_000,
        age_ns: int = 0,
        **more: Any,
    ) -> None:
        """Quote one deep level a side, on the finest grid; None = that side is empty."""
        fields: dict[str, Any] = {
            "platform": Platform.KALSHI,
            "sport": SPORT,
            "game_id": f"game of {market}",
            "tick": 1,
            "lot": 1,
            **more,
        }
        quote = Quote(
            ts_ns=self.now_ns - age_ns,
            market_id=market,
            bids=() if bid is None else ((bid, DEPTH),),
            asks=() if ask is None else ((ask, DEPTH),),
            **fields,
        )
        await self.gateway.feed([quote])
        await self.player.settle()

    async def record(self, *new_events: events.Event) -> None:
        """Journal events that need no decision."""
        await self.gateway.desk.writer.put(Record(events=new_events), Lane.CONTROL)
        await self.player.settle()

    # What is asked -----------------------------------------------------------------------------

    def request(self, market: str = MARKET, **more: Any) -> Request:
        """Return a request of now, with a key of its own: a Buy that does not fill."""
        self._count += 1
        fields: dict[str, Any] = {
            "request_id": f"drill-{self._count}",
            "idempotency_key": f"drill-{self._count}",
            "platform": Platform.KALSHI,
            "side": Side.YES,
            "action": Action.BUY,
            "size": MICRO,
            "limit_price": HALF,
            "time_in_force": TimeInForce.IOC,
            "created_ns": self.now_ns,
            "strategy": STRATEGY,
            **more,
        }
        return Request(market_id=market, **fields)

    async def send(self, request: Request) -> Result:
        """Submit a request and let everything that it sets off happen."""
        result = await self.gateway.submit(request, 0)
        await self.player.settle()
        if result.code in _OWN:
            return result
        return self.gateway.reads.result(request.request_id) or result

    async def ask(self, market: str = MARKET, **more: Any) -> Result:
        """Send a request of now; see `request`."""
        return await self.send(self.request(market, **more))

    # What is expected --------------------------------------------------------------------------

    def note(self, text: str, *, is_as_expected: bool = True) -> None:
        """Write down a step."""
        self._steps.append(DrillStep(text, is_as_expected))

    async def passes(self, what: str, request: Request, warning: str | None = None) -> Result:
        """Expect an order to pass every safeguard, with a warning where one is named."""
        result = await self.send(request)
        warned = {line.code for line in result.warnings}
        is_good = result.client_order_id is not None and result.rejected_by is None
        is_good = is_good and (warning is None or warning in warned)
        came = "passes" if is_good else f"was {result.code or result.status}"
        note = f" with the warning {warning}" if warning is not None and is_good else ""
        self.note(f"{what} {came}{note}", is_as_expected=is_good)
        return result

    async def denies(self, what: str, request: Request, code: str) -> Result:
        """Expect an order to be denied by the safeguard itself, with one code and no other."""
        result = await self.send(request)
        said = [(line.safeguard, line.code) for line in result.denials]
        is_good = said == [(self._safeguard, code)] and result.order_id is None
        came = ", ".join(f"{code} of {name}" for name, code in said) or str(result.status)
        came = f"is denied, {code}" if is_good else f"was {came}"
        self.note(f"{what} {came}", is_as_expected=is_good)
        return result


_OWN = frozenset({"DUPLICATE_REQUEST", "DUPLICATE_SIGNAL", "IDEMPOTENCY_CONFLICT"})


def clear_of_pauses(now_ns: int) -> int:
    """Return a moment, or the end of a pause that is on or begins before a drill may be over."""
    for minutes in range(0, _LONGEST_MINUTES, 10):
        pause = weekly_pause(now_ns + minutes * MINUTE_NS)
        if pause is not None:
            return pause.until_ns
    return now_ns


class Theatre:
    """Where the stages of one drill are set up; collects the steps of all of them."""

    def __init__(self, safeguard: str, settings: Settings, now_ns: int) -> None:
        """
        Prepare.

        Args:
            safeguard: the name of the one that is drilled.
            settings: those of now.
            now_ns: where the clock of each stage begins, or soon after it: in a venue's weekly
                pause nothing passes.
        """
        self.safeguard = safeguard
        self.settings = settings
        self.now_ns = clear_of_pauses(now_ns)
        self.steps: list[DrillStep] = []

    def note(self, text: str, *, is_as_expected: bool = True) -> None:
        """Write down what needs no stage."""
        self.steps.append(DrillStep(text, is_as_expected))

    @asynccontextmanager
    async def stage(
        self, settings: Settings, *, kill_file: str | None = None, start_ns: int | None = None
    ) -> AsyncIterator[DrillStage]:
        """Set up a gateway under some settings and take it down."""
        clock = RecordedClock(self.now_ns if start_ns is None else start_ns)
        with tempfile.TemporaryDirectory(prefix="arbees-drill-") as folder:
            place = Path(folder)
            files = Files(place / "journal.db", place / "paper.db", None)
            assembly = assemble(
                settings,
                clock=clock,
                files=files,
                ends=Ends(),
                is_inline=True,
                kill_file=kill_file,
            )
            if assembly.paper is None:
                raise InvariantViolation("a drill holds nothing but a paper exchange")
            player = Player(assembly, clock)
            try:
                await assembly.start(follow=False)
                yield DrillStage(player, clock, self.steps, self.safeguard)
            finally:
                await assembly.stop("the drill is over")
