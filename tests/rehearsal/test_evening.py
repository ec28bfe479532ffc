"""The generated evening: the same for the same seed, and like one that could be recorded."""

import pytest

from arbees.core.language.payouts import YES_WON
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Platform
from arbees.rehearsal.evening import START_NS, games, make_evening


def test_the_same_seed_gives_the_same_evening() -> None:
    """What is drawn depends on the seed alone."""
    assert make_evening(7, 20) == make_evening(7, 20)
    assert make_evening(7, 20) != make_evening(8, 20)


def test_quotes_are_in_order_and_within_the_evening() -> None:
    """Time runs forwards from the start, over as many minutes as were asked for."""
    quotes = make_evening(7, 20).quotes
    times = [quote.ts_ns for quote in quotes]
    assert times == sorted(times)
    assert times[0] >= START_NS
    assert times[-1] < START_NS + 20 * 60 * NS_PER_SECOND


def test_both_venues_quote_every_game() -> None:
    """Each game has a market on either venue, with the same sport and game."""
    evening = make_evening(7, 5)
    for platform in Platform:
        found = {quote.game_id for quote in evening.quotes if quote.platform is platform}
        assert found == {game.game_id for game in games()}
    assert {quote.sport for quote in evening.quotes} == {"NBA"}


@pytest.mark.parametrize("number", [1, 3, 6])
def test_as_many_games_as_asked_for(number: int) -> None:
    """An evening may be small."""
    evening = make_evening(7, 5, number)
    assert len({quote.game_id for quote in evening.quotes}) == number
    assert len(evening.settlements) == 2 * number


@pytest.mark.parametrize("seed", range(5))
def test_books_are_books(seed: int) -> None:
    """Bids fall, asks rise, prices lie between 0 and 1, and no book is crossed."""
    for quote in make_evening(seed, 60).quotes:
        bids = [price for price, _ in quote.bids]
        asks = [price for price, _ in quote.asks]
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        assert all(0 < price < MICRO for price in (*bids, *asks))
        assert all(size > 0 for _, size in (*quote.bids, *quote.asks))
        assert bids
        assert asks
        assert bids[0] < asks[0]


def test_every_market_is_settled_once_at_the_end() -> None:
    """After the last quote each market has its result, the same on both venues."""
    evening = make_evening(7, 20)
    markets = {(quote.platform, quote.market_id) for quote in evening.quotes}
    settled = [(each.platform, each.market_id) for each in evening.settlements]
    assert sorted(settled) == sorted(markets)
    assert min(each.ts_ns for each in evening.settlements) > evening.quotes[-1].ts_ns
    by_market = {each.market_id: each.payouts for each in evening.settlements}
    for game in games():
        assert by_market[game.ticker] == by_market[game.yes_token]


def test_the_likely_side_wins() -> None:
    """A game ends as its last price said."""
    evening = make_evening(7, 60)
    last = {quote.market_id: quote for quote in evening.quotes if quote.condition_id is None}
    for each in evening.settlements:
        quote = last.get(each.market_id)
        if quote is not None:
            middle = (quote.bids[0][0] + quote.asks[0][0]) // 2
            assert (middle >= MICRO // 2) is (each.payouts == YES_WON)


def test_tokens_of_a_game_are_one_market() -> None:
    """Each Polymarket quote names its condition and its other token."""
    for quote in make_evening(7, 5).quotes:
        is_token = quote.platform is Platform.POLYMARKET
        assert (quote.condition_id is not None) is is_token
        assert (quote.opposite_token_id is not None) is is_token
    assert len({game.yes_token for game in games()} | {game.no_token for game in games()}) == 12
