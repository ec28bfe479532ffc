"""The client for what is sent at most once: what left, what did not, and nothing ever twice."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self

import pytest

from arbees.errors import VenueNotSent, VenueOutcomeUnknown
from arbees.venues.http_client import (
    BODY_MAX,
    IDLE_SECONDS,
    HttpAnswer,
    Wire,
)

OK = b"HTTP/1.1 200 OK\r\ndate: Tue, 24 Nov 2026 09:00:00 GMT\r\ncontent-length: 2\r\n\r\nok"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A server that does what a test says, and counts."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self.ended.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/trade-api/v2"

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.close()


def answering(*answers: bytes) -> tuple[Serve, list[bytes]]:
    """Return what answers each request with the next of some bytes, and what it was asked."""
    left, asked = list(answers), list[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            head = await reader.readuntil(b"\r\n\r\n")
            size = 0
            for line in head.split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            asked.append(head + (await reader.readexactly(size) if size else b""))
            writer.write(left.pop(0))
            await writer.drain()

    return serve, asked


@contextlib.asynccontextmanager
async def client(server: Server, **more: float) -> AsyncIterator[Wire]:
    """Hold a client of a server."""
    wire = Wire(server.url, answer_seconds=more.get("answer_seconds", 1.0), connect_seconds=1.0)
    try:
        yield wire
    finally:
        await wire.close()


async def ask(wire: Wire, body: bytes = b"{}") -> HttpAnswer:
    """Send one request, and return its answer."""
    async with wire.connection() as connection:
        head = wire.head("POST", "/x", {"a": "b"}, len(body))
        return await wire.wait(connection.write(head + body))


async def test_one_request_is_one_request() -> None:
    """Head and body are as they were given, and the answer is whole."""
    serve, asked = answering(OK)
    async with Server(serve) as server, client(server) as wire:
        answer = await ask(wire)
        assert (answer.status, answer.body) == (200, b"ok")
        assert answer.headers["date"] == "Tue, 24 Nov 2026 09:00:00 GMT"
        host = f"127.0.0.1:{server.port}".encode()
        lines = b"POST /x HTTP/1.1\r\nhost: " + host + b"\r\na: b\r\ncontent-length: 2\r\n\r\n{}"
        assert asked == [lines]


async def test_a_good_connection_is_used_again() -> None:
    """The next request takes the same connection."""
    serve, asked = answering(OK, OK, OK)
    async with Server(serve) as server, client(server) as wire:
        for _ in range(3):
            await ask(wire)
        assert server.connections == 1
        assert len(asked) == 3


async def test_a_connection_that_the_server_ended_is_seen_before_it_is_used() -> None:
    """An end that came while nobody asked is noticed: a new connection takes the request."""
    serve, asked = answering(OK)
    again, asked_again = answering(OK)
    count = 0

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await (serve if count == 1 else again)(reader, writer)

    async with Server(both) as server, client(server) as wire:
        await ask(wire)
        for _ in range(2_000):
            if not wire._idle or not wire._idle[-1].is_usable:
                break
            await asyncio.sleep(0.001)
        await ask(wire)
        assert (len(asked), len(asked_again), server.connections) == (1, 1, 2)


async def test_what_lay_idle_for_long_is_not_trusted() -> None:
    """A connection that may be about to be closed takes no order."""
    serve, _ = answering(OK, OK)
    async with Server(serve) as server, client(server) as wire:
        await ask(wire)
        wire._idle[-1].idle_since -= IDLE_SECONDS + 1
        await ask(wire)
        assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 201 Created\r\n",
        b"HTTP/1.1 201 Created\r\ncontent-length: 50\r\n\r\n{",
        b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
    ],
)
async def test_half_an_answer_is_none(answer: bytes) -> None:
    """Cut off, malformed or of another protocol: what became of the request is not known."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with Server(serve) as server, client(server) as wire:
        with pytest.raises(VenueOutcomeUnknown):
            await ask(wire)
        assert server.connections == 1
        assert not wire._idle


