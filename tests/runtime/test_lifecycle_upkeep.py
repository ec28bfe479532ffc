"""Upkeep: snapshots, the journal's idle moments, the whole chain; and what the stop leaves."""

import itertools
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from arbees.core import events
from arbees.core.book.book import decode
from arbees.core.deciding.outcomes import CancelUnknown
from arbees.core.language.words import HaltSource
from arbees.errors import JournalCorrupt, JournalUnavailable
from tests.runtime.rig import Rig, running, until
from tests.runtime.scripted_venue import fills
from tests.safeguards.build import NOW

# Snapshots -------------------------------------------------------------------------------------


async def test_a_snapshot_equals_the_replay() -> None:
    """The snapshot of an orderly end is the book that the records give, as of the last of them."""
    async with running() as rig:
        rig.kalshi.answers.append(lambda order: fills(order, NOW))
        await rig.ask("k-1")
        await rig.rest("k-2")
        await rig.halt(scope="sport:NFL")
        await rig.gateway.stop("done")
        sequence, version, body = rig.journal.snapshots[-1]
        assert (sequence, version) == (rig.journal.head.sequence, "1/shape")
        assert decode(body) == rig.journal.replayed()


async def test_snapshots_come_every_so_many_records() -> None:
    """Each time that enough records are durable a snapshot is taken, which equals the replay."""
    async with running(snapshot_every=5) as rig:
        for number in range(12):
            await rig.halt(scope=f"market:KX-{number}")
            await rig.settle()
            for sequence, _, body in rig.journal.snapshots[-1:]:
                book = decode(body)
                assert book.sequence == sequence
                if sequence == rig.journal.head.sequence:
                    assert book == rig.journal.replayed()
        taken = [sequence for sequence, _, _ in rig.journal.snapshots]
        assert len(taken) == rig.journal.head.sequence // 5
        assert taken == sorted(set(taken))


async def test_a_snapshot_that_fails_is_told_and_no_more() -> None:
    """Without room for a snapshot the gateway goes on: the records are what counts."""
    async with running(snapshot_every=1) as rig:
        rig.journal.snapshot_failure = JournalUnavailable("no room")
        await rig.halt()
        await rig.settle()
        assert ("JOURNAL_TROUBLE", "no snapshot: no room") in rig.alerts
        assert rig.gateway.readiness().ready


# Idle moments and the chain --------------------------------------------------------------------


async def test_idle_moments_are_used() -> None:
    """Every second in which nothing waits the journal may tidy up."""
    async with running(is_inline=False) as rig:
        for seconds in (1, 2, 3):
            await rig.wait(1)
            await until(partial(has_maintained, rig, seconds))


def has_maintained(rig: Rig, times: int) -> bool:
    """Tell whether the journal was given so many moments."""
    return rig.journal.maintained == times


async def test_a_broken_chain_halts() -> None:
    """A record that does not follow, found in the background: everything halts, by its number."""

    def broken() -> Iterator[object]:
        yield None
        raise JournalCorrupt("expected another hash", sequence=7)

    rig = Rig(is_inline=False)
    rig.journal.rest = broken()
    await rig.gateway.start()
    await until(lambda: bool(rig.book.halts))
    (halt,) = rig.book.halts.values()
    assert (halt.source, halt.is_automatic) == (HaltSource.JOURNAL, True)
    assert "record 7" in halt.reason
    await rig.gateway.stop("done")


async def test_a_whole_chain_halts_nothing() -> None:
    """A chain that holds is followed to its end, and nobody hears of it."""
    rest = iter(range(100))
    rig = Rig(is_inline=False)
    rig.journal.rest = rest
    await rig.gateway.start()
    await until(lambda: next(rest, None) is None)
    await rig.settle()
    assert rig.book.halts == {}
    await rig.gateway.stop("done")


async def test_the_stop_does_not_wait_for_the_whole_chain() -> None:
    """A chain that takes minutes to follow does not hold up the end."""
    left = threading.Event()

    def endless() -> Iterator[object]:
        try:
            yield from itertools.repeat(None)
        finally:
            left.set()

    rig = Rig(is_inline=False)
    rig.journal.rest = endless()
    await rig.gateway.start()
    await rig.gateway.stop("done")
    await until(left.is_set)


# What the stop leaves --------------------------------------------------------------------------


async def test_the_stop_may_leave_orders_at_work() -> None:
    """With CANCEL_ON_SHUTDOWN=false what rests goes on resting, and recovery finds it."""
    async with running(cancel_on_shutdown=False) as rig:
        order = await rig.rest()
        await rig.gateway.stop("done")
        assert rig.kalshi.cancels == []
        assert list(rig.journal.replayed().orders) == [order.client_order_id]
        assert rig.events(events.MassCancelled) == []


async def test_the_stop_is_the_last_record() -> None:
    """After `Stopped` nothing follows, and the book says that nobody writes it."""
    async with running() as rig:
        await rig.rest()
        await rig.gateway.stop("done")
        await rig.settle()
        assert rig.journal.kinds()[-1] == "Stopped"
        assert not rig.journal.replayed().is_started


@pytest.mark.parametrize("times", [2, 3])
async def test_stopping_again_does_nothing(times: int) -> None:
    """A gateway that is stopped is stopped."""
    async with running() as rig:
        for _ in range(times):
            await rig.gateway.stop("done")
        assert len(rig.events(events.Stopped)) == 1


async def test_the_stop_does_not_wait_for_a_venue_for_ever() -> None:
    """A venue that answers no cancel is waited for within bounds; the order stays on record."""
    async with running() as rig:
        order = await rig.rest()
        rig.kalshi.cancel_answers.extend([CancelUnknown(message="no answer")] * 99)
        await rig.gateway.stop("done")
        assert rig.kalshi.is_closed
        left = rig.journal.replayed().orders[order.client_order_id]
        assert left.cancel_reason == "done"


async def test_the_stop_closes_everything_whatever_breaks() -> None:
    """A venue that cannot be closed does not keep the others, or the journal's end, open."""
    async with running() as rig:

        async def break_down() -> None:
            raise RuntimeError("a bug in an adapter")

        rig.kalshi.close = break_down  # type: ignore[method-assign]
        with pytest.raises(RuntimeError):
            await rig.gateway.stop("done")
        assert rig.polymarket.is_closed
        assert rig.journal.kinds()[-1] == "Stopped"
