"""What an endpoint is: all that routes, access, the OpenAPI document and the docs need of it.

Guarantees that an endpoint is described once. A field that is missing cannot be made up elsewhere.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from arbees.api.http.context import Context

Handler = Callable[[Context, Request], Awaitable[Response]]
"""Answers one request. What goes wrong is raised: `Problem`, `Malformed` or `Undecided`."""
Method = Literal["GET", "POST", "DELETE"]
Scope = Literal["submit", "cancel", "read", "halt", "resume", "admin"]
"""What a key may do; see the table of scopes in the documentation."""
Sight = Literal["own", "shared", "account"]
"""What a key that is bound to a strategy may do: with its own alone, as anybody, not at all."""

JSON = "application/json"
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """
    One parameter of an endpoint.

    Attributes:
        name: as it stands in the query, the path or the head.
        place: where it stands; a parameter of the path is always required.
        type: msgspec type of its value, bounds included: `Annotated[int, msgspec.Meta(ge=0)]`.
        says: what it means, in a sentence.
        example: a valid one.
        required: whether the query or the head must have it.
    """

    name: str
    place: Literal["query", "path", "header"]
    type: Any
    says: str
    example: Any
    required: bool = False


@dataclass(frozen=True)
class Endpoint:
    """
    One method on one path; `@partial(Endpoint, ...)` above its handler makes it.

    Attributes:
        method: `HEAD` comes with every `GET` by itself.
        path: with `{name}` for a part, `{name:path}` where the part may hold slashes (ids may).
        operation: its id in the OpenAPI document, unique, in camelCase.
        summary: what it does, a sentence of at most ten words without a full stop.
        handler: a function `async (context, request) -> Response`; its docstring, without the
            sections for programs, is the description that people read.
        tag: the group in which people look for it, one of `openapi.TAGS`.
        scopes: a key needs one of them; none = open to everybody who reaches the port.
        sight: what keys that are bound to a strategy may do here: `own` = the handler shows and
            changes only what is its strategy's (`caller_of(scope)`), `shared` = there is nothing of
            another strategy to see, `account` = 403.
        parameters: all that it takes; others are refused by the handler (`body.parameters`).
        body: msgspec type of what comes in; None = it takes none.
        body_bytes_max: the longest body, so that the document can say it.
        example: a valid body, as JSON values.
        answers: type of the body by status of success.
        says: what an answer means, by its status, where that is not plain.
        links: operations that may come next, with their parameters as OpenAPI's runtime
            expressions: `{"getExecution": {"request_id": "$request.body#/request_id"}}`.
        media_type: of the answers.
        problems: codes by status that this endpoint alone may answer; what all of them may (host
            refused, no key, malformed input, starting ...) is added by `problems_of`.
        reaches_gateway: whether it needs the gateway, and so may answer 503 while it starts.
    """

    handler: Handler
    _: KW_ONLY
    method: Method
    path: str
    operation: str
    summary: str
    tag: str
    scopes: tuple[Scope, ...] = ()
    sight: Sight = "account"
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    body_bytes_max: int = 65_536
    example: Any = None
    answers: Mapping[int, Any]
    says: Mapping[int, str] = field(default_factory=dict)
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    media_type: str = JSON
    problems: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    reaches_gateway: bool = True

    @property
    def template(self) -> str:
        """The path as people and OpenAPI write it: `/v1/executions/{request_id}`."""
        return self.path.replace(":path}", "}")


def problems_of(endpoint: Endpoint) -> dict[int, tuple[str, ...]]:
    """Return the codes of each status of failure of an endpoint, what all share included."""
    found: dict[int, tuple[str, ...]] = {
        400: ("MALFORMED",),
        403: ("HOST_REFUSED", "ORIGIN_REFUSED"),
        408: ("REQUEST_TIMEOUT",),
        431: ("TOO_LARGE",),
        500: ("INTERNAL",),
        503: ("OVERLOADED",),
    }
    if endpoint.scopes:
        found[401] = ("KEY_REQUIRED",)
        found[403] = (*found[403], "SCOPE_REQUIRED", "STRATEGY_REFUSED")
        found[429] = ("KEY_LIMIT",)
    if endpoint.body is not None:
        found |= {413: ("TOO_LARGE",), 415: ("UNSUPPORTED_MEDIA_TYPE",)}
    if endpoint.reaches_gateway:
        found[503] = ("STARTING", "SHUTTING_DOWN", "JOURNAL_FAILED", "OVERLOADED")
    for status, codes in endpoint.problems.items():
        found[status] = tuple(dict.fromkeys((*codes, *found.get(status, ()))))
    return dict(sorted(found.items()))
