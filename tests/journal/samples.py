"""Journals and entries for tests: small, recognizable, and with bodies that imply their index rows.

Guarantees that the same numbers give the same bytes. Fails only by a bug in a test.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apsw
import msgspec

from arbees.core.ports import Entry, IndexRow, KeyRow, OrderRow, RequestRow, SignalRow, Stored
from arbees.journal import SqliteJournal

START_NS = 1_767_225_600_000_000_000
ROW_TYPES: tuple[type[Any], ...] = (KeyRow, RequestRow, SignalRow, OrderRow)


def entry(number: int, rows: tuple[IndexRow, ...] | None = None, time_ns: int = 0) -> Entry:
    """Return an entry whose body says which index rows it implies."""
    if rows is None:
        rows = usual_rows(number)
    named = [[type(row).__name__, msgspec.structs.astuple(row)] for row in rows]
    return Entry(
        time_ns=time_ns or START_NS + number,
        kind="Noted",
        body=msgspec.json.encode({"number": number, "rows": named}),
        request_id=f"request-{number}",
        index=rows,
    )


def usual_rows(number: int) -> tuple[IndexRow, ...]:
    """Return a row for each table."""
    return (
        KeyRow(f"key-{number}", f"request-{number}", 1, "f" * 8, "open", START_NS + number),
        RequestRow(f"request-{number}", f"key-{number}"),
        SignalRow(f"signal-{number}", "MARKET", "Yes", "Buy", f"key-{number}", "open"),
        OrderRow(f"order-{number}", f"request-{number}", "Kalshi", None),
    )


def implied(record: Stored) -> Iterable[IndexRow]:
    """Return the index rows that a body of `entry` implies."""
    body = msgspec.json.decode(record.body)
    known = {one.__name__: one for one in ROW_TYPES}
    return [known[name](*values) for name, values in body.get("rows", [])]


def open_journal(
    path: Path,
    *,
    account: str = "main",
    environment: str = "test",
    mode: str = "paper",
    create: bool = True,
    now_ns: int = START_NS,
    reserve_bytes: int = 0,
    low_bytes: int = 0,
    vfs: str | None = None,
) -> SqliteJournal:
    """Open or create the usual test journal, with no room set aside."""
    return SqliteJournal.open(
        path,
        account=account,
        environment=environment,
        mode=mode,
        create=create,
        clock_ns=lambda: now_ns,
        reserve_bytes=reserve_bytes,
        low_bytes=low_bytes,
        vfs=vfs,
    )


def fill(path: Path, count: int, batch: int = 1) -> bytes:
    """Make a journal of `count` entries behind the first record, close it, return the last hash."""
    with open_journal(path) as journal:
        for first in range(1, count + 1, batch):
            last = min(first + batch, count + 1)
            journal.append([entry(number) for number in range(first, last)])
        return journal.head.hash


def tamper(path: Path, *statements: str) -> None:
    """Change a journal as somebody with a database tool would, who knows about the triggers."""
    connection = apsw.Connection(str(path))  # the same library: another would not see our locks
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
    ).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    for _, text in triggers:
        connection.execute(str(text))
    connection.close()


def companions(path: Path) -> dict[str, bytes]:
    """
    Return what a journal that is not open consists of, by suffix.

    The shared index of the log is left out, and an empty log: looking at a journal makes them.
    """
    files = {suffix: path.with_name(path.name + suffix) for suffix in ("", "-wal", ".head")}
    found = {suffix: file.read_bytes() for suffix, file in files.items() if file.exists()}
    return {suffix: content for suffix, content in found.items() if content}


def put(path: Path, files: dict[str, bytes]) -> None:
    """Put files back as `companions` returned them."""
    for suffix, content in files.items():
        path.with_name(path.name + suffix).write_bytes(content)
