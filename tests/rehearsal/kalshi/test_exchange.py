"""Matching of the simulated Kalshi: priority, times in force, groups, pauses, ends of markets."""

from typing import Any

import pytest

from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.rules import (
    SHARDS,
    ExchangeFill,
    ExchangeGroup,
    ExchangeRefusal,
    Status,
    TickRange,
)
from tests.rehearsal.kalshi.stand import (
    CENT,
    FOK,
    IOC,
    NFL,
    TICKER,
    Stand,
)


def refused(
    stand: Stand, owner: str, cents: int, contracts: float = 1, **more: Any
) -> ExchangeRefusal:
    """Return why an order is not placed; nothing of it may be left."""
    before = len(stand.exchange.orders), stand.exchange.held(owner, 3)
    with pytest.raises(ExchangeRefusal) as caught:
        stand.place(owner, cents, contracts, **more)
    assert (len(stand.exchange.orders), stand.exchange.held(owner, 3)) == before
    return caught.value


def group_of(stand: Stand, limit: int, shard: int = 3) -> ExchangeGroup:
    """Return a group of ann's."""
    group = ExchangeGroup(
        group_id=f"g{len(stand.exchange.groups)}",
        owner="ann",
        limit=limit * MICRO,
        shard=shard,
        matched=[],
    )
    stand.exchange.groups[group.group_id] = group
    return group


# Priority --------------------------------------------------------------------------------------


def test_the_best_price_comes_first_and_then_the_oldest() -> None:
    """A taker meets 39 before 40, and of two at 40 the one that came first; each at its price."""
    stand = Stand()
    for cents in (40, 39, 40):
        stand.place("bob", cents, 2, sells=True)
        stand.wait(1)
    first, _, second = stand.exchange.orders.values()
    taker = stand.place("ann", 45, 5, tif=IOC)
    assert stand.fills_of(taker) == [(39, 2), (40, 2), (40, 1)]
    assert (first.status, second.status, second.remaining) == (
        *(Status.EXECUTED, Status.RESTING, MICRO),
    )


def test_a_bid_that_came_first_keeps_its_place() -> None:
    """The other side of the book has the same order: highest, then oldest."""
    stand = Stand()
    early = stand.place("bob", 30, 1)
    stand.wait(1)
    stand.place("bob", 30, 1)
    stand.place("bob", 31, 1)
    taker = stand.place("ann", 30, 2, sells=True, tif=IOC)
    assert stand.fills_of(taker) == [(31, 1), (30, 1)]
    assert early.status is Status.EXECUTED


def test_what_nobody_placed_trades_like_any_order() -> None:
    """The made book fills a taker, and what rests is filled when it comes across."""
    stand = Stand()
    stand.show(40, 3, sells=True)
    taker = stand.place("ann", 40, 2)
    assert taker.status is Status.EXECUTED
    rests = stand.place("ann", 35, 2)
    stand.show(34, 5, sells=True)
    assert stand.fills_of(rests) == [(35, 2)]
    assert {fill.owner for fill in stand.exchange.fills} == {"ann"}
    assert [fill.is_taker for fill in stand.exchange.fills] == [True, False]
    assert stand.exchange.fills[1].fee == 0


# Times in force --------------------------------------------------------------------------------


def test_immediate_or_cancel_leaves_nothing() -> None:
    """What does not fill at once is cancelled; its id stays spent."""
    stand = Stand()
    stand.show(40, 1, sells=True)
    order = stand.place("ann", 40, 3, tif=IOC)
    assert (order.filled, order.status, order.remaining) == (MICRO, Status.CANCELED, 0)
    again = refused(stand, "ann", 40, client_order_id=order.client_order_id)
    assert (again.status, again.code) == (409, "order_already_exists")


def test_fill_or_kill_is_all_or_nothing_and_spends_its_id() -> None:
    """Killed by 409; the id cannot be used again; enough volume fills it whole."""
    stand = Stand()
    stand.show(40, 2, sells=True)
    killed = refused(stand, "ann", 40, 3, tif=FOK, client_order_id="once")
    assert (killed.status, killed.code) == (409, "fill_or_kill_insufficient_resting_volume")
    assert refused(stand, "ann", 40, 1, client_order_id="once").code == "order_already_exists"
    assert stand.place("ann", 40, 2, tif=FOK).status is Status.EXECUTED


