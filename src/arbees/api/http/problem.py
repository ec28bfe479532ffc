"""Errors on the wire: RFC 9457 problem details with a `code` that programs match.

Guarantees that whatever goes wrong between socket and gateway reaches the caller as
`application/problem+json`, and that a caller can tell from the status alone whether anything was
decided: 4xx and 503 spent nothing, unless the code is `JOURNAL_FAILED`, `SHUTTING_DOWN` or
`INTERNAL`, whose text says to ask again with the same key.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from arbees.api.http import signposts
from arbees.api.http.reply import Header, Reply
from arbees.core.language.strict_json import Malformed
from arbees.core.orders.result import encode
from arbees.interface.views import Undecided

MEDIA_TYPE = b"application/problem+json"
RETRY = (b"retry-after", b"1")


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """
    An answer that is an error.

    Attributes:
        status: of HTTP.
        code: what programs match.
        detail: what was expected and what came, and what to do.
        field: the field meant, None where there is none.
        headers: further headers of the answer.
        more: further members of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        headers: Iterable[Header] = (),
        **more: Any,
    ) -> None:
        """Keep the parts of the answer."""
        self.status = status
        self.code = code
        self.detail = detail
        self.field = field
        self.headers = tuple(headers)
        self.more = more
        super().__init__(f"{status} {code}: {detail}")

    def reply(self) -> Reply:
        """Return the answer."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.field is not None:
            body["field"] = self.field
        return Reply(self.status, encode(body | self.more), MEDIA_TYPE, self.headers)


def of_malformed(error: Malformed) -> Problem:
    """Return the problem of input that cannot be read."""
    return Problem(400, "MALFORMED", error.text, field=error.field)


def of_undecided(error: Undecided) -> Problem:
    """Return the problem of a request on which nothing was decided."""
    return Problem(503, error.code, error.message, headers=(RETRY,))


_CODES = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}


async def on_problem(_request: Request, error: Exception) -> Reply:
    """Answer a problem."""
    assert isinstance(error, Problem)
    return error.reply()


async def on_malformed(_request: Request, error: Exception) -> Reply:
    """Answer input that cannot be read."""
    assert isinstance(error, Malformed)
    return of_malformed(error).reply()


async def on_undecided(_request: Request, error: Exception) -> Reply:
    """Answer that nothing was decided."""
    assert isinstance(error, Undecided)
    return of_undecided(error).reply()


async def on_routing(request: Request, error: Exception) -> Reply:
    """Answer a path or a method that does not exist."""
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, HTTPStatus(error.status_code).name)
    path, allow = request.url.path[:200], (error.headers or {}).get("Allow", "")
    detail = {
        404: f"There is nothing at {path}{signposts.of_path(path)}",
        405: f"{request.method[:20]} is not offered at {path}"
        f"{signposts.of_method(request.method, path, allow)}",
    }.get(error.status_code, error.detail)
    headers = [
        (name.lower().encode(), text.encode()) for name, text in (error.headers or {}).items()
    ]
    return Problem(error.status_code, code, detail, headers=headers).reply()


async def on_fault(_request: Request, _error: Exception) -> Reply:
    """Answer a fault of the gateway; what became of the request is not known."""
    return Problem(
        500,
        "INTERNAL",
        "The gateway failed; what became of the request is not known. Ask again with the same key.",
    ).reply()
