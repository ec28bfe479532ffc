"""Reservations: what an order, or what remains of one, may take in its worst case."""

from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.open_order import NOTHING, Order, Reservation
from arbees.core.book.reservation import (
    cash_needed,
    given_up,
    reserve,
    reserve_rest,
)
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)

RATES = (70_000, 100, 100_000)
"""Kalshi's taker rate and grid, and an allowance of a tenth."""
TEN = 10 * MICRO


@pytest.mark.parametrize(
    ("action", "price", "grid", "fee"),
    [
        (Action.BUY, 650_000, 100, 175_000),
        (Action.SELL, 650_000, 100, 159_300),
        (Action.BUY, 200_000, 100, 112_000),
        (Action.SELL, 200_000, 100, 175_000),
        (Action.SELL, 650_000, 1, 159_250),
    ],
)
def test_worst_fees(action: Action, price: int, grid: int, fee: int) -> None:
    """A Buy may fill at any lower price, a Sell at any higher one."""
    rates = (70_000, grid, 0)
    assert reserve(Side.YES, action, TEN, price, rates, None, is_reducing=True).cash == fee


@pytest.mark.parametrize(
    ("cost", "fee", "buffer", "cash"),
    [
        (6_500_000, 175_000, 100_000, 7_150_000),
        (6_500_000, 650_001, 100_000, 7_150_001),
        (6_500_000, 650_000, 100_000, 7_150_000),
        (1, 0, 100_000, 2),
        (0, 5, 100_000, 5),
        (10, 3, 0, 13),
    ],
)
def test_cash(cost: int, fee: int, buffer: int, cash: int) -> None:
    """Cost and the greater of worst fee and allowance, which is rounded up."""
    assert cash_needed(cost, fee, buffer) == cash


@pytest.mark.parametrize(
    ("price", "is_buy", "reference", "loss"),
    [
        # A Sell at 0.65 of what could be closed at 0.70 gives up 0.05 a contract.
        (650_000, False, 700_000, 500_000),
        (650_000, False, 650_000, 0),
        (650_000, False, 649_999, 0),
        (650_000, False, 650_001, 10),
        # A Buy at 0.65 receives 0.35 for the other side.
        (650_000, True, 400_000, 500_000),
        (650_000, True, 350_000, 0),
        (650_000, True, 350_001, 10),
        (650_000, False, None, 0),
    ],
)
def test_what_a_reducing_order_gives_up(
    price: int, is_buy: bool, reference: int | None, loss: int
) -> None:
    """What its limit lies below the price at which the position is marked."""
    assert given_up(price, TEN, reference, is_buy=is_buy) == loss


@pytest.mark.parametrize(
    ("action", "is_reducing", "loss"),
    [(Action.BUY, False, 2), (Action.SELL, False, 2), (Action.SELL, True, 2)],
)
def test_losses_of_the_day_are_rounded_up(action: Action, is_reducing: bool, loss: int) -> None:
    """Half a millionth that may be lost is a whole one."""
    found = reserve(Side.YES, action, 3, 500_000, (0, 1, 0), MICRO, is_reducing=is_reducing)
    assert found.day_loss == loss


@pytest.mark.parametrize(
    ("side", "action", "is_reducing", "reference", "expected"),
    [
        (Side.YES, Action.BUY, False, None, (0, 6_500_000, 7_150_000, 6_675_000, 0)),
        (Side.NO, Action.BUY, False, None, (6_500_000, 0, 7_150_000, 6_675_000, 0)),
        (Side.YES, Action.BUY, True, 400_000, (0, 6_500_000, 175_000, 675_000, TEN)),
        (Side.YES, Action.SELL, True, 700_000, (3_500_000, 0, 159_300, 659_300, TEN)),
        (Side.NO, Action.SELL, True, None, (0, 3_500_000, 159_300, 159_300, TEN)),
        # No safeguard lets it pass, but switched off it still reserves its worst case.
        (Side.YES, Action.SELL, False, None, (3_500_000, 0, 159_300, 3_659_300, 0)),
    ],
)
def test_reservations(
    side: Side,
    action: Action,
    is_reducing: bool,
    reference: int | None,
    expected: tuple[int, int, int, int, int],
) -> None:
    """Losses by outcome, cash, loss of the day, and what it closes."""
    found = reserve(side, action, TEN, 650_000, RATES, reference, is_reducing=is_reducing)
    assert found == Reservation(*expected)


@pytest.mark.parametrize("quantity", [0, -1])
def test_nothing_left_reserves_nothing(quantity: int) -> None:
    """Filled, or filled too much, takes nothing more."""
    found = reserve(Side.YES, Action.BUY, quantity, 650_000, RATES, None, is_reducing=False)
    assert found is NOTHING
    assert Reservation(0, 0, 0, 0, 0) == NOTHING


