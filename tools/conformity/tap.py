"""A tap on the wire: stands between a client and the exchange, and keeps every byte's meaning.

Guarantees that both sides get exactly what the other sent, and that whoever asks later gets every
call with its answer and every message of a stream, in order. Loopback only.
"""

import asyncio
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

HOST = "127.0.0.1"
STREAM = "/trade-api/ws/v2"
_HOP = frozenset({"connection", "content-length", "host", "transfer-encoding", "keep-alive"})
_HANDSHAKE = ("KALSHI-ACCESS-KEY", "KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE")


class Call(msgspec.Struct, frozen=True):
    """One call and its answer."""

    method: str
    path: str
    query: dict[str, str]
    asked: bytes
    status: int
    answered: bytes

    @property
    def body(self) -> Any:  # noqa: ANN401 - whatever JSON it is
        """The answer as JSON; None = nothing was said."""
        return msgspec.json.decode(self.answered) if self.answered else None


class Tap:
    """One tap; `exchange` is where it leads, and may be set after the start."""

    def __init__(self) -> None:
        """Prepare."""
        self.exchange = ""
        """The root of the exchange, `http://host:port`."""
        self.calls: list[Call] = []
        self.messages: list[Any] = []
        """What the streams said."""
        self.commands: list[Any] = []
        """What was said to them."""
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> str:
        """Listen; returns the root that a client takes for the exchange's."""
        self._session = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_get(STREAM, self._stream)
        app.router.add_route("*", "/{path:.*}", self._call)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        return f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _call(self, request: web.Request) -> web.Response:
        assert self._session is not None
        asked = await request.read()
        kept = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        async with self._session.request(
            request.method, self.exchange + request.path_qs, data=asked, headers=kept
        ) as answer:
            said = await answer.read()
            call = Call(
                request.method, request.path, dict(request.query), asked, answer.status, said
            )
            self.calls.append(call)
            shown = {n: v for n, v in answer.headers.items() if n.lower() not in _HOP}
            return web.Response(status=answer.status, body=said, headers=shown)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        assert self._session is not None
        signed = {name: request.headers[name] for name in _HANDSHAKE if name in request.headers}
        async with self._session.ws_connect(
            self.exchange + request.path_qs, headers=signed, autoping=False
        ) as there:
            here = web.WebSocketResponse(autoping=False)
            await here.prepare(request)
            back = asyncio.create_task(self._carry(there, here, self.messages))
            try:
                await self._carry(here, there, self.commands)
            finally:
                back.cancel()
                await asyncio.gather(back, return_exceptions=True)
            return here

    async def _carry(
        self,
        source: aiohttp.ClientWebSocketResponse | web.WebSocketResponse,
        target: aiohttp.ClientWebSocketResponse | web.WebSocketResponse,
        kept: list[Any],
    ) -> None:
        """Carry one direction until it ends."""
        async for frame in source:
            if frame.type is aiohttp.WSMsgType.TEXT:
                kept.append(msgspec.json.decode(frame.data))
                await target.send_str(frame.data)
            elif frame.type is aiohttp.WSMsgType.PING:
                await target.ping(frame.data)
            elif frame.type is aiohttp.WSMsgType.PONG:
                await target.pong(frame.data)
        await target.close()
