"""Cancels, and the evidence of a lookup, at the simulated exchange: nothing is concluded early."""

import pytest
from msgspec.structs import replace

from arbees.core.deciding.outcomes import (
    Accepted,
    CancelAccepted,
    CancelMissed,
    CancelUnknown,
    Found,
    Inconclusive,
    Missing,
)
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import TimeInForce
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.venues.kalshi.orders.orders import ABSENT_AFTER_NS
from arbees.venues.kalshi.venue import RE_ARMS
from tests.venues.kalshi.rig import TICKER, quote, rig

LONG_AGO_NS = ABSENT_AFTER_NS + 5 * NS_PER_SECOND


# Cancels ---------------------------------------------------------------------------------------


async def test_a_cancel_says_what_it_cancelled() -> None:
    """Of a resting order all that remains; a second time there is nothing."""
    async with rig() as made:
        order = made.order(cents=20, contracts=7, time_in_force=TimeInForce.GTC)
        await made.send(order)
        name = order.client_order_id
        first = await made.venue.cancel(name, None, TICKER)
        assert isinstance(first, CancelAccepted)
        assert first.quantity == 7 * MICRO
        assert isinstance(await made.venue.cancel(name, None, TICKER), CancelMissed)
        assert isinstance(await made.venue.cancel("arb-none", None, TICKER), CancelUnknown)


async def test_a_cancel_reaches_the_shard_of_its_market() -> None:
    """Basketball is on the third shard: without the ticker the venue would find nothing."""
    async with rig() as made:
        assert made.exchange.markets[TICKER].shard == 3
        order = made.order(cents=20, time_in_force=TimeInForce.GTC)
        answer = await made.send(order)
        assert isinstance(answer, Accepted)
        found = await made.venue.cancel(order.client_order_id, answer.venue_order_id, TICKER)
        assert isinstance(found, CancelAccepted)


@pytest.mark.parametrize(
    "kind", [FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER, FaultKind.ERROR_AFTER, FaultKind.RESET]
)
async def test_a_cancel_without_an_answer_is_asked_again(kind: FaultKind) -> None:
    """Nothing is concluded from a lost answer; asking again does no harm."""
    async with rig() as made:
        order = made.order(cents=20, time_in_force=TimeInForce.GTC)
        answer = await made.send(order)
        assert isinstance(answer, Accepted)
        made.server.fault(kind, call="cancel")
        name, order_id = order.client_order_id, answer.venue_order_id
        assert isinstance(await made.venue.cancel(name, order_id, TICKER), CancelUnknown)
        again = await made.venue.cancel(name, order_id, TICKER)
        assert isinstance(again, CancelAccepted | CancelMissed)


async def test_a_cancel_that_lost_the_race_is_found_out_by_the_fill() -> None:
    """The venue says cancelled, the order filled: the lookup has the fill."""
    async with rig() as made:
        order = made.order(cents=20, contracts=4, time_in_force=TimeInForce.GTC)
        answer = await made.send(order)
        assert isinstance(answer, Accepted)
        made.server.fault(FaultKind.CANCEL_YET_FILLED, call="cancel")
        name = order.client_order_id
        said = await made.venue.cancel(name, answer.venue_order_id, TICKER)
        assert isinstance(said, CancelAccepted)
        found = await made.venue.find(name, TICKER, made.clock.now_ns())
        assert isinstance(found, Found)
        assert found.closed == "filled"
        assert sum(each.quantity for each in found.fills) == 4 * MICRO


