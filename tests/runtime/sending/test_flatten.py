"""Flattening: what is held is sold through every safeguard, and what is not is named."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from arbees.core.book.api_keys import Caps, KeyAsk
from arbees.core.deciding import commands
from arbees.core.language.request import Request
from arbees.core.language.words import (
    Action,
    KeyScope,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import Result
from arbees.interface.views import Receipt, Undecided
from arbees.rehearsal.scene import MARKET, Scene, stage
from arbees.runtime.intake.writer import Lane
from arbees.runtime.looking.stop_receipts import NEVER_ASKED, NEVER_PLANNED

OTHER = "KXNFLGAME-26JAN28AB-A"
WIDE: Mapping[str, str] = {
    "MAX_ORDER_SIZE": "1000",
    "MAX_POSITION_PER_MARKET": "1000",
    "MAX_GAME_EXPOSURE": "5000",
    "MAX_SPORT_EXPOSURE": "5000",
    "MAX_TOTAL_EXPOSURE": "5000",
    "MAX_ORDER_CONTRACTS": "200",
}


async def flatten(scene: Scene, scope: str = "all", **more: Any) -> Receipt:
    """Flatten, and let everything happen."""
    gateway = scene.assembly.gateway
    receipt_id = await gateway.flatten(scope=scope, reason="a test", actor="ann", **more)
    while True:
        await scene.player.settle()
        found = gateway.receipt(receipt_id)
        assert found is not None
        if found.complete:
            return found
        await scene.wait(0.02)


async def held(scene: Scene) -> dict[tuple[str, str], Decimal]:
    """Return what is held, by market and side."""
    positions = await scene.assembly.gateway.positions()
    return {(each.market_id, each.side): each.quantity for each in positions.items}


async def test_both_sides_are_sold_inside_the_collar() -> None:
    """Yes at its bid less the collar, No at the mirror of the ask; nothing is held after."""
    async with stage(WIDE) as scene:
        await scene.quote("0.59", "0.61")
        await scene.quote("0.39", "0.41", market=OTHER, sport="NFL", game="nfl")
        await scene.ask(size="30")
        await scene.ask(size="20", side=Side.NO, market=OTHER, price="0.61", sport="NFL")
        assert await held(scene) == {(MARKET, "Yes"): 30, (OTHER, "No"): 20}
        receipt = await flatten(scene)
        assert await held(scene) == {}
        assert (receipt.kind, receipt.complete, receipt.left) == ("flatten", True, ())
        asked = {each.market_id: each.limit_price for each in receipt.closing}
        assert asked == {MARKET: Decimal("0.49"), OTHER: Decimal("0.49")}
        assert {each.status for each in receipt.closing} == {"Filled"}
        assert [each.request_id for each in receipt.closing] == [
            f"{receipt.receipt_id}-1",
            f"{receipt.receipt_id}-2",
        ]


@pytest.mark.parametrize(
    ("asked", "price"), [(None, "0.49"), (0, "0.59"), (25_000, "0.565"), (500_000, "0.49")]
)
async def test_slippage_stays_within_the_collar(asked: int | None, price: str) -> None:
    """What is allowed tightens the collar, and never widens it."""
    async with stage(WIDE) as scene:
        await scene.quote("0.59", "0.61")
        await scene.ask(size="5")
        receipt = await flatten(scene, max_slippage=asked)
        assert [each.limit_price for each in receipt.closing] == [Decimal(price)]


async def test_what_is_open_is_cancelled_first() -> None:
    """Orders that open and those that close go; then all that is held is sold."""
    async with stage(WIDE) as scene:
        await scene.quote("0.59", "0.61")
        await scene.ask(size="30")
        resting: dict[str, Any] = {"time_in_force": TimeInForce.GTC}
        await scene.ask(size="5", price="0.30", **resting)
        await scene.ask(size="20", price="0.90", action=Action.SELL, **resting)
        receipt = await flatten(scene)
        assert len(receipt.cancelled) == 2
        assert await held(scene) == {}
        assert (await scene.assembly.gateway.orders()).items == ()


async def test_large_positions_are_sold_in_pieces() -> None:
    """No order is larger than an order may be; a piece that does not fill is the last."""
    async with stage(WIDE) as scene:
        await scene.quote("0.59", "0.61")
        for _ in range(3):
            await scene.ask(size="150")
        await scene.quote("0.59", "0.61", size="300")
        receipt = await flatten(scene)
        assert [each.quantity for each in receipt.closing] == [200, 200, 50]
        assert [each.filled_qty for each in receipt.closing] == [200, 100, 0]
        assert [each.status for each in receipt.closing] == ["Filled", "Partial", "Failed"]
        assert sum(each.quantity for each in receipt.left) == 150
        assert await held(scene) == {(MARKET, "Yes"): 150}
        assert "not asked for" in receipt.left[-1].reason
        await scene.quote("0.59", "0.61")
        assert (await flatten(scene)).left == ()
        assert await held(scene) == {}


async def test_what_nobody_bids_for_is_named() -> None:
    """Without a bid nothing is sent, and the receipt says what is held still."""
    async with stage(WIDE) as scene:
        await scene.quote("0.59", "0.61")
        await scene.ask(size="30")
        await scene.quote(None, "0.61")
        receipt = await flatten(scene)
        assert (receipt.complete, receipt.closing) == (True, ())
        (left,) = receipt.left
        assert (left.market_id, left.side, int(left.quantity)) == (MARKET, "Yes", 30)
        assert "nobody bids" in left.reason


async def test_it_works_while_reducing_and_is_denied_while_halted() -> None:
    """Halted, each is denied with its words; stepped down, they are sold."""
    async with stage(WIDE) as scene:
        await scene.quote("0.59", "0.61")
        await scene.ask(size="30")
        switch = scene.assembly.gateway.kill_switch
        said: dict[str, Any] = {"scope": "all", "reason": "a test", "actor": "ann"}
        await switch("ENABLE", source="http", **said)
        receipt = await flatten(scene)
        (left,) = receipt.left
        assert (left.code, int(left.quantity), receipt.complete) == ("HALTED", 30, True)
        assert "a test" in left.reason
        await switch("REDUCE", source="http", acknowledge=True, **said)
        assert (await flatten(scene)).left == ()
        assert await held(scene) == {}


async def test_a_scope_closes_its_own_alone() -> None:
    """A sport, a game, a market; a strategy sells what it bought, of a market of several."""
    async with stage(WIDE) as scene:
        await scene.quote("0.59", "0.61", game="g1")
        await scene.quote("0.59", "0.61", market=OTHER, sport="NFL", game="g2")
        await scene.ask(size="10", strategy="alpha")
        await scene.ask(size="15", strategy="beta")
        await scene.ask(size="20", strategy="alpha", market=OTHER, sport="NFL")
        await flatten(scene, "Strategy:ALPHA")
        assert await held(scene) == {(MARKET, "Yes"): 15}
        await flatten(scene, "sport:NFL")
        assert await held(scene) == {(MARKET, "Yes"): 15}
        await flatten(scene, "game:g1")
        assert await held(scene) == {}


async def test_positions_have_no_model_version() -> None:
    """Which nobody can close by is refused."""
    async with stage(WIDE) as scene:
        with pytest.raises(ValueError, match="model version"):
            await flatten(scene, "model_version:v1")


async def test_one_that_ended_before_its_plan_names_what_is_held() -> None:
    """A process that dies in between has closed nothing, and its receipt does not say otherwise."""
    async with stage(WIDE) as scene:
        await scene.quote("0.59", "0.61")
        await scene.ask(size="30")
        gateway = scene.assembly.gateway
        command = commands.RequestCancel(
            scope="all", reason="flatten", actor="ann", receipt_id="receipt-x", is_flatten=True
        )
        await gateway.desk.writer.put(command, Lane.CONTROL)
        receipt = gateway.receipt("receipt-x")
        assert receipt is not None
        assert [(each.quantity, each.reason) for each in receipt.left] == [
            (Decimal(30), NEVER_PLANNED)
        ]
        again = await flatten(scene)
        assert await held(scene) == {}
        assert again.left == ()


async def test_trouble_in_one_market_leaves_the_others() -> None:
    """Where one order is not decided, what is held elsewhere is closed all the same."""
    async with stage(WIDE) as scene:
        await scene.quote("0.59", "0.61")
        await scene.quote("0.39", "0.41", market=OTHER, sport="NFL", game="nfl")
        await scene.ask(size="30")
        await scene.ask(size="20", market=OTHER, price="0.41", sport="NFL")
        gateway = scene.assembly.gateway
        flattening, asked = gateway.flattening, gateway.submit

        async def submit(request: Request, seconds: float, key_id: str | None = None) -> Result:
            if request.market_id == MARKET:
                raise Undecided("QUEUE_FULL", "come again")
            await scene.player.settle()
            return await asked(request, seconds, key_id)

        flattening._submit = submit
        receipt = await flatten(scene)
        assert await held(scene) == {(MARKET, "Yes"): 30}
        assert [each.reason for each in receipt.left] == [NEVER_ASKED]


async def test_a_scope_that_matches_nothing_says_so() -> None:
    """A name that nothing known has is taken, loudly: a typo is no empty account."""
    async with stage(WIDE) as scene:
        await scene.quote("0.59", "0.61")
        await scene.ask(size="30", strategy="alpha")
        assert (await flatten(scene, "strategy:alhpa")).matches_nothing
        assert not (await flatten(scene, "strategy:ALPHA")).matches_nothing


async def test_two_at_once_sell_nothing_twice() -> None:
    """What one is closing the other leaves, and says so, or is denied: never more than is held."""
    async with stage(WIDE) as scene:
        await scene.quote("0.59", "0.61")
        await scene.ask(size="30")
        gateway = scene.assembly.gateway
        names = await asyncio.gather(
            *(gateway.flatten(scope="all", reason="a test", actor="ann") for _ in range(3))
        )
        for _ in range(10):
            await scene.player.settle()
            await scene.wait(1)
        assert await held(scene) == {}
        receipts = [gateway.receipt(name) for name in names]
        sold = sum(
            each.filled_qty for found in receipts if found is not None for each in found.closing
        )
        assert sold == 30
        assert all(found is not None and found.complete for found in receipts)


async def test_a_keys_caps_hold() -> None:
    """No order is larger than the key's own may be."""
    async with stage(WIDE) as scene:
        await scene.quote("0.59", "0.61")
        await scene.ask(size="30")
        ask = KeyAsk(
            name="k",
            scopes=(KeyScope.SUBMIT, KeyScope.CANCEL),
            caps=Caps(max_order_contracts=10_000_000),
        )
        made = await scene.assembly.gateway.create_key(ask, actor="ann")
        receipt = await flatten(scene, key_id=made.key.key_id)
        assert [each.quantity for each in receipt.closing] == [10, 10, 10]
        assert (receipt.left, await held(scene)) == ((), {})
