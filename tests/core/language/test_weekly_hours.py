"""Weekly hours: open exactly when the zone's clocks say so, also on days of 23 and 25 hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbees.core.language.strict_json import parse_time
from arbees.core.language.weekly_hours import Hours, zone_of

SECOND = 10**9
MINUTE = 60 * SECOND
DAILY = (0, 1, 2, 3, 4, 5, 6)
WEDNESDAY = parse_time("2026-01-28T20:30:00Z")
"""15:30 in New York."""


def hours(
    *ranges: tuple[int, int], days: tuple[int, ...] = DAILY, zone: str | None = None
) -> Hours:
    """Return hours in New York unless a zone is named; ranges in minutes."""
    return Hours(days, ranges, zone or "America/New_York")


def test_the_whole_day_is_always_open() -> None:
    """By default nothing is ever closed."""
    assert Hours() == hours((0, 1440))
    for minute in range(0, 3 * 1440, 7):
        moment = WEDNESDAY + minute * MINUTE
        assert Hours().opens_at(moment) == moment


def test_both_ends_are_inside() -> None:
    """At 15:30 and at 16:00 it is open, a nanosecond outside it is not."""
    half_past = hours((930, 960))
    assert half_past.opens_at(WEDNESDAY) == WEDNESDAY
    assert half_past.opens_at(WEDNESDAY + 30 * MINUTE) == WEDNESDAY + 30 * MINUTE
    assert half_past.opens_at(WEDNESDAY - 1) == WEDNESDAY
    assert half_past.opens_at(WEDNESDAY + 30 * MINUTE + 1) == WEDNESDAY + 1440 * MINUTE


def test_a_range_over_midnight_belongs_to_the_day_on_which_it_starts() -> None:
    """Wednesdays 22:00 to 02:00 are open early on Thursday, not early on Wednesday."""
    night = hours((1320, 120), days=(2,))
    opens = parse_time("2026-01-29T03:00:00Z")
    closes = parse_time("2026-01-29T07:00:00Z")
    assert night.opens_at(parse_time("2026-01-28T06:00:00Z")) == opens
    assert night.opens_at(opens - 1) == opens
    assert night.opens_at(closes) == closes
    assert night.opens_at(closes + 1) == opens + 7 * 1440 * MINUTE


def test_a_range_of_almost_a_day_is_open_until_its_end() -> None:
    """Tuesdays 23:00 to 22:00 are open on Wednesday evening, when it is Thursday in UTC."""
    long = hours((1380, 1320), days=(1,))
    closes = parse_time("2026-01-29T03:00:00Z")
    assert long.opens_at(closes) == closes
    assert long.opens_at(closes + 1) == parse_time("2026-02-04T04:00:00Z")


def test_the_next_range_of_several_is_found() -> None:
    """Ranges may stand in any order and overlap."""
    several = hours((1200, 1260), (600, 700), (650, 720))
    ten = parse_time("2026-01-28T15:00:00Z")
    assert several.opens_at(ten - 60 * MINUTE) == ten
    assert several.opens_at(ten + 119 * MINUTE) == ten + 119 * MINUTE
    assert several.opens_at(ten + 121 * MINUTE) == ten + 600 * MINUTE


def test_a_day_of_the_week_is_found_up_to_a_week_ahead() -> None:
    """Just after Wednesday's hours the next are next Wednesday's."""
    only = hours((0, 1), days=(2,))
    assert only.opens_at(parse_time("2026-01-28T05:01:00Z")) == parse_time("2026-01-28T05:01:00Z")
    opens = parse_time("2026-02-04T05:00:00Z")
    assert only.opens_at(parse_time("2026-01-28T05:01:00.000000001Z")) == opens


def test_the_hour_that_a_day_lacks() -> None:
    """2026-03-08 has no 02:00 to 03:00: a start there is the jump, an end is just before it."""
    jump = parse_time("2026-03-08T07:00:00Z")
    assert hours((150, 300)).opens_at(jump - 60 * MINUTE) == jump
    evening = hours((60, 150))
    assert evening.opens_at(jump - 1) == jump - 1
    assert evening.opens_at(jump) == parse_time("2026-03-09T05:00:00Z")


@pytest.mark.parametrize(
    ("zone", "jump", "minute"),
    [
        ("America/New_York", "2026-03-08T07:00:00Z", 150),
        ("Europe/London", "2026-03-29T01:00:00Z", 90),
        ("Australia/Lord_Howe", "2026-10-03T15:30:00Z", 135),
        ("Africa/Cairo", "2026-04-23T22:00:00Z", 30),
    ],
)
def test_a_skipped_start_is_the_moment_of_the_jump(zone: str, jump: str, minute: int) -> None:
    """To the second, however long the jump is; an end there is a nanosecond before."""
    at = parse_time(jump)
    starts = hours((minute, minute + 240), zone=zone)
    assert starts.opens_at(at - 1) == at
    ends = hours((0, minute), zone=zone) if minute > 60 else hours((1380, minute), zone=zone)
    assert ends.opens_at(at - 1) == at - 1
    later = ends.opens_at(at)
    assert later is not None
    assert later > at


def test_hours_that_a_day_lacks_do_not_open_on_it() -> None:
    """Sundays 02:10 to 02:50 do not exist on that Sunday; the next is a week later."""
    gone = hours((130, 170), days=(6,))
    jump = parse_time("2026-03-08T07:00:00Z")
    assert gone.opens_at(jump) == parse_time("2026-03-15T06:10:00Z")
    assert gone.opens_at(jump - 1440 * MINUTE) == parse_time("2026-03-15T06:10:00Z")


def test_the_hour_that_a_day_has_twice() -> None:
    """2026-11-01 has 01:00 to 02:00 twice: hours that touch it last through both."""
    first = parse_time("2026-11-01T05:30:00Z")
    second = first + 60 * MINUTE
    late = hours((0, 90))
    assert late.opens_at(second) == second
    assert late.opens_at(second + 1) == parse_time("2026-11-02T05:00:00Z")
    early = hours((90, 180))
    assert early.opens_at(first - 1) == first
    assert early.opens_at(first + 45 * MINUTE) == first + 45 * MINUTE


def test_outside_the_calendar_they_are_closed() -> None:
    """A time that no calendar holds is not open, and nothing opens after it."""
    for moment in (10**30, -(10**30), 253_402_300_799 * SECOND, -62_135_596_800 * SECOND):
        assert hours((1, 2)).opens_at(moment) is None
    assert hours((1, 2)).local(10**30) == "no time of the calendar"


ZONES = (
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kolkata",
    "UTC",
)
TURNS = [
    parse_time(text)
    for text in (
        "2026-03-08T07:00:00Z",
        "2026-11-01T06:00:00Z",
        "2026-03-29T01:00:00Z",
        "2026-10-25T01:00:00Z",
        "2026-04-04T15:00:00Z",
        "2026-10-03T15:30:00Z",
        "2011-12-30T10:00:00Z",
        "2026-06-10T12:00:00Z",
    )
]
quarters = st.integers(0, 95).map(lambda quarter: 15 * quarter)


def by_scanning(found: Hours, time_ns: int, minutes: int) -> int | None:
    """Return when it opens within some minutes, by looking at the clocks minute by minute."""
    zone = ZoneInfo(found.zone)
    first = time_ns // MINUTE - 2_000
    walls = [
        datetime.fromtimestamp((first + minute) * 60, zone).replace(tzinfo=None)
        for minute in range(2_000 + minutes + 2_000)
    ]
    opens: list[int] = []
    day = walls[0].replace(hour=0, minute=0)
    while day < walls[-1]:
        if day.weekday() in found.days:
            for start, end in found.ranges:
                begins = day + timedelta(minutes=start)
                ends = day + timedelta(minutes=end if end > start else end + 1440)
                later = [index for index, wall in enumerate(walls) if wall >= begins]
                earlier = [index for index, wall in enumerate(walls) if wall <= ends]
                if later and earlier and later[0] <= earlier[-1]:
                    at = max(later[0], 2_000)
                    if at <= earlier[-1]:
                        opens.append(at)
        day += timedelta(days=1)
    return (first + min(opens)) * MINUTE if opens else None


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(TURNS),
    st.integers(-160, 160),
    st.lists(st.tuples(quarters, quarters).filter(lambda r: r[0] != r[1]), min_size=1, max_size=2),
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
)
def test_against_the_clocks(
    zone: str,
    turn: int,
    quarters_off: int,
    ranges: list[tuple[int, int]],
    days: tuple[int, ...],
) -> None:
    """It opens at the minute at which somebody who watches the zone's clocks says so."""
    found = Hours(days, tuple(ranges), zone)
    moment = turn + quarters_off * 15 * MINUTE
    expected = by_scanning(found, moment, 1_000)
    opens = found.opens_at(moment)
    limit = moment + 1_000 * MINUTE
    if expected is not None and expected <= limit:
        assert opens == expected
    else:
        assert opens is not None
        assert opens > limit


