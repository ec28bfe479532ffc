"""What venues say of our orders, as events: acknowledgements, fills, ends, evidence.

Guarantees that a fill counts exactly once and in every state, that an unknown ends on evidence
only, and that a later truth is a correction, never an edit (P2, P7, P8).
"""

from typing import Any

from msgspec import structs

from arbees.core import breaks, control
from arbees.core import commands as c
from arbees.core import events as e
from arbees.core.book import Book
from arbees.core.order import NOTHING, Order, amended
from arbees.core.orders.terms import difference, is_same_place, limit_of
from arbees.core.outcomes import (
    Accepted,
    CancelAccepted,
    CancelMissed,
    Fill,
    Found,
    Gated,
    Missing,
    NotSent,
    Outcome,
    Refused,
    Unknown,
    VenueOrder,
)
from arbees.core.request import Request
from arbees.core.reserve import reserve_rest
from arbees.core.units import MICRO, format_micro, mul_ceil, mul_floor, share_floor
from arbees.core.words import Action, OrderStatus, Side

ALREADY_EXISTS = "order_already_exists"
"""A venue's word for: an earlier send of this id landed. We send once, so its fate is unknown."""


class _Scratch:
    """Events of one command, with what earlier ones of them changed."""

    def __init__(self, book: Book, order: Order, final_sequence: int | None) -> None:
        self.book = book
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
        self.is_open = final_sequence is None
        self.is_acknowledged = order.acknowledged_ns is not None
        self.events: list[e.Event] = []
        self.effects: list[c.Effect] = []

    def ids(self) -> dict[str, Any]:
        """Return the fields that all order events share."""
        return {
            "client_order_id": self.order.client_order_id,
            "request_id": self.order.request_id,
        }

    def decision(self) -> c.Decision:
        """Return what was gathered; what came too late for the settlement is settled likewise."""
        payouts = self.market.payouts
        if payouts is not None and any(quantity for quantity, _ in self.held.values()):
            key = self.market.listing.market_key
            self.events.append(control.settlement(key, payouts, self.held, self.paid))
        if not self.is_open:
            self.events += breaks.closed_with(self.book, self.order, self.events)
        return c.Decision(tuple(self.events), tuple(self.effects))

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

    def end(self, event: e.Event) -> None:
        """End the order, unless it is closed already."""
        if self.is_open:
            self.events.append(event)
            self.is_open = False


def _start(book: Book, client_order_id: str, past: c.Past | None) -> _Scratch | None:
    order = book.orders.get(client_order_id)
    if order is not None:
        return _Scratch(book, order, None)
    return None if past is None else _Scratch(book, past.order, past.final_sequence)


def take_outcome(book: Book, command: c.TakeOutcome, now_ns: int) -> c.Decision:
    """Take what the venue answered to an order."""
    scratch = _start(book, command.client_order_id, command.past)
    if scratch is None:
        return c.NO_DECISION
    outcome = command.outcome
    if isinstance(outcome, Accepted):
        _acknowledge(scratch, outcome.venue_order_id, "answer")
        _take_fills(scratch, outcome.fills)
        _take_end(scratch, outcome.closed)
        if scratch.is_open and scratch.order.cancel_reason is not None:
            # The cancel was asked for while it was on its way: chase it.
            scratch.effects.append(c.CancelOrder(command.client_order_id))
    elif not scratch.is_open:
        return c.NO_DECISION
    elif scratch.order.status is not OrderStatus.PENDING:
        # Its own stream was faster than this answer, or contradicts it: ask how it ended.
        scratch.effects.append(c.ResolveOrder(command.client_order_id))
    elif _is_proof(outcome) and not scratch.filled:
        _take_proof(scratch, outcome, command.request)
    else:
        sent_ns = outcome.sent_ns if isinstance(outcome, Unknown) else now_ns
        scratch.events.append(
            e.OrderUnknown(**scratch.ids(), message=outcome.message, sent_ns=sent_ns)
        )
        scratch.effects.append(c.ResolveOrder(command.client_order_id))
    return scratch.decision()


def _is_proof(outcome: Outcome) -> bool:
    """Tell whether an answer proves that the venue has no order."""
    if isinstance(outcome, Refused):
        return outcome.venue_code != ALREADY_EXISTS
    return isinstance(outcome, Gated | NotSent)