def test_an_order_ends_when_it_says() -> None:
    """At its second, not before; its cash is free again."""
    stand = Stand()
    order = stand.place("ann", 40, 5, expires_ns=stand.time_ns + 10 * NS_PER_SECOND)
    assert stand.exchange.available("ann", 3) == 98 * MICRO
    stand.wait(9.9)
    assert order.status is Status.RESTING
    stand.wait(0.1)
    assert (order.status, order.reason) == (Status.CANCELED, "ExpiryCancel")
    assert stand.exchange.available("ann", 3) == 100 * MICRO
    past = refused(stand, "ann", 40, expires_ns=stand.time_ns)
    assert past.code == "invalid_parameters"


def test_reduce_only_is_cut_to_the_position() -> None:
    """It closes what is held and no more; with nothing held it ends at once."""
    stand = Stand()
    nothing = stand.place("ann", 30, 2, sells=True, tif=IOC, reduce_only=True)
    assert (nothing.status, nothing.reason) == (Status.CANCELED, "ReduceOnlyCancel")
    stand.show(40, 3, sells=True)
    stand.place("ann", 40, 3)
    stand.show(38, 10, sells=False)
    sold = stand.place("ann", 38, 5, sells=True, tif=IOC, reduce_only=True)
    assert (sold.count, sold.filled, sold.status) == (3 * MICRO, 3 * MICRO, Status.EXECUTED)
    assert stand.exchange.account("ann").positions[TICKER] == 0


def test_post_only_never_takes() -> None:
    """One that would cross is refused by the venue's words; one that would not rests."""
    stand = Stand()
    stand.show(40, 1, sells=True)
    crossing = refused(stand, "ann", 40, post_only=True)
    assert (crossing.status, crossing.code, crossing.details) == (
        *(400, "invalid_order", "post only cross"),
    )
    assert stand.place("ann", 39, post_only=True).status is Status.RESTING


# Self-trade ------------------------------------------------------------------------------------


def test_the_taker_is_cancelled_at_ones_own_order() -> None:
    """What filled before stands; the resting order stays."""
    stand = Stand()
    stand.place("bob", 39, 1, sells=True)
    mine = stand.place("ann", 40, 1, sells=True)
    taker = stand.place("ann", 45, 3)
    assert (taker.filled, taker.status, taker.reason) == (
        *(MICRO, Status.CANCELED, "SelfTradeCancel"),
    )
    assert mine.status is Status.RESTING


def test_the_maker_is_cancelled_at_ones_own_order() -> None:
    """The resting order goes, matching goes on behind it."""
    stand = Stand()
    mine = stand.place("ann", 40, 1, sells=True)
    stand.place("bob", 41, 1, sells=True)
    taker = stand.place("ann", 45, 2, stp="maker")
    assert (mine.status, mine.reason) == (Status.CANCELED, "SelfTradeCancel")
    assert stand.fills_of(taker) == [(41, 1)]
    assert (taker.status, taker.remaining) == (Status.RESTING, MICRO)


# What is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"price": 405_000}, 400, "invalid_price"),
        ({"price": 0}, 400, "invalid_price"),
        ({"price": MICRO}, 400, "invalid_price"),
        ({"count": 0}, 400, "invalid_order_size"),
        ({"count": 15_000}, 400, "invalid_order_size"),
        ({"ticker": "NONE"}, 404, "market_not_found"),
        ({"count": 300 * MICRO}, 400, "insufficient_balance"),
        ({"group_id": "none"}, 404, "order_group_not_found"),
    ],
)
def test_refusals(more: dict[str, Any], status: int, code: str) -> None:
    """Each in the venue's own words, and nothing is spent by it."""
    stand = Stand()
    found = refused(stand, "ann", 40, client_order_id="kept", **more)
    assert (found.status, found.code) == (status, code)
    assert stand.place("ann", 40, client_order_id="kept").status is Status.RESTING


def test_ticks_are_those_of_the_range() -> None:
    """A market with finer ticks at its ends takes them there alone."""
    stand = Stand()
    stand.market.ranges = (
        TickRange(0, 100_000, 1_000),
        TickRange(100_000, 900_000, CENT),
        TickRange(900_000, MICRO, 1_000),
    )
    for price, fits in ((51_000, True), (105_000, False), (110_000, True), (955_000, True)):
        assert stand.market.is_on_grid(price) is fits


