"""The endpoints: one table, of which everything else is made.

Guarantees that what is routed, what a key may do, what the OpenAPI document says and what the
reference shows are the same. Why one table: a route that is described elsewhere drifts.

To add an endpoint:

1. Write its handler in a module of its subject (`api/endpoints/orders.py`): `async def
   orders(context: Context, request: Request) -> Response`. The docstring is the description in the
   document. Take the gateway from `context.gateway` first (503 while it starts), then
   `parameters(...)` for the query, then `read_json(...)` and `wire.decode(...)` for a body. Answer
   with `json_reply(struct)`; raise `Problem` (api/http/problem.py), `Malformed` or `Undecided`,
   never return an error by hand.
2. Bodies and answers are `msgspec.Struct`s with a docstring on the class and one below each field
   that needs it: the document shows them. Answers with numbers have `Decimal` fields (written as
   JSON numbers). A body's number that is read exactly is `wire.Number` (required) or
   `wire.OptionalNumber` with the default `wire.ABSENT`, read by `wire.number(field, raw)`. A list
   is answered as `Listed[OrderView]`.
3. Add a row here, next to its kin: more specific paths first, `POST /v1/executions` stays the first
   of all (routes are tried in order). `scopes`: a key needs one of them; a handler that asks for
   more by what the body says (lifting a halt) checks it itself. `problems`: only the codes that are
   its own. `example`: a body that works.
4. Run `python -m tools.reference`, which writes docs/reference/http.md. The tests in tests/api
   compare document, reference and table, and fuzz the endpoint by its own description.
"""

from typing import Annotated, Any

import msgspec

from arbees.api.endpoints import (
    events,
    executions,
    keys,
    kill_switch,
    quotes,
    status,
)
from arbees.api.http.body import LIST_BYTES_MAX
from arbees.api.http.endpoint import EVENT_STREAM, Endpoint, Parameter
from arbees.api.openapi import pages
from arbees.api.openapi.shapes import (
    AcceptedView,
    Alive,
    ExecutionView,
    KillView,
    RecordView,
)
from arbees.api.table_measures import HISTORY, MEASURES
from arbees.api.table_operating import OPERATING
from arbees.core.book.api_keys import (
    REASON_MAX,
    CreatedKey,
    KeyAskWire,
    KeyView,
    RevokedKey,
)
from arbees.core.language.quote import QuoteWire, SettlementWire
from arbees.core.language.request import RequestWire
from arbees.core.language.strict_json import Identifier
from arbees.core.language.words import ResultStatus
from arbees.core.orders.result import Result
from arbees.interface.history import HistoryPage
from arbees.interface.operator import Listed, TouchView
from arbees.interface.views import Readiness, Receipt, StatusView

_KEY = Parameter(
    name="idempotency_key",
    place="query",
    type=Identifier,
    says="The key of an execution; its last attempt is shown.",
    example="key-1",
)
_WAIT = Parameter(
    name="wait",
    place="query",
    type=Annotated[float, msgspec.Meta(ge=0, le=executions.WAIT_SECONDS_MAX)],
    says="Seconds to wait for a final result; 0 = at once after the commit; 10 unless given.",
    example=10,
)

_STATUS = Parameter(
    name="status",
    place="query",
    type=ResultStatus,
    says="Only results that stand so now.",
    example="Filled",
)

