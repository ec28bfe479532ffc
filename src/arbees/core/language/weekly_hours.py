"""Weekly hours in a time zone: when they are open, and when they open next.

Guarantees continuous hours on days of 23 and 25 hours: a range opens at the first moment at which
the zone's clocks show (or skip) its start and ends at the last at which they show its end. Outside
the calendar's years 1 to 9999 they are closed.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from arbees.core.language.units import NS_PER_SECOND, div_floor, whole_seconds

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FULL_NAMES = frozenset(
    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
)
DAY_MINUTES = 1_440
_RANGE = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_LOOK_AHEAD_DAYS = 16
"""Two weeks: a range may fall into the hour that a day lacks."""


@cache
def zone_of(name: str) -> ZoneInfo:
    """Return a zone of the IANA database. Raises ValueError if there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"Expected an IANA time zone (America/New_York), was {name!r}") from None


class Hours(msgspec.Struct, frozen=True):
    """
    Ranges of the day on days of the week.

    Attributes:
        days: 0 = Monday to 6 = Sunday; the day on which a range starts.
        ranges: start and end in minutes after midnight; an end before its start is the next day's.
            Both ends are inside.
        zone: name in the IANA database.

    Raises:
        ValueError: no day, no range, or one that does not exist.
    """

    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    ranges: tuple[tuple[int, int], ...] = ((0, DAY_MINUTES),)
    zone: str = "America/New_York"

    @classmethod
    def parse(cls, place: str, table: Mapping[str, object]) -> "Hours":
        """
        Read `days` (`daily` or a list of names), `hours` (one or more ranges) and `zone`.

        Each that is absent is every day, the whole day, America/New_York.

        Args:
            place: what stands before the field in a message.
            table: may hold other fields too.

        Raises:
            ValueError: which field, what was expected, what came.
        """
        zone = table.get("zone", "America/New_York")
        if not isinstance(zone, str):
            raise ValueError(  # noqa: TRY004 - what a reader of a table raises
                f"{place}.zone: Expected the name of a time zone, was {zone!r}"
            )
        try:
            zone_of(zone)
        except ValueError as error:
            raise ValueError(f"{place}.zone: {error}") from None
        return cls(
            _days(place, table.get("days", "daily")),
            _ranges(place, table.get("hours", "00:00-24:00")),
            zone,
        )

    def __post_init__(self) -> None:
        """Refuse what can never be open, or never be understood."""
        zone_of(self.zone)
        if not self.days or any(not 0 <= day <= 6 for day in self.days):
            raise ValueError(f"Expected days from 0 to 6, was {self.days}")
        if not self.ranges:
            raise ValueError("Expected at least one range of hours, was none")
        for start, end in self.ranges:
            if not _is_range(start, end):
                raise ValueError(f"Expected two moments of a day, was {start} to {end} minutes")

    def opens_at(self, time_ns: int) -> int | None:
        """Return the first moment from `time_ns` on at which it is open: `time_ns` itself if so."""
        try:
            return self._search(time_ns)
        except (OverflowError, ValueError, OSError):
            return None

    def _search(self, time_ns: int) -> int | None:
        zone = zone_of(self.zone)
        day = datetime.fromtimestamp(whole_seconds(time_ns), zone).date() - _DAY
        for _ in range(_LOOK_AHEAD_DAYS):
            first: int | None = None
            if day.weekday() in self.days:
                for start, end in self.ranges:
                    last_day = day if end > start else day + _DAY
                    opens = _moment(day, start, zone, is_end=False)
                    closes = _moment(last_day, end, zone, is_end=True)
                    opens = time_ns if opens < time_ns else opens
                    if opens <= closes and (first is None or opens < first):
                        first = opens
            if first is not None:
                return first
            day += _DAY
        return None

    def local(self, time_ns: int) -> str:
        """Return a moment as the zone's clocks show it: `Wed 15:30`."""
        try:
            moment = datetime.fromtimestamp(whole_seconds(time_ns), zone_of(self.zone))
        except (OverflowError, ValueError, OSError):
            return "no time of the calendar"
        return f"{DAY_NAMES[moment.weekday()]} {moment:%H:%M}"

    def describe(self) -> str:
        """Return the hours for people: `Mon Tue 18:00-23:30 America/New_York`."""
        every_day = len(set(self.days)) == len(DAY_NAMES)
        days = "daily" if every_day else " ".join(DAY_NAMES[day] for day in self.days)
        ranges = ", ".join(f"{_clock(start)}-{_clock(end)}" for start, end in self.ranges)
        return f"{days} {ranges} {self.zone}"


def _days(place: str, value: object) -> tuple[int, ...]:
    if value == "daily":
        return tuple(range(len(DAY_NAMES)))
    names = value if isinstance(value, list | tuple) else [value]
    days: list[int] = []
    for name in names:
        word = name.capitalize() if isinstance(name, str) else ""
        short = word[:3] if word in _FULL_NAMES else word
        if short not in DAY_NAMES or DAY_NAMES.index(short) in days:
            raise ValueError(
                f"{place}.days: Expected daily, or some of {' '.join(DAY_NAMES)}, each once, "
                f"was {name!r}"
            )
        days.append(DAY_NAMES.index(short))
    if not days:
        raise ValueError(f"{place}.days: Expected at least one day, was none")
    return tuple(sorted(days))


def _ranges(place: str, value: object) -> tuple[tuple[int, int], ...]:
    texts = value if isinstance(value, list | tuple) else [value]
    ranges: list[tuple[int, int]] = []
    for text in texts:
        match = _RANGE.fullmatch(text) if isinstance(text, str) else None
        hours = [int(part) for part in match.groups()] if match else [24, 60, 24, 60]
        start, end = 60 * hours[0] + hours[1], 60 * hours[2] + hours[3]
        if hours[1] > 59 or hours[3] > 59 or not _is_range(start, end):
            raise ValueError(
                f"{place}.hours: Expected HH:MM-HH:MM from 00:00 to 24:00, was {text!r}"
            )
        ranges.append((start, end))
    if not ranges:
        raise ValueError(f"{place}.hours: Expected at least one range, was none")
    return tuple(ranges)


def _is_range(start: int, end: int) -> bool:
    return 0 <= start < DAY_MINUTES and 0 <= end <= DAY_MINUTES and start != end


def _clock(minute: int) -> str:
    hour = div_floor(minute, 60)
    return f"{hour:02d}:{minute - 60 * hour:02d}"


def _moment(day: date, minute: int, zone: ZoneInfo, *, is_end: bool) -> int:
    """
    Return when the zone's clocks show a time of a day: the first such moment, or the last.

    Where they skip it, the first is the moment of the jump, and the last is just before.
    """
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    first, last = _utc_seconds(local), _utc_seconds(local.replace(fold=1))
    if first > last:
        return _jump(last, first, zone) * NS_PER_SECOND - is_end
    return (last if is_end else first) * NS_PER_SECOND


def _utc_seconds(moment: datetime) -> int:
    passed = moment.astimezone(UTC) - _EPOCH
    return passed.days * 86_400 + passed.seconds


def _jump(before: int, after: int, zone: ZoneInfo) -> int:
    """Return the first second after `before` at which the zone's offset is that of `after`."""
    offset = datetime.fromtimestamp(after, zone).utcoffset()
    while after - before > 1:
        middle = before + div_floor(after - before, 2)
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after
