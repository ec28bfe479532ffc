"""The desk: the parts of one gateway, held together so that each may be given to the others."""

from collections.abc import Mapping
from typing import Protocol

from arbees.core.book.book import Book
from arbees.core.deciding import commands
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.words import Platform
from arbees.core.ports import Clock, Journal, MarketData, Venue
from arbees.runtime.intake.commit_thread import Worker
from arbees.runtime.intake.key_lookup import Lookups
from arbees.runtime.intake.step import Step
from arbees.runtime.intake.writer import Writer
from arbees.runtime.looking.scopes import Scopes
from arbees.runtime.options import Options
from arbees.runtime.sending.breaker import Breaker, Conditions
from arbees.runtime.sending.dispatcher import Dispatcher
from arbees.runtime.sending.gate import Gate, KillFile
from arbees.runtime.supervisor import Supervisor
from arbees.runtime.watching.marks import Marks
from arbees.runtime.watching.venue_facts import Pauses, VenueFacts


class Alerts(Protocol):
    """Where alerts go; costs no waiting and never fails."""

    def raise_(self, name: str, message: str, **data: object) -> None:
        """Raise an alert, or count one that stands; `data` names its subject."""
        ...

    def clear(self, name: str, **data: object) -> None:
        """End an alert, if it stands; `data` names its subject."""
        ...


class NoAlerts:
    """Alerts that nobody hears: recorded time has nobody who looks."""

    def raise_(self, name: str, message: str, **data: object) -> None:
        """Tell nobody."""

    def clear(self, name: str, **data: object) -> None:
        """Tell nobody."""


class Simulator(Protocol):
    """What stands in for the venues on paper, besides its `Venue`s."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being matched or committed."""
        ...

    def feed(self, quote: Quote) -> bool:
        """Take a quote; resting orders may fill. False: not taken."""
        ...

    def offer(self, quote: Quote) -> bool:
        """Take the newest state of a book, in place of an older one that waits."""
        ...

    def settle(self, settlement: Settlement) -> bool:
        """Settle a market. False: not taken."""
        ...

    async def move_cash(self, platform: Platform, amount: int) -> None:
        """Deposit (> 0) or withdraw (< 0). Raises VenueRefused for more than is available."""
        ...

    async def close(self) -> None:
        """Release its book."""
        ...


class JumpingClock(Clock, Protocol):
    """A clock that also tells whether the wall clock left it."""

    def jump_ns(self) -> int:
        """Return by how much the wall clock jumped."""
        ...

    def slew(self) -> None:
        """Follow a small drift."""
        ...

    def accept_jump(self) -> None:
        """Go on by the monotonic clock after a jump was reported."""
        ...


class Desk:
    """Everything of one account in one process."""

    def __init__(
        self,
        *,
        journal: Journal,
        book: Book,
        rules: commands.Rules,
        venues: dict[Platform, Venue],
        simulator: Simulator | None,
        clock: JumpingClock,
        options: Options,
        alerts: Alerts,
        supervisor: Supervisor,
        worker: Worker | None = None,
        market_data: Mapping[Platform, MarketData] | None = None,
        pauses: Pauses | None = None,
    ) -> None:
        """Build the parts; nothing runs yet."""
        self.journal = journal
        self.book = book
        self.rules = rules
        self.venues = venues
        self.simulator = simulator
        self.market_data = dict(market_data or {})
        """Metadata and books from the venues themselves; none where they are fed."""
        self.clock = clock
        self.options = options
        self.alert = alerts.raise_
        self.alert_over = alerts.clear
        self.kill_file = KillFile(options.kill_file)
        self.gate = Gate(book, self.kill_file, clock.now_ns, options.authority_until_ns)
        self.marks = Marks(book)
        self.scopes = Scopes(book)
        self.lookups = Lookups(journal, book)
        self.breakers = {
            platform: Breaker(options.errors_to_open, options.cooldown_ns) for platform in venues
        }
        self.supervisor = supervisor
        supervisor.listen(self._task_died, self._part_died, self._task_recovered)
        self.uncompared = set(venues)
        """Venues whose word was not compared with the book since the start: nothing opens there."""
        self.conditions = Conditions(venues, self.breakers, self.uncompared)
        self.facts = VenueFacts(self.conditions, venues, self.market_data, pauses)
        self.writer = Writer(
            journal=journal,
            step=Step(
                book=book,
                rules=rules,
                now_ns=clock.now_ns,
                marks=self.marks,
                lookups=self.lookups,
                surroundings=self.facts,
            ),
            now_ns=clock.now_ns,
            marks=self.marks,
            lookups=self.lookups,
            is_inline=options.is_inline,
            worker=worker,
        )
        self.dispatcher = Dispatcher(
            venues=venues,
            book=book,
            writer=self.writer,
            gate=self.gate,
            clock=clock,
            supervisor=self.supervisor,
        )
        self.death: str | None = None
        """Which task died that the gateway cannot go on without; None = none did."""
        self.receipts = 0
        self.compared_ns: dict[Platform, int] = {}
        """When each venue was compared last, wholly."""

    def _task_died(self, name: str, error: BaseException) -> str:
        """Tell that a task died; return it as a sentence."""
        reason = f"the task {name!r} died: {error!r}"
        self.alert("TASK_DIED", reason, task=name)
        return reason

    def _part_died(self, name: str, error: BaseException) -> None:
        """Stop at once: replay proves or disproves what it was."""
        reason = self._task_died(name, error)
        if self.writer.poison is None:
            self.death = reason
            self.writer.abandon(reason)

    def _task_recovered(self, name: str) -> None:
        self.alert_over("TASK_DIED", task=name)

    @property
    def is_idle(self) -> bool:
        """Whether everything that was set off is done, but for pauses on the clock."""
        return (
            self.writer.is_idle
            and self.dispatcher.is_idle
            and (self.simulator is None or self.simulator.is_idle)
        )

    def receipt_id(self) -> str:
        """Return a new id for what a halt or a mass cancel did."""
        self.receipts += 1
        return f"receipt-{self.book.sequence + 1}-{self.receipts}"
