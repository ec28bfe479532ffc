"""Ends and evidence: the venue's word, searches and cancels, each by what it explains."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    CancelAccepted,
    CancelMissed,
    CancelOutcome,
    CancelUnknown,
    Found,
    Gated,
    Inconclusive,
    Lookup,
    Missing,
    OrderClosed,
)
from arbees.core.language.words import OrderStatus, TimeInForce
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import NOW

TEN = 10 * MICRO
ABSENT = Missing(evidence=("clock past the signed time", "in no list"))
NOT_EXPLAINED = "what was cancelled does not explain the order; a fill may be missing"


def ids(order: Order) -> dict[str, Any]:
    """Return the fields that all events of an order share."""
    return {"client_order_id": order.client_order_id, "request_id": order.request_id}


def look(scene: Scene, order: Order, lookup: Lookup) -> commands.Decision:
    """Take what a search found."""
    return scene.do(
        commands.TakeLookup(
            client_order_id=order.client_order_id, lookup=lookup, past=scene.past(order)
        )
    )


def closed(
    scene: Scene, order: Order, how: str, filled: int | None, reason: str = ""
) -> commands.Decision:
    """Take the venue's word that an order ended."""
    ended = OrderClosed(
        client_order_id=order.client_order_id,
        closed=how,
        reason=reason,
        time_ns=NOW,
        filled=filled,
    )
    return scene.do(commands.TakeClosed(closed=ended))


def cancel(scene: Scene, order: Order, outcome: CancelOutcome) -> commands.Decision:
    """Take the answer to a cancel."""
    return scene.do(commands.TakeCancel(client_order_id=order.client_order_id, outcome=outcome))


def wanted(scene: Scene, order: Order) -> None:
    """Ask for the cancel of an order."""
    scope = f"order:{order.client_order_id}"
    scene.do(commands.RequestCancel(scope=scope, reason="operator", actor="ann"))


# The venue's word ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "reason", "expected"),
    [
        ("cancelled", "user", "user"),
        ("cancelled", "", "cancelled"),
        ("killed", "", "fill or kill: not wholly fillable"),
        ("killed", "no liquidity", "no liquidity"),
    ],
)
def test_an_order_ends_as_the_venue_says(how: str, reason: str, expected: str) -> None:
    """With its reason, where it gives one."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    decision = closed(scene, order, how, 0, reason)
    assert decision == commands.Decision((events.OrderCancelled(**ids(order), reason=expected),))
    assert scene.book.orders == {}
    scene.check()


def test_an_order_expires() -> None:
    """At its own time; what filled before stays."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    scene.fill(order, MICRO, 650_000)
    assert closed(scene, order, "expired", MICRO) == commands.Decision(
        (events.OrderExpired(**ids(order)),)
    )
    scene.check()


def test_our_own_reason_comes_first() -> None:
    """Who asked for the cancel is told, not the venue's word for it."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    wanted(scene, order)
    decision = closed(scene, order, "cancelled", 0, "user")
    assert decision.events == (events.OrderCancelled(**ids(order), reason="operator"),)


@pytest.mark.parametrize("filled", [None, 0, MICRO - 1, MICRO + 1, TEN])
def test_an_end_that_the_fills_do_not_explain_is_looked_up(filled: int | None) -> None:
    """A fill is missing, or the venue does not say: the order stays open until it is known."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    scene.fill(order, MICRO, 650_000)
    decision = closed(scene, order, "cancelled", filled)
    assert decision == commands.Decision((), (commands.ResolveOrder(order.client_order_id),))
    assert list(scene.book.orders) == [order.client_order_id]


def test_filled_ends_by_its_fills_alone() -> None:
    """The word alone changes nothing: what filled is looked for."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    looked_up = commands.Decision((), (commands.ResolveOrder(order.client_order_id),))
    assert closed(scene, order, "filled", 0) == looked_up


def test_the_end_of_a_closed_order_is_no_news() -> None:
    """It has ended already, or nobody knows it."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    closed(scene, order, "expired", 0)
    assert closed(scene, order, "expired", 0) == commands.NO_DECISION


# Searches --------------------------------------------------------------------------------------


def test_presence_ends_an_unknown_at_once() -> None:
    """Found by whatever means, it works on."""
    scene = Scene()
    order = scene.lost(time_in_force=TimeInForce.GTC)
    decision = look(scene, order, Found(venue_order_id="v-9", by="listing", time_ns=NOW))
    event = events.OrderAcknowledged(**ids(order), venue_order_id="v-9", by="listing")
    assert decision == commands.Decision((event,))
    assert order.status is OrderStatus.WORKING
    assert scene.book.unknown == 0
    scene.check()


def test_presence_brings_fills_and_the_end() -> None:
    """All that is missing is taken over in one go."""
    scene = Scene()
    order = scene.lost()
    fill = scene.trade(order, 4 * MICRO, 640_000)
    found = Found(venue_order_id="v-9", by="id", time_ns=NOW, fills=(fill,), closed="cancelled")
    decision = look(scene, order, found)
    first, second, third = decision.events
    assert first == events.OrderAcknowledged(**ids(order), venue_order_id="v-9", by="id")
    assert isinstance(second, events.OrderFilled)
    assert second.trade_id == fill.trade_id
    assert third == events.OrderCancelled(**ids(order), reason="cancelled")
    assert scene.book.orders == {}
    scene.check()


def test_a_wanted_cancel_is_chased_once_the_order_is_found() -> None:
    """It could not be cancelled while nobody knew it."""
    scene = Scene()
    order = scene.lost(time_in_force=TimeInForce.GTC)
    wanted(scene, order)
    found = Found(venue_order_id="v-9", by="id", time_ns=NOW)
    assert look(scene, order, found).effects == (commands.CancelOrder(order.client_order_id),)
    ended = Found(venue_order_id="v-9", by="id", time_ns=NOW, closed="cancelled")
    decision = look(scene, order, ended)
    assert decision == commands.Decision((events.OrderCancelled(**ids(order), reason="operator"),))


