"""Sport exposure (R13): each sport has a limit, also the one of markets of unknown sport."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform
from arbees.safeguards.sport_exposure import NO_LIMITS, SportExposure, SportLimits
from tests.safeguards.build import (
    YES_TOKEN,
    book_with,
    listing,
    market,
    micro,
    polymarket,
    verdicts,
)

CODE = "MAX_SPORT_EXPOSURE"
LIMIT = 1_000 * MICRO
COST = micro("6.5")
REDUCING = (Skipped(CODE, "reducing order"),)


def test_defaults() -> None:
    """A thousand dollars a sport; a first order is its own cost."""
    assert SportExposure() == SportExposure(LIMIT, NO_LIMITS)
    assert NO_LIMITS.of == {}
    assert verdicts(SportExposure()) == (Pass(CODE, COST, LIMIT, LIMIT - COST),)


def test_exactly_at_the_limit() -> None:
    """At the limit passes, a millionth of a dollar above is denied."""
    assert verdicts(SportExposure(COST)) == (Pass(CODE, COST, COST, 0),)
    assert verdicts(SportExposure(COST - 1)) == (Deny(CODE, COST, COST - 1),)


def test_all_markets_of_the_sport_count() -> None:
    """Other games, other venues: one sport. Other sports do not count."""
    book = book_with(
        market(yes="100", yes_cost="30"),
        market(listing(market_id="B", market_key="B", game_id="g2"), yes="80"),
        market(polymarket(), yes="20"),
        market(listing(market_id="C", market_key="C", sport="NFL"), yes="1000"),
    )
    at = 30 * MICRO + 40 * MICRO + 10 * MICRO + COST
    assert verdicts(SportExposure(at), book) == (Pass(CODE, at, at, 0),)
    assert verdicts(SportExposure(at - 1), book) == (Deny(CODE, at, at - 1),)


def test_a_sport_may_have_its_own_limit() -> None:
    """It stands for the general one, tighter or wider, in whatever case it is written."""
    limits = SportLimits({"nba": COST, "nfl": 1})
    assert verdicts(SportExposure(1, limits)) == (Pass(CODE, COST, COST, 0),)
    limits = SportLimits({"nba": COST - 1})
    assert verdicts(SportExposure(LIMIT, limits)) == (Deny(CODE, COST, COST - 1),)
    book = book_with(market(listing(sport="Nba")))
    assert verdicts(SportExposure(LIMIT, limits), book) == (Deny(CODE, COST, COST - 1),)
    book = book_with(market(listing(sport="MLB")))
    assert verdicts(SportExposure(COST, limits), book) == (Pass(CODE, COST, COST, 0),)


def test_no_sport_is_a_sport() -> None:
    """Markets that nobody classified share one limit."""
    book = book_with(
        market(listing(sport=None)),
        market(listing(market_id="B", market_key="B", sport=None), yes="100"),
    )
    at = 50 * MICRO + COST
    assert verdicts(SportExposure(at), book) == (Pass(CODE, at, at, 0),)
    assert verdicts(SportExposure(at - 1), book) == (Deny(CODE, at, at - 1),)
    limits = SportLimits({"unclassified": 0})
    assert verdicts(SportExposure(LIMIT, limits), book) == (Deny(CODE, at, 0),)


def test_an_order_that_names_the_sport_brings_its_market_along() -> None:
    """What the market holds joins the sport that the order is first to name."""
    book = book_with(market(listing(sport=None), yes="100"), market(polymarket(), yes="80"))
    at = 40 * MICRO + 50 * MICRO + COST
    assert verdicts(SportExposure(at), book, sport="NBA") == (Pass(CODE, at, at, 0),)
    assert verdicts(SportExposure(at - 1), book, sport="NBA") == (Deny(CODE, at, at - 1),)


def test_a_market_that_is_not_known_counts_from_nothing() -> None:
    """The order itself still has a worst case."""
    said = verdicts(SportExposure(COST - 1), market_id="nowhere")
    assert said == (Deny(CODE, COST, COST - 1),)


@pytest.mark.parametrize("limit", ["1", "50", "1000"])
def test_reducing_orders_pass(limit: str) -> None:
    """A position may be closed, within the limit and outside."""
    book = book_with(market(yes="100"))
    assert verdicts(SportExposure(micro(limit)), book, action=Action.SELL) == REDUCING


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
    assert verdicts(SportExposure(at), book, **sells) == REDUCING
    assert verdicts(SportExposure(at - 1), book, **sells) == (Deny(CODE, at, at - 1),)


costs = st.integers(0, 10**9)


@given(st.lists(st.tuples(st.sampled_from(["NBA", "NFL", None]), costs), max_size=6), costs)
def test_agrees_with_a_sum(others: list[tuple[str | None, int]], limit: int) -> None:
    """The sum over the sport's markets, made from scratch."""
    made = [
        market(listing(market_id=f"M{n}", market_key=f"M{n}", sport=sport), yes=1, yes_cost=cost)
        for n, (sport, cost) in enumerate(others)
    ]
    worst = COST + sum(cost for sport, cost in others if sport == "NBA")
    (said,) = verdicts(SportExposure(limit), book_with(market(), *made))
    if worst > limit:
        assert said == Deny(CODE, worst, limit)
    else:
        assert said == Pass(CODE, worst, limit, limit - worst)


def test_reads_the_table() -> None:
    """Whole numbers, and decimal ones as text, become micro-dollars; sports in lower case."""
    table = {"NBA": 500, "nfl": "250.5", "UNCLASSIFIED": 0, "MLB": 1_000_000_000}
    assert SportLimits.parse(table).of == {
        "nba": 500 * MICRO,
        "nfl": micro("250.5"),
        "unclassified": 0,
        "mlb": 1_000_000_000 * MICRO,
    }
    assert SportLimits.parse({}) == NO_LIMITS


@pytest.mark.parametrize(
    "value",
    [-1, "-0.000001", 1_000_000_001, "1000000000.000001", True, None, "much", "", [500], {}],
)
def test_refuses_what_are_no_dollars(value: object) -> None:
    """The entry, what was expected and what came are named."""
    with pytest.raises(ValueError, match="Expected") as error:
        SportLimits.parse({"NFL": 1, "NBA": value})
    assert str(error.value) == (
        f"sport_exposure.limits.NBA: Expected dollars from 0 to 1000000000, was {value!r}"
    )


def test_refuses_a_sport_that_is_there_twice() -> None:
    """In another case it is the same sport."""
    with pytest.raises(ValueError, match="Expected") as error:
        SportLimits.parse({"NBA": 1, "nba": 2})
    assert (
        str(error.value) == "sport_exposure.limits.nba: Expected each sport once, was there twice"
    )
