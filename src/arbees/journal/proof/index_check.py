"""Prove that the tables which are looked up before a decision equal what the records imply.

Guarantees that a key, request, signal or order row that was changed, lost or invented is found.
Why: the chain covers the records only, and a lost key row would let an order out twice. The implied
tables are built in SQLite's temporary database, on disk, so that memory stays flat; then both sides
are compared row by row. It fails by naming the table and the first rows that differ.
"""

from collections.abc import Callable, Iterable, Iterator

import apsw

from arbees.core import events
from arbees.core.book.index_rows import IndexFold
from arbees.core.ports import IndexRow, Stored
from arbees.journal.engine import integer, run
from arbees.journal.tables.rows import (
    TABLES,
    Table,
    Value,
    sort_by_table,
)

IndexOf = Callable[[Stored], Iterable[IndexRow]]
"""Return the index rows that a record implies; asked once for each record, in their order, so that
it may remember what came before. Raises `msgspec.DecodeError` for a body that it cannot read."""

SHOWN = 5
"""Differing rows named for each table."""

PENDING_ROWS = 5_000
"""Rows collected before they are merged."""


def implied_by_events() -> IndexOf:
    """Return what the core's events imply; a new one for each walk, since it remembers orders."""
    fold = IndexFold()

    def index_of(record: Stored) -> Iterable[IndexRow]:
        return fold.rows(events.decode(record.body), record.time_ns)

    return index_of


class ImpliedIndex:
    """The index tables as the records that were seen so far imply them."""

    def __init__(self, connection: apsw.Connection, index_of: IndexOf) -> None:
        """
        Make empty copies of the tables in the temporary database of a connection.

        Args:
            connection: to the journal; may be read-only.
            index_of: what a record implies.
        """
        self._connection = connection
        self._index_of = index_of
        self._rows: dict[type, list[tuple[Value, ...]]] = {}
        self._waiting = 0
        run(connection, "PRAGMA temp_store = FILE")
        for table in TABLES:
            shape = connection.execute(
                "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (table.name,)
            ).get
            run(connection, str(shape).replace("CREATE TABLE ", "CREATE TABLE temp.", 1))

    def add(self, record: Stored) -> None:
        """Add what a record implies; call it in the order of the records."""
        implied = tuple(self._index_of(record))
        if implied:
            sort_by_table(implied, self._rows)
            self._waiting += len(implied)
            if self._waiting >= PENDING_ROWS:
                self.settle()

    def settle(self) -> None:
        """Merge what was collected."""
        for table in TABLES:
            values = self._rows.get(table.row)
            if values:
                self._connection.executemany(table.upsert("temp"), values)
        self._rows.clear()
        self._waiting = 0

    def differences(self) -> Iterator[str]:
        """Yield how the real tables differ; call it in the transaction that saw the last record."""
        self.settle()
        for table in TABLES:
            yield from self._compare(table)

    def _compare(self, table: Table) -> Iterator[str]:
        """Compare one table by key in one direction, and by number in the other."""
        on = " AND ".join(f"m.{name} = t.{name}" for name in table.key)
        same = " AND ".join(f"m.{name} IS t.{name}" for name in table.columns)
        key = ", ".join(f"t.{name}" for name in table.key)
        query = (
            f"SELECT m.{table.key[0]} IS NULL, {key} FROM temp.{table.name} AS t"  # noqa: S608
            f" LEFT JOIN main.{table.name} AS m ON {on} WHERE NOT ({same}) LIMIT {SHOWN}"
        )
        is_equal = True
        for is_missing, *values in self._connection.execute(query):
            is_equal = False
            what = "is missing" if is_missing else "differs from what the records imply"
            yield f"Expected row {values} in the table `{table.name}`, it {what}"
        implied, real = (
            integer(self._connection, f"SELECT count(*) FROM {place}.{table.name}")  # noqa: S608
            for place in ("temp", "main")
        )
        if is_equal and real != implied:
            yield (
                f"Expected {implied} rows in the table `{table.name}`, were {real}: some were"
                " invented"
            )
