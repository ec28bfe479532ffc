"""Compares what a simulated Kalshi did with what a gateway's journal and book say of it.

Guarantees that nothing is taken on trust: orders, fills, positions and cash of the exchange's own
record against those of the durable one, to the last micro-dollar; duplicates are counted where they
would happen, at the exchange, and so are breaches of limits, as they happen.
"""

from collections import Counter

import msgspec

from arbees.core import events
from arbees.core.language.ids import CLIENT_ORDER_ID_PREFIX
from arbees.core.language.units import (
    MICRO,
    format_dollars,
    format_micro,
    mul_ceil,
    parse_micro,
)
from arbees.core.language.words import OrderStatus, Platform
from arbees.core.ports import Journal
from arbees.rehearsal.kalshi.engine.exchange import Exchange
from arbees.rehearsal.kalshi.engine.rules import (
    ExchangeChange,
    ExchangeFill,
    ExchangeOrder,
    Status,
)
from arbees.rehearsal.kalshi.server import OWNER
from arbees.runtime.desk import Desk
from arbees.settings import Settings
from arbees.venues.kalshi.markets.markets import pool_name


class Comparison(msgspec.Struct, kw_only=True):
    """What differs; everything 0 and empty = the two agree."""

    duplicates: int = 0
    """Client order ids with more than one order at the exchange."""
    lost_fills: int = 0
    """Fills of ours at the exchange that the journal does not have."""
    unknown: int = 0
    """Orders whose outcome the gateway does not know, or still waits for."""
    differences: list[str] = []

    @property
    def is_agreed(self) -> bool:
        """Whether all is the same."""
        return not (self.duplicates or self.lost_fills or self.unknown or self.differences)


class JournaledOrders(msgspec.Struct):
    """What a journal says of orders and fills; it is read on from where it was left."""

    sequence: int = 0
    approved: set[str] = set()
    fills: dict[str, tuple[str, int, int]] = {}
    """By trade: our order, quantity, fee."""

    def read_on(self, journal: Journal) -> None:
        """Take what is durable meanwhile."""
        for stored in journal.records(self.sequence):
            self.sequence = stored.sequence
            event = events.decode(stored.body)
            if isinstance(event, events.OrderApproved):
                self.approved.add(event.client_order_id)
            elif isinstance(event, events.OrderFilled):
                self.fills[event.trade_id] = (event.client_order_id, event.quantity, event.fee)
            elif isinstance(event, events.FillReversed):
                self.fills.pop(event.trade_id, None)


def compare(exchange: Exchange, desk: Desk, told: JournaledOrders) -> Comparison:
    """Compare everything, now; what is under way shows as a difference."""
    told.read_on(desk.journal)
    found = Comparison()
    ours = [each for each in exchange.orders.values() if is_ours(each)]
    counts = Counter(each.client_order_id for each in ours)
    found.duplicates = sum(count - 1 for count in counts.values())
    open_orders = desk.book.orders.values()
    found.unknown = sum(
        each.status in {OrderStatus.UNKNOWN, OrderStatus.PENDING} for each in open_orders
    )
    found.differences += _orders(ours, desk, told)
    _fills(exchange, told, found)
    found.differences += _positions(exchange, desk)
    found.differences += _cash(exchange, desk)
    return found


def is_ours(order: ExchangeOrder) -> bool:
    """Tell whether a gateway placed an order of the account."""
    return order.owner == OWNER and order.client_order_id.startswith(CLIENT_ORDER_ID_PREFIX)


def _orders(ours: list[ExchangeOrder], desk: Desk, told: JournaledOrders) -> list[str]:
    there = {each.client_order_id: each for each in ours}
    found: list[str] = []
    for name, order in there.items():
        held = desk.book.orders.get(name)
        if name not in told.approved:
            found.append(f"{name}: the journal does not know it")
        elif order.status is Status.RESTING and held is None:
            found.append(f"{name}: works at the exchange, ended in the journal")
        elif order.status is not Status.RESTING and held is not None:
            found.append(f"{name}: {order.status} at the exchange, {held.status} in the book")
        elif held is not None and held.filled != order.filled:
            found.append(f"{name}: {order.filled} filled at the exchange, {held.filled} here")
        elif held is not None and held.venue_order_id != order.order_id:
            found.append(f"{name}: {order.order_id} at the exchange, {held.venue_order_id} here")
    found += [f"{name}: open here, unknown there" for name in desk.book.orders.keys() - there]
    return found


