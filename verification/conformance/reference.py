"""The smallest venue that keeps every promise: a book in memory, honest, without a wire.

It is what a new adapter is compared with, and what the liars of the tests are made of.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

import msgspec

from arbees.core.book.market import Terms
from arbees.core.deciding.outcomes import (
    Accepted,
    ApprovedOrder,
    CancelAccepted,
    CancelMissed,
    CancelOutcome,
    CancelUnknown,
    CashMovement,
    Fill,
    Filled,
    Found,
    Gated,
    Inconclusive,
    Lookup,
    Missing,
    NotSent,
    OrderClosed,
    Outcome,
    PoolBalance,
    Refused,
    Report,
    Settled,
    StreamChanged,
    Unknown,
    VenueOrder,
    VenuePosition,
    WorkingOrder,
)
from arbees.core.language.payouts import Payouts
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Action, Platform, Side, TimeInForce
from arbees.core.ports import WELL, Gate, Vitals
from arbees.errors import VenueError
from arbees.venues.registry import VENUES
from verification.conformance.bench import CENT, AsyncBench, ConformanceBench, Trouble
from verification.conformance.cards import HIDDEN_SECONDS

CASH = 1_000 * MICRO
PLATFORM = Platform.KALSHI


class _Order(msgspec.Struct):
    asked: ApprovedOrder
    venue_order_id: str
    time_ns: int
    hidden_until_ns: int = 0
    closed: str | None = None
    fills: list[Fill] = []

    @property
    def filled(self) -> int:
        return sum(each.quantity for each in self.fills)

    @property
    def left(self) -> int:
        return self.asked.quantity - self.filled

    @property
    def price(self) -> int:
        """Of Yes."""
        asked = self.asked
        return asked.limit_price if asked.side is Side.YES else MICRO - asked.limit_price


class ReferenceVenue:
    """Implements `core.ports.Venue` and `CancelsMany`. It knows Buys, and one market."""

    def __init__(self) -> None:
        """Begin with cash and an empty book."""
        self.now_ns = 1_800_000_000 * NS_PER_SECOND
        self.cash = CASH
        self.ask: tuple[int, int] = (MICRO, 0)
        """Price of Yes, and how much is left there."""
        self.held = {Side.YES: 0, Side.NO: 0}
        self.orders: dict[str, _Order] = {}
        self.payouts: dict[str, tuple[Payouts, int]] = {}
        self.troubles: set[Trouble] = set()
        self._sink: Callable[[Report], None] = lambda _report: None

    @property
    def platform(self) -> Platform:
        """The platform whose terms it has."""
        return PLATFORM

    @property
    def terms(self) -> Terms:
        """Its terms."""
        return VENUES[PLATFORM].terms

    @property
    def vitals(self) -> Vitals:
        """Blind while its stream tells nothing."""
        return Vitals(is_blind=True) if Trouble.DEAF in self.troubles else WELL

    async def start(self) -> None:
        """Nothing to connect to."""

    async def cancel_everything(self) -> int | None:
        """Return nothing: it has no such call."""
        return None

    async def re_arm(self, pool: str | None = None) -> None:
        """Nothing was shut."""

    def listen(self, sink: Callable[[Report], None]) -> None:
        """Tell everything to a sink."""
        self._sink = sink

    async def close(self) -> None:
        """Nothing to release."""

    # Orders ------------------------------------------------------------------------------------

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        """Take an order."""
        if Trouble.UNREACHABLE in self.troubles:
            return NotSent(message="not reached")
        refusal = gate()
        if refusal is not None:
            return Gated(code=refusal.code, message=refusal.message)
        if Trouble.LIMITED in self.troubles:
            return NotSent(message="too many calls", is_health=False)
        if Trouble.LOST_BEFORE in self.troubles:
            self.troubles.discard(Trouble.LOST_BEFORE)
            return Unknown(message="no answer", sent_ns=self.now_ns)
        answer = self._take(order)
        lost = self.troubles & {Trouble.LOST_AFTER, Trouble.HIDDEN}
        if Trouble.HIDDEN in lost:
            until_ns = self.now_ns + HIDDEN_SECONDS * NS_PER_SECOND
            self.orders[order.client_order_id].hidden_until_ns = until_ns
        self.troubles -= lost
        return Unknown(message="no answer", sent_ns=self.now_ns) if lost else answer

    def _take(self, order: ApprovedOrder) -> Outcome:
        assert order.action is Action.BUY
        if order.client_order_id in self.orders:
            return Refused(venue_code="order_already_exists", message="the id is known")
        made = _Order(order, f"v{len(self.orders) + 1}", self.now_ns, fills=[])
        if order.time_in_force is TimeInForce.FOK and self._there(made) < order.quantity:
            return Refused(venue_code="killed", message="not all of it is there", is_kill=True)
        self.orders[order.client_order_id] = made
        self.match(made, is_maker=False)
        if made.left and order.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}:
            self.end(made, "cancelled")
        return Accepted(
            venue_order_id=made.venue_order_id,
            time_ns=self.now_ns,
            fills=tuple(made.fills),
            closed=made.closed,
        )

    def _there(self, order: _Order) -> int:
        price, size = self.ask
        return min(size, order.left) if price <= order.price else 0

    def match(self, order: _Order, *, is_maker: bool) -> None:
        """Fill what the book has for an order."""
        quantity = self._there(order)
        if not quantity:
            return
        price = order.price if is_maker else self.ask[0]
        self.ask = (self.ask[0], self.ask[1] - quantity)
        fee = 0 if is_maker else -(-quantity * 7 * price // MICRO * (MICRO - price) // MICRO // 100)
        fill = Fill(
            client_order_id=order.asked.client_order_id,
            trade_id=f"{order.venue_order_id}-{len(order.fills)}",
            quantity=quantity,
            price=price,
            fee=fee,
            is_maker=is_maker,
            time_ns=self.now_ns,
        )
        order.fills.append(fill)
        self.cash -= price * quantity // MICRO + fee
        self.held[Side.YES] += quantity
        self._tell(Filled(fill=fill))
        if not order.left:
            order.closed = "filled"

    def end(self, order: _Order, closed: str) -> None:
        """End an order, and say so."""
        order.closed = closed
        name = order.asked.client_order_id
        self._tell(OrderClosed(client_order_id=name, closed=closed, reason="", time_ns=self.now_ns))

    def _tell(self, report: Report) -> None:
        if Trouble.DEAF not in self.troubles:
            self._sink(report)

    async def cancel(
        self, client_order_id: str, venue_order_id: str | None, market_id: str
    ) -> CancelOutcome:
        """Cancel what is left of an order."""
        if Trouble.UNREACHABLE in self.troubles:
            return CancelUnknown(message="not reached")
        order = self.orders.get(client_order_id)
        if order is None or order.closed is not None:
            return CancelMissed(message="nothing works under this id")
        left = order.left
        self.end(order, "cancelled")
        return CancelAccepted(quantity=left, time_ns=self.now_ns)

    async def cancel_many(self, orders: Sequence[WorkingOrder]) -> Mapping[str, CancelOutcome]:
        """Cancel each."""
        return {
            each.client_order_id: await self.cancel(each.client_order_id, None, each.market_id)
            for each in orders
        }

    # Reads -------------------------------------------------------------------------------------

    def _require_reach(self) -> None:
        if Trouble.UNREACHABLE in self.troubles:
            raise VenueError("not reached")

    def _shown(self) -> list[_Order]:
        self._require_reach()
        return [each for each in self.orders.values() if each.hidden_until_ns <= self.now_ns]

    async def find(self, client_order_id: str, market_id: str, sent_ns: int) -> Lookup:
        """Look an order up; absence is proven a minute after it was sent."""
        for order in self._shown():
            if order.asked.client_order_id == client_order_id:
                return Found(
                    venue_order_id=order.venue_order_id,
                    by="list",
                    time_ns=order.time_ns,
                    fills=tuple(order.fills),
                    closed=order.closed,
                )
        if self.now_ns < sent_ns + 60 * NS_PER_SECOND:
            return Inconclusive(message="too early to tell")
        return Missing(evidence=("orders: none", "fills: none", "cash: explained"))

    def _row(self, order: _Order) -> VenueOrder:
        return VenueOrder(
            client_order_id=order.asked.client_order_id,
            venue_order_id=order.venue_order_id,
            platform=PLATFORM,
            market_id=order.asked.market_id,
            side=order.asked.side,
            action=order.asked.action,
            quantity=order.asked.quantity,
            filled=order.filled,
            limit_price=order.asked.limit_price,
            closed=order.closed,
        )

    async def open_orders(self) -> Sequence[VenueOrder]:
        """List what works."""
        return [self._row(each) for each in self._shown() if each.closed is None]

    async def placed(self, since_ns: int) -> Sequence[VenueOrder]:
        """List what was placed."""
        return [self._row(each) for each in self._shown() if each.time_ns >= since_ns]

    async def movements(self, since_ns: int) -> Sequence[CashMovement]:
        """Nothing moves cash besides."""
        self._require_reach()
        return ()

    async def positions(self) -> Sequence[VenuePosition]:
        """List what is held."""
        self._require_reach()
        return [
            VenuePosition(
                platform=PLATFORM, market_id=ReferenceBench.market_id, side=side, quantity=held
            )
            for side, held in self.held.items()
            if held
        ]

    async def results(self, market_ids: Sequence[str]) -> Sequence[Settled]:
        """Return what is settled."""
        self._require_reach()
        return [
            Settled(platform=PLATFORM, market_id=each, payouts=found[0], time_ns=found[1])
            for each in market_ids
            if (found := self.payouts.get(each)) is not None
        ]

    async def fills(self, since_ns: int) -> Sequence[Fill]:
        """List what filled."""
        found = [fill for order in self._shown() for fill in order.fills]
        return [each for each in found if each.time_ns >= since_ns]

    async def balances(self) -> Sequence[PoolBalance]:
        """Return the cash that nothing holds."""
        self._require_reach()
        resting = [each for each in self.orders.values() if each.closed is None]
        locked = sum(each.price * each.left // MICRO for each in resting)
        return [
            PoolBalance(
                platform=PLATFORM,
                pool=str(PLATFORM),
                available=self.cash - locked,
                as_of_ns=self.now_ns,
                total=self.cash,
            )
        ]


class ReferenceBench(ConformanceBench):
    """The reference venue and the hand on it."""

    name = "reference"
    market_id = "REFERENCE"
    starting_cash = CASH

    def __init__(self, venue: ReferenceVenue | None = None) -> None:
        """Listen to a venue."""
        super().__init__()
        self._venue = venue or ReferenceVenue()
        self._venue.listen(self.reports.append)

    @property
    def venue(self) -> ReferenceVenue:
        """The venue behind its port."""
        return self._venue

    async def show(self, bid: int, ask: int, size: int) -> None:
        """Make the book one ask; what rests at it or above is taken."""
        venue = self._venue
        venue.ask = (ask * CENT, size * MICRO)
        for order in venue.orders.values():
            if order.closed is None:
                venue.match(order, is_maker=True)

    async def pass_time(self, seconds: float) -> None:
        """Move the clock; what is due expires."""
        self._venue.now_ns += round(seconds * NS_PER_SECOND)
        for order in self._venue.orders.values():
            expires_ns = order.asked.expires_ns
            if order.closed is None and expires_ns and expires_ns <= self._venue.now_ns:
                self._venue.end(order, "expired")
        await asyncio.sleep(0)

    async def trouble(self, kind: Trouble) -> bool:
        """Everything can go wrong here."""
        self._venue.troubles.add(kind)
        if kind is Trouble.DEAF:
            self.reports.append(
                StreamChanged(platform=PLATFORM, is_live=False, reason="it was cut")
            )
        return True

    async def heal(self) -> None:
        """Let everything be well."""
        self._venue.troubles.clear()

    async def settle(self, payouts: Payouts) -> bool:
        """Pay, or pay the difference."""
        venue = self._venue
        before = venue.payouts.get(self.market_id, (Payouts(0, 0), 0))[0]
        held = venue.held[Side.YES], venue.held[Side.NO]
        venue.cash += payouts.value(*held) - before.value(*held)
        venue.held = {Side.YES: 0, Side.NO: 0}
        venue.payouts[self.market_id] = (payouts, venue.now_ns)
        return True


@contextlib.asynccontextmanager
async def reference_bench() -> AsyncBench:
    """Set the reference venue up."""
    yield ReferenceBench()
