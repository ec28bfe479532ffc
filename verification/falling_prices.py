"""Kills the gateway while prices fall: no restart may make the loss of the day smaller.

Guarantees that what is compared was told before the kill, by the gateway itself (`/v1/status`) or
by its answer to a quote, whose worth is worked out here by a plain rule of its own: the bid, else
the lower of the last mark and the best offer. It fails by `OSError` and `TimeoutError`, as the
process that it kills does.
"""

import asyncio
import random
from decimal import Decimal
from typing import Any

import msgspec

from verification.http import HttpConnection
from verification.process import Process

MARKETS = tuple(f"KXFALL-26JAN28-{name}" for name in "ABC")
SIZE = 10
FIRST = Decimal("0.60")
CENT = Decimal("0.01")
LOWEST = Decimal("0.02")
ONE_SIDED = 0.3
"""Chance that nobody bids at a step."""


class Fall(msgspec.Struct):
    """What was told before a kill, and after the start that followed."""

    before: Decimal = Decimal(0)
    """The least P&L of the day that was told, or that follows from a quote that was taken."""
    after: Decimal = Decimal(0)
    quotes: int = 0
    """Taken before the kill."""

    @property
    def is_smaller(self) -> bool:
        """Whether the restart made the loss smaller."""
        return self.after > self.before


class Falling:
    """Positions whose prices fall, step by step, until the connection breaks."""

    def __init__(self, draw: random.Random) -> None:
        """Begin with nothing; `hold` buys."""
        self._draw = draw
        self._prices = dict.fromkeys(MARKETS, FIRST)
        self._marks = dict.fromkeys(MARKETS, FIRST)
        self._base = Decimal(0)
        self.fall = Fall()

    async def hold(self, connection: HttpConnection) -> None:
        """Buy some of each market, and learn what the day's P&L is at marks that are known."""
        for number, market in enumerate(MARKETS):
            await self._ask(connection, "/v1/quotes", _quote(market, FIRST, FIRST + CENT))
            request = {
                "request_id": f"fall-{number}",
                "idempotency_key": f"fall-{number}",
                "platform": "Kalshi",
                "market_id": market,
                "side": "Yes",
                "size": SIZE,
                "limit_price": str(FIRST + CENT),
            }
            answer = await self._ask(connection, "/v1/executions?wait=5", request)
            if answer["status"] != "Filled":
                raise OSError(f"Expected a fill to begin with, was {answer}")
        self._base = await _pnl(connection) - sum(self._marks.values()) * SIZE
        self.fall.before = await _pnl(connection)

    async def drop(self, connection: HttpConnection) -> None:
        """Let prices fall for ever. Raises ConnectionError: the gateway is gone."""
        while True:
            market = self._draw.choice(MARKETS)
            price = self._prices[market] = max(self._prices[market] - CENT, LOWEST)
            is_bid = self._draw.random() >= ONE_SIDED
            offer = price + self._draw.choice((CENT, 5 * CENT, 30 * CENT))
            quote = _quote(market, price if is_bid else None, offer)
            await self._ask(connection, "/v1/quotes", quote)
            mark = price if is_bid else min(self._marks[market], offer)
            self._marks[market] = mark
            self.fall.quotes += 1
            self._observed_loss(self._base + sum(self._marks.values()) * SIZE)
            if self._draw.random() < ONE_SIDED:
                self._observed_loss(await _pnl(connection))

    def _observed_loss(self, pnl: Decimal) -> None:
        # A bid after a step without one may lift a mark: what was told last is what counts.
        self.fall.before = pnl

    async def _ask(self, connection: HttpConnection, path: str, body: object) -> dict[str, Any]:
        status, answer = await connection.ask("POST", path, body)
        if status != 200:
            raise OSError(f"Expected 200 of {path}, was {status} {answer}")
        return answer


def _quote(market: str, bid: Decimal | None, ask: Decimal) -> dict[str, Any]:
    return {
        "platform": "Kalshi",
        "market_id": market,
        "bids": [] if bid is None else [[str(bid), 1_000]],
        "asks": [[str(ask), 1_000]],
        "game_id": market,
    }


async def _pnl(connection: HttpConnection) -> Decimal:
    _, status = await connection.ask("GET", "/v1/status")
    return Decimal(str(status["pnl_today"]))


async def fall_once(process: Process, seed: int, seconds: float) -> Fall:
    """
    Hold, let prices fall, kill at a random moment, start again and compare.

    Args:
        process: not started yet; stopped at the end.
        seed: of prices and of the moment.
        seconds: longest time until the kill.

    Raises:
        TimeoutError, OSError: it did not start, or not end as it should.
    """
    draw = random.Random(seed)
    falling = Falling(draw)
    await process.start()
    async with await HttpConnection.open(process.port) as connection:
        await falling.hold(connection)
        dropping = asyncio.create_task(falling.drop(connection))
        await asyncio.sleep(draw.uniform(0.05, seconds))
        await (process.kill() if draw.random() < 0.75 else process.stop())
        await asyncio.gather(dropping, return_exceptions=True)
    await process.start()
    async with await HttpConnection.open(process.port) as connection:
        falling.fall.after = await _pnl(connection)
    if await process.stop() != 0:
        raise OSError("it did not end as it should")
    return falling.fall
