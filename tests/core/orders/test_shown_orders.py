"""What the venue shows of our orders outranks every answer: presence, terms, ids."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.open_order import NOTHING, Order
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Found,
    NotSent,
    Outcome,
    Refused,
    VenueOrder,
)
from arbees.core.language.words import (
    Action,
    OrderStatus,
    Platform,
    ResultStatus,
    Side,
    TimeInForce,
    TradingState,
)
from arbees.core.orders.closed_orders import closed_order
from arbees.core.orders.result import fold
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import NOW, SECOND

REFUSED = Refused(venue_code="http_403", message="forbidden")


def listed(order: Order, **changes: Any) -> VenueOrder:
    """Return an order just as it was approved, as a venue lists it at work."""
    fields: dict[str, Any] = {
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id or "v-9",
        "platform": order.platform,
        "market_id": order.market_id,
        "side": order.wire_side,
        "action": order.action,
        "quantity": order.quantity,
        "filled": order.filled,
        "limit_price": order.limit_price,
    }
    return VenueOrder(**{**fields, **changes})


def show(scene: Scene, order: Order, seen: VenueOrder, **more: Any) -> commands.Decision:
    """Let the venue show an order, open or closed in the book."""
    return scene.do(commands.TakeVenueOrder(listed=seen, past=scene.past(order), **more))


def kinds(decision: commands.Decision) -> list[str]:
    """Return the kinds of the events."""
    return [events.kind(each) for each in decision.events]


def refused(scene: Scene, **changes: Any) -> Order:
    """Return an order that an answer refused: the book has none any more."""
    order = scene.order(time_in_force=TimeInForce.GTC, **changes)
    scene.answer(order, REFUSED)
    assert not scene.book.orders
    return order


@pytest.mark.parametrize("end", [REFUSED, NotSent(message="no route")])
@pytest.mark.parametrize("by", ["list", "stream"])
def test_an_order_that_never_was_there_is_reopened_at_once(end: Outcome, by: str) -> None:
    """Whatever the answer said: its worst case counts again, its result is corrected, a break."""
    scene = Scene()
    order = scene.order(time_in_force=TimeInForce.GTC)
    reserved, worst = order.reserved, scene.book.total_worst
    scene.answer(order, end)
    assert scene.book.total_worst == 0
    final = scene.book.sequence
    decision = show(scene, order, listed(order), by=by)
    assert kinds(decision) == ["OrderReopened", "BreakOpened"]
    assert decision.effects == (commands.ResolveOrder(order.client_order_id),)
    held = scene.book.orders[order.client_order_id]
    assert (held.status, held.venue_order_id) == (OrderStatus.WORKING, "v-9")
    assert (held.reserved, scene.book.total_worst) == (reserved, worst)
    assert [each.kind for each in scene.book.breaks.values()] == ["reopened_order"]
    life = fold(scene.life(order.request_id))
    assert life is not None
    result = life.result()
    assert (result.status, result.final, result.corrects) == (ResultStatus.PENDING, False, final)
    assert (result.code, result.order_id) == (None, "v-9")
    scene.check()
    assert show(scene, order, listed(order), by=by) == commands.NO_DECISION


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCING])
@pytest.mark.parametrize("scope", ["all", "platform:Kalshi", "market:M"])
def test_a_halt_that_covers_it_cancels_it_at_once(state: TradingState, scope: str) -> None:
    """Also one that was raised before anybody knew that the order works."""
    scene = Scene()
    order = refused(scene)
    scope = scope.replace("market:M", f"market:{order.market_key}")
    scene.do(
        commands.RaiseHalt(
            source="http", scope=scope, state=state, reason="stop", actor="ann", receipt_id="h-1"
        )
    )
    decision = show(scene, order, listed(order))
    assert kinds(decision) == ["OrderReopened", "BreakOpened", "CancelRequested"]
    assert commands.CancelOrder(order.client_order_id) in decision.effects
    assert scene.book.orders[order.client_order_id].cancel_reason == "halt: stop"
    scene.check()


def test_another_halt_leaves_it() -> None:
    """What does not cover it cancels nothing."""
    scene = Scene()
    order = refused(scene)
    scene.do(
        commands.RaiseHalt(
            source="http",
            scope="platform:Polymarket",
            state=TradingState.HALTED,
            reason="stop",
            actor="ann",
            receipt_id="h-1",
        )
    )
    assert kinds(show(scene, order, listed(order))) == ["OrderReopened", "BreakOpened"]


def test_a_reopened_order_ends_as_a_correction_and_takes_its_break_along() -> None:
    """The break stands for as long as the order does."""
    scene = Scene()
    order = refused(scene)
    show(scene, order, listed(order))
    seen = listed(order, venue_order_id="v-9", quantity=0, closed="cancelled")
    found = Found(venue_order_id="v-9", by="list", time_ns=NOW, closed="cancelled", listed=seen)
    decision = scene.do(commands.TakeLookup(client_order_id=order.client_order_id, lookup=found))
    assert kinds(decision) == ["OrderCancelled", "BreakClosed"]
    assert (scene.book.orders, scene.book.breaks) == ({}, {})
    life = fold(scene.life(order.request_id))
    assert life is not None
    result = life.result()
    assert (result.status, result.final) == (ResultStatus.CANCELLED, True)
    assert result.corrects is not None
    scene.check()


def test_one_that_is_shown_as_ended_is_corrected_too() -> None:
    """It was there after all, so its key is spent; it reserves nothing any more."""
    scene = Scene()
    order = refused(scene)
    seen = listed(order, quantity=0, closed="cancelled", reason="UserCancel")
    decision = show(scene, order, seen)
    assert kinds(decision) == ["OrderReopened", "BreakOpened", "OrderCancelled", "BreakClosed"]
    assert (scene.book.orders, scene.book.breaks) == ({}, {})
    scene.check()


def test_what_the_venue_ended_itself_needs_a_younger_word() -> None:
    """A list that lags shows for a while what is gone; one from after the end does not lie."""
    scene = Scene()
    order = scene.resting()
    found = Found(venue_order_id="v-k-1", by="list", time_ns=NOW, closed="cancelled")
    scene.do(commands.TakeLookup(client_order_id=order.client_order_id, lookup=found))
    ended_ns = scene.now
    seen = listed(order, venue_order_id="v-k-1")
    scene.wait(1)
    assert show(scene, order, seen, by="stream") == commands.NO_DECISION
    assert show(scene, order, seen, as_of_ns=ended_ns) == commands.NO_DECISION
    assert kinds(show(scene, order, seen, as_of_ns=ended_ns + 1))[0] == "OrderReopened"
    scene.check()


def test_presence_ends_waiting_and_unknown() -> None:
    """The own stream says `resting` with our id: that is as good as any answer."""
    for order_of in (Scene.order, Scene.lost):
        scene = Scene()
        order = order_of(scene, time_in_force=TimeInForce.GTC)
        decision = show(scene, order, listed(order), by="stream")
        assert kinds(decision) == ["OrderAcknowledged"]
        assert order.status is OrderStatus.WORKING
        scene.check()


def test_the_id_of_the_listing_wins() -> None:
    """An answer that named another one is corrected, on record; a cancel names the right one."""
    scene = Scene()
    order = scene.resting()
    decision = show(scene, order, listed(order, venue_order_id="v-other"))
    assert kinds(decision) == ["VenueIdChanged"]
    assert order.venue_order_id == "v-other"
    life = fold(scene.life(order.request_id))
    assert life is not None
    assert life.result().order_id == "v-other"


@pytest.mark.parametrize(
    ("quantity", "price", "worst"),
    [
        (20 * MICRO, 650_000, 13_000_000),
        (20 * MICRO, 700_000, 14_000_000),
        (10 * MICRO, 700_000, 7_000_000),
        (10 * MICRO, 100_000, 6_500_000),
        (2 * MICRO, 650_000, 6_500_000),
        (2 * MICRO, 900_000, 9_000_000),
    ],
)
def test_other_terms_are_a_break_and_count_by_the_worse(
    quantity: int, price: int, worst: int
) -> None:
    """Whoever changed it by hand: what may fill is the most of both, at the worse of both."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    assert scene.book.total_worst == 6_500_000
    decision = show(scene, order, listed(order, quantity=quantity, limit_price=price))
    assert kinds(decision) == ["OrderAmended", "BreakOpened"]
    opened = decision.events[1]
    assert isinstance(opened, events.BreakOpened)
    assert (opened.kind, opened.expected) == ("amended_order", "10 at 0.65")
    assert scene.book.total_worst == worst
    scene.check()
    assert (
        show(scene, order, listed(order, quantity=quantity, limit_price=price))
        == commands.NO_DECISION
    )
    back = show(scene, order, listed(order))
    assert kinds(back) == ["OrderAmended", "BreakClosed"]
    assert (scene.book.total_worst, order.amended) == (6_500_000, None)
    scene.check()


