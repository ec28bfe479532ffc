"""Balances: a venue's figure counts, less what of ours is not provably inside it."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import PoolBalance
from arbees.core.language.words import Platform, TimeInForce
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import NOW, SECOND, YES_TOKEN

TEN = 10 * MICRO
GTC: dict[str, Any] = {"time_in_force": TimeInForce.GTC}
ON_POLYMARKET: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}


def observed(available: int, as_of_ns: int, outside: int, *inside: str) -> commands.Decision:
    """Return the decision that takes a figure."""
    return commands.Decision(
        (
            events.BalanceObserved(
                pool="Kalshi",
                platform="Kalshi",
                available=available,
                as_of_ns=as_of_ns,
                outside=outside,
                inside=inside,
            ),
        )
    )


def test_the_first_figure() -> None:
    """With nothing open, nothing is outside."""
    scene = Scene()
    assert scene.balance(100 * MICRO) == observed(100 * MICRO, NOW, 0)
    scene.check()


def test_open_orders_are_outside_until_acknowledged_before_the_figure() -> None:
    """The figure of the same moment proves nothing; a later one does. Other venues are apart."""
    scene = Scene()
    order = scene.resting(**GTC)
    scene.order("k-2", limit_price="0.5", **GTC)
    scene.resting("p", **ON_POLYMARKET, **GTC)
    pending = 5_500_000
    assert scene.balance(100 * MICRO) == observed(100 * MICRO, NOW, 7_150_000 + pending)
    scene.now += 1
    found = scene.balance(100 * MICRO)
    assert found == observed(100 * MICRO, NOW + 1, pending, order.client_order_id)
    assert order.is_inside
    scene.check()


def test_once_inside_always_inside() -> None:
    """A later figure does not forget what an earlier one held; a change that is none is no news."""
    scene = Scene()
    order = scene.resting(**GTC)
    scene.wait(1)
    scene.balance(100 * MICRO)
    order.acknowledged_ns = None
    scene.wait(1)
    assert scene.balance(100 * MICRO) == commands.NO_DECISION
    found = scene.balance(99 * MICRO)
    assert found == observed(99 * MICRO, scene.now, 0, order.client_order_id)


def test_an_older_figure_is_no_news() -> None:
    """Figures come late; the same moment counts."""
    scene = Scene()
    scene.balance(100 * MICRO)
    assert scene.balance(50 * MICRO, as_of_ns=NOW - 1) == commands.NO_DECISION
    assert scene.balance(50 * MICRO, as_of_ns=NOW) == observed(50 * MICRO, NOW, 0)
    assert scene.balance(50 * MICRO, as_of_ns=NOW + 1) == commands.NO_DECISION
    assert len(scene.balance(50 * MICRO + 1, as_of_ns=NOW + 1).events) == 1


def test_what_was_spent_is_outside_until_the_figure_is_later() -> None:
    """A fill at the moment of the figure may not be in it."""
    scene = Scene()
    order = scene.resting(**GTC)
    scene.balance(100 * MICRO)
    scene.fill(order, TEN, 650_000, 160_000)
    pool = scene.book.pools["Kalshi"]
    assert pool.spent == [(NOW, 6_660_000)]
    # The same figure again: nothing new, yet what was spent is looked through.
    assert scene.balance(100 * MICRO) == observed(100 * MICRO, NOW, 6_660_000)
    assert scene.balance(100 * MICRO, as_of_ns=NOW + 1) == observed(100 * MICRO, NOW + 1, 0)
    assert scene.book.pools["Kalshi"].spent == []
    assert scene.balance(100 * MICRO, as_of_ns=NOW + 2) == commands.NO_DECISION
    scene.check()


def test_a_change_of_what_is_outside_is_news() -> None:
    """The same figure with another part outside is another truth."""
    scene = Scene()
    order = scene.resting(**GTC)
    scene.balance(100 * MICRO)
    assert scene.book.pools["Kalshi"].outside == 7_150_000
    found = scene.balance(100 * MICRO, as_of_ns=NOW + 5)
    assert found == observed(100 * MICRO, NOW + 5, 0, order.client_order_id)


@pytest.mark.parametrize("seconds", [0, 1])
def test_pools_are_apart(seconds: int) -> None:
    """Each pool has its own figure; the platform is named with it."""
    scene = Scene()
    scene.balance(100 * MICRO)
    scene.wait(seconds)
    balance = PoolBalance(
        platform=Platform.POLYMARKET, pool="Polymarket", available=7, as_of_ns=NOW - SECOND
    )
    (event,) = scene.do(commands.ObserveBalance(balance=balance)).events
    assert event == events.BalanceObserved(
        pool="Polymarket", platform="Polymarket", available=7, as_of_ns=NOW - SECOND, outside=0
    )
    assert scene.book.pools["Kalshi"].available == 100 * MICRO
