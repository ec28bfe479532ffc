"""Remember: append records durably, many to a commit, and never lose one that was acknowledged.

Guarantees that when `append` returns, all its records and their index rows are in the database's
log and synced; that each commit is made under this writer's epoch, on the file that was opened,
right behind the record that this writer made last; and that the witness outside is told
afterwards. After an error nothing more is appended, so that no later success hides an earlier loss.

`append`, `write_snapshot` and `maintain` block and belong on a worker thread; everything that reads
may be called meanwhile from another thread, and then goes over a connection of its own.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import apsw

from arbees.core.ports import Entry, Head, Stored
from arbees.errors import InvariantViolation, JournalCorrupt, JournalUnavailable, LeaseLost
from arbees.journal import snapshots
from arbees.journal.binding import Binding
from arbees.journal.committer import CHECKPOINT_PAGES, Committer
from arbees.journal.creation import INSERT, create, settle_log, take_over
from arbees.journal.identity import Identity
from arbees.journal.lock import WriterLock
from arbees.journal.opening import OpenableJournal, inspect, make_folder
from arbees.journal.proof.chain import Row, record_hash
from arbees.journal.proof.index_check import IndexOf
from arbees.journal.proof.verifier import SNAPSHOT_DAMAGED, Progress, Verification
from arbees.journal.proof.witness import open_witness, sync_folder
from arbees.journal.reader import JournalReader
from arbees.journal.space import LOW_BYTES, RESERVE_BYTES, Reserve, Space, free_bytes
from arbees.journal.tables.queries import Tables, Values
from arbees.journal.tables.rows import Value, merge, sort_by_table

_FENCE = "SELECT (SELECT value FROM meta WHERE name = 'epoch'), (SELECT max(sequence) FROM records)"


class SqliteJournal(Tables):
    """The journal of one account in one SQLite file; implements `arbees.core.ports.Journal`."""

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        account: str,
        environment: str,
        mode: str,
        create: bool = True,
        clock_ns: Callable[[], int] = time.time_ns,
        reserve_bytes: int = RESERVE_BYTES,
        low_bytes: int = LOW_BYTES,
        vfs: str | None = None,
    ) -> Self:
        """
        Open a journal for writing, after looking at it, or create it.

        Args:
            path: the database; its companions lie beside it (`-wal`, `-shm`, `.head`, `.lock`,
                `.reserve`).
            account: whose it is.
            environment: where it runs.
            mode: `paper` or `live`.
            create: whether to make one that is not there.
            clock_ns: UTC nanoseconds; used for the first record and to find a clock that is behind.
            reserve_bytes: room to set aside for outcomes and halts on a full disk; 0 for none.
            low_bytes: free room below which `space().is_low`.
            vfs: name of SQLite's file layer; None for the system's.

        Raises:
            LeaseLost: another process writes it.
            JournalCorrupt: it is not whole, or not the newest; nothing was written.
            ConfigurationError: it is somebody else's, of a newer version, or of the future.
            JournalUnavailable: it cannot be read or written, or is missing and not to be created.
        """
        place = Path(path).resolve()
        if create:
            make_folder(place.parent)
        elif not place.exists():
            raise JournalUnavailable(f"Expected a journal at {place}, there is no such file")
        lock = WriterLock(place)
        try:
            return cls(
                path=place,
                lock=lock,
                binding=Binding(account, environment, str(mode)),
                now_ns=clock_ns(),
                reserve=Reserve(place, reserve_bytes),
                low_bytes=low_bytes,
                vfs=vfs,
            )
        except BaseException:
            lock.release()
            raise

    def __init__(
        self,
        *,
        path: Path,
        lock: WriterLock,
        binding: Binding,
        now_ns: int,
        reserve: Reserve,
        low_bytes: int,
        vfs: str | None,
    ) -> None:
        """Take over a journal whose lock is held; `SqliteJournal.open` is the way in."""
        self._path = path
        self._vfs = vfs
        self._lock = lock
        self._reserve = reserve
        self._low_bytes = low_bytes
        self._writing = threading.Lock()
        self._is_closed = False
        self._trouble: str | None = None
        found = inspect(path, binding, now_ns, vfs)
        self._witness = open_witness(path)
        try:
            self._committer = Committer(path, reserve, vfs)
        except BaseException:
            self._witness.close()
            raise
        try:
            mine = _begin(self._committer, path, found, binding, now_ns)
            self._head, self._epoch = mine.head, mine.epoch
            self._reader = JournalReader(path, vfs=vfs)
        except BaseException:
            self._committer.close()
            self._witness.close()
            raise
        self._identity = Identity(path)
        self._testify()
        self._reserve.hold()

    @property
    def path(self) -> Path:
        """Where the database lies, symbolic links followed."""
        return self._path

    @property
    def head(self) -> Head:
        """The last durable record; a reader may see a commit a moment before it shows here."""
        return self._head

    @property
    def epoch(self) -> int:
        """The number of this writer; every record of it carries it."""
        return self._epoch

    @property
    def trouble(self) -> str | None:
        """What an operator should know though nothing is lost; None while all is well."""
        return self._trouble

    def space(self) -> Space:
        """Return the room that is left; admit nothing while `is_low`."""
        return Space(free_bytes(self._path.parent), self._low_bytes, self._reserve.is_held)

    def append(self, entries: Sequence[Entry]) -> Head:
        """
        Make all entries and their index rows durable in one commit, or none of them.

        Blocking; may be called from a thread other than the one that reads. A full disk gives up
        the reserve, after which `space().is_low`.

        Args:
            entries: in order, with times that do not run backwards.

        Returns:
            The new head.

        Raises:
            JournalUnavailable: nothing of it is known to be durable; the journal is poisoned and
                every later call raises the same.
            LeaseLost: another writer holds the fence; poisoned likewise.
        """
        with self._writing:
            self._require_open()
            head, records, rows = _chained(self._head, self._epoch, entries)
            if not records:
                return self._head
            self._require_in_place()
            self._committer.bound_log()

            def work(connection: apsw.Connection) -> None:
                _require_fence(connection, self._path, self._epoch, self._head)
                connection.executemany(INSERT, records)
                merge(connection, rows)

            self._committer.commit("append to", work)
            self._head = head
            self._testify()
            return head

    def ask(self, query: str, values: Values = ()) -> list[Any]:
        """Return all rows of a query; see `Tables`."""
        with self.view() as tables:
            return tables.ask(query, values)

    @contextmanager
    def view(self) -> Iterator[Tables]:
        """
        Hold one state of the tables while many questions are asked; append nothing in it.

        It is seen over the writing connection, which keeps what it read, while that is idle: every
        other connection forgets its pages with each commit.
        """
        if not self._writing.acquire(blocking=False):
            yield self._reader
            return
        try:
            if self._is_closed or self._committer.fault is not None:
                yield self._reader
            else:
                with self._committer.reading() as tables:
                    yield tables
        finally:
            self._writing.release()

    def records(self, after: int = 0) -> Iterator[Stored]:
        """Yield the durable records with a sequence above `after`, in order."""
        return self._reader.records(after)

    def write_snapshot(self, sequence: int, version: str, body: bytes) -> None:
        """
        Keep a snapshot of the book as of `sequence`; the newest few are kept.

        Raises:
            JournalUnavailable: not kept. On a full disk only that: the journal goes on, and the
                reserve is not touched.
            LeaseLost: another writer holds the fence.
        """
        taken = snapshots.BookSnapshot(sequence, version, body)
        with self._writing:
            self._require_open()
            self._require_in_place()
            if not 0 < sequence <= self._head.sequence:
                raise InvariantViolation(
                    f"Expected a snapshot of a durable record, was of {sequence}, the head is"
                    f" {self._head.sequence}"
                )

            def work(connection: apsw.Connection) -> None:
                _require_fence(connection, self._path, self._epoch, self._head)
                snapshots.write(connection, taken)

            self._committer.commit("write a snapshot into", work, is_vital=False)

    def snapshot(self) -> tuple[int, str, bytes] | None:
        """Return the newest snapshot that is intact and not newer than the head."""
        return self._reader.snapshot()

    def maintain(self) -> None:
        """
        Use an idle moment: copy a grown log into the database, set the reserve aside again.

        Call it on the worker thread while nothing waits to be appended; cheap if nothing is due.

        Raises:
            JournalUnavailable: a write or sync failed; poisoned.
        """
        with self._writing:
            self._require_open()
            self._committer.require_usable()
            if self._committer.log_pages >= CHECKPOINT_PAGES:
                self._committer.checkpoint()
            if not self._reserve.is_held and free_bytes(self._path.parent) > 2 * self._low_bytes:
                self._reserve.hold()

    def verify_rest(self, index_of: IndexOf | None = None) -> Iterator[Progress]:
        """
        Follow the whole chain in small steps, on a connection of its own, beside the writer.

        Args:
            index_of: what rows a record implies, to prove the index tables with.

        Yields:
            How far it is, after each step.

        Raises:
            JournalCorrupt: names the first record that does not hold; halt.
        """
        check = Verification(self._path, index_of=index_of, is_deep=False, vfs=self._vfs)
        for progress in check.steps():
            _require_nothing_found(check)
            yield progress
        _require_nothing_found(check)

    def close(self) -> None:
        """Release the writer's lock; idempotent."""
        with self._writing:
            if self._is_closed:
                return
            self._is_closed = True
            self._reader.close()
            self._committer.close()
            self._witness.close()
            self._lock.release()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _require_open(self) -> None:
        if self._is_closed:
            raise JournalUnavailable(f"The journal {self._path} is closed")
        self._committer.require_usable()

    def _require_in_place(self) -> None:
        """Poison the journal if its files are no longer under their names."""
        complaint = self._identity.complaint()
        if complaint is not None:
            self._committer.poison(
                "append to",
                JournalUnavailable(
                    f"{complaint}. Records up to {self._head.sequence} were acknowledged: stop,"
                    " and put the file back"
                ),
            )
            self._committer.require_usable()

    def _testify(self) -> None:
        """Tell the witness; the record is durable whether or not that works."""
        try:
            was_in_place = self._witness.write(self._head, self._epoch)
        except OSError as error:
            self._trouble = f"Cannot write the head witness of {self._path}: {error}"
            return
        if not was_in_place:
            self._trouble = f"The head witness of {self._path} was removed and is made anew"


