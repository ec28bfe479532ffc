"""Who asks: checks signatures and timestamps as Kalshi does, and answers 401 in its words.

Source: recorded answers of the demo environment (a timestamp 5 s off passed, 30 s off did not).
"""

import base64
import binascii
from collections.abc import Callable, Mapping

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from arbees.core.language.units import NS_PER_MILLISECOND, NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.rules import ExchangeRefusal

TOLERANCE_NS = 20 * NS_PER_SECOND
"""The real limit lies between 10 and 30 s."""
PublicKey = rsa.RSAPublicKey | ed25519.Ed25519PublicKey
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


def parse_public_key(pem: bytes) -> PublicKey:
    """Read a public key. Raises ValueError: it is none that Kalshi takes."""
    key = load_pem_public_key(pem)
    if not isinstance(key, rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        kind = type(key).__name__
        raise ValueError(f"Expected an RSA or Ed25519 key, was {kind}")  # noqa: TRY004
    return key


class Key(msgspec.Struct, kw_only=True):
    """A key of somebody: what it may do, and with which subaccount alone."""

    public: PublicKey
    owner: str
    scopes: tuple[str, ...] = ("read", "write")
    subaccount: int | None = None

    def may(self, scope: str, *children: str) -> bool:
        """Tell whether it has a scope, or a narrower one that does."""
        return any(each in self.scopes for each in (scope, *children))


class Doorman:
    """Knows the keys of the accounts."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """Know nobody yet."""
        self._now_ns = now_ns
        self.keys: dict[str, Key] = {}
        self.region_expires_ns: int | None = None
        """Until when keys may trade sports and elections; None = nobody asked where they are."""
        self.skew_ns = 0
        """A fault: how far the exchange's clock is ahead."""
        self.seen: set[str] = set()
        self.repeats = 0
        """How many signatures came twice: a client of ours sends none of them again."""

    def admit(self, key_id: str, key: PublicKey, owner: str) -> None:
        """Know a key as somebody's."""
        self.keys[key_id] = Key(public=key, owner=owner)

    def now_ns(self) -> int:
        """Return the exchange's time."""
        return self._now_ns() + self.skew_ns

    def owner(self, headers: Mapping[str, str], method: str, path: str) -> str:
        """Return who asks. Raises Refused: see `key`."""
        return self.key(headers, method, path).owner

    def key(self, headers: Mapping[str, str], method: str, path: str) -> Key:
        """
        Return the key that a call is signed with.

        Args:
            headers: of the request.
            method: in capitals.
            path: from the root, without its query.

        Raises:
            Refused: 401, for the reason that Kalshi gives.
        """
        key_id = headers.get("KALSHI-ACCESS-KEY", "")
        stamp = headers.get("KALSHI-ACCESS-TIMESTAMP", "")
        text = headers.get("KALSHI-ACCESS-SIGNATURE", "")
        if not (key_id and stamp and text):
            raise ExchangeRefusal(401, "signature_is_missing_from_headers")
        if key_id not in self.keys:
            raise ExchangeRefusal(401, "authentication_error", "NOT_FOUND")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
            raise ExchangeRefusal(401, "authentication_error", "INVALID_PARAMETER")
        if abs(int(stamp) * NS_PER_MILLISECOND - self.now_ns()) > TOLERANCE_NS:
            raise ExchangeRefusal(401, "header_timestamp_expired")
        found = self.keys[key_id]
        key = found.public
        try:
            signature = base64.b64decode(text, validate=True)
            message = f"{stamp}{method}{path}".encode()
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, message, _PSS, hashes.SHA256())
            else:
                key.verify(signature, message)
        except (InvalidSignature, binascii.Error, ValueError):
            raise ExchangeRefusal(
                401, "authentication_error", "INCORRECT_API_KEY_SIGNATURE"
            ) from None
        self.repeats += text in self.seen
        self.seen.add(text)
        return found
