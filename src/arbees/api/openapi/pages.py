"""`/openapi.json` and `/docs`: the interface, described for programs and for people.

Guarantees that both come from the table of endpoints, that they are made once (off the loop, when
first asked for), and that the page needs nothing from elsewhere and runs no script.
"""

import asyncio
import re
from functools import _lru_cache_wrapper, cache, partial
from typing import Any

import msgspec
from starlette.requests import Request

from arbees.api.http.body import parameters
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint
from arbees.api.http.reply import Header, Reply
from arbees.api.openapi import reference_page
from arbees.api.openapi.document import document

_HTML = b"text/html; charset=utf-8"
_ALONE: tuple[Header, ...] = (
    (b"content-security-policy", reference_page.POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
"""A page that loads nothing, runs nothing, and stands in no other page."""
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:]+\](:\d{1,5})?")
"""What may stand in the examples as the address that the reader came by."""
ADDRESSES_MAX = 16
"""Addresses of which a page is kept: all who read it share one."""
_pages: dict[str, bytes] = {}


@cache
def spec() -> dict[str, Any]:
    """Return the document of all endpoints."""
    from arbees.api.table import ENDPOINTS  # the table names the handlers of this module

    return document(ENDPOINTS)


@cache
def _json() -> bytes:
    return msgspec.json.format(msgspec.json.encode(spec()), indent=1)


@cache
def _page() -> bytes:
    return reference_page.render(spec()).encode()


@partial(
    Endpoint,
    method="GET",
    path="/openapi.json",
    operation="getOpenApi",
    summary="Describe the interface for programs",
    tag="Pages",
    answers={200: dict[str, Any]},
    reaches_gateway=False,
)
async def openapi(_context: Context, request: Request) -> Reply:
    """Describe the interface for programs: an OpenAPI 3.1 document."""
    parameters(request.scope["query_string"], ())
    return Reply(200, await _made(_json))


@partial(
    Endpoint,
    method="GET",
    path="/docs",
    operation="getDocs",
    summary="Describe the interface for people",
    tag="Pages",
    answers={200: str},
    media_type="text/html; charset=utf-8",
    reaches_gateway=False,
)
async def docs(_context: Context, request: Request) -> Reply:
    """Describe the interface for people: one page that works offline."""
    parameters(request.scope["query_string"], ())
    return Reply(200, _for(request.headers.get("host", ""), await _made(_page)), _HTML, _ALONE)


async def _made(make: "_lru_cache_wrapper[bytes]") -> bytes:
    """Return a page; the first time it is made in a thread."""
    return make() if make.cache_info().currsize else await asyncio.to_thread(make)


def _for(host: str, page: bytes) -> bytes:
    """Return the page with the address that the reader came by, for some of all addresses."""
    known = _pages.get(host)
    if known is None and len(_pages) < ADDRESSES_MAX and _HOST.fullmatch(host):
        address = f"http://{host}".encode()
        known = _pages[host] = page.replace(reference_page.ADDRESS.encode(), address)
    return page if known is None else known
