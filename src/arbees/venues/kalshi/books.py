"""Kalshi's order books, live: snapshots and changes by number, and a new snapshot after each gap.

Guarantees that a book which is told of is the venue's as of one number in its sequence: a number
that is missing, a level below nothing or a message that cannot be read ends the book's word until
the next snapshot. A book in which nothing moves is told again while the stream proves to be alive,
for which it is asked; nothing is told while it is down or silent, and what was told last grows old.
"""

import asyncio
from collections.abc import Callable

import aiohttp
import msgspec

from arbees.core.ports import Clock
from arbees.core.quote import Quote
from arbees.core.units import MICRO, NS_PER_SECOND
from arbees.core.words import Platform
from arbees.errors import VenueOutcomeUnknown
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.shapes import read
from arbees.venues.kalshi.signing import Signer
from arbees.venues.kalshi.socket import CONNECT_SECONDS, Line, Message

CHANNEL = "orderbook_delta"
LEVELS_MAX = 20
"""Levels of each side that are told; more never fill an order within the limits."""
WATCHED_MAX = 1_000
RENEW_NS = NS_PER_SECOND
"""A book that did not change is told again this often, as long as the stream is alive."""
ASK_SECONDS = 3.0
"""A stream that said nothing for this long is asked for a sign of life: pings are too rare."""


class Snapshot(msgspec.Struct, frozen=True):
    """A whole book: bids of both outcomes."""

    market_ticker: str
    yes_dollars_fp: tuple[tuple[str, str], ...] | None = ()
    no_dollars_fp: tuple[tuple[str, str], ...] | None = ()


class Delta(msgspec.Struct, frozen=True):
    """A change of one level."""

    market_ticker: str
    price_dollars: str
    delta_fp: str
    side: str


class Book:
    """One market: quantities by price, of bids for Yes and of bids for No."""

    def __init__(self) -> None:
        """Start empty."""
        self.yes: dict[int, int] = {}
        self.no: dict[int, int] = {}

    def replace(self, snapshot: Snapshot) -> None:
        """Take a whole book."""
        self.yes = _levels(snapshot.yes_dollars_fp)
        self.no = _levels(snapshot.no_dollars_fp)

    def change(self, delta: Delta) -> None:
        """Take a change. Raises VenueOutcomeUnknown: it does not fit the book."""
        side = {"yes": self.yes, "no": self.no}.get(delta.side)
        if side is None:
            raise shapes.unreadable(f"Kalshi's side: Expected yes or no, was {delta.side!r}")
        price = shapes.micro("price_dollars", delta.price_dollars)
        quantity = side.get(price, 0) + shapes.micro("delta_fp", delta.delta_fp)
        if quantity < 0:
            raise shapes.unreadable(f"Kalshi's book has {quantity} at {delta.price_dollars}")
        if quantity:
            side[price] = quantity
        else:
            side.pop(price, None)

    def quote(self, market_id: str, now_ns: int) -> Quote:
        """Return the book from the side of Yes: who bids for No asks for Yes."""
        bids = sorted(self.yes.items(), reverse=True)[:LEVELS_MAX]
        asks = sorted((MICRO - price, quantity) for price, quantity in self.no.items())
        return Quote(
            ts_ns=now_ns,
            platform=Platform.KALSHI,
            market_id=market_id,
            bids=tuple(bids),
            asks=tuple(asks[:LEVELS_MAX]),
        )


