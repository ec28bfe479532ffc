"""The follower: reads what is durable, beside a writer and without one, and writes nothing."""

from pathlib import Path

import pytest

from arbees.core.ports import OrderRow
from arbees.errors import ConfigurationError, JournalCorrupt, JournalUnavailable
from arbees.journal import Binding, JournalReader
from tests.journal.samples import companions, entry, fill, open_journal, tamper


def test_it_follows_a_writer(tmp_path: Path) -> None:
    """What was appended is read at once, and asking again yields only what is new."""
    path = tmp_path / "j.db"
    with open_journal(path) as journal, JournalReader(path) as reader:
        assert [one.kind for one in reader.records()] == ["Bound"]
        journal.append([entry(number) for number in range(1, 1_001)])
        assert [one.sequence for one in reader.records(after=1)] == list(range(2, 1_002))
        assert list(reader.records(after=1_001)) == []
        assert reader.head == journal.head
        journal.append([entry(1_001, (OrderRow("o", "r", "Kalshi", "v"),))])
        assert [one.sequence for one in reader.records(after=1_001)] == [1_002]
        assert reader.order("o") == reader.order_by_venue_id("Kalshi", "v")
        assert reader.key("key-5") == journal.key("key-5")
        assert reader.request("request-5") == journal.request("request-5")
        assert reader.signals("signal-5", "MARKET", "Yes", "Buy")
        assert reader.records_of("request-5") == journal.records_of("request-5")
        assert reader.binding == Binding("main", "test", "paper")


def test_it_reads_without_a_writer_and_changes_nothing(tmp_path: Path) -> None:
    """A closed journal, and one that a killed process left, are read as they lie."""
    path = tmp_path / "j.db"
    fill(path, 5)
    before = companions(path)
    with JournalReader(path) as reader:
        assert reader.head.sequence == 6
        assert reader.record(3) == list(reader.records())[2]
        assert reader.record(7) is None
        assert reader.snapshot() is None
        assert reader.path == path
    after = companions(path)
    assert (after[""], after[".head"]) == (before[""], before[".head"])


def test_it_stands_in_nobodys_way(tmp_path: Path) -> None:
    """A reader that is half-way through a walk does not keep the log from being copied."""
    path = tmp_path / "j.db"
    with open_journal(path) as journal, JournalReader(path) as reader:
        journal.append([entry(number) for number in range(1, 2_001)])
        walk = reader.records()
        next(walk)
        journal.maintain()
        journal.append([entry(2_001)])
        assert journal._committer.log_pages < 50
        assert len(list(walk)) == 2_001


def test_it_does_not_need_a_witness(tmp_path: Path) -> None:
    """A copy of the database alone can be read."""
    path = tmp_path / "j.db"
    fill(path, 2)
    (tmp_path / "j.db.head").unlink()
    with JournalReader(path) as reader:
        assert reader.head.sequence == 3


def test_a_missing_record_is_not_skipped(tmp_path: Path) -> None:
    """A gap in the numbers is corruption, named."""
    path = tmp_path / "j.db"
    fill(path, 9)
    tamper(path, "DELETE FROM records WHERE sequence = 5")
    with JournalReader(path) as reader, pytest.raises(JournalCorrupt) as caught:
        list(reader.records())
    assert caught.value.sequence == 5


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    """Nothing, an empty file, garbage and another program's database are told apart."""
    with pytest.raises(JournalUnavailable, match="no such file"):
        JournalReader(tmp_path / "none.db")
    (tmp_path / "empty.db").write_bytes(b"")
    with pytest.raises(JournalUnavailable, match="empty"):
        JournalReader(tmp_path / "empty.db")
    (tmp_path / "garbage.db").write_bytes(b"garbage" * 1_000)
    with pytest.raises(JournalCorrupt):
        JournalReader(tmp_path / "garbage.db")
    tamper(tmp_path / "other.db", "CREATE TABLE t (x)")
    with pytest.raises(ConfigurationError, match="another program"):
        JournalReader(tmp_path / "other.db")


def test_it_cannot_write(tmp_path: Path) -> None:
    """The connection itself refuses."""
    path = tmp_path / "j.db"
    fill(path, 1)
    with JournalReader(path) as reader, pytest.raises(Exception, match="readonly"):
        reader._connection.execute("DELETE FROM keys")


def test_a_closed_reader_refuses(tmp_path: Path) -> None:
    """Closing twice is harmless; reading afterwards is refused."""
    path = tmp_path / "j.db"
    fill(path, 1)
    reader = JournalReader(path)
    reader.close()
    reader.close()
    for call in (lambda: reader.head, reader.snapshot, lambda: reader.binding):
        with pytest.raises(JournalUnavailable, match="closed"):
            call()
