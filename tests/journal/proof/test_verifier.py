"""The independent verifier: what it finds, how it names it, and that it disturbs nobody."""

import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from arbees.core.ports import IndexRow, KeyRow, Stored
from arbees.errors import ConfigurationError, JournalUnavailable
from arbees.journal import (
    Binding,
    Progress,
    Verification,
    VerifierReport,
    implied_by_events,
    verify,
)
from arbees.journal.proof.chain import COLUMNS, GENESIS, record_hash
from arbees.journal.proof.witness import NotedRecord, parse_known, path_of
from tests.journal.samples import entry, fill, implied, open_journal, tamper


def test_a_whole_journal_has_no_findings(tmp_path: Path) -> None:
    """It says what was read: head, records, epoch, binding, rate, and that the tables hold."""
    path = tmp_path / "j.db"
    digest = fill(path, 50, batch=7)
    ticks = iter(range(0, 10**9, 5_000_000))
    walk = Verification(path, index_of=implied, monotonic_ns=lambda: next(ticks))
    assert list(walk.steps()) == [Progress(51, 51), Progress(51, 51)]
    report = walk.report()
    assert report.is_intact
    assert report.first_bad is None
    assert (report.head.sequence, report.head.hash, report.records) == (51, digest, 51)
    assert report.binding == Binding("main", "test", "paper")
    assert report.is_index_proved
    assert (report.duration_ns, report.records_per_second) == (5_000_000, 10_200)
    assert (report.notes, report.findings_omitted) == ((), 0)


def test_it_says_how_far_it_is(tmp_path: Path) -> None:
    """Progress is reported after each chunk."""
    path = tmp_path / "j.db"
    fill(path, 5_000, batch=1_000)
    seen: list[Progress] = []
    verify(path, progress=seen.append)
    assert [one.done for one in seen] == [2_000, 4_000, 5_001, 5_001]


def test_it_runs_beside_a_writer(tmp_path: Path) -> None:
    """Verifying again and again while records are appended never finds anything."""
    path = tmp_path / "j.db"
    with open_journal(path) as journal:
        done = threading.Event()

        def work() -> None:
            for first in range(1, 2_001, 10):
                journal.append([entry(number) for number in range(first, first + 10)])
            done.set()

        worker = threading.Thread(target=work)
        worker.start()
        last = 0
        while not done.is_set():
            report = verify(path, index_of=implied)
            assert report.findings == ()
            assert report.records >= last
            last = report.records
        worker.join()
    assert verify(path, index_of=implied).records == 2_001


@pytest.mark.parametrize(
    ("statement", "code", "sequence"),
    [
        ("UPDATE records SET body = x'7b7d' WHERE sequence = 5", "CHAIN_BROKEN", 5),
        ("UPDATE records SET hash = zeroblob(32) WHERE sequence = 5", "CHAIN_BROKEN", 5),
        ("UPDATE records SET epoch = 9 WHERE sequence = 5", "CHAIN_BROKEN", 5),
        ("UPDATE records SET time_ns = 1 WHERE sequence = 5", "CHAIN_BROKEN", 5),
        ("DELETE FROM records WHERE sequence = 5", "SEQUENCE_GAP", 5),
        ("DELETE FROM records WHERE sequence = 1", "BINDING_MISMATCH", 1),
        ("UPDATE meta SET value = 'x' WHERE name = 'account'", "BINDING_MISMATCH", 1),
        ("DELETE FROM meta WHERE name = 'mode'", "BINDING_MISMATCH", 1),
        ("UPDATE keys SET outcome = 'spent' WHERE attempt = 1", "INDEX_MISMATCH", None),
        ("DELETE FROM keys WHERE idempotency_key = 'key-3'", "INDEX_MISMATCH", None),
        ("INSERT INTO requests VALUES ('invented', 'key')", "INDEX_MISMATCH", None),
        ("UPDATE orders SET venue_order_id = 'v'", "INDEX_MISMATCH", None),
        ("DELETE FROM signals", "INDEX_MISMATCH", None),
        ("UPDATE meta SET value = 0 WHERE name = 'epoch'", "EPOCH_BACKWARDS", 11),
        ("DELETE FROM meta WHERE name = 'epoch'", "DATABASE_DAMAGED", None),
        ("PRAGMA application_id = 7", "DATABASE_DAMAGED", 1),
        ("DROP TABLE signals", "DATABASE_DAMAGED", None),
    ],
)
def test_what_was_tampered_with_is_found(
    tmp_path: Path, statement: str, code: str, sequence: int | None
) -> None:
    """Each manipulation has its code, and names the first record that is concerned."""
    path = tmp_path / "j.db"
    fill(path, 10)
    tamper(path, statement)
    report = verify(path, index_of=implied)
    found = {one.code: one.sequence for one in reversed(report.findings)}
    assert code in found
    if sequence is not None:
        assert report.first_bad == sequence


