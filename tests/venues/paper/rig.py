"""A paper exchange to test: a clock moved by hand, orders, quotes, and the book as others read it.

Guarantees that prices and quantities are written as people write them and read exactly.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict, Unpack

from arbees.core.deciding.outcomes import (
    _SEAL,
    Accepted,
    ApprovedOrder,
    Outcome,
    Refusal,
    Refused,
    Report,
)
from arbees.core.language.payouts import won_by
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.units import NS_PER_SECOND, parse_micro
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.venues.paper import PaperExchange

START_NS = 1_769_630_400 * NS_PER_SECOND
KALSHI, POLYMARKET = Platform.KALSHI, Platform.POLYMARKET
YES, NO = Side.YES, Side.NO
BUY, SELL = Action.BUY, Action.SELL
IOC, FOK, GTC, GTD = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTC, TimeInForce.GTD
TICKER = "KXNBAGAME-26JAN28LALBOS-BOS"
CONDITION, TOKEN, OTHER_TOKEN = "0xc0", "111", "222"
OWNER = "main/local"
Pairs = list[tuple[str, str]]
BIDS: Pairs = [("0.48", "5"), ("0.47", "20")]
ASKS: Pairs = [("0.50", "4"), ("0.51", "6"), ("0.55", "100")]


class HandClock:
    """A clock that moves when it is told to, and wakes who slept long enough."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self._now_ns = now_ns
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now_ns(self) -> int:
        return self._now_ns

    async def sleep(self, seconds: float) -> None:
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now_ns + round(seconds * NS_PER_SECOND), wake))
        await wake

    @property
    def sleeping(self) -> int:
        """How many wait for the clock to move."""
        return sum(not wake.done() for _, wake in self._sleepers)

    def advance(self, seconds: float) -> None:
        self._now_ns += round(seconds * NS_PER_SECOND)
        for due_ns, wake in self._sleepers:
            if due_ns <= self._now_ns and not wake.done():
                wake.set_result(None)


class Wanted(TypedDict, total=False):
    """What a test may say of an order; see `make_order`."""

    platform: Platform
    market_id: str
    side: Side
    action: Action
    size: str
    price: str
    time_in_force: TimeInForce
    expires_ns: int | None


def micro(text: str) -> int:
    """Read a decimal number as millionths."""
    return parse_micro(text)


def make_order(
    client_order_id: str,
    *,
    platform: Platform = KALSHI,
    market_id: str = TICKER,
    side: Side = YES,
    action: Action = BUY,
    size: str = "10",
    price: str = "0.50",
    time_in_force: TimeInForce = IOC,
    expires_ns: int | None = None,
) -> ApprovedOrder:
    """Return an approved order; by default: Buy 10 Yes at 0.50 on Kalshi, IOC."""
    return ApprovedOrder(
        _SEAL,
        client_order_id=client_order_id,
        request_id=f"r-{client_order_id}",
        leg=0,
        platform=platform,
        market_id=market_id,
        market_key=market_id,
        side=side,
        action=action,
        quantity=micro(size),
        limit_price=micro(price),
        time_in_force=time_in_force,
        expires_ns=expires_ns,
    )


def make_quote(
    bids: Pairs,
    asks: Pairs,
    *,
    platform: Platform = KALSHI,
    market_id: str = TICKER,
    status: str | None = None,
    condition_id: str | None = None,
    opposite_token_id: str | None = None,
    tick: str | None = None,
    lot: str | None = None,
    seconds: float = 0,
) -> Quote:
    """Return a quote of the Yes side, best level first, so many seconds after the start."""
    return Quote(
        ts_ns=START_NS + round(seconds * NS_PER_SECOND),
        platform=platform,
        market_id=market_id,
        bids=tuple((micro(price), micro(size)) for price, size in bids),
        asks=tuple((micro(price), micro(size)) for price, size in asks),
        status=status,
        condition_id=condition_id,
        opposite_token_id=opposite_token_id,
        tick=None if tick is None else micro(tick),
        lot=None if lot is None else micro(lot),
    )


def polymarket_quote(bids: Pairs, asks: Pairs, *, is_opposite: bool = False) -> Quote:
    """A quote of the condition's first token, or of the opposite one."""
    names = (OTHER_TOKEN, TOKEN) if is_opposite else (TOKEN, OTHER_TOKEN)
    return make_quote(
        bids,
        asks,
        platform=POLYMARKET,
        market_id=names[0],
        condition_id=CONDITION,
        opposite_token_id=names[1],
    )


def settlement(result: Side, *, platform: Platform = KALSHI, market_id: str = TICKER) -> Settlement:
    """Return the settlement of a market."""
    return Settlement(
        ts_ns=START_NS, platform=platform, market_id=market_id, payouts=won_by(result)
    )


def passes() -> Refusal | None:
    """A gate that lets everything through."""
    return None


def prices_of(answer: Accepted) -> list[tuple[int, int]]:
    """Return price and quantity of each fill at acceptance."""
    return [(fill.price, fill.quantity) for fill in answer.fills]


def levels(*pairs: tuple[str, str]) -> list[tuple[int, int]]:
    """Return prices and quantities, read exactly."""
    return [(micro(price), micro(size)) for price, size in pairs]


class Rig:
    """An exchange with its clock, its listeners' reports and a reader of its file."""

    def __init__(
        self,
        path: Path | str,
        *,
        cash: str = "1000",
        is_inline: bool = True,
        clock: HandClock | None = None,
        seed: int = 0,
    ) -> None:
        self.path = path
        self.clock = clock or HandClock()
        self.exchange = PaperExchange.open(
            path,
            clock=self.clock,
            starting_balance=micro(cash),
            is_inline=is_inline,
            owner=OWNER,
            seed=seed,
        )
        self.faults = self.exchange.faults
        self.reports: list[Report] = []
        for platform in Platform:
            self.exchange.venue(platform).listen(self.reports.append)

    async def submit(
        self, order: ApprovedOrder, gate: Callable[[], Refusal | None] = passes
    ) -> Outcome:
        """Send an order and let the stream deliver."""
        outcome = await self.exchange.venue(order.platform).submit(order, gate)
        await self.settle_down()
        return outcome

    async def accept(self, name: str, **terms: Unpack[Wanted]) -> Accepted:
        """Send an order that must be accepted."""
        outcome = await self.submit(make_order(name, **terms))
        assert isinstance(outcome, Accepted), outcome
        return outcome

    async def refuse(self, name: str, **terms: Unpack[Wanted]) -> str:
        """Send an order that must be refused; return the venue's word for why."""
        outcome = await self.submit(make_order(name, **terms))
        assert isinstance(outcome, Refused), outcome
        return outcome.venue_code

    async def settle_down(self) -> None:
        """Let what was just answered run, and the stream deliver."""
        for _ in range(3):
            await asyncio.sleep(0)

    async def available(self, platform: Platform = KALSHI) -> int:
        (balance,) = await self.exchange.venue(platform).balances()
        return balance.available

    async def held(self, platform: Platform = KALSHI) -> dict[tuple[str, Side], int]:
        rows = await self.exchange.venue(platform).positions()
        return {(row.market_id, row.side): row.quantity for row in rows}

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """Read the book as anybody may: another connection, read only."""
        reader = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            return reader.execute(statement).fetchall()
        finally:
            reader.close()

    def order_rows(self) -> dict[str, tuple[object, ...]]:
        """Status and filled quantity by client order id."""
        rows = self.rows("SELECT client_order_id, status, filled_quantity FROM orders")
        return {str(row[0]): row[1:] for row in rows}
