"""The page that people read: the OpenAPI document as one page of HTML.

Guarantees that the page says what the document says, and that it stands alone: no script, no font
and no style from elsewhere, which its `POLICY` forbids a browser to load. Whatever comes from the
document is escaped.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from typing import Any

import msgspec

from arbees.api.openapi.document import anchor_of, operations
from arbees.api.openapi.schemas import Schema

_CSS = files("arbees.api.openapi").joinpath("reference_page.css").read_text(encoding="utf-8")
_DIGEST = b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Of the page's content: its own style, and nothing else."""
ADDRESS = "http://127.0.0.1:8321"
"""Of the gateway, in examples."""
SHARED = frozenset({400, 401, 403, 408, 413, 415, 429, 431, 500, 503})
"""Statuses that are much the same wherever they are answered; the page folds them away."""

_REF = "#/components/schemas/"


def render(spec: dict[str, Any]) -> str:
    """Return the page of a document."""
    info = spec["info"]
    title = f"{escape(info['title'])}: HTTP interface"
    return "".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{title}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n",
            *_navigation(spec),
            f'<main>\n<h1 id="top">HTTP interface</h1>\n<p class="lede">{_text(info["summary"])}',
            ' The same for programs: <a href="/openapi.json">openapi.json</a>.</p>\n',
            _prose(info["description"]),
            *_groups(spec),
            *_shapes(spec),
            "</main>\n</body>\n</html>\n",
        )
    )


