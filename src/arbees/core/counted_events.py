"""Events of what a venue has, taken as the truth of it: cash, and positions that are adopted.

Part of `core.events`, which is where everybody finds them.
"""

from arbees.core.event import Event


class CashCounted(Event, frozen=True, kw_only=True):
    """A venue's cash, with what orders hold of it, as the start of our own count."""

    pool: str
    amount: int


class CashExplained(Event, frozen=True, kw_only=True):
    """Cash moved without a trade, by the venue's own list of it: our count follows."""

    platform: str
    pool: str
    amount: int
    """In micro-dollars, > 0 = it came in."""
    movement: str
    """`deposit`, `withdrawal`, `transfer` (between pools), `subaccount` or `settlement_fee`."""
    movement_id: str
    """The venue's own id of it."""
    venue_ns: int
    is_counted: bool = True
    """False = our count has it already: an operator recorded it, or it changed nothing."""
    market_key: str = ""
    """Of the market that a fee was paid for."""
    fee: int = 0
    """What of the amount is a cost of trading, in micro-dollars."""


class DifferenceAccepted(Event, frozen=True, kw_only=True):
    """An operator lets a difference stand that is no figure of ours, as it is: it is no break."""

    break_id: str
    observed: str
    """What the venue has; anything else is a break again."""
    reason: str
    actor: str


class PositionAdopted(Event, frozen=True, kw_only=True):
    """The venue's position was taken over, by policy or an operator; both sides change."""

    market_key: str
    realized: int = 0
    """Of what is gone, at the price at which it could have been closed."""
    yes_quantity: int = 0
    yes_cost: int = 0
    no_quantity: int = 0
    no_cost: int = 0
