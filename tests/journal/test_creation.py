"""A journal appears whole or not at all, whenever the process that makes it is killed."""

from pathlib import Path

from arbees.journal import verify
from arbees.testing.crashes import Crashes
from tests.journal.samples import START_NS, entry, implied, open_journal


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
