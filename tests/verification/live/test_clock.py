"""The clock of a stage: moved on by hand, it wakes who is due, in order."""

import asyncio

from arbees.core.language.units import NS_PER_SECOND
from verification.live.clock import AdvancingClock


async def test_who_is_due_wakes_in_order() -> None:
    """A jump over two sleepers wakes both, the earlier one first, and not the third."""
    clock, woken = AdvancingClock(), list[int]()

    async def sleep(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleep(seconds)) for seconds in (20, 10, 60)]
    await asyncio.sleep(0)
    before_ns = clock.now_ns()
    clock.advance(30)
    await asyncio.wait(tasks[:2])
    assert woken == [10, 20]
    assert clock.now_ns() - before_ns >= 30 * NS_PER_SECOND
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_it_also_runs_by_itself() -> None:
    """Without being moved it wakes a sleeper in time, like any clock."""
    clock = AdvancingClock()
    async with asyncio.timeout(2):
        await clock.sleep(0.01)
