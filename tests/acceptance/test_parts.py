"""One part's trouble stays there: a group, a shard, a channel, an odd market, end to end."""

import asyncio

import pytest

from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    HaltSource,
    ResultStatus,
    TimeInForce,
)
from arbees.core.orders.result import Result
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.server import OWNER
from arbees.settings import load
from arbees.wiring.exchanges import burst_of
from verification.live.scene import (
    MARKET,
    OTHER,
    KalshiScene,
    kalshi_stage,
)

POOL = {MARKET: "Kalshi:3", OTHER: "Kalshi"}


async def ask(scene: KalshiScene, market: str, size: str = "5", price: str = "0.40") -> Result:
    """Buy something of a market, and wait for what becomes of it."""
    while True:
        result = await scene.send(scene.request(size, price, market=market))
        assert result is not None
        if result.code not in {"QUOTE_MISSING", "QUOTE_STALE"}:
            return result
        scene.show(market)  # its book is being subscribed to
        await scene.pass_time(5)


async def leave(scene: KalshiScene, market: str, size: str = "5") -> Result:
    """Sell what is held of a market."""
    scene.show(market)
    result = await scene.send(scene.request(size, "0.38", market=market, action=Action.SELL))
    assert result is not None
    return result


async def hold(scene: KalshiScene) -> None:
    """Hold five of a market on shard 3 and of one on shard 0."""
    for market in (MARKET, OTHER):
        scene.show(market)
        assert (await ask(scene, market)).status is ResultStatus.FILLED
    await scene.settled()


async def lift(scene: KalshiScene) -> None:
    """Let a named operator resume everything."""
    await scene.assembly.gateway.kill_switch(
        "DISABLE",
        scope="all",
        reason="looked at it",
        source=HaltSource.COMMAND,
        actor="operator",
        acknowledge=True,
    )


def line(scene: KalshiScene, market: str) -> tuple[str, tuple[str, ...]]:
    """Return what status says of the shard of a market."""
    shard = {MARKET: 3, OTHER: 0}[market]
    (found,) = [each for each in scene.assembly.gateway.status().venues if each.shard == shard]
    return found.state, found.reasons


@pytest.mark.parametrize("how", ["triggered", "deleted", "unheard"])
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_tripped_group_stops_what_opens_there_until_somebody_looks(
    how: str, restarts: bool
) -> None:
    """Exits pass, another shard goes on, a restart lifts nothing; the lifting makes it good."""
    async with kalshi_stage() as scene:
        await hold(scene)
        groups, exchange = scene.venue.groups, scene.exchange
        group = exchange.groups[groups.ids[3]]
        if how == "deleted":
            del exchange.groups[group.group_id]
            exchange.tell_group(group, "deleted")
        elif how == "triggered":
            exchange.trigger(group)
        else:
            group.is_triggered = True
            refused = await ask(scene, MARKET)
            assert (refused.status, refused.rejected_by) == (ResultStatus.REJECTED, "venue")
        halts = scene.assembly.gateway.desk.book.halts
        await scene.until(lambda: halts)
        if restarts:
            await scene.restart(waits=False)
            await scene.until(lambda: line(scene, OTHER)[0] == "ACTIVE")
            halts = scene.assembly.gateway.desk.book.halts
        (halt,) = halts.values()
        assert (halt.source, halt.scope, halt.state) == (
            HaltSource.ORDER_GROUP,
            "pool:Kalshi:3",
            "REDUCING",
        )
        assert halt.is_automatic
        scene.show(MARKET)
        scene.show(OTHER)
        assert (await ask(scene, MARKET)).code == "REDUCE_ONLY"
        assert (await ask(scene, OTHER)).status is ResultStatus.FILLED
        assert (await leave(scene, MARKET)).status is ResultStatus.FILLED
        await lift(scene)
        await scene.until(lambda: not scene.venue.groups.is_shut(3))
        assert (await ask(scene, MARKET)).status is ResultStatus.FILLED
        assert len(exchange.groups) == 4
        assert "TASK_DIED" not in {name for name, _ in scene.alerts}


