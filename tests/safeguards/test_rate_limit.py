"""Rate limit (R4): no minute and no hour holds more approved orders than allowed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass
from arbees.core.language.words import Action
from arbees.safeguards.rate_limit import NO_LIMITS, RateLimit, RateLimits
from tests.safeguards.build import KALSHI, NOW, SECOND, book_with, facts, market, verdicts

MINUTE, HOUR = "RATE_LIMIT_MINUTE", "RATE_LIMIT_HOUR"
MINUTE_NS, HOUR_NS = 60 * SECOND, 3_600 * SECOND
MARKET = f"market:{KALSHI}"


def ago(*seconds: int) -> list[int]:
    """Return moments, the oldest first."""
    return [NOW - second * SECOND for second in sorted(seconds, reverse=True)]


def test_defaults() -> None:
    """Twenty a minute, a hundred an hour, nothing by market or strategy."""
    assert RateLimit() == RateLimit(20, 100, NO_LIMITS)
    assert verdicts(RateLimit()) == (Pass(MINUTE, 0, 20, 19), Pass(HOUR, 0, 100, 99))


def test_the_last_that_fits_passes() -> None:
    """The twentieth of a minute passes; the next is denied until the first leaves the window."""
    nineteen = book_with(opened=ago(*range(19)))
    assert verdicts(RateLimit(), nineteen) == (Pass(MINUTE, 19, 20, 0), Pass(HOUR, 19, 100, 80))
    twenty = book_with(opened=ago(*range(1, 21)))
    assert verdicts(RateLimit(), twenty) == (
        Deny(MINUTE, 20, 20, NOW - 20 * SECOND + MINUTE_NS),
        Pass(HOUR, 20, 100, 79),
    )


def test_the_hour_has_a_limit_of_its_own() -> None:
    """A slow stream that fits every minute does not fit the hour."""
    book = book_with(opened=ago(*range(61, 3_000, 29))[-100:])
    oldest = book.opened[0]
    assert len(book.opened) == 100
    assert verdicts(RateLimit(), book) == (
        Pass(MINUTE, 0, 20, 19),
        Deny(HOUR, 100, 100, oldest + HOUR_NS),
    )


def test_the_window_leaves_out_its_beginning() -> None:
    """A minute ago to the nanosecond is no longer in the window, a nanosecond less is."""
    left = RateLimit(max_orders_per_minute=1, max_orders_per_hour=1)
    assert verdicts(left, book_with(opened=[NOW - MINUTE_NS]))[0] == Pass(MINUTE, 0, 1, 0)
    inside = NOW - MINUTE_NS + 1
    assert verdicts(left, book_with(opened=[inside]))[0] == Deny(MINUTE, 1, 1, NOW + 1)
    assert verdicts(left, book_with(opened=[NOW - HOUR_NS]))[1] == Pass(HOUR, 0, 1, 0)
    inside = NOW - HOUR_NS + 1
    assert verdicts(left, book_with(opened=[inside]))[1] == Deny(HOUR, 1, 1, NOW + 1)


def test_when_it_lifts_one_more_fits() -> None:
    """`until` is the first moment at which the same order passes."""
    book = book_with(opened=ago(50, 40, 30, 20))
    denied = verdicts(RateLimit(2, 100), book)[0]
    assert denied == Deny(MINUTE, 4, 2, NOW - 30 * SECOND + MINUTE_NS)
    assert isinstance(denied, Deny)
    assert denied.until_ns is not None
    for moment, kind in ((denied.until_ns - 1, Deny), (denied.until_ns, Pass)):
        seen = facts(now_ns=moment)
        assert isinstance(verdicts(RateLimit(2, 100), book, seen)[0], kind)


def test_reducing_orders_have_as_much_of_their_own() -> None:
    """A burst of openings does not use up the way out, nor the other way round."""
    held = market(yes="10")
    full, empty = ago(*range(20)), ago()
    sell: dict[str, Any] = {"action": Action.SELL}
    assert verdicts(RateLimit(), book_with(held, opened=full, reduced=empty), **sell) == (
        Pass(MINUTE, 0, 20, 19),
        Pass(HOUR, 0, 100, 99),
    )
    assert verdicts(RateLimit(), book_with(held, opened=empty, reduced=full), **sell) == (
        Deny(MINUTE, 20, 20, NOW - 19 * SECOND + MINUTE_NS),
        Pass(HOUR, 20, 100, 79),
    )
    said = verdicts(RateLimit(), book_with(held, opened=empty, reduced=full))
    assert said[0] == Pass(MINUTE, 0, 20, 19)


def limited(**limits: int) -> RateLimit:
    """Return a safeguard with limits of a market and of a strategy."""
    return RateLimit(limits=RateLimits(**limits))


SCOPES = [("per_market", MARKET), ("per_strategy", "strategy:s")]


@pytest.mark.parametrize(("scope", "key"), SCOPES)
def test_a_scope_has_limits_of_its_own(scope: str, key: str) -> None:
    """One market, or one strategy, is denied at its own limit, under the same codes."""
    book = book_with(opened=ago(*range(10)), opened_by={key: ago(5, 7, 600)})
    minute = verdicts(limited(**{f"{scope}_minute": 2}), book, strategy="s")
    assert minute == (Deny(MINUTE, 2, 2, NOW - 7 * SECOND + MINUTE_NS), Pass(HOUR, 10, 100, 89))
    hour = verdicts(limited(**{f"{scope}_hour": 3}), book, strategy="s")
    assert hour == (Pass(MINUTE, 10, 20, 9), Deny(HOUR, 3, 3, NOW - 600 * SECOND + HOUR_NS))
    roomy = verdicts(limited(**{f"{scope}_minute": 3}), book, strategy="s")
    assert roomy[0] == Pass(MINUTE, 2, 3, 0)


def test_another_market_and_strategy_do_not_count() -> None:
    """Only the order's own market and strategy are counted."""
    book = book_with(opened_by={"market:other": ago(1, 2, 3), "strategy:t": ago(1, 2, 3)})
    said = verdicts(limited(per_market_minute=1, per_strategy_minute=1), book, strategy="s")
    assert said[0] == Pass(MINUTE, 0, 1, 0)


