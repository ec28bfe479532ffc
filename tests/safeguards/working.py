"""Makes open orders of ours, and puts them into a book."""

from typing import Any

from arbees.core.book.book import Book
from arbees.core.book.open_order import Order
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from tests.safeguards.build import KALSHI, NOW


def open_order(name: str = "c-1", **changes: Any) -> Order:
    """Return an order in flight: Buy 10 Yes at 0.65 on Kalshi."""
    fields: dict[str, Any] = {
        "client_order_id": name,
        "request_id": f"r-{name}",
        "idempotency_key": f"k-{name}",
        "attempt": 1,
        "fingerprint": "f",
        "leg": 0,
        "platform": Platform.KALSHI,
        "market_id": KALSHI,
        "market_key": KALSHI,
        "side": Side.YES,
        "action": Action.BUY,
        "quantity": 10 * MICRO,
        "limit_price": 650_000,
        "time_in_force": TimeInForce.GTC,
        "created_ns": NOW,
        "strategy": "UNNAMED",
        "sport": "NBA",
    }
    return Order(**{**fields, **changes})


def with_orders(book: Book, *orders: Order) -> Book:
    """Put open orders into a book and its markets; their reservations are left out."""
    for each in orders:
        book.orders[each.client_order_id] = each
        if each.market_key in book.markets:
            book.markets[each.market_key].orders.append(each.client_order_id)
    return book
