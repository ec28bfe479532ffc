"""Every venue there is: one line each."""

from arbees.core.language.words import Platform
from arbees.venues.kalshi.spec import KALSHI
from arbees.venues.polymarket.spec import POLYMARKET
from arbees.venues.spec import VenueSpec, WeeklyPause

VENUES: dict[Platform, VenueSpec] = {each.platform: each for each in (KALSHI, POLYMARKET)}
"""In the order in which they are shown."""


def pause_of(platform: Platform, now_ns: int) -> WeeklyPause | None:
    """Return the pause that a venue's calendar has at a time (UTC ns); None = it trades."""
    return VENUES[platform].pause(now_ns)
