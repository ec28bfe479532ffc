"""Row: from the arrival of a request to its first byte at the venue.

Ours: the whole way, decision, commit, gate. Compared with a client that only forwards: a task that
hands the same order to the same venue at once. What is over must be one commit and little more.
"""

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path
from statistics import median

import uvloop

from arbees.core.deciding.outcomes import ApprovedOrder, Outcome
from arbees.core.language.request import Request
from arbees.core.ports import Entry, Gate
from benchmarks.durable import MARKETS, requests
from benchmarks.engine import BareEngine
from benchmarks.gateway import Bench, SilentVenue, running
from benchmarks.measure import US, Row, Stopwatch, row

OVERHEAD_US = 300.0


class NotingVenue(SilentVenue):
    """Also keeps the last order, for the client that only forwards."""

    last: ApprovedOrder | None = None
    heard: "asyncio.Event | None" = None

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        """Keep the order, and say that it came."""
        self.last = order
        if self.heard is not None:
            self.heard.set()
        return await super().submit(order, gate)


def measure(folder: Path, rounds: int, orders: int) -> list[Row]:
    """Return the row of sending."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(folder, rounds, orders))


async def _measure(folder: Path, rounds: int, orders: int) -> list[Row]:
    over: list[float] = []
    ours: list[float] = []
    commits: list[float] = []
    forwards: list[float] = []
    with tempfile.TemporaryDirectory(dir=folder) as place:
        engine = BareEngine(Path(place))
        async with running(Path(place), MARKETS, NotingVenue) as bench:
            for number in range(rounds):
                first, alone = Stopwatch(), Stopwatch()
                for request in requests(bench, orders, number + 1):
                    entries = await _sent(bench, request, first)
                    prepared = engine.prepare(entries)
                    with alone:
                        engine.commit(prepared)
                engine.tidy()
                bench.journal.maintain()
                ours.append(first.p50())
                commits.append(alone.p50())
                forwards.append(await _forwarded(bench, orders))
                over.append(ours[-1] - forwards[-1] - commits[-1])
        engine.close()
    against = (
        f"{median(ours):,.0f} us, of which a commit {median(commits):,.0f} us and a client that "
        f"only forwards {median(forwards):,.0f} us"
    )
    name = "decision to first byte, over commit and forwarding"
    return [row(name, median(over), OVERHEAD_US, "us", against)]


async def _sent(bench: Bench, request: Request, watch: Stopwatch) -> list[Entry]:
    """Time a request to its first byte; return what was committed before that."""
    assert isinstance(bench.venue, NotingVenue)
    noted: list[list[Entry]] = []
    bench.journal.noted = noted
    heard = bench.venue.heard = asyncio.Event()
    with watch:
        asking = asyncio.create_task(bench.gateway.submit(request, 0))
        await heard.wait()
    bench.journal.noted = None
    await asking
    return noted[0]


async def _forwarded(bench: Bench, orders: int) -> float:
    assert isinstance(bench.venue, NotingVenue)
    order = bench.venue.last
    assert order is not None
    laps: list[float] = []
    for _ in range(orders):
        begun = time.perf_counter_ns()
        task = asyncio.create_task(bench.venue.submit(order, lambda: None))
        await asyncio.sleep(0)
        laps.append((bench.venue.first_bytes[order.request_id] - begun) / US)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return median(laps)