# Text ------------------------------------------------------------------------------------------


def test_a_moment_is_shown_as_the_clocks_show_it() -> None:
    """Day and time of the zone, not of UTC."""
    assert hours((0, 1)).local(WEDNESDAY) == "Wed 15:30"
    assert hours((0, 1), zone="Asia/Tokyo").local(WEDNESDAY) == "Thu 05:30"


def test_hours_are_described() -> None:
    """Days, ranges and zone, for people."""
    assert hours((1080, 1410)).describe() == "daily 18:00-23:30 America/New_York"
    two = hours((9, 125), (1439, 1440), days=(0, 4), zone="UTC")
    assert two.describe() == "Mon Fri 00:09-02:05, 23:59-24:00 UTC"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({}, Hours()),
        ({"days": "daily"}, Hours()),
        ({"days": ["Sun", "mon"]}, Hours(days=(0, 6))),
        ({"days": "Tue"}, Hours(days=(1,))),
        ({"days": ["thursday", "Sunday", "mon"]}, Hours(days=(0, 3, 6))),
        ({"hours": "18:00-23:30"}, hours((1080, 1410))),
        ({"hours": ["22:00-02:00", "00:00-24:00"]}, hours((1320, 120), (0, 1440))),
        ({"hours": "23:59-00:00"}, hours((1439, 0))),
        ({"hours": "00:59-23:59"}, hours((59, 1439))),
        ({"days": ["Monday", "tuesday", "WEDNESDAY", "Thursday"]}, Hours(days=(0, 1, 2, 3))),
        ({"days": ["Friday", "Saturday", "Sunday"]}, Hours(days=(4, 5, 6))),
        ({"zone": "UTC", "phase": "any"}, hours((0, 1440), zone="UTC")),
    ],
)
def test_a_table_is_read(table: dict[str, object], expected: Hours) -> None:
    """What is absent is every day, the whole day, New York; other fields are somebody else's."""
    assert Hours.parse("here", table) == expected


