"""Read the end of the audit log and follow it as it grows: what `arbees audit tail` prints.

Guarantees whole lines only, in order, each once, also when the file is rotated meanwhile. Reads
only; it fails with OSError where a file cannot be read.
"""

import os
from io import BufferedReader
from pathlib import Path


def last_lines(path: Path, count: int) -> list[bytes]:
    """Return the last whole lines of a file, at most so many. Raises OSError."""
    if count <= 0:
        return []
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start, block, data = size, 65_536, b""
        while start > 0 and data.count(b"\n") <= count:
            start = max(0, start - block)
            block *= 2
            file.seek(start)
            data = file.read(size - start)
    whole = data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
    return whole[-count:]


class AuditTail:
    """Follows the current audit file as it grows, over rotations too."""

    def __init__(self, path: Path, *, from_end: bool = True) -> None:
        """
        Begin at the end of the file, or at its beginning.

        Args:
            path: the current file; need not exist yet.
            from_end: leave out what is there already.
        """
        self._path = path
        self._file = _open_or_none(path)
        self._rest = b""
        if self._file is not None and from_end:
            self._file.seek(0, os.SEEK_END)

    def poll(self) -> list[bytes]:
        """Return the whole lines that came since the last call. Raises OSError."""
        found = self._read()
        if self._is_rotated():
            found += self._read()
            if self._file is not None:
                self._file.close()
            self._file, self._rest = _open_or_none(self._path), b""
            found += self._read()
        return found

    def close(self) -> None:
        """Close the file; idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self) -> list[bytes]:
        if self._file is None:
            return []
        data = self._rest + self._file.read()
        cut = data.rfind(b"\n") + 1
        self._rest = data[cut:]
        return data[:cut].splitlines(keepends=True)

    def _is_rotated(self) -> bool:
        """Tell whether the name now means another file, or one cut shorter than what was read."""
        if self._file is None:
            return self._path.exists()
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False
        return not os.path.samestat(os.fstat(self._file.fileno()), now)


def _open_or_none(path: Path) -> BufferedReader | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None
