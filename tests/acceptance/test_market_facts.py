"""What is known of a market changes: status, start, ticks, fees, games; live at Kalshi."""

import asyncio
import contextlib
from decimal import Decimal
from typing import Any

import pytest

from arbees.core import events
from arbees.core.language.request import Request
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import (
    Action,
    HaltSource,
    Platform,
    ResultStatus,
    Side,
    TradingState,
)
from arbees.core.orders.result import Result
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import TickRange
from arbees.runtime.looking.refusals import Refusing
from verification.live.scene import (
    MARKET,
    OTHER,
    KalshiScene,
    kalshi_stage,
)

HOUR_NS = 3_600 * NS_PER_SECOND
EVENT = MARKET.rpartition("-")[0]
HOU = f"{EVENT}-HOU"
WINDOW = "[trading_window.NBA]\nphase = '{phase}'\n"


def windowed(phase: str) -> contextlib.AbstractAsyncContextManager[KalshiScene]:
    """Stage live trading where the phase of the game counts."""
    return kalshi_stage(toml=WINDOW.format(phase=phase))


async def buy(scene: KalshiScene, market: str = MARKET, **more: object) -> Result:
    """Buy one contract, on a fresh book."""
    scene.show(market)
    return await ask(scene, "1", "0.40", market=market, **more)


async def ask(scene: KalshiScene, size: str, price: str, **more: Any) -> Result:
    """Submit, again while the first state of the book is not there."""
    for _ in range(10):
        result = await scene.send(scene.request(size, price, **more))
        if result is None or result.code != "QUOTE_MISSING":
            break
        await scene.pass_time(1)
    assert result is not None
    return result


def records(scene: KalshiScene, *kinds: str) -> int:
    """Count the records of some kinds."""
    journal = scene.assembly.gateway.desk.journal
    return sum(each.kind in kinds for each in journal.records())


def refused(scene: KalshiScene) -> set[tuple[str, str]]:
    """Return scope and code of what would be refused now."""
    gateway = scene.assembly.gateway
    return {(each.scope, each.code) for each in Refusing(gateway.desk, tuple).now()}


def belief(scene: KalshiScene) -> set[str]:
    """Return what is believed and told that nobody verifies."""
    return {each for each in scene.standing if each.startswith("BELIEF_UNVERIFIED|")}


async def test_a_game_that_moves_to_sooner_ends_pregame_at_once() -> None:
    """From four hours ahead to a minute: 90 s later a pregame order is denied, also afterwards."""
    async with windowed("pregame") as scene:
        now_ns = scene.clock.now_ns()
        scene.exchange.lifecycle.move_start(MARKET, now_ns + 4 * HOUR_NS)
        await scene.pass_time(60)
        assert (await buy(scene)).status is ResultStatus.FILLED
        start_ns = scene.clock.now_ns() + 60 * NS_PER_SECOND
        scene.exchange.lifecycle.move_start(MARKET, start_ns)
        await scene.pass_time(150)
        assert (await buy(scene)).code == "OUTSIDE_WINDOW"
        await scene.kill()
        await scene.start()
        assert (await buy(scene)).code == "OUTSIDE_WINDOW"


async def test_the_start_is_never_the_occurrence() -> None:
    """An hour after kick-off, two before the occurrence: pregame is over."""
    async with windowed("pregame") as scene:
        scene.exchange.lifecycle.move_start(MARKET, scene.clock.now_ns() - HOUR_NS)
        await scene.pass_time(60)
        occurs_ns = scene.exchange.catalogue.occurrence_ns(EVENT)
        assert occurs_ns is not None
        assert occurs_ns > scene.clock.now_ns()
        assert (await buy(scene)).code == "OUTSIDE_WINDOW"


async def test_in_game_begins_with_the_milestone() -> None:
    """Just after the start it passes; the later of request and venue counts."""
    async with windowed("in_game") as scene:
        scene.exchange.lifecycle.move_start(MARKET, scene.clock.now_ns() - NS_PER_SECOND)
        await scene.pass_time(60)
        assert (await buy(scene)).status is ResultStatus.FILLED
        later = scene.clock.now_ns() + HOUR_NS
        assert (await buy(scene, game_start_ns=later)).code == "OUTSIDE_WINDOW"


