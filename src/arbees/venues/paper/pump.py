"""The one task of the paper exchange: drain, match, commit once, and only then speak.

Guarantees that everything waiting goes into one durable commit and that no answer or report leaves
before it (the exchange's own durability watermark). Matching is never more than that one batch
ahead of the disk: while a commit runs in its thread nothing else is matched, and after one that
failed nothing ever is again; whoever waits then learns only that the outcome is not known.

Inline, all of that happens inside the call, on the caller's thread, without a task or a timer.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from arbees.core.language.units import NS_PER_SECOND
from arbees.core.ports import Clock
from arbees.errors import VenueError, VenueNotSent, VenueOutcomeUnknown
from arbees.venues.paper.book import PaperBook, Rows, rows_of
from arbees.venues.paper.engine import Engine
from arbees.venues.paper.ledger import ExchangeChanges
from arbees.venues.paper.stream import DropCopy

T = TypeVar("T")

_INBOX_MAX = 65_536
_BATCH_MAX = 256


class _Job(Generic[T]):
    """One thing to do: a change of the state, or (`is_read`) a look at what is durable."""

    __slots__ = ("_reply", "_run", "_value", "is_read")

    def __init__(
        self, run: Callable[[int], T], reply: "asyncio.Future[T] | None", *, is_read: bool
    ) -> None:
        self._run = run
        self._reply = reply
        self._value: list[T] = []
        self.is_read = is_read

    def run(self, now_ns: int) -> None:
        self._value.append(self._run(now_ns))

    def answer(self) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(self._value[0])

    def fail(self, error: VenueError) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)


class Pump:
    """A bounded inbox, drained in batches; a full one refuses and never waits."""

    def __init__(
        self,
        engine: Engine,
        book: PaperBook,
        stream: DropCopy,
        clock: Clock,
        *,
        is_inline: bool,
    ) -> None:
        """
        Take over a book and the engine that runs on its state.

        Args:
            engine: runs on the state of `book`.
            book: released by `close`.
            stream: where reports go after their commit.
            clock: read once for each thing done.
            is_inline: do everything inside the call; the driver then calls for expiries itself.
        """
        self._engine = engine
        self._book = book
        self._stream = stream
        self._clock = clock
        self._is_inline = is_inline
        self._inbox: deque[_Job[object]] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.Task[None] | None = None
        self._timer_ns: int | None = None
        self._thread = None if is_inline else ThreadPoolExecutor(1, "paper-book")
        self._is_busy = False
        self._is_closing = False
        self._stop_reason: str | None = None

    @property
    def stop_reason(self) -> str | None:
        """Why nothing is taken any more; None while it works."""
        return self._stop_reason

    @property
    def is_idle(self) -> bool:
        """Whether everything asked for was done, made durable, answered and reported."""
        return not self._inbox and not self._is_busy and self._stream.is_empty

    @property
    def refusal(self) -> str | None:
        """Why nothing can be put into the inbox right now."""
        if self._is_closing:
            return self._stop_reason or "The paper exchange is closing"
        if len(self._inbox) >= _INBOX_MAX:
            return "The paper exchange's inbox is full"
        return self._stop_reason

    def ask(self, run: Callable[[int], T], *, is_read: bool = False) -> "asyncio.Future[T]":
        """
        Put one thing into the inbox, at once, and return where its answer will be.

        Args:
            run: is given the time.
            is_read: it only looks, and does so after the commit of its batch.

        Returns:
            Its answer; VenueOutcomeUnknown if the batch was not committed.

        Raises:
            VenueNotSent: full or stopped; nothing was put anywhere.
        """
        reply: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put(_Job(run, reply, is_read=is_read))
        if self._is_inline:
            self._stream.deliver_soon()
        return reply

    def tell(self, run: Callable[[int], object]) -> bool:
        """Put one thing into the inbox that nobody waits for; False if it is full or stopped."""
        try:
            self._put(_Job(run, None, is_read=False))
        except VenueNotSent:
            return False
        if self._is_inline:
            self._stream.deliver()
        return True

    async def close(self) -> None:
        """Do what waits, then release the book. Idempotent."""
        self._is_closing = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait([self._task])
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._stream.deliver()
        self._stop_reason = self._stop_reason or "The paper exchange is closed"
        if self._thread is not None:
            self._thread.shutdown()
        self._book.close()

    def _put(self, job: "_Job[T]") -> None:
        refusal = self.refusal
        if refusal is not None:
            raise VenueNotSent(refusal)
        self._inbox.append(job)  # type: ignore[arg-type]
        if self._is_inline:
            self._run_inline()
            return
        self._wake.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="paper-exchange")
            self._task.add_done_callback(self._ended)

    def _run_inline(self) -> None:
        if self._is_busy:
            return
        self._is_busy = True
        batch: list[_Job[object]] = []
        try:
            while self._inbox:
                batch = self._drain()
                changes, rows = self._match(batch)
                if rows:
                    self._book.commit(rows)
                self._finish(batch, changes)
                batch = []
        except VenueOutcomeUnknown as error:
            self._stop(batch, error.message)
        finally:
            self._is_busy = False
            if batch:
                self._stop(batch, "The paper exchange broke off")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        batch: list[_Job[object]] = []
        try:
            while self._inbox or not self._is_closing:
                if not self._inbox:
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                self._is_busy = True
                batch = self._drain()
                changes, rows = self._match(batch)
                if rows:
                    await loop.run_in_executor(self._thread, self._book.commit, rows)
                self._finish(batch, changes)
                batch = []
                self._is_busy = False
                self._stream.deliver_soon()
                self._arm()
                await asyncio.sleep(0)
        except VenueOutcomeUnknown as error:
            self._stop(batch, error.message)
        finally:
            self._is_busy = False
            if batch:
                self._stop(batch, "The paper exchange broke off")

    def _drain(self) -> list["_Job[object]"]:
        return [self._inbox.popleft() for _ in range(min(len(self._inbox), _BATCH_MAX))]

    def _match(self, batch: list["_Job[object]"]) -> tuple[ExchangeChanges, Rows]:
        """Run the changes of a batch in memory; return what must be committed for them."""
        for job in batch:
            if not job.is_read:
                now_ns = self._clock.now_ns()
                self._engine.expire(now_ns)
                job.run(now_ns)
        changes = self._engine.take_changes()
        return changes, rows_of(changes, self._engine.state)

    def _finish(self, batch: list["_Job[object]"], changes: ExchangeChanges) -> None:
        """Speak: the batch is durable."""
        for job in batch:
            if job.is_read:
                job.run(self._clock.now_ns())
            job.answer()
        self._stream.publish(changes.reports)

    def _stop(self, batch: list["_Job[object]"], reason: str) -> None:
        self._stop_reason = self._stop_reason or reason
        error = VenueOutcomeUnknown(self._stop_reason)
        for job in (*batch, *self._inbox):
            job.fail(error)
        self._inbox.clear()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """Let nobody wait for a task that is gone, and let nobody overlook why it is."""
        closed = "The paper exchange is closed"
        self._stop([], closed if self._is_closing else "The paper exchange's task has ended")
        error = None if task.cancelled() else task.exception()
        if error is not None:
            task.get_loop().call_exception_handler(
                {"message": "The paper exchange broke off", "exception": error, "task": task}
            )

    def _arm(self) -> None:
        """Sleep until the next expiry, and no other."""
        due_ns = self._engine.next_due_ns()
        if due_ns == self._timer_ns:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_ns = due_ns
        self._timer = (
            None
            if due_ns is None
            else asyncio.get_running_loop().create_task(self._sleep_until(due_ns))
        )

    async def _sleep_until(self, due_ns: int) -> None:
        while (left_ns := due_ns - self._clock.now_ns()) > 0:
            await self._clock.sleep(left_ns / NS_PER_SECOND)
        self._timer, self._timer_ns = None, None
        self.tell(self._engine.expire)
