"""The benches that the project has: the paper exchange, and Kalshi's adapter at the simulated one.

A new venue adds its own here: a class, and its line in `BENCHES`.
"""

import asyncio
import contextlib
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric import ed25519

from arbees.core.language.payouts import Payouts
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Platform
from arbees.core.ports import Venue
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.server import KalshiServer
from arbees.runtime.supervisor import Supervisor
from arbees.venues.kalshi.connection.connection import KalshiAccount, KalshiConnection
from arbees.venues.kalshi.connection.keys import SigningKey
from arbees.venues.kalshi.venue import KalshiVenue
from arbees.venues.paper import Fault, PaperExchange
from verification.conformance.bench import CENT, AsyncBench, ConformanceBench, Opened, Trouble
from verification.conformance.cards import HIDDEN_SECONDS
from verification.conformance.reference import reference_bench
from verification.live.clock import AdvancingClock

CASH = 1_000 * MICRO
TURN_SECONDS = 0.003
"""How long both ends of a wire have to do what is due."""


def quote_of(bench: ConformanceBench, bid: int, ask: int, size: int) -> Quote:
    """Return a book of one level a side, in cents and contracts."""
    return Quote(
        ts_ns=0,
        platform=Platform.KALSHI,
        market_id=bench.market_id,
        bids=((bid * CENT, size * MICRO),),
        asks=((ask * CENT, size * MICRO),),
        sport="NBA",
    )


class PaperBench(ConformanceBench):
    """The paper exchange in Kalshi's place."""

    name = "paper"
    market_id = "KXNBAGAME-26JAN28HOUBOS-BOS"
    starting_cash = CASH
    _FAULTS: ClassVar = {
        Trouble.LOST_BEFORE: (Fault.LOST_BEFORE, 1),
        Trouble.LOST_AFTER: (Fault.LOST_AFTER, 1),
        Trouble.UNREACHABLE: (Fault.OUTAGE, None),
        Trouble.DEAF: (Fault.REPORT_LOST, None),
    }

    def __init__(self) -> None:
        """Open a book in memory."""
        super().__init__()
        self.clock = AdvancingClock()
        self.exchange = PaperExchange.open(
            ":memory:", clock=self.clock, starting_balance=CASH, is_inline=True
        )
        self.venue.listen(self.reports.append)

    @property
    def venue(self) -> Venue:
        """The venue behind its port."""
        return self.exchange.venue(Platform.KALSHI)

    async def show(self, bid: int, ask: int, size: int) -> None:
        """Feed a quote."""
        self.exchange.feed(quote_of(self, bid, ask, size))
        await self.pass_time(0)

    async def pass_time(self, seconds: float) -> None:
        """Move the clock, and let orders expire."""
        self.clock.advance(seconds)
        self.exchange.tick(self.clock.now_ns())
        await self.clock.sleep(0)

    async def trouble(self, kind: Trouble) -> bool:
        """Plant a fault; an order that reads hide is one whose answer and reads are lost."""
        if kind is Trouble.HIDDEN:
            self.exchange.faults.set(Fault.LOST_AFTER, times=1)
            self.exchange.faults.set(Fault.READ_LAG, times=3)
            return True
        if kind not in self._FAULTS:
            return False
        fault, times = self._FAULTS[kind]
        self.exchange.faults.set(fault, times=times)
        return True

    async def heal(self) -> None:
        """Let everything be well."""
        self.exchange.faults.clear()

    async def settle(self, payouts: Payouts) -> bool:
        """Settle once for all."""
        known = await self.venue.results([self.market_id])
        now_ns = self.clock.now_ns()
        settled = Settlement(
            ts_ns=now_ns, platform=self.platform, market_id=self.market_id, payouts=payouts
        )
        return not known and self.exchange.settle(settled)


