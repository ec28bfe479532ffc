"""Which books are followed and since when: one market's trouble is its own, and age is honest."""

import json
from typing import Any

import pytest

from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO, NS_PER_MILLISECOND, NS_PER_SECOND
from arbees.venues.kalshi.connection.socket import Message
from arbees.venues.kalshi.markets.book import Scale
from arbees.venues.kalshi.markets.feed import (
    ASKED_MAX,
    FOLLOWED_MAX,
    MISREAD_NS,
    NAMED_NS,
    NOS_MIN,
    PROOFS_MAX,
    BookFeed,
)
from arbees.venues.kalshi.shapes import read

A, B, C = "KX-A", "KX-B", "KX-C"
CENT = 10_000
START = 1_800_000_000 * NS_PER_SECOND
SECOND = NS_PER_SECOND


class Venue:
    """The other end, by hand: it takes commands and says what a test lets it say."""

    def __init__(self, *tickers: str, offset_ns: int | None = 0) -> None:
        self.now_ns = START
        self.feed = BookFeed(lambda: offset_ns)
        self.quotes: list[Quote] = []
        self.feed.sink = self.quotes.append
        self.sent: list[dict[str, Any]] = []
        self.seq = 0
        for ticker in tickers:
            self.feed.follow(ticker)

    def look(self, seconds: float = 0) -> list[dict[str, Any]]:
        """Let time pass and return the commands that are due."""
        self.now_ns += round(seconds * SECOND)
        found: list[dict[str, Any]] = list(self.feed.commands(self.now_ns))
        self.sent += found
        return found

    def of(self, word: str) -> list[dict[str, Any]]:
        """Return the commands so far of a word, or an action."""
        return [
            each
            for each in self.sent
            if word in {each["cmd"], each.get("params", {}).get("action", "")}
        ]

    def say(self, kind: str, *, seq: int | None = None, sid: int | None = 1, **frame: Any) -> None:
        """Say a message; `seq` none = the next number of the subscription."""
        fields = {"type": kind, "sid": sid, "seq": seq, **frame}
        text = json.dumps({name: value for name, value in fields.items() if value is not None})
        self.feed.take(read(text, Message), self.now_ns)

    def next(self, kind: str, **frame: Any) -> None:
        """Say the next message of the subscription."""
        self.seq += 1
        self.say(kind, seq=self.seq, **frame)

    def snapshot(self, ticker: str, bid: int = 75, ask: int = 76, **frame: Any) -> None:
        """Tell a whole book, one level a side."""
        said = {
            "market_ticker": ticker,
            "yes_dollars_fp": [[f"0.{bid:02}00", "5.00"]],
            "no_dollars_fp": [[f"0.{ask:02}00", "7.00"]],
        }
        self.next("orderbook_snapshot", msg=said, **frame)

    def delta(self, ticker: str, change: str = "1.00", price: str = "0.7500", **more: Any) -> None:
        """Tell a change of a bid."""
        said = {"market_ticker": ticker, "price_dollars": price, "delta_fp": change, "side": "yes"}
        self.next("orderbook_delta", msg=said | more)

    def begin(self) -> None:
        """Confirm the subscription and tell each book of it."""
        (command,) = self.look()[:1]
        self.say("subscribed", sid=None, id=command["id"], msg={"channel": "x", "sid": 1})
        for ticker in command["params"]["market_tickers"]:
            self.snapshot(ticker)

    def answer(self, word: str, msg: object, **frame: Any) -> None:
        """Answer the last command of a word."""
        self.say("ok", sid=frame.pop("sid", None), id=self.of(word)[-1]["id"], msg=msg, **frame)

    def age(self, ticker: str) -> float:
        """Return how old the last quote of a market is, in seconds."""
        last = [each for each in self.quotes if each.market_id == ticker][-1]
        return (self.now_ns - last.ts_ns) / SECOND


def refuse(venue: Venue, number: int, code: int = 16, ticker: str = "") -> None:
    """Refuse a command, or a market of it."""
    said: dict[str, Any] = {"code": code, "msg": "no"}
    if ticker:
        said["market_ticker"] = ticker
    venue.say("error", sid=None, id=number, msg=said)


# Age -------------------------------------------------------------------------------------------


