"""Game exposure: all markets of one game, on both venues, are one risk."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform
from arbees.safeguards.game_exposure import GameExposure
from tests.safeguards.build import (
    KALSHI,
    YES_TOKEN,
    book_with,
    listing,
    market,
    micro,
    polymarket,
    verdicts,
)

CODE = "MAX_GAME_EXPOSURE"
LIMIT = 400 * MICRO
COST = micro("6.5")
GAME = "nba_BOS@ATL"
REDUCING = (Skipped(CODE, "reducing order"),)


def test_defaults() -> None:
    """Four hundred dollars; a first order is its own cost."""
    assert GameExposure() == GameExposure(LIMIT)
    assert verdicts(GameExposure()) == (Pass(CODE, COST, LIMIT, LIMIT - COST),)


def test_exactly_at_the_limit() -> None:
    """At the limit passes, a millionth of a dollar above is denied."""
    assert verdicts(GameExposure(COST)) == (Pass(CODE, COST, COST, 0),)
    assert verdicts(GameExposure(COST - 1)) == (Deny(CODE, COST, COST - 1),)


def test_both_venues_count() -> None:
    """What the other venue's market of the game may lose is added."""
    book = book_with(market(), market(polymarket(), yes="200", yes_cost="100"))
    at = 100 * MICRO + COST
    assert verdicts(GameExposure(at), book) == (Pass(CODE, at, at, 0),)
    assert verdicts(GameExposure(at - 1), book) == (Deny(CODE, at, at - 1),)
    said = verdicts(GameExposure(), book, platform=Platform.POLYMARKET, market_id=YES_TOKEN)
    assert said == (Pass(CODE, at, LIMIT, LIMIT - at),)


def test_only_what_the_order_adds_is_added() -> None:
    """The market's own worst case is in the sum already."""
    book = book_with(market(yes="100", yes_cost="30", loss_yes=micro("50")))
    # If Yes wins: 30 - 100 + 50; if No wins: 30, and 6.50 for this order.
    assert verdicts(GameExposure(), book) == (Pass(CODE, micro("36.5"), LIMIT, micro("363.5")),)


def test_other_games_do_not_count() -> None:
    """Each game has its own sum."""
    other = listing(market_id="OTHER", market_key="OTHER", game_id="nba_LAL@GSW")
    book = book_with(market(), market(other, yes="1000"))
    assert verdicts(GameExposure(), book) == (Pass(CODE, COST, LIMIT, LIMIT - COST),)


def test_a_market_without_a_game_is_a_game_of_its_own() -> None:
    """Nothing escapes for want of a name."""
    book = book_with(market(listing(game_id=None), yes="100"), market(polymarket(), yes="100"))
    at = micro("56.5")
    assert verdicts(GameExposure(), book) == (Pass(CODE, at, LIMIT, LIMIT - at),)


def test_an_order_that_names_the_game_brings_its_market_along() -> None:
    """What the market holds joins the game that the order is first to name."""
    book = book_with(market(listing(game_id=None), yes="100"), market(polymarket(), yes="80"))
    at = 40 * MICRO + 50 * MICRO + COST
    assert verdicts(GameExposure(at), book, game_id=GAME) == (Pass(CODE, at, at, 0),)
    assert verdicts(GameExposure(at - 1), book, game_id=GAME) == (Deny(CODE, at, at - 1),)


def test_a_market_that_is_not_known_counts_from_nothing() -> None:
    """The order itself still has a worst case, in the game that it names."""
    book = book_with(market(yes="100"))
    said = verdicts(GameExposure(), book, market_id="nowhere")
    assert said == (Pass(CODE, COST, LIMIT, LIMIT - COST),)
    said = verdicts(GameExposure(), book, market_id="nowhere", game_id=GAME)
    assert said == (Pass(CODE, 50 * MICRO + COST, LIMIT, LIMIT - 50 * MICRO - COST),)


@pytest.mark.parametrize("limit", ["1", "50", "1000"])
def test_reducing_orders_pass(limit: str) -> None:
    """A position may be closed, within the limit and outside."""
    book = book_with(market(yes="100"))
    assert verdicts(GameExposure(micro(limit)), book, action=Action.SELL) == REDUCING


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
    assert verdicts(GameExposure(at), book, **sells) == REDUCING
    assert verdicts(GameExposure(at - 1), book, **sells) == (Deny(CODE, at, at - 1),)
    assert verdicts(GameExposure(40 * MICRO - 1), book, **sells) == REDUCING


costs = st.integers(0, 10**9)


@given(st.lists(st.tuples(st.sampled_from([GAME, "other", None]), costs), max_size=6), costs)
def test_agrees_with_a_sum(others: list[tuple[str | None, int]], limit: int) -> None:
    """The sum over the game's markets, made from scratch."""
    made = [
        market(listing(market_id=f"M{n}", market_key=f"M{n}", game_id=game), yes=1, yes_cost=cost)
        for n, (game, cost) in enumerate(others)
    ]
    book = book_with(market(listing(market_id=KALSHI)), *made)
    worst = COST + sum(cost for game, cost in others if game == GAME)
    (said,) = verdicts(GameExposure(limit), book)
    if worst > limit:
        assert said == Deny(CODE, worst, limit)
    else:
        assert said == Pass(CODE, worst, limit, limit - worst)
