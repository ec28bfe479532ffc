"""The witness outside the database: what it says, and what happens without it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbees.errors import JournalCorrupt
from arbees.journal import WitnessMark, read_witness
from arbees.journal.proof.chain import GENESIS
from arbees.journal.proof.witness import LINE_BYTES, decode, encode
from tests.journal.samples import entry, fill, open_journal

MARKS = st.builds(
    WitnessMark,
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**63 - 1),
)


@given(MARKS)
def test_a_line_says_what_was_written(mark: WitnessMark) -> None:
    """Every mark is one line of fixed length, and is read back as it was."""
    line = encode(mark)
    assert len(line) == LINE_BYTES
    assert line.count(b"\n") == 1
    assert decode(line) == mark


@given(MARKS, MARKS, st.integers(1, LINE_BYTES - 1))
def test_half_a_line_is_not_believed(old: WitnessMark, new: WitnessMark, written: int) -> None:
    """A torn line reads as the old one, the new one, or not at all."""
    torn = encode(new)[:written] + encode(old)[written:]
    assert decode(torn) in {old, new, None}


@given(MARKS, st.integers(0, LINE_BYTES - 1), st.integers(0, 7))
def test_a_flipped_bit_is_not_believed(mark: WitnessMark, place: int, bit: int) -> None:
    """A line with any bit changed is not read."""
    line = bytearray(encode(mark))
    line[place] ^= 1 << bit
    assert decode(bytes(line)) is None


def test_it_follows_every_commit(tmp_path: Path) -> None:
    """After each append the file says the new head: sequence, hash and epoch, as text."""
    path = tmp_path / "j.db"
    with open_journal(path) as journal:
        for number in range(1, 4):
            head = journal.append([entry(number)])
            assert read_witness(path) == WitnessMark(head.sequence, head.hash, 1)
            text = (tmp_path / "j.db.head").read_text()
            assert text.split()[:3] == [str(number + 1), head.hash.hex(), "1"]
    with open_journal(path):
        assert read_witness(path) == WitnessMark(4, head.hash, 2)


def test_a_database_ahead_of_it_is_fine(tmp_path: Path) -> None:
    """A witness that lags, as after a power cut, starts and is brought up to date."""
    path = tmp_path / "j.db"
    fill(path, 2)
    old = (tmp_path / "j.db.head").read_bytes()
    with open_journal(path) as journal:
        journal.append([entry(3)])
    (tmp_path / "j.db.head").write_bytes(old)
    with open_journal(path) as journal:
        assert read_witness(path) == WitnessMark(journal.head.sequence, journal.head.hash, 3)


def test_a_start_that_ended_before_its_first_commit_goes_on(tmp_path: Path) -> None:
    """A witness that has seen nothing, with or without an empty database, begins a journal."""
    path = tmp_path / "j.db"
    (tmp_path / "j.db.head").write_bytes(encode(WitnessMark(0, GENESIS, 0)))
    path.write_bytes(b"")
    with open_journal(path) as journal:
        assert journal.head.sequence == 1


@pytest.mark.parametrize("content", [None, b"", b"4 ", b"garbage\n", bytes(LINE_BYTES)])
def test_without_a_readable_one_nothing_starts(tmp_path: Path, content: bytes | None) -> None:
    """A missing or unreadable witness beside records refuses, says what to do, changes nothing."""
    path = tmp_path / "j.db"
    fill(path, 2)
    before = path.read_bytes()
    head = tmp_path / "j.db.head"
    if content is None:
        head.unlink()
    else:
        head.write_bytes(content)
    with pytest.raises(JournalCorrupt, match="Restore"):
        open_journal(path)
    assert path.read_bytes() == before
    assert head.exists() == (content is not None)


def test_one_that_cannot_be_opened_refuses(tmp_path: Path) -> None:
    """A folder in its place is not taken for a missing witness."""
    path = tmp_path / "j.db"
    (tmp_path / "j.db.head").mkdir()
    with pytest.raises(JournalCorrupt, match="Cannot read the head witness"):
        open_journal(path)
