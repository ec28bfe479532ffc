"""Results: what became of a request, as the fold of its records.

Guarantees that a result says nothing that is not in the journal, and that the numbers on the wire
are exact: at most six decimals, averages rounded against us.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import msgspec

from arbees.core import events
from arbees.core.language.code import Unit
from arbees.core.language.codes import CODES, message
from arbees.core.language.ids import own
from arbees.core.language.request import Request
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import (
    div_ceil,
    div_floor,
    micro_seconds_of,
    to_decimal,
    whole_microseconds,
)
from arbees.core.language.words import Action, OrderStatus, ResultStatus
from arbees.core.orders.lifecycle import RequestLife, falls_back

Recorded = tuple[int, int, events.Event]
"""Sequence, time and event of a record."""

GATEWAY = "gateway"
VENUE = "venue"

_STATUS = {
    OrderStatus.PENDING: ResultStatus.PENDING,
    OrderStatus.WORKING: ResultStatus.PENDING,
    OrderStatus.PARTIALLY_FILLED: ResultStatus.PENDING,
    OrderStatus.UNKNOWN: ResultStatus.UNKNOWN,
    OrderStatus.REJECTED: ResultStatus.REJECTED,
    OrderStatus.DENIED: ResultStatus.REJECTED,
    OrderStatus.NOT_SENT: ResultStatus.FAILED,
}


class Line(msgspec.Struct, frozen=True):
    """A denial or a warning on the wire."""

    safeguard: str
    """Who says it."""
    code: str
    """What programs match."""
    observed: Decimal | str | None
    """What was seen, in the unit of the code."""
    limit: Decimal | str | None
    """What it was compared with, in the unit of the code."""
    until: str | None
    """When the denial lifts by itself; null = it does not."""
    message: str
    """The same for people."""


class Leg(msgspec.Struct, frozen=True):
    """One stop of the route: where the request was tried, and what came of it."""

    platform: str
    market_id: str
    status: str
    code: str | None
    order_id: str | None


class Result(msgspec.Struct, kw_only=True):
    """What became of a request."""

    request_id: str
    idempotency_key: str
    attempt: int
    status: ResultStatus
    """`Pending` and `Unknown` are not final, all others are."""
    final: bool
    """Nothing more will come, but for a correction."""
    rejected_by: str | None = None
    """`gateway` or `venue`; null unless it was refused."""
    code: str | None = None
    """Of the first denial; null where nothing was refused."""
    rejection_reason: str | None = None
    """The same for people. Programs match `code`."""
    denials: tuple[Line, ...] = ()
    """Every safeguard that denied, in their order."""
    warnings: tuple[Line, ...] = ()
    """What a policy only warns of."""
    platform: str
    """Where it went: the request's own market, or the alternate's."""
    market_id: str
    side: str
    action: str
    order_id: str | None = None
    """The venue's id, once it is known."""
    client_order_id: str | None = None
    """Ours; null if nothing was approved."""
    requested_size: Decimal
    """Contracts asked for."""
    limit_price: Decimal
    """Dollars of the named side."""
    filled_qty: Decimal = Decimal(0)
    """Contracts that filled; 0 if none."""
    avg_price: Decimal = Decimal(0)
    """Dollars of the named side, rounded against us; 0 if nothing filled."""
    fees: Decimal = Decimal(0)
    """Dollars, what the balance paid."""
    latency_ms: Decimal = Decimal(0)
    """From arrival to the final record; 0 until then."""
    sequence: int = 0
    """The journal record that this result stands at."""
    model_version: str | None = None
    strategy: str | None = None
    route: tuple[Leg, ...] = ()
    """Every place that was tried, in order."""
    venue_code: str | None = None
    """The venue's own word for its refusal."""
    corrects: int | msgspec.UnsetType = msgspec.UNSET
    """Sequence of the final record that this later truth corrects; absent without one."""
    original: "Result | msgspec.UnsetType" = msgspec.UNSET
    """What became of the first request under the key; only of a duplicate."""


def line(finding: events.Finding) -> Line:
    """Return a finding as it stands on the wire."""
    unit = CODES[finding.code].unit
    return Line(
        finding.safeguard,
        finding.code,
        in_unit(unit, finding.observed),
        in_unit(unit, finding.limit),
        None if finding.until_ns is None else format_time(finding.until_ns),
        message(finding.code, finding.observed, finding.limit),
    )


def in_unit(unit: Unit, value: int | str | None) -> Decimal | str | None:
    """Return a value as an exact number of its unit; text stays text."""
    if value is None or isinstance(value, str):
        return value
    if unit is Unit.COUNT:
        return Decimal(value)
    if unit is Unit.SECONDS:
        return to_decimal(micro_seconds_of(value))
    return to_decimal(value)


