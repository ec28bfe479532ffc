"""A book, its journal and the lookups between them, moved by hand as the writer moves them."""

from typing import Any

from arbees.core import events
from arbees.core.book.index_rows import rows_of
from arbees.core.book.market import Listing
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import NotSent
from arbees.core.language.request import Request
from arbees.core.ports import Entry
from arbees.runtime.intake.key_lookup import Lookups
from arbees.runtime.intake.step import about_of
from tests.core.scene import Scene
from tests.runtime.memory_journal import MemoryJournal
from tests.safeguards.build import NOW, request

NOTHING_ASKED = commands.Record(events=())


class Desk:
    """A book, its journal and the lookups between them, as the writer moves them."""

    def __init__(self) -> None:
        self.scene = Scene(is_bare=True)
        self.journal = MemoryJournal(NOW)
        self.scene.write(*self.journal.events)
        self.entries: list[Entry] = []
        self.lookups = Lookups(self.journal, self.scene.book)

    def list_markets(self, *listings: Listing) -> None:
        """List markets."""
        self.write(None, *(events.MarketListed(listing=each) for each in listings))

    def write(
        self,
        past: commands.ClosedOrder | None,
        *new_events: events.Event,
        command: commands.Command = NOTHING_ASKED,
    ) -> None:
        """Decide events; they wait for `commit`."""
        book = self.scene.book
        for event in new_events:
            order: Order | None = None
            if isinstance(event, events.OrderEvent):
                found = book.orders.get(event.client_order_id)
                order = past.order if found is None and past is not None else found
            rows = rows_of(event, self.scene.now, order)
            self.scene.write(event)
            about = about_of(event, command)
            self.entries.append(
                Entry(self.scene.now, events.kind(event), events.encode(event), about, rows)
            )
            self.lookups.remember(about, self.scene.records[-1], rows)

    def commit(self) -> None:
        """Make durable what was decided."""
        self.journal.append(self.entries)
        self.entries = []
        self.lookups.forget_batch()

    def submit(self, asked: Request) -> commands.Decision:
        """Decide a request with what is known of it."""
        command = self.lookups.complete(commands.Submit(request=asked, received_ns=NOW))
        decision = self.scene.ask(command)
        self.write(None, *decision.events, command=command)
        return decision

    def known(self, **changes: Any) -> commands.Known:
        """Return what is known of a request."""
        command = self.lookups.complete(
            commands.Submit(request=request(**changes), received_ns=NOW)
        )
        assert isinstance(command, commands.Submit)
        return command.known

    def take(self, command: commands.Command) -> commands.Command:
        """Complete a command, decide it, and write what it gives."""
        complete = self.lookups.complete(command)
        decision = self.scene.ask(complete)
        self.write(getattr(complete, "past", None), *decision.events)
        return complete

    @property
    def order(self) -> Order:
        """The one open order."""
        (order,) = self.scene.book.orders.values()
        return order

    def end(self) -> str:
        """End the one open order without a fill; return its id."""
        name = self.order.client_order_id
        answer = NotSent(message="no route")
        self.take(commands.TakeOutcome(client_order_id=name, outcome=answer, request=request()))
        return name
