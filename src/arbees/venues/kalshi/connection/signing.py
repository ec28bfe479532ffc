"""Signatures for Kalshi: made ahead, off the event loop, each for one request, each in its time.

Guarantees that what leaves carries a signature whose timestamp is within the budget of the venue's
clock, that no signature leaves twice, and that none leaves while the two clocks are too far apart
or were never compared. The body is not signed, and the path of a create is always the same: so the
signature of an order that nobody has thought of yet can lie ready, and costs the order nothing.

Source: venues page of Kalshi, section 1: timestamps 10 s off passed and 30 s off were refused
(measured); 5 s is the budget that we keep.
"""

import threading
from collections import deque
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import msgspec

from arbees.core.language.units import NS_PER_MILLISECOND, NS_PER_SECOND
from arbees.errors import VenueNotSent
from arbees.venues.kalshi.connection.keys import SigningKey

BUDGET_NS = 5 * NS_PER_SECOND
"""How far the timestamp of a signature may be from the venue's clock when it leaves."""
LEAD_NS = 3 * NS_PER_SECOND
"""How far ahead a signature is dated: it may leave from 2 s before it was made until 8 s after."""
UNSURE_MAX_NS = BUDGET_NS - LEAD_NS
"""Where the venue's time is known less exactly, no signature can be in its budget for certain."""
DEPTH = 32
"""Signatures that lie ready: the orders of a burst that wait for nothing."""
OFFSET_AGE_MAX_NS = 300 * NS_PER_SECOND
"""A comparison of the clocks is believed for this long."""
DRIFT_PER_SECOND_NS = 100_000
"""By how much two clocks may part in a second (100 ppm), which widens what is known."""


class Signed(msgspec.Struct, frozen=True):
    """One signature: the headers of one request, and the moment that they name."""

    key_id: str
    timestamp_ms: int
    text: str

    @property
    def timestamp_ns(self) -> int:
        """The moment that is signed, on the venue's clock."""
        return self.timestamp_ms * NS_PER_MILLISECOND

    def headers(self) -> dict[str, str]:
        """Return the three headers of Kalshi."""
        return {
            "KALSHI-ACCESS-KEY": self.key_id,
            "KALSHI-ACCESS-TIMESTAMP": str(self.timestamp_ms),
            "KALSHI-ACCESS-SIGNATURE": self.text,
        }

    def __repr__(self) -> str:
        """Tell when, and nothing that could be used."""
        return f"<signature of {self.timestamp_ms}>"


class VenueClock:
    """
    Our clock less the venue's, from the `Date` of its answers.

    `Date` has whole seconds, so that each answer says only between which bounds the difference
    lies; the bounds of many answers meet closer than those of one, and part as they grow old.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """Know nothing yet."""
        self._now_ns = now_ns
        self._known: tuple[int, int, int] | None = None
        """Least and greatest difference, and when they were found: replaced as one, since
        signatures are made in another thread."""

    def compare(self, sent_ns: int, received_ns: int, date: str) -> None:
        """
        Take one answer.

        Args:
            sent_ns: our time when the request left.
            received_ns: our time when the answer came.
            date: its `Date` header; one that cannot be read says nothing.
        """
        try:
            venue_ns = int(parsedate_to_datetime(date).timestamp()) * NS_PER_SECOND
        except (ValueError, TypeError, OverflowError):
            return
        # The venue wrote the date between our two moments, and up to a second after what it says.
        low, high = sent_ns - venue_ns - NS_PER_SECOND, received_ns - venue_ns
        if self._known is not None:
            least, greatest, as_of_ns = self._known
            drift = max(0, received_ns - as_of_ns) // NS_PER_SECOND * DRIFT_PER_SECOND_NS
            meets = max(low, least - drift), min(high, greatest + drift)
            if meets[0] <= meets[1]:
                low, high = meets
        self._known = low, high, received_ns

    @property
    def offset_ns(self) -> int | None:
        """Our clock less the venue's; None = not known now."""
        if self._known is None:
            return None
        low, high, as_of_ns = self._known
        return None if self._now_ns() - as_of_ns > OFFSET_AGE_MAX_NS else (low + high) // 2

    @property
    def uncertainty_ns(self) -> int:
        """By how much the offset may be wrong, either way."""
        if self._known is None:
            return 0
        low, high, _ = self._known
        return (high - low + 1) // 2

    def venue_ns(self) -> int | None:
        """Return the venue's time now; None = not known."""
        offset = self.offset_ns
        return None if offset is None else self._now_ns() - offset


