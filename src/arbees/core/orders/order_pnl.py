"""What orders came to: fills, fees, and their profit or loss where the outcome is known.

Guarantees that an order's figure is its own: what was paid and received for it, against what its
contracts paid at the settlement, or would bring at the last recorded mark. Added up over all orders
of settled markets it is the account's realized P&L less fees, but for rounding by average cost.
"""

import msgspec

from arbees.core import events
from arbees.core.book.book import Book
from arbees.core.language.units import MICRO, div_ceil, div_floor
from arbees.core.language.words import Action, Side

SETTLED, MARKED, UNKNOWN = "settled", "marked", "unknown"


class OrderPnl(msgspec.Struct, kw_only=True):
    """One order, and what it came to so far."""

    market_key: str
    side: Side
    """Of the market's key."""
    action: Action
    filled: int = 0
    value: int = 0
    """Price x quantity of the fills, in millionths of a micro-dollar."""
    fees: int = 0

    def pnl(self, book: Book) -> tuple[str, int]:
        """
        Return how sure the figure is (`settled`, `marked`, `unknown`), and the P&L less fees.

        Args:
            book: as it is now; knows results and last marks.
        """
        if not self.filled:
            return SETTLED, 0
        market = book.markets[self.market_key]
        if market.payouts is not None:
            price, sure = market.payouts.of(self.side), SETTLED
        else:
            mark = market.mark_yes if self.side is Side.YES else market.mark_no
            if mark is None:
                return UNKNOWN, -self.fees
            price, sure = mark, MARKED
        if self.action is Action.BUY:
            return sure, div_floor(price * self.filled - self.value, MICRO) - self.fees
        return sure, -div_ceil(price * self.filled - self.value, MICRO) - self.fees


class FillTally:
    """Follows the fills of chosen orders."""

    def __init__(self) -> None:
        """Follow nothing yet."""
        self._orders: dict[str, OrderPnl] = {}
        self._asked: events.OrderApproved | None = None

    def follow(self, event: events.OrderApproved) -> OrderPnl:
        """Follow an order from its approval on."""
        followed = OrderPnl(
            market_key=event.market_key, side=event.side, action=event.request.action
        )
        self._orders[event.client_order_id] = followed
        self._asked = event
        return followed

    def take(self, event: events.Event) -> None:
        """Take a record; an approval under an id that was followed before begins anew."""
        if isinstance(event, events.OrderFilled):
            followed = self._orders.get(event.client_order_id)
            if followed is not None:
                followed.filled += event.quantity
                followed.value += event.value
                followed.fees += event.fee
        elif isinstance(event, events.FillReversed):
            followed = self._orders.get(event.client_order_id)
            if followed is not None:
                followed.filled -= event.quantity
                followed.value -= event.value
                followed.fees -= event.fee
        elif isinstance(event, events.OrderApproved) and self._asked is not event:
            self._orders.pop(event.client_order_id, None)