DAYS = "here.days: Expected daily, or some of Mon Tue Wed Thu Fri Sat Sun, each once, was "
RANGE = "here.hours: Expected HH:MM-HH:MM from 00:00 to 24:00, was "
ZONE = "here.zone: Expected an IANA time zone (America/New_York), was "


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"days": "Daily!"}, DAYS + "'Daily!'"),
        ({"days": ["Mon", "MON"]}, DAYS + "'MON'"),
        ({"days": ["Mon", "Monday"]}, DAYS + "'Monday'"),
        ({"days": ["Mond"]}, DAYS + "'Mond'"),
        ({"days": [1]}, DAYS + "1"),
        ({"days": []}, "here.days: Expected at least one day, was none"),
        ({"hours": "18-23"}, RANGE + "'18-23'"),
        ({"hours": "18:00-24:01"}, RANGE + "'18:00-24:01'"),
        ({"hours": "24:00-01:00"}, RANGE + "'24:00-01:00'"),
        ({"hours": "18:60-20:00"}, RANGE + "'18:60-20:00'"),
        ({"hours": "18:00-19:60"}, RANGE + "'18:00-19:60'"),
        ({"hours": "18:00-18:00"}, RANGE + "'18:00-18:00'"),
        ({"hours": ["18:00-19:00", 5]}, RANGE + "5"),
        ({"hours": "18:00-19:00 "}, RANGE + "'18:00-19:00 '"),
        ({"hours": "18:00-19:0٣"}, RANGE + "'18:00-19:0٣'"),
        ({"days": "Mond"}, DAYS + "'Mond'"),
        ({"hours": []}, "here.hours: Expected at least one range, was none"),
        ({"zone": "Mars/Base"}, ZONE + "'Mars/Base'"),
        ({"zone": "../etc"}, ZONE + "'../etc'"),
        ({"zone": ""}, ZONE + "''"),
        ({"zone": 5}, "here.zone: Expected the name of a time zone, was 5"),
    ],
)
def test_a_bad_table_is_refused(table: dict[str, object], complaint: str) -> None:
    """Field, what was expected and what came."""
    with pytest.raises(ValueError, match="here") as refusal:
        Hours.parse("here", table)
    assert str(refusal.value) == complaint


@pytest.mark.parametrize(
    ("days", "ranges", "complaint"),
    [
        ((), ((0, 1),), "Expected days from 0 to 6, was ()"),
        ((7,), ((0, 1),), "Expected days from 0 to 6, was (7,)"),
        ((-1,), ((0, 1),), "Expected days from 0 to 6, was (-1,)"),
        ((0,), (), "Expected at least one range of hours, was none"),
        ((0,), ((5, 5),), "Expected two moments of a day, was 5 to 5 minutes"),
        ((0,), ((-1, 5),), "Expected two moments of a day, was -1 to 5 minutes"),
        ((0,), ((1440, 5),), "Expected two moments of a day, was 1440 to 5 minutes"),
        ((0,), ((0, 1441),), "Expected two moments of a day, was 0 to 1441 minutes"),
        ((0,), ((5, -1),), "Expected two moments of a day, was 5 to -1 minutes"),
    ],
)
def test_hours_that_cannot_be_are_refused(
    days: tuple[int, ...], ranges: tuple[tuple[int, int], ...], complaint: str
) -> None:
    """Hours that are never open, or are no times of a day, cannot be made."""
    with pytest.raises(ValueError, match="Expected") as refusal:
        Hours(days, ranges)
    assert str(refusal.value) == complaint


def test_a_zone_must_exist() -> None:
    """Hours in a zone that the database does not know cannot be made."""
    with pytest.raises(ValueError, match="IANA"):
        Hours(zone="Mars/Base")
    assert zone_of("UTC").utcoffset(datetime(2026, 1, 1, tzinfo=UTC)) == timedelta()
