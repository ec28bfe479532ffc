"""Applies events to the book: only adds, moves and drops what the event carries.

Guarantees that replaying an old journal gives the same book for ever: no fee, limit, calendar or
setting is consulted here. A broken invariant crashes (`InvariantViolation`).
"""

from collections.abc import Callable
from typing import Any

from arbees.core import events as e
from arbees.core.book import HOUR_NS, Authority, Book, Break, Cycle, Day, Halt, Pool
from arbees.core.index import order_of
from arbees.core.market import Listing, Market
from arbees.core.order import NOTHING, TRANSITIONS, Order, Reservation
from arbees.core.words import UNCLASSIFIED, Action, HaltSource, OrderStatus, TradingState
from arbees.core.worst import worst_ahead
from arbees.errors import InvariantViolation


def apply(book: Book, event: e.Event, sequence: int, time_ns: int) -> None:
    """
    Apply one event.

    Args:
        book: changed in place.
        event: of the record.
        sequence: of the record; follows the book's own.
        time_ns: of the record; never before the book's own.

    Raises:
        InvariantViolation: the record does not follow, or contradicts the book.
    """
    if sequence != book.sequence + 1:
        msg = f"Expected record {book.sequence + 1}, was {sequence}"
        raise InvariantViolation(msg)
    if time_ns < book.time_ns:
        msg = f"Expected a record at {book.time_ns} ns or later, was {time_ns}"
        raise InvariantViolation(msg)
    book.sequence = sequence
    book.time_ns = time_ns
    handler = _HANDLERS.get(type(event))
    if handler is not None:
        handler(book, event, time_ns)


# Markets and exposure --------------------------------------------------------------------------


def _add(sums: dict[str, int], name: str, amount: int) -> None:
    total = sums.get(name, 0) + amount
    if total:
        sums[name] = total
    else:
        sums.pop(name, None)


def _recount(book: Book, market: Market) -> None:
    """Bring the sums of exposure up to date after a change in a market."""
    worst = worst_ahead(market, book.orders)
    added = worst - market.worst
    if added:
        market.worst = worst
        _add(book.game_worst, market.game_id, added)
        _add(book.sport_worst, market.sport, added)
        book.total_worst += added


def _classify(book: Book, market: Market, sport: str, game_id: str) -> None:
    """Move a market to the sport and game that are known of it now."""
    if market.sport != sport:
        _add(book.sport_worst, market.sport, -market.worst)
        _add(book.sport_worst, sport, market.worst)
        market.sport = sport
    if market.game_id != game_id:
        _add(book.game_worst, market.game_id, -market.worst)
        _add(book.game_worst, game_id, market.worst)
        market.game_id = game_id


def _market_listed(book: Book, event: e.MarketListed, _time_ns: int) -> None:
    listing = event.listing
    key = listing.market_key
    market = book.markets.get(key)
    if market is None:
        market = Market(
            listing=listing,
            sport=listing.sport or UNCLASSIFIED,
            game_id=listing.game_id or f"market:{key}",
            orders=[],
            break_kinds=[],
        )
        book.markets[key] = market
    elif not listing.is_flipped:
        _classify(book, market, listing.sport or market.sport, listing.game_id or market.game_id)
        market.listing = listing
    _name(book, listing)


def _name(book: Book, listing: Listing) -> None:
    platform, flipped = listing.platform, listing.is_flipped
    book.names[f"{platform}|{listing.market_id}"] = (listing.market_key, flipped)
    if listing.opposite_id is not None:
        book.names[f"{platform}|{listing.opposite_id}"] = (listing.market_key, not flipped)


def _market_status(book: Book, event: e.MarketStatusChanged, _time_ns: int) -> None:
    book.markets[event.market_key].is_open = event.is_open


def _market_settled(book: Book, event: e.MarketSettled, _time_ns: int) -> None:
    market = book.markets[event.market_key]
    _hold(market, event)
    market.is_open = False
    market.is_settled = True
    market.realized += event.realized
    book.realized += event.realized
    _recount(book, market)
    suffix = f"|{event.market_key}"
    for name in [name for name in book.cycles if name.endswith(suffix)]:
        book.cycles[name].quantity = 0


