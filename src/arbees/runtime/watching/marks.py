"""The newest quote of each market, and the marks of what is held.

Guarantees that the sum of marks is kept up to date market by market, and that a mark which makes
the loss of the day larger is known as such until it is journaled (`deeper`): a restart never makes
a loss smaller. Quotes are volatile; a mark is the fold of the quotes since its position began, and
begins again at the last journaled one. Crossed and locked books are no quotes
(`core.language.quote.sound`).
"""

from arbees.core.book.book import Book, mark_price, marked_of
from arbees.core.book.market import OutcomeHolding
from arbees.core.deciding.facts import Touch
from arbees.core.language.quote import Quote, is_outdated, sound
from arbees.core.language.units import MICRO, ratio_floor

Prices = tuple[int | None, int | None]
"""Of Yes and of No; None = there is none."""


class Marks:
    """Touches by market key, in terms of the key's Yes, and marks of what is held."""

    def __init__(self, book: Book) -> None:
        """Start without quotes: positions stand at their last journaled marks, else at cost."""
        self._book = book
        self.touches: dict[str, Touch] = {}
        self._marks: dict[str, Prices] = {}
        """Of the markets in which something is held."""
        self._parts: dict[str, int] = {}
        self._moved: set[str] = set()
        """Markets that were marked since `deeper` was asked last."""
        self.unrealized = 0
        """Marks less cost over all positions, in micro-dollars."""
        for key, market in book.markets.items():
            self._marks[key] = (market.mark_yes, market.mark_no)
            self.recount(key)

    def take(self, key: str, quote: Quote, *, is_flipped: bool, now_ns: int) -> None:
        """Take a quote unless a newer one is known."""
        if self.is_newer_known(key, quote, now_ns):
            return
        quote = sound(quote)
        bid = quote.bids[0][0] if quote.bids else None
        ask = quote.asks[0][0] if quote.asks else None
        if is_flipped:
            bid, ask = _mirror(ask), _mirror(bid)
        self.touches[key] = Touch(quote.ts_ns, bid, ask)
        if key in self._parts:
            self.recount(key)

    def is_newer_known(self, key: str, quote: Quote, now_ns: int) -> bool:
        """Tell whether a quote comes too late to say anything."""
        known = self.touches.get(key)
        return known is not None and is_outdated(quote.ts_ns, known.ts_ns, now_ns)

    def forget(self, key: str) -> None:
        """Drop the quote of a market that was settled."""
        self.touches.pop(key, None)

    def recount(self, key: str) -> None:
        """Bring mark and sum up to date after a change in a market's position or quote."""
        market = self._book.markets[key]
        self.unrealized -= self._parts.pop(key, 0)
        if not (market.yes.quantity or market.no.quantity):
            self._marks.pop(key, None)
            return
        touch = self.touches.get(key)
        bid, ask = (None, None) if touch is None else (touch.bid, touch.ask)
        last = self._marks.get(key, (None, None))
        marks = (
            _mark(market.yes, bid, ask, last[0]),
            _mark(market.no, _mirror(ask), _mirror(bid), last[1]),
        )
        part = marked_of(market.yes, marks[0]) + marked_of(market.no, marks[1])
        self._marks[key], self._parts[key] = marks, part
        self.unrealized += part
        self._moved.add(key)

    def marks(self, key: str) -> Prices:
        """Return the marks of a market: what is held of it is worth that."""
        return self._marks.get(key, (None, None))

    def closing_prices(self, key: str) -> Prices:
        """Return the prices at which Yes (No) could be closed now; None = nobody quotes it."""
        touch = self.touches.get(key)
        return (None, None) if touch is None else (touch.bid, _mirror(touch.ask))

    # What is to be journaled -------------------------------------------------------------------

    def changed(self) -> dict[str, Prices]:
        """Return the marks of held markets that differ from the last journaled ones."""
        found: dict[str, Prices] = {}
        for key in self._parts:
            market, (yes, no) = self._book.markets[key], self._marks[key]
            if (yes is not None and yes != market.mark_yes) or (
                no is not None and no != market.mark_no
            ):
                found[key] = (yes, no)
        return found

    def deeper(self) -> dict[str, Prices]:
        """Return the marks that now make the loss larger than the journaled ones do."""
        moved, self._moved = self._moved, set()
        found: dict[str, Prices] = {}
        for key in sorted(moved):
            if key not in self._parts:
                continue
            market, (yes, no) = self._book.markets[key], self._marks[key]
            lower_yes = _lower(market.yes, yes, market.mark_yes)
            lower_no = _lower(market.no, no, market.mark_no)
            if lower_yes is not None or lower_no is not None:
                found[key] = (
                    yes if lower_yes is None else lower_yes,
                    no if lower_no is None else lower_no,
                )
        return found

    # Age ---------------------------------------------------------------------------------------

    def seen_ns(self, key: str) -> int | None:
        """Return the time of the newest word on a market's book; None = none since the start."""
        touch = self.touches.get(key)
        return None if touch is None else touch.ts_ns

    def held(self) -> tuple[str, ...]:
        """Return the markets in which something is held."""
        return tuple(self._parts)

    def oldest_ns(self) -> int | None:
        """Return the time of the oldest mark; 0 = one was not seen since the start, None = none."""
        touches = self.touches
        return min(
            (touches[key].ts_ns if key in touches else 0 for key in self._parts), default=None
        )


def _mark(
    holding: OutcomeHolding, bid: int | None, ask: int | None, last: int | None
) -> int | None:
    """Return the mark of a side; of one that is not held, the price at which it could be closed."""
    if not holding.quantity:
        return bid
    mark = mark_price(bid, ask, last)
    is_offered_above_cost = bid is None and last is None and marked_of(holding, mark) >= 0
    return None if is_offered_above_cost else mark


def _lower(holding: OutcomeHolding, mark: int | None, journaled: int | None) -> int | None:
    """Return a mark at which a side is worth less than at the journaled one; None = it is not."""
    if not holding.quantity or mark == journaled:
        return None
    if marked_of(holding, mark) >= marked_of(holding, journaled):
        return None
    return _cost_price(holding) if mark is None else mark


def _cost_price(holding: OutcomeHolding) -> int:
    """Return what a contract cost; below a dollar, since a mark is a price."""
    price = ratio_floor(holding.cost, holding.quantity)
    return price if price < MICRO else MICRO - 1


def _mirror(price: int | None) -> int | None:
    return None if price is None else MICRO - price
