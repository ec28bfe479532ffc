"""The OpenAPI 3.1 document, made from the table of endpoints.

Guarantees that what it says is what is served: paths, scopes, statuses and codes come from the
table, shapes from the classes that are decoded and encoded. It is made once, when first asked for.
"""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

import arbees
from arbees.api.http.endpoint import (
    EVENT_STREAM,
    JSON,
    Endpoint,
    Parameter,
    problems_of,
)
from arbees.api.http.problem_codes import PROBLEM_CODES
from arbees.api.openapi.docstrings import prose_of
from arbees.api.openapi.schemas import Schema, Schemas

KEY = "key"
"""Name of the security scheme."""
PROBLEM_JSON = "application/problem+json"

_INTRODUCTION = """\
Decides whether an order is safe, makes the decision durable, sends the order, finds out what
became of it.

Every body is JSON in UTF-8; a request's body needs `Content-Type: application/json`. Numbers are
read exactly, as JSON numbers or as strings that hold one, and answered as JSON numbers of at most
six decimals. Times are RFC 3339 with a zone. Fields that are not known, or that stand there twice,
are malformed. Errors are `application/problem+json` (RFC 9457): programs match `code`. A denial is
no error: it is a result with status 200.

`HEAD` is answered wherever `GET` is. Any other method is 405 with `Allow`. An `Origin` or a `Host`
that is not this gateway's own is refused: a web page from elsewhere must not be able to trade.

Without any key there is loopback alone, and everything is allowed on paper. Once a key was created,
all but the health endpoints and these pages need one that carries one of the scopes named."""

_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": ("How to say who asks.", {"type": "string"})},
    429: {"Retry-After": ("Seconds until it may come again.", {"type": "integer"})},
    503: {"Retry-After": ("Seconds until it may come again.", {"type": "integer"})},
}
_SAID = {200: "Done.", 201: "Created.", 202: "Taken, and not final yet."}
TAGS = {
    "Requests": "Requests in, results out.",
    "Kill switch": "Stop, reduce, resume; and what a stop did.",
    "Market data": "What the paper exchange knows of the markets.",
    "Orders": "What is open, and how to end it.",
    "Account": "What is held, what money there is, how much of each limit is used.",
    "Reconciliation": "Our own records compared with the venues'.",
    "Looking": "How the gateway is, was, and what it does just now.",
    "Keys": "Who may ask for what; see also the table of scopes in the documentation.",
    "Pages": "This interface, described; open to everybody who reaches the port.",
    "Health": "For supervisors and monitors; open to everybody who reaches the port.",
}
"""Groups of endpoints, in the order of the page."""


class ProblemView(msgspec.Struct, frozen=True, kw_only=True):
    """An error, as problem details (RFC 9457)."""

    type: str
    title: str
    """The phrase of the status."""
    status: int
    code: str
    """What programs match."""
    detail: str
    """What was expected, what came, and what to do; for people."""
    field: str | msgspec.UnsetType = msgspec.UNSET
    """The field meant, where there is one."""


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Return the document that describes endpoints."""
    schemas = Schemas()
    schemas.of(ProblemView)
    paths: dict[str, dict[str, Any]] = {}
    tags: set[str] = set()
    for endpoint in endpoints:
        tags.add(endpoint.tag)
        at = paths.setdefault(endpoint.template, {})
        at[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Arbees",
            "version": arbees.__version__,
            "summary": "Live-trading safeguards between strategies and prediction markets.",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This gateway."}],
        "tags": [{"name": name, "description": TAGS[name]} for name in TAGS if name in tags],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": {
                KEY: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, with its scopes: `submit`, `cancel`, `read`, "
                    "`halt`, `resume`, `admin`. Of those that an operation names, one is enough.",
                }
            },
        },
    }


def _operation(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": endpoint.operation,
        "summary": endpoint.summary,
        "description": prose_of(endpoint.handler),
        "tags": [endpoint.tag],
    }
    if endpoint.parameters:
        found["parameters"] = [_parameter(each, schemas) for each in endpoint.parameters]
    if endpoint.body is not None:
        content: dict[str, Any] = {"schema": schemas.of(endpoint.body)}
        if endpoint.example is not None:
            content["examples"] = {"typical": {"value": endpoint.example}}
        size = f"At most {endpoint.body_bytes_max:,} bytes."
        found["requestBody"] = {"description": size, "required": True, "content": {JSON: content}}
    found["responses"] = _responses(endpoint, schemas)
    found["security"] = [{KEY: [scope]} for scope in endpoint.scopes]
    return found


def _parameter(parameter: Parameter, schemas: Schemas) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.says,
        "required": parameter.required or parameter.place == "path",
        "schema": schemas.of(parameter.type),
        "examples": {"typical": {"value": parameter.example}},
    }


def _responses(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    links = {
        operation: {"operationId": operation, "parameters": dict(parameters)}
        for operation, parameters in endpoint.links.items()
    }
    found: dict[int, dict[str, Any]] = {}
    for status, kind in endpoint.answers.items():
        said = endpoint.says.get(status) or _SAID.get(status) or HTTPStatus(status).phrase
        found[status] = {"description": said}
        if kind is not None:
            content = _content(endpoint, schemas.of(kind))
            found[status]["content"] = {endpoint.media_type: content}
        if links:
            found[status]["links"] = links
    for status, codes in problems_of(endpoint).items():
        found[status] = _problem(status, codes)
    return {str(status): found[status] for status in sorted(found)}


def _content(endpoint: Endpoint, schema: Schema) -> dict[str, Any]:
    """Return what an answer holds; of a stream, what each of its events does."""
    if endpoint.media_type != EVENT_STREAM:
        return {"schema": schema}
    data = {"type": "string", "contentMediaType": JSON, "contentSchema": schema}
    fields = {"id": {"type": "string"}, "event": {"type": "string"}, "data": data}
    said = "One of the server-sent events; `data` is one JSON object."
    return {"schema": {"type": "object", "description": said, "properties": fields}}


def _problem(status: int, codes: tuple[str, ...]) -> dict[str, Any]:
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"code": {"enum": list(codes)}, "status": {"const": status}}},
        ]
    }
    found: dict[str, Any] = {
        "description": "\n".join(f"- `{code}`: {PROBLEM_CODES[code]}" for code in codes),
        "content": {PROBLEM_JSON: {"schema": schema}},
    }
    if status in _HEADERS:
        found["headers"] = {
            name: {"description": said, "schema": kind}
            for name, (said, kind) in _HEADERS[status].items()
        }
    return found


def operations(spec: Mapping[str, Any]) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and operation of a document, in its order."""
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def anchor_of(text: str) -> str:
    """Return a name that may stand in a link within a page."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
