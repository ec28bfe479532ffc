"""The exchange as a whole: expiry, reopening, playback, cash, one process a book."""

from pathlib import Path

import pytest

from arbees.core.deciding.outcomes import OrderClosed
from arbees.errors import ConfigurationError, VenueRefused
from tests.venues.paper.rig import (
    ASKS,
    BIDS,
    GTC,
    GTD,
    KALSHI,
    NO,
    OTHER_TOKEN,
    POLYMARKET,
    START_NS,
    TOKEN,
    YES,
    Rig,
    make_quote,
    micro,
    polymarket_quote,
)


async def test_a_gtd_order_expires_exactly_once_and_never_fills_after(rig: Rig) -> None:
    """At its expiry it ends, also when a quote comes before the driver's tick."""
    rig.exchange.feed(make_quote([], []))
    due = START_NS + 5_000_000_000
    later = due + 1
    await rig.accept("b", size="5", time_in_force=GTD, expires_ns=later)
    await rig.accept("a", size="5", time_in_force=GTD, expires_ns=due)
    assert rig.exchange.next_due_ns() == due
    rig.clock.advance(6)
    rig.exchange.feed(make_quote([], [("0.10", "50")]))
    rig.exchange.tick(rig.clock.now_ns())
    ended = [report for report in rig.reports if isinstance(report, OrderClosed)]
    assert [(report.client_order_id, report.closed) for report in ended] == [
        ("a", "expired"),
        ("b", "expired"),
    ]
    assert rig.order_rows() == {"a": ("expired", 0), "b": ("expired", 0)}
    assert rig.exchange.next_due_ns() is None
    await rig.exchange.close()


async def test_a_reopened_book_goes_on_exactly(rig: Rig) -> None:
    """Orders, positions, cash, markets, expiries and spent ids survive; quotes do not."""
    rig.exchange.feed(make_quote([], [("0.50", "4")]))
    rig.exchange.feed(polymarket_quote([], [("0.50", "4")]))
    due = START_NS + 1_000_000_000
    await rig.accept("a", size="10", time_in_force=GTD, expires_ns=due)
    await rig.accept("p", platform=POLYMARKET, market_id=OTHER_TOKEN, side=NO, size="9")
    available, held = await rig.available(), await rig.held()
    listed = await rig.exchange.venue(KALSHI).open_orders()
    await rig.exchange.close()
    again = Rig(rig.path, cash="7")
    assert (await again.available(), await again.held()) == (available, held)
    assert await again.exchange.venue(KALSHI).open_orders() == listed
    assert await again.held(POLYMARKET) == {(TOKEN, YES): micro("4")}
    assert again.exchange.next_due_ns() == due
    assert await again.refuse("p") == "order_already_exists"
    assert (await again.accept("b", size="1", price="0.9")).fills == ()
    again.exchange.feed(make_quote([], [("0.45", "2")]))
    assert again.order_rows()["a"] == ("partially_filled", micro("6"))
    assert again.rows("SELECT count(DISTINCT trade_id), count(*) FROM fills") == [(3, 3)]
    await again.exchange.close()


async def test_two_playbacks_are_identical(tmp_path: Path) -> None:
    """The same calls give the same bytes in orders and fills."""
    found = []
    for name in ("a", "b"):
        rig = Rig(tmp_path / name)
        rig.exchange.feed(make_quote(BIDS, ASKS))
        await rig.accept("x", size="7", price="0.51")
        await rig.accept("y", size="7", price="0.40", time_in_force=GTC)
        rig.clock.advance(1)
        rig.exchange.feed(make_quote([], [("0.39", "3")]))
        await rig.exchange.close()
        again = Rig(tmp_path / name)
        found.append(
            (rig.reports, again.rows("SELECT * FROM orders"), again.rows("SELECT * FROM fills"))
        )
        await again.exchange.close()
    assert found[0] == found[1]


async def test_deposits_and_withdrawals(rig: Rig) -> None:
    """Cash moves by what is moved; more than is available cannot be taken out."""
    await rig.exchange.move_cash(KALSHI, micro("5"))
    await rig.exchange.move_cash(KALSHI, -micro("1005"))
    with pytest.raises(VenueRefused):
        await rig.exchange.move_cash(KALSHI, -1)
    assert await rig.available(KALSHI) == 0
    assert await rig.available(POLYMARKET) == micro("1000")
    await rig.exchange.close()


async def test_one_process_at_a_time(rig: Rig) -> None:
    """A book that is open elsewhere, another owner's, or no book at all refuses by name."""
    with pytest.raises(ConfigurationError, match="PAPER_BOOK_PATH"):
        Rig(rig.path)
    await rig.exchange.close()