def test_cash_lies_on_shards() -> None:
    """Money of one shard buys nothing on another; what rests is held on its own."""
    stand = Stand()
    stand.place("ann", 50, 150)
    assert stand.exchange.available("ann", 3) == 25 * MICRO
    assert stand.exchange.available("ann", 0) == 100 * MICRO
    assert refused(stand, "ann", 50, 60).code == "insufficient_balance"
    assert stand.place("ann", 50, 60, ticker=NFL).status is Status.RESTING


# Groups ----------------------------------------------------------------------------------------


def test_a_group_stops_what_goes_too_fast() -> None:
    """More than its limit within 15 s cancels what rests of it, and shuts it until a reset."""
    stand = Stand()
    group = group_of(stand, 5)
    rests = stand.place("ann", 30, 1, group_id=group.group_id)
    free = stand.place("ann", 31, 1)
    stand.show(40, 100, sells=True)
    stand.place("ann", 40, 5, tif=IOC, group_id=group.group_id)
    assert not group.is_triggered
    stand.wait(10)
    stand.place("ann", 40, 1, tif=IOC, group_id=group.group_id)
    assert group.is_triggered
    assert (rests.status, free.status) == (Status.CANCELED, Status.RESTING)
    shut = refused(stand, "ann", 30, group_id=group.group_id)
    assert (shut.status, shut.code) == (400, "exceeded_order_group_risk_limit")


def test_a_group_forgets_after_fifteen_seconds() -> None:
    """What was matched before the window counts no more."""
    stand = Stand()
    group = group_of(stand, 5)
    stand.show(40, 100, sells=True)
    for _ in range(3):
        stand.place("ann", 40, 5, tif=IOC, group_id=group.group_id)
        stand.wait(15)
    assert not group.is_triggered


def test_a_group_belongs_to_one_shard_and_one_account() -> None:
    """Elsewhere it does not exist."""
    stand = Stand()
    other = group_of(stand, 5, shard=0)
    assert refused(stand, "ann", 30, group_id=other.group_id).code == "order_group_not_found"
    own = group_of(stand, 5)
    assert refused(stand, "bob", 30, group_id=own.group_id).code == "order_group_not_found"


def test_a_full_fill_may_trip_the_group_of_the_order_that_filled() -> None:
    """Resting or taking: what rests of the group is cancelled, and the book is whole."""
    stand = Stand()
    group = group_of(stand, 5)
    filled = stand.place("ann", 40, 6, group_id=group.group_id)
    other = stand.place("ann", 30, 1, group_id=group.group_id)
    stand.show(40, 6, sells=True)
    assert (filled.status, other.status) == (Status.EXECUTED, Status.CANCELED)
    assert stand.market.bids == []
    group.is_triggered, group.matched = False, []
    stand.show(45, 6, sells=True)
    taker = stand.place("ann", 45, 9, group_id=group.group_id)
    assert (taker.filled, taker.status, group.is_triggered) == (6 * MICRO, Status.CANCELED, True)
    assert stand.market.bids == []


# Pauses, cancels, ends -------------------------------------------------------------------------


def test_a_trading_pause_takes_cancels_and_no_orders() -> None:
    """Orders that asked for it are cancelled as it begins; the others stay."""
    stand = Stand()
    going = stand.place("ann", 30, cancels_on_pause=True)
    staying = stand.place("ann", 31)
    stand.exchange.pause(set(SHARDS), set())
    assert (going.status, going.reason) == (Status.CANCELED, "HaltCancel")
    found = refused(stand, "ann", 30)
    assert (found.status, found.code) == (409, "trading_is_paused")
    assert stand.exchange.cancel("ann", staying.order_id) == MICRO
    stand.exchange.pause(set(), set())
    assert stand.place("ann", 30).status is Status.RESTING


def test_an_exchange_pause_takes_nothing() -> None:
    """Not even cancels, of one or of all."""
    stand = Stand()
    rests = stand.place("ann", 30)
    stand.exchange.pause(set(), set(SHARDS))
    assert refused(stand, "ann", 30).code == "exchange_is_paused"
    with pytest.raises(ExchangeRefusal, match="exchange_is_paused"):
        stand.exchange.cancel("ann", rests.order_id)
    with pytest.raises(ExchangeRefusal, match="exchange_is_paused"):
        stand.exchange.cancel_all("ann")
    assert rests.status is Status.RESTING


