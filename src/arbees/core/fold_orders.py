"""Folds what happens to requests and orders: reservations, fills, ends, windows and cycles.

Guarantees that an order moves along the table of states only, and that all that it reserved is
released when it ends. Breaking that is `InvariantViolation`.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from arbees.core import events as e
from arbees.core.book import HOUR_NS, Book, Cycle, cycle_name
from arbees.core.fold_markets import classify, hold, recount
from arbees.core.index import order_of
from arbees.core.market import Market
from arbees.core.order import NOTHING, TRANSITIONS, Order, Reservation, amended
from arbees.core.words import Action, OrderStatus
from arbees.errors import InvariantViolation


def request_denied(book: Book, event: e.RequestDenied, _time_ns: int) -> None:
    """Count a denial of the day by safeguard."""
    for name in dict.fromkeys(finding.safeguard for finding in event.findings):
        book.denials[name] = book.denials.get(name, 0) + 1


def order_approved(book: Book, event: e.OrderApproved, time_ns: int) -> None:
    """Open an order: reserve its worst case, count it."""
    order = order_of(event, time_ns)
    if order.client_order_id in book.orders:
        msg = f"Expected one open order a key, {order.client_order_id} is open already"
        raise InvariantViolation(msg)
    market = book.markets[order.market_key]
    classify(book, market, event.sport, event.game_id)
    book.orders[order.client_order_id] = order
    market.orders.append(order.client_order_id)
    order.reserved = NOTHING
    _reserve(book, market, order, event.reserved)
    _count(book, order, event.facts.now_ns)


def _count(book: Book, order: Order, now_ns: int) -> None:
    """Count an approval at the time of its decision."""
    if order.is_reducing:
        _note(book.reduced, now_ns)
        return
    _note(book.opened, now_ns)
    for name in ("market:" + order.market_key, "strategy:" + order.strategy):
        window = book.opened_by.get(name)
        if window is None:
            if _is_sweep_due(len(book.opened_by)):
                _forget_windows(book, now_ns - HOUR_NS)
            window = book.opened_by[name] = []
        _note(window, now_ns)
    if order.key_id is not None:
        _note(book.opened_by.setdefault("key:" + order.key_id, []), now_ns)


def _forget_windows(book: Book, before_ns: int) -> None:
    """Drop the windows of markets and strategies that hold nothing since a moment."""
    book.opened_by = {
        name: times for name, times in book.opened_by.items() if times and times[-1] > before_ns
    }


def _note(window: list[int], now_ns: int) -> None:
    """Add a time to a window, in order; forget what is older than an hour."""
    last = window[-1] if window else now_ns
    window.append(now_ns if now_ns > last else last)
    if window[0] <= now_ns - HOUR_NS:
        _forget(window, now_ns - HOUR_NS)


_LONG = 1_024
"""Of a longer window half must be over before the rest is moved up."""


def _forget(window: list[int], before_ns: int) -> None:
    """Drop the times up to a moment; nobody counts them any more."""
    over = bisect_right(window, before_ns)
    if len(window) < _LONG or 2 * over >= len(window):
        del window[:over]


def _reserve(book: Book, market: Market, order: Order, reserved: Reservation) -> None:
    """Replace the reservation of an order, in all sums."""
    before, order.reserved = order.reserved, reserved
    market.loss_yes += reserved.loss_yes - before.loss_yes
    market.loss_no += reserved.loss_no - before.loss_no
    book.open_day_loss += reserved.day_loss - before.day_loss
    if reserved.closing != before.closing:
        closes = order.side if order.action is Action.SELL else order.side.opposite
        market.holding(closes).closing += reserved.closing - before.closing
    pool = book.pools.get(order.pool or order.platform)
    if pool is not None and not order.is_inside:
        pool.outside += reserved.cash - before.cash
    recount(book, market)


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


def ends(status: OrderStatus) -> "Callable[[Book, Any, int], None]":
    """Return what ends an order in a state."""

    def end(book: Book, event: e.OrderEvent, _time_ns: int) -> None:
        _close(book, _open_order(book, event), status)

    return end


def order_denied(book: Book, event: e.OrderDenied, _time_ns: int) -> None:
    """End an order that the gate stopped."""
    _close(book, _open_order(book, event), OrderStatus.DENIED)
    book.denials["gate"] = book.denials.get("gate", 0) + 1


def order_acknowledged(book: Book, event: e.OrderAcknowledged, time_ns: int) -> None:
    """Take the venue's word that it has an order."""
    order = _open_order(book, event)
    order.venue_order_id = event.venue_order_id
    order.acknowledged_ns = time_ns
    if order.status is OrderStatus.UNKNOWN:
        book.unknown -= 1
        book.markets[order.market_key].unknown -= 1
    if order.status in {OrderStatus.PENDING, OrderStatus.UNKNOWN}:
        _move(order, OrderStatus.PARTIALLY_FILLED if order.filled else OrderStatus.WORKING)


