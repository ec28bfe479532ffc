"""Read a journal without standing in anyone's way.

Guarantees that what is read is durable (a commit shows only after its sync), that reading works
beside a running writer and without one, and that nothing is written and no lock is taken that a
writer would wait for. No read keeps a transaction open: long walks go page by page, so that the log
can be reused meanwhile. It fails with `JournalCorrupt` where the file is damaged or a record is
missing in between, and with `JournalUnavailable` where it cannot be reached. It does not check the
chain: the writer does at its start, and `arbees.journal.proof.verifier` does at any time.
"""

import os
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Self

import apsw

from arbees.core.ports import Head, Stored
from arbees.errors import JournalCorrupt, JournalUnavailable
from arbees.journal import snapshots
from arbees.journal.binding import Binding, read_binding
from arbees.journal.engine import ReadError, connect_reader, disconnect, fault_of
from arbees.journal.proof.chain import GENESIS
from arbees.journal.proof.witness import is_vouched
from arbees.journal.tables.queries import STORED, Tables, Values
from arbees.journal.tables.schema import require_known

PAGE_RECORDS = 512
"""Records fetched at once."""

_HEAD = "SELECT sequence, hash, time_ns FROM records ORDER BY sequence DESC LIMIT 1"


class JournalReader(Tables):
    """A read-only view of a journal that follows it as it grows; safe to share by threads."""

    def __init__(self, path: str | os.PathLike[str], *, vfs: str | None = None) -> None:
        """
        Open the journal for reading.

        Args:
            path: the database.
            vfs: name of the SQLite file layer; None for the system's own.

        Raises:
            JournalUnavailable: there is none, or it cannot be reached.
            JournalCorrupt: it cannot be read.
            ConfigurationError: it is another program's, or a newer version's.
        """
        self._path = Path(path).resolve()
        self._lock = threading.Lock()
        self._is_closed = False
        try:
            self._connection = connect_reader(self._path, vfs)
        except apsw.Error as error:
            raise fault_of(self._path, error, "open") from error
        try:
            require_known(
                os.fspath(self._path), self._connection, is_vouched=is_vouched(self._path)
            )
        except ReadError as error:
            self.close()
            raise fault_of(self._path, error, "read") from error
        except BaseException:
            self.close()
            raise

    @property
    def path(self) -> Path:
        """Where the database lies, symbolic links followed."""
        return self._path

    @property
    def head(self) -> Head:
        """The last durable record."""
        row = self._first(_HEAD)
        return Head(0, GENESIS, 0) if row is None else Head(*row)

    @property
    def binding(self) -> Binding:
        """Whose journal it is, by its first record."""
        with self._lock:
            try:
                return read_binding(self._connection)
            except ReadError as error:
                raise fault_of(self._path, error, "read") from error

    def record(self, sequence: int) -> Stored | None:
        """Return one record, None if there is none of that number."""
        row = self._first(STORED + "WHERE sequence = ?", (sequence,))
        return None if row is None else Stored(*row)

    def records(self, after: int = 0) -> Iterator[Stored]:
        """
        Yield the durable records with a sequence above `after`, in order, up to the end.

        Call it again with the last sequence to follow a journal that grows.

        Raises:
            JournalCorrupt: a number is missing in between.
        """
        while page := self.page(after, PAGE_RECORDS):
            after = page[-1].sequence
            yield from page

    def page(self, after: int, limit: int) -> list[Stored]:
        """
        Return the durable records above `after`, in order, at most so many.

        Raises:
            JournalCorrupt: a number is missing in between.
        """
        query = STORED + "WHERE sequence > ? ORDER BY sequence LIMIT ?"
        rows = self.ask(query, (after, limit))
        for expected, row in enumerate(rows, after + 1):
            if row[0] != expected:
                raise JournalCorrupt(
                    f"Expected record {expected}, the next one is {row[0]}", sequence=expected
                )
        return [Stored(*row) for row in rows]

    def bodies(self, after: int = 0) -> Iterator[tuple[int, int, bytes]]:
        """Yield sequence, time and body of the durable records above `after`, in order; quickly."""
        query = "SELECT sequence, time_ns, body FROM records WHERE sequence > ? ORDER BY 1 LIMIT ?"
        while rows := self.ask(query, (after, PAGE_RECORDS)):
            yield from rows
            after = rows[-1][0]

    def records_of_kinds(self, kinds: Collection[str], after: int = 0) -> Iterator[Stored]:
        """Yield the durable records of some kinds above `after`, in order; reads the whole file."""
        places = ", ".join("?" * len(kinds))
        query = f"{STORED}WHERE sequence > ? AND kind IN ({places}) ORDER BY sequence LIMIT ?"
        while rows := self.ask(query, (after, *kinds, PAGE_RECORDS)):
            for row in rows:
                yield Stored(*row)
            after = rows[-1][0]

    def latest(self, kinds: Collection[str], before: int | None, limit: int) -> list[Stored]:
        """
        Return the last durable records of some kinds, the newest first.

        Args:
            kinds: which.
            before: only records with a sequence below it; None = all.
            limit: at most so many.
        """
        places = ", ".join("?" * len(kinds))
        bound = "sequence < ? AND " if before is not None else ""
        query = f"{STORED}WHERE {bound}kind IN ({places}) ORDER BY sequence DESC LIMIT ?"
        values: Values = (*(() if before is None else (before,)), *kinds, limit)
        return [Stored(*row) for row in self.ask(query, values)]

    def snapshot(self) -> tuple[int, str, bytes] | None:
        """Return the newest snapshot that is intact and not newer than the head."""
        with self._lock:
            self._require_open()
            try:
                found = snapshots.newest(self._connection)
            except ReadError as error:
                raise fault_of(self._path, error, "read") from error
        return None if found is None else (found.sequence, found.version, found.body)

    def close(self) -> None:
        """Close the connection; idempotent."""
        with self._lock:
            self._is_closed = True
            disconnect(self._connection)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _require_open(self) -> None:
        if self._is_closed:
            raise JournalUnavailable(f"The journal {self._path} is closed")

    def ask(self, query: str, values: Values = ()) -> list[Any]:
        """Return all rows of a query; see `Tables`."""
        with self._lock:
            self._require_open()
            try:
                return self._connection.execute(query, values).fetchall()
            except ReadError as error:
                raise fault_of(self._path, error, "read") from error
