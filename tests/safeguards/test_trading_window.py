"""Trading window (R14): hours and phase by sport."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)
from arbees.core.language.strict_json import parse_time
from arbees.core.language.weekly_hours import Hours
from arbees.core.language.words import Action
from arbees.safeguards.trading_window import (
    NO_WINDOWS,
    TradingWindow,
    Window,
    Windows,
)
from tests.safeguards.build import (
    NOW,
    SECOND,
    book_with,
    facts,
    listing,
    market,
    verdicts,
)

MINUTE = 60 * SECOND
OUTSIDE, PAUSED = TradingWindow.codes
INSIDE = Pass(OUTSIDE)
RUNS = Pass(PAUSED)
NO_WINDOW = Skipped(OUTSIDE, "no window is set for this sport")
NOW_TEXT = "2026-01-28T20:30:00.000Z"
EVENING = Window(Hours(ranges=((1080, 1410),)))
"""18:00 to 23:30 in New York; now is 15:30 there."""
EVENING_TEXT = "daily 18:00-23:30 America/New_York"
OPENS = parse_time("2026-01-28T23:00:00Z")


def window(of: Window, sport: str = "nba") -> TradingWindow:
    """Return the safeguard with one window."""
    return TradingWindow(Windows({sport: of}))


def said(
    of: Window,
    *,
    at: int = NOW,
    start: int | None = None,
    close: int | None = None,
    **changes: Any,
) -> Verdict:
    """Return what one window says at a moment; start and close are what the market knows."""
    book = book_with(market(listing(game_start_ns=start, close_ns=close)))
    return verdicts(window(of), book, facts(now_ns=at), **changes)[0]


# Which window ----------------------------------------------------------------------------------


def test_by_default_there_is_no_window() -> None:
    """Nothing is set: nothing applies."""
    assert TradingWindow() == TradingWindow(NO_WINDOWS)
    assert verdicts(TradingWindow()) == (NO_WINDOW, RUNS)


def test_the_window_is_that_of_the_sport() -> None:
    """Another sport's window does not apply; letters may be of any case."""
    assert verdicts(window(EVENING))[0] == Deny(OUTSIDE, "Wed 15:30", EVENING_TEXT, OPENS)
    assert verdicts(window(EVENING, "nfl")) == (NO_WINDOW, RUNS)
    lower = book_with(market(listing(sport="nBa")))
    assert isinstance(verdicts(window(EVENING), lower)[0], Deny)


def test_the_default_window_is_that_of_all_others() -> None:
    """A sport without a window, and no sport at all, have the default one."""
    safeguard = TradingWindow(Windows({"default": EVENING, "nfl": Window()}))
    assert isinstance(verdicts(safeguard)[0], Deny)
    unclassified = book_with(market(listing(sport=None)))
    assert isinstance(verdicts(safeguard, unclassified)[0], Deny)
    assert verdicts(safeguard, book_with(market(listing(sport="NFL"))))[0] == INSIDE


def test_no_sport_may_have_a_window_too() -> None:
    """Orders of no known sport have the window of UNCLASSIFIED."""
    unclassified = book_with(market(listing(sport=None)))
    assert isinstance(verdicts(window(EVENING, "unclassified"), unclassified)[0], Deny)
    assert verdicts(window(EVENING), unclassified)[0] == NO_WINDOW


def test_reducing_orders_pass_windows() -> None:
    """What is held may be closed at any hour."""
    book = book_with(market(yes="10"))
    assert verdicts(window(EVENING), book, action=Action.SELL) == (
        Skipped(OUTSIDE, "reducing order"),
        RUNS,
    )


# Hours -----------------------------------------------------------------------------------------


def test_hours_and_both_their_ends_are_inside() -> None:
    """At 18:00 and at 23:30 it passes, a nanosecond outside it is denied until it opens."""
    closes = OPENS + 330 * MINUTE
    assert said(EVENING, at=OPENS) == INSIDE
    assert said(EVENING, at=closes) == INSIDE
    assert said(EVENING, at=OPENS - 1) == Deny(OUTSIDE, "Wed 17:59", EVENING_TEXT, OPENS)
    assert said(EVENING, at=closes + 1) == Deny(
        OUTSIDE, "Wed 23:30", EVENING_TEXT, OPENS + 1440 * MINUTE
    )


