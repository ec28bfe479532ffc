"""Who stays when there are too many connections, and who does not take what is written."""

import asyncio
import resource
import socket

import pytest

from arbees.api import ApiServer
from arbees.api.http.server import _Embedded
from arbees.api.http.slots import (
    FILES_BESIDES,
    STRANGERS_A_TURN,
    Slots,
    connections_allowed,
)
from arbees.core.language.words import KeyScope
from tests.api.fake import FakeGateway, Wire, ask, body

PATH = "/v1/executions"


class _Connection:
    """One that notes that it was ended."""

    def __init__(self, *, is_idle: bool = True) -> None:
        self.key_id: str | None = None
        self.is_idle = is_idle
        self.is_dropped = False
        self.has_gone_on = False

    def drop(self) -> None:
        self.is_dropped = True

    def go_on(self) -> None:
        self.has_gone_on = True


def _filled(slots: Slots, *, is_idle: bool = True) -> list[_Connection]:
    connections = [_Connection(is_idle=is_idle) for _ in range(slots.most)]
    assert all(slots.add(connection) for connection in connections)
    return connections


def test_oldest_without_a_key_goes_first() -> None:
    """Where keys are in force, whoever showed none makes room, busy or not, the oldest first."""
    slots = Slots(4, lambda: True)
    held = _filled(slots, is_idle=False)
    assert slots.know(held[0], "arb_1", is_urgent=False)
    assert slots.add(_Connection())
    assert [each.is_dropped for each in held] == [False, True, False, False]
    assert len(slots) == 4


def test_idle_with_a_key_goes_next() -> None:
    """Among keys the one that is idle goes, never one for which something is being decided."""
    slots = Slots(2, lambda: True)
    held = _filled(slots, is_idle=False)
    assert slots.know(held[0], "arb_1", is_urgent=False)
    assert slots.know(held[1], "arb_2", is_urgent=False)
    assert not slots.add(_Connection())
    held[1].is_idle = True
    assert slots.add(_Connection())
    assert [each.is_dropped for each in held] == [False, True]


def test_without_keys_only_idle_ones_go() -> None:
    """Where no key is in force everybody's orders count: what is being decided is not ended."""
    slots = Slots(3, lambda: False)
    held = _filled(slots, is_idle=False)
    assert not slots.add(_Connection())
    held[2].is_idle = True
    assert slots.add(_Connection())
    assert [each.is_dropped for each in held] == [False, False, True]


def test_no_key_holds_more_than_half() -> None:
    """One key cannot keep the others out, and its stops come through all the same."""
    slots = Slots(4, lambda: True)
    held = _filled(slots)
    assert slots.know(held[0], "arb_1", is_urgent=False)
    assert slots.know(held[1], "arb_1", is_urgent=False)
    assert slots.know(held[1], "arb_1", is_urgent=False)
    assert not slots.know(held[2], "arb_1", is_urgent=False)
    assert slots.know(held[2], "arb_2", is_urgent=False)
    assert slots.know(held[3], "arb_1", is_urgent=True)
    assert slots.know(held[0], "arb_3", is_urgent=False)


def test_forgotten_connection_makes_room() -> None:
    """One that ended by itself counts no more."""
    slots = Slots(1, lambda: False)
    first = _Connection(is_idle=False)
    assert slots.add(first)
    assert not slots.add(_Connection())
    slots.discard(first)
    assert slots.add(_Connection())
    assert not first.is_dropped


@pytest.mark.parametrize(
    ("data", "waits"),
    [
        (b"GET / HTTP/1.1\r\nAuthorization: Bearer good\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nauthorization:\tbearer  good\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nAuthorization: Bearer bad\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nAuthorization: Bearer goodx\r\n\r\n", True),
        (b"GET /Authorization: Bearer good HTTP/1.1\r\n\r\n", True),
        (b"", True),
        (b"\xff" * 100, True),
    ],
)
def test_who_shows_a_key_waits_for_nobody(data: bytes, *, waits: bool) -> None:
    """A key in force in the head is seen before anything is parsed; all others have their turn."""
    slots = Slots(2, lambda: True, lambda secret: secret == "good")
    assert slots.has_to_wait(_Connection(), data) is waits
    known = _Connection()
    known.key_id = "arb_1"
    assert not slots.has_to_wait(known, data)
    assert not Slots(2, lambda: False).has_to_wait(_Connection(), data)


async def test_strangers_go_on_a_few_a_turn() -> None:
    """However many have sent something, others run in between."""
    slots = Slots(100, lambda: True)
    connections = [_Connection() for _ in range(3 * STRANGERS_A_TURN + 1)]
    for connection in connections:
        slots.line_up(connection)
    counts = []
    while not connections[-1].has_gone_on:
        await asyncio.sleep(0)
        counts.append(sum(each.has_gone_on for each in connections))
    assert counts == [STRANGERS_A_TURN * turn for turn in (1, 2, 3)] + [len(connections)]


