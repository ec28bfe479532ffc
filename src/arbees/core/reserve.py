"""Reservations: what an order, or what remains of one, may still take in its worst case."""

from arbees.core.fees import worst_fee
from arbees.core.order import NOTHING, Order, Reservation, losses
from arbees.core.units import MICRO, mul_ceil, mul_floor
from arbees.core.words import Action, Side


def worst_fee_of(*, is_buy: bool, quantity: int, price: int, taker_rate: int, grid: int) -> int:
    """Return the highest fee of an order: a Buy fills at its limit or below, a Sell or above."""
    return worst_fee(taker_rate, quantity, 0 if is_buy else MICRO, price, grid)


def cash_needed(cost: int, fee: int, buffer: int) -> int:
    """Return `cost + max(worst fee, buffer x cost)` (R3)."""
    allowance = mul_ceil(buffer, cost)
    return cost + (allowance if allowance > fee else fee)


def day_loss_of(
    price: int, quantity: int, fee: int, reference: int | None, *, is_buy: bool, is_reducing: bool
) -> int:
    """
    Return what an order may add to the loss of the day.

    A risk-increasing one may lose its whole cost and the fee; a reducing one what its limit lies
    below the price at which the position is marked, and the fee.
    """
    if not is_reducing:
        return fee + (
            mul_ceil(price, quantity) if is_buy else quantity - mul_floor(price, quantity)
        )
    if reference is None:
        return fee
    receives = MICRO - price if is_buy else price
    return fee + (mul_ceil(reference - receives, quantity) if reference > receives else 0)


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
    fee = worst_fee_of(
        is_buy=is_buy, quantity=quantity, price=price, taker_rate=taker_rate, grid=grid
    )
    cost = mul_ceil(price, quantity) if is_buy and not is_reducing else 0
    return Reservation(
        loss_yes,
        loss_no,
        cash_needed(cost, fee, buffer),
        day_loss_of(price, quantity, fee, reference, is_buy=is_buy, is_reducing=is_reducing),
        quantity if is_reducing else closing,
    )


def reserve_rest(order: Order, remaining: int) -> Reservation:
    """Return the reservation of what remains of an order; what fills first closes."""
    closing = order.reserved.closing - (order.remaining - remaining)
    return reserve(
        order.side,
        order.action,
        remaining,
        order.limit_price,
        order.rates,
        order.reference,
        is_reducing=order.is_reducing,
        closing=closing if closing > 0 else 0,
    )
