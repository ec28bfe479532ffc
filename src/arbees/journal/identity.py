"""Notice that the journal's files were replaced or removed while they are open.

Guarantees that a commit is not acknowledged into a file that nobody will find again: on this
system an open file lives on when its name is removed or given to another, and a backup put back
under a running gateway would take all later records with it. It fails by a complaint that names the
file; between the look and the commit there is a moment that only the witness covers.
"""

import os
from pathlib import Path


class Identity:
    """Which files lie under the journal's names."""

    def __init__(self, journal: Path) -> None:
        """Remember the files as they are now; the log must exist already."""
        names = (os.fspath(journal), f"{os.fspath(journal)}-wal")
        self._seen = [(name, _identify(name)) for name in names]

    def complaint(self) -> str | None:
        """Return which file is no longer the one that was opened, None if all are."""
        for name, seen in self._seen:
            if _identify(name) != seen:
                return f"Expected {name} to stay while it is open, it was removed or replaced"
        return None


def _identify(name: str) -> tuple[int, int] | None:
    try:
        found = os.stat(name)  # noqa: PTH116 (on the path of every commit)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
