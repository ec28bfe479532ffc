"""Let one process at a time write a journal.

Guarantees that while the lock is held no other process gets it, and that the kernel gives it back
when the process ends, however it ends. Why: two writers of one account would each keep within the
limits and together break them. The lock is the first fence and holds on one machine; the second is
the epoch inside the database, which is checked in every commit and also deposes a writer whose lock
file was removed. It fails by refusing at once, and says who holds it.
"""

import fcntl
import os
from pathlib import Path

from arbees.errors import JournalUnavailable, LeaseLost
from arbees.journal.engine import PRIVATE

SUFFIX = ".lock"


class WriterLock:
    """The lock of one journal, held from creation to `release`."""

    def __init__(self, journal: Path) -> None:
        """
        Take the lock, or refuse at once.

        Raises:
            LeaseLost: another process writes this journal.
            JournalUnavailable: the lock file cannot be made, as on a read-only disk.
        """
        path = journal.with_name(journal.name + SUFFIX)
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        except OSError as error:
            raise JournalUnavailable(
                f"Cannot make the writer's lock {path}: {error.strerror}. Name a folder that can"
                " be written in JOURNAL_PATH, and check whether the disk is mounted read-only"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._file, 64, 0).decode("ascii", "replace").strip() or "unknown"
            self.release()
            raise LeaseLost(
                f"Another process writes the journal {journal} ({holder}). Only one gateway may"
                " run on it: stop that one first"
            ) from error
        except OSError as error:
            self.release()
            raise JournalUnavailable(
                f"Cannot lock {path}: {error.strerror}. Put JOURNAL_PATH on a local disk"
            ) from error
        self._sign()

    def _sign(self) -> None:
        """Leave the process id for the message of whoever is refused; it is only a courtesy."""
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"pid {os.getpid()}\n".encode(), 0)
        except OSError:
            return  # a full disk must not keep the writer from its reserve

    def release(self) -> None:
        """Give the lock back; idempotent. The file stays: removing it would race with others."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