def test_a_window_of_nothing_is_always_open() -> None:
    """No hours, any phase: every moment is inside."""
    assert said(Window()) == INSIDE
    assert Window().describe() == "any"


# Phase -----------------------------------------------------------------------------------------

IN_GAME = Window(phase="in_game")
PREGAME = Window(phase="pregame")


@pytest.mark.parametrize("of", [IN_GAME, PREGAME])
def test_an_unknown_start_denies(of: Window) -> None:
    """Where a phase is asked for, the start must be known; it does not lift by itself."""
    assert said(of) == Deny(OUTSIDE, "the start of the game is not known", of.phase, None)


def test_in_game_begins_with_the_game() -> None:
    """At the start it passes, a nanosecond before it is denied until then."""
    assert said(IN_GAME, start=NOW) == INSIDE
    assert said(IN_GAME, start=NOW - 1) == INSIDE
    assert said(IN_GAME, start=NOW + 1) == Deny(
        OUTSIDE, f"the game starts at {NOW_TEXT}", "in_game", NOW + 1
    )


def test_in_game_ends_with_the_market() -> None:
    """At the close it passes, after it nothing will."""
    assert said(IN_GAME, start=NOW - 9, close=NOW) == INSIDE
    assert said(IN_GAME, start=NOW - 9, close=NOW - 1) == Deny(
        OUTSIDE, "the market closed at 2026-01-28T20:29:59.999Z", "in_game", None
    )


def test_pregame_ends_with_the_start() -> None:
    """Before the start it passes, at the start it is denied for good."""
    assert said(PREGAME, start=NOW + 1) == INSIDE
    for start, text in ((NOW, NOW_TEXT), (NOW - 1, "2026-01-28T20:29:59.999Z")):
        assert said(PREGAME, start=start) == Deny(
            OUTSIDE, f"the game started at {text}", "pregame", None
        )


def test_pregame_does_not_ask_for_the_close() -> None:
    """The close matters only to what lasts until then."""
    assert said(PREGAME, start=NOW + 1, close=NOW - 1) == INSIDE


@pytest.mark.parametrize(
    ("window", "venue", "request_", "is_inside"),
    [
        (PREGAME, 1, 1, True),
        (PREGAME, 1, 0, False),
        (PREGAME, 0, 1, False),
        (IN_GAME, 0, 0, True),
        (IN_GAME, 0, 1, False),
        (IN_GAME, 1, 0, False),
    ],
)
def test_of_two_starts_the_one_that_leaves_less_time_counts(
    window: Window, venue: int, request_: int, *, is_inside: bool
) -> None:
    """For pregame the earlier, in the game the later, whoever says it."""
    found = said(window, start=NOW + venue, game_start_ns=NOW + request_)
    assert (found == INSIDE) is is_inside


def test_the_start_that_the_market_knows_counts_first() -> None:
    """The request's start is believed only where the market knows none."""
    assert said(IN_GAME, game_start_ns=NOW) == INSIDE
    assert isinstance(said(IN_GAME, start=NOW + 1, game_start_ns=NOW), Deny)
    assert isinstance(said(PREGAME, start=NOW, game_start_ns=NOW + 1), Deny)


# Before the close ------------------------------------------------------------------------------

STOP = Window(stop_ns=5 * MINUTE)
STOP_TEXT = "until 5 min before the close"


def test_it_ends_some_minutes_before_the_close() -> None:
    """Exactly five minutes before it passes, a nanosecond later it is denied for good."""
    assert said(STOP, close=NOW + 5 * MINUTE) == INSIDE
    assert said(STOP, close=NOW + 5 * MINUTE - 1) == Deny(
        OUTSIDE, "the market closes at 2026-01-28T20:34:59.999Z", STOP_TEXT, None
    )


def test_an_unknown_close_denies() -> None:
    """Where the close is asked for it must be known."""
    assert said(STOP) == Deny(OUTSIDE, "the close of the market is not known", STOP_TEXT, None)


