"""Ids that are derived, so that they survive a crash and are the same again.

The client order id is made from account, environment and idempotency key, with a fixed prefix: a
crash between commit and wire is settled by asking the venue for it, and an order at the venue with
our prefix that the journal does not know means that the journal was rolled back.
"""

import hashlib
from functools import lru_cache

_OF = "\x1f"
"""Between a strategy and an id of its own; no caller can write it (ids are printable)."""

CLIENT_ORDER_ID_PREFIX = "arb-"
_DOMAIN = b"arbees/client-order-id/v1"
_HEX = 40


def scoped(strategy: str, text: str) -> str:
    """
    Return an id in the namespace of the strategy that an API key is bound to.

    Whatever such a key sends under an id stands in nobody else's way, and tells it nothing of
    others. Callers that are not bound share the namespace of ids as they stand.
    """
    return f"{strategy}{_OF}{text}"


def own(text: str) -> str:
    """Return an id as its caller wrote it."""
    return text.rpartition(_OF)[2]


def is_scoped(text: str) -> bool:
    """Tell whether an id is one of a strategy's own."""
    return _OF in text


def client_order_id(account: str, environment: str, idempotency_key: str) -> str:
    """Return the one client order id of a key, for ever; at most 64 of `[-0-9a-z]`."""
    key = idempotency_key.encode()
    text = _of_account(account, environment) + len(key).to_bytes(4, "big") + key
    return CLIENT_ORDER_ID_PREFIX + hashlib.sha256(text).hexdigest()[:_HEX]


@lru_cache(maxsize=16)
def _of_account(account: str, environment: str) -> bytes:
    return _DOMAIN + _part(account) + _part(environment)


def _part(text: str) -> bytes:
    """Return a text behind its length, so that no two lists of parts look alike."""
    data = text.encode()
    return len(data).to_bytes(4, "big") + data
