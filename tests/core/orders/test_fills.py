"""Fills: taken in every state, counted once, every number exact on both kinds of venue."""

from collections.abc import Callable
from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.open_order import NOTHING, Order, Reservation
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import Accepted, Gated, NotSent
from arbees.core.language.words import (
    Action,
    OrderStatus,
    Platform,
    Side,
    TimeInForce,
)
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import CONDITION, KALSHI, NO_TOKEN, NOW, YES_TOKEN

TEN = 10 * MICRO
SELL = Action.SELL
GTC: dict[str, Any] = {"time_in_force": TimeInForce.GTC}
ON_POLYMARKET: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}


def numbers(filled: events.OrderFilled) -> dict[str, int]:
    """Return what a fill changes of position, profit and cash; zeros left out."""
    names = ("yes_quantity", "yes_cost", "no_quantity", "no_cost", "realized", "cash", "outside")
    found = {name: getattr(filled, name) for name in names}
    return {name: value for name, value in found.items() if value}


def test_a_fill_holds_every_number() -> None:
    """What the book adds is in the event, so that it replays for ever."""
    scene = Scene()
    order = scene.resting(strategy="alpha", **GTC)
    scene.wait(1)
    filled = scene.fill(order, 4 * MICRO, 640_000, 64_600, is_maker=True)
    assert filled == events.OrderFilled(
        client_order_id=order.client_order_id,
        request_id="r-k-1",
        platform="Kalshi",
        market_key=KALSHI,
        strategy="alpha",
        trade_id="t-1",
        quantity=4 * MICRO,
        price=640_000,
        value=4 * MICRO * 640_000,
        fee=64_600,
        is_maker=True,
        venue_ns=scene.now,
        reserved=Reservation(0, 3_900_000, 4_290_000, 4_005_000, 0),
        is_complete=False,
        yes_quantity=4 * MICRO,
        yes_cost=2_560_000,
        no_quantity=0,
        no_cost=0,
        realized=0,
        cash=-2_624_600,
        outside=2_624_600,
        strategy_quantity=4 * MICRO,
        corrects=None,
    )
    assert (order.filled, order.value, order.fees) == (4 * MICRO, 2_560_000 * MICRO, 64_600)
    assert (order.trades, order.status) == (["t-1"], OrderStatus.PARTIALLY_FILLED)
    scene.check()


def test_the_last_fill_completes() -> None:
    """Nothing remains: the order is filled, and nothing stays reserved."""
    scene = Scene()
    order = scene.resting(**GTC)
    scene.fill(order, TEN - 1, 650_000)
    last = scene.fill(order, 1, 650_000)
    assert (last.is_complete, last.reserved) == (True, NOTHING)
    assert scene.book.orders == {}
    # Each fill costs whole micro-dollars: rounded against us.
    assert scene.held(KALSHI, Side.YES) == (TEN, 6_500_001)
    scene.check()


def test_a_fill_counts_once() -> None:
    """Known trade ids change nothing, in one answer, in a later one, and after the end."""
    scene = Scene()
    order = scene.order(**GTC)
    fill = scene.trade(order, 4 * MICRO, 640_000)
    answer = Accepted(venue_order_id="v-1", time_ns=NOW, fills=(fill, fill))
    decision = scene.answer(order, answer)
    assert [type(event) for event in decision.events] == [
        events.OrderAcknowledged,
        events.OrderFilled,
    ]
    assert scene.do(commands.TakeFill(fill=fill)) == commands.NO_DECISION
    scene.fill(order, 6 * MICRO, 640_000)
    assert scene.do(commands.TakeFill(fill=fill, past=scene.past(order))) == commands.NO_DECISION
    assert scene.held(KALSHI, Side.YES) == (TEN, 6_400_000)
    scene.check()


def test_a_fill_of_an_order_that_nobody_knows_is_not_ours() -> None:
    """Without records there is nothing to count it for."""
    scene = Scene()
    order = scene.order()
    fill = scene.trade(order, MICRO, 650_000, venue_order_id="v-1")
    assert Scene().ask(commands.TakeFill(fill=fill)) == commands.NO_DECISION


# States ----------------------------------------------------------------------------------------


def test_a_fill_that_names_the_venues_order_acknowledges_it() -> None:
    """Presence: pending and unknown orders are known from then on, once."""
    for make in (Scene.order, Scene.lost):
        scene = Scene()
        order = make(scene, **GTC)
        fill = scene.trade(order, MICRO, 650_000, venue_order_id="v-7")
        first, second = scene.do(commands.TakeFill(fill=fill)).events
        assert first == events.OrderAcknowledged(
            client_order_id=order.client_order_id,
            request_id="r-k-1",
            venue_order_id="v-7",
            by="fill",
        )
        assert isinstance(second, events.OrderFilled)
        assert (order.status, order.venue_order_id) == (OrderStatus.PARTIALLY_FILLED, "v-7")
        assert scene.book.unknown == 0
        again = scene.trade(order, MICRO, 650_000, venue_order_id="v-7")
        assert len(scene.do(commands.TakeFill(fill=again)).events) == 1
        assert scene.do(commands.TakeFill(fill=fill)) == commands.NO_DECISION
        scene.check()


