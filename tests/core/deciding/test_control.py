"""Halts, cancels, markets, settlements, balances and days, as events with every number."""

from typing import Any

import pytest
from msgspec.structs import replace

from arbees.core import events
from arbees.core.book.book import Day, Subject, halt_name
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.control import liftable, subject_of
from arbees.core.language.payouts import YES_WON, won_by
from arbees.core.language.words import (
    Action,
    HaltSource,
    Platform,
    Side,
    TimeInForce,
    TradingState,
)
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import (
    CONDITION,
    KALSHI,
    NO_TOKEN,
    YES_TOKEN,
    listing,
    polymarket,
)

TEN = 10 * MICRO
GTC: dict[str, Any] = {"time_in_force": TimeInForce.GTC}
ON_POLYMARKET: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}


def cancel(scope: str, **more: Any) -> commands.RequestCancel:
    """Return the wish for a cancel."""
    return commands.RequestCancel(scope=scope, reason="operator", actor="ann", **more)


def requested(order: Order, reason: str = "operator", actor: str = "ann") -> events.CancelRequested:
    """Return the event of that wish for one order."""
    return events.CancelRequested(
        client_order_id=order.client_order_id,
        request_id=order.request_id,
        reason=reason,
        actor=actor,
    )


def crowd() -> tuple[Scene, dict[str, Order]]:
    """Return open orders: two that open risk on two venues, and one that reduces."""
    scene = Scene()
    held = scene.resting("held", **GTC)
    scene.fill(held, TEN, 650_000)
    return scene, {
        "kalshi": scene.resting("k", strategy="alpha", model_version="v1", **GTC),
        "poly": scene.order("p", strategy="beta", **ON_POLYMARKET, **GTC),
        "close": scene.resting("c", action=Action.SELL, **GTC),
    }


# Cancels ---------------------------------------------------------------------------------------


def test_the_coordinates_of_an_order() -> None:
    """By which scopes find it."""
    scene, orders = crowd()
    assert subject_of(orders["kalshi"], scene.book) == Subject(
        "Kalshi", "NBA", KALSHI, KALSHI, "alpha", "v1", ("nba_BOS@ATL",), "Kalshi"
    )
    assert subject_of(orders["poly"], scene.book) == Subject(
        "Polymarket", "NBA", CONDITION, YES_TOKEN, "beta", None, ("nba_BOS@ATL",), "Polymarket"
    )


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("all", ("kalshi", "poly", "close")),
        ("platform:Kalshi", ("kalshi", "close")),
        ("sport:NBA", ("kalshi", "poly", "close")),
        ("sport:NFL", ()),
        (f"market:{CONDITION}", ("poly",)),
        (f"market:{YES_TOKEN}", ("poly",)),
        ("strategy:alpha", ("kalshi",)),
        ("model_version:v1", ("kalshi",)),
    ],
)
def test_a_mass_cancel(scope: str, names: tuple[str, ...]) -> None:
    """All that the scope covers, oldest first; the receipt knows which."""
    scene, orders = crowd()
    covered = [orders[name] for name in names]
    assert scene.do(cancel(scope, receipt_id="x")) == commands.Decision(
        (
            events.MassCancelled(
                scope=scope,
                reason="operator",
                actor="ann",
                orders=tuple(order.client_order_id for order in covered),
                receipt_id="x",
            ),
            *(requested(order) for order in covered),
        ),
        tuple(commands.CancelOrder(order.client_order_id) for order in covered),
    )
    assert all(order.cancel_reason == "operator" for order in covered)
    scene.check()


def test_a_mass_cancel_of_what_opens() -> None:
    """Reducing orders stay."""
    scene, orders = crowd()
    decision = scene.do(cancel("platform:Kalshi", opening_only=True))
    assert decision.effects == (commands.CancelOrder(orders["kalshi"].client_order_id),)


def test_one_order_is_cancelled() -> None:
    """By our id, without a receipt; also a reducing one."""
    scene, orders = crowd()
    order = orders["close"]
    decision = scene.do(cancel(f"order:{order.client_order_id}", opening_only=True))
    assert decision == commands.Decision(
        (requested(order),), (commands.CancelOrder(order.client_order_id),)
    )


def test_an_order_that_is_not_open_is_not_cancelled() -> None:
    """There is nothing to do."""
    scene, _ = crowd()
    assert scene.do(cancel("order:nobody")) == commands.NO_DECISION


def test_a_cancel_that_was_wanted_already_is_sent_again() -> None:
    """It is said once and tried again: cancels go out at least once."""
    scene, orders = crowd()
    order = orders["kalshi"]
    scene.do(cancel(f"order:{order.client_order_id}"))
    decision = scene.do(cancel("strategy:alpha", receipt_id="x"))
    assert [type(event) for event in decision.events] == [events.MassCancelled]
    assert decision.effects == (commands.CancelOrder(order.client_order_id),)


# Halts -----------------------------------------------------------------------------------------


def halt(
    source: str = "http", scope: str = "all", state: TradingState = TradingState.HALTED
) -> commands.RaiseHalt:
    """Return the command for a halt."""
    return commands.RaiseHalt(
        source=source, scope=scope, state=state, reason="smoke", actor="ann", receipt_id="x"
    )


