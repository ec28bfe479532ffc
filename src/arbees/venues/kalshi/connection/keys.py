"""Private keys of Kalshi's API: what kind one is, and what it signs.

Guarantees that the kind is told by the parsed key, never by the words around it; that a key which
Kalshi would not take is refused before the first request; and that neither a message nor a `repr`
shows any of it. Fails by `ConfigurationError`.

Source: docs.kalshi.com, "API keys": RSA-2048 with PSS, SHA-256, MGF1 over SHA-256 and a salt as
long as the digest; Ed25519 since 2026-09-24. Both sign timestamp, method and path, not the body.
"""

import base64
import binascii

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from arbees.errors import ConfigurationError

RSA_BITS_MIN = 2_048
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
_SHA256 = hashes.SHA256()
_SETTING = "KALSHI_PRIVATE_KEY"
_FIX = "Set KALSHI_PRIVATE_KEY_FILE to the file that Kalshi made with the key, mode 0600."


class SigningKey:
    """A private key that Kalshi takes."""

    __slots__ = ("_key", "kind")

    def __init__(self, key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> None:
        """Hold a key; see `parse_key`."""
        self._key = key
        self.kind = "RSA" if isinstance(key, rsa.RSAPrivateKey) else "Ed25519"

    def sign(self, text: bytes) -> str:
        """Return the signature of a text in base64. RSA takes 0.3 ms: off the event loop."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            signature = self._key.sign(text, _PSS, _SHA256)
        else:
            signature = self._key.sign(text)
        return base64.b64encode(signature).decode("ascii")

    def __repr__(self) -> str:
        """Tell the kind, and nothing of the key."""
        return f"<{self.kind} key>"


def parse_key(text: str) -> SigningKey:
    """
    Read a private key: PEM, or one line of base64 without the armour.

    Args:
        text: of the setting; a line's end may be written out, as in many `.env` files.

    Raises:
        ConfigurationError: it is no private key, is encrypted, or of a kind that Kalshi refuses.
    """
    data = text.strip().replace("\\n", "\n").encode("utf-8", "replace")
    try:
        if b"-----BEGIN" in data:
            key = load_pem_private_key(data, password=None)
        else:
            key = load_der_private_key(base64.b64decode(data, validate=True), password=None)
    except TypeError:
        raise _refuse("Expected a key without a password, was an encrypted one") from None
    except (ValueError, UnsupportedAlgorithm, binascii.Error):
        raise _refuse("Expected a private key in PEM, was something else") from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return SigningKey(key)
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < RSA_BITS_MIN:
            raise _refuse(f"Expected an RSA key of {RSA_BITS_MIN} bits, was {key.key_size}")
        return SigningKey(key)
    raise _refuse(f"Expected an RSA or Ed25519 key, was {type(key).__name__}")


def _refuse(message: str) -> ConfigurationError:
    return ConfigurationError(message, setting=_SETTING, value="(hidden)", fix=_FIX)