async def test_no_answer_is_unknown_and_the_connection_is_given_up() -> None:
    """After the bound nobody waits on, and the late answer is nobody's."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await server.ended.wait()

    async with Server(serve) as server, client(server, answer_seconds=0.05) as wire:
        with pytest.raises(VenueOutcomeUnknown, match=r"no answer within 0\.05 s"):
            await ask(wire)
        assert not wire._idle


async def test_an_answer_without_end_is_none() -> None:
    """A body beyond any that we can read ends the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        chunk = b"%x\r\n%s\r\n" % (65_536, b"x" * 65_536)
        for _ in range(BODY_MAX // 65_536 + 2):
            writer.write(chunk)
            await writer.drain()

    async with Server(serve) as server, client(server) as wire:
        with pytest.raises(VenueOutcomeUnknown, match="cannot be read"):
            await ask(wire)


async def test_what_nobody_asked_for_ends_the_connection() -> None:
    """A second answer to one request is not taken for the answer to the next."""
    serve, _ = answering(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", OK)
    async with Server(serve) as server, client(server) as wire:
        first = await ask(wire)
        assert first.body == b"ok"
        assert not wire._idle or not wire._idle[-1].is_usable


async def test_a_promise_of_an_answer_is_none_yet() -> None:
    """1xx is passed over; the answer is what follows."""
    serve, _ = answering(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)
    async with Server(serve) as server, client(server) as wire:
        assert (await ask(wire)).body == b"ok"


async def test_nobody_there_is_not_sent() -> None:
    """A port that nobody listens on: provably nothing left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    wire = Wire(f"http://127.0.0.1:{port}/x", connect_seconds=1.0)
    with pytest.raises(VenueNotSent, match="cannot be reached"):
        await ask(wire)


async def test_a_name_that_does_not_exist_is_not_sent() -> None:
    """Name resolution that fails: provably nothing left."""
    wire = Wire("http://no.such.host.invalid/x", connect_seconds=2.0)
    with pytest.raises(VenueNotSent):
        await ask(wire)


async def test_a_server_that_does_not_speak_tls_is_not_sent() -> None:
    """A handshake that fails: not a byte of the request left."""
    serve, asked = answering(OK)
    async with Server(serve) as server:
        url = server.url.replace("http:", "https:")
        wire = Wire(url, connect_seconds=1.0, tls=ssl.create_default_context())
        with pytest.raises(VenueNotSent):
            await ask(wire)
        assert asked == []


async def test_a_closed_client_sends_nothing() -> None:
    """After `close` there is no connection to be had."""
    serve, asked = answering(OK)
    async with Server(serve) as server:
        wire = Wire(server.url)
        await wire.close()
        with pytest.raises(VenueNotSent, match="closed"):
            await ask(wire)
        assert asked == []


async def test_who_comes_when_all_are_in_use_waits() -> None:
    """No more connections than the bound are open at once, and everybody has a turn."""
    at_once = most = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once, most
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.005)
            at_once -= 1
            writer.write(OK)
            await writer.drain()

    async with Server(serve) as server:
        wire = Wire(server.url, most=3)
        answers = await asyncio.gather(*(ask(wire) for _ in range(12)))
        assert len(answers) == 12
        assert most == 3
        await wire.close()


async def test_connections_can_be_there_ahead() -> None:
    """A warm client has connected before anybody asks."""
    serve, _ = answering(OK, OK)
    async with Server(serve) as server, client(server) as wire:
        await wire.warm(2)
        assert len(wire._idle) == 2
        await ask(wire)
        assert server.connections == 2


@pytest.mark.parametrize("url", ["", "ftp://x/y", "http://", "127.0.0.1:80"])
def test_an_address_that_is_none(url: str) -> None:
    """A base that cannot be connected to is refused at once."""
    with pytest.raises(ValueError, match="http or https"):
        Wire(url)
