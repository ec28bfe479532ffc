"""Rows: memory of a fresh process with a million keys in its journal, and with a tenth of them.

Each process opens a kept journal, starts a gateway over it, decides some requests and says how much
memory it holds then (resident, private and shared, after a full collection).
"""

import asyncio
import gc
import subprocess
import sys
from pathlib import Path

import uvloop

from arbees.core.language.request import parse_request
from benchmarks import scene, stock
from benchmarks.gateway import Bench, FillingVenue
from benchmarks.measure import Row, row

MIB_MAX = 150.0
FLAT = 1.1
"""Growth that is none: what a process holds varies by a few pages."""
REQUESTS = 2_000
_PAGE_MIB = 4_096 / (1 << 20)


def measure(folder: Path, many: int) -> list[Row]:
    """Return the rows of memory."""
    few = _held(stock.keys(folder, many // 10, stock.MARKETS))
    plenty = _held(stock.keys(folder, many, stock.MARKETS))
    against = f"{few:.0f} MiB with {many // 10:,}; both know {stock.MARKETS:,} markets"
    return [
        row(f"memory with {many:,} keys", plenty, MIB_MAX, "MiB", "resident, of a fresh process"),
        row("memory, growth with the number of keys", plenty / few, FLAT, "x", against),
    ]


def _held(place: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.memory", str(place)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


async def _main(place: Path) -> float:
    bench = Bench(place, FillingVenue)
    await bench.gateway.start()
    now_ns = bench.clock.now_ns()
    for data in scene.bodies(REQUESTS, stock.MARKETS, now_ns, now_ns):
        await bench.gateway.submit(parse_request(data, now_ns), 0)
    gc.collect()
    mib = _resident_mib()
    await bench.desk.supervisor.stop()
    bench.journal.close()
    return mib


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE_MIB


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(_main(Path(sys.argv[1]))))
