"""A writer alone: a journal in memory before it, and a note of everything that leaves it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.facts import VenueHealth
from arbees.core.deciding.verdicts import Safeguard
from arbees.core.language.words import Mode, Platform, TradingState
from arbees.core.orders.result import Recorded
from arbees.interface.views import Undecided
from arbees.runtime.intake.key_lookup import Lookups
from arbees.runtime.intake.step import Step, TakeQuote
from arbees.runtime.intake.writer import (
    BatchHooks,
    Committed,
    Lane,
    Writer,
)
from arbees.runtime.watching.marks import Marks
from tests.runtime.memory_journal import MemoryJournal
from tests.safeguards.build import BUFFER, NOW, TERMS, request


class BenchSurroundings:
    """What a test says of the venues; all is well unless it says otherwise."""

    def __init__(self) -> None:
        self.health_at: dict[int, VenueHealth] = {}
        self.balance = 0
        self.offset = 0

    def health(self, platform: Platform, now_ns: int, pool: str) -> VenueHealth:
        """Return the health that was set for a moment."""
        return self.health_at.get(now_ns, VenueHealth())

    def balance_ns(self, pool: str) -> int:
        """Return the time that was set for all pools."""
        return self.balance

    def market_ns(self, platform: Platform, market_id: str) -> int | None:
        """Return that no venue is asked."""
        return None

    def has_own_books(self, platform: Platform) -> bool:
        """Return that books are fed."""
        return False

    def clock_offset_ns(self, platform: Platform) -> int:
        """Return the offset that was set."""
        return self.offset


class Bench:
    """A writer on a journal in memory, and everything that it lets out."""

    def __init__(self, *safeguards: Safeguard, is_inline: bool = True) -> None:
        self.now = NOW
        self.journal = MemoryJournal(NOW)
        self.book = self.journal.replayed()
        self.surroundings = BenchSurroundings()
        marks, lookups = Marks(self.book), Lookups(self.journal, self.book)
        step = Step(
            book=self.book,
            rules=commands.Rules(
                mode=Mode.PAPER,
                account="main",
                environment="local",
                safeguards=safeguards,
                terms=TERMS,
                balance_buffer=BUFFER,
            ),
            now_ns=lambda: self.now,
            marks=marks,
            lookups=lookups,
            surroundings=self.surroundings,
        )
        self.writer = Writer(
            journal=self.journal,
            step=step,
            now_ns=lambda: self.now,
            marks=marks,
            lookups=lookups,
            is_inline=is_inline,
            worker=None,
        )
        self.writer.admit()
        self.first: tuple[commands.Command, ...] = ()
        """What comes before each batch."""
        self.asked: list[int] = []
        """When it was asked for."""
        self.out: list[Any] = []
        """Effects, records and answers, in the order in which they left."""
        self.poisoned: list[str] = []
        self.hooks = BatchHooks(
            before_batch=self._before_batch,
            on_effects=self._effects,
            on_records=self._records,
            on_poison=self.poisoned.append,
        )

    def _before_batch(self, now_ns: int) -> Sequence[commands.Command]:
        self.asked.append(now_ns)
        return self.first

    def _effects(self, effects: Sequence[commands.Effect]) -> None:
        self.out += effects

    def _records(self, records: Sequence[Recorded]) -> None:
        self.out += [event for _, _, event in records]

    def put(
        self, command: commands.Command | TakeQuote, lane: Lane = Lane.CONTROL
    ) -> "asyncio.Future[Committed]":
        """Queue a command; note when its answer leaves."""
        future = self.writer.put(command, lane)
        future.add_done_callback(self.out.append)
        return future

    def submit(self, key: str = "k-1", **changes: Any) -> "asyncio.Future[Committed]":
        """Queue a request."""
        asked = request(idempotency_key=key, request_id=f"r-{key}", **changes)
        return self.put(commands.Submit(request=asked, received_ns=self.now), Lane.REQUESTS)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[None]"]:
        """Run the writer."""
        task = asyncio.create_task(self.writer.run(self.hooks))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def turn(self) -> None:
        """Let the writer work."""
        for _ in range(10):
            await asyncio.sleep(0)


def note(text: str) -> commands.Record:
    """Return a command that gives one record with this reason."""
    return commands.Record(events=(events.Stopped(reason=text),))


def halt() -> commands.RaiseHalt:
    """Return a halt of everything."""
    return commands.RaiseHalt(
        source="http",
        scope="all",
        state=TradingState.HALTED,
        reason="drill",
        actor="a",
        receipt_id="receipt-1",
    )


def reasons(bench: Bench) -> list[str]:
    """Return the reasons of the notes that are durable."""
    return [each.reason for each in bench.journal.events if isinstance(each, events.Stopped)]


def code_of(future: "asyncio.Future[Committed]") -> str:
    """Return the code with which a caller was refused."""
    error = future.exception()
    assert isinstance(error, Undecided), error
    return error.code
