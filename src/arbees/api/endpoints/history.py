"""`/v1/executions` without a key, `/v1/fills`, `/v1/pnl`: what was executed, what it brought.

Guarantees that a bound key is shown its own strategy alone, and that nothing is worked out on the
loop: the follower reads in threads, one at a time.
"""

from collections.abc import Awaitable, Mapping
from functools import partial
from typing import TypeVar, get_args

from starlette.requests import Request

from arbees.api.http.access import caller_of
from arbees.api.http.body import parameters
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint, Parameter
from arbees.api.http.problem import RETRY, Problem
from arbees.api.http.reply import Reply, json_reply
from arbees.core.language.strict_json import (
    Identifier,
    Malformed,
    Timestamp,
    identifier,
    parse_time,
    shown,
)
from arbees.core.language.words import ResultStatus
from arbees.errors import JournalUnavailable
from arbees.interface.history import PAGE_MAX, FillView, HistoryPage, HistoryQuery, PnlBy, PnlView

T = TypeVar("T")

FILTERS = ("since", "until", "strategy", "market", "cursor", "limit")
CURSOR_DIGITS = 18


async def executions(context: Context, request: Request) -> Reply:
    """Answer with results, the newest first; part of `executions.by_key`."""
    found = parameters(request.scope["query_string"], (*FILTERS, "status", "idempotency_key"))
    query = _query(found, caller_of(request.scope).strategy)
    return json_reply(await _read(context.follower.executions(query)))


HISTORY = (
    Parameter(
        name="since",
        place="query",
        type=Timestamp,
        says="Nothing older.",
        example="2026-01-28T05:00:00Z",
    ),
    Parameter(
        name="until",
        place="query",
        type=Timestamp,
        says="Nothing from then on.",
        example="2026-01-29T05:00:00Z",
    ),
    Parameter(
        name="strategy", place="query", type=Identifier, says="Of a strategy.", example="alpha"
    ),
    Parameter(
        name="market",
        place="query",
        type=Identifier,
        says="Of a market, by the venue's name of it.",
        example="NBA-BOS",
    ),
    Parameter(
        name="cursor",
        place="query",
        type=str,
        says="Only what is older: the `cursor` of the page before.",
        example="100",
    ),
    Parameter(name="limit", place="query", type=str, says="At most so many; 1000.", example="100"),
)
"""What the lists of the history take."""


@partial(
    Endpoint,
    method="GET",
    path="/v1/fills",
    operation="listFills",
    summary="Show executions of orders",
    tag="Looking",
    scopes=("read",),
    sight="own",
    parameters=HISTORY,
    answers={200: HistoryPage[FillView]},
)
async def fills(context: Context, request: Request) -> Reply:
    """
    Show executions of orders, the newest first.

    At most `limit` a page; ask with `cursor` for what is older. A bound key sees its own.
    """
    found = parameters(request.scope["query_string"], FILTERS)
    query = _query(found, caller_of(request.scope).strategy)
    return json_reply(await _read(context.follower.fills(query)))


@partial(
    Endpoint,
    method="GET",
    path="/v1/pnl",
    operation="getPnl",
    summary="Show profit and loss by anything",
    tag="Looking",
    scopes=("read",),
    sight="own",
    parameters=(
        Parameter(
            name="by",
            place="query",
            type=PnlBy,
            says="What tells groups apart; strategy unless given.",
            example="strategy",
        ),
        HISTORY[0],
    ),
    answers={200: PnlView},
)
async def pnl(context: Context, request: Request) -> Reply:
    """
    Show profit and loss by strategy, market, game, sport, model version or day.

    Of the orders that were approved since the moment `since`, ever unless given. What is held
    counts at the last journaled marks; a figure is null where one is missing. A bound key sees its
    own.
    """
    found = parameters(request.scope["query_string"], ("by", "since"))
    by, text = None, found.get("by", "strategy")
    for each in get_args(PnlBy):
        by = each if text == each else by
    if by is None:
        raise Malformed("by", f"Expected one of {', '.join(get_args(PnlBy))}, was {shown(text)}")
    since_ns = _time(found, "since")
    strategy = caller_of(request.scope).strategy
    return json_reply(await _read(context.follower.pnl(by, since_ns, strategy)))


async def _read(reading: Awaitable[T]) -> T:
    try:
        return await reading
    except JournalUnavailable as error:
        raise Problem(503, "JOURNAL_FAILED", str(error), headers=(RETRY,)) from None


def _query(found: Mapping[str, str], own: str | None) -> HistoryQuery:
    """Read what is asked for; a bound key asks for its own strategy. Raises Malformed."""
    status = found.get("status")
    if status is not None and status not in set(ResultStatus):
        expected = ", ".join(ResultStatus)
        raise Malformed("status", f"Expected one of {expected}, was {shown(status)}")
    strategy = identifier("strategy", found["strategy"]) if "strategy" in found else own
    if own is not None and strategy != own:
        raise Malformed("strategy", f"Expected {own}, the strategy of the key, was {strategy}")
    limit = _number(found, "limit", 4) or PAGE_MAX
    if limit > PAGE_MAX:
        raise Malformed("limit", f"Expected a number from 1 to {PAGE_MAX}, was {limit}")
    return HistoryQuery(
        since_ns=_time(found, "since"),
        until_ns=_time(found, "until"),
        strategy=strategy,
        market=identifier("market", found["market"]) if "market" in found else None,
        status=status,
        cursor=_number(found, "cursor", CURSOR_DIGITS),
        limit=limit,
    )


def _time(found: Mapping[str, str], name: str) -> int | None:
    if name not in found:
        return None
    try:
        return parse_time(found[name])
    except ValueError as error:
        raise Malformed(name, str(error)) from None


def _number(found: Mapping[str, str], name: str, digits: int) -> int | None:
    text = found.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= digits and int(text)):
        raise Malformed(name, f"Expected a whole number above 0, was {shown(text)}")
    return int(text)
