"""The shape of the database: numbered steps, and whose file it is."""

from pathlib import Path

import apsw
import pytest

from arbees.errors import ConfigurationError, JournalCorrupt, JournalUnavailable
from arbees.journal.engine import run
from arbees.journal.tables.schema import (
    is_blank,
    migrate,
    migrations,
    newest_version,
    version_of,
)
from tests.journal.samples import companions, fill, open_journal, tamper


def test_steps_are_numbered_without_gaps() -> None:
    """Every step has a number, a name and a script."""
    steps = migrations()
    assert [step.number for step in steps] == list(range(1, newest_version() + 1))
    assert all(step.name and step.script for step in steps)


def test_steps_run_once() -> None:
    """Migrating twice is migrating once, and a rollback undoes all of it."""
    connection = apsw.Connection(":memory:")
    run(connection, "BEGIN")
    migrate(connection)
    run(connection, "ROLLBACK")
    assert is_blank(connection)
    run(connection, "BEGIN")
    migrate(connection)
    migrate(connection)
    run(connection, "COMMIT")
    assert version_of(connection) == newest_version()
    assert not is_blank(connection)
    connection.close()


def test_a_newer_shape_is_refused_untouched(tmp_path: Path) -> None:
    """A journal of a newer version says which version to run, and is left alone."""
    path = tmp_path / "j.db"
    fill(path, 2)
    tamper(path, "PRAGMA user_version = 99")
    before = companions(path)
    with pytest.raises(ConfigurationError, match=r"schema .* was 99.* newer one"):
        open_journal(path)
    assert companions(path) == before


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """A wrong JOURNAL_PATH is a setting; the same beside a witness is damage."""
    other = tmp_path / "other.db"
    tamper(other, "CREATE TABLE t (x)")
    before = other.read_bytes()
    with pytest.raises(ConfigurationError, match="JOURNAL_PATH"):
        open_journal(other)
    assert other.read_bytes() == before
    path = tmp_path / "j.db"
    fill(path, 2)
    tamper(path, "PRAGMA application_id = 1")
    with pytest.raises(JournalCorrupt, match="application id"):
        open_journal(path)


def test_a_database_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A folder in the database's place is no journal."""
    (tmp_path / "j.db").mkdir()
    with pytest.raises(JournalUnavailable):
        open_journal(tmp_path / "j.db")
