"""Tell which journal events are alerts, and which alerts they end.

Guarantees that what is journaled cannot pass unnoticed: the rules read durable events, so that no
caller has to remember to raise anything. What needs a window or a clock (repeated rejections, an
unknown order that stays) is kept by `AlertWatch`, whose memory is bounded and ends with the
process.
"""

from collections import deque
from typing import Any

import msgspec

from arbees.core import events
from arbees.core.book.book import Book, halt_name
from arbees.core.language.codes import CODES, message
from arbees.core.language.ids import own
from arbees.core.language.request import Request
from arbees.core.language.units import NS_PER_SECOND, format_dollars
from arbees.core.language.words import (
    POOL_SCOPE,
    HaltSource,
    OrderStatus,
    TradingState,
)
from arbees.telemetry.alerts.board import AlertBoard, AlertName
from arbees.telemetry.alerts.record import standing

REJECTIONS_MAX = 10
"""So many rejections within the window are normal; one more is an alert."""
REJECTIONS_WINDOW_NS = 60 * NS_PER_SECOND
UNKNOWN_AGE_NS = 60 * NS_PER_SECOND
"""An order whose fate is unknown for longer is an alert."""

PASSING_NS = 3_600 * NS_PER_SECOND
"""An alert about a moment, not a state, is over when it has not come again for so long."""

_BY_CODE = {
    "RATE_LIMIT_MINUTE": AlertName.RATE_LIMIT_HIT,
    "RATE_LIMIT_HOUR": AlertName.RATE_LIMIT_HIT,
    "PRICE_OUT_OF_RANGE": AlertName.EXTREME_PRICE_REJECTED,
    "PREGAME_DELTA": AlertName.EXTREME_PRICE_REJECTED,
    "THROUGH_QUOTE": AlertName.EXTREME_PRICE_REJECTED,
    "QUOTE_STALE": AlertName.QUOTES_STALE,
}

_WARNED = frozenset({"PREGAME_DELTA", "EDGE_IMPLAUSIBLE"})
"""Warnings about a price that may be a mistake of the strategy: the caller alone sees them else."""

_PASSING = frozenset(_BY_CODE.values()) | {
    AlertName.PRICE_WARNING,
    AlertName.VENUE_API_ERRORS,
    AlertName.DAILY_LOSS_APPROACHING,
    AlertName.JOURNAL_TROUBLE,
    AlertName.ALERT_SINK_FAILED,
}


