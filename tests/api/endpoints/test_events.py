"""`GET /v1/events` over a socket: where it begins, how it ends, and who is cut off."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest

from arbees.api import ApiServer
from arbees.api.endpoints.events import ABORT, EventsReply
from arbees.telemetry.stream.stream import EventStream
from tests.api.fake import NOW_NS, FakeGateway, Wire, ask
from tests.telemetry.stream.test_stream import IDS, Pages, quick


class Rig:
    """A server over pages that a test turns."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.stream = EventStream(pages, pages.head, sleep=quick, heartbeat_seconds=0.05)
        follower: Any = self.stream
        self.server = ApiServer(
            FakeGateway(),
            "127.0.0.1",
            0,
            now_ns=lambda: NOW_NS,
            stop_seconds=0.2,
            follower=follower,
        )
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.server.start()
        self.task = asyncio.create_task(self.stream.run())

    async def stop(self) -> None:
        await self.stream.finish(0.2)
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])
        await self.server.stop()

    async def open(self, path: str = "/v1/events", headers: dict[str, str] | None = None) -> Wire:
        """Ask for the events, and read the head of the answer."""
        wire = await Wire.open(self.server.address)
        await wire.send(ask("GET", path, headers=headers))
        head = await wire.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        assert b"content-type: text/event-stream\r\n" in head
        return wire


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """Return a server with a hundred records."""
    rig = Rig(Pages(100))
    await rig.start()
    yield rig
    await rig.stop()


async def heard(wire: Wire, last: int) -> list[int]:
    """Return the ids up to one of them."""
    found: list[int] = []
    rest = b""
    while not found or found[-1] < last:
        piece = await asyncio.wait_for(wire.reader.read(65_536), 5)
        assert piece, rest[-200:]
        whole, _, rest = (rest + piece).rpartition(b"\n\n")
        found += [int(text) for text in IDS.findall(whole)]
    return found


@pytest.mark.parametrize(
    ("path", "headers", "first"),
    [
        ("/v1/events", {}, 1),
        ("/v1/events?after=0", {}, 1),
        ("/v1/events?after=41", {}, 42),
        ("/v1/events", {"Last-Event-ID": "98"}, 99),
        ("/v1/events?after=3", {"Last-Event-ID": "98"}, 99),
    ],
)
async def test_where_it_begins(rig: Rig, path: str, headers: dict[str, str], first: int) -> None:
    """With the first record, or after the one that is named; the header counts before the query."""
    wire = await rig.open(path, headers)
    assert await heard(wire, 100) == list(range(first, 101))
    wire.close()


@pytest.mark.parametrize(
    ("path", "headers", "said"),
    [
        ("/v1/events?after=101", {}, (409, "AHEAD_OF_JOURNAL", None)),
        ("/v1/events", {"Last-Event-ID": "9999999"}, (409, "AHEAD_OF_JOURNAL", None)),
        ("/v1/events?after=-1", {}, (400, "MALFORMED", "after")),
        ("/v1/events?after=", {}, (400, "MALFORMED", "after")),
        ("/v1/events?after=1.0", {}, (400, "MALFORMED", "after")),
        ("/v1/events?after=99999999999999999999", {}, (400, "MALFORMED", "after")),
        ("/v1/events?since=1", {}, (400, "MALFORMED", "since")),
        ("/v1/events", {"Last-Event-ID": "garbage"}, (400, "MALFORMED", "Last-Event-ID")),
        ("/v1/events", {"Last-Event-ID": "²"}, (400, "MALFORMED", "Last-Event-ID")),
        ("/v1/events", {"Last-Event-ID": " 5 x"}, (400, "MALFORMED", "Last-Event-ID")),
    ],
)
async def test_a_place_that_is_none(
    rig: Rig, path: str, headers: dict[str, str], said: tuple[int, str, str | None]
) -> None:
    """What is no sequence is malformed; one that is not there yet names the last one that is."""
    wire = await Wire.open(rig.server.address)
    answer = await wire.ask("GET", path, headers=headers)
    wire.close()
    body = json.loads(answer.body)
    assert (answer.status, body["code"], body.get("field")) == said
    assert rig.stream.readers == 0
    if answer.status == 409:
        assert body["head"] == 100


async def test_head_says_what_it_would_be(rig: Rig) -> None:
    """`HEAD` answers with the type, and nothing follows."""
    wire = await Wire.open(rig.server.address)
    answer = await wire.ask("HEAD", "/v1/events")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    assert (await wire.ask("GET", "/healthz")).status == 200
    wire.close()
    assert rig.stream.readers == 0


async def test_fifty_readers(rig: Rig) -> None:
    """Fifty connections hear all that comes."""
    wires = [await rig.open() for _ in range(50)]
    for _ in range(20):
        rig.pages.grow(10)
        rig.stream.grew()
        await asyncio.sleep(0)
    found = await asyncio.gather(*(heard(wire, 300) for wire in wires))
    assert all(each == list(range(1, 301)) for each in found)
    for wire in wires:
        wire.close()


async def test_a_reader_who_leaves_is_forgotten(rig: Rig) -> None:
    """A connection that is closed ends its stream, heard or not."""
    wires = [await rig.open() for _ in range(3)]
    assert rig.stream.readers == 3
    for wire in wires:
        wire.close()
    async with asyncio.timeout(5):
        while rig.stream.readers:  # noqa: ASYNC110 - the other end
            await asyncio.sleep(0.01)


async def test_a_reader_who_takes_nothing_is_cut_off() -> None:
    """Once a piece was not taken for so long the connection is dropped, and the stream closed."""
    stream = EventStream(Pages(5), lambda: 5)
    pieces = stream.events(5)
    reply = EventsReply(await anext(pieces), pieces, stall_seconds=0.02)
    dropped = asyncio.Event()
    never = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await dropped.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await never.wait()

    scope = {"type": "http", "extensions": {ABORT: {"now": dropped.set}}}
    await asyncio.wait_for(reply(scope, receive, send), 2)
    assert dropped.is_set()
    assert stream.readers == 0


async def test_a_stalled_reader_holds_up_nobody(rig: Rig) -> None:
    """Beside one who takes nothing, another hears everything."""
    rig.pages.body = b'{"text":"%s"}' % (b"x" * 10_000)
    rig.pages.grow(2_000)
    host, _, port = rig.server.address.removeprefix("http://").partition(":")
    stalled = socket.create_connection((host, int(port)))
    stalled.sendall(ask("GET", "/v1/events"))
    other = await rig.open()
    assert await heard(other, 2_100) == list(range(1, 2_101))
    other.close()
    stalled.close()


async def test_the_end_of_the_gateway_ends_the_stream() -> None:
    """A stream ends whole, with the last record and the mark of the end."""
    rig = Rig(Pages(5))
    await rig.start()
    wire = await rig.open()
    assert await heard(wire, 5) == [1, 2, 3, 4, 5]
    rig.pages.grow(1)
    stopping = asyncio.create_task(rig.stop())
    rest = await asyncio.wait_for(wire.reader.read(), 5)
    assert b"id: 6\n" in rest
    assert rest.endswith(b"0\r\n\r\n")
    await stopping
    wire.close()


async def test_a_stop_waits_for_no_stalled_reader() -> None:
    """A reader who takes nothing holds up the end only within its bound."""
    rig = Rig(Pages(3_000, body=b'{"text":"%s"}' % (b"x" * 10_000)))
    await rig.start()
    wire = await rig.open()
    began = asyncio.get_running_loop().time()
    await rig.stop()
    assert asyncio.get_running_loop().time() - began < 4
    wire.close()
