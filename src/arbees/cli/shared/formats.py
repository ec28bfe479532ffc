"""Recognizes files of another form than the JSON lines that commands take.

Guarantees only a hint: what a line is worth is judged by who reads it.
"""

from pathlib import Path

LOOKED_BYTES = 4_096
TABLE_HINT = (
    "This looks like CSV. Expected JSON lines: one object {...} a line, as in examples/request.json"
)


def is_table(path: Path) -> bool:
    """Return whether the first line of a file is the header of a table; false where unreadable."""
    try:
        with path.open("rb") as file:
            start = file.read(LOOKED_BYTES)
    except OSError:
        return False
    first = start.lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 1)[0].strip()
    return first[:1] not in {b"{", b"[", b""} and any(mark in first for mark in (b",", b";", b"\t"))
