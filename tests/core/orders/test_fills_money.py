"""Fills and money: what is outside of a venue's figure, and what is settled already."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import Accepted
from arbees.core.language.payouts import NO_WON, won_by
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import KALSHI, NOW, YES_TOKEN

TEN = 10 * MICRO
SELL = Action.SELL
GTC: dict[str, Any] = {"time_in_force": TimeInForce.GTC}
ON_POLYMARKET: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}


# Inside and outside of the venue's figure ------------------------------------------------------


def test_what_is_spent_is_outside_until_the_venue_knows_it() -> None:
    """Of an order whose cash the figure holds already only the fee is outside."""
    scene = Scene()
    scene.balance(100 * MICRO)
    order = scene.resting(**GTC)
    pool = scene.book.pools["Kalshi"]
    assert pool.outside == 7_150_000
    filled = scene.fill(order, 4 * MICRO, 640_000, 64_600)
    assert filled.outside == 2_624_600
    assert pool.outside == 4_290_000 + 2_624_600
    assert pool.spent == [(NOW, 2_624_600)]
    scene.wait(1)
    scene.balance(98 * MICRO)
    assert order.is_inside
    assert scene.book.pools["Kalshi"].outside == 0
    inside = scene.fill(order, 4 * MICRO, 640_000, 64_600)
    assert inside.outside == 64_600
    assert scene.book.pools["Kalshi"].outside == 64_600
    scene.check()


def test_a_sale_is_not_outside() -> None:
    """What comes in is not counted before the venue's figure shows it."""
    scene = Scene()
    scene.hold(Side.YES, TEN, 600_000)
    scene.balance(100 * MICRO)
    order = scene.resting("s", action=SELL, **GTC)
    pool = scene.book.pools["Kalshi"]
    assert pool.outside == order.reserved.cash == 159_300
    filled = scene.fill(order, TEN, 650_000, 159_300)
    assert (filled.cash, filled.outside) == (6_340_700, 0)
    assert (pool.outside, pool.spent) == (0, [])
    scene.check()


# After the settlement --------------------------------------------------------------------------


@pytest.mark.parametrize("where", [{}, ON_POLYMARKET], ids=["netting", "tokens"])
@pytest.mark.parametrize("result", list(Side))
@pytest.mark.parametrize("action", list(Action))
def test_a_fill_heard_of_after_the_settlement_is_settled_too(
    where: dict[str, Any], result: Side, action: Action
) -> None:
    """Profit and position are the same whether a fill is heard of before or after the result."""
    ends = []
    for is_late in (False, True):
        scene = Scene()
        scene.fill(scene.resting("k-0", **where), TEN, 650_000)
        order = scene.lost("k-1", action=action, limit_price="0.61", **where)
        fill = commands.TakeFill(fill=scene.trade(order, TEN, 610_000, 4_200))
        settle = commands.SettleMarket(
            platform=where.get("platform", Platform.KALSHI),
            market_id=where.get("market_id", KALSHI),
            payouts=won_by(result),
        )
        for command in (settle, fill) if is_late else (fill, settle):
            scene.do(command)
        scene.check()
        market = scene.book.markets[order.market_key]
        assert (market.yes.quantity, market.no.quantity, market.worst) == (0, 0, 0)
        cash = sum(
            each.cash for _, _, each in scene.records if isinstance(each, events.OrderFilled)
        )
        paid = sum(
            each.payout for _, _, each in scene.records if isinstance(each, events.MarketSettled)
        )
        ends.append((scene.book.realized, scene.book.fees, cash + paid, scene.book.total_worst))
    assert ends[0] == ends[1]


def test_a_fill_after_the_end_and_the_settlement_corrects_and_is_settled() -> None:
    """Later truth of a closed order is a correction, and leaves no position in a settled market."""
    scene = Scene()
    order = scene.lost()
    scene.answer(order, Accepted(venue_order_id="v", time_ns=NOW, closed="cancelled"))
    scene.do(commands.SettleMarket(platform=Platform.KALSHI, market_id=KALSHI, payouts=NO_WON))
    late = commands.TakeFill(fill=scene.trade(order, TEN, 650_000), past=scene.past(order))
    filled, settled = scene.do(late).events
    assert isinstance(filled, events.OrderFilled)
    assert filled.corrects is not None
    assert isinstance(settled, events.MarketSettled)
    assert (settled.payout, settled.realized) == (0, -6_500_000)
    assert scene.book.realized == -6_500_000
    scene.check()
