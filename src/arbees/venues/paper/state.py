"""State of the paper exchange: accounts, markets and the orders that work in them.

Guarantees exact money: what an account may spend is its cash less what its working orders may
still take in their worst case. Closed orders live in the book file only, so memory stays flat.
"""

from collections.abc import Iterable

import msgspec

from arbees.core.book.fees import fee_on_grid
from arbees.core.book.market import Terms
from arbees.core.language.payouts import Payouts
from arbees.core.language.quote import Level
from arbees.core.language.units import MICRO, mul_ceil
from arbees.core.language.words import (
    Action,
    OrderStatus,
    Platform,
    Side,
    TimeInForce,
)


class PaperOrder(msgspec.Struct, kw_only=True):
    """An order in the book; `side` is as named, `outcome` the same in the market's own terms."""

    client_order_id: str
    order_id: str
    platform: Platform
    market_id: str
    market_key: str
    side: Side
    outcome: Side
    action: Action
    quantity: int
    limit_price: int
    time_in_force: TimeInForce
    expires_ns: int | None
    created_ns: int
    updated_ns: int
    sequence: int
    """Order of acceptance: time priority."""
    status: OrderStatus = OrderStatus.WORKING
    filled: int = 0
    closed: str | None = None
    """Why nothing remains: `filled`, `cancelled`, `expired`, `killed`."""
    reason: str | None = None
    fill_count: int = 0
    taken_count: int = 0
    """How many of its fills were at acceptance, as taker; all later ones are maker's."""
    exact_fees: int = 0
    """Sum of its fees before the grid, in micro-dollars."""
    fees: int = 0

    @property
    def remaining(self) -> int:
        """Micro-contracts that may still fill."""
        return self.quantity - self.filled

    @property
    def is_bid(self) -> bool:
        """Whether it bids for the market's Yes (Buy Yes or Sell No)."""
        return (self.action is Action.BUY) is (self.outcome is Side.YES)

    @property
    def yes_limit(self) -> int:
        """Its limit as a price of the market's Yes."""
        return self.limit_price if self.outcome is Side.YES else MICRO - self.limit_price


class PaperMarket(msgspec.Struct, kw_only=True):
    """One market under its canonical key, with what is held of it and the newest quote's depth."""

    platform: Platform
    key: str
    yes_id: str
    """Name of the outcome that Yes means here."""
    no_id: str | None = None
    """Polymarket: token of the opposite outcome, once it is known."""
    tick: int
    lot: int
    is_open: bool = True
    payouts: Payouts | None = None
    """What a contract of each side pays, once it is settled."""
    settled_yes: int = 0
    """Quantities that were paid out."""
    settled_no: int = 0
    settled_ns: int | None = None
    yes: int = 0
    no: int = 0
    bids: list[Level] = []
    """What is left of the newest quote; never durable, so no quote means no fill."""
    asks: list[Level] = []
    quoted_ns: int | None = None
    """Time of the newest quote; None = none since the start."""
    working: dict[str, PaperOrder] = {}
    """By client order id, oldest first."""
    locked: int = 0
    """What its working orders may still take from the account's cash."""

    def held(self, outcome: Side) -> int:
        """Return the micro-contracts held of an outcome."""
        return self.yes if outcome is Side.YES else self.no

    def add(self, outcome: Side, quantity: int) -> None:
        """Change what is held of an outcome."""
        if outcome is Side.YES:
            self.yes += quantity
        else:
            self.no += quantity

    def selling(self, outcome: Side) -> int:
        """Return what working orders already sell of an outcome."""
        return sum(
            order.remaining
            for order in self.working.values()
            if order.action is Action.SELL and order.outcome is outcome
        )

    def depth(self, *, is_bid: bool) -> list[Level]:
        """Return the side that an order would take from."""
        return self.asks if is_bid else self.bids

    def own_best(self, *, is_bid: bool) -> int | None:
        """Return the best price at which an order of ours waits against a new bid (or offer)."""
        prices = [order.yes_limit for order in self.working.values() if order.is_bid is not is_bid]
        if not prices:
            return None
        return min(prices) if is_bid else max(prices)


class PaperAccount(msgspec.Struct, kw_only=True):
    """Money at one venue, in micro-dollars."""

    platform: Platform
    cash: int
    locked: int = 0

    @property
    def available(self) -> int:
        """What a new order may take."""
        return self.cash - self.locked


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """A new order under judgement, as far as the lock of its market is concerned."""

    outcome: Side
    outlay: int = 0
    """What a Buy may cost in all, fee included."""
    buying: int = 0
    selling: int = 0


def lock_of(market: PaperMarket, terms: Terms, extra: Extra | None = None) -> int:
    """
    Return what the working orders of a market may still take from cash in their worst case.

    A resting Buy pays its limit. Where positions net, the contracts that it closes (what is held
    of the other outcome and not for sale already) return a dollar each.
    """
    lock = 0
    for outcome in Side:
        buys = [
            order
            for order in market.working.values()
            if order.action is Action.BUY and order.outcome is outcome
        ]
        outlay = sum(_resting_cost(order, terms) for order in buys)
        quantity = sum(order.remaining for order in buys)
        if extra is not None and extra.outcome is outcome:
            outlay += extra.outlay
            quantity += extra.buying
        if terms.is_netting and quantity:
            other = outcome.opposite
            kept = market.held(other) - market.selling(other)
            if extra is not None and extra.outcome is other:
                kept -= extra.selling
            outlay -= min(quantity, max(0, kept))
        lock += max(0, outlay)
    return lock


def _resting_cost(order: PaperOrder, terms: Terms) -> int:
    price, quantity = order.limit_price, order.remaining
    fee = fee_on_grid(terms.maker_rate, quantity, price, terms.fee_grid)
    return mul_ceil(price, quantity) + fee


class PaperState(msgspec.Struct, kw_only=True):
    """Everything that the exchange knows between two commits."""

    accounts: dict[Platform, PaperAccount]
    markets: dict[tuple[Platform, str], PaperMarket] = {}
    names: dict[tuple[Platform, str], tuple[PaperMarket, bool]] = {}
    """A venue's own name for an outcome -> market, and whether it names the market's No."""
    working: dict[str, PaperOrder] = {}
    sequence: int = 0
    """Of the last order accepted."""

    def list_market(self, market: PaperMarket) -> None:
        """Make a market known under all of its names."""
        self.markets[market.platform, market.key] = market
        self.names[market.platform, market.yes_id] = (market, False)
        if market.no_id is not None:
            self.names[market.platform, market.no_id] = (market, True)


def as_listed(orders: Iterable[PaperOrder]) -> list[PaperOrder]:
    """Return orders by time of acceptance."""
    return sorted(orders, key=lambda order: order.sequence)
