"""What comes over a socket and is no proper request, or comes slowly, or too much."""

import asyncio

import pytest

from arbees.api import ApiServer
from arbees.api.http.body import read_json
from arbees.api.http.problem import Problem
from arbees.api.http.protocol import BoundedProtocol
from arbees.core.language.words import KeyScope
from tests.api.fake import FakeGateway, Wire, ask, body

PATH = "/v1/executions"
HEAD = b"POST /v1/executions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


async def test_pipelined_requests_are_answered_in_order(wire: Wire, gateway: FakeGateway) -> None:
    """Requests sent without waiting are answered in their order."""
    data = b"".join(ask("POST", PATH, body(request_id=f"req-{n}")) for n in range(20))
    await wire.send(data)
    answers = [await wire.answer() for _ in range(20)]
    assert [each.json["request_id"] for each in answers] == [f"req-{n}" for n in range(20)]
    assert len(gateway.requests) == 20


async def test_half_closed_client_hears_the_answer(wire: Wire, gateway: FakeGateway) -> None:
    """A client that closes its sending half after the request hears the answer, then the end."""
    gateway.gate.clear()
    await wire.send(ask("POST", PATH, body()))
    wire.writer.write_eof()
    await gateway.asked.wait()
    gateway.gate.set()
    answer = await wire.answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert await wire.is_closed()


@pytest.mark.parametrize(
    "part", [b"", b"GET", b"GET / HTTP/1.1\r\nHost:", HEAD + b"Content-Length: 9\r\n\r\n{"]
)
async def test_client_that_ends_early_is_closed(
    wire: Wire, gateway: FakeGateway, part: bytes
) -> None:
    """A request that breaks off is not answered and not decided."""
    if part:
        await wire.send(part)
    wire.writer.write_eof()
    assert await wire.is_closed()
    assert gateway.requests == []


async def test_body_in_single_bytes(wire: Wire) -> None:
    """How the bytes arrive does not matter."""
    for byte in ask("POST", PATH, body()):
        await wire.send(bytes([byte]))
    assert (await wire.answer()).status == 200


async def test_chunked_body(wire: Wire) -> None:
    """A body in chunks is read like any other."""
    data = body()
    chunks = b"".join(b"1\r\n" + data[n : n + 1] + b"\r\n" for n in range(len(data)))
    await wire.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert (await wire.answer()).status == 200


async def test_expect_continue(wire: Wire) -> None:
    """A client that asks whether to send its body is told to."""
    await wire.send(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body()))
    assert await wire.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await wire.send(body())
    assert (await wire.answer()).status == 200


async def test_expect_continue_of_too_much(wire: Wire) -> None:
    """A client that announces too much is told so before it sends."""
    await wire.send(HEAD + b"Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n")
    assert (await wire.answer()).status == 413


async def test_longest_body_is_read(wire: Wire) -> None:
    """Exactly at the limit passes."""
    data = body()
    assert (await wire.ask("POST", PATH, data + b" " * (65_536 - len(data)))).status == 200


@pytest.mark.parametrize("size", [65_537, 1_000_000])
async def test_longer_body_is_413(wire: Wire, gateway: FakeGateway, size: int) -> None:
    """One byte above is refused; the rest is read past and the connection lives."""
    data = body()
    answer = await wire.ask("POST", PATH, data + b" " * (size - len(data)))
    assert (answer.status, answer.json["code"]) == (413, "TOO_LARGE")
    assert gateway.requests == []
    assert (await wire.ask("POST", PATH, body())).status == 200


