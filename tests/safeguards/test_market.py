"""Market: known, open, on the grid, large enough, and not moved elsewhere by a label."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.book.book import Book
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)
from arbees.core.language.request import Alternate
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, Platform, Side
from arbees.safeguards.market import Market
from tests.safeguards.build import (
    KALSHI,
    NO_TOKEN,
    NOW,
    SECOND,
    YES_TOKEN,
    book_with,
    facts,
    listing,
    market,
    order,
    polymarket,
    verdicts,
)

TEN = 10 * MICRO
CONFLICT = "CLASSIFICATION_CONFLICT"
FED = Skipped("MARKET_STALE", "no venue is asked")
NO_LABELS = Skipped(CONFLICT, "no sport, game_id or token_id")
GOOD = (
    Pass("MARKET_UNKNOWN"),
    Pass("MARKET_CLOSED"),
    FED,
    Pass("INVALID_TICK", 650_000, 1_000),
    Pass("INVALID_QUANTITY", TEN, 10_000),
    Pass("MIN_ORDER", TEN, 0, TEN),
    NO_LABELS,
)


def classified(book: Book | None = None, **changes: Any) -> Verdict:
    """Return what is said of the labels of an order."""
    return verdicts(Market(), book, **changes)[6]


def test_an_order_that_fits_its_market_passes() -> None:
    """Known, open, on tick and lot, no label."""
    assert verdicts(Market()) == GOOD


def test_a_market_never_seen_is_unknown() -> None:
    """It is denied by its name, and judged by the terms of its venue."""
    assert verdicts(Market(), market_id="other", size="0.005", limit_price="0.0005") == (
        Deny("MARKET_UNKNOWN", "other"),
        Skipped("MARKET_CLOSED", "the market is not known"),
        Skipped("MARKET_STALE", "the market is not known"),
        Deny("INVALID_TICK", 500, 1_000),
        Deny("INVALID_QUANTITY", 5_000, 10_000),
        Pass("MIN_ORDER", 5_000, 0, 5_000),
        Skipped(CONFLICT, "the market is not known"),
    )


def test_a_market_is_known_on_its_own_venue_only() -> None:
    """The same name on another venue is another market."""
    said = verdicts(Market(), platform=Platform.POLYMARKET)
    assert said[0] == Deny("MARKET_UNKNOWN", KALSHI)


def test_a_closed_market_is_denied() -> None:
    """A market that ended or is paused takes no orders."""
    book = book_with(market(is_open=False))
    assert verdicts(Market(), book)[:2] == (
        Pass("MARKET_UNKNOWN"),
        Deny("MARKET_CLOSED", KALSHI),
    )


@pytest.mark.parametrize("price", ["0.01", "0.99", "0.65"])
@pytest.mark.parametrize("side", Side)
def test_a_price_on_the_tick_passes(price: str, side: Side) -> None:
    """The grid is symmetric: No at q is Yes at 1 - q."""
    book = book_with(market(listing(tick=10_000)))
    said = verdicts(Market(), book, limit_price=price, side=side)[3]
    assert isinstance(said, Pass)


@pytest.mark.parametrize("price", [650_001, 655_000, 649_999])
@pytest.mark.parametrize("side", Side)
def test_a_price_off_the_tick_is_denied(price: int, side: Side) -> None:
    """One millionth off is off; price and tick are told."""
    book = book_with(market(listing(tick=10_000)))
    assert verdicts(Market(), book, limit_price=price, side=side)[3] == Deny(
        "INVALID_TICK", price, 10_000
    )


def test_the_grid_is_that_of_the_market_s_yes() -> None:
    """A tick that does not divide a dollar counts from the bottom of Yes, also for No."""
    book = book_with(market(listing(tick=30_000)))
    assert isinstance(verdicts(Market(), book, limit_price="0.6")[3], Pass)
    assert isinstance(verdicts(Market(), book, limit_price="0.6", side=Side.NO)[3], Deny)
    assert isinstance(verdicts(Market(), book, limit_price="0.4", side=Side.NO)[3], Pass)


@pytest.mark.parametrize("quantity", [TEN + 1, TEN + 9_999, 9_999])
def test_a_quantity_off_the_lot_is_denied(quantity: int) -> None:
    """Only multiples of the lot exist; quantity and lot are told."""
    assert verdicts(Market(), size=quantity)[4] == Deny("INVALID_QUANTITY", quantity, 10_000)


def test_a_lot_passes() -> None:
    """One lot is the smallest multiple."""
    assert verdicts(Market(), size="0.01")[4] == Pass("INVALID_QUANTITY", 10_000, 10_000)


@pytest.mark.parametrize("step", [0, -1, -10_000])
def test_a_grid_that_is_none_denies(step: int) -> None:
    """Metadata that makes no sense denies instead of letting everything pass."""
    book = book_with(market(listing(tick=step, lot=step)))
    assert verdicts(Market(), book)[3:5] == (
        Deny("INVALID_TICK", 650_000, step),
        Deny("INVALID_QUANTITY", TEN, step),
    )


def test_a_grid_of_one_millionth_takes_everything() -> None:
    """The finest grid is a grid."""
    book = book_with(market(listing(tick=1, lot=1)))
    said = verdicts(Market(), book, size=7, limit_price=3)
    assert said[3:5] == (Pass("INVALID_TICK", 3, 1), Pass("INVALID_QUANTITY", 7, 1))


def test_the_smallest_order_passes() -> None:
    """Exactly the venue's minimum passes, one millionth less is denied."""
    book = book_with(market(listing(minimum=5 * MICRO, lot=1)))
    assert verdicts(Market(), book, size="5")[5] == Pass("MIN_ORDER", 5 * MICRO, 5 * MICRO, 0)
    assert verdicts(Market(), book, size=5 * MICRO - 1)[5] == Deny(
        "MIN_ORDER", 5 * MICRO - 1, 5 * MICRO
    )


