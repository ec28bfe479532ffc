"""Knows every setting there is: which class reads it, and under which names it may stand.

Guarantees that a name means one thing: two classes may declare the same setting, with the same
description, and then share one value. A contradiction between declarations is a bug and crashes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from arbees.core.language.setting import Setting, SettingKind, settings_of
from arbees.errors import InvariantViolation

T = TypeVar("T")

FILE_SUFFIX = "_FILE"
"""`NAME_FILE` names the file that holds the secret `NAME`."""


class Field(NamedTuple):
    """One field of a section that is a setting."""

    section: type
    field: str
    setting: Setting


class Catalog:
    """
    All settings of some sections.

    Attributes:
        sections: the classes, in the order in which they are shown.
        fields: their settings, in that order; a shared one stands once a class.
        settings: one description a name, in that order.
        files: names that hold the path of a secret, to the secret's name.
        parts: names of the sections of arbees.toml, to the settings that may stand in them.
    """

    def __init__(self, sections: Sequence[type]) -> None:
        """Read the declarations. Raises InvariantViolation if two of them contradict."""
        self.sections = tuple(sections)
        self.fields: tuple[Field, ...] = tuple(
            Field(section, field, setting)
            for section in sections
            for field, setting in settings_of(section).items()
        )
        self.settings: dict[str, Setting] = {}
        self.parts: dict[str, tuple[str, ...]] = {}
        for section, _, setting in self.fields:
            known = self.settings.setdefault(setting.name, setting)
            if known != setting:
                raise InvariantViolation(
                    f"Expected one description of {setting.name}, {section.__name__} has another"
                )
            part = getattr(section, "name", None)
            if isinstance(part, str) and setting.kind is not SettingKind.TABLE:
                self.parts[part] = (*self.parts.get(part, ()), setting.name)
        self.files = {
            name + FILE_SUFFIX: name for name, found in self.settings.items() if found.is_secret
        }
        for clash in self.files.keys() & self.settings.keys():
            raise InvariantViolation(f"Expected {clash} to be one setting")
        self.names = frozenset(
            name for name, found in self.settings.items() if found.kind is not SettingKind.TABLE
        ) | frozenset(self.files)
        """Every name that may stand in `.env`."""
        self.tables = frozenset(
            name for name, found in self.settings.items() if found.kind is SettingKind.TABLE
        )
        self.ordered = tuple(sorted(self.names))

    def is_secret(self, name: str) -> bool:
        """Return whether the value under this name must not be shown."""
        found = self.settings.get(name)
        return found is not None and found.is_secret

    def build(self, section: type[T], values: Mapping[str, object]) -> T:
        """Make a section of the values by setting name; what has none keeps its class default."""
        return section(
            **{
                field: values[setting.name]
                for owner, field, setting in self.fields
                if owner is section and setting.name in values
            }
        )
