"""Every other call: what is asked, what is asked again, what is never asked twice."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from arbees.client import Client, Request
from arbees.client.request import RequestFields
from arbees.client.steps import Heard, Outcome
from arbees.core.language.request import RequestWire
from arbees.errors import AccessRefused, GatewayBusy, GatewayRefused, GatewayUnreachable
from tests.client.scripted import LOST, REFUSED, Scripted, problem, result

KILLED = {
    "in_force": True,
    "durable": True,
    "state": "HALTED",
    "halts": [
        {
            "source": "http",
            "scope": "all",
            "state": "HALTED",
            "reason": "r",
            "since": "2026-01-28T20:30:00.000Z",
            "automatic": False,
        }
    ],
    "sequence": 9,
    "receipt_id": "receipt-1",
}
REQUEST = {
    "request_id": "r",
    "idempotency_key": "k",
    "platform": "Kalshi",
    "market_id": "M",
    "side": "Yes",
}


def ok(body: object) -> Heard:
    """Return an answer that is none of an error."""
    return Heard(200, json.dumps(body).encode())


def test_fields_are_those_of_the_wire() -> None:
    """A client can say exactly what the gateway reads: no field more, none less."""
    wire = set(RequestWire.__struct_fields__)
    assert set(Request.__struct_fields__) == wire
    assert set(RequestFields.__annotations__) == wire


def test_kill_and_resume() -> None:
    """A stop says what, where and why; lifting may acknowledge."""
    gateway = Scripted(ok(KILLED), ok(KILLED), ok(KILLED), ok(KILLED))
    client = gateway.client()
    assert client.kill("r").halts[0].scope == "all"
    client.kill("r", "sport:NBA", reduce=True)
    client.resume("r", acknowledge=True)
    assert client.kill_status().receipt_id == "receipt-1"
    assert gateway.bodies()[:3] == [
        {"action": "ENABLE", "reason": "r", "scope": "all"},
        {"action": "REDUCE", "reason": "r", "scope": "sport:NBA"},
        {"action": "DISABLE", "reason": "r", "scope": "all", "acknowledge": True},
    ]
    assert {call.path for call in gateway.calls} == {"/v1/kill-switch"}


def test_a_stop_gets_through() -> None:
    """A stop whose answer was lost is asked again: twice is as good as once."""
    gateway = Scripted(LOST, REFUSED, problem(503, "QUEUE_FULL"), ok(KILLED))
    assert gateway.client().kill("r").in_force
    assert len(gateway.calls) == 4


def test_lifting_is_never_asked_twice() -> None:
    """A halt raised in between would be lifted too: in doubt the caller must look."""
    gateway = Scripted(REFUSED, problem(503, "QUEUE_FULL"), LOST)
    with pytest.raises(GatewayUnreachable, match="no answer in time") as caught:
        gateway.client().resume("r")
    assert caught.value.is_sent
    assert len(gateway.calls) == 3


def test_a_halt_of_the_gateways_own() -> None:
    """Lifting without acknowledging is refused with the code."""
    gateway = Scripted(problem(409, "ACKNOWLEDGE_REQUIRED", field="acknowledge"))
    with pytest.raises(GatewayRefused, match="ACKNOWLEDGE_REQUIRED"):
        gateway.client().resume("r")


def test_executions_by_id_and_by_key() -> None:
    """Ids are quoted; events come with the result; one of both names is asked for."""
    event = {"sequence": 7, "time": "2026-01-28T20:30:00.000Z", "kind": "K", "body": {"n": 1}}
    shown = ok(result(REQUEST, events=[event]))
    gateway = Scripted(shown, shown)
    client = gateway.client()
    assert client.execution("a/b c").events[0].body == {"n": 1}
    assert client.execution(idempotency_key="k&1").status == "Filled"
    assert [call.path for call in gateway.calls] == [
        "/v1/executions/a%2Fb%20c",
        "/v1/executions?idempotency_key=k%261",
    ]
    for names in ({}, {"request_id": "r", "idempotency_key": "k"}):
        with pytest.raises(ValueError, match="either"):
            client.execution(**names)


def test_wait() -> None:
    """A result is asked for until it is final, with growing pauses, or the time is over."""
    open_ = ok(result(REQUEST, "Pending", events=[]))
    gateway = Scripted(open_, open_, open_, ok(result(REQUEST, events=[])))
    assert gateway.client().wait("r").status == "Filled"
    gateway = Scripted(*[open_] * 1_000)
    assert gateway.client().wait("r", 3).status == "Pending"
    assert 2.99 <= sum(gateway.pauses) <= 3.01
    assert max(gateway.pauses) <= 1
    gateway = Scripted(problem(404, "NOT_FOUND"))
    with pytest.raises(GatewayRefused, match="NOT_FOUND"):
        gateway.client().wait("r")


def test_lists() -> None:
    """Orders, positions and balances are typed, and say which record they reflect."""
    order = {
        **REQUEST,
        "order_id": None,
        "client_order_id": "arb-1",
        "action": "Buy",
        "size": 10,
        "filled_qty": 0.5,
        "limit_price": 0.61,
        "time_in_force": "GTC",
        "status": "WORKING",
        "created_at": "2026-01-28T20:30:00.000Z",
    }
    gateway = Scripted(ok({"items": [order], "sequence": 12}))
    found = gateway.client().orders()
    assert (found.sequence, found.items[0].filled_qty) == (12, Decimal("0.5"))
    assert gateway.calls[0].path == "/v1/orders"


def test_history() -> None:
    """Results, fills and P&L are typed; filters stand in the query as the wire has them."""
    fill = {
        "sequence": 9,
        "time": "2026-01-28T20:30:00.000Z",
        "request_id": "r",
        "idempotency_key": "k",
        "client_order_id": "arb-1",
        "trade_id": "t",
        "platform": "Kalshi",
        "market_id": "M",
        "market_key": "M",
        "strategy": "alpha",
        "model_version": None,
        "side": "Yes",
        "action": "Buy",
        "quantity": 5,
        "price": 0.61,
        "fee": 0.02,
        "is_maker": False,
        "is_reversed": False,
    }
    row = {
        "name": "alpha",
        "realized": -0.2,
        "unrealized": None,
        "fees": 0.1,
        "total": None,
        "fills": 2,
    }
    gateway = Scripted(
        ok({"items": [fill], "cursor": "9", "sequence": 12}),
        ok({"items": [], "cursor": None, "sequence": 12}),
        ok({"by": "strategy", "since": None, "rows": [row], "sequence": 12}),
    )
    client = gateway.client()
    found = client.fills(strategy="alpha", limit=1, since=datetime(2026, 1, 28, tzinfo=UTC))
    assert (found.items[0].price, found.cursor) == (Decimal("0.61"), "9")
    assert client.executions(cursor="9").items == ()
    assert client.pnl().rows[0].realized == Decimal("-0.2")
    assert [each.path for each in gateway.calls] == [
        "/v1/fills?strategy=alpha&limit=1&since=2026-01-28T00%3A00%3A00%2B00%3A00",
        "/v1/executions?cursor=9",
        "/v1/pnl?by=strategy",
    ]


READS: list[Callable[[Client], object]] = [
    lambda client: client.status(),
    lambda client: client.orders(),
    lambda client: client.positions(),
    lambda client: client.balances(),
    lambda client: client.executions(),
    lambda client: client.fills(),
    lambda client: client.pnl(),
    lambda client: client.kill_status(),
    lambda client: client.receipt("r"),
    lambda client: client.feed([]),
    lambda client: client.cancel("o"),
    lambda client: client.cancel_all(),
]


@pytest.mark.parametrize("call", READS)
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (problem(401, "KEY_REQUIRED"), AccessRefused),
        (problem(404, "NOT_FOUND"), GatewayRefused),
        (problem(503, "STARTING"), GatewayBusy),
        (problem(429, "KEY_LIMIT"), GatewayBusy),
        (problem(500, "INTERNAL"), GatewayBusy),
        (LOST, GatewayUnreachable),
        (REFUSED, GatewayUnreachable),
        (Heard(200, b"[1, 2"), GatewayUnreachable),
        (Heard(418, b"tea"), GatewayRefused),
    ],
    ids=str,
)
def test_what_fails_is_told(
    call: Callable[[Client], object], said: Outcome, kind: type[Exception]
) -> None:
    """Each failure of each call is the error that says what to do; patience has an end."""
    gateway = Scripted(*[said] * 200)
    with pytest.raises(kind):
        call(gateway.client(patience_seconds=2))
    assert sum(gateway.pauses) <= 2


def test_closing() -> None:
    """A client closes what carries it, at the end of a block too."""
    gateway = Scripted()
    with gateway.client():
        assert not gateway.is_closed
    assert gateway.is_closed
