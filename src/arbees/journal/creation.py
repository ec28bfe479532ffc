"""Begin a journal, or take one over from the writer before.

Guarantees that a journal appears whole, shape, epoch and first record in one commit, or not at all;
and that whoever takes over raises the epoch in a commit of its own, which deposes every earlier
writer. Why the log is copied into the database first: a log whose sync failed in the process before
may lie in the kernel's memory only; copied, it is written and synced anew before anything is built
on it. Fails as the database does; the caller translates.
"""

import apsw

from arbees.core.ports import Head
from arbees.errors import LeaseLost
from arbees.journal.binding import KIND, Binding, body_of
from arbees.journal.opening import OpenableJournal, epoch_of, head_of
from arbees.journal.proof.chain import GENESIS, record_hash
from arbees.journal.tables.schema import migrate

FIRST_EPOCH = 1

INSERT = (
    "INSERT INTO records (sequence, time_ns, epoch, kind, request_id, hash, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
"""Add one record; the values are a `chain.Row`."""


def create(connection: apsw.Connection, binding: Binding, now_ns: int) -> OpenableJournal:
    """
    Make the tables and the first record, inside the caller's transaction.

    Args:
        connection: to an empty database.
        binding: whose journal it is.
        now_ns: the time of the first record.
    """
    migrate(connection)
    facts = (
        ("account", binding.account),
        ("environment", binding.environment),
        ("mode", binding.mode),
        ("epoch", FIRST_EPOCH),
    )
    connection.executemany("INSERT INTO meta (name, value) VALUES (?, ?)", facts)
    body = body_of(binding)
    digest = record_hash(GENESIS, 1, now_ns, FIRST_EPOCH, KIND, None, body)
    connection.execute(INSERT, (1, now_ns, FIRST_EPOCH, KIND, None, digest, body))
    return OpenableJournal(Head(1, digest, now_ns), FIRST_EPOCH)


def take_over(connection: apsw.Connection, found: OpenableJournal) -> OpenableJournal:
    """
    Depose the writer before, inside the caller's transaction.

    Args:
        connection: to the journal.
        found: what was seen of it before.

    Raises:
        LeaseLost: somebody wrote since.
    """
    if OpenableJournal(head_of(connection), epoch_of(connection)) != found:
        raise LeaseLost("The journal was written by somebody else while it was being opened")
    migrate(connection)
    epoch = found.epoch + 1
    connection.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", (epoch,))
    return OpenableJournal(found.head, epoch)


def settle_log(connection: apsw.Connection) -> None:
    """Copy the log that was found into the database and sync that; readers may delay the rest."""
    try:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
    except apsw.BusyError:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
