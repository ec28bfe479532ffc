"""Hold the alerts: what somebody should look at now, each once, with how often and since when.

Guarantees that raising costs no waiting and never fails: an alert that stands already is counted,
not sent again before a reminder is due, and the record is bounded. It exists so that whoever finds
trouble names it and goes on. It fails only by forgetting the oldest, cleared ones first.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec
import structlog

from arbees.core.units import NS_PER_SECOND

ALERTS_MAX = 256
"""Alerts remembered, cleared ones included."""
REMIND_NS = 300 * NS_PER_SECOND
"""An alert that is raised on and on is sent again after this long."""


class Severity(StrEnum):
    """How soon somebody must look: at once, within the hour, within the day."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class AlertName(StrEnum):
    """The closed list of alerts."""

    KILL_SWITCH_ACTIVATED = "KILL_SWITCH_ACTIVATED"
    DAILY_LOSS_LIMIT_EXCEEDED = "DAILY_LOSS_LIMIT_EXCEEDED"
    BALANCE_LOW = "BALANCE_LOW"
    REPEATED_REJECTIONS = "REPEATED_REJECTIONS"
    RECONCILIATION_MISMATCH = "RECONCILIATION_MISMATCH"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    JOURNAL_TROUBLE = "JOURNAL_TROUBLE"
    DAILY_LOSS_APPROACHING = "DAILY_LOSS_APPROACHING"
    RATE_LIMIT_HIT = "RATE_LIMIT_HIT"
    EXTREME_PRICE_REJECTED = "EXTREME_PRICE_REJECTED"
    VENUE_API_ERRORS = "VENUE_API_ERRORS"
    QUOTES_STALE = "QUOTES_STALE"
    ALERT_SINK_FAILED = "ALERT_SINK_FAILED"
    DAILY_DIGEST = "DAILY_DIGEST"

    @property
    def severity(self) -> Severity:
        """How soon somebody must look."""
        if self is AlertName.DAILY_DIGEST:
            return Severity.INFO
        return Severity.CRITICAL if self in _CRITICAL else Severity.WARNING


_CRITICAL = frozenset(
    {
        AlertName.KILL_SWITCH_ACTIVATED,
        AlertName.DAILY_LOSS_LIMIT_EXCEEDED,
        AlertName.BALANCE_LOW,
        AlertName.REPEATED_REJECTIONS,
        AlertName.RECONCILIATION_MISMATCH,
        AlertName.UNKNOWN_ORDER,
        AlertName.JOURNAL_TROUBLE,
    }
)

SUBJECT = ("platform", "market_key", "scope", "client_order_id")
"""What of an alert's data tells two of one name apart; the rest is detail."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert."""

    name: AlertName
    severity: Severity
    message: str
    """The last one said."""
    since_ns: int
    last_ns: int
    count: int = 1
    cleared_ns: int | None = None
    """When it ended; None while it stands."""
    data: dict[str, Any] = {}


class Sink(Protocol):
    """Where alerts go. Must neither block nor raise: what may, is handed to a bounded queue."""

    def send(self, alert: Alert) -> None:
        """Take an alert that is new, due for a reminder, or cleared."""
        ...


class LogSink:
    """Writes alerts to the log."""

    def send(self, alert: Alert) -> None:
        """Log an alert at the level of its severity."""
        log = structlog.get_logger("arbees.alerts")
        facts = {"alert": alert.name.value, "count": alert.count, **alert.data}
        if alert.cleared_ns is not None:
            log.info("An alert is over", was=alert.message, **facts)
        elif alert.severity is Severity.CRITICAL:
            log.error(alert.message, **facts)
        elif alert.severity is Severity.INFO:
            log.info(alert.message, **facts)
        else:
            log.warning(alert.message, **facts)


class AlertBoard:
    """The alerts of one gateway; may be used from several threads."""

    def __init__(self, sinks: Sequence[Sink] = (), *, alerts_max: int = ALERTS_MAX) -> None:
        """
        Begin without alerts.

        Args:
            sinks: who is told.
            alerts_max: how many are remembered.
        """
        self._sinks = tuple(sinks)
        self._alerts_max = alerts_max
        self._alerts: dict[tuple[str, ...], Alert] = {}
        self._sent: dict[tuple[str, ...], int] = {}
        self._lock = threading.Lock()

    def raise_(self, name: str, message: str, now_ns: int, **data: Any) -> Alert:
        """
        Raise an alert, or count one that stands already.

        Args:
            name: an `AlertName`.
            message: a sentence for people.
            now_ns: when it was seen.
            data: details; `platform`, `market_key`, `scope` and `client_order_id` tell apart what
                is counted together.

        Raises:
            ValueError: there is no alert of this name.
        """
        known, key = AlertName(name), key_of(name, data)
        with self._lock:
            before = self._alerts.pop(key, None)
            stands = before is not None and before.cleared_ns is None
            alert = Alert(
                name=known,
                severity=known.severity,
                message=message,
                since_ns=before.since_ns if before is not None and stands else now_ns,
                last_ns=now_ns,
                count=before.count + 1 if before is not None and stands else 1,
                data=data,
            )
            self._alerts[key] = alert
            is_due = not stands or now_ns - self._sent.get(key, now_ns) >= REMIND_NS
            if is_due:
                self._sent[key] = now_ns
            self._forget()
        if is_due:
            self._send(alert)
        return alert

    def clear(self, name: str, now_ns: int, **data: Any) -> None:
        """End an alert, if it stands; `data` names the one meant, as when it was raised."""
        key = key_of(name, data)
        with self._lock:
            before = self._alerts.get(key)
            if before is None or before.cleared_ns is not None:
                return
            alert = msgspec.structs.replace(before, cleared_ns=now_ns)
            self._alerts[key] = alert
        self._send(alert)

    def list(self, *, is_standing: bool = True) -> tuple[Alert, ...]:
        """Return the alerts that stand, or all that are remembered, the newest first."""
        with self._lock:
            alerts = reversed(self._alerts.values())
            return tuple(a for a in alerts if not is_standing or a.cleared_ns is None)

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Take over alerts that stood when an earlier process ended; nobody is told again."""
        with self._lock:
            for alert in alerts:
                key = key_of(alert.name, alert.data)
                self._alerts[key] = alert
                self._sent[key] = alert.last_ns
            self._forget()

    def raiser(self, now_ns: Callable[[], int]) -> Callable[..., None]:
        """Return a function (name, message, **data) for those that keep no clock of their own."""

        def raise_now(name: str, message: str, **data: Any) -> None:
            self.raise_(name, message, now_ns(), **data)

        return raise_now

    def _forget(self) -> None:
        """Keep the record bounded: cleared alerts go first, then the oldest."""
        while len(self._alerts) > self._alerts_max:
            cleared = (key for key, each in self._alerts.items() if each.cleared_ns is not None)
            key = next(cleared, next(iter(self._alerts)))
            del self._alerts[key]
            self._sent.pop(key, None)

    def _send(self, alert: Alert) -> None:
        for sink in self._sinks:
            sink.send(alert)


def key_of(name: str, data: dict[str, Any]) -> tuple[str, ...]:
    """Return name and subject of an alert: what is counted together."""
    return (str(name), *(str(data.get(part, "")) for part in SUBJECT))
