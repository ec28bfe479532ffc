"""What golden journals tell besides the evenings of the crash tests: the surroundings of orders."""

from typing import Any

from msgspec.structs import replace

from arbees.core import events
from arbees.core.book.api_keys import Caps, KeyAsk
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    CashMovement,
    Fill,
    PoolBalance,
    VenueOrder,
)
from arbees.core.language.payouts import Payouts
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    End,
    HaltSource,
    KeyScope,
    Platform,
    Side,
    TimeInForce,
    TradingState,
)
from arbees.core.orders.result import Result
from arbees.runtime.intake.writer import Lane
from arbees.venues.paper.faults import Fault
from tests.runtime.evenings import GAME, OTHER, Act, Evening, make_quote, make_request


async def look_around(evening: Evening) -> None:
    """Marks, an outage and its end, a market that closes, breaks, cash, authority, a new day."""
    await evening.quote()
    await evening.quote(OTHER)
    await evening.ask("filled")
    await evening.clock.sleep(31)
    evening.assembly.exchange.faults.set(Fault.OUTAGE, platform=Platform.KALSHI, times=6)
    for number in range(5):
        await evening.ask(f"not sent {number}", market=OTHER)
    await evening.clock.sleep(65)
    closed = make_quote(OTHER, None, None, evening.clock.now_ns())
    await evening.assembly.gateway.feed([replace(closed, status="closed")])
    writer = evening.assembly.gateway.desk.writer
    opened = events.BreakOpened(
        break_id="Kalshi|position|drill",
        kind="position",
        platform="Kalshi",
        market_key=GAME,
        expected="10 Yes",
        observed="11 Yes",
        policy="freeze_market",
    )
    authorized = events.Authorized(actor="operator", reason="a drill", settings_hash="0" * 64)
    await writer.put(commands.Record(events=(opened, authorized)), Lane.CONTROL)
    await evening.ask("frozen")
    ended = events.BreakClosed(break_id=opened.break_id, how="a drill", actor="operator")
    await writer.put(commands.Record(events=(ended,)), Lane.CONTROL)
    deposit = commands.MoveCash(
        platform=Platform.KALSHI, amount=5_000_000, reason="a deposit", actor="operator"
    )
    await writer.put(deposit, Lane.CONTROL)
    await writer.put(commands.OpenDay(day="2026-01-29", unrealized=0), Lane.CONTROL)


async def hold_keys(evening: Evening) -> None:
    """A key of one strategy with caps of its own: used, over its caps, revoked, and used again."""
    await evening.quote()
    gateway = evening.assembly.gateway
    ask = KeyAsk(
        name="alpha",
        scopes=(KeyScope.SUBMIT, KeyScope.READ),
        strategy="alpha",
        caps=Caps(
            max_order_size=7_000_000,
            max_order_contracts=10_000_000,
            max_orders_per_minute=2,
            max_orders_per_hour=3,
        ),
        requests_per_minute=100,
    )
    for key_id, name in (("a1b2c3d4e5f6", "alpha"), ("0a1b2c3d4e5f", "operator")):
        wanted = ask if name == ask.name else KeyAsk(name=name, scopes=tuple(KeyScope))
        create = commands.CreateKey(key_id=key_id, digest="5" * 64, ask=wanted, actor="operator")
        await gateway.desk.writer.put(create, Lane.CONTROL)
    for number, size in enumerate((MICRO, 100 * MICRO, MICRO, MICRO, MICRO)):
        if number == 4:
            await gateway.revoke_key("a1b2c3d4e5f6", reason="a drill", actor="key:operator")
        request = make_request(f"with a key {number}", evening.clock.now_ns(), size=size)
        evening.asked.append(request)
        answer = await gateway.submit(replace(request, strategy="alpha"), 5, "a1b2c3d4e5f6")
        evening.results.append(answer)


