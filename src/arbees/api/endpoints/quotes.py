"""`POST /v1/quotes` and `/v1/settlements`: what the paper exchange knows of the markets.

Guarantees that of a list either every item is read or none is taken, and that in live trading
nobody feeds prices by hand. Why: safeguards and paper fills judge by these quotes.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
from starlette.requests import Request

from arbees.api.endpoints.orders import conflict
from arbees.api.http.body import LIST_BYTES_MAX, parameters, read_json
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint
from arbees.api.http.problem import Problem
from arbees.api.http.reply import Reply, json_reply
from arbees.api.openapi.shapes import AcceptedView
from arbees.core.language.quote import QuoteWire, SettlementWire, parse_quote, parse_settlement
from arbees.core.language.strict_json import Malformed
from arbees.interface.operator import Conflict, Listed, TouchView
from arbees.interface.views import Gateway

T = TypeVar("T")

ITEMS_MAX = 1_000
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


@partial(
    Endpoint,
    method="POST",
    path="/v1/quotes",
    operation="feedQuotes",
    summary="Feed quotes to the paper exchange",
    tag="Market data",
    scopes=("submit", "admin"),
    body=QuoteWire | list[QuoteWire],
    body_bytes_max=LIST_BYTES_MAX,
    example={
        "platform": "Kalshi",
        "market_id": "NBA-BOS",
        "sport": "NBA",
        "game_id": "g1",
        "bids": [[0.64, 100]],
        "asks": [[0.66, 50]],
    },
    answers={200: AcceptedView},
    problems={409: ("PAPER_ONLY", "VENUE_SPEAKS")},
)
async def feed(context: Context, request: Request) -> Reply:
    """
    Take one quote, or a list of at most 1,000.

    Either every item is read or none is taken; an error names the place, as in `[3].bids`. A quote
    is the whole known book of the Yes side, the best price first.
    """
    gateway = _paper(context)
    quotes = await _read(context, request, parse_quote)
    try:
        await gateway.feed(quotes)
    except Conflict as error:
        raise conflict(error) from None
    return json_reply(AcceptedView(accepted=len(quotes)))


@partial(
    Endpoint,
    method="GET",
    path="/v1/quotes",
    operation="listQuotes",
    summary="List the newest quote of each market",
    tag="Market data",
    scopes=("read",),
    sight="shared",
    answers={200: Listed[TouchView]},
)
async def show(context: Context, request: Request) -> Reply:
    """
    List the newest quote of each market: the best prices of Yes.

    The newest fed one on paper, the venues' own in live trading; a market that was settled has none
    any more. Safeguards judge by these.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    return json_reply(await gateway.touches())


@partial(
    Endpoint,
    method="POST",
    path="/v1/settlements",
    operation="settle",
    summary="Settle markets on the paper exchange",
    tag="Market data",
    scopes=("admin",),
    body=SettlementWire | list[SettlementWire],
    body_bytes_max=LIST_BYTES_MAX,
    example={"platform": "Kalshi", "market_id": "NBA-BOS", "result": "Yes"},
    answers={200: AcceptedView},
    problems={409: ("PAPER_ONLY", "VENUE_SPEAKS")},
)
async def settle(context: Context, request: Request) -> Reply:
    """Take one settlement, or a list of at most 1,000; either every item is read or none taken."""
    gateway = _paper(context)
    settlements = await _read(context, request, parse_settlement)
    try:
        for settlement in settlements:
            await gateway.settle(settlement)
    except Conflict as error:
        raise conflict(error) from None
    return json_reply(AcceptedView(accepted=len(settlements)))


def _paper(context: Context) -> Gateway:
    gateway = context.gateway
    if gateway.is_live:
        raise Problem(409, "PAPER_ONLY", "Live trading takes quotes from the venues alone")
    return gateway


async def _read(context: Context, request: Request, parse: Callable[[bytes, int], T]) -> list[T]:
    body = await read_json(request.scope, request.receive, LIST_BYTES_MAX)
    return parse_items(body, lambda item: parse(item, context.now_ns()))


def parse_items(body: bytes, parse: Callable[[bytes], T]) -> list[T]:
    """
    Read one JSON object, or a list of them.

    Args:
        body: JSON.
        parse: reads one object, raises Malformed.

    Raises:
        Malformed: with the item's place in front of the field: `[3].bids`.
    """
    if not body.lstrip(b" \t\r\n").startswith(b"["):
        return [parse(body)]
    try:
        items = _ITEMS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(None, f"Expected a JSON list, was unreadable: {error}") from None
    if len(items) > ITEMS_MAX:
        raise Malformed(None, f"Expected at most {ITEMS_MAX} items, was {len(items)}")
    found: list[T] = []
    for place, item in enumerate(items):
        try:
            found.append(parse(bytes(item)))
        except Malformed as error:
            field = f"[{place}]" if error.field is None else f"[{place}].{error.field}"
            raise Malformed(field, error.message, error.advice) from None
    return found
