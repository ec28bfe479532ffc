"""Copy a journal while it is in use, and go on from a copy deliberately.

Guarantees that a backup is one consistent, synced, verified file, or is not there at all; and that
a backup put back is not taken for the newest journal: it comes without a witness on purpose, so
that the witness of the original refuses it, and a folder without one refuses too. `accept_head` is
the only way on: it verifies the file, keeps the old witness beside the new one, and is a person's
decision that what is missing was looked up at the venues. Both fail without a change.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw

from arbees.errors import ConfigurationError, JournalCorrupt, JournalUnavailable
from arbees.journal.binding import Binding, require_same
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
from arbees.journal.opening import epoch_of, head_of, make_folder
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
        return _accept(place, index_of)
    except OSError as error:
        raise JournalUnavailable(f"Cannot accept the head of {place}: {error}") from error
    finally:
        lock.release()


def restore(
    source: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    wanted: Binding,
    kept: Path,
    halt: Callable[[], None],
    index_of: IndexOf | None = None,
) -> VerifierReport:
    """
    Put a backup in the place of a journal, and accept what it ends with as the newest record.

    Nothing is deleted: what was there is moved to a folder. Nothing is moved before the backup is
    known to be whole, and this account's.

    Args:
        source: the backup.
        path: of the journal, which nobody may have open for writing.
        wanted: whose journal it is.
        kept: a new folder for the files that were there.
        halt: called when nothing refuses any more, before anything is moved: keeps whoever starts
            on the restored journal from trading.
        index_of: as for `verify`.

    Returns:
        What the verification of the backup found: nothing.

    Raises:
        ConfigurationError: the backup is another account's, or the folder is there already.
        LeaseLost: a gateway runs on the journal.
        JournalCorrupt: the backup does not verify.
        JournalUnavailable: files cannot be read or written.
    """
    place, origin = Path(path).resolve(), Path(source).resolve()
    report = verify(origin, index_of=index_of)
    if not report.is_intact or report.binding is None:
        first = report.findings[0]
        raise JournalCorrupt(
            f"Expected a backup that verifies, {first.code}: {first.message}",
            sequence=report.first_bad,
        )
    require_same(str(origin), wanted, report.binding)
    make_folder(place.parent)
    lock = WriterLock(place)
    try:
        kept.mkdir(mode=0o700)
        halt()
        for suffix in ("", "-wal", "-shm"):
            old = place.with_name(place.name + suffix)
            if old.exists():
                old.rename(kept / old.name)
        partial = place.with_name(place.name + ".partial")
        shutil.copyfile(origin, partial)
        make_private(partial)
        _sync(partial)
        partial.replace(place)
        sync_folder(place.parent)
        return _accept(place, index_of)
    except FileExistsError as error:
        raise ConfigurationError(
            "Expected the name of a new folder", value=str(kept), fix="Move it away"
        ) from error
    except OSError as error:
        raise JournalUnavailable(f"Cannot restore {place}: {error}") from error
    finally:
        lock.release()


def _accept(place: Path, index_of: IndexOf | None) -> VerifierReport:
    """Verify a journal whose lock is held, and let its witness say what it ends with."""
    report = verify(place, index_of=index_of)
    others = [one for one in report.findings if one.code not in _ABOUT_THE_WITNESS]
    if others:
        raise JournalCorrupt(
            f"Expected a journal that verifies, {others[0].code}: {others[0].message}",
            sequence=others[0].sequence,
        )
    _replace_witness(place)
    return report


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
