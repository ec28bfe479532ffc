"""Trading window (R14): the pauses of venues, in which nothing passes, by word and by calendar."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.facts import VenueHealth
from arbees.core.deciding.verdicts import Deny, Pass, Skipped
from arbees.core.language.strict_json import parse_time
from arbees.core.language.weekly_hours import Hours
from arbees.core.language.words import Action, Platform
from arbees.safeguards.trading_window import TradingWindow, Window, Windows, kalshi_pause
from tests.safeguards.build import (
    SECOND,
    YES_TOKEN,
    book_with,
    facts,
    market,
    polymarket,
    verdicts,
)

MINUTE = 60 * SECOND
OUTSIDE, PAUSED = TradingWindow.codes
RUNS = Pass(PAUSED)
NO_WINDOW = Skipped(OUTSIDE, "no window is set for this sport")
OPENS = parse_time("2026-01-28T23:00:00Z")
WINDOWED = TradingWindow(Windows({"nba": Window(Hours(ranges=((1080, 1410),)))}))

PAUSE_STARTS = parse_time("2026-01-29T08:00:00Z")
PAUSE_ENDS = parse_time("2026-01-29T10:00:00Z")


def test_kalshi_pauses_on_thursdays() -> None:
    """03:00 to before 05:00 in New York, in winter."""
    assert kalshi_pause(PAUSE_STARTS - 1) is None
    assert kalshi_pause(PAUSE_STARTS) == PAUSE_ENDS
    assert kalshi_pause(PAUSE_STARTS + 61 * MINUTE + 7 * SECOND + 5) == PAUSE_ENDS
    assert kalshi_pause(PAUSE_ENDS - 1) == PAUSE_ENDS
    assert kalshi_pause(PAUSE_ENDS) is None


def test_kalshi_s_pause_follows_new_york_s_clocks() -> None:
    """In summer it is an hour earlier for the rest of the world."""
    starts, ends = parse_time("2026-07-02T07:00:00Z"), parse_time("2026-07-02T09:00:00Z")
    assert kalshi_pause(starts - 1) is None
    assert kalshi_pause(starts) == ends
    assert kalshi_pause(ends) is None


@given(st.integers(0, 4 * 10**18))
def test_kalshi_s_pause_against_the_clocks(moment: int) -> None:
    """It is paused exactly when New York's clocks show Thursday, three or four o'clock."""
    local = datetime.fromtimestamp(moment // SECOND, ZoneInfo("America/New_York"))
    is_paused = local.weekday() == 3 and local.hour in {3, 4}
    ends = kalshi_pause(moment)
    assert (ends is not None) is is_paused
    if ends is not None:
        end = datetime.fromtimestamp(ends // SECOND, ZoneInfo("America/New_York"))
        assert (end.date(), end.hour, end.minute, end.second) == (local.date(), 5, 0, 0)
        assert 0 < ends - moment <= 120 * MINUTE
        assert ends % SECOND == 0


@pytest.mark.parametrize("moment", [-604_800 * SECOND + 9 * 3600 * SECOND, 10**30, -(10**30)])
def test_there_is_no_pause_outside_the_calendar(moment: int) -> None:
    """Before 1970, and beyond the calendar, nothing is paused and nothing fails."""
    assert kalshi_pause(moment) is None


def test_the_first_and_the_last_second_are_judged() -> None:
    """The calendar that is judged begins with 1970, which began with a Thursday."""
    eight = 8 * 3600 * SECOND
    assert kalshi_pause(eight) == eight + 2 * 3600 * SECOND
    assert kalshi_pause(parse_time("1970-01-08T07:59:59Z")) is None


@pytest.mark.parametrize("mode", ["live", ""])
def test_kalshi_s_pause_denies_in_live(mode: str) -> None:
    """In live trading the calendar counts, with the time at which it lifts, also for exits."""
    book = book_with(market(yes="10"), mode=mode)
    seen = facts(now_ns=PAUSE_STARTS)
    denied = Deny(PAUSED, "Kalshi, Thursdays 03:00-05:00 New York", None, PAUSE_ENDS)
    assert verdicts(TradingWindow(), book, seen) == (NO_WINDOW, denied)
    assert verdicts(TradingWindow(), book, seen, action=Action.SELL)[1] == denied
    assert verdicts(TradingWindow(), book, facts(now_ns=PAUSE_ENDS)) == (NO_WINDOW, RUNS)


def test_on_paper_only_the_venue_s_word_counts() -> None:
    """Recorded evenings may be played at any hour."""
    assert verdicts(TradingWindow(), None, facts(now_ns=PAUSE_STARTS)) == (NO_WINDOW, RUNS)


def test_polymarket_does_not_pause_with_kalshi() -> None:
    """The calendar is Kalshi's."""
    book = book_with(market(polymarket()), mode="live")
    wire: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}
    seen = facts(now_ns=PAUSE_STARTS)
    assert verdicts(TradingWindow(), book, seen, **wire)[1] == RUNS


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_a_venue_that_says_so_is_paused(mode: str) -> None:
    """What the venue's monitor says denies in both modes, with reason and end where known."""
    book = book_with(mode=mode)
    plain = facts(venue=VenueHealth(is_paused=True))
    assert verdicts(WINDOWED, book, plain)[1] == Deny(PAUSED, "Kalshi: paused")
    told = facts(venue=VenueHealth(is_paused=True, reason="maintenance", until_ns=OPENS))
    assert verdicts(TradingWindow(), book, told) == (
        NO_WINDOW,
        Deny(PAUSED, "Kalshi: maintenance", None, OPENS),
    )


def test_reducing_orders_do_not_pass_pauses() -> None:
    """A paused venue takes no order at all."""
    seen = facts(venue=VenueHealth(is_paused=True))
    book = book_with(market(yes="10"))
    assert verdicts(WINDOWED, book, seen, action=Action.SELL) == (
        Skipped(OUTSIDE, "reducing order"),
        Deny(PAUSED, "Kalshi: paused"),
    )
