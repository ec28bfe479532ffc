"""A second paper exchange, slow and obvious: one contract at a time, in fractions of a dollar.

Guarantees independence: it shares no arithmetic with the real one. Depth is a list with one entry
for each contract, money is `Fraction`, and fees follow the venues' pages word by word.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)

KALSHI = Platform.KALSHI
RATE = {Platform.KALSHI: Fraction(7, 100), Platform.POLYMARKET: Fraction(5, 100)}
DOLLAR = Fraction(1)


@dataclass
class Resting:
    """A working order of whole contracts."""

    name: str
    side: Side
    action: Action
    price: Fraction
    left: int
    expires: int | None

    @property
    def bids(self) -> bool:
        """Whether it wants Yes."""
        return (self.side is Side.YES) == (self.action is Action.BUY)

    @property
    def yes_price(self) -> Fraction:
        """Its price in terms of Yes."""
        return self.price if self.side is Side.YES else DOLLAR - self.price


@dataclass
class Market:
    """One binary market at one venue, with the money of that venue."""

    platform: Platform
    cash: Fraction
    is_known: bool = False
    is_open: bool = True
    is_settled: bool = False
    winner: Side = Side.YES
    """Of what is settled."""
    held: dict[Side, int] = field(default_factory=lambda: {Side.YES: 0, Side.NO: 0})
    paid: dict[Side, int] = field(default_factory=lambda: {Side.YES: 0, Side.NO: 0})
    bids: list[Fraction] = field(default_factory=list)
    asks: list[Fraction] = field(default_factory=list)
    resting: list[Resting] = field(default_factory=list)
    ended: list[tuple[str, str]] = field(default_factory=list)
    """Names of the orders that ended while working, and how; for comparison."""
    made: list[tuple[str, Fraction, int]] = field(default_factory=list)
    """Fills of resting orders: name, price, contracts."""

    def crossing(self, order: Resting, *, avoids_own: bool) -> Fraction | None:
        """Return the next contract's Yes price that an order would trade at."""
        offers = self.asks if order.bids else self.bids
        if not offers:
            return None
        best = min(offers) if order.bids else max(offers)
        if (best > order.yes_price) if order.bids else (best < order.yes_price):
            return None
        if avoids_own:
            for other in self.resting:
                if other.bids != order.bids and (
                    other.yes_price <= best if order.bids else other.yes_price >= best
                ):
                    return None
        return best

    def meets_own(self, order: Resting) -> bool:
        """Whether an order would trade with one of our own."""
        return any(
            other.bids != order.bids
            and (
                other.yes_price <= order.yes_price
                if order.bids
                else other.yes_price >= order.yes_price
            )
            for other in self.resting
        )

    def submit(self, order: Resting, kind: TimeInForce, now: int) -> tuple[list[Fraction], str]:
        """Trade what trades now; return the price of each contract, and how the order ended."""
        wanted = order.left
        taken: list[Fraction] = []
        while order.left and (price := self.crossing(order, avoids_own=True)) is not None:
            (self.asks if order.bids else self.bids).remove(price)
            taken.append(price)
            order.left -= 1
        if kind is TimeInForce.FOK and order.left:
            (self.asks if order.bids else self.bids).extend(taken)
            return [], "killed"
        named = [price if order.side is Side.YES else DOLLAR - price for price in taken]
        exact: list[Fraction] = []
        for price in sorted(set(named), reverse=order.action is Action.SELL):
            count = named.count(price)
            exact.append(_micro_up(RATE[self.platform] * count * price * (DOLLAR - price)))
            self._exchange_cash(order, price, count)
        self.cash -= fees(self.platform, exact)
        if not order.left:
            end = "filled"
        elif kind in {TimeInForce.IOC, TimeInForce.FOK} or self.meets_own(order):
            end = "cancelled"
        elif order.expires is not None and order.expires <= now:
            end = "expired"
        else:
            self.resting.append(order)
            end = "working"
        order.left = order.left if end == "working" else wanted - len(taken)
        self._drop_uncovered_sells()
        return named, end

    def quote(self, bids: list[Fraction], asks: list[Fraction], *, is_open: bool) -> None:
        """Take a whole book; what rests and is crossed trades at its own price."""
        self.is_known = True
        if self.is_settled:
            return
        self.is_open = is_open
        if not is_open:
            self.bids, self.asks = [], []
            self.cancel_all()
            return
        self.bids, self.asks = list(bids), list(asks)
        buyers = sorted((o for o in self.resting if o.bids), key=lambda o: -o.yes_price)
        sellers = sorted((o for o in self.resting if not o.bids), key=lambda o: o.yes_price)
        everyone = sorted(buyers + sellers, key=lambda o: -o.yes_price if o.bids else o.yes_price)
        for order in everyone:
            count = 0
            if order not in self.resting:
                continue
            while order.left and (price := self.crossing(order, avoids_own=False)) is not None:
                (self.asks if order.bids else self.bids).remove(price)
                order.left -= 1
                count += 1
            if count:
                self.made.append((order.name, order.price, count))
                self._exchange_cash(order, order.price, count)
                if not order.left:
                    self.resting.remove(order)
                self._drop_uncovered_sells()

    def settle(self, winner: Side) -> None:
        """Pay a dollar for each winning contract and close for ever; a later word corrects it."""
        self.is_known = True
        self.cancel_all()
        if self.is_settled:
            self.cash += self.paid[winner] - self.paid[self.winner]
        else:
            self.cash += self.held[winner]
            self.paid, self.held = self.held, {Side.YES: 0, Side.NO: 0}
        self.winner = winner
        self.bids, self.asks = [], []
        self.is_open, self.is_settled = False, True

    def cancel_all(self) -> None:
        """End everything that works, oldest first."""
        self.ended += [(order.name, "cancelled") for order in self.resting]
        self.resting = []

    def expire(self, now: int) -> None:
        """End what is due, earliest first."""
        due = [o for o in self.resting if o.expires is not None and o.expires <= now]
        for order in sorted(due, key=lambda o: o.expires or 0):
            self.ended.append((order.name, "expired"))
            self.resting.remove(order)

    def for_sale(self, side: Side) -> int:
        """Return the contracts of a side that working Sells offer."""
        return sum(o.left for o in self.resting if o.action is Action.SELL and o.side is side)

    def most_locked(self) -> Fraction:
        """Return what working Buys could cost if nothing were netted."""
        return sum((o.price * o.left for o in self.resting if o.action is Action.BUY), Fraction(0))

    def _exchange_cash(self, order: Resting, price: Fraction, count: int) -> None:
        for _ in range(count):
            if order.action is Action.SELL:
                self.held[order.side] -= 1
                self.cash += price
                continue
            self.cash -= price
            if self.platform is KALSHI and self.held[order.side.opposite]:
                self.held[order.side.opposite] -= 1
                self.cash += 1
            else:
                self.held[order.side] += 1

    def _drop_uncovered_sells(self) -> None:
        for side in Side:
            while self.for_sale(side) > self.held[side]:
                sells = [o for o in self.resting if o.action is Action.SELL and o.side is side]
                self.ended.append((sells[-1].name, "cancelled"))
                self.resting.remove(sells[-1])


def _micro_up(amount: Fraction) -> Fraction:
    return Fraction(ceil(amount * 1_000_000), 1_000_000)


def fees(platform: Platform, exact: list[Fraction]) -> Fraction:
    """Return what an order pays: Kalshi rounds its sum to $0.0001, Polymarket each to $0.00001."""
    if platform is KALSHI:
        return Fraction(ceil(sum(exact) * 10_000), 10_000)
    return sum((Fraction(ceil(fee * 100_000), 100_000) for fee in exact), Fraction(0))
