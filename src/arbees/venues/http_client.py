"""A small HTTP/1.1 client for what must be sent at most once.

Guarantees that a connection is acquired first, that from the last look of a gate to the transport's
write nothing is awaited, that nothing is ever sent again, and that a caller can tell what provably
never left from everything else. Why not the client that the reads use: it retries in silence on a
dropped connection, and writes a turn of the loop after it was asked to.

Fails by `VenueNotSent` (no byte was written) and `VenueOutcomeUnknown` (one may have been).
"""

import asyncio
import contextlib
import select
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import httptools
import msgspec

from arbees.errors import VenueNotSent, VenueOutcomeUnknown

BODY_MAX = 4 * 1024 * 1024
"""Bytes of an answer; a longer one is none that we can read."""
HEADERS_MAX = 64 * 1024
IDLE_SECONDS = 30.0
"""A connection idle for longer is not trusted with an order: many servers close at 60 s."""


class HttpAnswer(msgspec.Struct, frozen=True):
    """One answer, whole."""

    status: int
    headers: dict[str, str]
    """Names in lower case; of several of one name the last."""
    body: bytes


class HttpClientConnection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self, host: str) -> None:
        """Wait for the transport."""
        self._host = host
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[HttpAnswer] | None = None
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._size = 0
        self._is_spent = False
        self.idle_since = 0.0

    # The transport -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read on; what nobody asked for ends the connection."""
        if self._answer is None or self._answer.done():
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, _TooLong) as error:
            self._fail(f"the answer cannot be read: {error}")

    def eof_received(self) -> bool:
        """Let an answer without a length end here; anything else was cut off."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that no answer comes any more."""
        self._is_spent = True
        self._fail(f"the connection ended: {exc or 'closed by the venue'}")

    # The parser --------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._count(len(name) + len(value), HEADERS_MAX)
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Start to count the body."""
        self._size = 0

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._count(len(body), BODY_MAX)
        self._body += body

    def on_message_complete(self) -> None:
        """Give the answer to who waits, unless it is only the promise of one (1xx)."""
        status = self._parser.get_status_code()
        if status < 200:
            self._headers, self._body = {}, bytearray()
            return
        if not self._parser.should_keep_alive():
            self._is_spent = True
        if self._answer is None or self._answer.done():
            self._is_spent = True  # a second answer to one request: nobody's
            return
        self._answer.set_result(HttpAnswer(status, self._headers, bytes(self._body)))
        self._headers, self._body = {}, bytearray()

    def _count(self, size: int, most: int) -> None:
        self._size += size
        if self._size > most:
            raise _TooLong(f"more than {most} bytes")

    # Use ---------------------------------------------------------------------------------------

    @property
    def is_usable(self) -> bool:
        """Whether a request may be written: open, nothing pending, nothing unread."""
        if self._is_spent or self._transport is None or self._transport.is_closing():
            return False
        sock = self._transport.get_extra_info("socket")
        if sock is None or sock.fileno() < 0:
            return False
        # Something to read while nobody asked is the end of the connection, seen before the loop.
        looker = select.poll()
        looker.register(sock.fileno(), select.POLLIN)
        return not looker.poll(0)

    def write(self, data: bytes) -> "asyncio.Future[HttpAnswer]":
        """
        Write one request, now; nothing is awaited before the transport has it.

        Returns:
            The answer to come; it fails by `VenueOutcomeUnknown`.
        """
        assert self._transport is not None
        self._headers, self._body, self._size = {}, bytearray(), 0
        self._parser = httptools.HttpResponseParser(self)
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return self._answer

    def close(self) -> None:
        """End the connection."""
        self._is_spent = True
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, message: str) -> None:
        self._is_spent = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(VenueOutcomeUnknown(message))
        if self._transport is not None:
            self._transport.abort()


class _TooLong(Exception):  # noqa: N818 - leaves this module never
    """The answer is longer than any that we can read."""


class Wire:
    """The connections to one server; the last used is used next."""

    def __init__(
        self,
        base_url: str,
        *,
        connect_seconds: float = 5.0,
        answer_seconds: float = 10.0,
        kept: int = 8,
        most: int = 64,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """
        Prepare; nothing is connected yet.

        Args:
            base_url: `http://host:port/path` or `https://...`; its path is not used here.
            connect_seconds: for name resolution, connection and TLS together.
            answer_seconds: from the write to the end of the answer.
            kept: connections that stay open while idle.
            most: connections in use at once; who comes then waits.
            tls: for https; None = the system's certificates.
        """
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"Expected an http or https URL, was {base_url!r}")
        self._host = parts.hostname
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._connect_seconds = connect_seconds
        self.answer_seconds = answer_seconds
        self._kept = kept
        self._places = asyncio.Semaphore(most)
        self._idle: deque[HttpClientConnection] = deque()
        self._is_closed = False
        is_usual = self._port == (443 if self._tls else 80)
        name = f"[{self._host}]" if ":" in self._host else self._host
        self._authority = name if is_usual else f"{name}:{self._port}"

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[HttpClientConnection]:
        """
        Hold a connection; it goes back if it is as good as new.

        Raises:
            VenueNotSent: there is none to be had.
        """
        async with self._places:
            held = self._take() or await self._connect()
            try:
                yield held
            except BaseException:
                held.close()
                raise
            self._give_back(held)

    async def warm(self, count: int = 1) -> None:
        """Open connections ahead, so that an order need not wait for one. Raises VenueNotSent."""
        for _ in range(min(count, self._kept) - len(self._idle)):
            self._give_back(await self._connect())

    def head(self, method: str, target: str, headers: Mapping[str, str], size: int) -> bytes:
        """Return the head of a request; `size` is that of its body, 0 for none."""
        lines = [f"{method} {target} HTTP/1.1", f"host: {self._authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if size or method in {"POST", "PUT"}:
            lines.append(f"content-length: {size}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    async def wait(self, answer: "asyncio.Future[HttpAnswer]") -> HttpAnswer:
        """Wait for an answer. Raises VenueOutcomeUnknown: it did not come in time, or not whole."""
        try:
            async with asyncio.timeout(self.answer_seconds):
                return await answer
        except TimeoutError:
            raise VenueOutcomeUnknown(f"no answer within {self.answer_seconds:g} s") from None

    async def close(self) -> None:
        """End all connections that are idle; those in use end when they are given back."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()
        await asyncio.sleep(0)  # a transport is released a turn of the loop later

    def _take(self) -> HttpClientConnection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            held = self._idle.pop()
            if held.is_usable and now - held.idle_since <= IDLE_SECONDS:
                return held
            held.close()
        return None

    def _give_back(self, held: HttpClientConnection) -> None:
        if self._is_closed or len(self._idle) >= self._kept or not held.is_usable:
            held.close()
            return
        held.idle_since = asyncio.get_running_loop().time()
        self._idle.append(held)

    async def _connect(self) -> HttpClientConnection:
        if self._is_closed:
            raise VenueNotSent("the client is closed")
        loop = asyncio.get_running_loop()
        make = partial(HttpClientConnection, self._host)
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, held = await loop.create_connection(
                    make,
                    self._host,
                    self._port,
                    ssl=self._tls,
                    server_hostname=self._host if self._tls else None,
                )
        except TimeoutError:
            raise VenueNotSent(
                f"{self._authority} did not connect within {self._connect_seconds:g} s"
            ) from None
        except OSError as error:
            raise VenueNotSent(f"{self._authority} cannot be reached: {error}") from None
        return held
