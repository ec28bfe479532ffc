"""Keys for tests: made once a process, since RSA takes its time."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

Private = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@cache
def rsa_key(bits: int = 2_048) -> rsa.RSAPrivateKey:
    """Return an RSA key."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


@cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    """Return an Ed25519 key."""
    return ed25519.Ed25519PrivateKey.generate()


def pem_of(key: Private, *, is_pkcs1: bool = False, password: bytes | None = None) -> str:
    """Return a key as PEM."""
    shape = PrivateFormat.TraditionalOpenSSL if is_pkcs1 else PrivateFormat.PKCS8
    hidden: KeySerializationEncryption = NoEncryption()
    if password is not None:
        hidden = BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, shape, hidden).decode()
