"""Everything at once, from seeds: promises hold to the end, and after a crash on the way.

Each seed is another evening; the gateway is killed at some of its points, drawn as well. Which seed
broke what can be lived again by its number.
"""

import random
from pathlib import Path

import pytest

from arbees.core.book.book import encode as encode_book
from tests.runtime.chaos import Chaos
from tests.runtime.evenings import BrokenError, Evening, aftermath, judge_files, keep_promises
from tests.runtime.stops import stop_means_stop
from verification.crashes import Crashes, Point
from verification.simulation import SimulatedClock, simulate

SEEDS = 16
CRASHES = 0.01
"""Share of the points at which the gateway is killed."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_chaos_breaks_no_promise(seed: int, tmp_path: Path) -> None:
    """Whatever is lost, late, repeated or stopped, and whenever the process dies."""
    live_chaos(seed, tmp_path)


def live_chaos(seed: int, place: Path) -> None:
    """Live the evening of a seed, and what comes after some crashes of it."""
    folder = place / "life"
    folder.mkdir()
    evening, chaos, moments = Evening(folder), Chaos(seed), random.Random(-seed)

    def judge(left: Path) -> None:
        simulate(aftermath(evening, left, SimulatedClock(evening.clock.now_ns() + 1_000_000)))

    def is_meant(_point: Point) -> bool:
        return moments.random() < CRASHES

    async def act(evening: Evening) -> None:
        await chaos(evening)
        keep_promises(evening, evening.assembly)

    crashes = Crashes(
        folder,
        evening.promises,
        judge,
        place,
        is_meant=is_meant,
        thread_seconds=chaos.thread_seconds,
    )
    evening.on_started = crashes.begin
    found = crashes.run(evening.live(act), evening.clock.now_ns)
    judge_files(folder, evening.settings, encode_book(evening.assembly.gateway.desk.book))
    stop_means_stop(evening)
    for point, error in found.failures:
        raise BrokenError(f"killed at point {point.number} ({point.kind}): {error!r}") from error
