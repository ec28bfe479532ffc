"""Carries out effects: sends orders, asks for cancels, finds out what became of unknowns.

Guarantees that only this holds a venue (P10), that an order is sent at most once, that cancels go
out at least once until they are answered, and that an unknown is asked for until there is evidence:
never a timer, never a guess, never a resend (P7).
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import msgspec

from arbees.core.book.book import Book
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Accepted,
    ApprovedOrder,
    CancelUnknown,
    Found,
    Gated,
    Inconclusive,
    Lookup,
    Missing,
    NotSent,
    Outcome,
    Refused,
    Unknown,
    WorkingOrder,
)
from arbees.core.deciding.reconciliation import explained
from arbees.core.language.words import (
    SCOPE_ALL,
    Platform,
    TimeInForce,
    TradingState,
)
from arbees.core.ports import CancelsMany, Clock, Venue
from arbees.errors import InvariantViolation, VenueError
from arbees.runtime.intake.writer import Lane, Writer
from arbees.runtime.sending.gate import Gate
from arbees.runtime.supervisor import Supervisor, Work

PAUSE_FIRST = 0.1
PAUSE_MAX = 5.0
TOGETHER_MIN = 5
"""From so many cancels on they go out together, where a venue can be asked so."""
EVERYTHING_ATTEMPTS = 20
"""Of the call that cancels everything: each may reach on for a minute, so not for ever."""


class Note(Protocol):
    """Told of each contact with a venue."""

    def __call__(
        self, platform: Platform, error: str | None, *, is_health: bool = True, pool: str = ""
    ) -> None:
        """
        Take a contact.

        Args:
            platform: of the venue.
            error: why it did not work; None = it did.
            is_health: whether the error says that the venue is ill.
            pool: of the order that was spoken of; empty = it concerns the whole venue.
        """
        ...


class Hearing(msgspec.Struct, frozen=True):
    """Who hears what a venue did."""

    note: Note
    unexplained: Callable[[], None]
    """Told where only cash keeps an order from being absent: it may have moved otherwise."""
    refused: Callable[[Platform, str], None]
    """Told of the market of an order that the venue refused."""


class Dispatcher:
    """The one holder of the venues."""

    def __init__(
        self,
        *,
        venues: dict[Platform, Venue],
        book: Book,
        writer: Writer,
        gate: Gate,
        clock: Clock,
        supervisor: Supervisor,
    ) -> None:
        """
        Hold the venues.

        Args:
            venues: by platform.
            book: to read; the writer changes it.
            writer: takes what venues answer.
            gate: asked in the same step as the first write.
            clock: for pauses between questions.
            supervisor: starts tasks.
        """
        self._venues = venues
        self._book = book
        self._writer = writer
        self._gate = gate
        self._clock = clock
        self._supervisor = supervisor
        self.sending: set[str] = set()
        """Client order ids handed to a venue whose answer is not here yet."""
        self._cancelling: set[str] = set()
        self._resolving: set[str] = set()
        self._waits: dict[str, float] = {}
        """Seconds before the next cancel of an order that the last one did not end."""
        self._pausing = 0
        """How many of the cancels and lookups only wait for their next attempt."""
        self._hear = Hearing(_unheard, _unheard, _unheard)

    def listen(self, hearing: "Hearing") -> None:
        """Tell somebody of the venues; before anything is carried out."""
        self._hear = hearing

    @property
    def is_idle(self) -> bool:
        """Whether no answer of a venue is outstanding (pauses do not count)."""
        asking = len(self._cancelling) + len(self._resolving) - self._pausing
        return not self.sending and not asking

    def carry_out(self, effects: Sequence[commands.Effect]) -> None:
        """Start what a durable batch set off."""
        cancels: list[str] = []
        for effect in effects:
            if isinstance(effect, commands.SendOrder):
                self.sending.add(effect.order.client_order_id)
                self._send_once(effect)
            elif isinstance(effect, commands.CancelOrder):
                cancels.append(effect.client_order_id)
            elif isinstance(effect, commands.ResolveOrder):
                self._once(self._resolving, effect.client_order_id, self._resolve, "resolve")

        idle = [each for each in cancels if each not in self._cancelling | self._waits.keys()]
        are_many = len(cancels) >= TOGETHER_MIN
        together = _together(self._book, self._venues, idle) if are_many else {}
        for platform, orders in together.items():
            self._cancelling.update(each.client_order_id for each in orders)
            self._keep(
                partial(self._cancel_many, platform, orders),
                f"cancel {len(orders)} at {platform}",
            )
        for name in cancels:
            self._once(self._cancelling, name, self._cancel, "cancel")

    def _once(
        self,
        running: set[str],
        client_order_id: str,
        work: Callable[[str], Coroutine[Any, Any, None]],
        name: str,
    ) -> None:
        if client_order_id not in running:
            running.add(client_order_id)
            self._keep(partial(work, client_order_id), f"{name} {client_order_id}")

    def _keep(self, work: Work, name: str) -> None:
        """Start what asks a venue; asking anew does no harm."""
        self._supervisor.keep(work, name)

    # Orders ------------------------------------------------------------------------------------

    def _send_once(self, send: commands.SendOrder) -> None:
        """Send an order in a task of its own; if that dies, its bytes may have left (P7)."""
        order = send.order

        def died(error: BaseException) -> None:
            sent_ns = self._clock.now_ns()
            outcome = Unknown(message=f"the sending broke off: {error!r}"[:300], sent_ns=sent_ns)
            self._take(send, outcome)

        name = f"send {order.client_order_id}"
        self._supervisor.once(self._send(send), name, died)

    async def _send(self, send: commands.SendOrder) -> None:
        order = send.order
        venue = self._venues[order.platform]
        try:
            outcome: Outcome = await venue.submit(order, lambda: self._gate.check(order))
        finally:
            self.sending.discard(order.client_order_id)
        self._judge(order.platform, order.market_key, outcome)
        if isinstance(outcome, Refused) and not outcome.is_kill:
            self._hear.refused(order.platform, order.market_id)
        if isinstance(outcome, Accepted) and outcome.closed is None and _is_brief(order):
            # Its own stream says how it ended, within moments; if it does not, we ask.
            self._once(self._resolving, order.client_order_id, self._verify, "verify")
        self._take(send, outcome)

    def _take(self, send: commands.SendOrder, outcome: Outcome) -> None:
        self._tell(
            commands.TakeOutcome(
                client_order_id=send.order.client_order_id,
                outcome=outcome,
                request=send.request,
            )
        )

    def _judge(self, platform: Platform, market_key: str, outcome: Outcome) -> None:
        """Feed the breaker with what the answer says of the venue's health."""
        if isinstance(outcome, Gated):
            return  # our own word, not the venue's
        pool = _pool_of(self._book, market_key)
        if isinstance(outcome, NotSent):  # it reached no shard
            self._hear.note(platform, outcome.message, is_health=outcome.is_health)
        elif isinstance(outcome, Unknown):
            self._hear.note(platform, outcome.message, is_health=outcome.is_health, pool=pool)
        elif not (isinstance(outcome, Refused) and outcome.is_health):
            # A pause or a limit of calls is an answer: the venue's own state says what it takes.
            self._hear.note(platform, None)
            self._hear.note(platform, None, pool=pool)

    def _tell(self, command: commands.Command) -> None:
        """Hand an answer to the writer; a poisoned one cannot take it, the restart will ask."""
        self._writer.tell(command, Lane.FACTS)

    # Cancels -----------------------------------------------------------------------------------

    async def _cancel(self, client_order_id: str) -> None:
        """Ask until the venue says something about the order, or the order has ended."""
        pause = PAUSE_FIRST
        try:
            if client_order_id in self._waits:
                pause = await self._pause(self._waits[client_order_id])
            while (order := self._book.orders.get(client_order_id)) is not None:
                if client_order_id in self.sending:
                    return  # its answer comes first; the cancel is chased then
                outcome = await self._venues[order.platform].cancel(
                    client_order_id, order.venue_order_id, order.market_id
                )
                if not isinstance(outcome, CancelUnknown):
                    self._wait_longer(client_order_id, pause)
                    self._tell(
                        commands.TakeCancel(client_order_id=client_order_id, outcome=outcome)
                    )
                    return
                pool = _pool_of(self._book, order.market_key)
                self._hear.note(
                    order.platform, outcome.message, is_health=outcome.is_health, pool=pool
                )
                pause = await self._pause(pause)
        finally:
            self._cancelling.discard(client_order_id)

    async def _cancel_many(self, platform: Platform, orders: Sequence[WorkingOrder]) -> None:
        """Ask for many cancels at once; what the answers do not settle is asked for one by one."""
        names, left = {each.client_order_id for each in orders}, list[str]()
        venue = self._venues[platform]
        assert isinstance(venue, CancelsMany)
        try:
            outcomes = await venue.cancel_many(orders)
            for name in sorted(names):
                outcome = outcomes.get(name)
                if outcome is None or isinstance(outcome, CancelUnknown):
                    left.append(name)
                    continue
                self._wait_longer(name, PAUSE_FIRST)
                self._tell(commands.TakeCancel(client_order_id=name, outcome=outcome))
        finally:
            self._cancelling -= names
        if left:
            said = f"{len(left)} of {len(orders)} cancels are not answered"
            is_health = any(
                isinstance(each, CancelUnknown) and each.is_health for each in outcomes.values()
            )
            self._hear.note(platform, said, is_health=is_health)
        for name in left:
            self._once(self._cancelling, name, self._cancel, "cancel")

    def _wait_longer(self, client_order_id: str, seconds: float) -> None:
        """Remember not to ask again at once, should this answer not be the end of an order."""
        waits = self._waits.items()
        self._waits = {name: wait for name, wait in waits if name in self._book.orders}
        self._waits[client_order_id] = seconds

    async def _pause(self, seconds: float) -> float:
        """Wait before the next attempt; return how long to wait before the one after it."""
        self._pausing += 1
        try:
            await self._clock.sleep(seconds)
        finally:
            self._pausing -= 1
        return min(2 * seconds, PAUSE_MAX)

    def cancel_everything(self, platform: Platform) -> None:
        """Shut a venue by a call of its own, besides the cancels of single orders; in a task."""
        self._keep(partial(self._cancel_everything, platform), f"cancel everything at {platform}")

    async def _cancel_everything(self, platform: Platform) -> None:
        pause = PAUSE_FIRST
        for _ in range(EVERYTHING_ATTEMPTS):
            if not _is_stopped(self._book):
                return  # lifted meanwhile: what was placed since is not to be cancelled
            try:
                await self._venues[platform].cancel_everything()
            except VenueError as error:
                self._hear.note(platform, str(error), is_health=error.is_health)
                pause = await self._pause(pause)
            else:
                return

    def re_arm(self, platform: Platform, pool: str | None = None) -> None:
        """Open a venue that was shut, or the breaker of a pool; in a task, until it answers."""
        self._keep(partial(self._re_arm, platform, pool), f"re-arm {pool or platform}")

    async def _re_arm(self, platform: Platform, pool: str | None) -> None:
        pause = PAUSE_FIRST
        while not _is_stopped(self._book):  # a new stop meanwhile keeps it shut
            try:
                await self._venues[platform].re_arm(pool)
            except VenueError as error:
                self._hear.note(platform, str(error), is_health=error.is_health)
                pause = await self._pause(pause)
            else:
                return

    async def cancel_unjournaled(self) -> None:
        """
        Cancel all that works, once, without a journal: it failed, the process is ending.

        A cancel that breaks does not keep the others from being asked for; it is raised at the end.
        """
        asked = [self.cancel_once(order) for order in list(self._book.orders.values())]
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def cancel_once(self, order: Order) -> None:
        """Ask for one cancel, without a journal."""
        await self._venues[order.platform].cancel(
            order.client_order_id, order.venue_order_id, order.market_id
        )

    # Evidence ----------------------------------------------------------------------------------

    async def _verify(self, client_order_id: str) -> None:
        """Give the venue's own stream a moment; then look for the order (R10)."""
        await self._resolve(client_order_id, await self._pause(PAUSE_FIRST))

    async def _resolve(self, client_order_id: str, pause: float = PAUSE_FIRST) -> None:
        """Look for an order until it is found, or absent by evidence, or has ended."""
        try:
            while (order := self._book.orders.get(client_order_id)) is not None:
                if client_order_id in self.sending:
                    return
                lookup = await self._look_up(order)
                if not isinstance(lookup, Inconclusive):
                    self._tell(commands.TakeLookup(client_order_id=client_order_id, lookup=lookup))
                    if not _is_partial(lookup, order):
                        return
                pause = await self._pause(pause)
        finally:
            self._resolving.discard(client_order_id)

    async def _look_up(self, order: Order) -> Lookup:
        sent_ns = order.created_ns if order.sent_ns is None else order.sent_ns
        try:
            lookup = await self._venues[order.platform].find(
                order.client_order_id, order.market_id, sent_ns
            )
        except VenueError as error:
            self._hear.note(order.platform, str(error), is_health=error.is_health)
            return Inconclusive(message=str(error))
        if isinstance(lookup, Missing):
            lookup = explained(self._book, order, lookup)
            if isinstance(lookup, Inconclusive):
                self._hear.unexplained()
        if not isinstance(lookup, Inconclusive):
            self._hear.note(order.platform, None)
        return lookup


