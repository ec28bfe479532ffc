"""Open orders: at most so many are working, in flight or unknown at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.words import Action, OrderStatus, Platform
from arbees.safeguards.open_orders import OpenOrders
from tests.safeguards.build import book_with, market, verdicts
from tests.safeguards.working import open_order, with_orders

CODE = "MAX_OPEN_ORDERS"
REDUCING = (Skipped(CODE, "reducing order"),)


def test_defaults() -> None:
    """Fifty; this one counts."""
    assert OpenOrders() == OpenOrders(50)
    assert verdicts(OpenOrders()) == (Pass(CODE, 1, 50, 49),)


def test_exactly_at_the_limit() -> None:
    """The last that fits passes, the next is denied."""
    book = with_orders(book_with(), open_order("a"), open_order("b"))
    assert verdicts(OpenOrders(3), book) == (Pass(CODE, 3, 3, 0),)
    assert verdicts(OpenOrders(2), book) == (Deny(CODE, 3, 2),)


@pytest.mark.parametrize(
    "status",
    [
        OrderStatus.PENDING,
        OrderStatus.WORKING,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.UNKNOWN,
    ],
)
def test_every_open_state_counts(status: OrderStatus) -> None:
    """Working, in flight and unknown: each may still fill."""
    book = with_orders(book_with(), open_order(status=status))
    assert verdicts(OpenOrders(1), book) == (Deny(CODE, 2, 1),)


def test_orders_elsewhere_count() -> None:
    """The limit is of the account, not of a market or venue."""
    elsewhere = open_order(platform=Platform.POLYMARKET, market_key="0xfeed", market_id="1")
    assert verdicts(OpenOrders(1), with_orders(book_with(), elsewhere)) == (Deny(CODE, 2, 1),)


def test_reducing_orders_pass() -> None:
    """A position may be closed, however much is open."""
    book = with_orders(book_with(market(yes="100")), open_order("a"), open_order("b"))
    assert verdicts(OpenOrders(1), book, action=Action.SELL) == REDUCING
    assert verdicts(OpenOrders(5), book, action=Action.SELL) == REDUCING


@given(st.integers(0, 12), st.integers(1, 12))
def test_agrees_with_counting(count: int, limit: int) -> None:
    """One more than what is open, against the limit."""
    book = with_orders(book_with(), *(open_order(f"c-{n}") for n in range(count)))
    (said,) = verdicts(OpenOrders(limit), book)
    if count >= limit:
        assert said == Deny(CODE, count + 1, limit)
    else:
        assert said == Pass(CODE, count + 1, limit, limit - count - 1)
