"""Who is let in: by which header, and for what."""

import json
import tracemalloc

import pytest
from msgspec.structs import replace

from arbees.api.http.access import is_closed, secret_of
from arbees.core.language.words import KeyScope, ResultStatus
from arbees.core.orders.result import encode
from tests.api.fake import FakeGateway, Wire, body, receipt, result

EXECUTIONS, STATUS, SWITCH = "/v1/executions", "/v1/status", "/v1/kill-switch"
PATHS = [STATUS, "/v1/executions/r", SWITCH, "/v1/events", "/v1/keys"]


def bearer(secret: str) -> dict[str, str]:
    """Return the header of a key."""
    return {"Authorization": f"Bearer {secret}"}


def switch(action: str, **more: object) -> bytes:
    """Return a kill-switch command."""
    return json.dumps({"action": action, "reason": "a test", **more}).encode()


# No key ----------------------------------------------------------------------------------------


async def test_without_any_key_everything_is_open(wire: Wire, gateway: FakeGateway) -> None:
    """On paper, on loopback; what comes as a key then is not looked at."""
    assert (await wire.ask("GET", STATUS)).status == 200
    assert (await wire.ask("GET", STATUS, headers=bearer("anything"))).status == 200
    await wire.ask("POST", EXECUTIONS, body())
    assert gateway.key_ids == [None]


@pytest.mark.parametrize("path", PATHS)
async def test_in_live_nothing_is_open_without_keys(
    wire: Wire, gateway: FakeGateway, path: str
) -> None:
    """It says how to make the first."""
    gateway.live = True
    answer = await wire.ask("GET", path)
    assert (answer.status, answer.json["code"]) == (401, "KEY_REQUIRED")
    assert "arbees keys create" in answer.json["detail"]
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_start_tells_whether_anybody_is_let_in(gateway: FakeGateway) -> None:
    """Live without a key nobody is, which `arbees run` says; on paper everybody is."""
    assert not is_closed(gateway)
    gateway.live = True
    assert is_closed(gateway)
    gateway.hold("alpha", KeyScope.READ)
    assert not is_closed(gateway)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/docs"])
async def test_health_and_pages_are_always_open(
    wire: Wire, gateway: FakeGateway, path: str
) -> None:
    """Whatever watches the process needs no secret."""
    gateway.live = True
    assert (await wire.ask("GET", path)).status == 200
    gateway.hold("alpha", KeyScope.READ)
    assert (await wire.ask("GET", path, headers=bearer("wrong"))).status == 200


async def test_once_there_was_a_key_one_is_needed(wire: Wire, gateway: FakeGateway) -> None:
    """Also after the last one has ended: nobody gets in by revoking."""
    gateway.hold("alpha", KeyScope.READ)
    gateway.end("alpha")
    assert (await wire.ask("GET", STATUS)).status == 401


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic {secret}",
        "{secret}",
        "Bearer{secret}",
        "Bearer\t{secret}",
        "Bearer {secret}x",
        "Bearer {secret} {secret}",
        "Bearer {secret},Bearer {secret}",
        "Bearer secret-id-ended",
        "Bearer secret-id-nobody",
        "Bearer \u00e4",
    ],
)
async def test_whoever_has_no_key_in_force_hears_the_same(
    wire: Wire, gateway: FakeGateway, header: str
) -> None:
    """None, one that is none, an unknown and a revoked one: whoever guesses learns nothing."""
    secret = gateway.hold("alpha", *KeyScope)
    gateway.hold("ended", *KeyScope)
    gateway.end("ended")
    headers = {"Authorization": header.format(secret=secret)}
    data = ask_bytes("POST", EXECUTIONS, body(), headers)
    await wire.send(data)
    answer = await wire.answer()
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    await wire.send(ask_bytes("POST", EXECUTIONS, body(), {}))
    assert (await wire.answer()).body == answer.body
    assert secret not in answer.body.decode()
    assert gateway.requests == []


