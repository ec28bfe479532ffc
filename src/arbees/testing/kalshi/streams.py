"""The WebSocket side of the simulated Kalshi: books with sequence numbers, own orders without.

Guarantees the venue's own weaknesses: the streams of one's own orders, fills and positions have no
sequence number and no replay, and a stream that is silent on request stays open all the same.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from arbees.core.units import NS_PER_MILLISECOND
from arbees.testing.kalshi import messages
from arbees.testing.kalshi.desk import Desk
from arbees.testing.kalshi.faults import FaultKind
from arbees.testing.kalshi.identity import Doorman
from arbees.testing.kalshi.rules import Change, Fill, Order, Refused

Sleep = Callable[[float], Awaitable[None]]

PATH = "/trade-api/ws/v2"
PING_SECONDS = 10.0
CHANNELS = {
    "orderbook_delta": "orderbook_delta",
    "ticker": "ticker",
    "fill": "fill",
    "user_orders": "user_order",
    "market_positions": "market_position",
    "order_group_updates": "order_group_updates",
}
"""Channels, and the type of their messages."""
SEQUENCED = frozenset({"orderbook_delta", "order_group_updates"})
"""Their messages are numbered; those of one's own orders are not."""
_HELD_SECONDS = 0.05
"""How long fills are held back while the fault asks for another order."""
_QUEUE_MAX = 100_000


class Subscription:
    """One channel of one connection."""

    def __init__(self, sid: int, channel: str, tickers: frozenset[str]) -> None:
        """Begin at sequence 0."""
        self.sid = sid
        self.channel = channel
        self.tickers = tickers
        self.seq = 0

    def covers(self, ticker: str) -> bool:
        """Tell whether it means a market; none named = all."""
        return not self.tickers or ticker in self.tickers


class Line:
    """One connection."""

    def __init__(self, owner: str, socket: web.WebSocketResponse) -> None:
        """Hold a connection of somebody."""
        self.owner = owner
        self.socket = socket
        self.subscriptions: dict[int, Subscription] = {}
        self.queue: asyncio.Queue[str] = asyncio.Queue(_QUEUE_MAX)
        self._next_sid = 1

    def subscribe(self, channel: str, tickers: frozenset[str]) -> Subscription:
        """Add a channel."""
        made = Subscription(self._next_sid, channel, tickers)
        self._next_sid += 1
        self.subscriptions[made.sid] = made
        return made


