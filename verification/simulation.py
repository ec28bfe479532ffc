"""An event loop whose time is simulated: nothing waits for real, and a run is the same every time.

Guarantees that the service runs as it is, with its threads and its pauses, yet on one thread and in
one order: what would go to a thread is a step of the loop, and when nobody can go on time jumps to
the next timer. Each step can be watched. It fails loudly (`StuckError`) where everybody waits and
no timer is left.
"""

import asyncio
import selectors
from asyncio import Handle, TimerHandle
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context
from typing import Any, Protocol, TypeVar

from arbees.core.language.units import NS_PER_SECOND

T = TypeVar("T")


class HasFileno(Protocol):
    """What a selector takes besides numbers."""

    def fileno(self) -> int:
        """Return the descriptor."""
        ...


class StuckError(RuntimeError):
    """Everybody waits, and there is no timer that could wake anybody."""


class _NoFiles(selectors.BaseSelector):
    """A selector of nothing: instead of waiting it moves the time."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(
        self, fileobj: "int | HasFileno", events: int, data: object = None
    ) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = selectors.SelectorKey(fileobj, number, events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: "int | HasFileno") -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StuckError("Expected somebody to go on, everybody waits for ever")
        if timeout > 0:
            self._advance(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Runs on simulated time; sockets, subprocesses and real threads are not for it."""

    def __init__(
        self,
        on_step: Callable[[], None] = lambda: None,
        thread_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """
        Begin at 0.

        Args:
            on_step: called right before each step of the loop: the start or resumption of a task,
                a callback, what a thread would do.
            thread_seconds: how long a thread takes to begin, and then again until it is heard of;
                meanwhile everything else goes on.
        """
        self._now_ns = 0
        self._on_step = on_step
        self._thread_seconds = thread_seconds
        super().__init__(_NoFiles(self._advance))

    def _advance(self, seconds: float) -> None:
        self._now_ns += max(1, round(seconds * NS_PER_SECOND))

    @property
    def now_ns(self) -> int:
        """Nanoseconds since the beginning."""
        return self._now_ns

    def time(self) -> float:
        """Return seconds since the beginning."""
        return self._now_ns / NS_PER_SECOND

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """Run a callback as a watched step."""
        return super().call_soon(self._step, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> TimerHandle:
        """Run a callback as a watched step at a simulated time."""
        return super().call_at(when, self._step, callback, *args, context=context)

    def _step(self, callback: Callable[..., object], *args: Any) -> None:
        self._on_step()
        callback(*args)

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        """Do in a step of its own what a thread would do."""

        async def work() -> T:
            await asyncio.sleep(self._thread_seconds())
            done = func(*args)
            await asyncio.sleep(self._thread_seconds())
            return done

        return self.create_task(work(), name="thread")


class SimulatedClock:
    """The time of a simulated loop as the gateway sees it."""

    def __init__(self, start_ns: int) -> None:
        """Say which UTC nanoseconds the beginning of the loop is."""
        self._start_ns = start_ns
        self._last_ns = start_ns

    def now_ns(self) -> int:
        """Return UTC nanoseconds; outside of a loop the time stands still."""
        loop = asyncio._get_running_loop()  # noqa: SLF001 - the public one raises
        if isinstance(loop, SimulatedLoop):
            self._last_ns = self._start_ns + loop.now_ns
        return self._last_ns

    def jump_ns(self) -> int:
        """Return 0: there is no other clock to jump away from."""
        return 0

    def slew(self) -> None:
        """Do nothing: nothing drifts."""

    def accept_jump(self) -> None:
        """Do nothing: nothing jumps."""

    async def sleep(self, seconds: float) -> None:
        """Wait in simulated time."""
        await asyncio.sleep(seconds)


def simulate(
    main: Coroutine[Any, Any, T],
    on_step: Callable[[], None] = lambda: None,
    thread_seconds: Callable[[], float] = lambda: 0.0,
) -> T:
    """Run a coroutine to its end on a simulated loop of its own; see `SimulatedLoop`."""

    def make() -> SimulatedLoop:
        return SimulatedLoop(on_step, thread_seconds)

    with asyncio.Runner(loop_factory=make) as runner:
        return runner.run(main)
