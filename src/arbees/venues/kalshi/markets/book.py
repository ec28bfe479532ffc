"""One order book of Kalshi's, and in whose prices its side of No is told.

Guarantees that a book never holds a level of nothing, that a change which does not fit is refused,
and that a book told in prices which we did not ask for can be known by itself or by the market's
own row: then none of it is read.
"""

from enum import StrEnum

import msgspec

from arbees.core.language.quote import Quote, is_crossed
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform
from arbees.venues.kalshi import shapes

LEVELS_MAX = 20
"""Levels of each side that are told; more never fill an order within the limits."""

Levels = tuple[tuple[str, str], ...]


class BookLevels(msgspec.Struct, frozen=True):
    """A whole book: bids, and asks as the bids for No that they are, all in prices of Yes."""

    market_ticker: str
    yes_dollars_fp: Levels | None = ()
    no_dollars_fp: Levels | None = ()


class Delta(msgspec.Struct, frozen=True):
    """A change of one level."""

    market_ticker: str
    price_dollars: str
    delta_fp: str
    side: str
    ts_ms: int | None = None


class Scale(StrEnum):
    """In whose prices the side of No is told."""

    UNPROVEN = "unproven"
    YES = "yes"
    """In prices of Yes, as we ask for."""
    NO = "no"
    """In its own: what we ask for is ignored."""


class OrderBook:
    """One market: quantities by price of Yes, of bids and of asks."""

    def __init__(self) -> None:
        """Start empty."""
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}

    def replace(self, snapshot: BookLevels) -> None:
        """Take a whole book. Raises VenueOutcomeUnknown: it cannot be read."""
        self.bids, self.asks = _levels(snapshot.yes_dollars_fp), _levels(snapshot.no_dollars_fp)

    def change(self, delta: Delta) -> None:
        """Take a change. Raises VenueOutcomeUnknown: it does not fit the book."""
        side = {"yes": self.bids, "no": self.asks}.get(delta.side)
        if side is None:
            raise shapes.unreadable(f"Kalshi's side: Expected yes or no, was {delta.side!r}")
        price = _price("price_dollars", delta.price_dollars)
        quantity = side.get(price, 0) + shapes.micro("delta_fp", delta.delta_fp)
        if quantity < 0:
            raise shapes.unreadable(f"Kalshi's book has {quantity} at {delta.price_dollars}")
        if quantity:
            side[price] = quantity
        else:
            side.pop(price, None)

    def scale(self) -> Scale:
        """Return what the book itself says of its prices: one of the readings may be impossible."""
        if not self.bids or not self.asks:
            return Scale.UNPROVEN
        bid, low, high = max(self.bids), min(self.asks), max(self.asks)
        return Scale.YES if bid < low and bid + high >= MICRO else Scale.UNPROVEN

    def scale_by(self, ask: int) -> Scale:
        """
        Return what the best ask of the market's own row says of the book's prices.

        Args:
            ask: in micro-dollars of Yes.
        """
        if not self.asks:
            return Scale.UNPROVEN
        is_yes, is_no = min(self.asks) == ask, max(self.asks) == MICRO - ask
        if is_yes is is_no:
            return Scale.UNPROVEN
        return Scale.YES if is_yes else Scale.NO

    def quote(self, market_id: str, as_of_ns: int) -> Quote:
        """Return the book; a crossed or locked one is told as empty, since it is no quote."""
        bids = tuple(sorted(self.bids.items(), reverse=True)[:LEVELS_MAX])
        asks = tuple(sorted(self.asks.items())[:LEVELS_MAX])
        is_void = is_crossed(bids, asks)
        return Quote(
            ts_ns=as_of_ns,
            platform=Platform.KALSHI,
            market_id=market_id,
            bids=() if is_void else bids,
            asks=() if is_void else asks,
        )


def _levels(levels: Levels | None) -> dict[int, int]:
    """Return the levels of a side; one of nothing is none, one of less cannot be."""
    found: dict[int, int] = {}
    for price, count in levels or ():
        quantity = shapes.micro("count", count)
        if quantity < 0:
            raise shapes.unreadable(f"Kalshi's book has {count} at {price}")
        if quantity:
            found[_price("price", price)] = quantity
    return found


def _price(field: str, text: str) -> int:
    """Return the price of a level; nobody bids nothing, or asks a dollar."""
    return shapes.plausible(field, shapes.micro(field, text), 1, MICRO - 1)
