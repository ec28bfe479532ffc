"""A venue that was away is compared with as soon as it is back (R11)."""

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.language.words import HaltSource, Platform, Side
from arbees.rehearsal.scene import MARKET, Scene, stage
from arbees.venues.paper.faults import Fault


async def away_and_back(scene: Scene) -> None:
    """Let the venue fail five orders, open the breaker, and come back."""
    scene.assembly.exchange.faults.set(Fault.OUTAGE, platform=Platform.KALSHI)
    for _ in range(5):
        await scene.ask(size="1")
        await scene.wait(4)
    scene.assembly.exchange.faults.clear(Fault.OUTAGE)
    await scene.wait(60)


async def test_a_break_is_found_right_after_a_reconnect() -> None:
    """What the record does not know is found long before the hourly comparison."""
    async with stage() as scene:
        await scene.quote()
        await scene.ask(size="10")
        desk = scene.assembly.gateway.desk
        # The record forgets what it holds: as if a fill had been lost.
        settled = events.MarketSettled(
            market_key=MARKET,
            result=Side.NO,
            payout=0,
            realized=0,
            yes_quantity=-desk.book.markets[MARKET].yes.quantity,
            yes_cost=-desk.book.markets[MARKET].yes.cost,
        )
        desk.writer.tell(commands.Record(events=(settled,)))
        await scene.player.settle()
        await scene.quote(market="KXOTHER", game=None)
        scene.assembly.exchange.faults.set(Fault.OUTAGE, platform=Platform.KALSHI)
        for _ in range(5):
            await scene.ask(size="1", market="KXOTHER")
            await scene.wait(4)
        scene.assembly.exchange.faults.clear(Fault.OUTAGE)
        await scene.wait(60)
        assert [each.kind for each in desk.book.breaks.values()] == ["position"]


async def test_a_reconnect_without_a_difference_is_quiet() -> None:
    """A comparison that agrees opens nothing."""
    async with stage() as scene:
        await scene.quote()
        await scene.ask(size="10")
        await away_and_back(scene)
        assert scene.assembly.gateway.desk.book.breaks == {}


async def test_a_second_reason_of_an_automatic_halt_is_added() -> None:
    """An operator who acknowledges sees every cause, the first one first."""
    async with stage() as scene:
        monitors = scene.assembly.gateway.monitors
        for reason in ("chain broken at 17", "disk space is low", "disk space is low"):
            monitors.halt(HaltSource.JOURNAL, reason)
            await scene.player.settle()
        halt = scene.assembly.gateway.desk.book.halts["journal|all"]
        assert halt.reason == "chain broken at 17; disk space is low"
