"""Fills, netting, settlement and the mirrored No side, as an order meets them."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from arbees.core.deciding.outcomes import Filled, OrderClosed
from arbees.core.language.payouts import Payouts
from tests.venues.paper.rig import (
    ASKS,
    BIDS,
    BUY,
    FOK,
    GTC,
    IOC,
    KALSHI,
    NO,
    SELL,
    START_NS,
    TICKER,
    YES,
    HandClock,
    Rig,
    make_order,
    make_quote,
    micro,
    prices_of,
    settlement,
)


async def test_ioc_walks_the_depth_and_the_rest_is_cancelled(rig: Rig) -> None:
    """An IOC takes each level at its own price, best first, within its limit; the rest ends."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    answer = await rig.accept("a", size="15", price="0.51")
    assert prices_of(answer) == [
        (micro("0.50"), micro("4")),
        (micro("0.51"), micro("6")),
    ]
    assert answer.closed == "cancelled"
    assert rig.order_rows() == {"a": ("cancelled", micro("10"))}
    assert [type(report) for report in rig.reports] == [Filled, Filled]
    await rig.exchange.close()


async def test_depth_is_used_up_until_the_next_quote(rig: Rig) -> None:
    """What one order took is gone for the next, and back with the next quote."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    assert prices_of(await rig.accept("a", size="4")) == [(micro("0.50"), micro("4"))]
    assert (await rig.accept("b", size="4")).closed == "cancelled"
    rig.exchange.feed(make_quote(BIDS, ASKS))
    assert prices_of(await rig.accept("c", size="4")) == [(micro("0.50"), micro("4"))]
    await rig.exchange.close()


async def test_a_quote_behind_a_newer_one_is_ignored(rig: Rig) -> None:
    """The newest quote fills, whatever came last; one from the future hides none to come."""
    rig.exchange.feed(make_quote([("0.40", "5")], [("0.50", "9")], seconds=1))
    rig.exchange.feed(make_quote([("0.40", "5")], [("0.45", "9")]))
    assert prices_of(await rig.accept("a", size="1")) == [(micro("0.50"), micro("1"))]
    rig.exchange.feed(make_quote([("0.40", "5")], [("0.49", "9")], seconds=3600))
    assert prices_of(await rig.accept("b", size="1")) == [(micro("0.49"), micro("1"))]
    rig.exchange.feed(make_quote([("0.40", "5")], [("0.48", "9")], seconds=2))
    assert prices_of(await rig.accept("c", size="1")) == [(micro("0.48"), micro("1"))]
    await rig.exchange.close()


@pytest.mark.parametrize(("bid", "ask"), [("0.61", "0.60"), ("0.60", "0.60")])
async def test_nothing_fills_on_a_crossed_or_locked_book(rig: Rig, bid: str, ask: str) -> None:
    """Neither what comes nor what rests, and what was quoted before is over with it."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    assert (await rig.accept("rests", size="5", price="0.49", time_in_force=GTC)).fills == ()
    rig.exchange.feed(make_quote([(bid, "9")], [(ask, "9")], seconds=1))
    assert (await rig.accept("buys", size="5", price="0.70")).fills == ()
    rig.exchange.feed(make_quote([("0.30", "9")], [("0.48", "9")], seconds=2))
    assert rig.order_rows()["rests"] == ("filled", micro("5"))
    await rig.exchange.close()


async def test_fok_is_all_or_nothing(rig: Rig) -> None:
    """A FOK fills whole or is killed: accepted, no fill, its id spent, no depth used."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    killed = await rig.accept("a", size="11", price="0.51", time_in_force=FOK)
    assert (killed.closed, killed.fills) == ("killed", ())
    assert rig.order_rows()["a"] == ("cancelled", 0)
    filled = await rig.accept("b", size="10", price="0.51", time_in_force=FOK)
    assert filled.closed == "filled"
    assert sum(fill.quantity for fill in filled.fills) == micro("10")
    assert await rig.refuse("a", size="1") == "order_already_exists"
    await rig.exchange.close()


async def test_gtc_takes_what_crosses_then_rests_and_fills_at_its_own_limit(rig: Rig) -> None:
    """What a GTC leaves over works; a quote that crosses it fills it as maker, free of fees."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    answer = await rig.accept("a", size="10", time_in_force=GTC)
    assert answer.closed is None
    assert rig.order_rows()["a"] == ("partially_filled", micro("4"))
    rig.exchange.feed(make_quote([], [("0.45", "1"), ("0.49", "2"), ("0.52", "50")]))
    last = rig.reports[-1]
    assert isinstance(last, Filled)
    assert (last.fill.price, last.fill.quantity, last.fill.fee) == (micro("0.50"), micro("3"), 0)
    assert last.fill.is_maker
    assert rig.order_rows()["a"] == ("partially_filled", micro("7"))
    rig.exchange.feed(make_quote([], [("0.50", "50")]))
    assert rig.order_rows()["a"] == ("filled", micro("10"))
    assert await rig.exchange.venue(KALSHI).open_orders() == ()
    await rig.exchange.close()


