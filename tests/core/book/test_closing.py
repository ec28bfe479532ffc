"""What is held can be closed once: open orders that may close it leave nothing to the next one."""

from typing import Any

from arbees.core.book.book import closable
from arbees.core.book.market import Market
from arbees.core.book.open_order import Order
from arbees.core.deciding.candidate import Candidate, make_candidate
from arbees.core.deciding.commands import TakeClosed
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.outcomes import OrderClosed
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform, Side
from tests.core.scene import Scene
from tests.safeguards.build import BUFFER, CONDITION, KALSHI, TERMS, YES_TOKEN, request


def held(scene: Scene, size: int, **changes: Any) -> Market:
    """Buy so many contracts of Yes at 0.50, and return the market."""
    order = scene.order("held", size=size * MICRO, limit_price=500_000, **changes)
    scene.fill(order, size * MICRO, 500_000)
    return scene.book.markets[order.market_key]


def next_order(scene: Scene, **changes: Any) -> Candidate:
    """Return the next order as the safeguards would see it."""
    made = request(request_id="next", idempotency_key="next", **changes)
    return make_candidate(made, 0, scene.book, Facts(now_ns=scene.now), TERMS, BUFFER)


def turning(scene: Scene, size: int) -> Order:
    """Buy No: on Kalshi it closes Yes first, the rest opens No."""
    return scene.order("turn", side=Side.NO, size=size * MICRO, limit_price=400_000)


def test_an_order_that_turns_around_claims_all_that_it_may_close() -> None:
    """While 150 No are on their way, none of the 100 Yes is left to close."""
    scene = Scene()
    market = held(scene, 100)
    assert closable(market, Side.YES) == 100 * MICRO
    order = turning(scene, 150)
    assert (order.is_reducing, order.reserved.closing) == (False, 100 * MICRO)
    assert closable(market, Side.YES) == 0
    for asked in ({"side": Side.NO}, {"action": Action.SELL}):
        made = next_order(scene, size=MICRO, **asked)
        assert (made.is_reducing, made.closable) == (False, 0)
    scene.check()


def test_what_fills_first_closes() -> None:
    """After 40 of 150 have filled, 60 Yes are held and claimed; after 120, nothing is."""
    scene = Scene()
    market = held(scene, 100)
    order = turning(scene, 150)
    scene.fill(order, 40 * MICRO, 400_000)
    assert (market.yes.quantity, market.yes.closing) == (60 * MICRO, 60 * MICRO)
    scene.fill(order, 80 * MICRO, 400_000)
    assert (market.yes.quantity, market.yes.closing) == (0, 0)
    assert market.no.quantity == 20 * MICRO
    assert order.reserved.closing == 0
    scene.check()


def test_a_cancel_frees_the_claim() -> None:
    """What did not fill can be closed by others."""
    scene = Scene()
    market = held(scene, 100)
    order = turning(scene, 150)
    scene.fill(order, 40 * MICRO, 400_000)
    closed = OrderClosed(
        client_order_id=order.client_order_id,
        closed="cancelled",
        reason="asked for",
        time_ns=scene.now,
        filled=40 * MICRO,
    )
    scene.do(TakeClosed(closed=closed))
    assert market.yes.closing == 0
    made = next_order(scene, size=60 * MICRO, action=Action.SELL)
    assert (made.is_reducing, made.closable) == (True, 60 * MICRO)
    scene.check()


def test_reducing_orders_claim_their_quantity() -> None:
    """Two closes share what is held; the third finds what is left."""
    scene = Scene()
    market = held(scene, 100)
    first = scene.order("first", action=Action.SELL, size=30 * MICRO)
    second = scene.order("second", side=Side.NO, size=50 * MICRO)
    assert (first.is_reducing, second.is_reducing) == (True, True)
    assert market.yes.closing == 80 * MICRO
    assert next_order(scene, action=Action.SELL, size=20 * MICRO).is_reducing
    assert not next_order(scene, action=Action.SELL, size=20 * MICRO + 1).is_reducing
    scene.fill(first, 10 * MICRO, 650_000)
    assert (market.yes.quantity, market.yes.closing) == (90 * MICRO, 70 * MICRO)
    scene.check()


def test_where_sides_do_not_net_a_buy_claims_nothing() -> None:
    """On Polymarket buying No leaves the Yes as they are."""
    scene = Scene()
    place: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}
    market = held(scene, 100, **place)
    order = scene.order("no", **place, side=Side.NO, size=150 * MICRO, limit_price=400_000)
    assert order.reserved.closing == 0
    assert closable(market, Side.YES) == 100 * MICRO
    assert next_order(scene, **place, action=Action.SELL, size=100 * MICRO).is_reducing
    assert set(scene.book.markets) == {KALSHI, CONDITION}
    scene.check()
