"""The words of the field, each with one spelling: enums of the wire and names of ids."""

from enum import StrEnum
from typing import Annotated, Literal, NewType

import msgspec

RequestId = NewType("RequestId", str)
IdempotencyKey = NewType("IdempotencyKey", str)
ClientOrderId = NewType("ClientOrderId", str)
VenueOrderId = NewType("VenueOrderId", str)
TradeId = NewType("TradeId", str)
MarketKey = NewType("MarketKey", str)
"""Canonical name of a market: Kalshi ticker, Polymarket condition id."""
Sequence = NewType("Sequence", int)

End = Literal["not_sent", "cancelled"]
"""How a person may end an order of unknown fate: it never was there, or is there no more."""


class Platform(StrEnum):
    """The venue meant; in paper mode the paper exchange stands in for it."""

    KALSHI = "Kalshi"
    POLYMARKET = "Polymarket"


class KeyScope(StrEnum):
    """What an API key may be used for."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    READ = "read"
    HALT = "halt"
    RESUME = "resume"
    ADMIN = "admin"


class Mode(StrEnum):
    """Paper and live never share a journal."""

    PAPER = "paper"
    LIVE = "live"


class Side(StrEnum):
    """An outcome of a binary market."""

    YES = "Yes"
    NO = "No"

    @property
    def opposite(self) -> "Side":
        """The other outcome."""
        return Side.NO if self is Side.YES else Side.YES


class Action(StrEnum):
    """Buy opens (or nets against) a side; Sell only closes what is held."""

    BUY = "Buy"
    SELL = "Sell"


class TimeInForce(StrEnum):
    """How long an order may work."""

    IOC = "IOC"
    FOK = "FOK"
    GTC = "GTC"
    GTD = "GTD"

    @property
    def rests(self) -> bool:
        """Whether what does not fill at once stays in the book."""
        return self in {TimeInForce.GTC, TimeInForce.GTD}


def _any_case(options: type[StrEnum]) -> msgspec.Meta:
    return msgspec.Meta(extra_json_schema={"enum": [str(each) for each in options]})


PlatformWord = Annotated[str, _any_case(Platform)]
"""A platform in a type that is decoded, before `wire.word` reads it in any case."""
SideWord = Annotated[str, _any_case(Side)]
ActionWord = Annotated[str, _any_case(Action)]
TimeInForceWord = Annotated[str, _any_case(TimeInForce)]


class OrderStatus(StrEnum):
    """States of an order; `DENIED` is local and final, `UNKNOWN` ends on evidence only."""

    PENDING = "PENDING"
    WORKING = "WORKING"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"
    DENIED = "DENIED"
    NOT_SENT = "NOT_SENT"


class ResultStatus(StrEnum):
    """Status of an execution on the wire (the requirements' words)."""

    PENDING = "Pending"
    UNKNOWN = "Unknown"
    FILLED = "Filled"
    PARTIAL = "Partial"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"
    FAILED = "Failed"


class TradingState(StrEnum):
    """One lattice; the strictest source wins. See `strictest`."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"
    READ_ONLY = "READ_ONLY"

    @property
    def rank(self) -> int:
        """Strictness: 0 is freest."""
        return _RANKS[self]


_RANKS = {
    TradingState.ACTIVE: 0,
    TradingState.REDUCING: 1,
    TradingState.HALTED: 2,
    TradingState.READ_ONLY: 3,
}


class HaltSource(StrEnum):
    """Who halted. Automatic sources need an acknowledgement to be lifted."""

    FILE = "file"
    HTTP = "http"
    COMMAND = "command"
    SIGNAL = "signal"
    REDIS = "redis"
    REDIS_DOWN = "redis_down"
    """Redis is not heard, and `REDIS_DOWN_POLICY` says what holds meanwhile."""
    DAILY_LOSS = "daily_loss"
    REPEATED_EXECUTION = "repeated_execution"
    RECONCILIATION = "reconciliation"
    JOURNAL = "journal"
    CLOCK = "clock"
    ORDER_GROUP = "order_group"
    """The venue's own circuit breaker for our orders tripped; of the pool whose orders it stops."""

    @property
    def is_automatic(self) -> bool:
        """Whether the gateway raised it by itself."""
        return self in _AUTOMATIC


_AUTOMATIC = frozenset(
    {
        HaltSource.DAILY_LOSS,
        HaltSource.REPEATED_EXECUTION,
        HaltSource.RECONCILIATION,
        HaltSource.JOURNAL,
        HaltSource.CLOCK,
        HaltSource.ORDER_GROUP,
    }
)

UNCLASSIFIED = "UNCLASSIFIED"
"""The sport of a market of which no sport is known."""
UNNAMED = "UNNAMED"
"""The strategy of a request that names none."""
SCOPE_ALL = "all"
POOL_SCOPE = "pool:"
"""Before the name of a pool of cash (`Kalshi`, `Kalshi:2`): a scope that the gateway chooses."""
