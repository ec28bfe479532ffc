"""Kalshi's order books, live: what `feed` follows, over a connection that comes back.

Guarantees that nothing is told while the connection is down, that only the two errors which Kalshi
documents as the end of a connection end it, and that no book is told before it is known in whose
prices it is. It fails by growing old: `trouble` says why.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import aiohttp

from arbees.core.language.quote import Quote
from arbees.core.ports import Clock
from arbees.errors import VenueError
from arbees.venues.kalshi.connection.signing import Signer
from arbees.venues.kalshi.connection.socket import KalshiSocket, Message
from arbees.venues.kalshi.markets.book import Scale
from arbees.venues.kalshi.markets.feed import BookFeed

TICK_SECONDS = 0.25
"""What is due is looked for this often, and whenever a market is added."""
LOOK_SECONDS = 0.02
"""Until the first book came by which it can be known in whose prices books are told."""
PROOF_SECONDS = 1.0
"""Between two looks at the row of a market whose book does not agree with it."""


class BookStream:
    """The books that somebody asked for."""

    def __init__(
        self,
        url: str,
        *,
        signer: Signer,
        clock: Clock,
        offset_ns: Callable[[], int | None],
        best_ask: Callable[[str], Awaitable[int | None]],
    ) -> None:
        """
        Prepare; `run` connects.

        Args:
            url: of the stream.
            signer: signs the handshake.
            clock: ours.
            offset_ns: our clock less the venue's; None = not known.
            best_ask: asks for the best ask of a market's own row, in micro-dollars of Yes; None =
                it names none. Raises VenueError.
        """
        self._line = KalshiSocket(url, signer=signer, clock=clock)
        self._clock = clock
        self._best_ask = best_ask
        self.feed = BookFeed(offset_ns)
        self._news = asyncio.Event()
        self._down_reason: str | None = "it is not connected yet"
        self._line.is_wanting = lambda: self.feed.is_wanting(clock.now_ns())

    def listen(self, sink: Callable[[Quote], None]) -> None:
        """Tell each state of each book to `sink`."""
        self.feed.sink = sink

    def watch(self, market_id: str) -> None:
        """Follow a market from now on; beyond the most it is not."""
        is_new = market_id not in self.feed.followed
        self.feed.follow(market_id)
        if is_new:
            self._news.set()

    def let_go(self, market_id: str) -> None:
        """Follow a market no more."""
        self.feed.let_go(market_id)

    @property
    def trouble(self) -> str | None:
        """Why no book can be believed now; None = they can, or none is followed."""
        if not self.feed.followed:
            return None
        if self._down_reason is not None:
            return f"the stream of books is down: {self._down_reason}"
        if self.feed.scale is Scale.NO:
            return "Kalshi ignores use_yes_price: no book of its stream is read"
        return None

    async def run(self) -> None:
        """Keep the stream up, for ever."""
        await self._line.keep_up(self._connected, self._down)

    def _down(self, reason: str) -> None:
        self._down_reason = reason
        self.feed.disconnect()

    async def _connected(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._down_reason = None
        tasks = [
            asyncio.create_task(self._line.listen(socket, self._take)),
            asyncio.create_task(self._keep_asking(socket), name="kalshi books wanted"),
            asyncio.create_task(self._keep_proving(), name="kalshi books proved"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            # Their end is of no interest; an end of ours meanwhile must not be swallowed with it.
            await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, message: Message) -> None:
        self.feed.take(message, self._clock.now_ns())

    async def _keep_asking(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Send what is due, for as long as the connection is good."""
        while True:
            self._news.clear()
            for command in self.feed.commands(self._clock.now_ns()):
                await socket.send_json(command)
            await self._pause()

    async def _pause(self) -> None:
        """Wait for the next look, or for a market that is added."""
        waiting = [
            asyncio.ensure_future(self._clock.sleep(TICK_SECONDS)),
            asyncio.ensure_future(self._news.wait()),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    async def _keep_proving(self) -> None:
        """Find out in whose prices books are told, where no book says so by itself."""
        while True:
            market_id = self.feed.unproven()
            if market_id is not None:
                with contextlib.suppress(VenueError):  # asked again; until then none is told
                    ask = await self._best_ask(market_id)
                    self.feed.prove(market_id, ask, self._clock.now_ns())
            is_expected = bool(self.feed.followed) and self.feed.scale is Scale.UNPROVEN
            is_soon = is_expected and market_id is None
            await self._clock.sleep(LOOK_SECONDS if is_soon else PROOF_SECONDS)