def test_the_first_rows_that_differ_are_named(tmp_path: Path) -> None:
    """A message about a table names the rows, a few of them."""
    path = tmp_path / "j.db"
    fill(path, 20)
    tamper(path, "DELETE FROM keys WHERE idempotency_key >= 'key-2'")
    messages = [one.message for one in verify(path, index_of=implied).findings]
    assert len(messages) == 5
    assert messages[0] == "Expected row ['key-2'] in the table `keys`, it is missing"


def test_findings_are_bounded(tmp_path: Path) -> None:
    """What is beyond the first hundred findings is only counted."""
    path = tmp_path / "j.db"
    fill(path, 150, batch=50)
    tamper(path, "UPDATE records SET body = x'7b7d'")
    report = verify(path, index_of=implied)
    assert len(report.findings) == 100
    assert report.findings_omitted >= 50
    assert report.first_bad == 1
    assert not report.is_index_proved
    assert any("not proved" in note for note in report.notes)


def test_a_copy_without_a_witness_is_noted(tmp_path: Path) -> None:
    """It is not wrong, but it proves less, and that is said."""
    path = tmp_path / "j.db"
    fill(path, 2)
    (tmp_path / "j.db.head").unlink()
    report = verify(path)
    assert report.is_intact
    assert "nothing newer was lost" in report.notes[0]
    (tmp_path / "j.db.head").write_bytes(b"scribble")
    assert [one.code for one in verify(path).findings] == ["WITNESS_UNREADABLE"]


