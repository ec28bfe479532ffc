"""A journal appears whole or not at all, whenever the process that makes it is killed."""

import os
from pathlib import Path

import pytest

from arbees.journal import backup, verify
from tests.journal.samples import START_NS, entry, fill, implied, open_journal
from verification.crashes import Crashes


def test_making_a_journal_may_be_killed_anywhere(tmp_path: Path) -> None:
    """What is left at any point is a journal that opens, or a place where one can be made."""
    folder = tmp_path / "life"
    folder.mkdir()

    def judge(left: Path) -> None:
        with open_journal(left / "j.db") as journal:
            journal.append([entry(1)])
            assert journal.head.sequence in {2, 3}
        assert verify(left / "j.db", index_of=implied).is_intact

    async def make() -> None:
        with open_journal(folder / "j.db") as journal:
            journal.append([entry(1)])

    crashes = Crashes(folder, lambda: None, judge, tmp_path)
    crashes.begin()
    survey = crashes.run(make(), lambda: START_NS)
    assert survey.failures == []
    assert survey.points["after write j.db"] > 0
    assert survey.points["after write j.db-wal"] > 0


@pytest.mark.parametrize("mask", [0o022, 0o000, 0o077])
def test_others_cannot_read_a_journal(tmp_path: Path, mask: int) -> None:
    """Whatever the umask, journal, log, witness, lock and backup are their owner's alone."""
    path = tmp_path / "j.db"
    before = os.umask(mask)
    try:
        with open_journal(path) as journal:
            journal.append([entry(1)])
            backup(path, tmp_path / "copy.db")
            names = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert {"j.db", "j.db-wal", "j.db-shm", "j.db.head", "j.db.lock", "copy.db"} <= names.keys()
    assert set(names.values()) == {0o600}


def test_a_journal_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """One made by an older version is tightened when it is opened; its group stays as it was."""
    path = tmp_path / "j.db"
    fill(path, 3)
    path.chmod(0o644)
    with open_journal(path):
        assert path.stat().st_mode & 0o777 == 0o640
