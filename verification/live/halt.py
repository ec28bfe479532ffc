"""A halt while many orders work, and more are on their way: what the exchange saw of it.

Guarantees that the receipt of the halt is compared with the exchange's own record, order by order,
and that what came to the exchange after the acknowledgement is counted there.
"""

import argparse
import asyncio
import sys
from collections import Counter

import msgspec

from arbees.core.language.units import parse_micro
from arbees.core.language.words import TimeInForce
from arbees.interface.views import Receipt, ReceiptOrder
from arbees.rehearsal.kalshi.engine.rules import ExchangeOrder, Status
from arbees.rehearsal.kalshi.server import OWNER
from verification.live.comparison import is_ours
from verification.live.scene import (
    MARKET,
    OTHER,
    KalshiScene,
    kalshi_stage,
)

SETTINGS = {
    "MAX_ORDERS_PER_MINUTE": "1000000",
    "MAX_ORDERS_PER_HOUR": "1000000",
    "MAX_OPEN_ORDERS": "100000",
    "MAX_POSITION_PER_MARKET": "100000",
    "MAX_GAME_EXPOSURE": "100000",
    "MAX_SPORT_EXPOSURE": "100000",
    "MAX_TOTAL_EXPOSURE": "100000",
    "MAX_DAILY_LOSS": "100000",
}
FILLED_EVERY = 25
"""Of the working orders, one in so many fills while it is being cancelled."""


class Halted(msgspec.Struct, kw_only=True):
    """What a halt came to."""

    orders: int
    """That worked at the exchange."""
    created_after: int = 0
    """Orders that the exchange took after the acknowledgement."""
    left: int = 0
    """Orders that still worked there at the end."""
    cancelled: int = 0
    filled: int = 0
    over_limit: int = 0
    seconds: float = 0.0
    """Of the exchange's clock, from the halt until none of them worked."""
    complete_seconds: float = 0.0
    """Until the receipt was complete."""
    differences: list[str] = []

    @property
    def is_good(self) -> bool:
        """Whether every promise was kept."""
        return not (self.created_after or self.left or self.over_limit or self.differences)


async def halt(scene: KalshiScene, orders: int) -> Halted:
    """Let orders work, ask for more all the time, halt, and compare."""
    names = await scene.rest(orders, markets=(MARKET, OTHER))
    found = Halted(orders=len(names))
    asking = asyncio.create_task(_ask_on(scene))
    await asyncio.sleep(0.01)
    begun_ns = scene.clock.now_ns()
    halting = asyncio.create_task(
        scene.assembly.gateway.kill_switch(
            "ENABLE", scope="all", reason="rehearsal", source="http", actor="operator"
        )
    )
    _fill_some(scene)
    reply = await halting
    before = set(scene.exchange.orders)
    await scene.until(lambda: not scene.exchange.resting(OWNER))
    found.seconds = (scene.clock.now_ns() - begun_ns) / 1e9
    await scene.until(lambda: _is_complete(scene, reply.receipt_id))
    found.complete_seconds = (scene.clock.now_ns() - begun_ns) / 1e9
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await scene.settled()
    found.created_after = len(set(scene.exchange.orders) - before)
    found.left = len(scene.exchange.resting(OWNER))
    receipt = scene.assembly.gateway.receipt(reply.receipt_id or "")
    assert receipt is not None, "Expected a receipt"
    _compare(scene, receipt, found)
    missing = set(names) - {each.client_order_id for each in _listed(receipt)}
    filled = {each.client_order_id for each in _filled_whole(scene)}
    found.differences += [f"{name}: not in the receipt" for name in sorted(missing - filled)]
    found.over_limit = scene.server.rest.over_limit
    return found


async def _ask_on(scene: KalshiScene) -> None:
    """Ask for more orders, without a pause."""
    while True:
        asked = [scene.send(scene.request("1", "0.20", TimeInForce.GTC), 0.0) for _ in range(4)]
        await asyncio.gather(*asked)
        await asyncio.sleep(0.002)


def _fill_some(scene: KalshiScene) -> None:
    """Let somebody trade with some of what rests, whole orders and parts of orders."""
    for place, order in enumerate(scene.exchange.resting(OWNER)[::FILLED_EVERY]):
        scene.trade(order, order.remaining if place % 2 else order.remaining // 2)


def _is_complete(scene: KalshiScene, receipt_id: str | None) -> bool:
    receipt = scene.assembly.gateway.receipt(receipt_id or "")
    return receipt is not None and receipt.complete


def _filled_whole(scene: KalshiScene) -> list[ExchangeOrder]:
    return [each for each in scene.exchange.orders.values() if each.status is Status.EXECUTED]


def _listed(receipt: Receipt) -> list[ReceiptOrder]:
    return [*receipt.cancelled, *receipt.in_flight, *receipt.filled_meanwhile]


def _compare(scene: KalshiScene, receipt: Receipt, found: Halted) -> None:
    """Compare what the receipt says of each order with the exchange's own record."""
    theirs = {each.client_order_id: each for each in scene.exchange.orders.values()}
    found.cancelled, found.filled = len(receipt.cancelled), len(receipt.filled_meanwhile)
    for name in {each.client_order_id for each in receipt.cancelled}:
        order = theirs.get(name)
        if order is not None and order.status is not Status.CANCELED:
            found.differences.append(f"{name}: cancelled here, {order.status} there")
    for told in receipt.filled_meanwhile:
        order = theirs.get(told.client_order_id)
        filled = 0 if order is None else order.filled
        if parse_micro(str(told.filled_meanwhile)) > filled:
            found.differences.append(f"{told.client_order_id}: more filled here than there")
    found.differences += [f"{each.client_order_id}: still in flight" for each in receipt.in_flight]
    open_there = Counter(is_ours(each) for each in scene.exchange.resting(OWNER))[True]
    if open_there:
        found.differences.append(f"{open_there} orders work at the exchange")
    compared = scene.compare()
    if not compared.is_agreed:
        found.differences += compared.differences or ["the two do not agree"]


async def run(orders: int, rate: float) -> Halted:
    """Set up a stage for so many orders, and halt."""
    async with kalshi_stage(SETTINGS, rate=rate) as scene:
        return await halt(scene, orders)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="halting", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=1_200.0, help="tokens a second")
    options = parser.parse_args()
    found = asyncio.run(run(options.orders, options.rate))
    for name, value in msgspec.structs.asdict(found).items():
        sys.stdout.write(f"{name}: {value}\n")
    return 0 if found.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
