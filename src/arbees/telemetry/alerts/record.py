"""Put alerts on record: what was raised, and what is over, is in the journal and survives it all.

Guarantees that recording costs nobody a wait and never fails: it is one more fact for the writer,
behind halts and beside what venues say, and one that comes while the journal has failed, or while
the gateway ends, is in the log alone. Repeats are recorded as often as the board sends them.
"""

from collections.abc import Callable, Iterable
from typing import Any

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
                data={name: _text(name, value) for name, value in alert.data.items()},
            )
        )


def _text(name: str, value: Any) -> str:  # noqa: ANN401 - whatever somebody tells
    return format_micro(value) if name in _MONEY and isinstance(value, int) else str(value)


def standing(recorded: Iterable[StandingAlert]) -> tuple[Alert, ...]:
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
        for each in recorded
        if each.cleared_ns is None and each.name in list(AlertName)
    )
