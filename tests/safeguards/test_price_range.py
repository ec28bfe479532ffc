"""Price range (R8): no order that adds risk has an extreme price of its named side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Side
from arbees.safeguards.price_range import PriceRange
from tests.safeguards.build import book_with, market, verdicts

CODE = "PRICE_OUT_OF_RANGE"
RANGE = "[0.05, 0.95]"


def test_defaults() -> None:
    """Five to ninety-five cents; the headroom is the distance to the nearer end."""
    assert PriceRange() == PriceRange(50_000, 950_000)
    assert verdicts(PriceRange()) == (Pass(CODE, 650_000, RANGE, 300_000),)
    assert verdicts(PriceRange(), limit_price="0.15") == (Pass(CODE, 150_000, RANGE, 100_000),)


@pytest.mark.parametrize("price", [50_000, 950_000])
@pytest.mark.parametrize("side", Side)
def test_both_ends_pass(price: int, side: Side) -> None:
    """Exactly at an end passes, on either side of the market."""
    assert verdicts(PriceRange(), limit_price=price, side=side) == (Pass(CODE, price, RANGE, 0),)


@pytest.mark.parametrize("price", [49_999, 950_001, 1, 999_999])
@pytest.mark.parametrize("side", Side)
def test_a_millionth_outside_is_denied(price: int, side: Side) -> None:
    """The price of the named side counts, and the range is told."""
    assert verdicts(PriceRange(), limit_price=price, side=side) == (Deny(CODE, price, RANGE),)


def test_the_range_that_is_set_is_told() -> None:
    """Each setting is its own end."""
    safeguard = PriceRange(100_000, 212_345)
    assert verdicts(safeguard, limit_price="0.2") == (
        Pass(CODE, 200_000, "[0.1, 0.212345]", 12_345),
    )
    assert verdicts(safeguard, limit_price="0.099999") == (Deny(CODE, 99_999, "[0.1, 0.212345]"),)


def test_reducing_orders_pass() -> None:
    """A position that has become worthless, or nearly won, may be closed."""
    book = book_with(market(yes="10"))
    for price in ("0.01", "0.99"):
        assert verdicts(PriceRange(), book, action=Action.SELL, limit_price=price) == (
            Skipped(CODE, "reducing order"),
        )


ends = st.integers(0, MICRO)


@given(st.integers(1, MICRO - 1), ends, ends)
def test_against_an_oracle(price: int, low: int, high: int) -> None:
    """Denied is exactly what is not between the ends; ends the wrong way round deny all."""
    (said,) = verdicts(PriceRange(low, high), limit_price=price)
    assert isinstance(said, Deny) is not (low <= price <= high)
    if isinstance(said, Pass):
        assert said.headroom == min(price - low, high - price)