def test_reducing_orders_do_not_pass() -> None:
    """The venue's rules hold for orders that reduce, too."""
    book = book_with(market(listing(tick=10_000), yes="100", is_open=False))
    said = verdicts(Market(), book, action=Action.SELL, limit_price="0.655", sport="NFL")
    assert said[1] == Deny("MARKET_CLOSED", KALSHI)
    assert said[3] == Deny("INVALID_TICK", 655_000, 10_000)
    assert said[6] == Deny(CONFLICT, "sport NFL", "sport NBA")


@pytest.mark.parametrize("sport", ["NBA", "nba", "Nba"])
def test_the_same_sport_is_no_conflict(sport: str) -> None:
    """Sports are compared in any case of letters."""
    assert classified(sport=sport) == Pass(CONFLICT)


def test_another_sport_is_a_conflict() -> None:
    """A label cannot move an order into another sport's limit."""
    assert classified(sport="NFL") == Deny(CONFLICT, "sport NFL", "sport NBA")


def test_a_sport_is_believed_where_none_is_known() -> None:
    """An unclassified market is classified by the first order that says a sport."""
    book = book_with(market(listing(sport=None)))
    assert classified(book, sport="NFL") == Pass(CONFLICT)


def test_a_sport_once_believed_stays() -> None:
    """What an earlier order said of the market holds, too: limits cannot be spread over labels."""
    known = market(listing(sport=None), sport="NFL")
    assert classified(book_with(known), sport="NBA") == Deny(CONFLICT, "sport NBA", "sport NFL")


def test_another_game_is_a_conflict() -> None:
    """Games are compared exactly."""
    assert classified(game_id="nba_BOS@ATL") == Pass(CONFLICT)
    assert classified(game_id="NBA_BOS@ATL") == Deny(
        CONFLICT, "game NBA_BOS@ATL", "game nba_BOS@ATL"
    )


@pytest.mark.parametrize("known", ["market:" + KALSHI, "g2", "KXNBAGAME-26JAN28BOSATL"])
def test_a_game_that_no_feed_named_may_be_called_anything(known: str) -> None:
    """What requests say joins games, and never parts them: no label is a way around a limit."""
    of_venue = market(listing(game_id=None, event_id=None), game_id=known)
    assert classified(book_with(of_venue), game_id="g1") == Pass(CONFLICT)


def test_another_name_of_the_same_game_is_no_conflict() -> None:
    """A feed's game may have been joined with that of the request."""
    book = book_with(market())
    book.games["g1"] = "nba_BOS@ATL"
    assert classified(book, game_id="g1") == Pass(CONFLICT)


def test_the_first_conflict_is_told() -> None:
    """Sport before game before token."""
    book = book_with(market(polymarket()))
    wrong: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}
    wrong |= {"token_id": "9"}
    assert classified(book, **wrong) == Deny(CONFLICT, "token 9", "token 1111 for Yes")
    wrong |= {"game_id": "g"}
    assert classified(book, **wrong) == Deny(CONFLICT, "game g", "game nba_BOS@ATL")
    wrong |= {"sport": "NFL"}
    assert classified(book, **wrong) == Deny(CONFLICT, "sport NFL", "sport NBA")


TOKENS = [
    (YES_TOKEN, Side.YES, YES_TOKEN),
    (YES_TOKEN, Side.NO, NO_TOKEN),
    (NO_TOKEN, Side.YES, NO_TOKEN),
    (NO_TOKEN, Side.NO, YES_TOKEN),
]


