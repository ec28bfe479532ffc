"""A stage for live trading: the whole gateway against a simulated Kalshi, in one process.

Guarantees that everything goes the way real requests go: real settings, a key file, signatures,
sockets on loopback, a journal on disk. Both ends share one clock that can be moved on. `kill`
leaves what `kill -9` leaves: nothing is told, cancelled or flushed on the way out.
"""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.language.quote import Quote
from arbees.core.language.request import Request
from arbees.core.language.units import MICRO, parse_micro
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import Result
from arbees.errors import VenueError
from arbees.interface.views import Undecided
from arbees.rehearsal.kalshi.engine.exchange import Exchange
from arbees.rehearsal.kalshi.engine.rules import ExchangeOrder
from arbees.rehearsal.kalshi.server import HOST, Addresses, KalshiServer
from arbees.runtime.intake.commit_thread import Worker
from arbees.runtime.intake.writer import Lane
from arbees.runtime.signals import Ends
from arbees.settings import Settings, load
from arbees.venues.kalshi.venue import KalshiVenue
from arbees.wiring.assembly import Assembly, Files
from arbees.wiring.bootstrap import assemble
from verification.live.clock import AdvancingClock
from verification.live.comparison import (
    Comparison,
    JournaledOrders,
    LimitWatch,
    compare,
    limits_of,
)

KEY_ID = "00000000-0000-4000-8000-00000000a4b5"
MARKET = "KXNBAGAME-26JAN28HOUBOS-BOS"
OTHER = "KXNFLGAME-26SEP13DALPHI-PHI"
"""Two markets, on two shards."""
ANSWER_SECONDS = 1.0
"""How long an answer is waited for on stage."""
START_SECONDS = 1.0
"""How long a process takes to come up again."""
STEP_SECONDS = 0.5
"""How far the clock is moved at once, while something is waited for."""
TURN_SECONDS = 0.003
"""How long both ends then have to do what was due."""
REAL_SECONDS = 0.15
"""How long is waited for real before the clock is moved."""


