"""Keep web pages out: whoever can open a page in the operator's browser must not be able to trade.

Guarantees that a request is answered only if it names this host (a page that rebinds its own name
to loopback sends its own name), carries no `Origin` but this gateway's own (a page that it serves
itself), and does not come from another site. Why here and not at each route: a route that is
forgotten would be open. It refuses with 403, before the body is read.
"""

import ipaddress
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from arbees.api.http.problem import Problem
from arbees.api.http.reply import Header

_OWN_SITES = frozenset({b"same-origin", b"none"})
_KNOWN_MAX = 1_000
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to
"""Whoever listens on all addresses has all their names. It needs keys, which no page has."""


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address surely means this machine alone."""
    name = host.lower().removeprefix("[").removesuffix("]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_of(authority: str) -> str:
    """Return the host of a `Host` header, without its port: `[::1]:8321` gives `[::1]`."""
    host, colon, port = authority.rpartition(":")
    if colon and (port.isascii() and port.isdigit()) and not host.endswith(":"):
        return host
    return authority


class Guard:
    """Middleware that refuses what a browser sends on behalf of a page."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        """
        Guard an application.

        Args:
            app: what is guarded.
            host: where the gateway listens, which may be named besides loopback.
        """
        self._app = app
        self._host = host.lower()
        self._is_any = host in _EVERYWHERE
        self._known: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        problem = self._refusal(scope["headers"]) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await problem.reply()(scope, receive, send)

    def _refusal(self, headers: Iterable[Header]) -> Problem | None:
        hosts, own, origin = 0, b"", None
        for name, value in headers:
            if name == b"host":
                hosts, own = hosts + 1, value
                if value not in self._known and not self._learn(value):
                    return _refuse("HOST_REFUSED", "Expected a Host of this gateway", value)
            elif name == b"origin":
                if origin is not None:
                    return _refuse("ORIGIN_REFUSED", "Expected one Origin header", value)
                origin = value
            elif name == b"sec-fetch-site" and value.strip().lower() not in _OWN_SITES:
                return _refuse("ORIGIN_REFUSED", "Expected no other site to ask", value)
        if hosts != 1:
            return _refuse("HOST_REFUSED", "Expected one Host header", b"%d" % hosts)
        if origin is not None and origin.strip().lower() != b"http://" + own.strip().lower():
            return _refuse("ORIGIN_REFUSED", "Expected no web page but our own to ask", origin)
        return None

    def _learn(self, value: bytes) -> bool:
        """Look at a `Host` that was not seen before; remember it if it is one of ours."""
        host = host_of(value.decode("latin-1").strip()).lower()
        is_ours = is_loopback(host) or host.removeprefix("[").removesuffix("]") == self._host
        if not (is_ours or self._is_any):
            return False
        if len(self._known) < _KNOWN_MAX:
            self._known.add(value)
        return True


def _refuse(code: str, expected: str, value: bytes) -> Problem:
    shown = value[:200].decode("ascii", "replace")
    return Problem(403, code, f"{expected}, was {shown!r}")