def _take_proof(scratch: _Scratch, outcome: Outcome, request: Request) -> None:
    """End an order that never was at the venue; the next alternate may be tried."""
    leg, ids = scratch.order.leg, scratch.ids()
    falls_back = leg < len(request.alternates)
    if isinstance(outcome, Gated):
        scratch.end(e.OrderDenied(**ids, code=outcome.code, message=outcome.message))
        return
    if isinstance(outcome, Refused) and outcome.is_kill:
        _take_end(scratch, "killed")
        return
    if isinstance(outcome, Refused):
        falls_back = falls_back and outcome.is_health
        scratch.end(
            e.OrderRejected(
                **ids,
                venue_code=outcome.venue_code,
                message=outcome.message,
                falls_back=falls_back,
            )
        )
    elif isinstance(outcome, NotSent):
        scratch.end(e.OrderNotSent(**ids, message=outcome.message, falls_back=falls_back))
    if falls_back:
        scratch.effects.append(c.TryAlternate(request, leg + 1, scratch.order.key_id))


def take_fill(book: Book, command: c.TakeFill) -> c.Decision:
    """Take one fill, from whatever source; presence ends an unknown."""
    fill = command.fill
    scratch = _start(book, fill.client_order_id, command.past)
    if scratch is None:
        return c.NO_DECISION
    if fill.venue_order_id is not None and fill.trade_id not in scratch.trades:
        _acknowledge(scratch, fill.venue_order_id, "fill")
    _take_fills(scratch, (fill,))
    return scratch.decision()


def take_closed(book: Book, command: c.TakeClosed) -> c.Decision:
    """
    Take the venue's word that it ended an order.

    It ends at once only if the fills that are known explain it; else one is missing, and a closed
    order is never asked for again: it is looked up first.
    """
    closed = command.closed
    scratch = _start(book, closed.client_order_id, None)
    if scratch is None:
        return c.NO_DECISION
    _take_word_of_end(scratch, closed.closed, closed.reason, closed.filled)
    return scratch.decision()


def take_lookup(book: Book, command: c.TakeLookup, rules: c.Rules) -> c.Decision:
    """Take the evidence of a search: presence at once, absence with all of its items."""
    scratch = _start(book, command.client_order_id, command.past)
    if scratch is None:
        return c.NO_DECISION
    lookup = command.lookup
    if isinstance(lookup, Found):
        _acknowledge(scratch, lookup.venue_order_id, lookup.by)
        _rename(scratch, lookup.venue_order_id, lookup.by)
        listed = lookup.listed
        if listed is not None and listed.closed is None and scratch.is_open:
            _take_terms(scratch, listed, lookup.by, rules)
        _take_fills(scratch, lookup.fills)
        if listed is None or lookup.closed is None:
            _take_end(scratch, lookup.closed)
        elif scratch.is_open:
            _take_word_of_end(scratch, lookup.closed, "", listed.filled)
        if scratch.is_open and scratch.order.cancel_reason is not None:
            scratch.effects.append(c.CancelOrder(command.client_order_id))
    elif (
        isinstance(lookup, Missing)
        and scratch.order.status is OrderStatus.UNKNOWN
        and not scratch.filled  # a fill is presence, whatever a listing says
    ):
        scratch.end(
            e.OrderNotSent(
                **scratch.ids(),
                message="absent at the venue by evidence",
                evidence=lookup.evidence,
            )
        )
    return scratch.decision()


def take_venue_order(
    book: Book, command: c.TakeVenueOrder, rules: c.Rules, now_ns: int
) -> c.Decision:
    """
    Take the venue's word that it has an order of ours: presence, whatever an answer said.

    What works at the venue and has ended here is reopened, counted in the worst case, and
    cancelled if a halt covers it; other terms than the approved ones are a break, and count by the
    worse of the two.
    """
    listed = command.listed
    scratch = _start(book, listed.client_order_id or "", command.past)
    if scratch is None or not is_same_place(scratch.order, listed):
        return c.NO_DECISION
    if not scratch.is_open:
        if not _outranks(command, scratch.order):
            return c.NO_DECISION
        _reopen(scratch, command, rules, now_ns)
    else:
        _acknowledge(scratch, listed.venue_order_id, command.by)
        _rename(scratch, listed.venue_order_id, command.by)
    if listed.closed is not None:
        _take_word_of_end(scratch, listed.closed, listed.reason, listed.filled)
        return scratch.decision()
    _take_terms(scratch, listed, command.by, rules)
    if listed.filled > scratch.filled:
        scratch.effects.append(c.ResolveOrder(scratch.order.client_order_id))
    if scratch.order.cancel_reason is not None:
        scratch.effects.append(c.CancelOrder(scratch.order.client_order_id))
    return scratch.decision()


_NEVER_THERE = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.NOT_SENT})
"""Ends by which the venue never had the order: that it shows it at all contradicts them."""