def _require_nothing_found(check: Verification) -> None:
    """Raise the first finding; a damaged snapshot alone is no reason, an older one is used."""
    for finding in check.findings:
        if finding.code != SNAPSHOT_DAMAGED:
            raise JournalCorrupt(f"{finding.code}: {finding.message}", sequence=finding.sequence)


def _require_fence(connection: apsw.Connection, path: Path, epoch: int, head: Head) -> None:
    """Raise unless this writer's epoch is the newest and its last record still the last."""
    found, sequence = connection.execute(_FENCE).fetchall()[0]
    if found != epoch:
        raise LeaseLost(
            f"Expected epoch {epoch} in the journal {path}, was {found}: another"
            " writer has taken over"
        )
    if sequence != head.sequence:
        raise JournalUnavailable(
            f"Expected record {head.sequence} to be the last of {path}, was"
            f" {sequence}: the journal was changed behind its writer"
        )


def _chained(
    head: Head, epoch: int, entries: Sequence[Entry]
) -> tuple[Head, list[Row], dict[type, list[tuple[Value, ...]]]]:
    """Chain the entries behind the head, and sort their index rows by table."""
    sequence, previous, time_ns = head.sequence, head.hash, head.time_ns
    records: list[Row] = []
    rows: dict[type, list[tuple[Value, ...]]] = {}
    for entry in entries:
        if entry.time_ns < time_ns:
            raise InvariantViolation(
                f"Expected a record's time at or after {time_ns}, was {entry.time_ns}"
            )
        sequence += 1
        time_ns = entry.time_ns
        kind, request_id, body = entry.kind, entry.request_id, entry.body
        previous = record_hash(previous, sequence, time_ns, epoch, kind, request_id, body)
        records.append((sequence, time_ns, epoch, kind, request_id, previous, body))
        if entry.index:
            sort_by_table(entry.index, rows)
    return Head(sequence, previous, time_ns), records, rows


def _begin(
    committer: Committer,
    path: Path,
    found: OpenableJournal | None,
    binding: Binding,
    now_ns: int,
) -> OpenableJournal:
    """Make the first commit: a new journal, or a new epoch of an old one."""
    if found is None:
        mine = committer.commit("create", lambda one: create(one, binding, now_ns))
        sync_folder(path.parent)
        return mine
    before = found
    committer.run("take over", settle_log)
    return committer.commit("take over", lambda one: take_over(one, before))
