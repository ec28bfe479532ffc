"""The journal's engine alone: SQLite through apsw with the journal's own settings and tables.

Guarantees that it makes the same bytes durable, in commits of the same size, as the journal did,
without chain, witness, fence or thread: the least that such a commit can cost here.
"""

from collections.abc import Sequence
from pathlib import Path

from arbees.core.ports import Entry
from arbees.journal.binding import Binding
from arbees.journal.creation import INSERT, create
from arbees.journal.engine import connect_writer, disconnect, run
from arbees.journal.tables.rows import Value, merge, sort_by_table

_HASH = bytes(32)
CHECKPOINT_COMMITS = 200

Rows = dict[type, list[tuple[Value, ...]]]
Prepared = tuple[list[tuple[Value | bytes, ...]], Rows]


class BareEngine:
    """One database, one connection, one thread."""

    def __init__(self, folder: Path) -> None:
        """Make the tables of a journal in a folder."""
        self._connection = connect_writer(folder / "bare.db")
        run(self._connection, "BEGIN IMMEDIATE")
        create(self._connection, Binding("bare", "bench", "paper"), 1)
        run(self._connection, "COMMIT")
        self._sequence = 1

    def prepare(self, entries: Sequence[Entry]) -> Prepared:
        """Turn entries into rows, which is not part of a commit's cost."""
        records: list[tuple[Value | bytes, ...]] = []
        rows: Rows = {}
        for entry in entries:
            self._sequence += 1
            records.append(
                (
                    self._sequence,
                    entry.time_ns,
                    1,
                    entry.kind,
                    entry.request_id,
                    _HASH,
                    entry.body,
                )
            )
            sort_by_table(entry.index, rows)
        return records, rows

    def commit(self, prepared: Prepared) -> None:
        """Make rows durable."""
        records, rows = prepared
        run(self._connection, "BEGIN IMMEDIATE")
        self._connection.executemany(INSERT, records)
        merge(self._connection, rows)
        run(self._connection, "COMMIT")

    def tidy(self) -> None:
        """Copy the log into the database, between measurements."""
        self._connection.wal_checkpoint()

    def close(self) -> None:
        """Close the database."""
        disconnect(self._connection)
