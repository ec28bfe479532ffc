"""Which days of paper trading count before live trading, and what is open in them."""

from zoneinfo import ZoneInfo

from msgspec.structs import replace

from arbees.core import events
from arbees.core.deciding.facts import Facts, Touch
from arbees.history.paper_days import DayRules, PaperDays, walk
from tests.telemetry.lives import DAY, SECOND, Lives, make_request

ZONE = ZoneInfo("America/New_York")
HOUR = 3_600 * SECOND
LEAST = DayRules(up_ns=0, quote_age_ns=10 * SECOND, decisions=0)
ONE = DayRules(up_ns=0, quote_age_ns=10 * SECOND, decisions=1)


def seen(lives: Lives, asked: DayRules = LEAST) -> PaperDays:
    """Walk over a journal."""
    return walk(lives, ZONE, asked)


def started(**disabled: str) -> events.Started:
    """Return the start of a process."""
    return events.Started(version="1", settings_hash="s", settings={}, disabled=disabled)


def reviewed(sequence: int, verdict: str) -> events.DenialReviewed:
    """Return an operator's word on a denial."""
    return events.DenialReviewed(
        request_id="r", sequence=sequence, verdict=verdict, reason="r", actor="ann"
    )


def drilled(safeguard: str, *, host: str = "here", is_passed: bool = True) -> events.Drilled:
    """Return a drill."""
    return events.Drilled(
        safeguard=safeguard,
        is_passed=is_passed,
        limits_hash="l",
        settings_hash="s",
        host=host,
        version="1",
        actor="ann",
    )


def decide(lives: Lives, count: int = 1, *, age: int = 0) -> None:
    """Deny requests on a quote of an age."""
    for _ in range(count):
        name = f"r{len(lives.stored)}"
        denied = lives.deny(make_request(name))
        event = events.decode(denied.body)
        assert isinstance(event, events.RequestDenied)
        facts = Facts(now_ns=lives.now_ns, touch=Touch(ts_ns=lives.now_ns - age))
        body = events.encode(replace(event, facts=facts))
        lives.stored[-1] = replace(denied, body=body)


def test_days_without_a_decision_do_not_count() -> None:
    """A gateway that only stood there proves nothing; a denial alone is a decision."""
    lives = Lives()
    lives.add(started())
    lives.pass_time(DAY)
    decide(lives)
    lives.pass_time(DAY)
    decide(lives, 2)
    assert seen(lives, ONE).days == ["2026-01-29", "2026-01-30"]


def test_only_decisions_on_fresh_quotes_count() -> None:
    """A quote exactly as old as allowed is fresh; a nanosecond more, or none at all, is not."""
    lives = Lives()
    lives.add(started())
    decide(lives, age=10 * SECOND)
    decide(lives, age=10 * SECOND + 1)
    lives.approve(make_request("none"))
    (day,) = seen(lives).seen.values()
    assert (day.decisions, day.fresh) == (3, 1)
    assert seen(lives, ONE).days == ["2026-01-28"]
    assert seen(lives, DayRules(up_ns=0, quote_age_ns=10 * SECOND, decisions=2)).days == []


def test_a_day_is_as_long_as_a_gateway_was_up() -> None:
    """From start to end, or to the last record before a crash; what lay between does not count."""
    lives = Lives()
    lives.add(started())
    lives.pass_time(HOUR)
    lives.add(events.Stopped(reason="x"))
    lives.pass_time(HOUR)
    lives.add(started())
    lives.pass_time(2 * HOUR)
    decide(lives)
    lives.pass_time(HOUR)  # it crashed
    lives.add(started())
    lives.pass_time(HOUR)
    decide(lives)
    (day,) = seen(lives).seen.values()
    assert day.up_ns == 4 * HOUR
    assert day.figures == "4.0 hours up, 2 decisions, 2 on fresh quotes"
    enough = DayRules(up_ns=4 * HOUR, quote_age_ns=SECOND, decisions=2)
    assert seen(lives, enough).days == ["2026-01-28"]
    assert seen(lives, replace(enough, up_ns=4 * HOUR + 1)).days == []


def test_days_with_a_safeguard_off_do_not_count() -> None:
    """Nor if it was off for a part of the day, until a start has it on again."""
    lives = Lives()
    lives.add(started())
    lives.approve(make_request("r1"))
    lives.pass_time(DAY)
    lives.approve(make_request("r2"))
    lives.add(events.Stopped(reason="x"))
    lives.add(started(balance="why"))
    lives.add(events.Stopped(reason="x"))
    lives.pass_time(DAY)
    lives.add(started(balance="why", holding="why"))
    lives.pass_time(DAY)
    lives.approve(make_request("r3"))
    lives.pass_time(DAY)
    lives.add(started())
    lives.approve(make_request("r4"))
    found = seen(lives)
    assert found.days == ["2026-01-28"]
    assert list(found.spoiled) == ["2026-01-29", "2026-01-30", "2026-01-31", "2026-02-01"]
    lives.pass_time(DAY)
    lives.approve(make_request("r5"))
    assert seen(lives).days == ["2026-01-28", "2026-02-02"]


def test_a_crash_does_not_switch_a_safeguard_on() -> None:
    """Without an orderly end the safeguards stay off until the next start says otherwise."""
    lives = Lives()
    lives.add(started(balance="why"))
    lives.pass_time(DAY)
    lives.approve(make_request("r1"))
    found = seen(lives)
    assert found.days == []
    assert found.spoiled["2026-01-29"] == "balance"


def test_the_last_word_on_a_denial_counts() -> None:
    """A denial is open until somebody spoke; who speaks of another record changes nothing."""
    lives = Lives()
    first, second = lives.deny(make_request("r1")), lives.deny(make_request("r2"))
    lives.add(reviewed(first.sequence, "confirmed"))
    lives.add(reviewed(first.sequence, "disputed"))
    lives.add(reviewed(99, "confirmed"))
    found = seen(lives)
    assert found.in_days({"2026-01-28"}) == {first.sequence: "disputed", second.sequence: ""}
    assert found.in_days({"2026-01-27"}) == {}


def test_the_newest_drill_on_each_host_counts() -> None:
    """A drill that failed later is the one that counts, and other hosts are other drills."""
    lives = Lives()
    lives.add(drilled("balance"))
    lives.add(drilled("balance", host="there"))
    lives.pass_time(SECOND)
    last = lives.add(drilled("balance", is_passed=False))
    found = seen(lives).drills
    assert found["balance", "here"].time_ns == last.time_ns
    assert not found["balance", "here"].event.is_passed
    assert found["balance", "there"].event.is_passed


def test_breaks_are_open_until_closed() -> None:
    """What was closed is no more."""
    lives = Lives()
    for name in ("a", "b"):
        opened = events.BreakOpened(
            break_id=name,
            kind="position",
            platform="Kalshi",
            market_key="KX",
            expected="1",
            observed="2",
            policy="halt",
        )
        lives.add(opened)
    lives.add(events.BreakClosed(break_id="a", how="evidence", actor="ann"))
    assert seen(lives).breaks == {"b": "position at KX: expected 1, was 2"}
