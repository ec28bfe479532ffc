"""The gateway: one account's desk behind the port that the api and embedding programs use.

Guarantees: nothing is admitted before recovery, a stop is in force before it is awaited, and an
orderly end settles what is in flight and flushes. It only wires calls; the parts do the work.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    BreakerTripped,
    Filled,
    FillFailed,
    Noted,
    OrderClosed,
    OrderSeen,
    Refusal,
    Report,
    Settled,
    StreamChanged,
)
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.request import Request
from arbees.core.language.words import (
    SCOPE_ALL,
    HaltSource,
    Mode,
    OrderStatus,
    Platform,
    TimeInForce,
    TradingState,
)
from arbees.core.orders.result import Life, Recorded, Result
from arbees.interface.operator import Conflict
from arbees.interface.views import (
    Execution,
    KillReply,
    Readiness,
    Receipt,
    StatusView,
    Undecided,
)
from arbees.runtime.api_keys import KeyedDesk
from arbees.runtime.desk import Desk
from arbees.runtime.intake.step import TakeQuote
from arbees.runtime.intake.writer import BatchHooks, Committed, Lane
from arbees.runtime.lifecycle import GatewayLifecycle
from arbees.runtime.looking.denial_reviews import Reviews
from arbees.runtime.looking.drills import DrillRecords
from arbees.runtime.looking.gauges import Measuring
from arbees.runtime.looking.operations import Operations
from arbees.runtime.looking.reads import Reads
from arbees.runtime.looking.refusals import Refusing
from arbees.runtime.sending.dispatcher import Hearing
from arbees.runtime.sending.flatten import Flattening
from arbees.runtime.sending.halts import Halts
from arbees.runtime.sending.sweep import Sweeps
from arbees.runtime.watching.directory import Directory
from arbees.runtime.watching.monitors import Monitors
from arbees.runtime.watching.quote_listings import plain_listing
from arbees.runtime.watching.reconciler import Reconciler

RESTING = frozenset({TimeInForce.GTC, TimeInForce.GTD})
_OF_KEYS = (events.KeyCreated, events.KeyRevoked)
_OF_HALTS = (events.HaltRaised, events.HaltLifted)
Listener = Callable[[Sequence[Recorded]], None]
LAST_CANCELS_SECONDS = 10.0
"""How long the end waits for cancels once the journal has failed."""


class TradingGateway(KeyedDesk, Operations):
    """Implements `interface.views.Gateway` over a desk."""

    def __init__(
        self,
        desk: Desk,
        *,
        warnings: Callable[[], tuple[str, ...]],
        on_end: Callable[[str], None],
    ) -> None:
        """
        Wire the parts of a desk; `start` sets them going.

        `warnings` is asked for what an operator should look at (audit log behind, ...), `on_end` is
        told when the process must end: the journal failed.
        """
        super().__init__(desk)
        self.reads = Reads(desk)
        self.monitors = Monitors(desk, self._compare)
        self._directory = Directory(desk, self.monitors)
        self.refusing = Refusing(desk, lambda: self._trouble, self._directory.watched)
        self.measuring = Measuring(desk, self.reads, self.refusing, lambda: not self._trouble)
        self._sweeps = Sweeps(desk.book, desk.writer, desk.venues, desk.supervisor, desk.clock)
        self.record_drills = DrillRecords(desk.writer, desk.options.limits_hash).record_drills
        self.review_denials = Reviews(desk.writer, desk.journal).review_denials
        self.reconciler = Reconciler(desk, self.monitors)
        self._halts = Halts(desk, self.reads)
        self.flattening = Flattening(desk, self.reads.receipts, self.submit)
        self._watch: dict[str, asyncio.Event] = {}
        self._trouble: tuple[str, ...] = ("starting",)
        before, after = self.monitors.before_batch, desk.dispatcher.carry_out
        hooks = BatchHooks(before, after, self._on_records, self._on_poison)
        self._lifecycle = GatewayLifecycle(
            desk, hooks, self.monitors, self.reconciler, self._directory
        )
        self._warnings = warnings
        self._on_end = on_end
        self._listeners: list[Listener] = []
        self.last_cancels_seconds = LAST_CANCELS_SECONDS
        desk.dispatcher.listen(
            Hearing(self.monitors.note, self.reconciler.look_at_cash, self._directory.look_up)
        )
        for venue in desk.venues.values():
            venue.listen(self._on_report)

    def listen(self, listener: Listener) -> None:
        """Tell one more of what became durable, after each commit; it never blocks."""
        self._listeners.append(listener)

    @property
    def is_live(self) -> bool:
        """Whether real money is at stake."""
        return self.desk.rules.mode is Mode.LIVE

    async def start(self) -> None:
        """Recover, reconcile, and only then admit requests."""
        await self._lifecycle.start()
        self._trouble = ()

    async def stop(self, reason: str) -> None:
        """Stop admitting, cancel what rests, settle what is in flight, flush, close."""
        self._trouble = ("stopping",)
        await self._lifecycle.stop(reason)

    # What the parts say ------------------------------------------------------------------------

    def _on_records(self, records: Sequence[Recorded]) -> None:
        for _, time_ns, event in records:
            self.desk.gate.follow(event, time_ns)
            if isinstance(event, _OF_KEYS):
                self.key_ring.follow(event, self.desk.book, time_ns)
            self.desk.scopes.take(event)
            if isinstance(event, _OF_HALTS):
                self._halts.follow(event)
                self._sweeps.follow(event)
            elif isinstance(event, events.BreakOpened):
                self.monitors.take_break(event)
            about = getattr(event, "request_id", None)
            if about is None:
                request = getattr(event, "request", None)
                about = None if request is None else request.request_id
            if about is not None and (waiting := self._watch.get(about)) is not None:
                waiting.set()
        self.reads.look()
        self.measuring.settle()
        for listener in self._listeners:
            listener(records)
        self._lifecycle.count(len(records))

    def _on_poison(self, reason: str) -> None:
        """Journal failed, or a part died: nothing new leaves, cancels do, the process must end."""
        is_journal = self.desk.death is None
        what = f"the journal failed: {reason}" if is_journal else reason
        self._trouble = (what,)
        message = f"{what}; restart to recover"
        self.desk.gate.close(Refusal(code="JOURNAL_FAILED", message=message))
        if is_journal:
            self.desk.alert("JOURNAL_TROUBLE", reason)
        self.reads.give_up()
        for waiting in self._watch.values():
            waiting.set()
        self.desk.supervisor.start(self._last_cancels(what), "last cancels")

    async def _last_cancels(self, reason: str) -> None:
        """Cancel what can be cancelled; a venue that hangs or breaks does not keep us alive."""
        try:
            async with asyncio.timeout(self.last_cancels_seconds):
                await self.desk.dispatcher.cancel_unjournaled()
        except TimeoutError:
            self.desk.alert("JOURNAL_TROUBLE", "not every cancel was answered before the end")
        finally:
            self._on_end(reason)

    def _compare(self) -> None:
        """Compare a venue that is back with the book."""
        self.reconciler.catch_up()

    def _on_report(self, report: Report) -> None:
        writer = self.desk.writer
        if isinstance(report, Filled):
            writer.tell(commands.TakeFill(fill=report.fill))
        elif isinstance(report, FillFailed):
            name = report.client_order_id
            writer.tell(commands.TakeReversal(client_order_id=name, trade_id=report.trade_id))
        elif isinstance(report, OrderSeen):
            writer.tell(commands.TakeVenueOrder(listed=report.order, by="stream"))
        elif isinstance(report, OrderClosed):
            writer.tell(commands.TakeClosed(closed=report))
        elif isinstance(report, Settled):
            self._settled(report)
        elif isinstance(report, BreakerTripped):
            self.monitors.take_trip(report)
        elif isinstance(report, Noted):
            noted = events.VenueNoted(
                platform=report.platform, name=report.name, value=report.value
            )
            writer.tell(commands.Record(events=(noted,)))
        elif isinstance(report, StreamChanged):
            # What happened meanwhile was not told, and never will be: compare.
            self.reconciler.interrupt(report.platform)
            self.monitors.note(report.platform, None if report.is_live else report.reason)
            if report.is_live:
                self.reconciler.catch_up()

    def _settled(self, report: Settled) -> None:
        book, writer = self.desk.book, self.desk.writer
        if book.market_of(report.platform, report.market_id) is None:
            terms = self.desk.rules.terms[report.platform]
            listing = plain_listing(report.platform, report.market_id, terms)
            writer.tell(commands.ListMarket(listing=listing))
        writer.tell(
            commands.SettleMarket(
                platform=report.platform, market_id=report.market_id, payouts=report.payouts
            )
        )

    # Requests ----------------------------------------------------------------------------------

    async def submit(
        self, request: Request, wait_seconds: float, key_id: str | None = None
    ) -> Result:
        """Decide, send and wait; see the port."""
        if self._trouble:
            raise self._undecided()
        if self._directory.is_needed and not self._is_settled_without_venue(request):
            await self._directory.ensure(request)
        received_ns = self.desk.clock.now_ns()
        command = commands.Submit(request=request, received_ns=received_ns, key_id=key_id)
        committed = await self.desk.writer.put(command, Lane.REQUESTS)
        first = committed.records[0]
        if isinstance(first[2], events.DuplicateRefused):
            return self.reads.duplicate(first)
        return await self._wait(request.request_id, wait_seconds)

    def _is_settled_without_venue(self, request: Request) -> bool:
        """Tell whether a request is refused whatever its venue says: it need not be asked."""
        if request.attempt == 1 and self.desk.lookups.is_known(request):
            return True
        halts = self.desk.gate.in_force().items()
        return any(
            scope == SCOPE_ALL and halt.state.rank >= TradingState.HALTED.rank
            for (_, scope, _), halt in halts
        )

    async def _wait(self, request_id: str, wait_seconds: float) -> Result:
        deadline = asyncio.get_running_loop().time() + wait_seconds
        watch = self._watch.setdefault(request_id, asyncio.Event())
        try:
            while True:
                watch.clear()
                life = self.reads.life(request_id)
                if life is None:
                    raise Undecided("JOURNAL_FAILED", "ask again with the same key")
                left = deadline - asyncio.get_running_loop().time()
                if _is_answer(life) or left <= 0:
                    return life.result()
                if self.desk.writer.poison is not None:
                    raise Undecided("JOURNAL_FAILED", "outcome not known, ask with the same key")
                try:
                    async with asyncio.timeout(left):
                        await watch.wait()
                except TimeoutError:
                    continue
        finally:
            self._watch.pop(request_id, None)

    def _undecided(self) -> Undecided:
        reason = self._trouble[0]
        code = {"starting": "STARTING", "stopping": "SHUTTING_DOWN"}.get(reason, "JOURNAL_FAILED")
        return Undecided(code, f"{reason}; come again with the same key")

    def execution(self, request_id: str, strategy: str | None = None) -> Execution | None:
        """Return the result of a request as known now; see the port."""
        return self.reads.execution(request_id, strategy)

    def execution_by_key(self, key: str, strategy: str | None = None) -> Execution | None:
        """Return the result of a key's last attempt as known now; see the port."""
        return self.reads.execution_by_key(key, strategy)

    # Paper market data -------------------------------------------------------------------------

    async def feed(self, quotes: Sequence[Quote]) -> None:
        """Take quotes: facts for the safeguards, a book for the paper exchange."""
        self._require_fed({quote.platform for quote in quotes})
        last: asyncio.Future[Committed] | None = None
        for left, quote in zip(range(len(quotes) - 1, -1, -1), quotes, strict=True):
            if left:
                self.desk.writer.tell(TakeQuote(quote))
            else:
                last = self.desk.writer.put(TakeQuote(quote), Lane.FACTS)
            if self.desk.simulator is not None and not self.desk.simulator.feed(quote):
                raise Undecided("QUEUE_FULL", "the paper exchange takes no more; come again")
        if last is not None:
            await last

    async def settle(self, settlement: Settlement) -> None:
        """Settle a market on the paper exchange, which reports it like any venue."""
        self._require_fed({settlement.platform})
        if self.desk.simulator is not None and not self.desk.simulator.settle(settlement):
            raise Undecided("QUEUE_FULL", "the paper exchange takes no more; come again")

    def _require_fed(self, platforms: Collection[Platform]) -> None:
        """Refuse a stranger's word on markets whose venue speaks for itself (P12)."""
        for platform in Platform:
            if platform in platforms and platform in self.desk.market_data:
                raise Conflict(
                    "VENUE_SPEAKS",
                    f"{platform} tells its own books and settlements here; unset its credentials to"
                    " feed them by hand",
                )

    # Stops -------------------------------------------------------------------------------------

    async def kill_switch(
        self,
        action: str,
        *,
        scope: str,
        reason: str,
        source: str,
        actor: str,
        acknowledge: bool = False,
        owner: str = "",
        every: bool = False,
    ) -> KillReply:
        """ENABLE, REDUCE or DISABLE; see the port."""
        return await self._halts.switch(
            action,
            scope=scope,
            reason=reason,
            source=HaltSource(source),
            actor=actor,
            acknowledge=acknowledge,
            owner=owner,
            every=every,
        )

    def kill_status(self) -> KillReply:
        """Return the halts in force."""
        return self._halts.status()

    def receipt(self, receipt_id: str) -> Receipt | None:
        """Return what a halt or mass cancel did so far."""
        found = self.reads.receipt(receipt_id)
        return None if found is None else self._sweeps.judge(found)

    # Looks -------------------------------------------------------------------------------------

    def status(self) -> StatusView:
        """Return the state of everything."""
        return self.reads.status((*self._trouble, *self._warnings()), self.refusing)

    def readiness(self) -> Readiness:
        """Return whether requests are decided; stays ready when halted, with reasons."""
        refuses = self.refusing.now()
        reasons = tuple(f"{each.scope}: {each.reason}" for each in refuses)
        return Readiness(ready=not self._trouble, reasons=reasons, refuses=refuses)


def _is_answer(life: Life) -> bool:
    """Tell whether a life is worth answering with: final, unknown, or resting at the venue."""
    if life.final_sequence is not None or life.status is OrderStatus.UNKNOWN:
        return True
    return life.is_acknowledged and life.request.time_in_force in RESTING
