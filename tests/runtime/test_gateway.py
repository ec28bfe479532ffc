"""The gateway: when nothing is decided, what a failed journal means, what it takes and tells."""

import asyncio
import gc
from collections.abc import Sequence
from typing import Any

import pytest

from arbees.core import events
from arbees.core.deciding.outcomes import Settled
from arbees.core.language.payouts import NO_WON, YES_WON
from arbees.core.language.quote import Settlement
from arbees.core.language.words import Mode, Platform
from arbees.core.orders.result import Recorded
from arbees.errors import JournalUnavailable
from arbees.interface.views import Undecided
from arbees.runtime.intake.writer import LANE_MAX
from tests.runtime.rig import Rig, quote, running
from tests.safeguards.build import KALSHI, NOW
from verification.simulation import simulate


async def fail_journal(rig: Rig) -> None:
    """Let the next commit fail."""
    rig.journal.failure = JournalUnavailable("disk full")
    reply = await rig.halt()
    assert not reply.durable
    await rig.settle()


# Not deciding ----------------------------------------------------------------------------------


async def test_nothing_is_decided_before_the_start() -> None:
    """Until recovery is done requests are sent away, and so says readiness."""
    rig = Rig()
    with pytest.raises(Undecided) as refused:
        await rig.ask()
    assert refused.value.code == "STARTING"
    assert rig.gateway.readiness().ready is False
    assert rig.gateway.status().warnings == ("starting",)


async def test_nothing_is_decided_after_the_stop() -> None:
    """Stopping, requests are sent away, and so says readiness."""
    async with running() as rig:
        await rig.gateway.stop("bye")
        with pytest.raises(Undecided) as refused:
            await rig.ask()
        assert refused.value.code == "SHUTTING_DOWN"
        assert not rig.gateway.readiness().ready


async def test_a_full_queue_decides_nothing() -> None:
    """What is one too many is refused: its key is not spent."""
    async with running() as rig:
        for number in range(LANE_MAX):
            asyncio.ensure_future(rig.ask(f"k-{number}")).add_done_callback(
                lambda done: done.exception()
            )
        await asyncio.sleep(0)
        with pytest.raises(Undecided) as refused:
            await rig.ask("late")
        assert refused.value.code == "QUEUE_FULL"
        rig.desk.writer.lanes[2].clear()
        assert (await rig.ask("late")).attempt == 1


# A failed journal ------------------------------------------------------------------------------


async def test_a_failed_journal_answers_that_it_is_not_known() -> None:
    """Whoever waits, and whoever comes later, is told to ask again with the same key."""
    async with running() as rig:
        rig.kalshi.before_answer.clear()
        waiting = asyncio.create_task(rig.ask("k-1", wait=60))
        await rig.settle()
        rig.journal.failure = JournalUnavailable("disk full")
        with pytest.raises(Undecided) as decided:
            await rig.ask("k-2", wait=60)
        with pytest.raises(Undecided) as waited:
            await waiting
        with pytest.raises(Undecided) as later:
            await rig.ask("k-3")
        codes = {each.value.code for each in (decided, waited, later)}
        assert codes == {"JOURNAL_FAILED"}


async def test_a_failed_journal_ends_the_gateway() -> None:
    """It is told with a reason, shows in readiness and status, and the process is to end."""
    async with running() as rig:
        await fail_journal(rig)
        assert rig.ended == ["the journal failed: disk full"]
        assert rig.gateway.readiness().ready is False
        assert "disk full" in rig.gateway.readiness().reasons[0]
        assert "disk full" in rig.gateway.status().warnings[0]
        assert ("JOURNAL_TROUBLE", "disk full") in rig.alerts


async def test_a_failed_journal_sends_nothing_and_cancels_everything() -> None:
    """What waits to be sent stays; what works is cancelled, without a journal."""
    async with running() as rig:
        order = await rig.rest("k-1")
        rig.kalshi.before_gate.clear()
        await rig.ask("k-2")
        await rig.settle()
        await fail_journal(rig)
        rig.kalshi.before_gate.set()
        await rig.settle()
        assert len(rig.kalshi.sent) == 1
        assert (order.client_order_id, order.venue_order_id) in rig.kalshi.cancels


def test_a_venue_that_hangs_does_not_keep_the_end_away() -> None:
    """A cancel without an answer on the way out is waited for, but not for ever."""

    async def main() -> None:
        async with running() as rig:
            await rig.rest()
            rig.kalshi.before_cancel.clear()
            await fail_journal(rig)
            assert rig.ended == []
            await asyncio.sleep(60)
            assert rig.ended == ["the journal failed: disk full"]

    simulate(main())