def test_a_cancel_says_the_same_of_all_that_does_not_rest() -> None:
    """Cancelled, executed, unknown and somebody else's: 404 not_found."""
    stand = Stand()
    stand.show(40, 1, sells=True)
    gone = stand.place("ann", 30)
    stand.exchange.cancel("ann", gone.order_id)
    done = stand.place("ann", 40)
    other = stand.place("bob", 30)
    for order_id in (gone.order_id, done.order_id, "none", other.order_id):
        with pytest.raises(ExchangeRefusal) as caught:
            stand.exchange.cancel("ann", order_id)
        assert (caught.value.status, caught.value.code) == (404, "not_found")


def test_cancel_all_reaches_into_the_next_minute() -> None:
    """All shards at once; of what comes within a minute some is cancelled too, then none."""
    stand = Stand()
    stand.place("ann", 30)
    stand.place("ann", 30, ticker=NFL)
    other = stand.place("bob", 30)
    assert stand.exchange.cancel_all("ann") == 2
    assert other.status is Status.RESTING
    stand.wait(30)
    placed = [stand.place("ann", 1) for _ in range(20)]
    assert {order.status for order in placed} == {Status.RESTING, Status.CANCELED}
    stand.wait(31)
    assert all(stand.place("ann", 1).status is Status.RESTING for _ in range(20))


def test_a_market_closes_at_its_time() -> None:
    """What rests is cancelled, and neither orders nor cancels are taken."""
    stand = Stand()
    rests = stand.place("ann", 30)
    stand.market.close_ns = stand.time_ns + NS_PER_SECOND
    stand.wait(1)
    assert (rests.status, rests.reason) == (Status.CANCELED, "CloseCancel")
    assert refused(stand, "ann", 30).code == "market_inactive"


def test_a_settlement_pays_the_winner_a_dollar() -> None:
    """Yes of one, No of the other; positions are gone and the result stands."""
    stand = Stand()
    stand.place("bob", 40, 10, sells=True)
    stand.place("ann", 40, 10)
    before = {each: stand.exchange.account(each).cash[3] for each in ("ann", "bob")}
    rests = stand.place("ann", 20)
    stand.exchange.settle(TICKER, "no")
    assert stand.exchange.account("ann").cash[3] == before["ann"]
    assert stand.exchange.account("bob").cash[3] == before["bob"] + 10 * MICRO
    assert rests.status is Status.CANCELED
    assert (stand.market.status, stand.market.result) == ("finalized", "no")
    paid = {each.owner: each.revenue for each in stand.exchange.settlements}
    assert paid == {"ann": 0, "bob": 10 * MICRO}


def test_the_past_can_be_read() -> None:
    """An order is as it was at any moment; before it was placed it is not there."""
    stand = Stand()
    order = stand.place("ann", 30, 2)
    stand.wait(1)
    stand.exchange.cancel("ann", order.order_id)
    past = stand.exchange.order_at(order.order_id, stand.time_ns - 1)
    now = stand.exchange.order_at(order.order_id, stand.time_ns)
    assert past is not None
    assert now is not None
    assert (past.status, now.status) == (Status.RESTING, Status.CANCELED)
    assert stand.exchange.order_at(order.order_id, order.created_ns - 1) is None


def test_everything_is_told_in_order() -> None:
    """A trade is told as a change of the book, fills, positions, and the ends of the orders."""
    stand = Stand()
    stand.place("bob", 40, 1, sells=True)
    stand.told.clear()
    stand.place("ann", 40, 1)
    words = [(each.channel, each.owner) for each in stand.told]
    assert words == [
        ("orderbook_delta", ""),
        ("fill", "ann"),
        ("market_positions", "ann"),
        ("fill", "bob"),
        ("market_positions", "bob"),
        ("user_orders", "bob"),
        ("user_orders", "ann"),
    ]
    fills = [each.about for each in stand.told if isinstance(each.about, ExchangeFill)]
    assert [fill.position for fill in fills] == [MICRO, -MICRO]
