"""Order size (R2): no order is larger than either cap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Side
from arbees.safeguards.order_size import OrderSize
from tests.safeguards.build import book_with, market, micro, verdicts

SIZE, CONTRACTS = "MAX_ORDER_SIZE", "MAX_ORDER_CONTRACTS"
REDUCING = Skipped(SIZE, "reducing order")
CAP = 100 * MICRO


def test_defaults() -> None:
    """A hundred dollars, a hundred contracts."""
    assert OrderSize() == OrderSize(CAP, CAP)
    assert verdicts(OrderSize()) == (
        Pass(SIZE, micro("6.5"), CAP, micro("93.5")),
        Pass(CONTRACTS, 10 * MICRO, CAP, 90 * MICRO),
    )


def test_exactly_the_dollars_pass() -> None:
    """At the cap passes, a millionth of a dollar above is denied."""
    assert verdicts(OrderSize(micro("6.5")))[0] == Pass(SIZE, micro("6.5"), micro("6.5"), 0)
    assert verdicts(OrderSize(micro("6.5") - 1))[0] == Deny(SIZE, micro("6.5"), micro("6.5") - 1)


def test_exactly_the_contracts_pass() -> None:
    """At the cap passes, a millionth of a contract above is denied."""
    assert verdicts(OrderSize(), size="100")[1] == Pass(CONTRACTS, CAP, CAP, 0)
    assert verdicts(OrderSize(), size=CAP + 1)[1] == Deny(CONTRACTS, CAP + 1, CAP)


def test_the_notional_is_rounded_up() -> None:
    """A fraction of a millionth of a dollar counts as a whole one."""
    said = verdicts(OrderSize(1), size=1, limit_price=1)
    assert said[0] == Pass(SIZE, 1, 1, 0)
    said = verdicts(OrderSize(1), size=3, limit_price=500_000)
    assert said[0] == Deny(SIZE, 2, 1)


def test_both_caps_are_told() -> None:
    """An order over both is denied by both."""
    assert verdicts(OrderSize(), size="1000") == (
        Deny(SIZE, micro("650"), CAP),
        Deny(CONTRACTS, 1000 * MICRO, CAP),
    )


@pytest.mark.parametrize(
    ("held", "action", "side"), [("yes", Action.SELL, Side.YES), ("no", Action.BUY, Side.YES)]
)
def test_reducing_orders_pass_the_dollars_only(held: str, action: Action, side: Side) -> None:
    """A dear position may be closed, in orders of at most the contracts."""
    book = book_with(market(yes="1000") if held == "yes" else market(no="1000"))
    assert verdicts(OrderSize(), book, action=action, side=side, size="1000") == (
        REDUCING,
        Deny(CONTRACTS, 1000 * MICRO, CAP),
    )
    assert verdicts(OrderSize(micro("1")), book, action=action, side=side, size="100") == (
        REDUCING,
        Pass(CONTRACTS, CAP, CAP, 0),
    )


@given(
    st.integers(1, 10**15), st.integers(1, 999_999), st.integers(1, 10**12), st.integers(1, 10**12)
)
def test_against_an_oracle(size: int, price: int, dollars: int, contracts: int) -> None:
    """Denied are exactly size x price above the dollars, and size above the contracts."""
    said = verdicts(OrderSize(dollars, contracts), size=size, limit_price=price)
    assert isinstance(said[0], Deny) is (size * price > dollars * MICRO)
    assert isinstance(said[1], Deny) is (size > contracts)
