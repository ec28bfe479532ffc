"""Works out what is in force: of each setting the value that counts, exact and in range.

Guarantees that every value that was set is read, also one that another source overrides, so that
nothing malformed lies in wait. Fails by listing problems.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from arbees.core.language.setting import Setting, SettingKind
from arbees.errors import ConfigurationError, InvariantViolation
from arbees.settings.catalog import Catalog
from arbees.settings.general import LATER
from arbees.settings.parse import BLANK_IS_UNSET, BadValue, Value, hidden, parse, written
from arbees.settings.problems import problem
from arbees.settings.profile import limits_of
from arbees.settings.sources.given import Gathered, Given
from arbees.settings.sources.tables import read_table, written_table

DEFAULT, PROFILE = "default", "profile"


class Effective(msgspec.Struct, frozen=True):
    """One setting as it is in force."""

    setting: Setting
    value: Any
    text: str
    """In its one spelling; empty = unset. A secret is hidden already."""
    origin: str
    """default, toml, .env, environment, flag or profile."""
    place: str
    """The same, more exactly, for messages."""

    def __repr__(self) -> str:
        """Return it without its value, which may be a secret."""
        return f"Effective({self.setting.name}={self.text!r}, {self.origin})"


Values = Mapping[str, Effective]


def explicit_values(catalog: Catalog, gathered: Gathered) -> dict[str, Effective]:
    """Parse everything that was set; of several sources the highest counts."""
    explicit: dict[str, Effective] = {}
    for layer in gathered.layers:
        for name, given in layer.items():
            setting = catalog.settings.get(name)
            if setting is None:
                raise InvariantViolation(f"Expected {name} to be a setting")
            found = _effective(catalog, setting, given)
            if isinstance(found, ConfigurationError):
                gathered.problems.append(found)
            elif found is not None:
                explicit[name] = found
    return explicit


def _effective(
    catalog: Catalog, setting: Setting, given: Given
) -> Effective | ConfigurationError | None:
    """Read one value: what is in force, what is wrong with it, or None where it is unset."""
    if setting.kind is SettingKind.TABLE:
        value, wrong = read_table(catalog, setting.name, given.raw, given.place)
        if wrong is not None:
            return wrong
        return Effective(setting, value, written_table(given.raw), given.origin, given.place)
    text: str = given.raw
    if not text and _may_be_blank(setting):
        return None
    try:
        value = parse(setting, text)
    except BadValue as error:
        return problem(
            error.expected,
            setting=setting.name,
            value=text,
            fix=error.fix,
            place=given.place,
            is_secret=setting.is_secret,
        )
    return Effective(setting, value, _text(setting, value), given.origin, given.place)


def _may_be_blank(setting: Setting) -> bool:
    """Return whether an empty text means unset; a choice has that if it has no default."""
    return setting.kind in BLANK_IS_UNSET or (
        setting.kind is SettingKind.CHOICE and not setting.default
    )


def _text(setting: Setting, value: Value | None) -> str:
    text = written(setting, value)
    return hidden(setting, text) if setting.is_secret else text


def in_force(catalog: Catalog, explicit: dict[str, Effective]) -> dict[str, Effective]:
    """Return every setting: as set, else as the profile sets it, else its default."""
    chosen = explicit.get("LIMIT_PROFILE")
    ramp = {} if chosen is None else limits_of(chosen.value)
    values: dict[str, Effective] = {}
    for name, setting in catalog.settings.items():
        if name in explicit:
            values[name] = explicit[name]
            continue
        text, origin = (ramp[name], PROFILE) if name in ramp else (setting.default, DEFAULT)
        value = parse(setting, text) if text else None
        place = f"LIMIT_PROFILE={chosen.value}" if chosen and origin is PROFILE else DEFAULT
        values[name] = Effective(setting, value, _text(setting, value), origin, place)
    return values


def overruled(explicit: Values) -> list[str]:
    """Return one sentence for each limit of the profile that an explicit setting widens."""
    chosen = explicit.get("LIMIT_PROFILE")
    if chosen is None:
        return []
    return [
        f"LIMIT_PROFILE={chosen.value} would set {name} to {text}, but {explicit[name].place} "
        f"sets {explicit[name].text}"
        for name, text in limits_of(chosen.value).items()
        if name in explicit and explicit[name].value > parse(explicit[name].setting, text)
    ]


def unread(explicit: Values) -> list[str]:
    """Return one sentence for each explicit setting that this version does not read yet."""
    return [
        f"{name} is set, but this version does not read it: {what} will"
        for name, what in LATER.items()
        if name in explicit and explicit[name].text != explicit[name].setting.default
    ]
