"""Reads `arbees.toml`: settings by name, at the top or in their safeguard's section, and tables.

Guarantees that floats are kept as they were written, so that they are read exactly, and that what
is no setting is refused, sections included. Fails by listing problems; it never raises for input.
"""

import re
import tomllib
from typing import Any

from arbees.core.language.setting import SettingKind
from arbees.errors import ConfigurationError
from arbees.settings.catalog import Catalog
from arbees.settings.parse import text_of
from arbees.settings.problems import problem
from arbees.settings.sources.given import (
    TOML,
    Gathered,
    Given,
    Layer,
    twice,
    unknown,
)
from arbees.settings.sources.spelling import nearest, question


def read_structured(catalog: Catalog, text: str, file: str, found: Gathered) -> Layer:
    """
    Read the text of an `arbees.toml`.

    Args:
        catalog: what may be set.
        text: the whole file.
        file: its name, for messages.
        found: where problems are listed.

    Returns:
        What it sets, by setting name; tables by the name of their setting.
    """
    try:
        tree = tomllib.loads(text.removeprefix("\ufeff"), parse_float=str)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        found.problems.append(_unreadable(catalog, text, file, str(error)))
        return {}
    walk = _Walk(catalog, file, found)
    walk.enter(tree, "")
    return walk.layer


def _unreadable(catalog: Catalog, text: str, file: str, error: str) -> ConfigurationError:
    """
    Report a file that is no TOML, with the setting of the line at fault if it shows one.

    Of the parser's message only the place is told: the rest may repeat a piece of the file.
    """
    match = re.search(r"at line (\d+), column \d+", error)
    lines = text.rstrip().split("\n")
    number = int(match[1]) if match else len(lines)
    line = lines[number - 1] if number <= len(lines) else ""
    entry = re.match(r"\s*([A-Za-z0-9_]+)\s*=\s*(.*?)\s*$", line, re.ASCII)
    name = entry[1] if entry and entry[1] in catalog.names else None
    return problem(
        "Expected TOML",
        setting=name or file,
        value=entry[2] if entry and name else None,
        fix="Write NAME = value, with text in quotes, each name once.",
        place=f"{file} line {number}",
        is_secret=name is not None and catalog.is_secret(name),
    )


class _Walk:
    """Sorts the entries of arbees.toml into settings, tables and strangers."""

    def __init__(self, catalog: Catalog, file: str, found: Gathered) -> None:
        self.layer: Layer = {}
        self._catalog = catalog
        self._file = file
        self._problems = found.problems
        self._sections = sorted({*catalog.parts, *catalog.tables})

    def enter(self, tree: dict[str, Any], section: str) -> None:
        """Sort one table; its name is dotted, empty at the top."""
        rest: dict[str, Any] = {}
        for key, raw in tree.items():
            name = f"{section}.{key}" if section else key
            if key in self._catalog.names and self._may_stand(key, section):
                self._take(key, raw, section)
            elif isinstance(raw, dict) and self._leads_on(name):
                self.enter(raw, name)
            else:
                rest[key] = raw
        if section in self._catalog.tables:
            if rest:
                self.layer[section] = Given(section, rest, TOML, self._place(section))
            return
        for key, raw in rest.items():
            self._problems.append(self._stranger(section, key, raw))

    def _place(self, section: str) -> str:
        return f"{self._file} [{section}]" if section else self._file

    def _may_stand(self, name: str, section: str) -> bool:
        return not section or name in self._catalog.parts.get(section, ())

    def _leads_on(self, name: str) -> bool:
        """Return whether a table is a section, a table of a setting, or holds one."""
        return any(place == name or place.startswith(f"{name}.") for place in self._sections)

    def _take(self, name: str, raw: object, section: str) -> None:
        text = text_of(raw)
        place = self._place(section)
        if text is None:
            setting = self._catalog.settings.get(name)
            kind = SettingKind.PATH if setting is None else setting.kind
            self._problems.append(
                problem(
                    f"Expected a value of kind {kind}, was a structure",
                    setting=name,
                    value=None,
                    fix=f"Write {name} = value.",
                    place=place,
                )
            )
        elif name in self.layer:
            self._problems.append(twice(self._catalog, name, text, place, self.layer[name].place))
        else:
            self.layer[name] = Given(name, text, TOML, place)

    def _stranger(self, section: str, key: str, raw: object) -> ConfigurationError:
        place = self._place(section)
        if key in self._catalog.names:
            return problem(
                f"Expected no setting of another section in [{section}]",
                setting=key,
                value=text_of(raw),
                fix=f"Write {key} at the top of the file, above the first [section].",
                place=place,
                is_secret=self._catalog.is_secret(key),
            )
        if not isinstance(raw, dict):
            return unknown(self._catalog, key, text_of(raw), place)
        name = f"{section}.{key}" if section else key
        meant = tuple(f"[{one}]" for one in nearest(name, self._sections))
        known = ", ".join(f"[{one}]" for one in self._sections)
        return problem(
            "Expected the name of a section",
            setting=f"[{name}]",
            value=None,
            fix=question(meant) if meant else f"Remove it; there are {known}.",
            place=place,
        )
