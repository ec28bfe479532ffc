"""Denies orders in a market with an order of unknown fate, and everywhere when there are too many.

Guarantees that no order is placed on top of one that may or may not exist, which is how a timeout
becomes two positions, and that a venue which swallows orders is soon given no more.
"""

from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Use,
    Verdict,
)
from arbees.core.language.setting import Setting, SettingKind

_CLEAR = Pass("UNKNOWN_IN_MARKET", 0, 0, 0)
_REDUCING = Skipped("MAX_UNKNOWN_ORDERS", "reducing order")


class UnknownOrders(msgspec.Struct, frozen=True):
    """Cap of the number of orders of unknown fate; none in the market itself."""

    name: ClassVar[str] = "unknown_orders"
    codes: ClassVar[tuple[str, ...]] = ("UNKNOWN_IN_MARKET", "MAX_UNKNOWN_ORDERS")

    max_unknown_orders: Annotated[
        int,
        Setting(
            name="MAX_UNKNOWN_ORDERS",
            kind=SettingKind.COUNT,
            default="3",
            low="0",
            high="1000000",
            doc="Greatest number of orders of unknown fate at which new ones are still sent.",
        ),
    ] = 3

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Look at the order's market, then at all of them."""
        here, everywhere, maximum = order.market.unknown, book.unknown, self.max_unknown_orders
        market = Deny("UNKNOWN_IN_MARKET", here, 0) if here > 0 else _CLEAR
        if order.is_reducing:
            return market, _REDUCING
        if everywhere > maximum:
            return market, Deny("MAX_UNKNOWN_ORDERS", everywhere, maximum)
        return market, Pass("MAX_UNKNOWN_ORDERS", everywhere, maximum, maximum - everywhere)

    def used(self, book: Book, facts: Facts) -> tuple[Use, ...]:
        """Return how many orders are unknown in all, and in each market that has one."""
        markets = dict.fromkeys(
            order.market_key for order in book.orders.values() if order.status == "UNKNOWN"
        )
        return (
            Use("all", "MAX_UNKNOWN_ORDERS", book.unknown, self.max_unknown_orders),
            *(
                Use(f"market:{key}", "UNKNOWN_IN_MARKET", book.markets[key].unknown, 0)
                for key in markets
            ),
        )
