"""Alerts: named, counted, sent once, bounded; and which journal events raise and end them."""

import pytest
from msgspec.structs import replace

from arbees.core import events
from arbees.core.deciding.facts import Facts
from arbees.telemetry.alerts.board import (
    REMIND_NS,
    Alert,
    AlertBoard,
    AlertName,
    AlertsNow,
    LogSink,
    Severity,
)
from arbees.telemetry.alerts.rules import AlertWatch, alerts_of
from tests.telemetry.lives import MICRO, SECOND, Lives, make_request


class Heard:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def send(self, alert: Alert) -> None:
        self.alerts.append(alert)


def denied(code: str, observed: int = 1, limit: int = 0) -> events.RequestDenied:
    """Make a denial."""
    return events.RequestDenied(
        request=make_request(),
        findings=(
            events.Finding("x", "MAX_ORDER_SIZE", 1, 0),
            events.Finding("x", code, observed, limit),
        ),
        facts=Facts(now_ns=0),
        received_ns=0,
    )


def halt(
    source: str = "command", state: str = "HALTED", actor: str = "me", owner: str = ""
) -> events.HaltRaised:
    """Make a halt."""
    return events.HaltRaised(
        source=source,
        scope="all",
        state=state,
        reason="drill",
        actor=actor,
        receipt_id="r",
        owner=owner,
    )


def standing(board: AlertBoard) -> list[str]:
    """Return the names of the alerts that stand."""
    return [alert.name.value for alert in board.list()]


def test_each_alert_has_its_severity() -> None:
    """Nine alerts are critical, the digest is for information, the others are warnings."""
    critical = {name for name in AlertName if name.severity is Severity.CRITICAL}
    assert len(critical) == 10
    assert AlertName.UNKNOWN_ORDER in critical
    assert AlertName.RATE_LIMIT_HIT.severity is Severity.WARNING


def test_raised_again_is_counted_not_sent() -> None:
    """An alert that stands is counted with its last word; a reminder is sent when it is due."""
    heard = Heard()
    board = AlertBoard([heard])
    board.raise_("BALANCE_LOW", "first", 0, platform="Kalshi", current_balance=5)
    board.raise_("BALANCE_LOW", "second", SECOND, platform="Kalshi", current_balance=4)
    (alert,) = board.list()
    assert (alert.message, alert.since_ns, alert.last_ns, alert.count) == ("second", 0, SECOND, 2)
    assert alert.data["current_balance"] == 4
    assert len(heard.alerts) == 1
    board.raise_("BALANCE_LOW", "third", REMIND_NS, platform="Kalshi")
    assert [alert.message for alert in heard.alerts] == ["first", "third"]


def test_subjects_are_told_apart() -> None:
    """One name about two venues is two alerts; clearing one leaves the other."""
    heard = Heard()
    board = AlertBoard([heard])
    board.raise_("BALANCE_LOW", "a", 0, platform="Kalshi")
    board.raise_("BALANCE_LOW", "b", 0, platform="Polymarket")
    board.clear("BALANCE_LOW", 1, platform="Kalshi")
    board.clear("BALANCE_LOW", 2, platform="Kalshi")
    assert [alert.message for alert in board.list()] == ["b"]
    assert [alert.cleared_ns for alert in heard.alerts] == [None, None, 1]
    board.raise_("BALANCE_LOW", "again", 3, platform="Kalshi")
    assert (board.list()[0].since_ns, board.list()[0].count) == (3, 1)


def test_record_is_bounded() -> None:
    """Too many alerts push out cleared ones first, then the oldest."""
    board = AlertBoard(alerts_max=3)
    for number in range(3):
        board.raise_("VENUE_API_ERRORS", str(number), number, platform=str(number))
    board.clear("VENUE_API_ERRORS", 3, platform="1")
    board.raise_("VENUE_API_ERRORS", "3", 3, platform="3")
    board.raise_("VENUE_API_ERRORS", "4", 4, platform="4")
    assert [alert.message for alert in board.list(is_standing=False)] == ["4", "3", "2"]


def test_unknown_name_is_a_bug() -> None:
    """An alert that the list does not know cannot be raised."""
    with pytest.raises(ValueError, match="NO_SUCH"):
        AlertBoard().raise_("NO_SUCH", "x", 0)


