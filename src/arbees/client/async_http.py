"""HTTP for the asynchronous client, over aiohttp: no retry, no proxy, no redirect.

Guarantees that what was sent is told from what was not. It decides nothing.
"""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
from yarl import URL

from arbees.client.place import ClientAddress
from arbees.client.steps import Broken, Call, Heard, Outcome

CONNECT_SECONDS = 3.0
_FAULTS = (aiohttp.ClientError, TimeoutError, OSError)
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class AsyncStream:
    """An answer that goes on."""

    def __init__(self, outcome: Outcome, response: aiohttp.ClientResponse | None = None) -> None:
        """Hold an answer; without a response there is nothing to come."""
        self.outcome = outcome
        self._response = response

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield what comes, until it ends or breaks."""
        if self._response is None:
            return
        try:
            async for piece in self._response.content.iter_any():
                yield piece
        except _FAULTS:
            return

    async def close(self) -> None:
        """Drop it; idempotent."""
        if self._response is not None:
            self._response.close()


class AsyncHttp:
    """Speaks HTTP to one gateway, on one loop."""

    def __init__(self, place: ClientAddress, connect_seconds: float = CONNECT_SECONDS) -> None:
        """
        Prepare; nothing is connected yet.

        Args:
            place: where the gateway is.
            connect_seconds: how long to wait for a connection.
        """
        self._place = place
        self._connect_seconds = connect_seconds
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, call: Call) -> Outcome:
        """Make one call."""
        for _ in range(2):  # lets the loop see that a kept connection was closed meanwhile
            await asyncio.sleep(0)
        try:
            async with self._request(call) as response:
                body = await response.read()
        except _FAULTS as error:
            return self._broken(error)
        return Heard(response.status, body, response.headers.get("Retry-After"))

    async def open(self, call: Call) -> AsyncStream:
        """Make a call whose answer goes on."""
        try:
            response = await self._request(call)
            if response.status == 200:
                return AsyncStream(Heard(200, b""), response)
            body = await response.read()
        except _FAULTS as error:
            return AsyncStream(self._broken(error))
        return AsyncStream(Heard(response.status, body, response.headers.get("Retry-After")))

    async def close(self) -> None:
        """Close the connections; idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _request(self, call: Call) -> "aiohttp.client._RequestContextManager":
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), trust_env=False, auto_decompress=False
            )
        headers = {**self._place.headers, **call.headers}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return self._session.request(
            call.method,
            URL(self._place.url + call.path, encoded=True),
            data=call.body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self._connect_seconds, sock_read=call.seconds
            ),
        )

    def _broken(self, error: Exception) -> Broken:
        text = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        why = f"{self._place.url}: {text or type(error).__name__}"
        return Broken(why, is_sent=not isinstance(error, _NOT_SENT))
