"""The WebSocket side of the simulated Kalshi: books with sequence numbers, own orders without.

Guarantees the venue's own weaknesses: the streams of one's own orders, fills and positions have no
sequence number and no replay, and a stream that is silent on request stays open all the same.
"""

import asyncio
from typing import Any

from aiohttp import WSMsgType, web

from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import (
    ExchangeChange,
    ExchangeFill,
    ExchangeOrder,
    ExchangeRefusal,
    user_of,
)
from arbees.rehearsal.kalshi.rest.context import CallContext
from arbees.rehearsal.kalshi.rest.identity import Doorman
from arbees.rehearsal.kalshi.streams import messages
from arbees.rehearsal.kalshi.streams.lines import CHANNELS, StreamConnection, Subscription
from arbees.rehearsal.kalshi.streams.subscriptions import Sleep, Subscribing, after

PATH = "/trade-api/ws/v2"
PING_SECONDS = 10.0
_HELD_SECONDS = 0.05
"""How long fills are held back while the fault asks for another order."""


class Streams:
    """All connections of one exchange."""

    def __init__(self, desk: CallContext, doorman: Doorman, sleep: Sleep = asyncio.sleep) -> None:
        """Listen to an exchange; `sleep` is that of its clock."""
        self._desk = desk
        self._doorman = doorman
        self._sleep = sleep
        self.lines: set[StreamConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.commands = Subscribing(desk, self._say, after(sleep, self._tasks))
        desk.exchange.listeners.append(self._on_change)

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        faults, now_ns = self._desk.faults, self._now_ns()
        is_down = faults.standing(FaultKind.STREAM_DOWN, now_ns)
        if is_down or faults.standing(FaultKind.UNREACHABLE, now_ns):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        try:
            owner = self._doorman.owner(request.headers, "GET", PATH)
        except ExchangeRefusal as error:
            return web.json_response({"error": {"code": error.code}}, status=error.status)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        line = StreamConnection(owner, socket)
        self.lines.add(line)
        tasks = [asyncio.create_task(line.send()), asyncio.create_task(self._ping(line))]
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self.commands.command(line, frame.data)
        finally:
            self.lines.discard(line)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return socket

    def cut(self) -> None:
        """End all connections without a word."""
        for line in list(self.lines):
            transport = line.socket._req.transport if line.socket._req else None  # noqa: SLF001
            if transport is not None:
                transport.abort()

    def _now_ns(self) -> int:
        return self._desk.exchange.now_ns()

    def _is_silent(self) -> bool:
        return self._desk.faults.standing(FaultKind.STREAM_SILENT, self._now_ns()) is not None

    async def _ping(self, line: StreamConnection) -> None:
        while True:
            await self._sleep(PING_SECONDS)
            if not self._is_silent():
                await line.socket.ping(b"heartbeat")

    # What happens ------------------------------------------------------------------------------

    def _on_change(self, change: ExchangeChange) -> None:
        for line in list(self.lines):
            if change.owner and user_of(change.owner) != line.owner:
                continue
            for made in list(line.subscriptions.values()):
                if made.channel == change.channel:
                    self._forward(line, made, change)
                elif (made.channel, change.channel) == ("ticker", "orderbook_delta"):
                    self._top(line, made, change.about[0].ticker)

    def _top(self, line: StreamConnection, made: Subscription, ticker: str) -> None:
        exchange = self._desk.exchange
        if made.covers(ticker):
            market = exchange.markets[ticker]
            top = messages.ticker_message(market, exchange.catalogue, self._now_ns())
            self.commands.tell(line, made, "ticker", top)

    def _forward(self, line: StreamConnection, made: Subscription, change: ExchangeChange) -> None:
        kind = CHANNELS[change.channel]
        about, desk = change.about, self._desk
        if change.channel == "orderbook_delta":
            order, quantity = about
            if made.covers(order.ticker) and quantity:
                said = messages.delta_message(
                    order,
                    quantity,
                    self._now_ns(),
                    is_yes_priced=self.commands.is_yes_priced(made),
                )
                self.commands.tell(line, made, kind, said)
        elif change.channel == "market_lifecycle_v2":
            kind, said = about  # of all markets: there is no filter
            self.commands.tell(line, made, kind, said)
        elif change.channel == "order_group_updates":
            group, event = about
            self.commands.tell(
                line, made, kind, messages.group_message(group, event, self._now_ns())
            )
        elif isinstance(about, ExchangeFill):
            if made.covers(about.ticker):
                self._fill(line, made, about)
        elif isinstance(about, ExchangeOrder):
            if made.covers(about.ticker):
                row = messages.order_message(about, desk.shard(about.ticker))
                self.commands.tell(line, made, kind, row)
        elif change.channel == "market_positions" and made.covers(about):
            account = desk.exchange.account(change.owner)
            self.commands.tell(line, made, kind, messages.position_message(account, about))

    def _fill(self, line: StreamConnection, made: Subscription, fill: ExchangeFill) -> None:
        faults, now_ns = self._desk.faults, self._now_ns()
        row = messages.fill_message(fill, self._desk.shard(fill.ticker))
        times = 2 if faults.standing(FaultKind.DUPLICATE_FILLS, now_ns) else 1
        is_held = faults.standing(FaultKind.REORDERED_FILLS, now_ns) is not None
        loop = asyncio.get_running_loop()
        for _ in range(times):
            if is_held:
                loop.call_later(_HELD_SECONDS, self.commands.tell, line, made, "fill", row)
            else:
                self.commands.tell(line, made, "fill", row)

    def _say(self, line: StreamConnection, message: dict[str, Any] | bytes) -> None:
        if not self._is_silent() and not line.put(message):
            self.lines.discard(line)

    # Faults ------------------------------------------------------------------------------------

    def lose(self, channel: str, tickers: frozenset[str]) -> int:
        """
        Drop subscriptions without a word; they are listed no more.

        Args:
            channel: which; none = all.
            tickers: only these markets of it; it is then listed on. None = the whole of it.

        Returns:
            How many subscriptions lost something.
        """
        lost = 0
        for line in self.lines:
            for made in line.of(channel):
                lost += 1
                if tickers:
                    made.tickers -= tickers
                else:
                    del line.subscriptions[made.sid]
        return lost

    def fail(self, channel: str, code: int, ticker: str = "") -> None:
        """Say an error about each subscription of a channel; some codes end the connection."""
        for line in list(self.lines):
            for made in line.of(channel):
                self.commands.error(line, None, code, made, ticker=ticker)

    def say(self, channel: str, message: dict[str, Any] | bytes) -> None:
        """Say anything on every connection that holds a channel; bytes go out as they are."""
        for line in list(self.lines):
            for made in line.of(channel)[:1]:
                if isinstance(message, bytes):
                    self._say(line, message)
                else:
                    kind = message.get("type", CHANNELS[made.channel])
                    self.commands.tell(line, made, kind, message.get("msg", message))