@pytest.mark.parametrize("make", [Scene.order, Scene.lost])
def test_a_fill_without_the_venues_order_leaves_the_state(make: Callable[..., Order]) -> None:
    """It counts; what the order is otherwise is still to be found out."""
    scene = Scene()
    order = make(scene, **GTC)
    status = order.status
    filled = scene.fill(order, MICRO, 650_000)
    assert filled.corrects is None
    assert (order.status, order.filled) == (status, MICRO)
    assert scene.book.unknown == (status is OrderStatus.UNKNOWN)
    scene.check()
    scene.fill(order, 9 * MICRO, 650_000)
    assert scene.book.orders == {}
    assert scene.book.unknown == 0
    scene.check()


def ended(scene: Scene, how: str) -> Order:
    """Return an order that ended in some way."""
    order = scene.order()
    if how == "denied":
        scene.answer(order, Gated(code="HALTED", message="m"))
    elif how == "not_sent":
        scene.answer(order, NotSent(message="m"))
    else:
        scene.answer(order, Accepted(venue_order_id="v-1", time_ns=NOW, closed=how))
    assert order.client_order_id not in scene.book.orders
    return order


@pytest.mark.parametrize("how", ["cancelled", "killed", "expired", "denied", "not_sent"])
def test_a_fill_after_the_end_is_a_correction(how: str) -> None:
    """It is taken, it names the result that it corrects, and no order comes back to life."""
    scene = Scene()
    order = ended(scene, how)
    final = scene.book.sequence
    held = scene.held(KALSHI, Side.YES)[0]
    filled = scene.fill(order, 4 * MICRO, 640_000, 100, venue_order_id="v-1")
    assert (filled.corrects, filled.is_complete, filled.reserved) == (final, False, NOTHING)
    assert numbers(filled) == {
        "yes_quantity": 4 * MICRO,
        "yes_cost": 2_560_000,
        "cash": -2_560_100,
        "outside": 2_560_100,
    }
    assert scene.held(KALSHI, Side.YES)[0] == held + 4 * MICRO
    assert scene.book.orders == {}
    scene.check()
    again = scene.fill(order, MICRO, 640_000)
    assert again.corrects == final


# Average cost on a netting venue ---------------------------------------------------------------


def test_buying_more_adds_cost() -> None:
    """10 at 0.60 and 5 at 0.30 cost 7.50."""
    scene = Scene()
    scene.hold(Side.YES, TEN, 600_000)
    scene.hold(Side.YES, 5 * MICRO, 300_000)
    assert scene.held(KALSHI, Side.YES) == (15 * MICRO, 7_500_000)


def test_selling_takes_out_average_cost() -> None:
    """Of 15 that cost 7.50, 6 at 0.55 bring 3.30 for 3.00: 0.30 realized."""
    scene = Scene()
    scene.hold(Side.YES, TEN, 600_000)
    scene.hold(Side.YES, 5 * MICRO, 300_000)
    order = scene.resting("s", action=SELL, size="6", limit_price="0.5", **GTC)
    filled = scene.fill(order, 6 * MICRO, 550_000, 40_000)
    assert numbers(filled) == {
        "yes_quantity": -6 * MICRO,
        "yes_cost": -3_000_000,
        "realized": 300_000,
        "cash": 3_260_000,
    }
    assert filled.strategy_quantity == -6 * MICRO
    assert scene.held(KALSHI, Side.YES) == (9 * MICRO, 4_500_000)
    assert (scene.book.realized, scene.book.fees) == (300_000, 40_000)
    scene.check()


def test_buying_the_other_side_closes_first() -> None:
    """20 No at 0.30 close 15 Yes at 0.70, and open 5 No."""
    scene = Scene()
    scene.hold(Side.YES, 15 * MICRO, 500_000)
    order = scene.resting("n", side=Side.NO, size="20", limit_price="0.3", **GTC)
    filled = scene.fill(order, 20 * MICRO, 300_000)
    assert numbers(filled) == {
        "yes_quantity": -15 * MICRO,
        "yes_cost": -7_500_000,
        "no_quantity": 5 * MICRO,
        "no_cost": 1_500_000,
        "realized": 3_000_000,
        "cash": 9_000_000,
    }
    assert filled.strategy_quantity == -20 * MICRO
    assert scene.held(KALSHI, Side.YES) == (0, 0)
    assert scene.held(KALSHI, Side.NO) == (5 * MICRO, 1_500_000)
    scene.check()


def test_a_sell_beyond_what_is_held_opens_the_other_side() -> None:
    """Venue truth, whatever we asked for: on a netting venue the position turns."""
    scene = Scene()
    scene.hold(Side.NO, 4 * MICRO, 500_000)
    order = scene.resting("s", side=Side.NO, action=SELL, limit_price="0.4", **GTC)
    filled = scene.fill(order, TEN, 400_000)
    assert numbers(filled) == {
        "yes_quantity": 6 * MICRO,
        "yes_cost": 3_600_000,
        "no_quantity": -4 * MICRO,
        "no_cost": -2_000_000,
        "realized": -400_000,
        "cash": -2_000_000,
        "outside": 2_000_000,
    }
    assert filled.strategy_quantity == TEN
    scene.check()


