"""What a fill costs: the venue's formula, and how the venue rounds.

Guarantees that no fee is negative, and that what is charged never exceeds the exact fee by more
than one step of the grid: on Kalshi over the order as a whole, on Polymarket for each fill.
Sources: Kalshi's page on fee rounding (trade fees to the micro-dollar, a per-order accumulator
rebated in grid steps); Polymarket's fee schedule (5 decimals).
"""

from arbees.core.book.fees import exact_fee
from arbees.core.language.quote import Level
from arbees.core.language.units import round_up
from arbees.core.language.words import Platform
from arbees.venues.paper.state import PaperOrder
from arbees.venues.paper.terms import ACCUMULATING, TERMS


def charge(order: PaperOrder, quantity: int, price: int, *, is_maker: bool) -> int:
    """
    Return the fee of the next fill of an order, in micro-dollars, and keep its account.

    Args:
        order: whose `exact_fees` and `fees` are moved on.
        quantity: of this fill, in micro-contracts.
        price: of either side; the formula is symmetric.
        is_maker: whether the order rested.
    """
    terms = TERMS[order.platform]
    rate = terms.maker_rate if is_maker else terms.taker_rate
    exact = exact_fee(rate, quantity, price)
    order.exact_fees += exact
    if order.platform in ACCUMULATING:
        fee = round_up(order.exact_fees, terms.fee_grid) - order.fees
    else:
        fee = round_up(exact, terms.fee_grid)
    order.fees += fee
    return fee


def taker_fees(platform: Platform, plan: list[Level]) -> int:
    """Return what a new order would pay in all for taking these levels."""
    terms = TERMS[platform]
    exact = [exact_fee(terms.taker_rate, quantity, price) for price, quantity in plan]
    if platform in ACCUMULATING:
        return round_up(sum(exact), terms.fee_grid)
    return sum(round_up(fee, terms.fee_grid) for fee in exact)
