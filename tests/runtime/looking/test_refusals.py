"""What would be refused now: said for every condition, by the code that denies, and no other."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import Filled, Inconclusive, Unknown
from arbees.core.deciding.verdicts import Safeguard
from arbees.core.language.codes import CODES
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Mode, Platform
from arbees.core.ports import Vitals
from arbees.interface.views import RefusalView, Undecided
from arbees.runtime.intake.writer import LANE_MAX, Lane
from arbees.runtime.looking.refusals import OF_THE_ORDER, Refusing
from arbees.safeguards import ALL
from arbees.safeguards.authorization import Authorization
from arbees.safeguards.price_reference import PriceReference
from tests.runtime.rig import Rig, fill, running
from tests.safeguards.build import KALSHI

EVERY: tuple[Safeguard, ...] = tuple(each() for each in ALL)
LATER = "OTHER-1"
QUEUED = (commands.Record(events=()), None)


def without(name: str, *others: Safeguard) -> tuple[Safeguard, ...]:
    """Return every safeguard but one, others in its place."""
    kept = tuple(each for each in EVERY if each.name != name)
    return (*kept, *others)


def refused(rig: Rig) -> tuple[RefusalView, ...]:
    """Look anew."""
    return Refusing(rig.desk, lambda: rig.gateway._trouble).now()


def said(rig: Rig) -> set[tuple[str, str]]:
    """Return scope and code of each thing that would be refused."""
    return {(each.scope, each.code) for each in refused(rig)}


async def test_nothing_is_refused_when_all_is_well() -> None:
    """With every safeguard on, after trades and with orders at work: nothing, ACTIVE, no reason."""
    async with running(*EVERY) as rig:
        assert refused(rig) == ()
        await rig.rest()
        await rig.wait(1)
        assert refused(rig) == ()
        status = rig.gateway.status()
        assert status.refuses == ()
        assert [(each.state, each.reasons) for each in status.venues] == [("ACTIVE", ())] * 2


async def _halt_all(rig: Rig) -> None:
    await rig.halt(reason="odd fills")


async def _halt_strategy(rig: Rig) -> None:
    await rig.halt(scope="strategy:alpha")


async def _halt_platform(rig: Rig) -> None:
    await rig.halt(scope="platform:Kalshi")


async def _reduce(rig: Rig) -> None:
    await rig.halt("REDUCE")


async def _break_venue(rig: Rig) -> None:
    for _ in range(5):
        rig.gateway.monitors.note(Platform.KALSHI, "reset")


async def _break_both(rig: Rig) -> None:
    for _ in range(5):
        for platform in rig.desk.venues:
            rig.gateway.monitors.note(platform, "reset")


async def _be_uncompared(rig: Rig) -> None:
    rig.desk.uncompared.add(Platform.POLYMARKET)


async def _shut(rig: Rig) -> None:
    rig.kalshi.vital_signs = Vitals(reason="re_arm", until_ns=rig.now_ns + 60 * NS_PER_SECOND)


async def _lose_an_answer(rig: Rig) -> None:
    rig.kalshi.lookups.extend([Inconclusive(message="reads lag")] * 10)
    rig.kalshi.answers.append(Unknown(message="timeout", sent_ns=rig.now_ns))
    await rig.ask()
    await rig.settle()


async def _break_the_market(rig: Rig) -> None:
    opened = events.BreakOpened(
        break_id="b-1",
        kind="position",
        platform=Platform.KALSHI,
        market_key=KALSHI,
        expected="0",
        observed="5",
        policy="freeze_market",
    )
    await _record(rig, opened)


async def _break_the_cash(rig: Rig) -> None:
    opened = events.BreakOpened(
        break_id="b-2",
        kind="cash",
        platform=Platform.KALSHI,
        market_key=None,
        expected="0",
        observed="5",
        policy="freeze_market",
    )
    await _record(rig, opened)


async def _record(rig: Rig, event: events.Event) -> None:
    rig.desk.writer.tell(commands.Record(events=(event,)))
    await rig.settle()


async def _fill_the_minute(rig: Rig) -> None:
    for number in range(20):
        await rig.ask(f"k-{number}", size=MICRO, market_id=KALSHI)


async def _let_money_go(rig: Rig) -> None:
    rig.kalshi.available = 0
    await rig.gateway.monitors.refresh_balances()
    await rig.settle()


async def _fill_the_market(rig: Rig) -> None:
    for number in range(4):
        await rig.rest(f"k-{number}", size=100 * MICRO, limit_price=MICRO // 2)


async def _close_the_market(rig: Rig) -> None:
    await rig.quote(status="closed")


async def _fill_the_queue(rig: Rig) -> None:
    rig.desk.writer.lanes[Lane.REQUESTS].extend([QUEUED] * LANE_MAX)


async def _lose_a_task(rig: Rig) -> None:
    rig.desk.supervisor.dead["balances"] = "ValueError: odd"


CONDITIONS: dict[str, tuple[Callable[[Rig], Awaitable[None]], set[tuple[str, str]]]] = {
    "halt": (_halt_all, {("all", "HALTED")}),
    "halt of a strategy": (_halt_strategy, {("strategy:alpha", "HALTED")}),
    "halt of a venue": (_halt_platform, {("platform:Kalshi", "HALTED")}),
    "reduce": (_reduce, {("all", "REDUCE_ONLY")}),
    "breaker": (_break_venue, {("platform:Kalshi", "VENUE_UNAVAILABLE")}),
    "both breakers": (_break_both, {("all", "VENUE_UNAVAILABLE")}),
    "not compared": (_be_uncompared, {("platform:Polymarket", "VENUE_BLIND")}),
    "re-arm": (_shut, {("platform:Kalshi", "VENUE_UNAVAILABLE")}),
    "unknown": (_lose_an_answer, {(f"market:{KALSHI}", "UNKNOWN_IN_MARKET")}),
    "break of a market": (_break_the_market, {(f"market:{KALSHI}", "RECONCILIATION_BREAK")}),
    "break of cash": (_break_the_cash, {("platform:Kalshi", "RECONCILIATION_BREAK")}),
    "rate": (_fill_the_minute, {("all", "RATE_LIMIT_MINUTE")}),
    "money": (_let_money_go, {("platform:Kalshi", "INSUFFICIENT_BALANCE")}),
    "market limit": (_fill_the_market, {(f"market:{KALSHI}", "MAX_POSITION_PER_MARKET")}),
    "closed": (_close_the_market, {(f"market:{KALSHI}", "MARKET_CLOSED")}),
    "queue": (_fill_the_queue, {("all", "QUEUE_FULL")}),
    "task": (_lose_a_task, {("task:balances", "TASK_DIED")}),
}


@pytest.mark.parametrize("name", CONDITIONS)
async def test_each_condition_is_said_once_for_what_it_concerns(name: str) -> None:
    """Scope and code are those that an order would meet; each with words, never ACTIVE for it."""
    bring_about, expected = CONDITIONS[name]
    async with running(*EVERY) as rig:
        await bring_about(rig)
        assert said(rig) == expected
        for each in refused(rig):
            assert each.reason
            assert "re_arm" not in each.reason
        rig.desk.writer.lanes[Lane.REQUESTS].clear()


VENUE_WIDE = ["breaker", "both breakers", "not compared", "re-arm"]


@pytest.mark.parametrize("name", VENUE_WIDE)
async def test_a_venue_that_refuses_is_never_shown_active(name: str) -> None:
    """Its state says so, with the reason, and until when where that is known."""
    bring_about, expected = CONDITIONS[name]
    async with running(*EVERY) as rig:
        await bring_about(rig)
        ((scope, _),) = expected
        named = rig.desk.venues if scope == "all" else [Platform(scope.partition(":")[2])]
        for view in rig.gateway.status().venues:
            is_named = Platform(view.platform) in named
            assert (view.state != "ACTIVE", bool(view.reasons)) == (is_named, is_named)


@pytest.mark.parametrize("name", [name for name in CONDITIONS if name not in {"queue", "task"}])
async def test_what_is_said_is_what_happens(name: str) -> None:
    """An order in the scope is denied with that code; an order outside of it is not."""
    bring_about, expected = CONDITIONS[name]
    async with running(*EVERY) as rig:
        other = [Platform.POLYMARKET, Platform.KALSHI]
        for platform in other:
            await rig.quote(
                market_id=LATER, platform=platform, game_id=f"g-{platform}", sport="NFL"
            )
        await bring_about(rig)
        ((scope, code),) = said(rig) & expected or {("", "")}
        assert code
        strategy = "alpha" if scope.startswith("strategy:") else None
        platform = Platform.POLYMARKET if scope.endswith("Polymarket") else Platform.KALSHI
        market = LATER if platform is Platform.POLYMARKET else KALSHI
        inside = await rig.ask(
            "inside", size=MICRO, strategy=strategy, platform=platform, market_id=market
        )
        assert code in {each.code for each in inside.denials}
        if scope != "all":
            away = Platform.KALSHI if platform is Platform.POLYMARKET else Platform.POLYMARKET
            outside = await rig.ask("outside", size=MICRO, platform=away, market_id=LATER)
            assert code not in {each.code for each in outside.denials}


async def test_until_is_when_it_lifts() -> None:
    """What lifts by itself says when, and is gone then; a halt says none."""
    async with running(*EVERY) as rig:
        await _fill_the_minute(rig)
        (rate,) = refused(rig)
        assert rate.until is not None
        await rig.wait(61)
        await rig.quote()
        assert refused(rig) == ()
        await rig.halt()
        assert [each.until for each in refused(rig)] == [None]


async def test_a_halt_is_said_before_it_is_durable() -> None:
    """The gate holds it from its arrival: so it is said."""
    async with running(*EVERY) as rig:
        asking = asyncio.create_task(rig.halt())
        await asyncio.sleep(0)
        assert ("all", "HALTED") in said(rig)
        assert ("all", "HALTED") in {
            (each.scope, each.code) for each in rig.gateway.status().refuses
        }
        await asking


async def test_before_and_after_requests_are_decided() -> None:
    """Starting, stopping and a failed journal are said, whatever the safeguards would."""
    rig = Rig(*EVERY)
    assert said(rig) == {("all", "STARTING")}
    await rig.gateway.start()
    assert refused(rig) == ()
    rig.gateway._trouble = ("stopping",)
    with pytest.raises(Undecided) as undecided:
        await rig.ask()
    assert said(rig) == {("all", undecided.value.code)} == {("all", "SHUTTING_DOWN")}
    rig.gateway._trouble = ()
    rig.desk.writer.abandon("disk full")
    assert ("all", "JOURNAL_FAILED") in said(rig)
    await rig.desk.supervisor.stop()


async def test_what_reduces_is_no_opening() -> None:
    """Where a side would close what is held, the other one is judged."""
    async with running(*EVERY) as rig:
        order = await rig.rest(size=10 * MICRO)
        rig.kalshi.sinks[0](Filled(fill=fill(order, 10 * MICRO)))
        await rig.settle()
        await rig.halt("REDUCE", scope=f"market:{KALSHI}")
        assert said(rig) == {(f"market:{KALSHI}", "REDUCE_ONLY")}
        await _break_the_market(rig)
        assert (f"market:{KALSHI}", "RECONCILIATION_BREAK") in said(rig)


async def test_a_side_that_cannot_be_bought_is_named() -> None:
    """Where one side alone can be bought the other one is named; where neither can, none is."""
    strict = PriceReference(quote_policy="deny")
    async with running(*without("price_reference", strict)) as rig:
        assert refused(rig) == ()
        await rig.quote("0.64", None)
        assert [each.reason.partition(":")[0] for each in refused(rig)] == ["Buy Yes"]
        await rig.quote(None, "0.66")
        assert [each.reason.partition(":")[0] for each in refused(rig)] == ["Buy No"]
        await rig.quote(None, None)
        assert not refused(rig)[0].reason.startswith("Buy")
        assert said(rig) == {(f"market:{KALSHI}", "QUOTE_MISSING")}
        await rig.quote()
        await rig.wait(11)
        assert said(rig) == {(f"market:{KALSHI}", "QUOTE_STALE")}
        await rig.quote()
        assert refused(rig) == ()


async def test_books_that_are_all_stale_are_said_once() -> None:
    """Where every book of a venue is too old the venue is named, not each market."""
    strict = PriceReference(quote_policy="deny")
    async with running(*without("price_reference", strict)) as rig:
        for number in range(5):
            await rig.quote(market_id=f"M-{number}", game_id=f"g-{number}")
        await rig.wait(11)
        assert said(rig) == {("platform:Kalshi", "QUOTE_STALE")}
        await rig.quote()
        assert said(rig) == {(f"market:M-{number}", "QUOTE_STALE") for number in range(5)}


async def test_live_trading_without_authority_is_said() -> None:
    """What holds for every order is said for all."""
    strict = Authorization(paper_trading=False, live_trading_authorized=False)
    async with running(*without("authorization", strict), mode=Mode.LIVE) as rig:
        assert ("all", "NOT_AUTHORIZED") in said(rig)


async def test_it_costs_no_more_than_its_share() -> None:
    """Who asks again at once hears the same; a new halt is said at once all the same."""
    async with running(*EVERY) as rig:
        first = rig.gateway.refusing.now()
        rig.desk.uncompared.add(Platform.KALSHI)
        assert rig.gateway.refusing.now() is first
        await rig.halt()
        assert {each.code for each in rig.gateway.refusing.now()} == {"HALTED", "VENUE_BLIND"}


def test_every_code_is_of_an_order_or_of_now() -> None:
    """A new code of a safeguard is said, unless somebody says that it is an order's own."""
    codes = {code for each in ALL for code in each.codes}  # type: ignore[attr-defined]
    assert codes >= OF_THE_ORDER
    assert set(CODES) >= OF_THE_ORDER


