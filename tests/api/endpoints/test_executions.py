"""Requests over HTTP: what is read, what is refused, what is answered when."""

import pytest

from arbees.api import ApiServer
from arbees.core.language.request import Request
from arbees.core.language.words import ResultStatus
from arbees.core.orders.result import Result
from tests.api.fake import NOW_NS, FakeGateway, Wire, ask, body, denied, result, undecided

PATH = "/v1/executions"
FIELDS = [
    *("request_id", "idempotency_key", "attempt", "status", "final", "rejected_by", "code"),
    *("rejection_reason", "denials", "warnings", "platform", "market_id", "side", "action"),
    *("order_id", "client_order_id", "requested_size", "limit_price", "filled_qty", "avg_price"),
    *("fees", "latency_ms", "sequence", "model_version", "strategy", "route", "venue_code"),
]


async def test_final_result_is_200_with_exactly_the_fields(wire: Wire) -> None:
    """A final result answers 200 with the design's fields in their order, numbers as numbers."""
    answer = await wire.ask("POST", PATH, body())
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json) == FIELDS
    assert answer.json["avg_price"] == 0.64
    assert answer.json["status"] == "Filled"
    assert answer.json["code"] is None
    assert b'"requested_size":50,' in answer.body


async def test_arrival_is_the_time_of_a_request_without_one(
    wire: Wire, gateway: FakeGateway
) -> None:
    """`created_at` defaults to the arrival by the gateway's clock."""
    await wire.ask("POST", PATH, body())
    assert gateway.requests[0][0].created_ns == NOW_NS


@pytest.mark.parametrize("status", [ResultStatus.PENDING, ResultStatus.UNKNOWN])
async def test_result_that_is_not_final_is_202(
    wire: Wire, gateway: FakeGateway, status: ResultStatus
) -> None:
    """A resting order and an unknown one answer 202 with the result so far."""
    gateway.answer = lambda request: result(request, status)
    answer = await wire.ask("POST", PATH, body())
    assert (answer.status, answer.json["final"]) == (202, False)


async def test_denial_is_200(wire: Wire, gateway: FakeGateway) -> None:
    """A denial is a decision: 200, with the safeguard, what was observed and the limit."""
    gateway.answer = denied
    answer = await wire.ask("POST", PATH, body())
    assert answer.status == 200
    assert answer.json["rejected_by"] == "gateway"
    assert answer.json["denials"] == [
        {
            "safeguard": "order_size",
            "code": "MAX_ORDER_SIZE",
            "observed": 120,
            "limit": 100,
            "until": None,
            "message": "Order value $120.00 exceeds maximum $100.00",
        }
    ]


async def test_duplicate_carries_its_original(wire: Wire, gateway: FakeGateway) -> None:
    """`original` and `corrects` stand there only when there is something to say."""

    def duplicate(request: Request) -> Result:
        first = result(request, corrects=5, venue_code="insufficient_balance")
        return denied(request, "DUPLICATE_REQUEST", original=first)

    gateway.answer = duplicate
    found = (await wire.ask("POST", PATH, body())).json
    assert list(found) == [*FIELDS, "original"]
    assert list(found["original"]) == [*FIELDS, "corrects"]


