"""What does not agree ends by evidence, or by a named operator: breaks and unknown orders."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.open_order import NOTHING
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Accepted,
    CashMovement,
    Inconclusive,
    Missing,
    PoolBalance,
)
from arbees.core.deciding.reconciliation import UNSETTLED_NS, explained
from arbees.core.language.payouts import Payouts
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    End,
    OrderStatus,
    Platform,
    TimeInForce,
)
from tests.core.scene import Scene
from tests.safeguards.build import KALSHI, NOW

KINDS = frozenset({"position", "foreign_order"})


def opened(observed: str = "9 Yes", **changes: Any) -> events.BreakOpened:
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
    return events.BreakOpened(**fields)


def compared(scene: Scene, *found: events.BreakOpened, **changes: Any) -> tuple[events.Event, ...]:
    """Compare with Kalshi; return what is journaled."""
    fields: dict[str, Any] = {"platform": Platform.KALSHI, "kinds": KINDS, **changes}
    return scene.do(commands.TakeComparison(found=found, **fields)).events


def closed(how: str, break_id: str = f"Kalshi|position|{KALSHI}") -> events.BreakClosed:
    """Return the end of the break by evidence."""
    return events.BreakClosed(break_id=break_id, how=how, actor="arbees")


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
    end = commands.EndBreak(
        break_id=opened().break_id, reason="the venue corrected it", actor="ann"
    )
    assert scene.do(end).events == (
        events.BreakClosed(
            break_id=opened().break_id, how="by hand: the venue corrected it", actor="ann"
        ),
    )
    assert scene.do(end).events == ()
    assert compared(scene) == ()
    assert compared(scene, opened()) == (opened(),), "it still differs: it is open again"


# Orders of unknown fate ------------------------------------------------------------------------


def end(scene: Scene, name: str, how: End = "not_sent") -> tuple[events.Event, ...]:
    """End an order by hand."""
    command = commands.EndUnknown(
        client_order_id=name, end=how, reason="asked support", actor="ann"
    )
    return scene.do(command).events


def test_an_unknown_order_that_never_was_frees_everything() -> None:
    """Its reservation, its market and its key; who said so and why is its evidence."""
    scene = Scene()
    order = scene.lost()
    assert end(scene, order.client_order_id) == (
        events.OrderNotSent(
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
    assert isinstance(ended, events.OrderCancelled)
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
    assert isinstance(ended, events.OrderCancelled)
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
    assert isinstance(ended, events.OrderCancelled)


def test_a_word_that_comes_after_the_evidence_changes_nothing() -> None:
    """The venue's answer was faster than the operator."""
    scene = Scene()
    order = scene.lost(action=Action.BUY, time_in_force=TimeInForce.GTC)
    scene.answer(order, Accepted(venue_order_id="v", time_ns=scene.now))
    assert end(scene, order.client_order_id) == ()
    assert order.status is OrderStatus.WORKING


# Adoption --------------------------------------------------------------------------------------


def adopting(scene: Scene, claim: commands.Claim) -> tuple[events.Event, ...]:
    """Take a difference whose policy is to adopt what the venue claims."""
    name = f"Kalshi|position|{KALSHI}"
    return compared(scene, opened(policy="adopt"), claims={name: claim})


def claimed(expected: tuple[int, int], yes: int, price: int | None = 600_000) -> commands.Claim:
    """Return what a venue claims of Yes."""
    return commands.Claim(
        expected=expected, market_key=KALSHI, yes=yes, yes_price=price, no_price=price
    )


def test_what_the_venue_holds_is_adopted() -> None:
    """More costs what it could be closed at; less goes at that price; the break is over."""
    scene = Scene()
    scene.fill(scene.resting(), 10 * MICRO, 650_000)
    _, taken, ended = adopting(scene, claimed((10 * MICRO, 0), 4 * MICRO))
    assert taken == events.PositionAdopted(
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
    claim: commands.Claim,
) -> None:
    """A fill that came since the comparison is never undone by it; the market is frozen."""
    scene = Scene()
    scene.fill(scene.resting(), 10 * MICRO, 650_000)
    assert adopting(scene, claim) == (opened(policy="freeze_market"),)
    assert scene.book.markets[KALSHI].yes.quantity == 10 * MICRO


# Cash that moved -------------------------------------------------------------------------------


def moved(amount: int, name: str, at_ns: int, kind: str = "deposit") -> CashMovement:
    """Return a movement of the one pool."""
    return CashMovement(
        platform=Platform.KALSHI,
        pool="Kalshi",
        amount=amount,
        kind=kind,
        movement_id=name,
        time_ns=at_ns,
    )


def counted(scene: Scene, total: int, *movements: CashMovement) -> dict[str, bool]:
    """Take movements with the figure that is there; return which were counted, by id."""
    figure = PoolBalance(
        platform=Platform.KALSHI, pool="Kalshi", available=total, as_of_ns=NOW, total=total
    )
    taken = scene.do(commands.TakeMovements(movements=movements, balances=(figure,)))
    found = [each for each in taken.events if isinstance(each, events.CashExplained)]
    return {each.movement_id: each.is_counted for each in found}


