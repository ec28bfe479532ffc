"""The writer: what is durable when, what is looked up, and who may open what."""

import threading
from pathlib import Path

import msgspec
import pytest

from arbees.core.events import Bound
from arbees.core.ports import (
    Entry,
    Journal,
    KeyRow,
    OrderRow,
    RequestRow,
    SignalRow,
)
from arbees.errors import (
    InvariantViolation,
    JournalUnavailable,
    LeaseLost,
)
from arbees.journal import SqliteJournal, verify
from tests.journal.samples import START_NS, entry, fill, implied, open_journal, tamper


def protocol(journal: SqliteJournal) -> Journal:
    """Return it as the core sees it; the type checker compares the two."""
    return journal


def test_a_new_journal_begins_with_its_binding(tmp_path: Path) -> None:
    """The first record says whose journal it is, and is durable before open returns."""
    with open_journal(tmp_path / "deep" / "j.db") as journal:
        first = next(protocol(journal).records())
        assert (first.sequence, first.kind, first.time_ns) == (1, "Bound", START_NS)
        body = msgspec.json.decode(first.body, type=Bound)
        assert body == Bound(account="main", environment="test", mode="paper")
        assert journal.head.sequence == 1
        assert journal.epoch == 1


def test_append_makes_all_of_a_batch_durable(tmp_path: Path) -> None:
    """Records and index rows of a batch are found by every lookup after one commit."""
    with open_journal(tmp_path / "j.db") as journal:
        head = journal.append([entry(number) for number in range(1, 65)])
        assert head == journal.head
        assert head.sequence == 65
        assert head.time_ns == START_NS + 64
        assert [one.sequence for one in journal.records(after=60)] == [61, 62, 63, 64, 65]
        assert [one.sequence for one in journal.records_of("request-7")] == [8]
        assert list(journal.records())[-1].hash == head.hash
        assert journal.key("key-9") == entry(9).index[0]
        assert journal.request("request-9") == entry(9).index[1]
        assert list(journal.signals("signal-9", "MARKET", "Yes", "Buy")) == [entry(9).index[2]]
        assert journal.order("order-9") == entry(9).index[3]


def test_what_is_unknown_is_none(tmp_path: Path) -> None:
    """A lookup of what was never written returns nothing."""
    with open_journal(tmp_path / "j.db") as journal:
        assert journal.key("k") is None
        assert journal.request("r") is None
        assert list(journal.signals("s", "M", "Yes", "Buy")) == []
        assert journal.order("o") is None
        assert journal.order_by_venue_id("Kalshi", "v") is None
        assert list(journal.records_of("r")) == []
        assert list(journal.records(after=1)) == []
        assert journal.snapshot() is None


def test_nothing_to_append_changes_nothing(tmp_path: Path) -> None:
    """An empty batch is no commit."""
    with open_journal(tmp_path / "j.db") as journal:
        assert journal.append([]) == journal.head
        assert journal.head.sequence == 1


def test_rows_merge_as_the_core_expects(tmp_path: Path) -> None:
    """Keys, signals and orders take the newest row; a request stays as seen first."""
    with open_journal(tmp_path / "j.db") as journal:
        newer = (
            KeyRow("key-1", "request-2", 2, "g", "spent", 5),
            RequestRow("request-1", "another key"),
            SignalRow("signal-1", "MARKET", "Yes", "Buy", "key-1", "spent"),
            OrderRow("order-1", "request-1", "Kalshi", "venue-1"),
        )
        journal.append([entry(1), entry(2, newer)])
        assert journal.key("key-1") == newer[0]
        assert journal.request("request-1") == RequestRow("request-1", "key-1")
        assert list(journal.signals("signal-1", "MARKET", "Yes", "Buy")) == [newer[2]]
        assert journal.order("order-1") == newer[3]
        assert journal.order_by_venue_id("Kalshi", "venue-1") == newer[3]
        assert journal.order_by_venue_id("Polymarket", "venue-1") is None


def test_an_order_never_forgets_the_venues_id(tmp_path: Path) -> None:
    """A later row without the venue's id keeps the one that is known."""
    with open_journal(tmp_path / "j.db") as journal:
        journal.append([entry(1, (OrderRow("o", "r", "Kalshi", "venue"),))])
        journal.append([entry(2, (OrderRow("o", "r", "Kalshi", None),))])
        assert journal.order("o") == OrderRow("o", "r", "Kalshi", "venue")


def test_a_signal_is_kept_for_each_key(tmp_path: Path) -> None:
    """The same signal under two keys is two rows, for this market, side and action alone."""
    rows = tuple(SignalRow("s", "M", "Yes", "Buy", key, "open") for key in ("b", "a"))
    others = (
        SignalRow("s", "M", "No", "Buy", "c", "open"),
        SignalRow("s", "N", "Yes", "Buy", "d", ""),
    )
    with open_journal(tmp_path / "j.db") as journal:
        journal.append([entry(1, rows + others)])
        found = journal.signals("s", "M", "Yes", "Buy")
        assert [row.idempotency_key for row in found] == ["a", "b"]


def test_reopening_goes_on_where_it_ended(tmp_path: Path) -> None:
    """A restart finds the same head, and writes under a new epoch."""
    path = tmp_path / "j.db"
    digest = fill(path, 5)
    with open_journal(path) as journal:
        assert (journal.head.sequence, journal.head.hash, journal.epoch) == (6, digest, 2)
        journal.append([entry(6)])
    report = verify(path, index_of=implied)
    assert (report.records, report.epoch, report.findings) == (7, 2, ())