async def mend(evening: Evening) -> None:
    """Alerts raised, counted and over; a break that changes and is ended by hand; an order too."""
    await evening.quote()
    gateway = evening.assembly.gateway
    writer = gateway.desk.writer
    low = events.AlertRaised(
        alert_id="BALANCE_LOW|Kalshi",
        name="BALANCE_LOW",
        severity="critical",
        message="Kalshi: $12.00 available, threshold $100.00",
        since_ns=evening.clock.now_ns(),
        data={"platform": "Kalshi", "current_balance": "12"},
    )
    other = replace(low, alert_id="BALANCE_LOW|Polymarket", data={"platform": "Polymarket"})
    await writer.put(commands.Record(events=(low, other, replace(low, count=7))), Lane.FACTS)
    over = events.AlertCleared(alert_id=other.alert_id)
    await writer.put(commands.Record(events=(over,)), Lane.FACTS)
    opened = events.BreakOpened(
        break_id=f"Kalshi|position|{GAME}",
        kind="position",
        platform="Kalshi",
        market_key=GAME,
        expected="10 Yes",
        observed="11 Yes",
        policy="freeze_market",
    )
    for found in (opened, replace(opened, observed="12 Yes")):
        compared = commands.TakeComparison(
            platform=Platform.KALSHI, kinds=frozenset({"position"}), found=(found,)
        )
        await writer.put(compared, Lane.FACTS)
    await evening.ask("frozen")
    await gateway.resolve_break(opened.break_id, reason="corrected there", actor="operator")
    faults = evening.assembly.exchange.faults
    faults.set(Fault.READ_LAG, platform=Platform.KALSHI)
    ends: tuple[tuple[str, End], ...] = (
        ("never there", "not_sent"),
        ("there no more", "cancelled"),
    )
    for key, end in ends:
        faults.set(Fault.LOST_BEFORE, platform=Platform.KALSHI, times=1)
        lost = await evening.ask(key)
        name = lost.client_order_id or ""
        await gateway.resolve_order(name, end=end, reason="a drill", actor="operator")
    faults.clear(Fault.READ_LAG)
    await evening.ask("filled")


async def count_and_drill(evening: Evening) -> None:
    """The cash of both venues is counted, moved, spent and paid back; two drills are recorded."""
    await evening.quote()
    gateway = evening.assembly.gateway
    await gateway.move_cash("Kalshi", 5_000_000, reason="a deposit", actor="operator")
    await evening.ask("filled")
    await gateway.move_cash("Polymarket", -1_000_000, reason="a withdrawal", actor="operator")
    await gateway.reconcile()
    await evening.settle(GAME, Side.YES)
    await gateway.reconcile()
    passed = events.Drilled(
        safeguard="kill_switch",
        is_passed=True,
        limits_hash="1" * 64,
        settings_hash="0" * 64,
        host="desk",
        version="0.1.0",
        actor="operator",
    )
    failed = replace(passed, safeguard="balance", is_passed=False, failures=("it passed",))
    await gateway.record_drills((passed, failed))


async def adopt(evening: Evening) -> None:
    """A position is taken over from the venue, a part of it is gone, and an order closes some."""
    await evening.quote()
    writer = evening.assembly.gateway.desk.writer
    taken = events.PositionAdopted(market_key=GAME, yes_quantity=30_000_000, yes_cost=18_000_000)
    gone = events.PositionAdopted(
        market_key=GAME, yes_quantity=-5_000_000, yes_cost=-3_000_000, realized=50_000
    )
    for event in (taken, gone):
        await writer.put(commands.Record(events=(event,)), Lane.FACTS)
    await evening.ask("filled")


async def pay_out(evening: Evening) -> None:
    """A tie that is amended to a win, and a void at two prices that leave a part to nobody."""
    await evening.quote()
    await evening.quote(OTHER)
    await evening.ask("held")
    await evening.ask("other", market=OTHER)
    await evening.assembly.gateway.reconcile()
    await evening.settle(GAME, Payouts(500_000, 500_000))
    await evening.settle(OTHER, Payouts(330_000, 610_000))
    await evening.settle(GAME, Side.YES)
    await evening.assembly.gateway.reconcile()


