"""What leaves: one by one while it is little, together in a storm, and nothing twice."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from arbees.errors import ConfigurationError
from arbees.telemetry.alerts.board import Alert, AlertName
from arbees.telemetry.alerts.outgoing import FEW, GATHER_NS, WAITING_MAX, Outgoing, QuietHours

SECOND = 1_000_000_000
NOON = 1_769_601_600 * SECOND
"""2026-01-28 12:00 UTC."""


def alert(name: AlertName, subject: str = "", *, is_over: bool = False) -> Alert:
    """Return an alert."""
    return Alert(
        alert_id=f"{name}|{subject}",
        name=name,
        severity=name.severity,
        message=f"{name} {subject}",
        since_ns=NOON,
        last_ns=NOON,
        cleared_ns=NOON if is_over else None,
    )


def test_a_storm_of_denials_makes_one_message_a_minute() -> None:
    """10,000 in ten minutes, in a thousand markets: the first within a second, and then so."""
    outgoing, told = Outgoing(), list[tuple[int, Alert]]()
    for number in range(10_000):
        now = NOON + number * 60_000_000
        outgoing.add(alert(AlertName.EXTREME_PRICE_REJECTED, f"m-{number % 1_000}"), now)
        if number > 10:
            outgoing.add(alert(AlertName.REPEATED_REJECTIONS), now)
        told += [(now, each) for each in outgoing.take(now)]
    now = NOON + 11 * 60 * SECOND
    told += [(now, each) for each in outgoing.take(now)]
    times = [at for at, _ in told]
    assert times[0] - NOON <= 1.1 * SECOND
    assert told[0][1].name is AlertName.REPEATED_REJECTIONS
    assert all(later - before >= 60 * SECOND for before, later in pairwise(times))
    assert 10 <= len(told) <= 11
    assert "x EXTREME_PRICE_REJECTED" in told[-1][1].message


def test_what_is_critical_and_new_does_not_wait_for_the_minute() -> None:
    """A storm of warnings was told just now: the first critical one of it is told at once."""
    outgoing = Outgoing()
    for number in range(FEW + 1):
        outgoing.add(alert(AlertName.RATE_LIMIT_HIT, str(number)), NOON)
    assert len(outgoing.take(NOON + SECOND)) == 1
    for _ in range(2):
        outgoing.add(alert(AlertName.REPEATED_REJECTIONS), NOON + 2 * SECOND)
    (told,) = outgoing.take(NOON + 3 * SECOND)
    assert told.name is AlertName.REPEATED_REJECTIONS
    outgoing.add(alert(AlertName.REPEATED_REJECTIONS), NOON + 4 * SECOND)
    assert outgoing.take(NOON + 6 * SECOND) == []


def test_a_burst_is_one_message_led_by_the_worst() -> None:
    """Gathered for a second, and nothing of it comes again."""
    outgoing = Outgoing()
    for number in range(10_000):
        outgoing.add(alert(AlertName.RATE_LIMIT_HIT, f"s-{number % 50}"), NOON + number)
    outgoing.add(alert(AlertName.REPEATED_REJECTIONS), NOON + 10_000)
    assert outgoing.take(NOON + GATHER_NS - 1) == []
    (told,) = outgoing.take(NOON + GATHER_NS)
    assert told.name is AlertName.REPEATED_REJECTIONS
    assert told.data["grouped"] == "50 x RATE_LIMIT_HIT"
    assert outgoing.take(NOON + 3_600 * SECOND) == []


def test_few_are_told_each_and_so_are_their_ends() -> None:
    """In order, once; other kinds do not wait for a storm of one."""
    outgoing = Outgoing()
    for number in range(100):
        outgoing.add(alert(AlertName.QUOTES_STALE, str(number)), NOON)
    outgoing.take(NOON + SECOND)
    raised, over = (alert(AlertName.BALANCE_LOW, "Kalshi", is_over=each) for each in (False, True))
    outgoing.add(raised, NOON + SECOND)
    outgoing.add(over, NOON + SECOND)
    assert outgoing.take(NOON + 2 * SECOND) == [raised, over]
    assert outgoing.take(NOON + 3 * SECOND) == []


def test_flapping_is_a_storm() -> None:
    """Raised and over again and again: the last word of each, once a minute."""
    outgoing, told = Outgoing(), 0
    for number in range(600):
        now = NOON + number * SECOND
        outgoing.add(alert(AlertName.BALANCE_LOW, "Kalshi", is_over=number % 2 == 1), now)
        told += len(outgoing.take(now + GATHER_NS))
    assert told <= FEW + 10


def test_quiet_hours_hold_all_but_what_is_critical() -> None:
    """Over midnight, in the zone; what waited comes together behind them."""
    quiet = QuietHours("22:00-07:00", ZoneInfo("America/New_York"))
    outgoing, night = Outgoing(quiet), NOON - 2 * 3_600 * SECOND  # 05:00 there
    for number in range(FEW + 2):
        outgoing.add(alert(AlertName.MARKS_STALE, str(number)), night)
    outgoing.add(alert(AlertName.TASK_DIED, "x"), night)
    assert [each.name for each in outgoing.take(night + SECOND)] == [AlertName.TASK_DIED]
    assert outgoing.take(NOON - 1) == []
    (told,) = outgoing.take(NOON)  # 07:00 there
    assert told.data["grouped"] == f"{FEW + 1} x MARKS_STALE"


@pytest.mark.parametrize("text", ["", "22-7", "24:00-07:00", "22:00-22:00", "22:00-07:60"])
def test_hours_that_are_none_are_refused(text: str) -> None:
    """With the setting's name and how to write them."""
    with pytest.raises(ConfigurationError, match="ALERT_QUIET_HOURS"):
        QuietHours(text, ZoneInfo("UTC"))


def test_what_waits_is_bounded() -> None:
    """The oldest of what is most is lost first, and the one of another kind is kept."""
    outgoing = Outgoing()
    outgoing.add(alert(AlertName.JOURNAL_TROUBLE), NOON)
    for number in range(2 * WAITING_MAX):
        outgoing.add(alert(AlertName.MARKS_STALE, str(number)), NOON)
    first, second = outgoing.take(NOON + SECOND)
    assert first.name is AlertName.JOURNAL_TROUBLE
    assert second.data["grouped"] == f"{WAITING_MAX - 2} x MARKS_STALE"
