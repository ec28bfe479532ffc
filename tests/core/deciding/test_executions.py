"""What venues say: acknowledged, refused, not sent, unknown, ended; each by what it proves."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.executions import ALREADY_EXISTS
from arbees.core.deciding.outcomes import (
    Accepted,
    Gated,
    NotSent,
    Outcome,
    Refused,
    Unknown,
)
from arbees.core.language.request import Alternate
from arbees.core.language.words import (
    OrderStatus,
    Platform,
    Side,
    TimeInForce,
)
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import NOW, YES_TOKEN, request

ACCEPTED = Accepted(venue_order_id="v-1", time_ns=NOW)
THERE = Alternate(
    platform=Platform.POLYMARKET, market_id=YES_TOKEN, side=Side.YES, limit_price=640_000
)


def ids(order: Order) -> dict[str, Any]:
    """Return the fields that all events of an order share."""
    return {"client_order_id": order.client_order_id, "request_id": order.request_id}


def acknowledged(order: Order, venue_order_id: str = "v-1", by: str = "answer") -> events.Event:
    """Return the event of an acknowledgement."""
    return events.OrderAcknowledged(**ids(order), venue_order_id=venue_order_id, by=by)


def wanted(scene: Scene, order: Order) -> None:
    """Ask for the cancel of an order."""
    scope = f"order:{order.client_order_id}"
    scene.do(commands.RequestCancel(scope=scope, reason="operator", actor="ann"))


# Answers ---------------------------------------------------------------------------------------


def test_accepted_and_resting() -> None:
    """The venue has it; its id is known from now on."""
    scene = Scene()
    order = scene.order(time_in_force=TimeInForce.GTC)
    assert scene.answer(order, ACCEPTED) == commands.Decision((acknowledged(order),))
    assert (order.status, order.venue_order_id) == (OrderStatus.WORKING, "v-1")
    assert scene.answer(order, ACCEPTED) == commands.NO_DECISION
    scene.check()


@pytest.mark.parametrize(
    ("how", "event"),
    [
        ("cancelled", {"reason": "cancelled"}),
        ("killed", {"reason": "fill or kill: not wholly fillable"}),
        ("expired", None),
    ],
)
def test_accepted_and_ended(how: str, event: dict[str, str] | None) -> None:
    """An IOC without a fill is over at once."""
    scene = Scene()
    order = scene.order()
    decision = scene.answer(order, Accepted(venue_order_id="v-1", time_ns=NOW, closed=how))
    ended = (
        events.OrderExpired(**ids(order))
        if event is None
        else events.OrderCancelled(**ids(order), **event)
    )
    assert decision == commands.Decision((acknowledged(order), ended))
    assert scene.book.orders == {}
    scene.check()


def test_accepted_and_filled() -> None:
    """`filled` ends by its fills alone; without them the order works on."""
    scene = Scene()
    order = scene.order()
    bare = Accepted(venue_order_id="v-1", time_ns=NOW, closed="filled")
    assert scene.answer(order, bare) == commands.Decision((acknowledged(order),))
    other = scene.order("k-2")
    fill = scene.trade(other, 10 * MICRO, 650_000)
    whole = Accepted(venue_order_id="v-2", time_ns=NOW, fills=(fill,), closed="filled")
    decision = scene.answer(other, whole)
    assert [type(event) for event in decision.events] == [
        events.OrderAcknowledged,
        events.OrderFilled,
    ]
    assert list(scene.book.orders) == [order.client_order_id]


def test_a_partial_fill_and_the_end() -> None:
    """What filled counts, the rest is cancelled."""
    scene = Scene()
    order = scene.order()
    fill = scene.trade(order, 4 * MICRO, 640_000)
    answer = Accepted(venue_order_id="v-1", time_ns=NOW, fills=(fill,), closed="cancelled")
    decision = scene.answer(order, answer)
    first, second, third = decision.events
    assert first == acknowledged(order)
    assert isinstance(second, events.OrderFilled)
    assert not second.is_complete
    assert third == events.OrderCancelled(**ids(order), reason="cancelled")
    assert decision.effects == ()


def test_a_cancel_that_was_asked_for_on_the_way_is_chased() -> None:
    """The order rests although somebody wanted it gone: cancel it now."""
    scene = Scene()
    order = scene.order(time_in_force=TimeInForce.GTC)
    wanted(scene, order)
    decision = scene.answer(order, ACCEPTED)
    assert decision.effects == (commands.CancelOrder(order.client_order_id),)
    gone = Scene()
    order = gone.order()
    wanted(gone, order)
    ended = Accepted(venue_order_id="v-1", time_ns=NOW, closed="cancelled")
    assert gone.answer(order, ended) == commands.Decision(
        (acknowledged(order), events.OrderCancelled(**ids(order), reason="operator"))
    )


def test_gated() -> None:
    """Our own gate held it back: a gateway denial, not a fallback."""
    scene = Scene()
    order = scene.order(alternates=(THERE,))
    decision = scene.answer(order, Gated(code="HALTED", message="kill switch"))
    denied = events.OrderDenied(**ids(order), code="HALTED", message="kill switch")
    assert decision == commands.Decision((denied,))
    assert scene.book.orders == {}


@pytest.mark.parametrize("is_health", [True, False])
@pytest.mark.parametrize("alternates", [0, 1])
def test_refused(is_health: bool, alternates: int) -> None:
    """Only a reason of the venue's health tries the alternate."""
    scene = Scene()
    order = scene.order(alternates=(THERE,) * alternates)
    outcome = Refused(venue_code="closed", message="m", is_health=is_health)
    decision = scene.answer(order, outcome)
    falls_back = is_health and alternates == 1
    rejected = events.OrderRejected(
        **ids(order), venue_code="closed", message="m", falls_back=falls_back
    )
    asked = request(request_id="r-k-1", alternates=(THERE,) * alternates)
    effects = (commands.TryAlternate(asked, 1),) if falls_back else ()
    assert decision == commands.Decision((rejected,), effects)
    scene.check()


