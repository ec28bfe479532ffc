"""`arbees replay JOURNAL`: the book rebuilt, the chain verified, the snapshot held against it."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import astuple

from arbees.cli.commands.prove import rebuild
from arbees.cli.main import main
from arbees.core import events
from arbees.core.book import book as books
from arbees.core.book.apply import apply
from arbees.core.ports import Entry
from arbees.history.rebuild import digest
from arbees.history.recovery import snapshot_version
from arbees.journal import JournalReader, SqliteJournal
from tests.cli.journals import damage, played
from tests.golden.test_golden import JOURNALS
from tests.journal.samples import tamper
from verification.golden import read

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Play a small evening and keep its journal."""
    return played(tmp_path / "kept.db", 4, 25)


def replayed(journal: Path, capsys: Capture, code: int = 0) -> dict[str, object]:
    """Return what the command says in JSON."""
    capsys.readouterr()
    assert main(["replay", str(journal), "--json"]) == code
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def opened(journal: Path, binding: tuple[str, ...]) -> SqliteJournal:
    """Open a journal for writing."""
    account, environment, mode = binding
    return SqliteJournal.open(journal, account=account, environment=environment, mode=mode)


def test_a_whole_journal(journal: Path, capsys: Capture) -> None:
    """Its book is the fold of its records, and equal to the snapshot taken at the end."""
    found = replayed(journal, capsys)
    with JournalReader(journal) as reader:
        book = books.fresh()
        for stored in reader.records():
            apply(book, events.decode(stored.body), stored.sequence, stored.time_ns)
        assert found["hash"] == reader.head.hash.hex()
    assert found["intact"] is True
    assert found["records"] == book.sequence
    assert found["snapshot"]["is_equal"] is True  # type: ignore[index]
    assert found["book"]["digest"] == digest(book)  # type: ignore[index]
    assert main(["replay", str(journal)]) == 0
    said = capsys.readouterr().out
    assert "Proved: the book is the fold of an unbroken chain of records." in said
    assert "is equal to the fold of all records up to it" in said


def test_beside_or_here(journal: Path, capsys: Capture) -> None:
    """A large journal is verified in a process of its own, with the same result."""
    here = replayed(journal, capsys)
    assert rebuild.rebuild(journal, as_json=True, small=1) == 0
    beside = json.loads(capsys.readouterr().out)
    for name in ("records", "hash", "intact", "snapshot", "book"):
        assert here[name] == beside[name]
    damage(journal, 30, b'"type"', b'"tYpe"')
    assert rebuild.rebuild(journal, as_json=True, small=1) == 65
    assert json.loads(capsys.readouterr().out)["first_bad_record"] == 30


def test_damage_in_the_middle(journal: Path, capsys: Capture) -> None:
    """A record that still folds, but is not what was written, is found by its hash."""
    with JournalReader(journal) as reader:
        filled = next(iter(reader.records_of_kinds(("OrderFilled",))))
    damage(journal, filled.sequence, b'"fee":', b'"fee":1')
    found = replayed(journal, capsys, 65)
    assert found["intact"] is False
    assert found["first_bad_record"] == filled.sequence
    assert main(["replay", str(journal)]) == 65
    assert f"first bad: record {filled.sequence}" in capsys.readouterr().err


def test_a_record_that_does_not_follow(journal: Path, capsys: Capture) -> None:
    """The fold stops at the first record that contradicts the book; both findings are told."""
    with JournalReader(journal) as reader:
        ended = next(iter(reader.records_of_kinds(("OrderAcknowledged",))))
    damage(journal, ended.sequence, b'"client_order_id":"arb-', b'"client_order_id":"xrb-')
    found = replayed(journal, capsys, 65)
    assert found["records"] == found["first_bad_record"] == ended.sequence
    lines = str(found["findings"])
    assert "CHAIN_BROKEN" in lines
    assert "Expected an open order" in lines


