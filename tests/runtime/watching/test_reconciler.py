"""Reconciliation: the venue's word against the book, both ways; nothing is read as flat."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Found,
    Inconclusive,
    NotSent,
    Settled,
    VenueOrder,
)
from arbees.core.language.ids import CLIENT_ORDER_ID_PREFIX
from arbees.core.language.payouts import YES_WON
from arbees.core.language.request import Alternate
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    HaltSource,
    Platform,
    Side,
    TimeInForce,
)
from arbees.errors import VenueError
from arbees.safeguards.reconciliation import Reconciliation
from tests.runtime.rig import Rig, fill, listed, position, running
from tests.runtime.scripted_venue import fills
from tests.safeguards.build import CONDITION, KALSHI, NO_TOKEN, NOW, SECOND, YES_TOKEN

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


# Agreement -------------------------------------------------------------------------------------


async def test_nothing_on_both_sides_agrees() -> None:
    """Flat and flat is no break."""
    async with running() as rig:
        assert await compare(rig)
        assert breaks(rig) == {}


async def test_the_same_on_both_sides_agrees() -> None:
    """What is held and what works is the same here and there."""
    async with running() as rig:
        await hold(rig)
        order = await rig.rest("k-2")
        rig.kalshi.held = [position(TEN)]
        rig.kalshi.working = [listed(order)]
        assert await compare(rig)
        assert breaks(rig) == {}
        assert rig.kalshi.looked_up == []


async def test_positions_of_both_tokens_are_one_markets() -> None:
    """A venue that names the No token means the same position."""
    async with running() as rig:
        await rig.quote(
            platform=Platform.POLYMARKET,
            market_id=YES_TOKEN,
            condition_id=CONDITION,
            opposite_token_id=NO_TOKEN,
        )
        await hold(rig, platform=Platform.POLYMARKET, market_id=YES_TOKEN, side=Side.NO)
        rig.polymarket.held = [position(TEN, market_id=NO_TOKEN, platform=Platform.POLYMARKET)]
        assert await compare(rig)
        assert breaks(rig) == {}


# Positions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "observed"),
    [
        ([], "0 Yes"),
        ([position(TEN - 1)], "9.999999 Yes"),
        ([position(TEN + 1)], "10.000001 Yes"),
        ([position(4 * MICRO), position(5 * MICRO)], "9 Yes"),
    ],
)
async def test_another_quantity_is_a_break(held: list[Any], observed: str) -> None:
    """Less, more, or nothing there: exactly, to the millionth."""
    async with running() as rig:
        await hold(rig)
        rig.kalshi.held = held
        assert await compare(rig)
        assert breaks(rig) == {f"Kalshi|position|{KALSHI}": observed}
        (opened,) = rig.events(events.BreakOpened)
        assert (opened.expected, opened.policy) == ("10 Yes", "freeze_market")


async def test_a_position_that_the_book_does_not_know_is_a_break() -> None:
    """Held there and not here, in a market that is known and in one that is not."""
    async with running() as rig:
        rig.kalshi.held = [position(TEN, Side.NO), position(TEN, market_id="KX")]
        await compare(rig)
        assert breaks(rig) == {
            f"Kalshi|position|{KALSHI}": "10 No",
            "Kalshi|position|KX": "10 Yes",
        }


@pytest.mark.parametrize(("dust", "is_broken"), [(10_000, False), (10_001, True)])
async def test_dust_on_polymarket_is_no_break(dust: int, is_broken: bool) -> None:
    """Up to a hundredth of a contract is dust there, and nowhere else."""
    async with running() as rig:
        await hold(rig, platform=Platform.POLYMARKET, market_id=YES_TOKEN)
        rig.polymarket.held = [
            position(TEN + dust, market_id=YES_TOKEN, platform=Platform.POLYMARKET)
        ]
        await compare(rig)
        assert bool(breaks(rig)) is is_broken


# Orders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [None, "by-hand"])
async def test_an_order_of_somebody_else_is_a_break(name: str | None) -> None:
    """An order that we did not place works on our account."""
    async with running() as rig:
        rig.kalshi.working = [foreign(name)]
        await compare(rig)
        assert list(breaks(rig)) == [f"Kalshi|foreign_order|{KALSHI}|v-foreign"]
        assert rig.book.halts == {}


async def test_an_order_of_ours_that_the_journal_does_not_know_halts() -> None:
    """Our prefix and no record of it: an older journal was put back. Everything halts."""
    async with running() as rig:
        name = CLIENT_ORDER_ID_PREFIX + "0" * 40
        rig.kalshi.working = [foreign(name)]
        await compare(rig)
        assert list(breaks(rig)) == [f"Kalshi|unknown_order|{name}"]
        (halt,) = rig.book.halts.values()
        assert (halt.source, halt.scope, halt.is_automatic) == (HaltSource.JOURNAL, "all", True)
        assert "JOURNAL_ROLLED_BACK" in halt.reason
        assert CLIENT_ORDER_ID_PREFIX in halt.reason


async def test_an_order_that_ended_here_and_works_there_is_a_break() -> None:
    """The journal knows it, as ended: a break, and no sign of another journal."""
    async with running() as rig:
        order = await rig.rest()
        await rig.gateway.cancel_all(scope="all", reason="drill", actor="ann")
        await rig.settle()
        rig.kalshi.working = [listed(order)]
        await compare(rig)
        assert list(breaks(rig)) == [f"Kalshi|unknown_order|{order.client_order_id}"]
        assert rig.book.halts == {}


async def test_an_order_that_went_elsewhere_and_works_here_is_a_break() -> None:
    """One key, two orders: the first never left, by the venue's own word, and yet it works."""
    async with running() as rig:
        rig.kalshi.answers.append(NotSent(message="no route"))
        there = Alternate(
            platform=Platform.POLYMARKET, market_id=YES_TOKEN, side=Side.YES, limit_price=650_000
        )
        await rig.ask(alternates=(there,), time_in_force=TimeInForce.GTC)
        await rig.settle()
        order = rig.order()
        rig.polymarket.working = [listed(order)]
        rig.kalshi.working = [foreign(order.client_order_id)]
        assert await compare(rig)
        assert list(breaks(rig)) == [f"Kalshi|unknown_order|{order.client_order_id}"]
        assert rig.book.halts == {}


