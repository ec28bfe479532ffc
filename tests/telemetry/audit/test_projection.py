"""The projection: each of the seven types of line, exactly as the requirements show it."""

import json

import pytest

from arbees.core import events
from tests.telemetry.lives import MICRO, Lives, make_request
from tests.telemetry.told import EXAMPLE, last, lines, packed, result, told


def test_execution_requested_is_the_requirements_example() -> None:
    """The first line of a request equals the requirements' example, byte for byte."""
    lives = Lives()
    lives.approve(make_request())
    assert last(lives) == packed(json.loads(EXAMPLE))


def test_order_placed() -> None:
    """An acknowledgement carries the limit price, what was asked for and the venue's id."""
    lives = Lives()
    lives.approve(make_request())
    lives.pass_time(45_200_999)
    lives.acknowledge(make_request())
    assert last(lives) == packed(
        result(
            timestamp="2026-01-28T20:30:00.168Z",
            event_type="OrderPlaced",
            order_id="ord_1",
            latency_ms=45.2,
            metadata={"sequence": 2},
        )
    )


def test_order_placed_unknown() -> None:
    """An order of unknown fate is placed, with status Unknown, until there is evidence."""
    lives = Lives()
    lives.approve(make_request())
    lives.order(events.OrderUnknown, make_request(), message="timeout after 5 s", sent_ns=1)
    assert last(lives) == packed(
        result(
            event_type="OrderPlaced",
            status="Unknown",
            metadata={"sequence": 2, "unknown_reason": "timeout after 5 s"},
        )
    )


def test_order_filled() -> None:
    """A filled order has the average price, rounded against us, what filled and its fees."""
    lives, request = Lives(), make_request()
    lives.approve(request)
    lives.acknowledge(request)
    lives.fill(request, 20 * MICRO, 640_000)
    lives.fill(request, 10 * MICRO, 650_000)
    lives.fill(request, 20 * MICRO, 645_001, is_complete=True)
    assert last(lives) == packed(
        result(
            event_type="OrderFilled",
            price=0.644001,
            size=50.0,
            status="Filled",
            order_id="ord_1",
            metadata={"fees": 1.0, "sequence": 5},
        )
    )
    assert told(lives) == [
        ("ExecutionRequested", "Pending"),
        ("OrderPlaced", "Pending"),
        ("OrderFilled", "Filled"),
    ]


def test_order_partial_fill() -> None:
    """An IOC order whose rest is cancelled is a partial fill, and final."""
    lives, request = Lives(), make_request()
    lives.approve(request)
    lives.acknowledge(request)
    lives.fill(request, 20_500_000, 640_000)
    lives.cancel(request)
    assert last(lives) == packed(
        result(
            event_type="OrderPartialFill",
            price=0.64,
            size=20.5,
            status="Partial",
            order_id="ord_1",
            metadata={"fees": 0.41, "sequence": 4, "cancel_reason": "not filled at once"},
        )
    )
    assert len(told(lives)) == 3


@pytest.mark.parametrize("reason", ["not filled at once", "expired"])
def test_order_cancelled(reason: str) -> None:
    """An order that ends without a fill is cancelled, expired ones too, with price and size 0."""
    lives, request = Lives(), make_request()
    lives.approve(request)
    lives.acknowledge(request)
    if reason == "expired":
        lives.order(events.OrderExpired, request)
    else:
        lives.cancel(request, reason)
    assert last(lives) == packed(
        result(
            event_type="OrderCancelled",
            price=0.0,
            size=0.0,
            status="Cancelled",
            order_id="ord_1",
            metadata={"sequence": 3, "cancel_reason": reason},
        )
    )


def test_order_rejected_by_the_gateway() -> None:
    """A denial is one record and two lines: requested, and rejected for the headline."""
    lives = Lives()
    lives.deny(make_request())
    assert told(lives) == [("ExecutionRequested", "Pending"), ("OrderRejected", "Rejected")]
    assert last(lives) == packed(
        result(
            event_type="OrderRejected",
            price=0.0,
            size=0.0,
            status="Rejected",
            rejection_reason="Order size $150.00 exceeds maximum $100.00",
            metadata={"code": "MAX_ORDER_SIZE"},
        )
    )


def test_order_rejected_at_the_gate() -> None:
    """What the gate stops after approval is rejected too, with the gate's code."""
    lives, request = Lives(), make_request()
    lives.approve(request)
    lives.order(events.OrderDenied, request, code="HALTED", message="Trading is halted: drill")
    assert last(lives) == packed(
        result(
            event_type="OrderRejected",
            price=0.0,
            size=0.0,
            status="Rejected",
            rejection_reason="Trading is halted: drill",
            metadata={"code": "HALTED", "sequence": 2},
        )
    )


def test_order_rejected_by_the_venue() -> None:
    """A venue's refusal is told with its message and its own code."""
    lives, request = Lives(), make_request()
    lives.approve(request)
    lives.order(
        events.OrderRejected, request, venue_code="market_closed", message="market is closed"
    )
    assert last(lives) == packed(
        result(
            event_type="OrderRejected",
            price=0.0,
            size=0.0,
            status="Rejected",
            rejection_reason="The venue refused the order: market_closed: market is closed",
            metadata={"code": "VENUE_REJECTED", "sequence": 2, "venue_code": "market_closed"},
        )
    )


def test_order_failed() -> None:
    """An order that provably never left has failed."""
    lives, request = Lives(), make_request()
    lives.approve(request)
    lives.order(events.OrderNotSent, request, message="connection refused")
    assert last(lives) == packed(
        result(
            event_type="OrderFailed",
            price=0.0,
            size=0.0,
            status="Failed",
            rejection_reason="The order provably never left: connection refused",
            metadata={"code": "NOT_SENT", "sequence": 2},
        )
    )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "DUPLICATE_REQUEST",
            "Duplicate request: idempotency_key idempotent_xyz already processed",
        ),
        (
            "DUPLICATE_SIGNAL",
            (
                "Signal signal_789 already executed for this market, side and action under key "
                "key_first"
            ),
        ),
    ],
)
def test_duplicates(code: str, reason: str) -> None:
    """A duplicate is requested and rejected, and leaves the first one's life alone."""
    lives, request = Lives(), make_request()
    lives.approve(request)
    lives.refuse(request, code)
    lives.acknowledge(request)
    lives.fill(request, 50 * MICRO, is_complete=True)
    lives.refuse(request, code)
    assert told(lives) == [
        ("ExecutionRequested", "Pending"),
        ("ExecutionRequested", "Pending"),
        ("OrderRejected", "Rejected"),
        ("OrderPlaced", "Pending"),
        ("OrderFilled", "Filled"),
        ("ExecutionRequested", "Pending"),
        ("OrderRejected", "Rejected"),
    ]
    rejected = lines(lives)[2]
    assert rejected.rejection_reason == reason
    assert rejected.metadata["code"] == code


def test_numbers_are_exact() -> None:
    """No number passes through a float: 1e9 contracts and a millionth stand as they are."""
    lives = Lives()
    lives.approve(
        make_request(size=1_000_000_000 * MICRO - 1, limit_price=1, edge_pct=-3, model_prob=333_333)
    )
    text = last(lives)
    assert '"price":0.000001,"size":999999999.999999,' in text
    assert '"edge_pct":-0.000003,' in text
    assert '"model_prob":0.333333,' in text
