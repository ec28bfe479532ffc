"""Answers as bytes: one start and one body, nothing computed twice.

Guarantees that an answer is complete before its first byte leaves and that nothing of it is kept by
a cache. An answer to a client that is gone is dropped in silence; what was decided stays decided.
"""

from collections.abc import Iterable

from starlette.responses import Response

from arbees.core.language.visible_text import harmless
from arbees.core.orders.result import encode

Header = tuple[bytes, bytes]

JSON = b"application/json"
_NO_STORE: Header = (b"cache-control", b"no-store")


class Reply(Response):
    """One answer."""

    def __init__(
        self, status: int, body: bytes, media_type: bytes = JSON, headers: Iterable[Header] = ()
    ) -> None:
        """
        Make an answer.

        Args:
            status: of HTTP.
            body: all of it.
            media_type: of the body.
            headers: further ones, names in lower case.
        """
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = [
            (b"content-type", media_type),
            (b"content-length", b"%d" % len(body)),
            _NO_STORE,
            *headers,
        ]


def json_reply(value: object, status: int = 200) -> Reply:
    """Return a value as JSON with exact numbers, and no character that a terminal obeys."""
    return Reply(status, harmless(encode(value)))