@pytest.mark.parametrize(
    ("state", "scope", "names"),
    [
        (TradingState.HALTED, "all", ("kalshi", "poly", "close")),
        (TradingState.HALTED, "platform:Kalshi", ("kalshi", "close")),
        (TradingState.REDUCING, "all", ("kalshi", "poly")),
        (TradingState.REDUCING, "strategy:beta", ("poly",)),
    ],
)
def test_a_halt_cancels_what_it_covers(
    state: TradingState, scope: str, names: tuple[str, ...]
) -> None:
    """HALTED all of it, REDUCING what opens risk; the receipt names what was handed over."""
    scene, orders = crowd()
    covered = [orders[name] for name in names]
    decision = scene.do(halt(scope=scope, state=state))
    assert decision == commands.Decision(
        (
            events.HaltRaised(
                source="http",
                scope=scope,
                state=state,
                reason="smoke",
                actor="ann",
                receipt_id="x",
                in_flight=tuple(order.client_order_id for order in covered),
            ),
            *(requested(order, "halt: smoke") for order in covered),
        ),
        tuple(commands.CancelOrder(order.client_order_id) for order in covered),
    )
    scene.check()


@pytest.mark.parametrize("source", HaltSource)
@pytest.mark.parametrize("owner", ["", "k1"])
def test_only_what_is_acknowledged_loosens_a_halt(source: HaltSource, owner: str) -> None:
    """A plain reduction over a halt of its own kind cancels what opens, and leaves it HALTED."""
    scene, orders = crowd()
    stop = replace(halt(source), owner=owner)
    reduce = replace(stop, state=TradingState.REDUCING)
    scene.do(stop)
    standing = scene.book.halts[halt_name(source, "all", owner)]
    decision = scene.do(reduce)
    assert decision.events == ()
    opening = {orders["kalshi"].client_order_id, orders["poly"].client_order_id}
    wanted = {each.client_order_id for each in decision.effects if hasattr(each, "client_order_id")}
    assert wanted == opening
    assert scene.book.halts == {halt_name(source, "all", owner): standing}
    scene.do(replace(reduce, acknowledge=True))
    assert scene.book.halts[halt_name(source, "all", owner)].state is TradingState.REDUCING
    scene.check()


ALL_SOURCES = tuple(HaltSource)
BY_HAND = ("http", "command", "signal", "redis", "redis_down")
AUTOMATIC = (
    *("daily_loss", "repeated_execution", "reconciliation", "journal", "clock"),
    "order_group",
)


@pytest.mark.parametrize(
    ("sources", "acknowledge", "lifted"),
    [
        ((), False, BY_HAND),
        ((), True, BY_HAND + AUTOMATIC),
        (("file",), False, ("file",)),
        (("redis",), False, ("redis",)),
        (("redis", "clock"), False, ("redis", "clock")),
        (("http",), True, ("http",)),
    ],
)
def test_what_lifts_which_halt(
    sources: tuple[str, ...], acknowledge: bool, lifted: tuple[str, ...]
) -> None:
    """A person lifts all but the file and, without acknowledgement, the automatic ones."""
    scene = Scene()
    for source in ALL_SOURCES:
        scene.do(halt(source))
    scene.do(halt("http", "sport:NBA"))
    command = commands.LiftHalt(
        sources=sources, scope="all", reason="fixed", actor="bob", acknowledge=acknowledge
    )
    lifts, leaves = liftable(scene.book, command)
    expected = [source for source in ALL_SOURCES if source in lifted]
    assert [halt.source for halt in lifts] == expected
    assert [halt.source for halt in leaves] == [
        source for source in ALL_SOURCES if source not in lifted
    ]
    assert scene.do(command) == commands.Decision(
        tuple(
            events.HaltLifted(source=source, scope="all", reason="fixed", actor="bob")
            for source in expected
        )
    )
    assert {name for name, halt in scene.book.halts.items() if halt.scope == "all"} == {
        f"{source}|all" for source in ALL_SOURCES if source not in lifted
    }
    assert "http|sport:NBA" in scene.book.halts
    scene.check()


# Markets ---------------------------------------------------------------------------------------


def test_the_newest_word_on_a_market_counts() -> None:
    """What it changes is recorded; the same again is no news."""
    scene = Scene(is_bare=True)
    known = listing()
    assert scene.do(commands.ListMarket(listing=known)) == commands.Decision(
        (events.MarketListed(listing=known),)
    )
    assert scene.do(commands.ListMarket(listing=known)) == commands.NO_DECISION
    other = listing(sport="NFL", tick=10_000, close_ns=5, game_start_ns=3)
    assert scene.do(commands.ListMarket(listing=other)) == commands.Decision(
        (events.MarketListed(listing=other),)
    )
    market = scene.book.markets[KALSHI]
    assert (market.sport, market.listing) == ("NFL", other)


