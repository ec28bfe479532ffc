"""`execution_idempotency.status`: how each key's request stands, in the words of its result."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from arbees.core.ports import Entry, KeyRow
from arbees.journal.tables.schema import newest_version, version_of
from tests.journal.samples import START_NS, fill, open_journal, tamper

Said = tuple[str, dict[str, Any]]
"""Kind and body of a record."""

APPROVED: Said = ("OrderApproved", {"request": {"size": 10}})
PLACED: Said = ("OrderAcknowledged", {})
UNKNOWN: Said = ("OrderUnknown", {})
CANCELLED: Said = ("OrderCancelled", {})


def filled(quantity: int) -> Said:
    """Return a fill."""
    return ("OrderFilled", {"quantity": quantity})


def entry(kind: str, body: dict[str, Any], outcome: str) -> Entry:
    """Return a record of the request, which leaves its key with an outcome."""
    key = KeyRow("key", "request", 1, "f", outcome, START_NS)
    return Entry(START_NS, kind, msgspec.json.encode(body), "request", (key,))


@pytest.mark.parametrize(
    ("outcome", "records", "status"),
    [
        ("denied", [("RequestDenied", {})], "Rejected"),
        ("not_sent", [APPROVED, ("OrderNotSent", {})], "Failed"),
        ("open", [APPROVED], "Pending"),
        ("open", [APPROVED, PLACED, filled(4)], "Pending"),
        ("open", [APPROVED, UNKNOWN], "Unknown"),
        ("open", [APPROVED, UNKNOWN, PLACED], "Pending"),
        ("spent", [APPROVED, PLACED, filled(4), filled(6)], "Filled"),
        ("spent", [APPROVED, PLACED, filled(4), CANCELLED], "Partial"),
        ("spent", [APPROVED, PLACED, CANCELLED], "Cancelled"),
        ("spent", [APPROVED, PLACED, CANCELLED, filled(10)], "Filled"),
        ("spent", [APPROVED, ("OrderRejected", {})], "Rejected"),
        ("spent", [APPROVED, PLACED, ("OrderExpired", {})], "Cancelled"),
    ],
)
def test_statuses(tmp_path: Path, outcome: str, records: list[Said], status: str) -> None:
    """Fills count whenever they come, the rest is what happened last."""
    with open_journal(tmp_path / "j.db") as journal:
        journal.append([entry(kind, body, outcome) for kind, body in records])
        rows = journal._committer._connection.execute(
            "SELECT idempotency_key, request_id, status FROM execution_idempotency"
        ).fetchall()
    assert rows == [("key", "request", status)]


def test_a_journal_of_the_first_shape_gets_them(tmp_path: Path) -> None:
    """It is brought forward when it is opened; nothing that was written changes."""
    path = tmp_path / "j.db"
    fill(path, 1)
    tamper(path, "DROP VIEW execution_idempotency")
    tamper(path, "CREATE VIEW execution_idempotency AS SELECT outcome AS status FROM keys")
    tamper(path, "PRAGMA user_version = 1")
    with open_journal(path) as journal:
        connection = journal._committer._connection
        assert version_of(connection) == newest_version()
        rows = connection.execute("SELECT status FROM execution_idempotency").fetchall()
    assert rows == [("Pending",)]
