"""A venue is shut as long as a global stop stands, and opened after it: never the wrong way."""

import pytest

from arbees.core.language.units import MICRO
from arbees.core.language.words import SCOPE_ALL, HaltSource
from arbees.errors import VenueError
from arbees.runtime.watching.monitors import MARK_SECONDS
from tests.runtime.rig import Rig, running
from tests.runtime.watching.test_monitors import hold


async def switch(rig: Rig, action: str) -> None:
    """Stop everything, or end that."""
    await rig.gateway.kill_switch(
        action, scope=SCOPE_ALL, reason="test", source=HaltSource.HTTP, actor="test"
    )
    await rig.settle()


async def test_an_opening_that_fails_gives_way_to_the_next_stop() -> None:
    """The venue answers again only during the second stop: it is not opened then."""
    async with running() as rig:
        await switch(rig, "ENABLE")
        rig.kalshi.act_failure = VenueError("no answer")
        await switch(rig, "DISABLE")
        await switch(rig, "ENABLE")
        rig.kalshi.act_failure = None
        rig.kalshi.acts.clear()
        await rig.wait(30)
        assert "re_arm" not in rig.kalshi.acts


async def test_a_shutting_that_fails_gives_way_to_the_end_of_the_stop() -> None:
    """The venue answers again only after the stop: what was placed since stays."""
    async with running() as rig:
        rig.kalshi.act_failure = VenueError("no answer")
        await switch(rig, "ENABLE")
        await switch(rig, "DISABLE")
        rig.kalshi.act_failure = None
        rig.kalshi.acts.clear()
        await rig.wait(30)
        assert "cancel_everything" not in rig.kalshi.acts


async def test_a_loss_that_lasts_shuts_a_venue_once() -> None:
    """Lifted, the halt is raised again by the next look; the venue's minute does not begin anew."""
    async with running(max_daily_loss=MICRO) as rig:
        await hold(rig)
        await rig.quote("0.40", "0.42")
        await rig.wait(MARK_SECONDS)
        assert rig.kalshi.acts == ["cancel_everything"]
        for _ in range(3):
            await rig.halt("DISABLE", acknowledge=True)
            await rig.wait(MARK_SECONDS)
            assert rig.gateway.kill_status().state == "HALTED"
        assert rig.kalshi.acts.count("cancel_everything") == 1
        await switch(rig, "ENABLE")
        assert rig.kalshi.acts.count("cancel_everything") == 2


@pytest.mark.parametrize("action", ["DISABLE", "REDUCE"])
async def test_a_venue_is_opened_for_exits_too(action: str) -> None:
    """A stop that was stepped down to REDUCING opens the venue as its end does, once."""
    async with running(max_daily_loss=MICRO) as rig:
        await hold(rig)
        await rig.quote("0.40", "0.42")
        await rig.wait(MARK_SECONDS)
        await rig.halt(action, acknowledge=True)
        await rig.settle()
        assert rig.kalshi.acts == ["cancel_everything", "re_arm"]


async def test_a_reduction_alone_neither_shuts_nor_opens() -> None:
    """Where nothing was shut, nothing is opened."""
    async with running() as rig:
        await switch(rig, "REDUCE")
        await switch(rig, "DISABLE")
        assert rig.kalshi.acts == []
