"""`arbees authorize`: an operator allows live trading, under exactly the settings of now (R1).

Guarantees that who, why, until when and every setting stand in the live journal before it says so.
Refuses with 78 where the settings do not mean live trading, with 2 where reason or time are none,
and where a gateway writes the journal: it must be stopped first, since it runs on other settings.
"""

import json
import os
import pwd
import socket
import sys
import time
from typing import Annotated

from cyclopts import App, Parameter

from arbees.core.events import Authorized, encode, kind
from arbees.core.language.strict_json import format_time, parse_time
from arbees.core.language.words import Mode
from arbees.core.ports import Entry, Head
from arbees.errors import ArbeesError, ConfigurationError, LeaseLost
from arbees.journal import SqliteJournal
from arbees.settings import Settings, load_here
from arbees.settings.authority import refusals

USAGE = 2
_REASON_MAX = 500

app = App(name="authorize")


@app.default
def authorize(
    *,
    reason: Annotated[str, Parameter(help="Why; kept in the journal.")],
    until: Annotated[
        str | None, Parameter(help="Last moment, such as 2026-01-28T20:30:00Z; none = no end.")
    ] = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> int:
    """Record in the live journal who allows live trading, until when, under which settings.

    Ends with 78 where the settings do not mean live trading, 2 where reason or time are none, 1
    while a gateway writes the live journal: stop it, authorize, and start it again.

    Example: `arbees authorize --reason "a week of paper, reviewed" --until 2026-02-04T22:00:00Z`
    """
    now_ns = time.time_ns()
    try:
        until_ns = _read(reason, until, now_ns)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    try:
        settings = load_here()
        _require_live(settings)
        event = Authorized(
            actor=_actor(),
            reason=reason.strip(),
            settings_hash=settings.hash,
            until_ns=until_ns,
            settings=settings.recorded(),
        )
        head = _record(settings, event, now_ns)
    except LeaseLost as error:
        sys.stderr.write(f"{error}. Stop the gateway, authorize, and start it again.\n")
        return error.exit_code
    except ArbeesError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    _tell(event, head, as_json=as_json)
    return 0


def _read(reason: str, until: str | None, now_ns: int) -> int | None:
    """Check what was typed. Raises ValueError."""
    text = reason.strip()
    if not text or len(text) > _REASON_MAX or not text.isprintable():
        raise ValueError(f"--reason: Expected printable text of 1 to {_REASON_MAX} characters")
    if until is None:
        return None
    try:
        until_ns = parse_time(until)
    except ValueError as error:
        raise ValueError(f"--until: {error}") from None
    if until_ns <= now_ns:
        raise ValueError(f"--until: Expected a time to come, was {until!r}")
    return until_ns


def _require_live(settings: Settings) -> None:
    """Raise ConfigurationError unless the settings mean live trading."""
    if settings.mode is Mode.PAPER:
        raise ConfigurationError(
            "Expected settings that mean live trading, there is nothing to authorize",
            setting="PAPER_TRADING",
            value=settings.shown()["PAPER_TRADING"].text,
            fix="Set PAPER_TRADING=0 and LIVE_TRADING_AUTHORIZED=true first: the record is of "
            "exactly these settings.",
        )
    found = refusals(settings)
    if found:
        raise ConfigurationError("\n".join(found))


def _actor() -> str:
    """Return who this is: the user of the process (who used sudo, if so) and the machine."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid {os.getuid()}"
    by = os.environ.get("SUDO_USER")
    return f"{user}{f' (sudo by {by})' if by else ''}@{socket.gethostname()}"


def _record(settings: Settings, event: Authorized, now_ns: int) -> Head:
    """Append the event to the live journal, which is made where there is none."""
    journal = SqliteJournal.open(
        settings.journal_path(Mode.LIVE),
        account=settings.gateway.account,
        environment=settings.gateway.environment,
        mode=Mode.LIVE,
    )
    try:
        time_ns = max(journal.head.time_ns + 1, now_ns)
        entry = Entry(time_ns, kind(event), encode(event), None)
        return journal.append([entry])
    finally:
        journal.close()


def _tell(event: Authorized, head: Head, *, as_json: bool) -> None:
    until = None if event.until_ns is None else format_time(event.until_ns)
    if as_json:
        data = {
            "actor": event.actor,
            "reason": event.reason,
            "until": until,
            "settings_hash": event.settings_hash,
            "settings": event.settings,
            "sequence": head.sequence,
            "journal_hash": head.hash.hex(),
        }
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
        return
    end = f"until {until}" if until else "without end"
    sys.stdout.write(
        f"Live trading is authorized by {event.actor}, {end},\n"
        f"for exactly these settings: {event.settings_hash}\n"
        f"Recorded as number {head.sequence} of the live journal; other settings need it anew.\n"
    )
