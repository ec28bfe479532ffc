"""A disk that fails on demand, below SQLite: a file layer that raises at the chosen operation.

Guarantees that everything that is not told to fail reaches the real file, and that each operation
is counted, so that a test can first see what happens and then break any of it. Fails by leaving a
registered layer behind only if `close` is not called.
"""

from collections.abc import Callable
from itertools import count

import apsw

_numbers = count(1)


def full() -> Exception:
    """Return what a full disk says."""
    return apsw.exception_for(apsw.SQLITE_FULL)


def failed_sync() -> Exception:
    """Return what a failed sync says."""
    return apsw.exception_for(apsw.SQLITE_IOERR_FSYNC)


def failed_write() -> Exception:
    """Return what a failed write says."""
    return apsw.exception_for(apsw.SQLITE_IOERR_WRITE)


class FaultyDisk(apsw.VFS):
    """A file layer that fails when its rule says so."""

    def __init__(self) -> None:
        """Register under a name of its own; nothing fails yet."""
        self.name = f"faulty-{next(_numbers)}"
        self.operations: list[tuple[str, str]] = []
        self.rule: Callable[[str, str, int], Exception | None] | None = None
        self.is_read_only = False
        super().__init__(self.name, base="")

    def fail(self, rule: Callable[[str, str, int], Exception | None]) -> None:
        """Ask `rule(operation, file, number)` before each operation from now on, from 1."""
        self.operations = []
        self.rule = rule

    def heal(self) -> None:
        """Fail no more."""
        self.operations = []
        self.rule = None

    def note(self, operation: str, file: str) -> None:
        """Count an operation, and raise what the rule returns for it."""
        kind = file.rpartition("-")[2] if file.endswith(("-wal", "-journal")) else "database"
        self.operations.append((operation, kind))
        error = None if self.rule is None else self.rule(operation, kind, len(self.operations))
        if error is not None:
            raise error

    def xOpen(  # noqa: N802 (SQLite's name)
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> apsw.VFSFile:
        """Open the real file behind one that may fail; for reading only, if it is to be so."""
        if self.is_read_only and flags[0] & apsw.SQLITE_OPEN_MAIN_DB:
            flags[0] &= ~(apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
            flags[0] |= apsw.SQLITE_OPEN_READONLY
            flags[1] |= apsw.SQLITE_OPEN_READONLY
        return _FaultyFile(self, name, flags)


class _FaultyFile(apsw.VFSFile):
    """A file of the disk."""

    def __init__(
        self, disk: FaultyDisk, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        self._disk = disk
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 (SQLite's name)
        """Write, unless it is to fail."""
        self._disk.note("write", self._name)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 (SQLite's name)
        """Sync, unless it is to fail."""
        self._disk.note("sync", self._name)
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 (SQLite's name)
        """Truncate, unless it is to fail."""
        self._disk.note("truncate", self._name)
        super().xTruncate(newsize)
