"""One venue behind the port: gate and hand-over in one step, lookups, cancels, reads."""

import asyncio
from pathlib import Path

from arbees.core.deciding.outcomes import (
    CancelAccepted,
    CancelMissed,
    Found,
    Gated,
    Inconclusive,
    Missing,
    OrderClosed,
    Refusal,
    VenueOrder,
)
from arbees.core.language.words import Platform
from arbees.core.ports import Venue
from arbees.venues.paper import TERMS
from tests.venues.paper.rig import (
    ASKS,
    BIDS,
    BUY,
    FOK,
    GTC,
    KALSHI,
    POLYMARKET,
    START_NS,
    TICKER,
    YES,
    Rig,
    make_order,
    make_quote,
    micro,
)


async def test_each_platform_has_one_venue_with_its_terms(rig: Rig) -> None:
    """The venue object of a platform is always the same and speaks for its terms."""
    for platform in Platform:
        venue: Venue = rig.exchange.venue(platform)
        assert venue is rig.exchange.venue(platform)
        assert (venue.platform, venue.terms) == (platform, TERMS[platform])
    assert TERMS[KALSHI].is_netting
    assert not TERMS[POLYMARKET].is_netting
    await rig.exchange.close()


async def test_the_gate_is_asked_in_the_step_that_hands_over(tmp_path: Path) -> None:
    """A halt before the gate is asked stops the order; one after it comes too late."""
    rig = Rig(tmp_path / "paper.db", is_inline=False)
    rig.exchange.feed(make_quote([], []))
    await rig.available()
    rig.faults.latency_ns = (1_000_000_000, 1_000_000_000)
    is_halted = False

    def gate() -> Refusal | None:
        return Refusal(code="HALTED", message="halt") if is_halted else None

    first = asyncio.create_task(rig.submit(make_order("a", time_in_force=GTC), gate))
    await rig.settle_down()
    rig.clock.advance(1)
    second = asyncio.create_task(rig.submit(make_order("b", time_in_force=GTC), gate))
    await first
    is_halted = True
    await rig.settle_down()
    rig.clock.advance(1)
    assert isinstance(await second, Gated)
    assert set(rig.order_rows()) == {"a"}
    await rig.exchange.close()


async def test_a_refusing_gate_leaves_no_trace(rig: Rig) -> None:
    """Gated means: nothing written, the id unspent."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    outcome = await rig.submit(make_order("a"), lambda: Refusal(code="EXPIRED", message="late"))
    assert outcome == Gated(code="EXPIRED", message="late")
    assert rig.order_rows() == {}
    assert (await rig.accept("a", size="4")).closed == "filled"
    await rig.exchange.close()


async def test_find_shows_any_order_in_any_state(rig: Rig) -> None:
    """Working, partly filled, filled, killed, cancelled: found with fills and the reason."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    venue = rig.exchange.venue(KALSHI)
    answer = await rig.accept("part", size="6", time_in_force=GTC)
    await rig.accept("killed", size="99", time_in_force=FOK)
    await rig.accept("none", size="1", price="0.10")
    found = await venue.find("part", TICKER, START_NS)
    assert found == Found(
        venue_order_id=answer.venue_order_id,
        by="client order id",
        time_ns=answer.time_ns,
        fills=answer.fills,
        closed=None,
    )
    rig.exchange.feed(make_quote([], [("0.50", "9")]))
    full = await venue.find("part", TICKER, START_NS)
    assert isinstance(full, Found)
    assert (full.closed, [fill.is_maker for fill in full.fills]) == ("filled", [False, True])
    for name, closed in (("killed", "killed"), ("none", "cancelled")):
        other = await venue.find(name, TICKER, START_NS)
        assert isinstance(other, Found)
        assert (other.closed, other.fills) == (closed, ())
    await rig.exchange.close()


async def test_absence_comes_with_its_evidence(rig: Rig) -> None:
    """What is in no state in the book was never accepted, and each item says as of when."""
    missing = await rig.exchange.venue(KALSHI).find("ghost", TICKER, START_NS)
    assert isinstance(missing, Missing)
    assert len(missing.evidence) == 4
    assert "2026-01-28T20:00:00.000Z" in missing.evidence[0]
    await rig.exchange.close()


async def test_an_order_of_one_venue_is_not_found_at_the_other_yet_its_id_is_spent(
    rig: Rig,
) -> None:
    """Client order ids are unique over both venues; reads and cancels are each venue's own."""
    rig.exchange.feed(make_quote([], []))
    rig.exchange.feed(make_quote([], [], platform=POLYMARKET))
    await rig.accept("a", time_in_force=GTC)
    poly = rig.exchange.venue(POLYMARKET)
    assert isinstance(await poly.find("a", TICKER, START_NS), Missing)
    assert isinstance(await poly.cancel("a", None, TICKER), CancelMissed)
    assert await poly.open_orders() == ()
    assert await rig.refuse("a", platform=POLYMARKET) == "order_already_exists"
    await rig.exchange.close()


async def test_an_order_on_its_way_proves_nothing(tmp_path: Path) -> None:
    """While an order waits for its turn, a lookup is inconclusive."""
    rig = Rig(tmp_path / "paper.db", is_inline=False)
    rig.exchange.feed(make_quote([], []))
    rig.faults.latency_ns = (1_000_000_000, 1_000_000_000)
    task = asyncio.create_task(rig.submit(make_order("a", time_in_force=GTC)))
    await rig.settle_down()
    venue = rig.exchange.venue(KALSHI)
    assert isinstance(await venue.find("a", TICKER, START_NS), Inconclusive)
    assert not rig.exchange.is_idle
    rig.clock.advance(1)
    await task
    assert isinstance(await venue.find("a", TICKER, START_NS), Found)
    await rig.exchange.close()


async def test_a_cancel_ends_what_remains_once(rig: Rig) -> None:
    """The rest is cancelled and reported; a second cancel misses and changes nothing."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    await rig.accept("a", size="10", time_in_force=GTC)
    venue = rig.exchange.venue(KALSHI)
    answer = await venue.cancel("a", None, TICKER)
    assert answer == CancelAccepted(quantity=micro("6"), time_ns=START_NS)
    assert isinstance(await venue.cancel("a", None, TICKER), CancelMissed)
    await rig.settle_down()
    closed = [report for report in rig.reports if isinstance(report, OrderClosed)]
    assert [(report.client_order_id, report.closed) for report in closed] == [("a", "cancelled")]
    assert rig.order_rows()["a"] == ("cancelled", micro("4"))
    await rig.exchange.close()


async def test_open_orders_name_what_was_sent(rig: Rig) -> None:
    """The list carries both ids and the terms as named in the order."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    answer = await rig.accept("a", size="10", time_in_force=GTC)
    assert await rig.exchange.venue(KALSHI).open_orders() == (
        VenueOrder(
            client_order_id="a",
            venue_order_id=answer.venue_order_id,
            platform=KALSHI,
            market_id=TICKER,
            side=YES,
            action=BUY,
            quantity=micro("10"),
            filled=micro("4"),
            limit_price=micro("0.50"),
        ),
    )
    await rig.exchange.close()


async def test_a_closed_venue_delivers_no_more(rig: Rig) -> None:
    """Closing a venue ends its stream; the exchange and its book go on."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    await rig.exchange.venue(KALSHI).close()
    await rig.accept("a", size="4")
    assert rig.reports == []
    assert rig.order_rows()["a"] == ("filled", micro("4"))
    await rig.exchange.close()
