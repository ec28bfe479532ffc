"""How one setting describes itself: name, kind, range, meaning.

A safeguard's fields are its settings: each field is annotated with a `Setting`, so that settings,
schema, documentation and code cannot drift apart. `arbees.settings` reads them.
"""

from enum import StrEnum
from typing import get_type_hints

import msgspec

HIDDEN = "***"
"""What stands for a secret."""


class SettingKind(StrEnum):
    """What a setting's text means, and the Python value it becomes."""

    DOLLARS = "dollars"
    """int, micro-dollars."""
    PRICE = "price"
    """int, micro-dollars of a contract, 0 to 1 inclusive."""
    CONTRACTS = "contracts"
    """int, micro-contracts."""
    RATIO = "ratio"
    """int, millionths."""
    POINTS = "points"
    """int, millionths of a percentage point."""
    COUNT = "count"
    """int."""
    SECONDS = "seconds"
    """int, nanoseconds; text in seconds, fractions allowed."""
    FLAG = "flag"
    """bool; 1/true/yes and 0/false/no in any case."""
    CHOICE = "choice"
    """str, one of `choices`, in lower case."""
    TEXT = "text"
    """str, or None when empty."""
    LIST = "list"
    """tuple of str, from a comma-separated text."""
    TIME = "time"
    """int, UTC nanoseconds, from RFC 3339; None when empty."""
    ZONE = "zone"
    """str, a name of the IANA time zone database."""
    PATH = "path"
    """str."""
    URL = "url"
    """str, or None when empty."""
    TABLE = "table"
    """A structure of its own, only in arbees.toml."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """
    Description of one setting.

    Attributes:
        name: environment name, e.g. `MAX_ORDER_SIZE`; for a table its section in arbees.toml.
        kind: what the text means.
        doc: what it does, one sentence.
        low: least value, inclusive, as text in the setting's own unit; None = no bound.
        high: greatest value, inclusive.
        choices: allowed words of a CHOICE.
        is_secret: never shown, may be read from a file named by `NAME_FILE`.
        default: the default as text, as it stands in .env.example; empty = unset.
    """

    name: str
    kind: SettingKind
    doc: str
    default: str = ""
    low: str | None = None
    high: str | None = None
    choices: tuple[str, ...] = ()
    is_secret: bool = False


def settings_of(section: type) -> dict[str, Setting]:
    """Return the settings of a class by field name, from its `Annotated[..., Setting(...)]`."""
    found: dict[str, Setting] = {}
    for field, hint in get_type_hints(section, include_extras=True).items():
        for note in getattr(hint, "__metadata__", ()):
            if isinstance(note, Setting):
                found[field] = note
    return found


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Base of these sections: shows itself without its secrets."""

    def __repr__(self) -> str:
        """Return fields and values, `***` for a secret that is set."""
        secret = {field for field, found in settings_of(type(self)).items() if found.is_secret}
        parts = (
            f"{field}={HIDDEN if value and field in secret else repr(value)}"
            for field in self.__struct_fields__
            for value in (getattr(self, field),)
        )
        return f"{type(self).__name__}({', '.join(parts)})"
