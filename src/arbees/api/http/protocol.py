"""One connection: HTTP/1.1 by httptools, with the bounds that a public face needs.

Guarantees that every byte of a request (head, chunks, trailers, body) and every byte of an answer
that is not taken costs a bounded time and memory, that trailers are no headers, that a client may
close its sending half and still hears the answer, that what cannot be parsed is answered as a
problem in its turn, and that one connection too many ends another, see `Slots`. Why a subclass: the
server bounds idle connections, but neither size nor duration of what is sent or not taken.
"""

import asyncio
from collections.abc import Iterable
from copy import copy
from typing import Any

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from arbees.api.endpoints.events import ABORT
from arbees.api.http.body import BODY_SECONDS_MAX, LIST_BYTES_MAX
from arbees.api.http.problem import Problem
from arbees.api.http.slots import CONNECTION, Slots

HEAD_BYTES_MAX = 32_768
"""Of a head, and of all that is in a body and is not the body: sizes of chunks, trailers."""
FRAMING_BYTES_MAX = 8
"""Besides, for each byte of the body: chunks of a byte are allowed."""
BODY_BYTES_READ_MAX = 2 * LIST_BYTES_MAX
"""Of a body that was refused and is read past."""
HEAD_SECONDS_MAX = 10.0
"""From a connection's first byte, or its opening, to the end of a head."""
BODY_SECONDS_READ_MAX = BODY_SECONDS_MAX + 5
"""From the end of a head to the end of its body, refused ones too."""
UNTAKEN_SECONDS_MAX = 45.0
"""For which a client may take nothing of what was written to it."""
PIECE_BYTES = 512
"""Parsed at once: bounds how many requests are begun before the first is answered."""
PIPELINED_MAX = 1

_OF_AN_OFFER = frozenset({b"upgrade", b"connection", b"http2-settings"})


class HeadTooLarge(Exception):  # noqa: N818 - an expected outcome
    """Raised into the parser to stop it."""


