"""The report of a period: quality, P&L, fees, halts and alerts, from a journal alone.

Guarantees that P&L is the difference of two folds of the same journal, one at each end of the
period, so that it agrees with what the gateway showed; open positions count at the marks that were
journaled. It fails as reading the journal fails.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Protocol

import msgspec

from arbees.core import events
from arbees.core.book.apply import apply
from arbees.core.book.book import Book, fresh
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import to_decimal
from arbees.core.ports import Stored
from arbees.history.trades import Trades, TradesReader
from arbees.interface.history import PnlRow
from arbees.interface.measures import By, QualityView
from arbees.telemetry.quality.quality import Quality, QualityReader

LISTED_MAX = 200
"""Alerts and halts that a report lists; it counts all."""


class ReportReader(QualityReader, TradesReader, Protocol):
    """What is needed of a journal."""

    def records(self, after: int = 0) -> Iterator[Stored]:
        """Yield the durable records with a sequence above `after`, in order."""
        ...


class Pnl(msgspec.Struct, frozen=True, kw_only=True):
    """What a period brought, in dollars."""

    realized: Decimal
    fees: Decimal
    unrealized: Decimal
    """Change of the worth of what is held, less its cost."""
    total: Decimal


class ReportedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that was raised, or a halt."""

    time: str
    name: str
    """Of the alert, or state and source of the halt."""
    severity: str
    message: str


class PeriodReport(msgspec.Struct, frozen=True, kw_only=True):
    """A period."""

    since: str
    until: str
    quality: QualityView
    pnl: Pnl
    pnl_by: tuple[PnlRow, ...]
    """Of the orders that were approved in the period, by what the quality is grouped by."""
    halts: tuple[ReportedAlert, ...]
    halts_raised: int
    alerts: tuple[ReportedAlert, ...]
    alerts_raised: int
    sequence: int
    """Of the last record of the period."""


class _Period:
    """What is collected while the journal is folded."""

    def __init__(self, since_ns: int) -> None:
        self.since_ns = since_ns
        self.begun: tuple[int, int, int] | None = None
        self.halts: list[ReportedAlert] = []
        self.alerts: list[ReportedAlert] = []
        self.halts_raised = 0
        self.alerts_raised = 0

    def take(self, time_ns: int, event: events.Event) -> None:
        if isinstance(event, events.HaltRaised):
            self.halts_raised += 1
            name = f"{event.state} {event.source} {event.scope}"
            _keep(self.halts, time_ns, name, "critical", event.reason)
        elif isinstance(event, events.AlertRaised):
            self.alerts_raised += 1
            _keep(self.alerts, time_ns, event.name, event.severity, event.message)


def _keep(told: list[ReportedAlert], time_ns: int, name: str, severity: str, message: str) -> None:
    if len(told) < LISTED_MAX:
        time = format_time(time_ns)
        told.append(ReportedAlert(time=time, name=name, severity=severity, message=message))


def report(
    reader: ReportReader, since_ns: int, until_ns: int, by: By | None = None
) -> PeriodReport:
    """
    Report on a period.

    Args:
        reader: the journal.
        since_ns: its beginning, inclusive.
        until_ns: its end, exclusive.
        by: how to group the quality.

    Raises:
        JournalUnavailable, JournalCorrupt: the journal cannot be read.
    """
    book, period = fresh(), _Period(since_ns)
    for stored in reader.records():
        if stored.time_ns >= until_ns:
            break
        if period.begun is None and stored.time_ns >= since_ns:
            period.begun = _pnl(book)
        event = events.decode(stored.body)
        apply(book, event, stored.sequence, stored.time_ns)
        if period.begun is not None:
            period.take(stored.time_ns, event)
    ended = _pnl(book)
    rows: tuple[PnlRow, ...] = ()
    if by is not None and by != "venue":
        trades = Trades(reader, lambda _time_ns: "")
        rows = trades.pnl(by, since_ns, None, until_ns).rows
    realized, fees, unrealized = (
        now - then for now, then in zip(ended, period.begun or ended, strict=True)
    )
    return PeriodReport(
        since=format_time(since_ns),
        until=format_time(until_ns),
        quality=Quality(reader).view(since_ns, until_ns=until_ns, by=by),
        pnl=Pnl(
            realized=to_decimal(realized),
            fees=to_decimal(fees),
            unrealized=to_decimal(unrealized),
            total=to_decimal(realized - fees + unrealized),
        ),
        pnl_by=rows,
        halts=tuple(period.halts),
        halts_raised=period.halts_raised,
        alerts=tuple(period.alerts),
        alerts_raised=period.alerts_raised,
        sequence=book.sequence,
    )


def _pnl(book: Book) -> tuple[int, int, int]:
    """Return realized P&L, fees, and marks less cost, since ever."""
    return book.realized, book.fees, book.unrealized({})
