"""Which books of Kalshi's are followed, since when each is known, and what is to be asked for.

Guarantees that a quote is as old as the venue's own word on that very book: its snapshot, its
change, or for a while the list of subscriptions that still names it; never a sign of life of the
wire. A quiet book is asked for again and again. A number that is missing, a level below nothing, a
market that is refused or no longer named is the trouble of that book, or of its subscription, and
of no other; what was told of it last grows old until it is whole again.

It holds no socket and no clock: messages come in, quotes and commands go out.
"""

from collections.abc import Callable, Iterable

import msgspec

from arbees.core.language.quote import Quote
from arbees.core.language.units import NS_PER_MILLISECOND, NS_PER_SECOND
from arbees.errors import VenueError
from arbees.venues.kalshi.connection.socket import Message, StreamError
from arbees.venues.kalshi.markets.book import (
    BookLevels,
    Delta,
    OrderBook,
    Scale,
)
from arbees.venues.kalshi.shapes import read

CHANNEL = "orderbook_delta"
FOLLOWED_MAX = 500
"""So many quiet books can be asked for within the age that a quote may have."""
QUIET_NS = 2_500_000_000
"""A book of which nothing came for so long is asked for."""
ASKED_MAX = 20
"""Books asked for in one command."""
LIST_NS = 3 * NS_PER_SECOND
"""The subscriptions are listed this often."""
NAMED_NS = 10 * NS_PER_SECOND
"""So long after its own last word a book is as new as the list that names its subscription."""
RENEW_NS = NS_PER_SECOND
"""A book that did not change is told again this often, as long as it is known."""
ANSWER_NS = 5 * NS_PER_SECOND
"""A book that is asked for and does not come is subscribed anew."""
SUBSCRIBE_NS = 30 * NS_PER_SECOND
"""A connection that confirms no subscription for so long is of no use."""
REFUSED_NS = 5 * NS_PER_SECOND
REFUSED_MAX_NS = 300 * NS_PER_SECOND
"""A market that is refused is asked for again after that, later and later."""
UNKNOWN_SUBSCRIPTION = 7
NOT_THERE = frozenset({5, 13})
"""Errors by which a command is not known at all."""
TOO_MANY = 27
PROOFS_MAX = 3
"""Rows of a market that say nothing of the prices of its book, before what we ask for is taken."""
MISREAD_NS = 60 * NS_PER_SECOND
"""A connection that tells books in other prices is given up after that: the next may not."""
NOS_MIN = 2
"""Rows that must contradict a book before no book is read."""


class FollowedBook:
    """One market."""

    def __init__(self, market_id: str) -> None:
        """Begin to follow; nothing is known yet."""
        self.market_id = market_id
        self.book = OrderBook()
        self.sid: int | None = None
        """The subscription that tells it; None = none."""
        self.is_whole = False
        """Whether its book is the venue's as of the last number."""
        self.heard_ns = 0
        """When its own last word came."""
        self.as_of_ns = 0
        """As of when it is known, in our time; never goes back."""
        self.told_ns = 0
        self.asked_ns: int | None = None
        """Since when its book is awaited; None = it is not."""
        self.not_before_ns = 0
        self._pause_ns = REFUSED_NS
        self.is_alone = False
        """It is asked for in a command of its own: one of several was refused without a name."""

    def doubt(self) -> None:
        """Believe nothing of its book until it comes whole."""
        self.is_whole, self.asked_ns = False, None

    def lose(self) -> None:
        """Take it that no subscription tells it any more."""
        self.doubt()
        self.sid = None

    def refuse(self, now_ns: int) -> None:
        """Ask for it later, and later still the next time."""
        self.lose()
        self.not_before_ns = now_ns + self._pause_ns
        self._pause_ns = min(2 * self._pause_ns, REFUSED_MAX_NS)

    def take(self, now_ns: int) -> None:
        """Take that its whole book came."""
        self.is_whole, self.asked_ns, self.is_alone = True, None, False
        self._pause_ns, self.not_before_ns = REFUSED_NS, 0
        self.heard_ns = now_ns


class SentCommand(msgspec.Struct):
    """A command that was sent."""

    word: str
    tickers: set[str]
    sent_ns: int


class Subscribed(msgspec.Struct, frozen=True):
    """A channel was subscribed."""

    channel: str = ""
    sid: int | None = None


class Named(msgspec.Struct, frozen=True):
    """A subscription in the list of them; it may say of which markets."""

    channel: str = ""
    sid: int | None = None
    market_tickers: tuple[str, ...] | None = None


class Updated(msgspec.Struct, frozen=True):
    """The markets of a subscription after a change."""

    market_tickers: tuple[str, ...] | None = None


class OfMarket(msgspec.Struct, frozen=True):
    """Which market a message is about."""

    market_ticker: str = ""


