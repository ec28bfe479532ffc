"""API keys: who may ask for what, as the journal and the book know it.

Guarantees that a secret is nowhere but in the answer to whoever made the key: journal, book and
views hold its SHA-256. A key may be bound to a strategy and carry caps of its own, which only ever
tighten those of the account. What is asked for is read exactly or refused with the field's name.
"""

import re
from decimal import Decimal
from typing import Annotated, Protocol

import msgspec

from arbees.core.event import Event
from arbees.core.language import strict_json
from arbees.core.language.strict_json import (
    ABSENT,
    IdentifierText,
    Malformed,
    OptionalNumber,
)
from arbees.core.language.units import MICRO, format_micro, to_decimal
from arbees.core.language.words import KeyScope

KEYS_MAX = 256
"""Keys in force at once."""
REVOKED_MAX = 256
"""Revoked ones that the book still names; the journal names all."""
COUNT_MAX = 1_000_000
REQUESTS_MAX = 60_000
"""A minute. What is counted is kept for a minute, so this bounds the memory of a key."""
AMOUNT_MAX = 1_000_000_000 * MICRO
REASON_MAX = 500
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class Caps(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits of one key besides the account's; null = the account's alone."""

    max_order_size: int | None = None
    """Greatest notional of an order, in micro-dollars."""
    max_order_contracts: int | None = None
    """Greatest quantity of an order, in micro-contracts."""
    max_orders_per_minute: int | None = None
    """Most orders of the key approved in any minute; reducing ones do not count."""
    max_orders_per_hour: int | None = None
    """Most orders of the key approved in any hour; likewise."""


NO_CAPS = Caps()


class KeyCreated(Event, frozen=True, kw_only=True):
    """An API key was made. The secret itself is nowhere."""

    key_id: str
    """Public part of the key: what names it in lists and records."""
    name: str
    """Who uses it; what its holder does is recorded as done by `key:NAME`."""
    digest: str
    """SHA-256 of the whole key, in hex."""
    scopes: tuple[str, ...]
    """What it may be used for."""
    actor: str
    strategy: str | None = None
    """The only strategy that it acts for; null = any."""
    caps: Caps = NO_CAPS
    """Limits of its own."""
    requests_per_minute: int | None = None
    """Most HTTP requests in any minute; null = any number."""


class KeyRevoked(Event, frozen=True, kw_only=True):
    """An API key ended. Its orders go on; nothing new is accepted from it."""

    key_id: str
    reason: str
    actor: str


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key as the book holds it; of a revoked one only its name and its times stay."""

    key_id: str
    name: str
    created_ns: int
    revoked_ns: int | None = None
    digest: str = ""
    scopes: tuple[str, ...] = ()
    strategy: str | None = None
    caps: Caps = NO_CAPS
    requests_per_minute: int | None = None
    actor: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it was not revoked."""
        return self.revoked_ns is None


def key_of(event: KeyCreated, time_ns: int) -> ApiKey:
    """Return a key right after its creation."""
    return ApiKey(
        key_id=event.key_id,
        name=event.name,
        created_ns=time_ns,
        digest=event.digest,
        scopes=event.scopes,
        strategy=event.strategy,
        caps=event.caps,
        requests_per_minute=event.requests_per_minute,
        actor=event.actor,
    )


class KeyRefused(Exception):  # noqa: N818 - an expected outcome
    """
    A key that cannot be made.

    Attributes:
        code: `KEY_NAME_TAKEN` or `TOO_MANY_KEYS`.
        message: what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        """Say why, and what to do."""
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


def obstacle(keys: dict[str, ApiKey], name: str) -> KeyRefused | None:
    """Return why a key of a name cannot be made now, None if it can."""
    active = [key for key in keys.values() if key.is_active]
    if any(key.name == name for key in active):
        return KeyRefused(
            "KEY_NAME_TAKEN",
            f"Expected a name of its own, {name} is a key in force: records name keys by it. "
            "Revoke that one first, or take another name.",
        )
    if len(active) >= KEYS_MAX:
        return KeyRefused(
            "TOO_MANY_KEYS", f"Expected fewer than {KEYS_MAX} keys in force; revoke some first."
        )
    return None


# What is asked for -----------------------------------------------------------------------------


class KeyAsk(msgspec.Struct, frozen=True, kw_only=True):
    """A key that somebody wants, read and checked."""

    name: str
    scopes: tuple[KeyScope, ...]
    strategy: str | None = None
    caps: Caps = NO_CAPS
    requests_per_minute: int | None = None


_ONE_OF_SCOPES = msgspec.Meta(extra_json_schema={"enum": list(KeyScope)})
_COUNT = {"minimum": 1, "maximum": COUNT_MAX}


class KeyAskWire(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A key that somebody wants."""

    name: Annotated[str, msgspec.Meta(extra_json_schema={"pattern": f"^{_NAME.pattern}$"})]
    """Who uses it; what its holder does is recorded as done by `key:NAME`."""
    scopes: Annotated[
        list[Annotated[str, _ONE_OF_SCOPES]], msgspec.Meta(extra_json_schema={"minItems": 1})
    ]
    """What it may be used for."""
    strategy: IdentifierText | None = None
    """The only strategy that it acts for; then it cannot have `admin`."""
    max_order_size: OptionalNumber = ABSENT
    """Greatest notional of an order in dollars, besides the account's limit."""
    max_order_contracts: OptionalNumber = ABSENT
    """Greatest quantity of an order, besides the account's limit."""
    max_orders_per_minute: Annotated[int, msgspec.Meta(extra_json_schema=_COUNT)] | None = None
    """Most orders approved in any minute; reducing ones do not count."""
    max_orders_per_hour: Annotated[int, msgspec.Meta(extra_json_schema=_COUNT)] | None = None
    """Most orders approved in any hour; at least those of a minute."""
    requests_per_minute: (
        Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": REQUESTS_MAX})]
        | None
    ) = None
    """Most requests in any minute; stops and cancels do not count."""


_DECODER = msgspec.json.Decoder(KeyAskWire)
_SCOPES = strict_json.words(KeyScope)


def parse_ask(data: bytes) -> KeyAsk:
    """
    Read what key somebody wants.

    Args:
        data: a JSON object.

    Raises:
        Malformed: what is wrong, and in which field.
    """
    raw = strict_json.decode(data, _DECODER)
    if _NAME.fullmatch(raw.name) is None:
        expected = "Expected 1 to 64 letters, digits, dots, dashes or underscores"
        raise Malformed("name", f"{expected}, was {strict_json.shown(raw.name)}")
    scopes = _scopes(raw.scopes)
    strategy = None if raw.strategy is None else strict_json.identifier("strategy", raw.strategy)
    if strategy is not None and KeyScope.ADMIN in scopes:
        raise Malformed(
            "scopes",
            "Expected no admin in a key that is bound to a strategy: admin concerns the whole "
            "account. Make two keys.",
        )
    minute = _count("max_orders_per_minute", raw.max_orders_per_minute, COUNT_MAX)
    hour = _count("max_orders_per_hour", raw.max_orders_per_hour, COUNT_MAX)
    if minute is not None and hour is not None and minute > hour:
        raise Malformed(
            "max_orders_per_minute", f"Expected at most max_orders_per_hour {hour}, was {minute}"
        )
    caps = Caps(
        max_order_size=_amount("max_order_size", raw.max_order_size),
        max_order_contracts=_amount("max_order_contracts", raw.max_order_contracts),
        max_orders_per_minute=minute,
        max_orders_per_hour=hour,
    )
    return KeyAsk(
        name=raw.name,
        scopes=scopes,
        strategy=strategy,
        caps=NO_CAPS if caps == NO_CAPS else caps,
        requests_per_minute=_count("requests_per_minute", raw.requests_per_minute, REQUESTS_MAX),
    )


def _scopes(texts: list[str]) -> tuple[KeyScope, ...]:
    """Read scopes; each once, in the order of their definition."""
    wanted = [strict_json.word("scopes", text, _SCOPES) for text in texts]
    if not wanted:
        raise Malformed("scopes", f"Expected at least one of {', '.join(KeyScope)}, was none")
    return tuple(scope for scope in KeyScope if scope in wanted)


def _amount(field: str, raw: msgspec.Raw) -> int | None:
    amount = strict_json.optional_number(field, raw)
    if amount is not None and not 0 < amount <= AMOUNT_MAX:
        raise Malformed(field, f"Expected above 0, at most 1e9, was {format_micro(amount)}")
    return amount


def _count(field: str, count: int | None, most: int) -> int | None:
    if count is not None and not 1 <= count <= most:
        raise Malformed(field, f"Expected a whole number from 1 to {most}, was {count}")
    return count


# What is shown ---------------------------------------------------------------------------------


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, without its secret; of a revoked one only its name and its times."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    strategy: str | None
    max_order_size: Decimal | None
    max_order_contracts: Decimal | None
    max_orders_per_minute: int | None
    max_orders_per_hour: int | None
    requests_per_minute: int | None
    created_at: str
    created_by: str | None
    revoked_at: str | None


class CreatedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was made, and its secret, which nobody can be told again."""

    key: KeyView
    secret: str
    """The whole key, as it goes into `Authorization: Bearer`."""
    sequence: int

    def __repr__(self) -> str:
        """Show it without the secret: a repr ends up in logs."""
        return f"CreatedKey(key={self.key!r}, secret=***, sequence={self.sequence})"


class RevokedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that ended, now or before."""

    key: KeyView
    sequence: int


def view_of(key: ApiKey) -> KeyView:
    """Return a key as it is shown."""
    caps = key.caps
    return KeyView(
        key_id=key.key_id,
        name=key.name,
        scopes=key.scopes,
        strategy=key.strategy,
        max_order_size=_decimal(caps.max_order_size),
        max_order_contracts=_decimal(caps.max_order_contracts),
        max_orders_per_minute=caps.max_orders_per_minute,
        max_orders_per_hour=caps.max_orders_per_hour,
        requests_per_minute=key.requests_per_minute,
        created_at=strict_json.format_time(key.created_ns),
        created_by=key.actor or None,
        revoked_at=None if key.revoked_ns is None else strict_json.format_time(key.revoked_ns),
    )


def _decimal(micro: int | None) -> Decimal | None:
    return None if micro is None else to_decimal(micro)


class KeyHolder(Protocol):
    """What of the gateway is about keys; all on its event loop."""

    @property
    def is_keyed(self) -> bool:
        """Whether a key was ever made: from then on nothing is open without one."""
        ...

    def authenticate(self, secret: str) -> ApiKey | None:
        """Return the key in force whose secret this is; None = none is."""
        ...

    def is_in_force(self, key_id: str) -> bool:
        """Whether a key is there, and not revoked."""
        ...

    def keys(self) -> tuple[KeyView, ...]:
        """Return the keys, oldest first, the revoked ones too."""
        ...

    async def create_key(self, ask: KeyAsk, *, actor: str) -> CreatedKey:
        """
        Make a key; it is in force once it is durable.

        Raises:
            KeyRefused: its name is taken, or there are too many.
            Undecided: the journal failed.
        """
        ...

    async def revoke_key(self, key_id: str, *, reason: str, actor: str) -> RevokedKey | None:
        """
        End a key, in force in memory before anything is awaited; None = there is no such key.

        Raises:
            Undecided: the journal failed; the key stays ended for as long as the process lives.
        """
        ...

    def is_loosening(
        self, action: str, *, scope: str, source: str, acknowledge: bool = False
    ) -> bool:
        """
        Tell whether a kill-switch command frees trading: DISABLE, or REDUCE of what is HALTED.

        Args:
            action: ENABLE, REDUCE or DISABLE.
            scope: of the command.
            source: who halts.
            acknowledge: to reduce, step down also what others halted.

        Raises:
            ValueError: unknown scope or source.
        """
        ...
