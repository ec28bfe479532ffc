"""The tour: every safeguard that can deny on paper is seen to deny, as real requests are denied."""

from datetime import datetime

import pytest

from arbees.core.language.codes import CODES
from arbees.rehearsal.scene import stage
from arbees.rehearsal.tour import STOPS, Stop
from arbees.safeguards import ALL


def test_every_safeguard_is_on_the_tour() -> None:
    """Each one once, in no other order than that of evaluation; live authority alone is not."""
    names = [safeguard.name for safeguard in ALL]  # type: ignore[attr-defined]
    assert [stop.safeguard for stop in STOPS] == [name for name in names if name != "authorization"]


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.safeguard)
async def test_the_stop_denies(stop: Stop) -> None:
    """Its story ends in the denial that it names, by that safeguard, before any venue."""
    async with stage(stop.settings, toml=stop.toml) as scene:
        result = await stop.tell(scene)
        assert result.code == stop.code
        assert (result.status, result.final, result.rejected_by) == ("Rejected", True, "gateway")
        assert result.denials[0].safeguard == stop.safeguard
        assert result.client_order_id is None
        assert result.rejection_reason == result.denials[0].message
        assert CODES[stop.code].safeguard == stop.safeguard
        until = result.denials[0].until
        assert until is None or datetime.fromisoformat(until)


SET = [stop for stop in STOPS if stop.settings or stop.toml]
"""Those at other limits than the defaults."""


@pytest.mark.parametrize("stop", SET, ids=lambda stop: stop.safeguard)
async def test_the_story_denies_and_not_its_settings(stop: Stop) -> None:
    """With the same settings one plain contract passes, but where it is too early for any."""
    async with stage(stop.settings, toml=stop.toml) as scene:
        await scene.quote()
        result = await scene.ask(size="1")
        assert result.status == ("Rejected" if stop.safeguard == "trading_window" else "Filled")


def test_each_story_fits_a_line() -> None:
    """A story is a sentence that a screen of 80 columns shows beside its name."""
    for stop in STOPS:
        assert stop.story.endswith(".")
        assert len(f"  {stop.safeguard}: {stop.story}") <= 2 * 78
