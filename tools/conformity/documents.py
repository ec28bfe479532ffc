"""Kalshi's own documents as judges: of each call and answer, and of each message of a stream.

Guarantees that what a document requires is required, that what it does not know is pointed out
too, and that an exception from either is written down with its reason.

Source: the OpenAPI document 3.34 and the AsyncAPI document of 2026-08-22.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import yaml  # type: ignore[import-untyped]

from tools.conformity.tap import Call

ROOT = "/trade-api/v2"
OPENAPI = "kalshi_openapi_3.34_reconstructed.yaml"
ASYNCAPI = "kalshi_asyncapi_2026-08-22.yaml"
EXCEPTIONS = {
    "market_ticker": "recorded in every fill, though the document does not have it",
    "exchange_index": "of user_order: newer than the document, since 2026-10-01",
    "last_update_reason": "newer than the document, since 2026-10-01",
    "sending_ts_ms": "newer than the document, on all messages since 2026-10-01",
    "seq": "of errors: newer than the document, since 2026-09-10",
    "sid": "of errors: newer than the document, since 2026-09-10",
    "error": "of a batch: each item may carry an error, which the document has no words for",
}
"""Fields that the documents do not name, and why they are sent all the same."""
_PLACE = re.compile(r"\{[^}]*\}")
ERROR_SHAPES: tuple[dict[str, Any], ...] = (
    {
        "required": ["error"],
        "additionalProperties": False,
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "additionalProperties": False,
                "properties": {
                    "code": {"type": "string", "minLength": 1},
                    "message": {"type": "string"},
                    "details": {"type": "string"},
                },
            }
        },
    },
    {
        "required": ["code", "message"],
        "additionalProperties": False,
        "properties": {name: {"type": "string"} for name in ("code", "message", "details")},
    },
    {
        "required": ["msg"],
        "additionalProperties": False,
        "properties": {"msg": {"type": "string"}},
    },
    {
        "required": ["error"],
        "additionalProperties": False,
        "properties": {"error": {"type": "string"}},
    },
)
"""The four shapes of errors as recorded; the document shows the second alone, for all of them."""


class Document:
    """One document: its schemas, as JSON Schema has them."""

    def __init__(self, path: Path) -> None:
        """Read it. Raises OSError."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.content: dict[str, Any] = yaml.load(path.read_bytes(), loader)  # noqa: S506 - safe
        self._components = plain(self.content["components"])
        self._judges: dict[str, jsonschema_rs.Draft7Validator] = {}

    def complaints(self, name: str, schema: Mapping[str, Any], value: object) -> list[str]:
        """Return what is wrong with a value by a schema of the document, kept under a name."""
        judge = self._judges.get(name)
        if judge is None:
            whole = {"allOf": [plain(schema)], "components": self._components}
            judge = jsonschema_rs.Draft7Validator(whole, validate_formats=True)
            self._judges[name] = judge
        found = (
            f"{'/'.join(map(str, each.instance_path))}: {each.message}"
            for each in judge.iter_errors(value)
        )
        return [each for each in found if not _is_excepted(each)]


