"""Denies extreme prices (R8).

Guarantees that no order that adds risk has a limit price of its named side outside the safe range:
there a model is most often wrong, and a fill is almost certain to be a bad one.
"""

from functools import cache
from typing import Annotated, ClassVar

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
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.units import format_micro

_REDUCING: tuple[Verdict, ...] = (Skipped("PRICE_OUT_OF_RANGE", "reducing order"),)


class PriceRange(msgspec.Struct, frozen=True):
    """The range of prices of the named side in which orders may add risk."""

    name: ClassVar[str] = "price_range"
    codes: ClassVar[tuple[str, ...]] = ("PRICE_OUT_OF_RANGE",)

    min_safe_price: Annotated[
        int,
        Setting(
            name="MIN_SAFE_PRICE",
            kind=SettingKind.PRICE,
            default="0.05",
            low="0",
            high="1",
            doc="Lowest limit price of the named side.",
        ),
    ] = 50_000
    max_safe_price: Annotated[
        int,
        Setting(
            name="MAX_SAFE_PRICE",
            kind=SettingKind.PRICE,
            default="0.95",
            low="0",
            high="1",
            doc="Highest limit price of the named side.",
        ),
    ] = 950_000

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Compare the limit price with both ends."""
        if order.is_reducing:
            return _REDUCING
        price = order.limit_price
        above, below = price - self.min_safe_price, self.max_safe_price - price
        limit = _text(self.min_safe_price, self.max_safe_price)
        if above < 0 or below < 0:
            return (Deny("PRICE_OUT_OF_RANGE", price, limit),)
        return (Pass("PRICE_OUT_OF_RANGE", price, limit, above if above < below else below),)


@cache
def _text(low: int, high: int) -> str:
    return f"[{format_micro(low)}, {format_micro(high)}]"
