"""The story of a request, told from records made by the core."""

from decimal import Decimal

import pytest

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Accepted,
    CancelAccepted,
    NotSent,
    Refused,
)
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Warn,
)
from arbees.core.language.words import TimeInForce
from arbees.history.timeline import judgements, tell
from arbees.history.timeline_shapes import Judged, Timeline
from tests.core.scene import MICRO, Says, Scene
from tests.safeguards.build import NOW, request

FREE = Says("says", Pass("MAX_ORDER_SIZE", 6_500_000, 100 * MICRO, 93_500_000))


def told(scene: Scene, request_id: str) -> Timeline:
    """Tell the story of a request of a scene."""
    bound: events.Event = events.Bound(account="main", environment="local", mode="paper")
    return tell(scene.life(request_id), [(1, 0, bound)])


def test_verdicts_in_human_units() -> None:
    """Dollars, seconds, counts and text; what does not apply says why."""
    says = Says(
        "says",
        Pass("MAX_ORDER_SIZE", 6_500_000, 100 * MICRO, 93_500_000),
        Skipped("EXPIRED", "no expires_at"),
        Warn("QUOTE_STALE", 12_500_000_000, 10_000_000_000),
        Deny("RATE_LIMIT_MINUTE", 20, 20, NOW),
        Pass("HALTED"),
    )
    scene = Scene(says)
    scene.do(commands.Submit(request=request(), received_ns=NOW))
    (decided,) = told(scene, "r-1").decisions
    size, expired, stale, rate, halted = decided.verdicts
    assert size == Judged(
        safeguard="order_size",
        code="MAX_ORDER_SIZE",
        verdict="pass",
        observed=Decimal("6.5"),
        limit=Decimal(100),
        headroom=Decimal("93.5"),
    )
    assert (expired.verdict, expired.why) == ("skipped", "no expires_at")
    assert (stale.verdict, stale.observed, stale.limit) == ("warn", Decimal("12.5"), Decimal(10))
    assert (rate.verdict, rate.observed, str(rate.until)[:4]) == ("deny", Decimal(20), "2026")
    assert (halted.verdict, halted.observed, halted.headroom) == ("pass", None, None)


def test_a_fill_and_its_reservation() -> None:
    """Reserved at the approval, less after a part of it, nothing at the end."""
    scene = Scene(FREE)
    order = scene.resting("k", time_in_force=TimeInForce.GTC)
    scene.fill(order, 4 * MICRO, 640_000, 100)
    scene.answer(order, Accepted(venue_order_id="v-k", time_ns=NOW))
    scene.do(
        commands.TakeCancel(
            client_order_id=order.client_order_id,
            outcome=CancelAccepted(quantity=6 * MICRO, time_ns=NOW),
        )
    )
    story = told(scene, "r-k")
    assert [each.why for each in story.reserved] == [
        "approved",
        "filled in part",
        "ended, released",
    ]
    cash = [each.cash for each in story.reserved]
    assert cash[0] > cash[1] > cash[2] == 0
    assert [(each.quantity, each.price, each.fee) for each in story.fills] == [
        (Decimal(4), Decimal("0.64"), Decimal("0.0001"))
    ]
    assert [each.kind for each in story.came] == [
        "OrderAcknowledged",
        "OrderFilled",
        "OrderCancelled",
    ]
    assert story.result.status == "Partial"
    assert story.sent[0].is_derived


def test_a_correction_after_the_end() -> None:
    """A fill that comes after the final record says which one it corrects, and reserves nothing."""
    scene = Scene(FREE)
    order = scene.order("k")
    scene.answer(order, NotSent(message="down"))
    final = scene.records[-1][0]
    scene.fill(order, 10 * MICRO, 640_000)
    story = told(scene, "r-k")
    assert story.fills[0].corrects == final
    assert f"corrects record {final}" in story.came[-1].says
    assert [each.why for each in story.reserved] == ["approved", "ended, released"]
    assert story.result.corrects == final


def test_what_the_venue_said() -> None:
    """A refusal is told in the venue's own words."""
    scene = Scene(FREE)
    order = scene.order("k")
    scene.answer(order, Refused(venue_code="insufficient_balance", message="no money"))
    (came,) = told(scene, "r-k").came
    assert came.says == "insufficient_balance: no money"


def test_an_id_that_does_not_derive() -> None:
    """An order whose id is not that of account and key is shown as such."""
    scene = Scene(FREE)
    scene.order("k")
    other: events.Event = events.Bound(account="other", environment="local", mode="paper")
    assert not tell(scene.life("r-k"), [(1, 0, other)]).sent[0].is_derived
    assert not tell(scene.life("r-k"), []).sent[0].is_derived


def test_only_a_duplicate() -> None:
    """A request that was refused by its key has no order, and points to its original."""
    event = events.DuplicateRefused(
        request=request(),
        code="DUPLICATE_REQUEST",
        original_request_id="r-0",
        observed="k-1",
        received_ns=NOW,
    )
    story = tell([(7, NOW, event)], [])
    assert (story.original_request_id, story.sent, story.reserved) == ("r-0", (), ())
    assert story.decisions[0].outcome == "refused"
    assert judgements(event)[0].code == "DUPLICATE_REQUEST"
    assert story.result.sequence == 7


def test_a_review_is_told() -> None:
    """What an operator said of the denial is the last of it."""
    scene = Scene(Says("says", Deny("MAX_ORDER_SIZE", 2, 1)))
    scene.do(commands.Submit(request=request(), received_ns=NOW))
    denial = scene.records[-1][0]
    review = events.DenialReviewed(
        request_id="r-1", sequence=denial, verdict="confirmed", reason="right", actor="ann"
    )
    scene.write(review)
    story = told(scene, "r-1")
    assert [(each.of, each.verdict) for each in story.reviews] == [(denial, "confirmed")]
    assert story.result.sequence == denial


def test_no_story_without_a_decision() -> None:
    """Records that no request opens are none of one."""
    event = events.Stopped(reason="x")
    with pytest.raises(ValueError, match="there is no decision"):
        tell([(1, 1, event)], [])
