"""Balances: as of the venue's own mark, and with what working orders hold where it says so."""

import msgspec

from arbees.core.units import MICRO, NS_PER_SECOND
from arbees.core.words import TimeInForce
from arbees.testing.kalshi.faults import FaultKind
from arbees.venues.kalshi.venue import RESTING_VALUE
from arbees.venues.wire import Answer
from tests.venues.kalshi.rig import Rig, rig


async def test_a_figure_is_as_of_the_venues_own_mark() -> None:
    """Reads lag: an order of a moment ago is not inside a figure that is five seconds old."""
    async with rig() as made:
        made.server.fault(FaultKind.READ_LAG, seconds=5.0)
        before_ns = made.clock.now_ns()
        found = await made.venue.balances()
        assert all(each.as_of_ns <= before_ns - 4 * NS_PER_SECOND for each in found)


async def test_a_clock_that_is_off_never_makes_a_figure_fresher() -> None:
    """Fills are told in the venue's time, answers in ours: the earlier of both counts."""
    for shift_ns in (-NS_PER_SECOND, NS_PER_SECOND):
        async with rig() as made:
            made.clock.shift_ns = shift_ns
            true_ns = made.exchange.now_ns()
            found = await made.venue.balances()
            assert all(each.as_of_ns <= min(true_ns, true_ns + shift_ns) + 10**8 for each in found)


async def test_what_orders_hold_is_told_where_the_venue_tells_it() -> None:
    """Available and held make up the total of each shard."""
    async with rig() as made:
        await made.send(made.order(cents=20, contracts=10, time_in_force=TimeInForce.GTC))
        found = await made.venue.balances()
        held = sum((each.total or 0) - each.available for each in found)
        assert held == 2 * MICRO


async def test_an_account_that_is_not_told_what_orders_hold_has_a_balance() -> None:
    """Kalshi answers that question to few accounts; the others can trade all the same."""
    async with rig() as made:
        refuse_resting_value(made)
        found = await made.venue.balances()
        assert found[0].available > 0
        assert {each.total for each in found} == {None}


def refuse_resting_value(made: Rig) -> None:
    """Let the venue keep what working orders hold to itself."""
    call = made.venue.api.call

    async def refusing(method: str, path: str, *more: object, **named: object) -> Answer:
        if path == RESTING_VALUE:
            error = msgspec.json.encode({"error": {"code": "forbidden", "message": "FCM only"}})
            return Answer(403, {}, error)
        return await call(method, path, *more, **named)  # type: ignore[arg-type]

    made.venue.api.call = refusing  # type: ignore[method-assign]