async def test_resting_orders_share_a_quote_by_price_then_time(rig: Rig) -> None:
    """The better price fills first, then the older order, and no depth twice."""
    rig.exchange.feed(make_quote([], []))
    await rig.accept("old", size="5", price="0.50", time_in_force=GTC)
    await rig.accept("new", size="5", price="0.50", time_in_force=GTC)
    await rig.accept("best", size="5", price="0.52", time_in_force=GTC)
    rig.exchange.feed(make_quote([], [("0.50", "12")]))
    filled = {name: row[1] for name, row in rig.order_rows().items()}
    assert filled == {"best": micro("5"), "old": micro("5"), "new": micro("2")}
    assert (await rig.accept("late", size="1", price="0.60")).fills == ()
    await rig.exchange.close()


async def test_no_quote_no_fill_and_an_empty_side_has_no_orders(rig: Rig) -> None:
    """A market that was only named fills nothing; so does an empty side."""
    assert await rig.refuse("a") == "market_not_found"
    rig.exchange.feed(make_quote([("0.48", "5")], []))
    assert (await rig.accept("b", price="0.99")).fills == ()
    await rig.exchange.close()


async def test_the_no_side_is_the_same_book_mirrored(rig: Rig) -> None:
    """Buy No at q takes Yes bids at 1 - q or better, at their mirrored price."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    answer = await rig.accept("a", side=NO, size="10", price="0.53")
    assert prices_of(answer) == [(micro("0.52"), micro("5")), (micro("0.53"), micro("5"))]
    assert await rig.held() == {(TICKER, NO): micro("10")}
    sold = await rig.accept("b", side=NO, action=SELL, size="10", price="0.45")
    assert prices_of(sold) == [
        (micro("0.50"), micro("4")),
        (micro("0.49"), micro("6")),
    ]
    assert await rig.held() == {}
    await rig.exchange.close()


async def test_kalshi_nets_yes_and_no_into_one_position(rig: Rig) -> None:
    """Buying No while holding Yes closes pairs: a dollar each comes back at once."""
    rig.exchange.feed(make_quote([("0.40", "100")], [("0.50", "100")]))
    await rig.accept("a", size="10", price="0.50")
    before = await rig.available()
    answer = await rig.accept("b", side=NO, size="15", price="0.60")
    cost = micro("9") + sum(fill.fee for fill in answer.fills)
    assert await rig.available() == before - cost + micro("10")
    assert await rig.held() == {(TICKER, NO): micro("5")}
    await rig.exchange.close()


async def test_a_netting_exit_needs_no_cash(tmp_path: Path) -> None:
    """With nothing left to spend, buying the other side of what is held still closes it."""
    rig = Rig(tmp_path / "paper.db", cash="5.1750")
    rig.exchange.feed(make_quote([("0.40", "100")], [("0.50", "100")]))
    await rig.accept("a", size="10", price="0.50")
    assert await rig.available() == 0
    assert await rig.refuse("b", side=NO, size="11", price="0.99") == "insufficient_balance"
    assert (await rig.accept("c", side=NO, size="10", price="0.60")).closed == "filled"
    assert await rig.held() == {}
    await rig.exchange.close()


async def test_a_closed_market_cancels_what_rests_until_it_opens(rig: Rig) -> None:
    """`closed` ends working orders and refuses new ones; the next open quote trades again."""
    rig.exchange.feed(make_quote([], []))
    await rig.accept("a", size="5", time_in_force=GTC)
    rig.exchange.feed(make_quote([], [("0.40", "5")], status="closed"))
    assert rig.order_rows()["a"] == ("cancelled", 0)
    assert await rig.refuse("b") == "market_inactive"
    rig.exchange.feed(make_quote(BIDS, ASKS, status="open"))
    assert (await rig.accept("c", size="4")).closed == "filled"
    await rig.exchange.close()


async def test_settlement_cancels_pays_and_closes_for_ever(rig: Rig) -> None:
    """Winners get a dollar each; cancels are reported before the settlement; quotes end."""
    rig.exchange.feed(make_quote([], [("0.50", "10")]))
    await rig.accept("a", size="10")
    await rig.accept("b", size="3", price="0.30", time_in_force=GTC)
    before = await rig.available()
    rig.exchange.settle(settlement(YES))
    rig.exchange.settle(settlement(YES))
    assert await rig.available() == before + micro("0.90") + micro("10")
    assert [type(report).__name__ for report in rig.reports[-2:]] == ["OrderClosed", "Settled"]
    assert await rig.held() == {}
    rig.exchange.feed(make_quote(BIDS, ASKS))
    assert await rig.refuse("c") == "market_inactive"
    assert rig.rows("SELECT result, payout FROM settlements") == [("Yes", micro("10"))]
    await rig.exchange.close()


async def test_we_never_trade_with_ourselves(rig: Rig) -> None:
    """An order that reaches one of our own stops before it: better levels fill, the rest ends."""
    rig.exchange.feed(make_quote([], [("0.50", "10")]))
    await rig.accept("held", size="10")
    rig.exchange.feed(make_quote([("0.55", "2"), ("0.45", "9")], [("0.60", "10")]))
    await rig.accept("bid", size="5", price="0.50", time_in_force=GTC)
    answer = await rig.accept("sell", action=SELL, size="9", price="0.40", time_in_force=GTC)
    assert prices_of(answer) == [(micro("0.55"), micro("2"))]
    assert answer.closed == "cancelled"
    assert rig.order_rows()["bid"] == ("working", 0)
    await rig.exchange.close()


async def test_a_sell_of_what_netting_closed_is_cancelled(rig: Rig) -> None:
    """When a Buy of the other side closed the position, a resting Sell of it ends."""
    rig.exchange.feed(make_quote([("0.40", "50")], [("0.50", "10")]))
    await rig.accept("a", size="10")
    await rig.accept("s", action=SELL, size="8", price="0.70", time_in_force=GTC)
    await rig.accept("n", side=NO, size="5", price="0.60")
    assert rig.order_rows()["s"] == ("cancelled", 0)
    assert isinstance(rig.reports[-1], OrderClosed)
    await rig.exchange.close()


async def test_time_in_force_ioc_ignores_an_expiry(rig: Rig) -> None:
    """The latest moment to send is the gateway's matter: an IOC is judged by depth alone."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    answer = await rig.accept("a", size="4", time_in_force=IOC, expires_ns=START_NS - 1)
    assert answer.closed == "filled"
    assert answer.fills[0].time_ns == HandClock().now_ns()
    assert make_order("z").action is BUY
    await rig.exchange.close()