def ask_bytes(method: str, path: str, data: bytes, headers: dict[str, str]) -> bytes:
    """Return a request whose headers may hold any bytes."""
    lines = {"Host": "localhost", "Content-Length": str(len(data))}
    lines["Content-Type"] = "application/json"
    head = "".join(f"{name}: {text}\r\n" for name, text in (lines | headers).items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + data


@pytest.mark.parametrize(
    "header",
    [
        "Bearer {secret}",
        "bearer {secret}",
        "BEARER {secret}",
        "Bearer   {secret}",
        "Bearer {secret}  ",
        "  Bearer {secret}",
    ],
)
async def test_the_scheme_is_read_in_any_case(
    wire: Wire, gateway: FakeGateway, header: str
) -> None:
    """And blanks around are nothing (RFC 9110, section 11.1)."""
    secret = gateway.hold("alpha", KeyScope.READ)
    await wire.send(ask_bytes("GET", STATUS, b"", {"Authorization": header.format(secret=secret)}))
    assert (await wire.answer()).status == 200


async def test_two_headers_are_none(wire: Wire, gateway: FakeGateway) -> None:
    """Also if both are right: a proxy in between might look at the other one."""
    line = f"Authorization: Bearer {gateway.hold('alpha', KeyScope.READ)}\r\n"
    await wire.send(f"GET {STATUS} HTTP/1.1\r\nHost: localhost\r\n{line}{line}\r\n".encode())
    assert (await wire.answer()).status == 401
    headers = [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer a")]
    assert secret_of(headers) is None


async def test_ten_thousand_wrong_keys_leave_memory_flat(wire: Wire, gateway: FakeGateway) -> None:
    """Nothing is kept of what is refused."""
    gateway.hold("alpha", KeyScope.READ, requests_per_minute=1)

    async def guess(first: int, last: int) -> None:
        for number in range(first, last, 50):
            asks = [
                f"GET {STATUS} HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer secret-id-{number + each}\r\n\r\n"
                for each in range(50)
            ]
            await wire.send("".join(asks).encode())
            for _ in range(50):
                assert (await wire.answer()).status == 401

    await guess(0, 1_000)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    await guess(1_000, 11_000)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 200_000


# Scopes ----------------------------------------------------------------------------------------


async def test_a_key_does_what_its_scopes_allow(wire: Wire, gateway: FakeGateway) -> None:
    """Another thing is 403, which names the scope; nothing of it reaches the gateway."""
    secret = gateway.hold("alpha", KeyScope.READ)
    assert (await wire.ask("GET", STATUS, headers=bearer(secret))).status == 200
    answer = await wire.ask("POST", EXECUTIONS, body(), bearer(secret))
    assert (answer.status, answer.json["code"]) == (403, "SCOPE_REQUIRED")
    assert "submit" in answer.json["detail"]
    assert gateway.requests == []


async def test_a_submission_says_with_which_key(wire: Wire, gateway: FakeGateway) -> None:
    """So that its caps hold, and the journal says so."""
    secret = gateway.hold("alpha", KeyScope.SUBMIT)
    assert (await wire.ask("POST", EXECUTIONS, body(), bearer(secret))).status == 200
    assert gateway.key_ids == ["id-alpha"]


@pytest.mark.parametrize(
    ("scopes", "action", "status"),
    [
        ("halt", "ENABLE", 200),
        ("halt", "REDUCE", 200),
        ("halt", "REDUCE loosening", 403),
        ("halt", "DISABLE", 403),
        ("resume", "ENABLE", 403),
        ("resume", "REDUCE", 403),
        ("resume", "REDUCE loosening", 403),
        ("resume", "DISABLE", 200),
        ("halt resume", "REDUCE loosening", 200),
        ("submit", "ENABLE", 403),
        ("admin", "ENABLE", 403),
    ],
)
async def test_stops_and_resumes_need_their_own_scopes(
    wire: Wire, gateway: FakeGateway, scopes: str, action: str, status: int
) -> None:
    """To reduce where it is halted frees trading, so that it needs both."""
    secret = gateway.hold("alpha", *(KeyScope(scope) for scope in scopes.split()))
    gateway.loosens = action.endswith("loosening")
    answer = await wire.ask("POST", SWITCH, switch(action.split(maxsplit=1)[0]), bearer(secret))
    assert answer.status == status
    assert len(gateway.switched) == (status == 200)


async def test_records_name_the_key(wire: Wire, gateway: FakeGateway) -> None:
    """Whoever else its holder says it is; without keys, whoever it says, or where it asks from."""
    await wire.ask("POST", SWITCH, switch("ENABLE"))
    await wire.ask("POST", SWITCH, switch("ENABLE", actor="ann"))
    headers = bearer(gateway.hold("alpha", KeyScope.HALT))
    await wire.ask("POST", SWITCH, switch("ENABLE", actor="key:boss"), headers)
    assert [each["actor"] for each in gateway.switched] == ["127.0.0.1", "ann", "key:alpha"]


# Strategies ------------------------------------------------------------------------------------


async def test_a_bound_key_submits_for_its_strategy_alone(wire: Wire, gateway: FakeGateway) -> None:
    """It need not be named; another one is 403 and decides nothing."""
    headers = bearer(gateway.hold("alpha", KeyScope.SUBMIT, strategy="s"))
    assert (await wire.ask("POST", EXECUTIONS, body(), headers)).status == 200
    assert (await wire.ask("POST", EXECUTIONS, body(strategy="s"), headers)).status == 200
    assert [request.strategy for request, _ in gateway.requests] == ["s", "s"]
    for other in ("t", "S", "s "):
        answer = await wire.ask("POST", EXECUTIONS, body(strategy=other), headers)
        assert (answer.status, answer.json["code"]) == (403, "STRATEGY_REFUSED")
        assert answer.json["field"] == "strategy"
    assert len(gateway.requests) == 2


async def test_a_bound_key_reads_its_own(wire: Wire, gateway: FakeGateway) -> None:
    """Of another strategy, or of none, it is as if there were nothing."""
    own = bearer(gateway.hold("alpha", KeyScope.SUBMIT, KeyScope.READ, strategy="s"))
    other = bearer(gateway.hold("beta", KeyScope.READ, strategy="t"))
    every = bearer(gateway.hold("every", KeyScope.READ))
    gateway.answer = lambda request: result(request, strategy=request.strategy)
    await wire.ask("POST", EXECUTIONS, body(strategy="s"), own)
    for path in (f"{EXECUTIONS}/req-1", f"{EXECUTIONS}?idempotency_key=key-1"):
        assert (await wire.ask("GET", path, headers=own)).status == 200
        assert (await wire.ask("GET", path, headers=every)).status == 200
        hidden = await wire.ask("GET", path, headers=other)
        unknown = await wire.ask("GET", path.replace("-1", "-2"), headers=other)
        assert (hidden.status, hidden.json["code"]) == (404, "NOT_FOUND")
        assert hidden.body.replace(b"-1", b"-2") == unknown.body


async def test_a_bound_key_hears_nothing_of_anothers_original(
    wire: Wire, gateway: FakeGateway
) -> None:
    """Whoever guesses a key of another strategy learns that it is taken, not for what."""
    own = bearer(gateway.hold("alpha", KeyScope.SUBMIT, strategy="s"))

    def refuse(request: object) -> object:
        original = result(gateway.requests[-1][0], strategy="t")
        return result(gateway.requests[-1][0], ResultStatus.REJECTED, original=original)

    gateway.answer = refuse  # type: ignore[assignment]
    answer = await wire.ask("POST", EXECUTIONS, body(), own)
    assert "original" not in answer.json
    every = bearer(gateway.hold("every", KeyScope.SUBMIT))
    assert "original" in (await wire.ask("POST", EXECUTIONS, body(), every)).json


@pytest.mark.parametrize(
    ("scope", "action", "status"),
    [
        ("all", "ENABLE", 200),
        ("strategy:t", "ENABLE", 200),
        ("strategy:t", "REDUCE", 200),
        ("strategy:s", "DISABLE", 200),
        ("strategy:t", "DISABLE", 403),
        ("all", "DISABLE", 403),
        ("market:m", "DISABLE", 403),
    ],
)
async def test_a_bound_key_stops_anything_and_resumes_its_own(
    wire: Wire, gateway: FakeGateway, scope: str, action: str, status: int
) -> None:
    """Stopping is always safe."""
    headers = bearer(gateway.hold("alpha", KeyScope.HALT, KeyScope.RESUME, strategy="s"))
    answer = await wire.ask("POST", SWITCH, switch(action, scope=scope), headers)
    assert answer.status == status
    if status == 403:
        assert (answer.json["code"], answer.json["field"]) == ("STRATEGY_REFUSED", "scope")


@pytest.mark.parametrize(("strategy", "status"), [("s", 200), ("t", 404)])
async def test_a_bound_key_sees_receipts_of_its_scope(
    wire: Wire, gateway: FakeGateway, strategy: str, status: int
) -> None:
    """Others name orders that are none of its business."""
    gateway.receipts["x"] = replace(receipt(), scope="strategy:s")
    headers = bearer(gateway.hold("alpha", KeyScope.READ, strategy=strategy))
    assert (await wire.ask("GET", f"{SWITCH}/receipts/x", headers=headers)).status == status


async def test_nothing_of_a_key_is_in_a_problem(wire: Wire, gateway: FakeGateway) -> None:
    """Neither what came along nor what is held."""
    secret = gateway.hold("alpha", KeyScope.READ, strategy="s")
    for method, path in (("POST", EXECUTIONS), ("GET", "/v1/keys"), ("GET", "/v1/nothing")):
        answer = await wire.ask(method, path, encode({}), bearer(secret))
        assert secret.encode() not in answer.body
        assert "secret" not in str(answer.headers)
