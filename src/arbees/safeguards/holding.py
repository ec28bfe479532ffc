"""Denies a Sell of more than is held and not already being closed.

Guarantees that Sell only ever closes: no order can turn a long position into a short one, and two
Sells cannot close the same contracts twice. Always on: it has no settings.
"""

from typing import ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)

_BUY: tuple[Verdict, ...] = (Skipped("SELL_EXCEEDS_POSITION", "a Buy"),)


class Holding(msgspec.Struct, frozen=True):
    """Sell closes what is held, nothing more."""

    name: ClassVar[str] = "holding"
    codes: ClassVar[tuple[str, ...]] = ("SELL_EXCEEDS_POSITION",)

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Compare the quantity of a Sell with what may still be closed of that side."""
        if order.is_buy:
            return _BUY
        left = order.closable - order.quantity
        if left < 0:
            return (Deny("SELL_EXCEEDS_POSITION", order.quantity, order.closable),)
        return (Pass("SELL_EXCEEDS_POSITION", order.quantity, order.closable, left),)
