"""From the table of endpoints to routes: one for each path.

Guarantees that a path answers exactly the methods of the table, `HEAD` wherever `GET`, and any
other with 405 and an `Allow` that names them, and that no handler is reached but by whoever may.
Short on purpose: every request passes here.
"""

from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from arbees.api.http.access import CALLER
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint


class Path:
    """The endpoints of one path; an ASGI application."""

    def __init__(self, context: Context, endpoints: Iterable[Endpoint]) -> None:
        """
        Serve a path.

        Args:
            context: what the endpoints share.
            endpoints: one a method.
        """
        self._context = context
        self._by_method = {each.method: each for each in endpoints}
        offered = set(self._by_method)
        if "GET" in offered:
            self._by_method["HEAD"] = self._by_method["GET"]  # type: ignore[index]
        self._allow = ", ".join(sorted(self._by_method))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        endpoint = self._by_method.get(scope["method"])
        if endpoint is None:
            raise HTTPException(405, headers={"Allow": self._allow})
        if endpoint.scopes:
            context = self._context
            scope[CALLER] = context.access.admit(
                context.gateway, scope, endpoint.scopes, endpoint.sight, context.now_ns
            )
        answer = await endpoint.handler(self._context, Request(scope, receive))
        await answer(scope, receive, send)


def routes_of(endpoints: Iterable[Endpoint], context: Context) -> list[Route]:
    """Return a route for each path, in the order in which the table names them first."""
    by_path: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, []).append(endpoint)
    return [Route(path, Path(context, found)) for path, found in by_path.items()]
