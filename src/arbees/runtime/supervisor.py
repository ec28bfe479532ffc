"""Starts tasks under a name each, and notices when one dies: nothing ends silently.

A task that dies is a fault of ours, whatever a venue sent. One that is kept is started anew, after
a pause that grows; any other stops the gateway, since what it promised is not kept. A broken
invariant always does. This is the only place that catches every exception.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from arbees.core.ports import Clock
from arbees.errors import InvariantViolation, JournalError

PAUSE_FIRST = 1.0
PAUSE_MAX = 60.0
STEADY_SECONDS = 60.0
"""A task that has run for so long since it died is not dead any more."""
WHY_MAX = 300

Died = Callable[[str, BaseException], object]
"""Told the name of a task and what it died of."""
Work = Callable[[], Coroutine[Any, Any, None]]


class Supervisor:
    """Owns the tasks of one gateway."""

    def __init__(self, clock: Clock) -> None:
        """Own nothing yet; the clock is for the pauses before a task is started anew."""
        self._clock = clock
        self._died: Died = _unheard
        self._fatal: Died = _unheard
        self._recovered: Callable[[str], None] = _unheard
        self._tasks: set[asyncio.Task[None]] = set()
        self.dead: dict[str, str] = {}
        """Tasks that died and do not run steadily again, with what they died of."""

    def listen(self, died: Died, fatal: Died, recovered: Callable[[str], None]) -> None:
        """
        Tell somebody; before anything is started.

        Args:
            died: told of the death of a task that is started anew, or whose work is made good.
            fatal: told of the death of any other.
            recovered: told the name of a task that runs steadily again.
        """
        self._died, self._fatal, self._recovered = died, fatal, recovered

    def start(self, work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Start a task that must not die; keep it until it ends."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def keep(self, work: Work, name: str) -> "asyncio.Task[None]":
        """
        Start a task that is started anew when it dies, until it ends by itself.

        Args:
            work: makes what runs; called again after each death, so it must begin without harm.
            name: which part of the gateway it is, for people.
        """
        return self.start(self._keep(work, name), name)

    def once(
        self,
        work: Coroutine[Any, Any, None],
        name: str,
        died: Callable[[BaseException], None],
    ) -> "asyncio.Task[None]":
        """Start a task that is not started anew; `died` makes good what it leaves undone."""
        return self.start(self._once(work, name, died), name)

    async def _keep(self, work: Work, name: str) -> None:
        pause = PAUSE_FIRST
        while True:
            life = asyncio.get_running_loop().create_task(work(), name=name)
            try:
                if name in self.dead and await _lives(life):
                    pause = PAUSE_FIRST
                    self.dead.pop(name, None)
                    self._recovered(name)
                await life
            except asyncio.CancelledError:
                await _cancelled(life)
                raise
            except (InvariantViolation, JournalError):
                raise
            except Exception as error:
                self._note(name, error)
            else:
                self.dead.pop(name, None)
                return
            await self._clock.sleep(pause)
            pause = min(2 * pause, PAUSE_MAX)

    async def _once(
        self,
        work: Coroutine[Any, Any, None],
        name: str,
        died: Callable[[BaseException], None],
    ) -> None:
        try:
            await work
        except (InvariantViolation, JournalError):
            raise
        except Exception as error:
            self._died(name, error)
            died(error)

    def _note(self, name: str, error: BaseException) -> None:
        self.dead[name] = f"{type(error).__name__}: {error}"[:WHY_MAX]
        self._died(name, error)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.dead[task.get_name()] = f"{type(error).__name__}: {error}"[:WHY_MAX]
            self._fatal(task.get_name(), error)

    async def stop(self) -> None:
        """Cancel all tasks and wait for their ends; also what they start on their way out."""
        while tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _unheard(*facts: object) -> None:
    raise InvariantViolation(f"Expected somebody to hear what became of a task: {facts!r}")


async def _lives(life: "asyncio.Task[None]") -> bool:
    """Tell whether a task that was started anew still runs after a while, or ended well."""
    done, _ = await asyncio.wait({life}, timeout=STEADY_SECONDS)
    return not done or (not life.cancelled() and life.exception() is None)


async def _cancelled(life: "asyncio.Task[None]") -> None:
    """Cancel what runs and wait for its end; what it dies of on its way out is the caller's."""
    life.cancel()
    await asyncio.wait({life})
    if not life.cancelled() and (error := life.exception()) is not None:
        raise error