def test_books_are_asked_for_in_prices_of_yes() -> None:
    """One subscription for all, and what is added later is added to it."""
    venue = Venue(A, B)
    (command,) = venue.look()
    assert command == {
        "id": 1,
        "cmd": "subscribe",
        "params": {
            "channels": ["orderbook_delta"],
            "use_yes_price": True,
            "market_tickers": [A, B],
        },
    }
    assert venue.look(1) == [], "one answer is waited for"
    venue.say("subscribed", sid=None, id=1, msg={"channel": "orderbook_delta", "sid": 1})
    venue.feed.follow(C)
    (added,) = [each for each in venue.look() if each["cmd"] == "update_subscription"]
    assert added["params"] == {"sids": [1], "action": "add_markets", "market_tickers": [C]}


def test_a_quote_is_as_old_as_the_word_on_that_very_book() -> None:
    """Signs of life, and news of another market, renew nothing."""
    venue = Venue(A, B)
    venue.begin()
    for _ in range(30):
        venue.now_ns += SECOND
        venue.delta(B)
        venue.say("ok", sid=None, id=99, msg=[])
    assert (venue.age(A), venue.age(B)) == (30, 0)


def test_an_empty_list_renews_nothing_and_subscribes_anew() -> None:
    """A subscription that is no longer named is lost, whatever the connection says."""
    venue = Venue(A)
    venue.begin()
    venue.look(3)
    venue.answer("list_subscriptions", [])
    assert venue.age(A) == 3
    (command,) = venue.look()
    assert (command["cmd"], command["params"]["market_tickers"]) == ("subscribe", [A])
    venue.say("subscribed", sid=None, id=command["id"], msg={"channel": "x", "sid": 1})
    assert venue.age(A) == 3, "confirmed is not told"
    venue.seq = 0
    venue.snapshot(A)
    assert venue.age(A) == 0


def test_the_list_renews_what_it_names_for_a_while() -> None:
    """Of a book whose own word is not too old; and another subscription is none of ours."""
    venue = Venue(A)
    venue.begin()
    venue.look(3)
    venue.answer("list_subscriptions", [{"channel": "orderbook_delta", "sid": 1}])
    assert venue.age(A) == 0
    for age in (0, 5.1):  # no snapshot may be asked for; the second time for too long
        refuse(venue, venue.of("get_snapshot")[-1]["id"], 27)
        venue.look(5.1)
        venue.answer("list_subscriptions", [{"channel": "orderbook_delta", "sid": 1}])
        assert venue.age(A) == age
    assert NAMED_NS == 10 * SECOND


def test_a_list_that_names_markets_renews_those_alone() -> None:
    """A market that the subscription dropped is added again; the other goes on."""
    venue = Venue(A, B)
    venue.begin()
    venue.look(3)
    named = [{"channel": "orderbook_delta", "sid": 1, "market_tickers": [B]}]
    venue.answer("list_subscriptions", named)
    assert (venue.age(A), venue.age(B)) == (3, 0)
    venue.look()
    assert venue.of("add_markets")[-1]["params"]["market_tickers"] == [A]


def test_a_quiet_book_is_asked_for() -> None:
    """Its answer is the venue's own word, and may say that a change was missed."""
    venue = Venue(A, B)
    venue.begin()
    venue.look(2.4)
    assert venue.of("get_snapshot") == []
    venue.delta(B)
    venue.look(0.1)
    assert [each["params"]["market_tickers"] for each in venue.of("get_snapshot")] == [[A]]
    venue.answer("get_snapshot", {"market_tickers": [A, B]})
    venue.snapshot(A, 5, 9)
    assert venue.age(A) == 0
    assert venue.quotes[-1].bids == ((5 * CENT, 5 * MICRO),)


def test_a_market_that_a_snapshot_shows_to_be_dropped_is_added_again() -> None:
    """The subscription is listed on, and its markets after the command are not all of ours."""
    venue = Venue(A, B)
    venue.begin()
    venue.look(3)
    venue.answer("get_snapshot", {"market_tickers": [B]})
    venue.look()
    assert venue.of("add_markets")[-1]["params"]["market_tickers"] == [A]


def test_a_snapshot_that_does_not_come_subscribes_that_book_anew() -> None:
    """It alone is let go and added again."""
    venue = Venue(A, B)
    venue.begin()
    venue.look(3)
    venue.snapshot(B)
    venue.look(5.1)
    assert venue.of("delete_markets")[-1]["params"]["market_tickers"] == [A]
    venue.look(5)
    assert venue.of("add_markets")[-1]["params"]["market_tickers"] == [A]