@pytest.mark.parametrize(
    ("query", "seconds"),
    [("", 10.0), ("?wait=0", 0.0), ("?wait=60", 60.0), ("?wait=0.25", 0.25), ("?wait=1e1", 10.0)],
)
async def test_wait(wire: Wire, gateway: FakeGateway, query: str, seconds: float) -> None:
    """The caller says how long to wait for a final result, 10 s unless said."""
    assert (await wire.ask("POST", PATH + query, body())).status == 200
    assert gateway.requests[0][1] == seconds


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?wait=61", "wait"),
        ("?wait=60.000001", "wait"),
        ("?wait=-1", "wait"),
        ("?wait=", "wait"),
        ("?wait=NaN", "wait"),
        ("?wait=inf", "wait"),
        ("?wait=%201", "wait"),
        ("?wait=1&wait=2", "wait"),
        ("?wait_seconds=1", "wait_seconds"),
        ("?wait=%ff", None),
        ("?" + "&".join(f"a{n}=1" for n in range(9)), None),
    ],
)
async def test_bad_query_is_400(
    wire: Wire, gateway: FakeGateway, query: str, field: str | None
) -> None:
    """A query that is not understood refuses before anything is decided."""
    answer = await wire.ask("POST", PATH + query, body())
    assert (answer.status, answer.json["code"], answer.json.get("field")) == (
        400,
        "MALFORMED",
        field,
    )
    assert gateway.requests == []


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"", None),
        (b"null", None),
        (b"[]", None),
        (b"{", None),
        (b"{}", "request_id"),
        (body()[:-1], None),
        (body() + b"x", None),
        (b"\xef\xbb\xbf" + body(), None),
        (body(market_id="NBA-BOS").replace(b"NBA", b"\xff\xfe"), None),
        (body().replace(b"NBA", b"\\ud800"), None),
        (body(sise=1), "sise"),
        (body(size=None), "size"),
        (body(size="abc"), "size"),
        (body(size=True), "size"),
        (body(size=-1), "size"),
        (body(size=[1]), "size"),
        (body(attempt="1"), "attempt"),
        (body(request_id=7), "request_id"),
        (body(request_id=""), "request_id"),
        (body(platform="Nyse"), "platform"),
        (body(limit_price=1), "limit_price"),
        (body(created_at="2026-01-28 20:30"), "created_at"),
        (body()[:-1] + b', "size": 51}', "size"),
        (body()[:-1] + b', "size" : 51}', "size"),
        (b'{"size":' + b"[" * 30_000 + b"]" * 30_000 + b"}", None),
        (body(size=None)[:-1] + b', "size": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", None),
        (b"[" * 60_000, None),
        (body(reason="x" * 1_025), "reason"),
    ],
)
async def test_malformed_is_400_and_names_the_field(
    wire: Wire, gateway: FakeGateway, data: bytes, field: str | None
) -> None:
    """What cannot be read exactly refuses as a problem, spends no key, and the connection lives."""
    answer = await wire.ask("POST", PATH, data)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json
    assert found["code"] == "MALFORMED"
    assert found.get("field") == field
    assert found["status"] == 400
    assert found["title"] == "Bad Request"
    assert found["type"] == "about:blank"
    assert found["detail"]
    assert gateway.requests == []
    assert (await wire.ask("POST", PATH, body())).status == 200


@pytest.mark.parametrize("code", ["QUEUE_FULL", "SHUTTING_DOWN", "JOURNAL_FAILED", "STARTING"])
async def test_undecided_is_503(wire: Wire, gateway: FakeGateway, code: str) -> None:
    """When nothing was decided the answer is 503 with the code, and says when to come again."""
    gateway.answer = undecided(code)
    answer = await wire.ask("POST", PATH, body())
    assert (answer.status, answer.json["code"]) == (503, code)
    assert answer.headers["retry-after"] == "1"
    assert "same key" in answer.json["detail"]


