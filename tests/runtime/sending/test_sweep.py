"""A halt is complete when the venue shows nothing of ours in its scope, whatever answers said."""

from arbees.core.deciding.outcomes import CancelUnknown, OrderSeen, Refused
from arbees.core.language.words import OrderStatus, Platform, TimeInForce
from arbees.errors import VenueError
from arbees.interface.views import Receipt
from tests.runtime.rig import Rig, listed, running
from tests.safeguards.build import KALSHI

FORBIDDEN = Refused(venue_code="http_403", message="forbidden")
TAKEN = "v-taken"


async def refused_but_working(rig: Rig) -> str:
    """Let the venue take an order and answer in the form of a refusal; return our own id."""
    rig.kalshi.answers.append(FORBIDDEN)
    await rig.ask(time_in_force=TimeInForce.GTC)
    await rig.settle()
    assert (rig.known().status, rig.book.orders) == ("Rejected", {})
    (sent,) = rig.kalshi.sent
    name = sent.client_order_id
    past = rig.desk.lookups._closed_order(name)
    assert past is not None
    rig.kalshi.working.append(listed(past.order, venue_order_id=TAKEN))
    return name


async def receipt(rig: Rig, receipt_id: str | None) -> Receipt:
    """Return a receipt as it is by now."""
    await rig.settle()
    found = rig.gateway.receipt(receipt_id or "")
    assert found is not None
    return found


async def test_an_order_that_was_refused_and_works_is_cancelled_by_the_halt() -> None:
    """Found by the halt's own look, reopened, cancelled under its right id; only then complete."""
    async with running() as rig:
        name = await refused_but_working(rig)
        reply = await rig.halt("ENABLE", scope=f"market:{KALSHI}")
        assert not (await receipt(rig, reply.receipt_id)).complete
        assert rig.kalshi.cancels == [(name, TAKEN)]
        rig.kalshi.working.clear()
        await rig.wait(1)
        done = await receipt(rig, reply.receipt_id)
        assert (done.complete, rig.book.orders) == (True, {})
        assert rig.known().status == "Cancelled"
        assert not rig.book.breaks


async def test_a_venue_that_cannot_be_asked_has_shown_nothing() -> None:
    """The receipt stays open until it answers; it is asked again and again."""
    async with running() as rig:
        rig.kalshi.failure = VenueError("down")
        reply = await rig.halt("ENABLE")
        await rig.wait(30)
        assert not (await receipt(rig, reply.receipt_id)).complete
        rig.kalshi.failure = None
        await rig.wait(6)
        assert (await receipt(rig, reply.receipt_id)).complete


async def test_what_is_out_of_its_scope_is_left_alone() -> None:
    """Another venue is not asked, and what works elsewhere keeps no receipt open."""
    async with running() as rig:
        order = await rig.rest("a")
        rig.kalshi.working.append(listed(order))
        rig.polymarket.asked.clear()
        reply = await rig.halt("ENABLE", scope="platform:Polymarket")
        assert (await receipt(rig, reply.receipt_id)).complete
        assert rig.polymarket.asked == ["balances", "open_orders"]
        assert order.status is OrderStatus.WORKING
        other = await rig.halt("ENABLE", scope="strategy:nobody")
        assert (await receipt(rig, other.receipt_id)).complete


async def test_a_halt_that_is_lifted_is_swept_no_more() -> None:
    """Nothing is to be cancelled for it; its receipt tells what the book has."""
    async with running() as rig:
        rig.kalshi.failure = VenueError("down")
        reply = await rig.halt("ENABLE", scope="platform:Kalshi")
        await rig.halt("DISABLE", scope="platform:Kalshi")
        asked = len(rig.kalshi.asked)
        await rig.wait(20)
        assert len([each for each in rig.kalshi.asked[asked:] if each == "open_orders"]) == 0
        assert (await receipt(rig, reply.receipt_id)).complete


async def test_a_cancel_that_is_not_answered_keeps_it_open() -> None:
    """The venue still shows the order: it works, whatever was asked for."""
    async with running() as rig:
        order = await rig.rest("a")
        rig.kalshi.working.append(listed(order))
        rig.kalshi.cancel_answers.extend([CancelUnknown(message="?")] * 3)
        reply = await rig.halt("ENABLE")
        await rig.settle()
        assert not (await receipt(rig, reply.receipt_id)).complete


async def test_the_stream_reopens_it_before_any_halt() -> None:
    """Our own stream shows it at work: it counts at once, and is a break."""
    async with running() as rig:
        await refused_but_working(rig)
        rig.kalshi.report(OrderSeen(order=rig.kalshi.working[0]))
        await rig.settle()
        assert rig.order().venue_order_id == TAKEN
        assert rig.known().status == "Pending"
        assert [each.kind for each in rig.book.breaks.values()] == ["reopened_order"]
        assert rig.book.total_worst == 6_500_000
        assert rig.order().platform is Platform.KALSHI


async def test_a_break_of_one_order_halts_where_the_policy_says_so() -> None:
    """It does not matter that no comparison found it; the order itself is cancelled."""
    async with running(reconcile_default="halt") as rig:
        await refused_but_working(rig)
        rig.kalshi.report(OrderSeen(order=rig.kalshi.working[0]))
        await rig.settle()
        assert "reconciliation|all" in rig.book.halts
        assert rig.book.orders == {}
        assert rig.known().status == "Cancelled"
