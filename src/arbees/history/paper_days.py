"""What a journal of paper trading shows before live trading: days, denials, drills.

Guarantees that only durable records count, and that a day counts only if a gateway was up for long
enough, decided enough requests on fresh quotes, and ran with no safeguard switched off. One walk,
in memory that is bounded by the number of denials and days.
"""

from collections.abc import Iterator
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from arbees.core import events
from arbees.core.book.book import HOUR_NS
from arbees.core.ports import Stored
from arbees.telemetry.days import day_of

DISPUTED = "disputed"


class DaysReader(Protocol):
    """What is needed of a journal."""

    def records(self, after: int = 0) -> Iterator[Stored]:
        """Yield the durable records with a sequence above `after`, in order."""
        ...


class DrillSeen(msgspec.Struct, frozen=True):
    """The newest drill of a safeguard on one host."""

    time_ns: int
    event: events.Drilled


DECISIONS_MIN = 20
"""Requests that a day must have decided on fresh quotes to count."""


class DayRules(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a day of paper trading evidence."""

    up_ns: int
    """How long a gateway must have been up."""
    quote_age_ns: int
    """How old the quote of a decision may have been."""
    decisions: int = DECISIONS_MIN


class PaperDay(msgspec.Struct):
    """What happened on one trading day."""

    up_ns: int = 0
    decisions: int = 0
    fresh: int = 0
    """Decisions on a quote that was fresh enough."""

    def is_enough(self, asked: DayRules) -> bool:
        """Tell whether the day counts, if no safeguard was off."""
        return self.up_ns >= asked.up_ns and self.fresh >= asked.decisions

    @property
    def figures(self) -> str:
        """What happened, for people."""
        hours = self.up_ns / HOUR_NS
        return f"{hours:.1f} hours up, {self.decisions} decisions, {self.fresh} on fresh quotes"


class PaperDays(msgspec.Struct, kw_only=True):
    """What a walk over a journal found."""

    days: list[str] = []
    """Trading days that count, oldest first."""
    seen: dict[str, PaperDay] = {}
    """Every day on which a gateway was up, oldest first."""
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
        events.Started,
        events.Stopped,
        events.RequestDenied,
        events.OrderApproved,
        events.DenialReviewed,
        events.Drilled,
        events.BreakOpened,
        events.BreakClosed,
    )
)


def walk(reader: DaysReader, zone: ZoneInfo, asked: DayRules) -> PaperDays:
    """
    Walk over a journal.

    A gateway is up from its start to its end, or to its last record where it crashed. It opens each
    trading day with a record, so the time between two records belongs to the day of the first.

    Args:
        reader: the journal.
        zone: of the trading day.
        asked: what makes a day count.

    Raises:
        JournalCorrupt: it cannot be read.
    """
    found = PaperDays()
    off: dict[str, str] = {}
    before: PaperDay | None = None
    for stored in reader.records():
        day = day_of(stored.time_ns, zone)
        if before is not None and stored.kind != "Started":
            before.up_ns += stored.time_ns - found.last_ns
        found.last_ns = stored.time_ns
        here = found.seen.get(day)
        if here is None:
            here = found.seen[day] = PaperDay()
        before = here
        event = events.decode(stored.body) if stored.kind in _KINDS else None
        started = event.disabled if isinstance(event, events.Started) else None
        for names in (off, started):
            if names:
                found.spoiled[day] = ", ".join(names)
        off = off if started is None else dict(started)
        if isinstance(event, events.Stopped):
            off, before = {}, None
        elif isinstance(event, events.OrderApproved | events.RequestDenied):
            here.decisions += 1
            touch, now_ns = event.facts.touch, event.facts.now_ns
            here.fresh += touch is not None and now_ns - touch.ts_ns <= asked.quote_age_ns
        if isinstance(event, events.RequestDenied):
            found.denials[stored.sequence] = ""
            found.denied_on[stored.sequence] = day
        elif event is not None:
            _take(found, stored, event)
    found.days = [
        day for day, on in found.seen.items() if on.is_enough(asked) and day not in found.spoiled
    ]
    return found


def _take(found: PaperDays, stored: Stored, event: events.Event) -> None:
    match event:
        case events.DenialReviewed():
            if event.sequence in found.denials:
                found.denials[event.sequence] = event.verdict
        case events.Drilled():
            found.drills[event.safeguard, event.host] = DrillSeen(stored.time_ns, event)
        case events.BreakOpened():
            where = event.market_key or event.platform
            text = f"{event.kind} at {where}: expected {event.expected}, was {event.observed}"
            found.breaks[event.break_id] = text
        case events.BreakClosed():
            found.breaks.pop(event.break_id, None)
