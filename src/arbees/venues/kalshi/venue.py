"""Kalshi behind the port that every venue has.

Guarantees what `core.ports.Venue` asks for: outcomes are values, reads raise `VenueError` and never
guess, reports come in the order of the stream. It only joins the parts: signatures and the clock
(`signing`), calls (`api`), orders and evidence (`orders`), the stream (`stream`).
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

from arbees.core.book.market import Terms
from arbees.core.deciding.outcomes import (
    ApprovedOrder,
    BreakerTripped,
    CancelOutcome,
    CashMovement,
    Fill,
    Lookup,
    Noted,
    Outcome,
    PoolBalance,
    Report,
    Settled,
    VenueOrder,
    VenuePosition,
    WorkingOrder,
)
from arbees.core.language.payouts import Payouts, payout_of_yes
from arbees.core.language.units import MICRO, NS_PER_SECOND, is_multiple
from arbees.core.language.words import Platform, Side
from arbees.core.ports import Gate, Kept, Vitals
from arbees.errors import VenueOutcomeUnknown
from arbees.venues.http_client import Wire
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.connection import CREATE, KalshiConnection
from arbees.venues.kalshi.markets.markets import pool_name
from arbees.venues.kalshi.orders.answers import read_error
from arbees.venues.kalshi.orders.batches import Batches
from arbees.venues.kalshi.orders.cash import Cash
from arbees.venues.kalshi.orders.groups import SHARDS, Groups
from arbees.venues.kalshi.orders.orders import KalshiOrders, fill_of, listed_order
from arbees.venues.kalshi.orders.portfolio import Portfolio, Rows, fields_of
from arbees.venues.kalshi.orders.stream import OwnStream
from arbees.venues.kalshi.spec import KALSHI

GROUPS_SECONDS = 30.0
"""Between attempts to make the order groups that are missing."""
SHARD_OF_POOL = {pool_name(shard) or Platform.KALSHI: shard for shard in SHARDS}
POOL_OF_SHARD = {shard: pool for pool, shard in SHARD_OF_POOL.items()}
RE_ARMS = "a cancel of everything still reaches new orders"
RE_ARMS_NOTE = "re_arms_ns"
CANCEL_ALL_REACH_NS = 60 * NS_PER_SECOND
"""A cancel-all may reach orders that are placed within the minute after it."""


class KalshiVenue:
    """Implements `core.ports.Venue` for Kalshi."""

    def __init__(self, connection: KalshiConnection, shards: dict[str, int]) -> None:
        """
        Prepare; `start` connects.

        Args:
            connection: the account's.
            shards: of markets, as far as they are known.
        """
        self._connection = connection
        self._clock = connection.clock
        self.api = connection.api
        # A process before this one, killed a moment ago, may have read all that it might.
        self.api.budget.read.empty(self._clock.now_ns())
        self._wire = Wire(connection.account.base_url)
        self._shards = shards
        self.stream = OwnStream(
            connection.account.ws_url,
            signer=connection.signer,
            clock=connection.clock,
            subaccount=connection.account.subaccount,
        )
        self.groups = Groups(self.api, limit=connection.account.group_limit)
        self.groups.note, self.groups.tripped = self._note, self._tripped
        self.stream.groups = self.groups.hear
        self.portfolio = Portfolio(self.api)
        self.cash = Cash(
            self.api,
            self.portfolio,
            clock=connection.clock,
            venue_clock=connection.venue_clock,
            shard_of=shards.get,
        )
        self.orders = KalshiOrders(
            connection, self._wire, cash=self.cash, shard_of=shards.get, groups=self.groups
        )
        self._batches = Batches(self.api, shards.get)
        self._re_arms_ns = 0
        self._task: Kept | None = None
        self._maker: Kept | None = None

    @property
    def platform(self) -> Platform:
        """The venue that this adapter speaks for."""
        return Platform.KALSHI

    @property
    def terms(self) -> Terms:
        """Netting, fee rates, default tick and lot."""
        return KALSHI.terms

    @property
    def vitals(self) -> Vitals:
        """How Kalshi is now, all of its shards taken together."""
        return self._vitals(None)

    @property
    def shards(self) -> Mapping[str, int]:
        """The shards, by the names of their pools."""
        return SHARD_OF_POOL

    def vitals_of(self, pool: str) -> Vitals:
        """Return how the shard of a pool is now."""
        return self._vitals(SHARD_OF_POOL.get(pool))

    def _vitals(self, shard: int | None) -> Vitals:
        connection = self._connection
        offset_ns = connection.venue_clock.offset_ns
        is_open, is_trading = connection.is_open(shard), connection.is_trading(shard)
        reason, until_ns = self._obstacle(shard)
        is_heard = self.stream.is_live and self._task is not None and not self._task.done()
        return Vitals(
            clock_offset_ns=offset_ns or 0,
            is_heartbeat_late=self.stream.is_late,
            is_blind=not is_heard,
            blind_reason=None if is_heard else self.stream.trouble,
            is_paused=is_open and not is_trading and connection.trouble is None,
            is_closed=not is_open,
            reason=reason,
            until_ns=until_ns,
            # What cannot be signed cannot be sent; whether a venue that we cannot read takes what
            # reduces is found out by trying.
            is_sendable=offset_ns is not None and is_open and is_trading,
        )

    def _obstacle(self, shard: int | None) -> tuple[str | None, int | None]:
        """Return what keeps orders from a shard (None = from any), and until when."""
        connection = self._connection
        if connection.trouble is not None:
            return connection.trouble, None
        if not connection.is_kept:
            return "the venue's state is not asked for any more", None
        if connection.venue_clock.offset_ns is None:
            return "the venue's clock is not known", None
        if not connection.is_open(shard):
            return "exchange_is_paused", connection.resumes_ns
        if not connection.is_trading(shard):
            return "trading_is_paused", connection.resumes_ns
        if self._clock.now_ns() < self._re_arms_ns:
            return RE_ARMS, self._re_arms_ns
        if self.groups.is_shut(shard):
            return "its order group is not open again yet", None
        return None, None

    async def start(self) -> None:
        """Connect, and listen. Raises VenueError; goes on trying all the same."""
        if self._task is None:
            keep = self._connection.tasks.keep
            self._task = keep(self.stream.run, "kalshi stream")
            self._maker = keep(self._keep_making, "kalshi groups")
        await self._connection.start()
        await self._wire.warm()
        await self.groups.make()

    async def close(self) -> None:
        """Release connections and threads."""
        tasks = [each for each in (self._task, self._maker) if each is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._wire.close()
        await self._connection.close()

    async def _keep_making(self) -> None:
        """Make the order groups that are missing, whatever kept them from being made."""
        while True:
            await self._clock.sleep(GROUPS_SECONDS)
            if self._connection.trouble is None and not self.groups.are_made:
                await self.groups.make()

    def hurry(self, answer_seconds: float) -> None:
        """Wait for no answer longer than this; for rehearsals, which have no time."""
        self._wire.answer_seconds = answer_seconds
        self._connection.hurry(answer_seconds)

    async def cancel_everything(self) -> int:
        """Cancel all that works of the account, on all shards; shut our order groups as well."""
        self._reach()
        answer, _ = await asyncio.gather(
            self.api.call("DELETE", CREATE, is_urgent=True), self.groups.trigger()
        )
        self._reach()
        self._note(RE_ARMS_NOTE, str(self._re_arms_ns))
        if answer.status not in {200, 204}:
            raise read_error(answer.status, answer.body)
        return CANCEL_ALL_REACH_NS

    async def re_arm(self, pool: str | None = None) -> None:
        """Open the order groups that we shut, or that of a pool, again. Raises VenueError."""
        if pool is None:
            await self.groups.reset()
        elif (shard := SHARD_OF_POOL.get(pool)) is not None:
            await self.groups.reset(shard)

    def recall(self, notes: Mapping[str, str]) -> None:
        """Take over the order groups of the life before, and how long its last cancel reaches."""
        self.groups.recall(notes)
        until = notes.get(RE_ARMS_NOTE, "")
        self._re_arms_ns = int(until) if until.isdecimal() else 0

    def _note(self, name: str, value: str) -> None:
        self.stream.sink(Noted(platform=Platform.KALSHI, name=name, value=value))

    def _tripped(self, shard: int, reason: str) -> None:
        pool = POOL_OF_SHARD[shard]
        self.stream.sink(BreakerTripped(platform=Platform.KALSHI, pool=pool, reason=reason))

    def _reach(self) -> None:
        """Send nothing that opens while a cancel of everything may reach it."""
        self._re_arms_ns = self._clock.now_ns() + CANCEL_ALL_REACH_NS

    # Orders ------------------------------------------------------------------------------------

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        """Send one order, at most once, and say what the answer proves."""
        return await self.orders.submit(order, gate)

    async def cancel(
        self, client_order_id: str, venue_order_id: str | None, market_id: str
    ) -> CancelOutcome:
        """Cancel one order; may be repeated without harm."""
        return await self.orders.cancel(client_order_id, venue_order_id, market_id)

    async def cancel_many(self, orders: Sequence[WorkingOrder]) -> dict[str, CancelOutcome]:
        """Cancel orders in batches; each has an outcome of its own."""
        return await self._batches.cancel(orders)

    async def find(self, client_order_id: str, market_id: str, sent_ns: int) -> Lookup:
        """Look for an order in all states. Raises VenueError."""
        return await self.orders.find(client_order_id, market_id, sent_ns)

    # Reads -------------------------------------------------------------------------------------

    async def open_orders(self) -> Sequence[VenueOrder]:
        """
        List all working orders of the account, whoever placed them. Raises VenueError.

        A row that cannot be read is left out: an order of ours is looked for by itself then.
        """
        return _readable(await self.portfolio.orders({"status": "resting"}))

    async def placed(self, since_ns: int) -> Sequence[VenueOrder]:
        """List what was placed since a moment, in all states. Raises VenueError."""
        return _readable(await self.portfolio.orders({}, since_ns))

    async def positions(self) -> Sequence[VenuePosition]:
        """List all positions of the account. Raises VenueError."""
        rows = await self.portfolio.positions({"settlement_status": "unsettled"})
        found = [_unread(raw) for raw in rows.unread]
        for row in rows.read:
            if row.exchange_index is not None:
                self._shards[row.ticker] = row.exchange_index
            held, trouble = 0, ""
            try:
                held = shapes.micro("position_fp", row.position_fp)
            except VenueOutcomeUnknown as error:
                trouble = error.message
            if held or trouble:
                found.append(_held(row.ticker, held, trouble))
        return found

    async def results(self, market_ids: Sequence[str]) -> Sequence[Settled]:
        """Return which of these markets are final, and what they pay. Raises VenueError."""
        rows = await self.api.ended_markets(list(market_ids)) if market_ids else []
        found: list[Settled] = []
        for row in rows:
            self.learn(row)
            payouts = await self._payouts(row)
            if payouts is not None:
                found.append(
                    Settled(
                        platform=Platform.KALSHI,
                        market_id=row.ticker,
                        payouts=payouts,
                        time_ns=shapes.moment("settlement_ts", row.settlement_ts)
                        or self._clock.now_ns(),
                    )
                )
        return found

    async def _payouts(self, row: shapes.MarketRow) -> Payouts | None:
        """Return what a market pays: whole cents, as the account's own list has them."""
        payouts = shapes.payouts_of(row)
        if payouts is None or is_multiple(payouts.yes, shapes.CENT):
            return payouts
        for own in await self.api.settlements({"ticker": row.ticker}):
            if own.ticker == row.ticker and own.value is not None:
                return payout_of_yes(shapes.plausible("value", own.value * shapes.CENT, 0, MICRO))
        return payouts

    async def fills(self, since_ns: int) -> Sequence[Fill]:
        """List what filled since a moment, by whomever; without our own ids. Raises VenueError."""
        rows = await self.portfolio.fills({}, since_ns)
        found: list[Fill] = []
        for row in rows.read:
            with contextlib.suppress(VenueOutcomeUnknown):  # its position or its order tells
                found.append(fill_of(row, ""))
        return found

    async def balances(self) -> Sequence[PoolBalance]:
        """Return the cash of each shard, as of Kalshi's own mark before. Raises VenueError."""
        return await self.cash.balances()

    async def movements(self, since_ns: int) -> Sequence[CashMovement]:
        """Return what moved cash besides fills and payouts. Raises VenueError."""
        return await self.cash.movements(since_ns)

    def listen(self, sink: Callable[[Report], None]) -> None:
        """Deliver every fill, cancel and expiry of ours from now on to `sink`, in order."""
        self.stream.sink = sink

    def learn(self, row: shapes.MarketRow) -> None:
        """Remember the shard of a market."""
        if row.exchange_index is not None:
            self._shards[row.ticker] = row.exchange_index


def _readable(rows: Rows[shapes.KalshiOrderRow]) -> tuple[VenueOrder, ...]:
    found: list[VenueOrder] = []
    for row in rows.read:
        with contextlib.suppress(VenueOutcomeUnknown):
            found.append(listed_order(row))
    return tuple(found)


def _held(ticker: str, held: int, trouble: str = "") -> VenuePosition:
    return VenuePosition(
        platform=Platform.KALSHI,
        market_id=ticker,
        side=Side.NO if held < 0 else Side.YES,
        quantity=abs(held),
        trouble=trouble,
    )


def _unread(raw: bytes) -> VenuePosition:
    """Return a position that cannot be read, by its market. Raises VenueOutcomeUnknown: of none."""
    ticker = fields_of(raw).get("ticker")
    if not isinstance(ticker, str):
        raise VenueOutcomeUnknown("Kalshi's list of positions has a row that cannot be read")
    return _held(ticker, 0, "Kalshi's row cannot be read")
