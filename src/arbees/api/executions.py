"""`/v1/executions`: requests in, results out.

Guarantees that a request is read exactly or refused with the field's name, that 200 is said of a
final result and 202 of one that is not, and that a caller who hears 503 knows to come again with
the same key. The path of a request is short on purpose: route, body, parse, gateway, encode.
"""

import asyncio
from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from arbees.api.body import parameters, read_json
from arbees.api.context import Context
from arbees.api.problem import Problem
from arbees.api.reply import Reply, json_reply
from arbees.api.shapes import execution_fields
from arbees.core.request import parse_request
from arbees.core.result import encode
from arbees.core.units import MICRO, format_micro, parse_micro
from arbees.core.views import Execution
from arbees.core.wire import Malformed, identifier

WAIT_SECONDS = 10.0
"""How long an answer waits for a final result unless the caller says."""
WAIT_SECONDS_MAX = 60


class Executions:
    """`POST` and `GET /v1/executions`; an ASGI application."""

    def __init__(self, context: Context) -> None:
        """Serve from a gateway."""
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope["method"]
        if method == "POST":
            answer = await self._submit(scope, receive)
        elif method in {"GET", "HEAD"}:
            answer = self._by_key(scope)
        else:
            raise HTTPException(405, headers={"Allow": "GET, HEAD, POST"})
        await answer(scope, receive, send)

    async def _submit(self, scope: Scope, receive: Receive) -> Reply:
        gateway = self._context.gateway
        wait = wait_of(scope["query_string"])
        body = await read_json(scope, receive)
        request = parse_request(body, self._context.now_ns())
        try:
            result = await gateway.submit(request, wait)
        except asyncio.CancelledError:
            raise Problem(
                503,
                "SHUTTING_DOWN",
                "The gateway stopped before the result was known. Ask again with the same key.",
            ) from None
        return Reply(200 if result.final else 202, encode(result))

    def _by_key(self, scope: Scope) -> Reply:
        gateway = self._context.gateway
        found = parameters(scope["query_string"], ("idempotency_key",))
        if "idempotency_key" not in found:
            raise Malformed("idempotency_key", "Expected the key of an execution, was absent")
        key = identifier("idempotency_key", found["idempotency_key"])
        return _shown(gateway.execution_by_key(key), f"idempotency_key {key}")

    async def by_request_id(self, request: Request) -> Reply:
        """Answer `GET /v1/executions/{request_id}`."""
        gateway = self._context.gateway
        parameters(request.scope["query_string"], ())
        request_id = identifier("request_id", request.path_params["request_id"])
        return _shown(gateway.execution(request_id), f"request_id {request_id}")


def _shown(execution: Execution | None, name: str) -> Reply:
    if execution is None:
        raise Problem(404, "NOT_FOUND", f"No execution with {name} is known")
    return json_reply(execution_fields(execution))


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
        raise Malformed("wait", str(error)) from None
    if not 0 <= micro <= WAIT_SECONDS_MAX * MICRO:
        expected = f"Expected seconds from 0 to {WAIT_SECONDS_MAX}"
        raise Malformed("wait", f"{expected}, was {format_micro(micro)}")
    return micro / MICRO
