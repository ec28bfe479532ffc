"""The keys of a gateway by hand: those that a test makes, in force until it ends them."""

from typing import Any

from arbees.core.book.api_keys import (
    ApiKey,
    CreatedKey,
    KeyAsk,
    KeyRefused,
    KeyView,
    RevokedKey,
    obstacle,
    view_of,
)
from arbees.core.language.words import KeyScope

CREATED_NS = 1_769_632_100_000_000_000


class FakeKeys:
    """What of a gateway is about keys; a secret is `secret-ID`."""

    def __init__(self) -> None:
        self.held: dict[str, ApiKey] = {}
        self.revoked: list[tuple[str, str, str]] = []
        self.loosens = False
        self.key_error: Exception | None = None

    def hold(self, name: str, *scopes: KeyScope, **more: Any) -> str:
        """Put a key in force; return its secret."""
        key_id = f"id-{name}"
        self.held[key_id] = ApiKey(
            key_id=key_id, name=name, created_ns=CREATED_NS, scopes=scopes, actor="test", **more
        )
        return f"secret-{key_id}"

    def end(self, name: str) -> None:
        """Revoke a key."""
        self.held[f"id-{name}"] = ApiKey(
            key_id=f"id-{name}", name=name, created_ns=CREATED_NS, revoked_ns=CREATED_NS + 1
        )

    @property
    def is_keyed(self) -> bool:
        return bool(self.held)

    def authenticate(self, secret: str) -> ApiKey | None:
        key_id = secret.removeprefix("secret-")
        return self.held[key_id] if self.is_in_force(key_id) and key_id != secret else None

    def is_in_force(self, key_id: str) -> bool:
        return key_id in self.held and self.held[key_id].is_active

    def keys(self) -> tuple[KeyView, ...]:
        return tuple(view_of(key) for key in self.held.values())

    async def create_key(self, ask: KeyAsk, *, actor: str) -> CreatedKey:
        if self.key_error is not None:
            raise self.key_error
        refused: KeyRefused | None = obstacle(self.held, ask.name)
        if refused is not None:
            raise refused
        key = ApiKey(
            key_id=f"id-{ask.name}",
            name=ask.name,
            created_ns=CREATED_NS,
            scopes=tuple(ask.scopes),
            strategy=ask.strategy,
            caps=ask.caps,
            requests_per_minute=ask.requests_per_minute,
            actor=actor,
        )
        self.held[key.key_id] = key
        return CreatedKey(key=view_of(key), secret=f"secret-{key.key_id}", sequence=9)

    async def revoke_key(self, key_id: str, *, reason: str, actor: str) -> RevokedKey | None:
        if self.key_error is not None:
            raise self.key_error
        if key_id not in self.held:
            return None
        self.revoked.append((key_id, reason, actor))
        self.end(key_id.removeprefix("id-"))
        return RevokedKey(key=view_of(self.held[key_id]), sequence=9)

    def is_loosening(
        self, action: str, *, scope: str, source: str, acknowledge: bool = False
    ) -> bool:
        return action == "DISABLE" or (action == "REDUCE" and self.loosens)
