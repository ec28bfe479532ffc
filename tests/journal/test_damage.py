"""Files damaged for real: refused with what to do, or read as they are, never quietly shortened."""

import random
import shutil
from pathlib import Path

import pytest

from arbees.errors import ArbeesError, ConfigurationError, JournalCorrupt
from arbees.journal import JournalReader, SqliteJournal, verify
from tests.journal.samples import (
    companions,
    entry,
    fill,
    implied,
    open_journal,
    put,
    tamper,
)

RECORDS = 40


def crashed(folder: Path, records: int = RECORDS) -> Path:
    """Return a journal as `kill -9` leaves it: the records in the log, nothing copied."""
    path = folder / "j.db"
    journal = open_journal(path)
    for number in range(1, records):
        journal.append([entry(number)])
    target = folder / "crashed"
    target.mkdir()
    for file in folder.glob("j.db*"):
        shutil.copy(file, target / file.name)
    journal.close()
    return target / "j.db"


def refusal(path: Path) -> ArbeesError | None:
    """Open and close a journal, or return why not."""
    try:
        open_journal(path).close()
    except (JournalCorrupt, ConfigurationError) as error:
        return error
    return None


def test_a_crash_loses_nothing(tmp_path: Path) -> None:
    """What is only in the log is found again."""
    path = crashed(tmp_path)
    assert verify(path, index_of=implied).records == RECORDS
    with open_journal(path) as journal:
        assert journal.head.sequence == RECORDS


def test_a_missing_index_of_the_log_is_rebuilt(tmp_path: Path) -> None:
    """The shared index of the log holds nothing of its own."""
    path = crashed(tmp_path)
    path.with_name("j.db-shm").unlink()
    with open_journal(path) as journal:
        assert journal.head.sequence == RECORDS


def test_a_removed_log_is_refused(tmp_path: Path) -> None:
    """A lost log is a rolled-back journal: 65, with what to do, and nothing is written."""
    path = crashed(tmp_path)
    path.with_name("j.db-wal").unlink()
    before = companions(path)
    error = refusal(path)
    assert isinstance(error, JournalCorrupt)
    assert error.exit_code == 65
    assert verify_codes(path)
    assert companions(path)[""] == before[""]