async def test_longer_chunked_body_is_413(wire: Wire, gateway: FakeGateway) -> None:
    """A body that does not announce its length is counted."""
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    await wire.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3 + b"0\r\n\r\n")
    assert (await wire.answer()).status == 413
    assert gateway.requests == []
    assert (await wire.ask("POST", PATH, body())).status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"rubbish\r\n\r\n",
        b"GET /v1/status HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA b: c\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 2, 2\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_no_http_is_400_and_closed(
    wire: Wire, gateway: FakeGateway, data: bytes
) -> None:
    """What cannot be parsed, or could be read in two ways, is answered as a problem and closed."""
    await wire.send(data)
    answer = await wire.answer()
    assert (answer.status, answer.json["code"]) == (400, "MALFORMED")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"
    assert await wire.is_closed()
    assert gateway.requests == []


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
        b"GET /healthz?" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: x\r\n" * 40_000 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 1_000_000,
    ],
)
async def test_endless_head_is_431(wire: Wire, head: bytes) -> None:
    """A head has a bound, in one piece or in many."""
    await wire.send(head[:20_000])
    wire.writer.write(head[20_000:])
    answer = await wire.answer()
    assert (answer.status, answer.json["code"]) == (431, "TOO_LARGE")


async def test_endless_header_in_one_piece_is_431(wire: Wire) -> None:
    """A header of which only the beginning came, all at once, is refused without waiting."""
    wire.writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 60_000)
    assert (await asyncio.wait_for(wire.answer(), 5)).status == 431


OFFERS = ["h2c", "websocket", "HTTP/3.0, foo"]


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("step", [1, 40, 10_000])
async def test_offer_of_another_protocol_is_declined(
    wire: Wire, gateway: FakeGateway, offer: str, step: int
) -> None:
    """A request that offers an upgrade is answered as if it had not, body and all, however cut."""
    headers = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": offer, "HTTP2-Settings": "AAMA"}
    data = ask("POST", "/v1/executions", body(), headers) + ask("GET", "/healthz")
    for start in range(0, len(data), step):
        await wire.send(data[start : start + step])
    assert (await wire.answer()).status == 200
    assert (await wire.answer()).json == {"alive": True}
    assert len(gateway.requests) == 1


async def test_many_offers_at_once(wire: Wire) -> None:
    """A thousand pipelined offers are answered one by one."""
    offer = ask("GET", "/healthz", headers={"Connection": "Upgrade", "Upgrade": "x"})
    await wire.send(offer * 1_000)
    for _ in range(1_000):
        assert (await wire.answer()).status == 200


async def test_declined_offer_keeps_the_wish_to_close(wire: Wire) -> None:
    """`Connection: close` beside an offer of an upgrade still closes."""
    answer = await wire.ask(
        "GET", "/healthz", headers={"Connection": "Upgrade, close", "Upgrade": "h2c"}
    )
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert await wire.is_closed()


