"""Order groups: a stop at the venue itself, one a shard, shut by a kill switch."""

import pytest

from arbees.core.deciding.outcomes import (
    Accepted,
    BreakerTripped,
    Noted,
    Refused,
)
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, TimeInForce
from arbees.errors import VenueError
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import ExchangeGroup
from arbees.venues.kalshi.orders.groups import LIMIT_MAX, SHARDS, Groups
from arbees.venues.kalshi.venue import POOL_OF_SHARD
from tests.venues.kalshi.rig import TICKER, Rig, rig


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
        await made.data.metadata([TICKER])
        await made.send(made.order(cents=20, time_in_force=TimeInForce.GTC))
        await made.venue.groups.trigger()
        assert made.exchange.resting("trader") == []
        assert made.venue.groups.is_shut(None)
        assert made.venue.vitals.reason == "its order group is not open again yet"
        shut = await made.send(made.order(cents=20, time_in_force=TimeInForce.GTC))
        assert isinstance(shut, Refused)
        await made.venue.re_arm()
        assert made.venue.vitals.reason is None
        opened = await made.send(made.order(cents=20, time_in_force=TimeInForce.GTC))
        assert isinstance(opened, Accepted)
        assert trips(made) == []


async def test_a_group_that_does_not_answer_stays_shut_for_us() -> None:
    """The trigger goes on without it; a reset that failed is an error, and may be repeated."""
    async with rig() as made:
        made.server.fault(FaultKind.ERROR_BEFORE, call="group")
        await made.venue.groups.trigger()
        assert all(made.venue.groups.is_shut(shard) for shard in SHARDS)
        assert sum(group.is_triggered for group in made.exchange.groups.values()) == 3
        made.server.fault(FaultKind.ERROR_BEFORE, call="group")
        with pytest.raises(VenueError):
            await made.venue.re_arm()
        # One that fails keeps none of the others shut.
        assert [made.venue.groups.is_shut(shard) for shard in SHARDS].count(True) == 1
        await made.venue.re_arm()
        assert not any(group.is_triggered for group in made.exchange.groups.values())
        assert not made.venue.groups.is_shut(None)


def group_of(made: Rig, shard: int) -> ExchangeGroup:
    """Return the group that the adapter uses on a shard, as the exchange has it."""
    return made.exchange.groups[made.venue.groups.ids[shard]]


def trips(made: Rig) -> list[tuple[str, str]]:
    """Return what was told of groups that tripped: the pool, and why."""
    found = [each for each in made.reports if isinstance(each, BreakerTripped)]
    return [(each.pool, each.reason) for each in found]


def notes(made: Rig) -> dict[str, str]:
    """Return what a later start would know."""
    return {each.name: each.value for each in made.reports if isinstance(each, Noted)}


@pytest.mark.parametrize("shard", SHARDS)
async def test_each_call_names_the_shard_of_its_group(shard: int) -> None:
    """Without one the venue looks on shard 0, and finds nothing to trigger, reset or change."""
    async with rig() as made:
        group = group_of(made, shard)
        await made.venue.groups.trigger()
        assert group.is_triggered
        await made.venue.re_arm()
        assert not group.is_triggered
        assert group_of(made, shard) is group


async def test_what_reduces_never_carries_the_group() -> None:
    """A tripped group refuses what opens; a Sell of what is held fills all the same."""
    async with rig() as made:
        await made.data.metadata([TICKER])
        await made.send(made.order(cents=60))
        made.exchange.trigger(group_of(made, made.exchange.markets[TICKER].shard))
        assert isinstance(await made.send(made.order(cents=60)), Refused)
        exit_ = made.order(cents=10, action=Action.SELL, is_reducing=True)
        assert isinstance(await made.send(exit_), Accepted)
        assert trips(made)


@pytest.mark.parametrize("shard", [0, 2])
async def test_a_group_that_trips_is_told_by_its_channel(shard: int) -> None:
    """Once, with the pool that it stops; the others stay as they are."""
    async with rig() as made:
        made.exchange.trigger(group_of(made, shard))
        pool = "Kalshi:2" if shard else "Kalshi"
        await made.until(lambda: trips(made))
        assert trips(made) == [(pool, "the order group tripped at Kalshi")]
        assert [each for each in SHARDS if made.venue.groups.is_shut(each)] == [shard]
        assert made.venue.vitals_of(pool).reason is not None
        assert made.venue.vitals_of("Kalshi:1").reason is None
        await made.venue.re_arm()  # of what we shut
        assert group_of(made, shard).is_triggered
        await made.venue.re_arm(pool)
        assert not group_of(made, shard).is_triggered
        assert not made.venue.groups.is_shut(None)


