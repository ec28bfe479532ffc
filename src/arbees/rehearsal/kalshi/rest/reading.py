"""How the simulated Kalshi reads calls and answers: its errors in four shapes, its pages."""

import json
from typing import Any

from aiohttp import web

from arbees.core.language.units import NS_PER_SECOND, parse_micro
from arbees.rehearsal.kalshi.engine.exchange import Exchange
from arbees.rehearsal.kalshi.engine.rules import ExchangeRefusal, part_of, user_of

LIMIT_MAX = 1_000
SUBACCOUNT_MAX = 63
LOCKED = web.RequestKey("locked_subaccount", int)
"""Of a request: the one subaccount that its key may see."""


class BadQuery(Exception):  # noqa: N818 - an answer, not a fault
    """A parameter of the URL is none: `{"msg": ...}`."""


def cut(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def error_reply(status: int, code: str, message: str, details: str = "") -> web.Response:
    """Return an error in the shape of nearly all of them."""
    said = {"code": code, "message": message}
    if details:
        said["details"] = details
    return web.json_response({"error": said}, status=status)


def flat_reply(status: int, code: str, details: str) -> web.Response:
    """Return an error in the shape of a body that cannot be read."""
    said = {"code": code, "message": message_of(code), "details": details}
    return web.json_response(said, status=status)


def message_of(code: str) -> str:
    """Return the message of a code: its words, but for one that is recorded as the code itself."""
    return code if code == "authentication_error" else code.replace("_", " ")


async def read_json(request: web.Request) -> dict[str, Any]:
    """Read a body. Raises Refused."""
    try:
        found = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise ExchangeRefusal(400, "bad_request", str(error)) from None
    if not isinstance(found, dict):
        raise ExchangeRefusal(400, "bad_request", "expected an object")
    return found


def text(body: dict[str, Any], name: str) -> str:
    """Read a text that must be there. Raises Refused."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ExchangeRefusal(400, "invalid_parameters", name)
    return value


def word(body: dict[str, Any], name: str, words: tuple[str, ...]) -> str:
    """Read one of some words. Raises Refused."""
    value = text(body, name)
    if value not in words:
        raise ExchangeRefusal(400, "invalid_parameters", name)
    return value


def fixed(body: dict[str, Any], name: str, places: int) -> int:
    """Read a number that must come as text."""
    value = body.get(name)
    if not isinstance(value, str):
        raise ExchangeRefusal(400, "bad_request", f"{name} must be a string")
    try:
        micro = parse_micro(value)
    except ValueError as error:
        raise ExchangeRefusal(400, "invalid_parameters", f"{name}: {error}") from None
    if micro % 10 ** (6 - places):
        raise ExchangeRefusal(400, "invalid_parameters", f"{name}: at most {places} decimals")
    return micro


def is_plain(text: str) -> bool:
    """Tell whether a client order id is one that Kalshi takes."""
    return len(text) <= 64 and all(each.isalnum() or each in "-_:+=/" for each in text)


def seconds(text: str | None) -> int:
    """Read a time of a query; 0 = absent. Raises BadQuery."""
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise BadQuery(f"invalid timestamp: {text}")
    return int(text)


def subaccount(request: web.Request) -> int | None:
    """Return the subaccount that a call names, or that its key is locked to. Raises BadQuery."""
    named: str | None = request.query.get("subaccount")
    locked = request.get(LOCKED)
    if named is None:
        return locked
    if not (named.isascii() and named.isdigit() and int(named) <= SUBACCOUNT_MAX):
        raise BadQuery(f"invalid subaccount: {named}")
    return int(named)


def parts_of(request: web.Request, owner: str, exchange: Exchange) -> set[str]:
    """Return the accounts that a call means: the named one, or all of the user's."""
    named = subaccount(request)
    if named is not None:
        return {part_of(owner, named)}
    return {owner, *(each for each in exchange.accounts if user_of(each) == owner)}


def span(request: web.Request) -> tuple[int, int]:
    """Return `min_ts` and `max_ts` of a query, in nanoseconds. Raises BadQuery."""
    since, until = seconds(request.query.get("min_ts")), seconds(request.query.get("max_ts"))
    return since * NS_PER_SECOND, (until or 1 << 62) * NS_PER_SECOND


def page(
    request: web.Request, name: str, rows: list[dict[str, Any]], **more: object
) -> web.Response:
    """Return a page; a cursor that nobody gave begins at the first page, as Kalshi's does."""
    limit = request.query.get("limit", "100")
    if not limit.isdigit() or not 1 <= int(limit) <= LIMIT_MAX:
        raise BadQuery(f"invalid limit: {limit}")
    cursor = request.query.get("cursor", "")
    start = int(cursor) if cursor.isdigit() else 0
    end = start + int(limit)
    following = str(end) if end < len(rows) else ""
    return web.json_response({name: rows[start:end], "cursor": following, **more})


def bucket(limit: tuple[float, float]) -> dict[str, float]:
    """Return a token bucket as the API writes it."""
    rate, capacity = (int(each) if each == int(each) else each for each in limit)
    return {"refill_rate": rate, "bucket_capacity": capacity}
