"""Denies orders that could trade with an open order of our own.

Guarantees that no order of the account meets another one of it: a wash trade moves no position,
pays two fees, and is forbidden by the venues. Always on: it has no settings.
"""

from typing import ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import Deny, Pass, Verdict
from arbees.core.language.units import MICRO
from arbees.core.language.words import Side

_ALONE: tuple[Verdict, ...] = (Pass("SELF_TRADE"),)


class OpposingOrder(msgspec.Struct, frozen=True):
    """No order may trade with an open one of our own."""

    name: ClassVar[str] = "opposing_order"
    codes: ClassVar[tuple[str, ...]] = ("SELF_TRADE",)

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """
        Compare with the best-priced open order on the other side of the market's one book.

        Buy Yes and Sell No bid for Yes, Sell Yes and Buy No offer it, at a price or at 1 less it.
        Whatever is open counts: working, in flight, unknown, and asked to be cancelled.
        """
        ids = order.market.orders
        if not ids:
            return _ALONE
        is_bid = order.is_bid
        best: int | None = None
        for each in ids:
            other = book.orders.get(each)
            if other is None or other.is_bid is is_bid:
                continue
            price = other.yes_price
            if best is None or (price < best if is_bid else price > best):
                best = price
        if best is None:
            return _ALONE
        away = best - order.key_yes_price if is_bid else order.key_yes_price - best
        named = best if order.key_side is Side.YES else MICRO - best
        if away <= 0:
            return (Deny("SELF_TRADE", order.limit_price, named),)
        return (Pass("SELF_TRADE", order.limit_price, named, away),)
