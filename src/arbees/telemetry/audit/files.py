"""Keep the audit log's files: append, rotate by date and size, retire, one writer at a time.

Guarantees that the name in `AUDIT_LOG_PATH` is always the current file, that a rotated file is
whole and synced before it gets its name (`execution_audit-2026-01-28.1.jsonl`), that the lines of
one record are never in two files, and that dates are those of the lines, not of the wall clock.
Refuses with `ConfigurationError` what it cannot write to at the start; later failures are OSErrors
of the file system, after which `tails()` says what is really there.
"""

import errno
import fcntl
import os
import re
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from arbees.errors import ConfigurationError
from arbees.telemetry.audit.tail import Tail, read_tail

SIZE_MAX = 256 * 1024 * 1024
"""Bytes after which a file is rotated before its day is over."""
SETTING = "AUDIT_LOG_PATH"
_MODE = 0o600
_NOT_READ = {".lock", ".gz", ".xz", ".bz2", ".zst"}
"""Endings of files beside the current one that are no audit log, or packed by somebody else."""

Write = Callable[[int, bytes], int]
Chunk = tuple[str, bytes]
"""UTC date and lines of one record."""


class AuditFiles:
    """The current audit file and the rotated ones beside it."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        retention_days: int = 90,
        size_max: int = SIZE_MAX,
        write: Write = os.write,
        sync: Callable[[int], None] = os.fsync,
    ) -> None:
        """
        Describe the files; nothing is touched before `open`.

        Args:
            path: the current file, `AUDIT_LOG_PATH`.
            retention_days: how many days a rotated file is kept, by the dates of the lines.
            size_max: bytes after which a file is rotated.
            write: how bytes reach a file; another one only in tests.
            sync: how a file or directory reaches the disk; another one only in tests.
        """
        self.path = Path(path)
        self._retention_days = retention_days
        self._size_max = size_max
        self._write = write
        self._sync = sync
        self._lock: int | None = None
        self._file: int | None = None
        self._size = 0
        self._day: str | None = None
        """Date of the lines in the current file; None if it is empty."""
        name = re.escape(self.path.stem), re.escape(self.path.suffix)
        self._rotated = re.compile(rf"{name[0]}-(\d{{4}}-\d\d-\d\d)\.(\d+){name[1]}", re.ASCII)

    @property
    def is_deleted(self) -> bool:
        """Whether somebody deleted the current file while it is being written."""
        return self._file is not None and os.fstat(self._file).st_nlink == 0

    def open(self) -> None:
        """
        Take the lock and make sure that the current file can be appended to.

        Raises:
            ConfigurationError: it cannot, it is no audit log, or another process writes it.
        """
        folder = self.path.parent
        if self.path.exists() and not self.path.is_file():
            raise self._refuse(
                "Expected a file, was something else",
                f"Set {SETTING} to a file that Arbees may rename, e.g. var/execution_audit.jsonl",
            )
        if not folder.is_dir():
            raise self._refuse(
                "Expected a file in a directory that exists",
                f"Make the directory (`mkdir -p {folder}`), or set {SETTING} to a file that"
                " Arbees may write, e.g. var/execution_audit.jsonl",
            )
        try:
            self._take_lock()
            self._append_to()
            tail = read_tail(self.path)
        except BlockingIOError:
            raise self._refuse(
                "Expected an audit log that no other process writes",
                f"Stop the other gateway, or give this one an {SETTING} of its own",
            ) from None
        except OSError as error:
            self.close()
            raise self._refuse(
                f"Expected a file that can be written ({error.strerror})",
                f"Give this user the right to write it, or set {SETTING} to a file that it may"
                " write, e.g. var/execution_audit.jsonl",
            ) from error
        if tail.mark is None and not tail.is_clean and not tail.is_torn:
            self.close()
            raise self._refuse(
                "Expected an audit log, was another file",
                f"Set {SETTING} to a file of its own; nothing in this one was changed",
            )

    def tails(self) -> list[Tail]:
        """
        Return the end of each file there is, rotated by us or by others, newest records first.

        Raises:
            OSError: a file cannot be read.
        """
        found = []
        for path in self.path.parent.iterdir():
            is_named = path.name.startswith(self.path.name) or self._rotated.fullmatch(path.name)
            if is_named and path.suffix not in _NOT_READ and path.is_file():
                found.append(read_tail(path))
        return sorted(found, key=lambda tail: (-tail.sequence, tail.path != self.path, tail.path))

    def resume(self, *, is_ours: bool) -> None:
        """
        Make the current file ready to be appended to: cut off what is torn, set aside what is not.

        Args:
            is_ours: its last line is of our journal; a file of another one is rotated away.

        Raises:
            OSError: the file cannot be written.
        """
        self._release()
        if not self.path.exists():
            return
        tail = read_tail(self.path)
        if not is_ours and tail.mark is None:
            is_ours = tail.is_clean or tail.is_torn
        if not is_ours or not (tail.is_clean or tail.is_torn):
            self._set_aside(tail.mark.day if tail.mark is not None else _UNDATED)
            return
        if not tail.is_clean:
            os.truncate(self.path, tail.end)
        self._day = None if tail.mark is None else tail.mark.day

    def append(self, chunks: Iterable[Chunk]) -> None:
        """
        Append the lines of records, in order, rotating where a date or the size asks for it.

        Raises:
            OSError: not all of it was written; `tails()` says what was.
        """
        self._follow_renames()
        pending: list[bytes] = []
        for day, lines in chunks:
            is_full = self._size > 0 and self._size + len(lines) > self._size_max
            if self._day is not None and (day != self._day or is_full):
                self._flush(pending)
                self._rotate(self._day)
            if self._day != day:
                self._day = day
            self._size += len(lines)
            pending.append(lines)
        self._flush(pending)

    def retire(self, day: str) -> list[Path]:
        """
        Delete rotated files older than the retention.

        Args:
            day: the date that counts as today: that of the newest record.

        Returns:
            What was deleted.

        Raises:
            OSError: a file cannot be deleted.
        """
        today = date.fromisoformat(day)
        retired = []
        for path, dated, _ in self.rotated():
            if (today - date.fromisoformat(dated)).days > self._retention_days:
                path.unlink()
                retired.append(path)
        return retired

    def rotated(self) -> list[tuple[Path, str, int]]:
        """Return the rotated files as (path, date, part), oldest first."""
        found = []
        for path in self.path.parent.iterdir():
            match = self._rotated.fullmatch(path.name)
            if match is not None and _is_date(match[1]):
                found.append((path, match[1], int(match[2])))
        return sorted(found, key=lambda each: each[1:])

    def all(self) -> list[Path]:
        """Return all files in the order of their lines: rotated ones, then the current one."""
        files = [path for path, _, _ in self.rotated()]
        return [*files, self.path] if self.path.exists() else files

    def sync(self) -> None:
        """Wait until what was appended is on the disk. Raises OSError."""
        if self._file is not None:
            self._sync(self._file)

    def close(self) -> None:
        """Release file and lock; idempotent."""
        self._release()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # Inside ------------------------------------------------------------------------------------

    def _refuse(self, expected: str, fix: str) -> ConfigurationError:
        return ConfigurationError(expected, setting=SETTING, value=str(self.path), fix=fix)

    def _take_lock(self) -> None:
        lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise
        self._lock = lock

    def _append_to(self) -> int:
        """Return the descriptor of the current file, opened if it is not."""
        if self._file is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._file = os.open(self.path, flags, _MODE)
            self._size = os.fstat(self._file).st_size
        return self._file

    def _release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._size, self._day = 0, None

    def _follow_renames(self) -> None:
        """Open the current file anew if somebody else moved it away."""
        if self._file is None:
            day = self._day
            self._append_to()
            self._day = day
            return
        try:
            is_same = os.path.samestat(os.fstat(self._file), self.path.stat())
        except FileNotFoundError:
            is_same = False
        if not is_same:
            self._release()
            self._append_to()

    def _flush(self, pending: list[bytes]) -> None:
        data = memoryview(b"".join(pending))
        pending.clear()
        file = self._append_to()
        while data:
            written = self._write(file, bytes(data))
            if written <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            data = data[written:]

    def _rotate(self, day: str) -> None:
        self.sync()
        self._release()
        self._set_aside(day)
        self._append_to()

    def _set_aside(self, day: str) -> None:
        """Give the current file the next rotated name of a date."""
        parts = [part for _, dated, part in self.rotated() if dated == day]
        part = max(parts, default=0) + 1
        self.path.rename(self.path.with_name(f"{self.path.stem}-{day}.{part}{self.path.suffix}"))
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._sync(folder)
        finally:
            os.close(folder)


_UNDATED = "1970-01-01"
"""Date of a file in which no line can be read."""


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