class BookStream:
    """The books that somebody asked for."""

    def __init__(self, url: str, *, signer: Signer, clock: Clock) -> None:
        """
        Prepare; `run` connects.

        Args:
            url: of the stream.
            signer: signs the handshake.
            clock: ours; a book is as of when its last message came.
        """
        self._line = Line(url, signer=signer, clock=clock)
        self._clock = clock
        self.sink: Callable[[Quote], None] = lambda _quote: None
        """Told of each state of each book."""
        self._watched: dict[str, None] = {}
        self._books: dict[str, Book] = {}
        self._sid: int | None = None
        self._seq = 0
        self._renewed_ns = 0
        self._commands = 0
        self._news = asyncio.Event()
        self._asked_ns: int | None = None
        """When the subscription was asked for; None = not on this connection."""
        self._line.is_wanting = self._is_wanting

    def watch(self, market_id: str) -> None:
        """Follow a market from now on; beyond a thousand the one asked for first is let go."""
        if market_id in self._watched:
            return
        while len(self._watched) >= WATCHED_MAX:
            self._watched.pop(next(iter(self._watched)))
        self._watched[market_id] = None
        self._news.set()

    async def run(self) -> None:
        """Keep the stream up while anything is watched, for ever."""
        await self._line.keep_up(self._connected, self._down)

    def _down(self, _reason: str) -> None:
        self._books.clear()
        self._sid, self._asked_ns = None, None

    def _is_wanting(self) -> bool:
        """Tell whether the answer to the subscription should have come by now."""
        if self._sid is not None or self._asked_ns is None:
            return False
        return self._clock.now_ns() - self._asked_ns > CONNECT_SECONDS * NS_PER_SECOND

    async def _connected(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        senders = [
            asyncio.create_task(self._keep_subscribed(socket), name="kalshi books wanted"),
            asyncio.create_task(self._keep_asking(socket), name="kalshi books alive"),
        ]
        try:
            await self._line.listen(socket, self._take)
        finally:
            for sender in senders:
                sender.cancel()
            # Its end is of no interest; an end of ours meanwhile must not be swallowed with it.
            await asyncio.gather(*senders, return_exceptions=True)

    async def _keep_subscribed(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Ask for what is watched and not subscribed yet, whenever something is added."""
        asked: set[str] = set()
        while True:
            self._news.clear()
            missing = [ticker for ticker in self._watched if ticker not in asked]
            # A second subscription would have a number of its own, which nobody listens to.
            is_pending = self._sid is None and self._asked_ns is not None
            if missing and not is_pending:
                params: dict[str, object] = {"market_tickers": missing}
                if self._sid is None:
                    params |= {"channels": [CHANNEL], "use_yes_price": False}
                    command = "subscribe"
                    self._asked_ns = self._clock.now_ns()
                else:
                    params |= {"sids": [self._sid], "action": "add_markets"}
                    command = "update_subscription"
                await self._send(socket, command, params)
                asked.update(missing)
            await self._news.wait()

    async def _keep_asking(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Ask a quiet stream whether it is alive: its answer is as good as a book that moves."""
        while True:
            await self._clock.sleep(ASK_SECONDS)
            quiet_ns = self._clock.now_ns() - self._line.heard_ns
            if self._books and quiet_ns >= ASK_SECONDS * NS_PER_SECOND / 2:
                await self._send(socket, "list_subscriptions", {})

    async def _send(
        self, socket: aiohttp.ClientWebSocketResponse, command: str, params: dict[str, object]
    ) -> None:
        self._commands += 1
        said: dict[str, object] = {"id": self._commands, "cmd": command}
        await socket.send_json(said | {"params": params} if params else said)

    def _take(self, message: Message) -> None:
        self._follow(message)
        now_ns = self._clock.now_ns()
        if now_ns - self._renewed_ns >= RENEW_NS:
            self._renewed_ns = now_ns
            for ticker, book in self._books.items():
                if ticker in self._watched:
                    self.sink(book.quote(ticker, now_ns))

    def _follow(self, message: Message) -> None:
        """Take the next message of the sequence. Raises VenueOutcomeUnknown: it is not the next."""
        if message.type == "subscribed":
            if self._sid is None:
                self._sid, self._seq = read(message.msg, Subscribed).sid, 0
                self._news.set()  # what was asked for meanwhile is added now
            return
        if message.seq is None or message.sid != self._sid:
            return
        if message.type == "ok" and message.seq == self._seq:
            return  # an answer of ours that says the last number again
        if self._seq and message.seq != self._seq + 1:
            raise VenueOutcomeUnknown(f"message {self._seq + 1} is missing, {message.seq} came")
        self._seq = message.seq
        if message.type == CHANNEL:
            delta = read(message.msg, Delta)
            book = self._books.get(delta.market_ticker)
            if book is None:
                return  # its snapshot comes first
            book.change(delta)
            ticker = delta.market_ticker
        elif message.type == "orderbook_snapshot":
            snapshot = read(message.msg, Snapshot)
            ticker = snapshot.market_ticker
            self._books.setdefault(ticker, Book()).replace(snapshot)
        else:
            return  # only its number counts
        if ticker in self._watched:
            self.sink(self._books[ticker].quote(ticker, self._clock.now_ns()))


class Subscribed(msgspec.Struct, frozen=True):
    """A channel was subscribed."""

    channel: str = ""
    sid: int | None = None


def _levels(levels: tuple[tuple[str, str], ...] | None) -> dict[int, int]:
    return {
        shapes.micro("price", price): shapes.micro("count", count) for price, count in levels or ()
    }
