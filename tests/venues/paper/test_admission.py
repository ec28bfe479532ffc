"""What the paper exchange refuses, and exactly where."""

from pathlib import Path

from arbees.core.outcomes import Accepted
from arbees.core.units import format_micro
from tests.venues.paper.rig import (
    ASKS,
    BIDS,
    GTC,
    GTD,
    KALSHI,
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