class Received:
    """What came of the request that is being received, counted against its bounds."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self.is_in_head = False
        self.is_in_body = False
        self.is_too_large = False
        self.body_bytes = 0
        self._head_bytes = 0
        """Of the head that is being received, as far as it is known where it began."""
        self.begun = 0
        """Heads, counted to tell a piece with one beginning from one with several."""
        self._parsed_bytes = 0
        self._framing_bytes = 0

    def begin(self) -> None:
        """Begin to count a request."""
        self._head_bytes = self._parsed_bytes = self.body_bytes = self._framing_bytes = 0
        self.begun += 1
        self.is_in_head = True

    def count(self, part_bytes: int) -> None:
        """Count a part of a head as it is parsed. Raises HeadTooLarge."""
        self._parsed_bytes += part_bytes
        if self._parsed_bytes > HEAD_BYTES_MAX:
            self.is_too_large = True
            raise HeadTooLarge

    def take_piece(self, size: int, before: "Received") -> None:
        """Count a piece that was parsed for what it was part of."""
        is_same = self.begun == before.begun
        if is_same and before.is_in_body:
            self._framing_bytes += size - (self.body_bytes - before.body_bytes)
        if self.is_in_head and (is_same or not (before.is_in_head or before.is_in_body)):
            is_new = self.begun == before.begun + 1
            self._head_bytes = size if is_new else self._head_bytes + size

    def problem(self) -> Problem | None:
        """Return which bound is exceeded; None = none is."""
        if self.is_in_head and self._head_bytes > HEAD_BYTES_MAX:
            return _head_too_large()
        if self.is_in_body and self.body_bytes > BODY_BYTES_READ_MAX:
            most = f"{BODY_BYTES_READ_MAX} bytes"
            return Problem(413, "TOO_LARGE", f"Expected a body of at most {most}")
        room = HEAD_BYTES_MAX + FRAMING_BYTES_MAX * self.body_bytes
        if self.is_in_body and self._framing_bytes > room:
            most = f"{HEAD_BYTES_MAX} bytes"
            return Problem(431, "TOO_LARGE", f"Expected chunks and trailers within {most}")
        return None


class BoundedProtocol(HttpToolsProtocol):
    """A connection that cannot be held open by saying or taking little, or filled by much."""

    head_seconds_max = HEAD_SECONDS_MAX
    body_seconds_max = BODY_SECONDS_READ_MAX

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Prepare a connection."""
        super().__init__(*args, **kwargs)
        self.key_id: str | None = None
        """Of the key in force that it showed last."""
        self.slots: Slots = self.server_state.slots  # type: ignore[attr-defined]
        self._received = Received()
        self._timer: asyncio.TimerHandle | None = None
        self._running: RequestResponseCycle | None = None
        """The request that is answered now; `cycle` is the one that came last."""
        self._waiting = b""
        """What is parsed once more requests are answered."""
        self._is_in_line = False
        """Whether it waits for its turn with what it sent."""
        self._has_ended = False
        self._last: Problem | None = None
        """Said when what came before is answered; nothing is read any more."""
        self._taken_at = self.loop.time()
        """When all that was written was taken, or as much as to go on writing."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, unless there are too many that are worth more."""
        super().connection_made(transport)
        if not self.slots.add(self):
            self._refuse(
                Problem(503, "OVERLOADED", f"Expected at most {self.slots.most} connections")
            )
            return
        self._start_timer(self.head_seconds_max)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._stop_timer()
        self._waiting = b""
        self.slots.discard(self)
        self._give_up_answers()
        super().connection_lost(exc)

    @property
    def is_idle(self) -> bool:
        """Whether it is silent, or does not take its answer."""
        return self._is_quiet() or self.transport.get_write_buffer_size() > 0

    def drop(self) -> None:
        """End it at once; what is still being answered is not written any more."""
        self._give_up_answers()
        self.transport.abort()

    def _give_up_answers(self) -> None:
        """Let nobody write to what is gone: neither who answers now, nor who comes next."""
        self.pipeline.clear()
        for cycle in (self._running, self.cycle):
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()

    def sweep(self, now: float, untaken_seconds_max: float) -> None:
        """End it if nothing that was written was taken for so long, by the time of the loop."""
        if self.transport.get_write_buffer_size() == 0:
            self._taken_at = now
        elif now - self._taken_at > untaken_seconds_max:
            self.drop()

    def resume_writing(self) -> None:
        """Go on writing: enough was taken."""
        self._taken_at = self.loop.time()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parse what came, within bounds."""
        if self._last is not None or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        data = self._waiting + data if self._waiting else data
        if self.slots.has_to_wait(self, data):
            self._waiting = data
            self.flow.pause_reading()
            if not self._is_in_line:
                self._is_in_line = True
                self.slots.line_up(self)
            return
        self._receive(data)

    def go_on(self) -> None:
        """Read what came: it is its turn."""
        self._is_in_line = False
        if self._waiting and not self.transport.is_closing():
            self.flow.resume_reading()
            self._receive(self._waiting)

    def _receive(self, data: bytes) -> None:
        self._parse_on(data)
        if self._timer is None and not self.transport.is_closing():
            if self._received.is_in_body:
                self._start_timer(self.body_seconds_max)
            elif self._is_quiet():
                self._start_timer(self.head_seconds_max)

    def _parse_on(self, data: bytes) -> None:
        """Parse in pieces; what comes behind too many requests waits until they are answered."""
        self._waiting = b""
        for start in range(0, len(data), PIECE_BYTES):
            if len(self.pipeline) >= PIPELINED_MAX:
                self._waiting = data[start:]
                self.flow.pause_reading()
                return
            self._take(data[start : start + PIECE_BYTES])
            if self._last is not None or self.transport.is_closing():
                return

    def _take(self, data: bytes) -> None:
        """Parse a piece, and count it for what it is part of."""
        before = copy(self._received)
        self._feed(data)
        if self._last is not None:
            return
        self._received.take_piece(len(data), before)
        problem = self._received.problem()
        if problem is not None:
            self._refuse(problem)

    def _feed(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = self._parse(rest)
        except httptools.HttpParserError:
            self.send_400_response("the request cannot be parsed")

    def _parse(self, data: memoryview) -> memoryview:
        """Parse, and return what is left behind the head of a request that offers an upgrade."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline()
            return data[offer.args[0] :]
        return data[:0]

    def _decline(self) -> None:
        """
        Read the head of a request that offers another protocol again, without the offer.

        The parser ends such a request behind its head, and its body would be lost. A server may
        ignore an offer (RFC 9110, 7.8). Raises HttpParserError for a proxy's CONNECT.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise httptools.HttpParserError
        version = self.parser.get_http_version().encode()
        first = method + b" " + self.url + b" HTTP/" + version + b"\r\n"
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(first + _without_offer(self.headers) + b"\r\n")

    def eof_received(self) -> bool:  # type: ignore[override]
        """Let a client that has said everything hear the answer; close on any other."""
        if self._is_quiet() or (self._received.is_in_body and self._running is self.cycle):
            return False
        if self._waiting:
            self._has_ended = True  # looked at again when that was parsed
        elif self._received.is_in_head or self._received.is_in_body:
            self._last = Problem(400, "MALFORMED", "Expected a whole request, it was cut short")
        else:
            self.cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        """Begin to count a request."""
        self._received.begin()
        super().on_message_begin()
        self.scope["extensions"] = {
            ABORT: {"now": self.drop},
            CONNECTION: {"know": self._know},
        }

    def on_url(self, url: bytes) -> None:
        """Count a part of the request's target."""
        super().on_url(url)
        self._received.count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header; a field behind the body is none (RFC 9110, 6.5.1), and is dropped."""
        if not self._received.is_in_head:
            return
        self._received.count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End a head."""
        if self.parser.should_upgrade():
            return
        self._received.is_in_head = False
        self._received.is_in_body = True
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count a part of a body."""
        self._received.body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request; one that offers an upgrade is read again."""
        if self.parser.should_upgrade():
            return
        self._received.is_in_body = False
        self._stop_timer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with what waited, and say the last words once all else is answered."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._is_in_line:
            self.flow.pause_reading()
        elif self._waiting:
            self._parse_on(self._waiting)
            if self._has_ended and not self._waiting and not self.eof_received():
                self.transport.close()
        if self._last is not None and self._is_answered():
            self._refuse(self._last)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed."""
        self._refuse(
            _head_too_large()
            if self._received.is_too_large
            else Problem(400, "MALFORMED", f"Expected HTTP/1.1: {msg}")
        )

    def _know(self, key_id: str, *, is_urgent: bool) -> bool:
        return self.slots.know(self, key_id, is_urgent=is_urgent)

    def _is_answered(self) -> bool:
        """Tell whether no request that came whole is being answered, or waits for it."""
        return not self.pipeline and (self._running is None or self._running.response_complete)

    def _is_quiet(self) -> bool:
        """Tell whether nothing is answered and nothing is left to parse."""
        return self._is_answered() and not self._waiting

    def _start_timer(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._give_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        """Close a connection whose head or body did not come; say so if it had begun."""
        self._timer = None
        if self.transport.is_closing():
            return
        if self._received.is_in_body:
            if self.flow.read_paused:  # what is sent is not asked for yet
                self._start_timer(self.body_seconds_max)
                return
            expected = f"Expected a whole body within {self.body_seconds_max:g} s"
            self._refuse(Problem(408, "REQUEST_TIMEOUT", expected))
        elif self._is_quiet():
            expected = f"Expected a whole head within {self.head_seconds_max:g} s"
            if self._received.is_in_head:
                self._refuse(Problem(408, "REQUEST_TIMEOUT", expected))
            else:
                self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        """Answer the request that is being received outside of the application, and close."""
        if self.transport.is_closing():
            return
        own = self.cycle if self._received.is_in_body else None
        if not self._is_answered() and (self.pipeline or self._running is not own):
            self._last = problem  # its turn comes when those before it are answered
            if self.pipeline and self.pipeline[0][0] is own:
                self.pipeline.popleft()
            self._stop_timer()
            return
        if own is not None:
            if own.response_complete:
                self.transport.close()
                return
            if own.response_started:
                self.drop()
                return
            own.disconnected = True
            own.message_event.set()
        self.transport.write(_last_words(problem))
        self.transport.close()


def _head_too_large() -> Problem:
    return Problem(431, "TOO_LARGE", f"Expected a head of at most {HEAD_BYTES_MAX} bytes")


def _without_offer(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the lines of a head without what offers another protocol."""
    lines = []
    for name, value in headers:
        if name not in _OF_AN_OFFER:
            lines.append(name + b": " + value + b"\r\n")
        elif name == b"connection" and b"close" in value.lower():
            lines.append(b"connection: close\r\n")
    return b"".join(lines)


def _last_words(problem: Problem) -> bytes:
    """Return an answer outside of the application, behind which the connection ends."""
    reply = problem.reply()
    lines = [STATUS_LINE[reply.status_code]]
    lines += [name + b": " + value + b"\r\n" for name, value in reply.raw_headers]
    return b"".join((*lines, b"connection: close\r\n\r\n", bytes(reply.body)))
