"""What one batch changed: what must become durable, and what may be told once it is."""

import msgspec

from arbees.core.deciding.outcomes import Fill, Report
from arbees.core.language.payouts import Payouts
from arbees.core.language.words import Platform
from arbees.venues.paper.state import PaperMarket, PaperOrder


class Settling(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement as the book keeps it."""

    market: PaperMarket
    market_id: str
    payouts: Payouts
    """By the sides of the market's key."""
    yes: int
    """Quantities that are paid out, since ever."""
    no: int
    payout: int
    """What they are paid in all."""
    settled_ns: int


class CashMove(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit (> 0) or withdrawal (< 0)."""

    platform: Platform
    amount: int
    created_ns: int


class ExchangeChanges(msgspec.Struct, kw_only=True):
    """Collected by the engine in the order in which things happened."""

    orders: dict[str, PaperOrder] = {}
    fills: list[tuple[str, Fill]] = []
    """With the venue's order id."""
    markets: dict[tuple[Platform, str], PaperMarket] = {}
    accounts: set[Platform] = set()
    settlings: list[Settling] = []
    moves: list[CashMove] = []
    reports: list[tuple[Platform, Report]] = []
