"""Breaks of single orders: what a venue shows of one that contradicts what the book has of it.

Guarantees that each is told of once, with the policy that is set for its kind, and that it stands
for as long as the contradiction does: it ends when the venue shows what was approved, or with the
order. Breaks of a whole comparison are in `core.mending`.
"""

from collections.abc import Sequence

from arbees.core import commands as c
from arbees.core import events as e
from arbees.core.book import Book
from arbees.core.order import Order

REOPENED = "reopened_order"
"""The venue works an order that had ended here."""
AMENDED = "amended_order"
"""The venue shows other terms than the approved ones."""
KINDS = (REOPENED, AMENDED)


def name_of(order: Order, kind: str) -> str:
    """Return the id of a break of one order."""
    return f"{order.platform}|{kind}|{order.client_order_id}"


def opened(rules: c.Rules, order: Order, kind: str, expected: str, observed: str) -> e.BreakOpened:
    """Return the break of an order, with the policy of its kind."""
    policy = rules.break_policies.get(kind, rules.break_policy)
    return e.BreakOpened(
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
    book: Book, rules: c.Rules, order: Order, differs: tuple[str, str] | None
) -> list[e.Event]:
    """Return what becomes of the break that says how an order's terms differ."""
    known = book.breaks.get(name_of(order, AMENDED))
    if known is not None and differs == (known.expected, known.observed):
        return []
    events: list[e.Event] = []
    if known is not None:
        how = "shows what was approved" if differs is None else "differs otherwise now"
        events.append(e.BreakClosed(break_id=known.break_id, how=how, actor="arbees"))
    if differs is not None:
        events.append(opened(rules, order, AMENDED, *differs))
    return events


def closed_with(book: Book, order: Order, events: Sequence[e.Event]) -> list[e.Event]:
    """Return the ends of an order's breaks, known or opened by `events`: the order has ended."""
    names = dict.fromkeys(name_of(order, kind) for kind in KINDS)
    standing = {name for name in names if name in book.breaks}
    for event in events:
        if isinstance(event, e.BreakOpened):
            standing.add(event.break_id)
        elif isinstance(event, e.BreakClosed):
            standing.discard(event.break_id)
    return [
        e.BreakClosed(break_id=name, how="the order has ended", actor="arbees")
        for name in names
        if name in standing
    ]
