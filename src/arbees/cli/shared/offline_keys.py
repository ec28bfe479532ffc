"""API keys in a journal that no gateway writes: how the first one of an account is made.

Guarantees the same records that a running gateway would write, decided by the same code over the
fold of the journal, and durable when a method returns. It fails with `LeaseLost` where a gateway
has the journal.
"""

import time
from types import TracebackType
from typing import Self

from arbees.core import events
from arbees.core.book.api_keys import (
    ApiKey,
    KeyAsk,
    KeyView,
    obstacle,
    view_of,
)
from arbees.core.book.apply import apply
from arbees.core.book.book import Book, fresh
from arbees.core.book.fold_control import key_created, key_revoked
from arbees.core.deciding import commands, control
from arbees.core.language.key_secret import digest_of
from arbees.core.ports import Entry
from arbees.history.recovery import recover
from arbees.journal import JournalReader, SqliteJournal
from arbees.runtime.api_keys import KEY_KINDS
from arbees.settings import Settings


class KeyJournal:
    """A journal opened to change its keys."""

    def __init__(self, settings: Settings) -> None:
        """
        Open the journal of the settings; it is made where there is none.

        Raises:
            LeaseLost: a gateway writes it.
            JournalCorrupt, JournalUnavailable, ConfigurationError: it cannot be used.
        """
        self._journal = SqliteJournal.open(
            settings.journal_path(),
            account=settings.gateway.account,
            environment=settings.gateway.environment,
            mode=settings.mode,
        )
        try:
            self._book = recover(self._journal)
        except BaseException:
            self._journal.close()
            raise

    @staticmethod
    def read(settings: Settings) -> tuple[tuple[KeyView, ...], int]:
        """Return the keys of the journal of the settings, and its last record; takes no lock."""
        path = settings.journal_path()
        if not path.exists():
            return (), 0
        book = fresh()
        with JournalReader(path) as reader:
            head = reader.head.sequence
            for stored in reader.records_of_kinds(KEY_KINDS):
                event = events.decode(stored.body)
                if isinstance(event, events.KeyCreated):
                    key_created(book, event, stored.time_ns)
                elif isinstance(event, events.KeyRevoked):
                    key_revoked(book, event, stored.time_ns)
        return tuple(view_of(key) for key in _sorted(book)), head

    def create(self, key_id: str, secret: str, ask: KeyAsk, actor: str) -> tuple[KeyView, int]:
        """
        Make a key.

        Returns:
            The key, and the sequence of its record.

        Raises:
            KeyRefused: its name is taken, or there are too many.
        """
        refused = obstacle(self._book.keys, ask.name)
        if refused is not None:
            raise refused
        command = commands.CreateKey(key_id=key_id, digest=digest_of(secret), ask=ask, actor=actor)
        return self._write(control.create_key(self._book, command), key_id)

    def revoke(self, key_id: str, reason: str, actor: str) -> tuple[KeyView, int]:
        """End a key that there is; one that has ended stays so. Returns as `create`."""
        command = commands.RevokeKey(key_id=key_id, reason=reason, actor=actor)
        return self._write(control.revoke_key(self._book, command), key_id)

    def _write(self, decision: commands.Decision, key_id: str) -> tuple[KeyView, int]:
        entries: list[Entry] = []
        for event in decision.events:
            time_ns = max(self._book.time_ns + 1, time.time_ns())
            apply(self._book, event, self._book.sequence + 1, time_ns)
            entries.append(Entry(time_ns, events.kind(event), events.encode(event), None))
        if entries:
            self._journal.append(entries)
        return view_of(self._book.keys[key_id]), self._journal.head.sequence

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close the journal."""
        self._journal.close()


def _sorted(book: Book) -> list[ApiKey]:
    return sorted(book.keys.values(), key=lambda key: (key.created_ns, key.key_id))
