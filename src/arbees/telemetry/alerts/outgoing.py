"""What waits to leave for one sink: told apart while it is little, told together in a storm.

Guarantees that a storm of one kind makes at most one message a minute, led by the worst of it, and
that what is critical and new in it does not wait for that minute; that an alert and its end which
wait are each told once, with their last words; that quiet hours hold back what is not critical and
nothing else; and that what waits is bounded, the oldest lost first. It keeps no clock of its own.
"""

import re
import threading
from collections import Counter, deque
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import msgspec

from arbees.core.language.units import NS_PER_SECOND
from arbees.errors import ConfigurationError
from arbees.telemetry.alerts.board import Alert, AlertName, Severity

WAITING_MAX = 500
GATHER_NS = NS_PER_SECOND
"""How long the first of a kind waits for others of it."""
MINUTE_NS = 60 * NS_PER_SECOND
FEW = 5
"""So many of a kind within a minute are told one by one; more are a storm."""
OF_DENIALS = frozenset(
    {
        AlertName.RATE_LIMIT_HIT,
        AlertName.EXTREME_PRICE_REJECTED,
        AlertName.QUOTES_STALE,
        AlertName.PRICE_WARNING,
        AlertName.REPEATED_REJECTIONS,
    }
)
"""What a storm of denials raises: one kind. Any other alert is a kind by its name."""
_RANK = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


class QuietHours:
    """The hours of the day in which only what is critical is told."""

    def __init__(self, text: str, zone: ZoneInfo) -> None:
        """
        Read `22:00-07:00`, in the time of a zone; the end is not quiet any more.

        Raises:
            ConfigurationError: it is not two different times of a day.
        """
        found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", text.strip())
        if found is None or found[1] + found[2] == found[3] + found[4]:
            raise ConfigurationError(
                "Expected two different times of a day",
                setting="ALERT_QUIET_HOURS",
                value=text,
                fix="Write them like 22:00-07:00, in the zone of TRADING_DAY_TIMEZONE.",
            )
        self._start, self._end = (
            time(int(found[1]), int(found[2])),
            time(int(found[3]), int(found[4])),
        )
        self._zone = zone

    def holds(self, now_ns: int) -> bool:
        """Tell whether it is quiet."""
        moment = datetime.fromtimestamp(now_ns // NS_PER_SECOND, UTC)
        now = moment.astimezone(self._zone).time()
        if self._start < self._end:
            return self._start <= now < self._end
        return now >= self._start or now < self._end


class _Kind:
    """What waits of one kind, and what went."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[str, bool], Alert] = {}
        """By alert, and whether it is its end; the oldest first."""
        self.since_ns = 0
        self.came: deque[int] = deque(maxlen=FEW + 1)
        self.sent_ns: int | None = None

    def is_storm(self, now_ns: int) -> bool:
        """Tell whether more came lately than anybody reads one by one."""
        return len(self.came) > FEW and now_ns - self.came[0] < MINUTE_NS


class Outgoing:
    """What waits for one sink; may be filled from several threads."""

    def __init__(self, quiet: QuietHours | None = None) -> None:
        """Hold nothing yet."""
        self._quiet = quiet
        self._lock = threading.Lock()
        self._kinds: dict[str, _Kind] = {}
        self._told_ns: dict[str, int] = {}
        """When a name was told last as something that stands."""
        self._count = 0

    def add(self, alert: Alert, now_ns: int) -> None:
        """Take an alert that is new, due for a reminder, or over."""
        name = "denials" if alert.name in OF_DENIALS else alert.name.value
        with self._lock:
            kind = self._kinds.setdefault(name, _Kind())
            kind.came.append(now_ns)
            if not kind.waiting:
                kind.since_ns = now_ns
            key = (alert.alert_id, alert.cleared_ns is not None)
            if kind.waiting.pop(key, None) is None:
                self._count += 1
            kind.waiting[key] = alert
            if self._count > WAITING_MAX:
                fullest = max(self._kinds.values(), key=lambda each: len(each.waiting))
                del fullest.waiting[next(iter(fullest.waiting))]
                self._count -= 1

    def take(self, now_ns: int) -> list[Alert]:
        """Return what is due now, as it is to be told; it does not wait any more."""
        is_quiet = self._quiet is not None and self._quiet.holds(now_ns)
        with self._lock:
            due: list[Alert] = []
            for kind in self._kinds.values():
                due += self._due(kind, now_ns, is_quiet=is_quiet)
            return due

    def _due(self, kind: _Kind, now_ns: int, *, is_quiet: bool) -> list[Alert]:
        found = {
            key: each
            for key, each in kind.waiting.items()
            if not is_quiet or each.severity is Severity.CRITICAL
        }
        if not found or now_ns - kind.since_ns < GATHER_NS:
            return []
        is_together = len(found) > FEW or kind.is_storm(now_ns)
        is_recent = kind.sent_ns is not None and now_ns - kind.sent_ns < MINUTE_NS
        if is_together and is_recent and not self._has_news(found, now_ns):
            return []
        for key, each in found.items():
            del kind.waiting[key]
            if each.cleared_ns is None:
                self._told_ns[each.name] = now_ns
        self._count -= len(found)
        kind.sent_ns, kind.since_ns = now_ns, now_ns
        told = list(found.values())
        return [together(told)] if is_together else told

    def _has_news(self, found: dict[tuple[str, bool], Alert], now_ns: int) -> bool:
        """Tell whether something critical is among them whose name was not told lately."""
        return any(
            each.severity is Severity.CRITICAL
            and each.cleared_ns is None
            and now_ns - self._told_ns.get(each.name, -MINUTE_NS) >= MINUTE_NS
            for each in found.values()
        )


def together(alerts: list[Alert]) -> Alert:
    """Return one alert that speaks for several: the worst that stands, and how many of what."""
    lead = min(alerts, key=lambda each: (each.cleared_ns is not None, _RANK.index(each.severity)))
    if len(alerts) == 1:
        return lead
    rest = Counter(
        f"{each.name.value}{' over' if each.cleared_ns is not None else ''}"
        for each in alerts
        if each is not lead
    )
    more = ", ".join(f"{count} x {name}" for name, count in rest.most_common())
    return msgspec.structs.replace(
        lead, message=f"{lead.message} (and {more})", data={**lead.data, "grouped": more}
    )