async def take_over(evening: Evening) -> None:
    """Cash moves without trades, an operator takes the venue's figure, and lets an order stand."""
    await evening.quote()
    writer = evening.assembly.gateway.desk.writer
    await evening.ask("filled")
    moved = [
        CashMovement(
            platform=Platform.KALSHI,
            pool="Kalshi",
            amount=amount,
            kind=kind,
            movement_id=f"{kind}:1",
            time_ns=evening.assembly.gateway.desk.clock.now_ns(),
        )
        for kind, amount in (("deposit", 5_000_000), ("transfer", -40_000))
    ]
    ours = evening.assembly.gateway.desk.book.ledgers["Kalshi"]
    there = PoolBalance(
        platform=Platform.KALSHI,
        pool="Kalshi",
        available=ours,
        as_of_ns=evening.assembly.gateway.desk.clock.now_ns(),
        total=ours + 5_000_000,
    )
    await writer.put(commands.TakeMovements(movements=tuple(moved), balances=(there,)), Lane.FACTS)
    lost = events.BreakOpened(
        break_id="Kalshi|cash|Kalshi",
        kind="cash",
        platform="Kalshi",
        market_key=None,
        expected="5",
        observed="4",
        policy="freeze_market",
        pool="Kalshi",
        amount=-1_000_000,
    )
    stranger = events.BreakOpened(
        break_id=f"Kalshi|foreign_order|{GAME}|v",
        kind="foreign_order",
        platform="Kalshi",
        market_key=GAME,
        expected="no such order",
        observed="v working at the venue",
        policy="freeze_market",
    )
    said: dict[str, Any] = {"reason": "a drill", "actor": "operator"}
    await writer.put(commands.Record(events=(lost, stranger)), Lane.FACTS)
    claim = commands.Claim(expected=(ours + 5_000_000,), pool="Kalshi", amount=ours + 4_000_000)
    await writer.put(commands.AdoptBreak(found=lost, claim=claim, **said), Lane.FACTS)
    await writer.put(commands.AdoptBreak(found=stranger, **said), Lane.FACTS)


async def join_games(evening: Evening) -> None:
    """A label joins two games, a market's tick and status change, and a join comes with a quote."""
    gateway = evening.assembly.gateway
    plain = [
        replace(make_quote(market, (600, 50), (620, 50), evening.clock.now_ns()), game_id=None)
        for market in (GAME, OTHER)
    ]
    await gateway.feed(plain)
    await evening.ask("one", game_id="BOS@ATL")
    await evening.ask("other", market=OTHER, game_id="BOS@ATL")
    finer = replace(plain[0], tick=500, game_id="the late game", status="closed")
    await gateway.feed([finer])
    await evening.ask("closed")


async def review(evening: Evening) -> None:
    """Denials that an operator confirms, disputes and thinks over."""
    await evening.quote()
    denied = [await evening.ask(key, contracts=70) for key in ("large", "larger", "largest")]
    gateway = evening.assembly.gateway
    for result, verdict in zip(denied, ("confirmed", "disputed", "disputed"), strict=True):
        await gateway.review_denials((_said(result, verdict),))
    await gateway.review_denials((_said(denied[2], "confirmed"),))
    await evening.ask("good")


async def venue_word(evening: Evening) -> None:
    """Orders that the venue shows otherwise: back after their end, under another id, amended."""
    await evening.quote()
    await evening.quote(OTHER)
    gateway = evening.assembly.gateway
    writer = gateway.desk.writer
    faults = evening.assembly.exchange.faults
    faults.set(Fault.READ_LAG, platform=Platform.KALSHI)
    faults.set(Fault.LOST_BEFORE, platform=Platform.KALSHI, times=1)
    resting: dict[str, Any] = {"limit_price": 500_000, "time_in_force": TimeInForce.GTC}
    lost = await evening.ask("back after its end", market=OTHER, wait=0.5, **resting)
    name = lost.client_order_id or ""
    await gateway.resolve_order(name, end="not_sent", reason="a drill", actor="operator")
    back = VenueOrder(
        client_order_id=name,
        venue_order_id="another id",
        platform=Platform.KALSHI,
        market_id=OTHER,
        side=Side.YES,
        action=Action.BUY,
        quantity=10 * MICRO,
        filled=0,
        limit_price=500_000,
    )
    await evening.halt(f"market:{OTHER}")
    await writer.put(commands.TakeVenueOrder(listed=back), Lane.FACTS)
    await writer.put(commands.TakeVenueOrder(listed=replace(back, closed="cancelled")), Lane.FACTS)
    faults.clear(Fault.READ_LAG)
    rested = await evening.ask("rests", **resting)
    shown = replace(back, client_order_id=rested.client_order_id, market_id=GAME)
    amended = replace(shown, quantity=20 * MICRO, limit_price=550_000)
    for seen in (amended, shown, amended):
        await writer.put(commands.TakeVenueOrder(listed=seen), Lane.FACTS)


