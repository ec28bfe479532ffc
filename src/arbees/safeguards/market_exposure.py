"""Denies orders after which too much could be lost in one market (R2).

Guarantees that positions and all open orders of a market, working, in flight or unknown, cannot
lose more than the limit, however the open ones still turn out and whichever outcome wins.
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

_REDUCING = (Skipped("MAX_POSITION_PER_MARKET", "reducing order"),)


class MarketExposure(msgspec.Struct, frozen=True):
    """Cap of the worst case in one market."""

    name: ClassVar[str] = "market_exposure"
    codes: ClassVar[tuple[str, ...]] = ("MAX_POSITION_PER_MARKET",)

    max_position_per_market: Annotated[
        int,
        Setting(
            name="MAX_POSITION_PER_MARKET",
            kind=SettingKind.DOLLARS,
            default="200.0",
            low="0.01",
            high="1000000000",
            doc="Greatest worst-case loss in a market, open orders included.",
        ),
    ] = 200 * MICRO

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Compare the market's worst case, this order included, with the limit."""
        after = order.market_worst
        return judge(
            order,
            after - order.added_worst,
            after,
            self.max_position_per_market,
            _REDUCING,
        )

    def used(self, book: Book, facts: Facts) -> tuple[Use, ...]:
        """Return the worst case of each market that has one."""
        limit = self.max_position_per_market
        return tuple(
            Use(f"market:{key}", "MAX_POSITION_PER_MARKET", market.worst, limit)
            for key, market in book.markets.items()
            if market.worst
        )
