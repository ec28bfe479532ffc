"""What the simulated exchange remembers: markets, accounts, orders as they were, and what it tells.

Guarantees that whatever it did can be read back as of any moment, so that reads can lag as Kalshi's
do; whoever listens hears each change in order.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator

import msgspec

from arbees.rehearsal.kalshi.engine.catalogue import ExchangeCatalogue
from arbees.rehearsal.kalshi.engine.money import Archive, Money
from arbees.rehearsal.kalshi.engine.rules import (
    MAKER,
    OWNER,
    ExchangeAccount,
    ExchangeChange,
    ExchangeFill,
    ExchangeGroup,
    ExchangeMarket,
    ExchangeOrder,
    ExchangeSettlement,
    Status,
)


class ExchangeRecords:
    """Everything that an exchange has, behind one clock."""

    def __init__(self, now_ns: Callable[[], int], seed: int = 0) -> None:
        """Start empty."""
        self.now_ns = now_ns
        self.random = random.Random(seed)
        self.markets: dict[str, ExchangeMarket] = {}
        self.orders: dict[str, ExchangeOrder] = {}
        """All that somebody placed."""
        self.working: dict[str, ExchangeOrder] = {}
        """Those of them that rest."""
        self.fills: list[ExchangeFill] = []
        self.invented: list[ExchangeFill] = []
        """Fills that lists have and that never happened."""
        self.accounts: dict[str, ExchangeAccount] = {}
        self.groups: dict[str, ExchangeGroup] = {}
        self.catalogue = ExchangeCatalogue()
        self.archive = Archive(now_ns)
        self.money = Money(self.account, now_ns, self.new_order_id, OWNER)
        self.history: dict[str, list[tuple[int, ExchangeOrder]]] = {}
        """Each order as it was, by when."""
        self.listeners: list[Callable[[ExchangeChange], None]] = []
        self.settlements: list[ExchangeSettlement] = []

    def account(self, owner: str) -> ExchangeAccount:
        """Return somebody's account; it begins empty."""
        if owner not in self.accounts:
            self.accounts[owner] = msgspec.convert({"owner": owner}, ExchangeAccount)
        return self.accounts[owner]

    def add_market(self, market: ExchangeMarket, start_ns: int | None = None) -> None:
        """List a market; its game starts then, if the venue knows when."""
        self.markets[market.ticker] = market
        self.catalogue.add(market, start_ns, self.now_ns())

    def held(self, owner: str, shard: int) -> int:
        """Return what resting orders hold of the cash of a shard, in micro-dollars."""
        return sum(
            order.held_of(self.account(order.owner))
            for order in self.resting(owner)
            if self.markets[order.ticker].shard == shard
        )

    def available(self, owner: str, shard: int) -> int:
        """Return cash less what resting orders hold, in micro-dollars."""
        return self.account(owner).cash.get(shard, 0) - self.held(owner, shard)

    def resting(self, owner: str) -> list[ExchangeOrder]:
        """Return somebody's resting orders, oldest first."""
        return [order for order in self.working.values() if order.owner == owner]

    def order_at(self, order_id: str, as_of_ns: int) -> ExchangeOrder | None:
        """Return an order as it was at a moment; None = not there yet."""
        versions = self.history.get(order_id, [])
        place = bisect_right(versions, as_of_ns, key=lambda version: version[0])
        return versions[place - 1][1] if place else None

    def orders_at(self, as_of_ns: int) -> Iterator[ExchangeOrder]:
        """Yield all orders as they were at a moment, newest first."""
        for order_id in reversed(self.history):
            order = self.order_at(order_id, as_of_ns)
            if order is not None:
                yield order

    def new_order_id(self) -> str:
        """Return an id in the shape of the venue's, the same for the same seed."""
        digits = f"{self.random.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def changed(self, order: ExchangeOrder, reason: str = "") -> None:
        """Keep an order as it is now, and tell its owner."""
        now_ns = self.now_ns()
        order.updated_ns = now_ns
        if reason and order.status is not Status.CANCELED:
            order.reason = reason
        if order.owner == MAKER:
            return
        if order.status is Status.RESTING:
            self.working[order.order_id] = order
        else:
            self.working.pop(order.order_id, None)
        kept = msgspec.structs.replace(order)
        self.history.setdefault(order.order_id, []).append((now_ns, kept))
        self.tell("user_orders", order.owner, kept)

    def book(self, order: ExchangeOrder, change: int) -> None:
        """Tell that a level of the book changed."""
        self.tell("orderbook_delta", "", (order, change))

    def tell_group(self, group: ExchangeGroup, event: str) -> None:
        """Tell what became of an order group."""
        self.tell("order_group_updates", group.owner, (group, event))

    def tell(self, channel: str, owner: str, about: object) -> None:
        """Tell whoever listens what happened; an owner of "" means everybody."""
        change = ExchangeChange(channel, owner, about)
        for listener in self.listeners:
            listener(change)
