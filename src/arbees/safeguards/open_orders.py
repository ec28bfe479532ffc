"""Denies orders while too many are open.

Guarantees that at most so many orders are working, in flight or unknown at once: what a halt has to
chase, and what a strategy in a loop can pile up, is bounded.
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

_REDUCING: tuple[Verdict, ...] = (Skipped("MAX_OPEN_ORDERS", "reducing order"),)


class OpenOrders(msgspec.Struct, frozen=True):
    """Cap of the number of open orders."""

    name: ClassVar[str] = "open_orders"
    codes: ClassVar[tuple[str, ...]] = ("MAX_OPEN_ORDERS",)

    max_open_orders: Annotated[
        int,
        Setting(
            name="MAX_OPEN_ORDERS",
            kind=SettingKind.COUNT,
            default="50",
            low="1",
            high="1000000",
            doc="Greatest number of open orders, over all venues.",
        ),
    ] = 50

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Count the open orders and this one."""
        if order.is_reducing:
            return _REDUCING
        count = len(book.orders) + 1
        maximum = self.max_open_orders
        if count > maximum:
            return (Deny("MAX_OPEN_ORDERS", count, maximum),)
        return (Pass("MAX_OPEN_ORDERS", count, maximum, maximum - count),)

    def used(self, book: Book, facts: Facts) -> tuple[Use, ...]:
        """Return how many orders are open."""
        return (Use("all", "MAX_OPEN_ORDERS", len(book.orders), self.max_open_orders),)
