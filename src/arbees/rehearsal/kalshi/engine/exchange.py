"""The simulated exchange: takes orders, matches them, moves money, remembers everything.

Guarantees price-time priority over one book a market, quoted from Yes; that a client order id is
spent for ever by an order that was taken. Pure but for its clock.
"""

from bisect import insort
from collections.abc import Callable

from arbees.core.language.units import MICRO
from arbees.rehearsal.kalshi.engine import rules
from arbees.rehearsal.kalshi.engine.account_owner import AccountOwner
from arbees.rehearsal.kalshi.engine.lifecycle import MarketLifecycle
from arbees.rehearsal.kalshi.engine.money import returned
from arbees.rehearsal.kalshi.engine.records import ExchangeRecords
from arbees.rehearsal.kalshi.engine.rules import (
    CANCEL_ALL_REACH_NS,
    COUNT_STEP,
    SHARDS,
    ExchangeAccount,
    ExchangeFill,
    ExchangeGroup,
    ExchangeMarket,
    ExchangeOrder,
    ExchangeRefusal,
    Status,
    move,
)

MAKER = rules.MAKER


class Exchange(ExchangeRecords):
    """Matches orders, moves money, cancels and settles."""

    def __init__(self, now_ns: Callable[[], int], seed: int = 0) -> None:
        """Start empty."""
        super().__init__(now_ns, seed)
        self.lifecycle = MarketLifecycle(self)
        self.by_hand = AccountOwner(self)
        self.paused: set[int] = set()
        """Shards on which nothing trades; cancels are taken."""
        self.shut: set[int] = set()
        """Shards that take nothing, cancels neither."""
        self._cancelled_all: dict[str, int] = {}

    # Orders ------------------------------------------------------------------------------------

    def create(self, order: ExchangeOrder) -> ExchangeOrder:
        """
        Take an order, match it, and let the rest of it rest.

        Raises:
            Refused: it was not placed.
        """
        self.tick()
        market = _require(self, order)
        _require_group(self, order, market)
        account = self.account(order.owner)
        if order.reduce_only:
            _cap_to_position(self.account(order.owner), order)
        _require_cash(self, order, market)
        if order.client_order_id:
            account.client_order_ids.add(order.client_order_id)
        if order.time_in_force == "fill_or_kill" and self._fillable(order, market) < order.count:
            raise ExchangeRefusal(409, "fill_or_kill_insufficient_resting_volume")
        if order.post_only and self._fillable(order, market):
            raise ExchangeRefusal(400, "invalid_order", "post only cross")
        self.orders[order.order_id] = order
        self._match(order, market)
        self._after_matching(order, market)
        return order

    def show(self, order: ExchangeOrder) -> None:
        """Put an order into the book that nobody placed; it trades with what rests against it."""
        market = self.markets[order.ticker]
        self._match(order, market)
        if order.filled < order.count:
            self._rest(order, market)

    def _after_matching(self, order: ExchangeOrder, market: ExchangeMarket) -> None:
        if order.filled == order.count and order.count:
            order.status = Status.EXECUTED
        elif order.status is Status.RESTING and order.time_in_force != "good_till_canceled":
            order.status = Status.CANCELED
        elif order.status is Status.RESTING and self._is_swept(order):
            order.status, order.reason = Status.CANCELED, ""
        elif order.status is Status.RESTING:
            self._rest(order, market)
        self.changed(order)

    def _is_swept(self, order: ExchangeOrder) -> bool:
        """Tell whether its group tripped, by its own fills perhaps, or a cancel-all reaches it."""
        group = None if order.group_id is None else self.groups.get(order.group_id)
        if group is not None and group.is_triggered:
            return True
        return self._is_reached_by_cancel_all(order, self.now_ns())

    def cancel(self, owner: str, order_id: str, reason: str = "") -> int:
        """
        Cancel what remains of an order.

        Returns:
            How much was cancelled, in micro-contracts.

        Raises:
            Refused: there is nothing to cancel, or the exchange takes nothing.
        """
        self.tick()
        order = self.orders.get(order_id)
        if order is None or order.owner != owner:
            raise ExchangeRefusal(404, "not_found")
        if self.markets[order.ticker].shard in self.shut:
            raise ExchangeRefusal(409, "exchange_is_paused")
        if order.status is not Status.RESTING:
            raise ExchangeRefusal(404, "not_found")
        if self.markets[order.ticker].status != "active":
            raise ExchangeRefusal(400, "market_inactive")
        reduced = order.remaining
        self._end(order, reason)
        return reduced

    def cancel_all(self, owner: str) -> int:
        """Cancel all that rests of somebody, on all shards that take it; returns how many."""
        self.tick()
        if self.shut.issuperset(SHARDS):
            raise ExchangeRefusal(409, "exchange_is_paused")
        self._cancelled_all[owner] = self.now_ns()
        found = [
            each for each in self.resting(owner) if self.markets[each.ticker].shard not in self.shut
        ]
        for order in found:
            self._end(order, "")
        return len(found)

    def _is_reached_by_cancel_all(self, order: ExchangeOrder, now_ns: int) -> bool:
        at_ns = self._cancelled_all.get(order.owner)
        reaches = at_ns is not None and now_ns - at_ns < CANCEL_ALL_REACH_NS
        return reaches and self.random.random() < 0.5

    def _end(self, order: ExchangeOrder, reason: str) -> None:
        market = self.markets[order.ticker]
        side = market.bids if order.is_bid else market.asks
        if order in side:
            side.remove(order)
            self.book(order, -order.remaining)
        order.status, order.reason = Status.CANCELED, reason
        self.changed(order)

    def replace(self, order: ExchangeOrder, count: int, price: int, reason: str) -> None:
        """Give a resting order another size and price; a new price or more loses its place."""
        market = self.markets[order.ticker]
        side = market.bids if order.is_bid else market.asks
        if price != order.price or count > order.count:
            side.remove(order)
            self.book(order, -order.remaining)
            order.count, order.price, order.created_ns = count, price, self.now_ns()
            self._match(order, market)
            if order.remaining:
                self._rest(order, market)
        else:
            self.book(order, count - order.count)
            order.count = count
            if not order.remaining:
                side.remove(order)
        if not order.remaining and order.status is Status.RESTING:
            is_whole = order.filled and reason == "Amend"
            order.status = Status.EXECUTED if is_whole else Status.CANCELED
            order.reason = reason
        self.changed(order, reason)

    # Matching ----------------------------------------------------------------------------------

    def _match(self, order: ExchangeOrder, market: ExchangeMarket) -> None:
        others = market.asks if order.is_bid else market.bids
        while others and order.filled < order.count:
            best = others[0]
            if (best.price > order.price) if order.is_bid else (best.price < order.price):
                return
            if best.owner == order.owner and order.owner != MAKER:
                if order.stp == "maker":
                    self._end(best, "SelfTradeCancel")
                    continue
                order.status, order.reason = Status.CANCELED, "SelfTradeCancel"
                return
            self.trade(order, best, min(order.count - order.filled, best.count - best.filled))

    def trade(self, taker: ExchangeOrder, maker: ExchangeOrder, count: int) -> None:
        """Trade between two orders at the price of the one that rested."""
        market, now_ns = self.markets[taker.ticker], self.now_ns()
        self.book(maker, -count)
        trade_id, price = self.new_order_id(), maker.price
        market.last_price = price
        for order, is_taker in ((taker, True), (maker, False)):
            order.filled += count
            fee = 0
            if order.owner != MAKER:
                account = self.account(order.owner)
                rate = self.catalogue.rate(market, now_ns, is_taker=is_taker)
                fee = move(account, order, count, price, market.shard, rate)
                account.updated_ns[order.ticker] = now_ns
                order.trade(count, price, fee, is_taker=is_taker)
                fill = ExchangeFill(
                    trade_id=trade_id if is_taker else self.new_order_id(),
                    order_id=order.order_id,
                    client_order_id=order.client_order_id,
                    owner=order.owner,
                    ticker=order.ticker,
                    is_bid=order.is_bid,
                    count=count,
                    price=price,
                    fee=fee,
                    is_taker=is_taker,
                    time_ns=now_ns,
                    position=account.positions[order.ticker],
                )
                self.fills.append(fill)
                self.tell("fill", order.owner, fill)
                self.return_collateral(account, market)
                self.tell("market_positions", order.owner, order.ticker)
        if maker.filled == maker.count:
            (market.bids if maker.is_bid else market.asks).remove(maker)
            maker.status = Status.EXECUTED
        self.changed(maker, reason="Trade")
        for order in (taker, maker):  # last: it may cancel what rests, the rest of these two too
            self._count_group(order, count, now_ns)

    def return_collateral(self, account: ExchangeAccount, market: ExchangeMarket) -> None:
        """Give back what the positions of an event cannot lose together, or take it back."""
        event = self.catalogue.events[market.event_ticker]
        if event.collateral != "MECNET":
            return
        held = {
            ticker: quantity
            for ticker, quantity in account.positions.items()
            if self.markets[ticker].event_ticker == event.ticker
        }
        due = returned(held)
        change = due - account.returned.get(event.ticker, 0)
        account.returned[event.ticker] = due
        account.cash[market.shard] = account.cash.get(market.shard, 0) + change

    def _fillable(self, order: ExchangeOrder, market: ExchangeMarket) -> int:
        others = market.asks if order.is_bid else market.bids
        return sum(
            each.remaining
            for each in others
            if ((each.price <= order.price) if order.is_bid else (each.price >= order.price))
            and (each.owner != order.owner or order.owner == MAKER)
        )

    def _rest(self, order: ExchangeOrder, market: ExchangeMarket) -> None:
        if order.is_bid:
            insort(market.bids, order, key=lambda each: (-each.price, each.created_ns))
        else:
            insort(market.asks, order, key=lambda each: (each.price, each.created_ns))
        self.book(order, order.remaining)

    # Groups, pauses, time ----------------------------------------------------------------------

    def _count_group(self, order: ExchangeOrder, count: int, now_ns: int) -> None:
        group = None if order.group_id is None else self.groups.get(order.group_id)
        if group is None:
            return
        group.matched.append((now_ns, count))
        if group.within(now_ns) > group.limit and not group.is_triggered:
            self.trigger(group)

    def trigger(self, group: ExchangeGroup) -> None:
        """Cancel the group's resting orders, and refuse new ones until it is reset."""
        group.is_triggered = True
        for order in self.resting(group.owner):
            if order.group_id == group.group_id:
                self._end(order, "")
        self.tell_group(group, "triggered")

    def pause(self, paused: set[int], shut: set[int]) -> None:
        """Pause shards or resume them; orders that asked for it are cancelled as a pause begins."""
        begins = (paused | shut) - (self.paused | self.shut)
        self.paused, self.shut = paused, shut
        for order in list(self.working.values()):
            if order.cancels_on_pause and self.markets[order.ticker].shard in begins:
                self._end(order, "HaltCancel")

    def tick(self) -> None:
        """Let time do its work: expiries, closes, fees that were announced."""
        now_ns = self.now_ns()
        self.lifecycle.apply_fees(now_ns)
        for market in self.markets.values():
            if market.status == "active" and market.close_ns and market.close_ns <= now_ns:
                self.lifecycle.close(market.ticker)
        for order in list(self.working.values()):
            if order.expires_ns is not None and order.expires_ns <= now_ns:
                self._end(order, "ExpiryCancel")

    def cancel_market(self, ticker: str, reason: str) -> None:
        """Cancel all that rests in a market."""
        for order in list(self.working.values()):
            if order.ticker == ticker:
                self._end(order, reason)

    def settle(self, ticker: str, result: str) -> None:
        """Decide a market for Yes or No and settle it at once."""
        self.lifecycle.determine(ticker, MICRO if result == "yes" else 0)
        self.lifecycle.finalize(ticker)


