"""Faults on request: each changes what the gateway learns, none what the book holds."""

from pathlib import Path

import pytest

from arbees.core.deciding.outcomes import (
    Accepted,
    CancelAccepted,
    CancelUnknown,
    Filled,
    Found,
    Inconclusive,
    Missing,
    NotSent,
    OrderClosed,
    Refused,
    Unknown,
)
from arbees.errors import VenueNotSent
from arbees.venues.paper import Fault, Faults
from tests.venues.paper.rig import (
    ASKS,
    BIDS,
    GTC,
    KALSHI,
    POLYMARKET,
    START_NS,
    TICKER,
    Rig,
    make_order,
    make_quote,
    micro,
)


async def test_an_answer_lost_after_acceptance_is_unknown_and_found(rig: Rig) -> None:
    """The order is in the book, the stream still tells its fills, and a lookup finds it."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    rig.faults.set(Fault.LOST_AFTER, times=1)
    outcome = await rig.submit(make_order("a", size="4"))
    assert outcome == Unknown(message="No answer", sent_ns=START_NS)
    assert isinstance(rig.reports[0], Filled)
    assert isinstance(await rig.exchange.venue(KALSHI).find("a", TICKER, START_NS), Found)
    assert isinstance(await rig.submit(make_order("b", size="1", price="0.51")), Accepted)
    await rig.exchange.close()


async def test_an_order_lost_on_its_way_is_unknown_and_missing(rig: Rig) -> None:
    """Nothing is accepted, the id is unspent, and a lookup proves the absence."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    rig.faults.set(Fault.LOST_BEFORE, times=1)
    assert isinstance(await rig.submit(make_order("a", size="4")), Unknown)
    assert rig.order_rows() == {}
    assert isinstance(await rig.exchange.venue(KALSHI).find("a", TICKER, START_NS), Missing)
    await rig.exchange.close()


async def test_an_outage_sends_nothing_and_reads_nothing(rig: Rig) -> None:
    """At the venue that is out orders are not sent, reads fail; the other one works."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    rig.exchange.feed(make_quote(BIDS, ASKS, platform=POLYMARKET))
    rig.faults.set(Fault.OUTAGE, platform=KALSHI)
    venue = rig.exchange.venue(KALSHI)
    assert isinstance(await rig.submit(make_order("a")), NotSent)
    assert isinstance(await venue.find("a", TICKER, START_NS), Inconclusive)
    assert isinstance(await venue.cancel("a", None, TICKER), CancelUnknown)
    for read in (venue.balances, venue.positions, venue.open_orders):
        with pytest.raises(VenueNotSent):
            await read()
    assert isinstance(await rig.submit(make_order("b", platform=POLYMARKET)), Accepted)
    rig.faults.clear(Fault.OUTAGE)
    assert isinstance(await rig.submit(make_order("a")), Accepted)
    await rig.exchange.close()


async def test_an_unhealthy_venue_refuses_for_its_own_sake(rig: Rig) -> None:
    """The refusal says that it is the venue's state, so that a fallback is allowed."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    rig.faults.set(Fault.UNHEALTHY, platform=KALSHI, times=1)
    outcome = await rig.submit(make_order("a"))
    assert isinstance(outcome, Refused)
    assert outcome.is_health
    assert isinstance(await rig.submit(make_order("a")), Accepted)
    await rig.exchange.close()


async def test_lagging_reads_repeat_the_last_answer(rig: Rig) -> None:
    """Balance, positions and orders are those read last, with their time; lookups prove nothing."""
    rig.exchange.feed(make_quote(BIDS, ASKS))
    venue = rig.exchange.venue(KALSHI)
    before = (await venue.balances(), await venue.positions(), await venue.open_orders())
    rig.faults.set(Fault.READ_LAG)
    rig.clock.advance(1)
    await rig.accept("a", size="9", time_in_force=GTC)
    assert (await venue.balances(), await venue.positions(), await venue.open_orders()) == before
    assert isinstance(await venue.find("a", TICKER, START_NS), Inconclusive)
    rig.faults.clear()
    assert (await venue.balances())[0].as_of_ns == rig.clock.now_ns()
    assert len(await venue.open_orders()) == 1
    await rig.exchange.close()


