"""`/v1/kill-switch`: stop, reduce, resume, and the receipt of what a stop did.

Guarantees that a halt which is answered is in force, that the answer says whether it is durable
too, and that trading does not resume over a halt which the gateway raised by itself unless somebody
says that they have seen it. When the journal fails, the answer is 503 and says what is in force all
the same.
"""

from functools import partial

import msgspec
from starlette.requests import Request

from arbees.api.http.access import ANYBODY, Caller, caller_of
from arbees.api.http.body import parameters, read_json
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint, Parameter
from arbees.api.http.problem import Problem, of_undecided
from arbees.api.http.reply import Reply, json_reply
from arbees.api.openapi.shapes import KillView, kill_view
from arbees.core.language import strict_json
from arbees.core.language.strict_json import Identifier, Malformed
from arbees.core.language.words import SCOPE_ALL, HaltSource
from arbees.interface.operator import Conflict
from arbees.interface.views import Gateway, Receipt, Undecided

_STOPS = frozenset({"ENABLE", "REDUCE"})
ACTIONS = {"enable": "ENABLE", "disable": "DISABLE", "reduce": "REDUCE"}
_SOURCES = {str(source): source for source in (HaltSource.HTTP, HaltSource.COMMAND)}
_REASON_MAX = 1_024


class KillCommand(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A kill-switch command as it comes in."""

    action: str
    reason: str | None = None
    """Why; to DISABLE it is needed."""
    scope: str = SCOPE_ALL
    """`all`, or `platform:X`, `sport:X`, `game:X`, `market:X`, `strategy:X`, `model_version:X`."""
    acknowledge: bool = False
    """To DISABLE, lift also what the gateway halted by itself; to REDUCE, step down what halts."""
    every: bool = False
    """To DISABLE, lift in every scope at once."""
    source: str = str(HaltSource.HTTP)
    """`http`, or `command` from the command line."""
    actor: str | None = None
    """Who says so; the address that asks where nobody is named."""


class _StopBody(msgspec.Struct):
    """What counts of a stop, whatever stands beside it."""

    action: str
    scope: str | None = SCOPE_ALL
    reason: object = None
    acknowledge: object = False
    source: object = None
    actor: object = None


_COMMAND = msgspec.json.Decoder(KillCommand)
_STOP = msgspec.json.Decoder(_StopBody)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


@partial(
    Endpoint,
    method="POST",
    path="/v1/kill-switch",
    operation="switch",
    summary="Halt, reduce or resume trading",
    tag="Kill switch",
    scopes=("halt", "resume"),
    sight="shared",
    body=KillCommand,
    example={"action": "ENABLE", "reason": "the model is wrong", "scope": "sport:NBA"},
    answers={200: KillView},
    links={"getReceipt": {"receipt_id": "$response.body#/receipt_id"}},
    problems={409: ("ACKNOWLEDGE_REQUIRED", "TOO_MANY_HALTS")},
)
async def act(context: Context, request: Request) -> Reply:
    """
    Halt, reduce or resume trading.

    A halt that is answered is in force in memory; `durable` says that it is in the journal too and
    survives a restart. Trading does not resume over a halt that the gateway raised by itself unless
    `acknowledge` says that somebody has seen it.
    """
    gateway = context.gateway
    command = _read(await read_json(request.scope, request.receive))
    client = request.client.host if request.client else "unknown"
    return await switch(gateway, command, client, caller_of(request.scope))


@partial(
    Endpoint,
    method="GET",
    path="/v1/kill-switch",
    operation="getKillSwitch",
    summary="Show the halts in force",
    tag="Kill switch",
    scopes=("read",),
    sight="shared",
    answers={200: KillView},
)
async def show(context: Context, _request: Request) -> Reply:
    """Show the halts in force."""
    return json_reply(kill_view(context.gateway.kill_status()))


@partial(
    Endpoint,
    method="GET",
    path="/v1/kill-switch/receipts/{receipt_id:path}",
    operation="getReceipt",
    summary="Show what a halt, mass cancel or flattening did",
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
)
async def receipt(context: Context, request: Request) -> Reply:
    """
    Show what a halt or a mass cancel did to open orders so far.

    `complete` says that nothing is left to come.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    receipt_id = strict_json.identifier("id", request.path_params["receipt_id"])
    found = gateway.receipt(receipt_id)
    own = caller_of(request.scope).strategy
    if found is None or (own is not None and found.scope != f"strategy:{own}"):
        raise Problem(404, "NOT_FOUND", f"No receipt {receipt_id} is known")
    return json_reply(found)


async def switch(
    gateway: Gateway, command: KillCommand, client: str, caller: Caller = ANYBODY
) -> Reply:
    """
    Carry out a kill-switch command.

    Args:
        gateway: that is switched.
        command: what to do.
        client: the address that asks.
        caller: the key that asks.

    Raises:
        Malformed: a word or a text that cannot be read.
        Problem: the key does not allow it (403), an automatic halt remains (409), or the journal
            failed (503).
    """
    action = strict_json.word("action", command.action, ACTIONS)
    is_stop = action != "DISABLE"
    reason = _reason(command.reason, is_stop=is_stop)
    named = _source(command.source) if is_stop else command.source
    source = strict_json.word("source", named, _SOURCES)
    actor = caller.actor(client if command.actor is None else _actor(command.actor))
    owner = caller.key_id or "" if caller.strategy is not None else ""
    try:
        _check(gateway, caller, command, action, source)
        reply = await gateway.kill_switch(
            action,
            scope=command.scope,
            reason=reason,
            source=source,
            actor=actor,
            acknowledge=command.acknowledge,
            owner=owner,
            every=command.every,
        )
    except ValueError as error:
        raise Malformed("scope", str(error)) from None
    except Conflict as error:
        raise Problem(409, error.code, error.message, field="scope") from None
    except Undecided as error:
        raise _not_durable(gateway, error) from None
    left = [halt for halt in reply.remaining if halt.automatic]
    if action == "DISABLE" and left and not command.acknowledge:
        names = "; ".join(f"{halt.source} on {halt.scope}: {halt.reason}" for halt in left)
        raise Problem(
            409,
            "ACKNOWLEDGE_REQUIRED",
            f"Raised by the gateway itself, and still in force: {names}. "
            "Look at the cause, then send `acknowledge: true`.",
            field="acknowledge",
            **msgspec.structs.asdict(kill_view(reply)),
        )
    return json_reply(kill_view(reply))


def _read(body: bytes) -> KillCommand:
    """Read a command; of one that stops, what cannot be read is left out. Raises Malformed."""
    try:
        return strict_json.decode(body, _COMMAND)
    except Malformed as error:
        return _stop_of(body, error)


def _stop_of(body: bytes, refusal: Malformed) -> KillCommand:
    """Return the stop that is malformed beside its action and scope; else raise the refusal."""
    try:
        stop = _STOP.decode(body)
        strict_json.refuse_duplicates(body, len(_OBJECT.decode(body)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Malformed):
        raise refusal from None
    if ACTIONS.get(stop.action.lower()) not in _STOPS:
        raise refusal
    return KillCommand(
        action=stop.action,
        scope=SCOPE_ALL if stop.scope is None else stop.scope,
        reason=None if stop.reason is None else str(stop.reason),
        acknowledge=stop.acknowledge is True,
        source=_source(stop.source),
        actor=None if stop.actor is None else str(stop.actor),
    )


def _source(named: object) -> str:
    is_known = isinstance(named, str) and named.lower() in _SOURCES
    return str(named) if is_known else str(HaltSource.HTTP)


def _reason(text: str | None, *, is_stop: bool) -> str:
    """Return a reason; a stop needs none, and one that is too long is cut. Raises Malformed."""
    reason = (text or "").strip()
    if is_stop:
        return reason[:_REASON_MAX] or "no reason was given"
    if not 0 < len(reason) <= _REASON_MAX:
        expected = f"Expected a reason of 1 to {_REASON_MAX} characters to resume trading"
        raise Malformed("reason", f"{expected}, was {len(reason)}")
    return reason


def _actor(text: str) -> str:
    """Return who says so as an id: a name that is none keeps nobody from stopping."""
    plain = "".join(each if each.isascii() and each.isprintable() else "?" for each in text)
    return plain[: strict_json.ID_MAX] or "unknown"


def _check(
    gateway: Gateway, caller: Caller, command: KillCommand, action: str, source: str
) -> None:
    """
    Refuse a command that the key does not allow. Stopping is always safe, in any scope.

    Raises:
        Problem: 403.
        ValueError: unknown scope.
    """
    if caller.key is None:
        return
    if action != "DISABLE":
        caller.require("halt", "stop or reduce trading")
    if gateway.is_loosening(
        action,
        scope=command.scope,
        source=source,
        acknowledge=command.acknowledge,
    ):
        caller.require("resume", "resume trading, or to reduce where it is halted")
        caller.scope(SCOPE_ALL if command.every else command.scope)


def _not_durable(gateway: Gateway, error: Undecided) -> Problem:
    """Return the 503 of a journal that failed, with what is in force in memory."""
    problem = of_undecided(error)
    now = gateway.kill_status()
    problem.more = {"durable": False, "state": now.state, "halts": now.halts}
    return problem
