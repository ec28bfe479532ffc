"""Events of what a venue has, taken as the truth of it: cash, and positions that are adopted.

Part of `core.events`, which is where everybody finds them.
"""

from arbees.core.event import Event


class CashCounted(Event, frozen=True, kw_only=True):
    """A venue's cash, with what orders hold of it, as the start of our own count."""

    pool: str
    amount: int


class PositionAdopted(Event, frozen=True, kw_only=True):
    """The venue's position was taken over, by policy; the numbers change both sides."""

    market_key: str
    realized: int = 0
    """Of what is gone, at the price at which it could have been closed."""
    yes_quantity: int = 0
    yes_cost: int = 0
    no_quantity: int = 0
    no_cost: int = 0
