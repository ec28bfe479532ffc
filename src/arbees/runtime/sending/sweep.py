"""Sweeps: after a halt each venue is asked whether it still works anything of ours in its scope.

Guarantees that the receipt of a halt is complete only once the venues that it concerns have shown,
after the halt, that nothing of ours works there (P4): an answer may have been wrong, and an order
that it denied may rest. What is shown is handed over, reopened by the core, and cancelled by the
halt. A venue that cannot be asked has shown nothing: the receipt stays open.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.deciding import commands
from arbees.core.deciding.control import subject_of
from arbees.core.deciding.outcomes import VenueOrder
from arbees.core.language.ids import CLIENT_ORDER_ID_PREFIX
from arbees.core.language.words import Platform, TradingState
from arbees.core.orders.terms import agrees
from arbees.core.ports import Clock, Venue
from arbees.errors import VenueError
from arbees.interface.views import Receipt, Undecided
from arbees.runtime.intake.writer import Lane, Writer
from arbees.runtime.supervisor import Supervisor

PAUSE_FIRST = 0.25
PAUSE_MAX = 5.0


class _Sweep(msgspec.Struct):
    """A halt of which it is not known yet that nothing in its scope works."""

    scope: str
    opening_only: bool
    left: set[Platform]
    """Venues that have not shown it yet."""


class Sweeps:
    """Asks the venues after halts: one task a venue, while anything is to be asked."""

    def __init__(
        self,
        book: Book,
        writer: Writer,
        venues: Mapping[Platform, Venue],
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        """Sweep nothing yet; `follow` is told of durable halts."""
        self._book = book
        self._writer = writer
        self._venues = venues
        self._supervisor = supervisor
        self._clock = clock
        self._open: dict[str, _Sweep] = {}
        self._asking: set[Platform] = set()

    def follow(self, event: events.HaltRaised | events.HaltLifted) -> None:
        """Begin to ask after a halt; stop when it is lifted."""
        if isinstance(event, events.HaltLifted):
            for name, sweep in list(self._open.items()):
                if sweep.scope == event.scope:
                    del self._open[name]
            return
        self._open[event.receipt_id] = _Sweep(
            scope=event.scope,
            opening_only=event.state == TradingState.REDUCING,
            left=set(self._concerned(event.scope)),
        )
        for platform in self._concerned(event.scope):
            if platform not in self._asking:
                self._asking.add(platform)
                self._supervisor.keep(partial(self._ask, platform), f"sweep {platform}")

    def judge(self, receipt: Receipt) -> Receipt:
        """Return a receipt, not complete while a venue has not shown that nothing works."""
        if receipt.receipt_id not in self._open:
            return receipt
        return msgspec.structs.replace(receipt, complete=False, completed_at=None)

    def _concerned(self, scope: str) -> list[Platform]:
        """Return the venues at which something in a scope may work."""
        kind, _, name = self._book.canonical(scope).partition(":")
        market = self._book.markets.get(name) if kind == "market" else None
        known = name if kind == "platform" else None if market is None else market.listing.platform
        venues = list(self._venues)
        return [each for each in venues if each == known] or venues

    async def _ask(self, platform: Platform) -> None:
        """Ask a venue, until every halt that concerns it is swept there."""
        pause = PAUSE_FIRST
        while sweeps := [name for name, each in self._open.items() if platform in each.left]:
            shown = await self._shown(platform)
            for name in sweeps:
                sweep = self._open.get(name)
                if shown is None or sweep is None or self._works(sweep, shown):
                    continue
                sweep.left.discard(platform)
                if not sweep.left:
                    del self._open[name]
            if any(platform in each.left for each in self._open.values()):
                await self._clock.sleep(pause)
                pause = min(2 * pause, PAUSE_MAX)
        self._asking.discard(platform)

    async def _shown(self, platform: Platform) -> Sequence[VenueOrder] | None:
        """Return what works of ours at a venue, once the book has taken it; None = not told."""
        venue = self._venues[platform]
        try:
            balances = await venue.balances()  # they tell how fresh the list is at least
            listed = await venue.open_orders()
        except VenueError:
            return None
        as_of_ns = min((each.as_of_ns for each in balances), default=0)
        ours = [
            each
            for each in listed
            if (each.client_order_id or "").startswith(CLIENT_ORDER_ID_PREFIX)
        ]
        for each in ours:
            if not agrees(self._book.orders.get(each.client_order_id or ""), each):
                self._writer.tell(commands.TakeVenueOrder(listed=each, as_of_ns=as_of_ns))
        try:
            await self._writer.put(commands.Record(events=()), Lane.FACTS)
        except Undecided:
            return None
        return ours

    def _works(self, sweep: _Sweep, shown: Sequence[VenueOrder]) -> bool:
        """Tell whether anything that a venue shows may be in the scope of a halt."""
        book = self._book
        for each in shown:
            order = book.orders.get(each.client_order_id or "")
            if order is None:
                return True  # ended here by the venue's own word a moment ago, or not known at all
            if sweep.opening_only and order.is_reducing:
                continue
            if book.covers(sweep.scope, subject_of(order, book)):
                return True
        return False
