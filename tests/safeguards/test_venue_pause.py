"""Trading window (R14): the pauses of venues, in which nothing passes."""

import pytest

from arbees.core.deciding.facts import VenueHealth
from arbees.core.deciding.verdicts import Deny, Skipped
from arbees.core.language.strict_json import parse_time
from arbees.core.language.weekly_hours import Hours
from arbees.core.language.words import Action
from arbees.safeguards.trading_window import TradingWindow, Window, Windows
from tests.safeguards.build import (
    book_with,
    facts,
    market,
    verdicts,
)

OUTSIDE, PAUSED = TradingWindow.codes
NO_WINDOW = Skipped(OUTSIDE, "no window is set for this sport")
OPENS = parse_time("2026-01-28T23:00:00Z")
WINDOWED = TradingWindow(Windows({"nba": Window(Hours(ranges=((1080, 1410),)))}))


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
