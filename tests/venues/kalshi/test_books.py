"""Kalshi's live books: right by number, new after each gap, and never older than their link."""

import json
from typing import Any

import pytest

from arbees.core.units import MICRO, NS_PER_SECOND
from arbees.errors import VenueOutcomeUnknown
from arbees.venues.kalshi.books import LEVELS_MAX, WATCHED_MAX, Book, BookStream, Delta, Snapshot
from arbees.venues.kalshi.shapes import read
from arbees.venues.kalshi.socket import Message
from tests.venues.kalshi.rig import CENT, OTHER, TICKER, Rig, quote, rig


def stream_of(made: Rig) -> BookStream:
    """Return a stream that nobody runs, watching a market, subscribed as number 1."""
    account = made.venue._connection.account
    stream = BookStream(
        account.ws_url, signer=made.venue._connection.signer, clock=made.venue._connection.clock
    )
    stream.watch(TICKER)
    stream.sink = made.quotes.append
    stream._take(said("subscribed", None, channel="orderbook_delta", sid=1))
    return stream


def said(kind: str, seq: int | None, sid: int | None = 1, **msg: object) -> Message:
    """Return a message as it comes."""
    if kind == "subscribed":
        msg["sid"], sid = sid, None
    frame = {"type": kind, "sid": sid, "seq": seq, "msg": msg}
    return read(json.dumps({k: v for k, v in frame.items() if v is not None}), Message)


def snapshot(seq: int, ticker: str = TICKER) -> Message:
    """Return a whole book: bids of 5 for Yes at $0.38, of 7 for No at $0.60."""
    return said(
        "orderbook_snapshot",
        seq,
        market_ticker=ticker,
        yes_dollars_fp=[["0.3800", "5.00"]],
        no_dollars_fp=[["0.6000", "7.00"]],
    )


def delta(seq: int, change: str, price: str = "0.3800", side: str = "yes", **more: str) -> Message:
    """Return a change of one level."""
    fields: dict[str, Any] = {
        "market_ticker": TICKER,
        "price_dollars": price,
        "delta_fp": change,
        "side": side,
    }
    return said("orderbook_delta", seq, **(fields | more))


# One book --------------------------------------------------------------------------------------


def test_who_bids_for_no_asks_for_yes() -> None:
    """Bids of No at 60 and 59 cents are asks of Yes at 40 and 41; best first on both sides."""
    book = Book()
    book.replace(
        Snapshot(
            market_ticker=TICKER,
            yes_dollars_fp=(("0.3700", "1.00"), ("0.3800", "2.50")),
            no_dollars_fp=(("0.5900", "3.00"), ("0.6000", "4.00")),
        )
    )
    found = book.quote(TICKER, 5)
    assert found.bids == ((38 * CENT, 2_500_000), (37 * CENT, MICRO))
    assert found.asks == ((40 * CENT, 4 * MICRO), (41 * CENT, 3 * MICRO))
    assert found.ts_ns == 5


def test_changes_add_take_and_end_levels() -> None:
    """A level at nothing is gone; an unknown one begins."""
    book = Book()
    for change in ("2.00", "-0.50", "-1.50"):
        book.change(Delta(TICKER, "0.3800", change, "yes"))
    assert book.yes == {}
    book.change(Delta(TICKER, "0.6050", "1.00", "no"))
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
        Book().change(change)


def test_no_more_levels_are_told_than_are_of_use() -> None:
    """The best twenty of each side."""
    book = Book()
    for cents in range(1, 50):
        book.change(Delta(TICKER, f"0.{cents:02}00", "1.00", "yes"))
    found = book.quote(TICKER, 0)
    assert len(found.bids) == LEVELS_MAX
    assert found.bids[0] == (49 * CENT, MICRO)


# The sequence ----------------------------------------------------------------------------------


async def test_every_number_counts_whatever_it_is_of() -> None:
    """Answers about the subscription have numbers of its sequence; types we do not know too."""
    async with rig(listens=False) as made:
        stream = stream_of(made)
        stream._take(snapshot(1))
        stream._take(said("ok", 2))
        stream._take(said("something_new", 3))
        stream._take(delta(4, "1.00"))
        assert made.quotes[-1].bids == ((38 * CENT, 6 * MICRO),)
        stream._take(said("ok", 4))  # or the last one again
        stream._take(delta(5, "1.00"))
        assert made.quotes[-1].bids == ((38 * CENT, 7 * MICRO),)


