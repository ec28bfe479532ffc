"""The worker: one thread, one thing after the other, and whatever becomes of it is told."""

import asyncio
import threading

import pytest

from arbees.errors import InvariantViolation, JournalUnavailable
from arbees.runtime.intake.commit_thread import Worker


async def test_what_a_call_returns_is_told() -> None:
    """In a thread that is not the loop's."""
    worker = Worker("test")
    here = threading.get_ident()
    assert await worker.run(threading.get_ident) != here
    assert await worker.run(lambda left, right: left + right, 1, 2) == 3
    worker.close()


async def test_calls_keep_their_order() -> None:
    """Whoever asks first is served first, and nobody meanwhile."""
    worker = Worker("test")
    done: list[int] = []
    await asyncio.gather(*(worker.run(done.append, number) for number in range(50)))
    assert done == list(range(50))
    worker.close()


def _fail(error: Exception) -> None:
    raise error


async def test_a_journal_that_fails_is_told_and_the_thread_goes_on() -> None:
    """Its errors are what a commit may end with."""
    worker = Worker("test")
    with pytest.raises(JournalUnavailable, match="the disk is gone"):
        await worker.run(_fail, JournalUnavailable("the disk is gone"))
    assert await worker.run(len, "ab") == 2
    worker.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_broken_invariant_is_told_and_ends_the_thread() -> None:
    """Nothing is done after what must not happen; asking again is a bug that shows."""
    worker = Worker("test")
    with pytest.raises(InvariantViolation):
        await worker.run(_fail, InvariantViolation("the chain is broken"))
    worker.close()
    with pytest.raises(AssertionError, match="it has ended"):
        worker.run(len, "ab")


async def test_a_caller_that_is_gone_is_no_trouble() -> None:
    """Its call is done all the same."""
    worker = Worker("test")
    go = threading.Event()
    worker.run(go.wait)
    done: list[str] = []
    gone = worker.run(done.append, "done")
    gone.cancel()
    go.set()
    await worker.run(len, "")
    assert done == ["done"]
    worker.close()


async def test_an_end_does_what_is_queued() -> None:
    """Closing waits for it."""
    worker = Worker("test")
    done: list[int] = []
    futures = [worker.run(done.append, number) for number in range(10)]
    worker.close()
    assert done == list(range(10))
    await asyncio.gather(*futures)
