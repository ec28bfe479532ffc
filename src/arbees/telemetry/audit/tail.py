"""Find where an audit file ends: its last whole line, and what a crash left behind it.

Guarantees that only the torn piece of a line of our own is ever called torn, so that cutting it
off loses nothing that was whole and nothing that somebody else wrote. Reads from the end, in blocks
that grow, so that a large file costs no more than a small one.
"""

import os
from pathlib import Path

import msgspec

from arbees.telemetry.audit.line import LineMark, read_mark

_BLOCK_BYTES = 65_536
LOOK_BACK_BYTES_MAX = 16 * 1024 * 1024
"""A file whose last bytes, so many of them, hold no line of ours is not ours."""
_BEGINNING = b'{"timestamp":"'


class Tail(msgspec.Struct, frozen=True):
    """The end of an audit file."""

    path: Path
    mark: LineMark | None
    """Of the last whole line; None if there is none."""
    lines: int
    """How many lines at the end are of that record."""
    end: int
    """Where the last whole line ends, in bytes."""
    size: int
    is_torn: bool
    """What follows is the torn piece of a line, as a crash leaves it: it may be cut off."""

    @property
    def is_clean(self) -> bool:
        """Whether the file ends with a whole line, or is empty."""
        return self.end == self.size

    @property
    def sequence(self) -> int:
        """Sequence of the record of the last whole line, 0 if there is none."""
        return 0 if self.mark is None else self.mark.sequence


def read_tail(path: Path) -> Tail:
    """Return the end of a file. Raises OSError where it cannot be read."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start, block = size, _BLOCK_BYTES
        while True:
            start = max(0, start - block)
            file.seek(start)
            tail = _look(path, file.read(size - start), start, size)
            if tail is not None:
                return tail
            if size - start > LOOK_BACK_BYTES_MAX:
                return Tail(path, None, 0, 0, size, is_torn=False)
            block *= 2


def _look(path: Path, data: bytes, start: int, size: int) -> Tail | None:
    """Find the last whole line in the last bytes of a file; None = more of it is needed."""
    if start > 0:
        first = data.find(b"\n") + 1
        if first == 0:
            return None
        start, data = start + first, data[first:]
    is_all = start == 0
    cut = data.rfind(b"\n") + 1
    while cut > 0:
        begin = data.rfind(b"\n", 0, cut - 1) + 1
        mark = read_mark(data[begin:cut])
        if mark is not None:
            break
        cut = begin
    else:
        return Tail(path, None, 0, 0, size, _is_torn(data)) if is_all else None
    lines, end = 1, cut
    while begin > 0:
        cut, begin = begin, data.rfind(b"\n", 0, begin - 1) + 1
        before = read_mark(data[begin:cut])
        if before is None or before.sequence != mark.sequence:
            return Tail(path, mark, lines, start + end, size, _is_torn(data[end:]))
        lines += 1
    if not is_all:
        return None
    return Tail(path, mark, lines, start + end, size, _is_torn(data[end:]))


def _is_torn(rest: bytes) -> bool:
    """Tell whether bytes are the beginning of a line of ours, or what a lost write leaves."""
    rest = rest.rstrip(b"\0")
    return b"\n" not in rest and (rest.startswith(_BEGINNING) or _BEGINNING.startswith(rest))
