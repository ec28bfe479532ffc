"""Attacks that go on for a while, each in a process of its own: `python -m tools.storms NAME PORT`.

Guarantees that an attack does not slow down whoever measures beside it, and that it ends after its
seconds, whatever the gateway does. What its connections hear is nobody's business here.
"""

import asyncio
import contextlib
import resource
import socket
import sys
from collections.abc import Awaitable, Callable

from tools.attacks import PATH, head

STRANGER = "127.0.0.2"
"""Another address of this machine."""
IDLE = 1_100
FILES = 4_096
_CHUNKED = ("Content-Type: application/json", "Transfer-Encoding: chunked")
_OPENAPI = head("GET", "/openapi.json")


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(STRANGER, 0))


async def trailers(port: int) -> None:
    """Send a trailer that never ends, and come again when it is cut off."""
    await _again(8, lambda: _pour(port, head("POST", PATH, *_CHUNKED) + b"0\r\nX: ", b"a" * 65_536))


async def extensions(port: int) -> None:
    """Send a chunk whose extension never ends."""
    await _again(8, lambda: _pour(port, head("POST", PATH, *_CHUNKED) + b"1;x=", b"a" * 65_536))


async def connections(port: int) -> None:
    """Hold as many connections as can be had, and take the place of each that is ended."""
    await _again(IDLE, lambda: _hold(port, b""))


async def answers(port: int) -> None:
    """Ask for much, and read nothing of it."""
    await _again(IDLE, lambda: _hold(port, _OPENAPI * 60))


async def guesses(port: int) -> None:
    """Try keys as fast as it goes."""
    guess = head("GET", "/v1/status", "Authorization: Bearer arb_00000000_" + "x" * 40)
    await _again(16, lambda: _pour(port, b"", guess * 50, reads=True))


async def _again(count: int, attack: Callable[[], Awaitable[None]]) -> None:
    """Run an attack many times at once, each anew when it ends."""

    async def run() -> None:
        while True:
            with contextlib.suppress(OSError):
                await attack()
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(run())


async def _pour(port: int, first: bytes, piece: bytes, *, reads: bool = False) -> None:
    reader, writer = await _connect(port)
    try:
        writer.write(first)
        while not reader.at_eof():
            writer.write(piece)
            await writer.drain()
            if reads:
                await reader.read(1 << 20)
    finally:
        writer.transport.abort()


async def _hold(port: int, data: bytes) -> None:
    """Say something, read nothing, and wait for the end."""
    loop = asyncio.get_running_loop()
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        held.setblocking(False)  # noqa: FBT003 - the library's signature
        held.bind((STRANGER, 0))
        await loop.sock_connect(held, ("127.0.0.1", port))
        if data:
            await loop.sock_sendall(held, data)
            await asyncio.sleep(3_600)
        await loop.sock_recv(held, 1)


STORMS: dict[str, Callable[[int], Awaitable[None]]] = {
    each.__name__: each for each in (trailers, extensions, connections, answers, guesses)
}


async def _blow(name: str, port: int, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await STORMS[name](port)


def main() -> int:
    """Attack a port for some seconds."""
    name, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    asyncio.run(_blow(name, port, seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