@pytest.mark.parametrize("alternates", [0, 1])
def test_not_sent(alternates: int) -> None:
    """No byte left, so another venue may be tried."""
    scene = Scene()
    order = scene.order(alternates=(THERE,) * alternates)
    decision = scene.answer(order, NotSent(message="connect"))
    falls_back = alternates == 1
    event = events.OrderNotSent(**ids(order), message="connect", falls_back=falls_back)
    asked = request(request_id="r-k-1", alternates=(THERE,) * alternates)
    assert decision == commands.Decision(
        (event,), (commands.TryAlternate(asked, 1),) if falls_back else ()
    )


def test_the_last_leg_has_nowhere_to_go() -> None:
    """After the alternates there is no further fallback."""
    for outcome in (NotSent(message="m"), Refused(venue_code="x", message="m", is_health=True)):
        scene = Scene()
        order = scene.order(alternates=(THERE,))
        order.leg = 1
        decision = scene.answer(order, outcome)
        assert decision.effects == ()
        assert not decision.events[0].falls_back  # type: ignore[attr-defined]


def test_the_next_leg_is_the_next_alternate() -> None:
    """From the first alternate to the second."""
    for outcome in (NotSent(message="m"), Refused(venue_code="x", message="m", is_health=True)):
        scene = Scene()
        order = scene.order(alternates=(THERE, THERE))
        order.leg = 1
        (effect,) = scene.answer(order, outcome).effects
        assert isinstance(effect, commands.TryAlternate)
        assert effect.leg == 2


def test_unknown() -> None:
    """Never a fallback, never a resend: ask until there is evidence (P7)."""
    scene = Scene()
    order = scene.order(alternates=(THERE,))
    decision = scene.answer(order, Unknown(message="timeout", sent_ns=NOW + 3))
    event = events.OrderUnknown(**ids(order), message="timeout", sent_ns=NOW + 3)
    assert decision == commands.Decision((event,), (commands.ResolveOrder(order.client_order_id),))
    assert (order.status, order.sent_ns) == (OrderStatus.UNKNOWN, NOW + 3)
    assert order.reserved.loss_no == 6_500_000
    scene.check()


