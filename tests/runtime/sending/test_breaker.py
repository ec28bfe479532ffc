"""The breaker: opens on errors within a minute, closes on evidence after the pause."""

from typing import Any, ClassVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.facts import VenueHealth
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import Platform, TradingState
from arbees.core.ports import WELL, Venue, Vitals
from arbees.runtime.sending.breaker import (
    ERROR_WINDOW_NS,
    UNCOMPARED,
    Breaker,
    Conditions,
)
from tests.safeguards.build import NOW

SECOND = NS_PER_SECOND
PAUSE = 30 * SECOND


def breaker(errors: int = 5) -> Breaker:
    """Return a closed breaker."""
    return Breaker(errors, PAUSE)


def opened(errors: int = 5) -> Breaker:
    """Return one that has just opened."""
    made = breaker(errors)
    for _ in range(errors):
        made.note(NOW, "timeout")
    assert made.is_open
    return made


def test_closed_at_first() -> None:
    """Without a word of the venue orders pass."""
    fresh = breaker()
    assert not fresh.is_open
    assert fresh.health(NOW) == VenueHealth()
    assert fresh.state is TradingState.ACTIVE


def test_opens_at_exactly_so_many_errors() -> None:
    """The fourth of five changes nothing, the fifth opens and says that it did."""
    made = breaker(5)
    assert [made.note(NOW + each, "timeout") for each in range(5)] == [False] * 4 + [True]
    assert made.is_open
    assert made.state is TradingState.REDUCING
    assert made.health(NOW + 5) == VenueHealth(
        is_open=False, reason="breaker: timeout", until_ns=NOW + 4 + PAUSE
    )


@pytest.mark.parametrize(
    ("after_ns", "is_open"), [(ERROR_WINDOW_NS - 1, True), (60 * SECOND, False)]
)
def test_window_is_a_minute(after_ns: int, is_open: bool) -> None:
    """Errors of the last minute count; one exactly a minute old does not any more."""
    made = breaker(2)
    made.note(NOW, "timeout")
    assert made.note(NOW + after_ns, "timeout") is is_open
    assert made.is_open is is_open


def test_contacts_that_work_forgive_nothing() -> None:
    """Five errors within a minute open it, whatever worked in between."""
    made = breaker(5)
    for each in range(4):
        made.note(NOW + each, "timeout")
        made.note(NOW + each, None)
    assert made.note(NOW + 5, "timeout")


def test_a_single_error_may_be_enough() -> None:
    """With a threshold of one the first error opens."""
    assert breaker(1).note(NOW, "down")


def test_stays_open_during_the_pause() -> None:
    """What works, or fails, before the pause is over neither closes nor prolongs it."""
    made = opened()
    almost = NOW + PAUSE - 1
    assert not made.is_probe_due(almost)
    assert not made.note(almost, None)
    assert not made.note(almost, "again")
    assert made.is_open
    assert made.is_probe_due(NOW + PAUSE)


def test_closes_when_something_works_after_the_pause() -> None:
    """One contact that works at the end of the pause closes it, and the errors are forgotten."""
    made = opened(2)
    assert made.note(NOW + PAUSE, None)
    assert not made.is_open
    assert made.state is TradingState.ACTIVE
    assert not made.note(NOW + PAUSE + 1, "timeout")
    assert made.note(NOW + PAUSE + 2, "timeout")


def test_a_failed_probe_begins_the_pause_anew() -> None:
    """After a probe that failed the whole pause is waited for again."""
    made = opened()
    assert not made.note(NOW + PAUSE, "still down")
    assert not made.is_probe_due(NOW + 2 * PAUSE - 1)
    assert made.is_probe_due(NOW + 2 * PAUSE)
    assert made.health(NOW + PAUSE) == VenueHealth(
        is_open=False, reason="breaker: still down", until_ns=NOW + 2 * PAUSE
    )


def test_open_beyond_the_pause_names_no_time() -> None:
    """When it will lift is not known once only evidence is missing."""
    assert opened().health(NOW + PAUSE).until_ns is None


