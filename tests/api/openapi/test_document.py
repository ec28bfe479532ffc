"""The interface's own document: it says what is served, and its page stands alone."""

import ast
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import jsonschema_rs
import msgspec
import pytest

from arbees.api.http import problem_codes
from arbees.api.http.endpoint import Endpoint, problems_of
from arbees.api.openapi import pages, reference_page
from arbees.api.openapi.document import TAGS, document, operations
from arbees.api.openapi.schemas import Schemas
from arbees.api.table import ENDPOINTS
from arbees.core.language.words import Side
from tests.api.fake import Wire

SOURCE = Path(problem_codes.__file__).parents[2]
CODE = re.compile(r"[A-Z]+(_[A-Z]+)*")
T = TypeVar("T")


def ids(endpoints: tuple[Endpoint, ...]) -> list[str]:
    """Return names for the tables of tests."""
    return [endpoint.operation for endpoint in endpoints]


def test_operations_are_named_once() -> None:
    """Every endpoint has an id, a method and a path of its own."""
    assert len({endpoint.operation for endpoint in ENDPOINTS}) == len(ENDPOINTS)
    assert len({(endpoint.method, endpoint.template) for endpoint in ENDPOINTS}) == len(ENDPOINTS)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=ids(ENDPOINTS))
def test_an_endpoint_is_described(endpoint: Endpoint) -> None:
    """Every endpoint has a summary, a description, parameters of its path, and known codes."""
    assert 0 < len(endpoint.summary.split()) <= 10
    assert not endpoint.summary.endswith(".")
    assert endpoint.handler.__doc__
    named = set(re.findall(r"\{(\w+)", endpoint.path))
    assert named == {each.name for each in endpoint.parameters if each.place == "path"}
    said = {code for codes in problems_of(endpoint).values() for code in codes}
    assert said <= set(problem_codes.PROBLEM_CODES)
    assert endpoint.answers
    assert endpoint.tag in TAGS


def codes_raised() -> set[str]:
    """Return the codes with which a `Problem` is made."""
    found: set[str] = set()
    for path in (SOURCE / "api").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Problem", "_refuse"}:
                found |= {
                    str(each.value)
                    for each in node.args[:2]
                    if isinstance(each, ast.Constant) and CODE.fullmatch(str(each.value))
                }
    return found