def _fills(exchange: Exchange, told: JournaledOrders, found: Comparison) -> None:
    theirs = {
        each.trade_id: (each.client_order_id, each.count, each.fee)
        for each in exchange.fills
        if each.owner == OWNER and each.client_order_id.startswith(CLIENT_ORDER_ID_PREFIX)
    }
    found.lost_fills = len(theirs.keys() - told.fills.keys())
    found.differences += [
        f"fill {name}: not at the exchange" for name in told.fills - theirs.keys()
    ]
    found.differences += [
        f"fill {name}: {theirs[name]} at the exchange, {told.fills[name]} here"
        for name in theirs.keys() & told.fills.keys()
        if theirs[name] != told.fills[name]
    ]


def _positions(exchange: Exchange, desk: Desk) -> list[str]:
    theirs = {name: held for name, held in exchange.account(OWNER).positions.items() if held}
    ours = {
        market.listing.market_id: market.yes.quantity - market.no.quantity
        for market in desk.book.markets.values()
        if market.yes.quantity != market.no.quantity
    }
    return [
        f"{name}: {format_micro(theirs.get(name, 0))} at the exchange, "
        f"{format_micro(ours.get(name, 0))} here"
        for name in sorted(theirs.keys() | ours.keys())
        if theirs.get(name, 0) != ours.get(name, 0)
    ]


def _cash(exchange: Exchange, desk: Desk) -> list[str]:
    found: list[str] = []
    for shard, cash in exchange.account(OWNER).cash.items():
        ours = desk.book.ledgers.get(pool_name(shard) or Platform.KALSHI)
        if ours is None:
            found.append(f"cash of shard {shard}: not counted here")
        elif ours != cash:
            found.append(
                f"cash of shard {shard}: {format_dollars(cash)} at the exchange, "
                f"{format_dollars(ours)} here"
            )
    return found


class SeenLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits as an exchange could see them: in millionths."""

    market: int
    """Worst case of a market, in micro-dollars."""
    contracts: int
    """Of one order."""
    open_orders: int


def limits_of(settings: Settings) -> SeenLimits:
    """Return the limits that an exchange could see exceeded."""
    recorded = settings.recorded()
    return SeenLimits(
        market=parse_micro(recorded["MAX_POSITION_PER_MARKET"]),
        contracts=parse_micro(recorded["MAX_ORDER_CONTRACTS"]),
        open_orders=int(recorded["MAX_OPEN_ORDERS"]),
    )


class LimitWatch:
    """Looks at every change of the exchange for a limit that was exceeded there."""

    def __init__(self, exchange: Exchange, limits: SeenLimits) -> None:
        """Watch an exchange."""
        self._exchange = exchange
        self._limits = limits
        self.breaches: list[str] = []
        self.worst = 0
        """The most that a market had at stake."""
        exchange.listeners.append(self._on_change)

    def _on_change(self, change: ExchangeChange) -> None:
        if change.owner == OWNER and isinstance(change.about, ExchangeOrder | ExchangeFill):
            self.look(change.about.ticker)

    def look(self, ticker: str) -> None:
        """Look at a market."""
        resting = self._exchange.resting(OWNER)
        at_stake = self._at_stake(ticker, [each for each in resting if each.ticker == ticker])
        self.worst = max(self.worst, at_stake)
        if at_stake > self._limits.market:
            self.breaches.append(f"{ticker}: {format_dollars(at_stake)} at stake")
        if len(resting) > self._limits.open_orders:
            self.breaches.append(f"{len(resting)} orders open")
        largest = max((each.count for each in resting), default=0)
        if largest > self._limits.contracts:
            self.breaches.append(f"an order of {format_micro(largest)} contracts")

    def _at_stake(self, ticker: str, resting: list[ExchangeOrder]) -> int:
        """Return what the position cost and what resting orders would: fees come on top."""
        account = self._exchange.account(OWNER)
        return account.costs.get(ticker, 0) + sum(
            mul_ceil(each.price if each.is_bid else MICRO - each.price, each.remaining)
            for each in resting
        )
