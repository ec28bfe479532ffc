"""What is known of the venues just now, each with its age: the surroundings of every decision."""

from collections.abc import Callable, Collection, Mapping

from msgspec.structs import replace

from arbees.core.deciding.facts import VenueHealth
from arbees.core.language.words import Platform
from arbees.core.ports import Venue
from arbees.runtime.sending.breaker import Conditions
from arbees.venues.spec import WeeklyPause

Pauses = Callable[[Platform, int], WeeklyPause | None]
"""The pause that a venue's calendar has at a time; None = it trades."""


class VenueFacts:
    """Implements `runtime.intake.step.Surroundings`; monitors and the directory keep it current."""

    def __init__(
        self,
        conditions: Conditions,
        venues: Mapping[Platform, Venue],
        with_own_books: Collection[Platform],
        pauses: Pauses | None,
    ) -> None:
        """
        Know nothing yet of balances and markets.

        Args:
            conditions: what stops orders to the venues.
            venues: by platform.
            with_own_books: those whose market data comes from themselves.
            pauses: by the calendars of the venues; None = there are none, as on paper.
        """
        self._conditions = conditions
        self._venues = venues
        self._with_own_books = with_own_books
        self._pauses = pauses
        self.balances_ns: dict[str, int] = {}
        """By pool: the venue's own time of its last figure."""
        self.markets_ns: dict[tuple[Platform, str], int] = {}
        """As of when the venue's word on a market is."""

    def health(self, platform: Platform, now_ns: int, pool: str) -> VenueHealth:
        """Return the state of a venue for an order in a pool."""
        health = self._conditions.health(platform, now_ns, pool)
        pause = None if self._pauses is None else self._pauses(platform, now_ns)
        if pause is None:
            return health
        return replace(health, is_paused=True, reason=pause.text, until_ns=pause.until_ns)

    def balance_ns(self, pool: str) -> int:
        """Return when a pool's balance was told last; 0 = never."""
        return self.balances_ns.get(pool, 0)

    def market_ns(self, platform: Platform, market_id: str) -> int | None:
        """Return as of when the venue's word on a market is; 0 = never, None = none is asked."""
        if platform not in self._with_own_books:
            return None  # what quotes say holds until they say otherwise
        return self.markets_ns.get((platform, market_id), 0)

    def has_own_books(self, platform: Platform) -> bool:
        """Tell whether books come from the venue itself."""
        return platform in self._with_own_books

    def clock_offset_ns(self, platform: Platform) -> int:
        """Return our clock less the venue's."""
        venue = self._venues.get(platform)
        return 0 if venue is None else venue.vitals.clock_offset_ns