def test_a_request_without_a_strategy_is_one_too() -> None:
    """Leaving the strategy out is no way around its limit: all unnamed ones share one."""
    book = book_with(opened_by={"strategy:UNNAMED": ago(1)})
    assert verdicts(limited(per_strategy_minute=1), book)[0] == Deny(
        MINUTE, 1, 1, NOW - SECOND + MINUTE_NS
    )


def test_the_fullest_window_is_told_and_lasts_until_all_have_room() -> None:
    """What is told is where least is left; it lifts when none of them denies any more."""
    book = book_with(
        opened=ago(*range(20)), opened_by={MARKET: ago(5, 6, 7), "strategy:s": ago(1, 2)}
    )
    safeguard = limited(per_market_minute=2, per_strategy_minute=2)
    assert verdicts(safeguard, book, strategy="s")[0] == Deny(
        MINUTE, 3, 2, NOW - 2 * SECOND + MINUTE_NS
    )


def test_a_window_that_lifts_later_counts_wherever_it_stands() -> None:
    """The account's own window may be the last to have room."""
    book = book_with(opened=ago(1, 2), opened_by={MARKET: ago(50), "strategy:s": ago(40)})
    safeguard = RateLimit(2, 100, RateLimits(per_market_minute=1, per_strategy_minute=1))
    assert verdicts(safeguard, book, strategy="s")[0] == Deny(
        MINUTE, 2, 2, NOW - 2 * SECOND + MINUTE_NS
    )


def test_of_windows_that_are_as_full_the_account_s_is_told() -> None:
    """The widest scope comes first."""
    book = book_with(opened=ago(1, 2), opened_by={MARKET: ago(1)})
    safeguard = RateLimit(2, 100, RateLimits(per_market_minute=1))
    assert verdicts(safeguard, book)[0] == Deny(MINUTE, 2, 2, NOW - 2 * SECOND + MINUTE_NS + SECOND)


def test_reducing_orders_know_no_scopes() -> None:
    """Limits by market and strategy count what adds risk."""
    book = book_with(market(yes="10"), opened_by={MARKET: ago(1)})
    said = verdicts(limited(per_market_minute=1), book, action=Action.SELL)
    assert said[0] == Pass(MINUTE, 0, 20, 19)


def test_a_limit_that_can_never_fit_does_not_lift() -> None:
    """With no room at all there is no moment at which one fits."""
    assert verdicts(RateLimit(0, 0)) == (Deny(MINUTE, 0, 0, None), Deny(HOUR, 0, 0, None))
    assert verdicts(limited(per_market_minute=0))[0] == Deny(MINUTE, 0, 0, None)


moments = st.lists(st.integers(NOW - 2 * HOUR_NS, NOW), max_size=20).map(sorted)
maxima = st.integers(1, 8)


