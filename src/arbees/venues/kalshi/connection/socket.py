"""One WebSocket of Kalshi's: connected, kept up, and known to be dead when it is.

Guarantees that whoever uses it is told when it is down, also when the connection stands and nothing
comes any more for longer than the venue's heartbeat; and that a message that cannot be read ends
the connection, since something was missed.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp
import msgspec

from arbees.core.language.units import NS_PER_SECOND
from arbees.core.ports import Clock
from arbees.errors import VenueError, VenueOutcomeUnknown
from arbees.venues.kalshi.connection.signing import Signer
from arbees.venues.kalshi.shapes import read

HEARTBEAT_SECONDS = 10.0
"""Kalshi pings this often."""
SILENCE_SECONDS = 25.0
"""Nothing at all for this long: the connection stands, but the stream is dead."""
WATCH_SECONDS = 1.0
CONNECT_SECONDS = 10.0
PAUSE_FIRST = 0.25
PAUSE_MAX = 10.0
MESSAGE_MAX = 64 * 1024 * 1024
TERMINAL = frozenset({10, 25})
"""Errors that end a connection, by the document; every other is of one command or market."""


class Message(msgspec.Struct, frozen=True):
    """The frame of every message."""

    type: str
    sid: int | None = None
    id: int | None = None
    seq: int | None = None
    sending_ts_ms: int | None = None
    msg: msgspec.Raw = msgspec.Raw(b"{}")


class StreamError(msgspec.Struct, frozen=True):
    """An error of the stream."""

    code: int = 0
    msg: str = ""
    market_ticker: str = ""


class KalshiSocket:
    """A connection that comes back."""

    def __init__(self, url: str, *, signer: Signer, clock: Clock) -> None:
        """
        Prepare; `keep_up` connects.

        Args:
            url: of the stream, `wss://...`.
            signer: signs the handshake.
            clock: ours.
        """
        self._url = url
        self._path = urlsplit(url).path
        self._signer = signer
        self._clock = clock
        self.heard_ns = 0
        """Our time of the last sign of life; 0 = none yet."""
        self._is_silent = False
        self.is_wanting: Callable[[], bool] = lambda: False
        """Whether an answer that a connection begins with has not come yet."""

    async def keep_up(
        self,
        use: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]],
        down: Callable[[str], None],
    ) -> None:
        """
        Connect, for ever again.

        Args:
            use: runs as long as a connection is good.
            down: told why it is not any more.
        """
        pause = PAUSE_FIRST
        async with aiohttp.ClientSession() as session:
            while True:
                since_ns = self._clock.now_ns()
                try:
                    await self._connected(session, use)
                    reason = "the venue closed the stream"
                except (VenueError, aiohttp.ClientError, OSError, TimeoutError) as error:
                    reason = f"{type(error).__name__}: {error}" if str(error) else "no answer"
                down(reason)
                if self._clock.now_ns() - since_ns > PAUSE_MAX * NS_PER_SECOND:
                    pause = PAUSE_FIRST
                await self._clock.sleep(pause)
                pause = min(2 * pause, PAUSE_MAX)

    async def _connected(
        self,
        session: aiohttp.ClientSession,
        use: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]],
    ) -> None:
        signed = await asyncio.to_thread(self._signer.sign, "GET", self._path)
        async with asyncio.timeout(CONNECT_SECONDS):
            socket = await session.ws_connect(
                self._url, headers=signed.headers(), autoping=False, max_msg_size=MESSAGE_MAX
            )
        self.heard_ns, self._is_silent = self._clock.now_ns(), False
        watch = asyncio.create_task(self._watch(socket), name="kalshi silence")
        using = asyncio.ensure_future(use(socket))
        try:
            await asyncio.wait({using, watch}, return_when=asyncio.FIRST_COMPLETED)
            if watch.done():
                watch.result()  # without its watch a line is not known to live
            await using
        finally:
            using.cancel()
            watch.cancel()
            await asyncio.gather(using, watch, return_exceptions=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await socket.close()

    async def listen(
        self, socket: aiohttp.ClientWebSocketResponse, take: Callable[[Message], None]
    ) -> None:
        """
        Read until the stream ends.

        Args:
            socket: the connection.
            take: given each message, errors that end no connection too; what it raises ends it.

        Raises:
            VenueOutcomeUnknown: silence, an error of the stream, or what cannot be read.
        """
        while True:
            frame = await socket.receive()
            if self._is_silent:
                raise VenueOutcomeUnknown("silent for too long")
            self.heard_ns = self._clock.now_ns()
            if frame.type is aiohttp.WSMsgType.PING:
                await socket.pong(frame.data)
            elif frame.type is aiohttp.WSMsgType.TEXT:
                message = read(frame.data, Message)
                if message.type == "error":
                    error = read(message.msg, StreamError)
                    if error.code in TERMINAL:
                        raise VenueOutcomeUnknown(f"stream error {error.code}: {error.msg}")
                take(message)
            elif frame.type is not aiohttp.WSMsgType.PONG:
                return

    async def _watch(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """End a connection on which nothing comes any more, by our clock; its reader says why."""
        since_ns = self._clock.now_ns()
        while not self._is_silent:
            await self._clock.sleep(WATCH_SECONDS)
            now_ns = self._clock.now_ns()
            # A subscription whose answer was lost is deaf, whatever pings say.
            is_deaf = self.is_wanting() and now_ns - since_ns > CONNECT_SECONDS * NS_PER_SECOND
            self._is_silent = is_deaf or now_ns - self.heard_ns > SILENCE_SECONDS * NS_PER_SECOND
        await socket.close()

    @property
    def is_late(self) -> bool:
        """Whether a heartbeat is overdue, before the stream counts as dead."""
        silence = self._clock.now_ns() - self.heard_ns
        return self.heard_ns > 0 and silence > 1.5 * HEARTBEAT_SECONDS * NS_PER_SECOND
