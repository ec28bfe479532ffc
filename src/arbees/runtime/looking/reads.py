"""Reads of a desk as the outside sees them: results, receipts, status. Only what is durable."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from arbees.core import events
from arbees.core.language.ids import is_scoped, scoped
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import to_decimal
from arbees.core.language.words import HaltSource, TradingState
from arbees.core.orders.result import (
    Life,
    Recorded,
    Result,
    fold,
    refusal,
)
from arbees.interface.views import (
    EventView,
    Execution,
    HaltView,
    JournalView,
    Receipt,
    StatusView,
    Undecided,
)
from arbees.runtime.desk import Desk
from arbees.runtime.looking.refusals import Refusing
from arbees.runtime.looking.stop_receipts import Receipts

T = TypeVar("T")

LOOK_SECONDS_MAX = 5.0
"""How long a look waits for the disk."""
NOT_TRUE = "the journal failed: what is in memory may not be true; look again after the restart"


class Figures(msgspec.Struct, frozen=True):
    """What the status tells of the book."""

    open_orders: int
    unknown_orders: int
    total_worst: int
    pnl_today: int


class Reads:
    """Read side of the gateway."""

    def __init__(self, desk: Desk) -> None:
        """Read a desk."""
        self._desk = desk
        self.seconds_max = LOOK_SECONDS_MAX
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._takes: list[tuple[asyncio.Future[Any], Callable[[], Any]]] = []
        self._figures = self.look()
        self.receipts = Receipts(desk.journal, desk.book, desk.scopes, self.durable)

    def look(self) -> Figures:
        """Return figures of the book; where it runs ahead of the disk, those of before (P1)."""
        desk = self._desk
        book = desk.book
        if self._is_in_step():
            self._figures = Figures(
                len(book.orders),
                book.unknown,
                book.total_worst,
                book.pnl_today(desk.marks.unrealized),
            )
            self._tell()
        return self._figures

    def _is_in_step(self) -> bool:
        """Tell whether all that the book holds is durable."""
        return self._desk.book.sequence <= self._desk.journal.head.sequence

    async def settled(self, name: str, take: Callable[[], T]) -> T:
        """
        Return what is found in the book at a moment at which all of it is durable (P1).

        Args:
            name: whoever waits under the same name is given the same.
            take: looks; called once.

        Raises:
            Undecided: the journal failed, or the disk hangs.
        """
        if self._is_in_step():
            return take()
        if self._desk.writer.poison is not None:
            raise Undecided("JOURNAL_FAILED", NOT_TRUE)
        waiting = self._waiting.get(name)
        if waiting is None:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting[name] = waiting
            self._takes.append((waiting, take))
        try:
            async with asyncio.timeout(self.seconds_max):
                found: T = await asyncio.shield(waiting)
        except TimeoutError:
            message = f"the disk takes longer than {self.seconds_max:g} s; come again"
            raise Undecided("OVERLOADED", message) from None
        return found

    def _tell(self) -> None:
        """Look for those who wait; nothing is decided while this goes on."""
        takes, self._takes = self._takes, []
        self._waiting.clear()
        for waiting, take in takes:
            waiting.set_result(take())

    def give_up(self) -> None:
        """Tell those who wait that the journal failed: what is in memory may not be true."""
        takes, self._takes = self._takes, []
        self._waiting.clear()
        for waiting, _ in takes:
            waiting.set_exception(Undecided("JOURNAL_FAILED", NOT_TRUE))
            waiting.exception()  # looked at, should nobody wait any more

    def durable(self, about: str) -> list[Recorded]:
        """Return the durable records of a request or receipt (P1)."""
        head = self._desk.journal.head.sequence
        return [record for record in self._desk.lookups.records(about) if record[0] <= head]

    def life(self, request_id: str) -> Life | None:
        """Return the life of a request so far."""
        return fold(self.durable(request_id))

    def result(self, request_id: str) -> Result | None:
        """Return the result of a request as known now; of a duplicate, with its original."""
        records = self.durable(request_id)
        refused = [each for each in records if isinstance(each[2], events.DuplicateRefused)]
        if refused and not any(
            isinstance(event, events.OrderApproved | events.RequestDenied)
            for _, _, event in records
        ):
            return self.duplicate(refused[0])
        life = fold(records)
        return None if life is None else life.result()

    def duplicate(self, record: Recorded) -> Result:
        """Return the answer to a duplicate, with what became of the original."""
        sequence, time_ns, event = record
        if not isinstance(event, events.DuplicateRefused):
            msg = f"Expected a duplicate, was {type(event).__name__}"
            raise TypeError(msg)
        first = self.life(event.original_request_id) if event.original_request_id else None
        return refusal(event, sequence, time_ns, first)

    def execution(self, request_id: str, strategy: str | None = None) -> Execution | None:
        """Return a result with its records, of a strategy's own request or of anybody's."""
        for name in self._names(request_id, strategy):
            if (found := self._execution(name)) is not None:
                return found
        return None

    def _names(self, text: str, strategy: str | None) -> Iterator[str]:
        """
        Yield the ids that a caller's id may stand for.

        Args:
            text: as the caller wrote it.
            strategy: to which the caller is bound; None = not bound, who sees all.
        """
        if strategy is not None:
            yield scoped(strategy, text)
            if not is_scoped(text):
                yield text
            return
        yield text
        keys = self._desk.book.keys.values()
        for each in sorted({key.strategy for key in keys if key.strategy is not None}):
            yield scoped(each, text)

    def _execution(self, request_id: str) -> Execution | None:
        result = self.result(request_id)
        if result is None:
            return None
        new_events = tuple(view(record) for record in self.durable(request_id))
        return Execution(result=result, events=new_events)

    def execution_by_key(self, key: str, strategy: str | None = None) -> Execution | None:
        """Return the result of a key's last attempt, of a strategy's own key or of anybody's."""
        rows = (self._desk.journal.key(name) for name in self._names(key, strategy))
        row = next((each for each in rows if each is not None), None)
        return None if row is None else self._execution(row.request_id)

    # Halts and receipts ------------------------------------------------------------------------

    def halts(self) -> tuple[HaltView, ...]:
        """Return the halts in force, the strictest first; an end that is not durable is none."""
        found = [
            HaltView(
                source=source,
                scope=scope,
                state=held.state,
                reason=held.reason,
                since=format_time(held.since_ns),
                automatic=HaltSource(source).is_automatic,
            )
            for (source, scope, _), held in self._desk.gate.in_force().items()
        ]
        return tuple(sorted(found, key=lambda halt: -TradingState(halt.state).rank))

    def state(self) -> TradingState:
        """Return the state of the whole account: the strictest halt of scope `all`."""
        states = [
            TradingState(halt.state)
            for halt in self.halts()
            if halt.scope == "all" and halt.source != "repeated_execution"
        ]
        return max(states, key=lambda state: state.rank, default=TradingState.ACTIVE)

    def receipt(self, receipt_id: str) -> Receipt | None:
        """Return what a halt, mass cancel or flattening did so far."""
        return self.receipts.read(receipt_id)

    # Status ------------------------------------------------------------------------------------

    def status(self, warnings: tuple[str, ...], refusing: Refusing) -> StatusView:
        """Return the state of everything."""
        desk = self._desk
        book, head, figures = desk.book, desk.journal.head, self.look()
        return StatusView(
            mode=book.mode,
            state=self.state(),
            halts=self.halts(),
            venues=refusing.venues(),
            refuses=refusing.now(),
            journal=JournalView(sequence=head.sequence, hash=head.hash.hex()),
            pnl_today=to_decimal(figures.pnl_today),
            version=desk.options.version,
            settings_hash=desk.options.settings_hash,
            disabled_safeguards=tuple(desk.options.disabled),
            account=book.account,
            environment=book.environment,
            disabled_reason=next(iter(desk.options.disabled.values()), None),
            open_orders=figures.open_orders,
            unknown_orders=figures.unknown_orders,
            total_exposure=to_decimal(figures.total_worst),
            warnings=warnings,
        )


def view(record: Recorded) -> EventView:
    """Return a record for people and programs."""
    sequence, time_ns, event = record
    body = msgspec.json.decode(events.encode(event))
    return EventView(
        sequence=sequence, time=format_time(time_ns), kind=events.kind(event), body=body
    )
