"""Look at a journal before it is written to, and refuse what is not the newest and whole.

Guarantees that nothing is written to a journal whose witness, binding, tail or clock does not fit:
the look is read-only, so that the evidence stays as it was found. Why before: recovery and the
first commit would overwrite the damaged end of a log. It fails with what was expected, what was
found and what to do; it never repairs.
"""

import os
from pathlib import Path

import apsw
import msgspec

from arbees.core.ports import Head
from arbees.errors import ConfigurationError, JournalCorrupt, JournalUnavailable
from arbees.journal import snapshots
from arbees.journal.binding import Binding, read_binding, require_same
from arbees.journal.engine import ReadError, connect_reader, disconnect, fault_of, integer
from arbees.journal.proof.chain import COLUMNS, GENESIS, Chain
from arbees.journal.proof.witness import (
    NOTHING,
    WitnessMark,
    path_of,
    read_witness,
)
from arbees.journal.tables.schema import ROLLED_BACK, is_blank, require_known

CLOCK_TOLERANCE_NS = 2_000_000_000
"""How far the newest record may lie ahead of the clock: the jump that the design tolerates."""

TAIL_RECORDS = 10_000
"""How many of the newest records are followed before a start, at the least: a fraction of a second,
and a short journal is proved whole."""

_UNFINISHED = apsw.SQLITE_READONLY_ROLLBACK
"""SQLite's code where a rollback journal is left; ours has one only while the file is made."""

RESTORE = (
    "Put back the newest copy of all its files. If there is none, what happened since must first be"
    " found out at the venues: see docs/journal.md, `Restore`"
)


class OpenableJournal(msgspec.Struct, frozen=True):
    """A journal that may be opened for writing."""

    head: Head
    epoch: int


def inspect(path: Path, wanted: Binding, now_ns: int, vfs: str | None) -> OpenableJournal | None:
    """
    Return what an existing journal holds, None if a new one is to be made here.

    Args:
        path: the database.
        wanted: whose journal it must be.
        now_ns: the clock.
        vfs: SQLite's file layer, None for the system's.

    Raises:
        JournalCorrupt: it is not whole, or not the newest.
        ConfigurationError: it is somebody else's, or of a newer version, or of the future.
        JournalUnavailable: it cannot be read.
    """
    mark = read_witness(path)
    if not path.exists() or path.stat().st_size == 0:
        _require_nothing_lost(path, mark)
        return None
    try:
        connection = connect_reader(path, vfs)
    except apsw.Error as error:
        raise fault_of(path, error, "open") from error
    try:
        if is_blank(connection):  # the process ended before its first commit
            _require_nothing_lost(path, mark, is_log_allowed=True)
            return None
        require_known(str(path), connection, is_vouched=mark not in {None, NOTHING})
        return _inspect_whole(path, connection, mark, wanted, now_ns)
    except ReadError as error:
        if mark == NOTHING and getattr(error, "extendedresult", 0) == _UNFINISHED:
            return None  # the process ended while it made the file; SQLite undoes that
        raise fault_of(path, error, "read") from error
    finally:
        disconnect(connection)


