"""Sessions of people in a browser: an API key, shown once, held by a cookie afterwards.

Guarantees that a session does no more than its key, ends with it, and changes nothing without the
token that only our own page knows. Only digests are kept, in memory: a restart ends all sessions.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie

import msgspec

from arbees.core.book.api_keys import ApiKey
from arbees.core.language.units import NS_PER_SECOND

COOKIE = "arbees_session"
TOKEN = b"x-csrf-token"
SECONDS = 12 * 3_600
SESSIONS_MAX = 64
"""The oldest ends where there is one too many."""


class Session(msgspec.Struct, frozen=True):
    """One person's."""

    key: ApiKey
    token: str
    """What our own page sends along with whatever changes something."""
    until_ns: int

    def is_ours(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Tell whether the token stands in the head of a request."""
        sent = next((value for name, value in headers if name == TOKEN), b"")
        return hmac.compare_digest(sent, self.token.encode())


class Sessions:
    """Those that are open."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: dict[bytes, Session] = {}

    def open(self, key: ApiKey, now_ns: int) -> str:
        """Open one for a key; return the value of its cookie."""
        name = secrets.token_urlsafe(32)
        if len(self._open) >= SESSIONS_MAX:
            del self._open[next(iter(self._open))]
        until_ns = now_ns + SECONDS * NS_PER_SECOND
        self._open[_digest(name)] = Session(key, secrets.token_urlsafe(32), until_ns)
        return name

    def find(self, headers: Iterable[tuple[bytes, bytes]], now_ns: int) -> Session | None:
        """Return the session whose cookie came along; None = there is none, or it ended."""
        name = _cookie(headers)
        found = None if name is None else self._open.get(_digest(name))
        return None if found is None or found.until_ns < now_ns else found

    def close(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """End the session whose cookie came along."""
        name = _cookie(headers)
        if name is not None:
            self._open.pop(_digest(name), None)


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def _cookie(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    text = b"; ".join(value for name, value in headers if name == b"cookie").decode("latin-1")
    try:
        found = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value
