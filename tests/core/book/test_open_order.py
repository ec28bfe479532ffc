"""Open orders: what they may lose, the one book of a market, and which state may follow which."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.open_order import (
    CLOSED_STATES,
    NOTHING,
    OPEN_STATES,
    TRANSITIONS,
    Order,
    losses,
)
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    OrderStatus,
    Platform,
    Side,
    TimeInForce,
)

prices = st.integers(1, MICRO - 1)
quantities = st.integers(1, 10**15)

S = OrderStatus
ALLOWED = {
    S.PENDING: "WORKING PARTIALLY_FILLED FILLED CANCELLED REJECTED EXPIRED UNKNOWN DENIED NOT_SENT",
    S.WORKING: "PARTIALLY_FILLED FILLED CANCELLED EXPIRED REJECTED",
    S.PARTIALLY_FILLED: "PARTIALLY_FILLED FILLED CANCELLED EXPIRED",
    S.UNKNOWN: "WORKING PARTIALLY_FILLED FILLED CANCELLED REJECTED EXPIRED NOT_SENT",
}


def order(**changes: object) -> Order:
    """Return a pending order: Buy 10 Yes at 0.65."""
    fields: dict[str, object] = {
        "client_order_id": "c-1",
        "request_id": "r-1",
        "idempotency_key": "k-1",
        "fingerprint": "f-1",
        "attempt": 1,
        "leg": 0,
        "platform": Platform.KALSHI,
        "market_id": "M",
        "market_key": "M",
        "side": Side.YES,
        "action": Action.BUY,
        "quantity": 10 * MICRO,
        "limit_price": 650_000,
        "time_in_force": TimeInForce.IOC,
        "created_ns": 0,
        "strategy": "s",
        "sport": "NBA",
        **changes,
    }
    return Order(**fields)  # type: ignore[arg-type]


def test_states_are_open_or_closed() -> None:
    """Four states are open, every other one is closed."""
    assert {S.PENDING, S.WORKING, S.PARTIALLY_FILLED, S.UNKNOWN} == OPEN_STATES
    assert {S.FILLED, S.CANCELLED, S.REJECTED, S.EXPIRED, S.DENIED, S.NOT_SENT} == CLOSED_STATES


@pytest.mark.parametrize("status", S)
def test_transitions(status: S) -> None:
    """Exactly the ways of the table exist; a closed order goes nowhere."""
    assert {str(after) for after in TRANSITIONS.get(status, ())} == set(
        ALLOWED.get(status, "").split()
    )


def test_only_open_orders_move() -> None:
    """The table speaks of all open states and of nothing else."""
    assert set(TRANSITIONS) == OPEN_STATES


def test_an_unknown_never_becomes_denied() -> None:
    """What may have left cannot be denied any more: only evidence ends it (P7)."""
    assert S.DENIED not in TRANSITIONS[S.UNKNOWN]
    assert S.NOT_SENT in TRANSITIONS[S.UNKNOWN]
    assert not {S.DENIED, S.NOT_SENT, S.UNKNOWN} & TRANSITIONS[S.WORKING]
    assert not {S.DENIED, S.NOT_SENT, S.REJECTED} & TRANSITIONS[S.PARTIALLY_FILLED]


@pytest.mark.parametrize(
    ("side", "action", "price", "expected"),
    [
        (Side.YES, Action.BUY, "0.65", (0, 65)),
        (Side.NO, Action.BUY, "0.65", (65, 0)),
        (Side.YES, Action.SELL, "0.65", (35, 0)),
        (Side.NO, Action.SELL, "0.65", (0, 35)),
    ],
)
def test_losses(side: Side, action: Action, price: str, expected: tuple[int, int]) -> None:
    """A Buy loses its price if the other side wins, a Sell what its own side would have paid."""
    micro = int(Fraction(price) * MICRO)
    found = losses(side, action, 100 * MICRO, micro)
    assert found == (expected[0] * MICRO, expected[1] * MICRO)


def test_losses_are_rounded_against_us() -> None:
    """What is paid is rounded up, what is received down."""
    assert losses(Side.YES, Action.BUY, 3, 500_000) == (0, 2)
    assert losses(Side.YES, Action.SELL, 3, 500_000) == (2, 0)
    assert losses(Side.NO, Action.BUY, 1, 1) == (1, 0)
    assert losses(Side.YES, Action.BUY, 1, MICRO - 1) == (0, 1)


def test_losses_of_a_price_above_one() -> None:
    """Should a price ever be above the payout, a Buy loses on both sides."""
    assert losses(Side.YES, Action.BUY, 100, 1_500_000) == (50, 150)
    assert losses(Side.NO, Action.BUY, 100, 1_500_000) == (150, 50)
    assert losses(Side.YES, Action.BUY, 100, 1_000_000) == (0, 100)


@given(st.sampled_from(Side), st.sampled_from(Action), quantities, prices)
def test_losses_follow_the_formula(side: Side, action: Action, quantity: int, price: int) -> None:
    """For each outcome: max(0, outlay - payout), both signed."""
    sign = 1 if action is Action.BUY else -1
    outlay = sign * Fraction(price * quantity, MICRO)
    expected = tuple(
        ceil(max(Fraction(0), outlay - (sign * quantity if side is outcome else 0)))
        for outcome in (Side.YES, Side.NO)
    )
    assert losses(side, action, quantity, price) == expected


@pytest.mark.parametrize(
    ("side", "action", "is_bid", "yes_price"),
    [
        (Side.YES, Action.BUY, True, 650_000),
        (Side.YES, Action.SELL, False, 650_000),
        (Side.NO, Action.BUY, False, 350_000),
        (Side.NO, Action.SELL, True, 350_000),
    ],
)
def test_there_is_one_book(side: Side, action: Action, is_bid: bool, yes_price: int) -> None:
    """Every order is a bid or an offer of Yes, at a price of Yes."""
    made = order(side=side, action=action)
    assert made.is_bid is is_bid
    assert made.yes_price == yes_price


def test_the_wire_names_the_side_of_its_own_market_id() -> None:
    """Under the No token's id the sides swap."""
    assert order(side=Side.YES).wire_side is Side.YES
    assert order(side=Side.YES, is_flipped=True).wire_side is Side.NO
    assert order(side=Side.NO, is_flipped=True).wire_side is Side.YES


def test_what_remains() -> None:
    """Fills come off the quantity; a fresh order has reserved nothing."""
    assert order().remaining == 10 * MICRO
    assert order(filled=4 * MICRO).remaining == 6 * MICRO
    assert order().reserved == NOTHING
    assert order().status is S.PENDING
