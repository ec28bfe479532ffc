"""What a break of reconciliation does, how it ends, and when is compared."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.deciding.outcomes import VenueOrder
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform, Side
from arbees.errors import VenueError
from arbees.safeguards.reconciliation import Reconciliation
from arbees.safeguards.venue_health import VenueHealth
from tests.runtime.rig import Rig, position, running
from tests.runtime.scripted_venue import fills
from tests.safeguards.build import KALSHI, NOW, SECOND, YES_TOKEN

TEN = 10 * MICRO


def breaks(rig: Rig) -> dict[str, str]:
    """Return the open breaks and what the venue said."""
    return {name: each.observed for name, each in rig.book.breaks.items()}


async def compare(rig: Rig) -> bool:
    """Reconcile, and let happen what it sets off."""
    answered = await rig.gateway.reconciler.run()
    await rig.settle()
    return answered


async def hold(rig: Rig, **changes: Any) -> None:
    """Buy 10 at 0.65."""
    venue = rig.polymarket if changes.get("platform") is Platform.POLYMARKET else rig.kalshi
    venue.answers.append(lambda order: fills(order, rig.now_ns))
    await rig.ask(**changes)
    await rig.settle()


def foreign(name: str | None, market_id: str = KALSHI) -> VenueOrder:
    """Return a working order that is not the book's."""
    return VenueOrder(
        client_order_id=name,
        venue_order_id="v-foreign",
        platform=Platform.KALSHI,
        market_id=market_id,
        side=Side.YES,
        action=Action.BUY,
        quantity=TEN,
        filled=0,
        limit_price=500_000,
    )


# Breaks ----------------------------------------------------------------------------------------


async def test_a_break_closes_by_evidence() -> None:
    """The same comparison without the difference ends it; one kind's end leaves another's."""
    async with running() as rig:
        await hold(rig)
        rig.kalshi.working = [foreign("by-hand")]
        await compare(rig)
        assert len(breaks(rig)) == 2
        await compare(rig)
        assert len(rig.events(events.BreakOpened)) == 2
        rig.kalshi.held = [position(TEN)]
        await compare(rig)
        assert list(breaks(rig)) == [f"Kalshi|foreign_order|{KALSHI}|v-foreign"]
        (closed,) = rig.events(events.BreakClosed)
        assert closed.break_id == f"Kalshi|position|{KALSHI}"


async def test_a_break_is_not_closed_by_another_venue() -> None:
    """That Polymarket agrees says nothing of Kalshi."""
    async with running() as rig:
        await hold(rig)
        await compare(rig)
        rig.kalshi.failure = VenueError("502")
        await compare(rig)
        assert list(breaks(rig)) == [f"Kalshi|position|{KALSHI}"]


@pytest.mark.parametrize(
    ("policy", "code", "is_halted"),
    [
        ("report", None, False),
        ("freeze_market", "RECONCILIATION_BREAK", False),
        ("adopt", None, False),
        ("halt", "RECONCILIATION_BREAK", True),
    ],
)
async def test_policies(policy: str, code: str | None, is_halted: bool) -> None:
    """Report only tells, freeze stops the market, halt stops all; what has no price is frozen."""
    async with running(Reconciliation(), reconcile_default=policy) as rig:
        rig.kalshi.held = [position(TEN)]
        await compare(rig)
        result = await rig.ask()
        assert result.code == code
        assert ("reconciliation|all" in rig.book.halts) is is_halted
        elsewhere = await rig.ask("k-2", platform=Platform.POLYMARKET, market_id=YES_TOKEN)
        assert elsewhere.code is None


async def test_the_venues_position_is_adopted_at_its_price() -> None:
    """What is held at the venue is held, at what it could be closed at; the break is over."""
    async with running(Reconciliation(), reconcile_default="adopt") as rig:
        await rig.quote()
        rig.kalshi.held = [position(TEN)]
        await compare(rig)
        market = rig.book.markets[KALSHI]
        bid = rig.desk.marks.closing_prices(KALSHI)[0]
        assert bid is not None
        assert (market.yes.quantity, market.yes.cost) == (TEN, bid * 10)
        assert rig.book.pnl_today(rig.desk.marks.unrealized) == 0
        assert breaks(rig) == {}
        (closed,) = rig.events(events.BreakClosed)
        assert (closed.how, closed.actor) == ("adopted", "arbees")
        rig.kalshi.held = []
        await compare(rig)
        assert market.yes.quantity == market.yes.cost == 0
        assert rig.book.realized == 0
        await compare(rig)
        assert len(rig.events(events.PositionAdopted)) == 2


async def test_what_has_no_price_is_frozen_until_it_has_one() -> None:
    """A position of a market that nobody quotes is not adopted; a quote lets it be."""
    async with running(Reconciliation(), reconcile_default="adopt") as rig:
        rig.kalshi.held = [position(TEN)]
        rig.desk.marks.forget(KALSHI)
        await compare(rig)
        (frozen,) = rig.book.breaks.values()
        assert frozen.policy == "freeze_market"
        await compare(rig)
        assert len(rig.events(events.BreakOpened)) == 1
        await rig.quote()
        await compare(rig)
        assert breaks(rig) == {}
        assert rig.book.markets[KALSHI].yes.quantity == TEN


async def test_each_kind_has_its_own_policy() -> None:
    """What is set for a kind stands before the default."""
    async with running(
        reconcile_default="halt", reconcile_policy={"foreign_order": "report"}
    ) as rig:
        rig.kalshi.working = [foreign("by-hand")]
        await compare(rig)
        assert rig.book.halts == {}
        rig.kalshi.held = [position(TEN)]
        await compare(rig)
        assert list(rig.book.halts) == ["reconciliation|all"]
        await compare(rig)
        assert len(rig.events(events.HaltRaised)) == 1


# When ------------------------------------------------------------------------------------------


async def test_at_the_start_and_every_interval() -> None:
    """The first comparison is before the first order, the next ones each an interval later."""
    async with running() as rig:
        assert rig.kalshi.asked.count("positions") == 1
        await rig.wait(3_599)
        assert rig.kalshi.asked.count("positions") == 1
        await rig.wait(3_602)
        assert rig.kalshi.asked.count("positions") == 3


async def test_nothing_opens_at_a_venue_that_was_never_compared() -> None:
    """A venue that was silent at the start is asked again soon, and blind until it answers."""
    rig = Rig(VenueHealth())
    rig.kalshi.failure = VenueError("502")
    await rig.gateway.start()
    await rig.settle()
    denied = await rig.ask("k-1")
    assert denied.code == "VENUE_BLIND"
    elsewhere = await rig.ask("k-2", platform=Platform.POLYMARKET, market_id=YES_TOKEN)
    assert elsewhere.code is None
    rig.kalshi.failure = None
    rig.kalshi.held = [position(TEN)]
    await rig.wait(10)
    assert f"Kalshi|position|{KALSHI}" in breaks(rig)
    assert (await rig.ask("k-3")).code is None
    asked = rig.kalshi.asked.count("positions")
    await rig.wait(600)
    assert rig.kalshi.asked.count("positions") == asked
    assert rig.now_ns > NOW + 600 * SECOND
    await rig.desk.supervisor.stop()
