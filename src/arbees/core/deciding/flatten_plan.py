"""Plans how to close what is held of a scope: which reducing orders, at which prices, and what not.

Guarantees that a plan sells no more than is held and not already being closed, inside the collar
around the best bid, on tick and lot, and that what it leaves is named with the reason. The orders
pass every safeguard as anybody's would; nothing here decides whether they may.
"""

from collections.abc import Iterator, Mapping

import msgspec

from arbees.core.book.book import Book, Subject, closable
from arbees.core.book.market import Listing, Market
from arbees.core.deciding.facts import Touch
from arbees.core.event import Event
from arbees.core.language.units import MICRO, round_up
from arbees.core.language.words import UNNAMED, Side

CLOSES_MAX = 500
"""Orders of one plan; more is left for the next."""


class Close(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reducing order that is to be sent."""

    request_id: str
    """Also its idempotency key; made from the receipt's id."""
    platform: str
    market_id: str
    side: str
    """What is sold."""
    quantity: int
    limit_price: int
    """Of that side."""
    strategy: str | None = None
    """Whose position it closes, as far as fills tell; null = nobody's in particular."""


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What is held and not closed, and why."""

    platform: str
    market_id: str
    side: str
    quantity: int
    reason: str


class FlattenPlanned(Event, frozen=True, kw_only=True):
    """How what is held of a scope is to be closed; the orders follow, each decided by itself."""

    receipt_id: str
    closes: tuple[Close, ...]
    """One after the other where they are of one market; the next is sent once one has filled."""
    left: tuple[Left, ...] = ()
    """What none of them closes."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Within what a plan stays."""

    slippage: int
    """How far below the best bid it may sell, in micro-dollars."""
    contracts: int
    """Greatest quantity of one order."""


def plan(
    book: Book, touches: Mapping[str, Touch], scope: str, receipt_id: str, bounds: Bounds
) -> FlattenPlanned:
    """
    Plan to close what is held of a scope.

    Args:
        book: what is held.
        touches: best prices of Yes by market key.
        scope: in its one spelling; any but `model_version:X`, which no position has.
        receipt_id: under which it is found.
        bounds: within what it stays.
    """
    closes: list[Close] = []
    left: list[Left] = []
    for market, side, strategy, held in held_of(book, scope):
        listing = market.listing
        price = _price(listing, side, touches.get(listing.market_key), bounds.slippage)
        free = min(held, closable(market, side) - _planned(closes, listing, side))
        step = min(_whole(bounds.contracts, listing.lot), free)
        whole = _whole(free, listing.lot) if step > 0 and price is not None else 0
        if price is not None and step > 0:
            for start in range(0, whole, step):
                if len(closes) == CLOSES_MAX:
                    whole = start
                    break
                close = Close(
                    request_id=f"{receipt_id}-{len(closes) + 1}",
                    platform=listing.platform,
                    market_id=listing.market_id,
                    side=side,
                    quantity=min(step, whole - start),
                    limit_price=price,
                    strategy=None if strategy == UNNAMED else strategy,
                )
                closes.append(close)
        if whole < held:
            reason = _why_left(price, free, held, is_full=len(closes) == CLOSES_MAX)
            left.append(
                Left(
                    platform=listing.platform,
                    market_id=listing.market_id,
                    side=side,
                    quantity=held - whole,
                    reason=reason,
                )
            )
    return FlattenPlanned(receipt_id=receipt_id, closes=tuple(closes), left=tuple(left))


def _why_left(price: int | None, free: int, held: int, *, is_full: bool) -> str:
    if free < held:
        return "an open order closes it already"
    if price is None:
        return "nobody bids for it: there is no price to close it at"
    return f"more than {CLOSES_MAX} orders at once: ask again" if is_full else "less than one lot"


def _planned(closes: list[Close], listing: Listing, side: Side) -> int:
    return sum(
        each.quantity
        for each in closes
        if (each.platform, each.market_id, each.side) == (listing.platform, listing.market_id, side)
    )


def held_of(book: Book, scope: str) -> Iterator[tuple[Market, Side, str, int]]:
    """Yield what is held of a scope, by market, side and strategy."""
    cycles: dict[str, list[tuple[str, int]]] = {}
    for cycle in book.cycles.values():
        cycles.setdefault(cycle.market_key, []).append((cycle.strategy, cycle.quantity))
    for key, market in book.markets.items():
        for side in (Side.YES, Side.NO):
            if not market.holding(side).quantity:
                continue
            for strategy, quantity in _by_strategy(market, side, cycles.get(key, [])):
                subject = Subject(
                    market.listing.platform,
                    market.sport,
                    key,
                    market.listing.market_id,
                    strategy,
                    None,
                    (market.game_id,),
                )
                if book.covers(scope, subject):
                    yield market, side, strategy, quantity


def _by_strategy(
    market: Market, side: Side, cycles: list[tuple[str, int]]
) -> Iterator[tuple[str, int]]:
    """Share out what is held of a side by who bought it; the rest is nobody's in particular."""
    rest = market.holding(side).quantity
    for strategy, signed in sorted(cycles):
        own = min(signed if side is Side.YES else -signed, rest)
        if own > 0 and strategy != UNNAMED:
            rest -= own
            yield strategy, own
    if rest:
        yield UNNAMED, rest


def _price(listing: Listing, side: Side, touch: Touch | None, slippage: int) -> int | None:
    """Return the lowest price of a side at which it may be sold; None = nobody bids for it."""
    if touch is None or touch.is_crossed:
        return None
    if side is Side.YES:
        if touch.bid is None:
            return None
        lowest = max(touch.bid - slippage, 1)
        step, start = listing.tick_at(lowest)
        price = start + round_up(lowest - start, step)
        return price if price < MICRO else None
    if touch.ask is None:
        return None
    highest = min(touch.ask + slippage, MICRO - 1)
    step, start = listing.tick_at(highest)
    of_yes = start + _whole(highest - start, step)
    return MICRO - of_yes if of_yes > 0 else None


def _whole(quantity: int, lot: int) -> int:
    """Return the greatest multiple of a lot that is no more than a quantity >= 0."""
    return round_up(quantity - lot + 1, lot)
