"""What venues say of our orders, as events: acknowledgements, fills, ends, evidence.

Guarantees that a fill counts exactly once and in every state, that an unknown ends on evidence
only, and that a later truth is a correction, never an edit (P2, P7, P8).
"""

from msgspec import structs

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.book.open_order import Order, amended
from arbees.core.book.reservation import reserve_rest
from arbees.core.deciding import commands, control
from arbees.core.deciding.outcomes import (
    Accepted,
    CancelAccepted,
    CancelMissed,
    Found,
    Gated,
    Missing,
    NotSent,
    Outcome,
    Refused,
    Unknown,
    VenueOrder,
)
from arbees.core.language.request import Request
from arbees.core.language.units import format_micro
from arbees.core.language.words import OrderStatus
from arbees.core.orders import breaks
from arbees.core.orders.changes import OrderChanges
from arbees.core.orders.lifecycle import NEVER_THERE
from arbees.core.orders.terms import difference, is_same_place, limit_of

ALREADY_EXISTS = "order_already_exists"
"""A venue's word for: an earlier send of this id landed. We send once, so its fate is unknown."""


def _start(
    book: Book, rules: commands.Rules, client_order_id: str, past: commands.ClosedOrder | None
) -> OrderChanges | None:
    order = book.orders.get(client_order_id)
    if order is not None:
        return OrderChanges(book, rules, order, None)
    return None if past is None else OrderChanges(book, rules, past.order, past.final_sequence)


def take_outcome(
    book: Book, command: commands.TakeOutcome, rules: commands.Rules, now_ns: int
) -> commands.Decision:
    """Take what the venue answered to an order."""
    changes = _start(book, rules, command.client_order_id, command.past)
    if changes is None:
        return commands.NO_DECISION
    outcome = command.outcome
    if isinstance(outcome, Accepted):
        _present(changes, outcome.venue_order_id, "answer", outcome.closed, now_ns)
        changes.take_fills(outcome.fills)
        _take_end(changes, outcome.closed)
        if changes.is_open and changes.order.cancel_reason is not None:
            # The cancel was asked for while it was on its way: chase it.
            changes.effects.append(commands.CancelOrder(command.client_order_id))
        _cancel_if_halted(changes)
    elif not changes.is_open:
        return commands.NO_DECISION
    elif changes.order.status is not OrderStatus.PENDING:
        # Its own stream was faster than this answer, or contradicts it: ask how it ended.
        changes.effects.append(commands.ResolveOrder(command.client_order_id))
    elif _is_proof(outcome) and not (changes.filled or changes.disputed):
        _take_proof(changes, outcome, command.request)
    else:
        sent_ns = outcome.sent_ns if isinstance(outcome, Unknown) else now_ns
        changes.events.append(
            events.OrderUnknown(**changes.ids(), message=outcome.message, sent_ns=sent_ns)
        )
        changes.effects.append(commands.ResolveOrder(command.client_order_id))
    return changes.decision()


def _is_proof(outcome: Outcome) -> bool:
    """Tell whether an answer proves that the venue has no order."""
    if isinstance(outcome, Refused):
        return outcome.venue_code != ALREADY_EXISTS
    return isinstance(outcome, Gated | NotSent)


def _take_proof(changes: OrderChanges, outcome: Outcome, request: Request) -> None:
    """End an order that never was at the venue; the next alternate may be tried."""
    leg, ids = changes.order.leg, changes.ids()
    falls_back = leg < len(request.alternates)
    if isinstance(outcome, Gated):
        changes.end(events.OrderDenied(**ids, code=outcome.code, message=outcome.message))
        return
    if isinstance(outcome, Refused) and outcome.is_kill:
        _take_end(changes, "killed")
        return
    if isinstance(outcome, Refused):
        falls_back = falls_back and outcome.is_health
        changes.end(
            events.OrderRejected(
                **ids,
                venue_code=outcome.venue_code,
                message=outcome.message,
                falls_back=falls_back,
            )
        )
    elif isinstance(outcome, NotSent):
        changes.end(events.OrderNotSent(**ids, message=outcome.message, falls_back=falls_back))
    if falls_back:
        changes.effects.append(commands.TryAlternate(request, leg + 1, changes.order.key_id))


