"""Makes audit lines out of a request, one of its orders and what became of it.

Guarantees one spelling for all lines: `OrderPlaced` carries what was asked for, a result carries
what filled. Optional facts (`corrects`, `fill`, ...) stand in the metadata only where they apply.
"""

from typing import Any

import msgspec

from arbees.core.book.open_order import Order
from arbees.core.language.ids import own
from arbees.core.language.request import Request
from arbees.core.language.strict_json import format_time
from arbees.core.language.units import div_ceil, div_floor, micro_seconds_of
from arbees.core.language.words import Action, ResultStatus
from arbees.core.ports import Stored
from arbees.telemetry.audit.line import (
    TYPE_OF_RESULT,
    AuditLine,
    EventType,
    number,
    optional_number,
)


class OrderLeg(msgspec.Struct, kw_only=True):
    """One order of a request: where it went, and what filled so far."""

    platform: str
    market_id: str
    side: str
    """The side of `market_id` that was named."""
    limit_price: int
    order_id: str | None = None
    filled: int = 0
    value: int = 0
    """Sum of price x quantity, in millionths of a micro-dollar."""
    fees: int = 0


class Maker:
    """Makes the lines of one record; knows what all of them share."""

    def __init__(self, stored: Stored, request: Request, received_ns: int | None) -> None:
        self.stored = stored
        self.request = request
        self.received_ns = received_ns

    def requested(self) -> AuditLine:
        """Return the first line of a request."""
        request = self.request
        return self._line(
            leg_terms(request, 0),
            EventType.REQUESTED,
            ResultStatus.PENDING,
            price=request.limit_price,
            size=request.size,
            is_timed=False,
            metadata={
                "game_id": request.game_id,
                "sport": request.sport,
                "signal_id": request.signal_id,
                "signal_type": request.signal_type,
                "edge_pct": optional_number(request.edge_pct),
            },
        )

    def placed(self, leg: OrderLeg, status: ResultStatus, **more: Any) -> AuditLine:
        """Return the line of an order that the venue has, or may have."""
        return self._result(
            leg, EventType.PLACED, status, price=leg.limit_price, size=self.request.size, **more
        )

    def result(
        self,
        leg: OrderLeg,
        status: ResultStatus,
        event_type: EventType | None = None,
        **more: Any,
    ) -> AuditLine:
        """Return a line about what filled: a final result, or what happened on the way."""
        return self._result(
            leg,
            TYPE_OF_RESULT[status] if event_type is None else event_type,
            status,
            price=average_price(leg, self.request.action),
            size=leg.filled,
            **more,
        )

    def _result(
        self,
        leg: OrderLeg,
        event_type: EventType,
        status: ResultStatus,
        *,
        price: int,
        size: int,
        reason: str | None = None,
        code: str | None = None,
        **more: Any,
    ) -> AuditLine:
        return self._line(
            leg,
            event_type,
            status,
            price=price,
            size=size,
            reason=reason,
            code=code,
            metadata={
                "fees": number(leg.fees),
                "requested_price": number(leg.limit_price),
                "requested_size": number(self.request.size),
            },
            more=more,
        )

    def _line(
        self,
        leg: OrderLeg,
        event_type: EventType,
        status: ResultStatus,
        *,
        price: int,
        size: int,
        metadata: dict[str, Any],
        reason: str | None = None,
        code: str | None = None,
        is_timed: bool = True,
        more: dict[str, Any] | None = None,
    ) -> AuditLine:
        request, stored = self.request, self.stored
        metadata["model_version"] = request.model_version
        metadata["model_prob"] = optional_number(request.model_prob)
        metadata["strategy"] = request.strategy
        metadata["code"] = code
        metadata["sequence"] = stored.sequence
        if request.action is Action.SELL:
            metadata["action"] = Action.SELL
        metadata |= {name: value for name, value in (more or {}).items() if value is not None}
        is_timed = is_timed and self.received_ns is not None
        elapsed_ns = max(0, stored.time_ns - (self.received_ns or 0)) if is_timed else 0
        return AuditLine(
            timestamp=format_time(stored.time_ns),
            event_type=event_type,
            request_id=own(request.request_id),
            idempotency_key=own(request.idempotency_key),
            platform=leg.platform,
            market_id=leg.market_id,
            side=leg.side,
            price=number(price),
            size=number(size),
            status=status,
            order_id=leg.order_id,
            rejection_reason=reason,
            # Nanoseconds are millionths of a millisecond; whole microseconds are precise enough.
            latency_ms=number(micro_seconds_of(elapsed_ns) * 1_000),
            metadata=metadata,
        )


def leg_terms(request: Request, leg: int) -> OrderLeg:
    """Return where a leg of a request was to go: its own market, or an alternate."""
    place = request if leg == 0 else request.alternates[leg - 1]
    return OrderLeg(
        platform=place.platform,
        market_id=place.market_id,
        side=place.side,
        limit_price=place.limit_price,
    )


def leg_of(order: Order) -> OrderLeg:
    """Return an order of a request, with what filled of it so far."""
    return OrderLeg(
        platform=order.platform,
        market_id=order.market_id,
        side=order.wire_side,
        limit_price=order.limit_price,
        order_id=order.venue_order_id,
        filled=order.filled,
        value=order.value,
        fees=order.fees,
    )


def average_price(leg: OrderLeg, action: Action) -> int:
    """Return the average price of what filled, rounded against us; 0 if nothing did."""
    if leg.filled <= 0:
        return 0
    divide = div_ceil if action is Action.BUY else div_floor
    return divide(leg.value, leg.filled)
