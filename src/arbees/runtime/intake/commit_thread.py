"""One thread beside the loop, for the commits of the journal.

Guarantees that calls run one at a time, in their order, and that whatever a call ends with reaches
whoever awaits it. Why not the loop's own executor: its futures pass through two more hands, which
costs a single caller a tenth of a decision. It fails with its first unexpected error: that one is
told like every other, and the thread ends.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Self, TypeVar

from arbees.errors import JournalError, LeaseLost
from arbees.interface.measures import Histogram

T = TypeVar("T")

_Call = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


class Worker:
    """A thread that does one thing after the other."""

    def __init__(self, name: str) -> None:
        """Start the thread; it ends with the process, or with `close`."""
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self.timings = Histogram()
        """How long the calls took that went well."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Callable[..., T], *args: Any) -> "asyncio.Future[T]":
        """Queue a call; the future is what it returns or raises."""
        assert self._thread.is_alive(), "Expected a thread that works, it has ended"
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._calls.put((loop, future, work, args))
        return future

    def __enter__(self) -> Self:
        """Work for as long as the block lasts."""
        return self

    def __exit__(self, *_error: object) -> None:
        """End; see `close`."""
        self.close()

    def close(self) -> None:
        """Do what is queued, then end; blocks until then."""
        self._calls.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            self._do(*call)

    def _do(
        self,
        loop: asyncio.AbstractEventLoop,
        future: "asyncio.Future[Any]",
        work: Callable[..., Any],
        args: tuple[Any, ...],
    ) -> None:
        result: Any = None
        error: BaseException | None = None
        begun_ns = time.monotonic_ns()
        try:
            result = work(*args)
            self.timings.add(time.monotonic_ns() - begun_ns)
        except (JournalError, LeaseLost) as expected:
            error = expected
        finally:
            error = error or sys.exception()
            loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: "asyncio.Future[T]", result: T, error: BaseException | None) -> None:
    """Tell whoever still waits."""
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