class Life:
    """What became of one request: the fold of its orders, and what was said of them."""

    def __init__(self, request: Request, received_ns: int) -> None:
        """Start at the decision."""
        self.request = request
        self.received_ns = received_ns
        self.orders = RequestLife()
        self.status = OrderStatus.PENDING
        self.final_sequence: int | None = None
        self.sequence = 0
        self.corrects: int | None = None
        self.final_ns = 0
        self.rejected_by: str | None = None
        self.code: str | None = None
        self.reason: str | None = None
        self.venue_code: str | None = None
        self.denials: tuple[Line, ...] = ()
        self.warnings: tuple[Line, ...] = ()
        self.platform: str = request.platform
        self.market_id = request.market_id
        self.side: str = request.side
        self.limit_price = request.limit_price
        self.client_order_id: str | None = None
        self.order_id: str | None = None
        self.is_acknowledged = False
        self.filled = 0
        self.value = 0
        self.fees = 0
        self.route: list[Leg] = []

    def take(self, sequence: int, time_ns: int, event: events.Event) -> None:
        """Take the next record of the request."""
        order = self.orders.take(sequence, time_ns, event)
        handler = _TAKES.get(type(event))
        if handler is None:
            return
        self.sequence = sequence
        handler(self, event)
        if falls_back(event):
            status = ResultStatus.FAILED if self.code == "NOT_SENT" else ResultStatus.REJECTED
            here = Leg(self.platform, self.market_id, status, self.code, self.order_id)
            self.route.append(here)
        elif order is not None and order is self.orders.order:
            self.status, self.order_id = order.status, order.venue_order_id
        self._count()

    def _count(self) -> None:
        """Take over what the fold of the orders says of all legs."""
        life = self.orders
        self.final_sequence, self.final_ns = life.final_sequence, life.final_ns
        self.corrects = life.corrects
        self.is_acknowledged = life.final_sequence is not None or life.is_acknowledged
        self.filled = sum(each.filled for each in life.orders)
        self.value = sum(each.value for each in life.orders)
        self.fees = sum(each.fees for each in life.orders)

    def result(self) -> Result:
        """Return the result as known now."""
        request, status = self.request, self._wire_status()
        here = Leg(self.platform, self.market_id, status, self.code, self.order_id)
        return Result(
            request_id=own(request.request_id),
            idempotency_key=own(request.idempotency_key),
            attempt=request.attempt,
            status=status,
            final=self.final_sequence is not None,
            rejected_by=self.rejected_by,
            code=self.code,
            rejection_reason=self.reason,
            denials=self.denials,
            warnings=self.warnings,
            platform=self.platform,
            market_id=self.market_id,
            side=self.side,
            action=request.action,
            order_id=self.order_id,
            client_order_id=self.client_order_id,
            requested_size=to_decimal(request.size),
            limit_price=to_decimal(self.limit_price),
            filled_qty=to_decimal(self.filled),
            avg_price=to_decimal(self._average()),
            fees=to_decimal(self.fees),
            latency_ms=self._latency(),
            sequence=self.sequence,
            model_version=request.model_version,
            strategy=request.strategy,
            route=(*self.route, here),
            venue_code=self.venue_code,
            corrects=msgspec.UNSET if self.corrects is None else self.corrects,
        )

    def _wire_status(self) -> ResultStatus:
        if self.status in _STATUS and not (self.final_sequence and self.filled):
            return _STATUS[self.status]
        if self.filled >= self.request.size:
            return ResultStatus.FILLED
        return ResultStatus.PARTIAL if self.filled else ResultStatus.CANCELLED

    def _average(self) -> int:
        if not self.filled:
            return 0
        divide = div_ceil if self.request.action is Action.BUY else div_floor
        return divide(self.value, self.filled)

    def _latency(self) -> Decimal:
        if self.final_sequence is None:
            return Decimal(0)
        return to_decimal(whole_microseconds(max(0, self.final_ns - self.received_ns)) * 1_000)


def _requested(life: Life, leg: int) -> None:
    """Point at the leg that is tried now."""
    _absolve(life)
    if leg:
        there = life.request.alternates[leg - 1]
        life.platform, life.market_id = there.platform, there.market_id
        life.side, life.limit_price = there.side, there.limit_price
        life.order_id = None


def _absolve(life: Life) -> None:
    """Forget why nothing came of it: something did, or is tried again."""
    life.code = life.reason = life.rejected_by = life.venue_code = None
    life.denials = ()


def _denied(life: Life, event: events.RequestDenied) -> None:
    _requested(life, event.leg)
    life.denials = tuple(line(finding) for finding in event.findings)
    life.warnings = tuple(line(finding) for finding in event.warnings)
    life.rejected_by, life.code = GATEWAY, life.denials[0].code
    life.reason = life.denials[0].message
    if not event.falls_back:
        life.status = OrderStatus.DENIED


