"""Keep a witness of the newest record outside the database, so that a loss is noticed.

Guarantees that a database which is behind what was once durable, or has another history, is found:
after each commit the sequence, hash and epoch of the head are written to `JOURNAL_PATH.head`. Why:
SQLite drops a damaged end of its log without a word, and a backup put back is a valid database;
only something outside can tell. The file is one line of fixed size with a check, overwritten in
place by one write into one disk sector, so that it holds the old line or the new one. It is not
synced: after a power cut it may be older than the database, which is fine, never newer, because it
is written after the commit was synced.

It fails closed. A line that cannot be read, or no file beside a journal that has records, refuses
to start: both never come from a crash (the file is synced before the first record is written), only
from hands or from a copy that left it behind, and then nobody can say whether the journal is the
newest one. `arbees.journal.accept_head` is the deliberate way on.
"""

import os
from hashlib import sha256
from pathlib import Path

import msgspec

from arbees.core.ports import Head
from arbees.errors import JournalCorrupt, JournalUnavailable
from arbees.journal.engine import PRIVATE
from arbees.journal.proof.chain import GENESIS

SUFFIX = ".head"
LINE_BYTES = 160
"""Fixed length of the line: two numbers of up to 19 digits, a hash, a check, blanks."""
_ATTEMPTS = 5
_LABEL = b"arbees/journal/head/v1\n"


class WitnessMark(msgspec.Struct, frozen=True):
    """What the witness saw last."""

    sequence: int
    hash: bytes
    epoch: int


NOTHING = WitnessMark(0, GENESIS, 0)
"""What the witness of a new journal says."""


class NotedRecord(msgspec.Struct, frozen=True):
    """A record that somebody noted elsewhere, out of reach of whoever can write the journal."""

    sequence: int | None
    """Its number; None = not noted."""
    hash: str
    """In hex."""

    def is_of(self, sequence: int, digest: str) -> bool:
        """Tell whether a record is this one."""
        return self.hash == digest and self.sequence in {None, sequence}

    def __str__(self) -> str:
        """Show it as it is given."""
        return self.hash if self.sequence is None else f"{self.sequence}:{self.hash}"


def parse_known(text: str) -> NotedRecord:
    """Read `SEQUENCE:HASH`, as `arbees audit head` prints it, or a hash alone."""
    number, _, digest = text.strip().replace(" ", ":").rpartition(":")
    if number.isascii() and number.isdigit() and len(number) < LINE_BYTES:
        return NotedRecord(int(number), digest.lower())
    return NotedRecord(None, text.strip().lower())


def path_of(journal: Path) -> Path:
    """Return where the witness of a journal lies."""
    return journal.with_name(journal.name + SUFFIX)


def encode(mark: WitnessMark) -> bytes:
    """Return the line that says this: sequence, hash, epoch and a check, in text."""
    text = f"{mark.sequence} {mark.hash.hex()} {mark.epoch}"
    return f"{text} {_check(text)}".ljust(LINE_BYTES - 1).encode() + b"\n"


def decode(line: bytes) -> WitnessMark | None:
    """Return what a line says, None if it was not written like that."""
    try:
        sequence, digest, epoch, _ = line.decode("ascii").split()
        mark = WitnessMark(int(sequence), bytes.fromhex(digest), int(epoch))
    except ValueError:
        return None
    return mark if encode(mark) == line else None


def read_witness(journal: Path) -> WitnessMark | None:
    """
    Return what the witness of a journal says, None if there is none.

    Raises:
        JournalCorrupt: the file is there, but its line was not written by us as it stands.
    """
    path = path_of(journal)
    line = b""
    for _ in range(_ATTEMPTS):  # a reader beside a running writer may see half of a new line
        try:
            line = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise JournalCorrupt(f"Cannot read the head witness {path}: {error}") from error
        mark = decode(line)
        if mark is not None:
            return mark
    raise JournalCorrupt(
        f"Expected the head witness {path} to be as it was written, was {line[:64]!r}. It vouches"
        " for the newest record: put the real one back, or see docs/journal.md, `Restore`"
    )


def is_vouched(journal: Path) -> bool:
    """Return whether a witness says that there are records; one that cannot be read does."""
    try:
        return read_witness(journal) not in {None, NOTHING}
    except JournalCorrupt:
        return True


class Witness:
    """The witness of a journal that is open for writing."""

    def __init__(self, journal: Path) -> None:
        """Open an existing witness, or create one that has seen nothing and sync it."""
        self._path = path_of(journal)
        self._file = self._open()

    def _open(self) -> int:
        if not self._path.exists():
            place_witness(self._path, NOTHING)
        return os.open(self._path, os.O_RDWR | os.O_CLOEXEC)

    def write(self, head: Head, epoch: int) -> bool:
        """
        Say what the newest durable record is; call it after the commit, never before.

        Returns:
            Whether the file was in its place; one that was removed meanwhile is made anew.

        Raises:
            OSError: it cannot be written. The record is durable all the same.
        """
        mark = WitnessMark(head.sequence, head.hash, epoch)
        if self._file < 0 or os.fstat(self._file).st_nlink == 0:
            self.close()
            place_witness(self._path, mark)
            self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            return False
        line = encode(mark)
        if os.pwrite(self._file, line, 0) != len(line):
            raise OSError(f"The head witness {self._path} took only a part of its line")
        return True

    def close(self) -> None:
        """Close the file; it stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def open_witness(journal: Path) -> Witness:
    """Return the witness of a journal; raises JournalUnavailable where it cannot be written."""
    try:
        return Witness(journal)
    except OSError as error:
        raise JournalUnavailable(
            f"Cannot open the head witness of {journal}: {error.strerror}. Check the owner of the"
            " folder and whether the disk is full or mounted read-only"
        ) from error


def place_witness(path: Path, mark: WitnessMark) -> None:
    """Put a whole new witness in place, durably: the old one or the new one, never half of it."""
    partial = path.with_name(path.name + ".new")
    file = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE)
    try:
        os.write(file, encode(mark))
        os.fsync(file)
    finally:
        os.close(file)
    partial.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _check(text: str) -> str:
    return sha256(_LABEL + text.encode()).hexdigest()[:16]
