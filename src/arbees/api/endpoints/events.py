"""`GET /v1/events`: the journal as it grows, as server-sent events.

Guarantees that a reader hears every record once and in order from where it asks, that one who takes
nothing for long is cut off, so that what waits for it is bounded, and that a stream ends with the
gateway. What is read, and how, is the follower's; here it is only sent.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from arbees.api.http.access import Caller, caller_of
from arbees.api.http.body import parameters
from arbees.api.http.context import Context
from arbees.api.http.endpoint import EVENT_STREAM, Endpoint, Parameter
from arbees.api.http.problem import Problem
from arbees.api.http.reply import Header, Reply
from arbees.api.openapi.shapes import RecordView
from arbees.core.language.strict_json import Malformed, shown
from arbees.interface.views import Ahead

LAST_EVENT_ID = "Last-Event-ID"
SEQUENCE_MAX = (1 << 63) - 1
STALL_SECONDS = 30.0
"""Who takes nothing for so long is cut off; it may come again from where it was."""
ABORT = "arbees.abort"
"""Extension of the scope: drops the connection at once, with what was not sent yet."""
MEDIA_TYPE = b"text/event-stream"
_log = logging.getLogger("arbees.api")
_HEADERS: tuple[Header, ...] = (
    (b"content-type", MEDIA_TYPE),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


_SEQUENCE = Annotated[int, msgspec.Meta(ge=0, le=SEQUENCE_MAX)]


@partial(
    Endpoint,
    method="GET",
    path="/v1/events",
    operation="followEvents",
    summary="Follow the journal as server-sent events",
    tag="Looking",
    scopes=("read",),
    parameters=(
        Parameter(
            name="after",
            place="query",
            type=_SEQUENCE,
            says="Begin after this record; 0, the default, begins with the first.",
            example=0,
        ),
        Parameter(
            name=LAST_EVENT_ID,
            place="header",
            type=_SEQUENCE,
            says="The last record that was heard; counts instead of `after`.",
            example=0,
        ),
    ),
    answers={200: RecordView},
    media_type=EVENT_STREAM,
    problems={409: ("AHEAD_OF_JOURNAL",), 503: ("QUEUE_FULL",)},
)
async def events(context: Context, request: Request) -> Response:
    """
    Follow the journal.

    One event a record: `id` is its sequence, `event` its kind, `data` one JSON object `{sequence,
    time, kind, request_id, body}`. Begins at the first record, or after the one that
    `Last-Event-ID` or `after` names (the header counts where both are there), and goes on until the
    gateway stops. A comment comes when nothing else did for 15 s. Whoever takes nothing for 30 s is
    cut off.
    """
    follower = context.follower
    pieces = follower.events(_after(request))
    caller = caller_of(request.scope)
    if caller.key is not None:
        pieces = _while_in_force(pieces, caller)
    try:
        first = await anext(pieces)
    except Ahead as error:
        raise Problem(409, "AHEAD_OF_JOURNAL", str(error), head=error.head) from None
    if request.method == "HEAD":
        await _close(pieces)
        return Reply(200, b"", MEDIA_TYPE)
    return EventsReply(first, pieces)


async def _while_in_force(pieces: AsyncIterator[bytes], caller: Caller) -> AsyncIterator[bytes]:
    """Yield a stream for as long as the key of its reader is in force."""
    try:
        async for piece in pieces:
            if not caller.is_in_force:
                return
            yield piece
    finally:
        await _close(pieces)


def _after(request: Request) -> int:
    """Return the sequence after which a reader begins. Raises Malformed."""
    query = parameters(request.scope["query_string"], ("after",))
    header = request.headers.get(LAST_EVENT_ID)
    asked = _sequence("after", query["after"]) if "after" in query else 0
    return asked if header is None else _sequence(LAST_EVENT_ID, header)


def _sequence(name: str, text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= SEQUENCE_MAX:
        return int(text)
    raise Malformed(name, f"Expected the sequence of a record, 0 or above, was {shown(text)}")


async def _close(pieces: AsyncIterator[bytes]) -> None:
    """End a stream that is not read on."""
    close = getattr(pieces, "aclose", None)
    if close is not None:
        await close()


class EventsReply(Response):
    """A stream that is being sent."""

    def __init__(
        self,
        first: bytes,
        pieces: AsyncIterator[bytes],
        *,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        """
        Prepare a stream.

        Args:
            first: what was read of it.
            pieces: the rest.
            stall_seconds: how long a reader may take nothing.
        """
        self.status_code = 200
        self.background = None
        self.raw_headers = list(_HEADERS)
        self._first = first
        self._pieces = pieces
        self._stall_seconds = stall_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the stream ends, the reader leaves or stalls, or the server stops."""
        abort: Callable[[], None] | None = scope.get("extensions", {}).get(ABORT, {}).get("now")
        sending = asyncio.create_task(self._send(send))
        gone = asyncio.create_task(_until_gone(receive))
        # Cancelled is whoever still reads when the server cannot wait any longer.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
        is_whole = sending.done() and not sending.cancelled() and sending.exception() is None
        if not is_whole:
            sending.cancel()
            await asyncio.wait((sending,))
            _say_why(sending)
            await _close(self._pieces)
            if abort is not None:
                abort()
                await gone
        gone.cancel()

    async def _send(self, send: Send) -> None:
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        await send(start)
        await self._say(send, self._first)
        async for piece in self._pieces:
            await self._say(send, piece)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _say(self, send: Send, piece: bytes) -> None:
        """Send one piece. Raises TimeoutError where the reader stalls."""
        async with asyncio.timeout(self._stall_seconds):
            await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _say_why(sending: "asyncio.Task[None]") -> None:
    """Log why a stream ended, unless its reader left or stalled."""
    error = None if sending.cancelled() else sending.exception()
    if error is not None and not isinstance(error, TimeoutError):
        _log.error("A stream of events ended: %s", error)
