"""Orders in the book: reservations, windows, cycles and counts follow every event."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.book import HOUR_NS, cycle_name
from arbees.core.book.fold_orders import _forget
from arbees.core.book.open_order import NOTHING, Reservation
from arbees.core.deciding import commands
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.outcomes import (
    Accepted,
    Gated,
    OrderClosed,
    Refused,
)
from arbees.core.language.payouts import NO_WON
from arbees.core.language.words import (
    Action,
    OrderStatus,
    Platform,
    Side,
    TimeInForce,
)
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import CONDITION, KALSHI, NOW, YES_TOKEN, request

TEN = 10 * MICRO
GTC: dict[str, Any] = {"time_in_force": TimeInForce.GTC}
ON_POLYMARKET: dict[str, Any] = {"platform": Platform.POLYMARKET, "market_id": YES_TOKEN}


def test_denials_are_counted_by_safeguard() -> None:
    """Once a request for each safeguard that denied, whatever it found."""
    scene = Scene()
    findings = (events.Finding("a", "A1"), events.Finding("b", "B"), events.Finding("a", "A2"))
    denied = events.RequestDenied(
        request=request(), findings=findings, facts=Facts(now_ns=NOW), received_ns=NOW
    )
    scene.write(denied, denied)
    assert scene.book.denials == {"a": 2, "b": 2}
    scene.answer(scene.order(), Gated(code="HALTED", message="m"))
    scene.answer(scene.order("k-2"), Gated(code="HALTED", message="m"))
    assert scene.book.denials == {"a": 2, "b": 2, "gate": 2}
    scene.write(events.DayOpened(day="d", baseline=0))
    assert scene.book.denials == {}


def test_an_approval_is_reserved_in_every_sum() -> None:
    """From the decision on, before anything was sent."""
    scene = Scene()
    scene.balance(100 * MICRO)
    order = scene.order()
    market = scene.book.markets[KALSHI]
    assert order.reserved == Reservation(0, 6_500_000, 7_150_000, 6_675_000, 0)
    assert (market.loss_yes, market.loss_no, market.worst) == (0, 6_500_000, 6_500_000)
    assert scene.book.open_day_loss == 6_675_000
    assert scene.book.pools["Kalshi"].outside == 7_150_000
    assert scene.book.game_worst == {"nba_BOS@ATL": 6_500_000}
    assert scene.book.sport_worst == {"NBA": 6_500_000}
    assert scene.book.total_worst == 6_500_000
    scene.check()
    scene.answer(order, Gated(code="HALTED", message="m"))
    assert (market.loss_yes, market.loss_no, market.worst) == (0, 0, 0)
    assert (scene.book.open_day_loss, scene.book.pools["Kalshi"].outside) == (0, 0)
    assert (scene.book.game_worst, scene.book.sport_worst) == ({}, {})
    assert order.reserved == NOTHING
    scene.check()


def test_orders_of_both_sides_add_up() -> None:
    """What is lost if Yes wins and if No wins are sums of their own."""
    scene = Scene()
    scene.order("a", limit_price="0.6")
    scene.order("b", side=Side.NO, limit_price="0.3")
    market = scene.book.markets[KALSHI]
    assert (market.loss_yes, market.loss_no, market.worst) == (3_000_000, 6_000_000, 6_000_000)
    scene.order("c", side=Side.NO, limit_price="0.5", **ON_POLYMARKET)
    assert scene.book.markets[CONDITION].loss_yes == 5_000_000
    assert scene.book.total_worst == 11_000_000
    assert scene.book.game_worst == {"nba_BOS@ATL": 11_000_000}
    scene.check()


@pytest.mark.parametrize(
    ("side", "action", "closes"),
    [
        (Side.YES, Action.SELL, Side.YES),
        (Side.NO, Action.SELL, Side.NO),
        (Side.YES, Action.BUY, Side.NO),
        (Side.NO, Action.BUY, Side.YES),
    ],
)
def test_what_is_being_closed(side: Side, action: Action, closes: Side) -> None:
    """It is taken off what others may close, comes back with the end, and shrinks with fills."""
    scene = Scene()
    held = scene.resting("h", side=closes, **GTC)
    scene.fill(held, TEN, 650_000)
    order = scene.resting("c", side=side, action=action, size="4", **GTC)
    holding = scene.book.markets[KALSHI].holding(closes)
    assert (order.is_reducing, holding.closing) == (True, 4 * MICRO)
    scene.fill(order, MICRO, 650_000)
    assert (holding.quantity, holding.closing) == (9 * MICRO, 3 * MICRO)
    scene.write(
        events.OrderCancelled(client_order_id=order.client_order_id, request_id="r-c", reason="x")
    )
    assert holding.closing == 0
    scene.check()


def test_a_venue_without_a_balance_counts_no_cash() -> None:
    """There is nothing yet that it could be outside of."""
    scene = Scene()
    scene.fill(scene.resting(), TEN, 650_000)
    assert scene.book.pools == {}


def test_windows_count_approvals() -> None:
    """At the time of the decision; risk-increasing ones by account, market and strategy."""
    scene = Scene()
    scene.order("a", strategy="alpha", limit_price="0.6")
    scene.wait(1)
    scene.fill(scene.resting("b", **GTC), TEN, 650_000)
    reducing = scene.order("c", action=Action.SELL)
    assert reducing.is_reducing
    later = NOW + 10**9
    assert scene.book.opened == [NOW, later]
    assert scene.book.reduced == [later]
    assert scene.book.opened_by == {
        f"market:{KALSHI}": [NOW, later],
        "strategy:alpha": [NOW],
        "strategy:UNNAMED": [later],
    }
    scene.check()


def test_windows_forget_after_an_hour() -> None:
    """Exactly an hour old is out."""
    scene = Scene()
    scene.order("a")
    scene.now = NOW + HOUR_NS - 1
    scene.order("b")
    assert scene.book.opened == [NOW, NOW + HOUR_NS - 1]
    scene.now = NOW + HOUR_NS
    scene.order("c")
    assert scene.book.opened == [NOW + HOUR_NS - 1, NOW + HOUR_NS]
    assert scene.book.opened_by["strategy:UNNAMED"] == scene.book.opened


def test_windows_stay_in_order() -> None:
    """A decision with an older time counts at that of the one before."""
    scene = Scene()
    scene.order("a", seen=Facts(now_ns=NOW + 5))
    scene.order("b", seen=Facts(now_ns=NOW + 3))
    assert scene.book.opened == [NOW + 5, NOW + 5]


def test_an_order_counts_once_it_is_approved_whatever_becomes_of_it() -> None:
    """What the gate stops stays in the window."""
    scene = Scene()
    scene.answer(scene.order(), Gated(code="HALTED", message="m"))
    assert scene.book.opened == [NOW]


# States ----------------------------------------------------------------------------------------


def test_unknown_orders_are_counted() -> None:
    """In the account and in their market, until they end or are found."""
    scene = Scene()
    first, second = scene.lost("a"), scene.lost("b")
    third = scene.lost("c", **ON_POLYMARKET)
    book, kalshi = scene.book, scene.book.markets[KALSHI]
    assert (book.unknown, kalshi.unknown, book.markets[CONDITION].unknown) == (3, 2, 1)
    found = Accepted(venue_order_id="v", time_ns=NOW)
    scene.answer(first, found)
    assert (book.unknown, kalshi.unknown) == (2, 1)
    assert first.status is OrderStatus.WORKING
    ended = events.OrderNotSent(
        client_order_id=second.client_order_id, request_id="r-b", message="m"
    )
    scene.write(ended)
    assert (book.unknown, kalshi.unknown) == (1, 0)
    ids = {"client_order_id": third.client_order_id, "request_id": "r-c"}
    scene.write(events.OrderCancelled(**ids, reason="x"))
    assert (book.unknown, book.markets[CONDITION].unknown) == (0, 0)
    scene.check()


def test_an_acknowledgement() -> None:
    """Its id and its time; with a fill before it, partially filled."""
    scene = Scene()
    order = scene.order(**GTC)
    scene.fill(order, MICRO, 650_000)
    scene.wait(2)
    scene.answer(order, Accepted(venue_order_id="v-1", time_ns=NOW))
    assert (order.venue_order_id, order.acknowledged_ns) == ("v-1", scene.now)
    assert order.status is OrderStatus.PARTIALLY_FILLED
    scene.check()


def test_a_second_acknowledgement_moves_nothing() -> None:
    """A working order works on, a partially filled one too."""
    scene = Scene()
    order = scene.resting(**GTC)
    again = events.OrderAcknowledged(
        client_order_id=order.client_order_id, request_id="r-k-1", venue_order_id="v-2"
    )
    scene.write(again)
    assert (order.status, order.venue_order_id) == (OrderStatus.WORKING, "v-2")
    scene.fill(order, MICRO, 650_000)
    scene.write(again)
    assert order.status is OrderStatus.PARTIALLY_FILLED


@pytest.mark.parametrize(
    "event", [events.OrderRejected, events.OrderNotSent, events.OrderCancelled, events.OrderExpired]
)
def test_ends(event: type[events.OrderEvent]) -> None:
    """The order is gone, and all that it reserved is released."""
    scene = Scene()
    order = scene.order()
    more = {
        events.OrderRejected: {"venue_code": "x", "message": "m"},
        events.OrderNotSent: {"message": "m"},
        events.OrderCancelled: {"reason": "x"},
    }.get(event, {})
    scene.write(event(client_order_id=order.client_order_id, request_id="r-k-1", **more))
    assert (scene.book.orders, scene.book.total_worst) == ({}, 0)
    status = {
        events.OrderRejected: OrderStatus.REJECTED,
        events.OrderNotSent: OrderStatus.NOT_SENT,
        events.OrderCancelled: OrderStatus.CANCELLED,
        events.OrderExpired: OrderStatus.EXPIRED,
    }
    assert order.status is status[event]
    scene.check()


def test_a_wanted_cancel_stands_in_the_order() -> None:
    """With its reason; the order works on until the venue says otherwise."""
    scene = Scene()
    order = scene.resting(**GTC)
    scene.write(
        events.CancelRequested(
            client_order_id=order.client_order_id, request_id="r", reason="late", actor="ann"
        )
    )
    assert (order.cancel_reason, order.status) == ("late", OrderStatus.WORKING)


def test_a_key_may_be_approved_again_once_it_was_not_sent() -> None:
    """The next leg or attempt has the same client order id, one at a time (P2)."""
    scene = Scene()
    first = scene.order()
    scene.answer(first, Refused(venue_code="x", message="m"))
    second = scene.order(request_id="r-2")
    assert second.client_order_id == first.client_order_id
    assert scene.book.orders == {second.client_order_id: second}


# Fills -----------------------------------------------------------------------------------------


def test_a_fill_is_added_everywhere() -> None:
    """Profit and fees of market and account, cash of the pool."""
    scene = Scene()
    scene.fill(scene.resting(**GTC), TEN, 600_000, 100)
    order = scene.resting("s", action=Action.SELL, **GTC)
    scene.fill(order, 4 * MICRO, 700_000, 50)
    market, book = scene.book.markets[KALSHI], scene.book
    assert (market.realized, market.fees) == (400_000, 150)
    assert (book.realized, book.fees) == (400_000, 150)
    assert (market.yes.quantity, market.yes.cost) == (6 * MICRO, 3_600_000)
    scene.check()


# Cycles ----------------------------------------------------------------------------------------


def cycles(scene: Scene) -> dict[str, tuple[int, list[int]]]:
    """Return quantity and entries by strategy and market."""
    for name, cycle in scene.book.cycles.items():
        assert name == cycle_name(cycle.strategy, cycle.market_key)
    return {
        f"{cycle.strategy}|{cycle.market_key}": (cycle.quantity, cycle.entries)
        for cycle in scene.book.cycles.values()
    }


def test_a_cycle_begins_with_an_entry_from_flat() -> None:
    """More of the same is no entry; back to flat and in again is the next."""
    scene = Scene()
    name = f"alpha|{KALSHI}"
    alpha: dict[str, Any] = {"strategy": "alpha", **GTC}
    scene.fill(scene.resting("a", **alpha), TEN, 650_000)
    assert cycles(scene) == {name: (TEN, [NOW])}
    scene.wait(1)
    scene.fill(scene.resting("b", **alpha), TEN, 650_000)
    assert cycles(scene) == {name: (2 * TEN, [NOW])}
    out = scene.resting("c", action=Action.SELL, size="20", **alpha)
    scene.fill(out, 2 * TEN, 650_000)
    assert cycles(scene) == {name: (0, [NOW])}
    scene.wait(1)
    scene.fill(scene.resting("d", side=Side.NO, **alpha), MICRO, 650_000)
    assert cycles(scene) == {name: (-MICRO, [NOW, NOW + 2 * 10**9])}
    scene.check()


def test_cycles_are_apart_by_strategy_and_market() -> None:
    """Who closes another strategy's position enters on the other side."""
    scene = Scene()
    scene.fill(scene.resting("a", strategy="alpha", **GTC), TEN, 650_000)
    scene.fill(scene.resting("b", strategy="beta", action=Action.SELL, **GTC), TEN, 650_000)
    scene.fill(scene.resting("c", strategy="alpha", **ON_POLYMARKET, **GTC), TEN, 650_000)
    assert cycles(scene) == {
        f"alpha|{KALSHI}": (TEN, [NOW]),
        f"beta|{KALSHI}": (-TEN, [NOW]),
        f"alpha|{CONDITION}": (TEN, [NOW]),
    }


