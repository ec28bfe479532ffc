"""Journals made by hand: requests and what became of them, as the records that core would write."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from arbees.core import events
from arbees.core.book.open_order import NOTHING
from arbees.core.deciding.facts import Facts
from arbees.core.language.request import Request
from arbees.core.language.strict_json import parse_time
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.ports import Stored

MICRO = 1_000_000
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
START_NS = parse_time("2026-01-28T20:30:00.123Z")

Asked = dict[str, Any]


def make_request(request_id: str = "req_abc123", **fields: Any) -> Request:
    """Make the request of the requirements' example, or a variation of it."""
    known: dict[str, Any] = {
        "request_id": request_id,
        "idempotency_key": "idempotent_xyz" if request_id == "req_abc123" else f"key_{request_id}",
        "platform": Platform.KALSHI,
        "market_id": "NBAHOU-BOSJAN28",
        "side": Side.YES,
        "size": 50 * MICRO,
        "limit_price": 650_000,
        "created_ns": START_NS,
        "game_id": "nba_12345",
        "sport": "NBA",
        "signal_id": "signal_789",
        "signal_type": "ModelEdgeYes",
        "edge_pct": 18_500_000,
    }
    return Request(**(known | fields))


class Lives:
    """A journal in memory that grows by hand; a reader as the audit log needs it."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self.stored: list[Stored] = []
        self.now_ns = now_ns
        self.durable: int | None = None
        """Sequence up to which readers may see; None = all."""

    def add(self, event: events.Event, request_id: str | None = None) -> Stored:
        """Append one record."""
        stored = Stored(
            sequence=len(self.stored) + 1,
            time_ns=max(self.now_ns, self.stored[-1].time_ns + 1 if self.stored else 0),
            kind=events.kind(event),
            body=events.encode(event),
            request_id=request_id,
            hash=b"",
        )
        self.stored.append(stored)
        return stored

    def pass_time(self, ns: int) -> None:
        """Let time pass."""
        self.now_ns += ns

    # What an audit log reads ---------------------------------------------------------------------

    def records(self, after: int = 0) -> Iterator[Stored]:
        """Yield what is durable."""
        end = len(self.stored) if self.durable is None else self.durable
        yield from self.stored[after:end]

    def records_of(self, request_id: str) -> Sequence[Stored]:
        """Return what is durable of one request."""
        return [each for each in self.records() if each.request_id == request_id]

    # What happens --------------------------------------------------------------------------------

    def deny(self, request: Request, *, leg: int = 0, falls_back: bool = False) -> Stored:
        """Deny a request (or a leg of it) for its size, or for the venue's state."""
        if falls_back:
            finding = events.Finding("venue_health", "VENUE_UNAVAILABLE", "breaker")
        else:
            finding = events.Finding("order_size", "MAX_ORDER_SIZE", 150 * MICRO, 100 * MICRO)
        event = events.RequestDenied(
            request=request,
            leg=leg,
            findings=(finding,),
            facts=Facts(now_ns=self.now_ns),
            falls_back=falls_back,
            received_ns=self.now_ns,
        )
        return self.add(event, request.request_id)

    def refuse(self, request: Request, code: str = "DUPLICATE_REQUEST") -> Stored:
        """Refuse a duplicate."""
        is_signal = code == "DUPLICATE_SIGNAL"
        event = events.DuplicateRefused(
            request=request,
            code=code,
            original_request_id="req_first",
            observed=request.signal_id if is_signal else request.idempotency_key,
            limit="key_first" if is_signal else None,
            received_ns=self.now_ns,
        )
        return self.add(event, request.request_id)

    def approve(self, request: Request, *, leg: int = 0, is_flipped: bool = False) -> Stored:
        """Approve a request, or its next leg."""
        place = request if leg == 0 else request.alternates[leg - 1]
        event = events.OrderApproved(
            request=request,
            leg=leg,
            client_order_id=f"arb-{request.idempotency_key}",
            market_id=place.market_id,
            market_key=f"key:{place.market_id}",
            platform=place.platform,
            side=place.side.opposite if is_flipped else place.side,
            is_flipped=is_flipped,
            limit_price=place.limit_price,
            reserved=NOTHING,
            sport="NBA",
            game_id="nba_12345",
            strategy=request.strategy or "UNNAMED",
            facts=Facts(now_ns=self.now_ns),
            received_ns=self.now_ns,
        )
        return self.add(event, request.request_id)

    def order(
        self, make: Callable[..., events.OrderEvent], request: Request, **fields: Any
    ) -> Stored:
        """Let something happen to the order of a request."""
        event = make(
            client_order_id=f"arb-{request.idempotency_key}",
            request_id=request.request_id,
            **fields,
        )
        return self.add(event, request.request_id)

    def acknowledge(self, request: Request, order_id: str = "ord_1") -> Stored:
        """Let the venue take the order."""
        return self.order(events.OrderAcknowledged, request, venue_order_id=order_id)

    def fill(
        self,
        request: Request,
        quantity: int,
        price: int = 640_000,
        *,
        leg: int = 0,
        is_complete: bool = False,
        corrects: int | None = None,
    ) -> Stored:
        """Let some of the order fill."""
        place = request if leg == 0 else request.alternates[leg - 1]
        return self.order(
            events.OrderFilled,
            request,
            platform=place.platform,
            market_key=f"key:{place.market_id}",
            strategy=request.strategy or "UNNAMED",
            trade_id=f"trade_{len(self.stored) + 1}",
            quantity=quantity,
            price=price,
            value=price * quantity,
            fee=quantity // 50,
            venue_ns=self.now_ns,
            reserved=NOTHING,
            is_complete=is_complete,
            corrects=corrects,
        )

    def cancel(self, request: Request, reason: str = "not filled at once") -> Stored:
        """Let the venue end the order."""
        return self.order(events.OrderCancelled, request, reason=reason)


def make_resting(request_id: str = "req_abc123", **fields: Any) -> Request:
    """Make a request that rests in the book."""
    return make_request(request_id, time_in_force=TimeInForce.GTC, **fields)


def make_sell(request_id: str = "req_abc123", **fields: Any) -> Request:
    """Make a request that sells."""
    return make_request(request_id, action=Action.SELL, **fields)
