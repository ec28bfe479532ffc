"""One venue of the paper exchange, behind the port that every venue has.

Guarantees that the gate and the handing over of an order are one synchronous step: nothing is
awaited between `gate()` and the inbox. An answer says no more than a real venue's would: what was
lost on request, or by a failed commit, is `Unknown`. Reads raise `VenueError`, never guess.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from arbees.core.book.market import Terms
from arbees.core.deciding.outcomes import (
    ApprovedOrder,
    CancelOutcome,
    CancelUnknown,
    CashMovement,
    Fill,
    Gated,
    Inconclusive,
    Lookup,
    Missing,
    NotSent,
    Outcome,
    PoolBalance,
    Refused,
    Report,
    Settled,
    Unknown,
    VenueOrder,
    VenuePosition,
)
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import Platform, Side
from arbees.core.ports import WELL, Clock, Gate, Vitals
from arbees.errors import VenueError, VenueNotSent, VenueOutcomeUnknown
from arbees.venues.paper.book import PaperBook
from arbees.venues.paper.engine import Engine
from arbees.venues.paper.faults import Fault, Faults
from arbees.venues.paper.pump import Pump
from arbees.venues.paper.state import as_listed
from arbees.venues.paper.stream import DropCopy
from arbees.venues.paper.terms import TERMS

T = TypeVar("T")


class PaperVenue:
    """Implements `core.ports.Venue` for one platform; all venues share one book."""

    def __init__(
        self,
        platform: Platform,
        *,
        engine: Engine,
        book: PaperBook,
        pump: Pump,
        stream: DropCopy,
        faults: Faults,
        clock: Clock,
    ) -> None:
        self._platform = platform
        self._engine = engine
        self._book = book
        self._pump = pump
        self._stream = stream
        self._faults = faults
        self._clock = clock
        self._last_read: dict[str, object] = {}
        self._in_flight = 0
        self._before_gate: set[str] = set()
        """Orders that wait for their turn to be sent; a lookup proves nothing of them."""

    @property
    def platform(self) -> Platform:
        """The venue that this one stands in for."""
        return self._platform

    @property
    def terms(self) -> Terms:
        """Netting, fee rates, tick and lot as the paper exchange applies them."""
        return TERMS[self._platform]

    @property
    def is_idle(self) -> bool:
        """Whether no call of ours is under way."""
        return not self._in_flight

    @property
    def vitals(self) -> Vitals:
        """Always well: what is planted shows in its answers."""
        return WELL

    async def start(self) -> None:
        """Nothing to connect to."""

    async def cancel_everything(self) -> None:
        """Return nothing: orders are cancelled one by one, there is nothing to be faster for."""

    async def re_arm(self, pool: str | None = None) -> None:
        """Nothing was shut."""

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        """Send one order, at most once, and say what the answer proves."""
        assert order.platform is self._platform
        if self._faults.occurs(Fault.OUTAGE, self._platform):
            return NotSent(message="The venue cannot be reached")
        self._in_flight += 1
        try:
            self._before_gate.add(order.client_order_id)
            try:
                await self._wait(self._faults.latency_ns)
            finally:
                self._before_gate.discard(order.client_order_id)
            return await self._send(order, gate)
        finally:
            self._in_flight -= 1

    async def cancel(
        self, client_order_id: str, venue_order_id: str | None, market_id: str
    ) -> CancelOutcome:
        """Cancel one order; may be repeated without harm."""
        if self._faults.occurs(Fault.OUTAGE, self._platform):
            return CancelUnknown(message="The venue cannot be reached")
        self._in_flight += 1
        try:
            await self._wait(self._faults.latency_ns)
            fills_first = self._faults.occurs(Fault.CANCEL_YET_FILLED, self._platform)
            answer = await self._pump.ask(
                lambda now_ns: self._engine.cancel(
                    client_order_id, self._platform, now_ns, fills_first=fills_first
                )
            )
            await self._wait(self._faults.answer_latency_ns)
        except VenueError as error:
            return CancelUnknown(message=error.message)
        finally:
            self._in_flight -= 1
        if self._faults.occurs(Fault.LOST_AFTER, self._platform):
            return CancelUnknown(message="No answer")
        return answer

    async def find(self, client_order_id: str, market_id: str, sent_ns: int) -> Lookup:
        """Look an order up in the book, in any state; absent there means never accepted."""
        if self._faults.occurs(Fault.OUTAGE, self._platform):
            return Inconclusive(message="The venue cannot be reached")
        if self._faults.occurs(Fault.READ_LAG, self._platform):
            return Inconclusive(message="Reads lag behind the matching")
        if client_order_id in self._before_gate:
            return Inconclusive(message="The order is still on its way")
        try:
            return await self._ask(lambda now_ns: self._look_up(client_order_id, now_ns))
        except VenueError as error:
            return Inconclusive(message=error.message)

    async def open_orders(self) -> Sequence[VenueOrder]:
        """List all working orders, oldest first. Raises VenueError."""
        return await self._read("open_orders", self._open_orders)

    async def placed(self, since_ns: int) -> Sequence[VenueOrder]:
        """List what was placed since a moment, in all states. Raises VenueError."""
        look = self._book.placed
        return await self._read("placed", lambda _now_ns: look(self._platform, since_ns))

    async def movements(self, since_ns: int) -> Sequence[CashMovement]:
        """Return nothing: cash moves here by the gateway's own hand alone."""
        return ()

    async def positions(self) -> Sequence[VenuePosition]:
        """List what is held, by market and outcome. Raises VenueError."""
        return await self._read("positions", self._positions)

    async def fills(self, since_ns: int) -> Sequence[Fill]:
        """List what of this venue filled since a moment. Raises VenueError."""
        return await self._read("fills", lambda _now_ns: self._book.fills(self._platform, since_ns))

    async def results(self, market_ids: Sequence[str]) -> Sequence[Settled]:
        """Return which of these markets were settled, and how. Raises VenueError."""
        if self._faults.occurs(Fault.OUTAGE, self._platform):
            raise VenueNotSent("The venue cannot be reached")
        return await self._ask(lambda _now_ns: self._results(market_ids))

    async def balances(self) -> Sequence[PoolBalance]:
        """Return the available balance, as of a consistent read. Raises VenueError."""
        return await self._read("balances", self._balances)

    def listen(self, sink: Callable[[Report], None]) -> None:
        """Deliver every fill (those of acceptance too), cancel, expiry and settlement to `sink`."""
        self._stream.listen(self._platform, sink)

    async def close(self) -> None:
        """Stop delivering; the exchange itself keeps the file until it is closed."""
        self._stream.stop(self._platform)

    async def _send(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        unable = self._pump.refusal
        if unable is not None:
            return NotSent(message=unable)
        # From the gate to the inbox nothing may be awaited: this is the first write.
        refusal = gate()
        if refusal is not None:
            return Gated(code=refusal.code, message=refusal.message)
        sent_ns = self._clock.now_ns()
        if self._faults.occurs(Fault.LOST_BEFORE, self._platform):
            await self._wait(self._faults.answer_latency_ns)
            return Unknown(message="No answer", sent_ns=sent_ns)
        if self._faults.occurs(Fault.UNHEALTHY, self._platform):
            return Refused(
                venue_code="trading_is_paused", message="Trading is paused", is_health=True
            )
        try:
            answer = await self._pump.ask(lambda now_ns: self._engine.accept(order, now_ns))
        except VenueOutcomeUnknown as error:
            return Unknown(message=error.message, sent_ns=sent_ns)
        await self._wait(self._faults.answer_latency_ns)
        if self._faults.occurs(Fault.LOST_AFTER, self._platform):
            return Unknown(message="No answer", sent_ns=sent_ns)
        return answer

    async def _wait(self, bounds_ns: tuple[int, int]) -> None:
        delay_ns = self._faults.delay_ns(bounds_ns)
        if delay_ns:
            await self._clock.sleep(delay_ns / NS_PER_SECOND)

    async def _ask(self, look: Callable[[int], T]) -> T:
        self._in_flight += 1
        try:
            return await self._pump.ask(look, is_read=True)
        finally:
            self._in_flight -= 1

    async def _read(self, name: str, look: Callable[[int], T]) -> T:
        """Read what is durable now, or (on request) what was read last."""
        if self._faults.occurs(Fault.OUTAGE, self._platform):
            raise VenueNotSent("The venue cannot be reached")
        if name in self._last_read and self._faults.occurs(Fault.READ_LAG, self._platform):
            return cast("T", self._last_read[name])
        answer = await self._ask(look)
        self._last_read[name] = answer
        return answer

    def _look_up(self, client_order_id: str, now_ns: int) -> Lookup:
        found = self._book.find(client_order_id, self._platform)
        if found is not None:
            return found
        when = format_time(now_ns)
        return Missing(
            evidence=(
                f"orders in all states as of {when}: none under this id",
                f"fills as of {when}: none under this id",
                f"cash and positions as of {when}: explained by the orders listed",
                "the paper exchange keeps no queue: what is not in its book cannot arrive",
            )
        )

    def _open_orders(self, now_ns: int) -> Sequence[VenueOrder]:
        return tuple(
            VenueOrder(
                client_order_id=order.client_order_id,
                venue_order_id=order.order_id,
                platform=order.platform,
                market_id=order.market_id,
                side=order.side,
                action=order.action,
                quantity=order.quantity,
                filled=order.filled,
                limit_price=order.limit_price,
            )
            for order in as_listed(self._engine.state.working.values())
            if order.platform is self._platform
        )

    def _results(self, market_ids: Sequence[str]) -> Sequence[Settled]:
        found: list[Settled] = []
        for market_id in market_ids:
            known = self._engine.state.names.get((self._platform, market_id))
            if known is None or known[0].payouts is None or known[0].settled_ns is None:
                continue
            payouts, is_flipped = known[0].payouts, known[1]
            found.append(
                Settled(
                    platform=self._platform,
                    market_id=market_id,
                    payouts=payouts.flipped if is_flipped else payouts,
                    time_ns=known[0].settled_ns,
                )
            )
        return found

    def _positions(self, now_ns: int) -> Sequence[VenuePosition]:
        return tuple(
            VenuePosition(
                platform=market.platform, market_id=market.yes_id, side=side, quantity=quantity
            )
            for market in self._engine.state.markets.values()
            if market.platform is self._platform
            for side in Side
            if (quantity := market.held(side))
        )

    def _balances(self, now_ns: int) -> Sequence[PoolBalance]:
        account = self._engine.state.accounts[self._platform]
        return (
            PoolBalance(
                platform=self._platform,
                pool=str(self._platform),
                available=account.available,
                as_of_ns=now_ns,
                total=account.cash,
            ),
        )