def _unheard(*facts: object, **_more: object) -> None:
    raise InvariantViolation(f"Expected somebody to hear of venues: {facts!r}")


def _is_brief(order: ApprovedOrder | Order) -> bool:
    """Tell whether an order ends by itself at once."""
    return order.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}


def _is_partial(lookup: Lookup, order: Order) -> bool:
    """Tell whether an order must have ended, and it may not be known yet with which fills."""
    return isinstance(lookup, Found) and (lookup.closed is not None or _is_brief(order))


def _together(
    book: Book, venues: Mapping[Platform, Venue], names: Iterable[str]
) -> dict[Platform, list[WorkingOrder]]:
    """Return what can be cancelled together: named by its venue."""
    found: dict[Platform, list[WorkingOrder]] = {}
    for name in names:
        order = book.orders.get(name)
        if (
            order is None
            or order.venue_order_id is None
            or not isinstance(venues[order.platform], CancelsMany)
        ):
            continue
        named = WorkingOrder(
            client_order_id=name,
            venue_order_id=order.venue_order_id,
            market_id=order.market_id,
        )
        found.setdefault(order.platform, []).append(named)
    return {platform: orders for platform, orders in found.items() if len(orders) > 1}


def _is_stopped(book: Book) -> bool:
    """Whether everything is to be still, by the book."""
    halts = book.halts.values()
    return any(each.scope == SCOPE_ALL and each.state is TradingState.HALTED for each in halts)


def _pool_of(book: Book, market_key: str) -> str:
    market = book.markets.get(market_key)
    return "" if market is None else market.listing.pool
