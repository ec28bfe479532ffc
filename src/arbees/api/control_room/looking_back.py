"""What is asked for on the page: requests and what explains one, fills, P&L, quality, settings.

Guarantees that every word follows from what the API's own handlers answer to the same caller: the
explanation of a request is told from the records in that answer, as a receipt tells it. Why apart
from what is renewed every second: it reads the journal at length, so it is asked for, not repeated.
What cannot be found or read is said in its place.
"""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from arbees.api.http.body import parameters
from arbees.core import events
from arbees.core.language.code import Unit
from arbees.core.language.codes import CODES
from arbees.core.language.strict_json import parse_time
from arbees.core.language.units import MICRO, format_dollars
from arbees.core.orders.result import Recorded
from arbees.history.timeline import tell
from arbees.history.timeline_shapes import Timeline
from arbees.settings import load

ROWS = 25
"""Of a list; more come when asked for."""
_SEARCHES = ("text", "status", "strategy", "market", "cursor")
_UNITS = {Unit.SECONDS: " s", Unit.POINTS: " points"}

Answers = dict[str, Any]
Ask = Callable[..., Awaitable[Answers]]
"""Asks an operation of the API for the caller of a request: query text, parts of the path."""
Render = Callable[[str, dict[str, Any]], Response]


class Change(NamedTuple):
    """A setting that is not the default, as text."""

    safeguard: str
    name: str
    text: str
    default: str


def amount(value: object, code: str) -> str:
    """Return a figure of a verdict for people, in the unit of its code."""
    unit = CODES[code].unit if code in CODES else Unit.TEXT
    if value is None:
        return ""
    if unit is Unit.DOLLARS and isinstance(value, Decimal):
        return format_dollars(int(value * MICRO))
    return str(value) if isinstance(value, str) else f"{value}{_UNITS.get(unit, '')}"


@cache
def _defaults() -> dict[str, str]:
    """Return the defaults of the safeguards' settings, written as they are shown."""
    return {name: text for sheet in load({}).sheets().values() for name, text in sheet.items()}


def changes_of(safeguards: list[dict[str, Any]]) -> list[Change]:
    """Return the settings that differ from their defaults, in the order of the safeguards."""
    defaults = _defaults()
    return [
        Change(safeguard["name"], name, text, defaults.get(name, ""))
        for safeguard in safeguards
        for name, text in safeguard["settings"].items()
        if text != defaults.get(name, "")
    ]


def timeline_of(records: list[dict[str, Any]]) -> Timeline:
    """
    Tell the life of a request.

    Args:
        records: the `events` of an execution, as the API answers them.
    """
    recorded: list[Recorded] = [
        (
            each["sequence"],
            parse_time(each["time"]),
            events.decode(msgspec.json.encode(each["body"])),
        )
        for each in records
    ]
    return tell(recorded, ())


class LookingBack:
    """The parts of the page that are asked for."""

    def __init__(self, ask: Ask, render: Render) -> None:
        """Ask the API by `ask`, and write pages by `render`."""
        self._ask = ask
        self._render = render

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/room/requests", self._requests),
            Route("/room/request", self._request),
            Route("/room/fills", self._fills),
            Route("/room/pnl", self._pnl),
            Route("/room/quality", self._quality),
            Route("/room/settings", self._settings),
        ]

    async def _requests(self, request: Request) -> Response:
        """List requests, the newest first, or the one that a text names."""
        found = parameters(request.scope["query_string"], _SEARCHES)
        asked = {name: text.strip() for name, text in found.items() if text.strip()}
        text = asked.pop("text", None)
        if text is None:
            page = await self._ask(request, "findExecution", urlencode(asked | {"limit": ROWS}))
        else:
            one = await self._named(request, text)
            page = {"refused": one["refused"], "items": [one], "cursor": None}
        return await self._page("requests.html", {"page": page, "asked": asked})

    async def _request(self, request: Request) -> Response:
        """Explain one request: its verdicts, and its life record by record."""
        found = parameters(request.scope["query_string"], ("id",))
        one = await self._named(request, found.get("id", ""))
        if one["refused"]:
            return await self._page("request.html", {"one": one})
        timeline = timeline_of(one["events"])
        values = {
            "one": one,
            "timeline": timeline,
            "came": {each.sequence: each.says for each in timeline.came},
            "held": {each.sequence: each for each in timeline.reserved},
        }
        return await self._page("request.html", values)

    async def _named(self, request: Request, name: str) -> Answers:
        """Return the request of an id, else of a key."""
        one = await self._ask(request, "getExecution", path={"request_id": name})
        if not one["refused"]:
            return one
        by_key = await self._ask(request, "findExecution", urlencode({"idempotency_key": name}))
        return one if by_key["refused"] else by_key

    async def _fills(self, request: Request) -> Response:
        """List fills, the newest first."""
        found = parameters(request.scope["query_string"], ("cursor",))
        page = await self._ask(request, "listFills", urlencode(found | {"limit": ROWS}))
        return await self._page("fills.html", {"page": page})

    async def _pnl(self, request: Request) -> Response:
        """Show profit and loss by anything."""
        found = parameters(request.scope["query_string"], ("by",))
        return await self._page(
            "pnl.html", {"page": await self._ask(request, "getPnl", urlencode(found))}
        )

    async def _quality(self, request: Request) -> Response:
        """Show fill rate, slippage, latencies and denials of the trading day."""
        found = parameters(request.scope["query_string"], ("by",))
        page = await self._ask(request, "getQuality", urlencode(found))
        return await self._page("quality.html", {"page": page})

    async def _settings(self, request: Request) -> Response:
        """Show the settings of the safeguards that are not the defaults."""
        parameters(request.scope["query_string"], ())
        page = await self._ask(request, "listSafeguards")
        changed = [] if page["refused"] else await asyncio.to_thread(changes_of, page["items"])
        return await self._page("settings.html", {"page": page, "changed": changed})

    async def _page(self, name: str, values: dict[str, Any]) -> Response:
        return await asyncio.to_thread(self._render, name, values)
