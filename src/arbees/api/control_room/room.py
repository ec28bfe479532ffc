"""The pages of the control room, made here and sent whole; they load nothing from elsewhere.

Guarantees that every figure is what the API's own handlers answer to the same caller, that what a
caller may not see is said and not hidden, and that the pages run no script but their own. What is
done is done by the public API: the page calls it with the session of its reader.
"""

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, get_args

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from arbees.api.control_room.looking_back import LookingBack, amount
from arbees.api.control_room.sessions import COOKIE, SECONDS
from arbees.api.http.access import ANYBODY, CALLER, NO_KEY, NO_KEYS_YET, Caller, is_closed, refused
from arbees.api.http.body import read_json
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint
from arbees.api.http.problem import Problem
from arbees.api.http.reply import Header, Reply
from arbees.core.language import strict_json
from arbees.core.language.strict_json import Malformed
from arbees.core.language.units import MICRO, format_dollars
from arbees.core.language.words import ResultStatus
from arbees.interface.history import PnlBy
from arbees.interface.measures import By

_HTML = b"text/html; charset=utf-8"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_ALONE: tuple[Header, ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_ASSETS = {"room.js": b"text/javascript; charset=utf-8", "room.css": b"text/css; charset=utf-8"}

SEEN = {
    "status": "getStatus",
    "safeguards": "listSafeguards",
    "alerts": "listAlerts",
    "orders": "listOrders",
    "positions": "listPositions",
    "balances": "listBalances",
    "breaks": "listBreaks",
}
"""What is renewed every second: its name on the page, and the operation of the API."""


class Login(msgspec.Struct, forbid_unknown_fields=True):
    """What opens a session."""

    key: str


_LOGIN = msgspec.json.Decoder(Login)


def dollars(value: Decimal | float | None) -> str:
    """Return an amount for people; a question mark where it is not known."""
    return "?" if value is None else format_dollars(int(Decimal(value) * MICRO))


def moment(text: str | None) -> str:
    """Return a time for people, to the second: `20:30:00 UTC`."""
    return "" if not text else f"{text[11:19]} UTC"


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("arbees.api.control_room"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"dollars": dollars, "moment": moment, "amount": amount}
    return found


def _render(name: str, values: dict[str, Any]) -> Reply:
    text = _environment().get_template(name).render(values)
    return Reply(200, text.encode(), _HTML, _ALONE)


class ControlRoom:
    """The routes of the control room."""

    def __init__(self, context: Context, endpoints: tuple[Endpoint, ...]) -> None:
        """Show what some endpoints answer."""
        self._context = context
        self._endpoints = {each.operation: each for each in endpoints}

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self._page),
            Route("/login", self._login_page, methods=["GET"]),
            Route("/login", self._login, methods=["POST"]),
            Route("/logout", self._logout, methods=["POST"]),
            Route("/room/now", self._now),
            *LookingBack(self._ask_for_reader, _render).routes(),
            Route("/room/{name}", self._asset),
        ]

    def _caller(self, request: Request) -> Caller | None:
        """Return who looks; None = nobody that may."""
        gateway = self._context.gateway
        if is_closed(gateway):
            return None
        if not gateway.is_keyed:
            return ANYBODY
        session = self._context.access.sessions.find(request.scope["headers"], self._now_ns())
        if session is None or not gateway.is_in_force(session.key.key_id):
            return None
        return Caller(session.key, gateway)

    def _now_ns(self) -> int:
        return self._context.now_ns()

    async def _page(self, request: Request) -> Response:
        """Show the room, or the way in."""
        caller = self._caller(request)
        if caller is None:
            return Response(status_code=303, headers={"location": "/login"})
        session = self._context.access.sessions.find(request.scope["headers"], self._now_ns())
        values = {
            "seen": await self._seen(request, caller),
            "who": None if caller.key is None else caller.key.name,
            "scopes": () if caller.key is None else caller.key.scopes,
            "strategy": caller.strategy,
            "statuses": tuple(ResultStatus),
            "groups": get_args(PnlBy),
            "quality_groups": get_args(By),
            "token": "" if session is None else session.token,
        }
        return await asyncio.to_thread(_render, "page.html", values)

    async def _ask_for_reader(
        self,
        request: Request,
        operation: str,
        query: str = "",
        path: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Ask for whoever looks. Raises Problem (401): nobody that may."""
        caller = self._caller(request)
        if caller is None:
            raise refused(NO_KEY)
        return await self._ask(request, caller, operation, query, path)

    async def _now(self, request: Request) -> Response:
        """Return what changes on the page; 401 where the session ended."""
        caller = self._caller(request)
        if caller is None:
            raise refused(NO_KEY)
        values = {"seen": await self._seen(request, caller)}
        return await asyncio.to_thread(_render, "now.html", values)

    async def _seen(self, request: Request, caller: Caller) -> dict[str, Any]:
        """Return what the API answers to a caller, or why it does not, by the page's names."""
        return {
            name: await self._ask(request, caller, operation) for name, operation in SEEN.items()
        }

    async def _ask(
        self,
        request: Request,
        caller: Caller,
        operation: str,
        query: str = "",
        path: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return what an operation of the API answers to a caller, or why it does not."""
        endpoint = self._endpoints[operation]
        asked = {"query_string": query.encode(), "path_params": path or {}}
        scope = {**request.scope, CALLER: caller, **asked}
        try:
            caller.permit(endpoint.scopes, endpoint.sight)
            reply = await endpoint.handler(self._context, Request(scope, request.receive))
        except Problem as problem:
            return {"refused": problem.detail}
        except Malformed as error:
            return {"refused": error.text}
        found: dict[str, Any] = json.loads(bytes(reply.body), parse_float=Decimal)
        return {"refused": None, **found}

    async def _login_page(self, _request: Request) -> Response:
        hint = NO_KEYS_YET if is_closed(self._context.gateway) else ""
        return _render("login.html", {"hint": hint})

    async def _login(self, request: Request) -> Response:
        """Open a session for a key."""
        asked = strict_json.decode(await read_json(request.scope, request.receive), _LOGIN)
        key = self._context.gateway.authenticate(asked.key)
        if key is None:
            raise refused(NO_KEY)
        value = self._context.access.sessions.open(key, self._now_ns())
        cookie = f"{COOKIE}={value}; Path=/; Max-Age={SECONDS}; HttpOnly; SameSite=Strict"
        return Reply(200, b"{}", headers=((b"set-cookie", cookie.encode()),))

    async def _logout(self, request: Request) -> Response:
        """End the session."""
        await read_json(request.scope, request.receive)
        self._context.access.sessions.close(request.scope["headers"])
        gone = f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
        return Reply(200, b"{}", headers=((b"set-cookie", gone.encode()),))

    async def _asset(self, request: Request) -> Response:
        """Return the style or the script of the pages."""
        name = request.path_params["name"]
        if name not in _ASSETS:
            raise Problem(404, "NOT_FOUND", f"There is no {name[:100]} in the control room")
        return Reply(200, _file(name), _ASSETS[name], _ALONE)


@cache
def _file(name: str) -> bytes:
    return files("arbees.api.control_room").joinpath("static", name).read_bytes()
