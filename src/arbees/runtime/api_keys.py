"""API keys of a running gateway: which are in force, who comes with which.

Guarantees that a key is in force only once its creation is durable, and that it ends in memory
before its end is awaited: what waits at the writer then is decided after the revocation, and
denied. If the journal fails, the key stays ended for as long as the process lives. The secret is
made here, told once to whoever asked, and kept nowhere.
"""

import secrets
from collections.abc import Iterable

from arbees.core import events
from arbees.core.book.api_keys import (
    ApiKey,
    CreatedKey,
    KeyAsk,
    KeyRefused,
    KeyView,
    RevokedKey,
    key_of,
    obstacle,
    view_of,
)
from arbees.core.book.book import Book
from arbees.core.deciding import commands
from arbees.core.language.key_secret import (
    ID_BYTES,
    RANDOM_BYTES,
    digest_of,
    id_of,
    is_of,
    make_secret,
)
from arbees.core.language.words import HaltSource, TradingState
from arbees.core.ports import Stored
from arbees.runtime.desk import Desk
from arbees.runtime.intake.writer import Lane

KEY_KINDS = (events.KeyCreated.__name__, events.KeyRevoked.__name__)
"""Kinds of the records that say which keys there are."""


def has_key(records: Iterable[Stored]) -> bool:
    """Tell whether a key is in force after the records of `KEY_KINDS`."""
    active: set[str] = set()
    for stored in records:
        event = events.decode(stored.body)
        if isinstance(event, events.KeyCreated):
            active.add(event.key_id)
        elif isinstance(event, events.KeyRevoked):
            active.discard(event.key_id)
    return bool(active)


class KeyRing:
    """The keys as they are durable, less those that end just now."""

    def __init__(self, book: Book) -> None:
        """Take the keys of a book that was recovered."""
        self._keys = dict(book.keys)
        self._ending: set[str] = set()

    @property
    def is_keyed(self) -> bool:
        """Whether a key was ever made."""
        return bool(self._keys)

    def all(self) -> tuple[ApiKey, ...]:
        """Return the keys, oldest first."""
        return tuple(sorted(self._keys.values(), key=lambda key: (key.created_ns, key.key_id)))

    def find(self, key_id: str) -> ApiKey | None:
        """Return a key in force or ended."""
        return self._keys.get(key_id)

    def in_force(self, key_id: str) -> ApiKey | None:
        """Return a key that is there and not revoked."""
        key = self._keys.get(key_id)
        return key if key is not None and key.is_active and key_id not in self._ending else None

    def authenticate(self, secret: str) -> ApiKey | None:
        """Return the key in force whose secret this is."""
        key_id = id_of(secret)
        if key_id is None:
            return None
        key = self.in_force(key_id)
        return key if is_of(secret, None if key is None else key.digest) else None

    def end(self, key_id: str) -> None:
        """End a key in memory."""
        self._ending.add(key_id)

    def follow(self, event: events.Event, book: Book, time_ns: int) -> None:
        """Take a durable event about a key."""
        if isinstance(event, events.KeyCreated):
            self._keys[event.key_id] = key_of(event, time_ns)
        elif isinstance(event, events.KeyRevoked):
            self._ending.discard(event.key_id)
            # The book has applied it, and has dropped the oldest that ended.
            kept = book.keys
            self._keys = {name: key for name, key in self._keys.items() if name in kept}
            self._keys[event.key_id] = kept[event.key_id]


class KeyedDesk:
    """The part of the gateway that is about keys; implements `core.book.api_keys.KeyHolder`."""

    def __init__(self, desk: Desk) -> None:
        """Hold the keys of a desk."""
        self.desk = desk
        self.key_ring = KeyRing(desk.book)

    @property
    def is_keyed(self) -> bool:
        """Whether a key was ever made."""
        return self.key_ring.is_keyed

    def authenticate(self, secret: str) -> ApiKey | None:
        """Return the key in force whose secret this is."""
        return self.key_ring.authenticate(secret)

    def is_in_force(self, key_id: str) -> bool:
        """Whether a key is there, and not revoked."""
        return self.key_ring.in_force(key_id) is not None

    def keys(self) -> tuple[KeyView, ...]:
        """Return the keys, oldest first."""
        return tuple(view_of(key) for key in self.key_ring.all())

    async def create_key(self, ask: KeyAsk, *, actor: str) -> CreatedKey:
        """Make a key; see the port."""
        id_bytes, random_bytes = secrets.token_bytes(ID_BYTES), secrets.token_bytes(RANDOM_BYTES)
        key_id, secret = make_secret(id_bytes, random_bytes)
        command = commands.CreateKey(key_id=key_id, digest=digest_of(secret), ask=ask, actor=actor)
        committed = await self.desk.writer.put(command, Lane.CONTROL)
        if not committed.records:
            taken = KeyRefused("KEY_NAME_TAKEN", "Another key took its place; ask again.")
            raise obstacle(self.desk.book.keys, ask.name) or taken
        sequence, time_ns, event = committed.records[0]
        assert isinstance(event, events.KeyCreated)
        return CreatedKey(key=view_of(key_of(event, time_ns)), secret=secret, sequence=sequence)

    async def revoke_key(self, key_id: str, *, reason: str, actor: str) -> RevokedKey | None:
        """End a key, in force at once; see the port."""
        known = self.key_ring.find(key_id)
        if known is None:
            return None
        if known.is_active:
            self.key_ring.end(key_id)
        command = commands.RevokeKey(key_id=key_id, reason=reason, actor=actor)
        await self.desk.writer.put(command, Lane.CONTROL)
        key = self.key_ring.find(key_id)
        if key is None:
            return None
        return RevokedKey(key=view_of(key), sequence=self.desk.journal.head.sequence)

    def is_loosening(
        self, action: str, *, scope: str, source: str, acknowledge: bool = False
    ) -> bool:
        """Tell whether a kill-switch command frees trading; see the port."""
        scope, source = self.desk.scopes.canonical(scope), HaltSource(source)
        if action != "REDUCE" or acknowledge:
            return action != "ENABLE"
        return any(
            held.state.rank > TradingState.REDUCING.rank
            for place, held in self.desk.gate.in_force().items()
            if place[:2] == (source, scope)
        )
