"""Unknown orders (P7): nothing on top of what may or may not exist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.words import Action
from arbees.safeguards.unknown_orders import UnknownOrders
from tests.safeguards.build import book_with, listing, market, verdicts

HERE, ALL = "UNKNOWN_IN_MARKET", "MAX_UNKNOWN_ORDERS"
CLEAR = Pass(HERE, 0, 0, 0)


def test_defaults() -> None:
    """Three in all, none in the market."""
    assert UnknownOrders() == UnknownOrders(3)
    assert verdicts(UnknownOrders()) == (CLEAR, Pass(ALL, 0, 3, 3))


@pytest.mark.parametrize("count", [1, 2])
def test_one_in_the_market_denies(count: int) -> None:
    """Its fate decides what this order would do."""
    book = book_with(market(unknown=count), unknown=count)
    assert verdicts(UnknownOrders(), book) == (
        Deny(HERE, count, 0),
        Pass(ALL, count, 3, 3 - count),
    )


def test_one_elsewhere_does_not() -> None:
    """Only when there are too many in all."""
    other = market(listing(market_id="B", market_key="B"), unknown=1)
    assert verdicts(UnknownOrders(), book_with(market(), other, unknown=1)) == (
        CLEAR,
        Pass(ALL, 1, 3, 2),
    )


def test_exactly_at_the_limit() -> None:
    """Three pass, four are denied; a limit of none is possible."""
    assert verdicts(UnknownOrders(), book_with(unknown=3)) == (CLEAR, Pass(ALL, 3, 3, 0))
    assert verdicts(UnknownOrders(), book_with(unknown=4)) == (CLEAR, Deny(ALL, 4, 3))
    assert verdicts(UnknownOrders(0), book_with(unknown=0)) == (CLEAR, Pass(ALL, 0, 0, 0))
    assert verdicts(UnknownOrders(0), book_with(unknown=1)) == (CLEAR, Deny(ALL, 1, 0))


def test_reducing_orders_pass_elsewhere_only() -> None:
    """In the market itself nobody knows what would be reduced."""
    reducing = Skipped(ALL, "reducing order")
    book = book_with(market(yes="100", unknown=1), unknown=9)
    assert verdicts(UnknownOrders(), book, action=Action.SELL) == (Deny(HERE, 1, 0), reducing)
    book = book_with(market(yes="100"), unknown=9)
    assert verdicts(UnknownOrders(), book, action=Action.SELL) == (CLEAR, reducing)


def test_a_market_that_is_not_known_has_none() -> None:
    """Where nothing was ever sent, nothing is unknown."""
    book = book_with(market(unknown=1), unknown=1)
    assert verdicts(UnknownOrders(), book, market_id="nowhere") == (CLEAR, Pass(ALL, 1, 3, 2))


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_agrees_with_counting(here: int, elsewhere: int, limit: int) -> None:
    """None here, and no more than the limit in all."""
    count = here + elsewhere
    said = verdicts(UnknownOrders(limit), book_with(market(unknown=here), unknown=count))
    assert said == (
        CLEAR if here == 0 else Deny(HERE, here, 0),
        Pass(ALL, count, limit, limit - count) if count <= limit else Deny(ALL, count, limit),
    )
