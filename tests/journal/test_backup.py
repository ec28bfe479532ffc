"""Backups: whole, verified, and never taken for the newest journal by accident."""

import threading
from pathlib import Path

import pytest

from arbees.errors import ConfigurationError, JournalCorrupt, JournalUnavailable, LeaseLost
from arbees.journal import JournalReader, Progress, accept_head, backup, read_witness, verify
from tests.journal.samples import companions, entry, fill, implied, open_journal, tamper


def test_a_backup_is_one_verified_file(tmp_path: Path) -> None:
    """The copy holds everything, needs no companion, and the source goes on."""
    path, copy = tmp_path / "j.db", tmp_path / "copy.db"
    seen: list[Progress] = []
    with open_journal(path) as journal:
        journal.append([entry(number) for number in range(1, 2_001)])
        report = backup(path, copy, index_of=implied, progress=seen.append)
        assert report.is_intact
        assert report.is_index_proved
        assert report.head == journal.head
        journal.append([entry(2_001)])
    assert seen[-1].done == seen[-1].total > 0
    assert {one.name for one in tmp_path.glob("copy.db*")} == {"copy.db"}
    with JournalReader(copy) as reader:
        assert reader.head == report.head


def test_a_backup_is_as_of_one_moment(tmp_path: Path) -> None:
    """Copies made while records are appended verify, every one."""
    path = tmp_path / "j.db"
    with open_journal(path) as journal:
        done = threading.Event()

        def work() -> None:
            for first in range(1, 3_001, 10):
                journal.append([entry(number) for number in range(first, first + 10)])
            done.set()

        worker = threading.Thread(target=work)
        worker.start()
        copies = 0
        while not done.is_set():
            copies += 1
            assert backup(path, tmp_path / f"{copies}.db", index_of=implied).is_intact
        worker.join()
        assert copies > 0


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    """The name of a backup must be new."""
    path = tmp_path / "j.db"
    fill(path, 2)
    with pytest.raises(ConfigurationError, match="new file"):
        backup(path, path)
    with pytest.raises(JournalUnavailable):
        backup(path, tmp_path / "missing" / "copy.db")
    with pytest.raises(JournalUnavailable, match="no such file"):
        backup(tmp_path / "none.db", tmp_path / "copy.db")


def test_a_backup_that_does_not_verify_is_removed(tmp_path: Path) -> None:
    """A damaged journal gives no backup, and the message names the record."""
    path = tmp_path / "j.db"
    fill(path, 9)
    tamper(path, "UPDATE records SET body = x'7b7d' WHERE sequence = 4")
    with pytest.raises(JournalCorrupt) as caught:
        backup(path, tmp_path / "copy.db")
    assert caught.value.sequence == 4
    assert list(tmp_path.glob("copy.db*")) == []
    path.write_bytes(b"garbage" * 1_000)
    with pytest.raises(JournalCorrupt):
        backup(path, tmp_path / "copy.db")


def test_yesterdays_backup_over_todays_journal_is_refused(tmp_path: Path) -> None:
    """Next to today's witness the copy is a rolled-back journal: 65, with what to do."""
    path, copy = tmp_path / "j.db", tmp_path / "copy.db"
    fill(path, 3)
    backup(path, copy)
    with open_journal(path) as journal:
        journal.append([entry(4)])
    path.write_bytes(copy.read_bytes())
    with pytest.raises(JournalCorrupt, match=r"JOURNAL_ROLLED_BACK.*docs/journal\.md") as caught:
        open_journal(path)
    assert caught.value.exit_code == 65


def test_a_backup_alone_does_not_start(tmp_path: Path) -> None:
    """In a new place there is no witness, and nobody can say what is missing."""
    path, copy = tmp_path / "j.db", tmp_path / "new" / "j.db"
    copy.parent.mkdir()
    fill(path, 3)
    backup(path, copy)
    with pytest.raises(JournalCorrupt, match="witness"):
        open_journal(copy)


def test_a_restored_head_is_accepted_deliberately(tmp_path: Path) -> None:
    """After the decision it starts, the old witness is kept, and no epoch is used again."""
    path, copy = tmp_path / "j.db", tmp_path / "copy.db"
    fill(path, 3)
    backup(path, copy)
    for number in (4, 5):
        with open_journal(path) as journal:
            journal.append([entry(number)])
    path.write_bytes(copy.read_bytes())
    lost = read_witness(path)
    assert lost is not None
    report = accept_head(path, index_of=implied)
    assert report.head.sequence == 4
    kept = (tmp_path / "j.db.head.replaced-4").read_text()
    assert kept.split()[1] == lost.hash.hex()
    with open_journal(path) as journal:
        assert journal.head.sequence == 4
        assert journal.epoch == lost.epoch + 1
        journal.append([entry(4)])
    assert verify(path, index_of=implied).is_intact


def test_a_head_is_accepted_where_there_is_no_witness(tmp_path: Path) -> None:
    """A copy in a new place starts after the same decision."""
    path, copy = tmp_path / "j.db", tmp_path / "new.db"
    fill(path, 3)
    backup(path, copy)
    accept_head(copy)
    open_journal(copy).close()
    (tmp_path / "new.db.head").write_bytes(b"scribble")
    accept_head(copy)
    open_journal(copy).close()


def test_a_head_is_not_accepted_of_what_does_not_verify(tmp_path: Path) -> None:
    """Damage cannot be accepted, nor a journal in use; nothing is changed."""
    path = tmp_path / "j.db"
    fill(path, 5)
    tamper(path, "UPDATE records SET body = x'7b7d' WHERE sequence = 3")
    before = companions(path)
    with pytest.raises(JournalCorrupt):
        accept_head(path)
    assert companions(path) == before
    other = tmp_path / "other.db"
    with open_journal(other), pytest.raises(LeaseLost):
        accept_head(other)
