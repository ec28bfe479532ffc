"""Cancels that operators ask for at a running gateway: in every state, and by whatever id."""

from decimal import Decimal

import pytest

from arbees.core import events
from arbees.core.deciding.outcomes import (
    CancelMissed,
    Filled,
    Found,
    Inconclusive,
    Unknown,
)
from arbees.core.language.units import MICRO
from arbees.core.language.words import OrderStatus, Platform, TimeInForce
from arbees.core.ports import OrderRow
from arbees.errors import JournalUnavailable
from arbees.interface.operator import CancelReply, Conflict
from arbees.interface.views import Undecided
from tests.runtime.rig import Rig, fill, running
from tests.safeguards.build import NOW, YES_TOKEN

LOST = Unknown(message="timeout", sent_ns=NOW)


async def cancel(rig: Rig, order_id: str, **more: str) -> CancelReply | None:
    """Cancel one order; let the venue answer."""
    reply = await rig.gateway.cancel(order_id, reason="drill", actor="ann", **more)
    await rig.settle()
    return reply


# One order -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_own", [True, False])
async def test_by_our_own_id_and_by_the_venues(is_own: bool) -> None:
    """The answer is as of the record; the venue is asked, and the order ends."""
    async with running() as rig:
        order = await rig.rest()
        order_id = order.client_order_id if is_own else order.venue_order_id
        reply = await cancel(rig, order_id or "")
        assert reply is not None
        assert (reply.status, reply.final) == ("WORKING", False)
        assert reply.sequence > 0
        assert rig.known().status == "Cancelled"
        (asked,) = rig.events(events.CancelRequested)
        assert (asked.reason, asked.actor) == ("drill", "ann")


async def test_nobody_knows_it() -> None:
    """No order, no record."""
    async with running() as rig:
        await rig.rest()
        before = len(rig.journal.stored)
        for order_id in ("arb-nobody", "v-nobody", "", "order:x"):
            assert await cancel(rig, order_id) is None
        assert len(rig.journal.stored) == before


async def test_twice_is_as_good_as_once() -> None:
    """While it works nothing is recorded twice; when it has ended, its end is told."""
    async with running() as rig:
        order = await rig.rest()
        rig.kalshi.before_cancel.clear()
        first = await cancel(rig, order.client_order_id)
        second = await cancel(rig, order.client_order_id)
        assert first is not None
        assert second is not None
        assert (first.final, second.final) == (False, False)
        assert len(rig.events(events.CancelRequested)) == 1
        rig.kalshi.before_cancel.set()
        await rig.settle()
        assert len(rig.kalshi.cancels) == 1
        third = await cancel(rig, order.client_order_id)
        assert third is not None
        assert (third.final, third.status) == (True, "CANCELLED")
        assert len(rig.kalshi.cancels) == 1


async def test_after_the_fill() -> None:
    """It says FILLED, and nothing goes to the venue."""
    async with running() as rig:
        order = await rig.rest()
        rig.kalshi.report(Filled(fill=fill(order, 10 * MICRO)))
        await rig.settle()
        reply = await cancel(rig, order.venue_order_id or "")
        assert reply is not None
        assert (reply.final, reply.status, reply.filled_qty) == (True, "FILLED", Decimal(10))
        assert rig.kalshi.cancels == []
        assert rig.events(events.CancelRequested) == []


async def test_a_fill_that_is_on_its_way_is_faster() -> None:
    """The cancel is recorded and missed; the fill counts, the order is filled, nothing is lost."""
    async with running() as rig:
        order = await rig.rest()
        rig.kalshi.cancel_answers.append(CancelMissed(message="filled"))
        rig.kalshi.lookups.append(
            Found(
                venue_order_id=order.venue_order_id or "",
                by="id",
                time_ns=rig.now_ns,
                fills=(fill(order, 10 * MICRO),),
                closed="filled",
            )
        )
        reply = await cancel(rig, order.client_order_id)
        assert reply is not None
        assert not reply.final
        assert (rig.known().status, rig.known().filled_qty) == ("Filled", Decimal(10))


async def test_on_its_way_before_the_first_byte() -> None:
    """It never leaves; the request has a final result."""
    async with running() as rig:
        rig.kalshi.before_gate.clear()
        await rig.ask(time_in_force=TimeInForce.GTC)
        await cancel(rig, rig.order().client_order_id)
        rig.kalshi.before_gate.set()
        await rig.settle()
        assert rig.kalshi.sent == []
        assert rig.known().final


