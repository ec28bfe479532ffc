"""Bind a journal to one account, environment and mode, for ever, by its first record.

Guarantees that paper and live, or two accounts, never share a journal. Why: limits, keys and orders
of one would be taken for those of the other. It fails closed: a journal whose first record and
table of facts disagree is corrupt, one that belongs to somebody else refuses with both names.
"""

import apsw
import msgspec

from arbees.core.events import Bound
from arbees.errors import ConfigurationError, JournalCorrupt

KIND = "Bound"
"""Kind of the first record."""

NAMES = ("account", "environment", "mode")


class Binding(msgspec.Struct, frozen=True):
    """Whose journal it is."""

    account: str
    environment: str
    mode: str

    def __str__(self) -> str:
        """Return it for a message."""
        return f"account {self.account}, environment {self.environment}, mode {self.mode}"


def body_of(binding: Binding) -> bytes:
    """Return the body of the first record."""
    return msgspec.json.encode(
        Bound(account=binding.account, environment=binding.environment, mode=binding.mode)
    )


def bound_by(kind: str, body: bytes) -> Binding | None:
    """Return what a first record binds, None if it is no binding."""
    if kind != KIND or not isinstance(body, bytes):
        return None
    try:
        return msgspec.json.decode(body, type=Binding)
    except msgspec.DecodeError:
        return None


def read_binding(connection: apsw.Connection) -> Binding:
    """
    Return whose journal it is, as the first record and the table of facts agree.

    Raises:
        JournalCorrupt: they do not agree, or either is missing.
    """
    first = connection.execute("SELECT kind, body FROM records WHERE sequence = 1").fetchone()
    recorded = None if first is None else bound_by(first[0], first[1])
    facts = dict(connection.execute("SELECT name, value FROM meta"))
    if recorded is None:
        raise JournalCorrupt(
            f"Expected a record of kind {KIND} that binds account, environment and mode",
            sequence=1,
        )
    noted = tuple(facts.get(name) for name in NAMES)
    if noted != (recorded.account, recorded.environment, recorded.mode):
        raise JournalCorrupt(
            f"Expected the binding of the first record ({recorded}), the table of facts says"
            f" {noted}",
            sequence=1,
        )
    return recorded


def require_same(path: str, wanted: Binding, found: Binding) -> None:
    """Raise ConfigurationError, naming both, unless the journal is the wanted one's."""
    if wanted == found:
        return
    raise ConfigurationError(
        f"Expected a journal of {wanted}, this one belongs to {found}",
        setting="JOURNAL_PATH",
        value=path,
        fix="Name another file, or run with the account, environment and mode of this one",
    )
