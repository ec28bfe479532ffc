"""A real gateway beside a real Redis: the requirements' lines, and what becomes of requests."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.recorded import quote
from tests.acceptance.service import Service
from tests.acceptance.test_service import REST, asked
from tests.api.redis.server import RedisServer


def until(is_so: Callable[[], Any], seconds: float = 10.0) -> Any:  # noqa: ANN401 - what it is
    """Wait until something is so, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"Expected it within {seconds:g} s, was {found!r}"
        time.sleep(0.02)
    return found


def feed(service: Service) -> None:
    """Tell the paper exchange what the market shows now."""
    now = {name: value for name, value in quote().items() if name != "ts"}
    assert service.ask("POST", "/v1/quotes", now)[0] == 200


def state(service: Service) -> str:
    """Return how trading stands."""
    return str(service.get("/v1/status")[1]["state"])


def sources(service: Service) -> set[str]:
    """Return who halts."""
    return {each["source"] for each in service.get("/v1/kill-switch")[1]["halts"]}


def results(server: RedisServer, request_id: str) -> list[dict[str, Any]]:
    """Return the results of a request in the stream, in order."""
    lines = server.cli("XRANGE", "execution:results", "-", "+").splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{")]
    return [each for each in found if each["request_id"] == request_id]


def test_the_lines_of_the_requirements(service: Service, server: RedisServer) -> None:
    """Typed into redis-cli they stop, lift and show."""
    service.start()
    assert server.cli("GET", "trading:kill_switch_status") == "DISABLED"
    assert server.cli("PUBLISH", "trading:kill_switch", "ENABLE") == "1"
    until(lambda: server.cli("GET", "trading:kill_switch_status") == "ENABLED")
    assert service.submit(asked("a"))[1]["code"] == "HALTED"
    assert server.cli("PUBLISH", "trading:kill_switch", "DISABLE") == "1"
    until(lambda: server.cli("GET", "trading:kill_switch_status") == "DISABLED")
    assert service.submit(asked("b"))[1]["code"] != "HALTED"
    server.cli("SET", "trading:kill_switch", "ENABLE")
    until(lambda: state(service) == "HALTED")
    server.cli("PUBLISH", "trading:kill_switch", "DISABLE")
    time.sleep(0.3)
    assert state(service) == "HALTED"
    server.cli("DEL", "trading:kill_switch")
    until(lambda: state(service) == "ACTIVE")


def test_a_key_from_before_the_start_is_in_force_with_the_first_answer(
    service: Service, server: RedisServer
) -> None:
    """And so is the policy, where Redis is not there: no request comes before it."""
    server.cli("SET", "trading:kill_switch", "ENABLE")
    service.start()
    assert sources(service) == {"redis"}
    service.end()
    server.end()
    service.start()
    assert sources(service) == {"redis", "redis_down"}


@pytest.mark.parametrize("cut", ["SHUTDOWN", "CLIENT KILL TYPE pubsub", "CLIENT KILL TYPE normal"])
def test_what_one_heard_is_heard(service: Service, server: RedisServer, cut: str) -> None:
    """Redis says that one heard, and the connection breaks at once: it was heard."""
    service.start()
    for _ in range(5):
        until(lambda: server.cli("PUBLISH", "trading:kill_switch", "ENABLE") == "1")
        server.cli(*cut.split(), *(("NOSAVE",) if cut == "SHUTDOWN" else ()))
        until(lambda: "redis" in sources(service), 3)
        if cut == "SHUTDOWN":
            server.end()
            server.start()

        def lifted() -> bool:
            # An end that comes in the middle of a cut is not acted on: it is said again.
            server.cli("PUBLISH", "trading:kill_switch", "DISABLE")
            return not sources(service)

        until(lifted)


def test_a_full_redis_is_an_alert_and_stops(service: Service, server: RedisServer) -> None:
    """What is published is heard; what waits is told when there is room again."""
    service.start()
    server.cli("CONFIG", "SET", "maxmemory", "1")
    alerts = "/v1/alerts"
    until(lambda: "maxmemory" in json.dumps(service.get(alerts)[1]))
    for _ in range(5):
        assert server.cli("PUBLISH", "trading:kill_switch", "ENABLE") == "1"
        until(lambda: sources(service) == {"redis"}, 2)
        assert server.cli("PUBLISH", "trading:kill_switch", "DISABLE") == "1"
        until(lambda: not sources(service), 2)
    server.cli("CONFIG", "SET", "maxmemory", "0")
    until(lambda: all(each["cleared_at"] for each in service.get(alerts)[1]["items"]))
    server.cli("XADD", "execution:requests", "*", "json", json.dumps(asked("after")))
    until(lambda: results(server, "after"))


def test_what_becomes_of_a_resting_order_is_told(service: Service, server: RedisServer) -> None:
    """Its end comes later, each truth once, also over a crash; what HTTP asked is not told."""
    service.start()
    feed(service)
    for name in ("r-1", "r-2"):
        request = asked(name, **REST)
        server.cli("XADD", "execution:requests", "*", "json", json.dumps(request))
    service.submit(asked("h-1", **REST))
    until(lambda: results(server, "r-1") and results(server, "r-2"))
    order = results(server, "r-1")[-1]["order_id"]
    assert service.ask("DELETE", f"/v1/orders/{order}")[0] < 300
    until(lambda: results(server, "r-1")[-1]["status"] == "Cancelled")
    service.process.kill()  # type: ignore[union-attr]
    service.process.wait()  # type: ignore[union-attr]
    service.start()
    order = results(server, "r-2")[-1]["order_id"]
    service.ask("DELETE", f"/v1/orders/{order}")
    until(lambda: results(server, "r-2")[-1]["status"] == "Cancelled")
    time.sleep(0.3)
    for name in ("r-1", "r-2"):
        told = [(each["sequence"], each["status"]) for each in results(server, name)]
        assert len(set(told)) == len(told)
        assert [status for _, status in told] == ["Pending"] * (len(told) - 1) + ["Cancelled"]
    assert not results(server, "h-1")


def test_a_stream_that_is_none_stops_nothing(service: Service, server: RedisServer) -> None:
    """A key of another type where requests belong, a lost group: an alert, and the switch works."""
    service.start()
    server.cli("SET", "execution:requests", "x")
    until(lambda: "refuses what" in json.dumps(service.get("/v1/alerts")[1]))
    assert server.cli("PUBLISH", "trading:kill_switch", "ENABLE") == "1"
    until(lambda: sources(service) == {"redis"}, 2)
    server.cli("FLUSHALL")
    server.cli("XADD", "execution:requests", "*", "json", json.dumps(asked("lost")))
    until(lambda: results(server, "lost"))
    assert results(server, "lost")[0]["code"] == "HALTED"
