"""A process to be killed: sends orders from many tasks and says what was acknowledged.

Each line on stdout is an acknowledgement that a caller had, written at once: `client order id`,
`filled quantity`, `working` or how it ended. It runs until it is killed.
"""

import asyncio
import os
import sys

from arbees.core.deciding.outcomes import Accepted
from arbees.core.language.words import Platform
from arbees.venues.paper import PaperExchange
from tests.venues.paper.rig import (
    FOK,
    GTC,
    IOC,
    OWNER,
    POLYMARKET,
    TICKER,
    TOKEN,
    HandClock,
    make_order,
    make_quote,
    micro,
    passes,
    polymarket_quote,
)

CALLERS = 16
KINDS = (IOC, GTC, FOK)


async def call(exchange: PaperExchange, prefix: str, caller: int) -> None:
    """Send one order after the other, alternately to both venues."""
    number = 0
    while True:
        number += 1
        platform = POLYMARKET if number % 2 else Platform.KALSHI
        order = make_order(
            f"{prefix}-{caller}-{number}",
            platform=platform,
            market_id=TOKEN if platform is POLYMARKET else TICKER,
            size="0.05",
            price=("0.50", "0.51", "0.40")[number % 3],
            time_in_force=KINDS[number % len(KINDS)],
        )
        answer = await exchange.venue(platform).submit(order, passes)
        if isinstance(answer, Accepted):
            filled = sum(fill.quantity for fill in answer.fills)
            line = f"{order.client_order_id} {filled} {answer.closed or 'working'}\n"
            os.write(1, line.encode())
        else:  # full: without a turn of the loop nothing is ever taken out
            await asyncio.sleep(0)


async def main(path: str, prefix: str) -> None:
    """Open the book and trade for ever."""
    exchange = PaperExchange.open(
        path, clock=HandClock(), starting_balance=micro("100000"), owner=OWNER
    )
    callers = [asyncio.create_task(call(exchange, prefix, number)) for number in range(CALLERS)]
    asks = [("0.50", "0.2"), ("0.51", "0.3")]
    while not any(task.done() for task in callers):
        exchange.feed(make_quote([("0.49", "1")], asks))
        exchange.feed(polymarket_quote([("0.49", "1")], asks))
        await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
