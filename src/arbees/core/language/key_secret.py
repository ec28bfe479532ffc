"""The secret of an API key: `arb_<key id>_<32 random bytes>`, and its digest.

Guarantees that what is stored cannot be turned back into a key (the secret has 256 bits, so one
round of SHA-256 is enough), and that comparing takes as long for a wrong secret as for a right one.
"""

import base64
import hashlib
import hmac
import re

RANDOM_BYTES = 32
ID_BYTES = 6
_SECRET = re.compile(r"arb_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)
_NOBODY = "0" * 64


def make_secret(id_bytes: bytes, random_bytes: bytes) -> tuple[str, str]:
    """
    Return key id and secret.

    Args:
        id_bytes: `ID_BYTES` that name the key.
        random_bytes: `RANDOM_BYTES` that nobody can guess.
    """
    assert (len(id_bytes), len(random_bytes)) == (ID_BYTES, RANDOM_BYTES)
    key_id = id_bytes.hex()
    text = base64.urlsafe_b64encode(random_bytes).rstrip(b"=").decode("ascii")
    return key_id, f"arb_{key_id}_{text}"


def id_of(secret: str) -> str | None:
    """Return the key id that a secret names; None if it has not the form of one."""
    found = _SECRET.fullmatch(secret)
    return None if found is None else found.group(1)


def digest_of(secret: str) -> str:
    """Return what is stored of a secret: SHA-256 of all of it, in hex."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def is_of(secret: str, digest: str | None) -> bool:
    """Tell whether a secret is the one of a digest; None takes as long and is nobody's."""
    is_same = hmac.compare_digest(digest_of(secret), digest or _NOBODY)
    return is_same and digest is not None
