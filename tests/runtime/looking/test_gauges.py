"""Gauges of a desk: of one durable moment, and never ahead of the disk."""

import asyncio
from decimal import Decimal

import pytest

from arbees.core.deciding.commands import Record
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform, TradingState
from arbees.interface.measures import Measures
from arbees.runtime.intake.writer import Lane
from arbees.safeguards.market_exposure import MarketExposure
from arbees.safeguards.rate_limit import RateLimit
from tests.runtime.rig import running

pytestmark = pytest.mark.anyio


async def test_measures_a_desk_at_work() -> None:
    """Orders, exposure, balance, halts and limits are those of the book."""
    limits = (MarketExposure(max_position_per_market=50 * MICRO), RateLimit())
    async with running(*limits, max_daily_loss=500 * MICRO) as rig:
        await rig.rest(limit_price=600_000, size=10 * MICRO)
        await rig.halt("REDUCE", scope="sport:NFL")
        found = await rig.gateway.measuring.take()
        assert found.sequence == rig.book.sequence == rig.journal.head.sequence
        assert (found.open_orders, found.unknown_orders, found.breaks) == (1, 0, 0)
        assert found.exposure == found.exposure_market == found.exposure_game == 6 * MICRO
        assert found.exposure_sports == {"NBA": 6 * MICRO}
        assert found.halts == ("http",)
        assert found.state is TradingState.ACTIVE
        assert found.is_ready
        kalshi, polymarket = found.venues
        assert (kalshi.platform, kalshi.exposure) == (Platform.KALSHI, 6 * MICRO)
        assert (polymarket.exposure, polymarket.is_breaker_open) == (0, False)
        assert [each.pool for each in found.pools] == ["Kalshi", "Polymarket"]
        assert all(each.age_ns >= 0 for each in found.pools)
        used = {(each.code, each.scope): each for each in found.used}
        market = used["MAX_POSITION_PER_MARKET", "market"]
        assert (market.value, market.limit) == (Decimal(6), Decimal(50))
        assert market.headroom == 44
        assert used["RATE_LIMIT_MINUTE", "all"].value == Decimal(1)
        assert all(":" not in each.scope for each in found.used)


async def test_waits_while_the_book_is_ahead_of_the_disk() -> None:
    """What is decided and not yet durable is not measured: the next commit answers (P1)."""
    async with running() as rig:
        measuring = rig.gateway.measuring
        before = await measuring.take()
        ahead = rig.journal.head
        rig.book.sequence += 1  # as if a batch were decided
        waiting = asyncio.ensure_future(measuring.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        rig.book.sequence -= 1
        assert rig.journal.head == ahead
        measuring.settle()
        found: Measures = await waiting
        assert found.sequence == before.sequence


async def test_whoever_gave_up_is_no_trouble() -> None:
    """A scrape that was cancelled while it waited is passed over."""
    async with running() as rig:
        measuring = rig.gateway.measuring
        rig.book.sequence += 1
        waiting = asyncio.ensure_future(measuring.take())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait((waiting,))
        rig.book.sequence -= 1
        measuring.settle()
        assert (await measuring.take()).sequence == rig.book.sequence


async def test_queues_are_counted_by_lane() -> None:
    """What waits for the writer is told by the lane in which it waits."""
    async with running() as rig:
        found = await rig.gateway.measuring.take()
        assert found.queued == {lane.name.lower(): 0 for lane in Lane}
        waiting = rig.desk.writer.put(Record(events=()), Lane.REQUESTS)
        measured = await rig.gateway.measuring.take()
        assert measured.queued["requests"] == 1
        await waiting
