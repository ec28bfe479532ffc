"""A venue is shut as long as a global stop stands, and opened after it: never the wrong way."""

from arbees.core.words import SCOPE_ALL, HaltSource
from arbees.errors import VenueError
from tests.runtime.rig import Rig, running


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
