"""One connection: HTTP/1.1 by httptools, with the bounds that a public face needs.

Guarantees that a head which is endless or never ends, a connection that says nothing, and one
connection too many cost a bounded time and memory, that a client may close its sending half and
still hears the answer, and that what cannot be parsed is answered as a problem. Why a subclass: the
server bounds bodies and idle connections, but neither the size nor the duration of a head.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from arbees.api.events import ABORT
from arbees.api.problem import Problem

HEAD_BYTES_MAX = 32_768
HEAD_SECONDS_MAX = 10.0
"""From a connection's first byte, or its opening, to the end of a head."""
CONNECTIONS_MAX = 1_024


_OF_AN_OFFER = frozenset({b"upgrade", b"connection", b"http2-settings"})


class HeadTooLarge(Exception):  # noqa: N818 - an expected outcome
    """Raised into the parser to stop it."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection that cannot be held open by saying little, or filled by saying much."""

    head_seconds_max = HEAD_SECONDS_MAX
    connections_max = CONNECTIONS_MAX

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Prepare a connection."""
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        """Of the head that is being received, as far as it is known where it began."""
        self._begun = 0
        """Heads, counted to tell a piece with one beginning from one with several."""
        self._parsed_bytes = 0
        self._is_in_head = False
        self._is_too_large = False
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.connections_max:
            self._refuse(
                Problem(503, "OVERLOADED", f"Expected at most {self.connections_max} connections")
            )
            return
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, within bounds."""
        begun = None if self._is_in_head or self._is_in_body() else self._begun
        if self._is_in_head:
            self._head_bytes += len(data)
        if self._head_bytes <= HEAD_BYTES_MAX:
            self._unset_keepalive_if_required()
            self._feed(data)
            if self._is_in_head and self._begun - 1 == begun:
                self._head_bytes = len(data)  # all of it is of this head
        if self._is_in_head and self._head_bytes > HEAD_BYTES_MAX:
            self._refuse(_head_too_large())
            return
        if self._is_waiting() and self._head_timer is None:
            self._start_timer()

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
        lines = [method + b" " + self.url + b" HTTP/" + version + b"\r\n"]
        for name, value in self.headers:
            if name not in _OF_AN_OFFER:
                lines.append(name + b": " + value + b"\r\n")
            elif name == b"connection" and b"close" in value.lower():
                lines.append(b"connection: close\r\n")
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(b"".join((*lines, b"\r\n")))

    def eof_received(self) -> bool:  # type: ignore[override]
        """Let a client that has said everything hear the answer; close on any other."""
        if self._is_waiting() or self.cycle.more_body:
            return False
        self.cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        self._head_bytes = self._parsed_bytes = 0
        self._begun += 1
        self._is_in_head = True
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"now": self.transport.abort}}

    def on_url(self, url: bytes) -> None:
        """Count a part of the request's target."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End a head."""
        if self.parser.should_upgrade():
            return
        self._is_in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request; one that offers an upgrade is read again."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed."""
        self._refuse(
            _head_too_large()
            if self._is_too_large
            else Problem(400, "MALFORMED", f"Expected HTTP/1.1: {msg}")
        )

    def _count(self, part_bytes: int) -> None:
        self._parsed_bytes += part_bytes
        if self._parsed_bytes > HEAD_BYTES_MAX:
            self._is_too_large = True
            raise HeadTooLarge

    def _is_in_body(self) -> bool:
        """Tell whether a part of a body is still to come."""
        return self.cycle is not None and self.cycle.more_body

    def _is_waiting(self) -> bool:
        """Tell whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _start_timer(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds_max, self._give_up)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        """Close a connection whose head did not come; say so if it had begun."""
        self._head_timer = None
        if not self._is_waiting() or self.transport.is_closing():
            return
        if self._is_in_head:
            expected = f"Expected a whole head within {self.head_seconds_max:g} s"
            self._refuse(Problem(408, "REQUEST_TIMEOUT", expected))
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        """Answer outside of the application, and close."""
        if self.transport.is_closing():
            return
        reply = problem.reply()
        lines = [STATUS_LINE[reply.status_code]]
        lines += [name + b": " + value + b"\r\n" for name, value in reply.raw_headers]
        lines += [b"connection: close\r\n\r\n", bytes(reply.body)]
        self.transport.write(b"".join(lines))
        self.transport.close()


def _head_too_large() -> Problem:
    return Problem(431, "TOO_LARGE", f"Expected a head of at most {HEAD_BYTES_MAX} bytes")
