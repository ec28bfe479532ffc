"""Puts files into a folder together: all of them, or none.

Guarantees that nothing that was there is overwritten unless that is asked for, in which case it is
kept beside as `NAME.old`; that a reader never sees half a file; and that where one cannot be
placed, the others are as they were. Only a crash between two renames can leave one of two.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

OLD = ".old"


class NewFile(NamedTuple):
    """A file to place."""

    path: Path
    text: str
    mode: int
    """Permissions, such as 0o600."""


def place(files: Sequence[NewFile], *, overwrite: bool = False) -> list[Path]:
    """
    Place files.

    Args:
        files: what to place, in folders that exist.
        overwrite: whether what is there moves to `NAME.old`.

    Returns:
        What was moved aside.

    Raises:
        FileExistsError: one is there already; nothing was changed.
        OSError: one cannot be written; nothing was changed.
    """
    drafts: list[Path] = []
    with contextlib.ExitStack() as stack:
        for file in files:
            draft = file.path.with_name(f"{file.path.name}.new.{os.getpid()}")
            stack.callback(draft.unlink, missing_ok=True)
            _write(draft, file)
            drafts.append(draft)
        moved = _swap(files, drafts, overwrite=overwrite)
    for folder in {file.path.parent for file in files}:
        _sync(folder)
    return moved


def _write(path: Path, file: NewFile) -> None:
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    with os.fdopen(number, "w", encoding="utf-8") as stream:
        os.fchmod(number, file.mode)
        stream.write(file.text)
        stream.flush()
        os.fsync(number)


def _swap(files: Sequence[NewFile], drafts: Sequence[Path], *, overwrite: bool) -> list[Path]:
    """Bring every draft to its name; undo it all where one fails."""
    moved: list[Path] = []
    with contextlib.ExitStack() as undo:
        for file, draft in zip(files, drafts, strict=True):
            if overwrite and os.path.lexists(file.path):
                old = file.path.with_name(file.path.name + OLD)
                file.path.replace(old)
                undo.callback(old.replace, file.path)
                moved.append(old)
            # A link fails where a name is there, which a rename does not.
            os.link(draft, file.path)
            undo.callback(file.path.unlink, missing_ok=True)
        undo.pop_all()
    return moved


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
