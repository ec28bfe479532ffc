"""Balance (R3): what an order may take must be there for certain, by a figure that is fresh."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.book import Book, Pool
from arbees.core.deciding.candidate import make_candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform, Side
from arbees.safeguards.balance import Balance, pool_of
from tests.safeguards.build import (
    NOW,
    SECOND,
    TERMS,
    YES_TOKEN,
    book_with,
    facts,
    market,
    micro,
    order,
    polymarket,
    request,
    verdicts,
)

LACKS, STALE = "INSUFFICIENT_BALANCE", "BALANCE_STALE"
LIMIT = 180 * SECOND
NEED = micro("7.15")
"""10 at 0.65 and a tenth of it; the worst fee, 0.1750, is less."""
FRESH = Pass(STALE, 0, LIMIT, LIMIT)
REDUCING = (Skipped(LACKS, "reducing order"), Skipped(STALE, "reducing order"))


def with_pool(
    available: str | int = "100", outside: str | int = 0, age: int = 0, name: str = "Kalshi"
) -> Book:
    """Return a book that knows the balance of a venue."""
    pool = Pool(
        platform=name, available=micro(available), outside=micro(outside), as_of_ns=NOW - age
    )
    return book_with(market(), market(polymarket()), pools={name: pool})


def test_defaults() -> None:
    """Stale after three minutes, a tenth for fees, ten thousand on paper, an alert below 100."""
    assert Balance() == Balance(60 * SECOND, 100_000, 10_000 * MICRO, 100 * MICRO)
    assert verdicts(Balance(), with_pool()) == (
        Pass(LACKS, NEED, 100 * MICRO, 100 * MICRO - NEED),
        FRESH,
    )


def test_exactly_what_is_needed() -> None:
    """Having exactly that passes, a millionth of a dollar less is denied."""
    assert verdicts(Balance(), with_pool(NEED)) == (Pass(LACKS, NEED, NEED, 0), FRESH)
    assert verdicts(Balance(), with_pool(NEED - 1)) == (Deny(LACKS, NEED, NEED - 1), FRESH)


def test_what_is_not_provably_inside_the_figure_is_taken_off() -> None:
    """Money of open orders and fresh fills that the venue may not have counted yet is not there."""
    assert verdicts(Balance(), with_pool("100", 100 * MICRO - NEED))[0] == Pass(
        LACKS, NEED, NEED, 0
    )
    said = verdicts(Balance(), with_pool("100", 100 * MICRO - NEED + 1))[0]
    assert said == Deny(LACKS, NEED, NEED - 1)
    assert verdicts(Balance(), with_pool("1", "50"))[0] == Deny(LACKS, NEED, -49 * MICRO)


def test_the_worst_fee_counts_where_it_is_more_than_the_allowance() -> None:
    """With a small buffer the fee of the venue, 0.07 x p x (1 - p) a contract, is what is kept."""
    book, seen = with_pool(), facts()
    for buffer, need in (
        (0, micro("6.5") + micro("0.175")),
        (20_000, micro("6.5") + micro("0.175")),
        (30_000, micro("6.5") + micro("0.195")),
    ):
        made = make_candidate(request(), 0, book, seen, TERMS, buffer)
        said = Balance().check(made, book, seen)
        assert said[0] == Pass(LACKS, need, 100 * MICRO, 100 * MICRO - need)


def test_a_balance_that_nobody_knows_denies() -> None:
    """Without a figure there is nothing to compare with, and that is told as such."""
    nothing = (Skipped(LACKS, "no balance is known"), Deny(STALE, "unknown", LIMIT))
    assert verdicts(Balance()) == nothing
    assert verdicts(Balance(), with_pool(name="Polymarket")) == nothing


def test_exactly_three_intervals_old() -> None:
    """At three intervals passes, a nanosecond older is denied."""
    said = verdicts(Balance(), with_pool(age=LIMIT))
    assert said[1] == Pass(STALE, LIMIT, LIMIT, 0)
    said = verdicts(Balance(), with_pool(age=LIMIT + 1))
    assert said == (
        Pass(LACKS, NEED, 100 * MICRO, 100 * MICRO - NEED),
        Deny(STALE, LIMIT + 1, LIMIT),
    )
    said = verdicts(Balance(SECOND), with_pool(age=3 * SECOND + 1))
    assert said[1] == Deny(STALE, 3 * SECOND + 1, 3 * SECOND)


def test_a_figure_that_did_not_change_is_fresh() -> None:
    """The venue said it again, though nothing new was recorded."""
    seen = facts(balance_ns=NOW - SECOND)
    said = verdicts(Balance(), with_pool(age=10 * LIMIT), seen)
    assert said[1] == Pass(STALE, SECOND, LIMIT, LIMIT - SECOND)
    seen = facts(balance_ns=NOW - 10 * LIMIT)
    assert verdicts(Balance(), with_pool(age=SECOND), seen)[1] == said[1]


def test_a_figure_from_the_future_ages_as_well() -> None:
    """A venue's clock that runs ahead cannot keep a figure fresh for ever."""
    assert verdicts(Balance(), with_pool(age=-LIMIT))[1] == Pass(STALE, LIMIT, LIMIT, 0)
    assert verdicts(Balance(), with_pool(age=-LIMIT - 1))[1] == Deny(STALE, LIMIT + 1, LIMIT)