def take_fill(
    book: Book, command: commands.TakeFill, rules: commands.Rules, now_ns: int
) -> commands.Decision:
    """Take one fill, from whatever source; presence ends an unknown."""
    fill = command.fill
    changes = _start(book, rules, fill.client_order_id, command.past)
    if changes is None:
        return commands.NO_DECISION
    is_booked = changes.is_bookable(fill, is_proven=command.is_proven)
    order = changes.order
    is_part = fill.quantity < changes.left and order.time_in_force.rests
    if is_booked and not changes.is_open and order.status in NEVER_THERE and is_part:
        # It was there after all, and what is left of it may work on.
        shown = f"{format_micro(fill.quantity)} of it filled"
        _reopen(changes, fill.venue_order_id, "fill", shown, None, now_ns)
    if is_booked and fill.venue_order_id is not None:
        _acknowledge(changes, fill.venue_order_id, "fill")
    changes.take_fills((fill, *command.more), is_proven=command.is_proven)
    _cancel_if_halted(changes)
    return changes.decision()


def take_reversal(
    book: Book, command: commands.TakeReversal, rules: commands.Rules, _now_ns: int
) -> commands.Decision:
    """Take back a provisional execution that failed, exactly once, open or closed."""
    changes = _start(book, rules, command.client_order_id, command.past)
    if changes is None:
        return commands.NO_DECISION
    changes.reverse(command.trade_id, command.filled)
    return changes.decision()


def take_closed(
    book: Book, command: commands.TakeClosed, rules: commands.Rules, _now_ns: int
) -> commands.Decision:
    """
    Take the venue's word that it ended an order.

    It ends at once only if the fills that are known explain it; else one is missing, and a closed
    order is never asked for again: it is looked up first.
    """
    closed = command.closed
    changes = _start(book, rules, closed.client_order_id, None)
    if changes is None:
        return commands.NO_DECISION
    _take_word_of_end(changes, closed.closed, closed.reason, closed.filled)
    _look_for_the_rest(changes)
    return changes.decision()


def take_lookup(
    book: Book, command: commands.TakeLookup, rules: commands.Rules, now_ns: int
) -> commands.Decision:
    """Take the evidence of a search: presence at once, absence with all of its items."""
    changes = _start(book, rules, command.client_order_id, command.past)
    if changes is None:
        return commands.NO_DECISION
    lookup = command.lookup
    if isinstance(lookup, Found):
        _present(changes, lookup.venue_order_id, lookup.by, lookup.closed, now_ns)
        _rename(changes, lookup.venue_order_id, lookup.by)
        listed = lookup.listed
        if listed is not None and listed.closed is None and changes.is_open:
            _take_terms(changes, listed, lookup.by)
        changes.take_fills(lookup.fills)
        if listed is None or lookup.closed is None:
            _take_end(changes, lookup.closed)
        elif changes.is_open:
            _take_word_of_end(changes, lookup.closed, "", listed.filled)
        if changes.is_open and changes.order.cancel_reason is not None:
            changes.effects.append(commands.CancelOrder(command.client_order_id))
        _cancel_if_halted(changes)
    elif (
        isinstance(lookup, Missing)
        and changes.order.status is OrderStatus.UNKNOWN
        and not changes.filled  # a fill is presence, whatever a listing says
    ):
        changes.end(
            events.OrderNotSent(
                **changes.ids(),
                message="absent at the venue by evidence",
                evidence=lookup.evidence,
            )
        )
    return changes.decision()


def take_venue_order(
    book: Book, command: commands.TakeVenueOrder, rules: commands.Rules, now_ns: int
) -> commands.Decision:
    """
    Take the venue's word that it has an order of ours: presence, whatever an answer said.

    What works at the venue and has ended here is reopened, counted in the worst case, and
    cancelled if a halt covers it; other terms than the approved ones are a break, and count by the
    worse of the two.
    """
    listed = command.listed
    changes = _start(book, rules, listed.client_order_id or "", command.past)
    if changes is None or not is_same_place(changes.order, listed):
        return commands.NO_DECISION
    if not changes.is_open:
        if not _outranks(command, changes.order):
            return commands.NO_DECISION
        price = limit_of(changes.order, listed)
        works = listed.closed is None and price is not None
        shown = f"{listed.venue_order_id} {listed.closed or 'working'}"
        terms = (listed.quantity, price) if works and price is not None else None
        _reopen(changes, listed.venue_order_id, command.by, shown, terms, now_ns)
    else:
        _acknowledge(changes, listed.venue_order_id, command.by)
        _rename(changes, listed.venue_order_id, command.by)
    if listed.closed is not None:
        _take_word_of_end(changes, listed.closed, listed.reason, listed.filled)
        _look_for_the_rest(changes)
    else:
        if changes.order.cancel_reason is not None:
            changes.effects.append(commands.CancelOrder(changes.order.client_order_id))
        _take_terms(changes, listed, command.by)
        if listed.filled > changes.filled:
            changes.effects.append(commands.ResolveOrder(changes.order.client_order_id))
    _cancel_if_halted(changes)
    return changes.decision()


