"""The projection over longer lives: fills one by one, alternates, corrections, broken journals."""

import json
from collections import Counter

import pytest

from arbees.core import events
from arbees.core.language.request import Alternate
from arbees.core.language.words import Platform, Side
from arbees.errors import JournalCorrupt
from arbees.telemetry.audit.line import encode
from arbees.telemetry.audit.projection import Projector, lines_of
from tests.telemetry.lives import MICRO, Lives, make_request, make_resting, make_sell
from tests.telemetry.told import last, lines, told


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
    lives.order(events.OrderNotSent, request, message="refused", falls_back=True)
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
    lives.order(events.OrderNotSent, request, message="absent by evidence", falls_back=True)
    lives.approve(request, leg=1)
    lives.fill(request, 10 * MICRO, corrects=2)
    lives.fill(request, 50 * MICRO, 400_000, leg=1, is_complete=True)
    correction, final = lines(lives)[-2:]
    assert (correction.platform, correction.metadata["corrects"]) == ("Kalshi", 2)
    assert (final.platform, final.event_type) == ("Polymarket", "OrderFilled")
    assert "corrects" not in final.metadata


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
    lives.add(events.Stopped(reason="SIGTERM"))
    lives.add(events.DayOpened(day="2026-01-28", baseline=0))
    lives.approve(make_request())
    lives.order(events.CancelRequested, make_request(), reason="x", actor="me")
    lives.order(events.CancelAnswered, make_request(), message="not found")
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
