"""Kalshi's streams of our own orders and fills: what happens, as it happens, and when it is deaf.

Guarantees that whoever listens hears when the stream is up, and when it can no longer be trusted:
it ended, or nothing came for longer than the venue's heartbeat, also while the connection stands.
These streams have no sequence numbers and no replay: after each gap the reads must be compared.
A message that cannot be read never ends the stream; it counts as a gap.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from arbees.core.outcomes import Filled, OrderClosed, Report
from arbees.core.ports import Clock
from arbees.core.units import NS_PER_MILLISECOND, NS_PER_SECOND
from arbees.errors import VenueError, VenueOutcomeUnknown
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.orders import closed_by, fill_of, is_ours
from arbees.venues.kalshi.signing import Signer

CHANNELS = ("user_orders", "fill", "market_positions")
HEARTBEAT_SECONDS = 10.0
"""Kalshi pings this often."""
SILENCE_SECONDS = 25.0
"""Nothing at all for this long: the connection stands, but the stream is dead."""
CONNECT_SECONDS = 10.0
PAUSE_FIRST = 0.25
PAUSE_MAX = 10.0
MESSAGE_MAX = 8 * 1024 * 1024


class Message(msgspec.Struct, frozen=True):
    """The frame of every message."""

    type: str
    sid: int | None = None
    id: int | None = None
    seq: int | None = None
    msg: msgspec.Raw = msgspec.Raw(b"null")


class OwnFill(msgspec.Struct, frozen=True):
    """A fill of the channel `fill`."""

    trade_id: str
    order_id: str
    count_fp: str
    yes_price_dollars: str
    fee_cost: str
    client_order_id: str = ""
    is_taker: bool = True
    ts_ms: int | None = None
    ts: int | None = None


class StreamError(msgspec.Struct, frozen=True):
    """An error of the stream."""

    code: int = 0
    msg: str = ""


class OwnStream:
    """The stream of the account's own orders and fills."""

    def __init__(self, url: str, *, signer: Signer, clock: Clock) -> None:
        """
        Prepare; `run` connects.

        Args:
            url: of the stream, `wss://...`.
            signer: signs the handshake.
            clock: ours.
        """
        self._url = url
        self._path = urlsplit(url).path
        self._signer = signer
        self._clock = clock
        self.sink: Callable[[Report], None] = lambda _report: None
        """Told of what happened to orders of ours."""
        self.on_state: Callable[[bool, str], None] = lambda _is_live, _reason: None
        """Told when the stream is up (reads must be compared now) and when it is not."""
        self.heard_ns = 0
        """Our time of the last sign of life; 0 = none yet."""
        self.is_live = False

    async def run(self) -> None:
        """Keep the stream up, for ever; each gap is told."""
        pause = PAUSE_FIRST
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    await self._connected(session)
                    reason = "the venue closed the stream"
                    pause = PAUSE_FIRST
                except (VenueError, aiohttp.ClientError, OSError, TimeoutError) as error:
                    reason = f"{type(error).__name__}: {error}" if str(error) else "no answer"
                if self.is_live:
                    pause = PAUSE_FIRST
                self._say(reason, is_live=False)
                await self._clock.sleep(pause)
                pause = min(2 * pause, PAUSE_MAX)

    async def _connected(self, session: aiohttp.ClientSession) -> None:
        signed = await asyncio.to_thread(self._signer.sign, "GET", self._path)
        async with asyncio.timeout(CONNECT_SECONDS):
            socket = await session.ws_connect(
                self._url,
                headers=signed.headers(),
                autoping=False,
                max_msg_size=MESSAGE_MAX,
            )
        try:
            await socket.send_json(
                {"id": 1, "cmd": "subscribe", "params": {"channels": list(CHANNELS)}}
            )
            await self._listen(socket)
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await socket.close()

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Read until the stream ends, falls silent, or says what we cannot build on."""
        waiting = set(CHANNELS)
        while True:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    frame = await socket.receive()
            except TimeoutError:
                raise VenueOutcomeUnknown(f"silent for {SILENCE_SECONDS:g} s") from None
            self.heard_ns = self._clock.now_ns()
            if frame.type is aiohttp.WSMsgType.PING:
                await socket.pong(frame.data)
            elif frame.type is aiohttp.WSMsgType.TEXT:
                self._take(frame.data, waiting)
            elif frame.type is not aiohttp.WSMsgType.PONG:
                return

    def _take(self, text: str, waiting: set[str]) -> None:
        message = _read(text, Message)
        if message.type == "subscribed":
            channel = _read(message.msg, dict[str, Any]).get("channel")
            waiting.discard(str(channel))
            if not waiting and not self.is_live:
                self._say("subscribed", is_live=True)
        elif message.type == "error":
            error = _read(message.msg, StreamError)
            raise VenueOutcomeUnknown(f"stream error {error.code}: {error.msg}")
        elif message.type == "fill":
            self._take_fill(_read(message.msg, OwnFill))
        elif message.type == "user_order":
            self._take_order(_read(message.msg, shapes.OrderRow))

    def _take_fill(self, fill: OwnFill) -> None:
        if not is_ours(fill.client_order_id):
            return
        row = shapes.FillRow(
            trade_id=fill.trade_id,
            order_id=fill.order_id,
            count_fp=fill.count_fp,
            yes_price_dollars=fill.yes_price_dollars,
            is_taker=fill.is_taker,
            fee_cost=fill.fee_cost,
            ts=fill.ts,
        )
        found = fill_of(row, fill.client_order_id)
        if fill.ts_ms is not None:
            found = msgspec.structs.replace(found, time_ns=fill.ts_ms * NS_PER_MILLISECOND)
        self.sink(Filled(fill=found))

    def _take_order(self, row: shapes.OrderRow) -> None:
        closed = closed_by(row)
        if not is_ours(row.client_order_id) or closed is None:
            return
        self.sink(
            OrderClosed(
                client_order_id=row.client_order_id,
                closed=closed,
                reason=row.last_update_reason or row.status,
                time_ns=self.heard_ns,
                filled=shapes.micro("fill_count_fp", row.fill_count_fp),
            )
        )

    def _say(self, reason: str, *, is_live: bool) -> None:
        if is_live != self.is_live:
            self.is_live = is_live
            self.on_state(is_live, reason)

    @property
    def silence_ns(self) -> int:
        """How long nothing was heard, in nanoseconds."""
        return self._clock.now_ns() - self.heard_ns if self.heard_ns else 0

    @property
    def is_late(self) -> bool:
        """Whether a heartbeat is overdue, before the stream counts as dead."""
        return self.silence_ns > 1.5 * HEARTBEAT_SECONDS * NS_PER_SECOND


def _read(text: str | bytes | msgspec.Raw, shape: type[Any]) -> Any:  # noqa: ANN401
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.DecodeError as error:
        raise VenueOutcomeUnknown(f"a message of the stream cannot be read: {error}") from None
