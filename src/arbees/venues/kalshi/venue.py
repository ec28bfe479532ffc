"""Kalshi behind the port that every venue has.

Guarantees what `core.ports.Venue` asks for: outcomes are values, reads raise `VenueError` and never
guess, reports come in the order of the stream. It only joins the parts: signatures and the clock
(`signing`), calls (`api`), orders and evidence (`orders`), the stream (`stream`).
"""

import asyncio
import threading
from collections.abc import Callable, Sequence

import msgspec

from arbees.core.market import Terms
from arbees.core.outcomes import (
    ApprovedOrder,
    Balance,
    CancelOutcome,
    Lookup,
    Outcome,
    Report,
    Settled,
    VenueOrder,
    VenuePosition,
)
from arbees.core.ports import Clock, Gate
from arbees.core.units import MICRO
from arbees.core.words import Action, Platform, Side
from arbees.errors import VenueError
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.api import KalshiApi
from arbees.venues.kalshi.keys import SigningKey
from arbees.venues.kalshi.orders import CREATE, KalshiOrders
from arbees.venues.kalshi.signing import Signer, VenueClock
from arbees.venues.kalshi.stream import OwnStream
from arbees.venues.wire import Wire

TERMS = Terms(
    is_netting=True,
    taker_rate=70_000,
    maker_rate=0,
    fee_grid=100,
    tick=10_000,
    lot=10_000,
)
"""Taker fee 0.07 x C x P x (1 - P), on the $0.0001 grid of direct members; hundredths."""
REFILL_SECONDS = 0.5
CLOCK_SECONDS = 60.0
"""The clocks are compared at least this often; the figure is believed for five minutes."""
RESULTS = {"yes": Side.YES, "no": Side.NO}


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Where and as whom to trade."""

    key: SigningKey
    key_id: str
    base_url: str
    ws_url: str
    skew_max_ns: int

    def __repr__(self) -> str:
        """Tell where, and nothing of the key."""
        return f"<Kalshi account at {self.base_url}>"


class KalshiVenue:
    """Implements `core.ports.Venue` for Kalshi."""

    def __init__(self, account: Account, clock: Clock) -> None:
        """Prepare; `start` connects."""
        self._clock = clock
        self._venue_clock = VenueClock(clock.now_ns)
        self._wire = Wire(account.base_url)
        self._calls = Wire(account.base_url)
        path = f"{shapes.root_of(account.base_url)}{CREATE}"
        self._signer = Signer(
            account.key,
            account.key_id,
            self._venue_clock,
            skew_max_ns=account.skew_max_ns,
            ahead=("POST", path),
        )
        self.api = KalshiApi(
            account.base_url,
            signer=self._signer,
            venue_clock=self._venue_clock,
            clock=clock,
            wire=self._calls,
        )
        self.stream = OwnStream(account.ws_url, signer=self._signer, clock=clock)
        self._shards: dict[str, int] = {}
        self.orders = KalshiOrders(
            api=self.api,
            wire=self._wire,
            signer=self._signer,
            venue_clock=self._venue_clock,
            clock=clock,
            shard_of=self._shards.get,
        )
        self._ends = threading.Event()
        self._refiller: threading.Thread | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def platform(self) -> Platform:
        """The venue that this adapter speaks for."""
        return Platform.KALSHI

    @property
    def terms(self) -> Terms:
        """Netting, fee rates, default tick and lot."""
        return TERMS

    @property
    def clock_offset_ns(self) -> int | None:
        """Our clock less Kalshi's; None = not known."""
        return self._venue_clock.offset_ns

    async def start(self) -> None:
        """
        Learn the venue's time and our limits, have signatures and a connection ready, and listen.

        Raises:
            VenueError: Kalshi does not answer, or does not take the key.
        """
        await self.compare_clocks()
        await self.api.learn_limits()
        self._refiller = threading.Thread(target=self._keep_filled, name="kalshi-sign", daemon=True)
        self._refiller.start()
        await self._wire.warm()
        self._tasks = [
            asyncio.create_task(self.stream.run(), name="kalshi stream"),
            asyncio.create_task(self._keep_time(), name="kalshi clock"),
        ]

    async def compare_clocks(self) -> shapes.ExchangeStatus:
        """Compare the clocks by an answer that needs no signature. Raises VenueError."""
        return await self.api.get("/exchange/status", shapes.ExchangeStatus, is_public=True)

    async def close(self) -> None:
        """Release connections and threads."""
        self._ends.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._refiller is not None:
            await asyncio.to_thread(self._refiller.join, 2.0)
        await self._wire.close()
        await self._calls.close()

    # Orders ------------------------------------------------------------------------------------

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        """Send one order, at most once, and say what the answer proves."""
        return await self.orders.submit(order, gate)

    async def cancel(
        self, client_order_id: str, venue_order_id: str | None, market_id: str
    ) -> CancelOutcome:
        """Cancel one order; may be repeated without harm."""
        return await self.orders.cancel(client_order_id, venue_order_id, market_id)

    async def find(self, client_order_id: str, market_id: str, sent_ns: int) -> Lookup:
        """Look for an order in all states. Raises VenueError."""
        return await self.orders.find(client_order_id, market_id, sent_ns)

    # Reads -------------------------------------------------------------------------------------

    async def open_orders(self) -> Sequence[VenueOrder]:
        """List all working orders of the account, whoever placed them. Raises VenueError."""
        rows = await self.api.orders({"status": "resting"})
        return tuple(_listed(row) for row in rows)

    async def positions(self) -> Sequence[VenuePosition]:
        """List all positions of the account. Raises VenueError."""
        rows = await self.api.positions({"settlement_status": "unsettled"})
        found: list[VenuePosition] = []
        for row in rows:
            held = shapes.micro("position_fp", row.position_fp)
            self._shards[row.ticker] = row.exchange_index
            if held:
                found.append(
                    VenuePosition(
                        platform=Platform.KALSHI,
                        market_id=row.ticker,
                        side=Side.YES if held > 0 else Side.NO,
                        quantity=abs(held),
                    )
                )
        return found

    async def results(self, market_ids: Sequence[str]) -> Sequence[Settled]:
        """Return which of these markets were settled, and how. Raises VenueError."""
        rows = await self.api.markets(list(market_ids)) if market_ids else []
        found: list[Settled] = []
        for row in rows:
            self.learn(row)
            if row.status in {"finalized", "settled"} and row.result in RESULTS:
                found.append(
                    Settled(
                        platform=Platform.KALSHI,
                        market_id=row.ticker,
                        result=RESULTS[row.result],
                        time_ns=shapes.moment("settlement_ts", row.settlement_ts)
                        or self._clock.now_ns(),
                    )
                )
        return found

    async def balances(self) -> Sequence[Balance]:
        """Return the cash of each shard, as of our time before it was asked. Raises VenueError."""
        as_of_ns = self._clock.now_ns()
        answer = await self.api.get("/portfolio/balance", shapes.BalanceAnswer)
        if answer.balance_breakdown:
            return tuple(
                Balance(
                    platform=Platform.KALSHI,
                    pool=pool_name(each.exchange_index),
                    available=shapes.micro("balance_breakdown", each.balance),
                    as_of_ns=as_of_ns,
                )
                for each in answer.balance_breakdown
            )
        available = answer.balance * shapes.CENT
        if answer.balance_dollars is not None:
            available = shapes.micro("balance_dollars", answer.balance_dollars)
        return (
            Balance(
                platform=Platform.KALSHI,
                pool=pool_name(0),
                available=available,
                as_of_ns=as_of_ns,
            ),
        )

    def listen(self, sink: Callable[[Report], None]) -> None:
        """Deliver every fill, cancel and expiry of ours from now on to `sink`, in order."""
        self.stream.sink = sink

    def learn(self, row: shapes.MarketRow) -> None:
        """Remember the shard of a market."""
        if row.exchange_index is not None:
            self._shards[row.ticker] = row.exchange_index

    # Upkeep ------------------------------------------------------------------------------------

    def _keep_filled(self) -> None:
        """Have signatures ready; in a thread of its own, since RSA takes 0.3 ms each."""
        while not self._ends.wait(REFILL_SECONDS):
            self._signer.refill()

    async def _keep_time(self) -> None:
        while True:
            await self._clock.sleep(CLOCK_SECONDS)
            try:
                await self.compare_clocks()
            except VenueError:
                continue  # the offset grows stale, and then nothing is signed


def pool_name(shard: int) -> str:
    """Return the name of the pool of a shard: its cash cannot be spent on another."""
    return str(Platform.KALSHI) if shard == 0 else f"{Platform.KALSHI}:{shard}"


def _listed(row: shapes.OrderRow) -> VenueOrder:
    """Return an order as the venue lists it: what it buys, at the price of that side."""
    side = shapes.bought(row.book_side, row.outcome_side)
    price = shapes.micro("yes_price_dollars", row.yes_price_dollars)
    filled = shapes.micro("fill_count_fp", row.fill_count_fp)
    return VenueOrder(
        client_order_id=row.client_order_id or None,
        venue_order_id=row.order_id,
        platform=Platform.KALSHI,
        market_id=row.ticker,
        side=side,
        action=Action.BUY,
        quantity=filled + shapes.micro("remaining_count_fp", row.remaining_count_fp),
        filled=filled,
        limit_price=price if side is Side.YES else MICRO - price,
    )
