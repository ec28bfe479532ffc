"""Order groups: a stop at the venue itself, one a shard, shut by a kill switch."""

import pytest

from arbees.core.outcomes import Accepted, Refused
from arbees.core.units import MICRO
from arbees.core.words import TimeInForce
from arbees.errors import VenueError
from arbees.testing.kalshi.faults import FaultKind
from arbees.venues.kalshi.groups import LIMIT_MAX, Groups
from tests.venues.kalshi.rig import TICKER, rig


async def test_each_shard_has_a_group_with_our_limit() -> None:
    """Made at the start, in whole contracts, rounded up; once."""
    async with rig() as made:
        groups = made.exchange.groups
        assert sorted(made.venue.groups.ids) == [0, 1, 2, 3]
        assert {group.shard for group in groups.values()} == {0, 1, 2, 3}
        assert {group.limit for group in groups.values()} == {1_000 * MICRO}
        await made.venue.groups.make()
        assert len(groups) == 4


@pytest.mark.parametrize(
    ("limit", "asked"), [(1, 1), (1_500_000, 2), (10**9 * MICRO, LIMIT_MAX), (0, 1)]
)
async def test_a_limit_is_one_that_the_venue_takes(limit: int, asked: int) -> None:
    """Between one and a million contracts."""
    async with rig() as made:
        assert Groups(made.venue.api, limit)._limit == asked


async def test_a_shard_without_a_group_is_traded_without() -> None:
    """A second stop that cannot be had is no reason to stop; it is asked for again."""
    async with rig() as made:
        groups = Groups(made.venue.api, MICRO)
        made.server.fault(FaultKind.ERROR_BEFORE, call="group", count=2)
        await groups.make()
        assert sorted(groups.ids) == [2, 3]
        await groups.make()
        assert sorted(groups.ids) == [0, 1, 2, 3]


async def test_a_trigger_cancels_and_shuts_and_a_reset_opens() -> None:
    """What rests is gone at the venue, new orders are refused there until the halt is lifted."""
    async with rig() as made:
        await made.data.metadata(TICKER)
        await made.send(made.order(cents=20, time_in_force=TimeInForce.GTC))
        await made.venue.groups.trigger()
        assert made.exchange.resting("trader") == []
        assert made.venue.groups.is_shut
        assert made.venue.vitals.reason == "order group is triggered"
        shut = await made.send(made.order(cents=20, time_in_force=TimeInForce.GTC))
        assert isinstance(shut, Refused)
        await made.venue.re_arm()
        assert made.venue.vitals.reason is None
        again = await made.send(made.order(cents=20, time_in_force=TimeInForce.GTC))
        assert isinstance(again, Accepted)


async def test_a_group_that_does_not_answer_stays_shut_for_us() -> None:
    """The trigger goes on without it; a reset that failed is an error, and may be repeated."""
    async with rig() as made:
        made.server.fault(FaultKind.ERROR_BEFORE, call="group")
        await made.venue.groups.trigger()
        assert made.venue.groups.is_shut
        assert sum(group.is_triggered for group in made.exchange.groups.values()) == 3
        made.server.fault(FaultKind.ERROR_BEFORE, call="group")
        with pytest.raises(VenueError):
            await made.venue.re_arm()
        assert made.venue.groups.is_shut
        await made.venue.re_arm()
        assert not any(group.is_triggered for group in made.exchange.groups.values())
