"""Drills pass where safeguards work, fail where they do not, and touch nothing that runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path

import pytest

from arbees.core.language.strict_json import parse_time
from arbees.core.language.words import Mode
from arbees.rehearsal.drills import DRILLS, drill_all
from arbees.rehearsal.drills.generous import GENEROUS, only
from arbees.rehearsal.drills.run import KEY, NAMES, drill
from arbees.rehearsal.drills.stage import DrillStage, Theatre, clear_of_pauses
from arbees.safeguards import ALL
from arbees.settings import Settings, load
from arbees.venues.kalshi.spec import weekly_pause

NOW = parse_time("2026-01-28T20:30:00Z")
PAUSE = parse_time("2026-01-29T08:30:00Z")
LIVE = {
    "PAPER_TRADING": "0",
    "LIVE_TRADING_AUTHORIZED": "true",
    "KALSHI_API_KEY_ID": "id",
    "KALSHI_PRIVATE_KEY": "key",
}
UNUSUAL = {
    "MIN_SAFE_PRICE": "0",
    "MAX_SAFE_PRICE": "1",
    "MAX_ORDER_SIZE": "0.01",
    "MAX_POSITION_PER_MARKET": "0.03",
    "PREGAME_POLICY": "deny",
    "QUOTE_POLICY": "deny",
    "EDGE_POLICY": "deny",
    "MAX_PRICE_THROUGH_QUOTE": "1",
    "MAX_PRICE_DELTA_FROM_PREGAME": "0",
    "EDGE_TOLERANCE_POINTS": "0",
    "MODEL_VERSIONS_ALLOWED": "a,b",
    "MODEL_VERSIONS_DENIED": "a",
    "REQUIRE_MODEL_VERSION": "1",
    "MAX_OPEN_ORDERS": "1",
    "MAX_UNKNOWN_ORDERS": "0",
    "MAX_ORDERS_PER_MINUTE": "1",
    "MAX_ORDERS_PER_HOUR": "1",
    "MAX_REPEATED_EXECUTIONS": "1",
    "MAX_DAILY_LOSS": "0.01",
    "BALANCE_BUFFER": "0",
    "BALANCE_REFRESH_INTERVAL_SECS": "1",
    "VENUE_ERRORS_TO_OPEN": "1",
    "VENUE_COOLDOWN_SECS": "3600",
    "MAX_SIGNAL_AGE_SECS": "0.001",
    "MAX_CLOCK_SKEW_SECS": "0.001",
    "LIVE_PLATFORMS": "Polymarket",
}
UNUSUAL_TABLES = """
[trading_window.NBA]
days = "daily"
hours = "18:00-23:30"
phase = "in_game"
stop_minutes_before_close = 5
[trading_window.default]
phase = "pregame"
[rate_limit]
per_market_minute = 3
per_strategy_hour = 7
[sport_exposure.limits]
NBA = 500
NFL = 0
[reconciliation.policy]
position = "report"
"""


def test_every_safeguard_has_a_drill() -> None:
    """The drills are those of the safeguards, in their order, and of the key."""
    names = tuple(each.name for each in ALL)  # type: ignore[attr-defined]
    assert tuple(DRILLS) == NAMES == (*names, KEY)
    assert set(GENEROUS) == set(ALL)


def test_all_pass_with_the_defaults() -> None:
    """Under the requirements' own limits every safeguard is alive."""
    found = drill_all(load({}), NOW)
    assert {each.safeguard: each.failures for each in found if not each.is_passed} == {}
    assert all(len(each.steps) >= 2 for each in found)


def test_all_pass_with_unusual_settings(tmp_path: Path) -> None:
    """So they are at the ends of the ranges, with every table set."""
    toml = tmp_path / "arbees.toml"
    toml.write_text(UNUSUAL_TABLES)
    found = drill_all(load(UNUSUAL, None, toml), NOW)
    assert {each.safeguard: each.failures for each in found if not each.is_passed} == {}


def names_in(folder: Path) -> list[str]:
    """Return the names of what lies in a folder."""
    return sorted(each.name for each in folder.iterdir())


class DeadTheatre(Theatre):
    """Where a safeguard is missing from every gateway."""

    @asynccontextmanager
    async def stage(
        self, settings: Settings, *, kill_file: str | None = None, start_ns: int | None = None
    ) -> AsyncIterator[DrillStage]:
        without = copy(settings)
        without.safeguards = tuple(
            each for each in settings.safeguards if each.name != self.safeguard
        )
        async with super().stage(without, kill_file=kill_file, start_ns=start_ns) as stage:
            yield stage


