"""Denies orders that could take the loss of the day over the limit (R9).

Guarantees that what is lost today, realized, marked and in fees, plus all that the open orders and
this one may still lose, stays within the limit. It is a stop, not a bound: what is held can move.
Marks that nobody renews say nothing of it: by policy, what opens waits for fresh ones.
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
    Warn,
)
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Mode

CODES = ("MAX_DAILY_LOSS", "MARKS_STALE")
_REDUCING: tuple[Verdict, ...] = tuple(Skipped(code, "reducing order") for code in CODES)
_NOTHING_HELD = Skipped("MARKS_STALE", "nothing is held")
UNSEEN = "not seen since the start"


class DailyLoss(msgspec.Struct, frozen=True):
    """Cap of the loss of one trading day."""

    name: ClassVar[str] = "daily_loss"
    codes: ClassVar[tuple[str, ...]] = CODES

    max_daily_loss: Annotated[
        int,
        Setting(
            name="MAX_DAILY_LOSS",
            kind=SettingKind.DOLLARS,
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
            kind=SettingKind.RATIO,
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
            kind=SettingKind.ZONE,
            default="America/New_York",
            doc="Time zone in which a trading day begins, at midnight.",
        ),
    ] = "America/New_York"
    max_mark_age: Annotated[
        int,
        Setting(
            name="MAX_MARK_AGE_SECS",
            kind=SettingKind.SECONDS,
            default="120",
            low="0.001",
            high="31536000",
            doc="Greatest age of the mark of what is held.",
        ),
    ] = 120 * NS_PER_SECOND
    marks_policy: Annotated[
        str,
        Setting(
            name="MARKS_POLICY",
            kind=SettingKind.CHOICE,
            choices=("warn", "deny"),
            default="",
            doc="What an old or missing mark leads to; unset = deny in live, warn in paper.",
        ),
    ] = ""
    daily_loss_action: Annotated[
        str,
        Setting(
            name="DAILY_LOSS_ACTION",
            kind=SettingKind.CHOICE,
            choices=("halt", "reduce"),
            default="halt",
            doc="What a loss beyond MAX_DAILY_LOSS does: halt everything, or let only reducing "
            "orders pass.",
        ),
    ] = "halt"

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """
        Compare the loss of the day, should everything open go wrong, with the limit.

        A profit made today is room: the day as a whole is what is limited.
        """
        if order.is_reducing:
            return _REDUCING
        loss = book.open_day_loss + order.reserved.day_loss - book.pnl_today(facts.unrealized)
        limit = self.max_daily_loss
        verdict: Verdict = Pass("MAX_DAILY_LOSS", loss, limit, limit - loss)
        if loss > limit:
            verdict = Deny("MAX_DAILY_LOSS", loss, limit)
        marks = (
            _NOTHING_HELD if facts.marks_ns is None else self._marks(facts.marks_ns, book, facts)
        )
        return verdict, marks

    def _marks(self, marked_ns: int, book: Book, facts: Facts) -> Verdict:
        """Judge the oldest mark; one from as far in the future would never grow old."""
        age, limit = facts.now_ns - marked_ns, self.max_mark_age
        if marked_ns and -limit <= age <= limit:
            return Pass("MARKS_STALE", age, limit, limit - age)
        observed = age if marked_ns else UNSEEN
        policy = self.marks_policy or ("warn" if book.mode == Mode.PAPER else "deny")
        if policy == "warn":
            return Warn("MARKS_STALE", observed, limit)
        return Deny("MARKS_STALE", observed, limit)

    def used(self, book: Book, facts: Facts) -> tuple[Use, ...]:
        """Return the loss of the day, should everything open go wrong."""
        loss = book.open_day_loss - book.pnl_today(facts.unrealized)
        return (Use("all", "MAX_DAILY_LOSS", loss, self.max_daily_loss),)
