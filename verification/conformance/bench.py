"""A bench: one venue behind its port, and a hand on the exchange behind it.

Guarantees that a card never knows which exchange it has before it: it sends approved orders, reads
what the port tells, and asks the bench for books, troubles and time.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from enum import StrEnum
from typing import TypeVar

from arbees.core.deciding.outcomes import (
    _SEAL,
    Accepted,
    ApprovedOrder,
    Fill,
    Filled,
    Outcome,
    Report,
)
from arbees.core.language.payouts import Payouts
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform, Side, TimeInForce
from arbees.core.ports import Venue

T = TypeVar("T")
CENT = MICRO // 100
PATIENCE_SECONDS = 240
"""How long, by the bench's clock, a card waits for what must come about."""


class Trouble(StrEnum):
    """What a bench can let happen to the venue."""

    LOST_BEFORE = "lost_before"
    """The next order is lost on its way: no answer, nothing there."""
    LOST_AFTER = "lost_after"
    """The next order is taken; its answer is lost."""
    HIDDEN = "hidden"
    """The next order is taken, its answer is lost, and reads do not show it for a while."""
    UNREACHABLE = "unreachable"
    """Nothing is answered."""
    DEAF = "deaf"
    """The account's own stream tells nothing of what happens."""
    LIMITED = "limited"
    """The venue refuses for too many calls."""


class CardFailure(AssertionError):  # noqa: N818 - it is what a test sees
    """A venue does not keep a promise of the port."""


class ConformanceBench(ABC):
    """One venue to be looked at; made anew for each card."""

    name: str
    market_id: str
    starting_cash: int
    """Micro-dollars over all pools."""

    def __init__(self) -> None:
        """Begin with no order and no report."""
        self.reports: list[Report] = []
        self._count = 0

    @property
    @abstractmethod
    def venue(self) -> Venue:
        """The venue behind its port."""

    @abstractmethod
    async def show(self, bid: int, ask: int, size: int) -> None:
        """Make the market's book one level a side: cents of Yes, contracts."""

    @abstractmethod
    async def pass_time(self, seconds: float) -> None:
        """Move the clock of both ends on, and let what is due happen."""

    @abstractmethod
    async def trouble(self, kind: Trouble) -> bool:
        """Let something go wrong; False = this exchange has no such thing."""

    @abstractmethod
    async def heal(self) -> None:
        """Let everything be well again."""

    @abstractmethod
    async def settle(self, payouts: Payouts) -> bool:
        """Settle the market; what is settled already, amend. False = it cannot pay that."""

    # What every bench has ----------------------------------------------------------------------

    @property
    def platform(self) -> Platform:
        """The venue's."""
        return self.venue.platform

    def order(
        self,
        contracts: int = 10,
        cents: int = 40,
        time_in_force: TimeInForce = TimeInForce.GTC,
        *,
        side: Side = Side.YES,
        action: Action = Action.BUY,
        expires_ns: int | None = None,
        name: str | None = None,
    ) -> ApprovedOrder:
        """Return an order as a decision would have approved it."""
        self._count += 1
        return ApprovedOrder(
            _SEAL,
            name or f"arb-{self._count}",
            f"r{self._count}",
            0,
            self.platform,
            self.market_id,
            self.market_id,
            side,
            action,
            contracts * MICRO,
            cents * CENT,
            time_in_force,
            expires_ns,
        )

    async def send(self, order: ApprovedOrder) -> Outcome:
        """Send through an open gate."""
        return await self.venue.submit(order, lambda: None)

    async def accepted(self, order: ApprovedOrder) -> Accepted:
        """Send what must be accepted."""
        outcome = await self.send(order)
        expect("an order that can be taken is Accepted", isinstance(outcome, Accepted), outcome)
        assert isinstance(outcome, Accepted)
        return outcome

    def told(self, outcome: Outcome, name: str) -> dict[str, Fill]:
        """Return the fills of an order by trade id, as its answer and the stream tell them."""
        found = {each.trade_id: each for each in getattr(outcome, "fills", ())}
        for report in self.reports:
            if isinstance(report, Filled) and report.fill.client_order_id == name:
                found[report.fill.trade_id] = report.fill
        return found

    async def until(self, what: str, look: Callable[[], Awaitable[T | None]]) -> T:
        """Wait until a look finds something true; it fails the card else."""
        found = await look()
        for _ in range(PATIENCE_SECONDS):
            if found:
                return found
            await self.pass_time(1)
            found = await look()
        raise CardFailure(f"Expected {what} within {PATIENCE_SECONDS} s")

    async def until_told(self, what: str, is_so: Callable[[], object]) -> None:
        """Wait until the stream told something."""

        async def look() -> object:
            await asyncio.sleep(0)
            return is_so()

        await self.until(what, look)

    async def cash(self) -> int:
        """Return what is available over all pools."""
        return sum(each.available for each in await self.venue.balances())

    async def held(self) -> dict[Side, int]:
        """Return what is held of the market, by side."""
        rows = await self.venue.positions()
        return {row.side: row.quantity for row in rows if row.market_id == self.market_id}


def expect(what: str, is_so: object, came: object = "") -> None:
    """Fail the card where a promise is not kept."""
    if not is_so:
        raise CardFailure(f"Expected that {what}" + (f", was {came!r}" if came != "" else ""))


Opened = Callable[[], contextlib.AbstractAsyncContextManager[ConformanceBench]]
"""Sets a bench up, and takes it down."""
AsyncBench = AsyncIterator[ConformanceBench]
