"""Trading days in a zone with summer time."""

from zoneinfo import ZoneInfo

from arbees.core.language.strict_json import parse_time
from arbees.core.language.units import NS_PER_SECOND
from arbees.telemetry.days import day_bounds, day_of, day_start

NEW_YORK = ZoneInfo("America/New_York")
HOUR = 3_600 * NS_PER_SECOND


def test_a_day_begins_at_midnight_of_its_zone() -> None:
    """In New York a winter day begins at five in UTC, and its last moment still belongs to it."""
    begins = parse_time("2026-01-28T05:00:00Z")
    assert day_start(begins, NEW_YORK) == begins
    assert day_start(begins - 1, NEW_YORK) == begins - 24 * HOUR
    assert day_of(begins - 1, NEW_YORK) == "2026-01-27"


def test_days_on_which_clocks_change() -> None:
    """The day on which clocks go forward has 23 hours, the one on which they go back 25."""
    for day, hours in (("2026-03-08", 23), ("2026-11-01", 25), ("2026-07-04", 24)):
        begins, ends = day_bounds(day, NEW_YORK)
        assert ends - begins == hours * HOUR
        assert day_of(begins, NEW_YORK) == day_of(ends - 1, NEW_YORK) == day
