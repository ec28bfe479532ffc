"""What a safeguard shows as used is what its next verdict counts from."""

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

import pytest

from arbees.core.deciding.candidate import Candidate, make_candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.verdicts import (
    Measured,
    Pass,
    Safeguard,
    Use,
)
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.safeguards import ALL
from arbees.safeguards.balance import Balance
from arbees.safeguards.daily_loss import DailyLoss
from arbees.safeguards.game_exposure import GameExposure
from arbees.safeguards.market_exposure import MarketExposure
from arbees.safeguards.open_orders import OpenOrders
from arbees.safeguards.order_size import OrderSize
from arbees.safeguards.rate_limit import RateLimit, RateLimits
from arbees.safeguards.repeated_execution import RepeatedExecution
from arbees.safeguards.sport_exposure import SportExposure, SportLimits
from arbees.safeguards.total_exposure import TotalExposure
from arbees.safeguards.unknown_orders import UnknownOrders
from tests.core.scene import Scene
from tests.safeguards.build import BUFFER, CONDITION, KALSHI, NOW, TERMS, YES_TOKEN, request

GAME = "nba_BOS@ATL"
UNREALIZED = -3 * MICRO

WINDOWS = RateLimits(per_market_minute=9, per_market_hour=40, per_strategy_minute=8)


class Limit(Safeguard, Measured, Protocol):
    """A safeguard with limits that fill up."""


SAFEGUARDS: tuple[Limit, ...] = (
    RateLimit(max_orders_per_minute=10, max_orders_per_hour=50),
    RepeatedExecution(max_repeated_executions=4),
    OpenOrders(max_open_orders=7),
    MarketExposure(90 * MICRO),
    GameExposure(150 * MICRO),
    SportExposure(200 * MICRO, SportLimits({"nba": 180 * MICRO, "nfl": 0})),
    TotalExposure(300 * MICRO),
    Balance(),
    DailyLoss(400 * MICRO),
    UnknownOrders(max_unknown_orders=2),
)


def lived() -> Scene:
    """Return a book with fills, resting orders, an unknown one and a loss, on both venues."""
    scene = Scene()
    scene.balance(500 * MICRO)
    scene.wait(1)
    scene.hold(Side.YES, 20 * MICRO, 650_000)
    scene.resting("rest", size=5 * MICRO, time_in_force=TimeInForce.GTC, strategy="alpha")
    scene.lost("lost", size=3 * MICRO, platform=Platform.POLYMARKET, market_id=YES_TOKEN)
    out = scene.resting(
        "out",
        action=Action.SELL,
        size=4 * MICRO,
        limit_price=400_000,
        time_in_force=TimeInForce.GTC,
    )
    scene.fill(out, 4 * MICRO, 400_000, fee=20_000)
    for number in range(3):
        entry = scene.resting(
            f"in-{number}",
            side=Side.NO,
            size=MICRO,
            limit_price=350_000,
            strategy="loop",
            time_in_force=TimeInForce.GTC,
        )
        scene.fill(entry, MICRO, 350_000)
        leave = scene.resting(
            f"leave-{number}",
            size=MICRO,
            strategy="loop",
            time_in_force=TimeInForce.GTC,
        )
        scene.fill(leave, MICRO, 650_000)
    scene.wait(20)
    scene.check()
    return scene


@dataclasses.dataclass
class Next:
    """The next order, and what it adds to each limit."""

    order: Candidate
    scene: Scene
    facts: Facts

    def added(self, code: str) -> int:
        """Return how much the order takes of a limit."""
        order = self.order
        return {
            "RATE_LIMIT_MINUTE": 1,
            "RATE_LIMIT_HOUR": 1,
            "REPEATED_EXECUTION": 0,
            "MAX_OPEN_ORDERS": 1,
            "MAX_UNKNOWN_ORDERS": 0,
            "INSUFFICIENT_BALANCE": order.reserved.cash,
            "MAX_DAILY_LOSS": order.reserved.day_loss,
        }.get(code, order.added_worst)


def next_order(scene: Scene, **changes: Any) -> Next:
    """Return an order that opens risk, against a book as it is."""
    facts = Facts(now_ns=scene.now, unrealized=UNREALIZED, balance_ns=scene.now)
    asked = request(idempotency_key="next", request_id="r-next", size=MICRO, **changes)
    order = make_candidate(asked, 0, scene.book, facts, TERMS, BUFFER)
    return Next(order, scene, facts)


