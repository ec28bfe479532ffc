"""Denies orders that could take the loss of the day over the limit (R9).

Guarantees that what is lost today, realized, marked and in fees, plus all that the open orders and
this one may still lose, stays within the limit. It is a stop, not a bound: what is held can move.
"""

from typing import Annotated, ClassVar

import msgspec

from arbees.core.book import Book
from arbees.core.candidate import Candidate
from arbees.core.facts import Facts
from arbees.core.setting import Kind, Setting
from arbees.core.units import MICRO
from arbees.core.verdicts import Deny, Pass, Skipped, Use, Verdict

_REDUCING: tuple[Verdict, ...] = (Skipped("MAX_DAILY_LOSS", "reducing order"),)


class DailyLoss(msgspec.Struct, frozen=True):
    """Cap of the loss of one trading day."""

    name: ClassVar[str] = "daily_loss"
    codes: ClassVar[tuple[str, ...]] = ("MAX_DAILY_LOSS",)

    max_daily_loss: Annotated[
        int,
        Setting(
            name="MAX_DAILY_LOSS",
            kind=Kind.DOLLARS,
            default="500.0",
            low="0.01",
            high="1000000000",
            doc="Greatest loss of a trading day.",
        ),
    ] = 500 * MICRO
    daily_loss_alert_threshold: Annotated[
        int,
        Setting(
            name="DAILY_LOSS_ALERT_THRESHOLD",
            kind=Kind.RATIO,
            default="0.8",
            low="0",
            high="1",
            doc="Warn when the loss of the day exceeds this share of MAX_DAILY_LOSS.",
        ),
    ] = 800_000
    trading_day_timezone: Annotated[
        str,
        Setting(
            name="TRADING_DAY_TIMEZONE",
            kind=Kind.ZONE,
            default="America/New_York",
            doc="Time zone in which a trading day begins, at midnight.",
        ),
    ] = "America/New_York"

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """
        Compare the loss of the day, should everything open go wrong, with the limit.

        A profit made today is room: the day as a whole is what is limited.
        """
        if order.is_reducing:
            return _REDUCING
        loss = book.open_day_loss + order.reserved.day_loss - book.pnl_today(facts.unrealized)
        limit = self.max_daily_loss
        if loss > limit:
            return (Deny("MAX_DAILY_LOSS", loss, limit),)
        return (Pass("MAX_DAILY_LOSS", loss, limit, limit - loss),)

    def used(self, book: Book, facts: Facts) -> tuple[Use, ...]:
        """Return the loss of the day, should everything open go wrong."""
        loss = book.open_day_loss - book.pnl_today(facts.unrealized)
        return (Use("all", "MAX_DAILY_LOSS", loss, self.max_daily_loss),)
