"""Reads the structures that stand only in `arbees.toml`.

The type of a table's field knows what may stand in it (`parse`) and says what is wrong; here it is
only called. Guarantees that whatever is wrong becomes one problem that names entry, value and fix.
"""

import re
from collections.abc import Callable, Mapping
from typing import get_type_hints

import msgspec

from arbees.errors import ConfigurationError, InvariantViolation
from arbees.settings.catalog import Catalog
from arbees.settings.problems import problem

Reader = Callable[[Mapping[str, object]], object]
"""
Reads a table; decimal numbers come as text, exactly as written. Raises ValueError:
`table.entry: Expected ..., was ...`.
"""


def reader_of(catalog: Catalog, name: str) -> Reader:
    """Return what reads a table. Raises InvariantViolation if its type has no `parse`."""
    for section, field, setting in catalog.fields:
        if setting.name == name:
            parse = getattr(get_type_hints(section)[field], "parse", None)
            if callable(parse):
                reader: Reader = parse
                return reader
    raise InvariantViolation(f"Expected a type with `parse` for the table {name}")


def read_table(
    catalog: Catalog, name: str, raw: object, place: str
) -> tuple[object, ConfigurationError | None]:
    """
    Read one table of arbees.toml.

    Args:
        catalog: where the table is declared.
        name: of the table's setting.
        raw: what tomllib made of it, floats as text.
        place: where it stands.

    Returns:
        Its value and no problem, or None and what is wrong.
    """
    fix = f"See [{name}] in docs/reference/settings.md."
    if not isinstance(raw, Mapping):
        expected = f"Expected a table, was {type(raw).__name__}"
        return None, problem(expected, setting=f"[{name}]", value=None, fix=fix, place=place)
    try:
        return reader_of(catalog, name)(raw), None
    except ValueError as error:
        return None, _explained(name, str(error), place, fix)


def _explained(name: str, text: str, place: str, fix: str) -> ConfigurationError:
    """Take a reader's sentence apart: `entry: Expected ..., was ...`."""
    match = re.fullmatch(r"(?:([\w.\- ]+): )?(.*?)(?:, was (.*))?", text, re.DOTALL)
    entry, expected, value = match.groups() if match else (None, text, None)
    if value is not None and len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    return problem(expected, setting=entry or f"[{name}]", value=value, fix=fix, place=place)


def written_table(raw: object) -> str:
    """Return a table as it was written, in one spelling: JSON with sorted names."""
    return msgspec.json.encode(raw, order="sorted").decode()
