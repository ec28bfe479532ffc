"""JSON schemas of the types that are decoded and encoded.

Guarantees that the document describes the very classes that read requests and write answers:
fields, types, bounds and words come from their annotations, the sentences from their docstrings.
Why not the decoder's own generator: it knows no exact numbers (kept raw when read, written as JSON
numbers), and says nothing of fields. It fails with TypeError on a type that it does not know.
"""

import types
import typing
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union

import msgspec

from arbees.api.openapi.docstrings import descriptions, prose_of

Schema = dict[str, Any]

_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Decimal: {"type": "number"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    object: {},
    Any: {},
    msgspec.Raw: {},
}
_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "pattern": "pattern",
    "title": "title",
    "description": "description",
    "examples": "examples",
}
_LENGTHS = {"string": "Length", "array": "Items", "object": "Properties"}


def is_input(kind: type[msgspec.Struct]) -> bool:
    """Tell whether a class is read from outside: those refuse fields that they do not know."""
    return kind.__struct_config__.forbid_unknown_fields


class Schemas:
    """
    Makes schemas; classes become components, each described once.

    Attributes:
        components: schemas of classes by their names in the document.
    """

    def __init__(self, meanings: typing.Mapping[str, str] | None = None) -> None:
        """
        Begin without components.

        Args:
            meanings: of a field by its name, wherever its class says nothing of its own.
        """
        self.components: dict[str, Schema] = {}
        self._meanings = meanings or {}
        self._kinds: dict[str, Any] = {}

    def of(self, kind: Any) -> Schema:  # noqa: ANN401 - whatever an annotation holds
        """Return the schema of an annotation."""
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        if isinstance(kind, typing.NewType):
            return self.of(kind.__supertype__)
        origin, parts = typing.get_origin(kind), typing.get_args(kind)
        if origin is Annotated:
            return self._bounded(parts[0], parts[1:])
        if origin is Literal:
            return {"type": "string", "enum": list(parts)}
        if origin in {Union, types.UnionType}:
            return self._union([part for part in parts if part is not msgspec.UnsetType])
        if origin in {list, tuple}:
            return self._array(origin, parts)
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(parts[1])}
        owner = origin or kind
        if isinstance(owner, type) and issubclass(owner, msgspec.Struct):
            return self._component(kind, owner, parts)
        if isinstance(owner, type) and issubclass(owner, Enum):
            return {"type": "string", "enum": [each.value for each in owner]}
        raise TypeError(f"Expected a type that stands on the wire, was {kind!r}")

    def _bounded(self, kind: Any, metas: tuple[Any, ...]) -> Schema:  # noqa: ANN401 - see `of`
        schema = self.of(kind)
        for meta in metas:
            for name, keyword in _BOUNDS.items():
                if (value := getattr(meta, name)) is not None:
                    schema[keyword] = value
            for name in ("min", "max"):
                if (value := getattr(meta, f"{name}_length")) is not None:
                    schema[name + _LENGTHS[schema["type"]]] = value
            schema |= meta.extra_json_schema or {}
        return schema

    def _union(self, parts: list[Any]) -> Schema:
        schemas = [self.of(part) for part in parts]
        if len(schemas) == 1:
            return schemas[0]
        null = {"type": "null"}
        others = [schema for schema in schemas if schema != null]
        if len(others) == 1 and isinstance(others[0].get("type"), str):
            only = others[0] | {"type": [others[0]["type"], "null"]}
            return only | ({"enum": [*only["enum"], None]} if "enum" in only else {})
        if len(others) == 1 and "$ref" not in others[0]:
            return others[0]  # it names null itself, or allows anything
        return {"anyOf": schemas}

    def _array(self, origin: type, parts: tuple[Any, ...]) -> Schema:
        if origin is list or parts[1:] == (...,):
            return {"type": "array", "items": self.of(parts[0])}
        count = len(parts)
        places = [self.of(part) for part in parts]
        return {"type": "array", "prefixItems": places, "minItems": count, "maxItems": count}

    def _component(
        self, kind: object, owner: type[msgspec.Struct], parts: tuple[Any, ...]
    ) -> Schema:
        name = name_of(owner, parts)
        if self._kinds.get(name, kind) != kind:
            name = owner.__name__  # a body and an answer of one subject: the later one in full
        if self._kinds.setdefault(name, kind) != kind:
            raise TypeError(f"Expected one class {name}, was {self._kinds[name]} and {kind}")
        if name not in self.components:
            self.components[name] = {}
            self.components[name] = self._object(owner, parts)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, owner: type[msgspec.Struct], parts: tuple[Any, ...]) -> Schema:
        hints = typing.get_type_hints(owner, include_extras=True)
        bound = dict(zip(getattr(owner, "__parameters__", ()), parts, strict=True))
        said = {**self._meanings, **descriptions(owner)}
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for field in msgspec.structs.fields(owner):
            hint = hints[field.name]
            schema = self.of(_filled(hint, bound))
            if field.name in said:
                schema = schema | {"description": said[field.name]}
            if is_input(owner) and isinstance(field.default, str | int | bool):
                schema["default"] = field.default
            properties[field.encode_name] = schema
            if field.required or not (is_input(owner) or _is_sometimes(owner, hint)):
                required.append(field.encode_name)
        found: Schema = {"type": "object", "description": prose_of(owner), "properties": properties}
        if required:
            found["required"] = required
        if is_input(owner):
            found["additionalProperties"] = False
        return found


def name_of(owner: type, parts: tuple[Any, ...] = ()) -> str:
    """Return the name of a class in the document: without what only sorts classes of ours."""
    name = owner.__name__.removesuffix("Wire").removesuffix("View")
    if not parts:
        return name
    return "".join(name_of(part) for part in parts) + ("List" if name == "Listed" else name)


def _filled(hint: Any, bound: dict[Any, Any]) -> Any:  # noqa: ANN401 - see `Schemas.of`
    """Put what a generic class was made with into an annotation of it."""
    if hint in bound:
        return bound[hint]
    names = getattr(hint, "__parameters__", ())
    return hint[tuple(bound[name] for name in names)] if names else hint


def _is_sometimes(owner: type[msgspec.Struct], hint: Any) -> bool:  # noqa: ANN401 - see `of`
    """Tell whether an answer may lack a field."""
    return owner.__struct_config__.omit_defaults or msgspec.UnsetType in typing.get_args(hint)
