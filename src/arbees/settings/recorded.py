"""Makes settings again from what the journal recorded of them, with changes laid over.

Guarantees that what decides is as it was recorded at the start of then, and that a change is read,
and refused, as strictly as at a start. Secrets are not in a journal and stay hidden; nothing that
decides needs one. Settings of another version are passed over and named.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.words import Mode
from arbees.settings.catalog import Catalog
from arbees.settings.contradictions import contradictions
from arbees.settings.effective import Effective, explicit_values, in_force
from arbees.settings.general import GENERAL
from arbees.settings.loaded import Settings, all_sections
from arbees.settings.parse import BadValue, parse
from arbees.settings.problems import SettingsRefused, problem
from arbees.settings.profile import limits_of
from arbees.settings.sources.gather import gather
from arbees.settings.sources.given import Gathered, unknown
from arbees.settings.sources.tables import read_table

RECORDED = "recorded"


class Restored(NamedTuple):
    """Settings as a journal recorded them."""

    settings: Settings
    strange: tuple[str, ...]
    """Names and values that this version cannot read; their defaults stand in."""


class SettingChanges:
    """What is set otherwise: files in the form of `arbees.toml` or `.env`, and single values."""

    def __init__(self, values: dict[str, Effective]) -> None:
        """Hold what was read; `read_changes` is the way to get one."""
        self.values = values

    @property
    def names(self) -> tuple[str, ...]:
        """Return the settings that are named, those that a profile sets included."""
        return tuple(self.values)


def _catalog() -> Catalog:
    return Catalog(all_sections())


def read_changes(files: "list[Path]", named: Mapping[str, str]) -> SettingChanges:
    """
    Read what is set otherwise; of several files the last one counts, single values above all.

    Args:
        files: `.toml` as arbees.toml, any other as `.env`.
        named: texts by setting name.

    Raises:
        SettingsRefused: a file cannot be read, a name is no setting, a value is malformed.
    """
    catalog = _catalog()
    gathered = Gathered(layers=[], problems=[], warnings=[])
    for path in files:
        if not path.is_file():
            fix = "Name a file in the form of arbees.toml or .env."
            expected = "Expected a file to read other settings from"
            gathered.problems.append(problem(expected, setting=str(path), value=None, fix=fix))
            continue
        is_toml = path.suffix == ".toml"
        read = gather(catalog, {}, None if is_toml else path, path if is_toml else None, {})
        gathered.layers += read.layers
        gathered.problems += read.problems
    known = {name: text for name, text in named.items() if name in catalog.names}
    gathered.layers += gather(catalog, {}, None, None, known).layers
    gathered.problems += [
        unknown(catalog, name, text, "--set") for name, text in named.items() if name not in known
    ]
    explicit = explicit_values(catalog, gathered)
    if gathered.problems:
        raise SettingsRefused(gathered.problems)
    chosen = explicit.get("LIMIT_PROFILE")
    if chosen is not None:
        ramp = in_force(catalog, explicit)
        explicit |= {name: ramp[name] for name in limits_of(chosen.value) if name not in explicit}
    return SettingChanges(explicit)


def restore(recorded: Mapping[str, str], changes: SettingChanges | None = None) -> Restored:
    """
    Return the settings that a start recorded, with changes laid over.

    Args:
        recorded: `Started.settings`.
        changes: what is set otherwise.

    Raises:
        SettingsRefused: what is changed contradicts what was recorded.
    """
    catalog = _catalog()
    values = in_force(catalog, {})
    strange: list[str] = []
    for name in values:
        if name not in recorded and not values[name].setting.default:
            continue
        if name not in recorded:
            strange.append(f"{name} is not recorded")
            continue
        found = _effective(catalog, values[name].setting, recorded[name])
        if found is None:
            strange.append(f"{name}={recorded[name]}")
        else:
            values[name] = found
    strange += [f"{name}={recorded[name]}" for name in recorded if name not in values]
    if changes is not None:
        values |= changes.values
    mode = Mode.PAPER if values["PAPER_TRADING"].value else Mode.LIVE
    if changes is not None:
        _refuse_contradictions(catalog, values, mode)
    return Restored(Settings(catalog, values, mode, ()), tuple(strange))


def _effective(catalog: Catalog, setting: Setting, text: str) -> Effective | None:
    """Read a recorded text; None if this version cannot."""
    if setting.is_secret:
        return Effective(setting, None, text, RECORDED, RECORDED)
    try:
        if setting.kind is SettingKind.TABLE:
            value, wrong = read_table(catalog, setting.name, msgspec.json.decode(text), RECORDED)
            return None if wrong else Effective(setting, value, text, RECORDED, RECORDED)
        return Effective(setting, parse(setting, text), text, RECORDED, RECORDED)
    except (BadValue, msgspec.DecodeError):
        return None


def _refuse_contradictions(catalog: Catalog, values: dict[str, Effective], mode: Mode) -> None:
    """Refuse changes that no start would take; what was recorded had been taken."""
    names = [
        str(getattr(section, "name", section.__name__))
        for section in catalog.sections
        if section not in GENERAL
    ]
    found = list(contradictions(values, mode, names))
    if found:
        raise SettingsRefused(found)