async def test_an_order_that_is_not_listed_is_looked_up() -> None:
    """Ours works here and is not listed there: how it ended is found out, not guessed."""
    async with running() as rig:
        order = await rig.rest()
        rig.kalshi.lookups.append(
            Found(venue_order_id="v", by="id", time_ns=NOW, closed="cancelled")
        )
        assert await compare(rig)
        assert rig.kalshi.looked_up == [(order.client_order_id, order.created_ns)]
        assert rig.known().status == "Cancelled"
        assert breaks(rig) == {}


async def test_an_order_that_the_venue_does_not_have_is_a_break() -> None:
    """Acknowledged once, and now nowhere to be found: it stays reserved, and is a break."""
    async with running() as rig:
        order = await rig.rest()
        assert await compare(rig)
        assert list(breaks(rig)) == [f"Kalshi|missing_order|{order.client_order_id}"]
        (opened,) = rig.events(events.BreakOpened)
        assert opened.expected == f"{order.venue_order_id} working"
        assert rig.order().reserved == order.reserved
        rig.kalshi.working = [listed(order)]
        assert await compare(rig)
        assert breaks(rig) == {}


@pytest.mark.parametrize("answer", [Inconclusive(message="lag"), VenueError("502")])
async def test_an_order_that_cannot_be_told_freezes_its_market_alone(
    answer: Inconclusive | VenueError,
) -> None:
    """Reads that lag or fail say neither that it is gone nor that it is there; the rest agrees."""
    async with running(Reconciliation(), reconcile_default="report") as rig:
        order = await rig.rest()
        rig.kalshi.lookups.extend([answer] * 20)
        assert await compare(rig)
        assert Platform.KALSHI not in rig.desk.uncompared
        name = f"Kalshi|missing_order|{order.client_order_id}"
        assert list(breaks(rig)) == [name]
        assert rig.book.breaks[name].policy == "freeze_market"
        assert (await rig.ask("k-2")).code == "RECONCILIATION_BREAK"
        await rig.quote(market_id="KX")
        assert (await rig.ask("k-3", market_id="KX")).code is None
        rig.kalshi.lookups.clear()
        rig.kalshi.working = [listed(each) for each in rig.book.orders.values()]
        await rig.wait(6)
        assert breaks(rig) == {}


async def test_an_order_of_unknown_fate_is_no_break() -> None:
    """What is not known to be there is asked for, and is not missed."""
    async with running() as rig:
        rig.kalshi.lookups.extend([Inconclusive(message="lag")] * 20)
        await rig.ask()
        rig.kalshi.before_answer.clear()
        await rig.ask("k-2")
        await rig.settle()
        rig.kalshi.working = [listed(rig.order("k-1"))]
        await compare(rig)
        assert breaks(rig) == {}


# Failure ---------------------------------------------------------------------------------------


async def test_a_failed_query_is_never_flat() -> None:
    """A venue that does not answer agrees to nothing: breaks stay, and none is made up."""
    async with running() as rig:
        await hold(rig)
        await compare(rig)
        before = breaks(rig)
        assert before
        rig.kalshi.failure = VenueError("502")
        rig.kalshi.held = [position(TEN)]
        assert not await compare(rig)
        assert breaks(rig) == before
        assert ("VENUE_API_ERRORS", "Kalshi: 502") in rig.alerts


