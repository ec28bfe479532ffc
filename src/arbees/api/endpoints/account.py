"""`/v1/positions`, `/balances`, `/safeguards`, `/alerts`, `/cashflows`: what there is, and money.

Guarantees that what is shown is durable, and that a movement of money is an exact amount other than
0, within bounds, by somebody and for a reason.
"""

from functools import partial

import msgspec
from starlette.requests import Request

from arbees.api.endpoints.orders import conflict
from arbees.api.http.access import caller_of
from arbees.api.http.attribution import actor_of, reason_of
from arbees.api.http.body import parameters, read_json
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint
from arbees.api.http.reply import Reply, json_reply
from arbees.core.language import strict_json
from arbees.core.language.strict_json import Malformed
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform
from arbees.interface.operator import (
    AlertView,
    BalanceView,
    CashflowView,
    Conflict,
    Listed,
    PositionView,
    SafeguardView,
)

DOLLARS_MAX = 1_000_000_000
_PLATFORMS = strict_json.words(Platform)


class Cashflow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A deposit or withdrawal as it comes in."""

    platform: str
    """`Kalshi` or `Polymarket`, in any case."""
    amount: strict_json.Number
    """Dollars; below 0 a withdrawal."""
    reason: str
    actor: str | None = None
    """Who says so; the address that asks where nobody is named."""


_CASHFLOW = msgspec.json.Decoder(Cashflow)


@partial(
    Endpoint,
    method="GET",
    path="/v1/positions",
    operation="listPositions",
    summary="List what is held",
    tag="Account",
    scopes=("read",),
    answers={200: Listed[PositionView]},
)
async def positions(context: Context, request: Request) -> Reply:
    """
    List what is held, side by side.

    `mark` is the price at which it could be closed, null if it was never quoted; P&L is by average
    cost, before fees. `worst_case_loss` is that of the whole market with its open orders, as the
    exposure limits count it.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    return json_reply(await gateway.positions())


@partial(
    Endpoint,
    method="GET",
    path="/v1/balances",
    operation="listBalances",
    summary="List the money of each venue",
    tag="Account",
    scopes=("read",),
    answers={200: Listed[BalanceView]},
)
async def balances(context: Context, request: Request) -> Reply:
    """
    List the money of each venue.

    `available` is the venue's own figure, `reserved` what of ours is not provably inside it, and
    `stale` says that the figure is too old to trade on.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    return json_reply(await gateway.balances())


@partial(
    Endpoint,
    method="GET",
    path="/v1/safeguards",
    operation="listSafeguards",
    summary="List the safeguards with settings and headroom",
    tag="Account",
    scopes=("read",),
    answers={200: Listed[SafeguardView]},
)
async def safeguards(context: Context, request: Request) -> Reply:
    """
    List every safeguard in the order of evaluation, with settings and the use of its limits.

    `headroom` is what the next order may add: exactly what its verdict counts from. A safeguard
    that is off has no use.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    return json_reply(await gateway.safeguards())


@partial(
    Endpoint,
    method="GET",
    path="/v1/alerts",
    operation="listAlerts",
    summary="List the alerts that were raised",
    tag="Account",
    scopes=("read",),
    answers={200: Listed[AlertView]},
)
async def alerts(context: Context, request: Request) -> Reply:
    """
    List the alerts that were raised, the newest first, also before a restart.

    One stands until it has a `cleared_at`. Repeats are counted: `count` is as of the last reminder.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    return json_reply(await gateway.alerts())


@partial(
    Endpoint,
    method="POST",
    path="/v1/cashflows",
    operation="moveCash",
    summary="Record a deposit or a withdrawal",
    tag="Account",
    scopes=("admin",),
    body=Cashflow,
    example={"platform": "Kalshi", "amount": 500, "reason": "a transfer from the bank"},
    answers={201: CashflowView},
    problems={409: ("INSUFFICIENT_BALANCE",)},
)
async def move_cash(context: Context, request: Request) -> Reply:
    """
    Record a deposit (above 0) or a withdrawal (below 0).

    On paper it is made at the paper exchange too. It never counts as profit or loss. It is recorded
    each time that it is asked for.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    asked = strict_json.decode(await read_json(request.scope, request.receive), _CASHFLOW)
    caller_of(request.scope).stay()
    platform = strict_json.word("platform", asked.platform, _PLATFORMS)
    amount = strict_json.number("amount", asked.amount)
    if amount == 0 or abs(amount) > DOLLARS_MAX * MICRO:
        expected = f"Expected dollars other than 0, from -{DOLLARS_MAX} to {DOLLARS_MAX}"
        raise Malformed("amount", f"{expected}, was {strict_json.shown(asked.amount)}")
    try:
        moved = await gateway.move_cash(
            platform,
            amount,
            reason=reason_of(asked.reason),
            actor=actor_of(request, asked.actor),
        )
    except Conflict as error:
        raise conflict(error) from None
    return json_reply(moved, 201)
