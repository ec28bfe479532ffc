"""Verify a journal independently, from its file alone, also while the gateway runs.

Guarantees that every record is hashed anew and compared with its successor, that the database is
compared with the witness outside and with its own first record, that snapshots and SQLite's own
structure are looked at, and, given what a record implies, that the index tables are what the
records say. It collects all it finds and names the first bad record; it changes nothing and takes
no lock that a writer would wait for. Why apart from the writer: the writer trusts what it wrote.

It fails only where there is nothing to read. A file that breaks off under the reader is a finding.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import msgspec

from arbees.core.ports import Head, Stored
from arbees.errors import JournalCorrupt
from arbees.journal import snapshots
from arbees.journal.binding import Binding, read_binding
from arbees.journal.engine import (
    ReadError,
    connect_reader,
    describe,
    disconnect,
    fault_of,
    is_damage,
)
from arbees.journal.opening import epoch_of, head_of, witness_complaint
from arbees.journal.proof.chain import COLUMNS, Chain, Row
from arbees.journal.proof.index_check import ImpliedIndex, IndexOf
from arbees.journal.proof.witness import (
    NOTHING,
    NotedRecord,
    WitnessMark,
    path_of,
    read_witness,
)
from arbees.journal.tables.schema import ROLLED_BACK, require_known

CHUNK_RECORDS = 2_000
"""Records between two reports of progress, and the longest that the log is held."""

FINDINGS_MAX = 100
"""Findings kept; what is beyond is counted."""


SNAPSHOT_DAMAGED = "SNAPSHOT_DAMAGED"
"""Code of a snapshot that is passed over; the records are not concerned."""


class JournalFinding(msgspec.Struct, frozen=True):
    """Something that is not as it was written."""

    code: str
    message: str
    sequence: int | None = None
    """The record, where there is one."""


class Progress(msgspec.Struct, frozen=True):
    """How far a verification is."""

    done: int
    total: int


class VerifierReport(msgspec.Struct, frozen=True):
    """What a verification found."""

    path: str
    head: Head
    records: int
    """Records that were read and hashed."""
    epoch: int
    binding: Binding | None
    snapshots: int
    """Intact ones."""
    findings: tuple[JournalFinding, ...]
    findings_omitted: int
    notes: tuple[str, ...]
    """What a reader should know though nothing is wrong, as a missing witness of a copy."""
    is_index_proved: bool
    duration_ns: int
    witness: WitnessMark | None = None
    """What the witness beside it saw last."""
    known: NotedRecord | None = None
    """A record that was noted elsewhere."""

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def proved(self) -> tuple[str, ...]:
        """What is proved if nothing was found, in sentences."""
        if not self.is_intact:
            return ()
        claims = ["each record agrees with the one before, the tables with the records"]
        if self.witness is not None:
            seen = self.witness.sequence
            claims.append(f"its end is at or past record {seen}, which its witness saw")
        if self.known is not None:
            number = self.known.sequence
            record = "the record noted" if number is None else f"record {number}"
            claims.append(f"up to {record} it is what it was when that was noted")
        return tuple(claims)

    @property
    def not_proved(self) -> tuple[str, ...]:
        """What nothing here can show, in sentences, with what would."""
        claims = []
        if self.witness is None:
            claims.append("that no end was cut off (there is no head witness beside it)")
        if self.known is None:
            claims.append("that it was not made anew as a whole (--head SEQUENCE:HASH)")
        return tuple(claims)

    @property
    def first_bad(self) -> int | None:
        """The lowest number of a record that a finding names."""
        numbers = [one.sequence for one in self.findings if one.sequence is not None]
        return min(numbers, default=None)

    @property
    def records_per_second(self) -> int:
        """The rate."""
        return self.records * 1_000_000_000 // max(self.duration_ns, 1)


class Verification:
    """One walk over a journal; drive it with `steps`, then ask for the `report`."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        index_of: IndexOf | None = None,
        known: NotedRecord | None = None,
        is_deep: bool = True,
        chunk: int = CHUNK_RECORDS,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        vfs: str | None = None,
    ) -> None:
        """
        Prepare; nothing is read yet.

        Args:
            path: the database.
            index_of: what index rows a record implies; None to leave the tables unproved.
            known: a record that was noted elsewhere; it must be there.
            is_deep: whether SQLite checks the structure of the whole file too, in one long step.
            chunk: records a step.
            monotonic_ns: measures the rate.
            vfs: name of SQLite's file layer; None for the system's.
        """
        self._path = Path(path).resolve()
        self._index_of = index_of
        self._known = known
        self._mark: WitnessMark | None = None
        self._is_deep = is_deep
        self._chunk = chunk
        self._monotonic_ns = monotonic_ns
        self._vfs = vfs
        self._started_ns = monotonic_ns()
        self._chain = Chain()
        self._records = 0
        self._epoch = 0
        self._binding: Binding | None = None
        self._intact_snapshots = 0
        self._omitted = 0
        self._is_index_proved = False
        self._is_chain_whole = True
        self.findings: list[JournalFinding] = []
        self.notes: list[str] = []

    def steps(self) -> Iterator[Progress]:
        """
        Walk, and yield after each chunk.

        Raises:
            JournalUnavailable: there is no journal, or it cannot be reached.
            ConfigurationError: it is another program's, or a newer version's.
        """
        # First: what it saw is in the database from then on.
        mark = self._mark = self._read_witness()
        if not self._path.exists() and mark is not None and mark.sequence > 0:
            self._find(
                ROLLED_BACK,
                f"there is no journal at {self._path}, its witness saw record {mark.sequence}",
                1,
            )
            return
        connection = self._connect()
        if connection is None:
            return
        try:
            yield from self._walk(connection, mark)
        except JournalCorrupt as error:
            self._find("DATABASE_DAMAGED", error.message, error.sequence)
        except ReadError as error:
            if not is_damage(error):
                raise fault_of(self._path, error, "read") from error
            self._damaged(error)
        finally:
            disconnect(connection)

    def report(self) -> VerifierReport:
        """Return what was found so far."""
        chain = self._chain
        return VerifierReport(
            path=os.fspath(self._path),
            head=Head(chain.sequence, chain.last, chain.time_ns),
            records=self._records,
            epoch=self._epoch,
            binding=self._binding,
            snapshots=self._intact_snapshots,
            findings=tuple(self.findings),
            findings_omitted=self._omitted,
            notes=tuple(self.notes),
            is_index_proved=self._is_index_proved,
            duration_ns=self._monotonic_ns() - self._started_ns,
            witness=self._mark,
            known=self._known,
        )

    def _walk(self, connection: apsw.Connection, mark: WitnessMark | None) -> Iterator[Progress]:
        """Follow the chain in chunks, each a read of its own, then judge the whole in one."""
        if not self._is_journal(connection, mark):
            return
        implied = None if self._index_of is None else ImpliedIndex(connection, self._index_of)
        total = head_of(connection).sequence
        while self._follow(connection, implied):
            total = max(total, self._chain.sequence)
            yield Progress(self._chain.sequence, total)
        connection.execute("BEGIN")
        while self._follow(connection, implied):
            yield Progress(self._chain.sequence, max(total, self._chain.sequence))
        self._judge_whole(connection, mark)
        if implied is not None and self._is_chain_whole:
            for difference in implied.differences():
                self._find("INDEX_MISMATCH", difference)
            self._is_index_proved = True
        elif implied is not None:
            self.notes.append("The index tables were not proved, since the records do not hold")
        connection.execute("ROLLBACK")
        yield Progress(self._chain.sequence, self._chain.sequence)
        if self._is_deep:
            self._check_structure(connection)

    def _is_journal(self, connection: apsw.Connection, mark: WitnessMark | None) -> bool:
        """Return whether there are records to follow, and read whose they are."""
        name = os.fspath(self._path)
        try:
            require_known(name, connection, is_vouched=mark not in {None, NOTHING})
        except JournalCorrupt as error:
            is_lost = error.message.startswith(ROLLED_BACK)
            self._find(ROLLED_BACK if is_lost else "DATABASE_DAMAGED", error.message, 1)
            return False
        try:
            self._binding = read_binding(connection)
        except JournalCorrupt as error:
            self._find("BINDING_MISMATCH", error.message, error.sequence)
        return True

    def _follow(self, connection: apsw.Connection, implied: ImpliedIndex | None) -> bool:
        """Follow the next chunk; return whether there was anything."""
        query = f"SELECT {COLUMNS} FROM records WHERE sequence > ? ORDER BY 1 LIMIT ?"  # noqa: S608
        before = self._records
        chain = self._chain
        for row in connection.execute(query, (chain.sequence, self._chunk)):
            for broken in chain.follow(row):
                self._is_chain_whole = False
                self._find(broken.code, broken.message, broken.sequence)
            self._records += 1
            if implied is not None and self._is_chain_whole:
                self._imply(implied, row)
        return self._records > before

    def _imply(self, implied: ImpliedIndex, row: Row) -> None:
        """Add the index rows of a record, or note that its body cannot be read."""
        sequence, time_ns, _, kind, request_id, digest, body = row
        try:
            implied.add(Stored(sequence, time_ns, kind, body, request_id, digest))
        except msgspec.DecodeError as error:
            self._find("BODY_UNREADABLE", f"Expected a body of kind {kind}: {error}", sequence)

    def _judge_whole(self, connection: apsw.Connection, mark: WitnessMark | None) -> None:
        """Compare what was followed with the witness, the epoch and the snapshots."""
        self._epoch = epoch_of(connection)
        if self._chain.epoch > self._epoch:
            self._find(
                "EPOCH_BACKWARDS",
                f"Expected epoch {self._chain.epoch} or later in the table of facts, was"
                f" {self._epoch}",
                self._chain.sequence,
            )
        if mark is not None:
            complaint = witness_complaint(connection, mark, head_of(connection))
            if complaint is not None and complaint.startswith(ROLLED_BACK):
                self._find(ROLLED_BACK, complaint, self._chain.sequence + 1)
            elif complaint is not None:
                self._find("WITNESS_MISMATCH", complaint, mark.sequence)
        if self._known is not None and not _holds(connection, self._known):
            self._find("HEAD_MISMATCH", f"Expected record {self._known}, which was noted elsewhere")
        for one in snapshots.judge(connection):
            if isinstance(one, snapshots.BookSnapshot):
                self._intact_snapshots += 1
            else:
                self._find(SNAPSHOT_DAMAGED, f"snapshot {one.sequence}: {one.message}")

    def _check_structure(self, connection: apsw.Connection) -> None:
        """Let SQLite check its own pages, keys and indexes."""
        for (line,) in connection.execute(f"PRAGMA main.integrity_check({FINDINGS_MAX})"):
            if line != "ok":
                self._find("DATABASE_DAMAGED", str(line))

    def _read_witness(self) -> WitnessMark | None:
        try:
            mark = read_witness(self._path)
        except JournalCorrupt as error:
            self._find("WITNESS_UNREADABLE", error.message)
            return None
        if mark is None:
            self.notes.append(
                f"There is no head witness {path_of(self._path)}: this proves that nothing was"
                " changed, not that nothing newer was lost"
            )
        return mark

    def _connect(self) -> apsw.Connection | None:
        try:
            return connect_reader(self._path, self._vfs)
        except apsw.Error as error:
            if not is_damage(error):
                raise fault_of(self._path, error, "open") from error
            self._damaged(error)
            return None

    def _damaged(self, error: Exception) -> None:
        """Note that the file broke off, and where the chain was by then."""
        self._find(
            "DATABASE_DAMAGED",
            f"The file cannot be read behind record {self._chain.sequence}: {describe(error)}",
            self._chain.sequence + 1,
        )

    def _find(self, code: str, message: str, sequence: int | None = None) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(JournalFinding(code, message, sequence))
        else:
            self._omitted += 1


def _holds(connection: apsw.Connection, known: NotedRecord) -> bool:
    """Return whether a record that was noted elsewhere is in the journal."""
    try:
        digest = bytes.fromhex(known.hash)
    except ValueError:
        return False
    rows = connection.execute("SELECT sequence FROM records WHERE hash = ?", (digest,))
    return any(known.sequence in {None, sequence} for (sequence,) in rows)


def verify(
    path: str | os.PathLike[str],
    *,
    index_of: IndexOf | None = None,
    progress: Callable[[Progress], None] | None = None,
    vfs: str | None = None,
) -> VerifierReport:
    """
    Verify a journal from its file alone and return what was found.

    Args:
        path: the database; may be in use, or a backup.
        index_of: what index rows a record implies; None to leave those tables unproved.
        progress: called after each step.
        vfs: name of SQLite's file layer; None for the system's.

    Raises:
        JournalUnavailable: there is no journal, or it cannot be reached.
        ConfigurationError: it is another program's, or a newer version's.
    """
    walk = Verification(path, index_of=index_of, vfs=vfs)
    for step in walk.steps():
        if progress is not None:
            progress(step)
    return walk.report()
