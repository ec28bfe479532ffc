"""How often a key may ask, and until when: caps on requests, and keys that end meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from arbees.api import ApiServer
from arbees.api.http.access import MINUTE_NS
from arbees.core.language.words import KeyScope
from arbees.interface.views import Ahead
from tests.api.fake import NOW_NS, FakeGateway, Wire, body
from tests.api.http.test_access import (
    EXECUTIONS,
    STATUS,
    SWITCH,
    ask_bytes,
    bearer,
    switch,
)

# How often -------------------------------------------------------------------------------------


@pytest.fixture
async def timed(gateway: FakeGateway) -> AsyncIterator[tuple[Wire, list[int]]]:
    """Serve on a clock that the test moves."""
    now = [NOW_NS]
    server = ApiServer(gateway, "127.0.0.1", 0, now_ns=lambda: now[0], stop_seconds=1)
    await server.start()
    wire = await Wire.open(server.address)
    yield wire, now
    wire.close()
    await server.stop()


async def test_a_cap_on_requests_is_429(
    timed: tuple[Wire, list[int]], gateway: FakeGateway
) -> None:
    """It says when to come again; nothing was decided, and what is refused does not count."""
    wire, now = timed
    headers = bearer(gateway.hold("alpha", *KeyScope, requests_per_minute=3))
    other = bearer(gateway.hold("beta", KeyScope.READ, requests_per_minute=3))
    for _ in range(3):
        assert (await wire.ask("GET", STATUS, headers=headers)).status == 200
        now[0] += 10_000_000_000
    for _ in range(5):
        answer = await wire.ask("POST", EXECUTIONS, body(), headers)
        assert (answer.status, answer.json["code"]) == (429, "KEY_LIMIT")
        assert answer.headers["retry-after"] == "30"
    assert gateway.requests == []
    assert (await wire.ask("GET", STATUS, headers=other)).status == 200
    now[0] = NOW_NS + MINUTE_NS - 1
    assert (await wire.ask("GET", STATUS, headers=headers)).headers["retry-after"] == "1"
    now[0] += 1
    assert (await wire.ask("GET", STATUS, headers=headers)).status == 200
    assert (await wire.ask("GET", STATUS, headers=headers)).status == 429


async def test_what_is_forbidden_counts_too(
    timed: tuple[Wire, list[int]], gateway: FakeGateway
) -> None:
    """A program that asks for the wrong thing in a loop is held up as well."""
    wire, _ = timed
    headers = bearer(gateway.hold("alpha", KeyScope.READ, requests_per_minute=2))
    statuses = [(await wire.ask("POST", EXECUTIONS, body(), headers)).status for _ in range(4)]
    assert statuses == [403, 403, 429, 429]


async def test_a_stop_is_never_held_up(timed: tuple[Wire, list[int]], gateway: FakeGateway) -> None:
    """Nor does it use up the cap: stop means stop."""
    wire, _ = timed
    headers = bearer(gateway.hold("alpha", *KeyScope, requests_per_minute=1))
    for _ in range(3):
        assert (await wire.ask("POST", SWITCH, switch("ENABLE"), headers)).status == 200
    assert (await wire.ask("GET", STATUS, headers=headers)).status == 200
    assert (await wire.ask("GET", STATUS, headers=headers)).status == 429
    assert (await wire.ask("POST", SWITCH, switch("ENABLE"), headers)).status == 200


# Until when ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [EXECUTIONS, SWITCH, "/v1/quotes", "/v1/keys"])
async def test_a_key_that_ends_while_a_body_comes_is_out(
    wire: Wire, gateway: FakeGateway, path: str
) -> None:
    """Whoever holds a request open with the last byte missing cannot act after the end."""
    secret = gateway.hold("alpha", *KeyScope)
    gateway.hold("other", KeyScope.READ)
    data = ask_bytes("POST", path, body(), bearer(secret))
    await wire.send(data[:-1])
    await asyncio.sleep(0.05)
    gateway.end("alpha")
    await wire.send(data[-1:])
    assert (await wire.answer()).status == 401
    assert (gateway.requests, gateway.switched, gateway.quotes) == ([], [], [])
    assert len(gateway.held) == 2


class Pieces:
    """A follower whose stream a test feeds."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.is_closed = False

    async def events(self, after: int) -> AsyncIterator[bytes]:
        """Yield what the test puts."""
        if after:
            raise Ahead(after, 0)
        try:
            yield b": hello\n\n"
            while True:
                yield await self.queue.get()
        finally:
            self.is_closed = True


async def test_a_stream_ends_with_its_key(gateway: FakeGateway) -> None:
    """The next piece is not sent any more: a comment comes every few seconds, so it is soon."""
    follower = Pieces()
    follows: Any = follower
    server = ApiServer(gateway, "127.0.0.1", 0, stop_seconds=1, follower=follows)
    await server.start()
    wire = await Wire.open(server.address)
    secret = gateway.hold("alpha", KeyScope.READ)
    await wire.send(ask_bytes("GET", "/v1/events", b"", bearer(secret)))
    await wire.reader.readuntil(b": hello\n\n")
    follower.queue.put_nowait(b": one\n\n")
    await wire.reader.readuntil(b": one\n\n")
    gateway.end("alpha")
    follower.queue.put_nowait(b": two\n\n")
    rest = await asyncio.wait_for(wire.reader.readuntil(b"0\r\n\r\n"), 5)
    assert b"two" not in rest
    assert follower.is_closed
    wire.close()
    await server.stop()