def test_entries_are_forgotten_after_an_hour() -> None:
    """Exactly an hour old is out."""
    scene = Scene()
    for key, after in (("a", 0), ("b", HOUR_NS - 1), ("c", HOUR_NS)):
        scene.now = NOW + after
        scene.fill(scene.resting(key, **GTC), TEN, 650_000)
        scene.fill(scene.resting(f"{key}-out", action=Action.SELL, **GTC), TEN, 650_000)
    assert cycles(scene) == {f"UNNAMED|{KALSHI}": (0, [NOW + HOUR_NS - 1, NOW + HOUR_NS])}


def test_names_that_look_alike_are_apart() -> None:
    """A strategy may be called like another one in a market of its own."""
    assert cycle_name("a|b", "c") != cycle_name("a", "b|c")
    assert cycle_name("1|a", "b") != cycle_name("a", "b")


def test_what_is_over_is_dropped_as_names_come() -> None:
    """Strategies that are flat since an hour, and windows that are empty, do not stay for ever."""
    scene = Scene()
    for number in range(128):
        scene.fill(scene.resting(f"in-{number}", strategy=f"s-{number}", **GTC), MICRO, 650_000)
        scene.do(cancel_of(scene, f"in-{number}"))
        if number:
            out: dict[str, Any] = {"strategy": f"s-{number}", "action": Action.SELL, **GTC}
            scene.fill(scene.resting(f"out-{number}", size=MICRO, **out), MICRO, 650_000)
    assert len(scene.book.cycles) == 128
    assert len(scene.book.opened_by) == 129
    scene.now += HOUR_NS
    scene.fill(scene.resting("late", strategy="late", **GTC), TEN, 650_000)
    assert set(cycles(scene)) == {f"s-0|{KALSHI}", f"late|{KALSHI}"}
    for number in range(128):
        scene.resting(f"more-{number}", strategy=f"t-{number}", **GTC)
    assert "strategy:s-5" not in scene.book.opened_by
    assert "strategy:late" in scene.book.opened_by
    scene.check()


