"""A server in a process of its own, for the rows over HTTP: the gateway, an echo, or an idle loop.

Usage: `python -m benchmarks.server silent|filling|echo|idle FOLDER`. Says its port, and from then
on for each line on its input how late the beats of its loop were since the last one. The echo
stands on the same server stack as the gateway: uvicorn, the bounded protocol, the body read with
its checks.
"""

import asyncio
import contextlib
import gc
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from arbees.api.http.body import read_json
from arbees.api.http.protocol import BoundedProtocol
from arbees.api.http.reply import Reply
from arbees.api.http.server import ApiServer
from arbees.wiring.bootstrap import SWITCH_SECONDS
from benchmarks.durable import MARKETS
from benchmarks.gateway import FillingVenue, SilentVenue, running
from benchmarks.measure import US, percentile

BEAT_SECONDS = 0.001


class Beats:
    """How late a loop runs what is due, in microseconds."""

    def __init__(self) -> None:
        """Start without any."""
        self.late: list[float] = []

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            due = time.perf_counter_ns() + BEAT_SECONDS * 1e9
            await asyncio.sleep(BEAT_SECONDS)
            self.late.append((time.perf_counter_ns() - due) / US)

    def told(self) -> str:
        """Return what there was since the last time, as JSON."""
        late, self.late = self.late, []
        shares = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
        found = {name: percentile(late, share) for name, share in shares.items()}
        return json.dumps({**found, "count": len(late)})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the body."""
    body = await read_json(scope, receive)
    await Reply(200, body)(scope, receive, send)


@contextlib.asynccontextmanager
async def _echoing() -> AsyncIterator[int]:
    config = uvicorn.Config(
        echo,
        port=0,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    ticks = asyncio.create_task(server.main_loop())
    yield server.servers[0].sockets[0].getsockname()[1]
    ticks.cancel()


async def _main(mode: str, folder: Path) -> None:
    beats = Beats()
    beating = asyncio.create_task(beats.run())
    if mode == "idle":
        await _answer(beats, 0)
    elif mode == "echo":
        async with _echoing() as port:
            await _answer(beats, port)
    else:
        venue = SilentVenue if mode == "silent" else FillingVenue
        async with running(folder / mode, MARKETS, venue) as bench:
            server = ApiServer(bench.gateway, "127.0.0.1", 0)
            await server.start()
            gc.freeze()  # as the service does once it has recovered
            await _answer(beats, int(server.address.rpartition(":")[2]), bench.quote)
            await server.stop()
    beating.cancel()


async def _answer(
    beats: Beats, port: int, refresh: Callable[[int], None] = lambda _markets: None
) -> None:
    """Say the port, then the beats at each line, until the input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(port, flush=True)
    while await reader.readline():
        print(beats.told(), flush=True)
        refresh(MARKETS)
        beats.late.clear()


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(sys.argv[1], Path(sys.argv[2])))
