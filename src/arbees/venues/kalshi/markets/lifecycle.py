"""What Kalshi tells of its markets as it happens: paused, opened, moved, decided, fees of events.

Guarantees that what is told is a reason to ask, never the whole truth: a gap of the stream is told
too, since it has no replay, and a message that cannot be read means that anything may have changed.
Markets open and close by their clocks without a message.

Source: AsyncAPI of 2026-08-22, channel `market_lifecycle_v2`; it takes no filter.
"""

from collections.abc import Callable

import aiohttp
import msgspec

from arbees.core.ports import Clock
from arbees.errors import VenueOutcomeUnknown
from arbees.venues.kalshi.connection.signing import Signer
from arbees.venues.kalshi.connection.socket import KalshiSocket, Message
from arbees.venues.kalshi.shapes import read

CHANNEL = "market_lifecycle_v2"
FEES = "event_fee_update"
CLOSING = {"deactivated": "inactive", "determined": "determined", "settled": "finalized"}
"""Words after which a market takes no orders, and the status that it then has."""


class News(msgspec.Struct, frozen=True):
    """What a message is about; neither market nor event = anything may have changed."""

    market_ticker: str | None = None
    event_ticker: str | None = None
    closed: str = ""
    """Its status, where it takes no orders from now on."""


class _LifecycleMessage(msgspec.Struct, frozen=True):
    event_type: str = ""
    market_ticker: str | None = None
    event_ticker: str | None = None


class LifecycleFeed:
    """A connection of its own: its trouble is not that of the books."""

    def __init__(
        self, url: str, *, signer: Signer, clock: Clock, sink: Callable[[News], None]
    ) -> None:
        """
        Prepare; `run` connects.

        Args:
            url: of the stream, `wss://...`.
            signer: signs the handshake.
            clock: ours.
            sink: told of everything.
        """
        self._line = KalshiSocket(url, signer=signer, clock=clock)
        self._sink = sink
        self.is_live = False
        self._line.is_wanting = lambda: not self.is_live

    async def run(self) -> None:
        """Keep the stream up, for ever."""
        await self._line.keep_up(self._connected, self._down)

    async def _connected(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json({"id": 1, "cmd": "subscribe", "params": {"channels": [CHANNEL]}})
        await self._line.listen(socket, self._take)

    def _down(self, _reason: str) -> None:
        self.is_live = False

    def _take(self, message: Message) -> None:
        if message.type == "subscribed":
            self.is_live = True
            self._sink(News())
        elif message.type in {CHANNEL, FEES}:
            try:
                said = read(message.msg, _LifecycleMessage)
            except VenueOutcomeUnknown:
                self._sink(News())
                return
            if message.type == FEES and said.event_ticker is not None:
                self._sink(News(event_ticker=said.event_ticker))
            elif said.market_ticker is not None:
                closed = CLOSING.get(said.event_type, "")
                self._sink(News(market_ticker=said.market_ticker, closed=closed))
