"""Fills that contradict their order are told and not booked; failed ones are taken back, once."""

from decimal import Decimal
from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Accepted,
    Fill,
    Found,
    Refused,
)
from arbees.core.language.payouts import YES_WON
from arbees.core.language.words import (
    Action,
    OrderStatus,
    Platform,
    ResultStatus,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import Result, fold
from tests.core.orders.test_shown_orders import kinds, listed
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import KALSHI, NOW, YES_TOKEN

GTC = TimeInForce.GTC
TEN = 10 * MICRO
ON_POLYMARKET: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}


def take(scene: Scene, fill: Fill, order: Order, **more: Any) -> commands.Decision:
    """Take a fill of an order, open or closed."""
    return scene.do(commands.TakeFill(fill=fill, past=scene.past(order), **more))


def result(scene: Scene, order: Order) -> Result:
    """Return the result as known now."""
    life = fold(scene.life(order.request_id))
    assert life is not None
    return life.result()


# Contradictions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "quantity", "price", "is_good"),
    [
        (Action.BUY, TEN, 650_000, True),
        (Action.BUY, TEN + 1, 650_000, False),
        (Action.BUY, TEN, 650_001, False),
        (Action.BUY, 9_000 * MICRO, 900_000, False),
        (Action.BUY, 1, 10_000, True),
        (Action.BUY, 0, 650_000, False),
        (Action.BUY, -1, 650_000, False),
        (Action.BUY, MICRO, -1, False),
        (Action.SELL, TEN, 650_000, True),
        (Action.SELL, TEN, 649_999, False),
        (Action.SELL, TEN, MICRO + 1, False),
        (Action.SELL, TEN + 1, 650_000, False),
        (Action.SELL, TEN, 990_000, True),
    ],
)
@pytest.mark.parametrize("side", list(Side))
def test_more_than_remains_or_worse_than_the_limit(
    action: Action, quantity: int, price: int, is_good: bool, side: Side
) -> None:
    """At the limit and for all that remains it counts; a millionth beyond it is disputed."""
    scene = Scene()
    scene.hold(side, TEN, 500_000)
    order = scene.resting(side=side, action=action, limit_price=650_000, time_in_force=GTC)
    before = scene.held(KALSHI, side), scene.book.realized, order.reserved
    decision = take(scene, scene.trade(order, quantity, price), order)
    if is_good:
        assert kinds(decision)[-1] == "OrderFilled"
    else:
        assert kinds(decision) == ["FillDisputed", "BreakOpened"]
        assert decision.effects == (commands.ResolveOrder(order.client_order_id),)
        assert (scene.held(KALSHI, side), scene.book.realized, order.reserved) == before
        assert [each.kind for each in scene.book.breaks.values()] == ["contradictory_fill"]
    scene.check()


def test_the_price_is_that_of_the_side_that_was_named() -> None:
    """A venue with one book tells the price of Yes: 0.61 of Yes is 0.39 of No."""
    scene = Scene()
    order = scene.resting(side=Side.NO, limit_price=390_000, time_in_force=GTC)
    worse = scene.trade(order, MICRO, 609_999, is_of_yes=True)
    assert kinds(take(scene, worse, order)) == ["FillDisputed", "BreakOpened"]
    good = scene.trade(order, MICRO, 610_000, is_of_yes=True)
    assert kinds(take(scene, good, order)) == ["OrderFilled"]


def test_it_is_told_once() -> None:
    """Whoever repeats it changes nothing; another trade is another one."""
    scene = Scene()
    order = scene.resting(time_in_force=GTC)
    fill = scene.trade(order, TEN + 1, 650_000)
    assert kinds(take(scene, fill, order)) == ["FillDisputed", "BreakOpened"]
    assert take(scene, fill, order) == commands.NO_DECISION
    other = scene.trade(order, TEN + 1, 650_000)
    assert kinds(take(scene, other, order)) == ["FillDisputed", "BreakOpened"]
    assert len(scene.book.breaks) == 2
    scene.check()


def test_the_same_execution_under_a_second_trade_id() -> None:
    """The order is whole already: more than remains of it."""
    scene = Scene()
    order = scene.resting(time_in_force=GTC)
    scene.fill(order, TEN, 650_000)
    decision = take(scene, scene.trade(order, TEN, 650_000), order)
    assert kinds(decision) == ["FillDisputed", "BreakOpened"]
    assert decision.effects == ()
    assert scene.held(KALSHI, Side.YES)[0] == TEN
    assert result(scene, order).filled_qty == 10
    scene.check()