EXECUTIONS = (
    Endpoint(
        method="POST",
        path="/v1/executions",
        operation="submit",
        summary="Decide a request and send the order",
        handler=executions.submit,
        tag="Requests",
        scopes=("submit",),
        sight="own",
        parameters=(_WAIT,),
        body=RequestWire,
        example={
            "request_id": "req-1",
            "idempotency_key": "key-1",
            "platform": "Kalshi",
            "market_id": "NBA-BOS",
            "side": "Yes",
            "size": 10,
            "limit_price": 0.65,
        },
        answers={200: Result, 202: Result},
        says={
            200: "Decided and final: a fill, a cancel, a denial, a duplicate, a conflict.",
            202: "Decided and not final yet: resting, of unknown fate, or `wait` is over.",
        },
        links={
            "getExecution": {"request_id": "$request.body#/request_id"},
            "findExecution": {"idempotency_key": "$request.body#/idempotency_key"},
        },
        problems={503: ("QUEUE_FULL",)},
    ),
    Endpoint(
        method="GET",
        path="/v1/executions",
        operation="findExecution",
        summary="Show the result of a key, or what was decided",
        handler=executions.by_key,
        tag="Requests",
        scopes=("read",),
        sight="own",
        parameters=(_KEY, *HISTORY, _STATUS),
        answers={200: ExecutionView | HistoryPage[Result]},
        problems={404: ("NOT_FOUND",)},
    ),
    Endpoint(
        method="GET",
        path="/v1/executions/{request_id:path}",
        operation="getExecution",
        summary="Show the result of a request",
        handler=executions.by_request_id,
        tag="Requests",
        scopes=("read",),
        sight="own",
        parameters=(
            Parameter(
                name="request_id",
                place="path",
                type=Identifier,
                says="The id of a request, percent-encoded.",
                example="req-1",
            ),
        ),
        answers={200: ExecutionView},
        problems={404: ("NOT_FOUND",)},
    ),
)

KILL_SWITCH = (
    Endpoint(
        method="POST",
        path="/v1/kill-switch",
        operation="switch",
        summary="Halt, reduce or resume trading",
        handler=kill_switch.act,
        tag="Kill switch",
        scopes=("halt", "resume"),
        sight="shared",
        body=kill_switch.KillCommand,
        example={"action": "ENABLE", "reason": "the model is wrong", "scope": "sport:NBA"},
        answers={200: KillView},
        links={"getReceipt": {"receipt_id": "$response.body#/receipt_id"}},
        problems={409: ("ACKNOWLEDGE_REQUIRED", "TOO_MANY_HALTS")},
    ),
    Endpoint(
        method="GET",
        path="/v1/kill-switch",
        operation="getKillSwitch",
        summary="Show the halts in force",
        handler=kill_switch.show,
        tag="Kill switch",
        scopes=("read",),
        sight="shared",
        answers={200: KillView},
    ),
    Endpoint(
        method="GET",
        path="/v1/kill-switch/receipts/{receipt_id:path}",
        operation="getReceipt",
        summary="Show what a halt, mass cancel or flattening did",
        handler=kill_switch.receipt,
        tag="Kill switch",
        scopes=("read", "halt", "cancel"),
        sight="own",
        parameters=(
            Parameter(
                name="receipt_id",
                place="path",
                type=Identifier,
                says="The id that the command answered.",
                example="receipt-1",
            ),
        ),
        answers={200: Receipt},
        problems={404: ("NOT_FOUND",)},
    ),
)

MARKET_DATA = (
    Endpoint(
        method="POST",
        path="/v1/quotes",
        operation="feedQuotes",
        summary="Feed quotes to the paper exchange",
        handler=quotes.feed,
        tag="Market data",
        scopes=("submit", "admin"),
        body=QuoteWire | list[QuoteWire],
        body_bytes_max=LIST_BYTES_MAX,
        example={
            "platform": "Kalshi",
            "market_id": "NBA-BOS",
            "sport": "NBA",
            "game_id": "g1",
            "bids": [[0.64, 100]],
            "asks": [[0.66, 50]],
        },
        answers={200: AcceptedView},
        problems={409: ("PAPER_ONLY", "VENUE_SPEAKS")},
    ),
    Endpoint(
        method="GET",
        path="/v1/quotes",
        operation="listQuotes",
        summary="List the newest quote of each market",
        handler=quotes.show,
        tag="Market data",
        scopes=("read",),
        sight="shared",
        answers={200: Listed[TouchView]},
    ),
    Endpoint(
        method="POST",
        path="/v1/settlements",
        operation="settle",
        summary="Settle markets on the paper exchange",
        handler=quotes.settle,
        tag="Market data",
        scopes=("admin",),
        body=SettlementWire | list[SettlementWire],
        body_bytes_max=LIST_BYTES_MAX,
        example={"platform": "Kalshi", "market_id": "NBA-BOS", "result": "Yes"},
        answers={200: AcceptedView},
        problems={409: ("PAPER_ONLY", "VENUE_SPEAKS")},
    ),
)