async def test_a_task_that_dies_ends_the_gateway() -> None:
    """A fault in any part is told like a failed journal, with the name of the part."""
    async with running() as rig:

        async def die() -> None:
            raise RuntimeError("broke")

        rig.desk.supervisor.start(die(), "balances")
        await rig.settle()
        assert len(rig.ended) == 1
        assert "balances" in rig.ended[0]
        assert "broke" in rig.ended[0]
        assert not rig.gateway.readiness().ready


# Market data -----------------------------------------------------------------------------------


class Simulator:
    """What stands in for the venues: takes so much, and no more."""

    is_idle = True

    def __init__(self, room: int) -> None:
        self.room = room
        self.took: list[object] = []

    def feed(self, quote: object) -> bool:
        """Take a quote, if there is room."""
        return self._take(quote)

    def offer(self, quote: object) -> bool:
        """Take a book, if there is room."""
        return self._take(quote)

    def settle(self, settlement: object) -> bool:
        """Take a settlement, if there is room."""
        return self._take(settlement)

    def _take(self, each: object) -> bool:
        self.room -= 1
        if self.room < 0:
            return False
        self.took.append(each)
        return True

    async def move_cash(self, platform: Platform, amount: int) -> None:
        """Move nothing."""

    async def close(self) -> None:
        """Release nothing."""


async def test_quotes_reach_marks_and_exchange() -> None:
    """A quote is a fact for decisions and a book for the exchange."""
    async with running() as rig:
        simulator = Simulator(2)
        rig.desk.simulator = simulator
        quotes = [quote("0.60", "0.62"), quote("0.61", "0.63", ts_ns=NOW + 1)]
        await rig.gateway.feed(quotes)
        assert simulator.took == quotes
        assert rig.desk.marks.touches[KALSHI].bid == 610_000
        await rig.gateway.feed([])


async def test_an_exchange_that_is_full_refuses() -> None:
    """A quote or settlement that was not taken is told, to come again."""
    async with running() as rig:
        rig.desk.simulator = Simulator(0)
        with pytest.raises(Undecided) as refused:
            await rig.gateway.feed([quote()])
        assert refused.value.code == "QUEUE_FULL"
        settlement = Settlement(
            ts_ns=NOW, platform=Platform.KALSHI, market_id=KALSHI, payouts=YES_WON
        )
        with pytest.raises(Undecided):
            await rig.gateway.settle(settlement)


async def test_quotes_of_a_failed_gateway_are_refused_without_a_trace() -> None:
    """Each of many quotes is refused once, and no answer that nobody reads is left behind."""
    async with running() as rig:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, said: complaints.append(said)
        )
        rig.journal.failure = JournalUnavailable("disk full")
        other = [quote(market_id=f"KX-{number}") for number in range(5)]
        with pytest.raises(Undecided):
            await rig.gateway.feed(other)
        await rig.settle()
        rig.journal.failure = None
        del other
        gc.collect()
        await rig.settle()
        assert complaints == []


async def test_settlements_are_taken_from_the_stream() -> None:
    """A venue's result settles the market; one that nobody knew is listed by its name first."""
    async with running() as rig:
        for market_id in (KALSHI, "KX-NEW"):
            rig.kalshi.report(
                Settled(platform=Platform.KALSHI, market_id=market_id, payouts=NO_WON, time_ns=NOW)
            )
        await rig.settle()
        assert rig.book.markets[KALSHI].is_settled
        assert rig.book.markets["KX-NEW"].is_settled
        assert (await rig.ask(market_id="KX-NEW")).client_order_id is not None


async def test_live_or_paper() -> None:
    """Whether real money is at stake is a matter of the mode."""
    assert not Rig().gateway.is_live
    assert Rig(mode=Mode.LIVE).gateway.is_live


async def test_followers_are_told_of_what_is_durable() -> None:
    """Followers hear of each commit after it, with the time of each of its records."""
    async with running() as rig:
        told: list[tuple[int, str]] = []
        wakes: list[int] = []

        def hear(records: Sequence[Recorded]) -> None:
            told.extend((time_ns, events.kind(event)) for _, time_ns, event in records)
            wakes.append(rig.journal.head.sequence)

        rig.gateway.listen(hear)
        before = rig.journal.head.sequence
        rig.journal.before_append = lambda _entries: wakes.append(-1)
        await rig.ask()
        assert told == [(rig.journal.stored[before].time_ns, "OrderApproved")]
        assert wakes == [-1, before + 1]
