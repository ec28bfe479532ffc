"""Where somebody who asked at the wrong place probably wanted to go.

Guarantees that it only ever adds a sentence to a 404 or a 405.
"""

import difflib
import re
from functools import cache

_PLACES = {
    "order": "POST /v1/executions",
    "orders": "POST /v1/executions",
    "trade": "POST /v1/executions",
    "submit": "POST /v1/executions",
    "execute": "POST /v1/executions",
    "health": "GET /healthz",
    "ready": "GET /readyz",
    "kill": "POST /v1/kill-switch",
    "halt": "POST /v1/kill-switch",
    "stop": "POST /v1/kill-switch",
    "stream": "GET /v1/events",
    "swagger": "GET /docs",
    "redoc": "GET /docs",
    "ws": "GET /v1/events",
}
"""What is looked for under names of other systems."""


@cache
def _templates() -> tuple[str, ...]:
    from arbees.api.table import ENDPOINTS  # the table's handlers import what raises problems

    return tuple(dict.fromkeys(endpoint.template for endpoint in ENDPOINTS))


def of_path(path: str) -> str:
    """Return where to go instead of a path that does not exist; empty if there is no guess."""
    bare = re.sub(r"/+", "/", path[:200]).rstrip("/").lower() or "/"
    for guess in (bare, f"/v1{bare}", re.sub(r"^/api(/v\d+)?", "/v1", bare)):
        if guess in _templates():
            return f": did you mean {guess}?"
    last = bare.rpartition("/")[2]
    if last in _PLACES:
        return f": did you mean {_PLACES[last]}?"
    near = difflib.get_close_matches(bare, _templates(), n=1, cutoff=0.75)
    return f": did you mean {near[0]}?" if near else "; GET /docs shows what there is"


def of_method(method: str, path: str, allow: str) -> str:
    """Return what to do instead of a method that is not offered."""
    if path != "/" and path.endswith("/"):
        return f": did you mean {path.rstrip('/')[:200]}, without the slash at the end?"
    if path == "/v1/orders" and method in {"POST", "PUT"}:
        return ": an order is placed with POST /v1/executions"
    return f"; offered are {allow}" if allow else ""
