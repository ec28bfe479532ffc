"""Markets of Kalshi: ticks, fees, shards and sports as the venue has them, and nothing guessed."""

import pytest

from arbees.core.language.payouts import NO_WON
from arbees.core.ports import Metadata
from arbees.errors import VenueError, VenueOutcomeUnknown
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.markets.catalogue import (
    Catalogue,
    EventFacts,
    Game,
    rates_of,
)
from arbees.venues.kalshi.markets.markets import KalshiMarketData, listing_of, pool_name
from arbees.venues.kalshi.markets.series import series_of, sport_of
from tests.venues.kalshi.rig import OTHER, TICKER, quote, rig


def row(**more: object) -> shapes.MarketRow:
    """Return a market as Kalshi tells it."""
    fields: dict[str, object] = {
        "ticker": TICKER,
        "event_ticker": TICKER.rpartition("-")[0],
        "status": "active",
        "close_time": "2026-01-29T05:00:00Z",
        "price_ranges": (shapes.KalshiPriceRange(start="0.0000", end="1.0000", step="0.0100"),),
        "exchange_index": 3,
        **more,
    }
    return shapes.MarketRow(**fields)  # type: ignore[arg-type]


FACTS = EventFacts(
    sport="NBA",
    taker_rate=70_000,
    maker_rate=0,
    game=Game("m-1", 1_769_648_400 * 10**9),
    as_of_ns=1,
)


def ranges(*parts: tuple[str, str, str]) -> tuple[shapes.KalshiPriceRange, ...]:
    """Return ranges of ticks."""
    return tuple(shapes.KalshiPriceRange(start=a, end=b, step=c) for a, b, c in parts)


# Listings --------------------------------------------------------------------------------------


def test_a_listing_is_the_venues_word() -> None:
    """Shard, hours, sport, grid of fees and lot; one signed position a market."""
    found = listing_of(row(), FACTS)
    assert (found.market_id, found.market_key, found.sport) == (TICKER, TICKER, "NBA")
    assert (found.tick, found.ticks, found.lot, found.minimum) == (10_000, (), 10_000, 10_000)
    assert (found.pool, found.fee_grid, found.is_netting) == ("Kalshi:3", 100, True)
    assert found.close_ns == 1_769_662_800_000_000_000
    assert found.game_start_ns == 1_769_648_400 * 10**9
    assert found.games == ("m-1", TICKER.rpartition("-")[0])


def test_ticks_of_several_ranges() -> None:
    """Finer at the ends: each price has its own tick; the finest is the market's."""
    found = listing_of(
        row(
            price_ranges=ranges(
                ("0.0000", "0.1000", "0.0010"),
                ("0.1000", "0.9000", "0.0100"),
                ("0.9000", "1.0000", "0.0010"),
            )
        ),
        FACTS,
    )
    assert found.tick == 1_000
    assert [found.tick_at(price) for price in (51_000, 500_000, 955_000)] == [
        (1_000, 0),
        (10_000, 100_000),
        (1_000, 900_000),
    ]


@pytest.mark.parametrize(
    ("given", "tick"),
    [
        ((), 10_000),
        (ranges(("0.0000", "1.0000", "0.0010")), 1_000),
        (ranges(("0.0000", "0.5000", "0.0020"), ("0.5000", "1.0000", "0.0020")), 2_000),
        (ranges(("0.0000", "1.0000", "0.0000")), 10_000),
    ],
)
def test_one_tick_needs_no_ranges(given: tuple[shapes.KalshiPriceRange, ...], tick: int) -> None:
    """None told, or the same everywhere: a single tick; one of nothing is none."""
    found = listing_of(row(price_ranges=given), FACTS)
    assert (found.tick, found.ticks) == (tick, ())


def test_ticks_that_cannot_be_read_are_not_guessed() -> None:
    """The field is named."""
    with pytest.raises(VenueOutcomeUnknown, match="Kalshi's"):
        listing_of(row(price_ranges=ranges(("0", "1", "fine"))), FACTS)


@pytest.mark.parametrize(
    "close", [None, "", "0001-01-01T00:00:00Z", "tomorrow", "1970-01-01T00:00:00Z", "9999-12-31"]
)
def test_a_close_that_is_none_is_not_known(close: str | None) -> None:
    """The market trades; what needs its close is denied by the safeguards."""
    assert listing_of(row(close_time=close), FACTS).close_ns is None


