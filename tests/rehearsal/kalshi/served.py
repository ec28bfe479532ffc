"""The simulated exchange behind its wire, and a caller that signs by the book."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import aiohttp

from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Platform
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.server import KalshiServer
from tests.venues.kalshi.keypairs import rsa_key
from tools.conformity.caller import Answer, Caller

KEY_ID = "00000000-0000-4000-8000-00000000a4b5"
MARKET = "KXNBAGAME-26JAN28HOUBOS-BOS"
NFL = "KXNFLGAME-26SEP13DALPHI-PHI"
START_NS = 1_750_000_000 * NS_PER_SECOND


def book(market: str = MARKET, bid: int = 38, ask: int = 40, size: int = 100) -> Quote:
    """Return a book of one level a side, in cents and contracts."""
    return Quote(
        ts_ns=0,
        platform=Platform.KALSHI,
        market_id=market,
        bids=((bid * 10_000, size * MICRO),),
        asks=((ask * 10_000, size * MICRO),),
        sport="NBA" if market == MARKET else "NFL",
    )


class Served(Caller):
    """A caller beside the exchange that it calls."""

    def __init__(self, server: KalshiServer, root: str) -> None:
        super().__init__(root, KEY_ID, rsa_key())
        self.server = server
        self.root = root

    async def get(self, path: str, **query: str) -> Answer:
        """Read."""
        return await self.call("GET", path, query=query)

    async def fault(self, kind: FaultKind | str, **more: Any) -> None:
        """Set a fault by the control address."""
        await self.control("faults", kind=kind, **more)

    async def control(self, name: str, *, expects: int = 200, **asked: Any) -> dict[str, Any]:
        """Ask something of the control address."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.root}/control/{name}", json=asked) as answer,
        ):
            told: dict[str, Any] = await answer.json()
            assert answer.status == expects, told
            return told

    async def state(self) -> dict[str, Any]:
        """Read everything that happened by the control address."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.root}/control/state") as answer,
        ):
            told: dict[str, Any] = await answer.json()
            return told

    @contextlib.asynccontextmanager
    async def stream(self) -> AsyncIterator["Heard"]:
        """Open a stream."""
        path = "/trade-api/ws/v2"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(self.root + path, headers=self.signed("GET", path)) as socket,
        ):
            yield Heard(socket)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self


class Heard:
    """A stream, and what it said."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.all: list[dict[str, Any]] = []
        self._number = 0

    async def command(self, word: str, **params: object) -> dict[str, Any]:
        """Send a command; return its answer."""
        self._number += 1
        number = self._number
        await self.socket.send_json({"id": number, "cmd": word, "params": params})
        return await self.until(lambda said: said.get("id") == number)

    async def subscribe(self, *channels: str, market: str | None = MARKET) -> list[int]:
        """Subscribe to channels; return their ids."""
        named = {} if market is None else {"market_tickers": [market]}
        found = []
        for channel in channels:
            said = await self.command("subscribe", channels=[channel], **named)
            found.append(said["msg"]["sid"])
        return found

    async def until(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read until a message is it."""
        async with asyncio.timeout(5):
            while True:
                said: dict[str, Any] = await self.socket.receive_json()
                self.all.append(said)
                if is_it(said):
                    return said

    async def of(self, kind: str) -> dict[str, Any]:
        """Read until a message is of a type."""
        return await self.until(lambda said: said["type"] == kind)

    async def nothing(self, seconds: float = 0.1) -> None:
        """Fail if anything comes."""
        with contextlib.suppress(TimeoutError):
            said = await self.socket.receive(seconds)
            raise AssertionError(f"Expected silence, heard {said}")


@contextlib.asynccontextmanager
async def served(**more: Any) -> AsyncIterator[Served]:
    """Start an exchange with one book, and a caller of its one account."""
    server = KalshiServer(key_id=KEY_ID, public_key=rsa_key().public_key(), **more)
    server.rest.set_limits((10_000.0, 10_000.0), (10_000.0, 10_000.0))
    server.show(book())
    addresses = await server.start()
    try:
        async with Served(server, addresses.rest.removesuffix("/trade-api/v2")) as made:
            yield made
    finally:
        await server.stop()
