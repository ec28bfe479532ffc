"""Streams at an exchange, by hand: every command that we send, and what is answered to bad ones."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp

from tools.conformity.caller import Caller

STREAM = "/trade-api/ws/v2"
CHANNELS = (
    "orderbook_delta",
    "ticker",
    "user_orders",
    "fill",
    "market_positions",
    "order_group_updates",
    "market_lifecycle_v2",
)
WAIT_SECONDS = 5.0


class Listener:
    """One connection, and all that it heard."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Listen on a socket."""
        self._socket = socket
        self._number = 0
        self.heard: list[dict[str, Any]] = []

    async def command(self, word: str, **params: object) -> dict[str, Any]:
        """Send a command and return the first answer to it."""
        self._number += 1
        number = self._number
        await self._socket.send_json({"id": number, "cmd": word, "params": params})
        return await self.until(lambda said: said.get("id") == number)

    async def until(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read until a message is it. Raises TimeoutError."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                said: dict[str, Any] = await self._socket.receive_json()
                self.heard.append(said)
                if is_it(said):
                    return said


async def listen(
    root: str, caller: Caller, ticker: str, happens: Callable[[], None] | None = None
) -> list[str]:
    """
    Subscribe to everything, trade, and ask for more and for less.

    Args:
        root: of the exchange.
        caller: of the account.
        ticker: of a market with a book.
        happens: lets something happen to a market, the last of it its settlement.

    Returns:
        What was not as it must be.
    """
    headers = caller.signed("GET", STREAM)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(root + STREAM, headers=headers) as socket,
    ):
        line = Listener(socket)
        sids: dict[str, int] = {}
        for channel in CHANNELS:
            said = await line.command("subscribe", channels=[channel], market_tickers=[ticker])
            sids[channel] = said["msg"]["sid"]
        await _trade(caller, ticker)
        await line.until(lambda said: said["type"] == "order_group_updates")
        if happens is not None:
            happens()
            await line.until(lambda said: said.get("msg", {}).get("event_type") == "settled")
        book = sids["orderbook_delta"]
        for action in ("get_snapshot", "delete_markets", "add_markets"):
            await line.command(
                "update_subscription", sids=[book], action=action, market_tickers=[ticker]
            )
        await line.command("list_subscriptions")
        await line.command("unsubscribe", sids=[book])
        wrong = [
            await line.command("subscribe", channels=["none"]),
            await line.command("update_subscription", sids=[99], action="add_markets"),
            await line.command("none"),
            await line.command("update_subscription", sids=[sids["ticker"]], action="none"),
            await line.command("subscribe", channels=["orderbook_delta"], market_tickers=["NONE"]),
        ]
        found = [f"{each} is no error" for each in wrong if each["type"] != "error"]
        return found + _sequence(line.heard, book)


async def _trade(caller: Caller, ticker: str) -> None:
    ioc = "immediate_or_cancel"
    made = await caller.call("POST", "/portfolio/order_groups/create", {"contracts_limit": 5})
    group = made.body["order_group_id"]
    await caller.create(ticker, price="0.9900", time_in_force=ioc)
    await caller.create(ticker, side="ask", price="0.0100", time_in_force=ioc)
    await caller.create(ticker, order_group_id=group, expiration_time=4_000_000_000)
    await caller.call("PUT", f"/portfolio/order_groups/{group}/trigger", {})


def _sequence(heard: list[dict[str, Any]], book: int) -> list[str]:
    """Return what is wrong with the numbers of the book's messages."""
    numbers = [each["seq"] for each in heard if each.get("sid") == book and "seq" in each]
    wanted = list(range(1, len(numbers) + 1))
    return [] if numbers == wanted else [f"numbers of the book: Expected {wanted}, was {numbers}"]