async def test_the_stream_may_drop_repeat_and_shuffle(tmp_path: Path) -> None:
    """Reports are lost, doubled or out of order, while the book and the answers stay right."""
    counts = {}
    for fault in (Fault.REPORT_LOST, Fault.REPORT_TWICE, Fault.REPORTS_SHUFFLED):
        rig = Rig(tmp_path / fault, seed=3)
        rig.exchange.feed(make_quote(BIDS, [(f"0.{n}", "1") for n in range(50, 60)]))
        rig.faults.set(fault)
        answer = await rig.accept("a", size="10", price="0.60")
        told = [report.fill for report in rig.reports if isinstance(report, Filled)]
        counts[fault] = len(told)
        if fault is Fault.REPORTS_SHUFFLED:
            assert tuple(told) != answer.fills
            assert sorted(told, key=lambda fill: fill.price) == list(answer.fills)
        await rig.exchange.close()
    assert counts == {
        Fault.REPORT_LOST: 0,
        Fault.REPORT_TWICE: 20,
        Fault.REPORTS_SHUFFLED: 10,
    }


async def test_a_cancel_may_be_accepted_though_all_was_filled(rig: Rig) -> None:
    """The answer says cancelled, the book and the stream say filled: later truth."""
    rig.exchange.feed(make_quote([], []))
    await rig.accept("a", size="10", time_in_force=GTC)
    rig.faults.set(Fault.CANCEL_YET_FILLED, times=1)
    answer = await rig.exchange.venue(KALSHI).cancel("a", None, TICKER)
    assert isinstance(answer, CancelAccepted)
    assert answer.quantity == micro("10")
    await rig.settle_down()
    assert [type(report).__name__ for report in rig.reports] == ["Filled"]
    assert not any(isinstance(report, OrderClosed) for report in rig.reports)
    assert rig.order_rows()["a"] == ("filled", micro("10"))
    await rig.exchange.close()


def test_one_seed_gives_one_sequence() -> None:
    """Chances are drawn from the seed alone; none means never, a million means always."""
    draws = []
    for seed in (1, 1, 2):
        faults = Faults(seed)
        faults.set(Fault.LOST_AFTER, chance=300_000)
        draws.append([faults.occurs(Fault.LOST_AFTER, KALSHI) for _ in range(200)])
    assert draws[0] == draws[1] != draws[2]
    assert 30 < sum(draws[0]) < 90
    faults.set(Fault.LOST_AFTER, chance=0)
    assert not any(faults.occurs(Fault.LOST_AFTER, KALSHI) for _ in range(50))
    assert not faults.occurs(Fault.OUTAGE, KALSHI)


def test_a_fault_may_strike_a_number_of_times_at_one_venue() -> None:
    """After so many occurrences it is off again; the other venue never saw it."""
    faults = Faults()
    faults.set(Fault.OUTAGE, platform=KALSHI, times=2)
    assert [faults.occurs(Fault.OUTAGE, KALSHI) for _ in range(3)] == [True, True, False]
    assert not faults.occurs(Fault.OUTAGE, POLYMARKET)
    faults.set(Fault.OUTAGE)
    faults.set(Fault.READ_LAG)
    faults.clear(platform=KALSHI)
    assert faults.occurs(Fault.OUTAGE, POLYMARKET)
    assert not faults.occurs(Fault.READ_LAG, KALSHI)


def test_delays_lie_within_their_bounds() -> None:
    """A fixed delay is exact; a range is drawn within its ends."""
    faults = Faults(7)
    assert faults.delay_ns((5, 5)) == 5
    drawn = {faults.delay_ns((1, 4)) for _ in range(100)}
    assert drawn == {1, 2, 3, 4}