async def test_one_venues_silence_does_not_keep_another_from_being_compared() -> None:
    """Each venue is compared for itself."""
    async with running() as rig:
        rig.kalshi.failure = VenueError("502")
        rig.polymarket.held = [position(TEN, market_id="T", platform=Platform.POLYMARKET)]
        assert not await compare(rig)
        assert breaks(rig) == {"Polymarket|position|T": "10 Yes"}


async def test_what_moves_is_not_compared() -> None:
    """While an order is under way a difference proves nothing; later it is asked again."""
    async with running() as rig:
        rig.kalshi.before_answer.clear()
        await rig.ask()
        await rig.settle()
        rig.kalshi.held = [position(TEN)]
        assert not await compare(rig)
        assert breaks(rig) == {}
        rig.kalshi.answers.append(lambda order: fills(order, NOW))
        rig.kalshi.before_answer.set()
        await rig.settle()
        assert await compare(rig)
        assert breaks(rig) == {}


async def test_what_does_not_concern_the_comparison_does_not_disturb_it() -> None:
    """Denials and other records in between change no position: it is compared all the same."""
    async with running() as rig:
        rig.kalshi.held = [position(TEN)]
        record = commands.Record(events=(events.Stopped(reason="a record"),))
        rig.kalshi.during_read = lambda: rig.desk.writer.tell(record)
        assert await compare(rig)
        assert list(breaks(rig)) == [f"Kalshi|position|{KALSHI}"]


async def test_what_changes_during_the_questions_is_asked_again() -> None:
    """A fill between two questions makes their answers worthless; the next ones are compared."""
    async with running() as rig:
        order = await rig.rest()
        rig.kalshi.working = [listed(order)]

        def fills_now() -> None:
            rig.kalshi.during_read = lambda: None
            rig.desk.writer.tell(commands.TakeFill(fill=fill(order, TEN)))

        rig.kalshi.during_read = fills_now
        rig.kalshi.held = [position(TEN)]
        rig.kalshi.working = []
        assert await compare(rig)
        assert breaks(rig) == {}
        assert rig.events(events.BreakOpened) == []


async def test_a_failed_journal_ends_the_comparison() -> None:
    """Without a journal there is nothing to compare with; nobody hangs, nothing breaks."""
    async with running() as rig:
        rig.desk.writer.abandon("disk full")
        assert not await compare(rig)


async def test_a_settlement_that_nobody_told_is_taken_first() -> None:
    """A position that is gone because its market was settled is no break."""
    async with running() as rig:
        await hold(rig)
        rig.kalshi.settled = [
            Settled(platform=Platform.KALSHI, market_id=KALSHI, payouts=YES_WON, time_ns=NOW)
        ]
        assert await compare(rig)
        assert rig.book.markets[KALSHI].is_settled
        assert rig.book.realized == 3_500_000
        assert breaks(rig) == {}


async def test_a_market_that_always_moves_keeps_no_other_from_being_compared() -> None:
    """One trades at every look: a break elsewhere is found; it alone is not told, and said so."""
    async with running(Reconciliation(), reconcile_interval_ns=SECOND) as rig:
        order = await rig.rest(size=100 * MICRO)
        rig.kalshi.working = [listed(order)]
        rig.kalshi.held = [position(TEN, market_id="KX")]
        count = [0]

        def trades() -> None:
            if rig.kalshi.asked[-1] == "positions":
                count[0] += 1
                more = fill(order, MICRO // 100, trade_id=f"t-{count[0]}")
                rig.desk.writer.tell(commands.TakeFill(fill=more))
                rig.kalshi.working = [listed(rig.order())]

        rig.kalshi.during_read = trades
        assert not await compare(rig)
        assert breaks(rig) == {"Kalshi|position|KX": "10 Yes"}
        await rig.wait(10)
        assert any(name == "BELIEF_UNVERIFIED" for name, _ in rig.alerts)
        rig.kalshi.during_read = lambda: None
        held = rig.book.markets[KALSHI].yes.quantity
        rig.kalshi.held.append(position(held))
        rig.kalshi.working = [listed(rig.order())]
        assert await compare(rig)
        assert breaks(rig) == {"Kalshi|position|KX": "10 Yes"}


async def test_a_row_of_a_position_that_cannot_be_read_is_not_flat() -> None:
    """Its market alone is frozen, whatever the policy; the others agree."""
    async with running(Reconciliation(), reconcile_default="report") as rig:
        await hold(rig)
        rig.kalshi.held = [position(0, trouble="nonsense")]
        assert await compare(rig)
        name = f"Kalshi|position|{KALSHI}"
        assert rig.book.breaks[name].policy == "freeze_market"
        assert (await rig.ask("k-2")).code == "RECONCILIATION_BREAK"
        rig.kalshi.held = [position(TEN)]
        assert await compare(rig)
        assert breaks(rig) == {}
