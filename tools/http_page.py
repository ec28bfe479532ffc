"""Write down the HTTP interface as a page of the documentation.

Guarantees that the page names every endpoint, parameter, field, status and code, as the OpenAPI
document does, of which it is made; what is prose stands here. `python -m tools.reference` writes
it, and a test compares.
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from arbees.api.http.problem_codes import PROBLEM_CODES
from arbees.api.openapi.document import document, operations
from arbees.api.openapi.reference_page import SHARED
from arbees.api.table import ENDPOINTS

HTTP_PAGE = Path("docs/reference/http.md")
_REF = "#/components/schemas/"

_HEAD = """\
# HTTP

The gateway listens on `http://127.0.0.1:8321` (`HTTP_HOST`, `HTTP_PORT`). Without
[API keys](../how-to/api-keys.md) it listens on loopback alone: another `HTTP_HOST` refuses to start
(exit 78). Reach it from elsewhere through an SSH tunnel: `ssh -L 8321:127.0.0.1:8321 host`. Once a
key was made, every request but those for health and documentation needs one, as
`Authorization: Bearer arb_...`; which scope each needs stands below and in
[the table](../how-to/api-keys.md#who-may-do-what).

Every body is JSON in UTF-8; one that is sent needs `Content-Type: application/json`. Numbers are
read exactly, as JSON numbers or as strings that hold one, and answered as JSON numbers of at most
six decimals. Unknown fields, a field that stands there twice, and wrong types are malformed:
[Wrong inputs](wrong-inputs.md) shows what is said to each. [Requests and results](results.md) tells
of their fields at more length.

This page is made from the table of endpoints, as are `/openapi.json` (OpenAPI 3.1) and `/docs`, a
page that the gateway serves itself. `HEAD` is answered wherever `GET` is; the path of an id is
percent-encoded.
"""

_NOTES = {
    "Requests": """\
A caller that hangs up changes nothing: what was decided stays decided. On 503 and 500 come again
**with the same key**: either nothing was decided, and the key is as good as before, or what was
decided is not known (`JOURNAL_FAILED`, `SHUTTING_DOWN`, `INTERNAL`), and the key finds it out.
""",
    "Kill switch": """\
Scopes are `all` (unless given), `platform:X`, `sport:X`, `game:X`, `market:X`, `strategy:X` and
`model_version:X`; kinds, `all` and names that are known in any case. One that matches nothing
known is taken, and the answer says `matches_nothing`. To stop or reduce, nothing but `action` is
needed. A halt that stands is not recorded again. A key, or a person, may have 32 halts of less
than everything standing, all together 256; scope `all` always passes. `every` lifts the halts of
all scopes at once. A key that is bound to a strategy lifts only what it raised. The file's halt
is not lifted from here: see [How to stop everything](../how-to/stop-everything.md).
""",
    "Health": """\
The port is bound once the journal is read. Until recovery and the first comparison with the venues
are done, `/readyz` is 503 and requests are answered with 503 `STARTING`.
""",
}

_TAIL = """\
A denial is no error: it is a result, with status 200.

## Why a web page cannot trade

Any page that an operator opens can send requests to `127.0.0.1` from that operator's browser. So a
request is refused with 403 unless `Host` names this machine (a page that rebinds its own name to
loopback sends its own name), whenever it carries an `Origin` that is not this gateway's own, and
when `Sec-Fetch-Site` says that it comes from another site. `Content-Type: application/json` is
required, which a form of a page cannot send unasked, and a page that asks first is refused.

## Connections

HTTP/1.1 with keep-alive (75 s) and pipelining; at most 1,024 connections. One too many ends another
one: first the oldest that never showed a key in force, from whatever address it comes, then an idle
one; what is being decided for a key is never ended. What comes without a key in force is read a few
connections at a time, so that nobody with a key waits for strangers. A key holds at most half of
all connections, but its stops and cancels always come through.

A client may close its sending half after the request and still hears the answer. An offer of
another protocol (`Upgrade: h2c`) is ignored: the request is answered in HTTP/1.1. Head and body
have 10 s each. A head has at most 32 KiB, and so have chunk extensions and trailers of a body;
trailers are dropped, never taken for headers. Whoever takes nothing for 45 s is cut off.
"""

_PROBLEM = """\
## Errors

Errors are `application/problem+json` (RFC 9457). Match `code`; `detail` is for people.

```json
{"type": "about:blank", "title": "Bad Request", "status": 400, "code": "MALFORMED",
 "detail": "Expected a probability from 0 to 1, was 55: did you mean 0.55? 55 percent are 0.55",
 "field": "model_prob"}
```

| status | `code` | when |
|---|---|---|
"""


def http_page() -> str:
    """Return the text of the page."""
    spec = document(ENDPOINTS)
    parts = [_HEAD]
    for tag in spec["tags"]:
        parts.append(f"## {tag['name']}\n\n{tag['description']}\n")
        if tag["name"] in _NOTES:
            parts.append(_NOTES[tag["name"]])
        for method, path, operation in operations(spec):
            if tag["name"] in operation["tags"]:
                parts.append("\n".join(_operation(method, path, operation)))
    parts.append("## Shapes\n\nWhat stands in bodies and answers.\n")
    parts += [_shape(name, schema) for name, schema in spec["components"]["schemas"].items()]
    parts += [_errors(spec), _TAIL]
    return "\n".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"### `{method} {path}`\n"
    yield f"**{operation['summary']}.** {_scopes(operation)}\n"
    for paragraph in operation["description"].split("\n\n"):
        if paragraph.rstrip(".") != operation["summary"]:
            yield f"{textwrap.fill(paragraph, 100, break_long_words=False)}\n"
    if "parameters" in operation:
        yield "| parameter | in | type | |\n|---|---|---|---|"
        for each in operation["parameters"]:
            must = ", required" if each["required"] else ""
            yield _cells(
                f"`{each['name']}`", each["in"] + must, _kind(each["schema"]), each["description"]
            )
        yield ""
    if "requestBody" in operation:
        yield from _body(operation["requestBody"])
    yield "| status | answer | |\n|---|---|---|"
    for status, answer in operation["responses"].items():
        if int(status) not in SHARED:
            said = answer["description"].removeprefix("- ").replace("\n- ", "; ")
            yield _cells(status, _answer(answer), said)
    yield ""


def _scopes(operation: dict[str, Any]) -> str:
    scopes = [scope for need in operation["security"] for each in need.values() for scope in each]
    if not scopes:
        return "Open, needs no key."
    return f"Needs {' or '.join(f'`{scope}`' for scope in scopes)}."


def _body(body: dict[str, Any]) -> Iterator[str]:
    content = body["content"]["application/json"]
    yield f"Body: {_kind(content['schema'])}. {body['description']}\n"
    for example in content["examples"].values():
        text = msgspec.json.format(msgspec.json.encode(example["value"]), indent=2).decode()
        yield f"```json\n{text}\n```\n"


def _answer(answer: dict[str, Any]) -> str:
    for media_type, content in answer.get("content", {}).items():
        schema = content["schema"]
        data = schema.get("properties", {}).get("data", {})
        shown = _kind(data.get("contentSchema", schema))
        return shown if media_type.endswith("json") else f"{shown}, `{media_type}`"
    return ""


def _shape(name: str, schema: dict[str, Any]) -> str:
    required, is_input = schema.get("required", ()), schema.get("additionalProperties") is False
    rows = [f"### {name}\n", f"{schema['description']}\n", "| field | type | |\n|---|---|---|"]
    for field, inner in schema["properties"].items():
        mark = "**required.** " if is_input and field in required else ""
        words = ", ".join(f"`{word}`" for word in inner.get("enum", ()) if word is not None)
        said = f"{mark}{inner.get('description', '')}{f' One of {words}.' if words else ''}"
        rows.append(_cells(f"`{field}`", _kind(inner), said))
    return "\n".join(rows) + "\n"


def _kind(schema: dict[str, Any]) -> str:
    """Return a schema's type as people say it, shapes as links."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REF)
        return f"[{name}](#{name.lower()})"
    if "allOf" in schema:
        return _kind(schema["allOf"][0])
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return f"pair of {_kind(schema['prefixItems'][0])}"
        return f"list of {_kind(schema['items'])}"
    if schema.get("type") == "object" and schema.get("additionalProperties"):
        return f"object of {_kind(schema['additionalProperties'])}"
    kinds = schema.get("type", "anything")
    names = ["time"] if schema.get("format") == "date-time" else []
    names += [each for each in ([kinds] if isinstance(kinds, str) else kinds) if each != "string"]
    if not names or (not schema.get("format") and "string" in kinds):
        names.insert(0, "text")
    return " or ".join(names)


def _errors(spec: dict[str, Any]) -> str:
    by_status: dict[int, set[str]] = {405: {"METHOD_NOT_ALLOWED"}}
    for _, _, operation in operations(spec):
        for status, answer in operation["responses"].items():
            for content in answer.get("content", {}).values():
                for part in content["schema"].get("allOf", ())[1:]:
                    by_status.setdefault(int(status), set()).update(
                        part["properties"]["code"]["enum"]
                    )
    rows = [
        _cells(str(status), f"`{code}`", PROBLEM_CODES[code])
        for status, codes in sorted(by_status.items())
        for code in sorted(codes)
    ]
    return _PROBLEM + "\n".join(rows) + "\n"


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
