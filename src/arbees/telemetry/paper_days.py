"""What a journal of paper trading shows before live trading: days, denials, drills.

Guarantees that only durable records count, and that a day counts only if requests were decided on
it and no process of it ran with a safeguard switched off. One walk, in memory that is bounded by
the number of denials and days.
"""

from collections.abc import Iterator
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from arbees.core import events as e
from arbees.core.ports import Stored
from arbees.telemetry.days import day_of

DISPUTED = "disputed"


class Reader(Protocol):
    """What is needed of a journal."""

    def records(self, after: int = 0) -> Iterator[Stored]:
        """Yield the durable records with a sequence above `after`, in order."""
        ...


class DrillSeen(msgspec.Struct, frozen=True):
    """The newest drill of a safeguard on one host."""

    time_ns: int
    event: e.Drilled


class PaperDays(msgspec.Struct, kw_only=True):
    """What a walk over a journal found."""

    days: list[str] = []
    """Trading days that count, oldest first."""
    spoiled: dict[str, str] = {}
    """Days that do not, and which safeguards were off."""
    denials: dict[int, str] = {}
    """Sequence of each denial -> the last word on it; empty = none."""
    denied_on: dict[int, str] = {}
    """Sequence of each denial -> its trading day."""
    drills: dict[tuple[str, str], DrillSeen] = {}
    """By safeguard and host, the newest."""
    breaks: dict[str, str] = {}
    """Open reconciliation breaks, and what they say."""
    last_ns: int = 0

    def in_days(self, days: set[str]) -> dict[int, str]:
        """Return the denials of some days with the last word on each."""
        return {
            sequence: verdict
            for sequence, verdict in self.denials.items()
            if self.denied_on[sequence] in days
        }


_KINDS = frozenset(
    each.__name__
    for each in (
        e.Started,
        e.Stopped,
        e.RequestDenied,
        e.OrderApproved,
        e.DenialReviewed,
        e.Drilled,
        e.BreakOpened,
        e.BreakClosed,
    )
)


def walk(reader: Reader, zone: ZoneInfo) -> PaperDays:
    """
    Walk over a journal.

    Args:
        reader: the journal.
        zone: of the trading day.

    Raises:
        JournalCorrupt: it cannot be read.
    """
    found = PaperDays()
    used: dict[str, None] = {}
    off: dict[str, str] = {}
    for stored in reader.records():
        found.last_ns = stored.time_ns
        if stored.kind not in _KINDS and not off:
            continue
        day = day_of(stored.time_ns, zone)
        if off:
            found.spoiled[day] = ", ".join(off)
        if stored.kind == "OrderApproved":
            used.setdefault(day)  # which order it is does not matter
            continue
        if stored.kind in _KINDS:
            event = e.decode(stored.body)
            if isinstance(event, e.Started):
                off = dict(event.disabled)
                if off:
                    found.spoiled[day] = ", ".join(off)
            elif isinstance(event, e.Stopped):
                off = {}
            elif isinstance(event, e.RequestDenied):
                used.setdefault(day)
                found.denials[stored.sequence] = ""
                found.denied_on[stored.sequence] = day
            else:
                _take(found, stored, event)
    found.days = [day for day in used if day not in found.spoiled]
    return found


def _take(found: PaperDays, stored: Stored, event: e.Event) -> None:
    match event:
        case e.DenialReviewed():
            if event.sequence in found.denials:
                found.denials[event.sequence] = event.verdict
        case e.Drilled():
            found.drills[event.safeguard, event.host] = DrillSeen(stored.time_ns, event)
        case e.BreakOpened():
            where = event.market_key or event.platform
            text = f"{event.kind} at {where}: expected {event.expected}, was {event.observed}"
            found.breaks[event.break_id] = text
        case e.BreakClosed():
            found.breaks.pop(event.break_id, None)
