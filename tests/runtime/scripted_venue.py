"""A venue by hand: it answers what the test wrote down, when the test lets it."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from arbees.core.book.market import Terms
from arbees.core.deciding.outcomes import (
    Accepted,
    ApprovedOrder,
    CancelAccepted,
    CancelOutcome,
    CashMovement,
    Fill,
    Gated,
    Lookup,
    Missing,
    Outcome,
    PoolBalance,
    Report,
    Settled,
    VenueOrder,
    VenuePosition,
)
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform
from arbees.core.ports import WELL, Gate, Vitals
from arbees.errors import VenueError
from tests.safeguards.build import TERMS

T = TypeVar("T")
Answer = Outcome | Callable[[ApprovedOrder], Outcome]


class ScriptedVenue:
    """Implements `core.ports.Venue`; without a script it rests every order and knows none."""

    def __init__(self, platform: Platform, now_ns: Callable[[], int]) -> None:
        self._platform = platform
        self._now_ns = now_ns
        self.sent: list[ApprovedOrder] = []
        """Orders of which a first byte left."""
        self.cancels: list[tuple[str, str | None]] = []
        self.looked_up: list[tuple[str, int]] = []
        self.answers: deque[Answer] = deque()
        self.cancel_answers: deque[CancelOutcome] = deque()
        self.lookups: deque[Lookup | VenueError] = deque()
        self.before_gate = open_door()
        """Held shut, orders wait before the gate is asked."""
        self.before_answer = open_door()
        """Held shut, orders were sent and have no answer."""
        self.before_cancel = open_door()
        self.working: list[VenueOrder] = []
        self.held: list[VenuePosition] = []
        self.traded: list[Fill] = []
        """What the venue lists as filled."""
        self.settled: list[Settled] = []
        self.placed_lately: list[VenueOrder] = []
        """What the venue lists in all states."""
        self.moved: list[CashMovement] = []
        self.available = 10_000 * MICRO
        self.lag_ns = 0
        """How old what it reads is."""
        self.failure: VenueError | None = None
        """Raised by every read."""
        self.asked: list[str] = []
        self.acts: list[str] = []
        """Calls that shut the venue and open it again."""
        self.act_failure: VenueError | None = None
        """Raised by each of them."""
        self.during_read: Callable[[], None] = lambda: None
        """What happens elsewhere while a read is under way."""
        self.sinks: list[Callable[[Report], None]] = []
        self.vital_signs = WELL
        self.is_closed = False

    @property
    def platform(self) -> Platform:
        """Return whose adapter this is."""
        return self._platform

    @property
    def terms(self) -> Terms:
        """Return the venue's terms."""
        return TERMS[self._platform]

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        """Ask the gate, send, answer."""
        await self.before_gate.wait()
        refusal = gate()
        if refusal is not None:
            return Gated(code=refusal.code, message=refusal.message)
        self.sent.append(order)
        await self.before_answer.wait()
        if not self.answers:
            return rests(order, self._now_ns())
        answer = self.answers.popleft()
        return answer(order) if callable(answer) else answer

    async def cancel(
        self, client_order_id: str, venue_order_id: str | None, market_id: str
    ) -> CancelOutcome:
        """Cancel what the script says; by default all of the order last sent under the id."""
        await self.before_cancel.wait()
        self.cancels.append((client_order_id, venue_order_id))
        if self.cancel_answers:
            return self.cancel_answers.popleft()
        quantity = next(
            (each.quantity for each in self.sent if each.client_order_id == client_order_id), 0
        )
        return CancelAccepted(quantity=quantity, time_ns=self._now_ns())

    async def find(self, client_order_id: str, market_id: str, sent_ns: int) -> Lookup:
        """Return what the script says; by default that there is none."""
        self.looked_up.append((client_order_id, sent_ns))
        if not self.lookups:
            return Missing(evidence=("listed nowhere",))
        found = self.lookups.popleft()
        if isinstance(found, VenueError):
            raise found
        return found

    async def open_orders(self) -> Sequence[VenueOrder]:
        """List working orders."""
        return self._read("open_orders", self.working)

    async def positions(self) -> Sequence[VenuePosition]:
        """List positions."""
        return self._read("positions", self.held)

    async def placed(self, since_ns: int) -> Sequence[VenueOrder]:
        """List what was placed lately."""
        return self._read("placed", self.placed_lately)

    async def movements(self, since_ns: int) -> Sequence[CashMovement]:
        """List what moved cash since a moment."""
        return self._read("movements", [each for each in self.moved if each.time_ns >= since_ns])

    async def results(self, market_ids: Sequence[str]) -> Sequence[Settled]:
        """Return which of these are settled."""
        return self._read(
            "results", [each for each in self.settled if each.market_id in market_ids]
        )

    async def balances(self) -> Sequence[PoolBalance]:
        """Return the one pool."""
        balance = PoolBalance(
            platform=self._platform,
            pool=str(self._platform),
            available=self.available,
            as_of_ns=self._now_ns() - self.lag_ns,
        )
        return self._read("balances", [balance])

    def _read(self, name: str, answer: list[T]) -> Sequence[T]:
        self.asked.append(name)
        self.during_read()
        if self.failure is not None:
            raise self.failure
        return tuple(answer)

    @property
    def vitals(self) -> Vitals:
        return self.vital_signs

    async def start(self) -> None:
        return None

    async def cancel_everything(self) -> None:
        self._act("cancel_everything")

    def _act(self, name: str) -> None:
        self.acts.append(name)
        if self.act_failure is not None:
            raise self.act_failure

    async def fills(self, since_ns: int) -> Sequence[Fill]:
        """List what filled since a moment."""
        return self._read("fills", [each for each in self.traded if each.time_ns >= since_ns])

    async def re_arm(self, pool: str | None = None) -> None:
        self._act("re_arm")

    def listen(self, sink: Callable[[Report], None]) -> None:
        """Take a listener."""
        self.sinks.append(sink)

    def report(self, report: Report) -> None:
        """Tell everybody who listens."""
        for sink in self.sinks:
            sink(report)

    async def close(self) -> None:
        """Close."""
        self.is_closed = True


def open_door() -> asyncio.Event:
    """Return an event at which nobody waits."""
    door = asyncio.Event()
    door.set()
    return door


def rests(order: ApprovedOrder, now_ns: int) -> Accepted:
    """Answer that an order works."""
    return Accepted(venue_order_id=f"v-{order.client_order_id[-6:]}", time_ns=now_ns)


def fills(order: ApprovedOrder, now_ns: int, quantity: int | None = None) -> Accepted:
    """Answer that an order filled at its limit, wholly or so much of it and no more."""
    taken = order.quantity if quantity is None else quantity
    fill = Fill(
        client_order_id=order.client_order_id,
        trade_id=f"t-{order.client_order_id[-6:]}",
        quantity=taken,
        price=order.limit_price,
        fee=0,
        is_maker=False,
        time_ns=now_ns,
    )
    closed = "filled" if taken == order.quantity else "cancelled"
    return Accepted(
        venue_order_id=f"v-{order.client_order_id[-6:]}",
        time_ns=now_ns,
        fills=(fill,) if taken else (),
        closed=closed,
    )
