"""Freshness: an order acts only while its signal is fresh, and no clock ahead of ours helps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.words import Action
from arbees.safeguards.freshness import Freshness
from tests.safeguards.build import NOW, SECOND, book_with, market, verdicts

AGE = 30 * SECOND
SKEW = 2 * SECOND
NO_EXPIRY = Skipped("EXPIRED", "no expires_at")


def test_defaults() -> None:
    """A signal lives 30 seconds, and may come 2 seconds early."""
    assert Freshness() == Freshness(max_signal_age=AGE, max_clock_skew=SKEW)


def test_a_fresh_request_passes() -> None:
    """Made now: nothing of either limit is used."""
    assert verdicts(Freshness()) == (
        NO_EXPIRY,
        Pass("STALE_SIGNAL", 0, AGE, AGE),
        Pass("FUTURE_DATED", 0, SKEW, SKEW),
    )


def test_a_nanosecond_is_told() -> None:
    """The smallest age and the smallest lead are told as they are."""
    assert verdicts(Freshness(), created_ns=NOW - 1)[1] == Pass("STALE_SIGNAL", 1, AGE, AGE - 1)
    assert verdicts(Freshness(), created_ns=NOW + 1)[2] == Pass("FUTURE_DATED", 1, SKEW, SKEW - 1)


def test_at_the_greatest_age_it_passes() -> None:
    """Exactly 30 seconds old passes, one nanosecond more is stale."""
    assert verdicts(Freshness(), created_ns=NOW - AGE) == (
        NO_EXPIRY,
        Pass("STALE_SIGNAL", AGE, AGE, 0),
        Pass("FUTURE_DATED", 0, SKEW, SKEW),
    )
    assert verdicts(Freshness(), created_ns=NOW - AGE - 1) == (
        NO_EXPIRY,
        Deny("STALE_SIGNAL", AGE + 1, AGE),
        Pass("FUTURE_DATED", 0, SKEW, SKEW),
    )


def test_at_the_greatest_skew_it_passes() -> None:
    """Exactly 2 seconds ahead passes, one nanosecond more comes from the future."""
    assert verdicts(Freshness(), created_ns=NOW + SKEW) == (
        NO_EXPIRY,
        Pass("STALE_SIGNAL", 0, AGE, AGE),
        Pass("FUTURE_DATED", SKEW, SKEW, 0),
    )
    assert verdicts(Freshness(), created_ns=NOW + SKEW + 1) == (
        NO_EXPIRY,
        Pass("STALE_SIGNAL", 0, AGE, AGE),
        Deny("FUTURE_DATED", SKEW + 1, SKEW),
    )


def test_at_the_moment_of_expiry_it_passes() -> None:
    """The latest moment to send still passes; after it both times are told."""
    assert verdicts(Freshness(), expires_ns=NOW)[0] == Pass("EXPIRED")
    assert verdicts(Freshness(), expires_ns=NOW + 1)[0] == Pass("EXPIRED")
    assert verdicts(Freshness(), expires_ns=NOW - 1)[0] == Deny(
        "EXPIRED", "2026-01-28T20:30:00.000Z", "2026-01-28T20:29:59.999Z"
    )


@pytest.mark.parametrize("created_ns", [NOW - AGE - 1, NOW + SKEW + 1])
def test_reducing_orders_do_not_pass(created_ns: int) -> None:
    """There is no exit: a stale order to reduce is a stale opinion, too."""
    book = book_with(market(yes="10"))
    said = verdicts(
        Freshness(), book, action=Action.SELL, created_ns=created_ns, expires_ns=NOW - 1
    )
    assert [type(verdict) for verdict in said].count(Deny) == 2


@given(
    st.integers(-(10**12), 10**12),
    st.none() | st.integers(-(10**12), 10**12),
    st.integers(1, 10**12),
    st.integers(1, 10**12),
)
def test_against_an_oracle(age: int, left: int | None, oldest: int, earliest: int) -> None:
    """Denied are exactly those over an age, over a skew, or past their end."""
    said = verdicts(
        Freshness(oldest, earliest),
        created_ns=NOW - age,
        expires_ns=None if left is None else NOW + left,
    )
    denied = {verdict.code for verdict in said if isinstance(verdict, Deny)}
    expected = {
        code
        for code, is_denied in (
            ("EXPIRED", left is not None and left < 0),
            ("STALE_SIGNAL", age > oldest),
            ("FUTURE_DATED", -age > earliest),
        )
        if is_denied
    }
    assert denied == expected