def test_time_never_runs_backwards(tmp_path: Path) -> None:
    """A record older than the last one is a broken invariant and leaves no trace."""
    with open_journal(tmp_path / "j.db") as journal:
        with pytest.raises(InvariantViolation):
            journal.append([entry(1), entry(2, time_ns=START_NS)])
        assert journal.head.sequence == 1
        journal.append([entry(1), entry(2, time_ns=START_NS + 1)])
        assert journal.head.sequence == 3


def test_a_closed_journal_appends_nothing(tmp_path: Path) -> None:
    """Closing twice is harmless, and afterwards every call refuses."""
    journal = open_journal(tmp_path / "j.db")
    journal.close()
    journal.close()
    with pytest.raises(JournalUnavailable, match="closed"):
        journal.append([entry(1)])
    with pytest.raises(JournalUnavailable, match="closed"):
        journal.key("k")


def test_closing_leaves_one_whole_file(tmp_path: Path) -> None:
    """After an orderly end the log is in the database, so that a copy of it is all."""
    path = tmp_path / "j.db"
    fill(path, 3)
    assert not (tmp_path / "j.db-wal").exists()


def test_records_cannot_be_changed_by_accident(tmp_path: Path) -> None:
    """The database itself refuses to change or delete a record."""
    with open_journal(tmp_path / "j.db") as journal:
        connection = journal._committer._connection
        for statement in ("UPDATE records SET body = x'00'", "DELETE FROM records"):
            with pytest.raises(Exception, match="append-only"):
                connection.execute(statement)


def test_the_view_of_the_requirements(tmp_path: Path) -> None:
    """`execution_idempotency` shows the keys under the requirements' column names."""
    with open_journal(tmp_path / "j.db") as journal:
        journal.append([entry(1)])
        rows = journal._committer._connection.execute(
            "SELECT idempotency_key, request_id, status, processed_at FROM execution_idempotency"
        ).fetchall()
    assert rows == [("key-1", "request-1", "Pending", "2026-01-01T00:00:00.000000Z")]


def test_a_deposed_writer_cannot_commit(tmp_path: Path) -> None:
    """Once somebody took over, the old writer's next append is refused and leaves nothing."""
    path = tmp_path / "j.db"
    old = open_journal(path)
    old.append([entry(1)])
    (tmp_path / "j.db.lock").unlink()
    new = open_journal(path)
    assert new.epoch == old.epoch + 1
    for _ in range(2):
        with pytest.raises(LeaseLost, match="taken over"):
            old.append([entry(2)])
    with pytest.raises(LeaseLost):
        old.write_snapshot(1, "v", b"")
    new.append([entry(2)])
    old.close()
    new.close()
    assert verify(path, index_of=implied).is_intact


def test_a_journal_changed_behind_its_writer_is_noticed(tmp_path: Path) -> None:
    """A record that this writer did not make stops it."""
    path = tmp_path / "j.db"
    with open_journal(path) as journal:
        journal.append([entry(1)])
        tamper(
            path,
            "INSERT INTO records SELECT 3, time_ns, epoch, kind, request_id, hash, body"
            " FROM records WHERE sequence = 2",
        )
        with pytest.raises(JournalUnavailable, match="changed behind its writer"):
            journal.append([entry(2)])


def test_a_file_replaced_under_its_writer_is_noticed(tmp_path: Path) -> None:
    """Nothing is acknowledged into a file that has lost its name."""
    path = tmp_path / "j.db"
    with open_journal(path) as journal:
        journal.append([entry(1)])
        path.rename(tmp_path / "elsewhere.db")
        with pytest.raises(JournalUnavailable, match="removed or replaced"):
            journal.append([entry(2)])
        (tmp_path / "elsewhere.db").rename(path)
        with pytest.raises(JournalUnavailable, match="removed or replaced"):
            journal.append([entry(2)])


def test_reading_goes_on_while_another_thread_appends(tmp_path: Path) -> None:
    """Lookups from one thread and appends from another do not disturb each other."""
    with open_journal(tmp_path / "j.db") as journal:
        done = threading.Event()

        def work() -> None:
            for number in range(1, 201):
                journal.append([entry(number)])
            done.set()

        worker = threading.Thread(target=work)
        worker.start()
        seen = 0
        while not done.is_set():
            for record in journal.records(after=seen):
                seen += 1
                assert record.sequence == seen
            journal.key("key-1")
        worker.join()
        assert [one.sequence for one in journal.records()] == list(range(1, 202))


def test_the_log_stays_bounded(tmp_path: Path) -> None:
    """The log is copied into the database in idle moments, and by appending when it must."""
    path = tmp_path / "j.db"
    log = tmp_path / "j.db-wal"
    body = b"x" * 200_000
    with open_journal(path) as journal:
        biggest = 0
        for number in range(200):
            journal.append([Entry(START_NS, "Noted", body, None)])
            biggest = max(biggest, log.stat().st_size)
            if number == 60:
                assert journal._committer.log_pages > 2_000
                journal.maintain()
                journal.append([Entry(START_NS, "Noted", b"", None)])
                assert journal._committer.log_pages < 20
        assert biggest < 20 << 20
    assert verify(path).is_intact


def test_maintenance_of_a_small_log_does_nothing(tmp_path: Path) -> None:
    """An idle moment costs nothing while little is in the log."""
    with open_journal(tmp_path / "j.db") as journal:
        pages = journal._committer.log_pages
        journal.maintain()
        assert journal._committer.log_pages == pages
