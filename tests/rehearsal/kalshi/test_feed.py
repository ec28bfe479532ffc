"""Where the simulated Kalshi's books come from, and the rehearsal that moves them."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from arbees.core.language.quote import Quote
from arbees.core.language.strict_json import Malformed
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform
from arbees.rehearsal.kalshi import rehearsal
from arbees.rehearsal.kalshi.engine import feed
from arbees.rehearsal.kalshi.engine.exchange import MAKER
from arbees.rehearsal.kalshi.engine.rules import Status
from tests.rehearsal.kalshi.stand import IOC, TICKER, Stand


def quote(bid: int = 38, ask: int = 40, **more: object) -> Quote:
    """Return a book of ten contracts a side."""
    fields: dict[str, object] = {
        "ts_ns": 0,
        "platform": Platform.KALSHI,
        "market_id": TICKER,
        "bids": ((bid * 10_000, 10 * MICRO),),
        "asks": ((ask * 10_000, 10 * MICRO),),
        **more,
    }
    return Quote(**fields)  # type: ignore[arg-type]


def depth(stand: Stand) -> list[tuple[str, int, int]]:
    """Return the book: owner, cents and contracts."""
    return [
        (each.owner, each.price // 10_000, (each.count - each.filled) // MICRO)
        for each in (*stand.market.bids, *stand.market.asks)
    ]


def test_a_quote_replaces_what_nobody_placed() -> None:
    """The made book is the quote's; orders of an account stay where they are."""
    stand = Stand()
    feed.show(stand.exchange, quote())
    mine = stand.place("ann", 39)
    feed.show(stand.exchange, quote(37, 42))
    assert depth(stand) == [("ann", 39, 1), (MAKER, 37, 10), (MAKER, 42, 10)]
    assert mine.status is Status.RESTING


def test_a_book_that_comes_across_fills_what_rests() -> None:
    """An ask below our bid trades with it, at our price."""
    stand = Stand()
    mine = stand.place("ann", 39, 4)
    feed.show(stand.exchange, quote(30, 35))
    assert stand.fills_of(mine) == [(39, 4)]
    assert depth(stand) == [(MAKER, 30, 10), (MAKER, 35, 6)]


def test_new_markets_are_listed_on_the_shard_of_their_sport() -> None:
    """Ticks and status are the quote's; the event and series follow from the ticker."""
    stand = Stand()
    name = "KXMLBGAME-26JUL04NYMATL-ATL"
    feed.show(stand.exchange, quote(market_id=name, sport="MLB", tick=1_000))
    market = stand.exchange.markets[name]
    assert (market.shard, market.event_ticker, market.series_ticker) == (
        *(3, "KXMLBGAME-26JUL04NYMATL", "KXMLBGAME"),
    )
    assert market.is_on_grid(381_000)
    other = "KXNHLGAME-1-A"
    feed.show(stand.exchange, quote(market_id=other), shard=2)
    assert stand.exchange.markets[other].shard == 2


def test_a_closed_market_takes_nothing_and_opens_again() -> None:
    """Its status is the quote's, until it is settled for ever."""
    stand = Stand()
    feed.show(stand.exchange, quote(status="closed"))
    assert stand.market.status == "closed"
    feed.show(stand.exchange, quote())
    assert stand.place("ann", 40, tif=IOC).status is Status.EXECUTED
    stand.exchange.settle(TICKER, "yes")
    feed.show(stand.exchange, quote(50, 60))
    assert stand.market.status == "finalized"


def test_other_platforms_are_passed_over() -> None:
    """A quote of Polymarket is none of its."""
    stand = Stand()
    feed.show(stand.exchange, quote(platform=Platform.POLYMARKET, market_id="token"))
    assert "token" not in stand.exchange.markets


def test_the_same_seed_is_the_same_evening() -> None:
    """Quotes of Kalshi alone, the same for the same seed, others for another."""
    first, again, other = (rehearsal.evening(seed) for seed in (3, 3, 4))
    assert first == again != other
    assert {each.platform for each in first} == {Platform.KALSHI}


def test_a_key_pair_is_made_once_and_kept(tmp_path: Path) -> None:
    """Readable by its owner alone; the next start takes it again."""
    path = tmp_path / "keys" / "kalshi.pem"
    first = rehearsal.key_pair(path)
    assert isinstance(first, rsa.RSAPublicKey)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = rehearsal.key_pair(path)
    assert isinstance(again, rsa.RSAPublicKey)
    assert first.public_numbers() == again.public_numbers()
    path.write_text("nothing")
    with pytest.raises(ValueError, match=r"."):
        rehearsal.key_pair(path)


def test_quotes_of_a_file_come_in_the_order_of_time(tmp_path: Path) -> None:
    """Those of Kalshi alone; a line that is none is refused."""
    line = (
        '{{"platform": "{}", "market_id": "{}", "ts": "2026-01-28T23:00:0{}Z",'
        ' "bids": [["0.38", "10"]], "asks": []}}\n'
    )
    path = tmp_path / "quotes.jsonl"
    path.write_text(
        line.format("Kalshi", "B", 2)
        + line.format("Polymarket", "P", 0)
        + "\n"
        + line.format("Kalshi", "A", 1)
    )
    assert [each.market_id for each in rehearsal.read_quotes(path)] == ["A", "B"]
    path.write_text("{}\n")
    with pytest.raises(Malformed):
        rehearsal.read_quotes(path)
