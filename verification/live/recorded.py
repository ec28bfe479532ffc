"""Plays recorded quotes, requests and settlements through a live gateway at a simulated Kalshi.

Guarantees that each request goes the whole way of a live one at its recorded moment: the clock of
both ends is moved from one input to the next, the stream that fell silent meanwhile is opened again
and compared, and what it costs and earns is read at both ends. What the gateway says is compared
with what the exchange recorded by `comparing`, to the last micro-dollar.
"""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from arbees.core.language.payouts import Payouts
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.request import Request
from arbees.core.language.units import NS_PER_SECOND, mul_ceil, mul_floor
from arbees.core.language.words import Platform, Side
from arbees.core.orders.result import Result
from arbees.rehearsal.kalshi.server import OWNER, Addresses, KalshiServer
from arbees.rehearsal.playback import Input
from arbees.settings import load
from verification.live.clock import AdvancingClock
from verification.live.comparison import Comparison
from verification.live.scene import KEY_ID, KalshiScene

SHORT_OF_NS = 45 * NS_PER_SECOND
"""The clock is moved to this long before an input; then both ends get to know each other again."""
OPENS_BEFORE_NS = 900 * NS_PER_SECOND
BALANCE_SECONDS = 10
"""The gateway asks for its cash this often: no jump may leave it with an old figure."""
STEP_SECONDS = 1.0
STRIDE_SECONDS = 5.0
"""How far the clock is moved at once while all is well: shorter than any silence that matters."""
TURN_SECONDS = 0.002
TURNS_MAX = 5_000
PATIENCE_TURNS = 20
RATE = 1_200.0


class RecordedOutcome(msgspec.Struct, kw_only=True):
    """What became of one request, by the exchange's own record; in millionths."""

    request: Request
    result: Result | None = None
    filled: int = 0
    cost: int = 0
    fee: int = 0
    paid: int = 0
    """What the market's settlement brought."""

    @property
    def profit(self) -> int:
        """What was left of it."""
        return self.paid - self.cost - self.fee


class Played(msgspec.Struct, kw_only=True):
    """What became of all of it."""

    outcomes: list[RecordedOutcome]
    cash: int
    """By how much the account's cash changed at the exchange."""
    counted: int
    """The same by the gateway's own count."""
    comparison: Comparison
    alerts: list[tuple[str, str]]


def play_live(inputs: list[Input], settings: dict[str, str] | None = None) -> Played:
    """
    Play inputs in order.

    Args:
        inputs: see `playback.in_order`; what is not of Kalshi is left out.
        settings: by their names; everything else is at its default.

    Raises:
        TimeoutError: the two ends do not come to rest.
    """
    with tempfile.TemporaryDirectory(prefix="arbees-recorded-") as folder:
        return asyncio.run(_play(inputs, settings or {}, Path(folder)))


async def _play(inputs: list[Input], settings: dict[str, str], folder: Path) -> Played:
    clock, key = AdvancingClock(), ed25519.Ed25519PrivateKey.generate()
    clock.advance((inputs[0].time_ns - OPENS_BEFORE_NS - clock.now_ns()) / NS_PER_SECOND)
    server = KalshiServer(
        key_id=KEY_ID, public_key=key.public_key(), now_ns=clock.now_ns, sleep=clock.sleep
    )
    server.rest.set_limits((RATE, 3 * RATE), (RATE, 3 * RATE))
    addresses = await server.start()
    environment = _live(addresses, _written(folder / "key.pem", key)) | settings
    scene = KalshiScene(folder, server, clock, load(environment), addresses)
    try:
        await scene.start()
        player = LivePlayback(scene)
        before = player.cash()
        for each in inputs:
            await player.take(each)
        return await player.finish(before)
    finally:
        if scene.is_running:
            await scene.stop()
        await server.stop()


def _live(addresses: Addresses, key_file: Path) -> dict[str, str]:
    """Return what live trading needs, and nothing else: every limit is at its default."""
    return {
        "PAPER_TRADING": "0",
        "LIVE_TRADING_AUTHORIZED": "true",
        "LIVE_PLATFORMS": "Kalshi",
        "KALSHI_API_KEY_ID": KEY_ID,
        "KALSHI_PRIVATE_KEY_FILE": str(key_file),
        "KALSHI_BASE_URL": addresses.rest,
        "KALSHI_WS_URL": addresses.ws,
        "BALANCE_REFRESH_INTERVAL_SECS": str(BALANCE_SECONDS),
    }


def _written(path: Path, key: ed25519.Ed25519PrivateKey) -> Path:
    """Write a key file that nobody else may read."""
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