def test_nought_minutes_are_the_close_itself() -> None:
    """A stop of nought ends with the market, and wants its close known."""
    at_close = Window(stop_ns=0)
    assert said(at_close, close=NOW) == INSIDE
    assert isinstance(said(at_close, close=NOW - 1), Deny)
    assert isinstance(said(at_close), Deny)


def test_the_earlier_end_is_told() -> None:
    """Of the start (pregame), the close (in game) and the stop, the earliest ends it."""
    both = Window(phase="pregame", stop_ns=5 * MINUTE)
    early_stop = said(both, start=NOW + MINUTE, close=NOW + 2 * MINUTE)
    assert isinstance(early_stop, Deny)
    assert early_stop.observed == "the market closes at 2026-01-28T20:32:00.000Z"
    early_start = said(both, start=NOW, close=NOW + 5 * MINUTE)
    assert isinstance(early_start, Deny)
    assert early_start.observed == f"the game started at {NOW_TEXT}"
    in_game = said(Window(phase="in_game", stop_ns=MINUTE), start=NOW - 9, close=NOW + MINUTE - 1)
    assert isinstance(in_game, Deny)
    assert in_game.observed == "the market closes at 2026-01-28T20:30:59.999Z"


# All together ----------------------------------------------------------------------------------


def test_it_opens_when_hours_and_phase_do() -> None:
    """Before the game it opens with the game, or with the first hours after its start."""
    game_at_night = Window(EVENING.hours, "in_game")
    text = f"{EVENING_TEXT}, in_game"
    start = OPENS + 60 * MINUTE
    assert said(game_at_night, start=start) == Deny(
        OUTSIDE, "the game starts at 2026-01-29T00:00:00.000Z", text, start
    )
    assert said(game_at_night, start=NOW + 1) == Deny(
        OUTSIDE, f"the game starts at {NOW_TEXT}", text, OPENS
    )
    assert said(game_at_night, start=NOW) == Deny(OUTSIDE, "Wed 15:30", text, OPENS)


def test_what_ends_before_it_opens_does_not_lift() -> None:
    """Hours that begin after the close are no hope; at the close they just are."""
    until_close = Window(EVENING.hours, "in_game", 0)
    text = f"{EVENING_TEXT}, in_game, until 0 min before the close"
    assert said(until_close, start=NOW, close=OPENS) == Deny(OUTSIDE, "Wed 15:30", text, OPENS)
    assert said(until_close, start=NOW, close=OPENS - 1) == Deny(OUTSIDE, "Wed 15:30", text, None)
    before = Window(EVENING.hours, "pregame")
    said_before = said(before, start=OPENS)
    assert said_before == Deny(OUTSIDE, "Wed 15:30", f"{EVENING_TEXT}, pregame", None)


def test_a_game_that_starts_after_the_stop_is_no_hope() -> None:
    """In game, but not that late: there is no such moment, and the start does not lift it."""
    late = Window(phase="in_game", stop_ns=5 * MINUTE)
    text = f"in_game, {STOP_TEXT}"
    start, close = NOW + 3 * MINUTE, NOW + 7 * MINUTE
    assert said(late, start=start, close=close) == Deny(
        OUTSIDE, "the game starts at 2026-01-28T20:33:00.000Z", text, None
    )


def test_what_is_inside_all_is_inside() -> None:
    """In the hours, in the game, before the stop."""
    all_of_it = Window(EVENING.hours, "in_game", 5 * MINUTE)
    assert said(all_of_it, at=OPENS, start=OPENS, close=OPENS + 5 * MINUTE) == INSIDE


def test_hours_outside_the_calendar_deny() -> None:
    """A moment that no calendar holds is outside any hours."""
    far = 10**30
    assert said(EVENING, at=far) == Deny(OUTSIDE, "no time of the calendar", EVENING_TEXT, None)


ends = st.none() | st.integers(NOW - 3 * MINUTE, NOW + 3 * MINUTE)


