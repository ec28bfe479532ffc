"""Denies orders that do not fit their market: unknown, closed, off the grid, misclassified.

Guarantees that what is sent is an order that the venue's rules allow in a market that we know, and
that a caller cannot move an order into another sport or game, and so past its limit, by a label.
"""

from typing import ClassVar

import msgspec

from arbees.core.book.book import Book
from arbees.core.book.market import Listing
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Deny,
    Pass,
    Skipped,
    Verdict,
)
from arbees.core.language.units import NS_PER_SECOND, is_multiple, whole_seconds
from arbees.core.language.words import UNCLASSIFIED, Side

_KNOWN = Pass("MARKET_UNKNOWN")
_OPEN = Pass("MARKET_CLOSED")
MARKET_AGE_MAX_NS = 120 * NS_PER_SECOND
"""The venue's word on a market is too old to open anything by."""
_AGE_MAX_SECONDS = whole_seconds(MARKET_AGE_MAX_NS)
_FRESH = Pass("MARKET_STALE")
_FED = Skipped("MARKET_STALE", "no venue is asked")
_REDUCING = Skipped("MARKET_STALE", "reducing order")
_STALE_SKIPPED = Skipped("MARKET_STALE", "the market is not known")
_CLOSED_SKIPPED = Skipped("MARKET_CLOSED", "the market is not known")
_CONFLICT_SKIPPED = Skipped("CLASSIFICATION_CONFLICT", "the market is not known")
_NO_LABELS = Skipped("CLASSIFICATION_CONFLICT", "no sport, game_id or token_id")
_NO_CONFLICT = Pass("CLASSIFICATION_CONFLICT")


class Market(msgspec.Struct, frozen=True):
    """What the venue's newest word, or the newest quote, says of the market. Always on."""

    name: ClassVar[str] = "market"
    codes: ClassVar[tuple[str, ...]] = (
        "MARKET_UNKNOWN",
        "MARKET_CLOSED",
        "MARKET_STALE",
        "INVALID_TICK",
        "INVALID_QUANTITY",
        "MIN_ORDER",
        "CLASSIFICATION_CONFLICT",
    )

    def check(self, order: Candidate, book: Book, facts: Facts) -> tuple[Verdict, ...]:
        """Compare the order with the market; an unknown one with the terms of its venue."""
        listing = order.market.listing
        if not order.is_known:
            return (
                Deny("MARKET_UNKNOWN", order.market_id),
                _CLOSED_SKIPPED,
                _STALE_SKIPPED,
                _tick(order, listing),
                _lot(order, listing),
                _minimum(order, listing),
                _CONFLICT_SKIPPED,
            )
        return (
            _KNOWN,
            _OPEN if order.market.is_open else _closed(order),
            _age(order, facts),
            _tick(order, listing),
            _lot(order, listing),
            _minimum(order, listing),
            _classification(order, listing),
        )


def _closed(order: Candidate) -> Verdict:
    status = order.market.status
    return Deny("MARKET_CLOSED", f"{order.market_id} ({status})" if status else order.market_id)


def _age(order: Candidate, facts: Facts) -> Verdict:
    """Judge how old the venue's word on the market is; a way out goes by what is known."""
    if facts.market_ns is None:
        return _FED
    if order.is_reducing:
        return _REDUCING
    age_ns = facts.now_ns - facts.market_ns
    if age_ns <= MARKET_AGE_MAX_NS:
        return _FRESH
    if not facts.market_ns:
        return Deny("MARKET_STALE", "not confirmed since the start")
    return Deny("MARKET_STALE", f"{whole_seconds(age_ns)} s, maximum {_AGE_MAX_SECONDS} s")


def _tick(order: Candidate, listing: Listing) -> Verdict:
    """Judge the price on the grid of the key's Yes, on which No lies symmetrically."""
    tick, start = listing.tick, 0
    if listing.ticks:
        tick, start = listing.tick_at(order.key_yes_price)
    if tick <= 0 or not is_multiple(order.key_yes_price - start, tick):
        return Deny("INVALID_TICK", order.limit_price, tick)
    return Pass("INVALID_TICK", order.limit_price, tick)


def _lot(order: Candidate, listing: Listing) -> Verdict:
    lot = listing.lot
    if lot <= 0 or not is_multiple(order.quantity, lot):
        return Deny("INVALID_QUANTITY", order.quantity, lot)
    return Pass("INVALID_QUANTITY", order.quantity, lot)


def _minimum(order: Candidate, listing: Listing) -> Verdict:
    left = order.quantity - listing.minimum
    if left < 0:
        return Deny("MIN_ORDER", order.quantity, listing.minimum)
    return Pass("MIN_ORDER", order.quantity, listing.minimum, left)


def _classification(order: Candidate, listing: Listing) -> Verdict:
    """Compare what the request says of the market with what is known; tell the first conflict."""
    request = order.request
    is_own = order.leg == 0
    token = None if listing.is_netting or not is_own else request.token_id
    if request.sport is None and request.game_id is None and token is None:
        return _NO_LABELS
    sport = order.market.sport
    if request.sport is not None and sport != UNCLASSIFIED and not _same(request.sport, sport):
        return _conflict(f"sport {request.sport}", f"sport {sport}")
    fed = listing.game_id
    if request.game_id is not None and fed is not None and len(order.games) > 1:
        return _conflict(f"game {request.game_id}", f"game {fed}")
    if token is not None:
        meant = order.market_id if order.side is Side.YES else _opposite(order.market_id, listing)
        if meant is None:
            return _conflict(f"token {token}", f"known without the token of {order.side.value}")
        if token != meant:
            return _conflict(f"token {token}", f"token {meant} for {order.side.value}")
    return _NO_CONFLICT


def _same(left: str, right: str) -> bool:
    """Tell whether two sports are one: `nba` is `NBA`."""
    return left == right or left.casefold() == right.casefold()


def _opposite(market_id: str, listing: Listing) -> str | None:
    """Return the other token of the condition, by either name of the market."""
    return listing.opposite_id if market_id == listing.market_id else listing.market_id


def _conflict(said: str, known: str) -> Verdict:
    return Deny("CLASSIFICATION_CONFLICT", said, known)