@pytest.mark.parametrize(
    "data",
    [
        b"CONNECT venue.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["proxy", "http2", "tls"],
)
async def test_other_protocols_are_refused(wire: Wire, data: bytes) -> None:
    """A proxy's CONNECT, HTTP/2 without asking and TLS hear a problem in HTTP/1.1, and the end."""
    await wire.send(data)
    assert (await wire.answer()).json["code"] == "MALFORMED"
    assert await wire.is_closed()


async def test_http_1_0(wire: Wire) -> None:
    """An old client is answered and the connection closed."""
    await wire.send(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
    answer = await wire.answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert await wire.is_closed()


async def test_slow_body_is_408() -> None:
    """A body that does not come is given up."""

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    scope = {"headers": [(b"content-type", b"application/json")]}
    with pytest.raises(Problem) as refused:
        await read_json(scope, receive, seconds_max=0.01)
    assert (refused.value.status, refused.value.code) == (408, "REQUEST_TIMEOUT")
    assert (b"connection", b"close") in refused.value.headers


class _Impatient(BoundedProtocol):
    head_seconds_max = 0.05
    body_seconds_max = 0.2


@pytest.fixture
async def impatient(server: ApiServer) -> ApiServer:
    """Return a server that waits for nobody."""
    assert server._server is not None
    server._server.config.http_protocol_class = _Impatient
    return server


@pytest.mark.parametrize("part", [b"GET", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"])
async def test_slow_head_is_408(impatient: ApiServer, part: bytes) -> None:
    """A head that begins and does not end is answered and closed."""
    wire = await Wire.open(impatient.address)
    await wire.send(part)
    answer = await wire.answer()
    assert (answer.status, answer.json["code"]) == (408, "REQUEST_TIMEOUT")
    assert await wire.is_closed()


@pytest.mark.parametrize("part", [b"", b"\r\n"])
async def test_silent_connection_is_closed(impatient: ApiServer, part: bytes) -> None:
    """A connection that says nothing is closed."""
    wire = await Wire.open(impatient.address)
    await wire.send(part)
    assert await wire.is_closed()


async def test_drip_between_requests_is_closed(impatient: ApiServer) -> None:
    """A connection that has been answered cannot be held open by saying little."""
    wire = await Wire.open(impatient.address)
    assert (await wire.ask("GET", "/healthz")).status == 200
    await wire.send(b"\r\n")
    assert await wire.is_closed()


async def test_waiting_for_the_gateway_is_not_slow(
    impatient: ApiServer, gateway: FakeGateway
) -> None:
    """However long a decision takes, the connection waits for it."""
    wire = await Wire.open(impatient.address)
    gateway.gate.clear()
    await wire.send(ask("POST", PATH, body()))
    await asyncio.sleep(0.1)
    gateway.gate.set()
    assert (await wire.answer()).status == 200
    wire.close()


async def test_slow_body_of_a_refused_request_is_closed(impatient: ApiServer) -> None:
    """What is read past has to come too: a byte now and then keeps no connection."""
    wire = await Wire.open(impatient.address)
    await wire.send(b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
    assert (await wire.answer()).status == 404
    assert await wire.is_closed()


async def _sent(wire: Wire, piece: bytes, most: int) -> int:
    """Send a piece over and over; return how much was sent before the connection was closed."""
    sent = 0
    while sent < most and not wire.reader.at_eof():
        try:
            await wire.send(piece)
        except ConnectionError:
            return sent
        sent += len(piece)
        await asyncio.sleep(0.001)
    return sent


TO_A_CHUNK = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"0\r\nX: ", b"a" * 1_000),
        (b"0\r\n", b"X: a\r\n" * 100),
        (b"0\r\n", b"X" * 1_000),
        (b"1;", b"a" * 1_000),
        (b"", b'1;x="' + b"a" * 1_000 + b'"\r\n \r\n'),
        (b"", b"0" * 1_000),
    ],
    ids=["value", "fields", "name", "extension", "extensions", "size"],
)
@pytest.mark.parametrize("path", ["/v1/executions", "/nowhere", "/healthz"])
async def test_endless_framing_is_closed(
    server: ApiServer, gateway: FakeGateway, start: bytes, piece: bytes, path: str
) -> None:
    """Trailers and what chunks carry besides the body are bounded like a head, read or refused."""
    wire = await Wire.open(server.address)
    await wire.send(TO_A_CHUNK.replace(b"/v1/executions", path.encode(), 1) + start)
    assert await _sent(wire, piece * 20, 4_000_000) < 4_000_000
    assert gateway.requests == []


async def test_longest_trailer_passes(wire: Wire, gateway: FakeGateway) -> None:
    """A trailer within the bound is read and dropped; the connection is as good as before."""
    data = body()
    chunk = b"%x\r\n%s\r\n0\r\nX: " % (len(data), data)
    await wire.send(TO_A_CHUNK + chunk + b"a" * 30_000 + b"\r\n\r\n")
    assert (await wire.answer()).status == 200
    assert (await wire.ask("POST", PATH, body(request_id="req-2"))).status == 200
    assert len(gateway.requests) == 2


async def test_chunks_of_a_byte_pass(wire: Wire) -> None:
    """A body may come in chunks of a byte, up to its bound."""
    data = body()
    data += b" " * (60_000 - len(data))
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in data)
    await wire.send(TO_A_CHUNK + chunks + b"0\r\n\r\n")
    assert (await wire.answer()).status == 200


@pytest.mark.parametrize(
    "length",
    [b"Content-Length: 999999999999", b"Transfer-Encoding: chunked"],
    ids=["length", "chunked"],
)
async def test_endless_body_is_not_read_past_for_ever(wire: Wire, length: bytes) -> None:
    """A body that was refused is read past, within a bound."""
    chunk = (b"8000\r\n" if b"chunked" in length else b"") + b" " * 0x8000 + b"\r\n"
    await wire.send(HEAD + length + b"\r\n\r\n")
    assert await _sent(wire, chunk, 8_000_000) < 8_000_000


@pytest.mark.parametrize("name", ["Authorization", "Host", "Content-Type", "Origin", "Expect"])
async def test_trailer_is_no_header(wire: Wire, gateway: FakeGateway, name: str) -> None:
    """A field behind the body says nothing about the request (RFC 9110, 6.5.1)."""
    secret = gateway.hold("alpha", KeyScope.SUBMIT)
    values = {"Authorization": f"Bearer {secret}", "Expect": "100-continue"}
    data = body()
    await wire.send(TO_A_CHUNK)
    trailer = f"{name}: {values.get(name, 'evil.example')}\r\n\r\n".encode()
    await wire.send(b"%x\r\n%s\r\n0\r\n" % (len(data), data) + trailer)
    assert (await wire.answer()).status == 401
    assert gateway.requests == []
    given = {"Authorization": f"Bearer {secret}"}
    head = HEAD + f"Authorization: Bearer {secret}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    await wire.send(head + b"%x\r\n%s\r\n0\r\n" % (len(data), data) + trailer)
    assert (await wire.answer()).status == 200
    assert (await wire.ask("GET", "/healthz", headers=given)).status == 200


@pytest.mark.parametrize(
    "rest",
    [
        b"rubbish\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000,
        TO_A_CHUNK + b"0\r\nX: " + b"x" * 40_000,
        TO_A_CHUNK + b"zz\r\n",
    ],
    ids=["rubbish", "head", "trailer", "chunk"],
)
async def test_what_is_wrong_is_said_in_its_turn(
    wire: Wire, gateway: FakeGateway, rest: bytes
) -> None:
    """An order that is being decided hears its own answer, whatever was sent behind it."""
    gateway.gate.clear()
    await wire.send(ask("POST", PATH, body()))
    await gateway.asked.wait()
    await wire.send(rest)
    await asyncio.sleep(0.05)
    gateway.gate.set()
    first = await wire.answer()
    assert (first.status, first.json["request_id"]) == (200, "req-1")
    assert (await wire.answer()).status in (400, 431)
    assert await wire.is_closed()


async def test_pipelined_and_half_closed(wire: Wire) -> None:
    """Whoever sends a hundred requests at once and closes the sending half hears a hundred."""
    await wire.send(ask("GET", "/healthz") * 100)
    wire.writer.write_eof()
    answers = [await wire.answer() for _ in range(100)]
    assert {answer.status for answer in answers} == {200}
    assert answers[-1].headers["connection"] == "close"
    assert await wire.is_closed()


async def test_flood_of_pipelined_requests_is_begun_a_few_at_a_time(
    server: ApiServer, gateway: FakeGateway
) -> None:
    """However much is sent behind a request, little of it is held in memory as requests."""
    wire = await Wire.open(server.address)
    gateway.gate.clear()
    await wire.send(ask("POST", PATH, body()) + b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * 5_000)
    await gateway.asked.wait()
    await asyncio.sleep(0.05)
    assert server._server is not None
    (connection,) = server._server.server_state.connections
    assert isinstance(connection, BoundedProtocol)
    assert len(connection.pipeline) < 100
    gateway.gate.set()
    assert (await wire.answer()).status == 200
    wire.close()