def _outranks(command: commands.TakeVenueOrder, order: Order) -> bool:
    """
    Tell whether what a venue shows of an order is more than the end that the book knows.

    What the venue ended by its own word may be shown as working for a while by a read that lags;
    only one that is younger than that end says that it works on.
    """
    if order.status in NEVER_THERE:
        return True
    past = command.past
    return command.listed.closed is None and past is not None and command.as_of_ns > past.final_ns


def _reopen(  # noqa: PLR0917 - what is shown, by place
    changes: OrderChanges,
    venue_order_id: str | None,
    by: str,
    shown: str,
    terms: tuple[int, int] | None,
    now_ns: int,
) -> None:
    """
    Open a closed order again, as a correction; halts that cover it cancel it at once.

    Args:
        changes: of the order.
        venue_order_id: under which the venue has it.
        by: where the venue showed it.
        shown: as what.
        terms: quantity and limit price that the venue shows; None = it shows none.
        now_ns: the time.
    """
    past, corrects = changes.order, changes.final_sequence
    assert corrects is not None, "only what is closed is reopened"
    order = structs.replace(
        past,
        status=OrderStatus.PARTIALLY_FILLED if past.filled else OrderStatus.WORKING,
        venue_order_id=venue_order_id or past.venue_order_id,
        acknowledged_ns=now_ns,
        trades=list(past.trades),
        cancel_reason=None,
        is_inside=False,
        amended=None if terms is None else amended(past, *terms),
    )
    order.reserved = reserve_rest(order, order.remaining)
    changes.order, changes.is_open, changes.is_acknowledged = order, True, True
    changes.final_sequence = None
    reopened = events.OrderReopened(
        **changes.ids(),
        order=order,
        by=by,
        message=f"the venue shows {shown}, it was {past.status}",
        corrects=corrects,
    )
    ours = f"{past.client_order_id} {past.status}"
    changes.events += (
        reopened,
        breaks.opened(changes.rules, order, breaks.REOPENED, ours, shown),
    )
    changes.effects.append(commands.ResolveOrder(past.client_order_id))


def end_by_hand(
    book: Book, command: commands.EndUnknown, rules: commands.Rules, _now_ns: int
) -> commands.Decision:
    """
    End an open order by an operator's word: of unknown fate, or one that its venue shows no more.

    `not_sent` frees its key for another attempt, so the venue must never have had any of it. Should
    the order turn up after all, it is reopened, and its fills are taken as corrections.
    """
    changes = _start(book, rules, command.client_order_id, None)
    if changes is None or changes.order.status is OrderStatus.PENDING:
        return commands.NO_DECISION  # its answer is under way
    order, word = changes.order, f"by hand, {command.actor}: {command.reason}"
    if command.end == "cancelled":
        changes.end(events.OrderCancelled(**changes.ids(), reason=word))
    elif order.filled or order.acknowledged_ns is not None:
        return commands.NO_DECISION
    else:
        message = "absent at the venue by the word of an operator"
        changes.end(events.OrderNotSent(**changes.ids(), message=message, evidence=(word,)))
    return changes.decision()


def _present(
    changes: OrderChanges, venue_order_id: str, by: str, closed: str | None, now_ns: int
) -> None:
    """Take it that the venue has an order; one that it never had, and works, is opened again."""
    if changes.is_open:
        _acknowledge(changes, venue_order_id, by)
    elif closed is None and changes.order.status in NEVER_THERE:
        _reopen(changes, venue_order_id, by, f"{venue_order_id} working", None, now_ns)


def _cancel_if_halted(changes: OrderChanges) -> None:
    """Ask for the cancel of an order that was just reopened, if a halt in force covers it."""
    if not any(isinstance(event, events.OrderReopened) for event in changes.events):
        return
    order = changes.order
    reason = control.halt_over(changes.book, order)
    if reason is None or not changes.is_open or order.cancel_reason is not None:
        return
    asked = events.CancelRequested(**changes.ids(), reason=f"halt: {reason}", actor="arbees")
    changes.events.append(asked)
    changes.effects.append(commands.CancelOrder(order.client_order_id))
    changes.order = structs.replace(order, cancel_reason=asked.reason)


