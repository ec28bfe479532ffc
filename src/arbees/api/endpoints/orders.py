"""`/v1/orders`: what is open, cancels of one order and of a scope, and ends by hand.

Guarantees that a cancel is asked for in every state of trading, and that one which is answered is
on record. A scope that is left out is the whole account, as with a halt. When the journal fails,
the answer is 503 and the venue was asked all the same.
"""

from functools import partial
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request

from arbees.api.http.access import caller_of
from arbees.api.http.attribution import (
    actor_of,
    actor_out_of,
    reason_of,
    reason_out_of,
)
from arbees.api.http.body import parameters, read_json
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint, Parameter
from arbees.api.http.problem import Problem
from arbees.api.http.reply import Reply, json_reply
from arbees.core.book.api_keys import REASON_MAX
from arbees.core.language import strict_json
from arbees.core.language.strict_json import Identifier, Malformed
from arbees.core.language.words import SCOPE_ALL, Platform
from arbees.interface.operator import CancelReply, Conflict, Listed, OrderView, ResolvedView
from arbees.interface.views import Receipt

_PLATFORMS = strict_json.words(Platform)
_CANCEL_PARAMETERS = ("reason", "actor", "platform")
_MASS_PARAMETERS = ("scope", "reason", "actor")


class ResolveOrderBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How a person ends an order of unknown fate, and why."""

    client_order_id: Identifier
    """Our own id of the order."""
    end: Literal["not_sent", "cancelled"]
    """`not_sent`: it never was at the venue, its key may be used again. `cancelled`: it is there no
    more."""
    reason: str
    actor: str | None = None
    """Who says so; the address that asks where nobody is named."""


_RESOLVE = msgspec.json.Decoder(ResolveOrderBody)


_REASON = Parameter(
    name="reason",
    place="query",
    type=Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_MAX)],
    says="Why; it is journaled.",
    example="the model is wrong",
)
_ACTOR = Parameter(
    name="actor",
    place="query",
    type=Identifier,
    says="Who says so; the address that asks where nobody is named. A key is its own name.",
    example="ann",
)


@partial(
    Endpoint,
    method="GET",
    path="/v1/orders",
    operation="listOrders",
    summary="List the open orders",
    tag="Orders",
    scopes=("read",),
    sight="own",
    answers={200: Listed[OrderView]},
)
async def show(context: Context, request: Request) -> Reply:
    """
    List the open orders, oldest first: working, in flight and of unknown fate.

    A key that is bound to a strategy sees its own.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    caller = caller_of(request.scope)
    found = await gateway.orders()
    if caller.strategy is not None:
        own = tuple(each for each in found.items if caller.sees(each.strategy))
        found = Listed(items=own, sequence=found.sequence)
    return json_reply(found)


@partial(
    Endpoint,
    method="DELETE",
    path="/v1/orders",
    operation="cancelAll",
    summary="Cancel all open orders of a scope",
    tag="Orders",
    scopes=("cancel",),
    sight="own",
    parameters=(
        Parameter(
            name="scope",
            place="query",
            type=Annotated[str, msgspec.Meta(min_length=1)],
            says="`all`, `platform:X`, `sport:X`, `game:X`, `market:X`, `strategy:X` or "
            "`model_version:X`; `all` unless given.",
            example="sport:NBA",
        ),
        _REASON,
        _ACTOR,
    ),
    answers={200: Receipt, 202: Receipt},
    says={
        200: "On record, and nothing is left to come.",
        202: "On record; the receipt fills up until it is `complete`.",
    },
    links={"getReceipt": {"receipt_id": "$response.body#/receipt_id"}},
)
async def cancel_all(context: Context, request: Request) -> Reply:
    """
    Cancel all open orders of a scope.

    Of the whole account unless `scope` says less. The receipt fills up until it is `complete`; ask
    for it again at `/v1/kill-switch/receipts/{receipt_id}`. New orders are not held back: for that,
    halt.
    """
    gateway = context.gateway
    found = parameters(request.scope["query_string"], _MASS_PARAMETERS)
    scope = caller_of(request.scope).scope(found.get("scope", SCOPE_ALL))
    try:
        receipt_id = await gateway.cancel_all(
            scope=scope,
            reason=reason_out_of(found.get("reason", "")),
            actor=actor_out_of(request, found.get("actor")),
        )
    except ValueError as error:
        raise Malformed("scope", str(error)) from None
    receipt = gateway.receipt(receipt_id)
    if receipt is None:
        raise Problem(503, "JOURNAL_FAILED", "The receipt cannot be read; look at the venue")
    return json_reply(receipt, 200 if receipt.complete else 202)