def test_the_same_terms_in_other_words_are_the_same() -> None:
    """A venue with one book says a Buy of No at 0.35 as an offer of Yes at 0.65."""
    scene = Scene()
    order = scene.resting(side=Side.NO, limit_price=350_000)
    same = listed(order, side=Side.YES, action=Action.SELL, limit_price=650_000)
    assert show(scene, order, same) == commands.NO_DECISION
    other = listed(order, side=Side.YES, action=Action.BUY, limit_price=650_000)
    assert kinds(show(scene, order, other)) == ["BreakOpened"]


def test_another_place_is_another_order() -> None:
    """Alternates share an id: what another venue shows says nothing of this order."""
    scene = Scene()
    order = refused(scene)
    assert show(scene, order, listed(order, platform=Platform.POLYMARKET)) == commands.NO_DECISION
    assert show(scene, order, listed(order, market_id="OTHER")) == commands.NO_DECISION
    stranger = commands.TakeVenueOrder(listed=listed(order, client_order_id="arb-none"))
    assert scene.do(stranger) == commands.NO_DECISION


def test_a_key_of_a_reopened_order_is_in_flight_again() -> None:
    """Nobody may come again with the next attempt while it works."""
    scene = Scene()
    order = scene.order(time_in_force=TimeInForce.GTC)
    scene.answer(order, NotSent(message="no route"))
    show(scene, order, listed(order))
    past = closed_order(scene.life(order.request_id))
    assert past is not None
    assert past.order.status is OrderStatus.WORKING
    assert past.order.reserved != NOTHING
    scene.wait(1)
    assert scene.now == NOW + SECOND