LOOKING = (
    Endpoint(
        method="GET",
        path="/v1/status",
        operation="getStatus",
        summary="Show how the gateway is",
        handler=status.status,
        tag="Looking",
        scopes=("read",),
        sight="shared",
        answers={200: StatusView},
    ),
)

_SEQUENCE = Annotated[int, msgspec.Meta(ge=0, le=events.SEQUENCE_MAX)]

EVENTS = (
    Endpoint(
        method="GET",
        path="/v1/events",
        operation="followEvents",
        summary="Follow the journal as server-sent events",
        handler=events.events,
        tag="Looking",
        scopes=("read",),
        parameters=(
            Parameter(
                name="after",
                place="query",
                type=_SEQUENCE,
                says="Begin after this record; 0, the default, begins with the first.",
                example=0,
            ),
            Parameter(
                name=events.LAST_EVENT_ID,
                place="header",
                type=_SEQUENCE,
                says="The last record that was heard; counts instead of `after`.",
                example=0,
            ),
        ),
        answers={200: RecordView},
        media_type=EVENT_STREAM,
        problems={409: ("AHEAD_OF_JOURNAL",), 503: ("QUEUE_FULL",)},
    ),
)

KEYS = (
    Endpoint(
        method="GET",
        path="/v1/keys",
        operation="listKeys",
        summary="List the API keys, without their secrets",
        handler=keys.show,
        tag="Keys",
        scopes=("admin",),
        answers={200: Listed[KeyView]},
    ),
    Endpoint(
        method="POST",
        path="/v1/keys",
        operation="createKey",
        summary="Make an API key",
        handler=keys.create,
        tag="Keys",
        scopes=("admin",),
        body=KeyAskWire,
        example={
            "name": "alpha",
            "scopes": ["submit", "cancel", "read", "halt"],
            "strategy": "alpha",
            "max_order_size": 20,
            "max_orders_per_minute": 5,
        },
        answers={201: CreatedKey},
        problems={409: ("KEY_NAME_TAKEN", "TOO_MANY_KEYS")},
    ),
    Endpoint(
        method="DELETE",
        path="/v1/keys/{key_id:path}",
        operation="revokeKey",
        summary="Revoke an API key",
        handler=keys.revoke,
        tag="Keys",
        scopes=("admin",),
        parameters=(
            Parameter(
                name="key_id",
                place="path",
                type=Identifier,
                says="The id of a key, not its secret.",
                example="a1b2c3d4e5f6",
            ),
            Parameter(
                name="reason",
                place="query",
                type=Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_MAX)],
                says="Why; it is journaled.",
                example="lost",
            ),
        ),
        answers={200: RevokedKey},
        problems={404: ("NOT_FOUND",)},
    ),
)

OPEN = (
    Endpoint(
        method="GET",
        path="/healthz",
        operation="isAlive",
        summary="Say that the process serves",
        handler=status.alive,
        tag="Health",
        answers={200: Alive},
        reaches_gateway=False,
    ),
    Endpoint(
        method="GET",
        path="/readyz",
        operation="isReady",
        summary="Say whether requests are decided",
        handler=status.ready,
        tag="Health",
        answers={200: Readiness},
        problems={503: ("NOT_READY",)},
    ),
)

PAGES = (
    Endpoint(
        method="GET",
        path="/openapi.json",
        operation="getOpenApi",
        summary="Describe the interface for programs",
        handler=pages.openapi,
        tag="Pages",
        answers={200: dict[str, Any]},
        reaches_gateway=False,
    ),
    Endpoint(
        method="GET",
        path="/docs",
        operation="getDocs",
        summary="Describe the interface for people",
        handler=pages.docs,
        tag="Pages",
        answers={200: str},
        media_type="text/html; charset=utf-8",
        reaches_gateway=False,
    ),
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *EXECUTIONS,
    *KILL_SWITCH,
    *MARKET_DATA,
    *LOOKING,
    *OPERATING,
    *MEASURES,
    *EVENTS,
    *KEYS,
    *OPEN,
    *PAGES,
)
"""All of them, in the order in which routes are tried and pages show them."""
