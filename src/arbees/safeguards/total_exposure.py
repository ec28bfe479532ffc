"""Denies orders after which too much could be lost over the whole account.

Guarantees that the sum of the worst cases of all markets, on all venues, stays within the limit:
the amount that a night without anybody watching can cost.
"""

from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.book.exposure import judge
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import Skipped, Use, Verdict
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.units import MICRO

_REDUCING = (Skipped("MAX_TOTAL_EXPOSURE", "reducing order"),)


class TotalExposure(msgspec.Struct, frozen=True):
    """Cap of the worst case over all markets of the account."""

    name: ClassVar[str] = "total_exposure"
    codes: ClassVar[tuple[str, ...]] = ("MAX_TOTAL_EXPOSURE",)

    max_total_exposure: Annotated[
        int,
        Setting(
            name="MAX_TOTAL_EXPOSURE",
            kind=SettingKind.DOLLARS,
            default="2000.0",
            low="0.01",
            high="1000000000",
            doc="Greatest worst-case loss over all markets of the account.",
        ),
    ] = 2_000 * MICRO

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Compare the account's worst case, this order included, with the limit."""
        before = book.total_worst
        return judge(
            order,
            before,
            before + order.added_worst,
            self.max_total_exposure,
            _REDUCING,
        )

    def used(self, book: Book, facts: Facts) -> tuple[Use, ...]:
        """Return the worst case of the account."""
        return (Use("all", "MAX_TOTAL_EXPOSURE", book.total_worst, self.max_total_exposure),)
