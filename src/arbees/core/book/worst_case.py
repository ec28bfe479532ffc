"""Worst case of a market over everything that its open orders may still do.

Guarantees a bound that no fill, in whatever order and at whatever price, and no cancel can raise
(P3): the design's formula, and what it leaves out where a close takes a profit. Cost that is held
falls by the average cost of what is closed, not by what was received for it; a profit that is
realized is no longer there to pay for the other side's loss.
"""

from collections.abc import Iterable, Mapping

from arbees.core.book.market import Market, OutcomeHolding
from arbees.core.book.open_order import Order
from arbees.core.language.units import MICRO, mul_floor, share_floor
from arbees.core.language.words import Action, Side

Close = tuple[Side, int, int]
"""Side that an order may close, the price that it receives for it at least, and the quantity."""


def close_of(
    side: Side, action: Action, price: int, quantity: int, *, is_netting: bool
) -> Close | None:
    """
    Return what an order may close: a Sell its side, on a netting venue a Buy the opposite one.

    Args:
        side: of the market's key.
        action: Buy or Sell.
        price: limit price of that side.
        quantity: in micro-contracts.
        is_netting: the venue holds one signed position a market.
    """
    if action is Action.SELL:
        return side, price, quantity
    return (side.opposite, MICRO - price, quantity) if is_netting else None


def worst_ahead(
    market: Market,
    orders: Mapping[str, Order],
    loss_yes: int = 0,
    loss_no: int = 0,
    close: Close | None = None,
) -> int:
    """
    Return the worst case of a market with its open orders, and with one more if that is given.

    Args:
        market: what is held, and the sums over its open orders.
        orders: those orders by client order id.
        loss_yes: what one more order could lose if Yes wins.
        loss_no: what it could lose if No wins.
        close: what it may close.
    """
    yes, no = market.yes, market.no
    cost = yes.cost + no.cost
    loss_yes += market.loss_yes
    loss_no += market.loss_no
    if_yes, if_no = cost - yes.quantity + loss_yes, cost - no.quantity + loss_no
    worst = if_yes if if_yes > if_no else if_no
    # A close gains at most what the held side would pay above its cost.
    if yes.quantity and no.cost + loss_yes > worst:
        if_yes += _gain(yes, Side.YES, _closes(market, orders, close))
        if if_yes > worst:
            worst = if_yes
    if no.quantity and yes.cost + loss_no > worst:
        if_no += _gain(no, Side.NO, _closes(market, orders, close))
        if if_no > worst:
            worst = if_no
    return worst


def _closes(market: Market, orders: Mapping[str, Order], more: Close | None) -> Iterable[Close]:
    """Return what the open orders of a market may close, and one more order."""
    is_netting = market.listing.is_netting
    if more is not None:
        yield more
    for name in market.orders:
        order = orders[name]
        close = close_of(
            order.side, order.action, order.worst_price, order.remaining, is_netting=is_netting
        )
        if close is not None:
            yield close


def _gain(holding: OutcomeHolding, side: Side, closes: Iterable[Close]) -> int:
    """
    Return the most that can be realized above average cost by closing what is held of a side.

    The orders that receive most close first: what is left over of the others opens the other side,
    and that is in the formula already.
    """
    left, gain = holding.quantity, 0
    for price, quantity in sorted(
        ((price, quantity) for closed, price, quantity in closes if closed is side), reverse=True
    ):
        taken = quantity if quantity < left else left
        if taken <= 0:
            continue
        more = mul_floor(price, taken) - share_floor(holding.cost, taken, holding.quantity)
        if more <= 0:
            break
        gain += more
        left -= taken
    return gain