async def test_a_start_that_nobody_knows_denies() -> None:
    """Without a milestone and without a word of the request no phase is known."""
    async with windowed("pregame") as scene:
        scene.exchange.catalogue.milestones.clear()
        scene.show(HOU)
        scene.exchange.catalogue.milestones.clear()
        assert (await buy(scene, HOU)).code == "OUTSIDE_WINDOW"


async def test_a_paused_market_stays_closed_until_the_venue_opens_it() -> None:
    """Ten minutes of quotes do not open it; what the stream says counts before a slow read."""
    async with kalshi_stage() as scene:
        assert (await buy(scene)).status is ResultStatus.FILLED
        desk = scene.assembly.gateway.desk
        market = desk.book.markets[MARKET]
        scene.exchange.lifecycle.deactivate(MARKET)
        await scene.until(lambda: not market.is_open, 5.0)
        await scene.pass_time(2)
        before = records(scene, "MarketStatusChanged", "MarketListed")
        for _ in range(60):
            scene.show(MARKET)
            await scene.pass_time(10, step=2.5)
            assert not market.is_open
        assert (await buy(scene)).code == "MARKET_CLOSED"
        assert records(scene, "MarketStatusChanged", "MarketListed") <= before + 1
        scene.exchange.lifecycle.activate(MARKET)
        await scene.until(lambda: market.is_open, 60.0)
        assert (await buy(scene)).status is ResultStatus.FILLED


async def test_a_pause_that_no_stream_told_is_found() -> None:
    """The poll says it, within its round; nothing is recorded where nothing changes."""
    async with kalshi_stage() as scene:
        markets = [f"KXNBAGAME-26JAN28G{number}-A" for number in range(12)]
        for name in markets:
            assert (await buy(scene, name)).status is ResultStatus.FILLED
        for name in markets:
            scene.exchange.markets[name].status = "inactive"
            scene.exchange.markets[name].is_steered = True
        book = scene.assembly.gateway.desk.book
        await scene.until(lambda: not any(book.markets[name].is_open for name in markets), 90.0)
        await scene.pass_time(2)
        before = records(scene, "MarketStatusChanged", "MarketListed")
        for _ in range(30):
            for name in markets:
                scene.show(name)
            await scene.pass_time(10, step=2.5)
        assert records(scene, "MarketStatusChanged", "MarketListed") == before


async def test_ticks_and_close_are_the_newest_word() -> None:
    """Told by the stream, they count within seconds; and after a restart."""
    async with kalshi_stage() as scene:
        assert (await buy(scene)).status is ResultStatus.FILLED
        book = scene.assembly.gateway.desk.book
        close_ns = scene.clock.now_ns() // NS_PER_SECOND * NS_PER_SECOND + HOUR_NS
        scene.exchange.lifecycle.set_ticks(MARKET, TickRange(0, MICRO, 1_000))
        scene.exchange.lifecycle.move_close(MARKET, close_ns)
        listing = book.markets[MARKET].listing
        assert listing.tick == 10_000

        def is_new() -> bool:
            now = book.markets[MARKET].listing
            return (now.tick, now.close_ns) == (1_000, close_ns)

        await scene.until(is_new, 10.0)
        await scene.kill()
        await scene.start()
        book = scene.assembly.gateway.desk.book
        assert is_new()


async def test_an_order_that_is_refused_makes_us_ask_again() -> None:
    """A tick that changed without a word: one refusal, and the next order fits."""
    async with kalshi_stage() as scene:
        assert (await buy(scene)).status is ResultStatus.FILLED
        scene.exchange.markets[MARKET].ranges = (TickRange(0, MICRO, 20_000),)
        scene.show(MARKET)
        first = await ask(scene, "1", "0.41")
        assert first.code == "VENUE_REJECTED"
        await scene.pass_time(1)
        second = await ask(scene, "1", "0.41")
        assert second.code == "INVALID_TICK"


