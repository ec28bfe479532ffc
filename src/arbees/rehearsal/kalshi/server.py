"""The simulated Kalshi as a server on loopback: REST, streams, and the control of its faults.

Guarantees that it listens on loopback alone, that one account is known by the key that it is given
or makes, and that everything which was asked of it can be read back by the control endpoint. The
control has a path of its own, outside of `/trade-api`, and no key: it exists for rehearsals.
"""

import asyncio
import time
from collections.abc import Callable

import msgspec
from aiohttp import web

from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.rehearsal.kalshi.engine import feed, rules
from arbees.rehearsal.kalshi.engine.exchange import Exchange
from arbees.rehearsal.kalshi.engine.faults import ExchangeFault, ExchangeFaults, FaultKind
from arbees.rehearsal.kalshi.rest.account import ROOT
from arbees.rehearsal.kalshi.rest.context import CallContext
from arbees.rehearsal.kalshi.rest.control import Control
from arbees.rehearsal.kalshi.rest.identity import Doorman, PublicKey
from arbees.rehearsal.kalshi.rest.rest import Rest
from arbees.rehearsal.kalshi.streams.lines import BOOKS
from arbees.rehearsal.kalshi.streams.streams import PATH, Streams
from arbees.rehearsal.kalshi.streams.subscriptions import Sleep

OWNER = rules.OWNER
HOST = "127.0.0.1"
TICK_SECONDS = 0.05
BODY_MAX = 1024 * 1024


class Addresses(msgspec.Struct, frozen=True):
    """Where it is; the JSON line that `arbees exchange kalshi` prints."""

    rest: str
    ws: str
    control: str
    key_id: str
    private_key_file: str | None = None


class KalshiServer:
    """One simulated exchange with one account."""

    def __init__(
        self,
        *,
        key_id: str,
        public_key: PublicKey,
        balance: int = 10_000 * MICRO,
        seed: int = 0,
        now_ns: Callable[[], int] = time.time_ns,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """
        Prepare; nothing listens yet.

        Args:
            key_id: of the one account.
            public_key: that its signatures are checked with.
            balance: cash of each shard, in micro-dollars.
            seed: of ids and chances.
            now_ns: the exchange's clock.
            sleep: on that clock.
        """
        self.exchange = Exchange(now_ns, seed)
        self.faults = ExchangeFaults()
        self.desk = CallContext(self.exchange, self.faults)
        self.doorman = Doorman(now_ns)
        self.doorman.admit(key_id, public_key, OWNER)
        self.rest = Rest(self.desk, self.doorman)
        self.streams = Streams(self.desk, self.doorman, sleep)
        self._key_id = key_id
        self._runner: web.AppRunner | None = None
        self._ticks: asyncio.Task[None] | None = None
        for shard in range(4):
            self.exchange.account(OWNER).cash[shard] = balance

    async def start(self, port: int = 0) -> Addresses:
        """Listen on loopback; 0 = any free port."""
        app = web.Application(client_max_size=BODY_MAX)
        app.add_routes(self.rest.routes())
        app.add_routes([web.get(PATH, self.streams.connect)])
        app.add_routes(Control(self).routes())
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        await site.start()
        bound = self._runner.addresses[0][1]
        self._ticks = asyncio.create_task(self._tick(), name="exchange ticks")
        return Addresses(
            rest=f"http://{HOST}:{bound}{ROOT}",
            ws=f"ws://{HOST}:{bound}{PATH}",
            control=f"http://{HOST}:{bound}/control",
            key_id=self._key_id,
        )

    async def stop(self) -> None:
        """Stop listening."""
        if self._ticks is not None:
            self._ticks.cancel()
            await asyncio.gather(self._ticks, return_exceptions=True)
        self.streams.cut()
        if self._runner is not None:
            await self._runner.cleanup()

    def show(self, quote: Quote, *, shard: int | None = None) -> None:
        """Make a market's book what a quote says."""
        feed.show(self.exchange, quote, shard=shard)

    def fault(self, kind: FaultKind, **more: object) -> None:
        """Let something go wrong; see `faults`."""
        self.apply(msgspec.convert({"kind": kind, **more}, ExchangeFault))

    def heal(self) -> None:
        """Let everything be well again."""
        self.faults.clear()
        self.doorman.skew_ns = 0
        self.exchange.pause(set(), set())

    def apply(self, fault: ExchangeFault) -> None:
        """Let something go wrong."""
        now_ns = self.exchange.now_ns()
        self.faults.add(fault, now_ns)
        if fault.kind in {FaultKind.STREAM_CLOSED, FaultKind.STREAM_DOWN}:
            self.streams.cut()
        if fault.kind is FaultKind.SUBSCRIPTION_LOST:
            tickers = frozenset(fault.ticker.split(",")) - {""}
            self.streams.lose(fault.channel or BOOKS, tickers)
        if fault.kind is FaultKind.STREAM_ERROR:
            self.streams.fail(fault.channel or BOOKS, fault.code, fault.ticker)
        if fault.kind is FaultKind.HIDDEN and fault.call == "any":
            self._hide(now_ns + int(fault.seconds * NS_PER_SECOND))
        self._follow_faults()

    def _hide(self, until_ns: int) -> None:
        """Leave everything of the account out of lists."""
        for order in self.exchange.orders.values():
            self.desk.hidden[order.order_id] = until_ns

    def _follow_faults(self) -> None:
        """Let the faults that stand be the state of the exchange."""
        now_ns = self.exchange.now_ns()
        skew = self.faults.standing(FaultKind.CLOCK_SKEW, now_ns)
        self.doorman.skew_ns = 0 if skew is None else int(skew.seconds * NS_PER_SECOND)
        paused = self.faults.shards(FaultKind.TRADING_PAUSE, now_ns)
        shut = self.faults.shards(FaultKind.EXCHANGE_PAUSE, now_ns)
        if (paused, shut) != (self.exchange.paused, self.exchange.shut):
            self.exchange.pause(paused, shut)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.exchange.tick()
            self._follow_faults()