def _require(exchange: Exchange, order: ExchangeOrder) -> ExchangeMarket:
    market = exchange.markets.get(order.ticker)
    if market is None:
        raise ExchangeRefusal(404, "market_not_found")
    if market.shard in exchange.shut:
        raise ExchangeRefusal(409, "exchange_is_paused")
    if market.shard in exchange.paused:
        raise ExchangeRefusal(409, "trading_is_paused")
    if market.status != "active":
        raise ExchangeRefusal(400, "market_inactive")
    if not 0 < order.price < MICRO or not market.is_on_grid(order.price):
        raise ExchangeRefusal(400, "invalid_price")
    if order.count <= 0 or order.count % COUNT_STEP:
        raise ExchangeRefusal(400, "invalid_order_size")
    known = exchange.account(order.owner).client_order_ids
    if order.client_order_id and order.client_order_id in known:
        raise ExchangeRefusal(409, "order_already_exists")
    now_ns = exchange.now_ns()
    if order.expires_ns is not None and order.expires_ns <= now_ns:
        raise ExchangeRefusal(400, "invalid_parameters", "expiration_time must be in the future")
    return market


def _require_group(exchange: Exchange, order: ExchangeOrder, market: ExchangeMarket) -> None:
    if order.group_id is None:
        return
    group = exchange.groups.get(order.group_id)
    if group is None or (group.owner, group.shard) != (order.owner, market.shard):
        raise ExchangeRefusal(404, "order_group_not_found")
    if group.is_triggered:
        raise ExchangeRefusal(400, "exceeded_order_group_risk_limit", "order group is triggered")


def _cap_to_position(account: ExchangeAccount, order: ExchangeOrder) -> None:
    held = account.positions.get(order.ticker, 0)
    most = max(0, -held if order.is_bid else held)
    if most < order.count:
        order.count = most
        order.reason = "ReduceOnlyCancel" if not most else order.reason


def _require_cash(exchange: Exchange, order: ExchangeOrder, market: ExchangeMarket) -> None:
    if order.owner == MAKER:
        return
    if order.held_of(exchange.account(order.owner)) > exchange.available(order.owner, market.shard):
        raise ExchangeRefusal(400, "insufficient_balance")
