"""What the paper exchange holds and owes: fills, cash and ends, and what one batch changed."""

import msgspec

from arbees.core.deciding.outcomes import Fill, Filled, OrderClosed, Report
from arbees.core.language.payouts import Payouts
from arbees.core.language.units import mul_ceil, mul_floor
from arbees.core.language.words import Action, OrderStatus, Platform, Side
from arbees.venues.paper import matching
from arbees.venues.paper.charges import charge
from arbees.venues.paper.state import PaperMarket, PaperOrder, PaperState, as_listed, lock_of
from arbees.venues.paper.terms import TERMS


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


class Ledger:
    """Books what happens to orders, contracts and cash; `take_changes` hands it over."""

    def __init__(self, state: PaperState) -> None:
        """Take over a state, as read from the book."""
        self.state = state
        self.changes = ExchangeChanges()

    def take_changes(self) -> ExchangeChanges:
        """Return everything since the last call."""
        changes, self.changes = self.changes, ExchangeChanges()
        return changes

    def use_up(self, order: PaperOrder, market: PaperMarket, plan: list[tuple[int, int]]) -> None:
        """Take from a book what a plan takes of it."""
        if order.is_bid:
            market.asks = matching.use_up(market.asks, plan)
        else:
            market.bids = matching.use_up(market.bids, plan)

    def fill(
        self,
        order: PaperOrder,
        market: PaperMarket,
        price: int,
        quantity: int,
        now_ns: int,
        *,
        is_maker: bool,
    ) -> Fill:
        """Book one execution; price is of the named side."""
        fee = charge(order, quantity, price, is_maker=is_maker)
        order.fill_count += 1
        order.filled += quantity
        order.updated_ns = now_ns
        order.status = OrderStatus.PARTIALLY_FILLED
        fill = Fill(
            client_order_id=order.client_order_id,
            trade_id=f"{order.client_order_id}-{order.fill_count}",
            quantity=quantity,
            price=price,
            fee=fee,
            is_maker=is_maker,
            time_ns=now_ns,
        )
        self._hold(order, market, price, quantity, fee)
        self.changes.orders[order.client_order_id] = order
        self.changes.fills.append((order.order_id, fill))
        self.report(order.platform, Filled(fill=fill))
        if not order.remaining:
            self.end(order, OrderStatus.FILLED, "filled", None, now_ns)
            market.working.pop(order.client_order_id, None)
        return fill

    def _hold(
        self, order: PaperOrder, market: PaperMarket, price: int, quantity: int, fee: int
    ) -> None:
        """Move contracts and cash; where positions net, a closed pair pays its dollar at once."""
        if order.action is Action.SELL:
            market.add(order.outcome, -quantity)
            self.pay(order.platform, mul_floor(price, quantity) - fee)
        else:
            pairs = 0
            if TERMS[order.platform].is_netting:
                pairs = min(quantity, market.held(order.outcome.opposite))
                market.add(order.outcome.opposite, -pairs)
            market.add(order.outcome, quantity - pairs)
            self.pay(order.platform, pairs - mul_ceil(price, quantity) - fee)
        self.changes.markets[market.platform, market.key] = market

    def trim(self, market: PaperMarket, now_ns: int) -> None:
        """Cancel the newest Sells of what is no longer held: a Sell only ever closes."""
        for outcome in Side:
            excess = market.selling(outcome) - market.held(outcome)
            for order in reversed(as_listed(market.working.values())):
                if excess <= 0:
                    break
                if order.action is Action.SELL and order.outcome is outcome:
                    excess -= order.remaining
                    self.close(order, market, OrderStatus.CANCELLED, "position_closed", now_ns)

    def cancel_all(self, market: PaperMarket, reason: str, now_ns: int) -> None:
        """Cancel all that works in a market."""
        for order in as_listed(market.working.values()):
            self.close(order, market, OrderStatus.CANCELLED, reason, now_ns)
        self.relock(market)

    def close(
        self,
        order: PaperOrder,
        market: PaperMarket,
        status: OrderStatus,
        reason: str,
        now_ns: int,
    ) -> None:
        """End a working order and say so on the account's stream."""
        closed = "expired" if status is OrderStatus.EXPIRED else "cancelled"
        self.end(order, status, closed, reason, now_ns)
        market.working.pop(order.client_order_id, None)
        self.report(
            order.platform,
            OrderClosed(
                client_order_id=order.client_order_id,
                closed=closed,
                reason=reason,
                time_ns=now_ns,
                filled=order.filled,
            ),
        )

    def end(
        self, order: PaperOrder, status: OrderStatus, closed: str, reason: str | None, now_ns: int
    ) -> None:
        """End an order; nothing is told of that."""
        order.status, order.closed, order.reason = status, closed, reason
        order.updated_ns = now_ns
        self.state.working.pop(order.client_order_id, None)
        self.changes.orders[order.client_order_id] = order

    def relock(self, market: PaperMarket) -> None:
        """Lock the cash that a market's working orders may take."""
        lock = lock_of(market, TERMS[market.platform])
        self.state.accounts[market.platform].locked += lock - market.locked
        market.locked = lock

    def pay(self, platform: Platform, amount: int) -> None:
        """Pay into an account (> 0) or out of it."""
        self.state.accounts[platform].cash += amount
        self.changes.accounts.add(platform)

    def report(self, platform: Platform, report: Report) -> None:
        """Collect what an account is told."""
        self.changes.reports.append((platform, report))