def order_reopened(book: Book, event: e.OrderReopened, time_ns: int) -> None:
    """Open an order again that the venue works: what it reserves counts from here on."""
    order = replace(event.order, trades=list(event.order.trades), reserved=NOTHING)
    if order.client_order_id in book.orders:
        msg = f"Expected a closed order, {order.client_order_id} is open"
        raise InvariantViolation(msg)
    order.acknowledged_ns = time_ns
    market = book.markets[order.market_key]
    book.orders[order.client_order_id] = order
    market.orders.append(order.client_order_id)
    _reserve(book, market, order, event.order.reserved)


def order_amended(book: Book, event: e.OrderAmended, _time_ns: int) -> None:
    """Take the terms that the venue shows, and reserve the worse of both."""
    order = _open_order(book, event)
    order.amended = amended(order, event.quantity, event.limit_price)
    _reserve(book, book.markets[order.market_key], order, event.reserved)


def venue_id_changed(book: Book, event: e.VenueIdChanged, _time_ns: int) -> None:
    """Take the id under which the venue lists an order."""
    _open_order(book, event).venue_order_id = event.venue_order_id


def order_unknown(book: Book, event: e.OrderUnknown, _time_ns: int) -> None:
    """Keep an order reserved whose fate is not known."""
    order = _open_order(book, event)
    _move(order, OrderStatus.UNKNOWN)
    order.sent_ns = event.sent_ns
    book.unknown += 1
    book.markets[order.market_key].unknown += 1


def order_filled(book: Book, event: e.OrderFilled, time_ns: int) -> None:
    """Take a fill, of an open or a closed order."""
    market = book.markets[event.market_key]
    hold(market, event)
    market.realized += event.realized
    market.fees += event.fee
    book.realized += event.realized
    book.fees += event.fee
    _cycle(book, event, time_ns)
    name = event.pool or event.platform
    if name in book.ledgers:
        book.ledgers[name] += event.cash
    pool = book.pools.get(name)
    if pool is not None:
        pool.outside += event.outside
        if event.outside > 0:
            pool.spent.append((event.venue_ns, event.outside))
    order = book.orders.get(event.client_order_id)
    if order is None:
        recount(book, market)
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
    name = cycle_name(event.strategy, event.market_key)
    cycle = book.cycles.get(name)
    if cycle is None:
        if _is_sweep_due(len(book.cycles)):
            _forget_cycles(book, time_ns - HOUR_NS)
        cycle = Cycle(strategy=event.strategy, market_key=event.market_key, entries=[])
        book.cycles[name] = cycle
    if cycle.quantity == 0 and event.strategy_quantity:
        cycle.entries.append(time_ns)
        while cycle.entries[0] <= time_ns - HOUR_NS:
            del cycle.entries[0]
    cycle.quantity += event.strategy_quantity


_SWEEP_FROM = 128


def _is_sweep_due(size: int) -> bool:
    """Tell whether what is over is to be dropped: whenever as many names again have come."""
    return size >= _SWEEP_FROM and size & (size - 1) == 0


def _forget_cycles(book: Book, before_ns: int) -> None:
    """Drop cycles of strategies that are flat and did not enter since a moment."""
    book.cycles = {
        name: cycle
        for name, cycle in book.cycles.items()
        if cycle.quantity or (cycle.entries and cycle.entries[-1] > before_ns)
    }


def cancel_requested(book: Book, event: e.CancelRequested, _time_ns: int) -> None:
    """Remember that an order is to be cancelled."""
    _open_order(book, event).cancel_reason = event.reason