async def test_fault_is_500_as_a_problem(wire: Wire, gateway: FakeGateway) -> None:
    """A fault of the gateway says that the outcome is not known, and nothing of its insides."""

    def fail(_request: Request) -> Result:
        raise OSError("secret insides")

    gateway.answer = fail
    answer = await wire.ask("POST", PATH, body())
    assert (answer.status, answer.json["code"]) == (500, "INTERNAL")
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"],
)
async def test_other_media_types_are_415(wire: Wire, gateway: FakeGateway, kind: str) -> None:
    """Only JSON by its own word is read: a form of a web page cannot say so unasked."""
    answer = await wire.ask("POST", PATH, body(), {"Content-Type": kind})
    assert (answer.status, answer.json["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert gateway.requests == []


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON; Charset=UTF-8", 'application/json;charset="utf-8"'],
)
async def test_json_in_any_spelling_is_read(wire: Wire, kind: str) -> None:
    """The media type is compared as RFC 9110 says."""
    assert (await wire.ask("POST", PATH, body(), {"Content-Type": kind})).status == 200


async def test_compressed_body_is_415(wire: Wire) -> None:
    """A body in another encoding is not unpacked."""
    answer = await wire.ask("POST", PATH, body(), {"Content-Encoding": "gzip"})
    assert answer.status == 415


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_405(wire: Wire, method: str) -> None:
    """Another method says which there are."""
    answer = await wire.ask(method, PATH)
    assert (answer.status, answer.json["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    "path", [f"{PATH}/req-1", f"{PATH}?idempotency_key=key-1", f"{PATH}?idempotency_key=key%2D1"]
)
async def test_execution_is_found_with_its_events(wire: Wire, path: str) -> None:
    """The result as known now is found by request id and by key, with its records."""
    await wire.ask("POST", PATH, body())
    answer = await wire.ask("GET", path)
    assert answer.status == 200
    assert list(answer.json) == [*FIELDS, "events"]
    assert answer.json["events"][0]["kind"] == "OrderApproved"
    assert answer.json["events"][0]["sequence"] == 7


@pytest.mark.parametrize("name", ["a/b", "a b", "a%b", "a?b", "a#b", "a;b&c=d", "a//b", "%2F"])
async def test_any_id_can_be_asked_for(wire: Wire, name: str) -> None:
    """Every id that a request may have can be asked for, percent-encoded."""
    await wire.ask("POST", PATH, body(request_id=name))
    encoded = "".join(f"%{ord(letter):02X}" for letter in name)
    answer = await wire.ask("GET", f"{PATH}/{encoded}")
    assert (answer.status, answer.json["request_id"]) == (200, name)


@pytest.mark.parametrize(
    "path", [f"{PATH}/nobody", f"{PATH}?idempotency_key=nobody", "/v1/nothing", "/v1/status/"]
)
async def test_unknown_is_404(wire: Wire, path: str) -> None:
    """What is not known, and a path that does not exist, answer 404 as a problem."""
    answer = await wire.ask("GET", path)
    assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (f"{PATH}?idempotency_key=", "idempotency_key"),
        (f"{PATH}?request_id=req-1", "request_id"),
        (f"{PATH}/%00", "request_id"),
        (f"{PATH}/{'x' * 129}", "request_id"),
        (f"{PATH}/req-1?wait=1", "wait"),
    ],
)
async def test_bad_look_up_is_400(wire: Wire, path: str, field: str) -> None:
    """A look-up that cannot be meant names the parameter."""
    answer = await wire.ask("GET", path)
    assert (answer.status, answer.json["field"]) == (400, field)


async def test_requests_are_decided_side_by_side(
    wire: Wire, gateway: FakeGateway, server: ApiServer
) -> None:
    """One caller that waits holds up no other."""
    gateway.gate.clear()
    await wire.send(ask("POST", PATH, body()))
    other = await Wire.open(server.address)
    assert (await other.ask("GET", "/healthz")).status == 200
    gateway.gate.set()
    assert (await wire.answer()).status == 200
    other.close()


async def test_caller_that_leaves_changes_nothing(
    wire: Wire, gateway: FakeGateway, server: ApiServer
) -> None:
    """A caller that hangs up before the answer leaves the decision as it is."""
    gateway.gate.clear()
    await wire.send(ask("POST", PATH, body()))
    await gateway.asked.wait()
    wire.writer.transport.abort()
    gateway.gate.set()
    other = await Wire.open(server.address)
    answer = await other.ask("GET", f"{PATH}/req-1")
    assert answer.json["status"] == "Filled"
    other.close()