def test_every_code_of_a_problem_is_explained() -> None:
    """The catalog explains each code that is answered, and no other."""
    assert codes_raised() <= set(problem_codes.PROBLEM_CODES)
    modules = [path for path in SOURCE.rglob("*.py") if path.name != "problem_codes.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in modules)
    assert [code for code in problem_codes.PROBLEM_CODES if f'"{code}"' not in text] == []


def schemas_of(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema of a document, ready to be used alone."""
    more = {"components": spec["components"]}
    for name in spec["components"]["schemas"]:
        yield name, {"$ref": f"#/components/schemas/{name}", **more}


def test_schemas_are_schemas() -> None:
    """Every component is valid JSON Schema, with every reference resolved."""
    schemas = list(schemas_of(pages.spec()))
    assert len(schemas) > 40
    for _, schema in schemas:
        jsonschema_rs.Draft202012Validator(schema)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=ids(ENDPOINTS))
def test_examples_are_valid(endpoint: Endpoint) -> None:
    """The examples of bodies and parameters fit what the document says of them."""
    spec = pages.spec()
    found = next(
        each for _, _, each in operations(spec) if each["operationId"] == endpoint.operation
    )
    places = [*found.get("parameters", ())]
    if endpoint.body is not None:
        assert endpoint.example is not None
        places += found["requestBody"]["content"].values()
    for place in places:
        schema = {**place["schema"], "components": spec["components"]}
        for example in place["examples"].values():
            jsonschema_rs.Draft202012Validator(schema).validate(example["value"])


async def test_document_is_served(wire: Wire) -> None:
    """`/openapi.json` is the document of the table, and so is its `HEAD`."""
    answer = await wire.ask("GET", "/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json == json.loads(json.dumps(document(ENDPOINTS)))
    head = await wire.ask("HEAD", "/openapi.json")
    assert (head.status, head.headers["content-length"]) == (200, answer.headers["content-length"])


class Reader(HTMLParser):
    """Collects what a page would load, where it links to, and what may be linked to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.names: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.loads += [value for name in ("src", "srcset", "style") if (value := found.get(name))]
        self.links += [value] if (value := found.get("href")) else []
        self.names += [value] if (value := found.get("id")) else []
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def test_page_stands_alone(wire: Wire) -> None:
    """`/docs` is HTML that is whole, loads nothing, runs nothing, and may not by its policy."""
    answer = await wire.ask("GET", "/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    reader = Reader()
    reader.feed(answer.body.decode())
    assert reader.open == []
    assert reader.loads == []
    assert not reader.tags & {"script", "img", "link", "iframe", "form", "object", "base"}
    assert "url(" not in answer.body.decode().partition("</style>")[0]
    assert len(reader.names) == len(set(reader.names))
    targets = {f"#{name}" for name in reader.names} | {"/openapi.json"}
    assert set(reader.links) <= targets
    for endpoint in ENDPOINTS:
        assert f"#{endpoint.operation}" in reader.links


def test_page_escapes() -> None:
    """What the document says is text, not HTML."""
    spec = document(ENDPOINTS)
    spec["info"]["description"] = "a <b> `<i>` & c"
    assert "<p>a &lt;b&gt; <code>&lt;i&gt;</code> &amp; c</p>" in reference_page.render(spec)


# Schemas ---------------------------------------------------------------------------------------


class Inner(msgspec.Struct, Generic[T]):
    """Something inside."""

    items: tuple[T, ...]


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    """A shape with one of each kind."""

    text: Annotated[str, msgspec.Meta(min_length=2, pattern="^a")]
    number: Decimal | None
    side: Side | None
    words: list[Literal["x", "y"]]
    pair: tuple[int, float]
    more: dict[str, Any]
    inner: Inner[int]
    one_of: int | Inner[int] | None
    flag: bool = True
    maybe: int | msgspec.UnsetType = msgspec.UNSET


def test_schema_of_each_kind() -> None:
    """Types, bounds, words and null come from the annotations."""
    schemas = Schemas({"flag": "What it means."})
    assert schemas.of(Shape) == {"$ref": "#/components/schemas/Shape"}
    found = schemas.components["Shape"]
    inner = {"$ref": "#/components/schemas/intInner"}
    assert found["properties"] == {
        "text": {"type": "string", "pattern": "^a", "minLength": 2},
        "number": {"type": ["number", "null"]},
        "side": {"type": ["string", "null"], "enum": ["Yes", "No", None]},
        "words": {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}},
        "pair": {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"type": "number"}],
            "minItems": 2,
            "maxItems": 2,
        },
        "more": {"type": "object", "additionalProperties": {}},
        "inner": inner,
        "one_of": {"anyOf": [{"type": "integer"}, inner, {"type": "null"}]},
        "flag": {"type": "boolean", "description": "What it means.", "default": True},
        "maybe": {"type": "integer"},
    }
    assert "flag" not in found["required"]
    assert found["additionalProperties"] is False


def test_a_type_that_is_not_known_is_refused() -> None:
    """A class that never stands on the wire has no schema."""
    with pytest.raises(TypeError, match="stands on the wire"):
        Schemas().of(complex)


async def test_examples_go_to_where_the_page_came_from(wire: Wire) -> None:
    """They can be copied; what is no address gets no page."""
    page = (await wire.ask("GET", "/docs", headers={"Host": "localhost:9000"})).body.decode()
    assert "http://localhost:9000/v1/executions" in page
    assert "127.0.0.1:8321" not in page
    assert (await wire.ask("GET", "/docs", headers={"Host": "localhost:<b>"})).status == 403
