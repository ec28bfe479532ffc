"""The trading day: from midnight to midnight of its zone, on every day of the year."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core import events
from arbees.core.language.strict_json import parse_time
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.runtime.watching.monitors import trading_day
from tests.runtime.rig import Rig, running
from tests.runtime.scripted_venue import fills

HOUR = 3_600 * NS_PER_SECOND
ZONES = ("America/New_York", "UTC", "Asia/Kathmandu", "Africa/Cairo", "Pacific/Apia")


@pytest.mark.parametrize(
    ("now", "day", "end"),
    [
        ("2026-01-28T20:30:00Z", "2026-01-28", "2026-01-29T05:00:00Z"),
        ("2026-01-29T04:59:59.999999999Z", "2026-01-28", "2026-01-29T05:00:00Z"),
        ("2026-01-29T05:00:00Z", "2026-01-29", "2026-01-30T05:00:00Z"),
        ("2026-03-08T05:00:00Z", "2026-03-08", "2026-03-09T04:00:00Z"),
        ("2026-03-08T12:00:00Z", "2026-03-08", "2026-03-09T04:00:00Z"),
        ("2026-11-01T04:00:00Z", "2026-11-01", "2026-11-02T05:00:00Z"),
        ("2026-11-01T05:30:00Z", "2026-11-01", "2026-11-02T05:00:00Z"),
        ("2026-11-01T06:30:00Z", "2026-11-01", "2026-11-02T05:00:00Z"),
        ("2026-12-31T23:00:00Z", "2026-12-31", "2027-01-01T05:00:00Z"),
    ],
)
def test_in_new_york(now: str, day: str, end: str) -> None:
    """The day begins at midnight in New York; it has 23 hours in March, 25 in November."""
    found = trading_day(parse_time(now), ZoneInfo("America/New_York"))
    assert found == (day, parse_time(end))


def test_where_midnight_does_not_exist() -> None:
    """In Cairo the clock goes from 23:59:59 to 01:00 on one day of 2026: that is its beginning."""
    cairo = ZoneInfo("Africa/Cairo")
    day, end_ns = trading_day(parse_time("2026-04-23T12:00:00Z"), cairo)
    assert (day, end_ns) == ("2026-04-23", parse_time("2026-04-23T22:00:00Z"))
    assert trading_day(end_ns, cairo) == ("2026-04-24", parse_time("2026-04-24T21:00:00Z"))


@given(
    st.integers(0, 20_000 * 24 * 3_600 * NS_PER_SECOND),
    st.sampled_from(ZONES),
)
def test_days_follow_each_other(after: int, name: str) -> None:
    """At any moment the day ends later, and right then begins the next one, never the same."""
    zone = ZoneInfo(name)
    now = 500_000_000 * NS_PER_SECOND + after
    day, end_ns = trading_day(now, zone)
    assert now < end_ns <= now + 26 * HOUR
    assert trading_day(end_ns - 1, zone)[0] == day
    following, _ = trading_day(end_ns, zone)
    gap = datetime.fromisoformat(following) - datetime.fromisoformat(day)
    assert gap >= timedelta(days=1)
    assert gap <= timedelta(days=2)


# In the journal --------------------------------------------------------------------------------


async def test_the_first_day_opens_before_anything_else() -> None:
    """A new account's day is open before its first record of anything else."""
    async with running() as rig:
        assert rig.journal.kinds()[:3] == ["Bound", "DayOpened", "Started"]
        assert rig.events(events.DayOpened) == [events.DayOpened(day="2026-01-28", baseline=0)]


async def test_a_day_opens_by_itself() -> None:
    """Soon after midnight the new day is on record, though nothing happens in it."""
    async with running(balance_interval_ns=24 * HOUR) as rig:
        await rig.wait(8.5 * 3_600 - 1)
        assert len(rig.events(events.DayOpened)) == 1
        await rig.wait(31)
        assert [each.day for each in rig.events(events.DayOpened)] == ["2026-01-28", "2026-01-29"]


async def test_a_day_opens_before_what_happens_first_in_it() -> None:
    """What happens right after midnight finds the new day open."""
    async with running() as rig:
        await rig.wait(8.5 * 3_600)
        await rig.halt(scope="sport:NFL")
        kinds = rig.journal.kinds(events.DayOpened, events.HaltRaised)
        assert kinds == ["DayOpened", "DayOpened", "HaltRaised"]


async def test_a_restart_within_the_day_opens_none() -> None:
    """The day goes on where the last life left it."""
    async with running() as rig:
        pass
    async with running(journal=rig.journal) as again:
        await again.halt()
        assert len(again.events(events.DayOpened)) == 1


async def hold(rig: Rig) -> None:
    """Buy 10 at 0.65."""
    rig.kalshi.answers.append(lambda order: fills(order, rig.now_ns))
    await rig.ask()
    await rig.settle()


def pnl(rig: Rig) -> int:
    """Return the P&L of the day."""
    return rig.book.pnl_today(rig.desk.marks.unrealized)


async def test_yesterdays_loss_is_not_todays() -> None:
    """A new day counts from the P&L at its beginning, marks included."""
    async with running() as rig:
        await hold(rig)
        await rig.quote("0.55", "0.57")
        assert pnl(rig) == -MICRO
        await rig.wait(9 * 3_600)
        assert pnl(rig) == 0
        await rig.quote("0.54", "0.57")
        assert pnl(rig) == -100_000


async def test_yesterdays_loss_trips_nothing_today() -> None:
    """Right after midnight, before anything happened, the loss of the day is none."""
    async with running(max_daily_loss=MICRO // 2) as rig:
        await hold(rig)
        await rig.wait(8.5 * 3_600 - 60)
        await rig.quote("0.601", "0.62")
        assert pnl(rig) == -490_000
        await rig.wait(60)
        await rig.quote("0.59", "0.62")
        await rig.wait(60)
        assert rig.book.halts == {}
        assert pnl(rig) == -110_000