async def test_everything_is_cancelled_by_one_call_and_the_venue_re_arms() -> None:
    """All that rests is gone at once, the groups are shut, and nothing is sent for a minute."""
    async with rig() as made:
        await made.data.metadata([TICKER])
        for _ in range(20):
            await made.send(made.order(cents=20, time_in_force=TimeInForce.GTC))
        reach_ns = await made.venue.cancel_everything()
        assert reach_ns == 60 * NS_PER_SECOND
        assert made.exchange.resting("trader") == []
        assert all(group.is_triggered for group in made.exchange.groups.values())
        vitals = made.venue.vitals
        assert vitals.reason == RE_ARMS
        assert vitals.until_ns is not None
        assert vitals.until_ns > made.clock.now_ns() + 59 * NS_PER_SECOND
        await made.venue.re_arm()
        assert not any(group.is_triggered for group in made.exchange.groups.values())
        made.clock.shift_ns += 61 * NS_PER_SECOND
        assert made.venue.vitals.reason != RE_ARMS


# Evidence --------------------------------------------------------------------------------------


async def test_absence_needs_everything_at_once() -> None:
    """Past the signature's time, fresh reads, a whole list, fills and position explained."""
    async with rig() as made:
        await made.send(made.order(contracts=2))
        ago = made.clock.now_ns() - LONG_AGO_NS
        found = await made.venue.find("arb-none", TICKER, ago)
        assert isinstance(found, Missing)
        assert [line.split(":")[0] for line in found.evidence] == [
            "signature",
            "reads",
            "orders in all states",
            "fills",
            "position",
        ]


async def test_reads_that_lag_prove_no_absence() -> None:
    """The venue's own mark of freshness is before the moment that counts."""
    async with rig() as made:
        made.server.fault(FaultKind.READ_LAG, seconds=30)
        found = await made.venue.find("arb-none", TICKER, made.clock.now_ns() - LONG_AGO_NS)
        assert isinstance(found, Inconclusive)
        assert "reads are as of" in found.message


async def test_a_hidden_order_that_filled_is_not_absent() -> None:
    """Missing from the lists for a while: its fill belongs to no order that is listed."""
    async with rig() as made:
        made.server.fault(FaultKind.HIDDEN, seconds=60)
        order = made.order(contracts=2)
        await made.send(order)
        ago = made.clock.now_ns() - LONG_AGO_NS
        found = await made.venue.find(order.client_order_id, TICKER, ago)
        assert isinstance(found, Inconclusive)
        assert "not listed" in found.message
        made.server.rest.desk.hidden.clear()
        assert isinstance(await made.venue.find(order.client_order_id, TICKER, ago), Found)


async def test_fills_that_lag_do_not_end_an_order() -> None:
    """The order says executed, its fills are not there yet: its count keeps it from ending."""
    async with rig() as made:
        order = made.order(contracts=2)
        await made.send(order)
        kept = made.exchange.fills
        made.exchange.fills = []
        found = await made.venue.find(order.client_order_id, TICKER, made.clock.now_ns())
        assert isinstance(found, Found)
        assert (found.fills, found.closed) == ((), "filled")
        assert found.listed is not None
        assert found.listed.filled == 2 * MICRO
        made.exchange.fills = kept
        found = await made.venue.find(order.client_order_id, TICKER, made.clock.now_ns())
        assert isinstance(found, Found)
        assert found.closed == "filled"


async def test_an_order_on_a_later_page_is_found() -> None:
    """Lists are read to their end."""
    async with rig() as made:
        first = made.order(cents=20, contracts=1, time_in_force=TimeInForce.GTC)
        await made.send(first)
        kept = made.exchange.history
        ns, version = next(iter(kept.values()))[0]
        for number in range(2_500):
            other = replace(version, order_id=f"other-{number}", client_order_id=f"x{number}")
            kept[other.order_id] = [(ns, other)]
        found = await made.venue.find(first.client_order_id, TICKER, made.clock.now_ns())
        assert isinstance(found, Found)


async def test_the_end_that_is_not_known_ends_nothing() -> None:
    """A status that Kalshi may invent leaves an order open."""
    async with rig() as made:
        order = made.order(cents=20, time_in_force=TimeInForce.GTC)
        await made.send(order)
        made.server.show(quote(bid=37))
        found = await made.venue.find(order.client_order_id, TICKER, made.clock.now_ns())
        assert isinstance(found, Found)
        assert found.closed is None
