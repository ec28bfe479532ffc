"""A client that costs little: raw sockets, keep-alive, requests made before the clock starts."""

import asyncio
import socket
import time
from collections.abc import Iterator
from functools import partial
from typing import cast

from benchmarks.measure import US

HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


def request(body: bytes) -> bytes:
    """Return one POST of an execution that waits for no more than its commit."""
    return (
        b"POST /v1/executions?wait=0 HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    )


def complete(data: bytes) -> bool:
    """Tell whether an answer is all there. Raises RuntimeError if it is no success."""
    head = data.find(HEAD_END)
    if head < 0:
        return False
    if not data.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202")):
        raise RuntimeError(f"Expected 200 or 202, was {data!r:.300}")
    begin = data.index(_LENGTH) + len(_LENGTH)
    length = int(data[begin : data.index(b"\r", begin)])
    return len(data) >= head + len(HEAD_END) + length


class Blocking:
    """One connection, one request at a time."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def lap(self, data: bytes) -> float:
        """Send a request; return the microseconds to the whole answer."""
        begun = time.perf_counter_ns()
        self._socket.sendall(data)
        answer = self._socket.recv(65_536)
        while not complete(answer):
            answer += self._socket.recv(65_536)
        return (time.perf_counter_ns() - begun) / US

    def close(self) -> None:
        """Disconnect."""
        self._socket.close()


class Connection(asyncio.Protocol):
    """One of many connections: the next request goes out when it is due, or at once."""

    def __init__(self, waiting: Iterator[bytes], interval: float, offset: float) -> None:
        """
        Prepare.

        Args:
            waiting: requests, shared by all connections.
            interval: seconds between two that are due; 0 = as soon as the last is answered.
            offset: seconds until the first.
        """
        self._waiting = waiting
        self._interval = interval
        self._offset = offset
        self._answer = b""
        self._due = 0.0
        self.laps: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._due = time.perf_counter() + self._offset
        self._next()

    def data_received(self, data: bytes) -> None:
        """Take an answer; its time runs from when its request was due."""
        self._answer += data
        if complete(self._answer):
            now = time.perf_counter()
            self.laps.append((now - self._due) * 1e6)
            self._answer = b""
            self._due = self._due + self._interval if self._interval else now
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if not self.done.done():
            self.done.set_result(None)

    def _next(self) -> None:
        left = self._due - time.perf_counter()
        if left > 0:
            asyncio.get_running_loop().call_later(left, self._send)
        else:
            self._send()

    def _send(self) -> None:
        data = next(self._waiting, None)
        if data is None:
            self._transport.close()
        else:
            self._transport.write(data)


async def load(
    port: int, requests: list[bytes], connections: int, rate: float = 0.0
) -> tuple[float, list[float]]:
    """
    Send requests over many connections.

    Args:
        port: of the server.
        requests: to be sent, each once.
        connections: how many.
        rate: requests a second over all of them, evenly; 0 = as fast as they are answered.

    Returns:
        Seconds that it took, and every time from due to answered in microseconds.
    """
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    interval = connections / rate if rate else 0.0
    begun = time.perf_counter()
    made = [
        await loop.create_connection(
            partial(Connection, waiting, interval, interval * number / connections),
            "127.0.0.1",
            port,
        )
        for number in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    laps = [lap for _, protocol in made for lap in protocol.laps]
    return time.perf_counter() - begun, laps