def _take_terms(changes: OrderChanges, listed: VenueOrder, by: str) -> None:
    """Take the terms that a venue shows of a working order; others than approved are a break."""
    order = changes.order
    differs, price = difference(order, listed), limit_of(order, listed)
    if price is not None:
        seen = structs.replace(order, amended=amended(order, listed.quantity, price))
        if seen.amended != order.amended:
            rest = reserve_rest(seen, seen.most - changes.filled)
            changes.events.append(
                events.OrderAmended(
                    **changes.ids(),
                    quantity=listed.quantity,
                    limit_price=price,
                    by=by,
                    reserved=rest,
                )
            )
            seen.reserved = rest
            changes.order = seen
    changes.events += breaks.of_terms(changes.book, changes.rules, order, differs)


def _rename(changes: OrderChanges, venue_order_id: str, by: str) -> None:
    """Take the id under which a venue lists an order, if an answer gave another."""
    order = changes.order
    before = order.venue_order_id
    if before is not None and before != venue_order_id:
        changes.events.append(
            events.VenueIdChanged(
                **changes.ids(), venue_order_id=venue_order_id, before=before, by=by
            )
        )


def _take_word_of_end(changes: OrderChanges, closed: str, reason: str, filled: int | None) -> None:
    """End an order by the venue's word, if the known fills explain its count."""
    if closed == "filled" and filled and filled == changes.filled and changes.is_open:
        # Less than was asked for: it was decreased there, and all that was left of it filled.
        size = format_micro(changes.order.quantity)
        reason = f"the venue says executed, with {format_micro(filled)} of {size}"
        changes.end(events.OrderCancelled(**changes.ids(), reason=reason))
    elif filled == changes.filled:
        _take_end(changes, closed, reason or None)


def _look_for_the_rest(changes: OrderChanges) -> None:
    """Look up an order that has ended at the venue and not here: a fill is missing."""
    if changes.is_open:
        changes.effects.append(commands.ResolveOrder(changes.order.client_order_id))


def take_cancel(
    book: Book, command: commands.TakeCancel, rules: commands.Rules, _now_ns: int
) -> commands.Decision:
    """
    Take the answer to a cancel.

    The order ends only if what was cancelled and what filled explain all of it; else it is looked
    up, since a fill may have come in between.
    """
    changes = _start(book, rules, command.client_order_id, None)
    if changes is None:
        return commands.NO_DECISION
    outcome, order = command.outcome, changes.order
    there = order.quantity if order.amended is None else order.amended[0]
    if isinstance(outcome, CancelAccepted) and outcome.quantity == there - order.filled:
        changes.end(
            events.OrderCancelled(**changes.ids(), reason=order.cancel_reason or "cancelled")
        )
        return changes.decision()
    if isinstance(outcome, CancelAccepted):
        message = "what was cancelled does not explain the order; a fill may be missing"
    else:
        message = outcome.message
    changes.events.append(events.CancelAnswered(**changes.ids(), message=message))
    if isinstance(outcome, CancelAccepted | CancelMissed):
        changes.effects.append(commands.ResolveOrder(order.client_order_id))
    else:
        changes.effects.append(commands.CancelOrder(order.client_order_id))
    return changes.decision()


def _acknowledge(changes: OrderChanges, venue_order_id: str, by: str) -> None:
    if changes.is_open and not changes.is_acknowledged:
        changes.events.append(
            events.OrderAcknowledged(**changes.ids(), venue_order_id=venue_order_id, by=by)
        )
        changes.is_acknowledged = True


def _take_end(changes: OrderChanges, closed: str | None, reason: str | None = None) -> None:
    """End an order as the venue says; a `filled` ends by its fills alone, here."""
    if closed is None or closed == "filled" or not changes.is_open:
        return
    if closed == "expired":
        changes.end(events.OrderExpired(**changes.ids()))
        return
    words = {"killed": "fill or kill: not wholly fillable"}
    asked = changes.order.cancel_reason
    changes.end(
        events.OrderCancelled(**changes.ids(), reason=asked or reason or words.get(closed, closed))
    )