def test_one_millionth_reserves_something() -> None:
    """The least quantity costs the least money, rounded up, and the least fee."""
    found = reserve(Side.YES, Action.BUY, 1, 650_000, RATES, None, is_reducing=False)
    assert found == Reservation(0, 1, 101, 101, 0)


def an_order(**changes: Any) -> Order:
    """Return a reducing order: Sell 10 No at 0.65, which could be closed at 0.70."""
    fields: dict[str, Any] = {
        "client_order_id": "c-1",
        "request_id": "r-1",
        "idempotency_key": "k-1",
        "attempt": 1,
        "fingerprint": "f",
        "leg": 0,
        "platform": Platform.KALSHI,
        "market_id": "M",
        "market_key": "M",
        "side": Side.NO,
        "action": Action.SELL,
        "quantity": TEN,
        "limit_price": 650_000,
        "time_in_force": TimeInForce.GTC,
        "created_ns": 0,
        "strategy": "s",
        "sport": "NBA",
        "is_reducing": True,
        "reference": 700_000,
        "rates": RATES,
    }
    return Order(**{**fields, **changes})


def test_what_remains_of_an_order() -> None:
    """With the price, rates and reference that it was approved with."""
    order = an_order()
    expected = reserve(Side.NO, Action.SELL, 4 * MICRO, 650_000, RATES, 700_000, is_reducing=True)
    assert (
        reserve_rest(order, 4 * MICRO)
        == expected
        == Reservation(0, 1_400_000, 63_700, 263_700, 4 * MICRO)
    )
    assert reserve_rest(order, 0) is NOTHING


def test_what_an_order_closes_before_it_opens() -> None:
    """A larger one is risk-increasing as a whole, yet nobody else may close what it closes."""
    found = reserve(
        Side.YES, Action.BUY, TEN, 650_000, RATES, None, is_reducing=False, closing=3 * MICRO
    )
    assert found == Reservation(0, 6_500_000, 7_150_000, 6_675_000, 3 * MICRO)


@pytest.mark.parametrize(("remaining", "closing"), [(10, 4), (9, 3), (6, 0), (5, 0), (1, 0)])
def test_what_fills_first_closes(remaining: int, closing: int) -> None:
    """Of ten that may close four, the first four do."""
    order = an_order(side=Side.YES, action=Action.BUY, is_reducing=False)
    order.reserved = Reservation(0, 6_500_000, 7_150_000, 6_675_000, 4 * MICRO)
    found = reserve_rest(order, remaining * MICRO)
    assert found.closing == closing * MICRO
    assert found.loss_no == remaining * 650_000


def test_what_fills_next_closes_next() -> None:
    """What was filled before is not taken off again."""
    order = an_order(side=Side.YES, action=Action.BUY, is_reducing=False)
    order.filled = 2 * MICRO
    order.reserved = Reservation(0, 5_200_000, 5_720_000, 5_340_000, 2 * MICRO)
    assert reserve_rest(order, 7 * MICRO).closing == MICRO


@given(
    st.sampled_from(Side),
    st.sampled_from(Action),
    st.lists(st.integers(1, 10**9), min_size=1, max_size=4),
    st.integers(1, MICRO - 1),
)
def test_the_whole_covers_its_parts(
    side: Side, action: Action, parts: list[int], price: int
) -> None:
    """What remains never needs more than was reserved for all of it, rounding aside."""
    whole = reserve(side, action, sum(parts), price, RATES, None, is_reducing=False)
    rests = [reserve(side, action, part, price, RATES, None, is_reducing=False) for part in parts]
    for index in range(5):
        # A millionth a part for each rounding, and a step of the grid for each fee.
        assert sum(rest[index] for rest in map(_fields, rests)) >= _fields(whole)[index]
        assert max(_fields(rest)[index] for rest in rests) <= _fields(whole)[index]


def _fields(reserved: Reservation) -> tuple[int, int, int, int, int]:
    return (
        reserved.loss_yes,
        reserved.loss_no,
        reserved.cash,
        reserved.day_loss,
        reserved.closing,
    )


@given(st.integers(1, 10**12), st.integers(1, MICRO - 1), st.integers(0, MICRO))
def test_cash_against_fractions(quantity: int, price: int, buffer: int) -> None:
    """Cost plus max(worst fee, buffer x cost), each rounded up."""
    found = reserve(
        Side.YES, Action.BUY, quantity, price, (70_000, 100, buffer), None, is_reducing=False
    )
    cost = ceil(Fraction(price * quantity, MICRO))
    worst = min(price, MICRO // 2)
    fee = ceil(Fraction(70_000 * quantity * worst * (MICRO - worst), 100 * MICRO**3)) * 100
    assert found.cash == cost + max(ceil(Fraction(buffer * cost, MICRO)), fee)
    assert found.day_loss == cost + fee