class KalshiBench(ConformanceBench):
    """Kalshi's adapter at the simulated Kalshi, over sockets on loopback."""

    name = "Kalshi"
    market_id = "KXNBAGAME-26JAN28HOUBOS-BOS"
    starting_cash = 4 * CASH
    _FAULTS: ClassVar = {
        Trouble.LOST_BEFORE: {"kind": FaultKind.LOST_BEFORE},
        Trouble.LOST_AFTER: {"kind": FaultKind.LOST_AFTER},
        Trouble.UNREACHABLE: {"kind": FaultKind.UNREACHABLE},
        Trouble.DEAF: {"kind": FaultKind.STREAM_DOWN},
        Trouble.LIMITED: {"kind": FaultKind.RATE_LIMITED},
    }

    def __init__(self) -> None:
        """Prepare both ends of the wire."""
        super().__init__()
        self.clock, self._key = AdvancingClock(), ed25519.Ed25519PrivateKey.generate()
        self.server = KalshiServer(
            key_id="key",
            public_key=self._key.public_key(),
            balance=CASH,
            now_ns=self.clock.now_ns,
            sleep=self.clock.sleep,
        )
        self.server.rest.set_limits((10_000.0, 10_000.0), (10_000.0, 10_000.0))
        self._venue: KalshiVenue | None = None

    @property
    def venue(self) -> Venue:
        """The venue behind its port."""
        assert self._venue is not None
        return self._venue

    async def start(self) -> None:
        """Connect, and wait until the stream is up."""
        self.server.show(quote_of(self, 1, 99, 1))
        addresses = await self.server.start()
        account = KalshiAccount(
            key=SigningKey(self._key),
            key_id="key",
            base_url=addresses.rest,
            ws_url=addresses.ws,
            skew_max_ns=2 * NS_PER_SECOND,
            group_limit=1_000 * MICRO,
        )
        made = KalshiVenue(KalshiConnection(account, self.clock, Supervisor(self.clock)), {})
        made.hurry(0.5)
        made.listen(self.reports.append)
        self._venue = made
        await made.start()
        await self.until_told("the stream to be up", lambda: made.stream.is_live)

    async def stop(self) -> None:
        """Take both ends down."""
        if self._venue is not None:
            await self._venue.close()
        await self.server.stop()

    async def show(self, bid: int, ask: int, size: int) -> None:
        """Make the book what a quote says."""
        self.server.show(quote_of(self, bid, ask, size))
        await self.pass_time(0)

    async def pass_time(self, seconds: float) -> None:
        """Move both clocks, and give both ends a turn."""
        self.clock.advance(seconds)
        self.server.exchange.tick()
        await asyncio.sleep(TURN_SECONDS)

    async def trouble(self, kind: Trouble) -> bool:
        """Plant a fault."""
        if kind is Trouble.HIDDEN:
            self.server.fault(FaultKind.HIDDEN, seconds=HIDDEN_SECONDS)
            self.server.fault(FaultKind.LOST_AFTER)
            return True
        self.server.fault(**self._FAULTS[kind])
        await self.pass_time(1)
        return True

    async def heal(self) -> None:
        """Let everything be well."""
        self.server.heal()

    async def settle(self, payouts: Payouts) -> bool:
        """Determine and finalize; what is final already, amend."""
        lifecycle = self.server.exchange.lifecycle
        lifecycle.determine(self.market_id, payouts.yes)
        lifecycle.finalize(self.market_id)
        return True


@contextlib.asynccontextmanager
async def paper_bench() -> AsyncBench:
    """Set the paper exchange up."""
    bench = PaperBench()
    try:
        yield bench
    finally:
        await bench.exchange.close()


@contextlib.asynccontextmanager
async def kalshi_bench() -> AsyncBench:
    """Set both ends of the wire up."""
    bench = KalshiBench()
    try:
        await bench.start()
        yield bench
    finally:
        await bench.stop()


BENCHES: dict[str, Opened] = {
    "paper": paper_bench,
    "Kalshi": kalshi_bench,
    "reference": reference_bench,
}
