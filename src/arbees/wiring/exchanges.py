"""Which exchanges a gateway trades on, and where its prices come from: made from the settings.

Guarantees that paper trading never holds a venue that takes real orders, and that live trading
holds no paper exchange. With an account at Kalshi, paper trading fills against its live books.
Fails by `ConfigurationError`.
"""

import msgspec

from arbees.core.language.units import MICRO
from arbees.core.language.words import Mode, Platform
from arbees.core.ports import Clock, MarketData, Tasks, Venue
from arbees.runtime.desk import JumpingClock
from arbees.safeguards.balance import Balance
from arbees.safeguards.open_orders import OpenOrders
from arbees.safeguards.order_size import OrderSize
from arbees.safeguards.rate_limit import RateLimit
from arbees.safeguards.venue_health import VenueHealth
from arbees.settings import Settings
from arbees.settings.authority import credentialed, live_platforms
from arbees.venues.kalshi.connection.connection import KalshiAccount, KalshiConnection
from arbees.venues.kalshi.connection.keys import parse_key
from arbees.venues.kalshi.markets.markets import KalshiMarketData
from arbees.venues.kalshi.orders.groups import LIMIT_MAX
from arbees.venues.kalshi.venue import KalshiVenue
from arbees.venues.paper import PaperExchange
from arbees.wiring.assembly import Files


class Exchanges(msgspec.Struct, frozen=True):
    """What a gateway is connected to."""

    venues: dict[Platform, Venue]
    market_data: dict[Platform, MarketData]
    paper: PaperExchange | None
    """What stands in for the venues; None in live trading."""


def exchanges_of(
    settings: Settings,
    *,
    clock: JumpingClock,
    files: Files,
    tasks: Tasks,
    is_inline: bool,
    seed: int,
) -> Exchanges:
    """
    Make the exchanges of a gateway; nothing is connected yet.

    Args:
        settings: those in force.
        clock: the gateway's and the paper exchange's.
        files: where the paper exchange keeps its book.
        tasks: where readers of venues are started.
        is_inline: recorded time (playback, drills): prices are fed, nothing is connected to, and
            the paper exchange stands in for the venues also under settings for live trading.
        seed: of the paper exchange's disturbances.

    Raises:
        ConfigurationError: a key that cannot be used, or a book that cannot be opened.
    """
    if settings.mode is Mode.LIVE and not is_inline:
        return _live(settings, clock, tasks)
    market_data: dict[Platform, MarketData] = {}
    if not is_inline and Platform.KALSHI in credentialed(settings):
        connection = KalshiConnection(kalshi_account(settings), clock, tasks)
        market_data[Platform.KALSHI] = KalshiMarketData(connection, {}, owns_connection=True)
    general = settings.gateway
    paper = PaperExchange.open(
        files.paper_book,
        clock=clock,
        starting_balance=settings.section(Balance).paper_balance,
        is_inline=is_inline,
        owner=f"{general.account}@{general.environment}",
        seed=seed,
    )
    venues: dict[Platform, Venue] = {each: paper.venue(each) for each in Platform}
    return Exchanges(venues, market_data, paper)


def _live(settings: Settings, clock: Clock, tasks: Tasks) -> Exchanges:
    venues: dict[Platform, Venue] = {}
    market_data: dict[Platform, MarketData] = {}
    if Platform.KALSHI in live_platforms(settings):
        connection, shards = (
            KalshiConnection(kalshi_account(settings), clock, tasks),
            dict[str, int](),
        )
        venues[Platform.KALSHI] = KalshiVenue(connection, shards)
        market_data[Platform.KALSHI] = KalshiMarketData(connection, shards)
    return Exchanges(venues, market_data, None)


def kalshi_account(settings: Settings) -> KalshiAccount:
    """
    Return the account at Kalshi.

    Raises:
        ConfigurationError: its key cannot be used.
    """
    kalshi = settings.kalshi
    return KalshiAccount(
        key=parse_key(kalshi.private_key or ""),
        key_id=kalshi.api_key_id or "",
        base_url=kalshi.base_url,
        ws_url=kalshi.ws_url,
        skew_max_ns=settings.section(VenueHealth).max_clock_skew,
        group_limit=group_limit(settings),
        subaccount=kalshi.subaccount,
    )


def group_limit(settings: Settings) -> int:
    """
    Return the most micro-contracts that our own limits let through in 15 s: they never trip it.

    All that may rest can be swept at once, and within the same 15 s a whole minute's orders can be
    sent and filled in their places. Without one of these limits there is no such number.
    """
    needed = {OrderSize.name, OpenOrders.name, RateLimit.name}
    if not needed.isdisjoint(settings.disabled):
        return LIMIT_MAX * MICRO
    size, rate = settings.section(OrderSize), settings.section(RateLimit)
    orders = settings.section(OpenOrders).max_open_orders + rate.max_orders_per_minute
    return size.max_order_contracts * orders