class Rest:
    """The OpenAPI document."""

    def __init__(self, folder: Path) -> None:
        """Read it. Raises OSError."""
        self._document = Document(folder / OPENAPI)
        self._paths = self._document.content["paths"]
        self._patterns = [
            (path, re.compile(_PLACE.sub(r"[^/]+", path)))
            for path in sorted(self._paths, key=lambda path: path.count("{"))
        ]
        self._errors = jsonschema_rs.Draft7Validator({"anyOf": list(ERROR_SHAPES)})
        self.answers: dict[str, int] = {}
        """How many answers were judged, by operation and status."""

    def judge(self, call: Call) -> list[str]:
        """Return what is wrong with a call and its answer."""
        path = self.template(call.path)
        operation = self._paths.get(path or "", {}).get(call.method.lower())
        if operation is None:
            return [] if call.status in {404, 405, 410} else [f"{call.path} is not documented"]
        name = f"{call.method} {path}"
        said = f"{name} {call.status}"
        self.answers[said] = self.answers.get(said, 0) + 1
        if call.status >= 400:
            return [f"{said}: {each}" for each in self._error(call)]
        found = [*self._asked(name, operation, call), *self._answered(said, operation, call)]
        return [f"{said}: {each}" for each in found]

    def template(self, path: str) -> str | None:
        """Return the path of the document that a call means."""
        inside = path.removeprefix(ROOT)
        return next((name for name, each in self._patterns if each.fullmatch(inside)), None)

    def _error(self, call: Call) -> list[str]:
        try:
            value = call.body
        except msgspec.DecodeError as error:
            return [str(error)]
        return [each.message for each in self._errors.iter_errors(value)]

    def _answered(self, said: str, operation: dict[str, Any], call: Call) -> list[str]:
        answer = operation["responses"].get(str(call.status))
        if answer is None:
            return ["this status is not documented"]
        content = answer.get("content")
        if content is None:
            return ["Expected no body"] if call.answered else []
        try:
            value = call.body
        except msgspec.DecodeError as error:
            return [str(error)]
        return self._document.complaints(said, content["application/json"]["schema"], value)

    def _asked(self, name: str, operation: dict[str, Any], call: Call) -> Iterator[str]:
        known = {each.get("name") for each in self._parameters(operation)}
        yield from (f"asked with {each}" for each in call.query if each not in known)
        asked = operation.get("requestBody", {})
        content = asked.get("content")
        if content is not None and (call.asked or asked.get("required")):
            schema = content["application/json"]["schema"]
            value = msgspec.json.decode(call.asked)
            yield from self._document.complaints(f"{name} asked", schema, value)

    def _parameters(self, operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for each in operation.get("parameters", ()):
            if "$ref" in each:
                place: Any = self._document.content
                for part in each["$ref"].removeprefix("#/").split("/"):
                    place = place[part]
                yield place
            else:
                yield each


class Streams:
    """The AsyncAPI document."""

    def __init__(self, folder: Path) -> None:
        """Read it. Raises OSError."""
        self._document = Document(folder / ASYNCAPI)
        self._by_word: dict[str, list[dict[str, Any]]] = {}
        for schema in self._document.content["components"]["schemas"].values():
            properties = schema.get("properties", {})
            for name in ("type", "cmd"):
                word = properties.get(name, {}).get("const")
                if word is not None:
                    self._by_word.setdefault(word, []).append(schema)
        self.messages: dict[str, int] = {}
        """How many messages were judged, by type or command."""

    def judge(self, message: dict[str, Any]) -> list[str]:
        """Return what is wrong with a message, or with a command of ours."""
        word = message.get("type") or message.get("cmd", "")
        self.messages[word] = self.messages.get(word, 0) + 1
        found = [f"{word!r} is not documented"]
        for number, schema in enumerate(self._by_word.get(word, ())):
            found = self._document.complaints(f"{word} {number}", schema, message)
            if not found:
                return []
        return [f"{word}: {each}" for each in found]


def plain(schema: Any) -> Any:  # noqa: ANN401 - a document of JSON
    """Return an OpenAPI 3.0 schema as JSON Schema: nullable, and nothing that is not named."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: plain(value) for name, value in schema.items() if name != "nullable"}
    if "properties" in made and made.get("type") == "object" and "allOf" not in made:
        made.setdefault("additionalProperties", False)
    if schema.get("nullable") is True:
        return {"anyOf": [made, {"type": "null"}]}
    return made


def _is_excepted(complaint: str) -> bool:
    if "Additional properties are not allowed" not in complaint:
        return False
    named = re.findall(r"'([a-z_]+)'", complaint)
    return all(name in EXCEPTIONS for name in named)
