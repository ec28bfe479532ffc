"""Read what a request carries, within bounds: its body and its query.

Guarantees that a body is JSON by its own word, no longer than the limit and complete within a time,
and that a query names each parameter once and none that is not known. It fails with `Problem`
(413, 415, 408) or `Malformed`. A body that is refused for its size is not kept: the connection
reads past it.
"""

import asyncio
from collections.abc import Collection
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from arbees.api.http.access import caller_of
from arbees.api.http.problem import Problem
from arbees.core.language.strict_json import Malformed, shown

BODY_BYTES_MAX = 65_536
"""Of a request, and of everything but lists of quotes."""
LIST_BYTES_MAX = 1_048_576
BODY_SECONDS_MAX = 10.0
"""From the end of the headers to the end of the body."""

_PARAMETERS_MAX = 8
_JSON_TYPES = frozenset({b"application/json", b"application/json; charset=utf-8"})
_UTF8 = frozenset({"utf-8", "utf8"})
_CURL = "add -H 'Content-Type: application/json'"
_CLOSE = (b"connection", b"close")


async def read_json(
    scope: Scope,
    receive: Receive,
    bytes_max: int = BODY_BYTES_MAX,
    seconds_max: float = BODY_SECONDS_MAX,
) -> bytes:
    """
    Read a JSON body.

    Args:
        scope: of the request.
        receive: its body.
        bytes_max: the longest that is taken.
        seconds_max: the longest that is waited for.

    Raises:
        Problem: another media type (415), too long (413), too slow (408), or cut short (400);
            401 where the key was revoked meanwhile.
    """
    _check_headers(scope, bytes_max)
    try:
        async with asyncio.timeout(seconds_max):
            body = await _read(receive, bytes_max)
    except TimeoutError:
        raise Problem(
            408,
            "REQUEST_TIMEOUT",
            f"Expected the whole body within {seconds_max:g} s",
            headers=(_CLOSE,),
        ) from None
    caller_of(scope).stay()
    return body


async def _read(receive: Receive, bytes_max: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body") or message["type"] == "http.disconnect":
        parts, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > bytes_max:
                raise _too_long(bytes_max)
        if message["type"] == "http.disconnect":
            raise Problem(400, "MALFORMED", "Expected the whole body, it was cut short")
        body = b"".join(parts)
    if len(body) > bytes_max:
        raise _too_long(bytes_max)
    return body


def _check_headers(scope: Scope, bytes_max: int) -> None:
    is_json = False
    for name, value in scope["headers"]:
        if name == b"content-type":
            is_json = value in _JSON_TYPES or _is_json(value)
            if not is_json:
                raise _no_json(value)
        elif name == b"content-length":
            if int(value) > bytes_max:
                raise _too_long(bytes_max)
        elif name == b"content-encoding" and value.strip().lower() != b"identity":
            detail = f"Expected a body without encoding, was {shown(value)}"
            raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", detail)
    if not is_json:
        raise _no_json(b"")


def _is_json(value: bytes) -> bool:
    kind, *parameters = value.decode("latin-1").lower().split(";")
    if kind.strip() != "application/json":
        return False
    pairs = [text.partition("=") for text in parameters]
    return all(
        name.strip() != "charset" or word.strip().strip('"') in _UTF8 for name, _, word in pairs
    )


def _no_json(value: bytes) -> Problem:
    was = f"was {value[:100].decode('latin-1')!r}" if value else "was none"
    detail = f"Expected Content-Type: application/json, {was}: with curl, {_CURL}"
    return Problem(415, "UNSUPPORTED_MEDIA_TYPE", detail)


def _too_long(bytes_max: int) -> Problem:
    return Problem(413, "TOO_LARGE", f"Expected at most {bytes_max} bytes")


def parameters(query: bytes, known: Collection[str]) -> dict[str, str]:
    """
    Read a query string.

    Args:
        query: as it stands in the URL.
        known: the names that may stand there.

    Raises:
        Malformed: unreadable, a name that is not known, or one that stands there twice.
    """
    if not query:
        return {}
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_PARAMETERS_MAX,
        )
    except ValueError as error:
        raise Malformed(None, f"Expected a query, was unreadable: {error}") from None
    found: dict[str, str] = {}
    for name, text in pairs:
        if name not in known:
            names = ", ".join(known) or "none"
            raise Malformed(name[:100], f"Expected no parameter but {names}")
        if name in found:
            raise Malformed(name, "Expected the parameter once, was there twice")
        found[name] = text
    return found
