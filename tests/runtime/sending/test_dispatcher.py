"""The dispatcher: sends once, cancels until answered, asks until there is evidence."""

from typing import Any

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    CancelAccepted,
    CancelMissed,
    CancelUnknown,
    Found,
    Inconclusive,
    Lookup,
    NotSent,
    Unknown,
)
from arbees.core.language.request import Alternate
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform, Side, TimeInForce
from arbees.errors import VenueError, VenueOutcomeUnknown
from tests.runtime.rig import Rig, fill, listed, quote, running
from tests.safeguards.build import CONDITION, NOW, SECOND, YES_TOKEN

LOST = Unknown(message="timeout", sent_ns=NOW + 5)
LAGS = Inconclusive(message="reads lag")


def found(closed: str | None = None, **changes: Any) -> Found:
    """Return that an order was found."""
    return Found(
        **{"venue_order_id": "v-1", "by": "id", "time_ns": NOW, "closed": closed, **changes}
    )


async def unknown(rig: Rig, *lookups: Lookup | VenueError, **changes: Any) -> None:
    """Send an order whose answer is lost; what is looked up then is written down."""
    rig.kalshi.answers.append(LOST)
    rig.kalshi.lookups.extend(lookups)
    await rig.ask(**changes)
    await rig.settle()


async def cancel(rig: Rig) -> None:
    """Ask for the cancel of everything, and let happen what it sets off."""
    await rig.gateway.cancel_all(scope="all", reason="drill", actor="ann")
    await rig.settle()


# Orders ----------------------------------------------------------------------------------------


async def test_an_order_is_sent_once_and_its_answer_taken() -> None:
    """What was approved leaves once; the venue's word on it is journaled."""
    async with running() as rig:
        order = await rig.rest()
        assert [each.client_order_id for each in rig.kalshi.sent] == [order.client_order_id]
        assert order.status == "WORKING"
        assert order.venue_order_id is not None
        await rig.wait(600)
        assert len(rig.kalshi.sent) == 1


async def test_only_its_own_venue_gets_an_order() -> None:
    """An order goes to the venue that was meant."""
    async with running() as rig:
        await rig.ask(platform=Platform.POLYMARKET, market_id=YES_TOKEN)
        await rig.settle()
        assert (len(rig.kalshi.sent), len(rig.polymarket.sent)) == (0, 1)


async def test_outstanding_answers_are_no_idleness() -> None:
    """Until its answer is here an order is under way."""
    async with running() as rig:
        rig.kalshi.before_answer.clear()
        await rig.ask()
        await rig.settle()
        assert not rig.desk.dispatcher.is_idle
        assert not rig.desk.is_idle
        rig.kalshi.before_answer.set()
        await rig.settle()
        assert rig.desk.is_idle


async def test_what_the_gate_holds_back_is_a_denial() -> None:
    """A halt while an order waits to be sent: nothing leaves, and the result says why."""
    async with running() as rig:
        rig.kalshi.before_gate.clear()
        await rig.ask()
        await rig.settle()
        await rig.halt()
        rig.kalshi.before_gate.set()
        await rig.settle()
        assert rig.kalshi.sent == []
        result = rig.known()
        assert (result.status, result.code, result.rejected_by) == ("Rejected", "HALTED", "gateway")
        assert not rig.book.orders


async def test_what_is_halted_and_released_meanwhile_is_not_sent() -> None:
    """The halt ended what waited to be sent; a quick release does not bring it back."""
    async with running() as rig:
        rig.kalshi.before_gate.clear()
        await rig.ask()
        await rig.settle()
        await rig.halt()
        await rig.halt("DISABLE")
        rig.kalshi.before_gate.set()
        await rig.settle()
        assert rig.kalshi.sent == []
        assert rig.known().final


async def test_fallback_after_what_never_left() -> None:
    """Where no byte left, the alternate is tried; it goes to its own venue."""
    async with running() as rig:
        await rig.gateway.feed(
            [quote(platform=Platform.POLYMARKET, market_id=YES_TOKEN, condition_id=CONDITION)]
        )
        rig.kalshi.answers.append(NotSent(message="no route"))
        there = Alternate(
            platform=Platform.POLYMARKET, market_id=YES_TOKEN, side=Side.YES, limit_price=650_000
        )
        await rig.ask(alternates=(there,))
        await rig.settle()
        assert len(rig.polymarket.sent) == 1
        assert [leg.status for leg in rig.known().route] == ["Failed", "Pending"]


# Unknowns --------------------------------------------------------------------------------------