def test_both_are_told() -> None:
    """Too little by a figure that is too old is denied by both."""
    assert verdicts(Balance(), with_pool("1", age=LIMIT + 1)) == (
        Deny(LACKS, NEED, MICRO),
        Deny(STALE, LIMIT + 1, LIMIT),
    )


def test_each_venue_has_its_own_money() -> None:
    """What lies at one venue buys nothing at the other."""
    said = verdicts(
        Balance(),
        with_pool(name="Polymarket"),
        platform=Platform.POLYMARKET,
        market_id=YES_TOKEN,
    )
    assert said[0] == Pass(LACKS, NEED, 100 * MICRO, 100 * MICRO - NEED)
    assert pool_of(order()) == "Kalshi"


@pytest.mark.parametrize(("action", "side"), [(Action.SELL, Side.YES), (Action.BUY, Side.NO)])
def test_reducing_orders_pass(action: Action, side: Side) -> None:
    """A position may be closed with no money at all, and with none known."""
    held = market(yes="100")
    for book in (book_with(held), book_with(held, pools=with_pool("-1", age=9 * LIMIT).pools)):
        assert verdicts(Balance(), book, action=action, side=side) == REDUCING


money = st.integers(-(10**12), 10**12)
moments = st.integers(NOW - 600 * SECOND, NOW + 600 * SECOND)


def _plain(need: int, have: int, age: int) -> tuple[Verdict, Verdict]:
    """Return both verdicts the slow and obvious way."""
    return (
        Pass(LACKS, need, have, have - need) if have >= need else Deny(LACKS, need, have),
        Pass(STALE, age, LIMIT, LIMIT - age) if age <= LIMIT else Deny(STALE, age, LIMIT),
    )


@given(money, st.integers(0, 10**12), moments, moments, st.integers(1, 100))
def test_agrees_with_plain_arithmetic(
    available: int, outside: int, as_of: int, said_again: int, size: int
) -> None:
    """Available less outside against the order's cash; the age of the newer word."""
    pool = Pool(platform="Kalshi", available=available, outside=outside, as_of_ns=as_of)
    seen: Facts = facts(balance_ns=said_again)
    age = NOW - as_of if as_of > said_again else NOW - said_again
    said = verdicts(
        Balance(), book_with(pools={"Kalshi": pool}), seen, size=size * MICRO, limit_price="0.5"
    )
    assert said == _plain(size * micro("0.55"), available - outside, max(age, -age))
