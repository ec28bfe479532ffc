"""Denies requests that come too late or from the future.

Guarantees that a signal acts only while it is fresh: queues, retries and wrong clocks cannot turn
an old opinion into an order. No exit: a stale order to reduce is a stale opinion, too.
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
    Verdict,
)
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import NS_PER_SECOND

_NO_EXPIRY = Skipped("EXPIRED", "no expires_at")
_NOT_EXPIRED = Pass("EXPIRED")


class Freshness(msgspec.Struct, frozen=True):
    """How old a request may be, and how far ahead its clock."""

    name: ClassVar[str] = "freshness"
    codes: ClassVar[tuple[str, ...]] = ("EXPIRED", "STALE_SIGNAL", "FUTURE_DATED")

    max_signal_age: Annotated[
        int,
        Setting(
            name="MAX_SIGNAL_AGE_SECS",
            kind=SettingKind.SECONDS,
            default="30",
            low="0.001",
            high="31536000",
            doc="Greatest age of a request, from created_at to the decision.",
        ),
    ] = 30 * NS_PER_SECOND
    max_clock_skew: Annotated[
        int,
        Setting(
            name="MAX_CLOCK_SKEW_SECS",
            kind=SettingKind.SECONDS,
            default="2",
            low="0.001",
            high="60",
            doc="How far created_at may lie in the future, and our clock from the venue's.",
        ),
    ] = 2 * NS_PER_SECOND

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Compare the request's times with now."""
        now = facts.now_ns
        age = now - order.request.created_ns
        ahead = -age if age < 0 else 0
        age = age if age > 0 else 0
        stale, skew = self.max_signal_age, self.max_clock_skew
        expires = order.request.expires_ns
        return (
            _NO_EXPIRY if expires is None else _expiry(expires, now),
            Deny("STALE_SIGNAL", age, stale)
            if age > stale
            else Pass("STALE_SIGNAL", age, stale, stale - age),
            Deny("FUTURE_DATED", ahead, skew)
            if ahead > skew
            else Pass("FUTURE_DATED", ahead, skew, skew - ahead),
        )


def _expiry(expires_ns: int, now: int) -> Verdict:
    if expires_ns < now:
        return Deny("EXPIRED", format_time(now), format_time(expires_ns))
    return _NOT_EXPIRED
