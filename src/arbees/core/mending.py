"""Ends what does not agree: reconciliation breaks and orders of unknown fate.

Guarantees that both end by evidence, or by a named operator whose word and reason are journaled
(P7, R11), and that what was ended meanwhile is not ended twice.
"""

from arbees.core import commands as c
from arbees.core import events as e
from arbees.core.book import Book, Break
from arbees.core.words import OrderStatus


def take_comparison(book: Book, command: c.TakeComparison) -> c.Decision:
    """
    Open what is new of what does not agree, and close what agrees again.

    A break of which the figures changed is closed and opened anew: what was seen is on record.
    """
    found = {each.break_id: each for each in command.found}
    events: list[e.Event] = []
    for name, known in sorted(book.breaks.items()):
        if known.platform != command.platform or known.kind not in command.kinds:
            continue
        again = found.get(name)
        if again is None:
            how = "agrees with the venue again"
        elif _figures(again) != _figures(known):
            how = "differs otherwise now"
        else:
            del found[name]
            continue
        events.append(e.BreakClosed(break_id=name, how=how, actor="arbees"))
    events += found.values()
    return c.Decision(tuple(events))


def _figures(each: e.BreakOpened | Break) -> tuple[str, str, str]:
    return each.expected, each.observed, each.policy


def end_break(book: Book, command: c.EndBreak) -> c.Decision:
    """End a break by an operator's word; the next comparison opens it again if it still differs."""
    if command.break_id not in book.breaks:
        return c.NO_DECISION
    how = f"by hand: {command.reason}"
    return c.Decision((e.BreakClosed(break_id=command.break_id, how=how, actor=command.actor),))


def end_unknown(book: Book, command: c.EndUnknown) -> c.Decision:
    """
    End an order of unknown fate by an operator's word.

    `not_sent` frees its key for another attempt, so nothing of it may have filled. Should it turn
    up after all, its fills are taken as corrections, and a comparison finds it as a break.
    """
    order = book.orders.get(command.client_order_id)
    if order is None or order.status is not OrderStatus.UNKNOWN:
        return c.NO_DECISION
    word = f"by hand, {command.actor}: {command.reason}"
    name, request_id = order.client_order_id, order.request_id
    if command.end == "cancelled":
        ended = e.OrderCancelled(client_order_id=name, request_id=request_id, reason=word)
        return c.Decision((ended,))
    if order.filled or order.acknowledged_ns is not None:
        return c.NO_DECISION
    absent = e.OrderNotSent(
        client_order_id=name,
        request_id=request_id,
        message="absent at the venue by the word of an operator",
        evidence=(word,),
    )
    return c.Decision((absent,))
