"""Web pages are kept out, and everybody else is let in."""

import pytest

from arbees.api.http.guard import host_of, is_loopback
from tests.api.fake import FakeGateway, Wire, body

PATHS = ["/v1/executions", "/v1/kill-switch", "/v1/quotes"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8321",
        "127.0.0.1",
        "localhost:8321",
        "LocalHost",
        "[::1]:8321",
        "[::1]",
        "127.1.2.3:80",
        "localhost:1234",
    ],
)
async def test_names_of_this_machine_pass(wire: Wire, host: str) -> None:
    """Every name of loopback is ours, whatever tunnel brought it here."""
    assert (await wire.ask("GET", "/v1/status", headers={"Host": host})).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8321",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.0.0.1:8321@evil.example",
        "evil.example:127.0.0.1",
        "0.0.0.0:8321",
        "192.168.1.5:8321",
        "[::2]:8321",
        "localhost:",
        "localhost:80:80",
        "",
    ],
)
async def test_other_names_are_403(wire: Wire, gateway: FakeGateway, host: str) -> None:
    """A page that rebinds its own name to loopback still says its own name."""
    answer = await wire.ask("POST", "/v1/executions", body(), {"Host": host})
    assert (answer.status, answer.json["code"]) == (403, "HOST_REFUSED")
    assert gateway.requests == []


async def test_two_hosts_are_403(wire: Wire) -> None:
    """A request that names two hosts names none."""
    await wire.send(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n")
    answer = await wire.answer()
    assert (answer.status, answer.json["code"]) == (403, "HOST_REFUSED")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://127.0.0.1:8321",
        "http://127.0.0.1:8322",
        "http://127.0.0.1",
        "http://localhost:8321",
        "http://127.0.0.1:8321/",
        "http://127.0.0.1:8321, http://127.0.0.1:8321",
        "null",
        " ",
    ],
)
async def test_other_origins_are_403(
    wire: Wire, gateway: FakeGateway, path: str, origin: str
) -> None:
    """Only browsers send an origin, and no page may trade but one that the gateway serves."""
    answer = await wire.ask("POST", path, body(), {"Origin": origin})
    assert (answer.status, answer.json["code"]) == (403, "ORIGIN_REFUSED")
    assert (gateway.requests, gateway.switched, gateway.quotes) == ([], [], [])


@pytest.mark.parametrize("host", ["127.0.0.1:8321", "localhost:8321", "[::1]:8321", "LocalHost"])
async def test_our_own_page_may_ask(wire: Wire, gateway: FakeGateway, host: str) -> None:
    """The control room is served from here: its origin is what it calls this gateway."""
    headers = {"Host": host, "Origin": f"http://{host.lower()}"}
    assert (await wire.ask("POST", "/v1/executions", body(), headers)).status == 200
    assert len(gateway.requests) == 1


async def test_two_origins_are_403(wire: Wire) -> None:
    """A request that names two origins names none."""
    await wire.send(
        b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n"
        b"Origin: http://localhost\r\nOrigin: http://localhost\r\n\r\n"
    )
    answer = await wire.answer()
    assert (answer.status, answer.json["code"]) == (403, "ORIGIN_REFUSED")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site", "anything"])
async def test_other_sites_are_403(wire: Wire, site: str) -> None:
    """A page on another port of this machine is another site too."""
    answer = await wire.ask("GET", "/v1/status", headers={"Sec-Fetch-Site": site})
    assert (answer.status, answer.json["code"]) == (403, "ORIGIN_REFUSED")


@pytest.mark.parametrize("site", ["none", "same-origin"])
async def test_address_bar_passes(wire: Wire, site: str) -> None:
    """Typing the address into a browser shows the status."""
    assert (await wire.ask("GET", "/v1/status", headers={"Sec-Fetch-Site": site})).status == 200


async def test_preflight_of_a_page_is_refused(wire: Wire) -> None:
    """A page that asks whether it may post JSON hears no."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = await wire.ask("OPTIONS", "/v1/executions", headers=headers)
    assert answer.status == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("a:1", "a"),
        ("a", "a"),
        ("[::1]:1", "[::1]"),
        ("[::1]", "[::1]"),
        ("a:", "a:"),
        ("a:b", "a:b"),
        ("a:1:2", "a:1"),
        (":1", ""),
    ],
)
def test_host_of(authority: str, host: str) -> None:
    """Only a number behind the last colon is a port."""
    assert host_of(authority) == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_loopback(host: str) -> None:
    """These are this machine alone."""
    assert is_loopback(host)


ELSEWHERE = ["0.0.0.0", "::", "10.0.0.1", "example", "", "127.0.0.1 "]  # noqa: S104 - refused


@pytest.mark.parametrize("host", ELSEWHERE)
def test_not_loopback(host: str) -> None:
    """These may be reached from elsewhere, or are nothing at all."""
    assert not is_loopback(host)
