"""Room on the disk: watched, and set aside for outcomes and halts."""

from pathlib import Path

from arbees.journal.space import Reserve, Space, free_bytes
from tests.journal.samples import open_journal


def test_low_begins_below_the_threshold() -> None:
    """At the threshold there is room, one byte below there is little."""
    assert not Space(100, 100, is_reserve_held=True).is_low
    assert Space(99, 100, is_reserve_held=True).is_low


def test_a_spent_reserve_is_low_whatever_is_free() -> None:
    """Without its reserve the journal cannot promise to take the outcomes."""
    assert Space(10**12, 100, is_reserve_held=False).is_low


def test_the_reserve_takes_blocks_and_gives_them_back(tmp_path: Path) -> None:
    """The file's blocks are really taken, once, and are gone after the release."""
    reserve = Reserve(tmp_path / "j.db", 1 << 20)
    assert not reserve.is_held
    assert reserve.hold()
    assert reserve.hold()
    found = (tmp_path / "j.db.reserve").stat()
    assert found.st_blocks * 512 >= 1 << 20
    assert reserve.release()
    assert not reserve.release()
    assert not reserve.is_held


def test_no_room_means_no_reserve(tmp_path: Path) -> None:
    """A reserve that does not fit is not half there."""
    reserve = Reserve(tmp_path / "j.db", 1 << 60)
    assert not reserve.hold()
    assert list(tmp_path.iterdir()) == []
    assert not Reserve(tmp_path / "missing" / "j.db", 1).hold()


def test_a_reserve_of_nothing_is_held(tmp_path: Path) -> None:
    """Whoever wants none gets none, and is not low for that."""
    reserve = Reserve(tmp_path / "j.db", 0)
    assert reserve.hold()
    assert not reserve.release()
    assert list(tmp_path.iterdir()) == []


def test_a_journal_says_what_is_left(tmp_path: Path) -> None:
    """The threshold is the caller's; the free bytes are the disk's."""
    with open_journal(tmp_path / "j.db", reserve_bytes=1 << 16, low_bytes=1 << 62) as journal:
        space = journal.space()
        assert 0 < space.free_bytes <= free_bytes(tmp_path) + (1 << 30)
        assert space.is_reserve_held
        assert space.is_low
    with open_journal(tmp_path / "j.db", low_bytes=1) as journal:
        assert not journal.space().is_low
