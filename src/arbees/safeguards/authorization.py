"""Denies live orders without authority (R1).

Guarantees that nothing live is approved unless settings, journal and an operator's authorization
all say so, for exactly the settings that were authorized. Whatever is missing or disagrees denies.
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
from arbees.core.language.words import Mode, Platform

_PAPER: tuple[Verdict, ...] = (
    Skipped("NOT_AUTHORIZED", "paper trading"),
    Skipped("AUTHORIZATION_EXPIRED", "paper trading"),
)
_AUTHORIZED = Pass("NOT_AUTHORIZED")
_NOT_EXPIRED = Pass("AUTHORIZATION_EXPIRED")
_REDUCING = Skipped("AUTHORIZATION_EXPIRED", "reducing order")

_DISAGREE = Deny("NOT_AUTHORIZED", "settings and journal disagree whether this is live")
_FLAG_MISSING = Deny("NOT_AUTHORIZED", "LIVE_TRADING_AUTHORIZED is not set to true")
_NEVER = Deny("NOT_AUTHORIZED", "no `arbees authorize` is on record")
_CHANGED = Deny("NOT_AUTHORIZED", "the settings changed since `arbees authorize`")


class Authorization(msgspec.Struct, frozen=True):
    """Who may trade live, where, and until when."""

    name: ClassVar[str] = "authorization"
    codes: ClassVar[tuple[str, ...]] = ("NOT_AUTHORIZED", "AUTHORIZATION_EXPIRED")

    paper_trading: Annotated[
        bool,
        Setting(
            name="PAPER_TRADING",
            kind=SettingKind.FLAG,
            default="1",
            doc="Trade on the paper exchange; 0 means live and needs LIVE_TRADING_AUTHORIZED too.",
        ),
    ] = True
    live_trading_authorized: Annotated[
        bool,
        Setting(
            name="LIVE_TRADING_AUTHORIZED",
            kind=SettingKind.FLAG,
            default="false",
            doc="The second flag without which nothing live is sent.",
        ),
    ] = False
    live_trading_authorized_until: Annotated[
        int | None,
        Setting(
            name="LIVE_TRADING_AUTHORIZED_UNTIL",
            kind=SettingKind.TIME,
            doc="Last moment at which a live order is approved; unset = as was authorized.",
        ),
    ] = None
    live_platforms: Annotated[
        tuple[str, ...],
        Setting(
            name="LIVE_PLATFORMS",
            kind=SettingKind.LIST,
            choices=tuple(Platform),
            doc="Platforms that may trade live; unset = all that have credentials.",
        ),
    ] = ()
    live_confirm: Annotated[
        bool,
        Setting(
            name="LIVE_CONFIRM",
            kind=SettingKind.FLAG,
            default="false",
            doc="Ask at the terminal for `CONFIRM LIVE TRADING` before a live start.",
        ),
    ] = False
    live_requires_preflight: Annotated[
        bool,
        Setting(
            name="LIVE_REQUIRES_PREFLIGHT",
            kind=SettingKind.FLAG,
            default="true",
            doc="Refuse a live start without the pre-flight evidence.",
        ),
    ] = True

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Pass paper orders; ask live ones for flag, platform, authority and time."""
        if self.paper_trading and book.mode == Mode.PAPER:
            return _PAPER
        return self._authority(order, book), self._expiry(order, book, facts)

    def _authority(self, order: Candidate, book: Book) -> Verdict:
        if self.paper_trading or book.mode != Mode.LIVE:
            return _DISAGREE
        if not self.live_trading_authorized:
            return _FLAG_MISSING
        if self.live_platforms and not self._is_live(order.platform):
            return Deny("NOT_AUTHORIZED", f"{order.platform.value} is not in LIVE_PLATFORMS")
        if book.authority is None:
            return _NEVER
        if book.authority.settings_hash != book.settings_hash:
            return _CHANGED
        return _AUTHORIZED

    def _is_live(self, platform: str) -> bool:
        if platform in self.live_platforms:
            return True
        return platform.casefold() in [name.casefold() for name in self.live_platforms]

    def _expiry(self, order: Candidate, book: Book, facts: Facts) -> Verdict:
        if order.is_reducing:
            return _REDUCING
        until = self.live_trading_authorized_until
        granted = None if book.authority is None else book.authority.until_ns
        if until is None or (granted is not None and granted < until):
            until = granted
        if until is None or facts.now_ns <= until:
            return _NOT_EXPIRED
        return Deny("AUTHORIZATION_EXPIRED", format_time(facts.now_ns), format_time(until))