async def test_markets_are_bounded() -> None:
    """Of very many markets some are judged; what concerns all of them is said all the same."""
    async with running(*EVERY) as rig:
        for number in range(300):
            await rig.quote(market_id=f"M-{number}", game_id=f"g-{number}")
        assert refused(rig) == ()
        await _be_uncompared(rig)
        assert said(rig) == {("platform:Polymarket", "VENUE_BLIND")}
        for number in range(300):
            await rig.quote(market_id=f"M-{number}", game_id=f"g-{number}", status="closed")
        assert len(refused(rig)) <= 100


async def test_a_followed_market_without_a_book_is_named() -> None:
    """Nobody holds it and no quote of it ever came: an order there would be denied all the same."""
    strict = PriceReference(quote_policy="deny")
    async with running(*without("price_reference", strict)) as rig:
        rig.desk.marks.forget(KALSHI)
        assert Refusing(rig.desk, tuple).now() == ()
        followed = Refusing(rig.desk, tuple, lambda: [(Platform.KALSHI, KALSHI)] * 2)
        found = [(each.scope, each.code) for each in followed.now()]
        assert found == [(f"market:{KALSHI}", "QUOTE_MISSING")]
        unknown = Refusing(rig.desk, tuple, lambda: [(Platform.KALSHI, "NOT-LISTED")])
        assert unknown.now() == ()
