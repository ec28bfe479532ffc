"""Listings: what the first word on a market says of it."""

from arbees.core.book.market import Listing
from arbees.core.language.words import Platform
from arbees.runtime.watching.quote_listings import listing_of, plain_listing
from tests.runtime.rig import quote
from tests.safeguards.build import CONDITION, KALSHI, NO_TOKEN, NOW, TERMS, YES_TOKEN

KALSHI_TERMS = TERMS[Platform.KALSHI]
POLYMARKET_TERMS = TERMS[Platform.POLYMARKET]


def test_of_a_kalshi_quote() -> None:
    """The ticker is the key; sport, game and its start are the quote's; the rest is the venue's."""
    made = listing_of(quote(game_start_ns=NOW), KALSHI_TERMS)
    assert made == Listing(
        platform="Kalshi",
        market_id=KALSHI,
        market_key=KALSHI,
        sport="NBA",
        game_id="nba_BOS@ATL",
        game_start_ns=NOW,
        tick=1_000,
        lot=10_000,
        is_netting=True,
        taker_rate=70_000,
        maker_rate=0,
        fee_grid=100,
    )


def test_of_a_polymarket_quote() -> None:
    """The condition is the key, the quoted token is its Yes, and the other one is known."""
    quoted = quote(
        platform=Platform.POLYMARKET,
        market_id=YES_TOKEN,
        condition_id=CONDITION,
        opposite_token_id=NO_TOKEN,
    )
    made = listing_of(quoted, POLYMARKET_TERMS)
    assert (made.market_key, made.market_id, made.opposite_id) == (CONDITION, YES_TOKEN, NO_TOKEN)
    assert not made.is_flipped
    assert not made.is_netting
    assert (made.taker_rate, made.fee_grid) == (50_000, 10)


def test_of_a_token_without_a_condition() -> None:
    """Without a condition a token is a market of its own."""
    made = listing_of(quote(platform=Platform.POLYMARKET, market_id=YES_TOKEN), POLYMARKET_TERMS)
    assert made.market_key == YES_TOKEN
    assert made.opposite_id is None


def test_kalshi_has_no_conditions() -> None:
    """What a Kalshi quote says of conditions and tokens is not believed."""
    made = listing_of(quote(condition_id=CONDITION, opposite_token_id=NO_TOKEN), KALSHI_TERMS)
    assert made.market_key == KALSHI
    assert made.opposite_id is None


def test_tick_and_lot_of_the_quote_win() -> None:
    """A market's own tick and lot stand before the venue's."""
    made = listing_of(quote(tick=10_000, lot=1_000_000), KALSHI_TERMS)
    assert (made.tick, made.lot) == (10_000, 1_000_000)


def test_of_a_name_alone() -> None:
    """A market of which only the name is known has the venue's terms and no sport."""
    made = plain_listing(Platform.KALSHI, KALSHI, KALSHI_TERMS)
    assert (made.market_key, made.sport, made.game_id) == (KALSHI, None, None)
    assert (made.tick, made.lot, made.minimum) == (1_000, 10_000, 0)
