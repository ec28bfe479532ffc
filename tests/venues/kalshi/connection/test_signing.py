"""Signatures: in time by the venue's clock, each once, and none while that clock is not known."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.language.units import NS_PER_MILLISECOND, NS_PER_SECOND
from arbees.errors import VenueNotSent
from arbees.venues.kalshi.connection.keys import SigningKey
from arbees.venues.kalshi.connection.signing import (
    BUDGET_NS,
    DEPTH,
    LEAD_NS,
    OFFSET_AGE_MAX_NS,
    Signed,
    Signer,
    VenueClock,
)
from tests.venues.kalshi.keypairs import ed25519_key

NOW = 1_795_500_000 * NS_PER_SECOND
CREATE = ("POST", "/trade-api/v2/portfolio/events/orders")


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.ns = NOW

    def now_ns(self) -> int:
        return self.ns


def date(ns: int) -> str:
    """Return the `Date` header of a moment."""
    return formatdate(ns // NS_PER_SECOND, usegmt=True)


def known(clock: Clock, offset_ns: int = 0) -> VenueClock:
    """Return a venue's clock that was compared once: ours is ahead of it by an offset."""
    venue = VenueClock(clock.now_ns)
    venue.compare(clock.ns, clock.ns, date(clock.ns - offset_ns))
    return venue


def signer(venue: VenueClock, *, skew_max_ns: int = 2 * NS_PER_SECOND) -> Signer:
    """Return a signer whose creates lie ready."""
    key = SigningKey(ed25519_key())
    return Signer(key, "key", venue, skew_max_ns=skew_max_ns, ahead=CREATE)


# The venue's clock -----------------------------------------------------------------------------


def test_an_unknown_clock_signs_nothing() -> None:
    """Before the first comparison nothing can be signed, and nothing lies ready."""
    made = signer(VenueClock(Clock().now_ns))
    assert made.obstacle() == "the venue's clock is not known"
    assert made.refill() == 0
    with pytest.raises(VenueNotSent, match="clock is not known"):
        made.sign("GET", "/x")
    with pytest.raises(VenueNotSent, match="clock is not known"):
        made.take()


def test_one_answer_says_it_to_a_second() -> None:
    """`Date` has whole seconds: the true offset lies within half a second of what is said."""
    clock = Clock()
    clock.ns += 400 * NS_PER_MILLISECOND
    venue = known(clock)
    assert venue.uncertainty_ns == NS_PER_SECOND // 2
    assert abs(venue.offset_ns or 0) <= NS_PER_SECOND // 2


@given(
    offset=st.integers(-1_500, 1_500),
    moments=st.lists(st.integers(0, 5_000), min_size=2, max_size=30),
)
def test_many_answers_meet_closer_and_hold_the_truth(offset: int, moments: list[int]) -> None:
    """Whatever the answers, the true offset lies within what is said of it."""
    clock, offset_ns = Clock(), offset * NS_PER_MILLISECOND
    venue = VenueClock(clock.now_ns)
    for moment in sorted(moments):
        clock.ns = NOW + moment * NS_PER_MILLISECOND
        venue.compare(clock.ns, clock.ns, date(clock.ns - offset_ns))
    assert venue.offset_ns is not None
    assert abs(venue.offset_ns - offset_ns) <= venue.uncertainty_ns
    assert venue.uncertainty_ns <= NS_PER_SECOND


def test_a_jump_of_either_clock_is_believed() -> None:
    """Bounds that contradict the earlier ones replace them: one of the clocks was set."""
    clock = Clock()
    venue = known(clock)
    venue.compare(clock.ns, clock.ns, date(clock.ns - 60 * NS_PER_SECOND))
    assert abs((venue.offset_ns or 0) - 60 * NS_PER_SECOND) <= NS_PER_SECOND


def test_a_comparison_grows_old() -> None:
    """After five minutes without an answer the venue's time is not known any more."""
    clock = Clock()
    venue = known(clock)
    clock.ns += OFFSET_AGE_MAX_NS
    assert venue.offset_ns is not None
    clock.ns += 1
    assert venue.offset_ns is None
    assert venue.venue_ns() is None


def test_a_time_that_is_hardly_known_signs_nothing() -> None:
    """An answer that took ten seconds says too little: the signature might be out of its budget."""
    clock = Clock()
    venue = VenueClock(clock.now_ns)
    venue.compare(clock.ns - 10 * NS_PER_SECOND, clock.ns, date(clock.ns))
    made = signer(venue)
    assert made.refill() == 0
    with pytest.raises(VenueNotSent, match="known to"):
        made.sign("GET", "/x")
    venue.compare(clock.ns, clock.ns, date(clock.ns))
    assert made.refill() == DEPTH


