"""Denies orders after which too much could be lost in one sport (R13).

Guarantees that the sum of the worst cases of a sport's markets stays within that sport's limit.
Markets of which no sport is known are a sport of their own, `UNCLASSIFIED`, never outside of all.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.book.exposure import judge
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import Skipped, Use, Verdict
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.units import MICRO, parse_micro

_REDUCING = (Skipped("MAX_SPORT_EXPOSURE", "reducing order"),)
_HIGHEST = 1_000_000_000 * MICRO


class SportLimits(msgspec.Struct, frozen=True):
    """
    The table `[sport_exposure.limits]`.

    Attributes:
        of: limits in micro-dollars by sport in lower case.
    """

    of: dict[str, int] = {}

    @classmethod
    def parse(cls, table: Mapping[str, object]) -> "SportLimits":
        """
        Read the table of arbees.toml.

        Raises:
            ValueError: which entry, what was expected, what came.
        """
        found: dict[str, int] = {}
        for sport, value in table.items():
            place = f"sport_exposure.limits.{sport}"
            if sport.casefold() in found:
                raise ValueError(f"{place}: Expected each sport once, was there twice")
            found[sport.casefold()] = _dollars(place, value)
        return cls(found)


def _dollars(place: str, value: object) -> int:
    try:
        dollars = parse_micro(str(value))
    except ValueError:
        dollars = -1
    if not 0 <= dollars <= _HIGHEST:
        raise ValueError(f"{place}: Expected dollars from 0 to 1000000000, was {value!r}")
    return dollars


NO_LIMITS = SportLimits()


class SportExposure(msgspec.Struct, frozen=True):
    """Caps of the worst case over all markets of one sport."""

    name: ClassVar[str] = "sport_exposure"
    codes: ClassVar[tuple[str, ...]] = ("MAX_SPORT_EXPOSURE",)

    max_sport_exposure: Annotated[
        int,
        Setting(
            name="MAX_SPORT_EXPOSURE",
            kind=SettingKind.DOLLARS,
            default="1000.0",
            low="0.01",
            high="1000000000",
            doc="Greatest worst-case loss in a sport that has no limit of its own.",
        ),
    ] = 1_000 * MICRO
    limits: Annotated[
        SportLimits,
        Setting(
            name="sport_exposure.limits",
            kind=SettingKind.TABLE,
            doc="Limits in dollars of single sports, such as `NBA = 500`; 0 closes a sport.",
        ),
    ] = NO_LIMITS

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """
        Compare the sport's worst case, this order included, with the limit.

        An order may be the first to say which sport a market is about; then all that the market
        holds comes along.
        """
        sport = order.sport
        limit = self.max_sport_exposure
        limits = self.limits.of
        if limits:
            limit = limits.get(sport.casefold(), limit)
        before = book.sport_worst.get(sport, 0)
        is_there = sport == order.market.sport
        return judge(
            order,
            before,
            before + (order.added_worst if is_there else order.market_worst),
            limit,
            _REDUCING,
        )

    def limit_of(self, sport: str) -> int:
        """Return the limit of a sport, in any case: its own, else that of all others."""
        return self.limits.of.get(sport.casefold(), self.max_sport_exposure)

    def used(self, book: Book, facts: Facts) -> tuple[Use, ...]:
        """Return the worst case of each sport that has one, or a limit of its own."""
        worst = {sport.upper(): 0 for sport in self.limits.of} | book.sport_worst
        return tuple(
            Use(f"sport:{sport}", "MAX_SPORT_EXPOSURE", value, self.limit_of(sport))
            for sport, value in sorted(worst.items())
        )
