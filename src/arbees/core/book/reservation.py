"""Reservations: what an order, or what remains of one, may still take in its worst case."""

from arbees.core.book.fees import worst_fee
from arbees.core.book.open_order import (
    NOTHING,
    Order,
    Reservation,
    losses,
)
from arbees.core.language.units import MICRO, mul_ceil
from arbees.core.language.words import Action, Side


def cash_needed(cost: int, fee: int, buffer: int) -> int:
    """Return `cost + max(worst fee, buffer x cost)` (R3)."""
    allowance = mul_ceil(buffer, cost)
    return cost + (allowance if allowance > fee else fee)


def given_up(price: int, quantity: int, reference: int | None, *, is_buy: bool) -> int:
    """Return what the limit of a reducing order lies below the price at which it is marked."""
    if reference is None:
        return 0
    receives = MICRO - price if is_buy else price
    return mul_ceil(reference - receives, quantity) if reference > receives else 0


def reserve(  # noqa: PLR0917 - hot: passed by place
    side: Side,
    action: Action,
    quantity: int,
    price: int,
    rates: tuple[int, int, int],
    reference: int | None,
    *,
    is_reducing: bool,
    closing: int = 0,
) -> Reservation:
    """
    Return the reservation of an order.

    Args:
        side: the side of the market's key.
        action: Buy or Sell.
        quantity: micro-contracts that may still fill.
        price: limit price of that side.
        rates: taker rate, fee grid, balance buffer.
        reference: price at which the held side could be closed (reducing orders).
        is_reducing: it only closes what is held.
        closing: how much of what is held an order may close that also opens the other side.
    """
    if quantity <= 0:
        return NOTHING
    is_buy = action is Action.BUY
    taker_rate, grid, buffer = rates
    loss_yes, loss_no = losses(side, action, quantity, price)
    # A Buy fills at its limit or below, a Sell or above.
    fee = worst_fee(taker_rate, quantity, 0 if is_buy else MICRO, price, grid)
    if is_reducing:
        lost = given_up(price, quantity, reference, is_buy=is_buy)
        return Reservation(loss_yes, loss_no, cash_needed(0, fee, buffer), fee + lost, quantity)
    # The loss of a Buy is what it costs.
    loss = loss_yes if loss_yes > loss_no else loss_no
    cash = cash_needed(loss, fee, buffer) if is_buy else fee
    return Reservation(loss_yes, loss_no, cash, fee + loss, closing)


def reserve_rest(order: Order, remaining: int) -> Reservation:
    """Return the reservation of what remains of an order; what fills first closes."""
    # What is taken back of a fill closes nothing again: it may open what was closed meanwhile.
    gone = max(0, order.remaining - remaining)
    closing = order.reserved.closing - gone
    return reserve(
        order.side,
        order.action,
        remaining,
        order.worst_price,
        order.rates,
        order.reference,
        # More than was approved may open what it was to close.
        is_reducing=order.is_reducing and order.most <= order.quantity,
        closing=closing if closing > 0 else 0,
    )
