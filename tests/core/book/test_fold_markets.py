"""Markets in the book: listed, classified, settled; the sums of exposure move with them."""

import pytest

from arbees.core import events
from arbees.core.book.market import Listing, OutcomeHolding
from arbees.core.language.words import Side, TimeInForce
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import CONDITION, KALSHI, NO_TOKEN, YES_TOKEN, listing, polymarket

TEN = 10 * MICRO


def bare(*listings: Listing) -> Scene:
    """Return a book that knows only these markets."""
    scene = Scene(is_bare=True)
    scene.write(*(events.MarketListed(listing=each) for each in listings))
    return scene


def test_a_listed_market() -> None:
    """It is open and empty, with its sport and game, or with names for not knowing them."""
    scene = bare(listing(), polymarket(sport=None, game_id=None))
    known, unclassified = scene.book.markets[KALSHI], scene.book.markets[CONDITION]
    assert (known.sport, known.game_id, known.listing) == ("NBA", "nba_BOS@ATL", listing())
    assert (unclassified.sport, unclassified.game_id) == ("UNCLASSIFIED", f"market:{CONDITION}")
    assert (known.is_open, known.is_settled, known.orders, known.break_kinds) == (
        True,
        False,
        [],
        [],
    )
    assert known.yes == known.no == OutcomeHolding(0, 0, 0)
    assert (known.mark_yes, known.mark_no, known.realized, known.fees) == (None, None, 0, 0)
    scene.check()


def test_names_of_a_market() -> None:
    """Its own, and that of the opposite token with sides swapped."""
    scene = bare(listing(), polymarket())
    assert scene.book.names == {
        f"Kalshi|{KALSHI}": (KALSHI, False),
        f"Polymarket|{YES_TOKEN}": (CONDITION, False),
        f"Polymarket|{NO_TOKEN}": (CONDITION, True),
    }
    flipped = bare(polymarket(market_id=NO_TOKEN, opposite_id=YES_TOKEN, is_flipped=True))
    assert flipped.book.names == {
        f"Polymarket|{NO_TOKEN}": (CONDITION, True),
        f"Polymarket|{YES_TOKEN}": (CONDITION, False),
    }


def test_lists_of_markets_are_their_own() -> None:
    """What is open in one is not open in the next."""
    scene = Scene()
    scene.order()
    scene.write(
        events.BreakOpened(
            break_id="b",
            kind="position",
            platform="Kalshi",
            market_key=KALSHI,
            expected="1",
            observed="2",
            policy="halt",
        )
    )
    assert scene.book.markets[CONDITION].orders == []
    assert scene.book.markets[CONDITION].break_kinds == []
    scene.write(events.MarketListed(listing=listing(market_id="new", market_key="new")))
    assert scene.book.markets["new"].orders == []
    assert scene.book.markets["new"].break_kinds == []


def test_metadata_may_become_known_later() -> None:
    """Sport and game move with their exposure; what a later listing leaves out stays."""
    scene = bare(listing(sport=None, game_id=None))
    scene.fill(scene.resting(time_in_force=TimeInForce.GTC), TEN, 600_000)
    scene.order("k-2", limit_price="0.5")
    worst = 11_000_000
    assert scene.book.sport_worst == {"UNCLASSIFIED": worst}
    assert scene.book.game_worst == {f"market:{KALSHI}": worst}
    later = listing(tick=10_000, opposite_id="X")
    scene.write(events.MarketListed(listing=later))
    market = scene.book.markets[KALSHI]
    assert (market.sport, market.game_id, market.listing) == ("NBA", "nba_BOS@ATL", later)
    assert scene.book.sport_worst == {"NBA": worst}
    assert scene.book.game_worst == {"nba_BOS@ATL": worst}
    assert scene.book.names["Kalshi|X"] == (KALSHI, True)
    scene.check()
    scene.write(events.MarketListed(listing=listing(sport=None, game_id=None)))
    assert (market.sport, market.game_id) == ("NBA", "nba_BOS@ATL")
    assert scene.book.total_worst == worst
    scene.check()