def scopes_of(order: Candidate) -> set[str]:
    """Return the scopes in which an order counts."""
    return {
        "all",
        f"market:{order.market_key}",
        f"game:{order.game_id}",
        f"sport:{order.sport}",
        f"platform:{order.platform}",
        f"strategy:{order.strategy} market:{order.market_key}",
    }


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda each: each.name)
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("strategy", ["alpha", "loop"])
def test_headroom_is_that_of_the_next_verdict(safeguard: Limit, side: Side, strategy: str) -> None:
    """What is left by the list, less what the order takes, is the headroom of its verdict."""
    scene = lived()
    following = next_order(scene, side=side, strategy=strategy, limit_price=500_000)
    order = following.order
    assert not order.is_reducing or side is Side.NO
    if order.is_reducing:
        return
    uses = {
        (use.code, use.scope): use
        for use in safeguard.used(scene.book, following.facts)
        if use.scope in scopes_of(order)
    }
    compared = 0
    for verdict in safeguard.check(order, scene.book, following.facts):
        found = [use for (code, _), use in uses.items() if code == verdict.code]
        if not isinstance(verdict, Pass) or verdict.headroom is None or not found:
            continue
        use = found[0]
        left = use.limit - use.value
        assert verdict.headroom == left - following.added(verdict.code), verdict
        compared += 1
    assert compared or (safeguard.name, strategy) == ("repeated_execution", "alpha")


def test_windows_of_one_market_and_strategy() -> None:
    """Limits of their own are shown for each market and strategy that used some of them."""
    scene = lived()
    safeguard = RateLimit(10, 50, WINDOWS)
    facts = Facts(now_ns=scene.now)
    uses = {
        (use.scope, use.code): (use.value, use.limit) for use in safeguard.used(scene.book, facts)
    }
    assert uses["strategy:alpha", "RATE_LIMIT_MINUTE"] == (1, 8)
    assert uses["strategy:loop", "RATE_LIMIT_MINUTE"] == (3, 8)
    assert uses[f"market:{CONDITION}", "RATE_LIMIT_HOUR"] == (1, 40)
    assert ("strategy:loop", "RATE_LIMIT_HOUR") not in uses
    following = next_order(scene, strategy="loop")
    minute = safeguard.check(following.order, scene.book, facts)[0]
    assert isinstance(minute, Pass)
    least = min(
        limit - value
        for (scope, code), (value, limit) in uses.items()
        if code == "RATE_LIMIT_MINUTE" and scope in {"all", "strategy:loop", f"market:{KALSHI}"}
    )
    assert minute.headroom == least - 1


def test_reducing_orders_fill_windows_of_their_own() -> None:
    """They are shown apart, as they are counted apart."""
    scene = lived()
    uses = RateLimit(10, 50).used(scene.book, Facts(now_ns=scene.now))
    assert Use("reducing", "RATE_LIMIT_MINUTE", len(scene.book.reduced), 10) in uses
    assert scene.book.reduced


def test_a_sport_with_a_limit_of_its_own_is_always_there() -> None:
    """A sport that is closed by 0 is seen to be closed before anybody is denied."""
    uses = SAFEGUARDS[5].used(Scene().book, Facts(now_ns=NOW))
    assert Use("sport:NFL", "MAX_SPORT_EXPOSURE", 0, 0) in uses
    assert Use("sport:NBA", "MAX_SPORT_EXPOSURE", 0, 180 * MICRO) in uses


def test_a_market_with_an_unknown_order_shows_no_room() -> None:
    """One is too many there, whatever the account's maximum is."""
    scene = lived()
    uses = UnknownOrders(2).used(scene.book, Facts(now_ns=scene.now))
    assert Use(f"market:{CONDITION}", "UNKNOWN_IN_MARKET", 1, 0) in uses
    assert Use("all", "MAX_UNKNOWN_ORDERS", 1, 2) in uses


def test_the_sums_are_those_of_the_markets() -> None:
    """Markets of a game add up to the game, games to the account."""
    scene = lived()
    facts = Facts(now_ns=scene.now)
    markets = sum(use.value for use in MarketExposure().used(scene.book, facts))
    games = {use.scope: use.value for use in GameExposure().used(scene.book, facts)}
    assert games == {f"game:{GAME}": markets}
    assert TotalExposure().used(scene.book, facts)[0].value == markets > 0


def test_what_has_no_limit_that_fills_up_shows_none() -> None:
    """Caps of one order have no use; every safeguard with a use says so by the same method."""
    measured = {each.name for each in SAFEGUARDS}
    made: list[Callable[[], Any]] = [*ALL]
    found = {each().name for each in made if isinstance(each(), Measured)}
    assert found == measured
    assert not isinstance(OrderSize(), Measured)


def test_the_loss_of_the_day_counts_what_is_open() -> None:
    """Realized, marked, paid in fees, and what open orders may still lose."""
    scene = lived()
    facts = Facts(now_ns=scene.now, unrealized=UNREALIZED)
    book = scene.book
    (use,) = DailyLoss(400 * MICRO).used(book, facts)
    assert use.value == book.open_day_loss - book.realized + book.fees - UNREALIZED
    assert use.limit == 400 * MICRO