async def test_on_its_way_after_the_first_byte() -> None:
    """The answer comes first; then the cancel is chased, once."""
    async with running() as rig:
        rig.kalshi.before_answer.clear()
        await rig.ask(time_in_force=TimeInForce.GTC)
        await rig.settle()
        await cancel(rig, rig.order().client_order_id)
        assert rig.kalshi.cancels == []
        rig.kalshi.before_answer.set()
        await rig.settle()
        assert len(rig.kalshi.cancels) == 1
        assert rig.known().status == "Cancelled"


async def test_an_unknown_order_is_asked_for_too() -> None:
    """The venue may have it: it is asked to cancel, and the order stays unknown until evidence."""
    async with running() as rig:
        rig.kalshi.answers.append(LOST)
        rig.kalshi.lookups.extend([Inconclusive(message="?")] * 9)
        rig.kalshi.cancel_answers.append(CancelMissed(message="no such order"))
        await rig.ask(time_in_force=TimeInForce.GTC)
        await rig.settle()
        reply = await cancel(rig, rig.order().client_order_id)
        assert reply is not None
        assert (reply.status, reply.final) == ("UNKNOWN", False)
        assert len(rig.kalshi.cancels) == 1
        assert rig.order().status is OrderStatus.UNKNOWN


@pytest.mark.parametrize("scope", ["all", "platform:Kalshi"])
async def test_a_halt_holds_no_cancel_back(scope: str) -> None:
    """Halted, the operator still cancels what is left."""
    async with running() as rig:
        order = await rig.rest()
        rig.kalshi.cancel_answers.append(CancelMissed(message="busy"))
        rig.kalshi.lookups.append(
            Found(venue_order_id=order.venue_order_id or "", by="id", time_ns=rig.now_ns)
        )
        await rig.halt(scope=scope)
        await rig.settle()
        assert await cancel(rig, order.client_order_id) is not None


# Whose id --------------------------------------------------------------------------------------


async def two(rig: Rig) -> tuple[str, str]:
    """Rest an order at each venue; both venues call theirs the same. Return our own ids."""
    first = await rig.rest("a")
    second = await rig.rest("b", platform=Platform.POLYMARKET, market_id=YES_TOKEN)
    for order in (first, second):
        rows = rig.journal.orders
        rows[order.client_order_id] = OrderRow(
            order.client_order_id, order.request_id, order.platform, "same"
        )
    return first.client_order_id, second.client_order_id


async def test_two_venues_with_one_id() -> None:
    """Nothing is guessed: the platform tells, our own id tells, the open one of two tells."""
    async with running() as rig:
        await rig.gateway.feed([])
        await rig.quote(platform=Platform.POLYMARKET, market_id=YES_TOKEN)
        first, second = await two(rig)
        with pytest.raises(Conflict) as error:
            await cancel(rig, "same")
        assert error.value.code == "AMBIGUOUS_ORDER_ID"
        assert first in error.value.message
        assert second in error.value.message
        assert not rig.events(events.CancelRequested)
        reply = await cancel(rig, "same", platform="Polymarket")
        assert reply is not None
        assert reply.client_order_id == second
        assert rig.kalshi.cancels == []
        again = await cancel(rig, "same")
        assert again is not None
        assert again.client_order_id == first, "the other one has ended"
        with pytest.raises(Conflict):
            await cancel(rig, "same")


async def test_an_id_of_a_venue_that_is_like_one_of_ours() -> None:
    """Our own id always counts, whatever a venue calls another order."""
    async with running() as rig:
        await rig.quote(platform=Platform.POLYMARKET, market_id=YES_TOKEN)
        first, second = await two(rig)
        row = rig.journal.orders[second]
        rig.journal.orders[second] = OrderRow(second, row.request_id, row.platform, first)
        reply = await cancel(rig, first)
        assert reply is not None
        assert reply.client_order_id == first
        assert rig.polymarket.cancels == []
        other = await cancel(rig, first, platform="Polymarket")
        assert other is not None
        assert other.client_order_id == second


async def test_orders_of_another_strategy_are_not_known() -> None:
    """Whoever acts for one strategy neither sees nor touches another's."""
    async with running() as rig:
        order = await rig.rest(strategy="alpha")
        assert await cancel(rig, order.client_order_id, strategy="beta") is None
        assert not rig.events(events.CancelRequested)
        assert await cancel(rig, order.client_order_id, strategy="alpha") is not None


# Many ------------------------------------------------------------------------------------------


