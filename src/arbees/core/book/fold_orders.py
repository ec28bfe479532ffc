"""Folds what happens to requests and orders: reservations, fills, ends, windows and cycles.

Guarantees that the sums of the book follow each order through its life (`orders.lifecycle`), and
that all that it reserved is released when it ends. Breaking that is `InvariantViolation`.
"""

from bisect import bisect_right

from arbees.core import events
from arbees.core.book.book import (
    HOUR_NS,
    Book,
    Cycle,
    Pool,
    cycle_name,
)
from arbees.core.book.fold_markets import classify, hold, recount
from arbees.core.book.market import Market
from arbees.core.book.open_order import (
    CLOSED_STATES,
    NOTHING,
    Order,
    Reservation,
)
from arbees.core.language.words import Action, OrderStatus
from arbees.core.orders import lifecycle
from arbees.errors import InvariantViolation


def request_denied(book: Book, event: events.RequestDenied, _time_ns: int) -> None:
    """Count a denial of the day by safeguard."""
    for name in dict.fromkeys(finding.safeguard for finding in event.findings):
        book.denials[name] = book.denials.get(name, 0) + 1


def order_approved(book: Book, event: events.OrderApproved, time_ns: int) -> None:
    """Open an order: reserve its worst case, count it."""
    order = lifecycle.opened(event, time_ns)
    if order.client_order_id in book.orders:
        msg = f"Expected one open order a key, {order.client_order_id} is open already"
        raise InvariantViolation(msg)
    market = book.markets[order.market_key]
    classify(book, market, event.sport, book.game(event.game_id))
    book.orders[order.client_order_id] = order
    market.orders.append(order.client_order_id)
    _reserve(book, market, order, NOTHING)
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


def _reserve(book: Book, market: Market, order: Order, before: Reservation) -> None:
    """Count what an order reserves now instead of what it did before, in all sums."""
    reserved = order.reserved
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


def order_event(book: Book, event: events.OrderEvent, time_ns: int) -> None:
    """Take the next record of an open order; one that ends it releases all that it reserved."""
    order = book.orders.get(event.client_order_id)
    if order is None:
        msg = f"Expected an open order, {event.client_order_id} is not"
        raise InvariantViolation(msg)
    _advance(book, order, event, time_ns)


def _advance(book: Book, order: Order, event: events.OrderEvent, time_ns: int) -> None:
    """Advance an open order, and keep the sums over orders in step."""
    market, before = book.markets[order.market_key], order.reserved
    was_unknown = order.status is OrderStatus.UNKNOWN
    lifecycle.advance(order, event, time_ns)
    unknown = (order.status is OrderStatus.UNKNOWN) - was_unknown
    if unknown:
        book.unknown += unknown
        market.unknown += unknown
    if order.status in CLOSED_STATES:
        market.orders.remove(order.client_order_id)
        del book.orders[order.client_order_id]
        _reserve(book, market, order, before)
    elif order.reserved is not before or isinstance(event, events.OrderFilled):
        _reserve(book, market, order, before)


def order_denied(book: Book, event: events.OrderDenied, time_ns: int) -> None:
    """End an order that the gate stopped."""
    order_event(book, event, time_ns)
    book.denials["gate"] = book.denials.get("gate", 0) + 1


def order_reopened(book: Book, event: events.OrderReopened, time_ns: int) -> None:
    """Open an order again that the venue works: what it reserves counts from here on."""
    if event.client_order_id in book.orders:
        msg = f"Expected a closed order, {event.client_order_id} is open"
        raise InvariantViolation(msg)
    order = lifecycle.reopened(event, time_ns)
    market = book.markets[order.market_key]
    book.orders[order.client_order_id] = order
    market.orders.append(order.client_order_id)
    _reserve(book, market, order, NOTHING)


def fill_disputed(book: Book, event: events.FillDisputed, time_ns: int) -> None:
    """Remember a fill that contradicts its order, while that is open; nothing is booked."""
    if event.client_order_id in book.orders:
        order_event(book, event, time_ns)


def order_filled(book: Book, event: events.OrderFilled, time_ns: int) -> None:
    """Take a fill, of an open or a closed order."""
    pool = _execution(book, event, time_ns)
    if pool is not None:
        pool.outside += event.outside
        if event.outside > 0:
            pool.spent.append((event.venue_ns, event.outside))
    order = book.orders.get(event.client_order_id)
    if order is None:
        recount(book, book.markets[event.market_key])
        return
    _advance(book, order, event, time_ns)


def fill_reversed(book: Book, event: events.FillReversed, time_ns: int) -> None:
    """Take a failed execution back, of an open or a closed order."""
    _execution(book, event, time_ns)
    order = book.orders.get(event.client_order_id)
    if order is not None:
        _advance(book, order, event, time_ns)
    recount(book, book.markets[event.market_key])


def _execution(
    book: Book, event: events.OrderFilled | events.FillReversed, time_ns: int
) -> Pool | None:
    """Take what an execution, or its reversal, changes of money and of what is held."""
    market = book.markets[event.market_key]
    hold(market, event)
    fee = event.fee if isinstance(event, events.OrderFilled) else -event.fee
    market.realized += event.realized
    market.fees += fee
    book.realized += event.realized
    book.fees += fee
    _cycle(book, event, time_ns)
    name = event.pool or event.platform
    if name in book.ledgers:
        book.ledgers[name] += event.cash
    return book.pools.get(name)


def _cycle(book: Book, event: events.OrderFilled | events.FillReversed, time_ns: int) -> None:
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
