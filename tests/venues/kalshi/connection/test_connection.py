"""How Kalshi is, by its own word: pauses, shards that are down, a venue that is not there."""

import pytest

from arbees.core.deciding.outcomes import Accepted, NotSent
from arbees.core.language.units import NS_PER_SECOND
from arbees.errors import VenueError
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.venues.kalshi import shapes
from tests.venues.kalshi.rig import rig


def status(*, down: tuple[int, ...] = (), resumes: str | None = None) -> shapes.ExchangeStatus:
    """Return a state in which some shards do not trade."""
    return shapes.ExchangeStatus(
        exchange_active=True,
        trading_active=0 not in down,
        exchange_estimated_resume_time=resumes,
        exchange_index_statuses=tuple(
            shapes.ShardStatus(exchange_index=shard, trading_active=shard not in down)
            for shard in range(4)
        ),
    )


@pytest.mark.parametrize(
    ("kind", "reason", "is_paused", "is_closed"),
    [
        (FaultKind.TRADING_PAUSE, "trading_is_paused", True, False),
        (FaultKind.EXCHANGE_PAUSE, "exchange_is_paused", False, True),
    ],
)
async def test_a_pause_is_known_by_the_venues_word(
    kind: FaultKind, reason: str, *, is_paused: bool, is_closed: bool
) -> None:
    """Nothing is sent meanwhile; cancels are possible in a pause of trading alone."""
    async with rig() as made:
        assert made.venue.vitals.reason is None
        made.server.fault(kind)
        await made.venue._connection._look()
        vitals = made.venue.vitals
        assert (vitals.reason, vitals.is_paused, vitals.is_closed) == (
            *(reason, is_paused, is_closed),
        )
        made.server.heal()
        await made.venue._connection._look()
        assert made.venue.vitals.reason is None


async def test_a_shard_that_is_down_is_down_alone() -> None:
    """Its own word counts for its markets; the fields of the top are those of shard 0."""
    async with rig() as made:
        connection = made.venue._connection
        connection.status = status(down=(3,), resumes="2026-01-29T08:00:00Z")
        assert [connection.is_trading(shard) for shard in (0, 3, None)] == [True, False, False]
        assert connection.is_open(3)
        assert connection.resumes_ns == 1_769_673_600_000_000_000
        connection.status = status(down=(0,))
        assert [connection.is_trading(shard) for shard in (0, 3)] == [False, True]


async def test_what_is_not_said_is_not_assumed() -> None:
    """Without a state nothing trades; a shard that is not named follows the top."""
    async with rig() as made:
        connection = made.venue._connection
        connection.status = shapes.ExchangeStatus(exchange_active=True, trading_active=False)
        assert not connection.is_trading(2)
        assert connection.is_open(2)
        assert connection.resumes_ns is None
        connection.status = None
        assert not connection.is_trading(0)
        assert not connection.is_open(None)
        assert connection.resumes_ns is None
        connection.status = status(resumes="later")
        assert connection.resumes_ns is None


async def test_a_venue_that_is_away_is_found_when_it_is_back() -> None:
    """Not reached: a reason keeps everything here; it is asked again by itself."""
    async with rig() as made:
        connection = made.venue._connection
        made.server.fault(FaultKind.UNREACHABLE)
        with pytest.raises(VenueError):
            await connection._look()
        assert connection.trouble
        assert made.venue.vitals.reason == connection.trouble
        made.server.heal()
        await connection._look()
        assert made.venue.vitals.reason is None


async def test_limits_are_learnt_once_they_can_be() -> None:
    """Until then the smallest tier holds, and nothing waits for them; after a minute, once."""
    async with rig() as made:
        connection = made.venue._connection
        rate = made.venue.api.budget.write.rate
        connection._asks_limits_ns = 0
        made.venue.api.budget.write.rate = 100.0
        made.server.fault(FaultKind.ANSWERED_ONLY, path="/account/limits", status=403)
        await connection._look()
        assert connection.trouble is None
        assert made.venue.api.budget.write.rate == 100.0
        await connection._look()
        assert made.venue.api.budget.write.rate == 100.0
        now_ns = made.clock.now_ns()
        assert 59 < (connection._asks_limits_ns - now_ns) / NS_PER_SECOND <= 60
        connection._asks_limits_ns = now_ns
        await connection._look()
        await made.until(lambda: made.venue.api.budget.write.rate == rate)


async def test_an_account_shows_nothing_of_its_key() -> None:
    """Its `repr` is where it is."""
    async with rig() as made:
        account = made.venue._connection.account
        assert repr(account) == f"<Kalshi account at {account.base_url}>"


async def test_a_start_without_the_venue_ends_well_once_it_is_there() -> None:
    """Blind and with a reason at first; then clock, stream and limits come by themselves."""
    async with rig(reaches=False) as made:
        assert made.venue.vitals.reason
        assert made.venue.vitals.is_blind
        assert isinstance(await made.send(made.order()), NotSent)
        made.server.heal()
        await made.until(lambda: made.venue.stream.is_live, seconds=10)
        await made.until(lambda: made.venue.vitals.reason is None, seconds=10)
        assert isinstance(await made.send(made.order()), Accepted)
