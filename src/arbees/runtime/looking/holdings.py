"""What is open, what is held and what money there is, as operators see it.

Guarantees figures of the book and the marks alone, by the functions that decisions use; it looks
at one moment, and whoever calls sees to it that the moment is durable (`Reads.settled`).
"""

from collections.abc import Iterator
from decimal import Decimal

from arbees.core.book.book import Book, Pool, marked_of
from arbees.core.book.market import Market
from arbees.core.book.open_order import Order
from arbees.core.deciding.facts import Touch
from arbees.core.language.ids import own
from arbees.core.language.quote import AHEAD_MAX_NS
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import ratio_ceil, to_decimal, whole_milliseconds
from arbees.core.language.words import Action, Side
from arbees.interface.operator import (
    BalanceView,
    OrderView,
    PositionView,
    TouchView,
)
from arbees.runtime.desk import Desk
from arbees.safeguards.balance import age_of, stale_after


def orders(desk: Desk) -> tuple[OrderView, ...]:
    """Return the open orders, oldest first."""
    found = sorted(desk.book.orders.values(), key=lambda order: order.created_ns)
    return tuple(_order(order) for order in found)


def _order(order: Order) -> OrderView:
    return OrderView(
        order_id=order.venue_order_id,
        client_order_id=order.client_order_id,
        request_id=own(order.request_id),
        idempotency_key=own(order.idempotency_key),
        platform=order.platform,
        market_id=order.market_id,
        side=order.wire_side,
        action=order.action,
        size=to_decimal(order.quantity),
        filled_qty=to_decimal(order.filled),
        limit_price=to_decimal(order.limit_price),
        time_in_force=order.time_in_force,
        status=order.status,
        created_at=format_time(order.created_ns),
        strategy=order.strategy,
        cancel_reason=order.cancel_reason,
    )


def positions(desk: Desk) -> tuple[PositionView, ...]:
    """Return what is held, market by market."""
    return tuple(
        position
        for key, market in desk.book.markets.items()
        if market.yes.quantity or market.no.quantity
        for position in _positions(desk, key, market)
    )


def _positions(desk: Desk, key: str, market: Market) -> Iterator[PositionView]:
    now, seen_ns = desk.marks.marks(key), desk.marks.seen_ns(key) or market.marked_ns
    for side, mark in ((Side.YES, now[0]), (Side.NO, now[1])):
        holding = market.holding(side)
        if not holding.quantity:
            continue
        yield PositionView(
            platform=market.listing.platform,
            market_id=market.listing.market_id,
            market_key=key,
            side=side,
            quantity=to_decimal(holding.quantity),
            avg_cost=to_decimal(ratio_ceil(holding.cost, holding.quantity)),
            mark=None if mark is None else to_decimal(mark),
            mark_age_secs=None if mark is None else _age(desk.clock.now_ns() - seen_ns),
            unrealized_pnl=to_decimal(marked_of(holding, mark)),
            realized_pnl=to_decimal(market.realized),
            worst_case_loss=to_decimal(market.worst),
            sport=market.sport,
            game_id=market.game_id,
        )


def _age(age_ns: int) -> Decimal | None:
    """Return an age in seconds, to the millisecond; None = of what is dated in the future."""
    if age_ns < -AHEAD_MAX_NS:
        return None
    return to_decimal(max(0, whole_milliseconds(age_ns)) * 1_000)


def touches(desk: Desk) -> tuple[TouchView, ...]:
    """Return the newest quote of each market that has one."""
    markets = desk.book.markets
    return tuple(_quote(markets[key], touch) for key, touch in desk.marks.touches.items())


def _quote(market: Market, touch: Touch) -> TouchView:
    listing = market.listing
    return TouchView(
        platform=listing.platform,
        market_id=listing.market_id,
        market_key=listing.market_key,
        bid=None if touch.bid is None else to_decimal(touch.bid),
        ask=None if touch.ask is None else to_decimal(touch.ask),
        ts=format_time(touch.ts_ns),
        open=market.is_open,
        sport=market.sport,
        game_id=market.game_id,
    )


def balances(desk: Desk) -> tuple[BalanceView, ...]:
    """Return the money of each pool."""
    return tuple(_balance(desk, name, pool) for name, pool in desk.book.pools.items())


def _balance(desk: Desk, name: str, pool: Pool) -> BalanceView:
    seen_ns = desk.facts.balance_ns(name)
    age = age_of(pool, seen_ns, desk.clock.now_ns())
    return BalanceView(
        platform=pool.platform,
        available=to_decimal(pool.available),
        reserved=to_decimal(pool.outside),
        equity=to_decimal(equity_of(desk.book, name, _value_at_marks(desk, name))),
        as_of=format_time(max(pool.as_of_ns, seen_ns)),
        pool=name,
        stale=age > stale_after(desk.options.balance_interval_ns),
    )


def equity_of(book: Book, name: str, held: int) -> int:
    """
    Return what a pool is worth, in micro-dollars.

    The venue's figure, less what was spent on fills that it may not know yet, more the cost that
    open orders which it knows keep back of it, and what is held at its marks.

    Args:
        book: with the open orders.
        name: of the pool.
        held: worth of what is held there.
    """
    pool = book.pools[name]
    spent = sum(amount for _, amount in pool.spent)
    kept_back = sum(
        max(order.reserved.loss_yes, order.reserved.loss_no)
        for order in book.orders.values()
        if (order.pool or order.platform) == name
        and order.is_inside
        and order.action is Action.BUY
        and not order.is_reducing
    )
    return pool.available - spent + kept_back + held


def _value_at_marks(desk: Desk, pool: str) -> int:
    """Return what is held against a pool at its marks: cost, and what the marks are above it."""
    total = 0
    for key, market in desk.book.markets.items():
        yes, no = market.yes, market.no
        if (market.listing.pool or market.listing.platform) == pool and (
            yes.quantity or no.quantity
        ):
            now = desk.marks.marks(key)
            total += yes.cost + marked_of(yes, now[0])
            total += no.cost + marked_of(no, now[1])
    return total
