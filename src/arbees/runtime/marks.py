"""The newest quote of each market, and what the positions are worth at them.

Volatile: nothing here is state. The sum of marks is kept up to date market by market, and equals
`Book.unrealized` of the same touches (a test compares them).
"""

from arbees.core.book import Book, unrealized_of
from arbees.core.facts import Touch
from arbees.core.quote import Quote, is_outdated
from arbees.core.units import MICRO


class Marks:
    """Touches by market key, in terms of the key's Yes."""

    def __init__(self, book: Book) -> None:
        """Start without quotes: positions stand at their last journaled marks, else at cost."""
        self._book = book
        self.touches: dict[str, Touch] = {}
        self._parts: dict[str, int] = {}
        self.unrealized = 0
        """Marks less cost over all positions, in micro-dollars."""
        for key in book.markets:
            self.recount(key)

    def take(self, key: str, quote: Quote, *, is_flipped: bool, now_ns: int) -> None:
        """Take a quote unless a newer one is known."""
        if self.is_newer_known(key, quote, now_ns):
            return
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
        """Bring the sum up to date after a change in a market's position or mark."""
        market = self._book.markets[key]
        self.unrealized -= self._parts.pop(key, 0)
        if market.yes.quantity or market.no.quantity:
            part = unrealized_of(market, self.closing_prices(key))
            self._parts[key] = part
            self.unrealized += part

    def closing_prices(self, key: str) -> tuple[int | None, int | None]:
        """Return the prices at which Yes (No) could be closed now; None = nobody quotes it."""
        touch = self.touches.get(key)
        return (None, None) if touch is None else (touch.bid, _mirror(touch.ask))

    def changed(self) -> dict[str, tuple[int | None, int | None]]:
        """Return the marks of held markets that differ from the last journaled ones."""
        found: dict[str, tuple[int | None, int | None]] = {}
        for key in self._parts:
            market = self._book.markets[key]
            yes, no = self.closing_prices(key)
            if (yes is not None and yes != market.mark_yes) or (
                no is not None and no != market.mark_no
            ):
                found[key] = (yes, no)
        return found


def _mirror(price: int | None) -> int | None:
    return None if price is None else MICRO - price
