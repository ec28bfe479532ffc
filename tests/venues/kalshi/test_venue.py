"""What Kalshi says of the account: cash by shard, positions, results, and whatever works."""

import pytest

from arbees.core.language.payouts import NO_WON
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.errors import VenueError
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import ExchangeOrder
from tests.venues.kalshi.rig import OTHER, TICKER, Rig, quote, rig


def foreign(made: Rig, cents: int, contracts: int, *, is_bid: bool = True) -> ExchangeOrder:
    """Place an order on the account by another hand."""
    now_ns = made.clock.now_ns()
    return made.exchange.create(
        ExchangeOrder(
            order_id=made.exchange.new_order_id(),
            owner="trader",
            client_order_id="theirs",
            ticker=TICKER,
            is_bid=is_bid,
            price=cents * 10_000,
            count=contracts * MICRO,
            time_in_force="good_till_canceled",
            created_ns=now_ns,
            updated_ns=now_ns,
        )
    )


async def test_cash_is_told_by_shard_with_what_rests() -> None:
    """A pool a shard: what can be spent, and the same with what resting orders hold."""
    async with rig() as made:
        await made.data.metadata([TICKER])
        await made.send(made.order(cents=20, contracts=10, time_in_force=TimeInForce.GTC))
        pools = {each.pool: each for each in await made.venue.balances()}
        assert sorted(pools) == ["Kalshi", "Kalshi:1", "Kalshi:2", "Kalshi:3"]
        shard = pools["Kalshi:3"]
        assert (shard.available, shard.total) == (9_998 * MICRO, 10_000 * MICRO)
        assert (pools["Kalshi"].available, pools["Kalshi"].total) == (10_000 * MICRO,) * 2
        assert abs(shard.as_of_ns - made.clock.now_ns()) < 5 * NS_PER_SECOND


async def test_cash_after_a_trade_is_exact() -> None:
    """To the micro-dollar: price and fee of ten contracts at 40 cents."""
    async with rig() as made:
        await made.send(made.order(contracts=10))
        pools = {each.pool: each.available for each in await made.venue.balances()}
        assert pools["Kalshi:3"] == 10_000 * MICRO - 4 * MICRO - 168_000


async def test_positions_of_both_sides() -> None:
    """One signed position a market: Yes above nothing, No below, none at nothing."""
    async with rig() as made:
        made.server.show(quote(OTHER))
        await made.send(made.order(contracts=3))
        await made.send(made.order(Side.NO, 62, 2, ticker=OTHER))
        found = {
            each.market_id: (each.side, each.quantity) for each in await made.venue.positions()
        }
        assert found == {TICKER: (Side.YES, 3 * MICRO), OTHER: (Side.NO, 2 * MICRO)}
        await made.send(made.order(Side.YES, 38, 3, action=Action.SELL))
        assert [each.market_id for each in await made.venue.positions()] == [OTHER]


async def test_all_that_works_is_listed_whoever_placed_it() -> None:
    """Ours by our id, foreign ones too; an ask is a Buy of No at its price."""
    async with rig() as made:
        ours = made.order(cents=20, contracts=5, time_in_force=TimeInForce.GTC)
        await made.send(ours)
        foreign(made, 70, 4, is_bid=False)
        listed = {each.client_order_id: each for each in await made.venue.open_orders()}
        assert sorted(map(str, listed)) == [ours.client_order_id, "theirs"]
        theirs = listed["theirs"]
        assert (theirs.platform, theirs.market_id, theirs.side, theirs.action) == (
            *(Platform.KALSHI, TICKER, Side.NO, Action.BUY),
        )
        assert (theirs.quantity, theirs.filled, theirs.limit_price) == (4 * MICRO, 0, 300_000)
        mine = listed[ours.client_order_id]
        assert (mine.side, mine.limit_price, mine.quantity) == (Side.YES, 200_000, 5 * MICRO)


async def test_a_working_order_tells_what_filled_of_it() -> None:
    """Quantity is the whole of it."""
    async with rig() as made:
        ours = made.order(cents=39, contracts=5, time_in_force=TimeInForce.GTC)
        await made.send(ours)
        made.server.show(quote(bid=30, ask=35, size=2))
        (row,) = await made.venue.open_orders()
        assert (row.quantity, row.filled) == (5 * MICRO, 2 * MICRO)


async def test_lists_are_read_to_their_end() -> None:
    """Twelve hundred working orders on two pages."""
    async with rig() as made:
        for number in range(1_200):
            now_ns = made.clock.now_ns()
            made.exchange.create(
                ExchangeOrder(
                    order_id=f"o{number}",
                    owner="trader",
                    client_order_id=f"theirs-{number}",
                    ticker=TICKER,
                    is_bid=True,
                    price=10_000,
                    count=10_000,
                    time_in_force="good_till_canceled",
                    created_ns=now_ns,
                    updated_ns=now_ns,
                )
            )
        assert len({each.venue_order_id for each in await made.venue.open_orders()}) == 1_200


async def test_results_of_what_was_settled() -> None:
    """Markets without a result are left out; the time is the venue's."""
    async with rig() as made:
        made.server.show(quote(OTHER))
        assert await made.venue.results([]) == []
        assert await made.venue.results([TICKER, OTHER]) == []
        made.exchange.settle(OTHER, "no")
        (found,) = await made.venue.results([TICKER, OTHER])
        assert (found.market_id, found.payouts) == (OTHER, NO_WON)
        assert abs(found.time_ns - made.clock.now_ns()) < 5 * NS_PER_SECOND


async def test_fills_since_a_moment_are_those_of_everybody() -> None:
    """Without our own ids, which the venue does not tell; each with the id of its order."""
    async with rig() as made:
        await made.send(made.order(contracts=1))
        foreign(made, 40, 2)
        found = await made.venue.fills(0)
        assert sorted(each.quantity for each in found) == [MICRO, 2 * MICRO]
        assert {each.client_order_id for each in found} == {""}
        later = await made.venue.fills(made.clock.now_ns() + 10 * NS_PER_SECOND)
        assert list(later) == []


async def test_reads_that_fail_raise_and_never_guess() -> None:
    """An error, a cut connection, an answer that is none: no empty list."""
    async with rig() as made:
        asks = (
            made.venue.balances,
            made.venue.positions,
            made.venue.open_orders,
            lambda: made.venue.fills(0),
            lambda: made.venue.results([TICKER]),
        )
        for kind in (FaultKind.ERROR_AFTER, FaultKind.LOST_AFTER, FaultKind.EMPTY_SUCCESS):
            for ask in asks:
                made.server.fault(kind, call="read", count=20)
                with pytest.raises(VenueError):
                    await ask()
                made.server.heal()