def test_a_kill_that_names_no_order_is_a_cancel() -> None:
    """A fill or kill that the venue could not fill whole has ended, and no alternate is tried."""
    scene = Scene()
    order = scene.order(alternates=(THERE,))
    outcome = Refused(venue_code="killed", message="m", is_kill=True)
    decision = scene.answer(order, outcome)
    event = events.OrderCancelled(**ids(order), reason="fill or kill: not wholly fillable")
    assert decision == commands.Decision((event,), ())
    assert order.client_order_id not in scene.book.orders
    scene.check()


def test_a_venue_that_has_the_id_already_proves_nothing() -> None:
    """We send once: that it exists says that an earlier send landed, not what became of it."""
    assert ALREADY_EXISTS == "order_already_exists"
    scene = Scene()
    order = scene.order(alternates=(THERE,))
    scene.wait(1)
    outcome = Refused(venue_code=ALREADY_EXISTS, message="exists", is_health=True)
    decision = scene.answer(order, outcome)
    event = events.OrderUnknown(**ids(order), message="exists", sent_ns=scene.now)
    assert decision == commands.Decision((event,), (commands.ResolveOrder(order.client_order_id),))


@pytest.mark.parametrize(
    "outcome",
    [
        Unknown(message="m", sent_ns=NOW),
        Refused(venue_code=ALREADY_EXISTS, message="m"),
        # These contradict what is known already: nothing follows but to ask.
        Refused(venue_code="x", message="m", is_health=True),
        NotSent(message="m"),
        Gated(code="HALTED", message="m"),
    ],
)
def test_an_order_that_the_venue_has_is_asked_for(outcome: Outcome) -> None:
    """Evidence that came another way stands: no end, no fallback, whatever the answer says."""
    scene = Scene()
    resting = scene.resting(alternates=(THERE,))
    lost = scene.lost("k-2", alternates=(THERE,))
    partly = scene.resting("k-3", alternates=(THERE,))
    scene.fill(partly, MICRO, 650_000)
    for order in (resting, lost, partly):
        status = order.status
        decision = scene.answer(order, outcome)
        assert decision == commands.Decision((), (commands.ResolveOrder(order.client_order_id),))
        assert order.status is status
    scene.check()


@pytest.mark.parametrize(
    "outcome",
    [
        Refused(venue_code="x", message="m", is_health=True),
        NotSent(message="m"),
        Gated(code="HALTED", message="m"),
        Unknown(message="m", sent_ns=NOW),
    ],
)
def test_a_pending_order_with_a_fill_is_unknown(outcome: Outcome) -> None:
    """A fill proves that it was there: a remainder never goes elsewhere (P2)."""
    scene = Scene()
    order = scene.order(alternates=(THERE,))
    scene.fill(order, MICRO, 650_000)
    decision = scene.answer(order, outcome)
    unknown = events.OrderUnknown(**ids(order), message="m", sent_ns=NOW)
    assert decision == commands.Decision(
        (unknown,), (commands.ResolveOrder(order.client_order_id),)
    )
    scene.check()


@pytest.mark.parametrize(
    "outcome",
    [
        ACCEPTED,
        Accepted(venue_order_id="v-1", time_ns=NOW, closed="expired"),
        Gated(code="HALTED", message="m"),
        NotSent(message="m"),
        Unknown(message="m", sent_ns=NOW),
        Refused(venue_code="x", message="m", is_health=True),
        Refused(venue_code=ALREADY_EXISTS, message="m"),
    ],
)
def test_nothing_ends_twice(outcome: Outcome) -> None:
    """A closed order takes no second end, no fallback and no question."""
    scene = Scene()
    order = scene.order(alternates=(THERE,))
    scene.answer(order, Accepted(venue_order_id="v-1", time_ns=NOW, closed="cancelled"))
    assert scene.answer(order, outcome) == commands.NO_DECISION


def test_an_answer_to_an_order_without_records_changes_nothing() -> None:
    """Nobody knows what it was."""
    scene = Scene()
    outcome = commands.TakeOutcome(client_order_id="c-1", outcome=ACCEPTED, request=request())
    assert scene.ask(outcome) == commands.NO_DECISION