def _hold(market: Market, event: e.OrderFilled | e.MarketSettled) -> None:
    for holding, quantity, cost in (
        (market.yes, event.yes_quantity, event.yes_cost),
        (market.no, event.no_quantity, event.no_cost),
    ):
        holding.quantity += quantity
        holding.cost += cost
        if holding.quantity < 0 or holding.cost < 0:
            msg = f"Expected holdings of 0 and more in {market.listing.market_key}, was {holding}"
            raise InvariantViolation(msg)


# Requests and orders ---------------------------------------------------------------------------


def _request_denied(book: Book, event: e.RequestDenied, _time_ns: int) -> None:
    for name in dict.fromkeys(finding.safeguard for finding in event.findings):
        book.denials[name] = book.denials.get(name, 0) + 1


def _order_approved(book: Book, event: e.OrderApproved, time_ns: int) -> None:
    order = order_of(event, time_ns)
    if order.client_order_id in book.orders:
        msg = f"Expected one open order a key, {order.client_order_id} is open already"
        raise InvariantViolation(msg)
    market = book.markets[order.market_key]
    _classify(book, market, event.sport, event.game_id)
    book.orders[order.client_order_id] = order
    market.orders.append(order.client_order_id)
    order.reserved = NOTHING
    _reserve(book, market, order, event.reserved)
    _count(book, order, event.facts.now_ns)


def _count(book: Book, order: Order, now_ns: int) -> None:
    """Count an approval at the time of its decision; forget what is older than an hour."""
    windows = [book.reduced if order.is_reducing else book.opened]
    if not order.is_reducing:
        windows += [
            book.opened_by.setdefault(f"market:{order.market_key}", []),
            book.opened_by.setdefault(f"strategy:{order.strategy}", []),
        ]
    for window in windows:
        window.append(max(now_ns, window[-1]) if window else now_ns)
        while window[0] <= now_ns - HOUR_NS:
            del window[0]


def _reserve(book: Book, market: Market, order: Order, reserved: Reservation) -> None:
    """Replace the reservation of an order, in all sums."""
    before, order.reserved = order.reserved, reserved
    market.loss_yes += reserved.loss_yes - before.loss_yes
    market.loss_no += reserved.loss_no - before.loss_no
    book.open_day_loss += reserved.day_loss - before.day_loss
    closes = order.side if order.action is Action.SELL else order.side.opposite
    market.holding(closes).closing += reserved.closing - before.closing
    pool = book.pools.get(order.platform)
    if pool is not None and not order.is_inside:
        pool.outside += reserved.cash - before.cash
    _recount(book, market)


def _move(order: Order, status: OrderStatus) -> None:
    if status not in TRANSITIONS.get(order.status, frozenset()):
        msg = f"Expected no way from {order.status} to {status} ({order.client_order_id})"
        raise InvariantViolation(msg)
    order.status = status


def _close(book: Book, order: Order, status: OrderStatus) -> None:
    """End an order: its reservation is released and the book forgets it."""
    market = book.markets[order.market_key]
    if order.status is OrderStatus.UNKNOWN:
        book.unknown -= 1
        market.unknown -= 1
    _move(order, status)
    market.orders.remove(order.client_order_id)
    del book.orders[order.client_order_id]
    _reserve(book, market, order, NOTHING)


def _open_order(book: Book, event: e.OrderEvent) -> Order:
    order = book.orders.get(event.client_order_id)
    if order is None:
        msg = f"Expected an open order, {event.client_order_id} is not"
        raise InvariantViolation(msg)
    return order


def _ends(status: OrderStatus) -> "Callable[[Book, Any, int], None]":
    def end(book: Book, event: e.OrderEvent, _time_ns: int) -> None:
        _close(book, _open_order(book, event), status)

    return end


