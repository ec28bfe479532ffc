"""Venue health (R12): nothing is sent where a venue is down, restricted, unseen or out of time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from arbees.core.deciding.facts import VenueHealth as Health
from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import Action
from arbees.safeguards.venue_health import VenueHealth
from tests.safeguards.build import NOW, book_with, facts, market, verdicts

DOWN, LATE, BLIND, SKEW = VenueHealth.codes
LIMIT = 2 * NS_PER_SECOND
WELL = (Pass(DOWN), Pass(LATE), Pass(BLIND), Pass(SKEW, 0, LIMIT, LIMIT))
REDUCING = tuple(Skipped(code, "reducing order") for code in VenueHealth.codes)
HELD = book_with(market(yes="100"))


def test_defaults() -> None:
    """Five errors, thirty seconds, two seconds; a healthy venue passes."""
    assert VenueHealth() == VenueHealth(5, 30 * NS_PER_SECOND, LIMIT)
    assert verdicts(VenueHealth()) == WELL


@pytest.mark.parametrize(
    ("venue", "why", "until"),
    [
        (Health(is_open=False, reason="breaker: 503", until_ns=NOW + 30), "breaker: 503", NOW + 30),
        (Health(is_open=False, reason="breaker"), "breaker", None),
        (Health(is_open=False), "unavailable", None),
        (Health(is_open=False, reason=""), "unavailable", None),
        (Health(is_open=False, until_ns=NOW), "unavailable", NOW),
        (Health(reason="post_only", until_ns=NOW + 120), "post_only", NOW + 120),
        (Health(reason="cancel_only"), "cancel_only", None),
        (Health(reason="re_arm", until_ns=NOW + 60), "re_arm", NOW + 60),
        (Health(reason="read_only"), "read_only", None),
        (Health(reason="paused"), "paused", None),
        (Health(reason="a word of tomorrow"), "a word of tomorrow", None),
        (Health(is_open=False, is_paused=True, reason="paused"), "paused", None),
    ],
)
def test_a_venue_that_is_down_or_restricted_denies_what_opens(
    venue: Health, why: str, until: int | None
) -> None:
    """It says why, and until when if that is known; what reduces passes, if it can be sent."""
    denied = Deny(DOWN, why, None, until)
    assert verdicts(VenueHealth(), None, facts(venue=venue)) == (denied, *WELL[1:])
    said = verdicts(VenueHealth(), HELD, facts(venue=venue), action=Action.SELL)
    assert said == REDUCING
    shut = facts(venue=replace(venue, is_sendable=False))
    assert verdicts(VenueHealth(), None, shut)[0] == denied
    assert verdicts(VenueHealth(), HELD, shut, action=Action.SELL)[0] == denied


@pytest.mark.parametrize("reason", [None, "exchange pause"])
def test_a_pause_has_a_code_of_its_own(reason: str | None) -> None:
    """The trading pause is said by `trading_window`."""
    venue = Health(is_paused=True, reason=reason, until_ns=NOW + 1)
    assert verdicts(VenueHealth(), None, facts(venue=venue)) == WELL


def test_a_late_heartbeat_denies_what_adds_risk() -> None:
    """What rests there may be gone; closing is let through."""
    seen = facts(venue=Health(is_heartbeat_late=True, until_ns=NOW + 1))
    assert verdicts(VenueHealth(), None, seen) == (WELL[0], Deny(LATE), *WELL[2:])
    said = verdicts(VenueHealth(), HELD, seen, action=Action.SELL)
    assert said == (WELL[0], *REDUCING[1:])


def test_blindness_denies_what_adds_risk() -> None:
    """Fills would go unseen; closing is let through. Why is told where it is known."""
    seen = facts(venue=Health(is_blind=True))
    assert verdicts(VenueHealth(), None, seen) == (*WELL[:2], Deny(BLIND), WELL[3])
    why = facts(venue=Health(is_blind=True, blind_reason="the channel fill is refused"))
    assert verdicts(VenueHealth(), None, why)[2] == Deny(BLIND, "the channel fill is refused")
    said = verdicts(VenueHealth(), HELD, seen, action=Action.SELL)
    assert said == (WELL[0], *REDUCING[1:])


@pytest.mark.parametrize("sign", [1, -1])
def test_the_clock_may_be_off_by_exactly_the_limit(sign: int) -> None:
    """Ahead or behind: at the limit passes, a nanosecond more is denied to what opens."""
    at, beyond = facts(clock_offset_ns=sign * LIMIT), facts(clock_offset_ns=sign * (LIMIT + 1))
    assert verdicts(VenueHealth(), HELD, at)[3] == Pass(SKEW, LIMIT, LIMIT, 0)
    assert verdicts(VenueHealth(), HELD, beyond)[3] == Deny(SKEW, LIMIT + 1, LIMIT)
    for seen in (at, beyond):
        assert verdicts(VenueHealth(), HELD, seen, action=Action.SELL)[3] == REDUCING[3]


def test_the_clock_is_shared_with_freshness() -> None:
    """Both read the same setting."""
    said = verdicts(VenueHealth(max_clock_skew=5), None, facts(clock_offset_ns=-6))
    assert said[3] == Deny(SKEW, 6, 5)
    said = verdicts(VenueHealth(max_clock_skew=5), None, facts(clock_offset_ns=-4))
    assert said[3] == Pass(SKEW, 4, 5, 1)


def test_everything_is_told() -> None:
    """What comes together is told together."""
    venue = Health(is_open=False, reason="breaker", is_heartbeat_late=True, is_blind=True)
    assert verdicts(VenueHealth(), None, facts(venue=venue, clock_offset_ns=3 * LIMIT)) == (
        Deny(DOWN, "breaker"),
        Deny(LATE),
        Deny(BLIND),
        Deny(SKEW, 3 * LIMIT, LIMIT),
    )


healths = st.builds(
    Health,
    is_open=st.booleans(),
    reason=st.sampled_from([None, "breaker", "post_only"]),
    until_ns=st.none() | st.integers(0, 10**20),
    is_heartbeat_late=st.booleans(),
    is_blind=st.booleans(),
    is_paused=st.booleans(),
)


@given(healths, st.integers(-(10**10), 10**10), st.sampled_from(Action))
def test_agrees_with_a_list_of_conditions(venue: Health, offset: int, action: Action) -> None:
    """Each condition denies under its own code; reducing orders pass two of them."""
    opens = action is Action.BUY
    bad = {
        DOWN: (opens or not venue.is_sendable)
        and (not venue.is_open or (venue.reason is not None and not venue.is_paused)),
        LATE: opens and venue.is_heartbeat_late,
        BLIND: opens and venue.is_blind,
        SKEW: opens and abs(offset) > LIMIT,
    }
    said = verdicts(VenueHealth(), HELD, facts(venue=venue, clock_offset_ns=offset), action=action)
    assert {each.code: isinstance(each, Deny) for each in said} == bad
