"""Signatures that lie ready, while time does not stand still."""

from email.utils import formatdate

from arbees.core.language.units import NS_PER_SECOND
from arbees.venues.kalshi.connection.keys import SigningKey
from arbees.venues.kalshi.connection.signing import (
    DEPTH,
    OFFSET_AGE_MAX_NS,
    Signer,
    VenueClock,
)
from tests.venues.kalshi.keypairs import ed25519_key

NOW = 1_795_500_000 * NS_PER_SECOND


class SleepyKey(SigningKey):
    """A key during whose third signature the machine sleeps for long."""

    count = 0
    slept_ns = 0

    def sign(self, text: bytes) -> str:
        """Sign, and let time pass."""
        self.count += 1
        if self.count == 3:
            self.slept_ns = OFFSET_AGE_MAX_NS + NS_PER_SECOND
        return super().sign(text)


def test_a_clock_that_is_lost_during_a_refill_ends_only_the_refill() -> None:
    """The thread that refills lives on; nothing that lies ready leaves until it knows again."""
    key = SleepyKey(ed25519_key())
    clock = VenueClock(lambda: NOW + key.slept_ns)
    clock.compare(NOW, NOW, formatdate(NOW // NS_PER_SECOND, usegmt=True))
    ahead = ("POST", "/trade-api/v2/portfolio/events/orders")
    signer = Signer(key, "key", clock, skew_max_ns=2 * NS_PER_SECOND, ahead=ahead)

    assert signer.refill() == 3
    assert signer.refill() == 0

    now_ns = NOW + key.slept_ns
    clock.compare(now_ns, now_ns, formatdate(now_ns // NS_PER_SECOND, usegmt=True))
    assert signer.refill() == DEPTH


def test_a_burst_asks_for_more_before_the_last_one_is_taken() -> None:
    """Less than half of them left wakes who refills; so does an order that finds none."""
    clock = VenueClock(lambda: NOW)
    clock.compare(NOW, NOW, formatdate(NOW // NS_PER_SECOND, usegmt=True))
    ahead = ("POST", "/trade-api/v2/portfolio/events/orders")
    signer = Signer(
        SigningKey(ed25519_key()), "key", clock, skew_max_ns=2 * NS_PER_SECOND, ahead=ahead, depth=4
    )
    assert signer.take() is None
    assert signer.is_low.is_set()

    signer.is_low.clear()
    signer.refill()
    taken = [(signer.take() is not None, signer.is_low.is_set()) for _ in range(3)]
    assert taken == [(True, False), (True, False), (True, True)]