@pytest.mark.parametrize("name", [name for name in DRILLS if name != KEY])
def test_a_dead_safeguard_fails_its_drill(name: str) -> None:
    """A gateway that does not ask a safeguard is found out by the drill of that safeguard."""
    assert not asyncio.run(drill(name, load({}), NOW, DeadTheatre)).is_passed


def test_a_safeguard_that_is_off_fails() -> None:
    """Switched off is not alive, whatever the reason."""
    off = {"DISABLED_SAFEGUARDS": "holding", "DISABLED_SAFEGUARDS_REASON": "selling by hand"}
    (found,) = drill_all(load(off), NOW, ("holding",))
    assert not found.is_passed
    assert found.failures == ("it is switched off: selling by hand",)


def test_a_drill_that_breaks_is_one_that_failed() -> None:
    """What goes wrong is told, and the others go on."""
    names = ("nothing", "holding")
    found = drill_all(load({}), NOW, names)
    assert [each.is_passed for each in found] == [False, True]
    assert "KeyError" in found[0].failures[0]


def test_nowhere_to_put_the_file_fails_the_kill_switch(tmp_path: Path) -> None:
    """The file is tried where the operator would make it, on this host."""
    settings = load({"KILL_SWITCH_FILE": str(tmp_path / "missing" / "stop")})
    (found,) = drill_all(settings, NOW, ("kill_switch",))
    assert found.failures == (f"no file can be made in {tmp_path / 'missing'}",)


def test_the_real_kill_switch_file_is_left_alone(tmp_path: Path) -> None:
    """The drill makes a file of its own beside it, and takes it away."""
    there = tmp_path / "stop"
    settings = load({"KILL_SWITCH_FILE": str(there)})
    (found,) = drill_all(settings, NOW, ("kill_switch",))
    assert found.is_passed
    assert names_in(tmp_path) == []
    there.touch()
    (again,) = drill_all(settings, NOW, ("kill_switch",))
    assert again.is_passed
    assert names_in(tmp_path) == ["stop"]


def test_passes_around_the_weekly_pause() -> None:
    """In and shortly before the venue's pause a drill takes place after it."""
    for before_minutes in (-30, 0, 10, 60, 240):
        moment = clear_of_pauses(PAUSE - before_minutes * 60 * 10**9)
        assert weekly_pause(moment) is None
        assert moment >= PAUSE
    assert clear_of_pauses(NOW) == NOW
    assert asyncio.run(drill("rate_limit", load({}), PAUSE)).is_passed


def test_settings_and_files_are_those_of_before(tmp_path: Path) -> None:
    """A drill changes neither the settings that it is given, nor the folder it is run in."""
    settings = load({})
    before = (settings.mode, settings.hash, settings.safeguards, names_in(tmp_path))
    drill_all(settings, NOW, ("authorization", "balance"))
    assert (settings.mode, settings.hash, settings.safeguards, names_in(tmp_path)) == before


def test_limits_are_named_by_a_hash() -> None:
    """Other limits have another hash; the authority to trade live changes none."""
    plain = load({})
    assert load(LIVE).limits_hash == plain.limits_hash
    off = {"DISABLED_SAFEGUARDS": "holding", "DISABLED_SAFEGUARDS_REASON": "x"}
    others = [load({"MAX_ORDER_SIZE": "99"}), load({"QUOTE_POLICY": "deny"}), load(off)]
    assert len({each.limits_hash for each in (plain, *others)}) == 4


@asynccontextmanager
async def one_stage() -> AsyncIterator[DrillStage]:
    """Set up a stage with everything at its default."""
    theatre = Theatre("order_size", load({}), NOW)
    async with theatre.stage(theatre.settings) as stage:
        await stage.quote()
        yield stage
        assert [step.is_as_expected for step in theatre.steps] == [False, False]


def test_live_settings_meet_the_paper_exchange_alone() -> None:
    """Whatever credentials there are, a drill holds no venue that takes real orders."""

    async def run() -> None:
        theatre = Theatre("authorization", load(LIVE), NOW)
        async with theatre.stage(only(load(LIVE), mode=Mode.LIVE)) as stage:
            venues = stage.gateway.desk.venues.values()
            assert {type(venue).__module__ for venue in venues} == {"arbees.venues.paper.venue"}
            assert stage.gateway.is_live

    asyncio.run(run())
    assert all(each.is_passed for each in drill_all(load(LIVE), NOW, ("authorization",)))


def test_a_step_that_comes_out_otherwise_is_seen() -> None:
    """A denial where a pass is expected is a failure, and the other way round."""

    async def run() -> None:
        async with one_stage() as stage:
            await stage.passes("too much", stage.request(size=10**12))
            await stage.denies("little", stage.request(), "MAX_ORDER_SIZE")

    asyncio.run(run())
