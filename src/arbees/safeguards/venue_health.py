"""Denies orders to a venue that is down or restricted, and while we cannot see or time what we do.

Guarantees that nothing that opens is sent where errors pile up, where our own fills would go
unseen, or with a clock that the venue does not share. What reduces is stopped only where nothing
can be sent at all. The runtime's monitor judges, by the market's own shard; here its word is law.
"""

from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.facts import VenueHealth as Health
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.units import NS_PER_SECOND

_AVAILABLE = Pass("VENUE_UNAVAILABLE")
_BEATING = Pass("VENUE_HEARTBEAT_LATE")
_LATE = Deny("VENUE_HEARTBEAT_LATE")
_LATE_REDUCING = Skipped("VENUE_HEARTBEAT_LATE", "reducing order")
_SEEING = Pass("VENUE_BLIND")
_BLIND = Deny("VENUE_BLIND")
_BLIND_REDUCING = Skipped("VENUE_BLIND", "reducing order")
_UNAVAILABLE_REDUCING = Skipped("VENUE_UNAVAILABLE", "reducing order")
_SKEWED_REDUCING = Skipped("CLOCK_SKEW", "reducing order")


class VenueHealth(msgspec.Struct, frozen=True):
    """When a venue's state stops new orders."""

    name: ClassVar[str] = "venue_health"
    codes: ClassVar[tuple[str, ...]] = (
        "VENUE_UNAVAILABLE",
        "VENUE_HEARTBEAT_LATE",
        "VENUE_BLIND",
        "CLOCK_SKEW",
    )

    venue_errors_to_open: Annotated[
        int,
        Setting(
            name="VENUE_ERRORS_TO_OPEN",
            kind=SettingKind.COUNT,
            default="5",
            low="1",
            high="1000",
            doc="Errors of a venue within 60 s that open its breaker.",
        ),
    ] = 5
    venue_cooldown: Annotated[
        int,
        Setting(
            name="VENUE_COOLDOWN_SECS",
            kind=SettingKind.SECONDS,
            default="30",
            low="1",
            high="3600",
            doc="How long an open breaker waits before it probes the venue.",
        ),
    ] = 30 * NS_PER_SECOND
    max_clock_skew: Annotated[
        int,
        Setting(
            name="MAX_CLOCK_SKEW_SECS",
            kind=SettingKind.SECONDS,
            default="2",
            low="0.001",
            high="60",
            doc="How far created_at may lie in the future, and our clock from the venue's.",
        ),
    ] = 2 * NS_PER_SECOND

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Look at what the monitor says of the venue, and at the clock."""
        venue = facts.venue
        skew, limit = abs(facts.clock_offset_ns), self.max_clock_skew
        available = _availability(venue)
        if order.is_reducing:
            if venue.is_sendable and isinstance(available, Deny):
                available = _UNAVAILABLE_REDUCING
            return available, _LATE_REDUCING, _BLIND_REDUCING, _SKEWED_REDUCING
        return (
            available,
            _LATE if venue.is_heartbeat_late else _BEATING,
            (Deny("VENUE_BLIND", venue.blind_reason) if venue.blind_reason else _BLIND)
            if venue.is_blind
            else _SEEING,
            Deny("CLOCK_SKEW", skew, limit)
            if skew > limit
            else Pass("CLOCK_SKEW", skew, limit, limit - skew),
        )


def _availability(venue: Health) -> Verdict:
    """
    Return whether the venue takes orders at all.

    A restricted venue counts as one that does not: post-only refuses what takes, cancel-only
    refuses all, and an order meant for now is not worth resting until later. A trading pause is
    said by `trading_window`, under a code of its own.
    """
    reason = venue.reason
    if venue.is_open and (reason is None or venue.is_paused):
        return _AVAILABLE
    return Deny("VENUE_UNAVAILABLE", reason or "unavailable", None, venue.until_ns)
