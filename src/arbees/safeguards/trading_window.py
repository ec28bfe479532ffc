"""Denies orders outside the hours or the phase of the game set for a sport, and in pauses (R14).

Guarantees that where a window asks for something that is not known (the start of the game, the
close of the market) the order is denied: a window cannot be passed by leaving facts out. Hours
follow the zone's own clocks, also on days of 23 and 25 hours.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import NS_PER_SECOND, div_floor
from arbees.core.language.weekly_hours import Hours

PHASES = ("any", "pregame", "in_game")
DEFAULT = "default"
"""Name of the window of all sports that have none of their own."""
STOP_MINUTES_MAX = 10_080
"""A week."""
_FIELDS = ("days", "hours", "zone", "phase", "stop_minutes_before_close")
_MINUTE_NS = 60 * NS_PER_SECOND

_REDUCING = Skipped("OUTSIDE_WINDOW", "reducing order")
_NO_WINDOW = Skipped("OUTSIDE_WINDOW", "no window is set for this sport")
_INSIDE = Pass("OUTSIDE_WINDOW")
_NOT_PAUSED = Pass("VENUE_PAUSED")
_FREE: tuple[Verdict, ...] = (_NO_WINDOW, _NOT_PAUSED)


class Window(msgspec.Struct, frozen=True):
    """
    When orders of one sport may add risk.

    Attributes:
        hours: weekly hours; None = always.
        phase: any, pregame (before the game's start) or in_game (from then to the close).
        stop_ns: how long before the market's close it ends; None = no such end.
    """

    hours: Hours | None = None
    phase: str = "any"
    stop_ns: int | None = None

    @classmethod
    def parse(cls, place: str, table: object) -> "Window":
        """
        Read one window of arbees.toml.

        Raises:
            ValueError: which field of which place, what was expected, what came.
        """
        if not isinstance(table, Mapping) or not table:
            raise ValueError(f"{place}: Expected a table that sets something, was {table!r}")
        for field in table:
            if field not in _FIELDS:
                raise ValueError(
                    f"{place}.{field}: Expected one of {', '.join(_FIELDS)}, was {field!r}"
                )
        hours = None
        if "days" in table or "hours" in table:
            hours = Hours.parse(place, table)
        elif "zone" in table:
            raise ValueError(f"{place}.zone: Expected days or hours with it, was neither")
        phase = table.get("phase", "any")
        if not isinstance(phase, str) or phase.lower() not in PHASES:
            raise ValueError(f"{place}.phase: Expected one of {', '.join(PHASES)}, was {phase!r}")
        return cls(hours, phase.lower(), _stop(place, table))

    def check(self, order: Candidate, now_ns: int) -> Verdict:
        """Judge a moment for the market of an order; an unknown time that is needed denies."""
        listing = order.market.listing
        start, close = self._start(order), listing.close_ns
        if self.phase != "any" and start is None:
            return self._deny("the start of the game is not known", None)
        if self.stop_ns is not None and close is None:
            return self._deny("the close of the market is not known", None)
        end = self._end(start, close)
        if end is not None and now_ns > end[0]:
            return self._deny(end[1] + format_time(end[2]), None)
        if self.phase == "in_game" and start is not None and now_ns < start:
            return self._deny(f"the game starts at {format_time(start)}", self._next(start, end))
        if self.hours is not None and self.hours.opens_at(now_ns) != now_ns:
            return self._deny(self.hours.local(now_ns), self._next(now_ns, end))
        return _INSIDE

    def _start(self, order: Candidate) -> int | None:
        """
        Return the start that counts, of the venue's word and the request's.

        The one that leaves less time: for pregame the earlier, in the game the later.
        """
        known = (order.market.listing.game_start_ns, order.request.game_start_ns)
        said = [start for start in known if start is not None]
        return (max if self.phase == "in_game" else min)(said, default=None)

    def _end(self, start: int | None, close: int | None) -> tuple[int, str, int] | None:
        """Return the last moment that phase and close allow, and why in words and a time."""
        end: tuple[int, str, int] | None = None
        if self.phase == "pregame" and start is not None:
            end = (start - 1, "the game started at ", start)
        elif self.phase == "in_game" and close is not None:
            end = (close, "the market closed at ", close)
        if self.stop_ns is not None and close is not None:
            stop = close - self.stop_ns
            if end is None or stop < end[0]:
                end = (stop, "the market closes at ", close)
        return end

    def _next(self, time_ns: int, end: tuple[int, str, int] | None) -> int | None:
        """Return when the window opens from a moment on, if it does before its end."""
        opens = time_ns if self.hours is None else self.hours.opens_at(time_ns)
        return None if opens is None or (end is not None and opens > end[0]) else opens

    def _deny(self, observed: str, until_ns: int | None) -> Verdict:
        return Deny("OUTSIDE_WINDOW", observed, self.describe(), until_ns)

    def describe(self) -> str:
        """Return the window for people: `daily 18:00-23:30 America/New_York, in_game`."""
        parts = []
        if self.hours is not None:
            parts.append(self.hours.describe())
        if self.phase != "any":
            parts.append(self.phase)
        if self.stop_ns is not None:
            minutes = div_floor(self.stop_ns, _MINUTE_NS)
            parts.append(f"until {minutes} min before the close")
        return ", ".join(parts) or "any"


def _stop(place: str, table: Mapping[str, object]) -> int | None:
    value = table.get("stop_minutes_before_close")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= STOP_MINUTES_MAX:
        raise ValueError(
            f"{place}.stop_minutes_before_close: Expected a whole number from 0 to "
            f"{STOP_MINUTES_MAX}, was {value!r}"
        )
    return value * _MINUTE_NS


class Windows(msgspec.Struct, frozen=True):
    """
    The table `[trading_window]`.

    Attributes:
        of: windows by sport in lower case; `default` is that of all other sports.
    """

    of: dict[str, Window] = {}

    @classmethod
    def parse(cls, table: Mapping[str, object]) -> "Windows":
        """
        Read the table of arbees.toml.

        Raises:
            ValueError: which field, what was expected, what came.
        """
        found: dict[str, Window] = {}
        for sport, entry in table.items():
            place = f"trading_window.{sport}"
            if sport.casefold() in found:
                raise ValueError(f"{place}: Expected each sport once, was there twice")
            found[sport.casefold()] = Window.parse(place, entry)
        return cls(found)


NO_WINDOWS = Windows()


class TradingWindow(msgspec.Struct, frozen=True):
    """When orders may add risk, by sport; and the pauses of venues, in which nothing passes."""

    name: ClassVar[str] = "trading_window"
    codes: ClassVar[tuple[str, ...]] = ("OUTSIDE_WINDOW", "VENUE_PAUSED")

    windows: Annotated[
        Windows,
        Setting(
            name="trading_window",
            kind=SettingKind.TABLE,
            doc="Windows by sport: days, hours, zone, phase, stop_minutes_before_close.",
        ),
    ] = NO_WINDOWS

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Look up the window of the order's sport, and whether the venue is paused."""
        paused = _pause(order, facts)
        windows = self.windows.of
        if not windows:
            return _FREE if paused is _NOT_PAUSED else (_NO_WINDOW, paused)
        if order.is_reducing:
            return _REDUCING, paused
        window = windows.get(order.sport.casefold()) or windows.get(DEFAULT)
        return _NO_WINDOW if window is None else window.check(order, facts.now_ns), paused


def _pause(order: Candidate, facts: Facts) -> Verdict:
    """Judge the venue's pause, which its monitor or its calendar tells."""
    if facts.venue.is_paused:
        reason = facts.venue.reason or "paused"
        return Deny("VENUE_PAUSED", f"{order.platform.value}: {reason}", None, facts.venue.until_ns)
    return _NOT_PAUSED
