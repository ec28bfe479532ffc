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

from arbees.core.language.units import NS_PER_SECOND

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
    ORDER_GROUP_TRIPPED = "ORDER_GROUP_TRIPPED"
    TASK_DIED = "TASK_DIED"
    REDIS_DOWN = "REDIS_DOWN"
    DAILY_LOSS_APPROACHING = "DAILY_LOSS_APPROACHING"
    RATE_LIMIT_HIT = "RATE_LIMIT_HIT"
    EXTREME_PRICE_REJECTED = "EXTREME_PRICE_REJECTED"
    VENUE_API_ERRORS = "VENUE_API_ERRORS"
    QUOTES_STALE = "QUOTES_STALE"
    MARKS_STALE = "MARKS_STALE"
    BELIEF_UNVERIFIED = "BELIEF_UNVERIFIED"
    PRICE_WARNING = "PRICE_WARNING"
    ALERT_SINK_FAILED = "ALERT_SINK_FAILED"
    DAILY_DIGEST = "DAILY_DIGEST"
    ALERT_TEST = "ALERT_TEST"

    @property
    def severity(self) -> Severity:
        """How soon somebody must look."""
        if self in _INFO:
            return Severity.INFO
        return Severity.CRITICAL if self in _CRITICAL else Severity.WARNING

    @property
    def subject(self) -> tuple[str, ...]:
        """Which details name what it is about; alerts of one name and subject are one."""
        return _SUBJECTS.get(self, ())


_INFO = frozenset({AlertName.DAILY_DIGEST, AlertName.ALERT_TEST})

_CRITICAL = frozenset(
    {
        AlertName.KILL_SWITCH_ACTIVATED,
        AlertName.DAILY_LOSS_LIMIT_EXCEEDED,
        AlertName.BALANCE_LOW,
        AlertName.REPEATED_REJECTIONS,
        AlertName.RECONCILIATION_MISMATCH,
        AlertName.UNKNOWN_ORDER,
        AlertName.JOURNAL_TROUBLE,
        AlertName.ORDER_GROUP_TRIPPED,
        AlertName.TASK_DIED,
        AlertName.REDIS_DOWN,
    }
)

_SUBJECTS: dict[AlertName, tuple[str, ...]] = {
    AlertName.KILL_SWITCH_ACTIVATED: ("scope",),
    AlertName.BALANCE_LOW: ("platform", "pool"),
    AlertName.RECONCILIATION_MISMATCH: ("platform", "market_key"),
    AlertName.UNKNOWN_ORDER: ("client_order_id",),
    AlertName.ORDER_GROUP_TRIPPED: ("platform", "pool"),
    AlertName.TASK_DIED: ("task",),
    AlertName.RATE_LIMIT_HIT: ("strategy",),
    AlertName.EXTREME_PRICE_REJECTED: ("platform", "market_id"),
    AlertName.VENUE_API_ERRORS: ("platform",),
    AlertName.QUOTES_STALE: ("platform", "market_id"),
    AlertName.MARKS_STALE: ("platform", "market_id"),
    AlertName.BELIEF_UNVERIFIED: ("belief", "platform"),
    AlertName.PRICE_WARNING: ("platform", "market_id", "code"),
    AlertName.ALERT_SINK_FAILED: ("sink",),
}
"""The others are of the whole account."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert."""

    alert_id: str
    """Name and subject, as it was raised first; under it the journal has it."""
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
        self._alerts: dict[str, Alert] = {}
        self._sent: dict[str, int] = {}
        self._lock = threading.Lock()

    def raise_(self, name: str, message: str, now_ns: int, **data: Any) -> Alert:
        """
        Raise an alert, or count one that stands already.

        Args:
            name: an `AlertName`.
            message: a sentence for people.
            now_ns: when it was seen.
            data: details, its subject among them.

        Raises:
            ValueError: there is no alert of this name.
        """
        known, key = AlertName(name), alert_id_of(name, data)
        with self._lock:
            before = self._alerts.pop(key, None)
            stands = before is not None and before.cleared_ns is None
            alert = Alert(
                alert_id=before.alert_id if before is not None and stands else key,
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
        """End an alert, if it stands; `data` names its subject, as when it was raised."""
        key = alert_id_of(name, data)
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
                key = alert_id_of(alert.name, alert.data)
                self._alerts[key] = alert
                self._sent[key] = alert.last_ns
            self._forget()

    def _forget(self) -> None:
        """Keep the record bounded: cleared alerts go first, then the oldest; critical ones last."""
        while len(self._alerts) > self._alerts_max:
            key = min(self._alerts, key=lambda each: _rank(self._alerts[each]))
            del self._alerts[key]
            self._sent.pop(key, None)

    def _send(self, alert: Alert) -> None:
        for sink in self._sinks:
            sink.send(alert)


class AlertsNow:
    """A board for those that keep no clock of their own: what they tell happens now."""

    def __init__(self, board: AlertBoard, now_ns: Callable[[], int]) -> None:
        """Tell a board, at the time of a clock."""
        self._board = board
        self._now_ns = now_ns

    def raise_(self, name: str, message: str, **data: Any) -> None:
        """Raise an alert, or count one that stands; `data` names its subject."""
        self._board.raise_(name, message, self._now_ns(), **data)

    def clear(self, name: str, **data: Any) -> None:
        """End an alert, if it stands; `data` names its subject."""
        self._board.clear(name, self._now_ns(), **data)


def _rank(alert: Alert) -> int:
    """Return how long an alert is kept, compared with others; the lowest is forgotten first."""
    if alert.cleared_ns is not None:
        return 0
    return 2 if alert.severity is Severity.CRITICAL else 1


def alert_id_of(name: str, data: dict[str, Any]) -> str:
    """
    Return name and subject of an alert: what is counted together.

    Raises:
        ValueError: there is no alert of this name.
    """
    parts = (str(data.get(part, "")) for part in AlertName(name).subject)
    return "|".join((name, *parts)).rstrip("|")
