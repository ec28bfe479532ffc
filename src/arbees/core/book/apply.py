"""Applies events to the book: only adds, moves and drops what the event carries.

Guarantees that replaying an old journal gives the same book for ever: no fee, limit, calendar or
setting is consulted here. A broken invariant crashes (`InvariantViolation`).
"""

from collections.abc import Callable
from typing import Any

from arbees.core import events
from arbees.core.book import fold_control as control
from arbees.core.book import fold_markets as markets
from arbees.core.book import fold_orders as orders
from arbees.core.book.book import Book
from arbees.errors import InvariantViolation


def apply(book: Book, event: events.Event, sequence: int, time_ns: int) -> None:
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
    events.Bound: control.bound,
    events.Started: control.started,
    events.Stopped: control.stopped,
    events.Authorized: control.authorized,
    events.RequestDenied: orders.request_denied,
    events.OrderApproved: orders.order_approved,
    events.OrderDenied: orders.order_denied,
    events.OrderAcknowledged: orders.order_event,
    events.OrderRejected: orders.order_event,
    events.OrderNotSent: orders.order_event,
    events.OrderUnknown: orders.order_event,
    events.OrderFilled: orders.order_filled,
    events.OrderCancelled: orders.order_event,
    events.OrderExpired: orders.order_event,
    events.FillDisputed: orders.fill_disputed,
    events.FillReversed: orders.fill_reversed,
    events.OrderReopened: orders.order_reopened,
    events.OrderAmended: orders.order_event,
    events.VenueIdChanged: orders.order_event,
    events.CancelRequested: orders.order_event,
    events.HaltRaised: control.halt_raised,
    events.HaltLifted: control.halt_lifted,
    events.MarketListed: markets.market_listed,
    events.MarketStatusChanged: markets.market_status,
    events.GamesJoined: markets.games_joined,
    events.MarketSettled: markets.market_settled,
    events.SettlementCorrected: markets.settlement_corrected,
    events.BalanceObserved: control.balance_observed,
    events.CashCounted: control.cash_counted,
    events.CashExplained: control.cash_explained,
    events.DifferenceAccepted: control.difference_accepted,
    events.PositionAdopted: markets.position_adopted,
    events.CashMoved: control.cash_moved,
    events.DayOpened: control.day_opened,
    events.Marked: control.marked,
    events.BreakOpened: control.break_opened,
    events.BreakClosed: control.break_closed,
    events.VenueStateChanged: control.venue_state,
    events.VenueNoted: control.venue_noted,
    events.AlertRaised: control.alert_raised,
    events.AlertCleared: control.alert_cleared,
    events.KeyCreated: control.key_created,
    events.KeyRevoked: control.key_revoked,
}
"""
What changes the book; `DuplicateRefused`, `CancelAnswered`, `MassCancelled`, `FlattenPlanned`,
`DenialReviewed` and `Drilled` change nothing.
"""
