"""The record of alerts: in the journal as it goes, bounded, and there after a restart."""

import asyncio
from collections.abc import Callable, Sequence

from arbees.core import events
from arbees.core.book.book import Book, fresh
from arbees.core.book.fold_control import alert_cleared, alert_raised
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import Inconclusive, Unknown
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.orders.result import Recorded
from arbees.errors import JournalUnavailable
from arbees.telemetry.alerts.board import REMIND_NS, AlertBoard
from arbees.telemetry.alerts.record import MESSAGE_MAX, AlertRecord, standing
from arbees.telemetry.alerts.rules import PASSING_NS, AlertWatch
from tests.runtime.rig import Rig, running
from tests.safeguards.build import NOW


def recording() -> tuple[AlertBoard, list[events.Event]]:
    """Return a board and what it records."""
    told: list[events.Event] = []
    record = AlertRecord()
    record.open(told.append)
    return AlertBoard([record]), told


def test_raised_reminded_over() -> None:
    """Repeats are recorded as reminders only, with how often; the end names the same alert."""
    board, told = recording()
    for at in (NOW, NOW + 1, NOW + REMIND_NS):
        board.raise_("BALANCE_LOW", f"at {at - NOW}", at, platform="Kalshi", current_balance=-1)
    board.clear("BALANCE_LOW", NOW + REMIND_NS + 1, platform="Kalshi")
    first, reminder, over = told
    assert first == events.AlertRaised(
        alert_id="BALANCE_LOW|Kalshi",
        name="BALANCE_LOW",
        severity="critical",
        message="at 0",
        since_ns=NOW,
        data={"platform": "Kalshi", "current_balance": "-0.000001"},
    )
    assert isinstance(reminder, events.AlertRaised)
    assert (reminder.count, reminder.since_ns, reminder.message) == (
        3,
        NOW,
        f"at {REMIND_NS}",
    )
    assert over == events.AlertCleared(alert_id=first.alert_id)


def test_subjects_are_apart() -> None:
    """Of two venues each has its own record; details that are none of a subject tell none apart."""
    board, told = recording()
    board.raise_("BALANCE_LOW", "m", NOW, platform="Kalshi")
    board.raise_("BALANCE_LOW", "m", NOW, platform="Polymarket")
    board.raise_("UNKNOWN_ORDER", "m", NOW, client_order_id="arb-1", request_id="r-1")
    board.raise_("UNKNOWN_ORDER", "m", NOW, client_order_id="arb-1", request_id="r-2")
    assert [each.alert_id for each in told if isinstance(each, events.AlertRaised)] == [
        "BALANCE_LOW|Kalshi",
        "BALANCE_LOW|Polymarket",
        "UNKNOWN_ORDER|arb-1",
    ]


def test_a_message_is_bounded() -> None:
    """A venue's answer may be long."""
    board, told = recording()
    board.raise_("VENUE_API_ERRORS", "x" * 5_000, NOW)
    (raised,) = told
    assert isinstance(raised, events.AlertRaised)
    assert len(raised.message) == MESSAGE_MAX


def test_nothing_is_recorded_before_and_after() -> None:
    """The first record of a life is its start, the last one its end."""
    told: list[events.Event] = []
    record = AlertRecord()
    board = AlertBoard([record])
    board.raise_("JOURNAL_TROUBLE", "m", NOW)
    record.open(told.append)
    record.close()
    board.clear("JOURNAL_TROUBLE", NOW + 1)
    assert told == []


def book_of(told: list[events.Event]) -> Book:
    """Return a book that holds what was recorded."""
    book = fresh()
    for event in told:
        book.sequence += 1
        if isinstance(event, events.AlertRaised):
            alert_raised(book, event, NOW)
        elif isinstance(event, events.AlertCleared):
            alert_cleared(book, event, NOW)
    return book


def test_a_new_process_takes_over_what_stands() -> None:
    """Nobody is told again, a repeat is counted, and the end reaches the record."""
    before, told = recording()
    before.raise_("BALANCE_LOW", "low", NOW, platform="Kalshi", current_balance=5_000_000)
    before.raise_("QUOTES_STALE", "stale", NOW, platform="Kalshi")
    before.clear("QUOTES_STALE", NOW + 1, platform="Kalshi")
    book = book_of(told)
    assert [each.name for each in standing(book.alerts.values())] == ["BALANCE_LOW"]
    after, told = recording()
    AlertWatch(after).resume(book)
    assert told == []
    assert after.raise_("BALANCE_LOW", "lower", NOW + 5, platform="Kalshi").count == 2
    after.clear("BALANCE_LOW", NOW + 9, platform="Kalshi")
    assert told == [events.AlertCleared(alert_id="BALANCE_LOW|Kalshi")]


