"""Total exposure: all markets of the account together cannot lose more than the limit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform
from arbees.safeguards.total_exposure import TotalExposure
from tests.safeguards.build import (
    YES_TOKEN,
    book_with,
    listing,
    market,
    micro,
    polymarket,
    verdicts,
)

CODE = "MAX_TOTAL_EXPOSURE"
LIMIT = 2_000 * MICRO
COST = micro("6.5")
REDUCING = (Skipped(CODE, "reducing order"),)


def test_defaults() -> None:
    """Two thousand dollars; a first order is its own cost."""
    assert TotalExposure() == TotalExposure(LIMIT)
    assert verdicts(TotalExposure()) == (Pass(CODE, COST, LIMIT, LIMIT - COST),)


def test_exactly_at_the_limit() -> None:
    """At the limit passes, a millionth of a dollar above is denied."""
    assert verdicts(TotalExposure(COST)) == (Pass(CODE, COST, COST, 0),)
    assert verdicts(TotalExposure(COST - 1)) == (Deny(CODE, COST, COST - 1),)


def test_everything_counts() -> None:
    """Every venue, sport and game, and of this order what it adds."""
    book = book_with(
        market(yes="100", yes_cost="30", loss_yes=micro("50")),
        market(listing(market_id="C", market_key="C", sport="NFL", game_id="g"), yes="1000"),
        market(polymarket(), no="20"),
    )
    at = 30 * MICRO + 500 * MICRO + 10 * MICRO + COST
    assert verdicts(TotalExposure(at), book) == (Pass(CODE, at, at, 0),)
    assert verdicts(TotalExposure(at - 1), book) == (Deny(CODE, at, at - 1),)


def test_a_market_that_is_not_known_counts_from_nothing() -> None:
    """The order itself still has a worst case."""
    book = book_with(market(yes="100"))
    at = 50 * MICRO + COST
    assert verdicts(TotalExposure(at - 1), book, market_id="nowhere") == (Deny(CODE, at, at - 1),)


@pytest.mark.parametrize("limit", ["1", "50", "1000"])
def test_reducing_orders_pass(limit: str) -> None:
    """A position may be closed, within the limit and outside."""
    book = book_with(market(yes="100"))
    assert verdicts(TotalExposure(micro(limit)), book, action=Action.SELL) == REDUCING


def test_a_hedge_is_not_broken_over_the_limit() -> None:
    """Selling one leg reduces a position and adds to the worst case: that must still fit."""
    hedged = market(polymarket(), yes="100", yes_cost="30", no="100", no_cost="60")
    book = book_with(hedged, market(yes="100"))
    sells: dict[str, Any] = {
        "platform": Platform.POLYMARKET,
        "market_id": YES_TOKEN,
        "action": Action.SELL,
        "size": "100",
        "limit_price": "0.5",
    }
    at = 50 * MICRO + 60 * MICRO
    assert verdicts(TotalExposure(at), book, **sells) == REDUCING
    assert verdicts(TotalExposure(at - 1), book, **sells) == (Deny(CODE, at, at - 1),)


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**12))
def test_agrees_with_a_sum(elsewhere: int, limit: int) -> None:
    """What is at risk elsewhere, a certain profit too, and this order."""
    worst = elsewhere + COST
    (said,) = verdicts(TotalExposure(limit), book_with(total_worst=elsewhere))
    if worst > limit:
        assert said == Deny(CODE, worst, limit)
    else:
        assert said == Pass(CODE, worst, limit, limit - worst)
