"""The writer: lanes in, one commit a batch, and only what is durable goes out."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.deciding import commands
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.outcomes import OrderClosed
from arbees.core.deciding.verdicts import Deny, Verdict
from arbees.interface.views import Undecided
from arbees.runtime.intake.step import TakeQuote
from arbees.runtime.intake.writer import (
    BATCH_MAX,
    DECIDING_NS,
    LANE_MAX,
    Lane,
)
from tests.core.scene import Says
from tests.runtime.bench import Bench, halt, note, reasons
from tests.runtime.rig import quote, until
from tests.safeguards.build import NOW, SECOND

# Lanes and batches -----------------------------------------------------------------------------


async def test_control_goes_before_facts_before_requests() -> None:
    """Whatever waits longest, halts go first, then venue facts, then requests."""
    bench = Bench()
    first = bench.submit()
    fact = bench.put(note("fact"), Lane.FACTS)
    stop = bench.put(halt(), Lane.CONTROL)
    async with bench.running():
        await asyncio.gather(first, fact, stop)
    assert bench.journal.kinds(events.OrderApproved, events.Stopped, events.HaltRaised) == [
        "HaltRaised",
        "Stopped",
        "OrderApproved",
    ]


async def test_a_lane_keeps_its_order() -> None:
    """Within a lane what came first goes first."""
    bench = Bench()
    last = [bench.put(note(text), Lane.FACTS) for text in "abcde"][-1]
    async with bench.running():
        await last
    assert "".join(reasons(bench)) == "abcde"


async def test_what_waits_becomes_one_commit() -> None:
    """Everything that waits shares one commit, whatever lane it came in by."""
    bench = Bench()
    futures = [bench.put(note(text), lane) for text, lane in zip("abc", Lane, strict=True)]
    async with bench.running():
        await asyncio.gather(*futures)
    assert [len(commit) for commit in bench.journal.commits] == [3]


async def test_a_batch_is_bounded() -> None:
    """More than a batch holds becomes several commits; a halt in between goes with the next."""
    bench = Bench()
    futures = [bench.put(note("n"), Lane.FACTS) for _ in range(BATCH_MAX + 1)]

    def pull(_entries: Sequence[object]) -> None:
        if not bench.journal.commits:
            futures.append(bench.put(halt()))

    bench.journal.before_append = pull
    async with bench.running():
        await asyncio.gather(*futures[:-1])
    kinds = [[entry.kind for entry in commit] for commit in bench.journal.commits]
    assert kinds == [["Stopped"] * BATCH_MAX, ["HaltRaised", "Stopped"]]


class Slow:
    """A safeguard that takes its time."""

    name: ClassVar[str] = "slow"
    codes: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.bench: Bench | None = None

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        assert self.bench is not None
        self.bench.now += DECIDING_NS * 3 // 5
        return ()


async def test_deciding_is_bounded_in_time() -> None:
    """What was decided for a while is made durable before more is decided: a halt may wait."""
    slow = Slow()
    slow.bench = bench = Bench(slow)
    futures = [bench.submit(key) for key in ("k-1", "k-2", "k-3")]
    async with bench.running():
        await asyncio.gather(*futures)
    kinds = [[entry.kind for entry in commit] for commit in bench.journal.commits]
    assert kinds == [["MarketListed", "OrderApproved", "OrderApproved"], ["OrderApproved"]]


async def test_a_slow_disk_is_worth_larger_batches() -> None:
    """Deciding may take as long as the last commit did, and no longer than a bound."""
    slow = Slow()
    slow.bench = bench = Bench(slow)

    def commit(_entries: Sequence[object]) -> None:
        bench.now += 2 * DECIDING_NS

    bench.journal.before_append = commit
    async with bench.running():
        await asyncio.gather(*(bench.submit(f"k-{number}") for number in range(8)))
    commits = bench.journal.commits
    kinds = [[entry.kind for entry in commit].count("OrderApproved") for commit in commits]
    assert kinds == [2, 4, 2]


async def test_commands_that_give_nothing_need_no_commit() -> None:
    """Nothing decided is nothing to make durable; the caller is answered all the same."""
    bench = Bench()
    future = bench.put(commands.Record(events=()))
    async with bench.running():
        assert (await future).records == ()
    assert bench.journal.commits == []


async def test_each_caller_gets_its_own_records() -> None:
    """Of a shared commit everybody is told what their own command became."""
    bench = Bench()
    futures = [bench.put(note(text), Lane.FACTS) for text in "ab"]
    async with bench.running():
        found = await asyncio.gather(*futures)
    assert [[event for _, _, event in each.records] for each in found] == [
        [events.Stopped(reason="a")],
        [events.Stopped(reason="b")],
    ]
    assert [each.records[0][0] for each in found] == [2, 3]


async def test_first_commands_of_each_batch() -> None:
    """What must be looked at before anything else is asked for before each batch, with the time."""
    bench = Bench()
    bench.first = (note("looked"),)
    async with bench.running():
        await bench.put(halt())
        bench.now += SECOND
        await bench.submit()
    assert bench.asked == [NOW, NOW + SECOND]
    kinds = bench.journal.kinds(events.Stopped, events.HaltRaised, events.OrderApproved)
    assert kinds == ["Stopped", "HaltRaised", "Stopped", "OrderApproved"]


async def test_the_second_request_of_a_batch_sees_the_first() -> None:
    """The book runs ahead within a batch: the same key twice is one order and one duplicate."""
    bench = Bench()
    futures = [bench.submit(), bench.submit()]
    async with bench.running():
        await asyncio.gather(*futures)
    assert len(bench.journal.commits) == 1
    assert bench.journal.kinds(events.OrderApproved, events.DuplicateRefused) == [
        "OrderApproved",
        "DuplicateRefused",
    ]
    assert len([each for each in bench.out if isinstance(each, commands.SendOrder)]) == 1


async def test_the_journal_replays_to_the_book() -> None:
    """What is in memory is what the records give."""
    bench = Bench()
    async with bench.running():
        await bench.put(TakeQuote(quote()), Lane.FACTS)
        await bench.submit()
        await bench.put(halt())
    assert bench.journal.replayed() == bench.book


# Nothing before it is durable ------------------------------------------------------------------


async def test_nothing_leaves_before_its_commit() -> None:
    """When a commit begins, nothing of it has left; then effects, answers and records leave."""
    bench = Bench()
    seen: list[list[Any]] = []
    bench.journal.before_append = lambda _entries: seen.append(list(bench.out))
    async with bench.running():
        future = bench.submit()
        await future
        await bench.turn()
    assert seen == [[]]
    kinds = [type(each).__name__ for each in bench.out]
    assert kinds == ["SendOrder", "MarketListed", "OrderApproved", "Future"]


async def test_nothing_leaves_while_the_disk_is_slow() -> None:
    """A commit that takes its time holds back all of it, and the loop goes on meanwhile."""
    bench = Bench(is_inline=False)
    begun, may_go_on = threading.Event(), threading.Event()

    def block(_entries: Sequence[object]) -> None:
        begun.set()
        may_go_on.wait(10)

    bench.journal.before_append = block
    async with bench.running():
        future = bench.submit()
        await until(begun.is_set)
        waiting = bench.put(halt())
        await bench.turn()
        assert bench.out == []
        assert not future.done()
        assert not bench.writer.is_idle
        may_go_on.set()
        await asyncio.gather(future, waiting)
        assert bench.writer.is_idle
    assert next(type(each).__name__ for each in bench.out) == "SendOrder"


async def test_a_caller_that_gave_up_holds_up_nobody() -> None:
    """A caller that went away is passed over; its command is decided all the same."""
    bench = Bench()
    gone, stays = bench.submit("k-1"), bench.submit("k-2")
    gone.cancel()
    async with bench.running():
        await stays
    assert bench.journal.kinds(events.OrderApproved) == ["OrderApproved"] * 2


async def test_told_commands_are_decided_like_others() -> None:
    """What nobody waits for is decided and published, too."""
    bench = Bench()
    bench.writer.tell(note("told"))
    async with bench.running():
        await bench.turn()
    assert reasons(bench) == ["told"]
    assert bench.out == [events.Stopped(reason="told")]


# Refusals --------------------------------------------------------------------------------------


def fill_lane(bench: Bench, lane: Lane, command: commands.Command | TakeQuote) -> None:
    """Let as much wait in a lane as may."""
    for _ in range(LANE_MAX):
        bench.writer.tell(command, lane)


async def test_a_full_lane_of_requests_refuses() -> None:
    """One more than may wait is refused, undecided; halts and facts are taken."""
    bench = Bench()
    fill_lane(bench, Lane.REQUESTS, commands.Record(events=()))
    with pytest.raises(Undecided) as refused:
        bench.submit()
    assert refused.value.code == "QUEUE_FULL"
    bench.writer.tell(halt(), Lane.CONTROL)
    bench.writer.tell(note("fact"), Lane.FACTS)
    async with bench.running():
        await bench.turn()
        await bench.submit()


async def test_a_full_lane_of_facts_refuses_quotes_only() -> None:
    """Quotes are refused where too much waits; what became of orders never is."""
    bench = Bench()
    fill_lane(bench, Lane.FACTS, TakeQuote(quote()))
    with pytest.raises(Undecided) as refused:
        bench.put(TakeQuote(quote()), Lane.FACTS)
    assert refused.value.code == "QUEUE_FULL"
    closed = OrderClosed(client_order_id="x", closed="expired", reason="r", time_ns=NOW)
    bench.writer.tell(commands.TakeClosed(closed=closed))


async def test_requests_are_refused_while_not_admitting() -> None:
    """Starting or stopping, requests are refused and everything else goes on."""
    bench = Bench()
    bench.writer.stop_admitting()
    with pytest.raises(Undecided) as refused:
        bench.submit()
    assert refused.value.code == "SHUTTING_DOWN"
    stop = bench.put(halt())
    async with bench.running():
        await stop


async def test_denials_are_durable_before_they_are_told() -> None:
    """A denial is a record like any other: its caller waits for the disk."""
    bench = Bench(Says("kill_switch", Deny("HALTED", "drill")))
    seen: list[list[Any]] = []
    bench.journal.before_append = lambda _entries: seen.append(list(bench.out))
    async with bench.running():
        committed = await bench.submit()
    assert seen == [[]]
    assert isinstance(committed.records[0][2], events.RequestDenied)