async def dispute(evening: Evening) -> None:
    """A fill that contradicts its order, one that counts after all, one that fails and is back."""
    await evening.quote()
    writer = evening.assembly.gateway.desk.writer
    rested = await evening.ask("rests", limit_price=500_000, time_in_force=TimeInForce.GTC)
    name = rested.client_order_id or ""
    fill = Fill(
        client_order_id=name,
        trade_id="too much",
        quantity=11 * MICRO,
        price=500_000,
        fee=20_000,
        is_maker=True,
        time_ns=evening.clock.now_ns(),
    )
    await writer.put(commands.TakeFill(fill=fill), Lane.FACTS)
    some = replace(fill, trade_id="fails", quantity=3 * MICRO, is_provisional=True)
    await writer.put(commands.TakeFill(fill=some), Lane.FACTS)
    failed = commands.TakeReversal(client_order_id=name, trade_id="fails")
    await writer.put(failed, Lane.FACTS)
    await writer.put(failed, Lane.FACTS)
    await writer.put(commands.TakeFill(fill=fill, is_proven=True), Lane.FACTS)


async def close_all(evening: Evening) -> None:
    """Halts of people and keys, a halt stepped down, and what is held closed."""
    await evening.quote()
    await evening.quote(OTHER)
    await evening.ask("held")
    gateway = evening.assembly.gateway
    said: dict[str, Any] = {"reason": "a drill", "source": HaltSource.HTTP, "actor": "operator"}
    await gateway.kill_switch("ENABLE", scope="game:none", owner="0123456789ab", **said)
    await gateway.kill_switch("ENABLE", scope="all", **said)
    await gateway.flatten(scope="all", reason="a drill", actor="operator")
    await evening.clock.sleep(10)
    await evening.ask("denied")
    gateway.desk.writer.tell(
        commands.RaiseHalt(
            source=HaltSource.DAILY_LOSS,
            scope="all",
            state=TradingState.HALTED,
            reason="a drill",
            actor="arbees",
            receipt_id="receipt-of-a-loss",
            loss=5 * MICRO,
        ),
        Lane.CONTROL,
    )
    await gateway.kill_switch("REDUCE", scope="all", acknowledge=True, **said)
    await gateway.flatten(scope="all", reason="a drill", actor="operator")
    await evening.clock.sleep(10)
    await evening.ask("denied too")
    await gateway.kill_switch("DISABLE", scope="all", acknowledge=True, every=True, **said)
    await evening.ask("good")


async def trip(evening: Evening) -> None:
    """A shard's circuit breaker trips and is reset by hand; what its adapter must know is noted."""
    await evening.quote()
    gateway = evening.assembly.gateway
    writer = gateway.desk.writer
    await evening.ask("before")
    noted = events.VenueNoted(platform="Kalshi", name="order_group:2", value="group-1 open")
    over = replace(noted, name="re_arms_ns", value="7")
    new_events = (noted, over, replace(noted, value="group-2 tripped"), replace(over, value=""))
    await writer.put(commands.Record(events=new_events), Lane.FACTS)
    down = events.VenueStateChanged(platform="Kalshi", state="REDUCING", reasons=("502",), shard=2)
    up = events.VenueStateChanged(platform="Kalshi", state="ACTIVE")
    await writer.put(commands.Record(events=(down, up)), Lane.FACTS)
    tripped = commands.RaiseHalt(
        source=HaltSource.ORDER_GROUP,
        scope="pool:Kalshi",
        state=TradingState.REDUCING,
        reason="the order group tripped at Kalshi",
        actor="arbees",
        receipt_id="receipt-trip",
    )
    await writer.put(tripped, Lane.CONTROL)
    await evening.ask("tripped")
    lift = commands.LiftHalt(
        sources=(), scope="all", reason="looked at it", actor="operator", acknowledge=True
    )
    await writer.put(lift, Lane.CONTROL)
    await evening.ask("after")


def _said(result: Result, verdict: str) -> events.DenialReviewed:
    return events.DenialReviewed(
        request_id=result.request_id,
        sequence=result.sequence,
        verdict=verdict,
        reason="a drill",
        actor="operator",
    )


STORIES: tuple[Act, ...] = (
    look_around,
    hold_keys,
    mend,
    count_and_drill,
    adopt,
    take_over,
    review,
    venue_word,
    dispute,
    pay_out,
    close_all,
    join_games,
    trip,
)