class BookSubscriptions:
    """Which books are asked for, and what is to be asked for next."""

    def __init__(self, offset_ns: Callable[[], int | None]) -> None:
        """
        Follow nothing yet.

        Args:
            offset_ns: our clock less the venue's; None = not known.
        """
        self._offset_ns = offset_ns
        self.sink: Callable[[Quote], None] = lambda _quote: None
        """Told of each state of each book."""
        self.followed: dict[str, FollowedBook] = {}
        self._leaving: set[str] = set()
        self._sid: int | None = None
        self._seq = 0
        self._last: tuple[str, bytes] = ("", b"")
        self._since = 0
        """Number of the command that subscribed."""
        self._asked: dict[int, SentCommand] = {}
        self._number = 0
        self._listed_ns = 0
        self._paused_until_ns = 0
        self._has_snapshots = True
        self.scale = Scale.UNPROVEN
        self._proofs = self._nos = 0
        self._misread_ns = 0

    def follow(self, market_id: str) -> None:
        """Follow a market from now on; beyond the most it is not: what is held goes on."""
        if market_id not in self.followed and len(self.followed) < FOLLOWED_MAX:
            self.followed[market_id] = FollowedBook(market_id)

    def let_go(self, market_id: str) -> None:
        """Follow a market no more."""
        found = self.followed.pop(market_id, None)
        if found is not None and found.sid is not None:
            self._leaving.add(market_id)

    def disconnect(self) -> None:
        """Take it that the connection is over."""
        self._sid, self._seq, self._listed_ns, self._paused_until_ns = None, 0, 0, 0
        self._asked.clear()
        self._leaving.clear()
        self._has_snapshots, self.scale = True, Scale.UNPROVEN
        self._proofs = self._nos = 0
        for each in self.followed.values():
            each.lose()

    def is_wanting(self, now_ns: int) -> bool:
        """Tell whether the connection is of no use: no answer to the subscription, or no prices."""
        if self.scale is Scale.NO:
            return now_ns - self._misread_ns > MISREAD_NS
        return self._sid is None and any(
            asked.word == "subscribe" and now_ns - asked.sent_ns > SUBSCRIBE_NS
            for asked in self._asked.values()
        )

    # What is to be asked for -------------------------------------------------------------------

    def commands(self, now_ns: int) -> list[dict[str, object]]:
        """Return the commands that are due now, in order."""
        if now_ns < self._paused_until_ns:
            return []
        self._forget(now_ns)
        found = self._subscriptions(now_ns)
        if self._sid is None:
            return found
        if self._leaving:
            found.insert(0, self._update("delete_markets", self._leaving, now_ns))
            self._leaving = set()
        found += self._snapshots(now_ns)
        if now_ns - self._listed_ns >= LIST_NS:
            self._listed_ns = now_ns
            found.append(self._command("list_subscriptions", (), {}, now_ns))
        return found

    def _forget(self, now_ns: int) -> None:
        """Give up what is not answered: that book alone is subscribed anew."""
        for number, asked in list(self._asked.items()):
            if now_ns - asked.sent_ns > SUBSCRIBE_NS and asked.word != "subscribe":
                del self._asked[number]
        for each in self.followed.values():
            is_late = each.asked_ns is not None and now_ns - each.asked_ns > ANSWER_NS
            if is_late and self._sid is not None:
                self._leaving.add(each.market_id)
                each.refuse(now_ns)

    def _subscriptions(self, now_ns: int) -> list[dict[str, object]]:
        is_pending = any(asked.word == "subscribe" for asked in self._asked.values())
        if self._sid is None and is_pending:
            return []  # a second one would have a number of its own, to which nobody listens
        missing = [
            each
            for each in self.followed.values()
            if each.sid is None
            and each.asked_ns is None
            and now_ns >= each.not_before_ns
            and each.market_id not in self._leaving
        ]
        if not missing:
            return []
        alone = [each for each in missing if each.is_alone]
        together = [each for each in missing if not each.is_alone]
        groups = ([together] if together else []) + [[each] for each in alone[:ASKED_MAX]]
        if self._sid is None:
            groups = groups[:1]
        found: list[dict[str, object]] = []
        for group in groups:
            for each in group:
                each.asked_ns = now_ns
            tickers = [each.market_id for each in group]
            if self._sid is None:
                more: dict[str, object] = {"channels": [CHANNEL], "use_yes_price": True}
                found.append(self._command("subscribe", tickers, more, now_ns))
                self._since = self._number
            else:
                found.append(self._update("add_markets", tickers, now_ns))
        return found

    def _snapshots(self, now_ns: int) -> list[dict[str, object]]:
        """Ask for the books that are in doubt, and for those of which nothing came for a while."""
        due = [
            each
            for each in self.followed.values()
            if each.sid == self._sid
            and each.asked_ns is None
            and now_ns >= each.not_before_ns
            and (not each.is_whole or now_ns - each.heard_ns >= QUIET_NS)
        ]
        if not self._has_snapshots:
            for each in due:
                if not each.is_whole:
                    self._leaving.add(each.market_id)
                    each.lose()
            return []
        due.sort(key=lambda each: (each.is_whole, each.heard_ns))
        tickers = [each.market_id for each in due[:ASKED_MAX]]
        for each in due[:ASKED_MAX]:
            each.asked_ns = now_ns
        return [self._update("get_snapshot", tickers, now_ns)] if tickers else []

    def _update(self, action: str, tickers: Iterable[str], now_ns: int) -> dict[str, object]:
        more: dict[str, object] = {"sids": [self._sid], "action": action}
        return self._command("update_subscription", tickers, more, now_ns)

    def _command(
        self, word: str, tickers: Iterable[str], more: dict[str, object], now_ns: int
    ) -> dict[str, object]:
        self._number += 1
        named = list(tickers)
        action = str(more.get("action", word))
        self._asked[self._number] = SentCommand(action, set(named), now_ns)
        found: dict[str, object] = {"id": self._number, "cmd": word}
        if named:
            more = {**more, "market_tickers": named}
        return found | {"params": more} if more else found