async def test_fees_that_change_are_reserved() -> None:
    """A series that becomes dearer takes more of what new orders keep back."""
    async with kalshi_stage() as scene:
        assert (await buy(scene)).status is ResultStatus.FILLED
        book = scene.assembly.gateway.desk.book
        assert book.markets[MARKET].listing.taker_rate == 70_000
        scene.exchange.lifecycle.charge(EVENT, "quadratic_with_maker_fees", 2 * MICRO)
        await scene.until(lambda: book.markets[MARKET].listing.taker_rate == 140_000, 10.0)
        assert book.markets[MARKET].listing.maker_rate == 35_000


@pytest.mark.parametrize("ticker", [EVENT, EVENT.partition("-")[0]], ids=["event", "series"])
async def test_fees_that_are_announced_count_before_they_hold(ticker: str) -> None:
    """From two minutes before, where they are dearer; an event's and a series' alike."""
    async with kalshi_stage() as scene:
        at_ns = scene.clock.now_ns() + 400 * NS_PER_SECOND
        scene.exchange.lifecycle.charge(ticker, "quadratic_with_maker_fees", 2 * MICRO, at_ns)
        data = scene.assembly.gateway.desk.market_data[Platform.KALSHI]
        seen = []
        for _ in range(4):
            listing = (await data.metadata([MARKET]))[MARKET].listing
            seen.append((listing.taker_rate, listing.maker_rate))
            await scene.pass_time(150)
        assert seen == [(70_000, 0), (70_000, 0), (140_000, 35_000), (140_000, 35_000)]


async def test_facts_that_nobody_renews_open_nothing_and_let_out() -> None:
    """The venue's reads fail for two minutes: what opens is denied, a way out passes."""
    async with kalshi_stage() as scene:
        scene.show(MARKET)
        result = await ask(scene, "5", "0.40")
        assert result.status is ResultStatus.FILLED
        desk = scene.assembly.gateway.desk
        scene.server.fault(FaultKind.ERROR_BEFORE, call="read", count=100_000)
        await scene.pass_time(130, step=2.5)
        scene.show(MARKET)
        assert belief(scene) == {f"BELIEF_UNVERIFIED|market:{MARKET}|Kalshi"}
        opening = await ask(scene, "1", "0.40")
        assert "MARKET_STALE" in [each.code for each in opening.denials]
        assert ("market:" + MARKET, "MARKET_STALE") in refused(scene)
        out = scene.request("5", "0.38", action=Action.SELL)
        closing = await scene.send(out)
        assert closing is not None
        assert "MARKET_STALE" not in [each.code for each in closing.denials]
        scene.server.heal()
        await scene.pass_time(30)
        known = desk.book.markets[MARKET]
        assert known.is_open
        await scene.until(lambda: not belief(scene), 60)
        assert "MARKET_STALE" not in [code for _, code in refused(scene)]


async def test_fresh_facts_refuse_nothing_and_neither_do_markets_that_nobody_asks_for() -> None:
    """After a fill nothing is; nor where the venue is asked before the next order."""
    async with kalshi_stage() as scene:
        scene.show(MARKET)
        scene.show(OTHER)
        await ask(scene, "1", "0.40", market=OTHER)
        await ask(scene, "5", "0.40")
        assert refused(scene) == set()
        scene.assembly.gateway.desk.facts.markets_ns.clear()
        assert {scope for scope, code in refused(scene) if code == "MARKET_STALE"} == {
            f"market:{name}" for name in (MARKET, OTHER)
        }
        await ask(scene, "5", "0.38", action=Action.SELL)
        await scene.settled()
        scene.assembly.gateway.desk.facts.markets_ns.clear()
        assert f"market:{MARKET}" not in {scope for scope, _ in refused(scene)}


async def test_one_odd_market_does_not_close_the_venue() -> None:
    """Six requests for a market that cannot be read: another market fills."""
    async with kalshi_stage() as scene:
        scene.show(HOU)
        scene.exchange.markets[HOU].odd = {"close_time": "0001-01-01T00:00:00Z"}
        scene.exchange.catalogue.events[EVENT].is_missing = True
        for _ in range(6):
            await scene.pass_time(2)
            await buy(scene, HOU)
        scene.exchange.markets[HOU].odd = {"price_ranges": "?"}
        for _ in range(6):
            await scene.pass_time(2)
            await buy(scene, HOU)
        assert (await buy(scene, OTHER)).status is ResultStatus.FILLED


