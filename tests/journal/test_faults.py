"""A disk that fails: what was acknowledged stays, the rest is refused, no sync is repeated."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arbees.core.ports import KeyRow
from arbees.errors import ArbeesError, JournalUnavailable
from arbees.journal import SqliteJournal, verify
from tests.journal.faulty import FaultyDisk, failed_sync, failed_write, full
from tests.journal.samples import entry, fill, implied, open_journal


@pytest.fixture
def disk() -> Iterator[FaultyDisk]:
    """Return a disk that can be told to fail."""
    one = FaultyDisk()
    yield one
    one.unregister()


def nth(wanted: int, fault: Callable[[], Exception]) -> Callable[[str, str, int], Exception | None]:
    """Return a rule that breaks one operation, by its number."""
    return lambda _operation, _file, number: fault() if number == wanted else None


def appended(journal: SqliteJournal, first: int, last: int) -> None:
    """Append one by one."""
    for number in range(first, last + 1):
        journal.append([entry(number)])


def test_a_commit_is_written_and_synced_before_it_returns(tmp_path: Path, disk: FaultyDisk) -> None:
    """The last thing that an append does to the log is to sync it, exactly once."""
    with open_journal(tmp_path / "j.db", vfs=disk.name) as journal:
        disk.heal()
        journal.append([entry(number) for number in range(1, 65)])
        assert disk.operations.count(("sync", "wal")) == 1
        assert disk.operations[-1] == ("sync", "wal")
        assert {file for _, file in disk.operations} == {"wal"}


def test_a_failed_sync_poisons_and_is_not_repeated(tmp_path: Path, disk: FaultyDisk) -> None:
    """After a failed sync every later append raises the same, and the disk is left alone."""
    path = tmp_path / "j.db"
    with open_journal(path, vfs=disk.name) as journal:
        appended(journal, 1, 5)
        head = journal.head
        disk.fail(lambda operation, *_: failed_sync() if operation == "sync" else None)
        for _ in range(3):
            with pytest.raises(JournalUnavailable, match="SQLITE_IOERR_FSYNC"):
                journal.append([entry(6)])
        assert disk.operations.count(("sync", "wal")) == 1
        with pytest.raises(JournalUnavailable):
            journal.maintain()
        with pytest.raises(JournalUnavailable):
            journal.write_snapshot(1, "v", b"")
        assert journal.head == head
        assert journal.key("key-5") is not None
        assert journal.key("key-6") is None
        disk.heal()
    assert ("sync", "wal") not in disk.operations, "closing must not sync what failed before"
    with open_journal(path) as journal:
        assert journal.head.sequence >= head.sequence
        assert verify(path, index_of=implied).is_intact


@pytest.mark.parametrize("fault", [failed_write, failed_sync])
def test_every_operation_of_an_append_may_fail(
    tmp_path: Path, fault: Callable[[], Exception]
) -> None:
    """Break each write and sync of an append in turn: nothing acknowledged is ever lost."""
    broken = 0
    while True:
        disk = FaultyDisk()
        path = tmp_path / f"{broken}.db"
        journal = open_journal(path, vfs=disk.name)
        appended(journal, 1, 3)
        disk.fail(nth(broken + 1, fault))
        try:
            journal.append([entry(4), entry(5)])
            is_broken = False
        except JournalUnavailable:
            is_broken = True
            with pytest.raises(JournalUnavailable):
                journal.append([entry(4)])
        disk.heal()
        acknowledged = journal.head.sequence
        assert acknowledged == (4 if is_broken else 6)
        journal.close()
        with open_journal(path) as again:
            assert again.head.sequence in {acknowledged, 6}
            assert verify(path, index_of=implied).is_intact
        disk.unregister()
        if not is_broken:
            break
        broken += 1
    assert broken > 5


def test_every_operation_of_opening_may_fail(tmp_path: Path) -> None:
    """Break each operation of creating and of taking over: the next try finds all whole."""
    for is_new in (True, False):
        broken = 0
        while True:
            disk = FaultyDisk()
            path = tmp_path / f"{is_new}-{broken}.db"
            if not is_new:
                fill(path, 3)
            disk.fail(nth(broken + 1, failed_write))
            try:
                open_journal(path, vfs=disk.name).close()
                is_broken = len(disk.operations) > broken
            except ArbeesError:
                is_broken = True
            disk.unregister()
            with open_journal(path) as journal:
                assert journal.head.sequence == (1 if is_new else 4)
                journal.append([entry(9)])
            assert verify(path, index_of=implied).is_intact
            if not is_broken:
                break
            broken += 1
        assert broken > 3


def test_a_full_disk_spends_the_reserve(tmp_path: Path, disk: FaultyDisk) -> None:
    """On a full disk the reserve is given back, the batch is written, and space says so."""
    reserve = tmp_path / "j.db.reserve"
    with open_journal(tmp_path / "j.db", vfs=disk.name, reserve_bytes=1 << 20) as journal:
        assert not journal.space().is_low
        assert reserve.stat().st_size == 1 << 20
        disk.fail(lambda *_: full() if reserve.exists() else None)
        journal.append([entry(1)])
        assert journal.head.sequence == 2
        assert not reserve.exists()
        assert journal.space().is_low
        journal.append([entry(2)])
        journal.maintain()
        assert not journal.space().is_low, "the disk has room again, so the reserve is back"
    assert verify(tmp_path / "j.db", index_of=implied).is_intact


def test_a_full_disk_without_reserve_refuses(tmp_path: Path, disk: FaultyDisk) -> None:
    """When the reserve is spent too, the journal is poisoned, and what was written stays."""
    path = tmp_path / "j.db"
    with open_journal(path, vfs=disk.name, reserve_bytes=1 << 20) as journal:
        appended(journal, 1, 3)
        disk.fail(lambda *_: full())
        for _ in range(2):
            with pytest.raises(JournalUnavailable, match="SQLITE_FULL"):
                journal.append([entry(4)])
        disk.heal()
        assert journal.key("key-3") is not None
    with open_journal(path) as journal:
        assert journal.head.sequence == 4


def test_a_snapshot_does_not_spend_the_reserve(tmp_path: Path, disk: FaultyDisk) -> None:
    """A snapshot that finds no room is not kept, and the journal goes on."""
    with open_journal(tmp_path / "j.db", vfs=disk.name, reserve_bytes=1 << 20) as journal:
        appended(journal, 1, 3)
        disk.fail(lambda *_: full())
        with pytest.raises(JournalUnavailable, match="disk is full"):
            journal.write_snapshot(3, "v", b"book")
        disk.heal()
        assert journal.space().is_reserve_held
        assert journal.snapshot() is None
        appended(journal, 4, 5)
        journal.write_snapshot(3, "v", b"book")
        assert journal.snapshot() == (3, "v", b"book")


def test_a_start_on_a_full_disk_uses_the_reserve(tmp_path: Path, disk: FaultyDisk) -> None:
    """A restart that must settle orders can take over although the disk is full."""
    path = tmp_path / "j.db"
    reserve = tmp_path / "j.db.reserve"
    with open_journal(path, reserve_bytes=1 << 20) as journal:
        appended(journal, 1, 3)
    disk.fail(lambda *_: full() if reserve.exists() else None)
    with open_journal(path, vfs=disk.name, reserve_bytes=1 << 20, low_bytes=1) as journal:
        assert journal.head.sequence == 4
        appended(journal, 4, 4)


def test_a_failed_copy_of_the_log_poisons(tmp_path: Path, disk: FaultyDisk) -> None:
    """A database that cannot be written stops the journal; the log keeps every record."""
    path = tmp_path / "j.db"
    with open_journal(path, vfs=disk.name) as journal:
        while journal._committer.log_pages < 300:
            journal.append([entry(journal.head.sequence)])
        head = journal.head
        disk.fail(lambda _, file, __: failed_write() if file == "database" else None)
        with pytest.raises(JournalUnavailable, match="copy the log"):
            journal.maintain()
        with pytest.raises(JournalUnavailable, match="copy the log"):
            journal.append([entry(head.sequence)])
    with open_journal(path) as journal:
        assert journal.head == head


def test_a_full_disk_only_delays_the_copy_of_the_log(tmp_path: Path, disk: FaultyDisk) -> None:
    """A database that cannot grow leaves the records in the log, and appending goes on there."""
    with open_journal(tmp_path / "j.db", vfs=disk.name) as journal:
        while journal._committer.log_pages < 300:
            journal.append([entry(journal.head.sequence)])
        disk.fail(lambda _, file, __: full() if file == "database" else None)
        journal.maintain()
        journal.append([entry(journal.head.sequence)])


def test_a_witness_that_cannot_be_written_is_trouble(tmp_path: Path) -> None:
    """The record is durable all the same; what is wrong is there to be shown."""
    path = tmp_path / "j.db"
    with open_journal(path) as journal:
        assert journal.trouble is None
        (tmp_path / "j.db.head").unlink()
        journal.append([entry(1)])
        assert "made anew" in str(journal.trouble)
        journal._witness.close()
        (tmp_path / "j.db.head").unlink()
        (tmp_path / "j.db.head.new").mkdir()
        journal.append([entry(2)])
        assert "Cannot write the head witness" in str(journal.trouble)
        (tmp_path / "j.db.head.new").rmdir()
        journal.append([entry(3)])
        assert journal.head.sequence == 4
    open_journal(path).close()


def test_a_bug_in_an_entry_poisons_without_a_trace(tmp_path: Path) -> None:
    """What the database refuses to store is not half stored, and nothing follows it."""
    bad = entry(2, (KeyRow("k", "r", "one", "f", "open", 1),))  # type: ignore[arg-type]
    with open_journal(tmp_path / "j.db") as journal:
        with pytest.raises(JournalUnavailable, match="cannot store TEXT"):
            journal.append([entry(1), bad])
        assert journal.key("key-1") is None
        with pytest.raises(JournalUnavailable, match="cannot store TEXT"):
            journal.append([entry(1)])


def test_a_read_only_database_refuses_to_be_written(tmp_path: Path, disk: FaultyDisk) -> None:
    """SQLite would open it for reading without a word; the journal says what to look at."""
    path = tmp_path / "j.db"
    fill(path, 3)
    disk.is_read_only = True
    with pytest.raises(JournalUnavailable, match="read-only"):
        open_journal(path, vfs=disk.name)
    disk.is_read_only = False
    open_journal(path, vfs=disk.name).close()
