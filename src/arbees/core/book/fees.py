"""Trading fees of both venues: rate x quantity x p x (1 - p), rounded up to the venue's grid.

Source: Kalshi fee schedule and its page on fee rounding (0.07 taker, $0.0001 grid for direct
members); Polymarket fee schedule of sports (0.05 taker, 5 decimals).
"""

from arbees.core.language.units import MICRO, div_ceil

_CUBE = MICRO * MICRO * MICRO
_HALF = 500_000


def exact_fee(rate: int, quantity: int, price: int) -> int:
    """Return the fee of one execution, rounded up to a micro-dollar."""
    return div_ceil(rate * quantity * price * (MICRO - price), _CUBE)


def fee_on_grid(rate: int, quantity: int, price: int, grid: int) -> int:
    """Return the fee of one execution as the balance pays it, in micro-dollars."""
    return div_ceil(rate * quantity * price * (MICRO - price), _CUBE * grid) * grid


def worst_fee(rate: int, quantity: int, best: int, worst: int, grid: int) -> int:
    """
    Return the highest fee that an order may cost, whatever the prices it fills at.

    p x (1 - p) peaks at one half, so an order that may fill at prices on both sides of it is
    judged there, else at the end that is nearer to it.

    Args:
        rate: the taker rate in millionths.
        quantity: in micro-contracts.
        best: one end of the prices at which it may fill (0 for a Buy, 1 dollar for a Sell).
        worst: the limit price.
        grid: the venue's grid in micro-dollars.
    """
    low, high = (best, worst) if best < worst else (worst, best)
    price = _HALF if low <= _HALF <= high else (high if high < _HALF else low)
    return div_ceil(rate * quantity * price * (MICRO - price), _CUBE * grid) * grid