def _order_denied(book: Book, event: e.OrderDenied, _time_ns: int) -> None:
    _close(book, _open_order(book, event), OrderStatus.DENIED)
    book.denials["gate"] = book.denials.get("gate", 0) + 1


def _order_acknowledged(book: Book, event: e.OrderAcknowledged, time_ns: int) -> None:
    order = _open_order(book, event)
    order.venue_order_id = event.venue_order_id
    order.acknowledged_ns = time_ns
    if order.status is OrderStatus.UNKNOWN:
        book.unknown -= 1
        book.markets[order.market_key].unknown -= 1
    if order.status in {OrderStatus.PENDING, OrderStatus.UNKNOWN}:
        _move(order, OrderStatus.PARTIALLY_FILLED if order.filled else OrderStatus.WORKING)


def _order_unknown(book: Book, event: e.OrderUnknown, _time_ns: int) -> None:
    order = _open_order(book, event)
    _move(order, OrderStatus.UNKNOWN)
    order.sent_ns = event.sent_ns
    book.unknown += 1
    book.markets[order.market_key].unknown += 1


def _order_filled(book: Book, event: e.OrderFilled, time_ns: int) -> None:
    market = book.markets[event.market_key]
    _hold(market, event)
    market.realized += event.realized
    market.fees += event.fee
    book.realized += event.realized
    book.fees += event.fee
    _cycle(book, event, time_ns)
    pool = book.pools.get(event.platform)
    if pool is not None:
        pool.outside += event.outside
        if event.outside > 0:
            pool.spent.append((event.venue_ns, event.outside))
    order = book.orders.get(event.client_order_id)
    if order is None:
        _recount(book, market)
        return
    order.filled += event.quantity
    order.value += event.value
    order.fees += event.fee
    order.trades.append(event.trade_id)
    if event.is_complete:
        _close(book, order, OrderStatus.FILLED)
    else:
        _reserve(book, market, order, event.reserved)
        if order.status in {OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED}:
            _move(order, OrderStatus.PARTIALLY_FILLED)


def _cycle(book: Book, event: e.OrderFilled, time_ns: int) -> None:
    """Follow a strategy in a market: from flat, in, and back (RTS 6 article 15(3))."""
    cycle = book.cycles.setdefault(f"{event.strategy}|{event.market_key}", Cycle(entries=[]))
    if cycle.quantity == 0 and event.strategy_quantity:
        cycle.entries.append(time_ns)
        while cycle.entries[0] <= time_ns - HOUR_NS:
            del cycle.entries[0]
    cycle.quantity += event.strategy_quantity


def _cancel_requested(book: Book, event: e.CancelRequested, _time_ns: int) -> None:
    _open_order(book, event).cancel_reason = event.reason


# Control and venue truth -----------------------------------------------------------------------


def _halt_raised(book: Book, event: e.HaltRaised, time_ns: int) -> None:
    book.halts[f"{event.source}|{event.scope}"] = Halt(
        source=event.source,
        scope=event.scope,
        state=TradingState(event.state),
        reason=event.reason,
        actor=event.actor,
        since_ns=time_ns,
        is_automatic=HaltSource(event.source).is_automatic,
        receipt_id=event.receipt_id,
        sequence=book.sequence,
    )


def _halt_lifted(book: Book, event: e.HaltLifted, _time_ns: int) -> None:
    del book.halts[f"{event.source}|{event.scope}"]
    if event.source == HaltSource.REPEATED_EXECUTION:
        prefix = event.scope.removeprefix("strategy:") + "|"
        for name, cycle in book.cycles.items():
            if name.startswith(prefix):
                cycle.entries.clear()


def _balance_observed(book: Book, event: e.BalanceObserved, _time_ns: int) -> None:
    known = book.pools.get(event.pool)
    spent = [] if known is None else [each for each in known.spent if each[0] >= event.as_of_ns]
    book.pools[event.pool] = Pool(
        platform=event.platform,
        available=event.available,
        as_of_ns=event.as_of_ns,
        outside=event.outside,
        spent=spent,
    )
    for client_order_id in event.inside:
        book.orders[client_order_id].is_inside = True