def test_absence_by_evidence_ends_an_unknown() -> None:
    """Each item of the evidence is journaled with it."""
    scene = Scene()
    order = scene.lost()
    event = events.OrderNotSent(
        **ids(order), message="absent at the venue by evidence", evidence=ABSENT.evidence
    )
    assert look(scene, order, ABSENT) == commands.Decision((event,))
    assert scene.book.unknown == 0
    assert scene.book.total_worst == 0
    scene.check()


def test_absence_is_no_fallback() -> None:
    """After an unknown no other venue is tried, whatever it ends in."""
    scene = Scene()
    (event,) = look(scene, scene.lost(), ABSENT).events
    assert isinstance(event, events.OrderNotSent)
    assert not event.falls_back


def test_absence_of_what_was_seen_proves_nothing() -> None:
    """An order that is known to be there, or to have filled, is not absent."""
    scene = Scene()
    assert look(scene, scene.resting(), ABSENT) == commands.NO_DECISION
    assert look(scene, scene.order("k-2"), ABSENT) == commands.NO_DECISION
    filled = scene.lost("k-3")
    scene.fill(filled, MICRO, 650_000)
    assert filled.status is OrderStatus.UNKNOWN
    assert look(scene, filled, ABSENT) == commands.NO_DECISION
    gone = scene.order("k-4")
    scene.answer(gone, Gated(code="HALTED", message="m"))
    assert look(scene, gone, ABSENT) == commands.NO_DECISION
    scene.check()


def test_an_order_that_shows_up_after_all_has_its_fills_counted() -> None:
    """Absence was wrong: its fills correct the result, its end is not said again."""
    scene = Scene()
    order = scene.lost()
    look(scene, order, ABSENT)
    final = scene.book.sequence
    fill = scene.trade(order, 4 * MICRO, 640_000)
    found = Found(venue_order_id="v-9", by="id", time_ns=NOW, fills=(fill,), closed="cancelled")
    (event,) = look(scene, order, found).events
    assert isinstance(event, events.OrderFilled)
    assert event.corrects == final
    scene.check()


def test_a_search_without_a_result_changes_nothing() -> None:
    """Neither presence nor absence: ask again. Of what nobody knows, nothing is learnt."""
    scene = Scene()
    order = scene.lost()
    assert look(scene, order, Inconclusive(message="timeout")) == commands.NO_DECISION
    scene.book = Scene().book
    assert (
        scene.ask(commands.TakeLookup(client_order_id="c-1", lookup=ABSENT)) == commands.NO_DECISION
    )


# Cancels ---------------------------------------------------------------------------------------


def test_a_cancel_that_explains_all_ends_the_order() -> None:
    """What was cancelled and what filled are the whole order."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    scene.fill(order, MICRO, 650_000)
    wanted(scene, order)
    decision = cancel(scene, order, CancelAccepted(quantity=9 * MICRO, time_ns=NOW))
    assert decision == commands.Decision((events.OrderCancelled(**ids(order), reason="operator"),))
    scene.check()


def test_a_cancel_that_nobody_asked_for() -> None:
    """Has no reason of ours."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    decision = cancel(scene, order, CancelAccepted(quantity=TEN, time_ns=NOW))
    assert decision == commands.Decision((events.OrderCancelled(**ids(order), reason="cancelled"),))


@pytest.mark.parametrize("quantity", [0, 9 * MICRO, TEN - 1, TEN + 1])
def test_a_cancel_that_does_not_explain_all_is_looked_up(quantity: int) -> None:
    """A fill may have come in between: the order is not ended on a guess."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    decision = cancel(scene, order, CancelAccepted(quantity=quantity, time_ns=NOW))
    event = events.CancelAnswered(**ids(order), message=NOT_EXPLAINED)
    assert decision == commands.Decision((event,), (commands.ResolveOrder(order.client_order_id),))
    assert order.status is OrderStatus.WORKING


def test_a_cancel_that_found_nothing_is_looked_up() -> None:
    """Cancelled, filled or never known: it proves nothing of which."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    decision = cancel(scene, order, CancelMissed(message="not found"))
    event = events.CancelAnswered(**ids(order), message="not found")
    assert decision == commands.Decision((event,), (commands.ResolveOrder(order.client_order_id),))


def test_a_cancel_without_an_answer_is_sent_again() -> None:
    """Cancels may be repeated without harm."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    decision = cancel(scene, order, CancelUnknown(message="timeout"))
    event = events.CancelAnswered(**ids(order), message="timeout")
    assert decision == commands.Decision((event,), (commands.CancelOrder(order.client_order_id),))


def test_the_answer_to_a_cancel_of_a_closed_order_is_no_news() -> None:
    """It has ended already."""
    scene = Scene()
    order = scene.resting(time_in_force=TimeInForce.GTC)
    closed(scene, order, "expired", 0)
    assert cancel(scene, order, CancelMissed(message="gone")) == commands.NO_DECISION


def test_executed_with_more_than_is_known_does_not_end_the_order() -> None:
    """A fill is missing: the order stays, reserved, and is looked up; with it the order ends."""
    scene = Scene()
    order = scene.resting()
    scene.fill(order, MICRO, 650_000)
    decided = closed(scene, order, "filled", 2 * MICRO)
    assert decided.events == ()
    assert decided.effects == (commands.ResolveOrder(order.client_order_id),)
    scene.fill(order, MICRO, 650_000)
    assert closed(scene, order, "filled", 2 * MICRO).events != ()
    assert order.client_order_id not in scene.book.orders