def test_a_refusal_after_a_disputed_fill_proves_nothing() -> None:
    """Somebody said that it filled, however oddly: whether it is there is to be found out."""
    scene = Scene()
    order = scene.order(limit_price=650_000, time_in_force=GTC)
    take(scene, scene.trade(order, TEN + 1, 650_000), order)
    scene.answer(order, Refused(venue_code="invalid_order", message="no"))
    assert scene.book.orders[order.client_order_id].status is OrderStatus.UNKNOWN
    scene.check()


def test_listing_and_cash_agree_after_all() -> None:
    """Then it counts, its break ends, and a closed order is corrected."""
    scene = Scene()
    order = scene.resting(time_in_force=GTC)
    fill = scene.trade(order, TEN + MICRO, 700_000)
    take(scene, fill, order)
    decision = take(scene, fill, order, is_proven=True)
    assert kinds(decision) == ["OrderFilled", "BreakClosed"]
    assert (scene.book.breaks, scene.book.orders) == ({}, {})
    assert scene.held(KALSHI, Side.YES) == (TEN + MICRO, 7_700_000)
    late = scene.trade(order, MICRO, 650_000)
    take(scene, late, order)
    booked = take(scene, late, order, is_proven=True).events[0]
    assert isinstance(booked, events.OrderFilled)
    assert booked.corrects == result(scene, order).corrects
    scene.check()


def test_terms_that_the_venue_shows_explain_a_fill() -> None:
    """Amended there by hand: what fills within the amended terms contradicts nothing."""
    scene = Scene()
    order = scene.resting(time_in_force=GTC)
    fill = scene.trade(order, 12 * MICRO, 700_000)
    assert kinds(take(scene, fill, order)) == ["FillDisputed", "BreakOpened"]
    seen = listed(order, quantity=20 * MICRO, filled=12 * MICRO, limit_price=700_000)
    found = Found(
        venue_order_id=order.venue_order_id or "",
        by="list",
        time_ns=NOW,
        fills=(fill,),
        listed=seen,
    )
    decision = scene.do(commands.TakeLookup(client_order_id=order.client_order_id, lookup=found))
    assert kinds(decision) == ["OrderAmended", "BreakOpened", "OrderFilled", "BreakClosed"]
    assert order.remaining == 8 * MICRO
    assert not order.disputed
    scene.check()


def test_an_answer_is_no_better_than_the_stream() -> None:
    """Fills of an answer that contradict the order are disputed alike."""
    scene = Scene()
    order = scene.order(time_in_force=GTC)
    fill = scene.trade(order, TEN + 1, 650_000)
    answer = Accepted(venue_order_id="v-1", time_ns=NOW, fills=(fill,))
    assert kinds(scene.answer(order, answer)) == [
        "OrderAcknowledged",
        "FillDisputed",
        "BreakOpened",
    ]


# Ends by the venue's word ----------------------------------------------------------------------


def executed(scene: Scene, order: Order, filled: int, *fills: Fill) -> commands.Decision:
    """Let a lookup find an order executed with so much, and these fills."""
    seen = listed(order, quantity=filled, filled=filled, closed="filled")
    found = Found(
        venue_order_id=order.venue_order_id or "v",
        by="list",
        time_ns=NOW,
        fills=fills,
        closed="filled",
        listed=seen,
    )
    return scene.do(commands.TakeLookup(client_order_id=order.client_order_id, lookup=found))


def test_executed_with_less_than_was_asked_for() -> None:
    """Decreased by hand from 10 to 2, and 2 filled: ended, partial, nothing reserved."""
    scene = Scene()
    order = scene.resting(time_in_force=GTC)
    scene.do(commands.TakeVenueOrder(listed=listed(order, quantity=2 * MICRO)))
    assert [each.kind for each in scene.book.breaks.values()] == ["amended_order"]
    decision = executed(scene, order, 2 * MICRO, scene.trade(order, 2 * MICRO, 650_000))
    assert kinds(decision) == ["OrderFilled", "OrderCancelled", "BreakClosed"]
    ended = result(scene, order)
    assert (ended.status, ended.final) == (ResultStatus.PARTIAL, True)
    assert ended.filled_qty == 2
    assert (scene.book.orders, scene.book.breaks) == ({}, {})
    scene.check()


def test_executed_with_more_than_its_fills_say_is_not_the_end() -> None:
    """A fill is missing: whoever looks goes on."""
    scene = Scene()
    order = scene.resting(time_in_force=GTC)
    decision = executed(scene, order, 3 * MICRO, scene.trade(order, 2 * MICRO, 650_000))
    assert kinds(decision) == ["OrderFilled"]
    assert order.status is OrderStatus.PARTIALLY_FILLED


# Provisional executions ------------------------------------------------------------------------


