"""Closed orders, as their records leave them."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.open_order import NOTHING, Order
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Accepted,
    Gated,
    NotSent,
    Outcome,
    Refused,
)
from arbees.core.language.request import Alternate
from arbees.core.language.words import (
    OrderStatus,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.orders.closed_orders import closed_order
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import NOW, YES_TOKEN

TEN = 10 * MICRO


def past(scene: Scene, order: Order) -> commands.ClosedOrder:
    """Return the past of an order that has one."""
    found = closed_order(scene.life(order.request_id))
    assert found is not None
    return found


def test_an_order_that_never_was() -> None:
    """Nothing approved, nothing past; what happens before an approval is not its."""
    assert closed_order([]) is None
    fill = events.OrderAcknowledged(client_order_id="c", request_id="r", venue_order_id="v")
    assert closed_order([(1, 2, fill)]) is None
    scene = Scene()
    scene.order()
    stray = [(1, NOW, fill), *scene.life("r-k-1")]
    found = closed_order(stray)
    assert found is not None
    assert found.order.venue_order_id is None


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Gated(code="HALTED", message="m"), OrderStatus.DENIED),
        (NotSent(message="m"), OrderStatus.NOT_SENT),
        (Refused(venue_code="x", message="m"), OrderStatus.REJECTED),
        (Accepted(venue_order_id="v", time_ns=NOW, closed="killed"), OrderStatus.CANCELLED),
        (Accepted(venue_order_id="v", time_ns=NOW, closed="expired"), OrderStatus.EXPIRED),
    ],
)
def test_how_it_ended(outcome: Outcome, status: OrderStatus) -> None:
    """Its last state, the sequence of its end, its request, and nothing reserved."""
    scene = Scene()
    order = scene.order()
    scene.answer(order, outcome)
    found = past(scene, order)
    assert found.order.status is status
    assert found.final_sequence == scene.book.sequence
    assert found.request == scene.requests[order.client_order_id]
    assert found.order.reserved == NOTHING
    assert (found.order.client_order_id, found.order.quantity) == (order.client_order_id, TEN)


def test_what_filled() -> None:
    """Quantity, trades and the venue's id; the last fill ends it."""
    scene = Scene()
    order = scene.order(time_in_force=TimeInForce.GTC)
    scene.wait(1)
    scene.answer(order, Accepted(venue_order_id="v-1", time_ns=NOW))
    acknowledged = scene.now
    scene.wait(1)
    scene.fill(order, 4 * MICRO, 650_000)
    open_still = past(scene, order)
    assert (open_still.order.filled, open_still.final_sequence) == (4 * MICRO, 0)
    scene.fill(order, 6 * MICRO, 650_000)
    found = past(scene, order)
    assert (found.order.filled, found.order.trades) == (TEN, ["t-1", "t-2"])
    assert (found.order.venue_order_id, found.order.acknowledged_ns) == ("v-1", acknowledged)
    assert (found.order.status, found.final_sequence) == (OrderStatus.FILLED, scene.book.sequence)


def test_a_correction_is_no_new_end() -> None:
    """It adds to what filled; the end stays the one that it corrects."""
    scene = Scene()
    order = scene.order()
    scene.answer(order, NotSent(message="m"))
    final = scene.book.sequence
    scene.fill(order, 4 * MICRO, 650_000)
    found = past(scene, order)
    assert (found.order.filled, found.order.trades) == (4 * MICRO, ["t-1"])
    assert (found.order.status, found.final_sequence) == (OrderStatus.NOT_SENT, final)


def test_the_last_leg_counts() -> None:
    """What is past is where the request went last."""
    there = Alternate(
        platform=Platform.POLYMARKET, market_id=YES_TOKEN, side=Side.YES, limit_price=640_000
    )
    scene = Scene()
    order = scene.order(alternates=(there,))
    asked: Any = scene.requests[order.client_order_id]
    scene.answer(order, NotSent(message="m"))
    scene.do(commands.Submit(request=asked, received_ns=NOW, leg=1))
    second = scene.book.orders[order.client_order_id]
    scene.answer(second, Accepted(venue_order_id="v", time_ns=NOW, closed="cancelled"))
    found = past(scene, order)
    assert (found.order.leg, found.order.platform) == (1, Platform.POLYMARKET)
    assert (found.order.status, found.final_sequence) == (
        OrderStatus.CANCELLED,
        scene.book.sequence,
    )