def test_connections_leave_room_for_files() -> None:
    """There are fewer connections than file descriptors: one is needed for the journal too."""
    assert connections_allowed(64) == 64
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        assert connections_allowed(10 * hard) == hard - FILES_BESIDES


@pytest.fixture
async def small(server: ApiServer) -> ApiServer:
    """Return a server that takes eight connections and waits a moment for those that read."""
    assert isinstance(server._server, _Embedded)
    server._server.untaken_seconds_max = 0.5
    server._server.server_state.slots.most = 8  # type: ignore[attr-defined]
    return server


async def _held(server: ApiServer, data: bytes, count: int) -> list[Wire]:
    wires = []
    for _ in range(count):
        wires.append(await Wire.open(server.address))
        if data:
            await wires[-1].send(data)
    await asyncio.sleep(0.05)
    return wires


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET",
        b"POST /v1/executions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
        ask("GET", "/openapi.json") * 20,
        ask("GET", "/healthz"),
    ],
    ids=["silent", "head", "body", "unread", "answered"],
)
async def test_a_key_gets_in_past_strangers(
    small: ApiServer, gateway: FakeGateway, data: bytes
) -> None:
    """However many hold what they have, a stop with a key comes through, and its caller stays."""
    secret = gateway.hold("operator", KeyScope.HALT, KeyScope.SUBMIT)
    headers = {"Authorization": f"Bearer {secret}"}
    held = await _held(small, data, 20)
    wire = await Wire.open(small.address)
    stop = b'{"action": "ENABLE", "reason": "x"}'
    assert (await wire.ask("POST", "/v1/kill-switch", stop, headers=headers)).status == 200
    held += await _held(small, data, 20)
    assert (await wire.ask("POST", PATH, body(), headers=headers)).status == 200
    for each in (*held, wire):
        each.close()


async def test_one_connection_too_many_is_503(small: ApiServer, gateway: FakeGateway) -> None:
    """Where all of them wait for decisions, the one too many hears so."""
    gateway.gate.clear()
    held = await _held(small, ask("POST", PATH, body()), 8)
    wire = await Wire.open(small.address)
    answer = await wire.answer()
    assert (answer.status, answer.json["code"]) == (503, "OVERLOADED")
    assert await wire.is_closed()
    gateway.gate.set()
    assert [(await each.answer()).status for each in held] == [200] * 8
    for each in held:
        each.close()


async def test_key_with_too_many_connections_is_429(small: ApiServer, gateway: FakeGateway) -> None:
    """A key that holds half of all connections is told so; nothing is decided."""
    secret = gateway.hold("alpha", KeyScope.SUBMIT)
    headers = {"Authorization": f"Bearer {secret}"}
    held = await _held(small, ask("POST", PATH, body(), headers), 4)
    wire = await Wire.open(small.address)
    answer = await wire.ask("POST", PATH, body(), headers=headers)
    assert (answer.status, answer.json["code"]) == (429, "KEY_LIMIT")
    assert len(gateway.requests) == 4
    for each in (*held, wire):
        each.close()


def _has_ended(server: ApiServer) -> bool:
    assert server._server is not None
    state = server._server.server_state
    return state.total_requests > 0 and not state.connections


@pytest.mark.parametrize("path", ["/openapi.json", "/healthz"])
async def test_who_takes_nothing_is_dropped(small: ApiServer, path: str) -> None:
    """A client that never reads its answers is ended, also where they are short."""
    host, port = small.address.removeprefix("http://").split(":")
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, (host, int(port)))
        sending = asyncio.create_task(loop.sock_sendall(client, ask("GET", path) * 50_000))
        for _ in range(100):
            if _has_ended(small):
                break
            await asyncio.sleep(0.1)
        assert _has_ended(small)
        sending.cancel()


async def test_a_key_in_pieces_is_served(small: ApiServer, gateway: FakeGateway) -> None:
    """However a head is cut, whoever has a key hears the answer."""
    secret = gateway.hold("operator", KeyScope.SUBMIT)
    wire = await Wire.open(small.address)
    data = ask("POST", PATH, body(), {"Authorization": f"Bearer {secret}"})
    for start in range(0, len(data), 7):
        await wire.send(data[start : start + 7])
    assert (await wire.answer()).status == 200
    assert (await wire.ask("GET", "/healthz")).status == 200
    wire.close()


async def test_clients_that_leave_with_answers_due_are_no_fault(
    small: ApiServer, gateway: FakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Pipelined requests of a client that is gone are written nowhere, and logged as no fault."""
    gateway.hold("operator", KeyScope.HALT)
    for wire in await _held(small, ask("GET", "/openapi.json") * 60, 8):
        wire.writer.transport.abort()
    await asyncio.sleep(0.2)
    assert caplog.records == []


async def test_who_reads_slowly_is_served(small: ApiServer) -> None:
    """A client that takes its answers a little later hears all of them."""
    wire = await Wire.open(small.address)
    await wire.send(ask("GET", "/openapi.json") * 5)
    for _ in range(5):
        await asyncio.sleep(0.3)
        assert (await wire.answer()).status == 200
    wire.close()
