"""The running service: HTTP, the kill switch from every side, signals, a crash, its journal."""

import json
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.recorded import quote, request
from tests.acceptance.service import Service

LOOSE = {"MAX_ORDERS_PER_MINUTE": "1000", "MAX_ORDERS_PER_HOUR": "1000"}
REST: dict[str, Any] = {"time_in_force": "GTC", "limit_price": "0.45"}


def asked(request_id: str, **changes: Any) -> dict[str, Any]:
    """Return a request of now."""
    fields = {"request_id": request_id, "idempotency_key": f"key-{request_id}", **changes}
    return request(None, **fields)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Return a gateway that runs and has a quote."""
    found = Service(tmp_path, LOOSE)
    try:
        found.start()
        now = {name: value for name, value in quote().items() if name != "ts"}
        assert found.ask("POST", "/v1/quotes", now)[0] == 200
        yield found
    finally:
        found.close()


def test_requests(service: Service) -> None:
    """200 when decided and final, 202 when not, 400 when malformed, 404 when unknown."""
    filled = service.submit(asked("a"))
    assert (filled[0], filled[1]["status"], filled[1]["final"]) == (200, "Filled", True)
    denied = service.submit(asked("b", limit_price="0.01"))
    assert (denied[0], denied[1]["code"]) == (200, "PRICE_OUT_OF_RANGE")
    again = service.submit(asked("a"))
    assert (again[0], again[1]["code"], again[1]["original"]["status"]) == (
        *(200, "DUPLICATE_REQUEST", "Filled"),
    )
    rests = service.submit(asked("c", **REST), "?wait=60")
    assert (rests[0], rests[1]["status"], rests[1]["final"]) == (202, "Pending", False)
    assert rests[1]["order_id"] is not None
    assert service.submit(asked("d"), "?wait=0")[0] == 202
    assert service.submit(asked("e", limit_price="0.01"), "?wait=0")[0] == 200
    for wait in ("61", "-1", "x", "NaN", ""):
        assert service.submit(asked("f"), f"?wait={wait}")[0] == 400

    status, found, kind = service.ask("POST", "/v1/executions", asked("g", size=-1))
    assert (status, kind) == (400, "application/problem+json")
    assert (found["status"], found["code"], found["field"]) == (400, "MALFORMED", "size")
    assert service.submit(asked("g"))[1]["status"] == "Filled"

    by_id, by_key = (
        service.get("/v1/executions/a"),
        service.get("/v1/executions?idempotency_key=key-a"),
    )
    assert by_id == by_key
    assert by_id[1]["status"] == "Filled"
    assert by_id[1]["events"]
    for path in ("/v1/executions/nobody", "/v1/executions?idempotency_key=nobody", "/nothing"):
        assert service.get(path)[0] == 404
    for headers, refused in (
        ({"Content-Type": "text/plain"}, 415),
        ({"Origin": "http://somewhere.example"}, 403),
        ({"Host": "somewhere.example"}, 403),
    ):
        assert service.ask("POST", "/v1/executions", asked("h"), headers)[0] == refused


def test_the_kill_switch(service: Service) -> None:
    """HTTP, file, command and signal stop at once; each is lifted as the pages say."""
    service.submit(asked("held"))
    service.submit(asked("rests", **REST))
    status, reply = service.kill("ENABLE")
    assert (status, reply["in_force"], reply["durable"], reply["state"]) == (
        200,
        True,
        True,
        "HALTED",
    )
    assert set(reply["halts"][0]) >= {"source", "scope", "state", "reason", "since", "automatic"}
    assert service.submit(asked("a"))[1]["code"] == "HALTED"
    assert service.submit(asked("held"))[1]["code"] == "DUPLICATE_REQUEST"
    assert service.get("/readyz")[0] == 200
    assert service.command("status").returncode == 0
    receipt = service.get(f"/v1/kill-switch/receipts/{reply['receipt_id']}")[1]
    assert {"cancelled", "in_flight", "filled_meanwhile", "complete"} <= set(receipt)
    assert service.get("/v1/executions/rests")[1]["status"] == "Cancelled"
    assert service.kill("DISABLE")[1]["state"] == "ACTIVE"

    assert service.kill("REDUCE", scope="sport:nba")[0] == 200
    assert service.submit(asked("b"))[1]["code"] == "REDUCE_ONLY"
    out = asked("c", action="Sell", size="1", limit_price="0.50")
    assert service.submit(out)[1]["status"] == "Filled"
    assert service.kill("DISABLE", scope="sport:NBA")[1]["halts"] == []
    assert service.kill("ENABLE", scope="galaxy:nowhere")[0] == 400
    status, reply = service.kill("ENABLE", scope="platform:nowhere")
    assert (status, reply["matches_nothing"]) == (200, True)
    assert service.kill("DISABLE", scope="platform:nowhere")[1]["halts"] == []

    service.kill_file.touch()
    assert service.submit(asked("d"))[1]["code"] == "HALTED"
    assert service.kill("DISABLE", acknowledge=True)[1]["in_force"] is False
    service.kill_file.unlink()
    assert service.submit(asked("e"))[1]["status"] == "Filled"

    assert service.command("kill", "on", "--reason", "drill").returncode == 0
    line = json.dumps(asked("f"))
    assert service.command("submit", "-", "--json", lines=line).returncode == 4
    assert service.command("kill", "off", "--reason", "over").returncode == 0
    assert service.process is not None
    service.process.send_signal(signal.SIGUSR1)
    while service.get("/v1/kill-switch")[1]["state"] != "HALTED":
        pass
    service.end()
    service.start()
    assert service.get("/v1/status")[1]["state"] == "HALTED", "a halt survives a restart"


def test_a_crash_and_a_second_process(service: Service) -> None:
    """After a kill -9 all is as it was; only one process writes a journal."""
    service.submit(asked("a"))
    service.submit(asked("b", **REST))
    assert service.end(signal.SIGKILL) == -signal.SIGKILL
    service.start()
    assert service.get("/v1/executions/a")[1]["status"] == "Filled"
    assert service.get("/v1/executions/b")[1]["status"] == "Pending"
    assert service.submit(asked("a"))[1]["code"] == "DUPLICATE_REQUEST"
    assert Service(service.folder).command("run").returncode == 1
    log = str(service.folder / "audit.jsonl")
    assert service.command("audit", "verify", "--log", log).returncode == 0
    assert service.end() == 0
    for words in (("status",), ("kill", "status"), ("submit", "-")):
        assert service.command(*words, lines=json.dumps(asked("c"))).returncode == 69
    assert service.command("kill", "on").returncode == 69
    assert service.kill_file.exists()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE records SET time_ns = time_ns + 1 WHERE sequence = 2",
        "DELETE FROM records WHERE sequence = (SELECT max(sequence) FROM records)",
    ],
)
def test_a_journal_that_was_touched(tmp_path: Path, damage: str) -> None:
    """It refuses to start with 65, and the verifier names the first bad record."""
    service = Service(tmp_path)
    try:
        service.start()
        service.end()
    finally:
        service.close()
    with sqlite3.connect(service.journal) as connection:
        connection.execute("DROP TRIGGER records_are_never_changed")
        connection.execute("DROP TRIGGER records_are_never_deleted")
        connection.execute(damage)
    connection.close()
    assert service.command("run").returncode == 65
    verified = service.command("audit", "verify", "--json")
    assert verified.returncode == 65
    assert json.loads(verified.stdout)["first_bad_record"] is not None


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"MAX_ORDER_SIZE": "abc"}, 78, "MAX_ORDER_SIZE"),
        ({"MAX_ORDRE_SIZE": "100"}, 78, "MAX_ORDER_SIZE"),
        ({"PAPER_TRADING": "0"}, 78, "Live trading is DISABLED for safety"),
        ({"PYTHONOPTIMIZE": "1"}, 78, "python -O"),
        ({"AUDIT_LOG_PATH": "/dev/null/audit.jsonl"}, 78, "AUDIT_LOG_PATH"),
        ({"HTTP_HOST": "0.0.0.0"}, 78, "HTTP_HOST"),  # noqa: S104 - refused
    ],
)
def test_refusals(tmp_path: Path, settings: dict[str, str], code: int, said: str) -> None:
    """What is malformed, misspelt, unauthorized or not writable does not start, and says why."""
    refused = Service(tmp_path, settings).command("run")
    assert refused.returncode == code
    assert said in refused.stderr
