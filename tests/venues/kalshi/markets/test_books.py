"""Kalshi's live books: right by number, new after each gap, and never older than their link."""

import asyncio
from typing import Any

import pytest

from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.errors import VenueOutcomeUnknown
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.venues.kalshi.markets.book import (
    LEVELS_MAX,
    BookLevels,
    Delta,
    OrderBook,
    Scale,
)
from tests.venues.kalshi.rig import CENT, OTHER, TICKER, Rig, quote, rig

# One book --------------------------------------------------------------------------------------


def test_both_sides_are_told_in_prices_of_yes() -> None:
    """Who bids for No at 60 cents is told at 40, where that is an ask; best first on both sides."""
    book = OrderBook()
    book.replace(
        BookLevels(
            market_ticker=TICKER,
            yes_dollars_fp=(("0.3700", "1.00"), ("0.3800", "2.50")),
            no_dollars_fp=(("0.4100", "3.00"), ("0.4000", "4.00")),
        )
    )
    found = book.quote(TICKER, 5)
    assert found.bids == ((38 * CENT, 2_500_000), (37 * CENT, MICRO))
    assert found.asks == ((40 * CENT, 4 * MICRO), (41 * CENT, 3 * MICRO))
    assert found.ts_ns == 5


def test_changes_add_take_and_end_levels() -> None:
    """A level at nothing is gone; an unknown one begins."""
    book = OrderBook()
    for change in ("2.00", "-0.50", "-1.50"):
        book.change(Delta(TICKER, "0.3800", change, "yes"))
    assert book.bids == {}
    book.change(Delta(TICKER, "0.3950", "1.00", "no"))
    assert book.quote(TICKER, 0).asks == ((395_000, MICRO),)


@pytest.mark.parametrize(
    "change",
    [
        Delta(TICKER, "0.3800", "-1.00", "yes"),
        Delta(TICKER, "0.3800", "1.00", "maybe"),
        Delta(TICKER, "cheap", "1.00", "yes"),
        Delta(TICKER, "0.3800", "much", "yes"),
    ],
)
def test_what_does_not_fit_ends_the_books_word(change: Delta) -> None:
    """A level below nothing, another side, no number: something was missed."""
    with pytest.raises(VenueOutcomeUnknown):
        OrderBook().change(change)


def test_no_more_levels_are_told_than_are_of_use() -> None:
    """The best twenty of each side."""
    book = OrderBook()
    for cents in range(1, 50):
        book.change(Delta(TICKER, f"0.{cents:02}00", "1.00", "yes"))
    found = book.quote(TICKER, 0)
    assert len(found.bids) == LEVELS_MAX
    assert found.bids[0] == (49 * CENT, MICRO)


@pytest.mark.parametrize(
    ("bid", "asks", "expected"),
    [
        (75, (76, 80), Scale.YES),
        (24, (76, 80), Scale.YES),
        (24, (76,), Scale.YES),
        (23, (70, 76), Scale.UNPROVEN),
        (23, (76,), Scale.UNPROVEN),
        (76, (76,), Scale.UNPROVEN),
        (None, (40,), Scale.UNPROVEN),
        (40, (), Scale.UNPROVEN),
    ],
)
def test_what_a_book_says_of_its_own_prices(
    bid: int | None, asks: tuple[int, ...], expected: Scale
) -> None:
    """Proved where the other reading would be a crossed book, and this one is not."""
    book = OrderBook()
    book.bids = {} if bid is None else {bid * CENT: MICRO}
    book.asks = {ask * CENT: MICRO for ask in asks}
    assert book.scale() is expected


@pytest.mark.parametrize(
    ("asks", "row", "expected"),
    [
        ((40, 45), 40, Scale.YES),
        ((55, 60), 40, Scale.NO),
        ((40, 60), 40, Scale.UNPROVEN),
        ((41, 59), 40, Scale.UNPROVEN),
        ((50,), 50, Scale.UNPROVEN),
        ((), 40, Scale.UNPROVEN),
    ],
)
def test_what_a_markets_row_says_of_the_prices(
    asks: tuple[int, ...], row: int, expected: Scale
) -> None:
    """Its best ask is the lowest in prices of Yes, or a dollar less the highest in those of No."""
    book = OrderBook()
    book.asks = {ask * CENT: MICRO for ask in asks}
    assert book.scale_by(row * CENT) is expected


# Over the wire ---------------------------------------------------------------------------------


async def test_a_book_follows_the_exchange() -> None:
    """What is shown there is told here, and a second market on the same connection."""
    async with rig() as made:
        await made.data.start()
        made.data.watch(TICKER)
        await made.until(lambda: made.quotes)
        assert made.quotes[-1].bids == ((38 * CENT, 100 * MICRO),)
        assert made.quotes[-1].asks == ((40 * CENT, 100 * MICRO),)
        made.server.show(quote(bid=30, ask=35))
        await made.until(lambda: made.quotes[-1].asks == ((35 * CENT, 100 * MICRO),))
        made.server.show(quote(OTHER, bid=50, ask=60))
        made.data.watch(OTHER)
        await made.until(lambda: made.quotes[-1].market_id == OTHER)
        assert len(made.server.streams.lines) == 3, "our own, one of books, one of markets"
        made.server.show(quote(bid=31, ask=36))
        await made.until(lambda: made.quotes[-1].asks == ((36 * CENT, 100 * MICRO),))