def _duplicate(life: Life, event: events.DuplicateRefused) -> None:
    text = message(event.code, event.observed, event.limit)
    life.rejected_by, life.code, life.reason = GATEWAY, event.code, text
    life.denials = (Line("idempotency", event.code, event.observed, event.limit, None, text),)
    life.status = OrderStatus.DENIED


def _approved(life: Life, event: events.OrderApproved) -> None:
    _requested(life, event.leg)
    life.client_order_id = event.client_order_id
    life.warnings = tuple(line(finding) for finding in event.warnings)


def _gated(life: Life, event: events.OrderDenied) -> None:
    life.rejected_by, life.code, life.reason = GATEWAY, event.code, event.message
    life.denials = (Line("gate", event.code, None, None, None, event.message),)


def _rejected(life: Life, event: events.OrderRejected) -> None:
    life.rejected_by, life.code, life.venue_code = VENUE, "VENUE_REJECTED", event.venue_code
    life.reason = message("VENUE_REJECTED", f"{event.venue_code}: {event.message}", None)


def _not_sent(life: Life, event: events.OrderNotSent) -> None:
    life.code = "NOT_SENT"
    life.reason = message("NOT_SENT", event.message, None)


def _filled(life: Life, event: events.OrderFilled) -> None:
    if event.corrects is not None and not event.is_complete:
        life.code = life.reason = life.rejected_by = None


def _reopened(life: Life, _event: events.OrderReopened) -> None:
    _absolve(life)


def _goes_on(_life: Life, _event: events.OrderEvent) -> None:
    """Say nothing: the fold of the orders has it."""


_TAKES: dict[type, Callable[[Life, Any], None]] = {
    events.RequestDenied: _denied,
    events.DuplicateRefused: _duplicate,
    events.OrderApproved: _approved,
    events.OrderDenied: _gated,
    events.OrderRejected: _rejected,
    events.OrderNotSent: _not_sent,
    events.OrderFilled: _filled,
    events.OrderReopened: _reopened,
    **dict.fromkeys(
        (
            events.OrderAcknowledged,
            events.OrderUnknown,
            events.FillReversed,
            events.OrderCancelled,
            events.OrderExpired,
            events.VenueIdChanged,
        ),
        _goes_on,
    ),
}
"""What changes a result; cancels asked for, amendments, and settlements change none."""


def fold(records: Iterable[Recorded]) -> Life | None:
    """
    Fold the records of one request id.

    A duplicate that came with the id of its original is not part of the original's life.
    """
    life: Life | None = None
    refused: Life | None = None
    for sequence, time_ns, event in records:
        if isinstance(event, events.DuplicateRefused):
            if life is None and refused is None:
                refused = Life(event.request, event.received_ns)
                refused.take(sequence, time_ns, event)
        elif life is None:
            if isinstance(event, events.RequestDenied | events.OrderApproved):
                life = Life(event.request, event.received_ns)
                life.take(sequence, time_ns, event)
        else:
            life.take(sequence, time_ns, event)
    return life or refused


def refusal(
    event: events.DuplicateRefused, sequence: int, time_ns: int, first: Life | None = None
) -> Result:
    """
    Return the result of a duplicate, with what became of the original and what to do now.

    Args:
        event: the refusal.
        sequence: its record.
        time_ns: the time of it.
        first: the life of the original as known now; None = there is none to show.
    """
    life = Life(event.request, event.received_ns)
    life.take(sequence, time_ns, event)
    result = life.result()
    if first is None:
        return result
    result.original = first.result()
    advice = _advice(event, first)
    if advice:
        result.rejection_reason = f"{life.reason}. {advice}"
        result.denials = (
            msgspec.structs.replace(life.denials[0], message=result.rejection_reason),
        )
    return result


ECONOMIC = (
    "platform",
    "market_id",
    "side",
    "action",
    "size",
    "limit_price",
    "time_in_force",
    "strategy",
)
"""Fields that make an order what it is: the same key with others is a conflict."""


def _advice(event: events.DuplicateRefused, first: Life) -> str:
    """Return which fields conflict, or how to come again; empty where the message says it all."""
    request, before = event.request, first.request
    if event.code == "DUPLICATE_REQUEST":
        was_denied = first.status in {OrderStatus.DENIED, OrderStatus.NOT_SENT}
        if not was_denied or first.final_sequence is None:
            return ""
        coming = before.attempt + 1
        return (
            f"Attempt {before.attempt} of it never reached a venue: to try once more send attempt "
            f"{coming} with a fresh request_id and created_at"
        )
    if event.code != "IDEMPOTENCY_CONFLICT":
        return ""
    other = [name for name in ECONOMIC if getattr(request, name) != getattr(before, name)]
    return f"These differ: {', '.join(other)}" if other else ""


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: object) -> bytes:
    """Return JSON in which every exact number is a JSON number."""
    return _ENCODER.encode(value)
