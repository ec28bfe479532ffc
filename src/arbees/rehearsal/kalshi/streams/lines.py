"""Connections and subscriptions of the simulated Kalshi's streams, and the numbers of messages."""

import asyncio
import json
from typing import Any

from aiohttp import web

CHANNELS = {
    "orderbook_delta": "orderbook_delta",
    "ticker": "ticker",
    "fill": "fill",
    "user_orders": "user_order",
    "market_positions": "market_position",
    "order_group_updates": "order_group_updates",
    "market_lifecycle_v2": "market_lifecycle_v2",
}
"""Channels, and the type of their messages."""
SEQUENCED = frozenset({"orderbook_delta", "order_group_updates"})
"""Their messages are numbered; those of one's own orders are not."""
BOOKS = "orderbook_delta"
_QUEUE_MAX = 100_000


class Subscription:
    """One channel of one connection."""

    def __init__(
        self, sid: int, channel: str, tickers: frozenset[str], *, is_yes_priced: bool = False
    ) -> None:
        """
        Begin at sequence 0.

        Args:
            sid: its id on the connection.
            channel: what it tells.
            tickers: of which markets; none named = all.
            is_yes_priced: whether both sides of a book are told in prices of Yes.
        """
        self.sid = sid
        self.channel = channel
        self.tickers = tickers
        self.is_yes_priced = is_yes_priced
        self.seq = 0
        self._is_of_all = not tickers

    def covers(self, ticker: str) -> bool:
        """Tell whether it means a market."""
        return self._is_of_all or ticker in self.tickers

    def number(self, message: dict[str, Any], *, repeats: bool = False) -> dict[str, Any]:
        """Return a message with its next number, or with the last one again."""
        self.seq += not repeats
        return message | {"sid": self.sid, "seq": self.seq}


class StreamConnection:
    """One connection."""

    def __init__(self, owner: str, socket: web.WebSocketResponse) -> None:
        """Hold a connection of somebody."""
        self.owner = owner
        self.socket = socket
        self.subscriptions: dict[int, Subscription] = {}
        self.queue: asyncio.Queue[str | bytes | None] = asyncio.Queue(_QUEUE_MAX)
        """What is sent next; bytes as they are, None = the end of the connection."""
        self._next_sid = 1

    def subscribe(
        self, channel: str, tickers: frozenset[str], *, is_yes_priced: bool
    ) -> Subscription:
        """Add a channel."""
        made = Subscription(self._next_sid, channel, tickers, is_yes_priced=is_yes_priced)
        self._next_sid += 1
        self.subscriptions[made.sid] = made
        return made

    def of(self, channel: str) -> list[Subscription]:
        """Return the subscriptions of a channel; none named = all."""
        return [each for each in self.subscriptions.values() if channel in {"", each.channel}]

    async def send(self) -> None:
        """Send what is queued, in order, until the end of it."""
        while (text := await self.queue.get()) is not None:
            if isinstance(text, bytes):
                await self.socket.send_frame(text, web.WSMsgType.TEXT)
            else:
                await self.socket.send_str(text)
        await self.socket.close()

    def put(self, message: dict[str, Any] | bytes) -> bool:
        """Queue a message; False = the client does not read, and the connection is over."""
        try:
            self.queue.put_nowait(message if isinstance(message, bytes) else json.dumps(message))
        except asyncio.QueueFull:
            return False
        return True