class Streams:
    """All connections of one exchange."""

    def __init__(self, desk: Desk, doorman: Doorman, sleep: Sleep = asyncio.sleep) -> None:
        """Listen to an exchange; `sleep` is that of its clock."""
        self._desk = desk
        self._doorman = doorman
        self._sleep = sleep
        self.lines: set[Line] = set()
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
        except Refused as error:
            return web.json_response({"error": {"code": error.code}}, status=error.status)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        line = Line(owner, socket)
        self.lines.add(line)
        tasks = [asyncio.create_task(self._send(line)), asyncio.create_task(self._ping(line))]
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._command(line, frame.data)
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

    async def _send(self, line: Line) -> None:
        while True:
            await line.socket.send_str(await line.queue.get())

    async def _ping(self, line: Line) -> None:
        while True:
            await self._sleep(PING_SECONDS)
            if not self._is_silent():
                await line.socket.ping(b"heartbeat")

    # Commands ----------------------------------------------------------------------------------

    def _command(self, line: Line, text: str) -> None:
        try:
            command = json.loads(text)
            params = command.get("params") or {}
            word, number = command["cmd"], command.get("id")
        except (ValueError, KeyError, AttributeError):
            self._say(line, {"type": "error", "msg": {"code": 1, "msg": "unable to process"}})
            return
        if word == "subscribe":
            self._subscribe(line, number, params)
        elif word == "unsubscribe":
            self._unsubscribe(line, number, params)
        elif word == "update_subscription":
            self._update(line, number, params)
        elif word == "list_subscriptions":
            held = [
                {"channel": made.channel, "sid": made.sid} for made in line.subscriptions.values()
            ]
            self._say(line, {"type": "ok", "id": number, "msg": held})
        else:
            self._err(line, number, 5, "Unknown command")

    def _err(self, line: Line, number: int | None, code: int, text: str) -> None:
        said = {"type": "error", "id": number or 0, "msg": {"code": code, "msg": text}}
        self._say(line, said)

    def _unsubscribe(self, line: Line, number: int | None, params: dict[str, Any]) -> None:
        sids = params.get("sids") or []
        if not sids:
            self._err(line, number, 4, "Subscription IDs required")
        for sid in sids:
            made = line.subscriptions.pop(sid, None)
            if made is None:
                self._err(line, number, 7, "Unknown subscription ID")
            else:
                made.seq += 1
                said = {"type": "unsubscribed", "id": number, "sid": sid, "seq": made.seq}
                self._say(line, said)

    def _subscribe(self, line: Line, number: int | None, params: dict[str, Any]) -> None:
        tickers = set(params.get("market_tickers") or [])
        if "market_ticker" in params:
            tickers.add(params["market_ticker"])
        for channel in params.get("channels", []):
            if channel not in CHANNELS:
                self._err(line, number, 8, "Unknown channel name")
                continue
            made = line.subscribe(channel, frozenset(tickers))
            said = {"channel": channel, "sid": made.sid}
            self._say(line, {"type": "subscribed", "id": number, "msg": said})
            if channel == "orderbook_delta":
                for ticker in sorted(tickers):
                    self._snapshot(line, made, ticker)

    def _update(self, line: Line, number: int | None, params: dict[str, Any]) -> None:
        made = line.subscriptions.get((params.get("sids") or [params.get("sid")])[0])
        tickers = frozenset(params.get("market_tickers") or [])
        action = params.get("action")
        if made is None:
            self._err(line, number, 7, "Unknown subscription ID")
            return
        if action == "add_markets":
            made.tickers |= tickers
        elif action == "delete_markets":
            made.tickers -= tickers
        elif action != "get_snapshot":
            self._err(line, number, 13, "Unsupported action")
            return
        made.seq += 1  # an answer about a subscription has a number of its sequence
        self._say(line, {"type": "ok", "id": number, "sid": made.sid, "seq": made.seq})
        if action in {"add_markets", "get_snapshot"} and made.channel == "orderbook_delta":
            for ticker in sorted(tickers):
                self._snapshot(line, made, ticker)

    def _snapshot(self, line: Line, made: Subscription, ticker: str) -> None:
        market = self._desk.exchange.markets.get(ticker)
        if market is None:
            return
        self._tell(line, made, "orderbook_snapshot", messages.snapshot_message(market))

    # What happens ------------------------------------------------------------------------------

    def _on_change(self, change: Change) -> None:
        for line in list(self.lines):
            if change.owner and change.owner != line.owner:
                continue
            for made in list(line.subscriptions.values()):
                if made.channel == change.channel:
                    self._forward(line, made, change)
                elif (made.channel, change.channel) == ("ticker", "orderbook_delta"):
                    self._top(line, made, change.about[0].ticker)

    def _top(self, line: Line, made: Subscription, ticker: str) -> None:
        market = self._desk.exchange.markets[ticker]
        if made.covers(ticker):
            self._tell(line, made, "ticker", messages.ticker_message(market, self._now_ns()))

    def _forward(self, line: Line, made: Subscription, change: Change) -> None:
        kind = CHANNELS[change.channel]
        about, desk = change.about, self._desk
        if change.channel == "orderbook_delta":
            order, quantity = about
            if made.covers(order.ticker) and quantity:
                said = messages.delta_message(order, quantity, self._now_ns())
                self._tell(line, made, kind, said)
        elif change.channel == "order_group_updates":
            group, event = about
            self._tell(line, made, kind, messages.group_message(group, event, self._now_ns()))
        elif isinstance(about, Fill):
            if made.covers(about.ticker):
                self._fill(line, made, about)
        elif isinstance(about, Order):
            if made.covers(about.ticker):
                row = messages.order_message(about, desk.shard(about.ticker))
                self._tell(line, made, kind, row)
        elif change.channel == "market_positions" and made.covers(about):
            account = desk.exchange.account(change.owner)
            self._tell(line, made, kind, messages.position_message(account, about))

    def _fill(self, line: Line, made: Subscription, fill: Fill) -> None:
        faults, now_ns = self._desk.faults, self._now_ns()
        row = messages.fill_message(fill, self._desk.shard(fill.ticker))
        times = 2 if faults.standing(FaultKind.DUPLICATE_FILLS, now_ns) else 1
        is_held = faults.standing(FaultKind.REORDERED_FILLS, now_ns) is not None
        loop = asyncio.get_running_loop()
        for _ in range(times):
            if is_held:
                loop.call_later(_HELD_SECONDS, self._tell, line, made, "fill", row)
            else:
                self._tell(line, made, "fill", row)

    def _tell(self, line: Line, made: Subscription, kind: str, said: dict[str, Any]) -> None:
        message: dict[str, Any] = {"type": kind, "sid": made.sid, "msg": said}
        if made.channel in SEQUENCED:
            made.seq += 1
            message["seq"] = made.seq
        message["sending_ts_ms"] = self._now_ns() // NS_PER_MILLISECOND
        self._say(line, message)

    def _say(self, line: Line, message: dict[str, Any]) -> None:
        if self._is_silent():
            return
        try:
            line.queue.put_nowait(json.dumps(message))
        except asyncio.QueueFull:
            self.lines.discard(line)
