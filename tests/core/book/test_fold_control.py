"""Control in the book: halts, balances, days, marks, breaks, authority and the process itself."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.book import (
    Authority,
    Break,
    Cycle,
    Day,
    Halt,
    Pool,
    cycle_name,
)
from arbees.core.book.fold_control import ALERTS_MAX
from arbees.core.language.words import HaltSource, TimeInForce, TradingState
from tests.core.scene import Scene
from tests.safeguards.build import CONDITION, KALSHI, NOW


def raised(source: str = "http", scope: str = "all", state: str = "HALTED") -> events.HaltRaised:
    """Return the event of a halt."""
    return events.HaltRaised(
        source=source, scope=scope, state=state, reason="smoke", actor="ann", receipt_id="x"
    )


@pytest.mark.parametrize("source", HaltSource)
def test_a_halt(source: HaltSource) -> None:
    """It is held by source and scope, since when, and whether it came by itself."""
    scene = Scene()
    scene.write(raised(source, "sport:NBA", "REDUCING"))
    assert scene.book.halts == {
        f"{source}|sport:NBA": Halt(
            source=source,
            scope="sport:NBA",
            state=TradingState.REDUCING,
            reason="smoke",
            actor="ann",
            since_ns=NOW,
            is_automatic=source.is_automatic,
            receipt_id="x",
            sequence=scene.book.sequence,
        )
    }
    scene.check()


def test_halts_are_apart_by_source_and_scope() -> None:
    """Each is lifted alone; the same again replaces itself."""
    scene = Scene()
    scene.write(raised(), raised("redis"), raised(scope="sport:NBA"), raised(state="REDUCING"))
    assert list(scene.book.halts) == ["http|all", "redis|all", "http|sport:NBA"]
    assert scene.book.halts["http|all"].state is TradingState.REDUCING
    scene.write(events.HaltLifted(source="http", scope="all", reason="ok", actor="bob"))
    assert list(scene.book.halts) == ["redis|all", "http|sport:NBA"]
    scene.check()


def entries(scene: Scene) -> dict[str, list[int]]:
    """Return the entries of all cycles."""
    return {
        f"{each.strategy}|{each.market_key}": each.entries for each in scene.book.cycles.values()
    }


def cycle(scene: Scene, strategy: str, market_key: str, quantity: int) -> Cycle:
    """Put a strategy that entered twice into a market."""
    made = Cycle(strategy=strategy, market_key=market_key, quantity=quantity, entries=[1, 2])
    scene.book.cycles[cycle_name(strategy, market_key)] = made
    return made


def test_a_repeated_execution_that_is_acknowledged_starts_anew() -> None:
    """Its strategy's cycles are forgotten in all markets; other strategies' stay."""
    scene = Scene()
    first = cycle(scene, "alpha", "M", 3)
    for strategy, key in (("alpha", "N"), ("alphabet", "M"), ("beta|alpha", "M"), ("alpha|x", "M")):
        cycle(scene, strategy, key, 3)
    scene.write(raised("repeated_execution", "strategy:alpha"))
    scene.write(
        events.HaltLifted(
            source="repeated_execution", scope="strategy:alpha", reason="ok", actor="bob"
        )
    )
    assert entries(scene) == {
        "alpha|M": [],
        "alpha|N": [],
        "alphabet|M": [1, 2],
        "beta|alpha|M": [1, 2],
        "alpha|x|M": [1, 2],
    }
    assert first.quantity == 3


def test_other_halts_of_a_strategy_leave_its_cycles() -> None:
    """Only the repeated execution itself is acknowledged."""
    scene = Scene()
    cycle(scene, "alpha", "M", 0)
    scene.write(raised("http", "strategy:alpha"))
    scene.write(events.HaltLifted(source="http", scope="strategy:alpha", reason="ok", actor="bob"))
    assert entries(scene) == {"alpha|M": [1, 2]}


# Balances --------------------------------------------------------------------------------------


def observed(as_of_ns: int, *inside: str, outside: int = 7) -> events.BalanceObserved:
    """Return the event of a figure."""
    return events.BalanceObserved(
        pool="cash",
        platform="Kalshi",
        available=100,
        as_of_ns=as_of_ns,
        outside=outside,
        inside=inside,
    )


def test_a_figure_replaces_the_one_before() -> None:
    """What was spent at its moment or later is remembered, the rest is in it."""
    scene = Scene()
    scene.write(observed(5))
    first = Pool(platform="Kalshi", available=100, as_of_ns=5, outside=7, spent=[])
    assert scene.book.pools == {"cash": first}
    scene.book.pools["cash"].spent += [(5, 1), (8, 2), (9, 3), (10, 4)]
    scene.write(observed(9, outside=8))
    assert scene.book.pools == {
        "cash": Pool(
            platform="Kalshi", available=100, as_of_ns=9, outside=8, spent=[(9, 3), (10, 4)]
        )
    }


def test_orders_that_the_figure_holds() -> None:
    """Exactly those that are named."""
    scene = Scene()
    inside = scene.resting("a", time_in_force=TimeInForce.GTC)
    outside = scene.resting("b", time_in_force=TimeInForce.GTC)
    scene.write(observed(5, inside.client_order_id))
    assert (inside.is_inside, outside.is_inside) == (True, False)


# Days, marks and cash --------------------------------------------------------------------------


def test_cash_that_moved() -> None:
    """Deposits and withdrawals add up."""
    scene = Scene()
    for amount in (100, -30):
        scene.write(events.CashMoved(platform="Kalshi", amount=amount, reason="r", actor="a"))
    assert scene.book.cash_moved == 70


def test_a_day() -> None:
    """Its baseline; yesterday's denials are no longer counted."""
    scene = Scene()
    scene.book.denials = {"market": 3}
    scene.write(events.DayOpened(day="2026-01-28", baseline=-5))
    assert scene.book.day == Day(day="2026-01-28", baseline=-5)
    assert scene.book.denials == {}


