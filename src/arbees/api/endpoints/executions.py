"""`/v1/executions`: requests in, results out.

Guarantees that a request is read exactly or refused with the field's name, that 200 is said of a
final result and 202 of one that is not, and that a caller who hears 503 knows to come again with
the same key. The path of a request is short on purpose: route, body, parse, gateway, encode.
"""

import asyncio
from functools import lru_cache, partial
from typing import Annotated

import msgspec
from msgspec import UNSET
from msgspec.structs import replace
from starlette.requests import Request as HttpRequest

from arbees.api.endpoints import history
from arbees.api.endpoints.history import HISTORY
from arbees.api.http.access import Caller, caller_of
from arbees.api.http.body import parameters, read_json
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint, Parameter
from arbees.api.http.problem import Problem
from arbees.api.http.reply import Reply, json_reply
from arbees.api.openapi.shapes import ExecutionView, execution_view
from arbees.core.language.ids import scoped
from arbees.core.language.request import Request, RequestWire, parse_request
from arbees.core.language.strict_json import Identifier, Malformed, identifier
from arbees.core.language.units import MICRO, format_micro, parse_micro
from arbees.core.language.words import ResultStatus
from arbees.core.orders.result import Result
from arbees.interface.history import HistoryPage
from arbees.interface.views import Execution

WAIT_SECONDS = 10.0
"""How long an answer waits for a final result unless the caller says."""
WAIT_SECONDS_MAX = 60


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
    type=Annotated[float, msgspec.Meta(ge=0, le=WAIT_SECONDS_MAX)],
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


@partial(
    Endpoint,
    method="POST",
    path="/v1/executions",
    operation="submit",
    summary="Decide a request and send the order",
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
)
async def submit(context: Context, request: HttpRequest) -> Reply:
    """
    Decide a request, send the order, and wait for a final result.

    200 is said of a final result (a denial is one), 202 of one that is not: a resting order as soon
    as the venue has it, an order whose fate is not known, or `wait` is over. A caller that hangs up
    changes nothing. On 503 come again with the same key.
    """
    gateway = context.gateway
    scope = request.scope
    wait = wait_of(scope["query_string"])
    body = await read_json(scope, request.receive)
    asked = parse_request(body, context.now_ns())
    caller = caller_of(scope)
    if caller.strategy is not None:
        asked = of_strategy(asked, caller.acts_for(asked.strategy) or caller.strategy)
    try:
        result = await gateway.submit(asked, wait, caller.key_id)
    except asyncio.CancelledError:
        raise Problem(
            503,
            "SHUTTING_DOWN",
            "The gateway stopped before the result was known. Ask again with the same key.",
        ) from None
    original = result.original
    if isinstance(original, Result) and not caller.sees(original.strategy):
        result = replace(result, original=UNSET)
    return json_reply(result, 200 if result.final else 202)


def of_strategy(asked: Request, strategy: str) -> Request:
    """Return a request of a bound key: for its strategy, under ids of that strategy's own."""
    signal_id = None if asked.signal_id is None else scoped(strategy, asked.signal_id)
    return replace(
        asked,
        strategy=strategy,
        request_id=scoped(strategy, asked.request_id),
        idempotency_key=scoped(strategy, asked.idempotency_key),
        signal_id=signal_id,
    )


@partial(
    Endpoint,
    method="GET",
    path="/v1/executions",
    operation="findExecution",
    summary="Show the result of a key, or what was decided",
    tag="Requests",
    scopes=("read",),
    sight="own",
    parameters=(_KEY, *HISTORY, _STATUS),
    answers={200: ExecutionView | HistoryPage[Result]},
    problems={404: ("NOT_FOUND",)},
)
async def by_key(context: Context, request: HttpRequest) -> Reply:
    """
    Show the result of a key's last attempt, or what was decided, the newest first.

    With `idempotency_key`: the result as known now, with the records it is the fold of. Without it:
    a page of results, at most `limit`; ask with `cursor` for what is older. A bound key sees its
    own.
    """
    gateway = context.gateway
    if b"idempotency_key=" not in request.scope["query_string"]:
        if request.headers.get("content-length", "0") != "0":
            raise Malformed(
                "idempotency_key",
                "Expected the key of an execution, was absent",
                "GET shows a result, a request is sent with POST",
            )
        return await history.executions(context, request)
    found = parameters(request.scope["query_string"], ("idempotency_key",))
    key = identifier("idempotency_key", found["idempotency_key"])
    execution = gateway.execution_by_key(key, caller_of(request.scope).strategy)
    return _shown(caller_of(request.scope), execution, f"idempotency_key {key}")


@partial(
    Endpoint,
    method="GET",
    path="/v1/executions/{request_id:path}",
    operation="getExecution",
    summary="Show the result of a request",
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
)
async def by_request_id(context: Context, request: HttpRequest) -> Reply:
    """Show the result of a request as known now, with the records it is the fold of."""
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    request_id = identifier("request_id", request.path_params["request_id"])
    execution = gateway.execution(request_id, caller_of(request.scope).strategy)
    return _shown(caller_of(request.scope), execution, f"request_id {request_id}")


def _shown(caller: Caller, execution: Execution | None, name: str) -> Reply:
    if execution is None or not caller.sees(execution.result.strategy):
        raise Problem(404, "NOT_FOUND", f"No execution with {name} is known")
    return json_reply(execution_view(execution))


@lru_cache(maxsize=128)
def wait_of(query: bytes) -> float:
    """
    Read how long to wait for a final result.

    Args:
        query: of the URL.

    Returns:
        Seconds; 0 = at once after the commit.

    Raises:
        Malformed: another parameter, no number, or out of range.
    """
    text = parameters(query, ("wait",)).get("wait")
    if text is None:
        return WAIT_SECONDS
    try:
        micro = parse_micro(text)
    except ValueError as error:
        raise Malformed("wait", str(error), "seconds without a unit: wait=10") from None
    if not 0 <= micro <= WAIT_SECONDS_MAX * MICRO:
        expected = f"Expected seconds from 0 to {WAIT_SECONDS_MAX}"
        raise Malformed("wait", f"{expected}, was {format_micro(micro)}")
    return micro / MICRO
