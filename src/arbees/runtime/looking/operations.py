"""What operators see and do at a running gateway; implements `interface.operator.Operator`.

Guarantees that a read shows only what is durable (P1), that a cancel passes in every state of
trading (P4) and reaches the venue also when the journal failed, and that what a person ends by
hand is journaled with who and why. It fails by `Undecided` (journal) or `Conflict` (what is).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.control import ORDER_SCOPE, covered
from arbees.core.deciding.outcomes import VenueOrder
from arbees.core.language.ids import own
from arbees.core.language.units import format_dollars, to_decimal
from arbees.core.language.words import End, OrderStatus, Platform
from arbees.errors import VenueError, VenueRefused
from arbees.interface.operator import (
    AlertView,
    BalanceView,
    BreakView,
    CancelReply,
    CashflowView,
    Conflict,
    Listed,
    OrderView,
    PositionView,
    ReconciliationView,
    ResolvedView,
    SafeguardView,
    TouchView,
)
from arbees.interface.views import Undecided
from arbees.runtime.desk import Desk, Simulator
from arbees.runtime.intake.writer import Committed, Lane
from arbees.runtime.looking import holdings, limit_usage, troubles
from arbees.runtime.looking.reads import Reads
from arbees.runtime.sending.flatten import Flattening
from arbees.runtime.watching.monitors import Monitors
from arbees.runtime.watching.reconciler import Reconciler

T = TypeVar("T")


class Operations:
    """The part of the gateway that operators use; the gateway gives it its parts."""

    desk: Desk
    reads: Reads
    reconciler: Reconciler
    monitors: Monitors
    flattening: Flattening
    last_cancels_seconds: float
    """How long cancels that go out without a journal are waited for."""

    # Looks -------------------------------------------------------------------------------------

    async def orders(self) -> Listed[OrderView]:
        """Return the open orders, oldest first; see the port."""
        return await self._list("orders", holdings.orders)

    async def positions(self) -> Listed[PositionView]:
        """Return what is held."""
        return await self._list("positions", holdings.positions)

    async def touches(self) -> Listed[TouchView]:
        """Return the newest quote of each market that has one."""
        return await self._list("touches", holdings.touches)

    async def balances(self) -> Listed[BalanceView]:
        """Return the money of each pool."""
        return await self._list("balances", holdings.balances)

    async def safeguards(self) -> Listed[SafeguardView]:
        """Return every safeguard in the order of evaluation, with how much of it is used."""
        return await self._list("safeguards", limit_usage.safeguards)

    async def alerts(self) -> Listed[AlertView]:
        """Return the alerts that were raised lately, the newest first."""
        return await self._list("alerts", troubles.alerts)

    async def breaks(self) -> Listed[BreakView]:
        """Return the open reconciliation breaks."""
        return await self._list("breaks", troubles.breaks)

    async def _list(self, name: str, look: Callable[[Desk], tuple[T, ...]]) -> Listed[T]:
        def take() -> Listed[T]:
            return Listed(items=look(self.desk), sequence=self.desk.book.sequence)

        return await self.reads.settled(name, take)

    # Cancels -----------------------------------------------------------------------------------

    async def cancel(
        self,
        order_id: str,
        *,
        reason: str,
        actor: str,
        platform: str | None = None,
        strategy: str | None = None,
    ) -> CancelReply | None:
        """Cancel one order, in every state of trading; see the port."""
        if self.desk.writer.poison is not None:
            await self._cancel_unjournaled(
                [
                    each
                    for each in self.desk.book.orders.values()
                    if order_id in {each.client_order_id, each.venue_order_id}
                    and platform in {None, each.platform}
                    and strategy in {None, each.strategy}
                ]
            )
            raise _sent_unjournaled()
        client_order_id = self._find(order_id, platform)
        if client_order_id is None or not self._is_of(client_order_id, strategy):
            return None
        command = commands.RequestCancel(
            scope=f"{ORDER_SCOPE}{client_order_id}", reason=reason, actor=actor
        )
        order = self.desk.book.orders.get(client_order_id)
        await self._ask_for_cancels(command, [] if order is None else [order])
        return self._cancel_reply(client_order_id)

    def _find(self, order_id: str, platform: str | None) -> str | None:
        """
        Return our own id of an order that is known durably.

        Our own id always counts. Venues number apart, so that two of them may use one id: then the
        order that is open counts.
        """
        journal, book = self.desk.journal, self.desk.book
        own = journal.order(order_id)
        if own is not None and platform in {None, own.platform}:
            return own.client_order_id
        found = [
            row.client_order_id
            for each in Platform
            if platform in {None, str(each)}
            and (row := journal.order_by_venue_id(each, order_id)) is not None
        ]
        still_open = [name for name in found if name in book.orders]
        meant = still_open if len(still_open) == 1 else found
        if len(meant) > 1:
            raise Conflict(
                "AMBIGUOUS_ORDER_ID",
                f"Two venues have an order {order_id}: name the platform, or cancel by our own id: "
                f"{', '.join(meant)}",
            )
        return meant[0] if meant else None

    def _is_of(self, client_order_id: str, strategy: str | None) -> bool:
        """Tell whether an order is a strategy's; None = anybody's."""
        if strategy is None:
            return True
        row = self.desk.journal.order(client_order_id)
        life = None if row is None else self.reads.life(row.request_id)
        return life is not None and life.request.strategy == strategy

    def _cancel_reply(self, client_order_id: str) -> CancelReply | None:
        row = self.desk.journal.order(client_order_id)
        life = None if row is None else self.reads.life(row.request_id)
        if row is None or life is None:
            return None
        return CancelReply(
            order_id=life.order_id,
            client_order_id=client_order_id,
            request_id=own(row.request_id),
            status=life.status,
            sequence=self.desk.journal.head.sequence,
            final=life.final_sequence is not None,
            filled_qty=to_decimal(life.filled),
        )

    async def cancel_all(self, *, scope: str, reason: str, actor: str) -> str:
        """Cancel all that works in a scope; return the id of the receipt. See the port."""
        scope = self.desk.scopes.canonical(scope)
        orders = covered(self.desk.book, scope)
        if self.desk.writer.poison is not None:
            await self._cancel_unjournaled(orders)
            raise _sent_unjournaled()
        receipt_id = self.desk.receipt_id()
        command = commands.RequestCancel(
            scope=scope, reason=reason, actor=actor, receipt_id=receipt_id
        )
        await self._ask_for_cancels(command, orders)
        return receipt_id

    async def flatten(
        self,
        *,
        scope: str,
        reason: str,
        actor: str,
        max_slippage: int | None = None,
        key_id: str | None = None,
    ) -> str:
        """Cancel what is open of a scope and close what is held; see the port."""
        scope = self.desk.scopes.canonical(scope)
        if scope.startswith("model_version:"):
            msg = f"Expected a scope that positions have, no model version, was {scope}"
            raise ValueError(msg)
        orders = covered(self.desk.book, scope)
        if self.desk.writer.poison is not None:
            await self._cancel_unjournaled(orders)
            raise _sent_unjournaled()
        receipt_id = self.desk.receipt_id()
        command = commands.RequestCancel(
            scope=scope,
            reason=f"flatten: {reason}",
            actor=actor,
            receipt_id=receipt_id,
            is_flatten=True,
        )
        await self._ask_for_cancels(command, orders)
        self.flattening.begin(receipt_id, scope, reason, max_slippage, key_id)
        return receipt_id

    async def _ask_for_cancels(
        self, command: commands.RequestCancel, orders: Sequence[Order]
    ) -> None:
        """Journal cancels; if the journal fails at it, they go out all the same."""
        try:
            await self.desk.writer.put(command, Lane.CONTROL)
        except Undecided as error:
            if error.code != "JOURNAL_FAILED":
                raise
            await self._cancel_unjournaled(orders)
            raise _sent_unjournaled() from None

    async def _cancel_unjournaled(self, orders: Sequence[Order]) -> None:
        """Ask the venues without a journal; one that hangs or breaks keeps nobody waiting."""
        asked = [self.desk.dispatcher.cancel_once(order) for order in orders]
        try:
            async with asyncio.timeout(self.last_cancels_seconds):
                answers = await asyncio.gather(*asked, return_exceptions=True)
        except TimeoutError:
            self.desk.alert("JOURNAL_TROUBLE", "not every cancel was answered in time")
            return
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, VenueError):
                raise answer

    # Reconciliation ----------------------------------------------------------------------------

    async def reconcile(self) -> ReconciliationView:
        """Compare the book with every venue now; see the port."""
        failed = await self.reconciler.compare_all()
        breaks = await self.breaks()
        return troubles.reconciliation(self.desk, failed, breaks.items, breaks.sequence)

    async def adopt_break(self, break_id: str, *, reason: str, actor: str) -> ResolvedView | None:
        """Take the venue's word of a break, by a named operator; see the port."""
        if self.desk.writer.poison is not None:
            raise Undecided("JOURNAL_FAILED", "nothing was taken over")
        return await self.reconciler.adopt(break_id, reason=reason, actor=actor)

    async def resolve_break(self, break_id: str, *, reason: str, actor: str) -> ResolvedView | None:
        """End a break by word of a named operator; see the port."""
        command = commands.EndBreak(break_id=break_id, reason=reason, actor=actor)
        return _resolved(break_id, await self._put(command))

    async def resolve_order(
        self, client_order_id: str, *, end: End, reason: str, actor: str
    ) -> ResolvedView | None:
        """End an order by word of a named operator; see the port."""
        if (shown := await self._shown(client_order_id)) is not None:
            self.desk.writer.tell(commands.TakeVenueOrder(listed=shown))
            raise Conflict("NOT_UNKNOWN", "The order works at its venue; cancel it instead")
        command = commands.EndUnknown(
            client_order_id=client_order_id, end=end, reason=reason, actor=actor
        )
        resolved = _resolved(client_order_id, await self._put(command))
        if resolved is not None:
            return resolved
        order = self.desk.book.orders.get(client_order_id)
        if order is None:
            known = self._cancel_reply(client_order_id)
            if known is None:
                return None
            raise Conflict("NOT_UNKNOWN", f"The order has ended: it is {known.status}")
        if order.status is OrderStatus.PENDING:
            raise Conflict("NOT_UNKNOWN", "The order is on its way; wait for its answer")
        raise Conflict("NOT_ABSENT", "Some of the order was at the venue: end it as cancelled")

    async def _shown(self, client_order_id: str) -> VenueOrder | None:
        """Return an open order as its venue lists it at work; one that cannot be asked shows none.

        Whoever ends an order while its venue is away takes that upon them; it is reopened if the
        venue shows it later.
        """
        order = self.desk.book.orders.get(client_order_id)
        if order is None:
            return None
        try:
            listed = await self.desk.venues[order.platform].open_orders()
        except VenueError:
            return None
        return next((each for each in listed if each.client_order_id == client_order_id), None)

    # Money -------------------------------------------------------------------------------------

    async def move_cash(
        self, platform: str, amount_micro: int, *, reason: str, actor: str
    ) -> CashflowView:
        """Record a deposit or withdrawal; on paper it is made first. See the port."""
        if amount_micro == 0:
            raise ValueError("Expected an amount other than 0")
        venue = Platform(platform)
        if self.desk.writer.poison is not None:
            raise Undecided("JOURNAL_FAILED", "nothing was moved")
        command = commands.MoveCash(platform=venue, amount=amount_micro, reason=reason, actor=actor)
        async with self.reconciler.turn:
            if self.desk.simulator is not None:
                await _move_on_paper(self.desk.simulator, venue, amount_micro)
            try:
                committed = await self._put(command)
            except Undecided as error:
                is_made = self.desk.simulator is not None
                where = "on record, but made on paper" if is_made else "on record"
                message = f"the movement is not {where}; a comparison tells"
                raise Undecided(error.code, message) from None
        if self.desk.simulator is not None:
            await self.monitors.refresh_balances()
        return CashflowView(
            platform=venue,
            amount=to_decimal(amount_micro),
            reason=reason,
            sequence=committed.records[0][0],
        )

    async def _put(self, command: commands.Command) -> Committed:
        return await self.desk.writer.put(command, Lane.CONTROL)


def _resolved(name: str, committed: Committed) -> ResolvedView | None:
    if not committed.records:
        return None
    return ResolvedView(name=name, sequence=committed.records[-1][0])


def _sent_unjournaled() -> Undecided:
    message = "the venue was asked to cancel, but that is not on record; look there"
    return Undecided("JOURNAL_FAILED", message)


async def _move_on_paper(simulator: Simulator, venue: Platform, amount_micro: int) -> None:
    try:
        await simulator.move_cash(venue, amount_micro)
    except VenueRefused:
        asked = format_dollars(-amount_micro)
        raise Conflict(
            "INSUFFICIENT_BALANCE",
            f"Expected a withdrawal of at most what {venue} has available, was {asked}",
        ) from None
    except VenueError as error:
        raise Undecided("JOURNAL_FAILED", f"the paper exchange failed: {error}") from None
