"""`/v1/keys`: who may ask for what; made, listed and revoked.

Guarantees that a secret is told once, to whoever made the key, and that a revoked key is of no use
from the moment on in which the gateway hears of it.
"""

from starlette.requests import Request

from arbees.api.http.access import caller_of
from arbees.api.http.body import parameters, read_json
from arbees.api.http.context import Context
from arbees.api.http.problem import Problem
from arbees.api.http.reply import Reply, json_reply
from arbees.core.book.api_keys import REASON_MAX, KeyRefused, parse_ask
from arbees.core.language import strict_json
from arbees.core.language.strict_json import Malformed
from arbees.interface.operator import Listed


async def show(context: Context, request: Request) -> Reply:
    """
    List the API keys, oldest first, without their secrets.

    Of a revoked one only its name and its times are known.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    return json_reply(Listed(items=gateway.keys(), sequence=gateway.status().journal.sequence))


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
