"""Rows: durable decisions over HTTP, the tail under load, and how long the loop stands still.

The gateway runs in a process of its own. For one connection its venue is silent, so that nothing
but the decision is measured; under load it fills every order at once, and its answers are journaled
too. The echo runs on the same server stack, the idle loop beats beside the
loaded one, and bare commits of like bytes are made on the same disk in the same round.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import uvloop

from arbees.core.language.request import parse_request
from benchmarks import scene
from benchmarks.client import Blocking, load, request
from benchmarks.durable import MARKETS
from benchmarks.engine import BareEngine, Prepared
from benchmarks.measure import Row, Stopwatch, percentile, row

OVERHEAD_US = 200.0
CONNECTIONS = 64


class Child:
    """A server in a process of its own."""

    def __init__(self, mode: str, folder: Path) -> None:
        """Start it and read its port."""
        command = [sys.executable, "-m", "benchmarks.server", mode, str(folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the server ended"
        return line

    def beats(self) -> dict[str, float]:
        """Return how late its loop was since the last time it was asked."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found: dict[str, float] = json.loads(self._line())
        return found

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def measure(folder: Path, rounds: int, single: int, seconds: float) -> list[Row]:
    """Return the rows over HTTP."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        modes = ("silent", "echo", "filling", "idle")
        children = {mode: Child(mode, Path(place)) for mode in modes}
        engine = BareEngine(Path(place))
        try:
            one = _one_connection(children, engine, rounds, single)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                many = runner.run(_many(children, engine, rounds, seconds))
        finally:
            for child in children.values():
                child.stop()
            engine.close()
    return [one, *many]


def _bodies(count: int, seed: int) -> list[bytes]:
    now_ns = time.time_ns()
    return scene.bodies(count, MARKETS, now_ns, seed)


def _prepared(engine: BareEngine, bodies: list[bytes]) -> list[Prepared]:
    """Return commits, each of one decision's bytes."""
    now_ns = time.time_ns()
    requests = [parse_request(body, now_ns) for body in bodies]
    return [engine.prepare([entry]) for entry in scene.decided(requests, MARKETS, now_ns)]


def _one_connection(
    children: dict[str, Child], engine: BareEngine, rounds: int, single: int
) -> Row:
    gateway, echo = Blocking(children["silent"].port), Blocking(children["echo"].port)
    over: list[float] = []
    parts: list[tuple[float, float, float]] = []
    for number in range(rounds):
        children["silent"].beats()
        bodies = _bodies(single, 10_000 + number)
        laps: list[tuple[float, float]] = []
        commits = Stopwatch()
        for body, prepared in zip(bodies, _prepared(engine, bodies), strict=True):
            data = request(body)
            laps.append((gateway.lap(data), echo.lap(data)))
            with commits:
                engine.commit(prepared)
        engine.tidy()
        ours, bare = (median(part) for part in zip(*laps, strict=True))
        parts.append((ours, bare, commits.p50()))
        over.append(ours - bare - parts[-1][2])
    gateway.close()
    echo.close()
    ours, bare, commit = (median(part) for part in zip(*parts, strict=True))
    against = f"{ours:,.0f} us, of which a bare echo {bare:,.0f} us and a commit {commit:,.0f} us"
    name = "HTTP, one connection, p50 over echo and commit"
    return row(name, median(over), OVERHEAD_US, "us", against)


async def _many(
    children: dict[str, Child], engine: BareEngine, rounds: int, seconds: float
) -> list[Row]:
    gateway, idle = children["filling"], children["idle"]
    ratios: list[float] = []
    stalls: list[float] = []
    p50s: list[float] = []
    p99s: list[float] = []
    tails: list[float] = []
    late: list[tuple[float, float]] = []
    rates: list[float] = []
    rate = 500.0
    for number in range(rounds):
        gateway.beats()
        requests = [request(each) for each in _bodies(int(rate * seconds), 20_000 + number)]
        took, _ = await load(gateway.port, requests, CONNECTIONS)
        rate = len(requests) / took
        rates.append(rate)
        for child in (gateway, idle):
            child.beats()
        half = [request(each) for each in _bodies(int(rate / 2 * seconds), 30_000 + number)]
        _, laps = await load(gateway.port, half, CONNECTIONS, rate / 2)
        ours, quiet = gateway.beats(), idle.beats()
        commits = Stopwatch()
        for prepared in _prepared(engine, _bodies(200, 40_000 + number)):
            with commits:
                engine.commit(prepared)
        engine.tidy()
        disk = commits.laps
        tails.append(percentile(disk, 0.99) - median(disk))
        p50s.append(median(laps))
        p99s.append(percentile(laps, 0.99))
        ratios.append(max(0.0, p99s[-1] - tails[-1]) / p50s[-1])
        late.append((ours["p999"], quiet["p999"]))
        stalls.append(ours["p999"] / quiet["p999"])
    tail = (
        f"p50 {median(p50s) / 1e3:.2f} ms, p99 {median(p99s) / 1e3:.2f} ms, the disk's own tail "
        f"{median(tails) / 1e3:.2f} ms; at {median(rates) / 2:,.0f} of {median(rates):,.0f}/s"
    )
    stood, rested = (median(part) / 1e3 for part in zip(*late, strict=True))
    beats = f"{stood:.2f} ms late at p99.9 under that load, an idle loop {rested:.2f} ms"
    return [
        row(f"HTTP, {CONNECTIONS} connections at half rate, p99", median(ratios), 10.0, "x", tail),
        row("loop stalls over an idle loop's", median(stalls), 1.0, "x", beats),
    ]
