"""Verifying in a process of its own says what verifying here says."""

from pathlib import Path

import pytest

from arbees.errors import ConfigurationError, JournalUnavailable
from arbees.journal import Verification
from arbees.journal.proof.background_verifier import Beside
from tests.journal.samples import fill, tamper


def filled(folder: Path) -> Path:
    """Return a journal with ten records."""
    path = folder / "journal.db"
    fill(path, 10)
    return path


def test_the_same_report(tmp_path: Path) -> None:
    """Of a whole journal, and of one with a changed record."""
    path = filled(tmp_path)
    for damage in (None, "UPDATE records SET kind = 'Other' WHERE sequence = 2"):
        if damage is not None:
            tamper(path, damage)
        here = Verification(path, is_deep=False)
        list(here.steps())
        expected = here.report()
        with Beside(path) as beside:
            found = beside.report()
            assert beside.poll().done == expected.records
        assert (found.head, found.findings) == (expected.head, expected.findings)
        assert found.is_intact is (damage is None)


def test_what_cannot_be_read_is_raised_here(tmp_path: Path) -> None:
    """No journal, and another program's database."""
    with Beside(tmp_path / "none.db") as beside, pytest.raises(JournalUnavailable):
        beside.report()
    path = filled(tmp_path)
    tamper(path, "PRAGMA user_version = 99")
    with Beside(path) as beside, pytest.raises(ConfigurationError):
        beside.report()


def test_a_process_that_dies_is_a_fault(tmp_path: Path) -> None:
    """Its end is noticed, and taken for no report."""
    beside = Beside(filled(tmp_path))
    beside._process.kill()
    beside._process.join()
    with beside, pytest.raises(JournalUnavailable, match="ended early"):
        beside.report()
