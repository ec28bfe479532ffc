"""Terms of an order at the venue, held against those that were approved.

Guarantees that an order is compared whole, in the terms of its own side, whichever way the venue
says it: a bid for Yes is a Buy of Yes and a Sell of No alike. Fails by saying what differs.
"""

from arbees.core.book.open_order import Order
from arbees.core.deciding.outcomes import Fill, VenueOrder
from arbees.core.language.units import MICRO, format_micro
from arbees.core.language.words import Action, Side


def is_same_place(order: Order, listed: VenueOrder) -> bool:
    """Tell whether a listed order is at the market that ours was sent to."""
    return order.platform == listed.platform and order.market_id == listed.market_id


def limit_of(order: Order, listed: VenueOrder) -> int | None:
    """Return the listed limit price in terms of our side; None = it is for the other direction."""
    side = listed.side.opposite if order.is_flipped else listed.side
    is_bid = (listed.action is Action.BUY) is (side is Side.YES)
    if is_bid is not order.is_bid:
        return None
    return listed.limit_price if side is order.side else MICRO - listed.limit_price


def contradiction(order: Order, filled: int, fill: Fill) -> tuple[str, str] | None:
    """
    Return how a fill contradicts its order: what was expected at most, and what was observed.

    Args:
        order: open or closed; the venue's own terms count where it has shown others.
        filled: micro-contracts of it that have filled by now.
        fill: at the price of the order's side.
    """
    left, limit = order.most - filled, order.worst_price
    is_worse = fill.price > limit if order.action is Action.BUY else fill.price < limit
    is_price = 0 <= fill.price <= MICRO
    if 0 < fill.quantity <= left and is_price and not is_worse:
        return None
    return f"at most {terms_of(left, limit)}", terms_of(fill.quantity, fill.price)


def terms_of(quantity: int, price: int) -> str:
    """Return terms in words."""
    return f"{format_micro(quantity)} at {format_micro(price)}"


def agrees(order: Order | None, listed: VenueOrder) -> bool:
    """Tell whether the book has an order just as the venue lists it at work."""
    if order is None or not is_same_place(order, listed):
        return False
    seen = (order.quantity, order.limit_price) if order.amended is None else order.amended
    return (
        order.acknowledged_ns is not None
        and order.venue_order_id == listed.venue_order_id
        and order.filled == listed.filled
        and seen == (listed.quantity, limit_of(order, listed))
    )


def difference(order: Order, listed: VenueOrder) -> tuple[str, str] | None:
    """
    Return how a working order differs from what was approved: expected and observed.

    What has filled of it by now is compared by the fills themselves, which name trades.
    """
    price = limit_of(order, listed)
    expected = terms_of(order.quantity, order.limit_price)
    if price is None:
        return expected, f"{terms_of(listed.quantity, listed.limit_price)}, the other direction"
    if (listed.quantity, price) == (order.quantity, order.limit_price):
        return None
    return expected, terms_of(listed.quantity, price)
