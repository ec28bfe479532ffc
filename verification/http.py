"""A small HTTP client for rehearsals: one connection, one request at a time, as fast as it goes.

Guarantees that a connection that breaks is said to have broken (`ConnectionError`), never taken for
an answer. Only what the gateway sends is understood: a length, no chunks.
"""

import asyncio
import contextlib
import json
from typing import Any, Self

Answer = tuple[int, dict[str, Any]]
"""Status, and the JSON object."""


class HttpConnection:
    """One kept-alive connection to a gateway on this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over streams; `open` is the way in."""
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect. Raises OSError."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, method: str, path: str, body: object = None) -> Answer:
        """
        Send one request and read the answer.

        Raises:
            ConnectionError: it broke before the whole answer was there.
        """
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        self._writer.write(head.encode() + b"\r\n" + data)
        try:
            await self._writer.drain()
            first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in lines
                if line.lower().startswith(b"content-length:")
            )
            text = await self._reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise ConnectionError("The connection broke before the answer was there") from error
        return int(first.split()[1]), json.loads(text)

    async def close(self) -> None:
        """Close, whatever state it is in."""
        self._writer.close()
        with contextlib.suppress(OSError):  # the other end was killed: it is closed
            await self._writer.wait_closed()

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()
