"""Remember: append-only, hash-chained, group commit; SQLite.

`SqliteJournal` is the one writer, `JournalReader` follows it, `verify` proves a file from outside,
`backup` copies it and `restore` goes on from a copy. What is on disk and when it is written
stands in `docs/journal.md`.
"""

from arbees.journal.backup import accept_head, backup, restore
from arbees.journal.binding import Binding
from arbees.journal.proof.index_check import IndexOf, implied_by_events
from arbees.journal.proof.verifier import (
    JournalFinding,
    Progress,
    Verification,
    VerifierReport,
    verify,
)
from arbees.journal.proof.witness import WitnessMark, read_witness
from arbees.journal.reader import JournalReader
from arbees.journal.space import Space
from arbees.journal.store import SqliteJournal

__all__ = [
    "Binding",
    "IndexOf",
    "JournalFinding",
    "JournalReader",
    "Progress",
    "Space",
    "SqliteJournal",
    "Verification",
    "VerifierReport",
    "WitnessMark",
    "accept_head",
    "backup",
    "implied_by_events",
    "read_witness",
    "restore",
    "verify",
]
