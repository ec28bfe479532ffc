"""Fees of both venues: exact, rounded up to the venue's grid, and bounded before the fill."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.fees import exact_fee, fee_on_grid, worst_fee
from arbees.core.language.units import MICRO

KALSHI, POLYMARKET = 70_000, 50_000
rates = st.sampled_from([0, 17_500, KALSHI, POLYMARKET])
quantities = st.integers(1, 10**12)
prices = st.integers(1, MICRO - 1)
grids = st.sampled_from([1, 10, 100, 10_000])


@pytest.mark.parametrize(
    ("rate", "quantity", "price", "grid", "fee"),
    [
        # One contract at 0.56 paid 0.0173 on Kalshi (a recorded order).
        (KALSHI, MICRO, 560_000, 100, 17_300),
        (KALSHI, 100 * MICRO, 500_000, 100, 1_750_000),
        (KALSHI, 100 * MICRO, 650_000, 100, 1_592_500),
        (KALSHI, 100 * MICRO, 50_000, 100, 332_500),
        (KALSHI, MICRO, 10_000, 100, 700),
        (KALSHI, 10_000, 500_000, 100, 200),
        (POLYMARKET, 100 * MICRO, 500_000, 10, 1_250_000),
        (POLYMARKET, MICRO, 333_000, 10, 11_110),
        (0, 100 * MICRO, 500_000, 100, 0),
    ],
)
def test_known_fees(rate: int, quantity: int, price: int, grid: int, fee: int) -> None:
    """The venues' own examples come out to the last digit."""
    assert fee_on_grid(rate, quantity, price, grid) == fee


def test_a_fraction_of_a_millionth_counts() -> None:
    """The exact fee is rounded up to a micro-dollar."""
    assert exact_fee(KALSHI, 1, 1) == 1
    assert exact_fee(KALSHI, MICRO, 500_000) == 17_500
    assert exact_fee(KALSHI, MICRO + 1, 500_000) == 17_501


@given(rates, quantities, prices, grids)
def test_fees_follow_the_formula(rate: int, quantity: int, price: int, grid: int) -> None:
    """The fee is rate x quantity x p x (1 - p), on the grid and never below."""
    p = Fraction(price, MICRO)
    exact = Fraction(rate, MICRO) * quantity * p * (1 - p)
    assert exact_fee(rate, quantity, price) == ceil(exact)
    assert fee_on_grid(rate, quantity, price, grid) == ceil(exact / grid) * grid


@pytest.mark.parametrize(
    ("best", "worst", "peak"),
    [
        (0, 300_000, 300_000),
        (0, 499_999, 499_999),
        (0, 500_000, 500_000),
        (0, 800_000, 500_000),
        (MICRO, 800_000, 800_000),
        (MICRO, 500_001, 500_001),
        (MICRO, 500_000, 500_000),
        (MICRO, 300_000, 500_000),
        (500_000, MICRO, 500_000),
        (700_000, 700_000, 700_000),
    ],
)
def test_the_worst_price_is_the_one_nearest_to_one_half(best: int, worst: int, peak: int) -> None:
    """A Buy may fill from 0 up to its limit, a Sell from its limit up to 1."""
    assert worst_fee(KALSHI, 100 * MICRO, best, worst, 100) == fee_on_grid(
        KALSHI, 100 * MICRO, peak, 100
    )


@given(quantities, prices, prices, grids)
def test_no_execution_costs_more_than_the_worst_fee(
    quantity: int, limit: int, price: int, grid: int
) -> None:
    """Wherever between its limit and the best price an order fills, the fee is within the bound."""
    best = 0 if price <= limit else MICRO
    bound = worst_fee(KALSHI, quantity, best, limit, grid)
    assert fee_on_grid(KALSHI, quantity, price, grid) <= bound
