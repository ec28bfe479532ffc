"""Ends what does not agree: reconciliation breaks and orders of unknown fate.

Guarantees that both end by evidence, or by a named operator whose word and reason are journaled
(P7, R11), and that what was ended meanwhile is not ended twice.
"""

from msgspec.structs import replace

from arbees.core import commands as c
from arbees.core import events as e
from arbees.core.book import Book, Break
from arbees.core.market import Holding
from arbees.core.units import mul_ceil, mul_floor, share_floor
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
        elif (taken := _adopted(book, again, command.claims.get(name))) is not None:
            del found[name]
            events.append(taken)
            how = "adopted"
        elif _figures(again) != _figures(known):
            how = "differs otherwise now"
        else:
            del found[name]
            continue
        events.append(e.BreakClosed(break_id=name, how=how, actor="arbees"))
    for each in found.values():
        taken = _adopted(book, each, command.claims.get(each.break_id))
        if taken is None and each.policy == "adopt":
            # There is nothing to take over, or no price for it: nobody builds on it.
            events.append(replace(each, policy="freeze_market"))
            continue
        events.append(each)
        if taken is not None:
            closed = e.BreakClosed(break_id=each.break_id, how="adopted", actor="arbees")
            events += (taken, closed)
    return c.Decision(tuple(events))


def _adopted(book: Book, each: e.BreakOpened, claim: c.Claim | None) -> e.Event | None:
    """Return how the venue's word is taken over; None = it is not."""
    if claim is None or each.policy != "adopt":
        return None
    # What moved since it was compared is newer than the claim, and would be undone by it.
    if claim.pool:
        if book.ledgers.get(claim.pool) != claim.expected[0]:
            return None
        return e.CashCounted(pool=claim.pool, amount=claim.amount)
    market = book.markets.get(claim.market_key)
    if market is None or (market.yes.quantity, market.no.quantity) != claim.expected:
        return None
    yes = _changed(market.yes, claim.yes, claim.yes_price)
    no = _changed(market.no, claim.no, claim.no_price)
    if yes is None or no is None:
        return None
    return e.PositionAdopted(
        market_key=claim.market_key,
        realized=yes[2] + no[2],
        yes_quantity=yes[0],
        yes_cost=yes[1],
        no_quantity=no[0],
        no_cost=no[1],
    )


def _changed(holding: Holding, theirs: int, price: int | None) -> tuple[int, int, int] | None:
    """
    Return the change of quantity and cost of a side, and what it realizes.

    What is new costs what it could be closed at, so that nothing is gained or lost by adopting it;
    what is gone went at that price. None = it changes, and the price is not known.
    """
    more = theirs - holding.quantity
    if not more:
        return 0, 0, 0
    if price is None:
        return None
    if more > 0:
        return more, mul_ceil(price, more), 0
    removed = share_floor(holding.cost, -more, holding.quantity)
    return more, -removed, mul_floor(price, -more) - removed


def _figures(each: e.BreakOpened | Break) -> tuple[str, str, str]:
    # What could not be adopted was frozen: the same policy, as it is in force.
    policy = "freeze_market" if each.policy == "adopt" else each.policy
    return each.expected, each.observed, policy


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