async def followed(made: Rig, *tickers: str) -> None:
    """Follow markets, and wait until each was told."""
    await made.data.start()
    for ticker in tickers:
        made.server.show(quote(ticker))
        made.data.watch(ticker)
    await made.until(lambda: {each.market_id for each in made.quotes} == set(tickers))


async def moved(made: Rig, ticker: str, ask: int, seconds: float = 10.0) -> None:
    """Move a book, and wait until that is told."""
    made.server.show(quote(ticker, bid=ask - 5, ask=ask))
    await made.until(
        lambda: any(
            each.market_id == ticker and each.asks[:1] == ((ask * CENT, 100 * MICRO),)
            for each in made.quotes
        ),
        seconds,
    )


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": FaultKind.SUBSCRIPTION_LOST},
        {"kind": FaultKind.SUBSCRIPTION_LOST, "ticker": TICKER},
        {"kind": FaultKind.SEQUENCE_GAP, "call": "orderbook_delta"},
        {"kind": FaultKind.REPEATED_MESSAGE, "call": "orderbook_delta"},
        {"kind": FaultKind.ANSWERS_REPEAT_NUMBER},
        {"kind": FaultKind.COMMAND_REFUSED, "call": "list_subscriptions"},
        {"kind": FaultKind.COMMAND_REFUSED, "call": "update_subscription", "code": 13},
        {"kind": FaultKind.STREAM_ERROR, "code": 17},
        {"kind": FaultKind.STREAM_ERROR, "code": 16, "ticker": OTHER},
    ],
)
async def test_a_book_is_right_after_any_trouble_of_its_stream(fault: dict[str, Any]) -> None:
    """Whatever is lost, repeated or refused, on the same connection; the news come within 10 s."""
    async with rig() as made:
        await followed(made, TICKER, OTHER)
        before = {id(line) for line in made.server.streams.lines}
        made.server.fault(**fault)
        await moved(made, TICKER, 35)
        await moved(made, OTHER, 45)
        assert {id(line) for line in made.server.streams.lines} == before


@pytest.mark.parametrize("code", [10, 25])
async def test_an_error_that_ends_a_connection_brings_a_new_one(code: int) -> None:
    """By the document these two do; the books are whole again by themselves."""
    async with rig() as made:
        await followed(made, TICKER)
        before = {id(line) for line in made.server.streams.lines}
        made.server.fault(FaultKind.STREAM_ERROR, code=code)
        await moved(made, TICKER, 35)
        assert {id(line) for line in made.server.streams.lines} != before


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_market_that_is_refused_keeps_no_other_from_being_followed(is_first: bool) -> None:
    """Archived, or refused for whatever reason: its own trouble, on the same connection."""
    async with rig() as made:
        made.server.fault(FaultKind.REFUSED_TICKER, ticker="KX-GONE", code=16)
        tickers = ("KX-GONE", TICKER) if is_first else (TICKER, "KX-GONE")
        await made.data.start()
        for ticker in tickers:
            made.data.watch(ticker)
            await asyncio.sleep(0)
        await made.until(lambda: made.quotes)
        lines = {id(line) for line in made.server.streams.lines}
        await moved(made, TICKER, 35)
        assert {id(line) for line in made.server.streams.lines} == lines


async def test_a_dead_subscription_lets_its_quotes_grow_old() -> None:
    """Nothing but the book's own word renews it: pings and answers of the wire do not."""
    async with rig() as made:
        await followed(made, TICKER)
        made.server.fault(FaultKind.REFUSED_TICKER, ticker=TICKER)
        made.server.fault(FaultKind.SUBSCRIPTION_LOST)
        made.server.show(quote(bid=5, ask=9))
        await made.until(lambda: made.data.books.feed.followed[TICKER].sid is None, 10)
        made.clock.shift_ns += 20 * NS_PER_SECOND
        last = made.quotes[-1]
        await asyncio.sleep(1.0)
        assert made.quotes[-1] is last
        assert last.asks == ((40 * CENT, 100 * MICRO),)


@pytest.mark.parametrize(("bid", "ask"), [(75, 76), (38, 40), (24, 25)])
async def test_prices_that_we_did_not_ask_for_are_not_read(bid: int, ask: int) -> None:
    """Also where the misread book is not crossed; what we asked for is read, however it looks."""
    async with rig() as made:
        made.server.show(quote(bid=bid, ask=ask))
        made.server.fault(FaultKind.YES_PRICE_IGNORED)
        await made.data.start()
        made.data.watch(TICKER)
        ignored = "Kalshi ignores use_yes_price: no book of its stream is read"
        await made.until(lambda: made.data.trouble == ignored, 10)
        assert made.quotes == []
    async with rig() as made:
        made.server.show(quote(bid=bid, ask=ask))
        made.server.fault(FaultKind.YES_PRICE_FORCED)
        await made.data.start()
        made.data.watch(TICKER)
        await made.until(lambda: made.quotes)
        assert made.quotes[-1].asks == ((ask * CENT, 100 * MICRO),)
        assert made.data.trouble is None
