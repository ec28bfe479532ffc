"""Changes of one order by one command: the events, and what earlier ones of them changed.

Guarantees that a fill is booked once, that one which contradicts its order is not booked but told,
that a failed execution is taken back once, and that all of it adds up to the micro-dollar: what is
realized, what is held and what was paid are one sum.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import structs

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.book.open_order import NOTHING, Order
from arbees.core.book.reservation import reserve_rest
from arbees.core.deciding import commands, control
from arbees.core.deciding.outcomes import Fill
from arbees.core.language.units import (
    MICRO,
    mul_ceil,
    mul_floor,
    share_floor,
)
from arbees.core.language.words import Action, Side
from arbees.core.orders import breaks
from arbees.core.orders.terms import contradiction

Change = dict[Side, tuple[int, int]]
"""Quantity and cost by which each side of what is held changes."""


class OrderChanges:
    """Events and effects of one command on one order, open or closed."""

    def __init__(
        self, book: Book, rules: commands.Rules, order: Order, final_sequence: int | None
    ) -> None:
        """
        Begin with an order as it is.

        Args:
            book: not changed.
            rules: what breaks of orders do.
            order: open in the book, or closed and read again.
            final_sequence: record of its final result; None = it is open.
        """
        self.book = book
        self.rules = rules
        self.market = book.markets[order.market_key]
        self.order = order
        self.final_sequence = final_sequence
        self.held = {
            Side.YES: [self.market.yes.quantity, self.market.yes.cost],
            Side.NO: [self.market.no.quantity, self.market.no.cost],
        }
        self.paid = {Side.YES: self.market.settled_yes, Side.NO: self.market.settled_no}
        """What the settlement paid out, where there was one."""
        self.filled = order.filled
        self.trades = list(order.trades)
        self.disputed = list(order.disputed)
        self.is_open = final_sequence is None
        self.is_acknowledged = order.acknowledged_ns is not None
        self.events: list[events.Event] = []
        self.effects: list[commands.Effect] = []

    def ids(self) -> dict[str, Any]:
        """Return the fields that all order events share."""
        return {
            "client_order_id": self.order.client_order_id,
            "request_id": self.order.request_id,
        }

    def decision(self) -> commands.Decision:
        """Return what was gathered; what came too late for the settlement is settled likewise."""
        payouts = self.market.payouts
        if payouts is not None and any(quantity for quantity, _ in self.held.values()):
            key = self.market.listing.market_key
            self.events.append(control.settlement(key, payouts, self.held, self.paid))
        if not self.is_open:
            self.events += breaks.closed_with(self.book, self.order, self.events)
        return commands.Decision(tuple(self.events), tuple(self.effects))

    def take_back(self, side: Side, quantity: int) -> None:
        """Hold again what was paid out and had been closed before, as is heard only now."""
        payouts, quantity = self.market.payouts, min(quantity, self.paid[side])
        if payouts is None or quantity <= 0:
            return
        back = {side: (-quantity, 0), side.opposite: (0, 0)}
        event = control.settlement(self.market.listing.market_key, payouts, back, self.paid)
        cost = -event.payout
        is_yes = side is Side.YES
        self.events.append(
            structs.replace(
                event,
                realized=0,
                yes_cost=cost if is_yes else 0,
                no_cost=0 if is_yes else cost,
            )
        )
        self.paid[side] -= quantity
        self.held[side][0] += quantity
        self.held[side][1] += cost

    @property
    def left(self) -> int:
        """Micro-contracts that may still fill."""
        return self.order.most - self.filled

    def is_bookable(self, fill: Fill, *, is_proven: bool) -> bool:
        """Tell whether a fill is news, and contradicts nothing."""
        if fill.trade_id in self.trades or fill.trade_id in self.order.reversed:
            return False
        return is_proven or contradiction(self.order, self.filled, self._named(fill)) is None

    def _named(self, fill: Fill) -> Fill:
        """Return a fill at the price of the side that was named."""
        of_yes = fill.is_of_yes and self.order.wire_side is Side.NO
        return structs.replace(fill, price=MICRO - fill.price) if of_yes else fill

    def end(self, event: events.Event) -> None:
        """End the order, unless it is closed already."""
        if self.is_open:
            self.events.append(event)
            self.is_open = False

    # Fills ---------------------------------------------------------------------------------

    def take_fills(self, fills: Iterable[Fill], *, is_proven: bool = False) -> None:
        """
        Book what filled, each trade once; what contradicts the order is disputed instead.

        Args:
            fills: as the venue tells them.
            is_proven: listing and cash agree with them: they count, whatever they contradict.
        """
        order = self.order
        for fill in fills:
            if fill.trade_id in self.trades or fill.trade_id in order.reversed:
                continue
            named = self._named(fill)
            why = None if is_proven else contradiction(order, self.filled, named)
            if why is not None:
                self._dispute(named, why)
            elif not (fill.is_provisional and order.action is Action.SELL):
                # What is sold provisionally is not sold yet; what is bought counts as bought.
                self.trades.append(fill.trade_id)
                self._book(named)

    def _dispute(self, fill: Fill, why: tuple[str, str]) -> None:
        """Tell of a fill that contradicts its order, once, and look the order up."""
        order = self.order
        if fill.trade_id in self.disputed:
            return
        self.disputed.append(fill.trade_id)
        expected, observed = why
        disputed = events.FillDisputed(
            **self.ids(),
            trade_id=fill.trade_id,
            quantity=fill.quantity,
            price=fill.price,
            fee=fill.fee,
            venue_ns=fill.time_ns,
            message=f"expected {expected}, was {observed}",
        )
        self.events.append(disputed)
        self.events += breaks.of_fill(self.book, self.rules, order, fill.trade_id, why)
        if self.is_open:
            self.effects.append(commands.ResolveOrder(order.client_order_id))

    def _book(self, fill: Fill) -> None:
        order, market = self.order, self.market
        if order.action is Action.SELL or market.listing.is_netting:
            closes = order.side if order.action is Action.SELL else order.side.opposite
            self.take_back(closes, fill.quantity)
        nets = market.listing.is_netting or market.is_settled
        change, cash = self._exchange(fill.quantity, fill.price, order.action, nets=nets)
        realized = cash + sum(cost for _, cost in change.values())
        self.filled += fill.quantity
        remaining = order.most - self.filled
        is_complete = self.is_open and remaining <= 0
        cash -= fill.fee
        spent = -cash if cash < 0 else 0
        self.events.append(
            events.OrderFilled(
                **self.ids(),
                platform=order.platform,
                pool=order.pool,
                market_key=market.listing.market_key,
                strategy=order.strategy,
                trade_id=fill.trade_id,
                quantity=fill.quantity,
                price=fill.price,
                value=fill.price * fill.quantity,
                fee=fill.fee,
                is_maker=fill.is_maker,
                venue_ns=fill.time_ns,
                reserved=reserve_rest(order, remaining) if self.is_open else NOTHING,
                is_complete=is_complete,
                yes_quantity=change[Side.YES][0],
                yes_cost=change[Side.YES][1],
                no_quantity=change[Side.NO][0],
                no_cost=change[Side.NO][1],
                realized=realized,
                cash=cash,
                outside=fill.fee if order.is_inside and self.is_open else spent,
                strategy_quantity=fill.quantity if order.is_bid else -fill.quantity,
                corrects=self.final_sequence,
                is_provisional=fill.is_provisional,
            )
        )
        self.events += breaks.fill_agreed(self.book, order, fill.trade_id)
        if is_complete:
            self.is_open = False

    def reverse(self, trade_id: str, filled: events.OrderFilled | None) -> None:
        """
        Take a failed execution back, once: what it paid is paid back, what it opened is closed.

        Args:
            trade_id: of the venue.
            filled: how it was booked; None = it never was, and never will be.
        """
        order, market = self.order, self.market
        if trade_id in order.reversed:
            return
        ids = {
            **self.ids(),
            "platform": order.platform,
            "pool": order.pool,
            "market_key": market.listing.market_key,
            "strategy": order.strategy,
            "trade_id": trade_id,
            "corrects": self.final_sequence,
        }
        if filled is None or trade_id not in self.trades:
            self.events.append(events.FillReversed(**ids, reserved=order.reserved))
            return
        back = Action.SELL if order.action is Action.BUY else Action.BUY
        opened = order.side if back is Action.BUY else order.side.opposite
        change, cash = self._exchange(filled.quantity, filled.price, back, nets=True)
        if not change[opened][0]:
            # All of it was still held: what was paid comes back to the micro-dollar.
            cash = -filled.cash - filled.fee
        realized = cash + sum(cost for _, cost in change.values())
        cash += filled.fee
        self.filled -= filled.quantity
        reserved = NOTHING
        if self.is_open:
            reserved = reserve_rest(order, order.most - self.filled)
        self.events.append(
            events.FillReversed(
                **ids,
                quantity=filled.quantity,
                value=filled.value,
                fee=filled.fee,
                reserved=reserved,
                yes_quantity=change[Side.YES][0],
                yes_cost=change[Side.YES][1],
                no_quantity=change[Side.NO][0],
                no_cost=change[Side.NO][1],
                realized=realized,
                cash=cash,
                strategy_quantity=-filled.strategy_quantity,
            )
        )

    def _exchange(
        self, quantity: int, price: int, action: Action, *, nets: bool
    ) -> tuple[Change, int]:
        """
        Change what is held by an execution; return the change, and the cash without the fee.

        Args:
            quantity: that was executed.
            price: of the order's side.
            action: what was done with that side.
            nets: what is left of a close opens the other side.
        """
        side = self.order.side
        before = {each: tuple(held) for each, held in self.held.items()}
        cash, left = 0, quantity
        if action is Action.SELL:
            closes, receives, opens, pays = side, price, side.opposite, MICRO - price
        else:
            closes, receives, opens, pays = side.opposite, MICRO - price, side, price
        if action is Action.SELL or nets:
            closed = min(left, self.held[closes][0])
            _close(self.held[closes], closed)
            cash, left = mul_floor(receives, closed), left - closed
        if left and (action is Action.BUY or nets):
            cost = mul_ceil(pays, left)
            self.held[opens][0] += left
            self.held[opens][1] += cost
            cash -= cost
        change = {
            each: (held[0] - before[each][0], held[1] - before[each][1])
            for each, held in self.held.items()
        }
        return change, cash


def _close(held: list[int], quantity: int) -> None:
    """Take a quantity out of a holding, and its average cost with it."""
    if quantity:
        removed = share_floor(held[1], quantity, held[0])
        held[0] -= quantity
        held[1] -= removed
