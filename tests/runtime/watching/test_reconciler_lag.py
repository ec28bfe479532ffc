"""Reads that lag, and gaps while a comparison goes on: neither makes a break nor hides one."""

from arbees.core.deciding.outcomes import StreamChanged
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Platform
from tests.runtime.rig import Rig, position, running
from tests.runtime.scripted_venue import fills

TEN = 10 * MICRO


async def hold(rig: Rig) -> None:
    """Buy 10 at 0.65."""
    rig.kalshi.answers.append(lambda order: fills(order, rig.now_ns))
    await rig.ask()
    await rig.settle()


async def test_what_is_older_than_the_last_change_proves_no_difference() -> None:
    """The fill is not in the lists yet: no break, and the comparison is not made."""
    async with running() as rig:
        await hold(rig)
        rig.kalshi.lag_ns = NS_PER_SECOND
        assert not await rig.gateway.reconciler.run()
        assert rig.book.breaks == {}
        rig.kalshi.held = [position(TEN)]
        assert await rig.gateway.reconciler.run()


async def test_a_difference_that_stays_is_found_in_spite_of_the_lag() -> None:
    """Once the lists are as of after the last change, what is wrong in them is a break."""
    async with running() as rig:
        await hold(rig)
        rig.kalshi.lag_ns = NS_PER_SECOND
        assert not await rig.gateway.reconciler.run()
        rig.kalshi.lag_ns = 0
        assert await rig.gateway.reconciler.run()
        await rig.settle()
        assert [each.kind for each in rig.book.breaks.values()] == ["position"]


async def test_a_gap_during_a_comparison_makes_it_begin_anew() -> None:
    """What was read before the stream broke says nothing of what nobody told meanwhile."""
    async with running() as rig:
        gaps = [0]

        def break_once() -> None:
            if rig.kalshi.asked[-1] == "positions" and not gaps[0]:
                gaps[0] = len(rig.kalshi.asked)
                for is_live in (False, True):
                    rig.kalshi.report(
                        StreamChanged(platform=Platform.KALSHI, is_live=is_live, reason="reset")
                    )

        rig.kalshi.asked.clear()
        rig.kalshi.during_read = break_once
        assert await rig.gateway.reconciler.run()
        assert "fills" in rig.kalshi.asked[gaps[0] :]
        assert Platform.KALSHI not in rig.desk.uncompared