def test_without_snapshots_the_list_is_what_renews() -> None:
    """A venue that does not know the command is not asked again, and its books stay known."""
    venue = Venue(A)
    venue.begin()
    venue.look(3)
    number = venue.of("get_snapshot")[-1]["id"]
    venue.say("error", sid=None, id=number, msg={"code": 13, "msg": "Unsupported action"})
    for _ in range(20):
        venue.look(3)
        venue.answer("list_subscriptions", [{"channel": "orderbook_delta", "sid": 1}])
    assert venue.age(A) == 0
    assert len(venue.of("get_snapshot")) == 1


@pytest.mark.parametrize(
    ("offset", "ahead_ms", "expected"), [(5, 0, 0), (5, -400, 400), (5, 900, 0)]
)
def test_the_time_is_the_venues_in_our_clock(offset: int, ahead_ms: int, expected: int) -> None:
    """Our clock is five seconds ahead of the venue's; nothing is told from the future."""
    venue = Venue(A, offset_ns=offset * SECOND)
    venue.begin()
    venue.now_ns += 10 * SECOND
    there_ms = (venue.now_ns - offset * SECOND) // NS_PER_MILLISECOND + ahead_ms
    venue.delta(A, ts_ms=there_ms)
    assert venue.now_ns - venue.quotes[-1].ts_ns == expected * NS_PER_MILLISECOND