def test_a_flipped_name_leaves_the_metadata() -> None:
    """The other token adds a name, and says nothing else of the market."""
    scene = bare(polymarket(opposite_id=None))
    flipped = polymarket(market_id=NO_TOKEN, opposite_id=None, is_flipped=True, sport="NFL")
    scene.write(events.MarketListed(listing=flipped))
    market = scene.book.markets[CONDITION]
    assert (market.sport, market.listing) == ("NBA", polymarket(opposite_id=None))
    assert scene.book.names[f"Polymarket|{NO_TOKEN}"] == (CONDITION, True)


def test_a_request_may_classify_a_market() -> None:
    """What nobody knew of it, the first approved request says; only one of both if only one."""
    scene = bare(listing(sport=None, game_id=None))
    scene.order("a", sport="NFL", limit_price="0.6")
    market = scene.book.markets[KALSHI]
    assert (market.sport, market.game_id) == ("NFL", f"market:{KALSHI}")
    scene.order("b", game_id="g", limit_price="0.6")
    assert (market.sport, market.game_id) == ("NFL", "g")
    assert scene.book.sport_worst == {"NFL": 12_000_000}
    assert scene.book.game_worst == {"g": 12_000_000}
    scene.check()


def test_sums_of_several_markets() -> None:
    """Markets of one game and sport add up; a gain in one is counted too."""
    other = listing(market_id="O", market_key="O", game_id="g2")
    third = listing(market_id="T", market_key="T", sport="NFL", game_id="g2")
    scene = bare(listing(), other, third)
    scene.order("a", limit_price="0.6")
    scene.order("b", market_id="O", limit_price="0.5")
    scene.order("c", market_id="T", limit_price="0.4")
    assert scene.book.sport_worst == {"NBA": 11_000_000, "NFL": 4_000_000}
    assert scene.book.game_worst == {"nba_BOS@ATL": 6_000_000, "g2": 9_000_000}
    assert scene.book.total_worst == 15_000_000
    scene.check()


def test_a_market_opens_and_closes() -> None:
    """As it is said."""
    scene = Scene()
    for is_open in (False, True):
        scene.write(events.MarketStatusChanged(market_key=KALSHI, is_open=is_open))
        assert scene.book.markets[KALSHI].is_open is is_open
        assert scene.book.markets[CONDITION].is_open


@pytest.mark.parametrize(("result", "realized"), [(Side.YES, 4_000_000), (Side.NO, -6_000_000)])
def test_a_settlement(result: Side, realized: int) -> None:
    """Both sides are closed, the profit counts, the exposure is gone, and nobody trades there."""
    scene = Scene()
    scene.fill(scene.resting(time_in_force=TimeInForce.GTC), TEN, 600_000)
    scene.write(
        events.MarketSettled(
            market_key=KALSHI,
            result=result,
            payout=TEN if result is Side.YES else 0,
            realized=realized,
            yes_quantity=-TEN,
            yes_cost=-6_000_000,
        )
    )
    market = scene.book.markets[KALSHI]
    assert (market.is_open, market.is_settled) == (False, True)
    assert (market.yes, market.realized, scene.book.realized) == (
        OutcomeHolding(),
        realized,
        realized,
    )
    assert (market.worst, scene.book.total_worst) == (0, 0)
    assert scene.held(KALSHI, Side.YES) == (0, 0)
    scene.check()


def test_an_order_that_rests_in_a_settled_market_keeps_its_worst_case() -> None:
    """Until the venue ends it."""
    scene = Scene()
    scene.resting(time_in_force=TimeInForce.GTC)
    scene.write(events.MarketSettled(market_key=KALSHI, result=Side.NO, payout=0, realized=0))
    assert scene.book.markets[KALSHI].worst == 6_500_000
    scene.check()
