"""Which exchanges a gateway trades on, and where its prices come from: made from the settings.

Guarantees that paper trading never holds a venue that takes real orders, and that live trading
holds no paper exchange. With an account at Kalshi, paper trading fills against its live books.
Fails by `ConfigurationError`.
"""

import msgspec

from arbees.core.language.words import Mode, Platform
from arbees.core.ports import MarketData, Tasks, Venue
from arbees.runtime.desk import JumpingClock
from arbees.safeguards.balance import Balance
from arbees.safeguards.open_orders import OpenOrders
from arbees.safeguards.order_size import OrderSize
from arbees.safeguards.rate_limit import RateLimit
from arbees.safeguards.venue_health import VenueHealth
from arbees.settings import Settings
from arbees.settings.authority import credentialed, live_platforms
from arbees.venues.paper import PaperExchange
from arbees.venues.registry import VENUES
from arbees.venues.spec import ConnectionOptions
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
    options = ConnectionOptions(
        clock=clock,
        tasks=tasks,
        skew_max_ns=settings.section(VenueHealth).max_clock_skew,
        burst=burst_of(settings),
    )
    if settings.mode is Mode.LIVE and not is_inline:
        live = {
            spec.platform: spec.adapter().connect(settings.section(spec.account), options)
            for spec in (VENUES[platform] for platform in live_platforms(settings))
        }
        return Exchanges(
            {platform: each.venue for platform, each in live.items()},
            {platform: each.market_data for platform, each in live.items()},
            None,
        )
    market_data: dict[Platform, MarketData] = {}
    if not is_inline:
        market_data = {
            spec.platform: spec.adapter().follow(settings.section(spec.account), options)
            for spec in (VENUES[platform] for platform in credentialed(settings))
            if spec.adapter_module is not None
        }
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


def burst_of(settings: Settings) -> int | None:
    """
    Return the most micro-contracts that our own limits let through in 15 s; None = no such number.

    All that may rest can be swept at once, and within the same 15 s a whole minute's orders can be
    sent and filled in their places. Without one of these limits nothing bounds them.
    """
    needed = {OrderSize.name, OpenOrders.name, RateLimit.name}
    if not needed.isdisjoint(settings.disabled):
        return None
    size, rate = settings.section(OrderSize), settings.section(RateLimit)
    orders = settings.section(OpenOrders).max_open_orders + rate.max_orders_per_minute
    return size.max_order_contracts * orders
