"""The end of a gateway: nothing is left at work that nobody cancels, and nothing keeps it alive."""

import asyncio
from typing import Literal

import pytest

from arbees.core import events
from arbees.core.deciding.outcomes import NotSent
from arbees.core.language.request import Alternate
from arbees.core.language.words import Platform, Side, TimeInForce
from arbees.errors import JournalUnavailable
from arbees.interface.views import Undecided
from tests.runtime.rig import Rig, running
from tests.safeguards.build import YES_TOKEN


async def test_requests_that_wait_at_the_stop_are_undecided() -> None:
    """What was not decided when the stop came is not decided behind the cancels of the stop."""
    async with running() as rig:
        asked = [rig.ask(f"k-{n}", time_in_force=TimeInForce.GTC) for n in range(3)]
        *answers, _ = await asyncio.gather(
            *asked, rig.gateway.stop("a test"), return_exceptions=True
        )
        assert [each.code for each in answers if isinstance(each, Undecided)] == [
            "SHUTTING_DOWN"
        ] * 3
        assert rig.kalshi.sent == []
        assert rig.events(events.OrderApproved) == []


async def test_what_was_not_sent_when_the_stop_came_is_not_sent() -> None:
    """An approved order that waits for its connection is denied at the gate, not left to rest."""
    async with running() as rig:
        rig.kalshi.before_gate.clear()
        await rig.ask(time_in_force=TimeInForce.GTC)
        stopping = asyncio.create_task(rig.gateway.stop("a test"))
        await asyncio.sleep(0)
        rig.kalshi.before_gate.set()
        await stopping
        assert rig.kalshi.sent == []
        assert [each.code for each in rig.events(events.OrderDenied)] == ["SHUTTING_DOWN"]


async def test_no_alternate_is_tried_on_the_way_out() -> None:
    """What falls through while the gateway stops does not come to rest at another venue."""
    there = Alternate(
        platform=Platform.POLYMARKET, market_id=YES_TOKEN, side=Side.YES, limit_price=640_000
    )
    async with running() as rig:
        rig.kalshi.answers.append(NotSent(message="no route"))
        rig.kalshi.before_answer.clear()
        await rig.ask(time_in_force=TimeInForce.GTC, alternates=(there,))
        await rig.settle()
        stopping = asyncio.create_task(rig.gateway.stop("a test"))
        await asyncio.sleep(0)
        rig.kalshi.before_answer.set()
        await stopping
        assert rig.polymarket.sent == []
        assert rig.book.orders == {}


async def test_orders_at_work_are_cancelled_by_the_stop() -> None:
    """An order that rests is cancelled, and its end is on record before `Stopped`."""
    async with running() as rig:
        await rig.rest()
        await rig.gateway.stop("a test")
        kinds = [type(event) for event in rig.journal.events]
        assert kinds.index(events.OrderCancelled) < kinds.index(events.Stopped)
        assert rig.known().status == "Cancelled"


# When the journal failed -----------------------------------------------------------------------


async def broken(rig: Rig) -> None:
    """Let the journal fail under two resting orders."""
    await rig.rest("k-1")
    await rig.rest("k-2")
    rig.journal.failure = JournalUnavailable("disk full")
    with pytest.raises(Undecided):
        await rig.ask("k-3")


async def test_a_failed_journal_cancels_and_ends() -> None:
    """Cancels go out without a record, and the process is told to end."""
    async with running() as rig:
        await broken(rig)
        await rig.settle()
        ours = {rig.order("k-1").venue_order_id, rig.order("k-2").venue_order_id}
        assert ours <= {venue_order_id for _, venue_order_id in rig.kalshi.cancels}
        assert rig.ended == ["the journal failed: disk full"]


class Breaks(asyncio.Event):
    """What a cancel waits for breaks, as a bug of an adapter would."""

    def __init__(self) -> None:
        """Nobody came yet."""
        super().__init__()
        self.count = 0

    async def wait(self) -> Literal[True]:
        """Break."""
        self.count += 1
        raise RuntimeError("a bug of an adapter")


async def test_a_cancel_that_breaks_does_not_keep_the_process_alive() -> None:
    """The other cancels are asked for all the same, and the end comes."""
    async with running() as rig:
        rig.kalshi.before_cancel = breaks = Breaks()
        await broken(rig)
        await rig.settle()
        assert breaks.count == len(rig.book.orders)
        assert rig.ended == ["the journal failed: disk full"]


async def test_a_cancel_that_hangs_does_not_keep_the_process_alive() -> None:
    """A venue that does not answer is waited for within a bound."""
    async with running() as rig:
        rig.gateway.last_cancels_seconds = 0.0
        rig.kalshi.before_cancel.clear()
        await broken(rig)
        await rig.settle()
        assert rig.ended == ["the journal failed: disk full"]
        assert ("JOURNAL_TROUBLE", "not every cancel was answered before the end") in rig.alerts
