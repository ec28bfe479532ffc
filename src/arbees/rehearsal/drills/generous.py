"""Settings of safeguards that are not in the way of anything that a drill does.

Guarantees one for each safeguard: what is missing here would deny in the drill of another one, and
a test runs them all.
"""

from collections.abc import Mapping

from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Mode
from arbees.safeguards.authorization import Authorization
from arbees.safeguards.balance import Balance
from arbees.safeguards.daily_loss import DailyLoss
from arbees.safeguards.freshness import Freshness
from arbees.safeguards.game_exposure import GameExposure
from arbees.safeguards.holding import Holding
from arbees.safeguards.kill_switch import KillSwitch
from arbees.safeguards.market import Market
from arbees.safeguards.market_exposure import MarketExposure
from arbees.safeguards.model_version import ModelVersion
from arbees.safeguards.open_orders import OpenOrders
from arbees.safeguards.opposing_order import OpposingOrder
from arbees.safeguards.order_size import OrderSize
from arbees.safeguards.price_range import PriceRange
from arbees.safeguards.price_reference import PriceReference
from arbees.safeguards.rate_limit import HOUR_MAX, MINUTE_MAX, RateLimit
from arbees.safeguards.reconciliation import Reconciliation
from arbees.safeguards.repeated_execution import RepeatedExecution
from arbees.safeguards.sport_exposure import SportExposure
from arbees.safeguards.total_exposure import TotalExposure
from arbees.safeguards.trading_window import TradingWindow
from arbees.safeguards.unknown_orders import UnknownOrders
from arbees.safeguards.venue_health import VenueHealth
from arbees.settings import Settings

MUCH = 1_000_000_000_000 * MICRO
"""Far above every limit that a setting may have."""
MANY = 1_000_000_000
YEARS = 100 * 31_536_000 * NS_PER_SECOND

GENEROUS: Mapping[type, object] = {
    Authorization: Authorization(),
    KillSwitch: KillSwitch(),
    Freshness: Freshness(max_signal_age=YEARS, max_clock_skew=YEARS),
    ModelVersion: ModelVersion(),
    Market: Market(),
    Holding: Holding(),
    TradingWindow: TradingWindow(),
    OrderSize: OrderSize(max_order_size=MUCH, max_order_contracts=MUCH),
    PriceRange: PriceRange(min_safe_price=0, max_safe_price=MICRO),
    PriceReference: PriceReference(
        max_price_delta_from_pregame=MICRO,
        max_price_through_quote=MICRO,
        max_quote_age=YEARS,
        quote_policy="warn",
        edge_tolerance=1_000_000 * MICRO,
    ),
    RateLimit: RateLimit(max_orders_per_minute=MINUTE_MAX, max_orders_per_hour=HOUR_MAX),
    RepeatedExecution: RepeatedExecution(max_repeated_executions=MANY),
    OpposingOrder: OpposingOrder(),
    OpenOrders: OpenOrders(max_open_orders=MANY),
    MarketExposure: MarketExposure(max_position_per_market=MUCH),
    GameExposure: GameExposure(max_game_exposure=MUCH),
    SportExposure: SportExposure(max_sport_exposure=MUCH),
    TotalExposure: TotalExposure(max_total_exposure=MUCH),
    Balance: Balance(
        balance_refresh_interval=3_600 * NS_PER_SECOND,
        paper_balance=1_000_000_000_000 * MICRO,
        balance_low_threshold=0,
    ),
    DailyLoss: DailyLoss(max_daily_loss=MUCH, daily_loss_alert_threshold=MICRO),
    UnknownOrders: UnknownOrders(max_unknown_orders=MANY),
    VenueHealth: VenueHealth(
        venue_errors_to_open=1_000_000, venue_cooldown=NS_PER_SECOND, max_clock_skew=YEARS
    ),
    Reconciliation: Reconciliation(reconcile_interval=86_400 * NS_PER_SECOND),
}


def only(settings: Settings, *mine: object, mode: Mode = Mode.PAPER) -> Settings:
    """
    Return settings under which only some safeguards can be in the way.

    Args:
        settings: those of now, which say everything else.
        mine: the safeguards that stay as they are given.
        mode: paper, but for the drill of the authorization.
    """
    chosen = dict(GENEROUS) | {type(each): each for each in mine}
    return settings.varied(chosen, mode)