class BookFeed(BookSubscriptions):
    """The books of one connection after the other, as messages tell them."""

    def take(self, message: Message, now_ns: int) -> None:
        """Take the next message of the connection."""
        match message.type:
            case "subscribed":
                self._subscribed(message)
            case "error":
                self._refused(message, now_ns)
            case "ok":
                self._answered(message, now_ns)
            case _:
                pass
        if message.seq is None or message.sid is None or message.sid != self._sid:
            return
        is_new = self._is_next(message)
        try:
            if message.type == "orderbook_snapshot":
                self._snapshot(message, now_ns)
            elif message.type == CHANNEL and is_new:
                self._delta(message, now_ns)
        except VenueError:
            self._doubt(message, now_ns)

    def _is_next(self, message: Message) -> bool:
        """Follow the numbers of the subscription; False = a message that came before already."""
        seq, last = message.seq or 0, (message.type, bytes(message.msg))
        is_content = message.type in {CHANNEL, "orderbook_snapshot"}
        if seq == self._seq and (not is_content or last == self._last):
            return False
        is_answer = message.type == "orderbook_snapshot" and seq == self._seq
        if self._seq and seq != self._seq + 1 and not is_answer:
            for each in self.followed.values():
                if each.sid == self._sid:
                    each.doubt()
        self._seq, self._last = seq, last
        return True

    def _snapshot(self, message: Message, now_ns: int) -> None:
        snapshot = read(message.msg, BookLevels)
        each = self.followed.get(snapshot.market_ticker)
        if each is None or each.market_id in self._leaving:
            return
        each.book.replace(snapshot)
        each.sid = self._sid
        each.take(now_ns)
        self._tell(each, self._ours(message.sending_ts_ms, now_ns), now_ns)

    def _delta(self, message: Message, now_ns: int) -> None:
        delta = read(message.msg, Delta)
        each = self.followed.get(delta.market_ticker)
        if each is None or not each.is_whole:
            return  # its snapshot comes first
        each.book.change(delta)
        each.heard_ns = now_ns
        at_ms = delta.ts_ms if delta.ts_ms is not None else message.sending_ts_ms
        self._tell(each, self._ours(at_ms, now_ns), now_ns)

    def _doubt(self, message: Message, now_ns: int) -> None:
        """Doubt the book that a message is about, which cannot be read; without a name all."""
        try:
            name = read(message.msg, OfMarket).market_ticker
        except VenueError:
            name = ""
        for each in self.followed.values():
            if each.market_id == name or (not name and each.sid == self._sid):
                each.doubt()
                each.not_before_ns = now_ns + RENEW_NS

    # Answers -----------------------------------------------------------------------------------

    def _subscribed(self, message: Message) -> None:
        found = read(message.msg, Subscribed)
        asked = self._asked.pop(message.id or self._since, None)
        if self._sid is not None or found.sid is None:
            return
        self._sid, self._seq = found.sid, 0
        for ticker in asked.tickers if asked is not None else ():
            if ticker in self.followed:
                self.followed[ticker].sid = found.sid

    def _answered(self, message: Message, now_ns: int) -> None:
        asked = self._asked.pop(message.id or 0, None)
        if asked is None:
            return
        if asked.word == "list_subscriptions":
            if message.id is not None and message.id > self._since:
                named = read(message.msg, tuple[Named, ...])
                self._listed(named, self._ours(message.sending_ts_ms, now_ns), now_ns)
            return
        known = read(message.msg, Updated).market_tickers
        for ticker in asked.tickers:
            each = self.followed.get(ticker)
            if each is None or asked.word == "delete_markets":
                continue
            if known is not None and ticker not in known:
                # Asked for, and not there all the same: added again, later each time.
                each.refuse(now_ns) if asked.word == "add_markets" else each.lose()
            elif each.sid is None and asked.word == "add_markets":
                each.sid = self._sid

    def _listed(self, named: tuple[Named, ...], as_of_ns: int, now_ns: int) -> None:
        """Renew what the venue names, and subscribe anew what it does not."""
        ours = next((each for each in named if each.sid == self._sid), None)
        if ours is None:
            self._lose_subscription()
            return
        for each in self.followed.values():
            if each.sid != self._sid:
                continue
            if ours.market_tickers is not None and each.market_id not in ours.market_tickers:
                each.lose()
                continue
            is_trusted = not self._has_snapshots or now_ns - each.heard_ns <= NAMED_NS
            if each.is_whole and is_trusted:
                self._tell(each, as_of_ns, now_ns, is_news=False)

    def _lose_subscription(self) -> None:
        for each in self.followed.values():
            each.lose()  # also what was to be added to it
        self._leaving.clear()
        self._sid, self._seq = None, 0

    def _refused(self, message: Message, now_ns: int) -> None:
        """Take an error: it is of one market, of one command, or of the subscription."""
        error = read(message.msg, StreamError)
        asked = self._asked.get(message.id or 0)
        if error.market_ticker:
            each = self.followed.get(error.market_ticker)
            if each is not None:
                each.refuse(now_ns)
            if asked is not None:
                asked.tickers.discard(error.market_ticker)
                if not asked.tickers:
                    self._asked.pop(message.id or 0, None)
            return
        if asked is None:
            return
        self._asked.pop(message.id or 0, None)
        ours = [self.followed[name] for name in asked.tickers if name in self.followed]
        for each in ours:
            each.asked_ns = None
        if error.code == UNKNOWN_SUBSCRIPTION:
            self._lose_subscription()
        elif error.code == TOO_MANY:
            self._paused_until_ns = now_ns + REFUSED_NS
        elif asked.word == "get_snapshot":
            self._has_snapshots = error.code not in NOT_THERE
            for each in ours:
                each.not_before_ns = now_ns + REFUSED_NS
        elif asked.word in {"subscribe", "add_markets"}:
            for each in ours:
                if len(ours) == 1:
                    each.refuse(now_ns)
                else:
                    each.is_alone = True

    # What is told ------------------------------------------------------------------------------

    def _ours(self, at_ms: int | None, now_ns: int) -> int:
        """Return a moment of the venue's clock in ours; no later than now."""
        if at_ms is None:
            return now_ns
        at_ns = at_ms * NS_PER_MILLISECOND + (self._offset_ns() or 0)
        return min(at_ns, now_ns)

    def _tell(
        self, each: FollowedBook, as_of_ns: int, now_ns: int, *, is_news: bool = True
    ) -> None:
        """Tell a book as of a moment, unless it cannot be known in whose prices it is."""
        each.as_of_ns = max(each.as_of_ns, as_of_ns)
        if self.scale is Scale.UNPROVEN and each.book.scale() is Scale.YES:
            self.scale = Scale.YES
        is_misread = bool(each.book.asks) and self.scale is not Scale.YES
        if is_misread or (not is_news and now_ns - each.told_ns < RENEW_NS):
            return
        each.told_ns = now_ns
        self.sink(each.book.quote(each.market_id, each.as_of_ns))

    # In whose prices ---------------------------------------------------------------------------

    def unproven(self) -> str | None:
        """Return a market by whose row it can be known in whose prices books are told."""
        if self.scale is not Scale.UNPROVEN:
            return None
        whole = (each for each in self.followed.values() if each.is_whole and each.book.asks)
        return next((each.market_id for each in whole), None)

    def prove(self, market_id: str, ask: int | None, now_ns: int) -> None:
        """
        Compare a market's own row with its book.

        Args:
            market_id: of the market.
            ask: best ask of its row, in micro-dollars of Yes; None = it names none.
            now_ns: the clock.
        """
        each = self.followed.get(market_id)
        if each is None or not each.is_whole or self.scale is not Scale.UNPROVEN:
            return
        found = Scale.UNPROVEN if ask is None else each.book.scale_by(ask)
        self._proofs += 1
        self._nos += found is Scale.NO
        if found is Scale.YES or (not self._nos and self._proofs >= PROOFS_MAX):
            self.scale = Scale.YES
            for other in self.followed.values():
                if other.is_whole:
                    self._tell(other, other.as_of_ns, now_ns)
        elif self._nos >= NOS_MIN:
            self.scale, self._misread_ns = Scale.NO, now_ns