@pytest.mark.parametrize(
    ("ticker", "sport"),
    [
        (TICKER, "NBA"),
        (OTHER, "MLB"),
        ("KXWNBAGAME-1-A", "WNBA"),
        ("KXNCAAMBGAME-1-A", "NCAAB"),
        ("KXNCAAWBGAME-1-A", "NCAAWB"),
        ("KXNCAAFGAME-1-A", "NCAAF"),
        ("KXNFLGAME-1-A", "NFL"),
        ("KXNFLX-26-A", None),
        ("KXNFLXSUBS-26-A", None),
        ("KXNBAX-1-A", None),
        ("KXMLSX-1-A", None),
        ("KXWTACHALLENGERMATCH-1-A", "TENNIS"),
        ("KXITFMATCH-1-A", "TENNIS"),
        ("KXUCLGAME-1-A", "SOCCER"),
        ("KXUCL-26-A", "SOCCER"),
        ("KXLALIGAGAME-1-A", "SOCCER"),
        ("KXSERIEAGAME-1-A", "SOCCER"),
        ("KXBUNDESLIGAGAME-1-A", "SOCCER"),
        ("KXLIGUE1GAME-1-A", "SOCCER"),
        ("KXWCGAME-1-A", "SOCCER"),
        ("KXBTCD-1-A", None),
        ("NBA", None),
        ("", None),
    ],
)
def test_a_sport_is_told_by_the_whole_name_of_a_series(ticker: str, sport: str | None) -> None:
    """Where the series leaves a doubt, there is none."""
    assert sport_of(series_of(ticker)) == sport


@pytest.mark.parametrize(
    ("series", "category", "tags", "sport"),
    [
        ("KXNFLX", "Companies", (), None),
        ("KXNFLDRAFTFIRST", "Sports", ("Football",), "NFL"),
        ("KXNFLDRAFTFIRST", "", (), None),
        ("KXWNBAEXPANSION", "sports", (), "WNBA"),
        ("KXNEW", "Sports", ("Soccer", "Futures"), "SOCCER"),
        ("KXNEW", "Sports", ("Soccer", "Tennis"), None),
        ("KXNEW", "Sports", ("Basketball",), None),
        ("KXNEW", "Politics", ("Soccer",), None),
    ],
)
def test_the_venues_own_word_of_a_series(
    series: str, category: str, tags: tuple[str, ...], sport: str | None
) -> None:
    """In Sports a league's series may be called anything; a tag that names one sport does."""
    assert sport_of(series, category, tags) == sport


def test_pools_are_shards() -> None:
    """The first shard is the venue's plain pool."""
    assert [pool_name(shard) for shard in (0, 1, 3)] == ["", "Kalshi:1", "Kalshi:3"]


# Fees ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "multiplier", "rates"),
    [
        ("quadratic", 1, (70_000, 0)),
        ("quadratic", 0.5, (35_000, 0)),
        ("quadratic", 0, (0, 0)),
        ("quadratic_with_maker_fees", 1, (70_000, 17_500)),
        ("quadratic_with_maker_fees", 0.5, (35_000, 8_750)),
        ("quadratic_with_combo_maker_fees", 1, (70_000, 35_000)),
        ("flat", 1, (70_000, 70_000)),
        ("invented", 0.5, (70_000, 70_000)),
        ("invented", 2, (140_000, 140_000)),
        ("", 1, (70_000, 70_000)),
    ],
)
def test_rates_by_type_and_multiplier(kind: str, multiplier: float, rates: tuple[int, int]) -> None:
    """What we do not know costs as much as the dearest that we do, for makers too."""
    event = shapes.EventRow(event_ticker="E")
    series = shapes.SeriesRow(ticker="S", fee_type=kind, fee_multiplier=multiplier)
    assert rates_of(event, series) == rates


def test_an_event_has_the_last_word_on_its_fees() -> None:
    """Its overrides stand before the series; a multiplier of nothing is one too."""
    series = shapes.SeriesRow(ticker="S", fee_type="quadratic", fee_multiplier=1)
    event = shapes.EventRow(event_ticker="E", fee_type_override="quadratic_with_maker_fees")
    assert rates_of(event, series) == (70_000, 17_500)
    free = shapes.EventRow(event_ticker="E", fee_multiplier_override=0.0)
    assert rates_of(free, series) == (0, 0)


