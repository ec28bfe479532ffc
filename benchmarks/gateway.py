"""A gateway in this process whose venue takes orders and never answers.

Guarantees that what is measured is the gateway's own way to a durable decision and to the venue's
first byte: real journal, writer, dispatcher and gate, and nothing behind them that competes for the
disk. It is wired as `bootstrap` does.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from arbees.core.book.book import Book
from arbees.core.book.market import Market, Terms
from arbees.core.deciding import commands
from arbees.core.deciding.facts import Touch
from arbees.core.deciding.outcomes import (
    Accepted,
    ApprovedOrder,
    CancelOutcome,
    CancelUnknown,
    CashMovement,
    Fill,
    Gated,
    Inconclusive,
    Lookup,
    Outcome,
    PoolBalance,
    Report,
    Settled,
    VenueOrder,
    VenuePosition,
)
from arbees.core.language.words import Platform, Side
from arbees.core.ports import WELL, Entry, Gate, Head, Vitals
from arbees.history.recovery import recover
from arbees.journal import SqliteJournal
from arbees.runtime.clock import SystemClock
from arbees.runtime.desk import Desk, NoAlerts
from arbees.runtime.gateway import TradingGateway
from arbees.runtime.intake.commit_thread import Worker
from arbees.runtime.intake.writer import Lane
from arbees.runtime.options import Options
from arbees.runtime.signals import Ends
from arbees.runtime.supervisor import Supervisor
from arbees.venues.paper.terms import TERMS
from benchmarks import scene


class SilentVenue:
    """Implements `core.ports.Venue`; notes when the first byte of an order would leave."""

    def __init__(self, clock: SystemClock, book: Book) -> None:
        """Hold what the book says is held, so that nothing is out of step."""
        self._clock = clock
        self._book = book
        self.first_bytes: dict[str, int] = {}
        """Request id -> moment of the first byte, by the clock of `time.perf_counter_ns`."""

    @property
    def platform(self) -> Platform:
        """Stand in for Kalshi."""
        return Platform.KALSHI

    @property
    def terms(self) -> Terms:
        """Return Kalshi's."""
        return TERMS[Platform.KALSHI]

    @property
    def vitals(self) -> Vitals:
        """Be well."""
        return WELL

    async def start(self) -> None:
        """There is nothing to connect."""

    async def cancel_everything(self) -> int | None:
        """Have no such call."""
        return None

    async def re_arm(self, pool: str | None = None) -> None:
        """There is nothing to undo."""

    async def fills(self, since_ns: int) -> Sequence[Fill]:
        """List none."""
        return ()

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        """Pass the gate, and let whoever waits for an answer wait for ever."""
        refusal = gate()
        if refusal is not None:
            return Gated(code=refusal.code, message=refusal.message)
        self.first_bytes[order.request_id] = time.perf_counter_ns()
        await asyncio.get_running_loop().create_future()
        raise AssertionError("Expected no answer")

    async def cancel(
        self, client_order_id: str, venue_order_id: str | None, market_id: str
    ) -> CancelOutcome:
        """Say nothing of use."""
        return CancelUnknown(message="silent")

    async def find(self, client_order_id: str, market_id: str, sent_ns: int) -> Lookup:
        """Prove nothing."""
        return Inconclusive(message="silent")

    async def open_orders(self) -> Sequence[VenueOrder]:
        """List none."""
        return ()

    async def placed(self, since_ns: int) -> Sequence[VenueOrder]:
        """List none."""
        return ()

    async def movements(self, since_ns: int) -> Sequence[CashMovement]:
        """List none."""
        return ()

    async def positions(self) -> Sequence[VenuePosition]:
        """List what the book holds."""
        held = ((market, market.yes.quantity - market.no.quantity) for market in self._markets())
        return [
            VenuePosition(
                platform=Platform.KALSHI,
                market_id=market.listing.market_id,
                side=Side.YES if quantity > 0 else Side.NO,
                quantity=abs(quantity),
            )
            for market, quantity in held
            if quantity
        ]

    def _markets(self) -> Sequence[Market]:
        return list(self._book.markets.values())

    async def results(self, market_ids: Sequence[str]) -> Sequence[Settled]:
        """Settle none."""
        return ()

    async def balances(self) -> Sequence[PoolBalance]:
        """Return money without end."""
        return (
            PoolBalance(
                platform=Platform.KALSHI,
                pool=Platform.KALSHI,
                available=scene.WIDE,
                as_of_ns=self._clock.now_ns(),
            ),
        )

    def listen(self, sink: Callable[[Report], None]) -> None:
        """Report nothing."""

    async def close(self) -> None:
        """Hold nothing."""