def test_movements_are_counted_as_far_as_they_explain() -> None:
    """Each once; one that our count has already is remembered, and explains nothing later."""
    scene = Scene()
    scene.do(commands.Record(events=(events.CashCounted(pool="Kalshi", amount=100),)))
    long_ago_ns = NOW - UNSETTLED_NS - 1
    first, second = moved(30, "a", long_ago_ns), moved(-7, "b", long_ago_ns)
    assert counted(scene, 130, first, second) == {"a": True, "b": False}
    assert scene.book.ledgers["Kalshi"] == 130
    assert counted(scene, 123, first, second) == {}
    assert scene.book.ledgers["Kalshi"] == 130


@pytest.mark.parametrize(("age_ns", "is_taken"), [(0, True), (1, False)])
def test_a_movement_that_the_figure_may_not_have_yet_explains_later(
    age_ns: int, is_taken: bool
) -> None:
    """Younger than the figure less a minute: not remembered as done until it explains something."""
    scene = Scene()
    scene.do(commands.Record(events=(events.CashCounted(pool="Kalshi", amount=100),)))
    young = moved(30, "a", NOW - UNSETTLED_NS - age_ns)
    assert counted(scene, 100, young) == ({} if is_taken else {"a": False})
    assert counted(scene, 130, young) == ({"a": True} if is_taken else {})


def fee_taken(scene: Scene, total: int, fee: int, uncertain: int = 0) -> list[tuple[int, bool]]:
    """Take the fee of a settlement with the figure that is there; return what was booked of it."""
    row = CashMovement(
        platform=Platform.KALSHI,
        pool="Kalshi",
        amount=-fee,
        kind="settlement_fee",
        movement_id="f",
        time_ns=NOW - UNSETTLED_NS - 1,
        market_id=KALSHI,
    )
    figure = PoolBalance(
        platform=Platform.KALSHI,
        pool="Kalshi",
        available=total,
        as_of_ns=NOW,
        total=total,
        uncertain=uncertain,
    )
    taken = scene.do(commands.TakeMovements(movements=(row,), balances=(figure,))).events
    return [(each.fee, each.is_counted) for each in taken if isinstance(each, events.CashExplained)]


def test_a_fee_waits_for_the_settlement_and_for_exact_cash() -> None:
    """Not booked before the market is settled, nor forgotten while cash is uncertain; then once."""
    scene = Scene()
    scene.fill(scene.resting(), 10 * MICRO, 650_000)
    scene.do(commands.Record(events=(events.CashCounted(pool="Kalshi", amount=100),)))
    assert fee_taken(scene, 70, 30) == []
    scene.do(
        commands.SettleMarket(platform=Platform.KALSHI, market_id=KALSHI, payouts=Payouts(0, MICRO))
    )
    assert fee_taken(scene, 100, 30, uncertain=50) == []
    assert fee_taken(scene, 71, 30) == []
    assert fee_taken(scene, 70, 30) == [(30, True)]
    assert (scene.book.fees, scene.book.ledgers["Kalshi"]) == (30, 70)
    assert fee_taken(scene, 40, 30) == []


def test_a_fee_from_before_our_count_is_none_of_it() -> None:
    """Cash agrees without it: it is remembered, and explains nothing later."""
    scene = Scene()
    scene.do(commands.Record(events=(events.CashCounted(pool="Kalshi", amount=100),)))
    assert fee_taken(scene, 100, 30) == [(0, False)]
    assert fee_taken(scene, 70, 30) == []
    assert scene.book.fees == 0


# Absence ---------------------------------------------------------------------------------------


def lookup(scene: Scene, total: int | None, uncertain: int = 0) -> Missing | Inconclusive:
    """Hold an absence of the one order against the cash."""
    (order,) = scene.book.orders.values()
    figure = PoolBalance(
        platform=Platform.KALSHI,
        pool="Kalshi",
        available=0,
        as_of_ns=NOW,
        total=total,
        uncertain=uncertain,
    )
    return explained(scene.book, order, Missing(evidence=("lists",), cash=(figure,)))


@pytest.mark.parametrize(
    ("gap", "uncertain", "is_absent"),
    [
        (0, 0, True),
        (1, 0, False),
        (-1, 0, False),
        (5, 5, True),
        (6, 5, False),
        (6_500_000, 6_500_000, False),
        (6_499_999, 6_499_999, True),
    ],
)
def test_absence_needs_the_cash(gap: int, uncertain: int, *, is_absent: bool) -> None:
    """Exactly; what is uncertain counts only while it is less than what the order would tie up."""
    scene = Scene()
    scene.do(commands.Record(events=(events.CashCounted(pool="Kalshi", amount=100_000_000),)))
    scene.order()
    found = lookup(scene, 100_000_000 - gap, uncertain)
    assert isinstance(found, Missing) is is_absent
    if isinstance(found, Missing):
        assert found.evidence[-1].startswith("cash of Kalshi: $")


def test_absence_is_inconclusive_without_a_count_or_a_figure() -> None:
    """Nothing to compare with is no agreement; a venue that gives no cash says it all itself."""
    scene = Scene()
    scene.order()
    assert isinstance(lookup(scene, 100), Inconclusive)
    scene.do(commands.Record(events=(events.CashCounted(pool="Kalshi", amount=100),)))
    assert isinstance(lookup(scene, None), Inconclusive)
    (order,) = scene.book.orders.values()
    assert isinstance(explained(scene.book, order, Missing(evidence=("lists",))), Missing)