async def test_a_resting_sell_ends_when_a_quote_closes_its_position(rig: Rig) -> None:
    """The same when the Buy of the other side rested too, and one quote fills it."""
    rig.exchange.feed(make_quote([("0.40", "1")], [("0.50", "10")]))
    await rig.accept("a", size="10")
    await rig.accept("s", action=SELL, size="4", price="0.70", time_in_force=GTC)
    await rig.accept("t", action=SELL, size="4", price="0.75", time_in_force=GTC)
    await rig.accept("n", side=NO, size="5", price="0.20", time_in_force=GTC)
    rig.exchange.feed(make_quote([("0.80", "5")], []))
    rows = rig.order_rows()
    assert rows["n"] == ("working", 0)
    assert (rows["s"], rows["t"]) == (("filled", micro("4")), ("partially_filled", micro("1")))
    rig.exchange.feed(make_quote([("0.80", "0.5")], []))
    rig.exchange.feed(make_quote([("0.69", "9")], []))
    assert rig.order_rows()["n"] == ("working", 0)
    await rig.accept("m", side=NO, size="5", price="0.35", time_in_force=GTC)
    assert rig.order_rows()["t"] == ("cancelled", micro("1.5"))
    assert await rig.held() == {(TICKER, NO): micro("0.5")}
    await rig.exchange.close()


async def test_a_resting_buy_that_fills_ends_the_sells_it_closed(rig: Rig) -> None:
    """A quote that reaches a resting Buy No but not the dearer Sell Yes closes the position."""
    rig.exchange.feed(make_quote([], [("0.50", "10")]))
    await rig.accept("a", size="10")
    await rig.accept("n", side=NO, size="8", price="0.40", time_in_force=GTC)
    await rig.accept("s", action=SELL, size="5", price="0.70", time_in_force=GTC)
    rig.exchange.feed(make_quote([("0.65", "9")], []))
    rows = rig.order_rows()
    assert (rows["n"], rows["s"]) == (("filled", micro("8")), ("cancelled", 0))
    assert await rig.held() == {(TICKER, YES): micro("2")}
    await rig.exchange.close()


async def test_depth_in_fractions_of_a_lot_stays(rig: Rig) -> None:
    """Only whole lots trade, so that what is held can be sold again."""
    rig.exchange.feed(make_quote([], [("0.50", "4.5")], lot="1"))
    answer = await rig.accept("a", size="10", time_in_force=GTC)
    assert prices_of(answer) == [(micro("0.50"), micro("4"))]
    rig.exchange.feed(make_quote([], [("0.40", "1.9"), ("0.45", "0.9")]))
    assert rig.order_rows()["a"] == ("partially_filled", micro("5"))
    await rig.exchange.close()


async def test_an_amended_settlement_pays_the_difference(rig: Rig) -> None:
    """A tie, then a win: what was held is remembered, and the book says the last word."""
    rig.exchange.feed(make_quote([], [("0.50", "10")]))
    await rig.accept("a", size="10")
    before = await rig.available()
    tie = replace(settlement(YES), payouts=Payouts(500_000, 500_000))
    rig.exchange.settle(tie)
    assert await rig.available() == before + micro("5")
    rig.exchange.settle(settlement(YES))
    assert await rig.available() == before + micro("10")
    assert rig.rows("SELECT result, yes_held, payout FROM settlements") == [
        ("Yes", micro("10"), micro("10"))
    ]
    rig.exchange.settle(replace(tie, payouts=Payouts(330_000, 610_000)))
    assert await rig.available() == before + micro("3.3")
    assert rig.rows("SELECT result FROM markets") == [("330000/610000",)]
    await rig.exchange.close()
