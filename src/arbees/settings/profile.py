"""The ramp: limits that grow with the trust in a new strategy (`LIMIT_PROFILE`).

Guarantees that each step sets every limit that must move with the order's dollars, by one rule, and
that what an operator set explicitly wins. The steps are the requirements' recommendations (R2).
"""

from typing import NamedTuple

from arbees.core.language.units import MICRO, format_micro, ratio_floor
from arbees.settings.general import PROFILES

_CHEAPEST = 50_000
"""The lowest safe price by default, $0.05: an order's dollars buy at most this many contracts."""
_CONTRACTS_MAX = 1000 * MICRO


class RampStep(NamedTuple):
    """What a profile says itself: dollars an order and a market, orders a minute and an hour."""

    order: int
    market: int
    per_minute: int
    per_hour: int


STEPS = {
    "day1": RampStep(50, 100, 10, 50),
    "week1": RampStep(100, 200, 20, 100),
    "week2": RampStep(200, 500, 20, 100),
    "month1": RampStep(500, 1000, 30, 200),
}
assert tuple(STEPS) == PROFILES


def limits_of(profile: str) -> dict[str, str]:
    """Return the text of every setting that a profile sets, by name."""
    step = STEPS[profile]
    contracts = min(ratio_floor(step.order * MICRO, _CHEAPEST), _CONTRACTS_MAX)
    return {
        "MAX_ORDER_SIZE": str(step.order),
        "MAX_ORDER_CONTRACTS": format_micro(contracts),
        "MAX_POSITION_PER_MARKET": str(step.market),
        "MAX_GAME_EXPOSURE": str(2 * step.market),
        "MAX_SPORT_EXPOSURE": str(5 * step.market),
        "MAX_TOTAL_EXPOSURE": str(10 * step.market),
        "MAX_ORDERS_PER_MINUTE": str(step.per_minute),
        "MAX_ORDERS_PER_HOUR": str(step.per_hour),
    }
