"""`/v1/status`, `/healthz` and `/readyz`: how the gateway is.

Guarantees that `/healthz` answers as long as the process serves, and that `/readyz` says 200 as
long as requests are decided, which a halted gateway does (by denying), with what it refuses.
"""

from functools import partial

from starlette.requests import Request

from arbees.api.http.access import may_read
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint
from arbees.api.http.problem import RETRY, Problem
from arbees.api.http.reply import Reply, json_reply
from arbees.api.openapi.shapes import Alive
from arbees.interface.views import Readiness, StatusView

_ALIVE = json_reply(Alive(alive=True))


@partial(
    Endpoint,
    method="GET",
    path="/v1/status",
    operation="getStatus",
    summary="Show how the gateway is",
    tag="Looking",
    scopes=("read",),
    sight="shared",
    answers={200: StatusView},
)
async def status(context: Context, _request: Request) -> Reply:
    """Show mode, state, halts, venues, the journal's head, the day's P&L, and what to look at."""
    return json_reply(context.gateway.status())


@partial(
    Endpoint,
    method="GET",
    path="/healthz",
    operation="isAlive",
    summary="Say that the process serves",
    tag="Health",
    answers={200: Alive},
    reaches_gateway=False,
)
async def alive(_context: Context, _request: Request) -> Reply:
    """Answer 200 as long as the process serves."""
    return _ALIVE


@partial(
    Endpoint,
    method="GET",
    path="/readyz",
    operation="isReady",
    summary="Say whether requests are decided",
    tag="Health",
    answers={200: Readiness},
    problems={503: ("NOT_READY",)},
)
async def ready(context: Context, request: Request) -> Reply:
    """
    Answer 200 while requests are decided, which a halted gateway does (by denying).

    `refuses` says what would be refused now: to anybody codes and times alone, to a key with `read`
    names and `reasons` too. 503 while it starts, stops, or its journal failed.
    """
    now = context.gateway.readiness()
    if not may_read(context.gateway, request.scope["headers"]):
        now = now.for_strangers()
    if now.ready:
        return json_reply(now)
    raise Problem(
        503,
        "NOT_READY",
        "; ".join(now.reasons) or "The gateway decides nothing now",
        headers=(RETRY,),
        ready=False,
        reasons=now.reasons,
        refuses=now.refuses,
    )
