"""Where the gateway is: what commands that speak to it need of the settings.

Guarantees that an emergency needs no flawless settings: `find` ignores what is wrong elsewhere,
says so, and falls back to the defaults for what it cannot read; and that what is no emergency goes
to no other gateway than the one that was named (`require_address`). Nothing is sent here.
"""

import os
from pathlib import Path
from typing import NamedTuple

from arbees.cli.console import say
from arbees.core.words import Mode
from arbees.errors import ConfigurationError
from arbees.safeguards.kill_switch import KillSwitch
from arbees.settings import Settings, SettingsRefused, all_sections, load_here
from arbees.settings.catalog import Catalog
from arbees.settings.effective import explicit_values, in_force
from arbees.settings.sources import gather

ADDRESS = frozenset({"ARBEES_URL", "HTTP_HOST", "HTTP_PORT"})
"""Settings that say where the gateway is."""


class Place(NamedTuple):
    """Where the gateway is, and what stops it when it cannot be reached."""

    url: str
    api_key: str | None
    kill_file: Path
    is_doubtful: bool = False
    """Some setting is malformed; what could be read of the others was."""
    doubts: tuple[str, ...] = ()
    """What is malformed, and how to write it."""
    astray: tuple[ConfigurationError, ...] = ()
    """What of that is about the address, so that another gateway may be meant."""


def place_of(settings: Settings) -> Place:
    """
    Return the place that settings name.

    Raises:
        ConfigurationError: the key cannot be sent.
    """
    key = settings.api_key
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        raise ConfigurationError(
            "Expected a key without blanks and line breaks",
            setting="ARBEES_API_KEY",
            value="***",
            fix="Set the one line that `arbees keys create` printed, or name a file that holds it "
            "in ARBEES_API_KEY_FILE.",
        )
    return _place(settings, key)


def _place(settings: Settings, key: str | None) -> Place:
    return Place(settings.url, key, Path(settings.section(KillSwitch).kill_switch_file))


def find() -> Place:
    """Return the place, also when some settings are malformed; such a key is not sent."""
    astray: tuple[ConfigurationError, ...] = ()
    try:
        return place_of(load_here())
    except SettingsRefused as error:
        settings, doubts = _what_can_be_read(), tuple(map(str, error.problems))
        astray = tuple(each for each in error.problems if each.setting in ADDRESS)
    except ConfigurationError as error:
        settings, doubts = load_here(), (str(error),)
    try:
        where = place_of(settings)
    except ConfigurationError as error:
        where, doubts = _place(settings, None), (*doubts, str(error))
    return where._replace(is_doubtful=True, doubts=tuple(dict.fromkeys(doubts)), astray=astray)


def require_address(where: Place) -> None:
    """Refuse a place whose address was a guess. Raises SettingsRefused."""
    if where.astray:
        raise SettingsRefused(where.astray)


def tell_doubts(where: Place) -> None:
    """Say what is malformed, and where the command goes all the same."""
    if not where.is_doubtful:
        return
    say(f"Some settings are malformed; going on with {where.url}", style="yellow")
    for line in where.doubts:
        say(f"  {line}", style="yellow")


def _what_can_be_read() -> Settings:
    """Return the settings with a default for each that is malformed."""
    catalog = Catalog(all_sections())
    gathered = gather(catalog, os.environ, Path(".env"), Path("arbees.toml"), {})
    values = in_force(catalog, explicit_values(catalog, gathered))
    return Settings(catalog, values, Mode.PAPER, ())
