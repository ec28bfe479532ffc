"""What is on record of alerts and reconciliation breaks, as operators see it.

Guarantees that it is the fold of the journal: what was raised before a restart is there after it.
"""

from collections.abc import Iterable

from arbees.core.book.book import Break
from arbees.core.language.strict_json import format_time
from arbees.interface.operator import AlertView, BreakView, ReconciliationView
from arbees.runtime.desk import Desk


def breaks(desk: Desk) -> tuple[BreakView, ...]:
    """Return the open breaks, oldest first."""
    return tuple(_break(each) for each in desk.book.breaks.values())


def _break(each: Break) -> BreakView:
    return BreakView(
        break_id=each.break_id,
        kind=each.kind,
        platform=each.platform,
        market_key=each.market_key,
        expected=each.expected,
        observed=each.observed,
        policy=each.policy,
        since=format_time(each.since_ns),
    )


def alerts(desk: Desk) -> tuple[AlertView, ...]:
    """Return the alerts on record, the newest first."""
    return tuple(
        AlertView(
            name=each.name,
            subject=each.alert_id.partition("|")[2],
            severity=each.severity,
            message=each.message,
            raised_at=format_time(each.since_ns),
            cleared_at=None if each.cleared_ns is None else format_time(each.cleared_ns),
            count=each.count,
            data=each.data,
            sequence=each.sequence,
        )
        for each in reversed(desk.book.alerts.values())
    )


def reconciliation(
    desk: Desk, failed: Iterable[str], found: tuple[BreakView, ...], sequence: int
) -> ReconciliationView:
    """Return what a comparison found, finished now."""
    missing = tuple(failed)
    return ReconciliationView(
        complete=not missing,
        failed=missing,
        breaks=found,
        finished_at=format_time(desk.clock.now_ns()),
        sequence=sequence,
    )