def test_a_record_is_missing(journal: Path, capsys: Capture) -> None:
    """A gap ends the fold, with the number that is not there."""
    tamper(journal, "DELETE FROM records WHERE sequence = 12")
    found = replayed(journal, capsys, 65)
    assert found["first_bad_record"] == 12


def test_a_snapshot_that_is_not_the_fold(journal: Path, capsys: Capture) -> None:
    """A snapshot with other money in it is 65, and the field is named."""
    with JournalReader(journal) as reader:
        sequence, _, body = reader.snapshot() or (0, "", b"")
        binding = astuple(reader.binding)
    book = books.decode(body)
    book.realized += 1
    writer = opened(journal, binding)
    time_ns = writer.head.time_ns + 1
    event = events.Stopped(reason="once more")
    writer.append([Entry(time_ns, events.kind(event), events.encode(event), None)])
    apply(book, event, sequence + 1, time_ns)
    writer.write_snapshot(sequence + 1, snapshot_version(), books.encode(book))
    writer.close()
    found = replayed(journal, capsys, 65)
    assert found["intact"] is True
    assert found["snapshot"]["differs"] == ["realized"]  # type: ignore[index]
    assert main(["replay", str(journal)]) == 65
    said = capsys.readouterr()
    assert "DIFFERS in realized" in said.out
    assert "is not the snapshot" in said.err


def test_a_snapshot_of_another_version(journal: Path, capsys: Capture) -> None:
    """It is passed over, as at a start, and that is said."""
    with JournalReader(journal) as reader:
        sequence, _, body = reader.snapshot() or (0, "", b"")
        binding = astuple(reader.binding)
    writer = opened(journal, binding)
    writer.append(
        [Entry(writer.head.time_ns + 1, "Stopped", events.encode(events.Stopped(reason="x")), None)]
    )
    writer.write_snapshot(sequence + 1, "0.0.9/other", body)
    writer.close()
    found = replayed(journal, capsys)
    assert found["snapshot"]["is_equal"] is None  # type: ignore[index]
    assert main(["replay", str(journal)]) == 0
    assert "of another version (0.0.9/other)" in " ".join(capsys.readouterr().out.split())


def test_an_event_of_a_newer_version(journal: Path, capsys: Capture) -> None:
    """What this version does not know ends with 65 and the record, not with a trace."""
    with JournalReader(journal) as reader:
        binding = astuple(reader.binding)
    writer = opened(journal, binding)
    head = writer.append([Entry(writer.head.time_ns + 1, "Moved", b'{"type":"Moved"}', None)])
    writer.close()
    found = replayed(journal, capsys, 65)
    assert found["first_bad_record"] == head.sequence
    assert "this version knows" in str(found["findings"])


def test_a_journal_of_a_newer_shape(journal: Path, capsys: Capture) -> None:
    """Tables of a newer version refuse with 78, as everywhere."""
    tamper(journal, "PRAGMA user_version = 99")
    assert main(["replay", str(journal)]) == 78
    assert "99" in capsys.readouterr().err


def test_journals_of_old_versions(tmp_path: Path, capsys: Capture) -> None:
    """A golden journal, written into a database as it was recorded, replays."""
    for path in JOURNALS[:3]:
        place = tmp_path / f"{path.stem}.db"
        (first, *lines) = read(path)[1]
        bound = events.decode(first.body)
        assert isinstance(bound, events.Bound)
        with closing(opened(place, (bound.account, bound.environment, bound.mode))) as writer:
            for line in lines:
                time_ns = max(line.time_ns, writer.head.time_ns)
                writer.append([Entry(time_ns, line.kind, line.body, line.request_id)])
        assert replayed(place, capsys)["intact"] is True


def test_no_journal(tmp_path: Path, capsys: Capture) -> None:
    """There is nothing to replay: a failure, not corruption."""
    assert main(["replay", str(tmp_path / "none.db")]) == 1
    assert "none.db" in capsys.readouterr().err
