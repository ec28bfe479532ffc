"""Starting and stopping the server inside somebody else's loop."""

import asyncio
import signal
import socket

import pytest

from arbees.api import ApiServer
from arbees.core.language.words import KeyScope
from arbees.errors import ConfigurationError
from tests.api.fake import FakeGateway, Wire, ask, body


async def test_before_the_gateway_only_liveness_answers() -> None:
    """The port is bound while the journal is still read: alive, and everything else 503."""
    server = ApiServer(None, "127.0.0.1", 0)
    await server.start()
    wire = await Wire.open(server.address)
    assert (await wire.ask("GET", "/healthz")).status == 200
    for method, path in [
        ("GET", "/readyz"),
        ("GET", "/v1/status"),
        ("GET", "/v1/kill-switch"),
        ("POST", "/v1/kill-switch"),
        ("POST", "/v1/executions"),
        ("GET", "/v1/executions/req-1"),
        ("POST", "/v1/quotes"),
    ]:
        answer = await wire.ask(method, path, body())
        assert (answer.status, answer.json["code"]) == (503, "STARTING"), path
        assert answer.headers["retry-after"] == "1"
    server.attach(FakeGateway())
    assert (await wire.ask("POST", "/v1/executions", body())).status == 200
    wire.close()
    await server.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "gateway.example", ""])  # noqa: S104
def test_other_hosts_are_refused(host: str) -> None:
    """Without keys nobody from elsewhere may reach it: refuse to start."""
    with pytest.raises(ConfigurationError) as refused:
        ApiServer(FakeGateway(), host, 8321)
    assert refused.value.setting == "HTTP_HOST"
    assert refused.value.value == host
    assert refused.value.exit_code == 78


async def test_with_a_key_in_force_it_listens_everywhere(gateway: FakeGateway) -> None:
    """Then it has all the names of its machine: a page that rebinds its own has no key."""
    secret = gateway.hold("alpha", KeyScope.READ)
    server = ApiServer(gateway, "0.0.0.0", 0, stop_seconds=1, is_keyed=True)  # noqa: S104
    await server.start()
    wire = await Wire.open(server.address.replace("0.0.0.0", "127.0.0.1"))  # noqa: S104
    headers = {"Host": "gateway.example:8321"}
    assert (await wire.ask("GET", "/healthz", headers=headers)).status == 200
    assert (await wire.ask("GET", "/v1/status", headers=headers)).status == 401
    headers["Authorization"] = f"Bearer {secret}"
    assert (await wire.ask("GET", "/v1/status", headers=headers)).status == 200
    headers["Origin"] = "http://elsewhere.example:8321"
    assert (await wire.ask("GET", "/v1/status", headers=headers)).status == 403
    wire.close()
    await server.stop()


@pytest.mark.parametrize("port", [-1, 65_536])
def test_other_ports_are_refused(port: int) -> None:
    """A port that does not exist refuses to start."""
    with pytest.raises(ConfigurationError) as refused:
        ApiServer(FakeGateway(), "127.0.0.1", port)
    assert refused.value.setting == "HTTP_PORT"


async def test_taken_port_is_refused(server: ApiServer) -> None:
    """A second gateway on the same port refuses to start and says what to do."""
    port = int(server.address.rsplit(":", 1)[1])
    with pytest.raises(ConfigurationError) as refused:
        await ApiServer(FakeGateway(), "127.0.0.1", port).start()
    assert refused.value.setting == "HTTP_PORT"
    assert "another HTTP_PORT" in str(refused.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1", "[::1]"])
async def test_every_name_of_loopback(host: str) -> None:
    """It listens where it was told, and answers to that name."""
    server = ApiServer(FakeGateway(), host, 0)
    await server.start()
    wire = await Wire.open(server.address)
    name = server.address.removeprefix("http://")
    assert (await wire.ask("GET", "/healthz", headers={"Host": name})).status == 200
    wire.close()
    await server.stop()


async def test_address_before_the_start(gateway: FakeGateway) -> None:
    """There is no address before the port is bound."""
    with pytest.raises(RuntimeError):
        _ = ApiServer(gateway, "127.0.0.1", 0).address


async def test_second_start_is_a_bug(server: ApiServer) -> None:
    """A server is started once."""
    with pytest.raises(RuntimeError):
        await server.start()


async def test_signals_are_left_alone(server: ApiServer) -> None:
    """The supervisor owns the signals."""
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


async def test_nothing_is_printed(wire: Wire, capfd: pytest.CaptureFixture[str]) -> None:
    """The server says nothing by itself, whatever is asked of it."""
    await wire.ask("POST", "/v1/executions", body())
    await wire.ask("GET", "/nothing")
    await wire.send(b"rubbish\r\n\r\n")
    await wire.answer()
    assert capfd.readouterr() == ("", "")


async def test_stop_answers_what_is_due(
    server: ApiServer, wire: Wire, gateway: FakeGateway
) -> None:
    """A request that is being decided is answered before the server ends; new ones are refused."""
    gateway.gate.clear()
    await wire.send(ask("POST", "/v1/executions", body()))
    await gateway.asked.wait()
    stopping = asyncio.create_task(server.stop())
    for _ in range(3):
        await asyncio.sleep(0)
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset
        await Wire.open(server.address)
    gateway.gate.set()
    answer = await wire.answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    await stopping
    assert await wire.is_closed()


async def test_stop_is_bounded(gateway: FakeGateway) -> None:
    """What is still waiting at the end hears that the outcome is not known."""
    server = ApiServer(gateway, "127.0.0.1", 0, stop_seconds=0.05)
    await server.start()
    wire = await Wire.open(server.address)
    gateway.gate.clear()
    await wire.send(ask("POST", "/v1/executions", body()))
    await gateway.asked.wait()
    await server.stop()
    answer = await wire.answer()
    assert (answer.status, answer.json["code"]) == (503, "SHUTTING_DOWN")
    assert "same key" in answer.json["detail"]
    wire.close()


async def test_stop_closes_idle_connections(server: ApiServer, wire: Wire) -> None:
    """Whoever only holds a connection open does not hold up the end."""
    await wire.ask("GET", "/healthz")
    silent = await Wire.open(server.address)
    await silent.send(b"GET /healthz HT")
    await server.stop()
    assert await wire.is_closed()
    assert await silent.is_closed()


async def test_stop_twice_and_unstarted(server: ApiServer, gateway: FakeGateway) -> None:
    """Stopping again, or before the start, does nothing."""
    await server.stop()
    await server.stop()
    unstarted = ApiServer(gateway, "127.0.0.1", 0)
    await unstarted.stop()
    with pytest.raises(RuntimeError, match="started server"):
        _ = unstarted.address


async def test_port_is_free_after_the_stop(server: ApiServer) -> None:
    """The next gateway can bind the port at once."""
    port = int(server.address.rsplit(":", 1)[1])
    await server.stop()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
