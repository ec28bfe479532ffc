"""Markets of Kalshi: ticks, fees, shards and sports as the venue has them, and nothing guessed."""

import pytest

from arbees.core.payouts import NO_WON
from arbees.errors import VenueOutcomeUnknown
from arbees.testing.kalshi.faults import FaultKind
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.markets import (
    KalshiMarketData,
    listing_of,
    pool_name,
    rates_of,
    sport_of,
)
from tests.venues.kalshi.rig import OTHER, TICKER, quote, rig


def row(**more: object) -> shapes.MarketRow:
    """Return a market as Kalshi tells it."""
    fields: dict[str, object] = {
        "ticker": TICKER,
        "event_ticker": TICKER.rpartition("-")[0],
        "status": "active",
        "close_time": "2026-01-29T05:00:00Z",
        "price_ranges": (shapes.PriceRange(start="0.0000", end="1.0000", step="0.0100"),),
        "exchange_index": 3,
        **more,
    }
    return shapes.MarketRow(**fields)  # type: ignore[arg-type]


def ranges(*parts: tuple[str, str, str]) -> tuple[shapes.PriceRange, ...]:
    """Return ranges of ticks."""
    return tuple(shapes.PriceRange(start=a, end=b, step=c) for a, b, c in parts)


# Listings --------------------------------------------------------------------------------------


def test_a_listing_is_the_venues_word() -> None:
    """Shard, hours, sport, grid of fees and lot; one signed position a market."""
    found = listing_of(row(), 70_000, 0)
    assert (found.market_id, found.market_key, found.sport) == (TICKER, TICKER, "NBA")
    assert (found.tick, found.ticks, found.lot, found.minimum) == (10_000, (), 10_000, 10_000)
    assert (found.pool, found.fee_grid, found.is_netting) == ("Kalshi:3", 100, True)
    assert found.close_ns == 1_769_662_800_000_000_000
    assert found.game_start_ns is None


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
        70_000,
        0,
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
def test_one_tick_needs_no_ranges(given: tuple[shapes.PriceRange, ...], tick: int) -> None:
    """None told, or the same everywhere: a single tick; one of nothing is none."""
    found = listing_of(row(price_ranges=given), 70_000, 0)
    assert (found.tick, found.ticks) == (tick, ())


@pytest.mark.parametrize(
    "more",
    [
        {"price_ranges": ranges(("0", "1", "fine"))},
        {"close_time": "tomorrow"},
        {"occurrence_datetime": "soon"},
    ],
)
def test_what_cannot_be_read_is_not_guessed(more: dict[str, object]) -> None:
    """The field is named."""
    with pytest.raises(VenueOutcomeUnknown, match="Kalshi's"):
        listing_of(row(**more), 70_000, 0)


@pytest.mark.parametrize(
    ("ticker", "sport"),
    [
        (TICKER, "NBA"),
        (OTHER, "MLB"),
        ("KXWNBAGAME-1-A", "WNBA"),
        ("KXNCAAMBGAME-1-A", "NCAAB"),
        ("KXNCAAFGAME-1-A", "NCAAF"),
        ("KXWTACHALLENGERMATCH-1-A", "TENNIS"),
        ("KXBTCD-1-A", None),
        ("NBA", None),
        ("", None),
    ],
)
def test_a_sport_is_told_by_the_series_alone(ticker: str, sport: str | None) -> None:
    """Where the series leaves a doubt, there is none."""
    assert sport_of(ticker) == sport


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


async def test_metadata_is_asked_for_and_fees_once_an_event() -> None:
    """The rates of an event are kept; a market that is not there is None."""
    async with rig() as made:
        sibling = f"{TICKER.rpartition('-')[0]}-HOU"
        made.server.show(quote(sibling))
        found = await made.data.metadata(TICKER)
        assert found is not None
        assert (found.is_open, found.payouts, found.listing.taker_rate) == (True, None, 70_000)
        assert await made.data.metadata("KXNONE-1-A") is None
        known = dict(made.data._fees)
        other = await made.data.metadata(sibling)
        assert other is not None
        assert other.listing.taker_rate == 70_000
        assert made.data._fees == known == {TICKER.rpartition("-")[0]: (70_000, 0)}


async def test_a_result_is_told_once_there_is_one() -> None:
    """Closed is no result; finalized has one, and takes no orders."""
    async with rig() as made:
        made.exchange.markets[TICKER].status = "closed"
        closed = await made.data.metadata(TICKER)
        assert closed is not None
        assert (closed.is_open, closed.payouts) == (False, None)
        made.exchange.settle(TICKER, "no")
        final = await made.data.metadata(TICKER)
        assert final is not None
        assert (final.is_open, final.payouts) == (False, NO_WON)


async def test_a_shard_that_is_learnt_is_used_for_orders() -> None:
    """Metadata tells on which shard a market trades; on paper cash lies in one pool."""
    async with rig() as made:
        assert made.data._shards.get(TICKER) is None
        found = await made.data.metadata(TICKER)
        assert found is not None
        assert (found.listing.pool, made.data._shards[TICKER]) == ("Kalshi:3", 3)
        paper = KalshiMarketData(made.venue._connection, {}, owns_connection=True)
        on_paper = await paper.metadata(TICKER)
        assert on_paper is not None
        assert on_paper.listing.pool == ""


async def test_a_venue_that_does_not_answer_says_so() -> None:
    """An error of the venue, not an absence of the market."""
    async with rig() as made:
        made.server.fault(FaultKind.ERROR_BEFORE, call="read", count=100)
        with pytest.raises(VenueOutcomeUnknown):
            await made.data.metadata(TICKER)
