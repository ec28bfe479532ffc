"""Kalshi's streams of our own orders and fills: what happens, as it happens, and when it is deaf.

Guarantees that whoever listens hears when the stream is up, and when it can no longer be trusted.
These streams have no sequence numbers and no replay: after each gap the reads must be compared.
"""

from collections.abc import Callable
from typing import TypeVar

import aiohttp
import msgspec

from arbees.core.deciding.outcomes import (
    Filled,
    OrderClosed,
    OrderSeen,
    Report,
    StreamChanged,
)
from arbees.core.language.ids import CLIENT_ORDER_ID_PREFIX
from arbees.core.language.units import NS_PER_MILLISECOND
from arbees.core.language.words import Platform
from arbees.core.ports import Clock
from arbees.errors import VenueOutcomeUnknown
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.signing import Signer
from arbees.venues.kalshi.connection.socket import KalshiSocket, Message, StreamError
from arbees.venues.kalshi.orders.orders import (
    closed_by,
    fill_of,
    is_ours,
    listed_order,
)
from arbees.venues.kalshi.orders.portfolio import fields_of
from arbees.venues.kalshi.shapes import read

CHANNELS = ("user_orders", "fill")
"""Without these we do not see what happens to our orders."""
GROUPS = "order_group_updates"
"""Without this, a group that tripped shows by a refusal."""
ASKED = (*CHANNELS, GROUPS)
MESSAGE_MAX = 300
T = TypeVar("T")


class OwnFill(msgspec.Struct, frozen=True):
    """A fill of the channel `fill`."""

    trade_id: str
    order_id: str
    count_fp: str
    yes_price_dollars: str
    fee_cost: str
    client_order_id: str | None = None
    is_taker: bool = True
    ts_ms: int | None = None
    ts: int | None = None
    subaccount: int | None = None
    subaccount_number: int | None = None


class GroupUpdate(msgspec.Struct, frozen=True):
    """A message of the channel `order_group_updates`."""

    order_group_id: str = ""
    event_type: str = ""


class OrdersSubscribed(msgspec.Struct, frozen=True):
    """A channel was subscribed."""

    channel: str = ""


class OwnStream:
    """The stream of the account's own orders and fills."""

    def __init__(self, url: str, *, signer: Signer, clock: Clock, subaccount: int = 0) -> None:
        """
        Prepare; `run` connects.

        Args:
            url: of the stream, `wss://...`.
            signer: signs the handshake.
            clock: ours.
            subaccount: whose orders and fills are told; those of others are passed over.
        """
        self._subaccount = subaccount
        self._line = KalshiSocket(url, signer=signer, clock=clock)
        self.sink: Callable[[Report], None] = lambda _report: None
        """Told of what happened to orders of ours, and of what the stream is worth."""
        self.is_live = False
        self.groups: Callable[[str, str], None] = lambda _group, _event: None
        """Told of order groups: which, and what became of it."""
        self.trouble: str | None = "not connected yet"
        """Why it is not live; None = it is."""
        self._waiting: set[str] = set()
        self._line.is_wanting = lambda: bool(self._waiting)

    async def run(self) -> None:
        """Keep the stream up, for ever; each gap is told."""
        try:
            await self._line.keep_up(self._connected, self._down)
        finally:
            self.is_live = False  # whatever ended it: what happens from now on is not heard

    @property
    def is_late(self) -> bool:
        """Whether a heartbeat is overdue."""
        return self._line.is_late

    async def _connected(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._waiting = set(CHANNELS)
        for number, channel in enumerate(ASKED, 1):  # each by itself: one may be refused
            params = {"channels": [channel]}
            await socket.send_json({"id": number, "cmd": "subscribe", "params": params})
        await self._line.listen(socket, self._take)

    def _down(self, reason: str) -> None:
        self._say(reason, is_live=False)

    def _take(self, message: Message) -> None:
        if message.type == "subscribed":
            self._waiting.discard(read(message.msg, OrdersSubscribed).channel)
            if not self._waiting:
                self._say("subscribed", is_live=True)
        elif message.type == "error":
            self._refused(message.id, read(message.msg, StreamError))
        elif message.type == GROUPS:
            update = read(message.msg, GroupUpdate)
            self.groups(update.order_group_id, update.event_type)
        elif message.type == "fill":
            self._take_fill(_row_of(message, OwnFill))
        elif message.type == "user_order":
            self._take_order(_row_of(message, shapes.KalshiOrderRow))

    def _refused(self, number: int | None, error: StreamError) -> None:
        """
        Take it that a channel was refused: only what hangs on it is not known.

        Raises:
            VenueOutcomeUnknown: what happens to our orders hangs on it; we come again.
        """
        if number is None or not 1 <= number <= len(ASKED):
            return
        channel = ASKED[number - 1]
        if channel in CHANNELS:
            said = f"Kalshi refuses the channel {channel}: {error.code} {error.msg}"
            raise VenueOutcomeUnknown(said[:MESSAGE_MAX])

    def _take_fill(self, fill: OwnFill | None) -> None:
        if fill is None:
            return
        number = fill.subaccount if fill.subaccount_number is None else fill.subaccount_number
        name = fill.client_order_id or ""
        if not is_ours(name) or number not in {None, self._subaccount}:
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
        found = fill_of(row, name)
        if fill.ts_ms is not None:
            told_ns = shapes.since_epoch("ts_ms", fill.ts_ms, NS_PER_MILLISECOND)
            found = msgspec.structs.replace(found, time_ns=told_ns)
        self.sink(Filled(fill=found))

    def _take_order(self, row: shapes.KalshiOrderRow | None) -> None:
        if row is None:
            return
        closed = closed_by(row)
        if row.subaccount_number not in {None, self._subaccount} or not is_ours(row.name):
            return
        if closed is None:
            if row.status == "resting":
                self.sink(OrderSeen(order=listed_order(row)))
            return
        self.sink(
            OrderClosed(
                client_order_id=row.name,
                closed=closed,
                reason=row.last_update_reason or row.status,
                time_ns=self._line.heard_ns,
                filled=shapes.count("fill_count_fp", row.fill_count_fp),
            )
        )

    def _say(self, reason: str, *, is_live: bool) -> None:
        self.trouble = None if is_live else reason
        if is_live != self.is_live:
            self.is_live = is_live
            report = StreamChanged(platform=Platform.KALSHI, is_live=is_live, reason=reason)
            self.sink(report)


def _row_of(message: Message, shape: type[T]) -> T | None:
    """
    Return what a message says of an order or fill; None = it is odd, and of another program.

    Raises:
        VenueOutcomeUnknown: it cannot be read and may be of ours: something was missed.
    """
    try:
        return read(message.msg, shape)
    except VenueOutcomeUnknown:
        fields = fields_of(bytes(message.msg))
        name = fields.get("client_order_id", CLIENT_ORDER_ID_PREFIX)
        if name is None or (isinstance(name, str) and not is_ours(name)):
            return None
        raise