class FillingVenue(SilentVenue):
    """Fills every order at once, so that nothing piles up."""

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        """Pass the gate and fill."""
        refusal = gate()
        if refusal is not None:
            return Gated(code=refusal.code, message=refusal.message)
        fill = Fill(
            client_order_id=order.client_order_id,
            trade_id=f"trade-{order.client_order_id}",
            quantity=order.quantity,
            price=order.limit_price,
            fee=100,
            is_maker=False,
            time_ns=self._clock.now_ns(),
        )
        return Accepted(
            venue_order_id=f"venue-{order.client_order_id}",
            time_ns=fill.time_ns,
            fills=(fill,),
            closed="filled",
        )


class NotingJournal(SqliteJournal):
    """The journal, with a note of what each commit held."""

    noted: list[list[Entry]] | None = None

    def append(self, entries: Sequence[Entry]) -> Head:
        """Append, and note what."""
        if self.noted is not None:
            self.noted.append(list(entries))
        return super().append(entries)


def open_journal(folder: Path, clock_ns: Callable[[], int] = time.time_ns) -> NotingJournal:
    """Open the journal in a folder, or make both."""
    folder.mkdir(exist_ok=True)
    return NotingJournal.open(
        folder / "journal.db",
        account=scene.ACCOUNT,
        environment=scene.ENVIRONMENT,
        mode="paper",
        clock_ns=clock_ns,
    )


def options() -> Options:
    """Return what the runtime is told; no snapshot falls into a measurement."""
    return Options(
        version="bench",
        snapshot_version="bench",
        settings_hash="",
        zone=ZoneInfo("America/New_York"),
        max_daily_loss=scene.WIDE,
        daily_loss_threshold=800_000,
        balance_low=0,
        snapshot_every=10**9,
    )


class Bench:
    """One running gateway and its parts."""

    def __init__(self, folder: Path, venue: type[SilentVenue] = SilentVenue) -> None:
        """Wire it over the journal in a folder."""
        self.clock = SystemClock()
        self.journal = open_journal(folder)
        book = recover(self.journal)
        self.venue = venue(self.clock, book)
        self.desk = Desk(
            journal=self.journal,
            book=book,
            rules=scene.rules(),
            venues={Platform.KALSHI: self.venue},
            simulator=None,
            clock=self.clock,
            options=options(),
            alerts=NoAlerts(),
            supervisor=Supervisor(self.clock),
            worker=Worker("journal"),
        )
        self.gateway = TradingGateway(self.desk, warnings=tuple, on_end=Ends().ask)

    async def open_markets(self, markets: int) -> None:
        """List markets and quote them."""
        events = scene.opening(markets, self.clock.now_ns())
        await self.desk.writer.put(commands.Record(events=events), Lane.CONTROL)
        self.quote(markets)

    def quote(self, markets: int) -> None:
        """Make every quote a fresh one."""
        now = scene.touch(self.clock.now_ns())
        for number in range(markets):
            self.desk.marks.touches[scene.market_id(number)] = Touch(now.ts_ns, now.bid, now.ask)


@asynccontextmanager
async def running(
    folder: Path, markets: int, venue: type[SilentVenue] = SilentVenue
) -> AsyncIterator[Bench]:
    """Run a gateway with some markets, and end it without waiting for its silent venue."""
    bench = Bench(folder, venue)
    await bench.gateway.start()
    await bench.open_markets(markets)
    try:
        yield bench
    finally:
        await bench.desk.supervisor.stop()
        bench.journal.close()
