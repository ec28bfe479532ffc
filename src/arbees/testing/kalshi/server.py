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

from arbees.core.quote import Quote
from arbees.core.units import MICRO, NS_PER_SECOND
from arbees.testing.kalshi import bodies, feed
from arbees.testing.kalshi.desk import Desk
from arbees.testing.kalshi.exchange import Exchange
from arbees.testing.kalshi.faults import Fault, FaultKind, Faults
from arbees.testing.kalshi.identity import Doorman, PublicKey
from arbees.testing.kalshi.lines import BOOKS
from arbees.testing.kalshi.looking import ROOT
from arbees.testing.kalshi.rest import Rest
from arbees.testing.kalshi.streams import PATH, Streams
from arbees.testing.kalshi.subscribing import Sleep

OWNER = "trader"
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
        self.faults = Faults()
        self.desk = Desk(self.exchange, self.faults)
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
        app.add_routes(
            [
                web.post("/control/faults", self._add_fault),
                web.delete("/control/faults", self._clear_faults),
                web.post("/control/settle", self._settle),
                web.post("/control/limits", self._set_limits),
                web.get("/control/state", self._state),
            ]
        )
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
        self._apply(msgspec.convert({"kind": kind, **more}, Fault))

    def heal(self) -> None:
        """Let everything be well again."""
        self.faults.clear()
        self.doorman.skew_ns = 0
        self.exchange.pause(is_trading=True, is_open=True)

    def _apply(self, fault: Fault) -> None:
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
        is_trading = self.faults.standing(FaultKind.TRADING_PAUSE, now_ns) is None
        is_open = self.faults.standing(FaultKind.EXCHANGE_PAUSE, now_ns) is None
        if (is_trading, is_open) != (self.exchange.is_trading, self.exchange.is_open):
            self.exchange.pause(is_trading=is_trading, is_open=is_open)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.exchange.tick()
            self._follow_faults()

    # Control -----------------------------------------------------------------------------------

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            fault = msgspec.json.decode(await request.read(), type=Fault)
        except msgspec.DecodeError as error:
            return web.json_response({"error": str(error)}, status=400)
        self._apply(fault)
        return web.json_response({"happened": self.faults.happened})

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self.heal()
        return web.json_response({"happened": self.faults.happened})

    async def _settle(self, request: web.Request) -> web.Response:
        try:
            body = msgspec.json.decode(await request.read(), type=dict[str, str])
            ticker, result = body["ticker"], body["result"]
        except (msgspec.DecodeError, KeyError) as error:
            return web.json_response({"error": repr(error)}, status=400)
        if ticker not in self.exchange.markets or result not in {"yes", "no"}:
            return web.json_response({"error": "expected a market and yes or no"}, status=400)
        self.exchange.settle(ticker, result)
        return web.json_response({})

    async def _set_limits(self, request: web.Request) -> web.Response:
        try:
            body = msgspec.json.decode(await request.read(), type=dict[str, tuple[float, float]])
            self.rest.set_limits(body["read"], body["write"])
        except (msgspec.DecodeError, KeyError) as error:
            return web.json_response({"error": repr(error)}, status=400)
        return web.json_response({})

    async def _state(self, request: web.Request) -> web.Response:
        """Tell everything that happened to the account, for a test to compare with."""
        exchange = self.exchange
        shard = self.desk.shard
        return web.json_response(
            {
                "orders": [bodies.order_row(o, shard(o.ticker)) for o in exchange.orders.values()],
                "fills": [
                    bodies.fill_row(fill, shard(fill.ticker)) | {"coid": fill.client_order_id}
                    for fill in exchange.fills
                ],
                "positions": {
                    ticker: bodies.count(held)
                    for ticker, held in exchange.account(OWNER).positions.items()
                },
                "cash": {
                    str(number): bodies.money(cash)
                    for number, cash in exchange.account(OWNER).cash.items()
                },
                "happened": self.faults.happened,
                "over_limit": self.rest.over_limit,
                "repeated_signatures": self.doorman.repeats,
            }
        )