def test_marks_carry() -> None:
    """A side without a new mark keeps the last one; zero is a mark."""
    scene = Scene()
    kalshi, condition = scene.book.markets[KALSHI], scene.book.markets[CONDITION]
    scene.write(events.Marked(marks={KALSHI: (600_000, 380_000), CONDITION: (None, 1)}))
    assert (kalshi.mark_yes, kalshi.mark_no) == (600_000, 380_000)
    assert (condition.mark_yes, condition.mark_no) == (None, 1)
    scene.write(events.Marked(marks={KALSHI: (None, 390_000)}))
    assert (kalshi.mark_yes, kalshi.mark_no) == (600_000, 390_000)
    scene.write(events.Marked(marks={KALSHI: (0, None)}))
    assert (kalshi.mark_yes, kalshi.mark_no) == (0, 390_000)
    scene.write(events.Marked(marks={KALSHI: (5, 0)}))
    assert (kalshi.mark_yes, kalshi.mark_no) == (5, 0)
    scene.check()


# Breaks ----------------------------------------------------------------------------------------


def opened(policy: str, market_key: str | None = KALSHI, break_id: str = "b") -> events.BreakOpened:
    """Return the event of a break."""
    return events.BreakOpened(
        break_id=break_id,
        kind="position",
        platform="Kalshi",
        market_key=market_key,
        expected="1",
        observed="2",
        policy=policy,
    )


@pytest.mark.parametrize(
    ("policy", "freezes"),
    [("freeze_market", True), ("halt", True), ("report", False), ("adopt", False)],
)
def test_a_break(policy: str, freezes: bool) -> None:
    """It stays open until it ends; under these policies its market is frozen meanwhile."""
    scene = Scene()
    scene.write(opened(policy))
    assert scene.book.breaks == {
        "b": Break(
            break_id="b",
            kind="position",
            platform="Kalshi",
            market_key=KALSHI,
            expected="1",
            observed="2",
            policy=policy,
            since_ns=NOW,
        )
    }
    market = scene.book.markets[KALSHI]
    assert market.break_kinds == (["position"] if freezes else [])
    scene.write(opened(policy, break_id="c"))
    scene.write(events.BreakClosed(break_id="b", how="evidence", actor="ann"))
    assert list(scene.book.breaks) == ["c"]
    assert market.break_kinds == (["position"] if freezes else [])
    scene.write(events.BreakClosed(break_id="c", how="evidence", actor="ann"))
    assert (scene.book.breaks, market.break_kinds) == ({}, [])
    scene.check()


