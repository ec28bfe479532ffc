"""The rules of the paper exchange: what each order, quote, settlement and hour does to its state.

Guarantees that the same calls give the same state, fills, ids and reports, in memory and without
a clock of its own. What it changes is collected; nothing of it may be told to anybody
before the book has made it durable. A refused order changes nothing.
"""

from collections.abc import Callable

from arbees.core.deciding.outcomes import (
    Accepted,
    ApprovedOrder,
    CancelAccepted,
    CancelMissed,
    CancelOutcome,
    Fill,
    Refused,
    Settled,
)
from arbees.core.language.quote import (
    Quote,
    Settlement,
    is_outdated,
    sound,
)
from arbees.core.language.words import (
    OrderStatus,
    Platform,
    TimeInForce,
)
from arbees.venues.paper import admission, listing, matching
from arbees.venues.paper.expiries import Expiries
from arbees.venues.paper.ledger import CashMove, Ledger, Settling
from arbees.venues.paper.state import PaperMarket, PaperOrder, PaperState

_KEEPS_WORKING = frozenset({TimeInForce.GTC, TimeInForce.GTD})


class Engine(Ledger):
    """Applies one thing at a time; `take_changes` hands over what came of it."""

    def __init__(self, state: PaperState, is_spent: Callable[[str], bool]) -> None:
        """
        Take over a state.

        Args:
            state: as read from the book.
            is_spent: whether a client order id is in the durable book.
        """
        super().__init__(state)
        self._is_spent = is_spent
        self._expiries = Expiries(state.working)
        for market in state.markets.values():
            self.relock(market)

    def next_due_ns(self) -> int | None:
        """Return when the next working order expires."""
        return self._expiries.next_due_ns()

    def accept(self, approved: ApprovedOrder, now_ns: int) -> Accepted | Refused:
        """Judge one order; match it and keep the rest working where its time in force says so."""
        client_order_id = approved.client_order_id
        if client_order_id in self.changes.orders or self._is_spent(client_order_id):
            return Refused(
                venue_code="order_already_exists", message="The client order id is spent"
            )
        found = self.state.names.get((approved.platform, approved.market_id))
        if found is None:
            return Refused(venue_code="market_not_found", message="No quote ever named the market")
        market, is_flipped = found
        order = admission.draft(
            approved, market, self.state.sequence + 1, now_ns, is_flipped=is_flipped
        )
        refused = admission.refuse_form(order, market, now_ns)
        if refused is not None:
            return refused
        barrier = market.own_best(is_bid=order.is_bid)
        plan = matching.take(
            market.depth(is_bid=order.is_bid),
            is_bid=order.is_bid,
            limit=order.yes_limit,
            quantity=order.quantity,
            lot=market.lot,
            barrier=barrier,
        )
        refused = admission.refuse_means(order, market, self.state.accounts[order.platform], plan)
        if refused is not None:
            return refused
        self.state.sequence = order.sequence
        self.changes.orders[client_order_id] = order
        is_killed = order.time_in_force is TimeInForce.FOK and matching.total(plan) < order.quantity
        fills = () if is_killed else self._take(order, market, plan, now_ns)
        self._place(order, market, barrier, now_ns, is_killed=is_killed)
        self.trim(market, now_ns)
        self.relock(market)
        return Accepted(
            venue_order_id=order.order_id, time_ns=now_ns, fills=fills, closed=order.closed
        )

    def cancel(
        self, client_order_id: str, platform: Platform, now_ns: int, *, fills_first: bool = False
    ) -> CancelOutcome:
        """
        Cancel what remains of an order.

        Args:
            client_order_id: ours.
            platform: where it was sent.
            now_ns: when the cancel arrived.
            fills_first: a drill: the rest is filled at its limit just before, and the answer
                still says cancelled.
        """
        order = self.state.working.get(client_order_id)
        if order is None or order.platform is not platform:
            return CancelMissed(message="No working order under this id")
        market = self.state.markets[order.platform, order.market_key]
        quantity = order.remaining
        if fills_first:
            self.fill(order, market, order.limit_price, quantity, now_ns, is_maker=True)
        else:
            self.close(order, market, OrderStatus.CANCELLED, "requested", now_ns)
        self.trim(market, now_ns)
        self.relock(market)
        return CancelAccepted(quantity=quantity, time_ns=now_ns)

    def quote(self, quote: Quote, now_ns: int) -> None:
        """
        Take the newest depth of a market; what rests and is crossed fills at its own limit.

        One that comes after a newer one is ignored, as the gateway's safeguards ignore it. Of one
        that is crossed or locked nothing fills, nor any more of the one before it.
        """
        quote = sound(quote)
        market, is_flipped, is_new = listing.of_quote(self.state, quote)
        if is_new:
            self.changes.markets[market.platform, market.key] = market
        if market.payouts is not None:
            return
        known_ns = market.quoted_ns
        if known_ns is not None and is_outdated(quote.ts_ns, known_ns, now_ns):
            return
        market.quoted_ns = quote.ts_ns
        is_open = quote.status != "closed"
        if is_open is not market.is_open:
            market.is_open = is_open
            self.changes.markets[market.platform, market.key] = market
        if not is_open:
            market.bids, market.asks = [], []
            self.cancel_all(market, "market_closed", now_ns)
            return
        if is_flipped:
            market.bids = matching.mirrored(quote.asks)
            market.asks = matching.mirrored(quote.bids)
        else:
            market.bids, market.asks = list(quote.bids), list(quote.asks)
        if market.working:
            self._cross(market, now_ns)

    def settle(self, settlement: Settlement, now_ns: int) -> None:
        """Close a market for ever and pay it out; an amended result pays the difference."""
        market, is_flipped = listing.of_settlement(self.state, settlement)
        payouts = settlement.payouts.flipped if is_flipped else settlement.payouts
        paid = market.payouts
        if paid == payouts:
            return
        market.bids, market.asks = [], []
        self.cancel_all(market, "market_settled", now_ns)
        before = 0 if paid is None else paid.value(market.settled_yes, market.settled_no)
        market.settled_yes += market.yes
        market.settled_no += market.no
        in_all = payouts.value(market.settled_yes, market.settled_no)
        self.changes.settlings.append(
            Settling(
                market=market,
                market_id=settlement.market_id,
                payouts=payouts,
                yes=market.settled_yes,
                no=market.settled_no,
                payout=in_all,
                settled_ns=now_ns,
            )
        )
        market.is_open, market.payouts, market.settled_ns = False, payouts, now_ns
        market.yes = market.no = 0
        self.changes.markets[market.platform, market.key] = market
        self.pay(market.platform, in_all - before)
        self.report(
            market.platform,
            Settled(
                platform=market.platform,
                market_id=settlement.market_id,
                payouts=settlement.payouts,
                time_ns=now_ns,
            ),
        )

    def expire(self, now_ns: int) -> None:
        """End every working order whose expiry has come, in the order of their expiries."""
        while (order := self._expiries.take_due(now_ns)) is not None:
            market = self.state.markets[order.platform, order.market_key]
            self.close(order, market, OrderStatus.EXPIRED, "expired", now_ns)
            self.relock(market)

    def move_cash(self, platform: Platform, amount: int, now_ns: int) -> bool:
        """Deposit (> 0) or withdraw (< 0); False if a withdrawal exceeds what is available."""
        if amount < 0 and self.state.accounts[platform].available + amount < 0:
            return False
        self.changes.moves.append(CashMove(platform=platform, amount=amount, created_ns=now_ns))
        self.pay(platform, amount)
        return True

    def _take(
        self, order: PaperOrder, market: PaperMarket, plan: list[tuple[int, int]], now_ns: int
    ) -> tuple[Fill, ...]:
        self.use_up(order, market, plan)
        order.taken_count = len(plan)
        return tuple(
            self.fill(
                order,
                market,
                admission.named_price(order, price),
                quantity,
                now_ns,
                is_maker=False,
            )
            for price, quantity in plan
        )

    def _place(
        self,
        order: PaperOrder,
        market: PaperMarket,
        barrier: int | None,
        now_ns: int,
        *,
        is_killed: bool,
    ) -> None:
        """Let what remains of a new order work, or end it; nothing is reported of that."""
        if not order.remaining:
            return
        if is_killed:
            self.end(order, OrderStatus.CANCELLED, "killed", "killed", now_ns)
        elif order.time_in_force not in _KEEPS_WORKING:
            self.end(order, OrderStatus.CANCELLED, "cancelled", "not_filled", now_ns)
        elif barrier is not None and matching.reaches(
            barrier, order.yes_limit, is_bid=order.is_bid
        ):
            self.end(order, OrderStatus.CANCELLED, "cancelled", "self_trade", now_ns)
        elif (
            order.time_in_force is TimeInForce.GTD
            and order.expires_ns is not None
            and order.expires_ns <= now_ns
        ):
            self.end(order, OrderStatus.EXPIRED, "expired", "expired", now_ns)
        else:
            self.state.working[order.client_order_id] = order
            market.working[order.client_order_id] = order
            self._expiries.watch(order)

    def _cross(self, market: PaperMarket, now_ns: int) -> None:
        """Fill resting orders that a new quote crosses: best price first, then oldest first."""
        ranked = sorted(
            market.working.values(),
            key=lambda order: (
                -order.yes_limit if order.is_bid else order.yes_limit,
                order.sequence,
            ),
        )
        for order in ranked:
            if order.client_order_id not in market.working:
                continue
            plan = matching.take(
                market.depth(is_bid=order.is_bid),
                is_bid=order.is_bid,
                limit=order.yes_limit,
                quantity=order.remaining,
                lot=market.lot,
            )
            if not plan:
                continue
            self.use_up(order, market, plan)
            self.fill(order, market, order.limit_price, matching.total(plan), now_ns, is_maker=True)
            self.trim(market, now_ns)
        self.relock(market)
