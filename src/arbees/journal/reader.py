"""Read a journal without standing in anyone's way.

Guarantees that what is read is durable (a commit shows only after its sync), that reading works
beside a running writer and without one, and that nothing is written and no lock is taken that a
writer would wait for. No read keeps a transaction open: long walks go page by page, so that the log
can be reused meanwhile. It fails with `JournalCorrupt` where the file is damaged or a record is
missing in between, and with `JournalUnavailable` where it cannot be reached. It does not check the
chain: the writer does at its start, and `arbees.journal.verifier` does at any time.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import apsw

from arbees.core.ports import Head, KeyRow, OrderRow, RequestRow, SignalRow, Stored
from arbees.errors import JournalCorrupt, JournalUnavailable
from arbees.journal import snapshots
from arbees.journal.binding import Binding, read_binding
from arbees.journal.chain import GENESIS
from arbees.journal.engine import ReadError, connect_reader, disconnect, fault_of
from arbees.journal.schema import require_known
from arbees.journal.witness import is_vouched

PAGE_RECORDS = 512
"""Records fetched at once."""

_STORED = "SELECT sequence, time_ns, kind, body, request_id, hash FROM records "
_HEAD = "SELECT sequence, hash, time_ns FROM records ORDER BY sequence DESC LIMIT 1"
_KEY = (
    "SELECT idempotency_key, request_id, attempt, fingerprint, outcome, processed_ns FROM keys"
    " WHERE idempotency_key = ?"
)
_REQUEST = "SELECT request_id, idempotency_key FROM requests WHERE request_id = ?"
_SIGNALS = (
    "SELECT signal_id, market_key, side, action, idempotency_key, outcome FROM signals"
    " WHERE signal_id = ? AND market_key = ? AND side = ? AND action = ? ORDER BY idempotency_key"
)
_ORDER = "SELECT client_order_id, request_id, platform, venue_order_id FROM orders "
_BY_OURS = _ORDER + "WHERE client_order_id = ?"
_BY_THEIRS = (
    _ORDER + "WHERE venue_order_id = ? AND platform = ? ORDER BY client_order_id DESC LIMIT 1"
)


class JournalReader:
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

    def key(self, idempotency_key: str) -> KeyRow | None:
        """Return the last attempt of a key."""
        row = self._first(_KEY, (idempotency_key,))
        return None if row is None else KeyRow(*row)

    def request(self, request_id: str) -> RequestRow | None:
        """Return under which key a request id was seen."""
        row = self._first(_REQUEST, (request_id,))
        return None if row is None else RequestRow(*row)

    def signals(
        self, signal_id: str, market_key: str, side: str, action: str
    ) -> Sequence[SignalRow]:
        """Return the keys under which a signal was seen for this market, side and action."""
        rows = self._all(_SIGNALS, (signal_id, market_key, side, action))
        return [SignalRow(*row) for row in rows]

    def order(self, client_order_id: str) -> OrderRow | None:
        """Return where an order is found, by our own id."""
        row = self._first(_BY_OURS, (client_order_id,))
        return None if row is None else OrderRow(*row)

    def order_by_venue_id(self, platform: str, venue_order_id: str) -> OrderRow | None:
        """Return where an order is found, by the venue's id."""
        row = self._first(_BY_THEIRS, (venue_order_id, platform))
        return None if row is None else OrderRow(*row)

    def record(self, sequence: int) -> Stored | None:
        """Return one record, None if there is none of that number."""
        row = self._first(_STORED + "WHERE sequence = ?", (sequence,))
        return None if row is None else Stored(*row)

    def records(self, after: int = 0) -> Iterator[Stored]:
        """
        Yield the durable records with a sequence above `after`, in order, up to the end.

        Call it again with the last sequence to follow a journal that grows.

        Raises:
            JournalCorrupt: a number is missing in between.
        """
        expected = after + 1
        query = _STORED + "WHERE sequence > ? ORDER BY sequence LIMIT ?"
        while rows := self._all(query, (expected - 1, PAGE_RECORDS)):
            for row in rows:
                if row[0] != expected:
                    raise JournalCorrupt(
                        f"Expected record {expected}, the next one is {row[0]}", sequence=expected
                    )
                expected += 1
                yield Stored(*row)

    def records_of(self, request_id: str) -> Sequence[Stored]:
        """Return the durable records of one request, in order."""
        rows = self._all(_STORED + "WHERE request_id = ? ORDER BY sequence", (request_id,))
        return [Stored(*row) for row in rows]

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

    def _first(self, query: str, values: tuple[str | int, ...] = ()) -> tuple[Any, ...] | None:
        with self._lock:
            self._require_open()
            try:
                return self._connection.execute(query, values).fetchone()
            except ReadError as error:
                raise fault_of(self._path, error, "read") from error

    def _all(self, query: str, values: tuple[str | int, ...] = ()) -> list[Any]:
        with self._lock:
            self._require_open()
            try:
                return self._connection.execute(query, values).fetchall()
            except ReadError as error:
                raise fault_of(self._path, error, "read") from error
