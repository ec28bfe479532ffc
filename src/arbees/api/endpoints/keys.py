"""`/v1/keys`: who may ask for what; made, listed and revoked.

Guarantees that a secret is told once, to whoever made the key, and that a revoked key is of no use
from the moment on in which the gateway hears of it.
"""

from functools import partial
from typing import Annotated

import msgspec
from starlette.requests import Request

from arbees.api.http.access import caller_of
from arbees.api.http.body import parameters, read_json
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint, Parameter
from arbees.api.http.problem import Problem
from arbees.api.http.reply import Reply, json_reply
from arbees.core.book.api_keys import (
    REASON_MAX,
    CreatedKey,
    KeyAskWire,
    KeyRefused,
    KeyView,
    RevokedKey,
    parse_ask,
)
from arbees.core.language import strict_json
from arbees.core.language.strict_json import Identifier, Malformed
from arbees.interface.operator import Listed


@partial(
    Endpoint,
    method="GET",
    path="/v1/keys",
    operation="listKeys",
    summary="List the API keys, without their secrets",
    tag="Keys",
    scopes=("admin",),
    answers={200: Listed[KeyView]},
)
async def show(context: Context, request: Request) -> Reply:
    """
    List the API keys, oldest first, without their secrets.

    Of a revoked one only its name and its times are known.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    return json_reply(Listed(items=gateway.keys(), sequence=gateway.status().journal.sequence))


@partial(
    Endpoint,
    method="POST",
    path="/v1/keys",
    operation="createKey",
    summary="Make an API key",
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
)
async def create(context: Context, request: Request) -> Reply:
    """
    Make an API key.

    Its secret is in this answer and nowhere else; a key whose answer was lost is revoked, and
    another one made. With the first key that is ever made, every request needs one from then on.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    ask = parse_ask(await read_json(request.scope, request.receive))
    try:
        made = await gateway.create_key(ask, actor=_actor(request))
    except KeyRefused as error:
        raise Problem(409, error.code, error.message) from None
    return json_reply(made, 201)


@partial(
    Endpoint,
    method="DELETE",
    path="/v1/keys/{key_id:path}",
    operation="revokeKey",
    summary="Revoke an API key",
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
)
async def revoke(context: Context, request: Request) -> Reply:
    """
    End an API key.

    From the moment on in which the gateway hears of it nothing new is accepted from it; its orders
    go on. A key that has ended already stays so. Do not revoke the last key with `admin` before you
    have another one: then only `arbees keys create` at a stopped gateway makes one.
    """
    gateway = context.gateway
    found = parameters(request.scope["query_string"], ("reason",))
    reason = found.get("reason", "revoked").strip()
    if not (0 < len(reason) <= REASON_MAX and reason.isprintable()):
        raise Malformed("reason", f"Expected printable text of 1 to {REASON_MAX} characters")
    key_id = strict_json.identifier("key_id", request.path_params["key_id"])
    ended = await gateway.revoke_key(key_id, reason=reason, actor=_actor(request))
    if ended is None:
        raise Problem(404, "NOT_FOUND", f"No key {key_id} is known")
    return json_reply(ended)


def _actor(request: Request) -> str:
    client = request.client.host if request.client else "unknown"
    return caller_of(request.scope).actor(client)
