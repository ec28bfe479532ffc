"""What does not agree ends by evidence, or by a named operator: breaks and unknown orders."""

from typing import Any

import pytest

from arbees.core import commands as c
from arbees.core import events as e
from arbees.core.operating import End
from arbees.core.order import NOTHING
from arbees.core.outcomes import Accepted
from arbees.core.units import MICRO
from arbees.core.words import Action, OrderStatus, Platform, TimeInForce
from tests.core.scene import Scene
from tests.safeguards.build import KALSHI

KINDS = frozenset({"position", "foreign_order"})


def opened(observed: str = "9 Yes", **changes: Any) -> e.BreakOpened:
    """Return a break of the market's position."""
    fields: dict[str, Any] = {
        "break_id": f"Kalshi|position|{KALSHI}",
        "kind": "position",
        "platform": "Kalshi",
        "market_key": KALSHI,
        "expected": "10 Yes",
        "observed": observed,
        "policy": "freeze_market",
        **changes,
    }
    return e.BreakOpened(**fields)


def compared(scene: Scene, *found: e.BreakOpened, **changes: Any) -> tuple[e.Event, ...]:
    """Compare with Kalshi; return what is journaled."""
    fields: dict[str, Any] = {"platform": Platform.KALSHI, "kinds": KINDS, **changes}
    return scene.do(c.TakeComparison(found=found, **fields)).events


def closed(how: str, break_id: str = f"Kalshi|position|{KALSHI}") -> e.BreakClosed:
    """Return the end of the break by evidence."""
    return e.BreakClosed(break_id=break_id, how=how, actor="arbees")


def test_a_difference_opens_once_and_closes_by_evidence() -> None:
    """The same again is no news; gone is its end; the market is frozen in between."""
    scene = Scene()
    assert compared(scene, opened()) == (opened(),)
    assert compared(scene, opened()) == ()
    assert scene.book.markets[KALSHI].break_kinds == ["position"]
    assert compared(scene) == (closed("agrees with the venue again"),)
    assert scene.book.markets[KALSHI].break_kinds == []
    scene.check()


@pytest.mark.parametrize("change", [{"observed": "8 Yes"}, {"policy": "halt"}, {"expected": "9"}])
def test_other_figures_are_another_break(change: dict[str, Any]) -> None:
    """What was seen, and what it does, stays on record as it was."""
    scene = Scene()
    compared(scene, opened())
    assert compared(scene, opened(**change)) == (
        closed("differs otherwise now"),
        opened(**change),
    )
    assert scene.book.markets[KALSHI].break_kinds == ["position"]
    scene.check()


def test_what_was_not_compared_keeps_its_breaks() -> None:
    """Another venue's, and kinds that nobody looked at."""
    scene = Scene()
    compared(scene, opened())
    assert compared(scene, platform=Platform.POLYMARKET) == ()
    assert compared(scene, kinds=frozenset({"cash"})) == ()
    assert len(scene.book.breaks) == 1


def test_an_operator_ends_a_break_once() -> None:
    """With name and reason; what ended meanwhile is not ended again, and nobody crashes."""
    scene = Scene()
    compared(scene, opened())
    end = c.EndBreak(break_id=opened().break_id, reason="the venue corrected it", actor="ann")
    assert scene.do(end).events == (
        e.BreakClosed(
            break_id=opened().break_id, how="by hand: the venue corrected it", actor="ann"
        ),
    )
    assert scene.do(end).events == ()
    assert compared(scene) == ()
    assert compared(scene, opened()) == (opened(),), "it still differs: it is open again"


# Orders of unknown fate ------------------------------------------------------------------------


def end(scene: Scene, name: str, how: End = "not_sent") -> tuple[e.Event, ...]:
    """End an order by hand."""
    command = c.EndUnknown(client_order_id=name, end=how, reason="asked support", actor="ann")
    return scene.do(command).events


def test_an_unknown_order_that_never_was_frees_everything() -> None:
    """Its reservation, its market and its key; who said so and why is its evidence."""
    scene = Scene()
    order = scene.lost()
    assert end(scene, order.client_order_id) == (
        e.OrderNotSent(
            client_order_id=order.client_order_id,
            request_id=order.request_id,
            message="absent at the venue by the word of an operator",
            evidence=("by hand, ann: asked support",),
        ),
    )
    assert not scene.book.orders
    assert scene.book.unknown == scene.book.markets[KALSHI].unknown == scene.book.total_worst == 0
    assert order.reserved == NOTHING
    scene.check()