@given(
    st.tuples(moments, moments, moments),
    st.tuples(maxima, maxima),
    st.tuples(st.none() | maxima, st.none() | maxima),
)
def test_against_an_oracle(
    times: tuple[list[int], list[int], list[int]],
    account: tuple[int, int],
    scopes: tuple[int | None, int | None],
) -> None:
    """Denied is exactly what some window has no room for, until the first moment all have."""
    opened, in_market, by_strategy = times
    minute, hour = account
    per_market, per_strategy = scopes
    safeguard = RateLimit(
        minute, hour, RateLimits(per_market_minute=per_market, per_strategy_minute=per_strategy)
    )
    book = book_with(opened=opened, opened_by={MARKET: in_market, "strategy:s": by_strategy})

    def fits(moment: int, times: list[int], maximum: int | None, window: int) -> bool:
        inside = [time for time in times if moment - window < time <= NOW]
        return maximum is None or len(inside) + 1 <= maximum

    def all_fit(moment: int) -> bool:
        return (
            fits(moment, opened, minute, MINUTE_NS)
            and fits(moment, in_market, per_market, MINUTE_NS)
            and fits(moment, by_strategy, per_strategy, MINUTE_NS)
        )

    by_minute, by_hour = verdicts(safeguard, book, strategy="s")
    assert isinstance(by_minute, Pass) is all_fit(NOW)
    assert isinstance(by_hour, Pass) is fits(NOW, opened, hour, HOUR_NS)
    if isinstance(by_minute, Deny):
        leaving = [time + MINUTE_NS for time in (*opened, *in_market, *by_strategy)]
        assert by_minute.until_ns == min(moment for moment in leaving if all_fit(moment))


# The table -------------------------------------------------------------------------------------


def test_a_table_is_read() -> None:
    """Each limit of the table is its own."""
    table = {
        "per_market_minute": 1,
        "per_market_hour": 2,
        "per_strategy_minute": 3,
        "per_strategy_hour": 4,
    }
    assert RateLimits.parse(table) == RateLimits(1, 2, 3, 4)
    assert RateLimits.parse({"per_market_minute": 10_000}) == RateLimits(10_000)
    assert RateLimits.parse({"per_market_hour": 100_000}) == RateLimits(None, 100_000)
    assert RateLimits.parse({"per_market_minute": 1_000_000}) == RateLimits(1_000_000)
    assert RateLimits.parse({"per_market_hour": 10_000_000}) == RateLimits(None, 10_000_000)
    assert RateLimits.parse({"per_market_minute": 5, "per_market_hour": 5}) == RateLimits(5, 5)


def test_an_empty_table_sets_no_limits() -> None:
    """A section of settings only leaves the fast path alone."""
    assert RateLimits.parse({}) is NO_LIMITS
    assert RateLimits(None, None, None, None) == NO_LIMITS


KNOWN = "per_market_minute, per_market_hour, per_strategy_minute, per_strategy_hour"
BAD = [
    (
        {"per_day": 1},
        f"rate_limit.per_day: Expected one of {KNOWN}, was 'per_day'",
    ),
    (
        {"per_market_minute": 0},
        "rate_limit.per_market_minute: Expected a whole number from 1 to 1000000, was 0",
    ),
    (
        {"per_market_minute": 1_000_001},
        "rate_limit.per_market_minute: Expected a whole number from 1 to 1000000, was 1000001",
    ),
    (
        {"per_strategy_hour": 10_000_001},
        "rate_limit.per_strategy_hour: Expected a whole number from 1 to 10000000, was 10000001",
    ),
    (
        {"per_market_hour": -1},
        "rate_limit.per_market_hour: Expected a whole number from 1 to 10000000, was -1",
    ),
    (
        {"per_market_hour": "1.5"},
        "rate_limit.per_market_hour: Expected a whole number from 1 to 10000000, was '1.5'",
    ),
    (
        {"per_market_hour": True},
        "rate_limit.per_market_hour: Expected a whole number from 1 to 10000000, was True",
    ),
    (
        {"per_market_minute": 6, "per_market_hour": 5},
        "rate_limit.per_market_minute: Expected at most per_market_hour 5, was 6",
    ),
    (
        {"per_strategy_minute": 6, "per_strategy_hour": 5},
        "rate_limit.per_strategy_minute: Expected at most per_strategy_hour 5, was 6",
    ),
]


@pytest.mark.parametrize(("table", "complaint"), BAD)
def test_a_bad_table_is_refused(table: dict[str, object], complaint: str) -> None:
    """Unknown, out of range, no whole number or contradictory: field, expected and what came."""
    with pytest.raises(ValueError, match=r"rate_limit\.") as refusal:
        RateLimits.parse(table)
    assert str(refusal.value) == complaint