def _text(text: str) -> str:
    """Escape a sentence; what stands in backticks becomes code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(
        f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts)
    )


def _prose(text: str) -> str:
    """Return paragraphs and lists."""
    found: list[str] = []
    for block in text.split("\n\n"):
        lines = block.split("\n")
        if all(line.startswith("- ") for line in lines):
            items = "".join(f"<li>{_text(line[2:])}</li>" for line in lines)
            found.append(f"<ul>{items}</ul>" if len(lines) > 1 else f"<p>{_text(lines[0][2:])}</p>")
        else:
            found.append(f"<p>{_text(' '.join(lines))}</p>")
    return "".join(found)


def _navigation(spec: dict[str, Any]) -> Iterator[str]:
    info = spec["info"]
    yield '<nav aria-label="Contents">\n<a class="brand" href="#top">'
    yield f'{escape(info["title"])} <span class="version">{escape(info["version"])}</span></a>\n'
    for tag in spec["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2>\n<ul>\n"
        for method, _, operation in operations(spec):
            if tag["name"] in operation["tags"]:
                link = f'<a href="#{escape(operation["operationId"])}">{_badge(method)}'
                yield f"<li>{link}<span>{escape(operation['summary'])}</span></a></li>\n"
        yield "</ul>\n"
    yield "<h2>Shapes</h2>\n<ul>\n"
    for name in spec["components"]["schemas"]:
        yield f'<li><a class="plain" href="#shape-{anchor_of(name)}">{escape(name)}</a></li>\n'
    yield "</ul>\n</nav>\n"


def _badge(method: str) -> str:
    return f'<span class="method {method.lower()}">{method}</span>'


def _groups(spec: dict[str, Any]) -> Iterator[str]:
    for tag in spec["tags"]:
        yield f'\n<h2 id="tag-{anchor_of(tag["name"])}">{escape(tag["name"])}</h2>\n'
        yield f"<p>{_text(tag.get('description', ''))}</p>\n"
        for method, path, operation in operations(spec):
            if tag["name"] in operation["tags"]:
                yield from _operation(method, path, operation)


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    name = escape(operation["operationId"])
    yield f'<article id="{name}">\n<h3>{_badge(method)}<span class="path">{escape(path)}</span>'
    yield f'<a class="anchor" href="#{name}" aria-label="Link to {name}">#</a></h3>\n'
    yield f'<p class="summary">{_text(operation["summary"])}</p>\n'
    said = operation["description"].removeprefix(f"{operation['summary']}.").strip()
    yield _prose(said) if said else ""
    scopes = [scope for need in operation["security"] for each in need.values() for scope in each]
    pills = " or ".join(f'<span class="scope">{escape(scope)}</span>' for scope in scopes)
    yield f'<p class="needs">{"Needs a key with " + pills if pills else "Open, needs no key"}</p>\n'
    if "parameters" in operation:
        yield '<h4>Parameters</h4>\n<div class="scroll"><table>\n'
        for each in operation["parameters"]:
            must = each["required"]
            said = f"{each['description']} In the {each['in']}."
            yield _row(each["name"], each["schema"], said, must=must)
        yield "</table></div>\n"
    yield from _body(method, path, operation)
    own = {s: each for s, each in operation["responses"].items() if int(s) not in SHARED}
    shared = {s: each for s, each in operation["responses"].items() if int(s) in SHARED}
    yield f"<h4>Answers</h4>\n{_answers(own)}"
    yield f"<details><summary>What any endpoint may answer: {', '.join(shared)}</summary>\n"
    yield f"{_answers(shared)}</details>\n</article>\n"


def _body(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    body = operation.get("requestBody")
    if body is None:
        return
    content = body["content"]["application/json"]
    yield f"<h4>Body</h4>\n<p>{_kind(content['schema'])}. {_text(body['description'])}</p>\n"
    for example in content.get("examples", {}).values():
        text = msgspec.json.format(msgspec.json.encode(example["value"]), indent=2).decode()
        head = f"curl -s -X {method} {ADDRESS}{path}"
        media = "  -H 'Content-Type: application/json'"
        command = " \\\n".join((head, media, f"  -d '{text}'"))
        yield f"<pre><code>{escape(command)}</code></pre>\n"


def _answers(answers: dict[str, Any]) -> str:
    rows = "".join(_answer(status, answer) for status, answer in answers.items())
    return f'<div class="scroll"><table>\n{rows}</table></div>\n'


def _answer(status: str, answer: dict[str, Any]) -> str:
    kind = "ok" if status < "300" else "bad"
    shapes = []
    for media_type, content in answer.get("content", {}).items():
        schema = content["schema"]
        if "allOf" in schema:
            schema = schema["allOf"][0]
        data = schema.get("properties", {}).get("data", {})
        shown = _kind(data.get("contentSchema", schema))
        plain = media_type in {"application/json", "application/problem+json"}
        shapes.append(shown if plain else f"{shown} as <code>{escape(media_type)}</code>")
    return (
        f'<tr><td class="status {kind}">{status}</td><td>{_prose(answer["description"])}</td>'
        f'<td class="type">{", ".join(shapes)}</td></tr>\n'
    )


def _shapes(spec: dict[str, Any]) -> Iterator[str]:
    yield '\n<h2 id="shapes">Shapes</h2>\n<p>What stands in bodies and answers.</p>\n'
    for name, schema in spec["components"]["schemas"].items():
        anchor = f"shape-{anchor_of(name)}"
        yield f'<article id="{anchor}">\n<h3><span class="path">{escape(name)}</span>'
        yield f'<a class="anchor" href="#{anchor}" aria-label="Link to {escape(name)}">#</a></h3>\n'
        yield _prose(schema["description"])
        yield '<div class="scroll"><table>\n'
        required = set(schema.get("required", ()))
        is_input = schema.get("additionalProperties") is False
        for field, inner in schema["properties"].items():
            must = is_input and field in required
            yield _row(field, inner, inner.get("description", ""), must=must)
        yield "</table></div>\n</article>\n"


def _row(name: str, schema: Schema, said: str, *, must: bool) -> str:
    mark = '<span class="must">required</span>' if must else ""
    bounds = _bounds(schema)
    more = f" <span>{_text(bounds)}</span>" if bounds else ""
    return (
        f"<tr><td><code>{escape(name)}</code>{mark}</td>"
        f'<td class="type">{_kind(schema)}</td><td>{_text(said)}{more}</td></tr>\n'
    )


def _kind(schema: Schema) -> str:
    """Return a schema's type as people say it, classes as links."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REF)
        return f'<a href="#shape-{anchor_of(name)}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(_kind(each) for each in schema['prefixItems'])}]"
        return f"list of {_kind(schema['items'])}"
    if schema.get("type") == "object" and "additionalProperties" in schema:
        return f"object of {_kind(schema['additionalProperties'])}"
    if schema.get("format") == "date-time":
        return "time" + (" or null" if "null" in schema["type"] else "")
    kind = schema.get("type", "anything")
    return escape(kind if isinstance(kind, str) else " or ".join(kind))


def _bounds(schema: Schema) -> str:
    """Return the words and limits of a schema, where its description does not say them."""
    words = [f"`{each}`" for each in schema.get("enum", ()) if each is not None]
    found = [f"One of {', '.join(words)}."] if words else []
    if "default" in schema:
        found.append(f"Default `{schema['default']}`.")
    return " ".join(found)