# At the exchange -------------------------------------------------------------------------------


async def word(data: KalshiMarketData, market_id: str = TICKER) -> Metadata:
    """Return the venue's word on a market."""
    return (await data.metadata([market_id]))[market_id]


async def test_metadata_of_several_markets_at_once() -> None:
    """Those that are not there are left out; an event is asked for once in a while."""
    async with rig() as made:
        sibling = f"{TICKER.rpartition('-')[0]}-HOU"
        made.server.show(quote(sibling))
        found = await made.data.metadata([TICKER, sibling, "KXNONE-1-A"])
        assert found.keys() == {TICKER, sibling}
        first = found[TICKER]
        assert (first.is_open, first.payouts, first.status) == (True, None, "active")
        assert found[sibling].listing.taker_rate == first.listing.taker_rate == 70_000
        assert first.as_of_ns <= made.clock.now_ns()


async def test_a_result_is_told_once_there_is_one() -> None:
    """Closed is no result; finalized has one, and takes no orders."""
    async with rig() as made:
        made.exchange.markets[TICKER].status = "closed"
        closed = await word(made.data)
        assert (closed.is_open, closed.payouts) == (False, None)
        made.exchange.settle(TICKER, "no")
        final = await word(made.data)
        assert (final.is_open, final.payouts) == (False, NO_WON)


@pytest.mark.parametrize("status", ["inactive", "determined", "disputed", "amended", "new_word"])
async def test_only_an_active_market_takes_orders(status: str) -> None:
    """A result that may still change is none."""
    async with rig() as made:
        made.exchange.lifecycle.determine(TICKER, 500_000)
        made.exchange.markets[TICKER].status = status
        said = await word(made.data)
        assert (said.is_open, said.payouts, said.status) == (False, None, status)


async def test_the_start_of_a_game_is_that_of_its_milestone() -> None:
    """A market of another series shares it."""
    async with rig() as made:
        first = (await word(made.data)).listing
        milestone = made.exchange.catalogue.milestone(TICKER.rpartition("-")[0])
        assert milestone is not None
        assert first.game_start_ns == milestone.start_ns // 10**6 * 10**6
        spread = TICKER.replace("KXNBAGAME", "KXNBASPREAD")
        made.server.show(quote(spread))
        other = (await word(made.data, spread)).listing
        assert other.milestone_id == first.milestone_id == milestone.milestone_id
        assert other.event_id != first.event_id


async def test_one_odd_market_is_its_own_trouble() -> None:
    """A close of the year 1, an event that is not there, a row of nonsense: the others are read."""
    async with rig() as made:
        made.server.show(quote(OTHER))
        made.exchange.catalogue.events[TICKER.rpartition("-")[0]].is_missing = True
        made.exchange.markets[TICKER].odd = {"close_time": "0001-01-01T00:00:00Z"}
        found = await made.data.metadata([TICKER, OTHER])
        assert found[TICKER].listing.close_ns is None
        assert found[TICKER].listing.maker_rate == 0
        assert OTHER in found
        for odd in ({"price_ranges": 5}, {"status": None}, {"price_ranges": [{"start": "x"}]}):
            made.exchange.markets[TICKER].odd = odd
            assert (await made.data.metadata([TICKER, OTHER])).keys() == {OTHER}


async def test_a_shard_that_is_learnt_is_used_for_orders() -> None:
    """Metadata tells on which shard a market trades; on paper cash lies in one pool."""
    async with rig() as made:
        assert made.data._shards.get(TICKER) is None
        found = await word(made.data)
        assert (found.listing.pool, made.data._shards[TICKER]) == ("Kalshi:3", 3)
        paper = KalshiMarketData(made.venue._connection, {}, owns_connection=True)
        assert (await word(paper)).listing.pool == ""


async def test_a_venue_that_does_not_answer_says_so() -> None:
    """An error of the venue, not an absence of the market; nor is what it said before renewed."""
    async with rig() as made:
        catalogue = Catalogue(made.data._api, made.clock)
        made.server.fault(FaultKind.ERROR_BEFORE, call="read", count=100)
        with pytest.raises(VenueError):
            await made.data.metadata([TICKER])
        with pytest.raises(VenueError):
            await catalogue.facts(TICKER.rpartition("-")[0])
