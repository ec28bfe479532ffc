"""Copy a journal while it is in use, and go on from a copy deliberately.

Guarantees that a backup is one consistent, synced, verified file, or is not there at all; and that
a backup put back is not taken for the newest journal: it comes without a witness on purpose, so
that the witness of the original refuses it, and a folder without one refuses too. `accept_head` is
the only way on: it verifies the file, keeps the old witness beside the new one, and is a person's
decision that what is missing was looked up at the venues. Both fail without a change.
"""

import os
from collections.abc import Callable
from pathlib import Path

import apsw

from arbees.errors import ConfigurationError, JournalCorrupt, JournalUnavailable
from arbees.journal.committer import Committer
from arbees.journal.engine import (
    connect_reader,
    describe,
    disconnect,
    fault_of,
    make_private,
    run,
)
from arbees.journal.lock import WriterLock
from arbees.journal.opening import epoch_of, head_of
from arbees.journal.proof.index_check import IndexOf
from arbees.journal.proof.verifier import Progress, VerifierReport, verify
from arbees.journal.proof.witness import (
    WitnessMark,
    path_of,
    place_witness,
    sync_folder,
)
from arbees.journal.space import Reserve
from arbees.journal.tables.schema import ROLLED_BACK

STEP_PAGES = 1_024
"""Pages copied between two reports of progress (4 MiB)."""

_ABOUT_THE_WITNESS = {ROLLED_BACK, "WITNESS_MISMATCH", "WITNESS_UNREADABLE"}


def backup(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    progress: Callable[[Progress], None] | None = None,
    index_of: IndexOf | None = None,
    vfs: str | None = None,
) -> VerifierReport:
    """
    Copy a journal, in use or not, to a new file and verify the copy.

    The copy is as of one moment; the writer is not stopped, only its log grows meanwhile.

    Args:
        source: the journal.
        target: the file to make; must not exist.
        progress: told the pages copied.
        index_of: as for `verify`.
        vfs: name of SQLite's file layer for the source.

    Returns:
        What the verification of the copy found: nothing.

    Raises:
        ConfigurationError: the target exists.
        JournalUnavailable: it cannot be read or written.
        JournalCorrupt: the copy does not verify; it is removed.
    """
    place = Path(target).resolve()
    if place.exists():
        raise ConfigurationError(
            "Expected the name of a new file", value=os.fspath(place), fix="Name another"
        )
    origin = Path(source).resolve()
    partial = place.with_name(place.name + ".partial")
    _discard(partial)
    try:
        _copy(origin, partial, progress, vfs)
        report = verify(partial, index_of=index_of)
        if not report.is_intact:
            first = report.findings[0]
            raise JournalCorrupt(
                f"Expected the copy to verify, {first.code}: {first.message}",
                sequence=report.first_bad,
            )
        _sync(partial)
        partial.replace(place)
        sync_folder(place.parent)
    except OSError as error:
        raise JournalUnavailable(f"Cannot write the backup {place}: {error}") from error
    finally:
        _discard(partial)
    return report


def accept_head(path: str | os.PathLike[str], *, index_of: IndexOf | None = None) -> VerifierReport:
    """
    Declare what a journal ends with to be its newest record, after a restore.

    Everything later is given up by this: look at the venues first. The old witness is kept beside
    the new one, as `.head.replaced-<sequence>`.

    Args:
        path: the journal, which nobody else may have open for writing.
        index_of: as for `verify`.

    Raises:
        LeaseLost: a gateway runs on it.
        JournalCorrupt: it does not verify, apart from its witness.
        JournalUnavailable: it cannot be read or written.
    """
    place = Path(path).resolve()
    lock = WriterLock(place)
    try:
        report = verify(place, index_of=index_of)
        others = [one for one in report.findings if one.code not in _ABOUT_THE_WITNESS]
        if others:
            raise JournalCorrupt(
                f"Expected a journal that verifies, {others[0].code}: {others[0].message}",
                sequence=others[0].sequence,
            )
        _replace_witness(place)
        return report
    except OSError as error:
        raise JournalUnavailable(f"Cannot accept the head of {place}: {error}") from error
    finally:
        lock.release()


def _replace_witness(place: Path) -> None:
    """Raise the epoch above every one that was ever used here, then let the witness say so."""
    witness = path_of(place)
    text = witness.read_bytes().split() if witness.exists() else []
    seen = int(text[2]) if len(text) > 2 and text[2].isdigit() else 0

    def work(connection: apsw.Connection) -> WitnessMark:
        epoch = max(epoch_of(connection), seen)
        connection.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", (epoch,))
        head = head_of(connection)
        return WitnessMark(head.sequence, head.hash, epoch)

    committer = Committer(place, Reserve(place, 0), None)
    try:
        mark = committer.commit("accept the head of", work)
    finally:
        committer.close()
    if witness.exists():
        witness.replace(witness.with_name(f"{witness.name}.replaced-{mark.sequence}"))
    place_witness(witness, mark)


def _copy(
    origin: Path, partial: Path, progress: Callable[[Progress], None] | None, vfs: str | None
) -> None:
    """Copy the database page by page within one read of the source."""
    try:
        source = connect_reader(origin, vfs)
    except apsw.Error as error:
        raise fault_of(origin, error, "open") from error
    try:
        make_private(partial)
        copy = apsw.Connection(os.fspath(partial))
        try:
            source.execute("BEGIN")
            head_of(source)  # pins the moment
            with copy.backup("main", source, "main") as copying:
                while not copying.done:
                    copying.step(STEP_PAGES)
                    if progress is not None:
                        total = copying.page_count
                        progress(Progress(total - copying.remaining, total))
            source.execute("ROLLBACK")
            run(copy, "PRAGMA journal_mode = DELETE")
        finally:
            disconnect(copy)
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise fault_of(origin, error, "copy") from error
    except apsw.Error as error:
        raise JournalUnavailable(f"Cannot copy {origin} to {partial}: {describe(error)}") from error
    finally:
        disconnect(source)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _discard(partial: Path) -> None:
    """Remove a copy that did not become a backup, with its companions."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        partial.with_name(partial.name + suffix).unlink(missing_ok=True)