def test_rounding_is_against_us() -> None:
    """What is paid is rounded up, what comes in and the cost that leaves are rounded down."""
    scene = Scene()
    order = scene.resting(size=3, limit_price="0.5", **GTC)
    bought_now = {"yes_quantity": 3, "yes_cost": 2, "cash": -2, "outside": 2}
    assert numbers(scene.fill(order, 3, 500_000)) == bought_now
    sell = scene.resting("s", action=SELL, size=3, limit_price="0.5", **GTC)
    assert numbers(scene.fill(sell, 1, 500_000)) == {"yes_quantity": -1}
    assert numbers(scene.fill(sell, 2, 500_000)) == {
        "yes_quantity": -2,
        "yes_cost": -2,
        "realized": -1,
        "cash": 1,
    }
    assert scene.held(KALSHI, Side.YES) == (0, 0)


def test_fills_of_one_answer_build_on_each_other() -> None:
    """The second closes what the first left."""
    scene = Scene()
    scene.hold(Side.YES, 5 * MICRO, 400_000)
    order = scene.order("n", side=Side.NO, limit_price="0.5", **GTC)
    fills = (scene.trade(order, 3 * MICRO, 500_000), scene.trade(order, 7 * MICRO, 450_000))
    decision = scene.answer(order, Accepted(venue_order_id="v", time_ns=NOW, fills=fills))
    _, first, second = decision.events
    assert isinstance(first, events.OrderFilled)
    assert isinstance(second, events.OrderFilled)
    assert numbers(first) == {
        "yes_quantity": -3 * MICRO,
        "yes_cost": -1_200_000,
        "realized": 300_000,
        "cash": 1_500_000,
    }
    assert not first.is_complete
    assert first.reserved == Reservation(3_500_000, 0, 3_850_000, 3_622_500, 2 * MICRO)
    assert numbers(second) == {
        "yes_quantity": -2 * MICRO,
        "yes_cost": -800_000,
        "no_quantity": 5 * MICRO,
        "no_cost": 2_250_000,
        "realized": 300_000,
        "cash": -1_150_000,
        "outside": 1_150_000,
    }
    assert (second.is_complete, second.reserved) == (True, NOTHING)
    scene.check()


# Average cost of outcome tokens ----------------------------------------------------------------


def test_tokens_are_held_apart() -> None:
    """A Buy of No leaves Yes alone; each is sold at its own average cost."""
    scene = Scene()
    scene.hold(Side.YES, TEN, 600_000, **ON_POLYMARKET)
    scene.hold(Side.NO, TEN, 300_000, **ON_POLYMARKET)
    assert scene.held(CONDITION, Side.YES) == (TEN, 6_000_000)
    assert scene.held(CONDITION, Side.NO) == (TEN, 3_000_000)
    order = scene.resting(
        "s", side=Side.NO, action=SELL, size="4", limit_price="0.3", **ON_POLYMARKET, **GTC
    )
    filled = scene.fill(order, 4 * MICRO, 350_000, 10)
    assert numbers(filled) == {
        "no_quantity": -4 * MICRO,
        "no_cost": -1_200_000,
        "realized": 200_000,
        "cash": 1_399_990,
    }
    assert filled.strategy_quantity == 4 * MICRO
    scene.check()


def test_the_no_token_under_its_own_name() -> None:
    """`Yes` of it is the condition's No; its price is its own."""
    scene = Scene()
    order = scene.resting(
        platform=Platform.POLYMARKET, market_id=NO_TOKEN, limit_price="0.3", **GTC
    )
    filled = scene.fill(order, TEN, 290_000)
    assert numbers(filled) == {
        "no_quantity": TEN,
        "no_cost": 2_900_000,
        "cash": -2_900_000,
        "outside": 2_900_000,
    }
    assert (filled.market_key, filled.strategy_quantity) == (CONDITION, -TEN)


def test_a_token_is_never_sold_short() -> None:
    """Beyond what is held there is nothing to close and nothing opens."""
    scene = Scene()
    scene.hold(Side.YES, 4 * MICRO, 500_000, **ON_POLYMARKET)
    order = scene.resting("s", action=SELL, limit_price="0.4", **ON_POLYMARKET, **GTC)
    filled = scene.fill(order, TEN, 400_000)
    assert (filled.yes_quantity, filled.yes_cost) == (-4 * MICRO, -2_000_000)
    assert (filled.realized, filled.cash) == (-400_000, 1_600_000)
    assert scene.held(CONDITION, Side.NO) == (0, 0)


def test_a_price_of_yes_is_turned_to_the_side_that_was_named() -> None:
    """A venue with one book tells the price of Yes; an order of No paid the rest of the dollar."""
    scene = Scene()
    order = scene.resting(side=Side.NO, limit_price=400_000)
    filled = scene.fill(order, 10 * MICRO, 620_000, is_of_yes=True)
    assert (filled.price, filled.no_cost, filled.cash) == (380_000, 3_800_000, -3_800_000)
    scene.check()
