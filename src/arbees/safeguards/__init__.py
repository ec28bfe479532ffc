"""Every safeguard, in the order of evaluation.

Guarantees that the order is written once: all run, and the first denial is the headline. One file
is one class is one safeguard; its `name` is permanent. No safeguard knows another.
"""

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
from arbees.safeguards.rate_limit import RateLimit
from arbees.safeguards.reconciliation import Reconciliation
from arbees.safeguards.repeated_execution import RepeatedExecution
from arbees.safeguards.sport_exposure import SportExposure
from arbees.safeguards.total_exposure import TotalExposure
from arbees.safeguards.trading_window import TradingWindow
from arbees.safeguards.unknown_orders import UnknownOrders
from arbees.safeguards.venue_health import VenueHealth

ALL: tuple[type, ...] = (
    Authorization,
    KillSwitch,
    Freshness,
    ModelVersion,
    Market,
    Holding,
    TradingWindow,
    OrderSize,
    PriceRange,
    PriceReference,
    RateLimit,
    RepeatedExecution,
    OpposingOrder,
    OpenOrders,
    MarketExposure,
    GameExposure,
    SportExposure,
    TotalExposure,
    Balance,
    DailyLoss,
    UnknownOrders,
    VenueHealth,
    Reconciliation,
)
"""The classes of all safeguards; settings make one of each, decisions run them in this order."""
