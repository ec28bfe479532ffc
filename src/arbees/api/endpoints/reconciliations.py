"""`/v1/reconciliations`: compare with the venues now, the open breaks, and ends by hand.

Guarantees that a query which failed is told as such and concludes nothing, and that a break which a
person ends is journaled with who and why.
"""

from functools import partial

import msgspec
from starlette.requests import Request

from arbees.api.http.access import caller_of
from arbees.api.http.attribution import actor_of, reason_of
from arbees.api.http.body import parameters, read_json
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint
from arbees.api.http.problem import Problem
from arbees.api.http.reply import Reply, json_reply
from arbees.core.language import strict_json
from arbees.core.language.strict_json import Malformed
from arbees.interface.operator import BreakView, Conflict, Listed, ReconciliationView, ResolvedView

BREAK_ID_MAX = 512


class ResolveBreak(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which break a person ends or takes over, and why."""

    break_id: str
    """As the list of breaks has it."""
    reason: str
    actor: str | None = None
    """Who says so; the address that asks where nobody is named."""


_RESOLVE = msgspec.json.Decoder(ResolveBreak)


@partial(
    Endpoint,
    method="GET",
    path="/v1/reconciliations",
    operation="listBreaks",
    summary="List the open reconciliation breaks",
    tag="Reconciliation",
    scopes=("read",),
    answers={200: Listed[BreakView]},
)
async def show(context: Context, request: Request) -> Reply:
    """List the open reconciliation breaks, oldest first."""
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    return json_reply(await gateway.breaks())


@partial(
    Endpoint,
    method="POST",
    path="/v1/reconciliations",
    operation="reconcile",
    summary="Compare with every venue now",
    tag="Reconciliation",
    scopes=("admin",),
    answers={200: ReconciliationView},
)
async def run(context: Context, request: Request) -> Reply:
    """
    Compare the book with every venue now, and answer when that is done.

    `complete` is false if a venue could not be compared: its query failed, or something moved all
    the time. Of such a venue nothing was concluded, and its breaks stay as they were.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    return json_reply(await gateway.reconcile())


@partial(
    Endpoint,
    method="POST",
    path="/v1/reconciliations/resolve",
    operation="resolveBreak",
    summary="End a reconciliation break by hand",
    tag="Reconciliation",
    scopes=("admin",),
    body=ResolveBreak,
    example={"break_id": "Kalshi|position|NBA-BOS", "reason": "the venue corrected it"},
    answers={200: ResolvedView},
    problems={404: ("NOT_FOUND",)},
)
async def resolve(context: Context, request: Request) -> Reply:
    """
    End a break by hand.

    The market trades again, until a comparison finds the same difference once more. It is journaled
    with who and why.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    name, reason, actor = await _break_and_reason(request)
    resolved = await gateway.resolve_break(name, reason=reason, actor=actor)
    if resolved is None:
        raise Problem(404, "NOT_FOUND", f"No break {name} is open")
    return json_reply(resolved)


@partial(
    Endpoint,
    method="POST",
    path="/v1/reconciliations/adopt",
    operation="adoptBreak",
    summary="Take the venue's word of a reconciliation break",
    tag="Reconciliation",
    scopes=("admin",),
    body=ResolveBreak,
    example={"break_id": "Kalshi|cash|Kalshi:3", "reason": "a trade by hand"},
    answers={200: ResolvedView},
    problems={404: ("NOT_FOUND",), 409: ("AGREES", "NOT_COMPARED")},
)
async def adopt(context: Context, request: Request) -> Reply:
    """
    Take the venue's word of a break.

    The venue is compared first; what it says then becomes the book's, and the break ends and does
    not come back. It is journaled with who and why. What it means for each kind of break stands in
    the guide "How to compare with the venue".
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    name, reason, actor = await _break_and_reason(request)
    try:
        adopted = await gateway.adopt_break(name, reason=reason, actor=actor)
    except Conflict as error:
        raise Problem(409, error.code, error.message) from None
    if adopted is None:
        raise Problem(404, "NOT_FOUND", f"No break {name} is open")
    return json_reply(adopted)


async def _break_and_reason(request: Request) -> tuple[str, str, str]:
    """Return which break is meant, why, and who says so. Raises Malformed."""
    asked = strict_json.decode(await read_json(request.scope, request.receive), _RESOLVE)
    caller_of(request.scope).stay()
    name = asked.break_id
    if not (0 < len(name) <= BREAK_ID_MAX and name.isprintable()):
        expected = f"Expected printable text of 1 to {BREAK_ID_MAX} characters"
        raise Malformed("break_id", f"{expected}, was {strict_json.shown(name)}")
    return name, reason_of(asked.reason), actor_of(request, asked.actor)