def test_an_unknown_order_that_is_there_no_more() -> None:
    """It ends as cancelled; a fill that turns up after all is taken as a correction."""
    scene = Scene()
    order = scene.lost()
    (ended,) = end(scene, order.client_order_id, "cancelled")
    assert isinstance(ended, e.OrderCancelled)
    assert ended.reason == "by hand, ann: asked support"
    assert order.status is OrderStatus.CANCELLED
    filled = scene.fill(order, 10 * MICRO, 650_000)
    assert filled.corrects is not None
    scene.check()


def test_only_what_is_open_and_answered_is_ended_by_hand() -> None:
    """Not one on its way, not one that has ended, not one that never was; one that works can be."""
    scene = Scene()
    order = scene.order("a")
    assert end(scene, order.client_order_id) == ()
    assert end(scene, order.client_order_id, "cancelled") == ()
    order = scene.resting("b", time_in_force=TimeInForce.GTC)
    assert end(scene, order.client_order_id) == ()
    (ended,) = end(scene, order.client_order_id, "cancelled")
    assert isinstance(ended, e.OrderCancelled)
    lost = scene.lost("c")
    end(scene, lost.client_order_id)
    assert end(scene, lost.client_order_id) == ()
    assert end(scene, "arb-nobody") == ()


def test_what_has_filled_was_there() -> None:
    """Its key is not freed for another attempt: the remainder may only be cancelled."""
    scene = Scene()
    order = scene.lost()
    order.filled = MICRO
    assert end(scene, order.client_order_id) == ()
    (ended,) = end(scene, order.client_order_id, "cancelled")
    assert isinstance(ended, e.OrderCancelled)


def test_a_word_that_comes_after_the_evidence_changes_nothing() -> None:
    """The venue's answer was faster than the operator."""
    scene = Scene()
    order = scene.lost(action=Action.BUY, time_in_force=TimeInForce.GTC)
    scene.answer(order, Accepted(venue_order_id="v", time_ns=scene.now))
    assert end(scene, order.client_order_id) == ()
    assert order.status is OrderStatus.WORKING


# Adoption --------------------------------------------------------------------------------------


def adopting(scene: Scene, claim: c.Claim) -> tuple[e.Event, ...]:
    """Take a difference whose policy is to adopt what the venue claims."""
    name = f"Kalshi|position|{KALSHI}"
    return compared(scene, opened(policy="adopt"), claims={name: claim})


def claimed(expected: tuple[int, int], yes: int, price: int | None = 600_000) -> c.Claim:
    """Return what a venue claims of Yes."""
    return c.Claim(expected=expected, market_key=KALSHI, yes=yes, yes_price=price, no_price=price)


def test_what_the_venue_holds_is_adopted() -> None:
    """More costs what it could be closed at; less goes at that price; the break is over."""
    scene = Scene()
    scene.fill(scene.resting(), 10 * MICRO, 650_000)
    _, taken, ended = adopting(scene, claimed((10 * MICRO, 0), 4 * MICRO))
    assert taken == e.PositionAdopted(
        market_key=KALSHI, yes_quantity=-6 * MICRO, yes_cost=-3_900_000, realized=-300_000
    )
    assert ended == closed("adopted")
    assert scene.book.markets[KALSHI].yes.quantity == 4 * MICRO
    scene.check()


@pytest.mark.parametrize(
    "claim",
    [claimed((9 * MICRO, 0), 4 * MICRO), claimed((10 * MICRO, 0), 4 * MICRO, None)],
)
def test_a_claim_that_is_older_than_the_book_or_has_no_price_is_not_adopted(
    claim: c.Claim,
) -> None:
    """A fill that came since the comparison is never undone by it; the market is frozen."""
    scene = Scene()
    scene.fill(scene.resting(), 10 * MICRO, 650_000)
    assert adopting(scene, claim) == (opened(policy="freeze_market"),)
    assert scene.book.markets[KALSHI].yes.quantity == 10 * MICRO
