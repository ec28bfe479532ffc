"""Applies events to the book: only adds, moves and drops what the event carries.

Guarantees that replaying an old journal gives the same book for ever: no fee, limit, calendar or
setting is consulted here. A broken invariant crashes (`InvariantViolation`).
"""

from collections.abc import Callable
from typing import Any

from arbees.core import events as e
from arbees.core.book import fold_control as control
from arbees.core.book import fold_markets as markets
from arbees.core.book import fold_orders as orders
from arbees.core.book.book import Book
from arbees.errors import InvariantViolation


def apply(book: Book, event: e.Event, sequence: int, time_ns: int) -> None:
    """
    Apply one event.

    Args:
        book: changed in place.
        event: of the record.
        sequence: of the record; follows the book's own.
        time_ns: of the record; never before the book's own.

    Raises:
        InvariantViolation: the record does not follow, or contradicts the book.
    """
    if sequence != book.sequence + 1:
        msg = f"Expected record {book.sequence + 1}, was {sequence}"
        raise InvariantViolation(msg)
    if time_ns < book.time_ns:
        msg = f"Expected a record at {book.time_ns} ns or later, was {time_ns}"
        raise InvariantViolation(msg)
    book.sequence = sequence
    book.time_ns = time_ns
    handler = _HANDLERS.get(type(event))
    if handler is not None:
        handler(book, event, time_ns)


_HANDLERS: dict[type, Callable[[Book, Any, int], None]] = {
    e.Bound: control.bound,
    e.Started: control.started,
    e.Stopped: control.stopped,
    e.Authorized: control.authorized,
    e.RequestDenied: orders.request_denied,
    e.OrderApproved: orders.order_approved,
    e.OrderDenied: orders.order_denied,
    e.OrderAcknowledged: orders.order_event,
    e.OrderRejected: orders.order_event,
    e.OrderNotSent: orders.order_event,
    e.OrderUnknown: orders.order_event,
    e.OrderFilled: orders.order_filled,
    e.OrderCancelled: orders.order_event,
    e.OrderExpired: orders.order_event,
    e.FillDisputed: orders.fill_disputed,
    e.FillReversed: orders.fill_reversed,
    e.OrderReopened: orders.order_reopened,
    e.OrderAmended: orders.order_event,
    e.VenueIdChanged: orders.order_event,
    e.CancelRequested: orders.order_event,
    e.HaltRaised: control.halt_raised,
    e.HaltLifted: control.halt_lifted,
    e.MarketListed: markets.market_listed,
    e.MarketStatusChanged: markets.market_status,
    e.GamesJoined: markets.games_joined,
    e.MarketSettled: markets.market_settled,
    e.SettlementCorrected: markets.settlement_corrected,
    e.BalanceObserved: control.balance_observed,
    e.CashCounted: control.cash_counted,
    e.CashExplained: control.cash_explained,
    e.DifferenceAccepted: control.difference_accepted,
    e.PositionAdopted: markets.position_adopted,
    e.CashMoved: control.cash_moved,
    e.DayOpened: control.day_opened,
    e.Marked: control.marked,
    e.BreakOpened: control.break_opened,
    e.BreakClosed: control.break_closed,
    e.VenueStateChanged: control.venue_state,
    e.VenueNoted: control.venue_noted,
    e.AlertRaised: control.alert_raised,
    e.AlertCleared: control.alert_cleared,
    e.KeyCreated: control.key_created,
    e.KeyRevoked: control.key_revoked,
}
"""
What changes the book; `DuplicateRefused`, `CancelAnswered`, `MassCancelled`, `FlattenPlanned`,
`DenialReviewed` and `Drilled` change nothing.
"""
