"""Open orders: their reservation, and the table of states that they may go through."""

import msgspec

from arbees.core.language.units import MICRO, mul_ceil, mul_floor
from arbees.core.language.words import (
    Action,
    OrderStatus,
    Platform,
    Side,
    TimeInForce,
)

OPEN_STATES = frozenset(
    {
        OrderStatus.PENDING,
        OrderStatus.WORKING,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.UNKNOWN,
    }
)
CLOSED_STATES = frozenset(OrderStatus) - OPEN_STATES

TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: frozenset(OrderStatus) - {OrderStatus.PENDING},
    OrderStatus.WORKING: frozenset(
        {
            OrderStatus.PARTIALLY_FILLED,
            OrderStatus.FILLED,
            OrderStatus.CANCELLED,
            OrderStatus.EXPIRED,
            OrderStatus.REJECTED,
        }
    ),
    OrderStatus.PARTIALLY_FILLED: frozenset(
        {
            OrderStatus.PARTIALLY_FILLED,
            OrderStatus.FILLED,
            OrderStatus.CANCELLED,
            OrderStatus.EXPIRED,
        }
    ),
    OrderStatus.UNKNOWN: frozenset(OrderStatus)
    - {OrderStatus.PENDING, OrderStatus.DENIED, OrderStatus.UNKNOWN},
}
"""Which state may follow which. Closed states take nothing but fills (later truth)."""


class Reservation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an open order may still take, in its worst case; all sums are kept in the book."""

    loss_yes: int = 0
    """`max(0, outlay - payout)` if Yes wins, in micro-dollars."""
    loss_no: int = 0
    cash: int = 0
    """Cost and fee allowance in its pool."""
    day_loss: int = 0
    """What it may add to the loss of the day, worst fee included."""
    closing: int = 0
    """Micro-contracts of the held side that it may close; nobody else may close them too."""


NOTHING = Reservation()


class Order(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An order between approval and its end; sides are those of the market's key."""

    client_order_id: str
    request_id: str
    idempotency_key: str
    attempt: int
    fingerprint: str
    signal_id: str | None = None
    leg: int
    platform: Platform
    market_id: str
    market_key: str
    side: Side
    is_flipped: bool = False
    action: Action
    quantity: int
    limit_price: int
    time_in_force: TimeInForce
    created_ns: int
    expires_ns: int | None = None
    strategy: str
    model_version: str | None = None
    sport: str
    is_reducing: bool = False
    status: OrderStatus = OrderStatus.PENDING
    venue_order_id: str | None = None
    filled: int = 0
    value: int = 0
    """Sum of price x quantity of the fills, exact: in millionths of a micro-dollar."""
    fees: int = 0
    trades: list[str] = []
    reserved: Reservation = NOTHING
    reference: int | None = None
    """Price at which the held side could be closed at the decision; for `day_loss`."""
    rates: tuple[int, int, int] = (0, 1, 0)
    """Taker rate, fee grid, balance buffer (millionths): what the reservation was made with."""
    acknowledged_ns: int | None = None
    is_inside: bool = False
    """Its cash is provably inside the venue's figure."""
    cancel_reason: str | None = None
    """A cancel was asked for, and why."""
    sent_ns: int | None = None
    """Latest moment at which bytes may have left, once it is UNKNOWN."""
    key_id: str | None = None
    """API key that it was asked for with."""
    pool: str = ""
    """Whose cash it takes; empty = the platform's one pool."""

    amended: tuple[int, int] | None = None
    """Quantity and limit price by the venue's word, where they are not the approved ones."""
    disputed: list[str] = []
    """Trades that contradict the order: seen, and not counted."""
    reversed: list[str] = []
    """Trades that failed: they count no more, and never again."""
    corrects: int | None = None
    """Record of the final result that was taken back when it was opened again."""

    @property
    def most(self) -> int:
        """Micro-contracts that may fill in all: as approved, or by the venue if that is more."""
        if self.amended is None or self.amended[0] < self.quantity:
            return self.quantity
        return self.amended[0]

    @property
    def worst_price(self) -> int:
        """Limit price, or the venue's if that is worse for us."""
        if self.amended is None:
            return self.limit_price
        pick = max if self.action is Action.BUY else min
        return pick(self.limit_price, self.amended[1])

    @property
    def remaining(self) -> int:
        """Micro-contracts that may still fill."""
        return self.most - self.filled

    @property
    def yes_price(self) -> int:
        """Limit price in terms of Yes, whatever the side; the worse one if it was amended."""
        price = self.worst_price
        return price if self.side is Side.YES else MICRO - price

    @property
    def is_bid(self) -> bool:
        """Whether it bids for Yes in the one book of the market (Buy Yes or Sell No)."""
        return (self.action is Action.BUY) is (self.side is Side.YES)

    @property
    def wire_side(self) -> Side:
        """The side of `market_id` that was named."""
        return self.side.opposite if self.is_flipped else self.side


def amended(order: Order, quantity: int, limit_price: int) -> tuple[int, int] | None:
    """Return terms of the venue as an order keeps them: None = they are the approved ones."""
    found = (quantity, limit_price)
    return None if found == (order.quantity, order.limit_price) else found


def losses(side: Side, action: Action, quantity: int, price: int) -> tuple[int, int]:
    """
    Return `max(0, outlay - payout)` if Yes wins and if No wins (design, "Exposure, exactly").

    A Buy pays its price and receives the payout; a Sell receives its price and gives it up.
    """
    if action is Action.BUY:
        outlay = mul_ceil(price, quantity)
        wins, loses = 0, outlay
        if outlay > quantity:
            wins = outlay - quantity
    else:
        wins, loses = quantity - mul_floor(price, quantity), 0
    return (wins, loses) if side is Side.YES else (loses, wins)