@given(
    st.sampled_from(["any", "pregame", "in_game"]),
    st.none() | st.integers(0, 3).map(lambda minutes: minutes * MINUTE),
    ends,
    ends,
)
def test_against_an_oracle(
    phase: str, stop: int | None, start: int | None, close: int | None
) -> None:
    """Inside is exactly what each condition allows that is set; until then none lifts early."""
    of = Window(None, phase, stop)

    def is_inside(moment: int) -> bool:
        if phase != "any" and start is None:
            return False
        if stop is not None and (close is None or moment > close - stop):
            return False
        if phase == "pregame":
            return start is not None and moment < start
        if phase == "in_game":
            return start is not None and start <= moment and (close is None or moment <= close)
        return True

    found = said(of, start=start, close=close)
    assert (found == INSIDE) is is_inside(NOW)
    if isinstance(found, Deny):
        hopes = [moment for moment in (start,) if moment is not None and moment > NOW]
        expected = next((moment for moment in hopes if is_inside(moment)), None)
        assert found.until_ns == expected


# The table -------------------------------------------------------------------------------------


def test_a_table_is_read() -> None:
    """Sports in any case of letters, each with what it sets."""
    table: dict[str, object] = {
        "NBA": {
            "days": ["Fri", "Sat"],
            "hours": "18:00-02:00",
            "zone": "Europe/London",
            "phase": "In_Game",
            "stop_minutes_before_close": 5,
        },
        "MLB": {"phase": "pregame"},
        "default": {"hours": "00:00-12:00"},
        "NHL": {"stop_minutes_before_close": 10_080},
    }
    assert Windows.parse(table) == Windows(
        {
            "nba": Window(Hours((4, 5), ((1080, 120),), "Europe/London"), "in_game", 5 * MINUTE),
            "mlb": Window(None, "pregame"),
            "default": Window(Hours(ranges=((0, 720),))),
            "nhl": Window(None, "any", 10_080 * MINUTE),
        }
    )
    assert Windows.parse({"A": {"days": "daily"}}) == Windows({"a": Window(Hours())})
    assert Windows.parse({"A": {"stop_minutes_before_close": 0}}) == Windows(
        {"a": Window(stop_ns=0)}
    )
    assert Windows.parse({}) == NO_WINDOWS


FIELDS = "days, hours, zone, phase, stop_minutes_before_close"
STOP_FIELD = "trading_window.NBA.stop_minutes_before_close: Expected a whole number from 0 to 10080"
SETS_NOTHING = "trading_window.NBA: Expected a table that sets something, was "
BAD: list[tuple[dict[str, object], str]] = [
    ({"NBA": {}}, SETS_NOTHING + "{}"),
    ({"NBA": "18:00-23:30"}, SETS_NOTHING + "'18:00-23:30'"),
    (
        {"NBA": {"hour": "18:00-23:30"}},
        f"trading_window.NBA.hour: Expected one of {FIELDS}, was 'hour'",
    ),
    (
        {"NBA": {"hours": "25:00-26:00"}},
        "trading_window.NBA.hours: Expected HH:MM-HH:MM from 00:00 to 24:00, was '25:00-26:00'",
    ),
    (
        {"NBA": {"zone": "UTC"}},
        "trading_window.NBA.zone: Expected days or hours with it, was neither",
    ),
    (
        {"NBA": {"phase": "halftime"}},
        "trading_window.NBA.phase: Expected one of any, pregame, in_game, was 'halftime'",
    ),
    (
        {"NBA": {"phase": 1}},
        "trading_window.NBA.phase: Expected one of any, pregame, in_game, was 1",
    ),
    ({"NBA": {"stop_minutes_before_close": -1}}, STOP_FIELD + ", was -1"),
    ({"NBA": {"stop_minutes_before_close": 10_081}}, STOP_FIELD + ", was 10081"),
    ({"NBA": {"stop_minutes_before_close": "1.5"}}, STOP_FIELD + ", was '1.5'"),
    ({"NBA": {"stop_minutes_before_close": True}}, STOP_FIELD + ", was True"),
    (
        {"NBA": {"phase": "any"}, "nba": {"phase": "any"}},
        "trading_window.nba: Expected each sport once, was there twice",
    ),
]


@pytest.mark.parametrize(("table", "complaint"), BAD)
def test_a_bad_table_is_refused(table: dict[str, object], complaint: str) -> None:
    """Field, what was expected and what came."""
    with pytest.raises(ValueError, match="trading_window") as refusal:
        Windows.parse(table)
    assert str(refusal.value) == complaint
