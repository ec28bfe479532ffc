"""Books under random faults: never newer than the truth for long, and true again afterwards."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO, NS_PER_MILLISECOND, NS_PER_SECOND
from arbees.venues.kalshi.connection.socket import Message
from arbees.venues.kalshi.markets.feed import (
    ANSWER_NS,
    CHANNEL,
    QUIET_NS,
    BookFeed,
)
from arbees.venues.kalshi.shapes import read

TICKERS = ("KX-A", "KX-B", "KX-C")
START = 1_800_000_000 * NS_PER_SECOND
TICK = NS_PER_SECOND // 4
TRUSTED_NS = QUIET_NS + ANSWER_NS + 2 * TICK
"""So long a book may be renewed by its subscription's name alone before its own word is missed."""
HEALED_TICKS = 4 * 200


class Exchange:
    """A venue that loses what it is told to lose; its books are the truth."""

    def __init__(self) -> None:
        self.now_ns = START
        self.feed = BookFeed(lambda: 0)
        self.feed.sink = self.told
        self.books = dict.fromkeys(TICKERS, 75)
        self.past: dict[str, list[tuple[int, int]]] = {name: [(START, 75)] for name in TICKERS}
        self.last: dict[str, Quote] = {}
        self.subscribed: dict[int, set[str]] = {}
        self.seq: dict[int, int] = {}
        self.sids = 0
        self.losing = 0
        """So many messages of the next ones are lost."""
        self.refused: set[str] = set()
        self.is_deaf = False
        for ticker in TICKERS:
            self.feed.follow(ticker)

    def told(self, quote: Quote) -> None:
        """Check that a quote was the truth when it says so, or a little before."""
        bid = quote.bids[0][0] // 10_000
        times = [*self.past[quote.market_id], (self.now_ns + 1, -1)]
        is_true = any(
            known == bid and until > quote.ts_ns - TRUSTED_NS and since <= quote.ts_ns
            for (since, known), (until, _) in pairwise(times)
        )
        assert is_true, (quote.market_id, bid, times, quote.ts_ns)
        self.last[quote.market_id] = quote

    def say(self, sid: int | None, kind: str, **frame: Any) -> None:
        """Say something about a subscription, or nothing of it."""
        if sid is not None:
            self.seq[sid] += 1
            frame |= {"sid": sid, "seq": self.seq[sid]}
        if self.losing:
            self.losing -= 1
            return
        frame |= {"type": kind, "sending_ts_ms": self.now_ns // NS_PER_MILLISECOND}
        self.feed.take(read(json.dumps(frame), Message), self.now_ns)

    def snapshot(self, sid: int, ticker: str) -> None:
        bid = self.books[ticker]
        said = {
            "market_ticker": ticker,
            "yes_dollars_fp": [[f"0.{bid:02}00", "5.00"]],
            "no_dollars_fp": [["0.9900", "5.00"]],
        }
        self.say(sid, "orderbook_snapshot", msg=said)

    def move(self, ticker: str, bid: int) -> None:
        """Change a book: one level goes, another comes, in one moment."""
        was, self.books[ticker] = self.books[ticker], bid
        self.past[ticker].append((self.now_ns, bid))
        if was == bid:
            return
        for sid, tickers in self.subscribed.items():
            if ticker in tickers:
                self.snapshot(sid, ticker)

    def look(self) -> None:
        """Let a quarter of a second pass, and answer what is asked."""
        self.now_ns += TICK
        for command in self.feed.commands(self.now_ns):
            if not self.is_deaf:
                self.answer(command)

    def answer(self, command: dict[str, Any]) -> None:
        word, number = command["cmd"], command["id"]
        params = command.get("params", {})
        names = set(params.get("market_tickers", ()))
        if word == "list_subscriptions":
            named = [{"channel": CHANNEL, "sid": sid} for sid in self.subscribed]
            self.say(None, "ok", id=number, msg=named)
            return
        for ticker in sorted(names & self.refused):
            said = {"code": 16, "msg": "Market not found", "market_ticker": ticker}
            self.say(None, "error", id=number, msg=said)
        taken = names - self.refused
        if word == "subscribe":
            if taken:
                self.sids += 1
                self.subscribed[self.sids], self.seq[self.sids] = set(taken), 0
                msg = {"channel": CHANNEL, "sid": self.sids}
                self.say(None, "subscribed", id=number, msg=msg)
                for ticker in sorted(taken):
                    self.snapshot(self.sids, ticker)
            return
        sid = params["sids"][0]
        if sid not in self.subscribed:
            self.say(None, "error", id=number, msg={"code": 7, "msg": "Unknown subscription ID"})
            return
        held = self.subscribed[sid]
        if params["action"] == "delete_markets":
            held -= names
        elif params["action"] == "add_markets":
            held |= taken
        self.say(sid, "ok", id=number, msg={"market_tickers": sorted(held)})
        if params["action"] != "delete_markets":
            for ticker in sorted(taken):
                self.snapshot(sid, ticker)


STEPS = st.tuples(
    st.sampled_from(("move", "move", "lose", "drop", "end", "refuse", "deaf", "wait")),
    st.sampled_from(TICKERS),
    st.integers(60, 90),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_after_all_faults_are_over_each_book_is_the_venues(
    steps: list[tuple[str, str, int]],
) -> None:
    """Lost messages, dropped markets, ended subscriptions, refusals, silence: then the truth."""
    venue = Exchange()
    for what, ticker, number in steps:
        if what == "move":
            venue.move(ticker, number)
        elif what == "lose":
            venue.losing = number % 4
        elif what == "drop":
            for tickers in venue.subscribed.values():
                tickers.discard(ticker)
        elif what == "end":
            venue.subscribed.clear()
        elif what == "refuse":
            venue.refused ^= {ticker}
        elif what == "deaf":
            venue.is_deaf = not venue.is_deaf
        for _ in range(number % 15):
            venue.look()
    venue.losing, venue.is_deaf = 0, False
    venue.refused.clear()
    if venue.feed.is_wanting(venue.now_ns + 60 * NS_PER_SECOND):
        venue.feed.disconnect()
        venue.subscribed.clear()
    for _ in range(HEALED_TICKS):
        venue.look()
    for ticker in TICKERS:
        last = venue.last[ticker]
        assert last.bids == ((venue.books[ticker] * 10_000, 5 * MICRO),)
        assert venue.now_ns - last.ts_ns <= QUIET_NS + 2 * TICK
