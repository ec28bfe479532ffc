"""What fails under the writer: nobody hangs, nothing leaves, and it is said once."""

import asyncio
import threading
from collections.abc import Sequence
from typing import ClassVar

import pytest

from arbees.core.deciding.verdicts import Deny
from arbees.errors import InvariantViolation, JournalUnavailable, LeaseLost
from arbees.interface.views import Undecided
from arbees.runtime.intake.writer import Committed, Lane
from tests.runtime.bench import Bench, code_of, halt, note
from tests.runtime.rig import until

# Lanes and batches -----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [JournalUnavailable("disk full"), LeaseLost("another writer")])
async def test_a_failed_commit_poisons(error: JournalUnavailable | LeaseLost) -> None:
    """Everybody who waits is told that it is not known; nothing of it leaves, nothing is taken."""
    bench = Bench()
    bench.journal.failure = error
    asked = bench.submit()
    behind: list[asyncio.Future[Committed]] = []
    bench.journal.before_append = lambda _entries: behind.append(bench.put(halt()))
    async with bench.running() as task:
        await asyncio.gather(asked, return_exceptions=True)
        assert code_of(asked) == code_of(behind[0]) == "JOURNAL_FAILED"
        await bench.turn()
        assert task.done()
    assert bench.out == [asked, behind[0]]
    assert bench.poisoned == [str(error)]
    assert bench.writer.poison == str(error)
    assert not bench.writer.is_admitting
    assert bench.writer.is_idle
    with pytest.raises(Undecided) as refused:
        bench.put(halt())
    assert refused.value.code == "JOURNAL_FAILED"
    bench.writer.tell(halt())
    assert bench.writer.is_idle


@pytest.mark.parametrize("lane", list(Lane))
async def test_what_nobody_expects_leaves_nobody_waiting(lane: Lane) -> None:
    """A fault in the middle of a commit ends the writer; whoever waits is told, in any lane."""
    bench = Bench()
    bench.journal.failure = InvariantViolation("a bug")
    asked, behind = bench.put(note("a"), lane), list[asyncio.Future[Committed]]()
    bench.journal.before_append = lambda _entries: behind.append(bench.put(note("b"), lane))
    async with bench.running() as task:
        await asyncio.wait([task])
        assert isinstance(task.exception(), InvariantViolation)
        bench.writer.abandon("the writer died")
    await bench.turn()
    assert code_of(asked) == code_of(behind[0]) == "JOURNAL_FAILED"
    assert bench.poisoned == ["the writer died"]


class Broken:
    """A safeguard with a bug."""

    name: ClassVar[str] = "broken"
    codes: ClassVar[tuple[str, ...]] = ("HALTED",)

    def check(self, order: object, book: object, facts: object) -> tuple[Deny, ...]:
        """Break."""
        raise InvariantViolation("a bug")


async def test_a_fault_in_a_decision_leaves_nobody_waiting() -> None:
    """A bug in what decides ends the writer; neither its caller nor others of the batch hang."""
    bench = Bench(Broken())
    first, asked = bench.put(note("a"), Lane.FACTS), bench.submit()
    async with bench.running() as task:
        await asyncio.wait([task])
        bench.writer.abandon("the writer died")
    await bench.turn()
    assert code_of(first) == code_of(asked) == "JOURNAL_FAILED"
    assert [each for each in bench.out if not isinstance(each, asyncio.Future)] == []


async def test_abandoned_during_a_commit() -> None:
    """Another part dies while a commit runs: callers are told at once, and only once."""
    bench = Bench(is_inline=False)
    begun, may_go_on = threading.Event(), threading.Event()

    def block(_entries: Sequence[object]) -> None:
        begun.set()
        may_go_on.wait(10)

    bench.journal.before_append = block
    async with bench.running() as task:
        asked = bench.submit()
        await until(begun.is_set)
        bench.writer.abandon("the exchange died")
        assert code_of(asked) == "JOURNAL_FAILED"
        may_go_on.set()
        await asyncio.wait([task])
        assert task.exception() is None
    bench.writer.abandon("again")
    assert bench.poisoned == ["the exchange died"]


async def test_the_end_leaves_nobody_waiting() -> None:
    """When the writer is stopped, whoever still waits, or comes later, is told to come again."""
    bench = Bench(is_inline=False)
    begun, may_go_on = threading.Event(), threading.Event()

    def block(_entries: Sequence[object]) -> None:
        begun.set()
        may_go_on.wait(10)

    bench.journal.before_append = block
    async with bench.running():
        asked = bench.submit()
        await until(begun.is_set)
        behind = bench.put(halt())
    may_go_on.set()
    await bench.turn()
    assert code_of(asked) == code_of(behind) == "SHUTTING_DOWN"
    with pytest.raises(Undecided) as refused:
        bench.put(halt())
    assert refused.value.code == "SHUTTING_DOWN"
    bench.writer.tell(halt())
    assert bench.writer.is_idle
