"""Writes into a journal that no gateway writes, as `arbees authorize` does.

Guarantees that records are durable when it returns, and that nothing is written beside a gateway:
that fails with `LeaseLost`.
"""

import os
import pwd
import socket
import time
from collections.abc import Sequence

from arbees.core.event import Event
from arbees.core.events import encode, kind
from arbees.core.language.words import Mode
from arbees.core.ports import Entry, Head
from arbees.journal import SqliteJournal
from arbees.settings import Settings


def append(settings: Settings, mode: Mode, events: Sequence[Event]) -> Head:
    """
    Append events to the journal of a mode, which is made where there is none.

    Raises:
        LeaseLost: a gateway writes it.
        JournalCorrupt, JournalUnavailable, ConfigurationError: it cannot be used.
    """
    journal = SqliteJournal.open(
        settings.journal_path(mode),
        account=settings.gateway.account,
        environment=settings.gateway.environment,
        mode=mode,
    )
    try:
        time_ns = max(journal.head.time_ns + 1, time.time_ns())
        return journal.append(
            [
                Entry(time_ns + number, kind(event), encode(event), None)
                for number, event in enumerate(events)
            ]
        )
    finally:
        journal.close()


def actor() -> str:
    """Return who this is: the user of the process (who used sudo, if so) and the machine."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid {os.getuid()}"
    by = os.environ.get("SUDO_USER")
    return f"{user}{f' (sudo by {by})' if by else ''}@{socket.gethostname()}"