def test_a_truncated_log_is_refused(tmp_path: Path) -> None:
    """SQLite drops a torn end without a word; the witness does not."""
    path = crashed(tmp_path)
    log = path.with_name("j.db-wal")
    content = log.read_bytes()
    for keep in (len(content) - 1, len(content) - 4_120, len(content) // 2, 100, 31):
        log.write_bytes(content[:keep])
        before = companions(path)
        error = refusal(path)
        assert isinstance(error, JournalCorrupt)
        assert "JOURNAL_ROLLED_BACK" in str(error) or "readable" in str(error)
        assert "Restore" in str(error) or "restore" in str(error)
        assert companions(path)["-wal"] == before["-wal"], "the evidence must stay"
        assert verify_codes(path) <= {"JOURNAL_ROLLED_BACK", "DATABASE_DAMAGED"}
        put(path, {"-wal": content})
        path.with_name("j.db-shm").unlink(missing_ok=True)
    assert refusal(path) is None


def verify_codes(path: Path) -> set[str]:
    """Return what the verifier finds; its refusal to read counts as a finding."""
    try:
        return {one.code for one in verify(path, index_of=implied).findings}
    except ArbeesError as error:
        return {type(error).__name__}


def test_a_flipped_bit_in_the_log_is_found(tmp_path: Path) -> None:
    """A flip anywhere in what the log contributes shortens the journal, so it is refused."""
    path = crashed(tmp_path)
    log = path.with_name("j.db-wal")
    content = log.read_bytes()
    chance = random.Random(1)
    for _ in range(40):
        place = chance.randrange(32, len(content))
        flipped = bytearray(content)
        flipped[place] ^= 1 << chance.randrange(8)
        log.write_bytes(flipped)
        path.with_name("j.db-shm").unlink(missing_ok=True)
        assert isinstance(refusal(path), JournalCorrupt), place
        assert verify_codes(path), place


def test_a_flipped_bit_in_the_database_is_never_believed(tmp_path: Path) -> None:
    """Each flip is found, or lies where nothing is stored and every record is still whole."""
    path = tmp_path / "j.db"
    fill(path, 60, batch=7)
    whole = companions(path)
    with JournalReader(path) as reader:
        wanted = list(reader.records())
    chance = random.Random(2)
    found = 0
    for _ in range(150):
        flipped = bytearray(whole[""])
        place = chance.randrange(len(flipped))
        flipped[place] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        if verify_codes(path):
            found += 1
            continue
        with JournalReader(path) as reader:
            assert list(reader.records()) == wanted, place
    assert found > 75


@pytest.mark.parametrize("number", [1, 2, 30, 60, 61])
def test_every_changed_record_is_named(tmp_path: Path, number: int) -> None:
    """A body changed with a database tool is named, by the start and by the verifier."""
    path = tmp_path / "j.db"
    fill(path, 60)
    tamper(path, f"UPDATE records SET body = x'7b7d' WHERE sequence = {number}")  # noqa: S608
    error = refusal(path)
    assert isinstance(error, JournalCorrupt)
    assert error.sequence == number
    report = verify(path)
    assert report.first_bad == number
    assert not report.is_intact


def test_removed_records_are_named(tmp_path: Path) -> None:
    """A record taken out of the middle, and one taken off the end, are found."""
    path = tmp_path / "j.db"
    fill(path, 20)
    whole = companions(path)
    tamper(path, "DELETE FROM records WHERE sequence IN (7, 8)")
    assert verify(path).first_bad == 7
    error = refusal(path)
    assert isinstance(error, JournalCorrupt)
    assert error.sequence == 7
    put(path, whole)
    tamper(path, "DELETE FROM records WHERE sequence > 19")
    assert verify(path).findings[0].code == "JOURNAL_ROLLED_BACK"
    assert verify(path).first_bad == 20
    assert "JOURNAL_ROLLED_BACK" in str(refusal(path))


def test_a_truncated_database_is_refused(tmp_path: Path) -> None:
    """A file that lost its end is not taken for a smaller one."""
    path = tmp_path / "j.db"
    fill(path, 60)
    content = path.read_bytes()
    for pages in (1, 2, len(content) // 4096 - 1):
        path.write_bytes(content[: pages * 4096])
        assert isinstance(refusal(path), JournalCorrupt)
        assert verify_codes(path)


def test_a_zeroed_page_is_found(tmp_path: Path) -> None:
    """Zero each page in turn: never believed; where records are, the start refuses as well."""
    path = tmp_path / "j.db"
    fill(path, 60)
    content = path.read_bytes()
    for page in range(len(content) // 4096):
        zeroed = bytearray(content)
        zeroed[page * 4096 : (page + 1) * 4096] = bytes(4096)
        path.write_bytes(zeroed)
        assert verify_codes(path), page
    assert content.count(b"Noted") > 0


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Garbage in the journal's place is corrupt, an empty file next to a witness is a loss."""
    path = tmp_path / "j.db"
    fill(path, 3)
    path.write_bytes(b"not a database at all" * 400)
    assert isinstance(refusal(path), JournalCorrupt)
    assert verify_codes(path) == {"DATABASE_DAMAGED"}
    path.write_bytes(b"")
    assert "JOURNAL_ROLLED_BACK" in str(refusal(path))


def test_a_removed_journal_is_not_begun_anew(tmp_path: Path) -> None:
    """Where a witness or a log says that there was a journal, no new one is made."""
    path = tmp_path / "j.db"
    fill(path, 3)
    path.unlink()
    assert "JOURNAL_ROLLED_BACK" in str(refusal(path))
    assert verify_codes(path) == {"JOURNAL_ROLLED_BACK"}
    path.with_name("j.db.head").unlink()
    path.with_name("j.db-wal").write_bytes(b"left behind")
    assert "JOURNAL_ROLLED_BACK" in str(refusal(path))
    assert not path.exists()


def test_yesterdays_copy_is_refused(tmp_path: Path) -> None:
    """An older copy put back next to today's witness refuses, also after several restarts."""
    path = tmp_path / "j.db"
    fill(path, 3)
    yesterday = path.read_bytes()
    open_journal(path).close()
    today = companions(path)
    path.write_bytes(yesterday)
    assert "epoch 1" in str(refusal(path)), "nothing was appended, but a writer is forgotten"
    put(path, today)
    with open_journal(path) as journal:
        journal.append([entry(4)])
    path.write_bytes(yesterday)
    error = refusal(path)
    assert isinstance(error, JournalCorrupt)
    assert "ends at record 4" in str(error)
    assert "record 5" in str(error)
    assert verify(path).findings[0].code == "JOURNAL_ROLLED_BACK"


def test_another_history_of_the_same_length_is_refused(tmp_path: Path) -> None:
    """A journal that was rewritten, hashes and all, does not pass its witness."""
    one, other = tmp_path / "one", tmp_path / "other"
    fill(one / "j.db", 5)
    journal = open_journal(other / "j.db")
    journal.append([entry(number, ()) for number in range(1, 6)])
    journal.close()
    shutil.copy(other / "j.db", one / "j.db")
    error = refusal(one / "j.db")
    assert isinstance(error, JournalCorrupt)
    assert "witness" in str(error)
    assert verify_codes(one / "j.db") == {"WITNESS_MISMATCH"}


def test_a_binding_that_was_edited_is_found(tmp_path: Path) -> None:
    """Turning a paper journal into a live one by hand is corruption."""
    path = tmp_path / "j.db"
    fill(path, 3)
    tamper(path, "UPDATE meta SET value = 'live' WHERE name = 'mode'")
    with pytest.raises(JournalCorrupt):
        SqliteJournal.open(path, account="main", environment="test", mode="live")
    assert verify_codes(path) == {"BINDING_MISMATCH"}


def test_an_epoch_that_was_edited_is_found(tmp_path: Path) -> None:
    """An epoch set back, which would let a deposed writer in, is corruption."""
    path = tmp_path / "j.db"
    for number in (1, 2, 3):
        with open_journal(path) as journal:
            journal.append([entry(number)])
    tamper(path, "UPDATE meta SET value = 1 WHERE name = 'epoch'")
    assert isinstance(refusal(path), JournalCorrupt)
    assert "JOURNAL_ROLLED_BACK" in verify_codes(path)
    path.with_name("j.db.head").unlink()
    assert verify_codes(path) == {"EPOCH_BACKWARDS"}


def test_a_damaged_snapshot_is_passed_over(tmp_path: Path) -> None:
    """An older snapshot, or none, is used instead; the verifier says which is damaged."""
    path = tmp_path / "j.db"
    with open_journal(path) as journal:
        for number in range(1, 6):
            journal.append([entry(number)])
            journal.write_snapshot(number + 1, "v", b"book %d" % number)
    tamper(path, "UPDATE snapshots SET body = x'00' WHERE sequence = 6")
    with open_journal(path) as journal:
        assert journal.snapshot() == (5, "v", b"book 4")
    report = verify(path)
    assert [one.code for one in report.findings] == ["SNAPSHOT_DAMAGED"]
    assert report.snapshots == 2
    tamper(path, "UPDATE snapshots SET version = 'w'")
    with open_journal(path) as journal:
        assert journal.snapshot() is None


def test_snapshots_are_thinned(tmp_path: Path) -> None:
    """The newest three are kept, and the newest is returned."""
    path = tmp_path / "j.db"
    with open_journal(path) as journal:
        journal.append([entry(number) for number in range(1, 10)])
        for sequence in (2, 4, 6, 8, 8):
            journal.write_snapshot(sequence, "v", b"book %d" % sequence)
        assert journal.snapshot() == (8, "v", b"book 8")
    assert verify(path).snapshots == 3
