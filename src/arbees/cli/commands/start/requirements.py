"""Examines what the settings name: files, ports, the journal, the venues.

Guarantees that nothing is changed (the journal is opened for reading, a port only tried), that one
look that fails leaves the others, and that a venue is only called where settings name it: paper
trading needs none of them, and there none of them can fail the whole.
"""

import contextlib
import fcntl
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from arbees.cli.commands.start.host import (
    HostFinding,
    fail,
    nearest,
    ok,
    warn,
)
from arbees.cli.shared.connection import place_of
from arbees.cli.shared.http import GatewayClient, Unreachable
from arbees.core.language.words import Mode
from arbees.errors import ArbeesError, ConfigurationError, JournalCorrupt
from arbees.journal import Binding
from arbees.journal.lock import SUFFIX as LOCK
from arbees.journal.opening import inspect
from arbees.runtime.sending.gate import KillFile
from arbees.safeguards.kill_switch import KillSwitch
from arbees.settings import Settings
from arbees.settings.authority import live_platforms
from arbees.settings.catalog import Catalog
from arbees.settings.loaded import AUDIT_LOG_FALLBACK, all_sections
from arbees.settings.sources.dotenv import read_dotenv
from arbees.venues.registry import VENUES

VENUE_SECONDS = 2.0
VENUE_URLS = {name: spec.platform for spec in VENUES.values() for name in spec.url_names.values()}
_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}


def examine(settings: Settings) -> Iterator[HostFinding]:
    """Examine everything that settings name."""
    yield from private_files(Path(".env"), dict(os.environ))
    yield from port(settings)
    yield from journal(settings, time.time_ns())
    yield audit_log(settings)
    yield kill_file(settings)
    yield from venues(settings)


# Files that only their owner may read ----------------------------------------------------------


def private_files(dotenv: Path, environ: dict[str, str]) -> Iterator[HostFinding]:
    """
    Judge the permissions of `.env` and of each file that holds a secret.

    Args:
        dotenv: the `.env`, which need not be there.
        environ: the environment.
    """
    catalog = Catalog(all_sections())
    named = {name: text for name, text in environ.items() if name in catalog.files}
    holds_secret = False
    if dotenv.is_file():
        try:
            lines, _ = read_dotenv(dotenv.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            lines = []
        named = {line.name: line.text for line in lines if line.name in catalog.files} | named
        holds_secret = any(line.text and catalog.is_secret(line.name) for line in lines)
        yield _private(".env", dotenv, is_secret=holds_secret)
    for name, text in named.items():
        if text:
            yield _private(name, Path(text), is_secret=True)


def _private(name: str, path: Path, *, is_secret: bool) -> HostFinding:
    mend = f"chmod 600 {path}"
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        return fail(name, f"{path} cannot be read: {error.strerror}", f"Make it, or unset {name}")
    if not os.access(path, os.R_OK):
        return fail(name, f"{path} cannot be read by this user", f"Give it the right, or {mend}")
    if mode & 0o022:
        return fail(name, f"Others may write {path} ({mode:04o})", mend)
    if mode & 0o077 and is_secret:
        return warn(name, f"Others may read {path} ({mode:04o}), which holds a secret", mend)
    return ok(name, f"{path} ({mode:04o})")


# The gateway's place ---------------------------------------------------------------------------


def port(settings: Settings) -> Iterator[HostFinding]:
    """Look whether our gateway is at its address, or the port is free for it."""
    host, number = settings.gateway.http_host, settings.gateway.http_port
    try:
        where = place_of(settings)
    except ConfigurationError as error:
        yield fail("ARBEES_API_KEY", error.message, error.fix or "")
        return
    try:
        answer = GatewayClient(where, VENUE_SECONDS).get("/v1/status", VENUE_SECONDS)
    except Unreachable:
        yield _free(host, number)
        return
    if answer.status in {401, 403}:
        text = f"A gateway is at {where.url}, which does not take this ARBEES_API_KEY"
        yield warn("gateway", text, "Set ARBEES_API_KEY to a key with the scope read")
        return
    found = answer.json
    if answer.status == 503:
        yield ok("gateway", f"A gateway is starting or stopping at {where.url}")
    elif not answer.is_ok or "settings_hash" not in found:
        text = f"{where.url} is answered by something that is no gateway (HTTP {answer.status})"
        yield fail("gateway", text, "Stop it, or set HTTP_PORT to another port")
    else:
        said = f"{found['mode']}, {found['state']}, version {found['version']}"
        yield ok("gateway", f"A gateway runs at {where.url}: {said}")
        if found["settings_hash"] != settings.hash:
            yield warn(
                "settings in force",
                "The gateway runs on other settings than those here",
                "Restart it to take these, or look from the folder that it was started in",
            )


def _free(host: str, number: int) -> HostFinding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, number))
    except PermissionError:
        text = f"Port {number} is for privileged programs"
        return fail("port", text, "Set HTTP_PORT to 1024 or more")
    except OSError as error:
        text = f"{host}:{number} cannot be listened on: {error.strerror or error}"
        return fail("port", text, "Stop what listens there, or set HTTP_HOST and HTTP_PORT")
    return ok("port", f"{host}:{number} is free")


