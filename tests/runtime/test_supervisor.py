"""The supervisor: no task ends silently."""

import asyncio

from arbees.runtime.supervisor import Supervisor


class Heard:
    """Who is told of tasks that died."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.supervisor = Supervisor(lambda name, error: self.said.append((name, repr(error))))


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
