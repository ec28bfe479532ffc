"""Health of a venue: a breaker over its errors, and the lattice that it moves along.

Pure: time comes in. Down on errors, up again only on evidence (a read that worked).
"""

from collections import deque

from arbees.core.facts import VenueHealth
from arbees.core.units import NS_PER_SECOND
from arbees.core.words import TradingState

ERROR_WINDOW_NS = 60 * NS_PER_SECOND
_HEALTHY = VenueHealth()


class Breaker:
    """Opens after so many errors within a minute; closes when a probe worked after the pause."""

    def __init__(self, errors_to_open: int, cooldown_ns: int) -> None:
        """Start closed: orders pass."""
        self._errors_to_open = errors_to_open
        self._cooldown_ns = cooldown_ns
        self._errors: deque[int] = deque(maxlen=max(1, errors_to_open))
        self._opened_ns: int | None = None
        self.last_error = ""

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
        return TradingState.ACTIVE if self._opened_ns is None else TradingState.HALTED
