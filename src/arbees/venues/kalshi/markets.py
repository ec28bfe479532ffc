"""Kalshi's markets: what an order must know of one, and their books as they change.

Guarantees that ticks, fees, shard and hours are the venue's own, so that what passes our safeguards
is not refused for its form; and that a sport is named only where the series leaves no doubt.
"""

import asyncio
from collections.abc import Callable
from urllib.parse import quote

from msgspec.structs import replace

from arbees.core.market import Listing
from arbees.core.ports import Kept, Metadata
from arbees.core.quote import Quote
from arbees.core.units import MICRO, mul_ceil
from arbees.core.words import Platform
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.books import BookStream
from arbees.venues.kalshi.connection import Connection

TAKER_RATE = 70_000
MAKER_RATE = 17_500
MAKER_FEES = frozenset({"quadratic_with_maker_fees", "quadratic_with_combo_maker_fees"})
COMBO_FACTOR = 2
"""Makers of combos pay half the taker's rate instead of a quarter."""
FEE_GRID = 100
LOT = 10_000
TRADING = frozenset({"active", "open"})
SPORTS = {
    "KXNBA": "NBA",
    "KXWNBA": "WNBA",
    "KXNFL": "NFL",
    "KXMLB": "MLB",
    "KXNHL": "NHL",
    "KXNCAAMB": "NCAAB",
    "KXNCAAF": "NCAAF",
    "KXATP": "TENNIS",
    "KXWTA": "TENNIS",
    "KXEPL": "SOCCER",
    "KXMLS": "SOCCER",
    "KXUFC": "MMA",
}
"""Sports by the beginning of a series' ticker; the longest that fits counts."""


class KalshiMarketData:
    """Implements `core.ports.MarketData` for Kalshi."""

    def __init__(
        self, connection: Connection, shards: dict[str, int], *, owns_connection: bool = False
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
        self._fees: dict[str, tuple[int, int]] = {}
        """(taker rate, maker rate) by event."""
        self.books = BookStream(
            connection.account.ws_url,
            signer=connection.signer,
            clock=connection.clock,
            offset_ns=lambda: connection.venue_clock.offset_ns,
            best_ask=self._best_ask,
        )
        self._task: Kept | None = None

    async def start(self) -> None:
        """Connect. Raises VenueError; goes on trying all the same."""
        if self._task is None:
            self._task = self._connection.tasks.keep(self.books.run, "kalshi books")
        await self._connection.start()

    async def metadata(self, market_id: str) -> Metadata | None:
        """Return what is known of a market; None = there is none. Raises VenueError."""
        rows = await self._api.markets([market_id])
        row = next((each for each in rows if each.ticker == market_id), None)
        if row is None:
            return None
        if row.exchange_index is not None:
            self._shards[row.ticker] = row.exchange_index
        taker, maker = await self._rates(row.event_ticker)
        listing = listing_of(row, taker, maker)
        if self._owns_connection:  # what stands in for the venue keeps its cash in one pool
            listing = replace(listing, pool="")
        return Metadata(
            listing=listing,
            is_open=row.status.lower() in TRADING,
            payouts=shapes.payouts_of(row),
        )

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
        """Release the stream, and the connection if it is ours."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._owns_connection:
            await self._connection.close()

    async def _rates(self, event_ticker: str) -> tuple[int, int]:
        """Return the taker's and the maker's fee rate of an event's markets."""
        known = self._fees.get(event_ticker)
        if known is None:
            event = (
                await self._api.get(f"/events/{quote(event_ticker, safe='')}", shapes.OneEvent)
            ).event
            path = f"/series/{quote(event.series_ticker, safe='')}"
            series = (await self._api.get(path, shapes.OneSeries)).series
            known = self._fees[event_ticker] = rates_of(event, series)
        return known


def rates_of(event: shapes.EventRow, series: shapes.SeriesRow) -> tuple[int, int]:
    """
    Return the taker's and the maker's fee rate, in millionths; the event's word before the series'.

    A type of fee that we do not know counts as the dearest that we do.

    Source: fee schedule of 2026-07-07 (0.07 and 0.0175 x multiplier; combos 0.035).
    """
    kind = event.fee_type_override or series.fee_type
    multiplier = event.fee_multiplier_override
    factor = _micro(series.fee_multiplier if multiplier is None else multiplier)
    taker, maker = mul_ceil(TAKER_RATE, factor), 0
    if kind in MAKER_FEES:
        maker = mul_ceil(MAKER_RATE, factor)
    if kind == "quadratic_with_combo_maker_fees":
        maker *= COMBO_FACTOR
    if kind not in MAKER_FEES | {"quadratic"}:
        taker, maker = max(taker, TAKER_RATE), max(taker, TAKER_RATE)
    return taker, maker


def listing_of(row: shapes.MarketRow, taker_rate: int, maker_rate: int) -> Listing:
    """Return the metadata of a market. Raises VenueError: it cannot be read."""
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
        sport=sport_of(row.ticker),
        game_start_ns=shapes.moment("occurrence_datetime", row.occurrence_datetime) or None,
        close_ns=shapes.moment("close_time", row.close_time) or None,
        tick=min(steps, default=MICRO // 100),
        ticks=ranges if len(steps) == len(ranges) and len(set(steps)) > 1 else (),
        lot=LOT,
        minimum=LOT,
        is_netting=True,
        taker_rate=taker_rate,
        maker_rate=maker_rate,
        fee_grid=FEE_GRID,
        pool=pool_name(row.exchange_index or 0),
    )


def sport_of(ticker: str) -> str | None:
    """Return the sport of a market by its series; None = it does not say."""
    fitting = [prefix for prefix in SPORTS if ticker.startswith(prefix)]
    return SPORTS[max(fitting, key=len)] if fitting else None


def pool_name(shard: int) -> str:
    """Return the name of the pool of a shard: its cash cannot be spent on another."""
    return "" if shard == 0 else f"{Platform.KALSHI}:{shard}"


def _micro(number: float) -> int:
    """Read a factor that Kalshi writes as a JSON number."""
    return shapes.plausible("fee_multiplier", shapes.micro("fee_multiplier", repr(number)), 0)