class LivePlayback:
    """One play."""

    def __init__(self, scene: KalshiScene) -> None:
        """Play on a scene that has started."""
        self.scene = scene
        self.outcomes: list[RecordedOutcome] = []
        self._payouts: dict[str, Payouts] = {}

    async def take(self, each: Input) -> None:
        """Take one input at its time."""
        item, scene = each.item, self.scene
        if getattr(item, "platform", None) is not Platform.KALSHI:
            return
        if isinstance(item, Quote):
            await self._move_to(each.time_ns)
            scene.server.show(item)
            await self._until(lambda: self._is_seen(item))
        elif isinstance(item, Settlement):
            # The gateway need not look; it finds out when it does.
            left_ns = each.time_ns - scene.clock.now_ns()
            scene.clock.advance(max(0, left_ns) / NS_PER_SECOND)
            self._payouts[item.market_id] = item.payouts
            if item.market_id in scene.exchange.markets:
                scene.exchange.lifecycle.determine(item.market_id, item.payouts.yes)
                scene.exchange.lifecycle.finalize(item.market_id)
        elif isinstance(item, Request):
            await self._move_to(each.time_ns)
            await self._until(lambda: scene.is_ready)
            self.outcomes.append(RecordedOutcome(request=item, result=await scene.send(item)))

    async def finish(self, before: int) -> Played:
        """Compare both ends when all of it has settled."""
        scene = self.scene
        await self._move_to(scene.clock.now_ns() + 3_600 * NS_PER_SECOND)
        await self._until(lambda: scene.is_ready)
        await scene.assembly.gateway.reconcile()
        await self._until(lambda: scene.is_settled)
        self._read()
        desk = scene.assembly.gateway.desk
        return Played(
            outcomes=self.outcomes,
            cash=self.cash() - before,
            counted=sum(desk.book.ledgers.values()) - before,
            comparison=scene.compare(),
            alerts=scene.alerts,
        )

    def cash(self) -> int:
        """Return the account's cash over all shards."""
        return sum(self.scene.exchange.account(OWNER).cash.values())

    def _read(self) -> None:
        """Read what was traded from the exchange's record, and what it was worth in the end."""
        fills: dict[str, list[Any]] = defaultdict(list)
        for fill in self.scene.exchange.fills:
            fills[fill.order_id].append(fill)
        for each in self.outcomes:
            order_id = None if each.result is None else each.result.order_id
            for fill in fills.get(order_id or "", ()):
                is_yes = each.request.side is Side.YES
                price = fill.price if is_yes else 1_000_000 - fill.price
                each.filled += fill.count
                each.cost += mul_ceil(price, fill.count)
                each.fee += fill.fee
            payouts = self._payouts.get(each.request.market_id)
            if payouts is not None:
                each.paid = mul_floor(payouts.of(each.request.side), each.filled)

    async def _move_to(self, time_ns: int) -> None:
        """Move both clocks to shortly before a moment, let both ends find each other, go on."""
        clock = self.scene.clock
        left_ns = time_ns - SHORT_OF_NS - clock.now_ns()
        if left_ns > 0:
            jumped_ns = clock.now_ns() + left_ns
            clock.advance(left_ns / NS_PER_SECOND)
            await self.get_well(jumped_ns)
        while (left_ns := time_ns - clock.now_ns()) > 0:
            clock.advance(min(STRIDE_SECONDS, left_ns / NS_PER_SECOND))
            await self._catch_up(time_ns)

    async def _catch_up(self, time_ns: int) -> None:
        """Let both ends do what was due; what was asked in vain is asked again a little later."""
        clock = self.scene.clock
        for turn in range(1, TURNS_MAX):
            await asyncio.sleep(TURN_SECONDS)
            if self._is_well(clock.now_ns() - 2 * BALANCE_SECONDS * NS_PER_SECOND):
                return
            if turn % PATIENCE_TURNS == 0:
                left_ns = max(0, time_ns - clock.now_ns())
                clock.advance(min(STEP_SECONDS, left_ns / NS_PER_SECOND))

    async def get_well(self, since_ns: int) -> None:
        """Let time pass until the gateway trades again, and asked for its cash since a moment."""
        while not self._is_well(since_ns):
            await asyncio.sleep(TURN_SECONDS)
            self.scene.clock.advance(STEP_SECONDS)

    def _is_seen(self, quote: Quote) -> bool:
        """Tell whether the gateway's book shows a quote, of a market that it follows at all."""
        desk = self.scene.assembly.gateway.desk
        found = desk.book.market_of(quote.platform, quote.market_id)
        touch = found and desk.marks.touches.get(found[0].listing.market_key)
        if not touch:
            return True
        best = [side[0][0] if side else None for side in (quote.bids, quote.asks)]
        return [touch.bid, touch.ask] == best and touch.ts_ns >= quote.ts_ns

    def _is_well(self, since_ns: int) -> bool:
        """Tell whether the gateway sees the venue, and its cash, since a moment."""
        desk = self.scene.assembly.gateway.desk
        health = desk.facts.health(Platform.KALSHI, self.scene.clock.now_ns(), "")
        is_open = health.is_open and not health.is_blind and not health.is_heartbeat_late
        return is_open and min(desk.facts.balances_ns.values(), default=0) >= since_ns

    async def _until(self, is_so: Callable[[], object]) -> None:
        """Wait, almost without moving the clock: a request must not grow old."""
        for _ in range(TURNS_MAX):
            await asyncio.sleep(TURN_SECONDS)
            if is_so():
                return
            self.scene.clock.advance(TURN_SECONDS)
        raise TimeoutError("the two ends do not come to rest")
