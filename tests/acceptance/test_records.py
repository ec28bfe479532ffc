"""What is written down: the audit log as the requirements show it, the paper book, the keys."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.recorded import Recorder, at, quote, request

EXAMPLE = {
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
    "order_id": None,
    "rejection_reason": None,
    "latency_ms": 0.0,
    "metadata": {
        "game_id": "nba_12345",
        "sport": "NBA",
        "signal_id": "signal_789",
        "signal_type": "ModelEdgeYes",
        "edge_pct": 18.5,
    },
}
"""The requirements' own example; `service` is the design's."""
ADDED = {"model_version", "model_prob", "strategy", "code", "sequence"}
NAMES = ("request_id", "idempotency_key", "platform", "market_id", "side")


@pytest.fixture
def journal(recorder: Recorder, tmp_path: Path) -> Path:
    """Play the requirements' example and one request of each other end; return the journal."""
    place = tmp_path / "kept" / "journal.db"
    place.parent.mkdir()
    example: dict[str, Any] = {
        **{name: EXAMPLE[name] for name in NAMES},
        **EXAMPLE["metadata"],  # type: ignore[dict-item]
        "size": "50",
        "limit_price": "0.65",
        "created_at": EXAMPLE["timestamp"],
    }
    mine: dict[str, Any] = {"created_at": EXAMPLE["timestamp"], "market_id": EXAMPLE["market_id"]}
    lines = [
        example,
        request(None, **mine, request_id="partial", limit_price="0.66", size="40"),
        request(None, **mine, request_id="none", limit_price="0.50"),
        request(None, **mine, request_id="denied", limit_price="0.01"),
        request(None, **mine, request_id="rests", limit_price="0.50", time_in_force="GTC"),
        example,
    ]
    book = {"bids": [["0.60", "9"]], "asks": [["0.65", "60"], ["0.66", "20"]]}
    market, game = EXAMPLE["market_id"], "nba_12345"
    assert isinstance(market, str)
    recorder.play(lines, [quote(at(0), market, game_id=game, **book)], journal=place)
    return place


def lines_of(journal: Path) -> list[dict[str, Any]]:
    """Return the audit lines beside a journal."""
    text = journal.with_suffix(".audit.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def rows(path: Path, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return columns and rows of a query, as anybody may read them."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        cursor = connection.execute(query)
        names = [each[0] for each in cursor.description]
        found = cursor.fetchall()
    connection.close()
    return names, found


def test_the_example_field_for_field(journal: Path) -> None:
    """The first line is the requirements' example, in its order, with the design's additions."""
    first = lines_of(journal)[0]
    assert list(first) == list(EXAMPLE)
    metadata = first.pop("metadata")
    shown = dict(EXAMPLE)
    wanted = shown.pop("metadata")
    assert isinstance(wanted, dict)
    assert first == shown
    assert {name: metadata[name] for name in wanted} == wanted
    assert set(metadata) == set(wanted) | ADDED
    assert all(isinstance(first[name], float) for name in ("price", "size", "latency_ms"))


def test_each_request_leaves_its_lines(journal: Path) -> None:
    """Requested, placed with what was asked for, ended with what came of it; duplicates too."""
    told = [
        (each["request_id"], each["event_type"], each["status"], each["price"], each["size"])
        for each in lines_of(journal)
        if each["event_type"] != "ExecutionRequested"
    ]
    assert told == [
        ("req_abc123", "OrderPlaced", "Pending", 0.65, 50.0),
        ("req_abc123", "OrderFilled", "Filled", 0.65, 50.0),
        ("partial", "OrderPlaced", "Pending", 0.66, 40.0),
        ("partial", "OrderPartialFill", "Partial", 0.656667, 30.0),
        ("none", "OrderPlaced", "Pending", 0.50, 10.0),
        ("none", "OrderCancelled", "Cancelled", 0.0, 0.0),
        ("denied", "OrderRejected", "Rejected", 0.0, 0.0),
        ("rests", "OrderPlaced", "Pending", 0.50, 10.0),
        ("req_abc123", "OrderRejected", "Rejected", 0.0, 0.0),
        ("rests", "OrderCancelled", "Cancelled", 0.0, 0.0),
    ]
    asked = [each for each in lines_of(journal) if each["event_type"] == "ExecutionRequested"]
    assert len(asked) == 6
    results = [each["metadata"] for each in lines_of(journal) if each not in asked]
    assert all(
        {"fees", "requested_price", "requested_size", *ADDED} <= set(each) for each in results
    )
    codes = [each["code"] for each in results if each["code"]]
    assert codes == ["PRICE_OUT_OF_RANGE", "DUPLICATE_REQUEST"]


def test_the_exchange_keeps_a_book_of_its_own(journal: Path) -> None:
    """Two tables of integers in millionths, column for column as the interfaces name them."""
    book = journal.with_suffix(".paper.db")
    names, orders = rows(book, "SELECT * FROM orders ORDER BY rowid")
    assert names == [
        *("client_order_id", "order_id", "platform", "market_id", "side", "action", "quantity"),
        *("limit_price", "time_in_force", "status", "filled_quantity", "created_ns", "updated_ns"),
    ]
    short = [dict(zip(names, order, strict=True)) for order in orders]
    told = [(o["quantity"], o["limit_price"], o["status"], o["filled_quantity"]) for o in short]
    assert told == [
        (50_000_000, 650_000, "filled", 50_000_000),
        (40_000_000, 660_000, "cancelled", 30_000_000),
        (10_000_000, 500_000, "cancelled", 0),
        (10_000_000, 500_000, "cancelled", 0),
    ]
    assert {(o["platform"], o["side"], o["action"]) for o in short} == {("Kalshi", "Yes", "Buy")}
    names, fills = rows(book, "SELECT * FROM fills ORDER BY created_ns, rowid")
    assert names == ["trade_id", "order_id", "quantity", "price", "fee", "created_ns"]
    assert [fill[2:5] for fill in fills] == [
        (50_000_000, 650_000, 796_300),
        (10_000_000, 650_000, 159_300),
        (20_000_000, 660_000, 314_200),
    ]
    assert len({fill[0] for fill in fills}) == 3


def test_keys_are_kept_for_all_to_see(journal: Path) -> None:
    """The view of the requirements, with the words of the results."""
    names, keys = rows(journal, "SELECT * FROM execution_idempotency")
    assert names == ["idempotency_key", "request_id", "status", "processed_at"]
    assert {key[1]: key[2] for key in keys} == {
        "req_abc123": "Filled",
        "partial": "Partial",
        "none": "Cancelled",
        "denied": "Rejected",
        "rests": "Cancelled",
    }
    assert {key[3][:20] for key in keys} == {"2026-01-28T20:30:00."}
