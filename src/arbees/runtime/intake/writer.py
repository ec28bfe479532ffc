"""The one writer of an account: lanes in, decisions durable, only then anything out.

Guarantees the watermark (P1): no reply, effect, or change notice about a record leaves before the
commit that holds it. Halts and cancels go before venue facts, those before requests; a full lane
refuses, undecided. If a commit fails the writer is poisoned and says so to everybody.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum

import msgspec

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.language.quote import Quote
from arbees.core.orders.result import Recorded
from arbees.core.ports import Entry, Journal
from arbees.errors import JournalError, LeaseLost
from arbees.interface.views import Undecided
from arbees.runtime.intake.commit_thread import Worker
from arbees.runtime.intake.key_lookup import Lookups
from arbees.runtime.intake.step import Step, TakeQuote
from arbees.runtime.watching.marks import Marks

BATCH_MAX = 256
DECIDING_NS = 1_000_000
DECIDING_NS_MAX = 2_000_000
"""What is decided for longer is made durable first, so that a halt, and the loop, wait for no more.

Deciding goes on for as long as the last commit took, within these bounds: a slow disk is worth
larger batches.
"""
LANE_MAX = 2_048
"""Requests, and quotes, that may wait; one more is refused, undecided."""
TRUTH_MAX = 1_000_000
NOT_KNOWN = "outcome not known, ask again with the same key"
NOT_ADMITTING = "not admitting requests; come again with this key"


class Lane(IntEnum):
    """What goes first."""

    CONTROL = 0
    FACTS = 1
    REQUESTS = 2


class Committed(msgspec.Struct, frozen=True):
    """What became durable for one command."""

    records: tuple[Recorded, ...]


class BatchHooks(msgspec.Struct, frozen=True):
    """What goes on around each batch."""

    before_batch: Callable[[int], Sequence[commands.Command]]
    """Asked with the time: commands that must come first (kill file, trading day)."""
    on_effects: Callable[[Sequence[commands.Effect]], None]
    """Carries out what a durable batch set off."""
    on_records: Callable[[Sequence[Recorded]], None]
    """Told what is durable."""
    on_poison: Callable[[str], None]
    """Told once why nothing can be made durable any more."""


Queued = tuple[commands.Command | TakeQuote, "asyncio.Future[Committed] | None"]


class Writer:
    """Drains its lanes in batches: decide, apply, commit, release."""

    def __init__(
        self,
        *,
        journal: Journal,
        step: Step,
        now_ns: Callable[[], int],
        marks: Marks,
        lookups: Lookups,
        is_inline: bool,
        worker: Worker | None,
    ) -> None:
        """
        Take over a journal.

        Args:
            journal: opened for writing; its head is the book's last record.
            step: decides each command.
            now_ns: the gateway's clock.
            marks: the newest quotes.
            lookups: the journal's tables, with what is not durable yet.
            is_inline: commit on the event loop (recorded time) instead of in a thread.
            worker: where commits run; None = in a thread of the loop's own.
        """
        self._journal = journal
        self.step = step
        self._now_ns = now_ns
        self._marks = marks
        self._lookups = lookups
        self._is_inline = is_inline
        self.worker = worker
        self.lanes: tuple[deque[Queued], ...] = (deque(), deque(), deque())
        self._wake = asyncio.Event()
        self._in_hand: list[asyncio.Future[Committed] | None] = []
        """Whoever waits for the batch that is being decided or committed."""
        self._is_over = False
        self._deciding_ns = DECIDING_NS
        self._offered: dict[tuple[str, str], TakeQuote] = {}
        """Of the quotes that wait those that a newer one of their market replaces."""
        self.is_admitting = False
        self.poison: str | None = None
        self._on_poison: Callable[[str], None] | None = None

    # In ----------------------------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being committed."""
        return not self._in_hand and not any(self.lanes)

    def put(self, command: commands.Command | TakeQuote, lane: Lane) -> "asyncio.Future[Committed]":
        """
        Queue a command; the future is done once its records are durable.

        Raises:
            Undecided: too much waits, the writer is poisoned or not admitting requests.
        """
        future: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        self._queue(command, lane, future)
        return future

    def tell(self, command: commands.Command | TakeQuote, lane: Lane = Lane.FACTS) -> None:
        """Queue a command that nobody waits for; a poisoned writer takes none, the end is near."""
        if self.poison is None and not self._is_over:
            self._queue(command, lane, None)

    def offer(self, quote: Quote) -> None:
        """
        Queue the newest state of a book, in place of an older one that waits.

        Raises:
            Undecided: too much waits.
        """
        place = (quote.platform, quote.market_id)
        waiting = self._offered.get(place)
        if waiting is not None:
            waiting.quote = quote
        elif self.poison is None and not self._is_over:
            taken = TakeQuote(quote)
            self._queue(taken, Lane.FACTS, None)
            self._offered[place] = taken

    def _queue(
        self,
        command: commands.Command | TakeQuote,
        lane: Lane,
        future: "asyncio.Future[Committed] | None",
    ) -> None:
        if self.poison is not None:
            raise Undecided("JOURNAL_FAILED", NOT_KNOWN)
        if self._is_over or (lane is Lane.REQUESTS and not self.is_admitting):
            raise Undecided("SHUTTING_DOWN", NOT_ADMITTING)
        waiting = self.lanes[lane]
        is_asked = lane is Lane.REQUESTS or isinstance(command, TakeQuote)
        if is_asked and len(waiting) >= LANE_MAX:
            raise Undecided("QUEUE_FULL", "nothing was decided; come again with this key")
        assert len(waiting) < TRUTH_MAX, "venue facts and control are bounded by the open orders"
        waiting.append((command, future))
        self._wake.set()

    def admit(self) -> None:
        """Admit requests from now on."""
        self.is_admitting = True

    def stop_admitting(self) -> None:
        """Admit no request any more; those that wait hear so, undecided, with nothing spent."""
        self.is_admitting = False
        lane = self.lanes[Lane.REQUESTS]
        waiting = [future for _, future in lane]
        lane.clear()
        _refuse(waiting, Undecided("SHUTTING_DOWN", NOT_ADMITTING))

    # Through -----------------------------------------------------------------------------------

    async def run(self, hooks: BatchHooks) -> None:
        """Work until cancelled or poisoned; whoever waits by then is told."""
        code = "JOURNAL_FAILED"
        self._on_poison = hooks.on_poison
        if self.poison is not None:
            hooks.on_poison(self.poison)
        try:
            while self.poison is None:
                await self._wake.wait()
                self._wake.clear()
                while any(self.lanes) and self.poison is None:
                    await self._work(hooks)
        except asyncio.CancelledError:
            code = "SHUTTING_DOWN"
            raise
        finally:
            self._is_over = True
            self._refuse_all(code)
            self._in_hand = []

    async def _work(self, hooks: BatchHooks) -> None:
        """Decide one batch, make it durable, release what it set off."""
        entries: list[Entry] = []
        effects: list[commands.Effect] = []
        decided: list[tuple[Recorded, ...]] = []
        with self._lookups.looking():
            for command, future in self._next(hooks.before_batch(self._now_ns())):
                self._in_hand.append(future)
                decided.append(self.step.decide(command, entries, effects))
            deeper = self._marks.deeper()
            if deeper:
                # With what consulted or will show them: a restart makes no loss smaller.
                self._in_hand.append(None)
                marked = commands.Record(events=(events.Marked(marks=deeper),))
                decided.append(self.step.decide(marked, entries, effects))
        begun_ns = self._now_ns()
        try:
            if entries:
                await self._commit(entries)
        except (JournalError, LeaseLost) as error:
            self.abandon(str(error))
        else:
            took_ns = self._now_ns() - begun_ns
            self._deciding_ns = min(max(took_ns, DECIDING_NS), DECIDING_NS_MAX)
            self._release(hooks, effects, decided)
        self._in_hand = []

    def _next(self, first: Sequence[commands.Command]) -> Iterator[Queued]:
        """Yield a batch: what must come first, then lane by lane while there is room and time."""
        begun_ns, count = self._now_ns(), 0
        for command in first:
            count += 1
            yield command, None
        for lane in self.lanes:
            while lane and count < BATCH_MAX:
                if count and self._now_ns() - begun_ns > self._deciding_ns:
                    return
                count += 1
                queued = lane.popleft()
                self._not_offered(queued[0])
                yield queued

    def _not_offered(self, command: commands.Command | TakeQuote) -> None:
        """Let newer quotes of a market queue behind one that is taken now."""
        if isinstance(command, TakeQuote):
            place = (command.quote.platform, command.quote.market_id)
            if self._offered.get(place) is command:
                del self._offered[place]

    @property
    def is_full(self) -> bool:
        """Whether one more request would be refused, undecided."""
        return len(self.lanes[Lane.REQUESTS]) >= LANE_MAX

    # Out ---------------------------------------------------------------------------------------

    async def _commit(self, entries: list[Entry]) -> None:
        append = self._journal.append
        if self._is_inline:
            append(entries)
        elif self.worker is None:
            await asyncio.get_running_loop().run_in_executor(None, append, entries)
        else:
            await self.worker.run(append, entries)

    def _release(
        self,
        hooks: BatchHooks,
        effects: list[commands.Effect],
        decided: Sequence[tuple[Recorded, ...]],
    ) -> None:
        published = [record for records in decided for record in records]
        self._lookups.forget_batch()
        if effects:
            hooks.on_effects(effects)
        for future, records in zip(self._in_hand, decided, strict=True):
            if future is not None and not future.done():
                future.set_result(Committed(records))
        if published:
            hooks.on_records(published)

    def abandon(self, reason: str) -> None:
        """
        Poison: what was decided is not known to be durable, so nothing of it leaves.

        Also from outside, when a part of the gateway died, and with it what may be promised.
        """
        if self.poison is not None:
            return
        self.poison = reason
        self.is_admitting = False
        self._refuse_all("JOURNAL_FAILED")
        if self._on_poison is not None:
            self._on_poison(reason)

    def _refuse_all(self, code: str) -> None:
        """Tell everybody who waits that the outcome is not known."""
        waiting = [*self._in_hand, *(future for lane in self.lanes for _, future in lane)]
        for lane in self.lanes:
            lane.clear()
        _refuse(waiting, Undecided(code, NOT_KNOWN))


def _refuse(waiting: "Sequence[asyncio.Future[Committed] | None]", why: Undecided) -> None:
    for future in waiting:
        if future is not None and not future.done():
            future.set_exception(Undecided(why.code, why.message))
