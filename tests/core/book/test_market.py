"""Exposure of a market: the formula of the design against every outcome and subset of orders."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.market import Listing, Market, OutcomeHolding
from arbees.core.book.open_order import losses
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Side

Leg = tuple[Side, Action, int, int]
"""Side, action, quantity and price of an order."""

cents = st.integers(1, 99).map(lambda cent: cent * 10_000)
lots = st.integers(0, 500).map(lambda lot: lot * 10_000)
held = st.tuples(lots, cents)
legs: st.SearchStrategy[Leg] = st.tuples(
    st.sampled_from(Side), st.sampled_from(Action), lots.filter(bool), cents
)


def market(
    yes: tuple[int, int] = (0, 0), no: tuple[int, int] = (0, 0), orders: tuple[Leg, ...] = ()
) -> Market:
    """Return a market with positions, as quantity and price paid, and open orders."""
    made = Market(
        listing=Listing(platform="Polymarket", market_id="m", market_key="M"),
        sport="NBA",
        game_id="g",
        yes=OutcomeHolding(yes[0], yes[0] * yes[1] // MICRO),
        no=OutcomeHolding(no[0], no[0] * no[1] // MICRO),
    )
    for leg in orders:
        loss_yes, loss_no = losses(*leg)
        made.loss_yes += loss_yes
        made.loss_no += loss_no
    return made


def outlay(leg: Leg) -> Fraction:
    """Return what an order pays, negative if it receives."""
    _, action, quantity, price = leg
    return Fraction(quantity * price, MICRO) * (1 if action is Action.BUY else -1)


def payout(leg: Leg, winner: Side) -> int:
    """Return what an order's contracts are paid if a side wins, negative if they are given up."""
    side, action, quantity, _ = leg
    return quantity * (1 if action is Action.BUY else -1) if side is winner else 0


def worst_resolution(made: Market, orders: tuple[Leg, ...]) -> Fraction:
    """Return the greatest loss over both outcomes and all subsets of orders that fill."""
    return max(
        made.yes.cost
        + made.no.cost
        - made.holding(winner).quantity
        + sum(
            (
                outlay(leg) - payout(leg, winner)
                for leg, fills in zip(orders, chosen, strict=True)
                if fills
            ),
            Fraction(0),
        )
        for winner in Side
        for chosen in product((False, True), repeat=len(orders))
    )


@given(held, held, st.lists(legs, max_size=5).map(tuple))
def test_the_worst_case_is_that_of_all_resolutions(
    yes: tuple[int, int], no: tuple[int, int], orders: tuple[Leg, ...]
) -> None:
    """Whichever outcome wins and whichever orders fill, no more is lost, and so much can be."""
    made = market(yes, no, orders)
    assert made.worst_case() == worst_resolution(made, orders)


@given(held, held, st.lists(legs, max_size=3).map(tuple), legs)
def test_one_more_order(
    yes: tuple[int, int], no: tuple[int, int], orders: tuple[Leg, ...], more: Leg
) -> None:
    """An order under judgement counts as if it were open, and never lowers the worst case."""
    made = market(yes, no, orders)
    found = made.worst_case(*losses(*more))
    assert found == worst_resolution(made, (*orders, more))
    assert found >= made.worst_case()


@pytest.mark.parametrize(
    ("yes", "no", "orders", "dollars"),
    [
        ((0, 0), (0, 0), (), 0),
        ((100, 30), (0, 0), (), 30),
        ((0, 0), (100, 30), (), 30),
        # The requirements' |position at cost| + order value.
        ((100, 30), (0, 0), ((Side.YES, Action.BUY, 100, 40),), 70),
        # Two open orders on opposite sides: either may fill alone.
        ((0, 0), (0, 0), ((Side.YES, Action.BUY, 100, 60), (Side.NO, Action.BUY, 100, 30)), 60),
        # Both sides held below a dollar: a profit for certain.
        ((100, 30), (100, 60), (), -10),
        # Selling one leg of it.
        ((100, 30), (100, 60), ((Side.YES, Action.SELL, 100, 50),), 40),
        # Closing what is held alone adds nothing.
        ((100, 30), (0, 0), ((Side.YES, Action.SELL, 100, 50),), 30),
    ],
)
def test_examples(
    yes: tuple[int, int], no: tuple[int, int], orders: tuple[Leg, ...], dollars: int
) -> None:
    """Contracts and cents as a person would reckon them."""

    def scaled(quantity: int, cent: int) -> tuple[int, int]:
        return quantity * MICRO, cent * 10_000

    made = market(
        scaled(*yes),
        scaled(*no),
        tuple((side, action, *scaled(quantity, price)) for side, action, quantity, price in orders),
    )
    assert made.worst_case() == dollars * MICRO


def test_holdings_are_of_their_side() -> None:
    """Each side has its own holding."""
    made = market((MICRO, 500_000), (2 * MICRO, 250_000))
    assert made.holding(Side.YES) == OutcomeHolding(MICRO, 500_000)
    assert made.holding(Side.NO) == OutcomeHolding(2 * MICRO, 500_000)
    assert made.holding(Side.YES) is made.yes
    assert made.holding(Side.NO) is made.no


def test_markets_share_nothing() -> None:
    """What changes in one market changes in no other."""
    one, other = market(), market()
    one.yes.quantity = 1
    one.orders.append("c-1")
    assert other.yes.quantity == 0
    assert other.orders == []


def test_the_parts_add_up() -> None:
    """Cost counts on both outcomes, each payout and each sum on its own."""
    made = market((10, 0), (30, 0))
    made.yes.cost, made.no.cost = 1_000, 100
    assert made.worst_case() == 1_090
    assert made.worst_case(5) == 1_095
    assert made.worst_case(0, 25) == 1_095
    assert made.worst_case(0, 26) == 1_096
    made.loss_yes = 7
    assert made.worst_case() == 1_097
    made.loss_no = 50
    assert made.worst_case() == 1_120