def test_a_market_opens_and_closes() -> None:
    """Later words only open or close it, under either of its names."""
    scene = Scene()
    no_token = polymarket(market_id=NO_TOKEN, opposite_id=YES_TOKEN, is_flipped=True)
    for is_open in (False, True):
        changed = events.MarketStatusChanged(market_key=CONDITION, is_open=is_open)
        command = commands.ListMarket(listing=no_token, is_open=is_open)
        assert scene.do(command) == commands.Decision((changed,))
        assert scene.do(command) == commands.NO_DECISION
        assert scene.book.markets[CONDITION].is_open is is_open


def test_a_market_that_is_listed_closed() -> None:
    """It is known, and closed."""
    scene = Scene(is_bare=True)
    decision = scene.do(commands.ListMarket(listing=listing(), is_open=False))
    assert decision == commands.Decision(
        (
            events.MarketListed(listing=listing()),
            events.MarketStatusChanged(market_key=KALSHI, is_open=False),
        )
    )


def test_a_settled_market_stays_closed() -> None:
    """No quote opens it again."""
    scene = Scene()
    scene.do(commands.SettleMarket(platform=Platform.KALSHI, market_id=KALSHI, payouts=YES_WON))
    assert scene.do(commands.ListMarket(listing=listing())) == commands.NO_DECISION


def test_two_venues_never_share_a_market() -> None:
    """The newcomer gets a key of its own; a second name on the same venue does not."""
    scene = Scene()
    stranger = polymarket(market_id="T", market_key=KALSHI, opposite_id=None)
    (listed, closed) = scene.do(commands.ListMarket(listing=stranger, is_open=False)).events
    key = f"Polymarket:{KALSHI}"
    assert listed == events.MarketListed(
        listing=polymarket(market_id="T", market_key=key, opposite_id=None)
    )
    assert closed == events.MarketStatusChanged(market_key=key, is_open=False)
    second = listing(market_id="alias")
    assert scene.do(commands.ListMarket(listing=second)) == commands.Decision(
        (events.MarketListed(listing=second),)
    )
    assert scene.book.names["Kalshi|alias"] == (KALSHI, False)


@pytest.mark.parametrize(
    ("result", "payout", "realized"),
    [(Side.YES, TEN, TEN - 8_500_000), (Side.NO, 5 * MICRO, 5 * MICRO - 8_500_000)],
)
def test_a_settlement_closes_both_sides(result: Side, payout: int, realized: int) -> None:
    """A contract of the winning side pays a dollar, the other nothing."""
    scene = Scene()
    for key, side, quantity, price in (
        ("y", Side.YES, TEN, 700_000),
        ("n", Side.NO, 5 * MICRO, 300_000),
    ):
        order = scene.resting(
            key, side=side, size=quantity, limit_price=price, **ON_POLYMARKET, **GTC
        )
        scene.fill(order, quantity, price)
    command = commands.SettleMarket(
        platform=Platform.POLYMARKET, market_id=YES_TOKEN, payouts=won_by(result)
    )
    assert scene.do(command) == commands.Decision(
        (
            events.MarketSettled(
                market_key=CONDITION,
                result=result,
                yes_payout=won_by(result).yes,
                no_payout=won_by(result).no,
                payout=payout,
                realized=realized,
                yes_quantity=-TEN,
                yes_cost=-7_000_000,
                no_quantity=-5 * MICRO,
                no_cost=-1_500_000,
            ),
        )
    )
    assert scene.book.realized == realized
    assert scene.do(command) == commands.NO_DECISION
    scene.check()


def test_a_settlement_under_the_other_tokens_name() -> None:
    """If the No token wins, No wins."""
    scene = Scene()
    command = commands.SettleMarket(
        platform=Platform.POLYMARKET, market_id=NO_TOKEN, payouts=YES_WON
    )
    (event,) = scene.do(command).events
    assert isinstance(event, events.MarketSettled)
    assert event.result is Side.NO
    other = commands.SettleMarket(platform=Platform.KALSHI, market_id=NO_TOKEN, payouts=YES_WON)
    assert scene.do(other) == commands.NO_DECISION


# Days ------------------------------------------------------------------------------------------


def test_a_day_counts_from_the_profit_since_ever() -> None:
    """Realized less fees plus marks; the same day is not opened twice."""
    scene = Scene()
    scene.book.realized, scene.book.fees = 500, 20
    decision = scene.do(commands.OpenDay(day="2026-01-28", unrealized=-30))
    assert decision == commands.Decision((events.DayOpened(day="2026-01-28", baseline=450),))
    assert scene.do(commands.OpenDay(day="2026-01-28", unrealized=99)) == commands.NO_DECISION
    assert len(scene.do(commands.OpenDay(day="2026-01-29", unrealized=0)).events) == 1
    assert scene.book.pnl_today(0) == 0
    assert scene.book.pnl_today(7) == 7


def test_a_day_that_is_over_begins_nothing() -> None:
    """Another zone, or a clock put back, does not make the loss of today forgotten."""
    scene = Scene()
    scene.do(commands.OpenDay(day="2026-01-29", unrealized=-7))
    assert scene.do(commands.OpenDay(day="2026-01-28", unrealized=-30)) == commands.NO_DECISION
    assert scene.book.day == Day(day="2026-01-29", baseline=-7)
