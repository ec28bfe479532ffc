"""Put alerts on record: what was raised, and what is over, is in the journal and survives it all.

Guarantees that recording costs nobody a wait and never fails: it is one more fact for the writer,
behind halts and beside what venues say, and one that comes while the journal has failed, or while
the gateway ends, is in the log alone. Repeats are recorded as often as the board sends them.
"""

from collections.abc import Callable, Iterable

from arbees.core import events
from arbees.core.book.book import StandingAlert
from arbees.core.language.units import format_micro
from arbees.telemetry.alerts.board import Alert, AlertName, Severity

MESSAGE_MAX = 1_000
_NAMES = frozenset(str(name) for name in AlertName)
_MONEY = frozenset({"pnl_today", "max_daily_loss", "current_balance"})
"""Details in micro-dollars; they are recorded in dollars."""


class AlertRecord:
    """A sink that hands alerts to the journal's writer."""

    def __init__(self) -> None:
        """Begin deaf: nothing is recorded before `open`."""
        self._tell: Callable[[events.Event], None] | None = None

    def open(self, tell: Callable[[events.Event], None]) -> None:
        """Record from now on; `tell` takes an event from any thread and never blocks or raises."""
        self._tell = tell

    def close(self) -> None:
        """Record nothing any more: the last record of a life is its end."""
        self._tell = None

    def send(self, alert: Alert) -> None:
        """Record an alert that is new, due for a reminder, or over."""
        if self._tell is None:
            return
        if alert.cleared_ns is not None:
            self._tell(events.AlertCleared(alert_id=alert.alert_id))
            return
        self._tell(
            events.AlertRaised(
                alert_id=alert.alert_id,
                name=alert.name.value,
                severity=alert.severity.value,
                message=alert.message[:MESSAGE_MAX],
                since_ns=alert.since_ns,
                count=alert.count,
                data=texts_of(alert),
            )
        )


def texts_of(alert: Alert) -> dict[str, str]:
    """Return the details of an alert as people and programs read them; money in dollars."""
    return {
        name: format_micro(value) if name in _MONEY and isinstance(value, int) else str(value)
        for name, value in alert.data.items()
    }


def recorded(event: events.AlertRaised) -> Alert | None:
    """Return an alert as its record tells it; None where this version knows none of the name."""
    if event.name not in _NAMES:
        return None
    return Alert(
        alert_id=event.alert_id,
        name=AlertName(event.name),
        severity=Severity(event.severity),
        message=event.message,
        since_ns=event.since_ns,
        last_ns=event.since_ns,
        count=event.count,
        data=dict(event.data),
    )


def forgotten(alert_id: str) -> Alert | None:
    """Return what the id of an alert tells of it, where its record is not at hand."""
    name = alert_id.partition("|")[0]
    if name not in _NAMES:
        return None
    known = AlertName(name)
    subject = alert_id.partition("|")[2].split("|")
    return Alert(
        alert_id=alert_id,
        name=known,
        severity=known.severity,
        message="",
        since_ns=0,
        last_ns=0,
        data=dict(zip(known.subject, subject, strict=False)),
    )


def standing(recorded_ones: Iterable[StandingAlert]) -> tuple[Alert, ...]:
    """Return the alerts on record that are not over, for the board of a new process."""
    return tuple(
        Alert(
            alert_id=each.alert_id,
            name=AlertName(each.name),
            severity=Severity(each.severity),
            message=each.message,
            since_ns=each.since_ns,
            last_ns=each.since_ns,
            count=each.count,
            data=dict(each.data),
        )
        for each in recorded_ones
        if each.cleared_ns is None and each.name in _NAMES
    )