class KalshiScene:
    """A gateway on stage, live, and the exchange that it trades on."""

    def __init__(
        self,
        folder: Path,
        server: KalshiServer,
        clock: AdvancingClock,
        settings: Settings,
        addresses: Addresses,
        *,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """Hold the parts; `start` raises the curtain."""
        self.server = server
        self.clock = clock
        self.settings = settings
        self.addresses = addresses
        self.alerts: list[tuple[str, str]] = []
        self.standing: set[str] = set()
        """Alerts that are not over, by name and details: `NAME|value|value`."""
        self.starts = 0
        self._folder = folder
        self._answer_seconds = answer_seconds
        self._count = 0
        self._told = JournaledOrders()
        self._assembly: Assembly | None = None
        self._worker: Worker | None = None
        self.watch = LimitWatch(server.exchange, limits_of(settings))

    # What is on stage --------------------------------------------------------------------------

    @property
    def assembly(self) -> Assembly:
        """The gateway that runs."""
        assert self._assembly is not None, "Expected a gateway, none runs"
        return self._assembly

    @property
    def exchange(self) -> Exchange:
        """The exchange's own record."""
        return self.server.exchange

    @property
    def is_running(self) -> bool:
        """Whether a gateway runs."""
        return self._assembly is not None

    @property
    def venue(self) -> KalshiVenue:
        """The adapter of the gateway that runs."""
        found = self.assembly.gateway.desk.venues[Platform.KALSHI]
        assert isinstance(found, KalshiVenue)
        return found

    def compare(self) -> Comparison:
        """Compare the exchange's record with the journal and the book."""
        return compare(self.exchange, self.assembly.gateway.desk, self._told)

    # Its life ----------------------------------------------------------------------------------

    async def start(self, *, waits: bool = True) -> None:
        """
        Start a gateway on what the last one left.

        Args:
            waits: until it is connected, compared and admits opening orders.
        """
        assert self._assembly is None, "Expected no gateway, one runs"
        self.starts += 1
        if self.starts > 1:
            self.clock.advance(START_SECONDS)
        journal = self._folder / "live.db"
        self._worker = Worker("journal")
        assembly = assemble(
            self.settings,
            clock=self.clock,
            files=Files(journal, self._folder / "paper.db", None),
            ends=Ends(),
            alerts=self,
            worker=self._worker,
        )
        self._assembly = assembly
        self.venue.hurry(self._answer_seconds)
        await self._while_time_passes(assembly.start())
        if self.starts == 1:
            authorized = events.Authorized(
                actor="rehearsal",
                reason="rehearsal",
                settings_hash=self.settings.hash,
                settings=self.settings.recorded(),
            )
            writer = assembly.gateway.desk.writer
            await writer.put(commands.Record(events=(authorized,)), Lane.CONTROL)
        if waits:
            await self.until(lambda: self.is_ready)

    @property
    def is_ready(self) -> bool:
        """Whether the gateway sees, was compared, and nothing keeps it from sending."""
        desk, vitals = self.assembly.gateway.desk, self.venue.vitals
        if desk.uncompared or desk.breakers[Platform.KALSHI].is_open:
            return False
        return not vitals.is_blind and not vitals.is_heartbeat_late and vitals.reason is None

    async def kill(self) -> None:
        """Abandon the gateway as `kill -9` would: what is on disk and at the exchange stays."""
        assembly, self._assembly = self.assembly, None
        desk = assembly.gateway.desk
        await desk.supervisor.stop()  # every task ends where it stands; nothing of it is told
        closing = [each.close() for each in desk.market_data.values()]
        closing += [each.close() for each in desk.venues.values()]
        await asyncio.gather(*closing, return_exceptions=True)
        assert self._worker is not None
        await asyncio.to_thread(self._worker.close)
        assembly.audit.close()
        assembly.reader.close()
        desk.journal.close()

    async def restart(self, *, waits: bool = True) -> None:
        """Kill the gateway, and start it again."""
        if self.is_running:
            await self.kill()
        await self.start(waits=waits)

    async def stop(self) -> None:
        """End in order."""
        if self._assembly is None:
            return
        assembly = self._assembly
        await self._while_time_passes(assembly.stop("the rehearsal is over"))
        self._assembly = None
        assert self._worker is not None
        await asyncio.to_thread(self._worker.close)

    def clear(self, name: str, **data: object) -> None:
        """Take it that an alert is over; what was raised stays on the list."""
        self.standing.discard("|".join((str(name), *map(str, data.values()))))

    def raise_(self, name: str, message: str, **data: object) -> None:
        """Remember an alert."""
        self.alerts.append((str(name), message))
        self.standing.add("|".join((str(name), *map(str, data.values()))))

    # Time --------------------------------------------------------------------------------------

    async def until(
        self, is_so: Callable[[], object], seconds: float = 300.0, *, moves: bool = True
    ) -> float:
        """
        Wait until something holds; for a moment for real, then by moving the clock on.

        Args:
            is_so: asked after each step.
            seconds: of the stage's clock, before it fails.
            moves: whether to move the clock.

        Returns:
            How many seconds of the stage's clock it took.

        Raises:
            TimeoutError: it does not hold by then.
        """
        began_ns, real = self.clock.now_ns(), asyncio.get_running_loop().time()
        while not is_so():
            await asyncio.sleep(TURN_SECONDS)
            if moves and asyncio.get_running_loop().time() - real > REAL_SECONDS:
                self.clock.advance(STEP_SECONDS)
            if self.clock.now_ns() - began_ns > seconds * 1e9:
                raise TimeoutError(f"does not hold after {seconds:g} s of the stage's clock")
        return (self.clock.now_ns() - began_ns) / 1e9

    async def pass_time(self, seconds: float, step: float = STEP_SECONDS) -> None:
        """Let so much time of the stage's clock pass, in steps."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            await asyncio.sleep(TURN_SECONDS)

    async def _while_time_passes(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        await self.until(task.done, 600.0)
        await task

    # Requests ----------------------------------------------------------------------------------

    def show(
        self, market: str = MARKET, *, bid: int = 38, ask: int = 40, size: int = 1_000
    ) -> None:
        """Make a market's book one level a side, in cents and contracts."""
        quote = Quote(
            ts_ns=self.clock.now_ns(),
            platform=Platform.KALSHI,
            market_id=market,
            bids=((bid * 10_000, size * MICRO),),
            asks=((ask * 10_000, size * MICRO),),
            sport="NBA" if market == MARKET else "NFL",
        )
        self.server.show(quote)

    def trade(self, order: ExchangeOrder, count: int = 500_000) -> None:
        """Let somebody trade with a resting order, up to so many micro-contracts."""
        self.exchange.by_hand.trade(order, count)

    def request(
        self,
        size: str = "5",
        price: str = "0.40",
        time_in_force: TimeInForce = TimeInForce.IOC,
        *,
        market: str = MARKET,
        side: Side = Side.YES,
        action: Action = Action.BUY,
        **more: object,
    ) -> Request:
        """Return a request of now, with a key of its own."""
        self._count += 1
        fields = {
            "request_id": f"req-{self._count}",
            "idempotency_key": f"key-{self._count}",
            "strategy": f"s{self._count % 7}",
            **more,
        }
        return Request(
            platform=Platform.KALSHI,
            market_id=market,
            side=side,
            action=action,
            size=parse_micro(size),
            limit_price=parse_micro(price),
            time_in_force=time_in_force,
            created_ns=self.clock.now_ns(),
            **fields,  # type: ignore[arg-type]
        )

    async def send(self, request: Request, wait_seconds: float = 3.0) -> Result | None:
        """Submit; None = undecided, as when the gateway is killed meanwhile."""
        try:
            return await self.assembly.gateway.submit(request, wait_seconds)
        except Undecided:
            return None

    async def rest(self, number: int, *, markets: tuple[str, ...] = (MARKET,)) -> list[str]:
        """Place orders that rest at the exchange; return their client order ids."""
        orders, placed = self.assembly.gateway.desk.book.orders, list[str]()
        before = set(orders)
        while len(placed) < number:
            self.clock.advance(0.1)  # tokens for the next ones
            for market in markets:
                self.show(market)
            asked = [
                self._resting(place, markets) for place in range(min(50, number - len(placed)))
            ]
            await asyncio.gather(*asked)
            placed = [name for name in orders if name not in before]
        await self.until(lambda: not self.compare().differences)
        return placed

    async def _resting(self, place: int, markets: tuple[str, ...]) -> Result | None:
        price, market = f"0.{10 + place % 20}", markets[place % len(markets)]
        return await self.send(self.request("1", price, TimeInForce.GTC, market=market))

    async def settled(self, seconds: float = 600.0) -> float:
        """Wait until the gateway and the exchange agree; return how long it took by their clock."""
        return await self.until(lambda: self.is_settled, seconds)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is open to doubt, and all is the same on both sides."""
        if not self.assembly.gateway.desk.is_idle:
            return False
        return self.compare().is_agreed


@contextlib.asynccontextmanager
async def kalshi_stage(
    settings: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
    seed: int = 0,
    rate: float = 1_200.0,
    starts: bool = True,
    answer_seconds: float = ANSWER_SECONDS,
    host: str = HOST,
    toml: str = "",
) -> AsyncIterator[KalshiScene]:
    """
    Set up a scene and take it down.

    Args:
        settings: by their names; everything else is at its default.
        folder: where to keep the files; None = a temporary place.
        seed: of the exchange.
        rate: tokens a second of the account, for reads and for writes; three times as many at once.
        starts: whether to start the gateway as well.
        answer_seconds: how long an answer is waited for.
        host: the name by which the gateway knows the exchange.
        toml: text of an arbees.toml.
    """
    clock, key = AdvancingClock(), ed25519.Ed25519PrivateKey.generate()
    with tempfile.TemporaryDirectory(prefix="arbees-kalshi-") as temporary:
        place = Path(temporary) if folder is None else folder
        server = KalshiServer(
            key_id=KEY_ID,
            public_key=key.public_key(),
            seed=seed,
            now_ns=clock.now_ns,
            sleep=clock.sleep,
        )
        server.rest.set_limits((rate, 3 * rate), (rate, 3 * rate))
        addresses = await server.start()
        environment = {
            "PAPER_TRADING": "0",
            "LIVE_TRADING_AUTHORIZED": "true",
            "LIVE_PLATFORMS": "Kalshi",
            "KALSHI_API_KEY_ID": KEY_ID,
            "KALSHI_PRIVATE_KEY_FILE": str(_written(place / "key.pem", key)),
            "KALSHI_BASE_URL": addresses.rest.replace(HOST, host),
            "KALSHI_WS_URL": addresses.ws.replace(HOST, host),
            "MAX_PRICE_DELTA_FROM_PREGAME": "0.9",
            **(settings or {}),
        }
        (place / "arbees.toml").write_text(toml, encoding="utf-8")
        loaded = load(environment, toml_path=place / "arbees.toml")
        scene = KalshiScene(place, server, clock, loaded, addresses, answer_seconds=answer_seconds)
        scene.show(MARKET)
        scene.show(OTHER)
        try:
            if starts:
                await scene.start()
            yield scene
        finally:
            with contextlib.suppress(VenueError, TimeoutError):
                if scene.is_running:
                    await scene.kill()
            await server.stop()


def _written(path: Path, key: ed25519.Ed25519PrivateKey) -> Path:
    """Write a key file that nobody else may read."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    return path
