"""Denies prices that do not follow from what else is known: pregame, quote, edge (R8).

Guarantees that an order that adds risk is not priced far through the book, and, by policy, not
blind, not on an old quote, not far from where the game began and not on an edge that its own model
does not give. A missing or stale quote has a code of its own.
"""

from typing import Annotated, ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts, Touch
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
    Warn,
)
from arbees.core.language.request import Request
from arbees.core.language.setting import Setting, SettingKind
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Mode, Side

CODES = ("PREGAME_DELTA", "THROUGH_QUOTE", "QUOTE_STALE", "QUOTE_MISSING", "EDGE_IMPLAUSIBLE")
_REDUCING: tuple[Verdict, ...] = tuple(Skipped(code, "reducing order") for code in CODES)
_NO_PREGAME = Skipped("PREGAME_DELTA", "no pregame_prob")
_NO_EDGE = Skipped("EDGE_IMPLAUSIBLE", "no edge_pct or model_prob")
_NO_SIDE = Skipped("THROUGH_QUOTE", "no quote of that side")
_NEVER = Skipped("QUOTE_STALE", "no quote")
_QUOTED = Pass("QUOTE_MISSING")

POINTS = 100
"""Percentage points in one dollar of price."""


class PriceReference(msgspec.Struct, frozen=True):
    """How far a price may be from its references."""

    name: ClassVar[str] = "price_reference"
    codes: ClassVar[tuple[str, ...]] = CODES

    max_price_delta_from_pregame: Annotated[
        int,
        Setting(
            name="MAX_PRICE_DELTA_FROM_PREGAME",
            kind=SettingKind.PRICE,
            default="0.30",
            low="0",
            high="1",
            doc="Greatest distance of the limit price from the pregame probability of its side.",
        ),
    ] = 300_000
    pregame_policy: Annotated[
        str,
        Setting(
            name="PREGAME_POLICY",
            kind=SettingKind.CHOICE,
            choices=("warn", "deny"),
            default="warn",
            doc="What a price too far from the pregame probability leads to.",
        ),
    ] = "warn"
    max_price_through_quote: Annotated[
        int,
        Setting(
            name="MAX_PRICE_THROUGH_QUOTE",
            kind=SettingKind.PRICE,
            default="0.10",
            low="0",
            high="1",
            doc="How far a Buy may stand above the best ask, a Sell below the best bid.",
        ),
    ] = 100_000
    max_quote_age: Annotated[
        int,
        Setting(
            name="MAX_QUOTE_AGE_SECS",
            kind=SettingKind.SECONDS,
            default="10",
            low="0.001",
            high="31536000",
            doc="Greatest age of the quote to compare with.",
        ),
    ] = 10 * NS_PER_SECOND
    quote_policy: Annotated[
        str,
        Setting(
            name="QUOTE_POLICY",
            kind=SettingKind.CHOICE,
            choices=("warn", "deny"),
            default="",
            doc="What an old or missing quote leads to; unset = deny in live and on paper over a "
            "venue's own books, warn on fed quotes.",
        ),
    ] = ""
    edge_tolerance: Annotated[
        int,
        Setting(
            name="EDGE_TOLERANCE_POINTS",
            kind=SettingKind.POINTS,
            default="1.0",
            low="0",
            high="100",
            doc="How far edge_pct may be from model probability less price, in points.",
        ),
    ] = MICRO
    edge_policy: Annotated[
        str,
        Setting(
            name="EDGE_POLICY",
            kind=SettingKind.CHOICE,
            choices=("warn", "deny"),
            default="warn",
            doc="What an edge that does not follow leads to.",
        ),
    ] = "warn"

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Compare the price with the pregame probability, the quote and the model."""
        if order.is_reducing:
            return _REDUCING
        request = order.request
        best = order.touch_ask if order.is_buy else order.touch_bid
        if best is None:
            through: Verdict = _NO_SIDE
            missing: Verdict = self._of_quote(
                "QUOTE_MISSING", _missing(order, facts.touch), None, book, facts
            )
        else:
            price, limit = order.limit_price, self.max_price_through_quote
            far = price - best if order.is_buy else best - price
            through = (
                Deny("THROUGH_QUOTE", far, limit)
                if far > limit
                else Pass("THROUGH_QUOTE", far, limit, limit - far)
            )
            missing = _QUOTED
        return (
            _NO_PREGAME
            if request.pregame_prob is None
            else self._pregame(order, request, request.pregame_prob),
            through,
            _NEVER if facts.touch is None else self._age(facts.touch, book, facts),
            missing,
            _NO_EDGE
            if request.edge_pct is None or request.model_prob is None
            else self._edge(request, request.edge_pct, request.model_prob),
        )

    def _pregame(self, order: Candidate, request: Request, pregame: int) -> Verdict:
        delta = abs(order.limit_price - _of_named_side(request, pregame))
        limit = self.max_price_delta_from_pregame
        if delta <= limit:
            return Pass("PREGAME_DELTA", delta, limit, limit - delta)
        return _by(self.pregame_policy, "PREGAME_DELTA", delta, limit)

    def _age(self, touch: Touch, book: Book, facts: Facts) -> Verdict:
        """Judge a quote's age; one from as far in the future would never grow old."""
        age, limit = facts.now_ns - touch.ts_ns, self.max_quote_age
        if -limit <= age <= limit:
            return Pass("QUOTE_STALE", age, limit, limit - age)
        return self._of_quote("QUOTE_STALE", age, limit, book, facts)

    def _edge(self, request: Request, edge: int, model: int) -> Verdict:
        """Judge the claim about the request's own price, also where an alternate is tried."""
        implied = (_of_named_side(request, model) - request.limit_price) * POINTS
        off, limit = abs(edge - implied), self.edge_tolerance
        if off <= limit:
            return Pass("EDGE_IMPLAUSIBLE", off, limit, limit - off)
        return _by(self.edge_policy, "EDGE_IMPLAUSIBLE", off, limit)

    def _of_quote(
        self, code: str, observed: int | str, limit: int | None, book: Book, facts: Facts
    ) -> Deny | Warn:
        is_fed = book.mode == Mode.PAPER and not facts.has_own_books
        policy = self.quote_policy or ("warn" if is_fed else "deny")
        return _by(policy, code, observed, limit)


def _by(policy: str, code: str, observed: int | str, limit: int | None) -> Deny | Warn:
    """Warn only where the policy says so; whatever else it says denies."""
    return Warn(code, observed, limit) if policy == "warn" else Deny(code, observed, limit)


def _of_named_side(request: Request, probability: int) -> int:
    """Return a probability of the request's Yes as one of the side that it bets on."""
    return probability if request.side is Side.YES else MICRO - probability


def _missing(order: Candidate, touch: Touch | None) -> str:
    if touch is None:
        return "never seen"
    if touch.is_crossed:
        return "a crossed or locked book is none"
    return f"no {'ask' if order.is_buy else 'bid'} of {order.side.value}"
