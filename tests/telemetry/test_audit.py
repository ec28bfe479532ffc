"""The projection: each type of line exactly, corrections, alternates, nothing made twice."""

import json
from collections import Counter
from typing import Any

import pytest

from arbees.core import events as e
from arbees.core.request import Alternate
from arbees.core.words import Platform, Side
from arbees.errors import JournalCorrupt
from arbees.telemetry.audit import Projector, lines_of
from arbees.telemetry.audit_line import AuditLine, encode
from tests.telemetry.lives import MICRO, Lives, make_request, make_resting, make_sell

EXAMPLE = """
{
  "timestamp": "2026-01-28T20:30:00.123Z",
  "event_type": "ExecutionRequested",
  "service": "execution_service",
  "request_id": "req_abc123",
  "idempotency_key": "idempotent_xyz",
  "platform": "Kalshi",
  "market_id": "NBAHOU-BOSJAN28",
  "side": "Yes",
  "price": 0.65,
  "size": 50.0,
  "status": "Pending",
  "order_id": null,
  "rejection_reason": null,
  "latency_ms": 0.0,
  "metadata": {
    "game_id": "nba_12345",
    "sport": "NBA",
    "signal_id": "signal_789",
    "signal_type": "ModelEdgeYes",
    "edge_pct": 18.5,
    "model_version": null,
    "model_prob": null,
    "strategy": null,
    "code": null,
    "sequence": 1
  }
}
"""
"""The requirements' example, with the service and further metadata of the interfaces."""


def lines(lives: Lives) -> list[AuditLine]:
    """Project a journal."""
    projector = Projector(lives)
    return [line for stored in lives.stored for line in projector.lines(stored)]


def told(lives: Lives) -> list[tuple[str, str]]:
    """Return event type and status of each line."""
    return [(line.event_type, line.status) for line in lines(lives)]


def last(lives: Lives) -> str:
    """Return the last line as it stands in the file."""
    return encode(lines(lives)[-1]).decode().rstrip("\n")


def result(**fields: Any) -> dict[str, Any]:
    """Return a result line of the example's request."""
    known = json.loads(EXAMPLE)
    known["metadata"] = {
        "fees": 0.0,
        "requested_price": 0.65,
        "requested_size": 50.0,
        "model_version": None,
        "model_prob": None,
        "strategy": None,
        "code": None,
        "sequence": 1,
        **fields.pop("metadata", {}),
    }
    return {**known, **fields}


def packed(value: dict[str, Any]) -> str:
    """Write a line as compact JSON, in the order of its fields."""
    return json.dumps(value, separators=(",", ":"))


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
    lives.order(e.OrderUnknown, make_request(), message="timeout after 5 s", sent_ns=1)
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
        lives.order(e.OrderExpired, request)
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
    lives.order(e.OrderDenied, request, code="HALTED", message="Trading is halted: drill")
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
    lives.order(e.OrderRejected, request, venue_code="market_closed", message="market is closed")
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
    lives.order(e.OrderNotSent, request, message="connection refused")
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


def test_resting_order_is_told_fill_by_fill() -> None:
    """Each fill of a resting order is a line that is not final, and the last one is final."""
    lives, request = Lives(), make_resting()
    lives.approve(request)
    lives.acknowledge(request)
    lives.fill(request, 20 * MICRO, 640_000)
    lives.fill(request, 30 * MICRO, 650_000, is_complete=True)
    assert told(lives)[2:] == [("OrderPartialFill", "Pending"), ("OrderFilled", "Filled")]
    first, second = lines(lives)[2:]
    assert json.loads(encode(first))["size"] == 20
    assert json.loads(encode(first))["metadata"]["fill"] == {
        "trade_id": "trade_3",
        "price": 0.64,
        "size": 20.0,
        "fee": 0.4,
    }
    assert json.loads(encode(second))["price"] == 0.646
    assert second.is_final
    assert not first.is_final


def test_resting_order_cancelled_after_a_fill() -> None:
    """A resting order that is cancelled after a fill ends as a partial fill."""
    lives, request = Lives(), make_resting()
    lives.approve(request)
    lives.acknowledge(request)
    lives.fill(request, 20 * MICRO)
    lives.cancel(request, "shutdown")
    assert told(lives)[2:] == [("OrderPartialFill", "Pending"), ("OrderPartialFill", "Partial")]


def test_sell_is_marked_and_rounded_down() -> None:
    """A Sell says so in its metadata, and what it received is rounded down."""
    lives, request = Lives(), make_sell(size=3 * MICRO)
    lives.approve(request)
    lives.fill(request, 1 * MICRO, 640_000)
    lives.fill(request, 2 * MICRO, 640_001, is_complete=True)
    line = json.loads(last(lives))
    assert line["metadata"]["action"] == "Sell"
    assert line["price"] == 0.64