async def test_a_global_stop_holds_at_every_shard_and_ends_at_every_shard() -> None:
    """A minute after it was lifted, Buys pass on all shards; Sells pass at once."""
    async with kalshi_stage() as scene:
        await hold(scene)
        gateway, groups = scene.assembly.gateway, scene.exchange.groups
        await gateway.kill_switch(
            "ENABLE", scope="all", reason="test", source=HaltSource.COMMAND, actor="operator"
        )
        await scene.until(lambda: all(group.is_triggered for group in groups.values()))
        await lift(scene)
        await scene.until(lambda: not any(group.is_triggered for group in groups.values()))
        scene.show(MARKET)
        denied = await ask(scene, MARKET)
        assert denied.code == "VENUE_UNAVAILABLE"
        assert denied.denials[0].until is not None
        assert line(scene, MARKET)[0] == "REDUCING"
        assert (await leave(scene, MARKET)).status is ResultStatus.FILLED
        await scene.pass_time(61)
        for market in (MARKET, OTHER):
            scene.show(market)
            assert (await ask(scene, market)).status is ResultStatus.FILLED
            assert line(scene, market) == ("ACTIVE", ())
        assert gateway.desk.book.halts == {}


async def test_what_our_limits_allow_trips_no_group() -> None:
    """All that may rest is swept at once, and as much as may be sent in a minute after it."""
    limits = {"MAX_OPEN_ORDERS": "10", "MAX_ORDERS_PER_MINUTE": "5", "MAX_ORDERS_PER_HOUR": "9"}
    settings = load({"MAX_ORDER_CONTRACTS": "100", **limits})
    assert burst_of(settings) == 100 * (10 + 5) * MICRO
    assert burst_of(load({})) == 100 * (50 + 20) * MICRO


@pytest.mark.parametrize("kind", [FaultKind.TRADING_PAUSE, FaultKind.EXCHANGE_PAUSE])
async def test_a_pause_of_one_shard_stops_no_order_of_another(kind: FaultKind) -> None:
    """Buys and Sells of the other shards fill; status says which is paused."""
    async with kalshi_stage() as scene:
        await hold(scene)
        scene.server.fault(kind, shard=2)
        await scene.pass_time(6)
        for market in (MARKET, OTHER):
            scene.show(market)
            assert (await ask(scene, market)).status is ResultStatus.FILLED
            assert (await leave(scene, market)).status is ResultStatus.FILLED
        states = {each.shard: each.state for each in scene.assembly.gateway.status().venues}
        paused = "HALTED" if kind is FaultKind.TRADING_PAUSE else "READ_ONLY"
        assert states == {0: "ACTIVE", 1: "ACTIVE", 2: paused, 3: "ACTIVE"}
        scene.server.fault(kind, shard=3)
        await scene.pass_time(6)
        scene.show(MARKET)
        assert (await ask(scene, MARKET)).status is ResultStatus.REJECTED
        scene.show(OTHER)
        assert (await ask(scene, OTHER)).status is ResultStatus.FILLED


async def test_what_reduces_passes_an_open_breaker() -> None:
    """Errors of ours or of the venue hold back what opens; the way out stays open."""
    async with kalshi_stage({"VENUE_ERRORS_TO_OPEN": "1"}) as scene:
        await hold(scene)
        scene.assembly.gateway.monitors.note(scene.venue.platform, "503")
        scene.show(MARKET)
        assert (await ask(scene, MARKET)).code == "VENUE_UNAVAILABLE"
        state, reasons = line(scene, MARKET)
        assert state == "REDUCING"
        assert any("breaker: 503" in each for each in reasons)
        assert (await leave(scene, MARKET)).status is ResultStatus.FILLED


async def test_errors_of_one_shard_hold_back_that_shard_alone() -> None:
    """Creates of shard 3 answer 503: its own breaker opens and closes; shard 0 trades on."""
    async with kalshi_stage({"VENUE_ERRORS_TO_OPEN": "1"}) as scene:
        await hold(scene)
        scene.server.fault(FaultKind.ERROR_AFTER, call="create", count=1)
        await scene.send(scene.request("1", "0.40", market=MARKET), 10.0)
        scene.show(MARKET)
        scene.show(OTHER)
        assert "VENUE_UNAVAILABLE" in {
            each.code for each in scene.assembly.gateway.status().refuses
        }
        assert line(scene, MARKET)[0] == "REDUCING"
        assert line(scene, OTHER) == ("ACTIVE", ())
        assert (await ask(scene, OTHER, "1")).status is ResultStatus.FILLED
        assert (await leave(scene, MARKET, "1")).status is ResultStatus.FILLED
        states = scene.assembly.gateway.desk.book.venue_states
        assert states == {"Kalshi:3": "REDUCING"}
        await scene.pass_time(120)
        assert line(scene, MARKET) == ("ACTIVE", ())


