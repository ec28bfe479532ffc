"""What operators put right at a running gateway: unknown orders, breaks, money."""

import asyncio

import pytest

from arbees.core import events
from arbees.core.deciding.outcomes import Inconclusive, Unknown
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.units import MICRO
from arbees.core.language.words import End, Platform, TimeInForce
from arbees.errors import JournalUnavailable, VenueError, VenueOutcomeUnknown, VenueRefused
from arbees.interface.operator import Conflict, Operator
from arbees.interface.views import Undecided
from arbees.runtime.looking.operations import Operations
from tests.runtime.rig import Rig, listed, position, running
from tests.safeguards.build import NOW

LOST = Unknown(message="timeout", sent_ns=NOW)


async def cancel(rig: Rig, order_id: str) -> None:
    """Cancel one order; let the venue answer."""
    await rig.gateway.cancel(order_id, reason="drill", actor="ann")
    await rig.settle()


# Corrections -----------------------------------------------------------------------------------


async def unknown(rig: Rig) -> str:
    """Leave an order of unknown fate; return our own id."""
    rig.kalshi.answers.append(LOST)
    rig.kalshi.lookups.extend([Inconclusive(message="?")] * 99)
    await rig.ask(time_in_force=TimeInForce.GTC)
    await rig.settle()
    return rig.order().client_order_id


async def test_an_unknown_order_ends_by_word() -> None:
    """With who and why; its key may be used again, and what it reserved is free."""
    async with running() as rig:
        name = await unknown(rig)
        resolved = await rig.gateway.resolve_order(
            name, end="not_sent", reason="asked support", actor="ann"
        )
        assert resolved is not None
        assert resolved.sequence == rig.journal.head.sequence
        assert (rig.known().status, rig.known().code) == ("Failed", "NOT_SENT")
        assert not rig.book.orders
        again = await rig.ask(request_id="r-again", attempt=2, time_in_force=TimeInForce.GTC)
        assert again.status == "Pending"


async def test_what_is_known_has_no_need_of_a_word() -> None:
    """An order that its venue lists at work, one that ended, one that nobody knows."""
    async with running() as rig:
        resolve = rig.gateway.resolve_order
        order = await rig.rest("a")
        rig.kalshi.working.append(listed(order))
        ends: tuple[End, ...] = ("not_sent", "cancelled")
        for end in ends:
            with pytest.raises(Conflict) as error:
                await resolve(order.client_order_id, end=end, reason="r", actor="ann")
            assert error.value.code == "NOT_UNKNOWN"
        rig.kalshi.working.clear()
        await cancel(rig, order.client_order_id)
        with pytest.raises(Conflict, match="CANCELLED"):
            await resolve(order.client_order_id, end="not_sent", reason="r", actor="ann")
        assert await resolve("arb-nobody", end="cancelled", reason="r", actor="ann") is None


@pytest.mark.parametrize("is_away", [False, True])
async def test_what_its_venue_shows_no_more_ends_by_word(is_away: bool) -> None:
    """Whatever state it is in: an operator can always end it; that it was there stays true."""
    async with running() as rig:
        order = await rig.rest("a")
        name = order.client_order_id
        rig.kalshi.failure = VenueError("down") if is_away else None
        with pytest.raises(Conflict) as error:
            await rig.gateway.resolve_order(name, end="not_sent", reason="r", actor="ann")
        assert error.value.code == "NOT_ABSENT"
        assert await rig.gateway.resolve_order(name, end="cancelled", reason="gone", actor="ann")
        assert (rig.book.orders, rig.known("a").status) == ({}, "Cancelled")


async def test_part_of_it_was_there() -> None:
    """What has filled cannot be absent; the rest may be ended as cancelled."""
    async with running() as rig:
        name = await unknown(rig)
        rig.book.orders[name].filled = MICRO
        with pytest.raises(Conflict) as error:
            await rig.gateway.resolve_order(name, end="not_sent", reason="r", actor="ann")
        assert error.value.code == "NOT_ABSENT"
        assert await rig.gateway.resolve_order(name, end="cancelled", reason="r", actor="ann")


async def test_a_comparison_on_demand() -> None:
    """It answers when it is done, with what is open now; an operator ends it by word."""
    async with running() as rig:
        rig.kalshi.held.append(position(3 * MICRO))
        found = await rig.gateway.reconcile()
        assert (found.complete, found.failed) == (True, ())
        (each,) = found.breaks
        assert (each.kind, each.expected, each.observed) == ("position", "0 Yes", "3 Yes")
        assert found.sequence == rig.journal.head.sequence
        resolved = await rig.gateway.resolve_break(each.break_id, reason="by hand", actor="ann")
        assert resolved is not None
        assert (await rig.gateway.breaks()).items == ()
        assert await rig.gateway.resolve_break(each.break_id, reason="r", actor="ann") is None
        again = await rig.gateway.reconcile()
        assert [each.break_id for each in again.breaks] == [each.break_id]


