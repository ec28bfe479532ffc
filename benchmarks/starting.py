"""A gateway over a kept journal in a process of its own; says `ready` when it admits requests."""

import asyncio
import sys
from pathlib import Path

import uvloop

from benchmarks.gateway import Bench


async def _run(place: Path) -> None:
    bench = Bench(place)
    await bench.gateway.start()
    assert bench.gateway.readiness().ready
    print("ready", flush=True)
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(Path(sys.argv[1])))