@pytest.mark.parametrize("market_key", [None, "unheard of"])
def test_a_break_without_a_market_freezes_none(market_key: str | None) -> None:
    """Cash, or a market that we do not know."""
    scene = Scene()
    scene.write(opened("halt", market_key))
    assert scene.book.breaks["b"].market_key == market_key
    assert scene.book.markets[KALSHI].break_kinds == []
    scene.write(events.BreakClosed(break_id="b", how="adopted", actor="ann"))
    assert scene.book.breaks == {}


# The process -----------------------------------------------------------------------------------


def test_the_life_of_a_process() -> None:
    """Bound once, started with its version and settings, stopped in order."""
    scene = Scene(is_bare=True)
    scene.write(events.Bound(account="main", environment="local", mode="paper"))
    book = scene.book
    assert (book.account, book.environment, book.mode) == ("main", "local", "paper")
    assert not book.is_started
    scene.write(
        events.Started(
            version="1", settings_hash="h", settings={"A": "b"}, disabled={"market": "test"}
        )
    )
    assert (book.version, book.settings_hash, book.is_started) == ("1", "h", True)
    assert book.disabled == {"market": "test"}
    scene.write(events.Stopped(reason="SIGTERM"))
    assert (book.version, book.is_started) == ("1", False)
    scene.write(events.Started(version="2", settings_hash="i", settings={}))
    assert (book.version, book.settings_hash, book.disabled) == ("2", "i", {})
    scene.check()


def test_authority() -> None:
    """The last word counts: who, why, for which settings, until when."""
    scene = Scene(is_bare=True)
    scene.write(
        events.Authorized(
            actor="ann", reason="go", settings_hash="h", until_ns=9, settings={"A": "b"}
        )
    )
    assert scene.book.authority == Authority(
        actor="ann",
        reason="go",
        settings_hash="h",
        until_ns=9,
        since_ns=NOW,
        settings={"A": "b"},
    )
    scene.write(events.Authorized(actor="bob", reason="on", settings_hash="i"))
    assert scene.book.authority == Authority(
        actor="bob", reason="on", settings_hash="i", until_ns=None, since_ns=NOW, settings={}
    )
    scene.check()


def test_states_of_venues() -> None:
    """Each venue's last."""
    scene = Scene()
    scene.write(
        events.VenueStateChanged(platform="Kalshi", state="HALTED"),
        events.VenueStateChanged(platform="Polymarket", state="REDUCING"),
        events.VenueStateChanged(platform="Kalshi", state="ACTIVE"),
    )
    assert scene.book.venue_states == {"Kalshi": "ACTIVE", "Polymarket": "REDUCING"}


# Alerts ----------------------------------------------------------------------------------------


def alert(number: int, **changes: Any) -> events.AlertRaised:
    """Return the event of an alert."""
    fields: dict[str, Any] = {"message": "m", "since_ns": NOW - 5, **changes}
    return events.AlertRaised(
        alert_id=f"a-{number}", name="BALANCE_LOW", severity="critical", **fields
    )


def test_an_alert_is_on_record_until_and_after_it_is_cleared() -> None:
    """The last word on it counts; its end keeps it, with when; the newest word stands last."""
    scene = Scene()
    scene.write(alert(1), alert(2), alert(1, count=7, message="n", data={"platform": "Kalshi"}))
    assert list(scene.book.alerts) == ["a-2", "a-1"]
    first = scene.book.alerts["a-1"]
    assert (first.count, first.message, first.data) == (7, "n", {"platform": "Kalshi"})
    assert (first.since_ns, first.cleared_ns, first.sequence) == (NOW - 5, None, 5)
    scene.wait(3)
    scene.write(events.AlertCleared(alert_id="a-2"), events.AlertCleared(alert_id="never"))
    assert scene.book.alerts["a-2"].cleared_ns == scene.now
    assert scene.book.alerts["a-2"].sequence == 6
    scene.write(alert(2))
    assert scene.book.alerts["a-2"].cleared_ns is None
    scene.check()


def test_the_record_of_alerts_is_bounded() -> None:
    """Cleared ones are forgotten first, then the oldest."""
    scene = Scene()
    scene.write(*(alert(number) for number in range(ALERTS_MAX)))
    scene.write(events.AlertCleared(alert_id="a-7"), alert(1_000))
    assert len(scene.book.alerts) == ALERTS_MAX
    assert "a-7" not in scene.book.alerts
    scene.write(alert(1_001))
    assert "a-0" not in scene.book.alerts
    assert {"a-1", "a-1000", "a-1001"} <= set(scene.book.alerts)
    scene.check()
