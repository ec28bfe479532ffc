"""What happened is told in a line."""

from datetime import UTC, datetime
from typing import Any

import pytest

from arbees.cli.commands.prove.decisions import WORDS, line_of
from arbees.client import Event
from arbees.core import events

AT = datetime(2026, 1, 28, 20, 30, 5, tzinfo=UTC)
REQUEST = {
    "request_id": "req-1",
    "side": "Yes",
    "size": 50_000_000,
    "market_id": "NBA-BOS",
    "limit_price": 650_000,
}


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("OrderApproved", {"request": REQUEST}, "req-1 Buy 50 Yes NBA-BOS at $0.65"),
        (
            "RequestDenied",
            {
                "request": REQUEST | {"action": "Sell"},
                "findings": [["order_size", "MAX_ORDER_SIZE"], ["x", "Y"]],
            },
            "MAX_ORDER_SIZE and 1 more: req-1 Sell 50 Yes NBA-BOS at $0.65",
        ),
        (
            "DuplicateRefused",
            {"request": REQUEST, "code": "DUPLICATE_REQUEST"},
            "DUPLICATE_REQUEST: req-1 Buy 50 Yes NBA-BOS at $0.65",
        ),
        (
            "OrderFilled",
            {"request_id": "req-1", "quantity": 10_000_000, "price": 610_000, "fee": 166_600},
            "req-1: 10 at $0.61, fee $0.1666",
        ),
        ("OrderExpired", {"request_id": "req-1"}, "req-1"),
        ("OrderCancelled", {"request_id": "req-1", "reason": "a halt"}, "req-1: a halt"),
        (
            "OrderDenied",
            {"request_id": "req-1", "code": "HALTED", "message": "stop\x1b[2J"},
            "req-1: HALTED: stop\\x1b[2J",
        ),
        (
            "HaltRaised",
            {"state": "HALTED", "scope": "all", "source": "http", "reason": "a test"},
            "HALTED all by http: a test",
        ),
        ("MassCancelled", {"scope": "all", "reason": "a test"}, "all by gateway: a test"),
        ("BreakOpened", {"kind": "cash", "platform": "Kalshi"}, "cash in Kalshi"),
        ("Started", {"version": "0.1.0"}, "version 0.1.0"),
    ],
)
def test_told(kind: str, body: dict[str, Any], text: str) -> None:
    """Each kind has its words; what comes from outside is no command for a terminal."""
    found = line_of(Event(sequence=7, time=AT, kind=kind, body=body))
    assert found is not None
    assert (found.time, found.word, found.text) == ("20:30:05", WORDS[kind][0], text)


@pytest.mark.parametrize("kind", WORDS)
def test_missing_fields_are_survived(kind: str) -> None:
    """A record of another version is told as far as it goes."""
    assert line_of(Event(sequence=7, time=AT, kind=kind, body={})) is not None


def test_other_records_are_not_told() -> None:
    """What is no decision is left out, and every kind that is told exists."""
    assert line_of(Event(sequence=7, time=AT, kind="Marked", body={})) is None
    assert [kind for kind in WORDS if not hasattr(events, kind)] == []
