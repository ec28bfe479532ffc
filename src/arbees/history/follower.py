"""All that reads the journal at length for others to look at, behind the port of the interface.

Guarantees that it reads only, over a connection and in threads of its own: the writer's loop does
not wait for it. It fails as its parts do.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from zoneinfo import ZoneInfo

from arbees.core.book.book import Day
from arbees.core.orders.result import Result
from arbees.history.trades import Trades
from arbees.interface.history import FillView, HistoryPage, HistoryQuery, PnlBy, PnlView
from arbees.interface.measures import By, QualityView
from arbees.telemetry.alerts.digest import DailyDigest
from arbees.telemetry.metrics.exposition import Metrics
from arbees.telemetry.quality.quality import Quality
from arbees.telemetry.stream.stream import EventStream


class JournalFollower:
    """Implements `interface.views.Follower` over one journal."""

    def __init__(
        self,
        stream: EventStream,
        quality: Quality,
        trades: Trades,
        metrics: Metrics,
        day_start: Callable[[], int],
    ) -> None:
        """
        Hold the parts.

        Args:
            stream: of events.
            quality: of execution.
            trades: what was executed.
            metrics: of the gateway.
            day_start: returns when the trading day of now began.
        """
        self.stream = stream
        self.measuring = metrics
        self._quality = quality
        self._trades = trades
        self._day_start = day_start
        self._turn = asyncio.Lock()

    def events(self, after: int) -> AsyncIterator[bytes]:
        """Yield the durable records above a sequence as server-sent events; see the port."""
        return self.stream.events(after)

    async def quality(self, since_ns: int | None, by: By | None) -> QualityView:
        """Return the quality of execution; one reads at a time, in a thread. See the port."""
        start_ns = self._day_start() if since_ns is None else since_ns
        async with self._turn:
            return await asyncio.to_thread(self._quality.view, start_ns, by=by)

    async def executions(self, query: HistoryQuery) -> HistoryPage[Result]:
        """Return results, the newest first; see the port."""
        async with self._turn:
            return await asyncio.to_thread(self._trades.executions, query)

    async def fills(self, query: HistoryQuery) -> HistoryPage[FillView]:
        """Return executions, the newest first; see the port."""
        async with self._turn:
            return await asyncio.to_thread(self._trades.fills, query)

    async def pnl(self, by: PnlBy, since_ns: int | None, strategy: str | None) -> PnlView:
        """Return profit and loss by anything; see the port."""
        async with self._turn:
            return await asyncio.to_thread(self._trades.pnl, by, since_ns, strategy)

    def digest(self, raise_: Callable[..., None], zone: ZoneInfo, day: Day | None) -> DailyDigest:
        """
        Return what tells of each trading day when it is over.

        Args:
            raise_: takes an alert: name, message, data.
            zone: of the trading day.
            day: the one that the journal is in, if there is one.
        """
        return DailyDigest(self._quality, zone, raise_, None if day is None else day.day)

    async def metrics(self) -> bytes:
        """Return the page of metrics; see the port."""
        return await self.measuring.text()