async def test_an_odd_market_is_no_trouble_of_the_venue() -> None:
    """Ten requests for a market whose event is gone and whose close is of year 1 open nothing."""
    async with kalshi_stage({"MAX_ORDERS_PER_MINUTE": "50"}) as scene:
        await hold(scene)
        odd = "KXNFLGAME-26SEP14ODDODD-ODD"
        scene.show(odd)
        scene.exchange.markets[odd].odd = {"close_time": "0001-01-01T00:00:00Z"}
        for _ in range(10):
            await ask(scene, odd)
        scene.show(OTHER)
        assert (await ask(scene, OTHER)).status is ResultStatus.FILLED
        assert line(scene, OTHER) == ("ACTIVE", ())


@pytest.mark.parametrize(
    ("channel", "is_needed"),
    [("market_positions", False), ("order_group_updates", False), ("fill", True)],
)
async def test_a_channel_that_is_refused_costs_what_hangs_on_it(
    channel: str, is_needed: bool
) -> None:
    """One that we can do without costs nothing; one that we need is said, with its name."""
    async with kalshi_stage(starts=False) as scene:
        scene.server.fault(FaultKind.REFUSED_CHANNEL, channel=channel, code=8)
        await scene.start(waits=not is_needed)
        scene.show(OTHER)
        result = await ask(scene, OTHER)
        if not is_needed:
            assert result.status is ResultStatus.FILLED
            return
        assert "VENUE_BLIND" in {each.code for each in result.denials}
        await scene.until(lambda: any(channel in each for each in line(scene, OTHER)[1]))
        scene.server.faults.clear()
        await scene.until(lambda: line(scene, OTHER)[0] == "ACTIVE")


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_an_account_without_known_limits_trades_as_the_smallest(status: int) -> None:
    """What the venue does not tell us of our rates is no reason not to trade."""
    async with kalshi_stage(starts=False) as scene:
        scene.server.fault(
            FaultKind.ANSWERED_ONLY, path="/account/limits", status=status, count=1_000
        )
        await scene.start()
        scene.show(OTHER)
        assert (await ask(scene, OTHER)).status is ResultStatus.FILLED
        assert scene.venue.api.budget.write.capacity <= 100


async def test_bytes_that_are_none_end_no_part() -> None:
    """In every answer for a while, and on every stream: unknown of those calls, and mended."""
    async with kalshi_stage() as scene:
        await hold(scene)
        scene.server.fault(
            FaultKind.ANSWERED_INSTEAD, call="any", status=502, hex="636166e9", for_seconds=20
        )
        scene.server.streams.say("fill", b'{"type":"fill","msg":{"trade_id":"caf\xe9"}}')
        scene.show(MARKET)
        request = scene.request("5", "0.40", TimeInForce.GTC)
        await scene.send(request)
        await scene.assembly.gateway.reconcile()
        await scene.pass_time(25)
        await scene.settled()
        assert scene.assembly.gateway.desk.writer.poison is None
        assert scene.assembly.gateway.desk.supervisor.dead == {}
        assert [name for name, _ in scene.alerts if name == "TASK_DIED"] == []
        held = scene.exchange.account(OWNER).positions
        assert held[MARKET] == 10 * MICRO


async def test_our_own_budget_is_no_fault_of_the_venue() -> None:
    """Seventeen orders at once on the smallest tier all fill, and what reduces passes besides."""
    limits = {"MAX_ORDERS_PER_MINUTE": "60", "MAX_ORDERS_PER_HOUR": "100"}
    async with kalshi_stage(limits, starts=False) as scene:
        scene.server.rest.set_limits((200.0, 600.0), (100.0, 100.0))
        await scene.start()
        await hold(scene)
        scene.show(MARKET)
        scene.show(OTHER)
        buys = [scene.request("1", "0.40", market=MARKET) for _ in range(17)]
        sell = scene.request("5", "0.38", market=OTHER, action=Action.SELL)
        asked = [asyncio.create_task(scene.send(each, 10.0)) for each in (*buys, sell)]
        await scene.until(lambda: all(each.done() for each in asked))
        results = [each.result() for each in asked]
        assert [each.status for each in results if each] == 18 * [ResultStatus.FILLED]
        assert not scene.assembly.gateway.desk.breakers[scene.venue.platform].is_open
        assert scene.server.rest.over_limit == 0
