"""A simulated Kalshi and the adapter beside it, in one loop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from arbees.core.deciding.outcomes import (
    _SEAL,
    ApprovedOrder,
    Outcome,
    Report,
)
from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.errors import VenueError
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.server import KalshiServer
from arbees.runtime.clock import SystemClock
from arbees.runtime.supervisor import Supervisor
from arbees.venues.kalshi.connection.connection import KalshiAccount, KalshiConnection
from arbees.venues.kalshi.connection.keys import SigningKey
from arbees.venues.kalshi.markets.markets import KalshiMarketData
from arbees.venues.kalshi.venue import KalshiVenue
from tests.venues.kalshi.keypairs import ed25519_key

TICKER = "KXNBAGAME-26JAN28HOUBOS-BOS"
OTHER = "KXMLBGAME-26JUL04NYMATL-ATL"
CENT = 10_000


def quote(ticker: str = TICKER, *, bid: int = 38, ask: int = 40, size: int = 100) -> Quote:
    """Return a book of one level a side, in cents and contracts."""
    return Quote(
        ts_ns=0,
        platform=Platform.KALSHI,
        market_id=ticker,
        bids=((bid * CENT, size * MICRO),),
        asks=((ask * CENT, size * MICRO),),
        sport="NBA",
    )


class ShiftedClock(SystemClock):
    """The machine's clock, moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.shift_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.shift_ns


class Rig:
    """The two ends of the wire."""

    def __init__(self, server: KalshiServer, venue: KalshiVenue, data: KalshiMarketData) -> None:
        self.server = server
        self.venue = venue
        self.data = data
        self.exchange = server.exchange
        self.reports: list[Report] = []
        self.quotes: list[Quote] = []
        self.clock = ShiftedClock()
        self.dead: list[str] = []
        """Tasks of the adapter that died, with what of."""
        self._number = 0

    def died(self, name: str, error: BaseException) -> None:
        """Remember that a task died."""
        self.dead.append(f"{name}: {error!r}")

    def order(
        self,
        side: Side = Side.YES,
        cents: int = 40,
        contracts: int = 5,
        time_in_force: TimeInForce = TimeInForce.IOC,
        action: Action = Action.BUY,
        *,
        ticker: str = TICKER,
        expires_ns: int | None = None,
        name: str | None = None,
        is_reducing: bool = False,
    ) -> ApprovedOrder:
        """Return an order as a decision would have approved it."""
        self._number += 1
        return ApprovedOrder(
            _SEAL,
            name or f"arb-{self._number}",
            f"r{self._number}",
            0,
            Platform.KALSHI,
            ticker,
            ticker,
            side,
            action,
            contracts * MICRO,
            cents * CENT,
            time_in_force,
            expires_ns,
            is_reducing,
        )

    async def send(self, order: ApprovedOrder) -> Outcome:
        """Send an order through an open gate."""
        return await self.venue.submit(order, lambda: None)

    async def until(self, is_so: Callable[[], object], seconds: float = 5.0) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(seconds):
            while not is_so():  # noqa: ASYNC110 - either end may bring it about
                await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def rig(*, listens: bool = True, reaches: bool = True) -> AsyncIterator[Rig]:
    """Start both ends; `listens` waits until the stream is up, `reaches` not = a bad start."""
    key = ed25519_key()
    clock = ShiftedClock()
    server = KalshiServer(key_id="key", public_key=key.public_key(), now_ns=SystemClock().now_ns)
    server.rest.set_limits((10_000.0, 10_000.0), (10_000.0, 10_000.0))
    server.show(quote())
    addresses = await server.start()
    account = KalshiAccount(
        key=SigningKey(key),
        key_id="key",
        base_url=addresses.rest,
        ws_url=addresses.ws,
        skew_max_ns=2 * NS_PER_SECOND,
        group_limit=1_000 * MICRO,
    )
    tasks = Supervisor(clock)
    connection, shards = KalshiConnection(account, clock, tasks), dict[str, int]()
    made = Rig(server, KalshiVenue(connection, shards), KalshiMarketData(connection, shards))
    made.clock = clock
    tasks.listen(made.died, made.died, lambda _name: None)
    made.venue.listen(made.reports.append)
    made.data.listen(made.quotes.append)
    try:
        if not reaches:
            server.fault(FaultKind.UNREACHABLE)
        with contextlib.nullcontext() if reaches else contextlib.suppress(VenueError):
            await made.venue.start()
        if listens and reaches:
            await made.until(lambda: made.venue.stream.is_live)
        yield made
    finally:
        await made.data.close()
        await made.venue.close()
        await server.stop()