async def test_an_unknown_is_asked_for_until_there_is_evidence() -> None:
    """Answers that prove nothing and errors are asked again, later each time; presence ends it."""
    async with running() as rig:
        await unknown(rig, LAGS, VenueOutcomeUnknown("502"), LAGS, found("cancelled"))
        assert rig.book.unknown == 1
        asked_at = [0.0]
        while rig.book.orders:
            await rig.wait(0.1)
            if len(rig.kalshi.looked_up) > len(asked_at):
                asked_at.append(round((rig.now_ns - NOW) / SECOND, 1))
        assert asked_at == [0.0, 0.1, 0.3, 0.7]
        assert rig.known().status == "Cancelled"
        assert len(rig.kalshi.sent) == 1


async def test_an_unknown_is_looked_up_as_of_when_it_was_sent() -> None:
    """The venue is asked by our own id, and told when bytes may have left at the latest."""
    async with running() as rig:
        await unknown(rig, found("cancelled"))
        assert rig.kalshi.looked_up == [(rig.kalshi.sent[0].client_order_id, LOST.sent_ns)]


async def test_absence_by_evidence_ends_an_unknown() -> None:
    """What is listed nowhere, by all the evidence there is, was never sent."""
    async with running() as rig:
        await unknown(rig)
        result = rig.known()
        assert (result.status, result.code) == ("Failed", "NOT_SENT")
        (ended,) = rig.events(events.OrderNotSent)
        assert ended.evidence == ("listed nowhere",)


async def test_no_timer_ends_an_unknown() -> None:
    """An hour without evidence: unknown, reserved, asked for every few seconds, not resent."""
    async with running() as rig:
        await unknown(rig, *[LAGS] * 10_000)
        reserved = rig.book.total_worst
        await rig.wait(3_600)
        assert rig.order().status == "UNKNOWN"
        assert rig.book.total_worst == reserved > 0
        assert 700 < len(rig.kalshi.looked_up) < 740
        assert len(rig.kalshi.sent) == 1


async def test_waiting_for_the_next_question_is_idleness() -> None:
    """Pauses are not work: in recorded time they would never end."""
    async with running() as rig:
        await unknown(rig, LAGS, LAGS)
        assert rig.desk.is_idle


async def test_an_order_is_asked_for_once_at_a_time() -> None:
    """Whoever else wants to know what became of an order waits for the same answer."""
    async with running() as rig:
        await unknown(rig, LAGS, LAGS, LAGS)
        name = rig.order().client_order_id
        for _ in range(5):
            rig.desk.dispatcher.carry_out([commands.ResolveOrder(name)])
            await rig.settle()
        assert len(rig.kalshi.looked_up) == 1


async def test_an_order_on_its_way_is_not_asked_for() -> None:
    """While its answer is due nobody needs to look for an order: the answer comes first."""
    async with running() as rig:
        rig.kalshi.before_answer.clear()
        await rig.ask()
        await rig.settle()
        rig.desk.dispatcher.carry_out([commands.ResolveOrder(rig.order().client_order_id)])
        await rig.settle()
        assert rig.kalshi.looked_up == []


async def test_a_fill_on_the_stream_ends_the_questions() -> None:
    """Presence by whatever means: what the stream tells need not be asked for."""
    async with running() as rig:
        await unknown(rig, *[LAGS] * 20)
        order = rig.order()
        rig.desk.writer.tell(commands.TakeFill(fill=fill(order, 10 * MICRO, venue_order_id="v-1")))
        await rig.settle()
        asked = len(rig.kalshi.looked_up)
        await rig.wait(20)
        assert rig.known().status == "Filled"
        assert len(rig.kalshi.looked_up) <= asked + 1


# Cancels ---------------------------------------------------------------------------------------


async def test_a_cancel_is_asked_for_until_it_is_answered() -> None:
    """Without an answer a cancel is sent again, later each time, five seconds at most apart."""
    async with running() as rig:
        order = await rig.rest()
        rig.kalshi.cancel_answers.extend([CancelUnknown(message="no answer")] * 10)
        await cancel(rig)
        await rig.wait(5)
        assert len(rig.kalshi.cancels) == 6
        await rig.wait(20)
        assert len(rig.kalshi.cancels) == 10
        assert order.client_order_id in rig.book.orders
        await rig.wait(5)
        assert rig.known().status == "Cancelled"
        await rig.wait(60)
        assert len(rig.kalshi.cancels) == 11
        assert set(rig.kalshi.cancels) == {(order.client_order_id, order.venue_order_id)}


async def test_a_cancel_of_what_ends_meanwhile_stops() -> None:
    """An order that filled in between needs no cancel any more."""
    async with running() as rig:
        order = await rig.rest()
        rig.kalshi.cancel_answers.extend([CancelUnknown(message="no answer")] * 10)
        await cancel(rig)
        rig.desk.writer.tell(commands.TakeFill(fill=fill(order, 10 * MICRO)))
        await rig.wait(60)
        assert len(rig.kalshi.cancels) == 1
        assert rig.known().status == "Filled"


