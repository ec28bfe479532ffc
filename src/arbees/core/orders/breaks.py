"""Breaks of single orders: what a venue shows of one that contradicts what the book has of it.

Guarantees that each is told of once, with the policy that is set for its kind, and that it stands
for as long as the contradiction does: it ends when the venue shows what was approved, or with the
order. Breaks of a whole comparison are in `core.deciding.reconciliation`.
"""

from collections.abc import Sequence

from msgspec import structs

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands

REOPENED = "reopened_order"
"""The venue works an order that had ended here."""
AMENDED = "amended_order"
"""The venue shows other terms than the approved ones."""
CONTRADICTORY = "contradictory_fill"
"""A fill of more than remains of an order, or worse than its limit; it is not booked."""
_OF_OPEN = (REOPENED, AMENDED)
"""Those that end with the order."""


def name_of(order: Order, kind: str) -> str:
    """Return the id of a break of one order."""
    return f"{order.platform}|{kind}|{order.client_order_id}"


def opened(
    rules: commands.Rules, order: Order, kind: str, expected: str, observed: str
) -> events.BreakOpened:
    """Return the break of an order, with the policy of its kind."""
    policy = rules.break_policies.get(kind, rules.break_policy)
    return events.BreakOpened(
        break_id=name_of(order, kind),
        kind=kind,
        platform=order.platform,
        market_key=order.market_key,
        expected=expected,
        observed=observed,
        # There is nothing to take over of one order: nobody builds on it.
        policy="freeze_market" if policy == "adopt" else policy,
    )


def of_terms(
    book: Book, rules: commands.Rules, order: Order, differs: tuple[str, str] | None
) -> list[events.Event]:
    """Return what becomes of the break that says how an order's terms differ."""
    known = book.breaks.get(name_of(order, AMENDED))
    if known is not None and differs == (known.expected, known.observed):
        return []
    new_events: list[events.Event] = []
    if known is not None:
        how = "shows what was approved" if differs is None else "differs otherwise now"
        new_events.append(events.BreakClosed(break_id=known.break_id, how=how, actor="arbees"))
    if differs is not None:
        new_events.append(opened(rules, order, AMENDED, *differs))
    return new_events


def of_fill(
    book: Book, rules: commands.Rules, order: Order, trade_id: str, why: tuple[str, str]
) -> list[events.Event]:
    """Return the break of a fill that contradicts its order; ended once listing and cash agree."""
    found = opened(rules, order, CONTRADICTORY, *why)
    name = f"{found.break_id}|{trade_id}"
    return [] if name in book.breaks else [structs.replace(found, break_id=name)]


def fill_agreed(book: Book, order: Order, trade_id: str) -> list[events.Event]:
    """Return the end of the break of a fill that is booked after all."""
    name = f"{name_of(order, CONTRADICTORY)}|{trade_id}"
    if name not in book.breaks:
        return []
    return [events.BreakClosed(break_id=name, how="the fill is booked", actor="arbees")]


def closed_with(book: Book, order: Order, new_events: Sequence[events.Event]) -> list[events.Event]:
    """Return the ends of an order's breaks, known or opened by `events`: the order has ended."""
    names = dict.fromkeys(name_of(order, kind) for kind in _OF_OPEN)
    standing = {name for name in names if name in book.breaks}
    for event in new_events:
        if isinstance(event, events.BreakOpened):
            standing.add(event.break_id)
        elif isinstance(event, events.BreakClosed):
            standing.discard(event.break_id)
    return [
        events.BreakClosed(break_id=name, how="the order has ended", actor="arbees")
        for name in names
        if name in standing
    ]
