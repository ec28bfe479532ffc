"""Rows: durable decisions in this process, against the engine's bare commits of the same bytes.

One caller waits for each decision before it asks for the next; 64 callers do so at once, and their
decisions share commits. The engine then commits the same rows in commits of the same size, on the
same disk, in the same round. With 64 callers processor time is compared, since a disk that shares
its syncs would speak otherwise.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import uvloop

from arbees.core.language.request import Request, parse_request
from arbees.core.ports import Entry
from benchmarks import scene
from benchmarks.engine import BareEngine
from benchmarks.gateway import Bench, open_journal, running
from benchmarks.measure import US, Row, Stopwatch, row

MARKETS = 2_000


def measure(folder: Path, rounds: int, decisions: int) -> list[Row]:
    """Return the rows of durable decisions."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(folder, rounds, decisions))


async def _measure(folder: Path, rounds: int, decisions: int) -> list[Row]:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        engine = BareEngine(Path(place))
        async with running(Path(place), MARKETS) as bench:
            one, singles = await _one_caller(bench, engine, rounds, decisions)
            many = await _callers(bench, engine, rounds, decisions, 64)
        thread = await _thread_or_inline(Path(place), singles, rounds)
        engine.close()
    return [one, many, thread]


def requests(bench: Bench, count: int, seed: int) -> list[Request]:
    """Return requests that are fresh now."""
    now_ns = bench.clock.now_ns()
    bench.quote(MARKETS)
    return [parse_request(data, now_ns) for data in scene.bodies(count, MARKETS, now_ns, seed)]


async def _one_caller(
    bench: Bench, engine: BareEngine, rounds: int, decisions: int
) -> tuple[Row, list[list[Entry]]]:
    """Return the row, and what the commits held."""
    batches: list[list[Entry]] = []
    ours: list[float] = []
    bare: list[float] = []
    ratios: list[float] = []
    for number in range(rounds):
        watch, alone = Stopwatch(), Stopwatch()
        for request in requests(bench, decisions, number + 1):
            noted: list[list[Entry]] = []
            bench.journal.noted = noted
            with watch:
                await bench.gateway.submit(request, 0)
            bench.journal.noted = None
            for entries in noted:
                prepared = engine.prepare(entries)
                with alone:
                    engine.commit(prepared)
            batches += noted
        engine.tidy()
        bench.journal.maintain()
        ours.append(watch.p50())
        bare.append(alone.p50())
        ratios.append(ours[-1] / bare[-1])
    against = f"{median(ours):,.0f} us over a bare commit of the same bytes, {median(bare):,.0f} us"
    return row("durable decision, one caller, p50", median(ratios), 2.0, "x", against), batches


async def _callers(
    bench: Bench, engine: BareEngine, rounds: int, decisions: int, callers: int
) -> Row:
    ours: list[float] = []
    bare: list[float] = []
    ratios: list[float] = []
    rates: list[float] = []
    for number in range(rounds):
        noted: list[list[Entry]] = []
        bench.journal.noted = noted
        waiting = iter(requests(bench, decisions * 10, 1_000 + number))
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()

        await asyncio.gather(*(_caller(bench, waiting) for _ in range(callers)))
        ours.append((time.process_time_ns() - cpu) / (decisions * 10) / US)
        rates.append(decisions * 10 / ((time.perf_counter_ns() - wall) / 1e9))
        bench.journal.noted = None
        batches = [engine.prepare(entries) for entries in noted]
        cpu = time.process_time_ns()
        for prepared in batches:
            engine.commit(prepared)
        bare.append((time.process_time_ns() - cpu) / (decisions * 10) / US)
        engine.tidy()
        ratios.append(ours[-1] / bare[-1])
    against = (
        f"{median(ours):,.0f} us of processor a decision over the engine's {median(bare):,.0f} us "
        f"for the same rows; {median(rates):,.0f} decisions/s"
    )
    return row(f"durable decisions, {callers} callers, cpu", median(ratios), 4.0, "x", against)


async def _caller(bench: Bench, waiting: Iterator[Request]) -> None:
    for request in waiting:
        await bench.gateway.submit(request, 0)


async def _thread_or_inline(place: Path, batches: list[list[Entry]], rounds: int) -> Row:
    """Compare what a commit in the journal's thread costs a single caller with one on the loop."""
    loop = asyncio.get_running_loop()
    inline, threaded = Stopwatch(), Stopwatch()
    ratios: list[float] = []
    times: list[float] = []
    (place / "a").mkdir()
    (place / "b").mkdir()
    with (
        open_journal(place / "a", lambda: 1) as here,
        open_journal(place / "b", lambda: 1) as there,
    ):
        size = len(batches) // rounds
        for number in range(rounds):
            for entries in batches[number * size : (number + 1) * size]:
                with inline:
                    here.append(entries)
                with threaded:
                    await loop.run_in_executor(None, there.append, entries)
            times.append(inline.p50())
            ratios.append(threaded.p50() / times[-1])
    against = f"inline {median(times):,.0f} us, during which the loop would stand still"
    return Row("one commit in a thread, p50", f"{median(ratios):.2f} x", "-", None, against)
