"""The way out of a day that lost too much: stepped down, exits pass at Kalshi within its minute."""

from collections.abc import Mapping
from typing import Any

from arbees.core.language.words import Action
from verification.live.scene import MARKET, KalshiScene, kalshi_stage

SETTINGS: Mapping[str, str] = {"MAX_DAILY_LOSS": "30"}
LOW = 8
"""The price in cents at which a hundred, bought at 40, have lost more than that."""


async def lose(scene: KalshiScene) -> None:
    """Hold a hundred that are worth much less, and wait for the halt."""
    gateway = scene.assembly.gateway
    await scene.settled()
    for _ in range(2):
        await buy(scene)
        await scene.settled()
    await fall(scene)
    await scene.until(lambda: "daily_loss|all" in gateway.desk.book.halts)


async def buy(scene: KalshiScene) -> None:
    """Buy fifty; the first request of a market may come before its book does."""
    for _ in range(10):
        scene.show(bid=38, ask=40)
        bought = await scene.send(scene.request("50", "0.40", strategy="alpha"))
        if bought is not None and bought.status == "Filled":
            return
        await scene.pass_time(1)
    raise AssertionError(bought)


async def fall(scene: KalshiScene, bid: int = LOW) -> None:
    """Show a lower price, and let it arrive."""
    scene.show(bid=bid, ask=bid + 2)
    touches = scene.assembly.gateway.desk.marks.touches
    await scene.until(lambda: MARKET in touches and touches[MARKET].bid == bid * 10_000)


async def switch(scene: KalshiScene, action: str, **more: Any) -> None:
    """Command the kill switch as an operator does."""
    await scene.assembly.gateway.kill_switch(
        action, scope="all", reason="a test", source="command", actor="operator", **more
    )


async def sells(scene: KalshiScene, bid: int = LOW) -> bool:
    """Try to sell one; tell whether it was sold."""
    scene.show(bid=bid, ask=bid + 2)
    request = scene.request("1", "0.02", action=Action.SELL, strategy="alpha")
    result = await scene.send(request)
    return result is not None and result.status == "Filled"


async def until_sold(scene: KalshiScene, seconds: float, bid: int = LOW) -> None:
    """Try every two seconds, for so long; one is sold by then."""
    begun_ns = scene.clock.now_ns()
    while not await sells(scene, bid):
        passed = (scene.clock.now_ns() - begun_ns) / 1e9
        assert passed < seconds, scene.assembly.gateway.status()
        await scene.pass_time(2)


async def test_stepped_down_exits_pass() -> None:
    """Within the minute of the one account-wide cancel, and on: nothing shuts them again."""
    async with kalshi_stage(SETTINGS) as scene:
        await lose(scene)
        await switch(scene, "REDUCE", acknowledge=True)
        await until_sold(scene, 65)
        await scene.pass_time(70)
        assert scene.assembly.gateway.kill_status().state == "REDUCING"
        assert await sells(scene)


async def test_lifted_and_halted_again_the_minute_does_not_begin_anew() -> None:
    """An operator who lifts it, and is halted again every time, still finds the way out."""
    async with kalshi_stage(SETTINGS) as scene:
        await lose(scene)
        for _ in range(4):
            await switch(scene, "DISABLE", acknowledge=True)
            await scene.until(
                lambda: scene.assembly.gateway.kill_status().state == "HALTED", seconds=40
            )
        await switch(scene, "REDUCE", acknowledge=True)
        await until_sold(scene, 6)


async def test_a_further_loss_halts_anew() -> None:
    """Another tenth of the limit, and the door is shut; stepped down again, it opens at once."""
    async with kalshi_stage(SETTINGS) as scene:
        await lose(scene)
        await switch(scene, "REDUCE", acknowledge=True)
        await until_sold(scene, 65)
        await fall(scene, 3)
        gateway = scene.assembly.gateway
        await scene.until(lambda: gateway.kill_status().state == "HALTED", seconds=40)
        await switch(scene, "REDUCE", acknowledge=True)
        await until_sold(scene, 6, 3)


async def test_flatten_closes_what_is_held() -> None:
    """All of it, at the exchange as in the book."""
    async with kalshi_stage(SETTINGS) as scene:
        await lose(scene)
        await switch(scene, "REDUCE", acknowledge=True)
        await until_sold(scene, 65)
        scene.show(bid=LOW, ask=LOW + 2)
        gateway = scene.assembly.gateway
        name = await gateway.flatten(scope="all", reason="a test", actor="operator")

        def is_complete() -> bool:
            receipt = gateway.receipt(name)
            return receipt is not None and receipt.complete

        await scene.until(is_complete)
        receipt = gateway.receipt(name)
        assert receipt is not None
        assert receipt.left == ()
        await scene.settled()
        assert not gateway.desk.book.markets[MARKET].yes.quantity
