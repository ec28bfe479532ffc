"""Starts tasks and notices when one dies: nothing ends silently.

A task that fails is a fault of the gateway: the supervisor records it, tells whoever must act, and
the gateway stops admitting. This is the only place that catches every exception.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Supervisor:
    """Owns the tasks of one gateway."""

    def __init__(self, on_failure: Callable[[str, BaseException], None]) -> None:
        """Tell `on_failure` the name and the exception of each task that dies."""
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Start a task; keep it until it ends."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(task.get_name(), error)

    async def stop(self) -> None:
        """Cancel all tasks and wait for their ends; also what they start on their way out."""
        while tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