async def test_a_failed_query_is_never_flat() -> None:
    """The breaks stay, the venue is named, nothing is concluded."""
    async with running() as rig:
        rig.kalshi.held.append(position(3 * MICRO))
        await rig.gateway.reconcile()
        rig.kalshi.held.clear()
        rig.kalshi.failure = VenueError("down")
        found = await rig.gateway.reconcile()
        assert (found.complete, found.failed) == (False, ("Kalshi",))
        assert len(found.breaks) == 1


async def test_comparisons_wait_for_each_other() -> None:
    """Two at once open and close each break once."""
    async with running() as rig:
        rig.kalshi.held.append(position(3 * MICRO))
        await asyncio.gather(*(rig.gateway.reconcile() for _ in range(5)))
        assert len(rig.events(events.BreakOpened)) == 1
        rig.kalshi.held.clear()
        (each,) = rig.book.breaks
        await asyncio.gather(
            rig.gateway.reconcile(),
            rig.gateway.resolve_break(each, reason="r", actor="ann"),
            rig.gateway.reconcile(),
        )
        assert len(rig.events(events.BreakClosed)) == 1
        assert rig.desk.writer.poison is None


# Money -----------------------------------------------------------------------------------------


class PaperMoney:
    """What stands in for the venues, as far as money goes."""

    def __init__(self, refusal: VenueError | None = None) -> None:
        self.refusal = refusal
        self.moved: list[tuple[Platform, int]] = []
        self.is_idle = True

    def feed(self, _quote: Quote) -> bool:
        """Take no quote."""
        return True

    def offer(self, _quote: Quote) -> bool:
        """Take no book."""
        return True

    def settle(self, _settlement: Settlement) -> bool:
        """Settle nothing."""
        return True

    async def close(self) -> None:
        """Release nothing."""

    async def move_cash(self, platform: Platform, amount: int) -> None:
        """Move it, or refuse."""
        if self.refusal is not None:
            raise self.refusal
        self.moved.append((platform, amount))


async def test_on_paper_it_is_made_too() -> None:
    """First there, then on record; the balance is asked for anew."""
    async with running() as rig:
        paper = rig.desk.simulator = PaperMoney()
        rig.kalshi.available += 5 * MICRO
        await rig.gateway.move_cash("Kalshi", 5 * MICRO, reason="bank", actor="ann")
        await rig.settle()
        assert paper.moved == [(Platform.KALSHI, 5 * MICRO)]
        assert rig.book.pools["Kalshi"].available == rig.kalshi.available


async def test_more_than_the_paper_account_has() -> None:
    """Refused there, so it is on no record."""
    async with running() as rig:
        rig.desk.simulator = PaperMoney(VenueRefused("no", venue_code="insufficient_balance"))
        with pytest.raises(Conflict, match=r"was \$5\.00") as error:
            await rig.gateway.move_cash("Kalshi", -5 * MICRO, reason="bank", actor="ann")
        assert error.value.code == "INSUFFICIENT_BALANCE"
        assert not rig.events(events.CashMoved)


async def test_a_paper_account_that_does_not_answer() -> None:
    """Nothing is on record of what may not have been made."""
    async with running() as rig:
        rig.desk.simulator = PaperMoney(VenueOutcomeUnknown("stopped"))
        with pytest.raises(Undecided, match="paper exchange failed"):
            await rig.gateway.move_cash("Kalshi", MICRO, reason="bank", actor="ann")
        assert not rig.events(events.CashMoved)


async def test_made_but_not_on_record() -> None:
    """The journal fails after it was made: it says so, and does not claim that nothing was."""
    async with running() as rig:
        paper = rig.desk.simulator = PaperMoney()
        rig.journal.failure = JournalUnavailable("disk")
        with pytest.raises(Undecided, match="not on record, but made on paper"):
            await rig.gateway.move_cash("Kalshi", MICRO, reason="bank", actor="ann")
        assert paper.moved


@pytest.mark.parametrize("amount", [500 * MICRO, -MICRO, 1])
async def test_a_movement_is_on_record(amount: int) -> None:
    """With who and why; it is no profit."""
    async with running() as rig:
        before = rig.book.pnl_today(0)
        moved = await rig.gateway.move_cash("Kalshi", amount, reason="bank", actor="ann")
        (event,) = rig.events(events.CashMoved)
        assert (event.amount, event.reason, event.actor) == (amount, "bank", "ann")
        assert moved.sequence == rig.journal.head.sequence
        assert rig.book.cash_moved == amount
        assert rig.book.pnl_today(0) == before


async def test_nothing_is_no_movement() -> None:
    """Nor is less than nothing of it."""
    async with running() as rig:
        for amount in (0, -0):
            with pytest.raises(ValueError, match="other than 0"):
                await rig.gateway.move_cash("Kalshi", amount, reason="r", actor="ann")
        with pytest.raises(ValueError, match="Binance"):
            await rig.gateway.move_cash("Binance", MICRO, reason="r", actor="ann")
        assert not rig.events(events.CashMoved)


def test_the_gateway_has_all_that_operators_do() -> None:
    """What the port names is there, under the same names."""
    wanted = {name for name in vars(Operator) if not name.startswith("_")}
    assert wanted <= set(dir(Operations))