async def test_both_sides_of_one_game_are_one_risk() -> None:
    """300 Yes of one team and 300 No of the other are beyond a limit of 200 dollars."""
    settings = {
        "MAX_GAME_EXPOSURE": "200",
        "MAX_ORDER_SIZE": "500",
        "MAX_ORDER_CONTRACTS": "500",
        "MAX_POSITION_PER_MARKET": "500",
    }
    async with kalshi_stage(settings) as scene:
        scene.show(MARKET, bid=50, ask=52)
        scene.show(HOU, bid=47, ask=49)
        first = await ask(scene, "300", "0.52")
        assert (first.status, first.avg_price) == (ResultStatus.FILLED, Decimal("0.52"))
        second = await ask(scene, "300", "0.53", market=HOU, side=Side.NO)
        assert second.code == "MAX_GAME_EXPOSURE"
        labelled = scene.request("300", "0.53", market=HOU, side=Side.NO, game_id="something else")
        third = await scene.send(labelled)
        assert third is not None
        assert third.code == "MAX_GAME_EXPOSURE"
        spread = MARKET.replace("KXNBAGAME", "KXNBASPREAD")
        scene.show(spread, bid=50, ask=52)
        fourth = await ask(scene, "300", "0.52", market=spread)
        assert fourth.code == "MAX_GAME_EXPOSURE"


@pytest.mark.parametrize("name", ["milestone", EVENT, "label"])
async def test_a_halt_of_a_game_stops_all_of_its_markets(name: str) -> None:
    """By the venue's own name of it, by its event, and by what a request called it."""
    async with kalshi_stage() as scene:
        assert (await buy(scene, game_id="label")).status is ResultStatus.FILLED
        gateway = scene.assembly.gateway
        milestone = scene.exchange.catalogue.milestone(EVENT)
        assert milestone is not None
        game = milestone.milestone_id if name == "milestone" else name
        await gateway.kill_switch(
            "ENABLE", scope=f"game:{game}", reason="a drill", source="http", actor="test"
        )
        assert (await buy(scene, HOU)).code == "HALTED"
        assert (await buy(scene, OTHER)).status is ResultStatus.FILLED
        assert TradingState.HALTED in {each.state for each in gateway.desk.book.halts.values()}


def test_the_record_of_a_status_says_the_venues_word() -> None:
    """For whoever reads the journal."""
    assert events.MarketStatusChanged(market_key="K", is_open=False, status="inactive").status


async def test_what_is_refused_anyway_asks_no_venue() -> None:
    """A duplicate and a halted request are answered at once while the venue's reads hang."""
    async with kalshi_stage() as scene:
        scene.show(MARKET)
        request = scene.request("5", "0.40")
        first = await scene.send(request)
        assert first is not None
        assert first.status is ResultStatus.FILLED
        reads: list[Request] = []

        async def hang(asked: Request) -> None:
            reads.append(asked)
            await asyncio.sleep(60)

        gateway = scene.assembly.gateway
        gateway._directory.ensure = hang  # type: ignore[method-assign,assignment]
        again = await asyncio.wait_for(scene.send(request), 2)
        assert again is not None
        assert again.code == "DUPLICATE_REQUEST"
        await gateway.kill_switch(
            "ENABLE", scope="all", reason="x", source=HaltSource.COMMAND, actor="t"
        )
        halted = await asyncio.wait_for(scene.send(scene.request("5", "0.40")), 2)
        assert halted is not None
        assert halted.code == "HALTED"
        assert reads == []
        await gateway.kill_switch(
            "DISABLE", scope="all", reason="x", source=HaltSource.COMMAND, actor="t"
        )
        waiting = asyncio.create_task(scene.send(scene.request("5", "0.40")))
        await asyncio.sleep(0.05)
        waiting.cancel()
        assert len(reads) == 1
