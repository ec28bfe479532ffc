"""Rows: how soon a halt is in force, and how soon it is answered durable.

In force: before the caller of the kill switch has waited for anything, the gate refuses an order.
Answered: over one bare commit of the same bytes, alone and while 64 callers ask for decisions.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import uvloop

from arbees.core.language.request import Request
from arbees.core.language.words import HaltSource
from arbees.core.ports import Entry
from arbees.interface.views import KillReply
from benchmarks.durable import MARKETS, requests
from benchmarks.engine import BareEngine
from benchmarks.gateway import Bench, FillingVenue, running
from benchmarks.measure import US, Row, Stopwatch, row

OVERHEAD_US = 1_000.0
SCOPE = "strategy:another"
CALLERS = 64


def measure(folder: Path, rounds: int, halts: int) -> list[Row]:
    """Return the rows of halting."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(folder, rounds, halts))


async def _measure(folder: Path, rounds: int, halts: int) -> list[Row]:
    alone: list[float] = []
    busy: list[float] = []
    commits: list[float] = []
    with tempfile.TemporaryDirectory(dir=folder) as place:
        engine = BareEngine(Path(place))
        async with running(Path(place), MARKETS, FillingVenue) as bench:
            for number in range(rounds):
                halting, committing = Stopwatch(), Stopwatch()
                for _ in range(halts):
                    prepared = engine.prepare(await _halt(bench, halting))
                    with committing:
                        engine.commit(prepared)
                alone.append(halting.p50())
                commits.append(committing.p50())
                busy.append(await _halts_under_load(bench, halts, 5_000 + number))
            waited = await _in_force(bench)
        engine.close()
    over = [halt - commit for halt, commit in zip(alone, commits, strict=True)]
    laden = [halt - commit for halt, commit in zip(busy, commits, strict=True)]
    commit = f"one bare commit of the same bytes: {median(commits):,.0f} us"
    return [
        Row("halt, in force", f"{waited:.1f} us", "on arrival", is_met=True, against="no await"),
        row("halt, answered durable, over one commit", median(over), OVERHEAD_US, "us", commit),
        Row(
            f"the same while {CALLERS} callers ask",
            f"{median(laden):,.0f} us",
            "-",
            is_met=None,
            against="waits for the commit that is under way, then for its own",
        ),
    ]


async def _halt(bench: Bench, watch: Stopwatch) -> list[Entry]:
    """Halt, and lift it again; return what the halt committed."""
    noted: list[list[Entry]] = []
    bench.journal.noted = noted
    with watch:
        reply = await _switch(bench, "ENABLE")
    bench.journal.noted = None
    assert reply.durable
    await _switch(bench, "DISABLE")
    return noted[0]


async def _halts_under_load(bench: Bench, halts: int, seed: int) -> float:
    waiting = iter(requests(bench, halts * 400, seed))
    callers = [asyncio.create_task(_ask(bench, waiting)) for _ in range(CALLERS)]
    await asyncio.sleep(0.05)
    try:
        watch = Stopwatch()
        for _ in range(halts):
            await _halt(bench, watch)
        return watch.p50()
    finally:
        for _ in waiting:
            pass  # what is asked already is waited for, and no more
        await asyncio.gather(*callers)


async def _ask(bench: Bench, waiting: Iterator[Request]) -> None:
    for request in waiting:
        await bench.gateway.submit(request, 0)


async def _in_force(bench: Bench) -> float:
    """Return how long the call itself takes, after which the halt stands in memory."""
    switching = bench.gateway.kill_switch(
        "ENABLE", scope="all", reason="bench", source=HaltSource.HTTP, actor="bench"
    )
    begun = time.perf_counter_ns()
    switching.send(None)  # runs up to its first await
    waited = (time.perf_counter_ns() - begun) / US
    assert (HaltSource.HTTP, "all", "") in bench.desk.gate.pending
    await _switch(bench, "DISABLE")  # waits behind it
    switching.close()
    return waited


async def _switch(bench: Bench, action: str) -> KillReply:
    return await bench.gateway.kill_switch(
        action,
        scope=SCOPE,
        reason="bench",
        source=HaltSource.HTTP,
        actor="bench",
        acknowledge=True,
    )
