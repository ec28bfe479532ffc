"""What the paper exchange refuses, and exactly where."""

from pathlib import Path

from arbees.core.deciding.outcomes import Accepted, Refused
from arbees.core.language.units import format_micro
from tests.venues.paper.rig import (
    ASKS,
    BIDS,
    GTC,
    GTD,
    KALSHI,
    NO,
    POLYMARKET,
    SELL,
    START_NS,
    TICKER,
    Rig,
    make_order,
    make_quote,
    micro,
)


async def test_orders_off_the_grid_or_beyond_means_are_refused_and_not_kept(rig: Rig) -> None:
    """Off tick, off lot, too dear, more than held: refused by name, and no order is kept."""
    rig.exchange.feed(make_quote(BIDS, ASKS, tick="0.01", lot="1"))
    assert await rig.refuse("a", price="0.505") == "invalid_price"
    assert await rig.refuse("b", size="0.5") == "invalid_order_size"
    assert await rig.refuse("c", size="5000") == "insufficient_balance"
    assert await rig.refuse("d", action=SELL, size="1") == "insufficient_position"
    assert rig.order_rows() == {}
    assert (await rig.accept("a", size="4")).closed == "filled"
    assert (
        await rig.accept("e", action=SELL, size="3", price="0.9", time_in_force=GTC)
    ).fills == ()
    assert await rig.refuse("f", action=SELL, size="2") == "insufficient_position"
    await rig.exchange.close()


async def test_the_balance_is_enough_exactly_at_the_worst_case(tmp_path: Path) -> None:
    """Exactly price x quantity + worst fee passes; a micro-dollar less is refused."""
    need = micro("5") + micro("0.175")
    for name, cash, is_enough in (("a", need, True), ("b", need - 1, False)):
        rig = Rig(tmp_path / name, cash=format_micro(cash))
        rig.exchange.feed(make_quote([], []))
        outcome = await rig.submit(make_order("x", size="10", price="0.50", time_in_force=GTC))
        assert isinstance(outcome, Accepted) is is_enough
        await rig.exchange.close()


async def test_resting_buys_lock_cash_until_they_end(rig: Rig) -> None:
    """A resting Buy takes its limit out of what is available and gives it back when cancelled."""
    rig.exchange.feed(make_quote([], []))
    await rig.accept("a", size="100", price="0.40", time_in_force=GTC)
    assert await rig.available() == micro("960")
    await rig.exchange.venue(KALSHI).cancel("a", None, TICKER)
    assert await rig.available() == micro("1000")
    await rig.exchange.close()


async def test_a_gtd_order_at_its_expiry_still_takes_then_ends(rig: Rig) -> None:
    """The last moment is still good for taking; one nanosecond later is refused."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    answer = await rig.accept("a", size="10", time_in_force=GTD, expires_ns=START_NS)
    assert (answer.closed, len(answer.fills)) == ("expired", 1)
    past = START_NS - 1
    assert await rig.refuse("b", time_in_force=GTD, expires_ns=past) == "invalid_expiration"
    assert await rig.refuse("c", time_in_force=GTD) == "invalid_expiration"
    await rig.exchange.close()


async def test_the_fees_of_many_levels_are_covered_too(tmp_path: Path) -> None:
    """Rounding up on each of many levels may cost more than the worst single fee."""
    asks = [(f"0.{number}", "0.01") for number in range(499_991, 500_000)]
    quote = make_quote(
        [], [*asks, ("0.5", "0.01")], platform=POLYMARKET, tick="0.000001", lot="0.01"
    )
    wanted = make_order("a", platform=POLYMARKET, size="0.1", price="0.5")
    for cash, is_enough in (("0.051299", False), ("0.0513", True)):
        rig = Rig(tmp_path / cash, cash=cash)
        rig.exchange.feed(quote)
        assert isinstance(await rig.submit(wanted), Accepted) is is_enough
        assert await rig.available(POLYMARKET) == (0 if is_enough else micro(cash))
        await rig.exchange.close()


async def test_a_sell_that_brings_less_than_its_fee_needs_cash(tmp_path: Path) -> None:
    """The smallest Sell at the lowest price pays more fee than it brings: never into the red."""
    rig = Rig(tmp_path / "paper.db", cash="0.0052")
    rig.exchange.feed(make_quote([("0.001", "1")], [("0.5", "1")]))
    await rig.accept("a", size="0.01", price="0.5")
    assert await rig.available() == 0
    assert await rig.refuse("b", action=SELL, size="0.01", price="0.001") == "insufficient_balance"
    await rig.exchange.move_cash(KALSHI, 90)
    await rig.accept("b", action=SELL, size="0.01", price="0.001")
    assert await rig.available() == 0
    await rig.exchange.close()


async def test_a_sell_must_leave_what_a_netting_buy_relies_on(tmp_path: Path) -> None:
    """Selling contracts that a resting Buy of the other side would close needs its cash instead."""
    rig = Rig(tmp_path / "paper.db", cash="5.1750")
    rig.exchange.feed(make_quote([], [("0.50", "10")]))
    await rig.accept("a", size="10", price="0.50")
    await rig.accept("n", side=NO, size="10", price="0.40", time_in_force=GTC)
    refused, accepted = (
        make_order(size, action=SELL, size=size, price="0.90", time_in_force=GTC)
        for size in ("7", "6")
    )
    assert isinstance(await rig.submit(refused), Refused)
    assert isinstance(await rig.submit(accepted), Accepted)
    await rig.exchange.close()