async def test_a_mass_cancel_of_a_scope() -> None:
    """What it covers is cancelled, the rest works on; the receipt says so."""
    async with running() as rig:
        await rig.rest("a", strategy="alpha")
        await rig.rest("b", strategy="beta")
        receipt_id = await rig.gateway.cancel_all(
            scope="strategy:alpha", reason="drill", actor="ann"
        )
        await rig.settle()
        receipt = rig.gateway.receipt(receipt_id)
        assert receipt is not None
        assert (receipt.complete, len(receipt.cancelled)) == (True, 1)
        assert [each.idempotency_key for each in rig.book.orders.values()] == ["b"]


@pytest.mark.parametrize("scope", ["", "everything", "sport:", "venue:Binance", "order:arb-1"])
async def test_a_scope_that_is_none(scope: str) -> None:
    """Neither everything nor nothing is cancelled by mistake."""
    async with running() as rig:
        await rig.rest()
        with pytest.raises(ValueError, match="Expected"):
            await rig.gateway.cancel_all(scope=scope, reason="drill", actor="ann")
        assert rig.book.orders


async def test_a_mass_cancel_that_the_process_does_not_survive() -> None:
    """On record before the venue was asked: the next life asks, and the receipt completes."""
    async with running() as rig:
        await rig.rest("a")
        await rig.rest("b")
        rig.kalshi.before_cancel.clear()
        receipt_id = await rig.gateway.cancel_all(scope="all", reason="drill", actor="ann")
        receipt = rig.gateway.receipt(receipt_id)
        assert receipt is not None
        assert len(receipt.in_flight) == 2
        journal, sent = rig.journal, rig.kalshi.sent
    rig = Rig(journal=journal)
    rig.kalshi.sent.extend(sent)
    try:
        await rig.gateway.start()
        await rig.settle()
        assert {name for name, _ in rig.kalshi.cancels} == {each.client_order_id for each in sent}
        receipt = rig.gateway.receipt(receipt_id)
        assert receipt is not None
        assert (receipt.complete, len(receipt.cancelled)) == (True, 2)
    finally:
        await rig.desk.supervisor.stop()


async def test_a_mass_cancel_that_was_not_recorded() -> None:
    """The journal fails at it: nothing is on record, the venue is asked all the same, 503."""
    async with running() as rig:
        order = await rig.rest()
        rig.journal.failure = JournalUnavailable("disk")
        with pytest.raises(Undecided) as error:
            await rig.gateway.cancel_all(scope="all", reason="drill", actor="ann")
        assert error.value.code == "JOURNAL_FAILED"
        assert "asked to cancel" in error.value.message
        assert (order.client_order_id, order.venue_order_id) in rig.kalshi.cancels
        assert not rig.events(events.MassCancelled)


# When the journal failed -----------------------------------------------------------------------


async def failed(rig: Rig) -> None:
    """Let the journal fail."""
    rig.journal.failure = JournalUnavailable("disk")
    with pytest.raises(Undecided):
        await rig.ask("late")
    await rig.settle()
    rig.kalshi.cancels.clear()


async def test_cancels_go_out_without_a_journal() -> None:
    """By either id, and of a scope; what is not meant is left alone."""
    async with running() as rig:
        order, other = await rig.rest("a", strategy="alpha"), await rig.rest("b")
        await failed(rig)
        for order_id in (order.client_order_id, order.venue_order_id or ""):
            with pytest.raises(Undecided) as error:
                await cancel(rig, order_id)
            assert error.value.code == "JOURNAL_FAILED"
        with pytest.raises(Undecided):
            await cancel(rig, other.client_order_id, strategy="alpha")
        with pytest.raises(Undecided):
            await rig.gateway.cancel_all(scope="strategy:alpha", reason="drill", actor="ann")
        assert [name for name, _ in rig.kalshi.cancels] == [order.client_order_id] * 3


async def test_a_venue_that_hangs_keeps_nobody_waiting() -> None:
    """Bounded: the operator hears that not everything was answered."""
    async with running() as rig:
        rig.gateway.last_cancels_seconds = 0.01
        order = await rig.rest()
        await failed(rig)
        rig.kalshi.before_cancel.clear()
        with pytest.raises(Undecided):
            await cancel(rig, order.client_order_id)
        assert ("JOURNAL_TROUBLE", "not every cancel was answered in time") in rig.alerts


async def test_nothing_else_is_done_without_a_journal() -> None:
    """Corrections and money are refused: they would be on no record."""
    async with running() as rig:
        await failed(rig)
        gateway = rig.gateway
        for asked in (
            gateway.resolve_break("b", reason="r", actor="ann"),
            gateway.adopt_break("b", reason="r", actor="ann"),
            gateway.resolve_order("arb-1", end="cancelled", reason="r", actor="ann"),
            gateway.move_cash("Kalshi", MICRO, reason="r", actor="ann"),
        ):
            with pytest.raises(Undecided):
                await asked