def reverse(scene: Scene, order: Order, trade_id: str) -> commands.Decision:
    """Let a provisional execution fail, as the writer hands it over."""
    filled = None
    for _, _, event in scene.life(order.request_id):
        if isinstance(event, events.OrderFilled) and event.trade_id == trade_id:
            filled = event
    return scene.do(
        commands.TakeReversal(
            client_order_id=order.client_order_id,
            trade_id=trade_id,
            filled=filled,
            past=scene.past(order),
        )
    )


@pytest.mark.parametrize("where", [{}, ON_POLYMARKET], ids=["netting", "tokens"])
@pytest.mark.parametrize("quantity", [4 * MICRO, TEN])
def test_a_failed_buy_is_taken_back_once(where: dict[str, Any], quantity: int) -> None:
    """Held, cost, cash, fees and P&L are as if it had never been; a replay changes nothing."""
    scene = Scene()
    scene.write(events.CashCounted(pool=where.get("platform", Platform.KALSHI), amount=100 * MICRO))
    order = scene.resting(time_in_force=GTC, **where)
    fill = scene.trade(order, quantity, 640_001, 4_200, is_provisional=True)
    take(scene, fill, order)
    assert result(scene, order).status == ("Filled" if quantity == TEN else "Pending")
    decision = reverse(scene, order, fill.trade_id)
    assert kinds(decision) == ["FillReversed"]
    market = scene.book.markets[order.market_key]
    assert (market.yes.quantity, market.yes.cost, market.no.quantity) == (0, 0, 0)
    assert (scene.book.realized, scene.book.fees, market.fees) == (0, 0, 0)
    assert set(scene.book.ledgers.values()) == {100 * MICRO}
    after = result(scene, order)
    assert {after.filled_qty, after.fees, after.avg_price} == {Decimal(0)}
    if quantity == TEN:
        assert (after.status, after.corrects) == (ResultStatus.CANCELLED, scene.book.sequence - 1)
    assert reverse(scene, order, fill.trade_id) == commands.NO_DECISION
    assert take(scene, fill, order) == commands.NO_DECISION
    scene.check()


def test_what_was_sold_meanwhile_leaves_the_books_whole() -> None:
    """Bought, sold again, and the buy fails: cash and P&L are those of the sale alone."""
    scene = Scene()
    scene.write(events.CashCounted(pool=Platform.KALSHI, amount=100 * MICRO))
    order = scene.resting(time_in_force=GTC)
    fill = scene.trade(order, TEN, 640_000, 1_000, is_provisional=True)
    take(scene, fill, order)
    scene.fill(scene.resting("s", action=Action.SELL, limit_price=500_000), TEN, 700_000, 2_000)
    reverse(scene, order, fill.trade_id)
    book, market = scene.book, scene.book.markets[order.market_key]
    spent = 100 * MICRO - book.ledgers[Platform.KALSHI]
    assert spent == market.yes.cost + market.no.cost - book.realized + book.fees
    assert (market.yes.quantity, market.no.quantity) == (0, TEN)
    assert book.fees == 2_000
    scene.check()


def test_a_provisional_sale_is_none_yet() -> None:
    """It counts when it is confirmed; once it failed it never does."""
    for is_good in (True, False):
        scene = Scene()
        scene.hold(Side.YES, TEN, 500_000, **ON_POLYMARKET)
        order = scene.resting(
            "s", action=Action.SELL, limit_price=500_000, time_in_force=GTC, **ON_POLYMARKET
        )
        fill = scene.trade(order, TEN, 600_000, is_provisional=True)
        assert take(scene, fill, order) == commands.NO_DECISION
        sure = scene.trade(order, TEN, 600_000, trade_id=fill.trade_id)
        if is_good:
            assert kinds(take(scene, sure, order)) == ["OrderFilled"]
        else:
            assert kinds(reverse(scene, order, fill.trade_id)) == ["FillReversed"]
            assert take(scene, sure, order) == commands.NO_DECISION
        scene.check()


def test_a_reversal_after_the_settlement() -> None:
    """The payout goes with it: nothing is left of the market."""
    scene = Scene()
    order = scene.resting(time_in_force=GTC)
    fill = scene.trade(order, TEN, 640_000, 1_000, is_provisional=True)
    take(scene, fill, order)
    scene.do(commands.SettleMarket(platform=Platform.KALSHI, market_id=KALSHI, payouts=YES_WON))
    reverse(scene, order, fill.trade_id)
    market = scene.book.markets[order.market_key]
    assert (market.yes.quantity, market.no.quantity) == (0, 0)
    assert (scene.book.realized, scene.book.fees) == (0, 0)
    scene.check()
