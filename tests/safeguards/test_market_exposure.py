"""Market exposure (R2): positions and open orders of a market cannot lose more than the limit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform, Side
from arbees.safeguards.market_exposure import MarketExposure
from tests.safeguards.build import (
    NO_TOKEN,
    YES_TOKEN,
    book_with,
    market,
    micro,
    polymarket,
    verdicts,
)

CODE = "MAX_POSITION_PER_MARKET"
LIMIT = 200 * MICRO
REDUCING = (Skipped(CODE, "reducing order"),)
POLYMARKET: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}


def test_defaults() -> None:
    """Two hundred dollars; a first order is its own cost."""
    assert MarketExposure() == MarketExposure(LIMIT)
    assert verdicts(MarketExposure()) == (Pass(CODE, micro("6.5"), LIMIT, micro("193.5")),)


def test_exactly_at_the_limit() -> None:
    """At the limit passes, a millionth of a dollar above is denied."""
    at = micro("6.5")
    assert verdicts(MarketExposure(at)) == (Pass(CODE, at, at, 0),)
    assert verdicts(MarketExposure(at - 1)) == (Deny(CODE, at, at - 1),)


def test_position_at_cost_and_order_value() -> None:
    """One-sided buying is the requirements' |position at cost| + order value."""
    book = book_with(market(yes="400", yes_cost="193.5"))
    assert verdicts(MarketExposure(), book) == (Pass(CODE, LIMIT, LIMIT, 0),)
    book = book_with(market(yes="400", yes_cost=micro("193.5") + 1))
    assert verdicts(MarketExposure(), book) == (Deny(CODE, LIMIT + 1, LIMIT),)


@pytest.mark.parametrize(
    ("loss_yes", "loss_no", "side", "worst"),
    [
        ("0", "100", Side.YES, "106.5"),
        ("100", "0", Side.YES, "100"),
        ("100", "95", Side.YES, "101.5"),
        ("0", "100", Side.NO, "100"),
        ("100", "0", Side.NO, "106.5"),
    ],
)
def test_open_orders_count(loss_yes: str, loss_no: str, side: Side, worst: str) -> None:
    """Whatever is open may still fill, on whichever side it hurts."""
    book = book_with(market(loss_yes=micro(loss_yes), loss_no=micro(loss_no)))
    at = micro(worst)
    assert verdicts(MarketExposure(), book, side=side) == (Pass(CODE, at, LIMIT, LIMIT - at),)


def test_a_market_that_is_not_known_counts_from_nothing() -> None:
    """The order itself still has a worst case."""
    said = verdicts(MarketExposure(micro("6.4")), market_id="nowhere")
    assert said == (Deny(CODE, micro("6.5"), micro("6.4")),)


@pytest.mark.parametrize("limit", ["1", "50", "1000"])
@pytest.mark.parametrize(("action", "side"), [(Action.SELL, Side.YES), (Action.BUY, Side.NO)])
def test_reducing_orders_pass(limit: str, action: Action, side: Side) -> None:
    """A position may be closed, within the limit, at it, and outside."""
    book = book_with(market(yes="100"))
    said = verdicts(MarketExposure(micro(limit)), book, action=action, side=side, size="100")
    assert said == REDUCING


def test_turning_around_is_not_reducing() -> None:
    """What closes and opens is judged as a whole, by what it leaves behind."""
    book = book_with(market(yes="100", yes_cost="10"))
    said = verdicts(MarketExposure(micro("79")), book, side=Side.NO, size="300", limit_price="0.4")
    assert said == (Deny(CODE, micro("80"), micro("79")),)


HEDGED = market(polymarket(), yes="100", yes_cost="30", no="100", no_cost="60")
"""90 paid for a certain 100."""


def test_a_hedge_is_not_broken_over_the_limit() -> None:
    """Selling one leg reduces a position and adds to the worst case: that must still fit."""
    sells: dict[str, Any] = {
        **POLYMARKET,
        "action": Action.SELL,
        "size": "100",
        "limit_price": "0.5",
    }
    book = book_with(HEDGED)
    at = micro("60")
    assert verdicts(MarketExposure(at - 1), book, **sells) == (Deny(CODE, at, at - 1),)
    assert verdicts(MarketExposure(at), book, **sells) == REDUCING


def test_what_is_outside_already_may_always_be_reduced() -> None:
    """Once it is outside, by venue truth or a lowered limit, no way out is barred."""
    held = market(polymarket(), yes="100", yes_cost="30", no="50", no_cost="40")
    sells: dict[str, Any] = {
        **POLYMARKET,
        "action": Action.SELL,
        "size": "100",
        "limit_price": "0.5",
    }
    assert verdicts(MarketExposure(micro("19.999999")), book_with(held), **sells) == REDUCING
    said = verdicts(MarketExposure(micro("20")), book_with(held), **sells)
    assert said == (Deny(CODE, micro("40"), micro("20")),)


def test_both_tokens_are_one_market() -> None:
    """Under the No token's own id the order counts for the same condition."""
    book = book_with(market(polymarket(), yes="100", yes_cost="30"))
    said = verdicts(
        MarketExposure(), book, platform=Platform.POLYMARKET, market_id=NO_TOKEN, size="10"
    )
    # Buy Yes of the No token: lost if the key's Yes wins, of which 100 are held.
    assert said == (Pass(CODE, micro("30"), LIMIT, micro("170")),)


lots = st.integers(0, 10_000).map(lambda lot: lot * 10_000)
cents = st.integers(1, 99).map(lambda cent: cent * 10_000)


positions = st.tuples(lots, cents)
purchases = st.tuples(lots.filter(bool), cents)


@given(positions, positions, purchases, st.sampled_from(Side), lots)
def test_agrees_with_plain_arithmetic(
    yes: tuple[int, int], no: tuple[int, int], bought: tuple[int, int], side: Side, limit: int
) -> None:
    """Buying on a venue that holds both sides: cost less what the winning side pays, worst side."""
    yes_cost, no_cost, cost = (size * price // MICRO for size, price in (yes, no, bought))
    held = market(polymarket(), yes=yes[0], yes_cost=yes_cost, no=no[0], no_cost=no_cost)
    worst = (
        yes_cost
        + no_cost
        + max(
            -yes[0] + (cost if side is Side.NO else 0), -no[0] + (cost if side is Side.YES else 0)
        )
    )
    said = verdicts(
        MarketExposure(limit),
        book_with(held),
        **POLYMARKET,
        side=side,
        size=bought[0],
        limit_price=bought[1],
    )
    if worst > limit:
        assert said == (Deny(CODE, worst, limit),)
    else:
        assert said == (Pass(CODE, worst, limit, limit - worst),)
