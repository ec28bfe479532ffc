"""What is known of each venue: its calendar, its settings, and that they are asked of it alone."""

import ast
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.language.strict_json import parse_time
from arbees.core.language.units import NS_PER_SECOND as SECOND
from arbees.core.language.words import Platform
from arbees.settings import load
from arbees.venues.paper import TERMS
from arbees.venues.registry import VENUES, pause_of

MINUTE = 60 * SECOND
PAUSE_STARTS = parse_time("2026-01-29T08:00:00Z")
PAUSE_ENDS = parse_time("2026-01-29T10:00:00Z")
SOURCE = Path(__file__).parents[2] / "src" / "arbees"


def ends_of(moment: int) -> int | None:
    """Return when the pause ends that Kalshi's calendar has at a moment."""
    pause = pause_of(Platform.KALSHI, moment)
    return None if pause is None else pause.until_ns


def test_kalshi_pauses_on_thursdays() -> None:
    """03:00 to before 05:00 in New York, in winter."""
    assert ends_of(PAUSE_STARTS - 1) is None
    assert ends_of(PAUSE_STARTS) == PAUSE_ENDS
    assert ends_of(PAUSE_STARTS + 61 * MINUTE + 7 * SECOND + 5) == PAUSE_ENDS
    assert ends_of(PAUSE_ENDS - 1) == PAUSE_ENDS
    assert ends_of(PAUSE_ENDS) is None


def test_kalshi_s_pause_follows_new_york_s_clocks() -> None:
    """In summer it is an hour earlier for the rest of the world."""
    starts, ends = parse_time("2026-07-02T07:00:00Z"), parse_time("2026-07-02T09:00:00Z")
    assert ends_of(starts - 1) is None
    assert ends_of(starts) == ends
    assert ends_of(ends) is None


@given(st.integers(0, 4 * 10**18))
def test_kalshi_s_pause_against_the_clocks(moment: int) -> None:
    """It is paused exactly when New York's clocks show Thursday, three or four o'clock."""
    local = datetime.fromtimestamp(moment // SECOND, ZoneInfo("America/New_York"))
    is_paused = local.weekday() == 3 and local.hour in {3, 4}
    ends = ends_of(moment)
    assert (ends is not None) is is_paused
    if ends is not None:
        end = datetime.fromtimestamp(ends // SECOND, ZoneInfo("America/New_York"))
        assert (end.date(), end.hour, end.minute, end.second) == (local.date(), 5, 0, 0)
        assert 0 < ends - moment <= 120 * MINUTE
        assert ends % SECOND == 0


@pytest.mark.parametrize("moment", [-604_800 * SECOND + 9 * 3600 * SECOND, 10**30, -(10**30)])
def test_there_is_no_pause_outside_the_calendar(moment: int) -> None:
    """Before 1970, and beyond the calendar, nothing is paused and nothing fails."""
    assert ends_of(moment) is None


def test_the_first_and_the_last_second_are_judged() -> None:
    """The calendar that is judged begins with 1970, which began with a Thursday."""
    eight = 8 * 3600 * SECOND
    assert ends_of(eight) == eight + 2 * 3600 * SECOND
    assert ends_of(parse_time("1970-01-08T07:59:59Z")) is None


def test_polymarket_does_not_pause_with_kalshi() -> None:
    """The calendar is Kalshi's."""
    assert pause_of(Platform.POLYMARKET, PAUSE_STARTS) is None


def test_every_platform_has_its_spec() -> None:
    """Its credentials and addresses are settings of its own section, which has their values."""
    assert tuple(VENUES) == tuple(Platform)
    for platform, spec in VENUES.items():
        section = load({}).section(spec.account)
        assert [getattr(section, field) for field in spec.credentials] == [None, None]
        assert all(getattr(section, field) for field in spec.url_names)
        assert all(name.startswith(f"{platform.upper()}_") for name in spec.url_names.values())
        assert spec.credential_names.count(f"{platform.upper()}_") == len(spec.credentials)
        assert (TERMS[platform].taker_rate, TERMS[platform].tick) == (spec.terms.taker_rate, 1_000)


def test_nothing_else_asks_which_platform_it_is() -> None:
    """One by its name stands in its own folder, and in what rehearses an evening of it."""
    spellings = {word for each in Platform for word in (str(each), each.lower())}
    own = [SOURCE / "rehearsal", *(SOURCE / "venues" / each.lower() for each in Platform)]
    for path in SOURCE.rglob("*.py"):
        if any(path.is_relative_to(each) for each in own):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            where = f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', 0)}"
            assert name not in {f"Platform.{each.name}" for each in Platform}, where
            if isinstance(node, ast.Compare):
                words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                assert not words & spellings, where