def test_an_error_without_words_is_an_error() -> None:
    """An error that says nothing opens it all the same."""
    made = breaker(1)
    made.note(NOW, "")
    assert made.health(NOW).reason == "breaker"


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.integers(0, 40 * SECOND), st.booleans()), max_size=40),
)
def test_opens_as_the_obvious_count_says(threshold: int, contacts: list[tuple[int, bool]]) -> None:
    """It opens exactly when so many errors since it last closed lie within a minute."""
    made = breaker(threshold)
    now, errors, opened_ns = NOW, list[int](), -1
    for gap, works in contacts:
        now += gap
        if opened_ns >= 0:
            if now >= opened_ns + PAUSE:
                opened_ns = -1 if works else now
                errors = []
        elif not works:
            errors.append(now)
            recent = [each for each in errors if each > now - 60 * SECOND]
            if len(recent) >= threshold:
                opened_ns = now
        made.note(now, None if works else "error")
        assert made.is_open is (opened_ns >= 0)


# By shard --------------------------------------------------------------------------------------


class Shards:
    """A venue of two shards."""

    shards: ClassVar[dict[str, int]] = {"Kalshi": 0, "Kalshi:2": 2}

    def __init__(self, **sick: Any) -> None:
        self.sick = Vitals(**sick)

    @property
    def vitals(self) -> Vitals:
        """Return how all of it is."""
        return self.sick

    def vitals_of(self, pool: str) -> Vitals:
        """Return how a shard is."""
        return self.sick if pool == "Kalshi:2" else WELL


def conditions(**sick: Any) -> Conditions:
    """Return what is seen of a venue whose shard 2 is sick."""
    venues = cast("dict[Platform, Venue]", {Platform.KALSHI: Shards(**sick)})
    return Conditions(venues, {Platform.KALSHI: breaker()}, set())


@pytest.mark.parametrize(
    ("sick", "state"),
    [
        ({"is_paused": True, "reason": "paused", "is_sendable": False}, "HALTED"),
        ({"is_closed": True, "reason": "shut", "is_sendable": False}, "READ_ONLY"),
        ({"reason": "no clock", "is_sendable": False}, "HALTED"),
        ({"reason": "re-arms"}, "REDUCING"),
        ({"is_heartbeat_late": True}, "REDUCING"),
        ({"is_blind": True, "blind_reason": "refused"}, "REDUCING"),
    ],
)
def test_a_shard_stands_for_itself(sick: dict[str, Any], state: str) -> None:
    """What is wrong with one is said of that one, and decides of its markets alone."""
    seen, place = conditions(**sick), Platform.KALSHI
    assert seen.shards(place) == {"Kalshi": 0, "Kalshi:2": 2}
    assert seen.state(place, NOW, "Kalshi") is TradingState.ACTIVE
    assert seen.state(place, NOW, "Kalshi:2") == state
    assert seen.health(place, NOW, "Kalshi") == VenueHealth()
    health = seen.health(place, NOW, "Kalshi:2")
    assert health.is_sendable is sick.get("is_sendable", True)
    assert (health.reason, health.blind_reason) == (sick.get("reason"), sick.get("blind_reason"))


def test_a_venue_that_was_not_compared_says_so() -> None:
    """Blind, with a reason, on every shard; a venue without an adapter takes nothing."""
    venues = cast("dict[Platform, Venue]", {Platform.KALSHI: Shards()})
    seen = Conditions(venues, {Platform.KALSHI: breaker()}, {Platform.KALSHI})
    for pool in ("Kalshi", "Kalshi:2"):
        assert seen.health(Platform.KALSHI, NOW, pool).blind_reason == UNCOMPARED
        assert seen.state(Platform.KALSHI, NOW, pool) is TradingState.REDUCING
    assert not seen.health(Platform.POLYMARKET, NOW).is_sendable
    assert seen.state(Platform.POLYMARKET, NOW) is TradingState.HALTED