def make_folder(folder: Path) -> None:
    """Make the folder of a journal; raises JournalUnavailable where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalUnavailable(
            f"Cannot make the folder {folder}: {error.strerror}. Name another in JOURNAL_PATH"
        ) from error


def head_of(connection: apsw.Connection) -> Head:
    """Return the last record of a database."""
    row = connection.execute(
        "SELECT sequence, hash, time_ns FROM records ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return Head(0, GENESIS, 0)
    if [type(value) for value in row] != [int, bytes, int]:
        raise JournalCorrupt(f"Expected a last record, was {row!r:.200}")
    return Head(*row)


def epoch_of(connection: apsw.Connection) -> int:
    """Return the epoch of the newest writer."""
    return integer(connection, "SELECT value FROM meta WHERE name = 'epoch'")


def witness_complaint(connection: apsw.Connection, mark: WitnessMark, head: Head) -> str | None:
    """Return in which way a database does not hold what its witness saw, None if it does."""
    epoch = epoch_of(connection)
    if head.sequence < mark.sequence or epoch < mark.epoch:
        return (
            f"{ROLLED_BACK}: the journal ends at record {head.sequence} (epoch {epoch}), its"
            f" witness saw record {mark.sequence} (epoch {mark.epoch}) durable. An older copy was"
            " put back, or the end of its log was lost"
        )
    if mark.sequence == 0:
        return None
    row = connection.execute(
        "SELECT hash FROM records WHERE sequence = ?", (mark.sequence,)
    ).fetchone()
    if row is None or row[0] != mark.hash:
        found = "none" if row is None else repr(row[0])
        return (
            f"Expected the hash that the witness saw, {mark.hash.hex()}, was {found}. The journal"
            " was rewritten, or the witness is another journal's"
        )
    return None


def _require_nothing_lost(
    path: Path, mark: WitnessMark | None, *, is_log_allowed: bool = False
) -> None:
    """Refuse to begin a new journal where there was one."""
    if mark is not None and mark != NOTHING:
        raise JournalCorrupt(
            f"{ROLLED_BACK}: there is no journal at {path}, but its witness {path_of(path)} saw"
            f" record {mark.sequence}. {RESTORE}"
        )
    log = path.with_name(path.name + "-wal")
    if not is_log_allowed and log.exists() and log.stat().st_size > 0:
        raise JournalCorrupt(
            f"{ROLLED_BACK}: there is no journal at {path}, but its log {log.name}. {RESTORE}"
        )


def _inspect_whole(
    path: Path, connection: apsw.Connection, mark: WitnessMark | None, wanted: Binding, now_ns: int
) -> OpenableJournal:
    """Compare a database with its witness, its own first record, its chain and the clock."""
    head = head_of(connection)
    if mark is None:
        raise JournalCorrupt(
            f"Expected the head witness {os.fspath(path_of(path))} beside the journal, there is"
            f" none: nobody can say whether record {head.sequence} is the newest. {RESTORE}"
        )
    complaint = witness_complaint(connection, mark, head)
    if complaint is not None:
        sequence = head.sequence + 1 if complaint.startswith(ROLLED_BACK) else mark.sequence
        raise JournalCorrupt(f"{complaint}. {RESTORE}", sequence=sequence)
    require_same(str(path), wanted, read_binding(connection))
    verify_tail(connection, head.sequence - TAIL_RECORDS)
    if head.time_ns > now_ns + CLOCK_TOLERANCE_NS:
        raise ConfigurationError(
            f"Expected a clock at or after the newest record of {path}, {head.time_ns} ns, was"
            f" {now_ns} ns",
            fix="Set the machine's clock, then start again",
        )
    return OpenableJournal(head, epoch_of(connection))


def verify_tail(connection: apsw.Connection, latest: int) -> None:
    """
    Follow the chain to the end, from the newest intact snapshot or from further back.

    Args:
        connection: a connection to the journal.
        latest: begin behind this record where the snapshot is newer; 0 or less = all.

    Raises:
        JournalCorrupt: names the first record that does not follow.
    """
    snapshot = snapshots.newest(connection)
    after = 0 if snapshot is None else max(0, min(latest, snapshot.sequence - 1))
    chain = Chain()
    if after > 0:
        row = connection.execute(
            "SELECT sequence, hash, time_ns, epoch FROM records WHERE sequence = ?", (after,)
        ).fetchone()
        if row is None:
            raise JournalCorrupt(f"Expected record {after}, there is none", sequence=after)
        chain = Chain(*row)
    query = f"SELECT {COLUMNS} FROM records WHERE sequence > ? ORDER BY sequence"  # noqa: S608
    for row in connection.execute(query, (after,)):
        for broken in chain.follow(row):
            raise JournalCorrupt(f"{broken.message}. {RESTORE}", sequence=broken.sequence)
    if chain.epoch > epoch_of(connection):
        raise JournalCorrupt(
            f"Expected epoch {chain.epoch} or later in the table of facts, was"
            f" {epoch_of(connection)}",
            sequence=chain.sequence,
        )
