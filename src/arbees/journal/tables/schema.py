"""Bring the database to the shape that this version knows, by numbered plain SQL.

Guarantees that each migration runs once, in order, all in the transaction of the caller, and that a
database of a newer version or of another program is not touched. Why files: a reader of the SQL
sees what is on disk without reading Python. It fails closed and says what to do.
"""

from functools import cache
from importlib.resources import files

import apsw
import msgspec

from arbees.errors import ConfigurationError, JournalCorrupt, JournalUnavailable
from arbees.journal.engine import integer, run

APPLICATION_ID = 0x41524245
"""`ARBE` in the header of the file, so that `file` and we can tell whose database it is."""


ROLLED_BACK = "JOURNAL_ROLLED_BACK"
"""Code of a journal that holds less than was once durable."""


class Migration(msgspec.Struct, frozen=True):
    """One step of the shape."""

    number: int
    name: str
    script: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Return all steps in order; their numbers are 1, 2, 3 without a gap."""
    found = []
    for entry in files("arbees.journal.tables").joinpath("migrations").iterdir():
        number, _, name = entry.name.partition("_")
        if number.isdigit() and name.endswith(".sql"):
            found.append(Migration(int(number), name.removesuffix(".sql"), entry.read_text()))
    found.sort(key=lambda migration: migration.number)
    assert [step.number for step in found] == list(range(1, len(found) + 1)), found
    return tuple(found)


def newest_version() -> int:
    """Return the version of the shape that this program writes."""
    return len(migrations())


def version_of(connection: apsw.Connection) -> int:
    """Return the version of a database's shape, 0 for an empty one."""
    return integer(connection, "PRAGMA user_version")


def is_blank(connection: apsw.Connection) -> bool:
    """Return whether nothing was ever stored in this database."""
    return (
        version_of(connection) == 0
        and integer(connection, "SELECT count(*) FROM sqlite_schema") == 0
    )


def require_known(path: str, connection: apsw.Connection, *, is_vouched: bool) -> None:
    """
    Refuse a database that this program did not write or does not understand.

    Args:
        path: where it lies, for the message.
        connection: a connection to it.
        is_vouched: whether a witness beside it says that it is a journal with records.

    Raises:
        ConfigurationError: another program's, or a newer version's.
        JournalUnavailable: nothing is in it yet.
        JournalCorrupt: it was a journal, and is empty or says something else now.
    """
    if is_blank(connection) and is_vouched:
        raise JournalCorrupt(
            f"{ROLLED_BACK}: the journal {path} is empty, but its witness saw records. Restore the"
            " newest copy, see docs/journal.md, `Restore`"
        )
    if is_blank(connection):
        raise JournalUnavailable(f"Expected a journal with records, {path} is still empty")
    identity = integer(connection, "PRAGMA application_id")
    if identity != APPLICATION_ID and is_vouched:
        raise JournalCorrupt(
            f"Expected application id {APPLICATION_ID} in the header of {path}, was {identity}."
            " Restore the newest backup, see docs/journal.md, `Restore`"
        )
    if identity != APPLICATION_ID:
        raise ConfigurationError(
            f"Expected a journal of Arbees, was a database of another program"
            f" (application id {identity})",
            setting="JOURNAL_PATH",
            value=path,
            fix="Name another file",
        )
    version = version_of(connection)
    if version > newest_version():
        raise ConfigurationError(
            f"Expected a journal of schema {newest_version()} or older, was {version}",
            setting="JOURNAL_PATH",
            value=path,
            fix="Run the version of Arbees that wrote it, or a newer one; it was not touched",
        )


def migrate(connection: apsw.Connection) -> None:
    """
    Apply what is missing, inside the caller's transaction.

    Args:
        connection: with a transaction open.
    """
    assert connection.in_transaction, "Expected the caller's transaction"
    for step in migrations()[version_of(connection) :]:
        run(connection, step.script)
        run(connection, f"PRAGMA user_version = {step.number}")
    run(connection, f"PRAGMA application_id = {APPLICATION_ID}")
