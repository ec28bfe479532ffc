"""The life of the process around a desk: recovery, upkeep of the journal, and an orderly end.

Guarantees that creates are never sent by recovery, which only asks (P7); that cancels which were
asked for are asked for again; that the whole chain is verified in the background, and a break found
there halts (P11); and that a stop settles what is in flight and flushes.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from arbees.core import events
from arbees.core.book.book import encode as encode_book
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import Refusal
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import HaltSource, OrderStatus
from arbees.core.ports import Remembers
from arbees.errors import JournalCorrupt, JournalError, JournalUnavailable, VenueError
from arbees.runtime.desk import Desk
from arbees.runtime.intake.writer import BatchHooks, Committed, Lane
from arbees.runtime.watching.directory import Directory
from arbees.runtime.watching.monitors import Monitors
from arbees.runtime.watching.reconciler import Reconciler

DRAIN_SECONDS = 10.0
RECOVERY_SECONDS = 2.0
TURN_SECONDS = 0.005
UPKEEP_SECONDS = 1.0


class GatewayLifecycle:
    """Starts and stops what a desk holds together."""

    def __init__(
        self,
        desk: Desk,
        hooks: BatchHooks,
        monitors: Monitors,
        reconciler: Reconciler,
        directory: Directory,
    ) -> None:
        """Take the parts; nothing runs yet. The hooks are those of the writer."""
        self._desk = desk
        self._hooks = hooks
        self._directory = directory
        self._monitors = monitors
        self._reconciler = reconciler
        self._is_started = False
        self._is_stopping = False
        self._records_since_snapshot = 0

    # Start -------------------------------------------------------------------------------------

    async def start(self) -> None:
        """
        Recover and reconcile; requests are admitted at the end.

        Raises:
            JournalUnavailable: it failed on the way.
        """
        desk, options = self._desk, self._desk.options
        self._is_started = True
        desk.supervisor.start(desk.writer.run(self._hooks), "writer")
        started = events.Started(
            version=options.version,
            settings_hash=options.settings_hash,
            settings=dict(options.settings),
            disabled=dict(options.disabled),
        )
        await _finished(
            desk.writer.put(commands.Record(events=(started, *self._orphans())), Lane.CONTROL)
        )
        for platform, venue in desk.venues.items():
            if isinstance(venue, Remembers):
                venue.recall(desk.book.venue_notes.get(platform, {}))
            try:
                await venue.start()
            except VenueError as error:
                self._monitors.note(platform, str(error), is_health=error.is_health)
        await self._directory.start()
        await self._monitors.refresh_balances()
        for order in list(desk.book.orders.values()):
            effect: commands.Effect = commands.ResolveOrder(order.client_order_id)
            if order.cancel_reason is not None and order.status is not OrderStatus.UNKNOWN:
                effect = commands.CancelOrder(order.client_order_id)
            desk.dispatcher.carry_out((effect,))
        await self._wait(lambda: desk.is_idle and not desk.book.unknown, RECOVERY_SECONDS)
        await self._reconciler.run()
        if desk.writer.poison is not None:
            raise JournalUnavailable(desk.writer.poison)
        self._monitors.start()
        desk.supervisor.keep(self._reconciler.watch, "reconciler")
        if not options.is_inline:
            desk.supervisor.start(self._keep_up(), "journal upkeep")
            desk.supervisor.start(self._verify(), "journal verification")
        desk.writer.admit()

    def _orphans(self) -> tuple[events.Event, ...]:
        """
        Return what is said of orders whose sending or answer the last process did not see.

        Their bytes may have left at any moment until this process took over.
        """
        now_ns = self._desk.clock.now_ns()
        return tuple(
            events.OrderUnknown(
                client_order_id=order.client_order_id,
                request_id=order.request_id,
                message="the process ended before an answer",
                sent_ns=max(now_ns, order.created_ns),
            )
            for order in self._desk.book.orders.values()
            if order.status is OrderStatus.PENDING
        )

    async def _wait(self, is_done: Callable[[], bool], seconds: float) -> None:
        """Give what is going on a moment, bounded; recorded time only takes turns of the loop."""
        clock, is_inline = self._desk.clock, self._desk.options.is_inline
        until_ns = clock.now_ns() + round(seconds * NS_PER_SECOND)
        for _ in range(round(seconds / TURN_SECONDS)):
            if is_done() or (not is_inline and clock.now_ns() >= until_ns):
                return
            await asyncio.sleep(0 if is_inline else TURN_SECONDS)

    # Upkeep ------------------------------------------------------------------------------------

    async def _keep_up(self) -> None:
        """Let the journal copy its log and set its reserve aside while nothing waits."""
        while True:
            await self._desk.clock.sleep(UPKEEP_SECONDS)
            if self._desk.writer.is_idle and self._desk.writer.poison is None:
                await self._in_thread(self._desk.journal.maintain)

    async def _verify(self) -> None:
        """Follow the whole chain in the background, once; a break found there halts."""

        def follow() -> None:
            for _ in self._desk.journal.verify_rest():
                if self._is_stopping:
                    return  # the next start begins anew

        try:
            await self._in_thread(follow)
        except JournalCorrupt as error:
            self._monitors.halt(HaltSource.JOURNAL, f"the journal does not verify: {error}")

    def count(self, records: int) -> None:
        """Take a snapshot once enough records are durable; book and journal agree right now."""
        self._records_since_snapshot += records
        if self._records_since_snapshot >= self._desk.options.snapshot_every:
            self._records_since_snapshot = 0
            self._desk.supervisor.start(self._snapshot(self._taken()), "snapshot")

    def _taken(self) -> tuple[int, str, bytes]:
        book = self._desk.book
        return book.sequence, self._desk.options.snapshot_version, encode_book(book)

    async def _snapshot(self, taken: tuple[int, str, bytes]) -> None:
        try:
            await self._in_thread(self._desk.journal.write_snapshot, *taken)
        except JournalError as error:
            self._desk.alert("JOURNAL_TROUBLE", f"no snapshot: {error}")

    async def _in_thread(self, work: Callable[..., object], *args: Any) -> None:
        """Run what blocks beside the loop; in recorded time on it, so that order is certain."""
        if self._desk.options.is_inline:
            work(*args)
        else:
            await asyncio.to_thread(work, *args)

    # Stop --------------------------------------------------------------------------------------

    async def stop(self, reason: str) -> None:
        """Stop admitting, cancel what rests, settle what is in flight, release the venues."""
        desk = self._desk
        desk.writer.stop_admitting()
        self._is_stopping = True
        # Before the cancels, so that nothing which they do not cover comes to rest behind them.
        if desk.gate.closed is None:
            desk.gate.close(Refusal(code="SHUTTING_DOWN", message="the gateway is stopping"))
        try:
            if self._is_started and desk.writer.poison is None:
                self._is_started = False
                await self._end_in_order(reason)
        finally:
            await desk.supervisor.stop()
            await self._close()

    async def _close(self) -> None:
        """Release venues and exchange, each of them, whatever breaks."""
        closing = [self._directory.close()]
        closing += [venue.close() for venue in self._desk.venues.values()]
        answers = await asyncio.gather(*closing, return_exceptions=True)
        if self._desk.simulator is not None:
            await self._desk.simulator.close()
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer

    async def _end_in_order(self, reason: str) -> None:
        desk = self._desk
        if desk.options.cancel_on_shutdown and desk.book.orders:
            cancel = commands.RequestCancel(
                scope="all", reason=reason, actor="arbees", receipt_id=desk.receipt_id()
            )
            await _finished(desk.writer.put(cancel, Lane.CONTROL))
        await self._wait(lambda: desk.is_idle and not self._is_waiting_for_ends(), DRAIN_SECONDS)
        stopped = commands.Record(events=(events.Stopped(reason=reason),))
        if desk.writer.poison is None:
            await _finished(desk.writer.put(stopped, Lane.CONTROL))
        if desk.writer.poison is None:
            await self._wait(lambda: desk.writer.is_idle, DRAIN_SECONDS)
        if desk.writer.poison is None and desk.writer.is_idle:
            await self._snapshot(self._taken())

    def _is_waiting_for_ends(self) -> bool:
        """Tell whether orders that were cancelled on the way out have not ended yet."""
        if not self._desk.options.cancel_on_shutdown:
            return False
        orders = self._desk.book.orders.values()
        return any(order.status is not OrderStatus.UNKNOWN for order in orders)


async def _finished(future: "asyncio.Future[Committed]") -> None:
    """Wait for a commit; a journal that fails at it has poisoned the writer."""
    await asyncio.wait([future])
    if not future.cancelled():
        future.exception()
