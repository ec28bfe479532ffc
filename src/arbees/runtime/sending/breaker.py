"""Health of a venue: a breaker over its errors, and the lattice that it and its shards move along.

Pure: time comes in. Down on errors, up again only on evidence (a read that worked). What decides
and what status shows are made from the same conditions, so that they cannot disagree.
"""

from collections import deque
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from arbees.core.deciding.facts import VenueHealth
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import Platform, TradingState
from arbees.core.ports import WELL, Sharded, Venue, Vitals

ERROR_WINDOW_NS = 60 * NS_PER_SECOND
_HEALTHY = VenueHealth()
UNCOMPARED = "its orders and positions are not compared with the book yet"


class Breaker:
    """Opens after so many errors within a minute; closes when a probe worked after the pause."""

    def __init__(self, errors_to_open: int, cooldown_ns: int) -> None:
        """Start closed: orders pass."""
        self._errors_to_open = errors_to_open
        self._cooldown_ns = cooldown_ns
        self._errors: deque[int] = deque(maxlen=max(1, errors_to_open))
        self._opened_ns: int | None = None
        self.last_error = ""

    def anew(self) -> "Breaker":
        """Return one over other errors, closed, with the same limits."""
        return Breaker(self._errors_to_open, self._cooldown_ns)

    @property
    def is_open(self) -> bool:
        """Whether orders are held back."""
        return self._opened_ns is not None

    def is_probe_due(self, now_ns: int) -> bool:
        """Tell whether the pause is over and a read may show that the venue is back."""
        return self._opened_ns is not None and now_ns >= self._opened_ns + self._cooldown_ns

    def note(self, now_ns: int, error: str | None) -> bool:
        """Take one contact with the venue (None = it worked); return whether the state changed."""
        if error is None:
            if not self.is_probe_due(now_ns):
                return False
            self._opened_ns = None
            self._errors.clear()
            return True
        self.last_error = error
        if self._opened_ns is not None:
            if self.is_probe_due(now_ns):
                self._opened_ns = now_ns
            return False
        self._errors.append(now_ns)
        is_full = len(self._errors) >= self._errors_to_open
        if is_full and self._errors[0] > now_ns - ERROR_WINDOW_NS:
            self._opened_ns = now_ns
            return True
        return False

    def health(self, now_ns: int) -> VenueHealth:
        """Return the facts that a decision consults."""
        if self._opened_ns is None:
            return _HEALTHY
        until_ns = self._opened_ns + self._cooldown_ns
        reason = f"breaker: {self.last_error}" if self.last_error else "breaker"
        return VenueHealth(
            is_open=False, reason=reason, until_ns=until_ns if until_ns > now_ns else None
        )

    @property
    def state(self) -> TradingState:
        """Where the venue stands on the lattice."""
        return TradingState.ACTIVE if self._opened_ns is None else TradingState.REDUCING


class Conditions:
    """What stops orders to the venues of a desk now, by shard where a venue has some."""

    def __init__(
        self,
        venues: Mapping[Platform, Venue],
        breakers: Mapping[Platform, Breaker],
        uncompared: AbstractSet[Platform],
    ) -> None:
        """
        Look at venues.

        Args:
            venues: by platform.
            breakers: over their errors.
            uncompared: whose word was not compared with the book yet.
        """
        self._venues = venues
        self._breakers = breakers
        self._uncompared = uncompared
        self._of_shards: dict[str, Breaker] = {}
        self._sharded = {
            platform: venue for platform, venue in venues.items() if isinstance(venue, Sharded)
        }

    def breaker_of(self, platform: Platform, pool: str = "") -> Breaker:
        """Return the breaker over a shard's own errors, by its pool; else that of the venue."""
        whole = self._breakers[platform]
        if pool not in self.shards(platform):
            return whole
        found = self._of_shards.get(pool)
        if found is None:
            found = self._of_shards[pool] = whole.anew()
        return found

    def breakers(self, platform: Platform) -> tuple[Breaker, ...]:
        """Return the breakers of a venue and of its shards."""
        shards = self.shards(platform)
        own = (each for pool, each in self._of_shards.items() if pool in shards)
        return self._breakers[platform], *own

    def vitals(self, platform: Platform, pool: str) -> Vitals:
        """Return how the shard of a pool is; of a venue without shards, how the venue is."""
        sharded = self._sharded.get(platform)
        return self._venues[platform].vitals if sharded is None else sharded.vitals_of(pool)

    def health(self, platform: Platform, now_ns: int, pool: str = "") -> VenueHealth:
        """Return the facts of a venue's health for a decision about a market of a pool."""
        breaker = self._breakers.get(platform)
        if breaker is None:
            reason = "no adapter for this venue"
            return VenueHealth(is_open=False, reason=reason, is_sendable=False)
        if not breaker.is_open and pool in self._of_shards:
            breaker = self._of_shards[pool]
        health, vitals = breaker.health(now_ns), self.vitals(platform, pool)
        is_uncompared = platform in self._uncompared
        if vitals is WELL:
            if not is_uncompared:
                return health
            return replace(health, is_blind=True, blind_reason=UNCOMPARED)
        is_blind = vitals.is_blind or is_uncompared
        return VenueHealth(
            is_open=health.is_open and vitals.reason is None,
            reason=health.reason or vitals.reason,
            until_ns=health.until_ns or vitals.until_ns,
            is_heartbeat_late=vitals.is_heartbeat_late,
            is_blind=is_blind,
            blind_reason=(vitals.blind_reason or UNCOMPARED) if is_blind else None,
            is_paused=vitals.is_paused,
            is_sendable=vitals.is_sendable,
        )

    def shards(self, platform: Platform) -> Mapping[str, int]:
        """Return the shards of a venue by the names of their pools; empty = it has none."""
        sharded = self._sharded.get(platform)
        return {} if sharded is None else sharded.shards

    def state(self, platform: Platform, now_ns: int, pool: str = "") -> TradingState:
        """Return where a venue, or the shard of a pool, stands on the lattice."""
        health = self.health(platform, now_ns, pool)
        if platform in self._venues and self.vitals(platform, pool).is_closed:
            return TradingState.READ_ONLY
        if health.is_paused or not health.is_sendable:
            return TradingState.HALTED
        if not health.is_open or health.is_heartbeat_late or health.is_blind:
            return TradingState.REDUCING
        return TradingState.ACTIVE
