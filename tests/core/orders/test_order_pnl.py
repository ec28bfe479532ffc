"""What orders came to: each its own figure, all together the account's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core import events
from arbees.core.book.book import fresh
from arbees.core.book.market import Market
from arbees.core.deciding.outcomes import NotSent
from arbees.core.deciding.verdicts import Pass
from arbees.core.language.payouts import won_by
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Side
from arbees.core.orders.order_pnl import (
    MARKED,
    SETTLED,
    UNKNOWN,
    FillTally,
    OrderPnl,
)
from tests.core.scene import Says, Scene
from tests.safeguards.build import listing


def followed(side: Side, action: Action, quantity: int, price: int, fee: int = 0) -> OrderPnl:
    """Return an order that filled."""
    return OrderPnl(
        market_key="K",
        side=side,
        action=action,
        filled=quantity * MICRO,
        value=price * quantity * MICRO,
        fees=fee,
    )


def market(result: Side | None = None, mark: int | None = None) -> Market:
    """Return the market K, settled or marked."""
    made = Market(listing=listing(market_key="K"), sport="NBA", game_id="g")
    made.is_settled, made.mark_yes = result is not None, mark
    made.payouts = None if result is None else won_by(result)
    return made


@pytest.mark.parametrize(
    ("side", "action", "result", "expected"),
    [
        (Side.YES, Action.BUY, Side.YES, 4_000_000),
        (Side.YES, Action.BUY, Side.NO, -6_000_000),
        (Side.NO, Action.BUY, Side.NO, 4_000_000),
        (Side.YES, Action.SELL, Side.YES, -4_000_000),
        (Side.YES, Action.SELL, Side.NO, 6_000_000),
    ],
)
def test_settled(side: Side, action: Action, result: Side, expected: int) -> None:
    """Ten contracts at 0.60: payout less price for a Buy, price less payout for a Sell; fees."""
    book = fresh()
    book.markets["K"] = market(result)
    assert followed(side, action, 10, 600_000).pnl(book) == (SETTLED, expected)
    assert followed(side, action, 10, 600_000, 7).pnl(book) == (SETTLED, expected - 7)


def test_not_settled() -> None:
    """The last mark, and without one nothing is known; without a fill it is nothing at all."""
    book = fresh()
    book.markets["K"] = market(mark=650_000)
    assert followed(Side.YES, Action.BUY, 10, 600_000).pnl(book) == (MARKED, 500_000)
    assert followed(Side.NO, Action.BUY, 10, 600_000).pnl(book)[0] == UNKNOWN
    assert followed(Side.NO, Action.BUY, 0, 600_000).pnl(book) == (SETTLED, 0)


@given(
    st.lists(
        st.tuples(st.sampled_from(Side), st.integers(1, 50), st.integers(1, 999)),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(Side),
)
def test_all_orders_together_are_the_account(
    buys: list[tuple[Side, int, int]], result: Side
) -> None:
    """Bought and held to the settlement, the orders' figures add up to the realized P&L."""
    book = fresh()
    book.markets["K"] = market(result)
    figures = [followed(s, Action.BUY, n, p * 1_000).pnl(book)[1] for s, n, p in buys]
    cost = sum(n * p * 1_000 for _, n, p in buys)
    payout = sum(n * MICRO for s, n, _ in buys if s is result)
    assert sum(figures) == payout - cost


def test_an_id_that_is_used_again_begins_anew() -> None:
    """A second attempt under the same key has the same client order id, and fills of its own."""
    scene = Scene(Says("says", Pass("A")))
    worth = FillTally()
    order = scene.order("k")
    first = worth.follow(approval(scene))
    scene.answer(order, NotSent(message="down"))
    again = scene.order("other")
    worth.take(approval(scene))
    worth.take(scene.fill(again, 5 * MICRO, 600_000))
    assert first.filled == 0
    second = worth.follow(approval(scene))
    worth.take(approval(scene))
    worth.take(scene.fill(again, 3 * MICRO, 600_000, 4))
    assert (second.filled, second.value, second.fees) == (3 * MICRO, 1_800_000 * MICRO, 4)


def approval(scene: Scene) -> events.OrderApproved:
    """Return the last approval."""
    return [each for _, _, each in scene.records if isinstance(each, events.OrderApproved)][-1]
