"""Where the gateway is: what commands that speak to it need of the settings.

Guarantees that an emergency needs no flawless settings: `find` ignores what is wrong elsewhere,
says so, and falls back to the defaults for what it cannot read. Nothing is sent here.
"""

import os
from pathlib import Path
from typing import NamedTuple

from arbees.core.words import Mode
from arbees.safeguards.kill_switch import KillSwitch
from arbees.settings import Settings, SettingsRefused, all_sections, load_here
from arbees.settings.catalog import Catalog
from arbees.settings.effective import explicit_values, in_force
from arbees.settings.sources import gather


class Place(NamedTuple):
    """Where the gateway is, and what stops it when it cannot be reached."""

    url: str
    api_key: str | None
    kill_file: Path
    is_doubtful: bool = False
    """Some setting is malformed; what could be read of the others was."""


def place_of(settings: Settings) -> Place:
    """Return the place that settings name."""
    kill_file = settings.section(KillSwitch).kill_switch_file
    return Place(settings.url, settings.api_key, Path(kill_file))


def find() -> Place:
    """Return the place, also when some settings are malformed."""
    try:
        return place_of(load_here())
    except SettingsRefused:
        return place_of(_what_can_be_read())._replace(is_doubtful=True)


def _what_can_be_read() -> Settings:
    """Return the settings with a default for each that is malformed."""
    catalog = Catalog(all_sections())
    gathered = gather(catalog, os.environ, Path(".env"), Path("arbees.toml"), {})
    values = in_force(catalog, explicit_values(catalog, gathered))
    return Settings(catalog, values, Mode.PAPER, ())
