"""Opposing order: nothing may trade with an open order of our own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    OrderStatus,
    Platform,
    Side,
)
from arbees.safeguards.opposing_order import OpposingOrder
from tests.safeguards.build import (
    CONDITION,
    NO_TOKEN,
    YES_TOKEN,
    book_with,
    listing,
    market,
    micro,
    polymarket,
    verdicts,
)
from tests.safeguards.working import open_order, with_orders

CODE = "SELF_TRADE"
ALONE = (Pass(CODE),)
YES, NO, BUY, SELL = Side.YES, Side.NO, Action.BUY, Action.SELL


def test_defaults() -> None:
    """It has no settings; alone in the market an order passes."""
    assert OpposingOrder.__struct_fields__ == ()
    assert verdicts(OpposingOrder()) == ALONE


@pytest.mark.parametrize(
    ("other_side", "other_action", "touching"),
    [(YES, SELL, "0.65"), (NO, BUY, "0.35")],
)
def test_a_bid_against_our_offer(other_side: Side, other_action: Action, touching: str) -> None:
    """Equal prices trade; a millionth apart they do not. Buy No at q is an offer at 1 - q."""
    for step, said in (
        (0, Deny(CODE, 650_000, 650_000)),
        (1, Pass(CODE, 650_000, 650_001, 1)),
        (-1, Deny(CODE, 650_000, 649_999)),
    ):
        price = micro(touching) + (step if other_side is YES else -step)
        other = open_order(side=other_side, action=other_action, limit_price=price)
        assert verdicts(OpposingOrder(), with_orders(book_with(), other)) == (said,)


@pytest.mark.parametrize(
    ("side", "action"),
    [(YES, SELL), (NO, BUY)],
)
def test_an_offer_against_our_bid(side: Side, action: Action) -> None:
    """The same the other way round, in prices of the side that the order names."""
    price = 650_000 if side is YES else 350_000
    for bid, away in ((650_001, -1), (650_000, 0), (649_999, 1)):
        book = with_orders(book_with(market(yes="100")), open_order(limit_price=bid))
        said = verdicts(OpposingOrder(), book, side=side, action=action, limit_price=price)
        named = bid if side is YES else MICRO - bid
        if away <= 0:
            assert said == (Deny(CODE, price, named),)
        else:
            assert said == (Pass(CODE, price, named, away),)


@pytest.mark.parametrize(("side", "action"), [(YES, BUY), (NO, SELL)])
def test_the_same_direction_does_not_oppose(side: Side, action: Action) -> None:
    """Two bids never trade with each other, whatever they are called and cost."""
    other = open_order(side=side, action=action, limit_price=1)
    assert verdicts(OpposingOrder(), with_orders(book_with(), other)) == ALONE


@pytest.mark.parametrize(
    "changes",
    [
        {"status": OrderStatus.UNKNOWN},
        {"status": OrderStatus.WORKING},
        {"cancel_reason": "asked for"},
        {"is_reducing": True},
    ],
)
def test_whatever_is_open_counts(changes: dict[str, Any]) -> None:
    """In flight, unknown, or about to be cancelled: it may still trade."""
    other = open_order(side=NO, limit_price=500_000, **changes)
    said = verdicts(OpposingOrder(), with_orders(book_with(), other))
    assert said == (Deny(CODE, 650_000, 500_000),)


def test_reducing_orders_do_not_pass() -> None:
    """A wash trade is one, also when it closes."""
    book = with_orders(book_with(market(yes="100")), open_order(limit_price=700_000))
    said = verdicts(OpposingOrder(), book, action=SELL)
    assert said == (Deny(CODE, 650_000, 700_000),)


def test_other_markets_do_not_count() -> None:
    """An order in another market cannot be met."""
    book = book_with(market(), market(listing(market_id="B", market_key="B")))
    other = open_order(side=NO, market_id="B", market_key="B")
    assert verdicts(OpposingOrder(), with_orders(book, other)) == ALONE
    assert verdicts(OpposingOrder(), with_orders(book, other), market_id="nowhere") == ALONE


def test_both_tokens_are_one_book() -> None:
    """Buying both outcomes for a dollar or more trades with ourselves, under either token."""
    other = open_order(
        platform=Platform.POLYMARKET,
        market_id=YES_TOKEN,
        market_key=CONDITION,
        limit_price=600_000,
    )
    book = with_orders(book_with(market(polymarket())), other)
    for price, said in (
        ("0.4", Deny(CODE, 400_000, 400_000)),
        ("0.399999", Pass(CODE, 399_999, 400_000, 1)),
    ):
        # Yes of the No token, and No of the Yes token, are the same thing.
        for market_id, side in ((NO_TOKEN, YES), (YES_TOKEN, NO)):
            assert verdicts(
                OpposingOrder(),
                book,
                platform=Platform.POLYMARKET,
                market_id=market_id,
                side=side,
                limit_price=price,
            ) == (said,)


@pytest.mark.parametrize("prices", [("0.7", "0.6", "0.8"), ("0.6", "0.7"), ("0.8", "0.7", "0.6")])
def test_the_best_priced_one_is_named(prices: tuple[str, ...]) -> None:
    """That is the one that would be met first, wherever it stands among the others."""
    offers = [
        open_order(f"c-{n}", action=SELL, limit_price=micro(price))
        for n, price in enumerate(prices)
    ]
    book = with_orders(book_with(), open_order("bid", limit_price=100_000), *offers)
    assert verdicts(OpposingOrder(), book) == (Deny(CODE, 650_000, 600_000),)
    bids = [
        open_order(f"c-{n}", limit_price=micro(price) - 100_000) for n, price in enumerate(prices)
    ]
    book = with_orders(book_with(market(yes="100")), *bids)
    said = verdicts(OpposingOrder(), book, action=SELL, limit_price="0.5")
    assert said == (Deny(CODE, 500_000, max(micro(price) for price in prices) - 100_000),)


def test_an_order_that_is_gone_from_the_book_is_no_reason() -> None:
    """A market that names more than the book knows makes nothing fail."""
    book = with_orders(book_with(), open_order(side=NO, limit_price=400_000))
    book.orders.clear()
    assert verdicts(OpposingOrder(), book) == ALONE


orders = st.tuples(st.sampled_from(Side), st.sampled_from(Action), st.integers(1, MICRO - 1))


def _yes(side: Side, action: Action, price: int) -> tuple[bool, int]:
    """Return whether an order bids for Yes, and its price in Yes, by the table of four."""
    return {
        (YES, BUY): (True, price),
        (NO, BUY): (False, MICRO - price),
        (YES, SELL): (False, price),
        (NO, SELL): (True, MICRO - price),
    }[side, action]


@given(orders, st.lists(orders, max_size=6))
def test_agrees_with_matching_each(
    mine: tuple[Side, Action, int], others: list[tuple[Side, Action, int]]
) -> None:
    """Denied exactly if one of the open orders would match at its price."""
    is_bid, price = _yes(*mine)
    would_match = any(
        (other_price <= price if is_bid else other_price >= price)
        for other_is_bid, other_price in (_yes(*other) for other in others)
        if other_is_bid is not is_bid
    )
    made = [
        open_order(f"c-{n}", side=side, action=action, limit_price=each)
        for n, (side, action, each) in enumerate(others)
    ]
    side, action, named = mine
    (said,) = verdicts(
        OpposingOrder(),
        with_orders(book_with(), *made),
        side=side,
        action=action,
        limit_price=named,
    )
    assert isinstance(said, Deny) is would_match