@pytest.mark.parametrize("seq", [3, 1, 5])
async def test_a_number_that_is_missing_ends_the_connection(seq: int) -> None:
    """A gap, a repetition, a jump: nothing of it is taken."""
    async with rig(listens=False) as made:
        stream = stream_of(made)
        stream._take(snapshot(1))
        told = len(made.quotes)
        with pytest.raises(VenueOutcomeUnknown, match="message 2 is missing"):
            stream._take(delta(seq, "1.00"))
        assert len(made.quotes) == told


async def test_a_change_before_its_snapshot_is_waited_out() -> None:
    """Nothing is told of a book that is not whole; other subscriptions are none of ours."""
    async with rig(listens=False) as made:
        stream = stream_of(made)
        stream._take(delta(1, "1.00"))
        stream._take(said("orderbook_snapshot", 9, sid=2, market_ticker=TICKER))
        assert made.quotes == []
        stream._take(snapshot(2))
        assert len(made.quotes) >= 1


async def test_unknown_fields_change_nothing() -> None:
    """What Kalshi adds to a message is passed over."""
    async with rig(listens=False) as made:
        stream = stream_of(made)
        stream._take(snapshot(1))
        stream._take(delta(2, "1.00", surprise="x", ts="2026-01-01T00:00:00Z"))
        assert made.quotes[-1].bids == ((38 * CENT, 6 * MICRO),)
        with pytest.raises(VenueOutcomeUnknown):
            stream._take(said("orderbook_delta", 3, market_ticker=TICKER))


async def test_so_many_books_are_followed_and_no_more() -> None:
    """Beyond a thousand the one that was asked for first is let go."""
    async with rig(listens=False) as made:
        stream = stream_of(made)
        for number in range(WATCHED_MAX):
            stream.watch(f"KX-{number}")
        stream._take(snapshot(1))
        assert made.quotes == [], "the first is not watched any more"
        stream._take(snapshot(2, "KX-5"))
        assert made.quotes[-1].market_id == "KX-5"


# Over the wire ---------------------------------------------------------------------------------


async def test_a_book_follows_the_exchange() -> None:
    """What is shown there is told here, and a second market on the same connection."""
    async with rig() as made:
        await made.data.start()
        made.data.watch(TICKER)
        await made.until(lambda: made.quotes)
        assert made.quotes[-1].bids == ((38 * CENT, 100 * MICRO),)
        made.server.show(quote(bid=30, ask=35))
        await made.until(lambda: made.quotes[-1].asks == ((35 * CENT, 100 * MICRO),))
        made.server.show(quote(OTHER, bid=50, ask=60))
        made.data.watch(OTHER)
        await made.until(lambda: made.quotes[-1].market_id == OTHER)
        assert len(made.server.streams.lines) == 2, "one of our own, one of books"
        made.server.show(quote(bid=31, ask=36))
        await made.until(lambda: made.quotes[-1].asks == ((36 * CENT, 100 * MICRO),))


async def test_a_gap_brings_a_new_connection_and_a_new_snapshot() -> None:
    """The exchange skips a number: our book is right again by itself."""
    async with rig() as made:
        await made.data.start()
        made.data.watch(TICKER)
        await made.until(lambda: made.quotes)
        before = {id(line) for line in made.server.streams.lines}
        for line in made.server.streams.lines:
            for each in line.subscriptions.values():
                each.seq += each.channel == "orderbook_delta"
        made.server.show(quote(bid=20, ask=25))
        await made.until(lambda: made.quotes[-1].asks == ((25 * CENT, 100 * MICRO),))
        assert {id(line) for line in made.server.streams.lines} != before


async def test_a_quiet_book_is_as_old_as_its_link() -> None:
    """Any answer of a stream tells its books again, at most once a second; silence does not."""
    async with rig(listens=False) as made:
        stream = stream_of(made)
        stream._take(snapshot(1))
        told = len(made.quotes)
        stream._take(said("ok", None, None))
        assert len(made.quotes) == told
        made.clock.shift_ns += 2 * NS_PER_SECOND
        stream._take(said("ok", None, None))
        assert len(made.quotes) == told + 1
        assert made.quotes[-1].ts_ns >= made.quotes[0].ts_ns + 2 * NS_PER_SECOND
