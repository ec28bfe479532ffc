"""The supervisor: no task ends silently."""

import asyncio

import pytest

from arbees.core.language.units import NS_PER_SECOND
from arbees.errors import InvariantViolation, JournalUnavailable
from arbees.runtime.clock import RecordedClock
from arbees.runtime.supervisor import PAUSE_MAX, Supervisor


class Heard:
    """Who is told of tasks that died."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        """Deaths that the gateway cannot go on with."""
        self.mended: list[tuple[str, str]] = []
        """Deaths that are made good."""
        self.recovered: list[str] = []
        self.clock = RecordedClock(0)
        self.supervisor = Supervisor(self.clock)
        self.supervisor.listen(
            lambda name, error: self.mended.append((name, repr(error))),
            lambda name, error: self.said.append((name, repr(error))),
            self.recovered.append,
        )

    async def wait(self, ns: int) -> None:
        """Let time pass."""
        await self.clock.move_to(self.clock.now_ns() + ns, turn)
        await turn()


async def fail() -> None:
    """Die."""
    raise RuntimeError("broke")


async def end() -> None:
    """End."""


async def wait() -> None:
    """Wait for ever."""
    await asyncio.Event().wait()


async def turn() -> None:
    """Let the loop turn."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_task_that_dies_is_told() -> None:
    """Its name and what it died of are told at once."""
    heard = Heard()
    heard.supervisor.start(fail(), "the writer")
    await turn()
    assert heard.said == [("the writer", "RuntimeError('broke')")]


async def test_a_task_that_ends_is_not_told() -> None:
    """An end is no failure."""
    heard = Heard()
    task = heard.supervisor.start(end(), "short")
    await turn()
    assert task.done()
    assert heard.said == []


async def test_stop_ends_all_tasks_and_tells_nobody() -> None:
    """Stopping cancels what runs, waits for the ends, and counts none as a failure."""
    heard = Heard()
    tasks = [heard.supervisor.start(wait(), name) for name in ("a", "b")]
    await turn()
    await heard.supervisor.stop()
    assert all(task.cancelled() for task in tasks)
    assert heard.said == []


async def test_stop_waits_for_what_cleans_up() -> None:
    """A task that has something to put away gets to do so before `stop` returns."""
    heard = Heard()
    put_away: list[str] = []

    async def tidy() -> None:
        try:
            await wait()
        finally:
            await asyncio.sleep(0)
            put_away.append("done")

    heard.supervisor.start(tidy(), "tidy")
    await turn()
    await heard.supervisor.stop()
    assert put_away == ["done"]


async def test_a_failure_while_stopping_is_told() -> None:
    """A task that dies of being stopped is a failure like any other, and keeps nobody waiting."""
    heard = Heard()

    async def clumsy() -> None:
        try:
            await wait()
        finally:
            await fail()

    heard.supervisor.start(clumsy(), "clumsy")
    heard.supervisor.start(wait(), "other")
    await turn()
    await heard.supervisor.stop()
    assert heard.said == [("clumsy", "RuntimeError('broke')")]


async def test_stopping_nothing_and_twice() -> None:
    """There may be nothing to stop."""
    heard = Heard()
    await heard.supervisor.stop()
    heard.supervisor.start(wait(), "one")
    await heard.supervisor.stop()
    await heard.supervisor.stop()
    assert heard.said == []


async def test_tasks_started_while_stopping_are_stopped_too() -> None:
    """What a task starts on its way out does not outlive the gateway."""
    heard = Heard()
    late: list[asyncio.Task[None]] = []

    async def parent() -> None:
        try:
            await wait()
        finally:
            late.append(heard.supervisor.start(wait(), "late"))

    heard.supervisor.start(parent(), "parent")
    await turn()
    await heard.supervisor.stop()
    assert late[0].done()


# Tasks that are kept ---------------------------------------------------------------------------


class Reader:
    """Dies as often as it is told, then runs on."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.lives = 0
        self.ended = asyncio.Event()

    async def run(self) -> None:
        """Live once."""
        self.lives += 1
        if self.errors:
            raise self.errors.pop(0)
        await self.ended.wait()


async def test_a_kept_task_that_dies_is_told_and_started_anew() -> None:
    """It says its own name, and runs anew after a second, then after two; nothing else ends."""
    heard = Heard()
    reader = Reader(UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), RuntimeError("again"))
    heard.supervisor.keep(reader.run, "kalshi stream")
    await turn()
    assert [name for name, _ in heard.mended] == ["kalshi stream"]
    assert heard.supervisor.dead["kalshi stream"].startswith("UnicodeDecodeError: ")
    await heard.wait(NS_PER_SECOND - 1)
    assert reader.lives == 1
    await heard.wait(1)
    assert (reader.lives, len(heard.mended)) == (2, 2)
    await heard.wait(2 * NS_PER_SECOND - 1)
    assert reader.lives == 2
    await heard.wait(1)
    assert reader.lives == 3
    assert heard.said == []
    assert "kalshi stream" in heard.supervisor.dead  # it has to prove itself first
    await heard.supervisor.stop()


async def test_the_pause_before_a_kept_task_is_bounded() -> None:
    """However often it dies, it is tried within a minute."""
    heard = Heard()
    reader = Reader(*(RuntimeError(str(number)) for number in range(20)))
    heard.supervisor.keep(reader.run, "reader")
    for _ in range(20):
        await turn()
        await heard.wait(int(PAUSE_MAX) * NS_PER_SECOND)
    assert reader.lives == 21
    await heard.supervisor.stop()


async def test_a_kept_task_that_ends_is_not_started_anew() -> None:
    """Work that is done is done, and what died on the way there is no trouble any more."""
    heard = Heard()
    reader = Reader(RuntimeError("once"))
    reader.ended.set()
    task = heard.supervisor.keep(reader.run, "catching up")
    await turn()
    await heard.wait(NS_PER_SECOND)
    assert task.done()
    assert (reader.lives, heard.supervisor.dead, heard.recovered) == (2, {}, ["catching up"])


@pytest.mark.parametrize(
    "error",
    [InvariantViolation("a promise"), JournalUnavailable("disk full")],
    ids=["ours", "disk"],
)
async def test_a_broken_promise_is_never_started_anew(error: Exception) -> None:
    """What only a restart may prove stops the gateway, whoever found it."""
    heard = Heard()
    reader = Reader(error)
    heard.supervisor.keep(reader.run, "reader")
    await turn()
    assert heard.said == [("reader", repr(error))]
    assert heard.mended == []


async def test_what_a_task_leaves_undone_is_made_good() -> None:
    """A task that runs once tells whoever started it of its death; it is not started anew."""
    heard = Heard()
    left: list[str] = []
    heard.supervisor.once(fail(), "send arb-1", lambda error: left.append(repr(error)))
    await turn()
    assert heard.mended == [("send arb-1", "RuntimeError('broke')")]
    assert left == ["RuntimeError('broke')"]
    assert heard.said == []


async def test_stop_ends_kept_tasks() -> None:
    """Also one that waits before its next life; what runs inside ends with it."""
    heard = Heard()
    alive, dead = Reader(), Reader(RuntimeError("broke"))
    tasks = [heard.supervisor.keep(alive.run, "alive"), heard.supervisor.keep(dead.run, "dead")]
    await turn()
    await heard.supervisor.stop()
    assert all(task.cancelled() for task in tasks)
    assert {task.get_name() for task in asyncio.all_tasks()}.isdisjoint({"alive", "dead"})
