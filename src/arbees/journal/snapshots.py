"""Keep the newest snapshots of the book, so that a restart need not replay everything.

Guarantees that a snapshot is used only if its own hash holds and the record it stands at is the one
it was taken at; a damaged one is passed over for an older one, or for a full replay. Why this is
not a silent repair: a snapshot is a copy of what the records say, and the verifier reports it. It
fails only where the database does.
"""

from collections.abc import Iterator

import apsw
import msgspec

from arbees.journal.proof.chain import snapshot_hash

KEPT = 3
"""How many are kept."""


class BookSnapshot(msgspec.Struct, frozen=True):
    """A book as of a record."""

    sequence: int
    version: str
    body: bytes


class Damage(msgspec.Struct, frozen=True):
    """A snapshot that must not be used."""

    sequence: int
    message: str


def write(connection: apsw.Connection, taken: BookSnapshot) -> None:
    """Store a snapshot of a known record and thin out the oldest, in the caller's transaction."""
    record_hash = connection.execute(
        "SELECT hash FROM records WHERE sequence = ?", (taken.sequence,)
    ).get
    digest = snapshot_hash(record_hash, taken.sequence, taken.version, taken.body)
    connection.execute(
        "INSERT OR REPLACE INTO snapshots (sequence, version, hash, body) VALUES (?, ?, ?, ?)",
        (taken.sequence, taken.version, digest, taken.body),
    )
    connection.execute(
        "DELETE FROM snapshots WHERE sequence NOT IN"
        " (SELECT sequence FROM snapshots ORDER BY sequence DESC LIMIT ?)",
        (KEPT,),
    )


def judge(connection: apsw.Connection) -> Iterator[BookSnapshot | Damage]:
    """Yield each snapshot, the newest first, as it is or as damage."""
    numbers = [row[0] for row in connection.execute("SELECT sequence FROM snapshots")]
    for sequence in sorted(numbers, reverse=True):
        yield _judge_one(connection, sequence)


def newest(connection: apsw.Connection) -> BookSnapshot | None:
    """Return the newest snapshot that is intact, None if there is none."""
    return next((one for one in judge(connection) if isinstance(one, BookSnapshot)), None)


def _judge_one(connection: apsw.Connection, sequence: int) -> BookSnapshot | Damage:
    """Compare one snapshot with its hash and with the record that it stands at."""
    try:
        found = connection.execute(
            "SELECT s.version, s.hash, s.body, r.hash FROM snapshots AS s"
            " LEFT JOIN records AS r USING (sequence) WHERE s.sequence = ?",
            (sequence,),
        ).fetchone()
    except (apsw.CorruptError, apsw.FormatError, UnicodeDecodeError) as error:
        return Damage(sequence, f"Expected a readable snapshot: {error}")
    if found is None:
        return Damage(sequence, "Expected a snapshot that is listed, was gone")
    version, digest, body, record_hash = found
    if record_hash is None:
        return Damage(sequence, "Expected a snapshot of a known record, was of a later one")
    if not (type(version) is str and type(body) is bytes and type(record_hash) is bytes):
        return Damage(sequence, "Expected text, bytes and bytes, were other values")
    if digest != snapshot_hash(record_hash, sequence, version, body):
        return Damage(sequence, "Expected the hash of what is stored, was another")
    return BookSnapshot(sequence, version, body)
