"""Make a transaction durable or stop for good.

Guarantees that after an error whose effect on the disk is not certain nothing more is committed: a
failed sync is never repeated (the kernel may have dropped the pages and would say yes the second
time), and the first cause is told to everyone who comes later. The one error that is tried again is
a full disk, which fails before anything was synced: the reserve is given back, and the same
transaction runs once more. Also keeps the log bounded. It fails by being poisoned; only a restart,
which looks at the file afresh, ends that.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import apsw

from arbees.errors import JournalUnavailable, LeaseLost
from arbees.journal.engine import (
    PAGE_BYTES,
    WAL_BYTES_MAX,
    ReadError,
    connect_writer,
    describe,
    disconnect,
    fault_of,
    run,
)
from arbees.journal.space import Reserve
from arbees.journal.tables.queries import Tables, Values

T = TypeVar("T")

CHECKPOINT_PAGES = 256
"""Log pages from which an idle moment is used to copy them into the database (1 MiB)."""

CHECKPOINT_PAGES_MAX = WAL_BYTES_MAX // PAGE_BYTES
"""Log pages from which a commit copies them first, so that the log stays bounded."""

AFTER = "Records that were acknowledged are durable. Stop, look after the disk, start again"


class _Tables(Tables):
    """The tables over the writing connection."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        """Ask over a connection."""
        self._connection = connection
        self._path = path

    def ask(self, query: str, values: Values = ()) -> list[Any]:
        """Return all rows of a query; see `Tables`."""
        try:
            return self._connection.execute(query, values).fetchall()
        except ReadError as error:
            raise fault_of(self._path, error, "read") from error


class Committer:
    """The one writing connection of a journal; one thread at a time."""

    def __init__(self, path: Path, reserve: Reserve, vfs: str | None) -> None:
        """Open the connection, creating the database if it is missing."""
        self._path = path
        self._reserve = reserve
        self._fault: JournalUnavailable | LeaseLost | None = None
        self._pages = 0
        self._checkpoint_at = CHECKPOINT_PAGES_MAX
        try:
            self._connection = self._connect(vfs)
        except apsw.Error as error:
            raise JournalUnavailable(
                f"Cannot open the journal {path} for writing: {describe(error)}"
            ) from error
        self._connection.set_wal_hook(self._count)
        self._tables = _Tables(self._connection, path)

    @property
    def fault(self) -> JournalUnavailable | LeaseLost | None:
        """Why nothing more is committed; None while all is well."""
        return self._fault

    @property
    def log_pages(self) -> int:
        """Pages in the log since it was begun anew."""
        return self._pages

    def require_usable(self) -> None:
        """Raise the first cause anew if there was one."""
        if self._fault is not None:
            raise type(self._fault)(self._fault.message) from self._fault

    def commit(
        self, action: str, work: Callable[[apsw.Connection], T], *, is_vital: bool = True
    ) -> T:
        """
        Run `work` in a transaction and return its result once that is durable.

        Args:
            action: what it is, for the message, as in `append to`.
            work: the statements; it may run twice.
            is_vital: whether it may use the reserve; if not, a full disk only fails this call.

        Raises:
            JournalUnavailable: nothing of it is known to be durable; poisoned, unless the disk is
                full and the work is not vital.
            LeaseLost: `work` found another writer; poisoned.
        """
        self.require_usable()
        try:
            try:
                return self._attempt(work)
            except apsw.FullError:
                if is_vital and not self._reserve.release():
                    raise
            if is_vital:
                return self._attempt(work)
        except BaseException as error:
            self.poison(action, error)
            if isinstance(error, apsw.Error | OSError):
                self.require_usable()
            raise
        raise JournalUnavailable(f"Cannot {action} the journal {self._path}: the disk is full")

    @contextmanager
    def reading(self) -> Iterator[Tables]:
        """
        Hold one state of the tables, between two transactions that write.

        Raises:
            JournalUnavailable, JournalCorrupt: it cannot be read. Poisons nothing.
        """
        self._connection.execute("BEGIN")
        try:
            yield self._tables
        finally:
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")

    def run(self, action: str, work: Callable[[apsw.Connection], None]) -> None:
        """Run something that is no transaction; an error poisons."""
        try:
            work(self._connection)
        except apsw.Error as error:
            self.poison(action, error)
            self.require_usable()

    def poison(self, action: str, error: BaseException) -> None:
        """Commit nothing any more, for this cause; the first one counts."""
        if self._fault is not None:
            return
        if isinstance(error, LeaseLost | JournalUnavailable):
            self._fault = error
        else:
            self._fault = JournalUnavailable(
                f"Cannot {action} the journal {self._path}: {describe(error)}. {AFTER}"
            )
            self._fault.__cause__ = error
        self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)

    def bound_log(self) -> None:
        """Copy the log into the database if it has grown to its bound."""
        if self._pages >= self._checkpoint_at:
            self._checkpoint_at = self._pages + CHECKPOINT_PAGES_MAX
            self.checkpoint()

    def checkpoint(self) -> None:
        """
        Copy the log into the database as far as no reader needs it.

        Raises:
            JournalUnavailable: a write or sync failed; poisoned.
        """
        self.require_usable()
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except (apsw.BusyError, apsw.FullError):
            return  # the records stay in the log, which is as durable
        except apsw.Error as error:
            self.poison("copy the log into", error)
            self.require_usable()

    def close(self) -> None:
        """Close the connection; what is in the log goes into the database, unless poisoned."""
        disconnect(self._connection)

    def _connect(self, vfs: str | None) -> apsw.Connection:
        try:
            return connect_writer(self._path, vfs)
        except apsw.FullError:
            if not self._reserve.release():
                raise
            return connect_writer(self._path, vfs)

    def _attempt(self, work: Callable[[apsw.Connection], T]) -> T:
        run(self._connection, "BEGIN IMMEDIATE")
        try:
            result = work(self._connection)
            run(self._connection, "COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                run(self._connection, "ROLLBACK")
            raise
        return result

    def _count(self, _: apsw.Connection, __: str, pages: int) -> int:
        if pages < self._pages:  # the log was begun anew
            self._checkpoint_at = CHECKPOINT_PAGES_MAX
        self._pages = pages
        return apsw.SQLITE_OK