def _outranks(command: c.TakeVenueOrder, order: Order) -> bool:
    """
    Tell whether what a venue shows of an order is more than the end that the book knows.

    What the venue ended by its own word may be shown as working for a while by a read that lags;
    only one that is younger than that end says that it works on.
    """
    if order.status in _NEVER_THERE:
        return True
    past = command.past
    return command.listed.closed is None and past is not None and command.as_of_ns > past.final_ns


def _reopen(scratch: _Scratch, command: c.TakeVenueOrder, rules: c.Rules, now_ns: int) -> None:
    """Open a closed order again, as a correction; halts that cover it cancel it at once."""
    listed, past, corrects = command.listed, scratch.order, scratch.final_sequence
    assert corrects is not None, "only what is closed is reopened"
    ended = past.status
    order = structs.replace(
        past,
        status=OrderStatus.PARTIALLY_FILLED if past.filled else OrderStatus.WORKING,
        venue_order_id=listed.venue_order_id,
        acknowledged_ns=now_ns,
        trades=list(past.trades),
        cancel_reason=None,
        is_inside=False,
    )
    price = limit_of(order, listed)
    if listed.closed is None and price is not None:
        order.amended = amended(order, listed.quantity, price)
    order.reserved = reserve_rest(order, order.remaining)
    scratch.order, scratch.is_open, scratch.is_acknowledged = order, True, True
    scratch.final_sequence = None
    ours = f"{past.client_order_id} {ended}"
    theirs = f"{listed.venue_order_id} {'working' if listed.closed is None else listed.closed}"
    reopened = e.OrderReopened(
        **scratch.ids(),
        order=order,
        by=command.by,
        message=f"the venue shows it as {theirs}, it was {ended}",
        corrects=corrects,
    )
    scratch.events += (reopened, breaks.opened(rules, order, breaks.REOPENED, ours, theirs))
    scratch.effects.append(c.ResolveOrder(past.client_order_id))
    if listed.closed is None:
        reason = control.halt_over(scratch.book, order)
        if reason is not None:
            asked = e.CancelRequested(**scratch.ids(), reason=f"halt: {reason}", actor="arbees")
            scratch.events.append(asked)
            order = scratch.order = structs.replace(order, cancel_reason=asked.reason)


def _take_terms(scratch: _Scratch, listed: VenueOrder, by: str, rules: c.Rules) -> None:
    """Take the terms that a venue shows of a working order; others than approved are a break."""
    order = scratch.order
    differs, price = difference(order, listed), limit_of(order, listed)
    if price is not None:
        seen = structs.replace(order, amended=amended(order, listed.quantity, price))
        if seen.amended != order.amended:
            rest = reserve_rest(seen, seen.most - scratch.filled)
            scratch.events.append(
                e.OrderAmended(
                    **scratch.ids(),
                    quantity=listed.quantity,
                    limit_price=price,
                    by=by,
                    reserved=rest,
                )
            )
            seen.reserved = rest
            scratch.order = seen
    scratch.events += breaks.of_terms(scratch.book, rules, order, differs)


def _rename(scratch: _Scratch, venue_order_id: str, by: str) -> None:
    """Take the id under which a venue lists an order, if an answer gave another."""
    order = scratch.order
    before = order.venue_order_id
    if before is not None and before != venue_order_id:
        scratch.events.append(
            e.VenueIdChanged(**scratch.ids(), venue_order_id=venue_order_id, before=before, by=by)
        )


def _take_word_of_end(scratch: _Scratch, closed: str, reason: str, filled: int | None) -> None:
    """End an order by the venue's word if the known fills explain it; else look for the rest."""
    if closed == "filled" and filled and filled == scratch.filled and scratch.is_open:
        # Less than was asked for: it was decreased there, and all that was left of it filled.
        size = format_micro(scratch.order.quantity)
        reason = f"the venue says executed, with {format_micro(filled)} of {size}"
        scratch.end(e.OrderCancelled(**scratch.ids(), reason=reason))
    elif filled == scratch.filled:
        _take_end(scratch, closed, reason or None)
    if scratch.is_open:
        scratch.effects.append(c.ResolveOrder(scratch.order.client_order_id))


def take_cancel(book: Book, command: c.TakeCancel) -> c.Decision:
    """
    Take the answer to a cancel.

    The order ends only if what was cancelled and what filled explain all of it; else it is looked
    up, since a fill may have come in between.
    """
    scratch = _start(book, command.client_order_id, None)
    if scratch is None:
        return c.NO_DECISION
    outcome, order = command.outcome, scratch.order
    there = order.quantity if order.amended is None else order.amended[0]
    if isinstance(outcome, CancelAccepted) and outcome.quantity == there - order.filled:
        scratch.end(e.OrderCancelled(**scratch.ids(), reason=order.cancel_reason or "cancelled"))
        return scratch.decision()
    if isinstance(outcome, CancelAccepted):
        message = "what was cancelled does not explain the order; a fill may be missing"
    else:
        message = outcome.message
    scratch.events.append(e.CancelAnswered(**scratch.ids(), message=message))
    if isinstance(outcome, CancelAccepted | CancelMissed):
        scratch.effects.append(c.ResolveOrder(order.client_order_id))
    else:
        scratch.effects.append(c.CancelOrder(order.client_order_id))
    return scratch.decision()


