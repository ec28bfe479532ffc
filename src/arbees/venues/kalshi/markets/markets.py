"""Kalshi's markets: what an order must know of one, and their books as they change.

Guarantees that ticks, fees, shard, hours, status and game are the venue's own newest word, so that
what passes our safeguards is not refused for its form; and that a market which cannot be read is
its own trouble alone.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from arbees.core.book.market import Listing
from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform
from arbees.core.ports import Kept, MarketNotice, Metadata
from arbees.errors import VenueError, VenueOutcomeUnknown
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.connection import KalshiConnection
from arbees.venues.kalshi.markets.books import BookStream
from arbees.venues.kalshi.markets.catalogue import Catalogue, EventFacts
from arbees.venues.kalshi.markets.lifecycle import LifecycleFeed, News

FEE_GRID = 100
LOT = 10_000
TRADING = "active"
"""The one status in which orders are taken; a paused market is `inactive`."""


class KalshiMarketData:
    """Implements `core.ports.MarketData` for Kalshi."""

    def __init__(
        self, connection: KalshiConnection, shards: dict[str, int], *, owns_connection: bool = False
    ) -> None:
        """
        Prepare; `start` connects.

        Args:
            connection: the account's.
            shards: of markets, which are learnt here.
            owns_connection: nobody trades over it, paper trading reads it: `close` ends it too,
                and cash lies in no shard.
        """
        self._owns_connection = owns_connection
        self._connection = connection
        self._api = connection.api
        self._shards = shards
        self._catalogue = Catalogue(connection.api, connection.clock)
        self._events: dict[str, set[str]] = {}
        """Markets that were asked for, by event."""
        account = connection.account
        self.books = BookStream(
            account.ws_url,
            signer=connection.signer,
            clock=connection.clock,
            offset_ns=lambda: connection.venue_clock.offset_ns,
            best_ask=self._best_ask,
        )
        self.lifecycle = LifecycleFeed(
            account.ws_url, signer=connection.signer, clock=connection.clock, sink=self._hear
        )
        self._sink: Callable[[MarketNotice], None] = lambda _notice: None
        self._tasks: list[Kept] = []

    async def start(self) -> None:
        """Connect. Raises VenueError; goes on trying all the same."""
        if not self._tasks:
            keep = self._connection.tasks.keep
            self._tasks = [
                keep(self.books.run, "kalshi books"),
                keep(self.lifecycle.run, "kalshi lifecycle"),
            ]
        await self._connection.start()

    async def metadata(self, market_ids: Sequence[str]) -> Mapping[str, Metadata]:
        """
        Return what is known of markets; those that are not there, or unreadable, are left out.

        Raises:
            VenueError: no answer; nothing is concluded of any.
        """
        asked_ns = self._connection.clock.now_ns()
        wanted, found = set(market_ids), dict[str, Metadata]()
        trouble: VenueError | None = None
        for row in await self._api.markets(list(market_ids)):
            if row.ticker not in wanted:
                continue
            event = row.event_ticker or row.ticker.rpartition("-")[0]
            try:
                facts = await self._catalogue.facts(event)
            except VenueError as error:
                trouble = error  # of this event: the others are asked for all the same
                continue
            try:
                listing = listing_of(row, facts)
                payouts = shapes.payouts_of(row)
            except VenueOutcomeUnknown:
                continue
            if row.exchange_index is not None:
                self._shards[row.ticker] = row.exchange_index
            self._events.setdefault(event, set()).add(row.ticker)
            if self._owns_connection:  # what stands in for the venue keeps its cash in one pool
                listing = replace(listing, pool="")
            status = row.status.lower()
            found[row.ticker] = Metadata(
                listing=listing,
                is_open=status == TRADING,
                status=status,
                payouts=payouts,
                as_of_ns=min(asked_ns, facts.as_of_ns),
            )
        if trouble is not None and not found:
            raise trouble
        return found

    def notify(self, sink: Callable[[MarketNotice], None]) -> None:
        """Tell `sink` when the venue says that markets changed."""
        self._sink = sink

    def _hear(self, news: News) -> None:
        """Turn what the stream says into the markets that it is about."""
        if news.event_ticker is not None:
            self._catalogue.forget(news.event_ticker)
            markets = tuple(sorted(self._events.get(news.event_ticker, ())))
            self._sink(MarketNotice(market_ids=markets))
        elif news.market_ticker is None:
            self._sink(MarketNotice(market_ids=None))
        else:
            self._sink(MarketNotice(market_ids=(news.market_ticker,), closed=news.closed))

    def watch(self, market_id: str) -> None:
        """Follow the book of a market from now on."""
        self.books.watch(market_id)

    def let_go(self, market_id: str) -> None:
        """Follow the book of a market no more."""
        self.books.let_go(market_id)

    @property
    def trouble(self) -> str | None:
        """Why no book can be believed now; None = they can, or none is followed."""
        return self.books.trouble

    async def _best_ask(self, market_id: str) -> int | None:
        """Return the best ask of a market's own row; None = it names none. Raises VenueError."""
        for row in await self._api.markets([market_id]):
            if row.ticker == market_id and row.yes_ask_dollars is not None:
                ask = shapes.micro("yes_ask_dollars", row.yes_ask_dollars)
                return ask if 0 < ask < MICRO else None
        return None

    def listen(self, sink: Callable[[Quote], None]) -> None:
        """Deliver each state of the books that are followed to `sink`."""
        self.books.listen(sink)

    async def close(self) -> None:
        """Release the streams, and the connection if it is ours."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._owns_connection:
            await self._connection.close()


def listing_of(row: shapes.MarketRow, facts: EventFacts) -> Listing:
    """
    Return the metadata of a market. Raises VenueOutcomeUnknown: its ticks cannot be read.

    A close that is none (the year 1, absent) is not known. The start of the game is that of its
    milestone, never `occurrence_datetime`, which lies hours after it.
    """
    ranges = tuple(
        (
            shapes.micro("price_ranges", each.start),
            shapes.micro("price_ranges", each.end),
            shapes.micro("price_ranges", each.step),
        )
        for each in row.price_ranges
    )
    steps = [step for _, _, step in ranges if step > 0]
    return Listing(
        platform=Platform.KALSHI,
        market_id=row.ticker,
        market_key=row.ticker,
        sport=facts.sport,
        game_start_ns=facts.game.start_ns,
        close_ns=shapes.known_moment(row.close_time),
        tick=min(steps, default=MICRO // 100),
        ticks=ranges if len(steps) == len(ranges) and len(set(steps)) > 1 else (),
        lot=LOT,
        minimum=LOT,
        is_netting=True,
        taker_rate=facts.taker_rate,
        maker_rate=facts.maker_rate,
        fee_grid=FEE_GRID,
        pool=pool_name(row.exchange_index or 0),
        event_id=row.event_ticker or None,
        milestone_id=facts.game.milestone_id,
    )


def pool_name(shard: int) -> str:
    """Return the name of the pool of a shard: its cash cannot be spent on another."""
    return "" if shard == 0 else f"{Platform.KALSHI}:{shard}"
