"""The paper exchange's own book, read from its file alone, and the exposure that it shows.

Guarantees an opinion that shares nothing with the gateway: plain SQL, exact fractions, every moment
of the book's life worked out anew. It is what a limit is checked against after a crash.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import msgspec

_ORDERS = """
SELECT o.client_order_id, o.order_id, o.platform, d.market_key, d.outcome, o.action, o.quantity,
    o.limit_price, o.status, o.filled_quantity, o.created_ns, o.updated_ns
FROM orders o JOIN order_details d USING (client_order_id) ORDER BY d.sequence
"""
_FILLS = "SELECT trade_id, order_id, quantity, price, fee, created_ns FROM fills ORDER BY rowid"
_MARKETS = "SELECT platform, market_key, yes_held, no_held FROM markets"
_SETTLEMENTS = "SELECT platform, market_key, settled_ns FROM settlements"
_CASH = """
SELECT platform, cash - (SELECT coalesce(sum(amount), 0) FROM cash_moves m
    WHERE m.platform = a.platform) FROM accounts a
"""
_END, _BEGIN, _FILL, _SETTLE = range(4)
"""What comes first of what happened in the same nanosecond."""


class RecordedOrder(msgspec.Struct, frozen=True):
    """An order as the exchange has it; `outcome` is the side of the market's key."""

    client_order_id: str
    order_id: str
    platform: str
    market_key: str
    outcome: str
    action: str
    quantity: int
    limit_price: int
    status: str
    filled: int
    created_ns: int
    updated_ns: int


class RecordedFill(msgspec.Struct, frozen=True):
    """An execution as the exchange has it."""

    trade_id: str
    order_id: str
    quantity: int
    price: int
    fee: int
    created_ns: int


class ExchangeBook(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the file."""

    orders: tuple[RecordedOrder, ...]
    fills: tuple[RecordedFill, ...]
    held: dict[tuple[str, str, str], int]
    """(platform, market key, side) -> micro-contracts, none of 0."""
    settled: dict[tuple[str, str], int]
    """(platform, market key) -> when."""
    earned: dict[str, int]
    """Platform -> cash, less what was paid in, in micro-dollars."""


def read_book(path: Path) -> ExchangeBook:
    """Read the file of a paper exchange that has stopped, or as of now."""
    connection = sqlite3.connect(path)
    try:
        held: dict[tuple[str, str, str], int] = {}
        for platform, key, yes, no in connection.execute(_MARKETS):
            held |= {(platform, key, side): n for side, n in (("Yes", yes), ("No", no)) if n}
        return ExchangeBook(
            orders=tuple(RecordedOrder(*row) for row in connection.execute(_ORDERS)),
            fills=tuple(RecordedFill(*row) for row in connection.execute(_FILLS)),
            held=held,
            settled={(row[0], row[1]): row[2] for row in connection.execute(_SETTLEMENTS)},
            earned=dict(connection.execute(_CASH).fetchall()),
        )
    finally:
        connection.close()


class _Market:
    """One market, moment by moment."""

    def __init__(self, *, is_netting: bool) -> None:
        self.is_netting = is_netting
        self.held = {"Yes": Fraction(0), "No": Fraction(0)}
        self.cost = {"Yes": Fraction(0), "No": Fraction(0)}
        self.working: dict[str, list[RecordedOrder | int]] = {}

    def fill(self, order: RecordedOrder, fill: RecordedFill) -> None:
        """Buy opens, and where positions net closes the other side first; Sell closes."""
        left, price = Fraction(fill.quantity), Fraction(fill.price, 1_000_000)
        other = "No" if order.outcome == "Yes" else "Yes"
        if order.action == "Sell":
            self._close(order.outcome, left)
            return
        if self.is_netting:
            left -= self._close(other, left)
        self.held[order.outcome] += left
        self.cost[order.outcome] += left * price

    def _close(self, side: str, quantity: Fraction) -> Fraction:
        closed = min(quantity, self.held[side])
        if closed:
            self.cost[side] -= self.cost[side] * closed / self.held[side]
            self.held[side] -= closed
        return closed

    def exposure(self) -> Fraction:
        """Return the design's worst case over both outcomes, in micro-dollars."""
        worst = []
        for wins in ("Yes", "No"):
            loss = self.cost["Yes"] + self.cost["No"] - self.held[wins]
            for order, remaining in self.working.values():
                assert isinstance(order, RecordedOrder)
                assert isinstance(remaining, int)
                outlay = Fraction(remaining * order.limit_price, 1_000_000)
                payout = remaining if order.outcome == wins else 0
                if order.action == "Sell":
                    outlay, payout = -outlay, -payout
                loss += max(Fraction(0), outlay - payout)
            worst.append(loss)
        return max(worst)


def _history(
    book: ExchangeBook,
) -> Iterator[tuple[int, int, RecordedOrder | RecordedFill | tuple[str, str]]]:
    """Yield what happened: when, its kind, and what it happened to."""
    for order in book.orders:
        is_ended = order.status in {"cancelled", "expired"}
        if is_ended and order.updated_ns == order.created_ns:
            continue  # it never worked: nothing of it can still come
        yield order.created_ns, _BEGIN, order
        if is_ended:
            yield order.updated_ns, _END, order
    for fill in book.fills:
        yield fill.created_ns, _FILL, fill
    for market, settled_ns in book.settled.items():
        yield settled_ns, _SETTLE, market


def highest_exposures(
    book: ExchangeBook, netting: dict[str, bool]
) -> tuple[dict[str, Fraction], Fraction]:
    """
    Work out the highest exposure of each market, and of the account, at any moment.

    Args:
        book: of the exchange.
        netting: by platform, whether positions net to one signed number.

    Returns:
        Market key -> micro-dollars, and the account's own highest.
    """
    orders = {order.order_id: order for order in book.orders}
    markets: dict[tuple[str, str], _Market] = {}
    now: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    highest: dict[str, Fraction] = defaultdict(Fraction)
    total = Fraction(0)
    for _, kind, what in sorted(_history(book), key=lambda each: each[:2]):
        if isinstance(what, tuple):
            place = what
        else:
            order = orders[what.order_id]
            place = (order.platform, order.market_key)
        market = markets.setdefault(place, _Market(is_netting=netting[place[0]]))
        if kind == _SETTLE:
            market.__init__(is_netting=market.is_netting)  # type: ignore[misc]
        elif kind == _BEGIN:
            market.working[order.order_id] = [order, order.quantity]
        elif kind == _END:
            market.working.pop(order.order_id, None)
        elif isinstance(what, RecordedFill):
            market.fill(order, what)
            entry = market.working.get(order.order_id)
            if entry is not None:
                assert isinstance(entry[1], int)
                entry[1] -= what.quantity
        now[place] = market.exposure()
        highest[place[1]] = max(highest[place[1]], now[place])
        total = max(total, sum(now.values(), Fraction(0)))
    return dict(highest), total