class AlertChange(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that an event raises or ends."""

    name: AlertName
    is_raised: bool = True
    message: str = ""
    data: dict[str, Any] = {}


def alerts_of(event: events.Event) -> tuple[AlertChange, ...]:
    """Return the alerts that one event raises or ends by itself."""
    match event:
        case events.HaltRaised(source=HaltSource.ORDER_GROUP):
            name = AlertName.ORDER_GROUP_TRIPPED
            text = f"{event.reason}; in {event.scope} only what reduces passes"
            return (AlertChange(name=name, message=text, data=_pool_of(event.scope)),)
        case events.HaltLifted(source=HaltSource.ORDER_GROUP):
            name = AlertName.ORDER_GROUP_TRIPPED
            return (AlertChange(name=name, is_raised=False, data=_pool_of(event.scope)),)
        case events.HaltRaised(state=TradingState.HALTED):
            return _halted(event)
        case events.HaltRaised():
            return _reduced(event)
        case events.HaltLifted():
            scope = _halt_scope(event)
            names = [AlertName.KILL_SWITCH_ACTIVATED]
            if event.source == HaltSource.DAILY_LOSS:
                names.append(AlertName.DAILY_LOSS_LIMIT_EXCEEDED)
            if event.source == HaltSource.JOURNAL:
                names.append(AlertName.JOURNAL_TROUBLE)
            return tuple(
                AlertChange(
                    name=name,
                    is_raised=False,
                    data={"scope": scope} if name is AlertName.KILL_SWITCH_ACTIVATED else {},
                )
                for name in names
            )
        case events.RequestDenied():
            return (*_denied(event), *_warned(event))
        case events.OrderApproved():
            return _warned(event)
        case events.DayOpened():
            return (AlertChange(name=AlertName.DAILY_LOSS_APPROACHING, is_raised=False),)
        case events.VenueStateChanged(state=TradingState.ACTIVE):
            over = AlertName.VENUE_API_ERRORS
            return (AlertChange(name=over, is_raised=False, data={"platform": event.platform}),)
        case events.BreakOpened():
            data = {"platform": event.platform, "kind": event.kind}
            text = f"{event.kind} at {event.platform}: expected {event.expected}, was "
            return (
                AlertChange(
                    name=AlertName.RECONCILIATION_MISMATCH,
                    message=text + event.observed,
                    data=data | {"market_key": event.market_key or ""},
                ),
            )
        case _:
            return ()


def _halt_scope(event: events.HaltRaised | events.HaltLifted) -> str:
    return halt_name(event.source, event.scope, event.owner)


def _pool_of(scope: str) -> dict[str, Any]:
    """Return what a halt of a pool is about."""
    pool = scope.removeprefix(POOL_SCOPE)
    return {"platform": pool.partition(":")[0], "pool": pool}


def _halted(event: events.HaltRaised) -> tuple[AlertChange, ...]:
    halted = AlertChange(
        name=AlertName.KILL_SWITCH_ACTIVATED,
        message=f"Trading is halted by {event.source} ({event.scope}): {event.reason}",
        data={
            "scope": _halt_scope(event),
            "actor": event.actor,
            "receipt_id": event.receipt_id,
        },
    )
    if event.source == HaltSource.DAILY_LOSS:
        exceeded = AlertChange(name=AlertName.DAILY_LOSS_LIMIT_EXCEEDED, message=event.reason)
        return halted, exceeded
    if event.source == HaltSource.JOURNAL:
        return halted, AlertChange(name=AlertName.JOURNAL_TROUBLE, message=event.reason)
    return (halted,)


def _reduced(event: events.HaltRaised) -> tuple[AlertChange, ...]:
    """Return what a reduction changes: it ends the alert of the halt whose place it takes."""
    over = AlertChange(
        name=AlertName.KILL_SWITCH_ACTIVATED, is_raised=False, data={"scope": _halt_scope(event)}
    )
    if event.source == HaltSource.DAILY_LOSS and event.actor == "arbees":
        return over, AlertChange(name=AlertName.DAILY_LOSS_LIMIT_EXCEEDED, message=event.reason)
    return (over,)


def _denied(event: events.RequestDenied) -> tuple[AlertChange, ...]:
    """Return one alert a name, for the first denial that asks for it."""
    found: dict[AlertName, AlertChange] = {}
    request = event.request
    for finding in event.findings:
        name = _BY_CODE.get(finding.code)
        if name is None or name in found or finding.code not in CODES:
            continue
        found[name] = _about(name, finding, request)
    return tuple(found.values())


def _warned(event: events.RequestDenied | events.OrderApproved) -> tuple[AlertChange, ...]:
    """Return an alert for each warning about the price: a policy let it pass, nobody else looks."""
    return tuple(
        _about(AlertName.PRICE_WARNING, finding, event.request)
        for finding in event.warnings
        if finding.code in _WARNED
    )


def _about(name: AlertName, finding: events.Finding, request: Request) -> AlertChange:
    return AlertChange(
        name=name,
        message=message(finding.code, finding.observed, finding.limit),
        data={
            "platform": str(request.platform),
            "market_id": request.market_id,
            "request_id": own(request.request_id),
            "strategy": request.strategy,
            "code": finding.code,
        },
    )


class AlertWatch:
    """Raises and clears alerts on a board as durable events go by."""

    def __init__(self, board: AlertBoard, *, balance_low: int = 0) -> None:
        """
        Begin to watch.

        Args:
            board: where alerts are raised.
            balance_low: `BALANCE_LOW_THRESHOLD` in micro-dollars; 0 = not watched here.
        """
        self._board = board
        self._balance_low = balance_low
        self._rejections: deque[int] = deque(maxlen=REJECTIONS_MAX + 1)
        self._unknown: dict[str, tuple[int, str]] = {}
        self._breaks: dict[str, dict[str, Any]] = {}

    def take(self, time_ns: int, event: events.Event) -> None:
        """
        Take the next durable event.

        Args:
            time_ns: time of its record.
            event: what happened.
        """
        for change in alerts_of(event):
            if change.is_raised:
                self._board.raise_(change.name, change.message, time_ns, **change.data)
            else:
                self._board.clear(change.name, time_ns, **change.data)
        match event:
            case events.RequestDenied() | events.OrderDenied() | events.OrderRejected():
                self._rejected(time_ns)
            case events.BalanceObserved():
                self._balance(time_ns, event)
            case events.BreakOpened():
                self._breaks[event.break_id] = {
                    "platform": event.platform,
                    "market_key": event.market_key or "",
                }
            case events.BreakClosed():
                self._close_break(time_ns, event.break_id)
            case _:
                pass
        if isinstance(event, events.OrderUnknown):
            self._unknown[event.client_order_id] = (time_ns, event.request_id)
        elif isinstance(event, events.OrderEvent) and not isinstance(event, _NO_EVIDENCE):
            self._known(time_ns, event.client_order_id)

    def resume(self, book: Book) -> None:
        """Take over what an earlier process left: alerts that stand, unknown orders, breaks."""
        self._board.restore(standing(book.alerts.values()))
        for order in book.orders.values():
            if order.status is OrderStatus.UNKNOWN:
                self.expect(order.client_order_id, order.request_id, order.created_ns)
        for each in book.breaks.values():
            self._breaks[each.break_id] = {
                "platform": each.platform,
                "market_key": each.market_key or "",
            }

    def expect(self, client_order_id: str, request_id: str, since_ns: int) -> None:
        """Watch an order whose fate was unknown before this process began."""
        self._unknown[client_order_id] = (since_ns, request_id)

    def tick(self, now_ns: int) -> None:
        """Raise and clear what only time brings about; to be called every few seconds."""
        self._forget_rejections(now_ns)
        for alert in self._board.list():
            if alert.name in _PASSING and now_ns - alert.last_ns > PASSING_NS:
                self._board.clear(alert.name, now_ns, **alert.data)
        for client_order_id, (since_ns, request_id) in self._unknown.items():
            if now_ns - since_ns > UNKNOWN_AGE_NS:
                seconds = (now_ns - since_ns) // NS_PER_SECOND
                self._board.raise_(
                    AlertName.UNKNOWN_ORDER,
                    f"The fate of order {client_order_id} is unknown for {seconds} s",
                    now_ns,
                    client_order_id=client_order_id,
                    request_id=own(request_id),
                )

    def _rejected(self, time_ns: int) -> None:
        self._rejections.append(time_ns)
        self._forget_rejections(time_ns)
        if len(self._rejections) > REJECTIONS_MAX:
            text = f"More than {REJECTIONS_MAX} rejections within a minute"
            self._board.raise_(AlertName.REPEATED_REJECTIONS, text, time_ns)

    def _forget_rejections(self, now_ns: int) -> None:
        times = self._rejections
        while times and times[0] <= now_ns - REJECTIONS_WINDOW_NS:
            times.popleft()
        if len(times) <= REJECTIONS_MAX:
            self._board.clear(AlertName.REPEATED_REJECTIONS, now_ns)

    def _balance(self, time_ns: int, event: events.BalanceObserved) -> None:
        if self._balance_low == 0:
            return
        pool = {"platform": event.platform, "pool": event.pool}
        if event.available >= self._balance_low:
            self._board.clear(AlertName.BALANCE_LOW, time_ns, **pool)
            return
        low, threshold = format_dollars(event.available), format_dollars(self._balance_low)
        self._board.raise_(
            AlertName.BALANCE_LOW,
            f"{event.pool}: {low} available, threshold {threshold}",
            time_ns,
            **pool,
            current_balance=event.available,
        )

    def _close_break(self, time_ns: int, break_id: str) -> None:
        subject = self._breaks.pop(break_id, None)
        if subject is not None and subject not in self._breaks.values():
            self._board.clear(AlertName.RECONCILIATION_MISMATCH, time_ns, **subject)

    def _known(self, time_ns: int, client_order_id: str) -> None:
        if self._unknown.pop(client_order_id, None) is not None:
            self._board.clear(AlertName.UNKNOWN_ORDER, time_ns, client_order_id=client_order_id)


_NO_EVIDENCE = (events.CancelRequested, events.CancelAnswered, events.FillDisputed)
"""What happens to an order without telling what became of it."""
