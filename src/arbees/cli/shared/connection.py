"""Where the gateway is: what commands that speak to it need of the settings.

Guarantees that an emergency needs no flawless settings: `find` ignores what is wrong elsewhere,
says so, and falls back to the defaults for what it cannot read; and that what is no emergency goes
to no other gateway than the one that was named (`require_address`). Nothing is sent here.

A key goes where the one who gave the key sends it. An address that only a file of the current
folder names (`.env`, `arbees.toml`) may be anybody's: it gets no key but one that stands in that
same file. HTTP_HOST and HTTP_PORT are the gateway's own settings: they may name a loopback address
for everybody's key.
"""

import ipaddress
import os
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from arbees.cli.shared.console import say
from arbees.core.language.words import Mode
from arbees.errors import ConfigurationError
from arbees.safeguards.kill_switch import KillSwitch
from arbees.settings import Settings, SettingsRefused, address_of, all_sections, load_here
from arbees.settings.catalog import Catalog
from arbees.settings.effective import DEFAULT, explicit_values, in_force
from arbees.settings.general import ClientSettings, GatewaySettings
from arbees.settings.sources.gather import gather
from arbees.settings.sources.given import DOTENV, TOML
from arbees.settings.sources.spelling import nearest

T = TypeVar("T")

ADDRESS = frozenset({"ARBEES_URL", "HTTP_HOST", "HTTP_PORT"})
"""Settings that say where the gateway is."""
_FOLDER = frozenset({DOTENV, TOML})
_FILES = frozenset({".env", "arbees.toml"})
FINDING_SECONDS = 1.0
"""How long the settings may take to read where somebody wants to stop."""


class GatewayAddress(NamedTuple):
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
    is_guess: bool = False
    """What names the address could not be read: the gateway there may be another one."""
    stranger: str | None = None
    """What named the address, if it may be anybody's: no key goes there, its word proves nothing.
    """
    is_key_kept: bool = False
    """There is a key, and it does not go there."""


def place_of(settings: Settings) -> GatewayAddress:
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


def _place(settings: Settings, key: str | None) -> GatewayAddress:
    stranger = _stranger(settings)
    kill_file = Path(settings.section(KillSwitch).kill_switch_file)
    sent = None if stranger else key
    return GatewayAddress(settings.url, sent, kill_file, stranger=stranger, is_key_kept=sent != key)


def _stranger(settings: Settings) -> str | None:
    """Return what named the address, if whoever gave the key did not; None = it may have it."""
    is_url = settings.section(ClientSettings).url is not None
    origin, where = settings.source_of("ARBEES_URL" if is_url else "HTTP_HOST")
    if origin not in _FOLDER or (not is_url and _is_loopback(settings.url)):
        return None
    key_origin, key_where = settings.source_of("ARBEES_API_KEY")
    is_same = key_origin == origin and not key_where.startswith("ARBEES_API_KEY_FILE")
    return None if settings.api_key is not None and is_same else where


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def find() -> GatewayAddress:
    """Return the place, also when some settings are malformed; such a key is not sent."""
    astray: tuple[ConfigurationError, ...] = ()
    is_guess = False
    try:
        return place_of(load_here())
    except SettingsRefused as error:
        settings, doubts = _what_can_be_read(), tuple(map(str, error.problems))
        astray = tuple(each for each in error.problems if each.setting in ADDRESS)
        is_guess = _is_guess(settings, {each.setting or "" for each in error.problems})
    except ConfigurationError as error:
        settings, doubts = load_here(), (str(error),)
    try:
        where = place_of(settings)
    except ConfigurationError as error:
        where, doubts = _place(settings, None), (*doubts, str(error))
    told = tuple(dict.fromkeys(doubts))
    return where._replace(is_doubtful=True, doubts=told, astray=astray, is_guess=is_guess)


def _is_guess(settings: Settings, refused: Collection[str]) -> bool:
    """Tell whether the address may be another one than what was refused would have named."""
    names = [name for name in refused if name in ADDRESS or nearest(name, sorted(ADDRESS))]
    if settings.section(ClientSettings).url is not None:
        return "ARBEES_URL" in names
    is_default = all(settings.source_of(name)[0] == DEFAULT for name in ("HTTP_HOST", "HTTP_PORT"))
    return bool(names) or (is_default and not _FILES.isdisjoint(refused))


def find_to_stop() -> GatewayAddress:
    """
    Return the place for whoever wants to stop: soon, whatever the settings are.

    What reads them has a second of its own; where it hangs or breaks, the environment alone
    counts, and the defaults.
    """
    return in_time(find, FINDING_SECONDS) or _by_environment()


def in_time(work: Callable[[], T], seconds: float) -> T | None:
    """Return what a piece of work returns, None where it takes longer or breaks; it is let go."""
    found: list[T] = []
    worker = threading.Thread(target=lambda: found.append(work()), daemon=True)
    worker.start()
    worker.join(seconds)
    return found[0] if found else None


def _by_environment() -> GatewayAddress:
    """Return the place by the environment as it stands, each setting that is missing by default."""
    environ = os.environ
    host = environ.get("HTTP_HOST") or GatewaySettings().http_host
    port = environ.get("HTTP_PORT") or GatewaySettings().http_port
    kill_file = environ.get("KILL_SWITCH_FILE") or KillSwitch().kill_switch_file
    return GatewayAddress(
        environ.get("ARBEES_URL") or address_of(host, port),
        environ.get("ARBEES_API_KEY"),
        Path(kill_file),
        is_doubtful=True,
        doubts=("The settings could not be read: the environment and the defaults count.",),
        is_guess=not (environ.get("ARBEES_URL") or environ.get("HTTP_PORT")),
    )


def require_address(where: GatewayAddress) -> None:
    """Refuse a place whose address was a guess. Raises SettingsRefused."""
    if where.astray:
        raise SettingsRefused(where.astray)


def tell_doubts(where: GatewayAddress) -> None:
    """Say what is malformed, and where the command goes all the same; that a key stays here."""
    if where.is_key_kept:
        say(
            f"No key is sent to {where.url}, which {where.stranger} names: set ARBEES_URL in the "
            "environment, or write the key next to it",
            style="yellow",
        )
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