def test_who_keeps_no_clock_tells_it_now() -> None:
    """What happens now has the clock's time, beginning and end; the log sink takes what comes."""
    board = AlertBoard([LogSink()])
    times = iter((7, 8, 9))
    now = AlertsNow(board, lambda: next(times))
    now.raise_("QUOTES_STALE", "old", platform="Kalshi", market_id="M")
    now.raise_("JOURNAL_TROUBLE", "bad")
    now.clear("JOURNAL_TROUBLE")
    ended, stands = board.list(is_standing=False)
    assert (ended.since_ns, ended.cleared_ns) == (8, 9)
    assert (stands.since_ns, stands.cleared_ns) == (7, None)


@pytest.mark.parametrize("name", list(AlertName))
def test_the_subject_alone_tells_two_of_a_name_apart(name: AlertName) -> None:
    """Another detail is no other alert; another part of the subject is, and each ends by itself."""
    board = AlertBoard()
    about = dict.fromkeys(name.subject, "a")
    board.raise_(name, "first", 1, **about, detail=1)
    board.raise_(name, "second", 2, **about, detail=2)
    assert [alert.count for alert in board.list()] == [2]
    for number, part in enumerate(name.subject):
        board.raise_(name, part, 3, **about | {part: "b"})
        assert len(board.list()) == number + 2
    board.clear(name, 4, **about)
    assert [alert.message for alert in board.list()] == list(reversed(name.subject))


def test_many_warnings_push_out_no_critical_alert() -> None:
    """A caller that names a thousand markets does not make the trouble of a pool be forgotten."""
    board = AlertBoard(alerts_max=4)
    board.raise_("BALANCE_LOW", "low", 0, platform="Kalshi", pool="Kalshi:2")
    for number in range(1_000):
        board.raise_("QUOTES_STALE", "old", 1, platform="Kalshi", market_id=str(number))
    assert standing(board).count("BALANCE_LOW") == 1


@pytest.mark.parametrize("code", ["PREGAME_DELTA", "EDGE_IMPLAUSIBLE"])
def test_a_warning_about_a_price_reaches_the_operator(code: str) -> None:
    """An order that passed with such a warning is an alert of its market; another is not."""
    warnings = (
        events.Finding("x", code, 310_000, 300_000),
        events.Finding("x", "QUOTE_STALE", 1, 0),
    )
    approved = Lives().approve(make_request())
    event = events.decode(approved.body)
    assert isinstance(event, events.OrderApproved)
    event = replace(event, warnings=warnings)
    (change,) = alerts_of(event)
    assert change.name is AlertName.PRICE_WARNING
    assert change.data["market_id"] == event.request.market_id
    assert change.data["code"] == code


@pytest.mark.parametrize(
    ("event", "names"),
    [
        (halt(), ["KILL_SWITCH_ACTIVATED"]),
        (halt(state="REDUCING"), []),
        (halt("daily_loss", state="REDUCING"), []),
        (halt("daily_loss", state="REDUCING", actor="arbees"), ["DAILY_LOSS_LIMIT_EXCEEDED"]),
        (halt("daily_loss"), ["KILL_SWITCH_ACTIVATED", "DAILY_LOSS_LIMIT_EXCEEDED"]),
        (halt("journal"), ["KILL_SWITCH_ACTIVATED", "JOURNAL_TROUBLE"]),
        (denied("RATE_LIMIT_MINUTE"), ["RATE_LIMIT_HIT"]),
        (denied("RATE_LIMIT_HOUR"), ["RATE_LIMIT_HIT"]),
        (denied("PRICE_OUT_OF_RANGE"), ["EXTREME_PRICE_REJECTED"]),
        (denied("THROUGH_QUOTE"), ["EXTREME_PRICE_REJECTED"]),
        (denied("QUOTE_STALE"), ["QUOTES_STALE"]),
        (denied("MARKET_CLOSED"), []),
        (events.Stopped(reason="x"), []),
    ],
)
def test_events_that_are_alerts(event: events.Event, names: list[str]) -> None:
    """A durable event raises the alerts that the design names for it, and no other."""
    changes = alerts_of(event)
    assert [change.name for change in changes if change.is_raised] == names
    assert all(change.message for change in changes if change.is_raised)


def test_lifting_a_halt_ends_its_alert() -> None:
    """A halt's alert stands until that halt is lifted; another source's stays."""
    board = AlertBoard()
    watch = AlertWatch(board)
    watch.take(1, halt())
    watch.take(2, halt("daily_loss"))
    watch.take(3, events.HaltLifted(source="command", scope="all", reason="x", actor="me"))
    assert standing(board) == ["DAILY_LOSS_LIMIT_EXCEEDED", "KILL_SWITCH_ACTIVATED"]
    watch.take(4, events.HaltLifted(source="daily_loss", scope="all", reason="x", actor="me"))
    assert standing(board) == []