async def test_two_mass_cancels_are_one_cancel() -> None:
    """While a cancel is under way another wish for it sends nothing."""
    async with running() as rig:
        await rig.rest()
        rig.kalshi.before_cancel.clear()
        await cancel(rig)
        await cancel(rig)
        rig.kalshi.before_cancel.set()
        await rig.settle()
        assert len(rig.kalshi.cancels) == 1


async def test_an_order_in_flight_is_cancelled_once_it_is_answered() -> None:
    """A cancel cannot overtake its order: it is chased right behind the answer."""
    async with running() as rig:
        rig.kalshi.before_answer.clear()
        await rig.ask(time_in_force=TimeInForce.GTC)
        await rig.settle()
        await cancel(rig)
        assert rig.kalshi.cancels == []
        rig.kalshi.before_answer.set()
        await rig.settle()
        assert len(rig.kalshi.cancels) == 1
        assert rig.known().status == "Cancelled"


async def test_an_unknown_is_cancelled_once_it_is_found() -> None:
    """A cancel that was asked for while nobody knew is sent as soon as somebody knows."""
    async with running() as rig:
        await unknown(rig, LAGS, found(), time_in_force=TimeInForce.GTC)
        rig.kalshi.cancel_answers.append(CancelMissed(message="not found"))
        rig.kalshi.cancel_answers.append(CancelAccepted(quantity=10 * MICRO, time_ns=NOW))
        await rig.halt()
        await rig.wait(30)
        assert rig.known().status == "Cancelled"
        assert len(rig.kalshi.sent) == 1


async def test_a_missed_cancel_is_no_end() -> None:
    """That there was nothing to cancel does not say how the order ended: it is looked up."""
    async with running() as rig:
        order = await rig.rest()
        rig.kalshi.cancel_answers.append(CancelMissed(message="not found"))
        rig.kalshi.lookups.append(
            found("filled", fills=(fill(order, 10 * MICRO),), venue_order_id="v")
        )
        await cancel(rig)
        assert rig.known().status == "Filled"


async def test_a_cancel_that_does_not_explain_the_order_is_no_end() -> None:
    """Fewer were cancelled than remained as far as we know: a fill is missing."""
    async with running() as rig:
        order = await rig.rest()
        rig.kalshi.cancel_answers.append(CancelAccepted(quantity=4 * MICRO, time_ns=NOW))
        rig.kalshi.lookups.append(found("cancelled", fills=(fill(order, 6 * MICRO),)))
        await cancel(rig)
        result = rig.known()
        assert result.status == "Partial"
        assert result.filled_qty == 6


async def test_a_contradicting_venue_is_not_asked_in_a_circle() -> None:
    """Cancel missed, yet listed as working, again and again: asked for ever, but with pauses."""
    async with running() as rig:
        await rig.rest()
        rig.kalshi.cancel_answers.extend([CancelMissed(message="not found")] * 1_000)
        rig.kalshi.lookups.extend([found()] * 1_000)
        await cancel(rig)
        await rig.wait(60)
        assert 10 < len(rig.kalshi.cancels) < 30
        assert len(rig.events(events.CancelAnswered)) == len(rig.kalshi.cancels)
        rig.kalshi.cancel_answers.clear()
        await rig.wait(6)
        assert rig.known().status == "Cancelled"


async def test_the_next_order_is_cancelled_without_a_pause() -> None:
    """That one order's cancel had to wait does not slow down another one's."""
    async with running() as rig:
        await rig.rest("k-1")
        rig.kalshi.cancel_answers.extend([CancelMissed(message="not found")] * 3)
        rig.kalshi.lookups.extend([found(), found(), found("cancelled")])
        await cancel(rig)
        await rig.wait(5)
        await rig.rest("k-2")
        before = rig.now_ns
        await cancel(rig)
        assert rig.known("k-2").status == "Cancelled"
        assert rig.now_ns == before


# Without a journal -----------------------------------------------------------------------------


async def test_cancels_go_out_without_a_journal() -> None:
    """The journal failed: everything that works is cancelled once, at every venue."""
    async with running() as rig:
        first = await rig.rest("k-1")
        await rig.rest("k-2", platform=Platform.POLYMARKET, market_id=YES_TOKEN)
        await rig.desk.dispatcher.cancel_unjournaled()
        assert rig.kalshi.cancels == [(first.client_order_id, first.venue_order_id)]
        assert len(rig.polymarket.cancels) == 1
        assert listed(first).client_order_id in rig.book.orders