def test_alternate_is_one_request_with_one_final_line() -> None:
    """What falls back is told as pending; the alternate is placed where it went, then final."""
    alternate = Alternate(
        platform=Platform.POLYMARKET, market_id="71321", side=Side.NO, limit_price=400_000
    )
    lives, request = Lives(), make_request(alternates=(alternate,))
    lives.deny(request, falls_back=True)
    lives.approve(request, leg=1, is_flipped=True)
    lives.acknowledge(request)
    lives.fill(request, 50 * MICRO, 400_000, leg=1, is_complete=True)
    assert told(lives) == [
        ("ExecutionRequested", "Pending"),
        ("OrderRejected", "Pending"),
        ("OrderPlaced", "Pending"),
        ("OrderFilled", "Filled"),
    ]
    rejected, placed = lines(lives)[1:3]
    assert rejected.platform == "Kalshi"
    assert rejected.metadata["falls_back"]
    assert (placed.platform, placed.market_id, placed.side) == ("Polymarket", "71321", "No")
    assert json.loads(encode(placed))["price"] == 0.4


def test_alternate_denied_is_the_final_result() -> None:
    """When the last alternate is denied too, that is the one final line."""
    alternate = Alternate(
        platform=Platform.POLYMARKET, market_id="71321", side=Side.NO, limit_price=400_000
    )
    lives, request = Lives(), make_request(alternates=(alternate,))
    lives.approve(request)
    lives.order(e.OrderNotSent, request, message="refused", falls_back=True)
    lives.deny(request, leg=1)
    assert told(lives) == [
        ("ExecutionRequested", "Pending"),
        ("OrderFailed", "Pending"),
        ("OrderRejected", "Rejected"),
    ]
    assert lines(lives)[-1].platform == "Polymarket"


def test_later_truth_is_a_correction() -> None:
    """A fill after the end is a further line that names the sequence of the result it corrects."""
    lives, request = Lives(), make_request()
    lives.approve(request)
    lives.acknowledge(request)
    lives.cancel(request)
    lives.fill(request, 20 * MICRO, corrects=3)
    lives.fill(request, 30 * MICRO, corrects=3)
    corrections = lines(lives)[3:]
    assert [(c.event_type, c.metadata["corrects"]) for c in corrections] == [
        ("OrderPartialFill", 3),
        ("OrderFilled", 3),
    ]
    assert json.loads(encode(corrections[-1]))["size"] == 50


def test_late_fill_of_the_first_leg_does_not_end_the_second() -> None:
    """A fill where nothing was thought to have been sent corrects that leg; the other goes on."""
    alternate = Alternate(
        platform=Platform.POLYMARKET, market_id="71321", side=Side.NO, limit_price=400_000
    )
    lives, request = Lives(), make_request(alternates=(alternate,))
    lives.approve(request)
    lives.order(e.OrderNotSent, request, message="absent by evidence", falls_back=True)
    lives.approve(request, leg=1)
    lives.fill(request, 10 * MICRO, corrects=2)
    lives.fill(request, 50 * MICRO, 400_000, leg=1, is_complete=True)
    correction, final = lines(lives)[-2:]
    assert (correction.platform, correction.metadata["corrects"]) == ("Kalshi", 2)
    assert (final.platform, final.event_type) == ("Polymarket", "OrderFilled")
    assert "corrects" not in final.metadata


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


def test_recorded_clock_has_no_latency() -> None:
    """Without timing, a line's latency is 0 whatever the records' times say."""
    lives = Lives()
    lives.approve(make_request())
    lives.pass_time(10**12)
    lives.acknowledge(make_request())
    (line,) = lines_of(lives.stored[1], lives.stored, is_timed=False)
    assert bytes(line.latency_ms) == b"0.0"


def test_lines_need_only_the_journal() -> None:
    """A record's lines are the same from its request's history as from a walk of everything."""
    lives, first, second = Lives(), make_request("a"), make_resting("b")
    lives.approve(first)
    lives.approve(second)
    lives.acknowledge(second)
    lives.fill(second, 5 * MICRO)
    lives.acknowledge(first)
    lives.cancel(second)
    lives.cancel(first)
    alone = [
        line
        for stored in lives.stored
        for line in lines_of(stored, lives.records_of(stored.request_id or ""))
    ]
    assert alone == lines(lives)


def test_other_records_make_no_line() -> None:
    """What happens to the process, to halts or to money is no line of the audit log."""
    lives = Lives()
    lives.add(e.Stopped(reason="SIGTERM"))
    lives.add(e.DayOpened(day="2026-01-28", baseline=0))
    lives.approve(make_request())
    lives.order(e.CancelRequested, make_request(), reason="x", actor="me")
    lives.order(e.CancelAnswered, make_request(), message="not found")
    assert Counter(line.event_type for line in lines(lives)) == {"ExecutionRequested": 1}


def test_order_that_nobody_approved_is_a_corrupt_journal() -> None:
    """An order event without an approval names its record."""
    lives = Lives()
    lives.acknowledge(make_request())
    with pytest.raises(JournalCorrupt, match="record 1: Expected an approval"):
        lines(lives)


def test_unreadable_record_is_a_corrupt_journal() -> None:
    """A record whose body cannot be read names itself."""
    lives = Lives()
    stored = lives.approve(make_request())
    broken = type(stored)(1, stored.time_ns, stored.kind, b"{", stored.request_id, b"")
    with pytest.raises(JournalCorrupt, match="record 1: Expected an event"):
        Projector(lives).lines(broken)