async def test_a_group_that_is_deleted_is_told_and_made_anew_on_purpose() -> None:
    """By whomever; nothing takes its place before the halt of it is lifted."""
    async with rig() as made:
        gone = made.venue.groups.ids[1]
        group = made.exchange.groups.pop(gone)
        made.exchange.tell_group(group, "deleted")
        await made.until(lambda: trips(made))
        assert trips(made) == [("Kalshi:1", "the order group was deleted at Kalshi")]
        await made.venue.groups.make()
        assert 1 not in made.venue.groups.ids
        await made.venue.re_arm("Kalshi:1")
        assert made.venue.groups.ids[1] != gone
        assert group_of(made, 1).shard == 1


@pytest.mark.parametrize("how", ["tripped", "gone"])
async def test_a_group_that_trips_unheard_is_told_by_the_first_refusal(how: str) -> None:
    """The channel was down as it happened: the refusal names the group."""
    async with rig() as made:
        await made.data.metadata([TICKER])
        made.server.fault(FaultKind.SEQUENCE_GAP, call="order_group_updates", count=9)
        shard = made.exchange.markets[TICKER].shard
        if how == "tripped":
            group_of(made, shard).is_triggered = True
        else:
            del made.exchange.groups[made.venue.groups.ids[shard]]
        assert isinstance(await made.send(made.order(cents=60)), Refused)
        ((pool, reason),) = trips(made)
        assert pool == POOL_OF_SHARD[shard]
        assert "order group" in reason
        await made.send(made.order(cents=60))
        assert len(trips(made)) == 1
        await made.venue.re_arm(pool)
        assert isinstance(await made.send(made.order(cents=60)), Accepted)


async def test_another_refusal_trips_nothing() -> None:
    """Too little money, or a market that is closed, says nothing of the group."""
    async with rig() as made:
        await made.data.metadata([TICKER])
        made.server.fault(FaultKind.ANSWERED_ONLY, status=400, word="insufficient_balance")
        assert isinstance(await made.send(made.order(cents=60)), Refused)
        assert trips(made) == []


async def test_a_later_start_goes_on_with_the_groups_of_the_one_before() -> None:
    """None is left over, what rests keeps its group, and the new limit is theirs."""
    async with rig() as made:
        before = dict(made.venue.groups.ids)
        later = Groups(made.venue.api, 2_000 * MICRO)
        later.recall(notes(made))
        await later.make()
        assert later.ids == before
        assert len(made.exchange.groups) == 4
        assert {group.limit for group in made.exchange.groups.values()} == {2_000 * MICRO}


async def test_a_later_start_knows_what_was_shut_and_what_tripped() -> None:
    """The end of a stop opens what the stop shut, the end of its halt what tripped."""
    async with rig() as made:
        made.exchange.trigger(group_of(made, 3))
        await made.until(lambda: trips(made))
        await made.venue.groups.trigger()
        later = Groups(made.venue.api, 1_000 * MICRO)
        later.recall(notes(made))
        await later.make()
        assert all(later.is_shut(shard) for shard in SHARDS)
        await later.reset()
        assert [shard for shard in SHARDS if later.is_shut(shard)] == [3]
        await later.reset(3)
        assert not any(group.is_triggered for group in made.exchange.groups.values())


async def test_groups_that_went_meanwhile_are_made_anew() -> None:
    """Another exchange, or a long time: nothing rests in them any more."""
    async with rig() as made:
        known = notes(made)
        made.exchange.groups.clear()
        later = Groups(made.venue.api, 1_000 * MICRO)
        later.recall(known)
        await later.make()
        assert sorted(later.ids) == list(SHARDS)
        assert set(later.ids.values()) == set(made.exchange.groups)


async def test_a_cancel_of_everything_reaches_into_the_next_life() -> None:
    """Started anew within the minute, nothing that opens is sent before it is over."""
    async with rig() as made:
        await made.venue.cancel_everything()
        until_ns = made.venue.vitals.until_ns
        made.venue._re_arms_ns = 0
        made.venue.recall(notes(made))
        await made.venue.re_arm()
        assert made.venue.vitals_of("Kalshi:3").until_ns == until_ns
        assert made.venue.vitals.is_sendable