@pytest.mark.parametrize(("market_id", "side", "meant"), TOKENS)
@pytest.mark.parametrize("token", [YES_TOKEN, NO_TOKEN, "3333"])
@pytest.mark.parametrize("is_flipped", [False, True])
def test_the_token_must_be_the_one_meant(
    market_id: str, side: Side, meant: str, token: str, is_flipped: bool
) -> None:
    """Yes is the named token, No the other one of its condition, whichever is the key's Yes."""
    book = book_with(market(polymarket(is_flipped=is_flipped)))
    said = classified(
        book, platform=Platform.POLYMARKET, market_id=market_id, side=side, token_id=token
    )
    if token == meant:
        assert said == Pass(CONFLICT)
    else:
        assert said == Deny(CONFLICT, f"token {token}", f"token {meant} for {side.value}")


def test_a_token_that_cannot_be_checked_is_denied() -> None:
    """Where the other token is not known, a token for No is a conflict, whatever it is."""
    book = book_with(market(polymarket(opposite_id=None)))
    wire: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}
    assert classified(book, **wire, token_id=YES_TOKEN) == Pass(CONFLICT)
    assert classified(book, **wire, token_id=NO_TOKEN, side=Side.NO) == Deny(
        CONFLICT, "token 2222", "known without the token of No"
    )


def test_kalshi_knows_no_tokens() -> None:
    """A token named along with a Kalshi market is not judged."""
    assert classified(token_id="9") == NO_LABELS
    assert classified(token_id="9", sport="NBA") == Pass(CONFLICT)


def test_the_token_of_a_request_is_not_that_of_its_alternate() -> None:
    """An alternate has no token of its own; sport and game hold for it."""
    alternate = Alternate(
        platform=Platform.POLYMARKET, market_id=NO_TOKEN, side=Side.YES, limit_price=650_000
    )
    book = book_with(market(), market(polymarket()))
    changes: dict[str, Any] = {"alternates": (alternate,), "token_id": YES_TOKEN}
    leg = order(book, facts(), 1, **changes)
    assert Market().check(leg, book, facts())[6] == NO_LABELS
    leg = order(book, facts(), 1, **changes, sport="NFL")
    assert Market().check(leg, book, facts())[6] == Deny(CONFLICT, "sport NFL", "sport NBA")


@given(st.integers(1, 999_999), st.sampled_from([1, 1_000, 10_000, 30_000]), st.sampled_from(Side))
def test_ticks_against_an_oracle(price: int, tick: int, side: Side) -> None:
    """Allowed are exactly the prices that counting up from the bottom of Yes reaches."""
    book = book_with(market(listing(tick=tick)))
    said = verdicts(Market(), book, limit_price=price, side=side)[3]
    yes_price = price if side is Side.YES else MICRO - price
    assert isinstance(said, Pass) is (yes_price in range(0, MICRO + 1, tick))


# How old the venue's word is ---------------------------------------------------------------------


def aged(age_ns: int | None, **changes: Any) -> Verdict:
    """Return what is said of the age of what is known of a market."""
    seen = facts(market_ns=None if age_ns is None else NOW - age_ns)
    book = book_with(market(yes="100"))
    return Market().check(order(book, seen, **changes), book, seen)[2]


def test_an_old_word_of_the_venue_opens_nothing() -> None:
    """At 120 s it passes, one nanosecond later it denies; what is fed has no age."""
    most = 120 * SECOND
    assert aged(most) == Pass("MARKET_STALE")
    assert aged(0) == Pass("MARKET_STALE")
    assert aged(most + 1) == Deny("MARKET_STALE", "120 s, maximum 120 s")
    assert aged(None) == FED


def test_a_market_that_was_not_asked_for_since_the_start_opens_nothing() -> None:
    """What an earlier life knew may be wrong by now."""
    assert aged(NOW) == Deny("MARKET_STALE", "not confirmed since the start")


def test_a_way_out_goes_by_what_is_known() -> None:
    """A reducing order passes, however old it is."""
    skipped = Skipped("MARKET_STALE", "reducing order")
    assert aged(10**15, action=Action.SELL, size="100") == skipped
    assert aged(10**15, action=Action.SELL, size="100.01") != skipped


def test_a_closed_market_says_the_venues_word() -> None:
    """A pause and an end are told apart."""
    known = market(listing(), is_open=False, status="inactive")
    assert verdicts(Market(), book_with(known))[1] == Deny("MARKET_CLOSED", f"{KALSHI} (inactive)")