def test_repeated_rejections() -> None:
    """Ten rejections a minute are normal, the eleventh is an alert; it ends with the window."""
    board = AlertBoard()
    watch = AlertWatch(board)
    for number in range(10):
        watch.take(number * SECOND, denied("MARKET_CLOSED"))
    assert standing(board) == []
    watch.take(60 * SECOND, denied("MARKET_CLOSED"))
    assert standing(board) == []
    watch.take(60 * SECOND + 1, denied("MARKET_CLOSED"))
    assert standing(board) == ["REPEATED_REJECTIONS"]
    watch.tick(61 * SECOND)
    assert standing(board) == []


def test_unknown_order_that_stays() -> None:
    """An unknown order is an alert after a minute, until there is evidence."""
    board = AlertBoard()
    watch = AlertWatch(board)
    ids = {"client_order_id": "arb-1", "request_id": "r1"}
    watch.take(0, events.OrderUnknown(**ids, message="timeout", sent_ns=0))
    watch.tick(60 * SECOND)
    assert standing(board) == []
    watch.tick(60 * SECOND + 1)
    assert standing(board) == ["UNKNOWN_ORDER"]
    watch.take(61 * SECOND, events.CancelRequested(**ids, reason="x", actor="me"))
    assert standing(board) == ["UNKNOWN_ORDER"]
    watch.take(62 * SECOND, events.OrderAcknowledged(**ids, venue_order_id="o1"))
    assert standing(board) == []
    watch.expect("arb-2", "r2", 0)
    watch.tick(63 * SECOND)
    assert standing(board) == ["UNKNOWN_ORDER"]


def test_breaks_end_when_the_last_of_a_market_does() -> None:
    """A mismatch stands until every open break of that market is closed."""
    board = AlertBoard()
    watch = AlertWatch(board)
    for number in (1, 2):
        watch.take(
            number,
            events.BreakOpened(
                break_id=f"b{number}",
                kind="position",
                platform="Kalshi",
                market_key="m",
                expected="5",
                observed="4",
                policy="freeze_market",
            ),
        )
    watch.take(3, events.BreakClosed(break_id="b1", how="evidence", actor="arbees"))
    assert standing(board) == ["RECONCILIATION_MISMATCH"]
    watch.take(4, events.BreakClosed(break_id="b2", how="evidence", actor="arbees"))
    assert standing(board) == []


def test_low_balance() -> None:
    """A balance below the threshold is an alert of that venue until it is above again."""
    board = AlertBoard()
    watch = AlertWatch(board, balance_low=100 * MICRO)

    def observe(available: int) -> None:
        pool = {"pool": "Kalshi", "platform": "Kalshi", "as_of_ns": 0, "outside": 0}
        watch.take(1, events.BalanceObserved(**pool, available=available))  # type: ignore[arg-type]

    observe(100 * MICRO - 1)
    assert standing(board) == ["BALANCE_LOW"]
    observe(100 * MICRO)
    assert standing(board) == []


def test_the_balance_of_one_pool_ends_no_alert_of_another() -> None:
    """Cash on one shard cannot be spent on another: each pool is low for itself."""
    board = AlertBoard()
    watch = AlertWatch(board, balance_low=100 * MICRO)

    def observe(pool: str, available: int) -> None:
        event = events.BalanceObserved(
            pool=pool, platform="Kalshi", available=available, as_of_ns=0, outside=0
        )
        watch.take(1, event)

    observe("Kalshi:2", 5 * MICRO)
    observe("Kalshi", 500 * MICRO)
    observe("Kalshi:3", 1 * MICRO)
    lowest = [alert.data["pool"] for alert in board.list()]
    assert lowest == ["Kalshi:3", "Kalshi:2"]
    observe("Kalshi:2", 100 * MICRO)
    assert [alert.alert_id for alert in board.list()] == ["BALANCE_LOW|Kalshi|Kalshi:3"]


def test_moments_pass() -> None:
    """An alert about a moment is over when it has not come again for an hour."""
    board = AlertBoard()
    watch = AlertWatch(board)
    watch.take(0, denied("RATE_LIMIT_MINUTE"))
    watch.tick(3_600 * SECOND)
    assert standing(board) == ["RATE_LIMIT_HIT"]
    watch.tick(3_600 * SECOND + 1)
    assert standing(board) == []