@partial(
    Endpoint,
    method="POST",
    path="/v1/orders/resolve",
    operation="resolveOrder",
    summary="End an order of unknown fate by hand",
    tag="Orders",
    scopes=("admin",),
    body=ResolveOrderBody,
    example={
        "client_order_id": "arb-0123456789abcdef",
        "end": "not_sent",
        "reason": "the venue's support says that it never came",
    },
    answers={200: ResolvedView},
    problems={404: ("NOT_FOUND",), 409: ("NOT_UNKNOWN", "NOT_ABSENT")},
)
async def resolve(context: Context, request: Request) -> Reply:
    """
    End an order by hand: of unknown fate, or one that its venue shows no more.

    Only after looking at the venue: what is said here frees what the order reserved, and with
    `not_sent` its key. It is journaled with who and why; an order that its venue lists at work is
    refused. Should it turn up after all, it is reopened and its fills are taken as corrections.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    asked = strict_json.decode(await read_json(request.scope, request.receive), _RESOLVE)
    caller_of(request.scope).stay()
    name = strict_json.identifier("client_order_id", asked.client_order_id)
    try:
        resolved = await gateway.resolve_order(
            name,
            end=asked.end,
            reason=reason_of(asked.reason),
            actor=actor_of(request, asked.actor),
        )
    except Conflict as error:
        raise conflict(error) from None
    if resolved is None:
        raise Problem(404, "NOT_FOUND", f"No order {name} is known")
    return json_reply(resolved)


@partial(
    Endpoint,
    method="DELETE",
    path="/v1/orders/{order_id:path}",
    operation="cancelOrder",
    summary="Cancel one order",
    tag="Orders",
    scopes=("cancel",),
    sight="own",
    parameters=(
        Parameter(
            name="order_id",
            place="path",
            type=Identifier,
            says="Our own id of the order, or the venue's.",
            example="arb-0123456789abcdef",
        ),
        Parameter(
            name="platform",
            place="query",
            type=Platform,
            says="Whose id it is, where two venues use the same.",
            example="Kalshi",
        ),
        _REASON,
        _ACTOR,
    ),
    answers={200: CancelReply, 202: CancelReply},
    says={
        200: "The order has ended already: `status` says how.",
        202: "The cancel is on record and goes out until it is answered.",
    },
    links={"getExecution": {"request_id": "$response.body#/request_id"}},
    problems={404: ("NOT_FOUND",), 409: ("AMBIGUOUS_ORDER_ID",)},
)
async def cancel(context: Context, request: Request) -> Reply:
    """
    Cancel one order, by our own id or the venue's.

    Cancels pass in every state of trading. 202 says that the cancel is on record and goes out until
    the venue answers it; what became of the order is its own result. 200 says that the order has
    ended already, and how: `status` tells a fill from a cancel. Asking twice is as good as once.
    """
    gateway = context.gateway
    found = parameters(request.scope["query_string"], _CANCEL_PARAMETERS)
    order_id = strict_json.identifier("order_id", request.path_params["order_id"])
    platform = found.get("platform")
    if platform is not None:
        platform = strict_json.word("platform", platform, _PLATFORMS)
    try:
        reply = await gateway.cancel(
            order_id,
            reason=reason_out_of(found.get("reason", "")),
            actor=actor_out_of(request, found.get("actor")),
            platform=platform,
            strategy=caller_of(request.scope).strategy,
        )
    except Conflict as error:
        raise conflict(error) from None
    if reply is None:
        raise Problem(404, "NOT_FOUND", f"No order {order_id} is known")
    return json_reply(reply, 200 if reply.final else 202)


def conflict(error: Conflict) -> Problem:
    """Return the problem of what contradicts."""
    return Problem(409, error.code, error.message)
