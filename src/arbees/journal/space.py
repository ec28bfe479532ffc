"""Watch the disk, and keep a reserve for what must still be written when it is full.

Guarantees that a full disk does not keep outcomes and halts out of the journal: a file beside it
(`JOURNAL_PATH.reserve`) holds blocks that are given back at the moment the disk is full, and the
threshold lies well above, so that the gateway has stopped admitting long before. Why both: the
threshold can be jumped over by somebody else's file. It fails by being absent: a file system that
does not set blocks aside (some compress or copy on write) makes the reserve worth less, and without
room for it there is none, which `Space` says.
"""

import os
from pathlib import Path

import msgspec

SUFFIX = ".reserve"

RESERVE_BYTES = 8 << 20
"""Size of the reserve: room for some hundreds of outcomes and halts with all their index pages."""

LOW_BYTES = 64 << 20
"""Below this the runtime is to stop admitting: some thousand times the largest request."""


class Space(msgspec.Struct, frozen=True):
    """How much room the journal has."""

    free_bytes: int
    """What this user may still write on the journal's disk; the reserve is not in it."""
    low_bytes: int
    """The threshold."""
    is_reserve_held: bool
    """Whether the reserve is still there; false once it was spent, or where there was no room."""

    @property
    def is_low(self) -> bool:
        """Whether to stop admitting; outcomes and halts are still taken."""
        return self.free_bytes < self.low_bytes or not self.is_reserve_held


def free_bytes(folder: Path) -> int:
    """Return the bytes that this user may still write on the disk of a folder."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


class Reserve:
    """The file that holds the room."""

    def __init__(self, journal: Path, size: int = RESERVE_BYTES) -> None:
        """
        Name the file; nothing is written yet.

        Args:
            journal: the database.
            size: bytes to hold; 0 for no reserve, which then counts as held.
        """
        self._path = journal.with_name(journal.name + SUFFIX)
        self._size = size

    @property
    def is_held(self) -> bool:
        """Whether all of it is there."""
        if self._size == 0:
            return True
        try:
            found = self._path.stat()
        except OSError:
            return False
        return found.st_size >= self._size

    def hold(self) -> bool:
        """Set the room aside if it is not yet, and return whether it is held."""
        if self.is_held:
            return True
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            os.posix_fallocate(file, 0, self._size)
        except OSError:
            self._path.unlink(missing_ok=True)
            return False
        finally:
            os.close(file)
        return True

    def release(self) -> bool:
        """Give the room back to the disk, and return whether there was any."""
        try:
            size = self._path.stat().st_size
            self._path.unlink()
        except OSError:
            return False
        return size > 0