class Signer:
    """Makes signatures; those of one method and path ahead of time."""

    def __init__(
        self,
        key: SigningKey,
        key_id: str,
        clock: VenueClock,
        *,
        skew_max_ns: int,
        ahead: tuple[str, str] | None = None,
        depth: int = DEPTH,
    ) -> None:
        """
        Hold a key.

        Args:
            key: the private key.
            key_id: its id at Kalshi.
            clock: the venue's.
            skew_max_ns: beyond this offset nothing is signed.
            ahead: method and path whose signatures lie ready.
            depth: how many of them.
        """
        self._key = key
        self._key_id = key_id
        self._clock = clock
        self._skew_max_ns = skew_max_ns
        self._ahead = ahead
        self._depth = depth
        self._ready: deque[Signed] = deque(maxlen=depth)
        self.is_low = threading.Event()
        """Set when less than half of them lie ready: a burst need not wait for the next look."""
        self._lock = threading.Lock()
        self._last_ms = [0, 0]
        """The last timestamps given: of those made ahead, and of the others."""

    def obstacle(self) -> str | None:
        """Return why nothing can be signed now, None if it can."""
        offset = self._clock.offset_ns
        if offset is None:
            return "the venue's clock is not known"
        unsure_ns = self._clock.uncertainty_ns
        if unsure_ns > UNSURE_MAX_NS:
            return f"the venue's clock is known to {unsure_ns / NS_PER_SECOND:.1f} s only"
        if abs(offset) > self._skew_max_ns:
            return (
                f"the clock is {abs(offset) / NS_PER_SECOND:.1f} s "
                f"{'ahead of' if offset > 0 else 'behind'} the venue's"
            )
        return None

    def sign(self, method: str, path: str) -> Signed:
        """
        Sign a request that leaves now; blocks as long as the key takes.

        Args:
            method: in capitals.
            path: from the root, without a query.

        Raises:
            VenueNotSent: the venue's clock is not known, or too far from ours.
        """
        return self._sign(method, path, 0)

    def take(self) -> Signed | None:
        """
        Return a signature made ahead that may leave now; None = none is ready, make one.

        It is never given again.

        Raises:
            VenueNotSent: the venue's clock is not known, or too far from ours.
        """
        self._require()
        with self._lock:
            while self._ready:
                signed = self._ready.popleft()
                if self.is_timely(signed):
                    if len(self._ready) < self._depth // 2:
                        self.is_low.set()
                    return signed
        self.is_low.set()
        return None

    def is_timely(self, signed: Signed) -> bool:
        """Tell whether a signature may leave now: asked in the step of the first write."""
        venue_ns, unsure_ns = self._clock.venue_ns(), self._clock.uncertainty_ns
        if venue_ns is None:
            return False
        return abs(venue_ns - signed.timestamp_ns) + unsure_ns <= BUDGET_NS

    def refill(self) -> int:
        """
        Make what is missing and drop what is too old; blocks, for a thread of its own.

        Returns:
            How many signatures lie ready now; 0 also while nothing can be signed.
        """
        if self._ahead is None or self.obstacle() is not None:
            with self._lock:
                self._ready.clear()
            return 0
        with self._lock:
            fresh = [each for each in self._ready if self._is_lasting(each)]
            self._ready = deque(fresh, maxlen=self._depth)
            missing = self._depth - len(fresh)
        for _ in range(missing):
            try:
                signed = self._sign(*self._ahead, LEAD_NS)
            except VenueNotSent:
                break  # the venue's clock was lost meanwhile; the next refill drops the rest
            with self._lock:
                self._ready.append(signed)
        return len(self._ready)

    def _is_lasting(self, signed: Signed) -> bool:
        """Tell whether a signature is worth keeping: good for at least three seconds more."""
        venue_ns = self._clock.venue_ns()
        return venue_ns is not None and venue_ns - signed.timestamp_ns <= BUDGET_NS - LEAD_NS

    def _require(self) -> None:
        obstacle = self.obstacle()
        if obstacle is not None:
            raise VenueNotSent(f"Nothing can be signed: {obstacle}")

    def _sign(self, method: str, path: str, lead_ns: int) -> Signed:
        self._require()
        venue_ns = self._clock.venue_ns()
        if venue_ns is None:
            raise VenueNotSent("Nothing can be signed: the venue's clock is not known")
        # An Ed25519 signature of the same text is the same signature: no two of them may share a
        # millisecond. Those made ahead have the even ones, the others the odd ones.
        odd = 0 if lead_ns else 1
        wanted = (venue_ns + lead_ns) // (2 * NS_PER_MILLISECOND) * 2 + odd
        with self._lock:
            timestamp_ms = max(wanted, self._last_ms[odd] + 2)
            self._last_ms[odd] = timestamp_ms
        text = self._key.sign(f"{timestamp_ms}{method}{path}".encode())
        return Signed(self._key_id, timestamp_ms, text)