def _cash_moved(book: Book, event: e.CashMoved, _time_ns: int) -> None:
    book.cash_moved += event.amount


def _day_opened(book: Book, event: e.DayOpened, _time_ns: int) -> None:
    book.day = Day(day=event.day, baseline=event.baseline)
    book.denials = {}


def _marked(book: Book, event: e.Marked, _time_ns: int) -> None:
    for key, (yes, no) in event.marks.items():
        market = book.markets[key]
        market.mark_yes = yes if yes is not None else market.mark_yes
        market.mark_no = no if no is not None else market.mark_no


def _break_opened(book: Book, event: e.BreakOpened, time_ns: int) -> None:
    book.breaks[event.break_id] = Break(
        break_id=event.break_id,
        kind=event.kind,
        platform=event.platform,
        market_key=event.market_key,
        expected=event.expected,
        observed=event.observed,
        policy=event.policy,
        since_ns=time_ns,
    )
    market = book.markets.get(event.market_key or "")
    if market is not None and event.policy in {"freeze_market", "halt"}:
        market.break_kinds.append(event.kind)


def _break_closed(book: Book, event: e.BreakClosed, _time_ns: int) -> None:
    ended = book.breaks.pop(event.break_id)
    market = book.markets.get(ended.market_key or "")
    if market is not None and ended.policy in {"freeze_market", "halt"}:
        market.break_kinds.remove(ended.kind)


def _bound(book: Book, event: e.Bound, _time_ns: int) -> None:
    book.account, book.environment, book.mode = event.account, event.environment, event.mode


def _started(book: Book, event: e.Started, _time_ns: int) -> None:
    book.version, book.settings_hash = event.version, event.settings_hash
    book.disabled = dict(event.disabled)
    book.is_started = True


def _stopped(book: Book, _event: e.Stopped, _time_ns: int) -> None:
    book.is_started = False


def _authorized(book: Book, event: e.Authorized, time_ns: int) -> None:
    book.authority = Authority(
        actor=event.actor,
        reason=event.reason,
        settings_hash=event.settings_hash,
        until_ns=event.until_ns,
        since_ns=time_ns,
        settings=dict(event.settings),
    )


def _venue_state(book: Book, event: e.VenueStateChanged, _time_ns: int) -> None:
    book.venue_states[event.platform] = event.state


_HANDLERS: dict[type, Callable[[Book, Any, int], None]] = {
    e.Bound: _bound,
    e.Started: _started,
    e.Stopped: _stopped,
    e.Authorized: _authorized,
    e.RequestDenied: _request_denied,
    e.OrderApproved: _order_approved,
    e.OrderDenied: _order_denied,
    e.OrderAcknowledged: _order_acknowledged,
    e.OrderRejected: _ends(OrderStatus.REJECTED),
    e.OrderNotSent: _ends(OrderStatus.NOT_SENT),
    e.OrderUnknown: _order_unknown,
    e.OrderFilled: _order_filled,
    e.OrderCancelled: _ends(OrderStatus.CANCELLED),
    e.OrderExpired: _ends(OrderStatus.EXPIRED),
    e.CancelRequested: _cancel_requested,
    e.HaltRaised: _halt_raised,
    e.HaltLifted: _halt_lifted,
    e.MarketListed: _market_listed,
    e.MarketStatusChanged: _market_status,
    e.MarketSettled: _market_settled,
    e.BalanceObserved: _balance_observed,
    e.CashMoved: _cash_moved,
    e.DayOpened: _day_opened,
    e.Marked: _marked,
    e.BreakOpened: _break_opened,
    e.BreakClosed: _break_closed,
    e.VenueStateChanged: _venue_state,
}
"""What changes the book; `DuplicateRefused`, `CancelAnswered`, `MassCancelled` change nothing."""
