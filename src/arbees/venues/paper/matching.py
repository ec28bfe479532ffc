"""Which depth an order takes: pure arithmetic on the levels of one market's Yes book.

Guarantees that no level is taken beyond its limit, its size or twice. All prices are of the
canonical Yes: Buy Yes and Sell No bid for it and take asks, Sell Yes and Buy No offer it and take
bids. It never fails; an order that reaches nothing takes nothing.
"""

from collections.abc import Iterable, Sequence

from arbees.core.language.quote import Level
from arbees.core.language.units import MICRO


def mirrored(levels: Iterable[Level]) -> list[Level]:
    """Return one side's levels as the other side's of the opposite outcome, best still first."""
    return [(MICRO - price, size) for price, size in levels]


def reaches(price: int, limit: int, *, is_bid: bool) -> bool:
    """Tell whether an order with this limit may trade at a price."""
    return price <= limit if is_bid else price >= limit


def take(
    levels: Sequence[Level],
    *,
    is_bid: bool,
    limit: int,
    quantity: int,
    lot: int,
    barrier: int | None = None,
) -> list[Level]:
    """
    Return what an order takes from a side, level by level, best first.

    Args:
        levels: the opposite side, best first.
        is_bid: whether the order bids for Yes.
        limit: its limit as a price of Yes.
        quantity: what it wants, in micro-contracts; a multiple of the lot.
        lot: only whole lots of a level trade.
        barrier: best price at which an order of our own waits on that side. Only strictly better
            levels trade, so that we never trade with ourselves nor past ourselves.

    Returns:
        Prices with the quantities taken there, both above 0.
    """
    taken: list[Level] = []
    left = quantity
    for price, size in levels:
        if not left or not reaches(price, limit, is_bid=is_bid):
            break
        if barrier is not None and not is_better(price, barrier, is_bid=is_bid):
            break
        part = min(left, size - size % lot)
        if part:
            taken.append((price, part))
            left -= part
    return taken


def is_better(price: int, other: int, *, is_bid: bool) -> bool:
    """Tell whether a bid would rather trade at `price` (lower), an offer likewise (higher)."""
    return price < other if is_bid else price > other


def use_up(levels: Iterable[Level], taken: Iterable[Level]) -> list[Level]:
    """Return the levels less what was taken from them; empty ones vanish."""
    gone = dict(taken)
    left = ((price, size - gone.get(price, 0)) for price, size in levels)
    return [(price, size) for price, size in left if size]


def total(taken: Iterable[Level]) -> int:
    """Return the quantity taken over all levels."""
    return sum(quantity for _, quantity in taken)