def test_a_body_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A record that holds but says nothing that is known is a finding."""
    path = tmp_path / "j.db"
    fill(path, 3)

    def index_of(record: Stored) -> Iterable[IndexRow]:
        if record.sequence == 3:
            raise msgspec.ValidationError("no such event")
        return implied(record)

    report = verify(path, index_of=index_of)
    assert (report.findings[0].code, report.first_bad) == ("BODY_UNREADABLE", 3)


def test_the_events_of_the_core_imply_the_rows(tmp_path: Path) -> None:
    """The binding implies no row; a row that no event implies is found."""
    path = tmp_path / "j.db"
    open_journal(path).close()
    assert verify(path, index_of=implied_by_events()).findings == ()
    with open_journal(path) as journal:
        record = next(journal.records())
    tamper(path, "INSERT INTO keys VALUES ('k', 'r', 1, 'f', 'open', 1)")
    assert list(implied_by_events()(record)) == []
    codes = [one.code for one in verify(path, index_of=implied_by_events()).findings]
    assert codes == ["INDEX_MISMATCH"]


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    """There must be something to verify, and it must be a journal of ours."""
    with pytest.raises(JournalUnavailable):
        verify(tmp_path / "none.db")
    tamper(tmp_path / "other.db", "CREATE TABLE t (x)")
    with pytest.raises(ConfigurationError):
        verify(tmp_path / "other.db")
    path = tmp_path / "j.db"
    open_journal(path).close()
    tamper(path, "PRAGMA user_version = 99")
    with pytest.raises(ConfigurationError, match="newer one"):
        verify(path)


def test_rows_are_compared_in_full(tmp_path: Path) -> None:
    """A row that differs in one column only is found, whatever the column."""
    path = tmp_path / "j.db"
    row = KeyRow("k", "r", 1, "f", "open", 1)
    with open_journal(path) as journal:
        journal.append([entry(1, (row,))])
    for column in ("request_id", "fingerprint", "outcome"):
        tamper(path, f"UPDATE keys SET {column} = {column} || 'x'")  # noqa: S608
        assert not verify(path, index_of=implied).is_intact
        tamper(path, f"UPDATE keys SET {column} = rtrim({column}, 'x')")  # noqa: S608
    for column in ("attempt", "processed_ns"):
        tamper(path, f"UPDATE keys SET {column} = {column} + 1")  # noqa: S608
        assert not verify(path, index_of=implied).is_intact
        tamper(path, f"UPDATE keys SET {column} = {column} - 1")  # noqa: S608
    assert verify(path, index_of=implied).is_intact


def _rewritten(path: Path, change: bytes) -> None:
    """Change a body and make all hashes behind it anew, as whoever can write the file can."""
    with sqlite3.connect(path) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        every = f"SELECT {COLUMNS} FROM records ORDER BY 1"  # noqa: S608
        rows = connection.execute(every).fetchall()
        last = GENESIS
        for sequence, time_ns, epoch, kind, request_id, _, body in rows:
            new = bytes(body) if sequence != 20 else change
            last = record_hash(last, sequence, time_ns, epoch, kind, request_id, new)
            connection.execute(
                "UPDATE records SET hash = ?, body = ? WHERE sequence = ?", (last, new, sequence)
            )


def test_what_is_claimed_is_what_was_proved(tmp_path: Path) -> None:
    """No word of completeness without a witness, none of the past without a head from elsewhere."""
    path = tmp_path / "j.db"
    digest = fill(path, 50)
    known = parse_known(f"51:{digest.hex()}")
    whole = _report(path, known)
    assert (len(whole.proved), whole.not_proved) == (3, ())
    path_of(path).unlink()
    bare = _report(path)
    assert bare.is_intact
    assert len(bare.proved) == 1
    assert "no end was cut off" in bare.not_proved[0]
    assert "not made anew as a whole" in bare.not_proved[1]


@pytest.mark.parametrize("text", ["51:{h}", "{h}", "51 {h}", "51:{H}"])
def test_a_journal_written_anew_is_found_by_a_head_noted_elsewhere(
    tmp_path: Path, text: str
) -> None:
    """Whoever makes all hashes anew cannot make the one that somebody else noted."""
    path = tmp_path / "j.db"
    digest = fill(path, 50).hex()
    known = parse_known(text.format(h=digest, H=digest.upper()))
    assert _report(path, known).is_intact
    _rewritten(path, b'{"changed":1}')
    path_of(path).unlink()
    assert _report(path).is_intact
    found = _report(path, known)
    assert [finding.code for finding in found.findings] == ["HEAD_MISMATCH"]
    assert found.proved == ()


@pytest.mark.parametrize("text", ["", "51:", "50:{h}", "51:zz", "rubbish", "9" * 200 + ":{h}"])
def test_a_head_that_is_not_there_is_a_finding(tmp_path: Path, text: str) -> None:
    """Another number, no hash, no head at all: it is not there."""
    path = tmp_path / "j.db"
    known = parse_known(text.format(h=fill(path, 50).hex()))
    assert [one.code for one in _report(path, known).findings] == ["HEAD_MISMATCH"]


def _report(path: Path, known: NotedRecord | None = None) -> VerifierReport:
    walk = Verification(path, known=known, is_deep=False)
    list(walk.steps())
    return walk.report()