@pytest.mark.parametrize("text", ["", "yesterday", "Tue, 99 Nov 2026 99:99:99 GMT"])
def test_a_date_that_cannot_be_read_says_nothing(text: str) -> None:
    """A header that is none changes nothing."""
    clock = Clock()
    venue = VenueClock(clock.now_ns)
    venue.compare(clock.ns, clock.ns, text)
    assert venue.offset_ns is None


@pytest.mark.parametrize(("offset_s", "words"), [(4, "ahead of"), (-4, "behind")])
def test_a_clock_that_is_off_signs_nothing(offset_s: int, words: str) -> None:
    """Beyond the greatest skew nothing is signed, and what lay ready is dropped."""
    clock = Clock()
    venue = known(clock)
    made = signer(venue)
    assert made.refill() == DEPTH
    venue.compare(clock.ns, clock.ns, date(clock.ns - offset_s * NS_PER_SECOND))
    assert words in (made.obstacle() or "")
    assert made.refill() == 0
    with pytest.raises(VenueNotSent, match=words):
        made.take()


# Signatures ------------------------------------------------------------------------------------


def test_what_lies_ready_is_given_once() -> None:
    """Each signature leaves once; then there is none, and one is made."""
    made = signer(known(Clock()))
    assert made.refill() == DEPTH
    taken = [made.take() for _ in range(DEPTH)]
    stamps = [each.timestamp_ms for each in taken if each is not None]
    assert len(set(stamps)) == DEPTH
    assert len({each.text for each in taken if each is not None}) == DEPTH
    assert made.take() is None


def test_what_is_made_at_once_never_repeats_what_was_made_ahead() -> None:
    """Ed25519 signs the same text the same way: no two signatures share a millisecond."""
    clock = Clock()
    made = signer(known(clock))
    texts: list[str] = []
    for _ in range(40):
        made.refill()
        texts += [each.text for _ in range(3) if (each := made.take()) is not None]
        texts.append(made.sign(*CREATE).text)
        clock.ns += 150 * NS_PER_MILLISECOND
    assert len(set(texts)) == len(texts) == 160


@given(
    waits=st.lists(st.integers(0, 12_000), min_size=1, max_size=40),
    offset=st.integers(-1_400, 1_400),
    lag=st.integers(0, 300),
)
def test_nothing_older_than_the_budget_leaves(waits: list[int], offset: int, lag: int) -> None:
    """However long signatures lie, each that is taken is within 5 s of the venue's clock."""
    clock, offset_ns = Clock(), offset * NS_PER_MILLISECOND
    venue = VenueClock(clock.now_ns)
    made = signer(venue)
    venue.compare(clock.ns, clock.ns, date(clock.ns - offset_ns))
    for number, wait in enumerate(waits):
        clock.ns += wait * NS_PER_MILLISECOND
        venue.compare(clock.ns - lag * NS_PER_MILLISECOND, clock.ns, date(clock.ns - offset_ns))
        if number % 3 == 0:
            made.refill()
        signed = made.take()
        if signed is not None:
            believed = venue.venue_ns()
            assert believed is not None
            assert abs(believed - signed.timestamp_ns) <= BUDGET_NS
            assert made.is_timely(signed)
            truth = clock.ns - offset_ns
            assert abs(truth - signed.timestamp_ns) <= BUDGET_NS


def test_the_budget_is_inclusive() -> None:
    """Exactly five seconds off for certain may leave, a millisecond more may not."""
    clock = Clock()
    venue = known(clock)
    made = signer(venue)
    most_ns = (venue.venue_ns() or 0) + venue.uncertainty_ns
    at_limit = Signed("key", (most_ns - BUDGET_NS) // NS_PER_MILLISECOND, "x")
    assert made.is_timely(at_limit)
    assert not made.is_timely(Signed("key", at_limit.timestamp_ms - 1, "x"))


def test_old_ones_make_room_for_new_ones() -> None:
    """Signatures that end within three seconds are replaced, and the order of time is kept."""
    clock = Clock()
    venue = known(clock)
    made = signer(venue)
    made.refill()
    clock.ns += BUDGET_NS + NS_PER_SECOND
    venue.compare(clock.ns, clock.ns, date(clock.ns))
    assert made.refill() == DEPTH
    taken = [made.take() for _ in range(DEPTH)]
    stamps = [each.timestamp_ns for each in taken if each is not None]
    assert stamps == sorted(stamps)
    assert stamps[0] >= clock.ns + LEAD_NS - NS_PER_SECOND


def test_a_signature_shows_nothing_that_could_be_used() -> None:
    """Its `repr` is its moment; its headers are Kalshi's three."""
    signed = signer(known(Clock())).sign("GET", "/x")
    assert signed.text not in repr(signed)
    assert set(signed.headers()) == {
        "KALSHI-ACCESS-KEY",
        "KALSHI-ACCESS-TIMESTAMP",
        "KALSHI-ACCESS-SIGNATURE",
    }