def test_a_time_never_goes_back() -> None:
    """A change dated before the last word is news all the same: it came after it."""
    venue = Venue(A)
    venue.begin()
    first = venue.quotes[-1].ts_ns
    venue.delta(A, ts_ms=(START - 60 * SECOND) // NS_PER_MILLISECOND)
    assert venue.quotes[-1].ts_ns == first
    assert venue.quotes[-1].bids == ((75 * CENT, 6 * MICRO),)


# Numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seq", [1, 4, 9])
def test_a_number_that_is_missing_asks_for_the_books_again(seq: int) -> None:
    """Nothing of it is told; meanwhile they grow old, and the next snapshot makes them whole."""
    venue = Venue(A, B)
    venue.begin()
    told = len(venue.quotes)
    said = {"market_ticker": A, "price_dollars": "0.7500", "delta_fp": "1.00", "side": "yes"}
    venue.say("orderbook_delta", seq=seq, msg=said)
    venue.seq = seq
    venue.delta(A)
    assert len(venue.quotes) == told
    venue.look()
    assert sorted(venue.of("get_snapshot")[-1]["params"]["market_tickers"]) == [A, B]
    venue.snapshot(A)
    venue.delta(A)
    assert venue.quotes[-1].bids == ((75 * CENT, 6 * MICRO),)


def test_a_message_that_comes_twice_counts_once() -> None:
    """The same number with the same words; with others something is wrong."""
    venue = Venue(A)
    venue.begin()
    venue.delta(A)
    venue.seq -= 1
    venue.delta(A)
    assert venue.quotes[-1].bids == ((75 * CENT, 6 * MICRO),)
    venue.delta(A, "2.00")
    venue.seq -= 1
    venue.delta(A, "3.00")
    assert not venue.feed.followed[A].is_whole


@pytest.mark.parametrize("kind", ["ok", "error", "unsubscribed"])
@pytest.mark.parametrize("is_new", [True, False])
def test_answers_have_numbers_too(kind: str, is_new: bool) -> None:
    """The next one, or the last one again; whatever they say."""
    venue = Venue(A)
    venue.begin()
    venue.seq += is_new
    venue.say(kind, seq=venue.seq, id=77, msg={"code": 18, "msg": "Command timeout"})
    venue.delta(A)
    assert venue.quotes[-1].bids == ((75 * CENT, 6 * MICRO),)


@pytest.mark.parametrize(
    "wrong",
    [
        {"price_dollars": "cheap"},
        {"delta_fp": "-9.00"},
        {"side": "maybe"},
        {"price_dollars": None},
    ],
)
def test_a_change_that_cannot_be_read_is_the_trouble_of_its_book(wrong: dict[str, Any]) -> None:
    """It is asked for again; the other book goes on."""
    venue = Venue(A, B)
    venue.begin()
    venue.delta(A, **wrong)
    venue.delta(B)
    assert venue.quotes[-1].market_id == B
    venue.look(1)
    assert venue.of("get_snapshot")[-1]["params"]["market_tickers"] == [A]


def test_what_names_no_market_is_everybodys_trouble() -> None:
    """Something was missed, and nobody knows of whom."""
    venue = Venue(A, B)
    venue.begin()
    venue.next("orderbook_delta", msg={"price_dollars": 3})
    assert not any(each.is_whole for each in venue.feed.followed.values())


# Refusals --------------------------------------------------------------------------------------


def test_a_market_that_is_refused_by_name_is_its_own_trouble() -> None:
    """The others are followed; it is asked for again, later each time."""
    venue = Venue(A, B)
    (command,) = venue.look()
    venue.say("subscribed", sid=None, id=command["id"], msg={"channel": "x", "sid": 1})
    refuse(venue, command["id"], ticker=A)
    venue.snapshot(B)
    assert venue.quotes[-1].market_id == B
    waits: list[float] = []
    for _ in range(4):
        asked, began = len(venue.of("add_markets")), venue.now_ns
        while len(venue.of("add_markets")) == asked:
            venue.look(0.25)
            venue.snapshot(B)
        waits.append((venue.now_ns - began) / SECOND)
        assert venue.of("add_markets")[-1]["params"]["market_tickers"] == [A]
        refuse(venue, venue.of("add_markets")[-1]["id"], ticker=A)
    assert waits == [5, 10, 20, 40]


def test_where_all_are_refused_there_is_no_subscription() -> None:
    """An error without a subscription; a market that comes later is not held up by it."""
    venue = Venue(A)
    (command,) = venue.look()
    refuse(venue, command["id"], ticker=A)
    venue.feed.follow(B)
    (command,) = venue.look(0.25)
    assert (command["cmd"], command["params"]["market_tickers"]) == ("subscribe", [B])


@pytest.mark.parametrize("code", [6, 11, 16, 17, 26, 99])
def test_a_command_that_is_refused_without_a_name_is_asked_market_by_market(code: int) -> None:
    """So that it is known which it was."""
    venue = Venue(A, B)
    (command,) = venue.look()
    refuse(venue, command["id"], code)
    (command,) = venue.look(0.25)
    assert command["params"]["market_tickers"] == [A]
    refuse(venue, command["id"], code)
    (command,) = venue.look(0.25)
    assert command["params"]["market_tickers"] == [B]
    venue.say("subscribed", sid=None, id=command["id"], msg={"channel": "x", "sid": 1})
    venue.snapshot(B)
    assert venue.quotes[-1].market_id == B


def test_an_unknown_subscription_is_subscribed_anew() -> None:
    """Whichever command hears of it."""
    venue = Venue(A)
    venue.begin()
    venue.look(3)
    refuse(venue, venue.of("get_snapshot")[-1]["id"], 7)
    (command,) = venue.look()
    assert command["cmd"] == "subscribe"
    assert venue.age(A) == 3


def test_too_many_commands_wait() -> None:
    """Nothing is asked for a while, and then goes on."""
    venue = Venue(A)
    venue.begin()
    venue.look(3)
    refuse(venue, venue.of("get_snapshot")[-1]["id"], 27)
    assert venue.look(4.9) == []
    assert venue.look(0.2) != []


def test_what_is_let_go_is_let_go_at_the_venue() -> None:
    """A settled market; and what its stream still tells of it is told to nobody."""
    venue = Venue(A, B)
    venue.begin()
    venue.feed.let_go(A)
    told = len(venue.quotes)
    venue.delta(A)
    assert len(venue.quotes) == told
    venue.look()
    assert venue.of("delete_markets")[-1]["params"]["market_tickers"] == [A]


def test_so_many_are_followed_and_no_more() -> None:
    """What is followed goes on; one that is let go makes room."""
    venue = Venue(*(f"KX-{number}" for number in range(FOLLOWED_MAX + 1)))
    assert len(venue.feed.followed) == FOLLOWED_MAX
    venue.feed.let_go("KX-0")
    venue.feed.follow("KX-NEW")
    assert list(venue.feed.followed)[-1] == "KX-NEW"
    venue.begin()
    venue.look(3)
    assert len(venue.of("get_snapshot")[-1]["params"]["market_tickers"]) == ASKED_MAX


def test_a_connection_that_ends_leaves_nothing_behind() -> None:
    """What was told grows old; all is asked for anew."""
    venue = Venue(A)
    venue.begin()
    venue.feed.disconnect()
    venue.now_ns += SECOND
    venue.delta(A)
    assert venue.age(A) == 1
    assert venue.look()[0]["cmd"] == "subscribe"


def test_a_connection_without_a_confirmation_is_of_no_use() -> None:
    """After half a minute; before, and with one, it is."""
    venue = Venue(A)
    assert not venue.feed.is_wanting(venue.now_ns)
    venue.look()
    assert not venue.feed.is_wanting(venue.now_ns + 30 * SECOND)
    assert venue.feed.is_wanting(venue.now_ns + 30 * SECOND + 1)


# Prices ----------------------------------------------------------------------------------------


def test_a_book_that_can_be_read_one_way_only_proves_the_prices() -> None:
    """Bid 75, ask 76: in prices of No that would be a crossed book."""
    venue = Venue(A)
    venue.begin()
    assert venue.feed.scale is Scale.YES
    assert venue.quotes[-1].asks == ((76 * CENT, 7 * MICRO),)


def test_a_book_that_can_be_read_both_ways_waits_for_the_row() -> None:
    """Bid 38 and a level at 40: ask 40, or ask 60? The row of the market knows."""
    venue = Venue(A)
    (command,) = venue.look()
    venue.say("subscribed", sid=None, id=command["id"], msg={"channel": "x", "sid": 1})
    venue.snapshot(A, 38, 40)
    assert venue.quotes == []
    assert venue.feed.unproven() == A
    venue.feed.prove(A, 40 * CENT, venue.now_ns)
    assert venue.quotes[-1].asks == ((40 * CENT, 7 * MICRO),)
    assert venue.feed.unproven() is None


def test_prices_that_we_did_not_ask_for_are_not_read() -> None:
    """The row contradicts the book, twice: no book of the connection is told any more."""
    venue = Venue(A, B)
    (command,) = venue.look()
    venue.say("subscribed", sid=None, id=command["id"], msg={"channel": "x", "sid": 1})
    venue.snapshot(A, 38, 60)
    for _ in range(NOS_MIN):
        venue.feed.prove(A, 40 * CENT, venue.now_ns)
    assert venue.feed.scale is Scale.NO
    venue.snapshot(B)
    venue.snapshot(A, 38, 40)
    assert venue.quotes == []
    assert not venue.feed.is_wanting(venue.now_ns + MISREAD_NS)
    assert venue.feed.is_wanting(venue.now_ns + MISREAD_NS + 1), "the next connection may be right"
    venue.feed.disconnect()
    assert not venue.feed.is_wanting(venue.now_ns + MISREAD_NS + 1)


def test_rows_that_say_nothing_do_not_hold_up_for_ever() -> None:
    """A book that moves, a row without an ask: after some looks what we asked for is taken."""
    venue = Venue(A)
    (command,) = venue.look()
    venue.say("subscribed", sid=None, id=command["id"], msg={"channel": "x", "sid": 1})
    venue.snapshot(A, 38, 40)
    for ask in (None, 41 * CENT, 39 * CENT)[:PROOFS_MAX]:
        assert venue.quotes == []
        venue.feed.prove(A, ask, venue.now_ns)
    assert len(venue.quotes) == 1


@pytest.mark.parametrize("ask", [38, 30])
def test_a_crossed_book_is_told_as_empty(ask: int) -> None:
    """Locked too; what was told before is over with it."""
    venue = Venue(A)
    venue.begin()
    venue.snapshot(A, 38, ask)
    assert (venue.quotes[-1].bids, venue.quotes[-1].asks) == ((), ())


def test_a_level_of_nothing_is_none() -> None:
    """And less than nothing is a book that cannot be read."""
    venue = Venue(A)
    venue.begin()
    levels = {"yes_dollars_fp": [["0.7400", "0.00"], ["0.7300", "1.00"]]}
    venue.next("orderbook_snapshot", msg={"market_ticker": A, **levels})
    assert (venue.quotes[-1].bids, venue.quotes[-1].asks) == (((73 * CENT, MICRO),), ())
    told = len(venue.quotes)
    levels = {"yes_dollars_fp": [["0.7400", "-1.00"]]}
    venue.next("orderbook_snapshot", msg={"market_ticker": A, **levels})
    assert len(venue.quotes) == told
    assert not venue.feed.followed[A].is_whole