def _acknowledge(scratch: _Scratch, venue_order_id: str, by: str) -> None:
    if scratch.is_open and not scratch.is_acknowledged:
        scratch.events.append(
            e.OrderAcknowledged(**scratch.ids(), venue_order_id=venue_order_id, by=by)
        )
        scratch.is_acknowledged = True


def _take_end(scratch: _Scratch, closed: str | None, reason: str | None = None) -> None:
    """End an order as the venue says; a `filled` ends by its fills alone, here."""
    if closed is None or closed == "filled" or not scratch.is_open:
        return
    if closed == "expired":
        scratch.end(e.OrderExpired(**scratch.ids()))
        return
    words = {"killed": "fill or kill: not wholly fillable"}
    asked = scratch.order.cancel_reason
    scratch.end(
        e.OrderCancelled(**scratch.ids(), reason=asked or reason or words.get(closed, closed))
    )


# Fills -----------------------------------------------------------------------------------------


def _take_fills(scratch: _Scratch, fills: tuple[Fill, ...]) -> None:
    for fill in fills:
        if fill.trade_id not in scratch.trades:
            scratch.trades.append(fill.trade_id)
            of_yes = fill.is_of_yes and scratch.order.wire_side is Side.NO
            named = structs.replace(fill, price=MICRO - fill.price) if of_yes else fill
            _take_fill(scratch, named)


def _take_fill(scratch: _Scratch, fill: Fill) -> None:
    order, market = scratch.order, scratch.market
    if order.action is Action.SELL or market.listing.is_netting:
        closes = order.side if order.action is Action.SELL else order.side.opposite
        scratch.take_back(closes, fill.quantity)
    change, realized, cash = _position_change(scratch, fill)
    scratch.filled += fill.quantity
    remaining = order.quantity - scratch.filled
    reserved = reserve_rest(order, remaining) if scratch.is_open else NOTHING
    is_complete = scratch.is_open and remaining <= 0
    cash -= fill.fee
    spent = -cash if cash < 0 else 0
    outside = fill.fee if order.is_inside and scratch.is_open else spent
    signed = fill.quantity if order.is_bid else -fill.quantity
    scratch.events.append(
        e.OrderFilled(
            **scratch.ids(),
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
            reserved=reserved,
            is_complete=is_complete,
            yes_quantity=change[Side.YES][0],
            yes_cost=change[Side.YES][1],
            no_quantity=change[Side.NO][0],
            no_cost=change[Side.NO][1],
            realized=realized,
            cash=cash,
            outside=outside,
            strategy_quantity=signed,
            corrects=scratch.final_sequence,
        )
    )
    if is_complete:
        scratch.is_open = False


def _position_change(scratch: _Scratch, fill: Fill) -> tuple[dict[Side, tuple[int, int]], int, int]:
    """Return the change of each side's (quantity, cost), the realized P&L and the cash."""
    order, market = scratch.order, scratch.market
    # A Sell of what nobody knew of before the settlement still has its price.
    nets = market.listing.is_netting or market.is_settled
    before = {side: tuple(held) for side, held in scratch.held.items()}
    realized, cash = 0, 0
    opens, left, price = order.side, fill.quantity, fill.price
    if order.action is Action.SELL:
        closes, receives = order.side, fill.price
        opens, price = order.side.opposite, MICRO - fill.price
    else:
        closes, receives = order.side.opposite, MICRO - fill.price
    if order.action is Action.SELL or nets:
        closed = min(left, scratch.held[closes][0])
        removed = _close(scratch.held[closes], closed)
        proceeds = mul_floor(receives, closed)
        realized, cash, left = proceeds - removed, proceeds, left - closed
    if left and (order.action is Action.BUY or nets):
        cost = mul_ceil(price, left)
        scratch.held[opens][0] += left
        scratch.held[opens][1] += cost
        cash -= cost
    change = {
        side: (held[0] - before[side][0], held[1] - before[side][1])
        for side, held in scratch.held.items()
    }
    return change, realized, cash


def _close(held: list[int], quantity: int) -> int:
    """Take a quantity out of a holding at average cost; return the cost that went with it."""
    if quantity == 0:
        return 0
    removed = share_floor(held[1], quantity, held[0])
    held[0] -= quantity
    held[1] -= removed
    return removed