# Files of the gateway --------------------------------------------------------------------------


def journal(settings: Settings, now_ns: int) -> Iterator[HostFinding]:
    """
    Look at the journal as a start would, and whether somebody writes it.

    Args:
        settings: name it.
        now_ns: the clock.
    """
    path, general = settings.journal_path(), settings.gateway
    try:
        found = inspect(
            path.resolve(),
            Binding(general.account, general.environment, settings.mode),
            now_ns,
            None,
        )
    except JournalCorrupt as error:
        text = f"{path} is not whole: {error}"
        yield fail("journal", text, "Look first: arbees audit verify; then docs/journal.md")
        return
    except ConfigurationError as error:
        yield fail("journal", error.message, error.fix or "Set JOURNAL_PATH to another file")
        return
    except ArbeesError as error:
        yield fail("journal", str(error), "Set JOURNAL_PATH to a file that this user may write")
        return
    writer = _writer(path)
    by = f", written by {writer}" if writer else ""
    if found is None:
        yield ok("journal", f"None yet at {path}: the first start makes it")
    else:
        yield ok("journal", f"{path}: {found.head.sequence} records, the newest proved{by}")
    if not writer and not os.access(path if path.exists() else nearest(path.parent), os.W_OK):
        text = f"This user may not write {path}"
        yield fail("journal", text, "Give it the right, or set JOURNAL_PATH")


def _writer(path: Path) -> str:
    """Return who writes a journal; empty where nobody does."""
    lock = path.with_name(path.name + LOCK)
    with contextlib.suppress(OSError), lock.open("rb") as file:
        holder = file.read(64).decode("ascii", "replace").strip() or "another process"
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return holder
    return ""


def audit_log(settings: Settings) -> HostFinding:
    """Look whether the audit log can be written."""
    audit = settings.audit_log
    path = settings.audit_log_path()
    if not audit.is_enabled:
        return warn("audit log", "It is switched off", "Set AUDIT_LOG_ENABLED=true")
    mend = f"mkdir -p {path.parent}, or set AUDIT_LOG_PATH, e.g. var/execution_audit.jsonl"
    if path == AUDIT_LOG_FALLBACK and not path.parent.exists():
        return ok("audit log", f"A start makes {path}")
    if not path.parent.is_dir():
        return fail("audit log", f"The folder of {path} is not there", mend)
    if path.exists() and not path.is_file():
        return fail("audit log", f"{path} is no file", "Set AUDIT_LOG_PATH to a file")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return fail("audit log", f"This user may not write {path}", f"Give it the right; {mend}")
    return ok("audit log", f"{path} can be written")


def kill_file(settings: Settings) -> HostFinding:
    """Look whether the kill-switch file halts everything."""
    path = settings.section(KillSwitch).kill_switch_file
    reason = KillFile(path).reason()
    if reason is None:
        return ok("kill switch", f"There is no {path}: it halts nothing")
    if os.path.lexists(path):
        return warn("kill switch", f"HALTED: {reason}", f"When it is time to trade: rm {path}")
    return fail("kill switch", f"HALTED: {reason}", "Set KILL_SWITCH_FILE to one that can be read")


# Venues ----------------------------------------------------------------------------------------


def venues(settings: Settings) -> Iterator[HostFinding]:
    """Call the venues that are needed or named."""
    shown = settings.shown()
    needed: set[str] = set()
    if settings.mode is Mode.LIVE:
        with contextlib.suppress(ConfigurationError):
            needed = set(live_platforms(settings))
    calls = {
        name: shown[name].text
        for name, venue in VENUE_URLS.items()
        if venue in needed or shown[name].origin != "default"
    }
    if not calls:
        yield ok("venues", f"Not needed for {settings.mode} trading; no setting names one")
    for name, url in calls.items():
        why = _unreached(url)
        if why is None:
            yield ok(name, f"{url} is reached")
        elif VENUE_URLS[name] in needed:
            yield fail(name, f"{url} is not reached: {why}", "Look at the network and its firewall")
        else:
            text = f"{url} is not reached: {why}"
            yield warn(name, text, f"Not needed on paper; mend it before live, or unset {name}")


def _unreached(url: str) -> str | None:
    """Return why no connection comes about; None where one does."""
    parts = urlsplit(url)
    number = parts.port or _PORTS.get(parts.scheme, 443)
    try:
        socket.create_connection((parts.hostname or "", number), VENUE_SECONDS).close()
    except TimeoutError:
        return "no answer in time"
    except OSError as error:
        return error.strerror or str(error)
    return None
