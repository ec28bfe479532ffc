"""Open SQLite so that a commit means durable, and say what its errors prove.

Guarantees that a writing connection syncs the write-ahead log before a commit returns (`WAL`,
`synchronous=FULL`), never maps the file into memory (an I/O error would be a signal instead of an
exception) and never checkpoints on its own, and that a reading one cannot write. Why one place: a
connection opened in passing with other pragmas would weaken the promise without anyone noticing.
It fails with `JournalCorrupt` where the file is not what was written and with `JournalUnavailable`
where it cannot be reached. Nothing in this process may open the database's file by other means once
it is there: closing such a handle would drop SQLite's locks.
"""

import contextlib
import os
import stat
from pathlib import Path

import apsw

from arbees.errors import JournalCorrupt, JournalError, JournalUnavailable

PAGE_BYTES = 4096
"""SQLite's page, and so the unit of the write-ahead log."""

WAL_BYTES_MAX = 16 << 20
"""Size to which the log is cut back once it has grown beyond; below, it is reused in place."""

PRIVATE = 0o600
"""Mode of every file of a journal: what is traded, and why, is not for other users to read."""

BUSY_MS = 5_000
"""How long to wait for somebody else's lock; nobody else is expected to hold one."""

_COMMON = "PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
_WRITER = f"""
PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = {WAL_BYTES_MAX};
PRAGMA cache_size = -16384;
"""


def run(connection: apsw.Connection, script: str) -> None:
    """Run all statements of a script and drop what they return."""
    for _ in connection.execute(script):
        pass


def integer(connection: apsw.Connection, query: str) -> int:
    """Return the one number that a query asks for."""
    value = connection.execute(query).get
    if not isinstance(value, int):
        raise JournalCorrupt(f"Expected a number from `{query}`, was {value!r}")
    return value


def connect_writer(path: Path, vfs: str | None = None) -> apsw.Connection:
    """
    Return the writing connection, creating the file if it is missing.

    Raises:
        apsw.Error: as it is; the caller knows what it means there.
        JournalUnavailable: the file or the disk is read-only, or no log can be kept beside it.
    """
    make_private(path)
    connection = apsw.Connection(os.fspath(path), vfs=vfs)
    try:
        connection.set_busy_timeout(BUSY_MS)
        run(connection, _COMMON)
        _require_writable(connection, path)
        run(connection, _WRITER)
    except BaseException:
        disconnect(connection)
        raise
    return connection


def make_private(path: Path) -> None:
    """
    Make a file that only its owner may read, or keep others from one that is there.

    SQLite gives the log beside it the same mode. A file that is there is not opened: closing it
    would end the locks of every connection that this process has to it. What cannot be done here is
    left to SQLite, which says why.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE))
    except FileExistsError:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & stat.S_IRWXO:
            with contextlib.suppress(PermissionError):  # of another owner
                path.chmod(mode & ~stat.S_IRWXO)
    except OSError:
        return


def _require_writable(connection: apsw.Connection, path: Path) -> None:
    """Refuse a file that SQLite opened for reading only, or cannot keep a log beside."""
    if connection.readonly("main"):
        raise JournalUnavailable(
            f"Expected a journal that can be written, {path} is read-only. Check its owner, its"
            " mode and whether the disk is mounted read-only"
        )
    kind = connection.execute("PRAGMA journal_mode = WAL").get
    if kind != "wal":
        raise JournalUnavailable(
            f"Expected a write-ahead log beside {path}, SQLite keeps a {kind!r} journal there. Put"
            " JOURNAL_PATH on a local disk"
        )


def connect_reader(path: Path, vfs: str | None = None) -> apsw.Connection:
    """
    Return a connection that can only read; it takes no lock that a writer would wait for.

    Works without a writer too, and on a read-only disk if no log was left behind there.

    Raises:
        apsw.Error: as it is.
        JournalUnavailable: there is no such file, or a log that cannot be read with it.
    """
    if not path.is_file():
        raise JournalUnavailable(
            f"Expected a journal at {path}, there is no such file. Name another, or go to the"
            " folder that the gateway runs in"
        )
    uri = f"{path.as_uri()}?mode=ro"
    if not os.access(path.parent, os.W_OK) and not _exists(path, "-shm"):
        if _exists(path, "-wal"):
            raise JournalUnavailable(
                f"Expected to read {path} with its log {path.name}-wal, but the folder cannot be"
                " written. Copy both to one that can, and read them there"
            )
        uri += "&immutable=1"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    connection = apsw.Connection(uri, flags=flags, vfs=vfs)
    try:
        connection.set_busy_timeout(BUSY_MS)
        run(connection, _COMMON)
    except BaseException:
        disconnect(connection)
        raise
    return connection


def disconnect(connection: apsw.Connection) -> str | None:
    """
    Close a connection, and return what went wrong with it, None if nothing did.

    A writer's last one copies the log into the database. Where that fails nothing is lost, since
    the records stay in the log; closing anew would not help either.
    """
    try:
        connection.close(force=True)
    except apsw.Error as error:
        return describe(error)
    return None


ReadError = (apsw.Error, UnicodeDecodeError)
"""What reading a database may raise: SQLite's errors, and text in it that is none."""


def is_damage(error: Exception) -> bool:
    """
    Return whether an error while reading proves that the file is not what was written.

    Our queries are fixed, so that one which does not compile means that the shape was changed.
    """
    kinds = apsw.CorruptError | apsw.NotADBError | apsw.FormatError | apsw.SQLError
    return isinstance(error, kinds | UnicodeDecodeError)


def describe(error: BaseException) -> str:
    """Return an error in one line: SQLite's or the system's own words, with its code."""
    if isinstance(error, apsw.Error):
        code = getattr(error, "extendedresult", 0)
        names = apsw.mapping_result_codes | apsw.mapping_extended_result_codes
        return f"{error} ({names.get(code, type(error).__name__)})"
    return f"{error} ({type(error).__name__})"


def fault_of(path: Path, error: Exception, action: str) -> JournalError:
    """
    Return what an error while reading means to the caller of the journal.

    Args:
        path: the database.
        error: one of `ReadError`.
        action: what was attempted, as in `read`.
    """
    if is_damage(error):
        return JournalCorrupt(
            f"Expected a readable journal, cannot {action} {path}: {describe(error)}. Stop, keep a"
            " copy of all its files, run `arbees audit verify`, and restore the newest backup"
        )
    return JournalUnavailable(f"Cannot {action} the journal {path}: {describe(error)}")


def _exists(path: Path, suffix: str) -> bool:
    """Return whether a companion of the database exists and is not empty."""
    try:
        return path.with_name(path.name + suffix).stat().st_size > 0
    except FileNotFoundError:
        return False
