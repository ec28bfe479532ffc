"""Trading days: when the one of a moment began.

Guarantees that a day of 23 or 25 hours is one day.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from arbees.core.language.units import NS_PER_SECOND


def day_start(now_ns: int, zone: ZoneInfo) -> int:
    """Return when the trading day of a moment began, in nanoseconds UTC."""
    day = datetime.fromtimestamp(now_ns // NS_PER_SECOND, zone).date()
    return _midnight(day.isoformat(), zone)


def day_of(time_ns: int, zone: ZoneInfo) -> str:
    """Return the trading day of a moment, such as `2026-01-28`."""
    return datetime.fromtimestamp(time_ns // NS_PER_SECOND, zone).date().isoformat()


def day_bounds(day: str, zone: ZoneInfo) -> tuple[int, int]:
    """Return when a trading day begins and when the next one does. Raises ValueError."""
    following = datetime.fromisoformat(day).date() + timedelta(days=1)
    return _midnight(day, zone), _midnight(following.isoformat(), zone)


def _midnight(day: str, zone: ZoneInfo) -> int:
    moment = datetime.fromisoformat(day).replace(tzinfo=zone)
    return int(moment.timestamp()) * NS_PER_SECOND