def test_an_alert_of_an_older_version_ends_under_its_own_name() -> None:
    """What an earlier release called it is what the record knows: it goes on, and ends, by that."""
    old = events.AlertRaised(
        alert_id="UNKNOWN_ORDER||||arb-1",
        name="UNKNOWN_ORDER",
        severity="critical",
        message="m",
        since_ns=NOW,
        data={"client_order_id": "arb-1", "request_id": "r-1"},
    )
    board, told = recording()
    board.restore(standing(book_of([old]).alerts.values()))
    assert board.raise_("UNKNOWN_ORDER", "still", NOW + 1, client_order_id="arb-1").count == 2
    board.clear("UNKNOWN_ORDER", NOW + 2, client_order_id="arb-1")
    assert told == [events.AlertCleared(alert_id=old.alert_id)]


def test_an_alert_of_another_version_is_left_alone() -> None:
    """A name that is not on the list any more stays on record and stops nothing."""
    book = book_of(
        [
            events.AlertRaised(
                alert_id="x", name="GONE", severity="critical", message="m", since_ns=NOW
            )
        ]
    )
    assert standing(book.alerts.values()) == ()


def test_moments_pass_after_a_restart_too() -> None:
    """Venue errors of an earlier life are over when they did not come again for an hour."""
    before, told = recording()
    before.raise_("VENUE_API_ERRORS", "timeout", NOW, platform="Kalshi")
    after, ends = recording()
    watch = AlertWatch(after)
    watch.resume(book_of(told))
    watch.tick(NOW + PASSING_NS)
    assert ends == []
    watch.tick(NOW + PASSING_NS + 1)
    assert ends == [events.AlertCleared(alert_id="VENUE_API_ERRORS|Kalshi")]


# With a gateway --------------------------------------------------------------------------------


class Watched:
    """A gateway whose alerts are recorded, wired as the service wires it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.record = AlertRecord()
        self.board = AlertBoard([self.record])
        self.watch = AlertWatch(self.board, balance_low=100)
        self.watch.resume(rig.book)
        self.record.open(teller(rig))
        rig.gateway.listen(self._take)

    def _take(self, records: Sequence[Recorded]) -> None:
        for _, time_ns, event in records:
            self.watch.take(time_ns, event)


def teller(rig: Rig) -> Callable[[events.Event], None]:
    """Return what hands an event to the writer."""
    loop = asyncio.get_running_loop()

    def hand(event: events.Event) -> None:
        loop.call_soon_threadsafe(rig.desk.writer.tell, commands.Record(events=(event,)))

    return hand


async def named(rig: Rig) -> list[tuple[str, bool]]:
    """Return the alerts as operators see them, and which stand."""
    await rig.settle()
    found = await rig.gateway.alerts()
    return [(each.name, each.cleared_at is None) for each in found.items]


async def test_alerts_survive_a_restart() -> None:
    """A halt and an unknown order, raised in one life, are there and end in the next."""
    async with running() as rig:
        watched = Watched(rig)
        rig.kalshi.answers.append(Unknown(message="timeout", sent_ns=NOW))
        rig.kalshi.lookups.extend([Inconclusive(message="cannot say")] * 2)
        await rig.ask()
        await rig.halt(scope="sport:NFL")
        watched.watch.tick(rig.now_ns + 61 * NS_PER_SECOND)
        assert await named(rig) == [("UNKNOWN_ORDER", True), ("KILL_SWITCH_ACTIVATED", True)]
        journal = rig.journal
    async with running(journal=journal) as rig:
        watched = Watched(rig)
        assert await named(rig) == [("UNKNOWN_ORDER", True), ("KILL_SWITCH_ACTIVATED", True)]
        await rig.halt("DISABLE", scope="sport:NFL")
        assert ("KILL_SWITCH_ACTIVATED", False) in await named(rig)
        first = (await rig.gateway.alerts()).items[0]
        assert (first.name, first.cleared_at is None) == ("KILL_SWITCH_ACTIVATED", False)
        assert first.data["actor"] == "test"


async def test_a_journal_that_failed_records_nothing() -> None:
    """Its trouble is in the log; nobody waits, and nothing breaks."""
    async with running() as rig:
        watched = Watched(rig)
        rig.journal.failure = JournalUnavailable("disk")
        rig.desk.writer.tell(commands.Record(events=(events.Stopped(reason="x"),)))
        await rig.settle()
        assert rig.desk.writer.poison is not None
        watched.board.raise_("JOURNAL_TROUBLE", "disk", NOW)
        await rig.settle()
        assert "AlertRaised" not in rig.journal.kinds()


async def test_alerts_raise_no_alerts() -> None:
    """A record of an alert is not one more reason for one."""
    async with running() as rig:
        Watched(rig)
        await rig.halt()
        await rig.settle()
        before = len(rig.journal.stored)
        await rig.settle()
        assert len(rig.journal.stored) == before
        assert rig.journal.kinds(events.AlertRaised) == ["AlertRaised"]
