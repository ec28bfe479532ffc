"""Loads the settings and holds them: one frozen object, read once, at start.

Guarantees that what it holds is complete, exact and in range, that every section has its values,
and that no secret leaves by `shown`, `recorded`, `repr` or an error. `load` raises
`SettingsRefused` with all problems at once; nothing is corrected.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from arbees import safeguards
from arbees.core.deciding.verdicts import Safeguard
from arbees.core.language.setting import settings_of
from arbees.core.language.words import Mode
from arbees.errors import ConfigurationError
from arbees.safeguards.authorization import Authorization
from arbees.settings.catalog import Catalog
from arbees.settings.contradictions import contradictions
from arbees.settings.effective import (
    DEFAULT,
    Effective,
    explicit_values,
    in_force,
    overruled,
    unread,
)
from arbees.settings.general import (
    GENERAL,
    AuditLogSettings,
    ClientSettings,
    Exceptions,
    GatewaySettings,
)
from arbees.settings.problems import SettingsRefused
from arbees.settings.sources.gather import gather

T = TypeVar("T")

_HASH_DOMAIN = b"arbees settings 1\n"
_MODE_MARK = "{mode}"
AUDIT_LOG_FALLBACK = Path("var/execution_audit.jsonl")
"""Where the audit log of paper trading lies if the default folder cannot be written."""
_NOT_RECORDED = frozenset({"ARBEES_URL", "ARBEES_API_KEY"})
"""Settings of the command line alone: they change nothing in the gateway."""


class Shown(NamedTuple):
    """A setting as people may see it: its text, secrets hidden, and where it comes from."""

    text: str
    origin: str


class Settings:
    """
    The settings in force.

    Attributes:
        mode: paper or live, from `PAPER_TRADING`.
        safeguards: an instance of each safeguard that is on, in the order of evaluation.
        disabled: the names of those that are off, with the reason.
        hash: SHA-256 over every effective setting, secrets left out but for whether they are set.
        warnings: what is allowed but careless, one sentence each.
    """

    def __init__(
        self, catalog: Catalog, values: dict[str, Effective], mode: Mode, warnings: Sequence[str]
    ) -> None:
        """Build every section; `load` is the way to get one."""
        self._catalog = catalog
        self._values = values
        self.mode = mode
        self.warnings = tuple(warnings)
        plain = {name: found.value for name, found in values.items() if found.text}
        journal = plain.get("JOURNAL_PATH", "")
        self._journal_template: str = journal
        if journal:
            plain["JOURNAL_PATH"] = journal.replace(_MODE_MARK, mode)
        self._sections: dict[type, Any] = {
            section: catalog.build(section, plain) for section in catalog.sections
        }
        off = plain.get("DISABLED_SAFEGUARDS", ())
        reason = plain.get("DISABLED_SAFEGUARDS_REASON", "")
        self.disabled: dict[str, str] = dict.fromkeys(off, reason)
        self.safeguards: tuple[Safeguard, ...] = tuple(
            built
            for section, built in self._sections.items()
            if _is_safeguard(section) and built.name not in self.disabled
        )
        self.hash: str = _digest(self.recorded())

    def section(self, section: type[T]) -> T:
        """Return a section of the settings by its class; a safeguard also while it is off."""
        built = self._sections[section]
        assert isinstance(built, section)
        return built

    def varied(self, sections: Mapping[type, object], mode: Mode) -> "Settings":
        """
        Return these settings with other sections and every safeguard on, for drills.

        Hash and texts stay those of before: nothing that is made with it is authorized by them.
        """
        other, built = copy(self), self._sections | dict(sections)
        other.mode, other.disabled = mode, {}
        other.safeguards = tuple(each for section, each in built.items() if _is_safeguard(section))
        vars(other)["_sections"] = built
        return other

    @property
    def limits_hash(self) -> str:
        """SHA-256 over the settings of all safeguards but the authorization: what drills prove."""
        sheets = self.sheets()
        sheets.pop(Authorization.name, None)
        texts = {
            f"{name}.{setting}": text for name, of in sheets.items() for setting, text in of.items()
        }
        return _digest(texts | {"off": ",".join(sorted(self.disabled))})

    @property
    def gateway(self) -> GatewaySettings:
        """Who this gateway is, where it keeps things, where it listens."""
        return self.section(GatewaySettings)

    @property
    def audit_log(self) -> AuditLogSettings:
        """The audit log."""
        return self.section(AuditLogSettings)

    @property
    def exceptions(self) -> Exceptions:
        """What an operator changed on purpose."""
        return self.section(Exceptions)

    def source_of(self, name: str) -> tuple[str, str]:
        """Return where a setting comes from (`default`, `.env`, `environment`), and the place."""
        found = self._values[name]
        return found.origin, found.place

    @property
    def url(self) -> str:
        """Where the command line finds the gateway."""
        url = self.section(ClientSettings).url
        if url is not None:
            return url.rstrip("/")
        return address_of(self.gateway.http_host, self.gateway.http_port)

    @property
    def api_key(self) -> str | None:
        """The key that the command line shows to the gateway."""
        return self.section(ClientSettings).api_key

    def journal_path(self, mode: Mode | None = None) -> Path:
        """Return where the journal of a mode lies; None = of this one."""
        return Path(self._journal_template.replace(_MODE_MARK, mode or self.mode))

    def audit_log_path(self) -> Path:
        """
        Return where the audit log lies.

        On paper a default whose folder this user cannot write gives way to `AUDIT_LOG_FALLBACK`;
        what was set by hand, and every path in live trading, stays, and refuses the start.
        """
        path = Path(self.audit_log.path)
        is_set = self._values["AUDIT_LOG_PATH"].origin != DEFAULT
        if is_set or self.mode is Mode.LIVE or os.access(path.parent, os.W_OK | os.X_OK):
            return path
        return AUDIT_LOG_FALLBACK

    def shown(self) -> dict[str, Shown]:
        """Return every setting by name, in order, with secrets hidden."""
        return {
            name: Shown(self._text(found), found.origin) for name, found in self._values.items()
        }

    def recorded(self) -> dict[str, str]:
        """Return what the journal keeps: the text of every setting that is set, secrets hidden."""
        return {
            name: self._text(found)
            for name, found in self._values.items()
            if found.text and name not in _NOT_RECORDED
        }

    def sheets(self) -> dict[str, dict[str, str]]:
        """Return the settings of each safeguard as text, in order, those that are off too."""
        return {
            _name_of(section): {
                setting.name: self._text(self._values[setting.name])
                for setting in settings_of(section).values()
                if setting.name in self._values
            }
            for section in self._catalog.sections
            if _is_safeguard(section)
        }

    def _text(self, found: Effective) -> str:
        if found.setting.name == "JOURNAL_PATH":
            return found.text.replace(_MODE_MARK, self.mode)
        return found.text

    def __repr__(self) -> str:
        """Return it without any value."""
        return f"Settings(mode={self.mode.value}, hash={self.hash[:12]})"


def load(
    environ: Mapping[str, str],
    dotenv_path: Path | None = None,
    toml_path: Path | None = None,
    flags: Mapping[str, str] | None = None,
    sections: Sequence[type] | None = None,
) -> Settings:
    """
    Load the settings: defaults < arbees.toml < .env < environment < flags.

    Args:
        environ: the environment, e.g. `os.environ`.
        dotenv_path: the `.env` file; None or one that is not there = none.
        toml_path: the `arbees.toml` file, likewise.
        flags: what the command line sets, by setting name.
        sections: classes of settings; None = all there are.

    Raises:
        SettingsRefused: with everything that is wrong.
    """
    catalog = _catalog(all_sections() if sections is None else tuple(sections))
    gathered = gather(catalog, environ, dotenv_path, toml_path, flags or {})
    problems = gathered.problems
    explicit = explicit_values(catalog, gathered)
    values = in_force(catalog, explicit)
    paper = values.get("PAPER_TRADING")
    mode = Mode.PAPER if paper is None or paper.value else Mode.LIVE
    names = [_name_of(section) for section in catalog.sections if _is_safeguard(section)]
    readable = {name: found for name, found in values.items() if name not in _named(problems)}
    problems += contradictions(readable, mode, names)
    if problems:
        raise SettingsRefused(problems)
    warnings = (*gathered.warnings, *overruled(explicit), *unread(explicit))
    return Settings(catalog, values, mode, warnings)


def address_of(host: str, port: int | str) -> str:
    """Return the URL of a gateway that listens there; one that listens everywhere is here."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - it is read
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def load_here(flags: Mapping[str, str] | None = None) -> Settings:
    """Load the settings of this process: its environment, `.env` and `arbees.toml` beside it."""
    return load(os.environ, Path(".env"), Path("arbees.toml"), flags)


def all_sections() -> tuple[type, ...]:
    """Return every section there is: the safeguards in order, then the gateway's own."""
    return (*safeguards.ALL, *GENERAL)


@cache
def _catalog(sections: tuple[type, ...]) -> Catalog:
    return Catalog(sections)


def _is_safeguard(section: type) -> bool:
    return callable(getattr(section, "check", None))


def _name_of(section: type) -> str:
    return str(getattr(section, "name", section.__name__))


def _named(problems: Sequence[ConfigurationError]) -> frozenset[str]:
    return frozenset(found.setting for found in problems if found.setting is not None)


def _digest(recorded: Mapping[str, str]) -> str:
    lines = (json.dumps([name, recorded[name]]) + "\n" for name in sorted(recorded))
    return hashlib.sha256(_HASH_DOMAIN + "".join(lines).encode("ascii")).hexdigest()
