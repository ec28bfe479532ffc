"""A paper start beside a live journal: what is open there is named, found out and cancelled."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from arbees.core.language.words import Mode, Platform
from arbees.rehearsal.kalshi.engine.rules import OWNER
from arbees.runtime.intake.commit_thread import Worker
from arbees.runtime.signals import Ends
from arbees.settings import Settings
from arbees.venues.kalshi.spec import Kalshi
from arbees.venues.kalshi.venue import KalshiVenue
from arbees.wiring.assembly import Assembly, Files
from arbees.wiring.bootstrap import assemble
from arbees.wiring.winding_down import left_open
from verification.live.scene import KalshiScene, kalshi_stage


@asynccontextmanager
async def left(orders: int) -> AsyncIterator[tuple[KalshiScene, Settings]]:
    """Let a live gateway rest orders and die; return the stage, and settings for paper."""
    with tempfile.TemporaryDirectory(prefix="arbees-paper-") as folder:
        path = {"JOURNAL_PATH": f"{folder}/{{mode}}.db"}
        async with kalshi_stage(path, folder=Path(folder)) as scene:
            if orders:
                await scene.rest(orders)
            await scene.kill()
            yield scene, scene.settings.varied({}, Mode.PAPER)


async def test_live_orders_are_named_and_cancelled() -> None:
    """Two rest at the venue: both are in the warnings, and then they are gone, there and here."""
    async with left(2) as (scene, paper):
        found = left_open(paper)
        assert found is not None
        first, *named = found.warnings()
        assert first.startswith("2 live orders may still work at Kalshi")
        for order in scene.exchange.resting(OWNER):
            assert any(order.order_id in line for line in named)

        def make(settings: Settings, files: Files, worker: Worker) -> Assembly:
            assembly = assemble(
                settings, clock=scene.clock, files=files, ends=Ends(), worker=worker
            )
            venue = assembly.gateway.desk.venues[Platform.KALSHI]
            assert isinstance(venue, KalshiVenue)
            venue.hurry(1.0)
            return assembly

        task = asyncio.create_task(found.run(make))
        await scene.until(task.done)
        await task
        assert scene.exchange.resting(OWNER) == []
        assert found.warnings() == ()
        assert left_open(paper) is None


async def test_without_credentials_it_says_so() -> None:
    """Nothing can be cancelled: how many may still work, where, and how to end them."""
    async with left(1) as (scene, paper):
        found = left_open(paper.varied({Kalshi: Kalshi()}, Mode.PAPER))
        assert found is not None
        await found.run(lambda *_asked: _none())
        assert "1 live order may still work at Kalshi" in found.warnings()[0]
        assert "no credentials of Kalshi" in found.warnings()[0]
        assert len(scene.exchange.resting(OWNER)) == 1


async def test_where_nothing_is_open_nothing_is_said() -> None:
    """A live journal without open orders, none at all, and a live start."""
    async with left(0) as (scene, paper):
        assert left_open(paper) is None
        assert left_open(scene.settings) is None
        paper.journal_path(Mode.LIVE).unlink()
        assert left_open(paper) is None


def _none() -> Assembly:
    raise AssertionError("Expected no gateway")