def cancel_of(scene: Scene, key: str) -> commands.TakeClosed:
    """Return the venue's word that it cancelled what remained of a key's order."""
    order = next(each for each in scene.book.orders.values() if each.idempotency_key == key)
    return commands.TakeClosed(
        closed=OrderClosed(
            client_order_id=order.client_order_id,
            closed="cancelled",
            reason="a test",
            time_ns=scene.now,
            filled=order.filled,
        )
    )


def test_a_settlement_leaves_everybody_flat() -> None:
    """Only in its own market; entries stay counted."""
    scene = Scene()
    scene.fill(scene.resting("a", **GTC), TEN, 650_000)
    scene.fill(scene.resting("b", **ON_POLYMARKET, **GTC), TEN, 650_000)
    scene.do(commands.SettleMarket(platform=Platform.KALSHI, market_id=KALSHI, payouts=NO_WON))
    assert cycles(scene) == {
        f"UNNAMED|{KALSHI}": (0, [NOW]),
        f"UNNAMED|{CONDITION}": (TEN, [NOW]),
    }


@pytest.mark.parametrize(
    ("times", "over", "left"),
    [(10, 1, 9), (1_023, 1, 1_022), (1_024, 511, 1_024), (1_024, 512, 512)],
)
def test_a_long_window_is_not_moved_for_each_order(times: int, over: int, left: int) -> None:
    """What is over is dropped at once from a short window, from a long one once it is half."""
    window = list(range(times))
    _forget(window, over - 1)
    assert len(window) == left
    assert window[-1] == times - 1
