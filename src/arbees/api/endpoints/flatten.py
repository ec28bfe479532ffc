"""`/v1/flatten`: close what is held of a scope, and cancel what is open there first.

Guarantees that each order which closes passes every safeguard, within the caps of the key that
asks, that what could not be closed is named with the reason, and that a flattening which is
answered is on record. When the journal fails, the answer is 503 and the venue was asked to cancel
all the same.
"""

import asyncio
from functools import partial

import msgspec
from starlette.requests import Request

from arbees.api.http.access import caller_of
from arbees.api.http.attribution import ASKED, actor_out_of, reason_out_of
from arbees.api.http.body import read_json
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint
from arbees.api.http.problem import Problem
from arbees.api.http.reply import Reply, json_reply
from arbees.core.language import strict_json
from arbees.core.language.strict_json import ABSENT, Malformed, OptionalNumber
from arbees.core.language.units import MICRO, format_micro
from arbees.core.language.words import SCOPE_ALL
from arbees.interface.views import Receipt

WAIT_SECONDS = 5.0
"""How long the answer waits for the end."""
_POLL_SECONDS = 0.02


class FlattenCommand(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is to be closed, why, and how far below the best bid."""

    scope: str = SCOPE_ALL
    """`all`, or `platform:X`, `sport:X`, `game:X`, `market:X`, `strategy:X`."""
    reason: str | None = ASKED
    max_slippage: OptionalNumber = ABSENT
    """Dollars a contract below the best bid, at most the collar; that unless given."""
    actor: str | None = None
    """Who says so; the address that asks where nobody is named."""


_FLATTEN = msgspec.json.Decoder(FlattenCommand)


@partial(
    Endpoint,
    method="POST",
    path="/v1/flatten",
    operation="flatten",
    summary="Close what is held of a scope",
    tag="Orders",
    scopes=("submit", "cancel"),
    sight="own",
    body=FlattenCommand,
    example={"scope": "strategy:s", "reason": "the model is wrong", "max_slippage": "0.05"},
    answers={200: Receipt, 202: Receipt},
    says={
        200: "On record, and nothing is left to come.",
        202: "On record; the receipt fills up until it is `complete`.",
    },
    links={"getReceipt": {"receipt_id": "$response.body#/receipt_id"}},
)
async def flatten(context: Context, request: Request) -> Reply:
    """
    Close what is held of a scope.

    Open orders there are cancelled first; then what is held is sold by orders that close at once
    or not at all, no further below the best bid than the collar, through every safeguard. It works
    while trading is reduced, and is denied where it is halted: step the halt down first. The
    receipt fills up until it is `complete`; `left` names what could not be closed, and why. Asked
    again, it closes what is still held.
    """
    gateway = context.gateway
    asked = strict_json.decode(await read_json(request.scope, request.receive), _FLATTEN)
    caller = caller_of(request.scope)
    caller.stay()
    for scope in ("submit", "cancel"):
        caller.require(scope, "close what is held")
    try:
        receipt_id = await gateway.flatten(
            scope=caller.scope(asked.scope),
            reason=reason_out_of(asked.reason or ""),
            actor=actor_out_of(request, asked.actor),
            max_slippage=_slippage(asked.max_slippage),
            key_id=caller.key_id,
        )
    except ValueError as error:
        raise Malformed("scope", str(error)) from None
    loop = asyncio.get_running_loop()
    until = loop.time() + WAIT_SECONDS
    while (receipt := gateway.receipt(receipt_id)) is not None:
        if receipt.complete or loop.time() >= until:
            return json_reply(receipt, 200 if receipt.complete else 202)
        await asyncio.sleep(_POLL_SECONDS)
    raise Problem(503, "JOURNAL_FAILED", "The receipt cannot be read; look at the venue")


def _slippage(raw: msgspec.Raw) -> int | None:
    found = strict_json.optional_number("max_slippage", raw)
    if found is not None and not 0 <= found < MICRO:
        expected = "Expected dollars a contract from 0 to below 1"
        raise Malformed("max_slippage", f"{expected}, was {format_micro(found)}")
    return found
