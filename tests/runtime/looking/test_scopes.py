"""Scopes of halts have one spelling, so that no halt covers nothing by accident."""

from typing import Any

import pytest

from arbees.core.book.book import fresh
from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform, TimeInForce
from arbees.rehearsal.scene import MARKET, Scene, stage
from arbees.runtime.looking.scopes import Scopes


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("all", "all"),
        ("ALL", "all"),
        (" All ", "all"),
        ("platform:kalshi", "platform:Kalshi"),
        ("Platform:POLYMARKET", "platform:Polymarket"),
        ("platform:Kalshy", "platform:Kalshy"),
        ("sport:nba", "sport:NBA"),
        ("SPORT: nba", "sport:NBA"),
        ("strategy:Momentum", "strategy:Momentum"),
        ("STRATEGY:Momentum", "strategy:Momentum"),
        ("model_version:v1", "model_version:v1"),
        ("game:nba_1", "game:nba_1"),
        ("market:KXUNKNOWN", "market:KXUNKNOWN"),
        ("strategy:" + "x" * 128, "strategy:" + "x" * 128),
    ],
)
def test_a_scope_has_one_spelling(typed: str, meant: str) -> None:
    """Kinds and `all` are taken in any case; a name that nothing has is taken as it is."""
    assert Scopes(fresh()).canonical(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "kalshi",
        "platform:",
        "all:",
        "galaxy:1",
        "strategy:" + "x" * 129,
        "strategy:" + "x" * 40_000,
        "strategy:caf\xe9",
        "strategy:a\nb",
        "strategy:\u202ea",
    ],
)
def test_what_is_no_scope_is_refused(typed: str) -> None:
    """What is no scope, or no name, is refused in few words that say what was expected."""
    with pytest.raises(ValueError, match=r"Expected .*, was ") as refused:
        Scopes(fresh()).canonical(typed)
    assert len(str(refused.value)) < 300


async def test_a_known_name_is_meant_in_any_case() -> None:
    """What traded, or was denied, or is a key's, is meant however its name is written."""
    async with stage() as scene:
        await scene.quote()
        scopes = scene.assembly.gateway.desk.scopes
        assert not scopes.is_known("strategy:Alpha")
        await scene.ask(strategy="Alpha", model_version="V1")
        await scene.ask(strategy="denied", size="9999")
        for typed, meant in {
            "strategy:aLPHA": "strategy:Alpha",
            "strategy:DENIED": "strategy:denied",
            "model_version:v1": "model_version:V1",
            f"market:{MARKET.lower()}": f"market:{MARKET}",
        }.items():
            assert scopes.canonical(typed) == meant
            assert scopes.is_known(meant)


async def test_two_names_that_differ_in_case_are_two() -> None:
    """Where both are known, each is meant by its own spelling, and no third one is either."""
    async with stage() as scene:
        await scene.quote()
        for name in ("beta", "BETA"):
            await scene.ask(strategy=name)
        scopes = scene.assembly.gateway.desk.scopes
        for name in ("beta", "BETA", "Beta"):
            assert scopes.canonical(f"strategy:{name}") == f"strategy:{name}"
        assert not scopes.is_known("strategy:Beta")


async def test_a_halt_that_matches_nothing_is_taken_and_says_so() -> None:
    """It holds for what comes under that name, and the answer says that nothing is."""
    async with stage() as scene:
        await scene.quote()
        gateway = scene.assembly.gateway
        halt: dict[str, Any] = {"reason": "a test", "source": "http", "actor": "test"}
        for scope, is_missing in {
            "all": False,
            "platform:kalshi": False,
            "platform:Kalshy": True,
            "sport:nba": False,
            "sport:NBAA": True,
            "strategy:later": True,
            "market:KXNONE": True,
            "game:none": True,
            "model_version:none": True,
        }.items():
            reply = await gateway.kill_switch("ENABLE", scope=scope, **halt)
            assert reply.matches_nothing is is_missing, scope
            assert reply.in_force
            await gateway.kill_switch("DISABLE", scope=scope, **halt)
        await gateway.kill_switch("ENABLE", scope="strategy:later", **halt)
        assert (await scene.ask(strategy="later")).code == "HALTED"


async def test_a_halt_of_a_game_holds() -> None:
    """`game:X` halts the markets of one game, cancels what rests there, and leaves the rest."""
    async with stage() as scene:
        await scene.quote(game="g1")
        await scene.quote(market="KXNFLGAME-1", sport="NFL", game="g2")
        resting = await scene.ask(price="0.5", time_in_force=TimeInForce.GTC)
        await scene.assembly.gateway.kill_switch(
            "ENABLE", scope="Game:G1", reason="a test", source="http", actor="test"
        )
        await scene.player.settle()
        assert (await scene.ask(market=MARKET)).code == "HALTED"
        assert (await scene.ask(market="KXNFLGAME-1", sport="nfl")).status == "Filled"
        result = scene.assembly.gateway.reads.result(resting.request_id)
        assert result is not None
        assert result.status == "Cancelled"


async def test_a_halt_of_a_sport_in_another_case_holds() -> None:
    """`sport:nba` halts what is quoted as NBA, and leaves the rest."""
    async with stage() as scene:
        await scene.quote()
        await scene.quote(market="KXNFLGAME-1", sport="NFL", game="nfl_1")
        await scene.assembly.gateway.kill_switch(
            "ENABLE", scope="sport:nba", reason="a test", source="http", actor="test"
        )
        assert (await scene.ask(market=MARKET)).code == "HALTED"
        assert (await scene.ask(market="KXNFLGAME-1", sport="nfl")).status == "Filled"


def token(scene: Scene, name: str, other: str) -> Quote:
    """Return a quote of one token of a condition."""
    return Quote(
        ts_ns=scene.now_ns,
        platform=Platform.POLYMARKET,
        market_id=name,
        bids=((390_000, 100 * MICRO),),
        asks=((410_000, 100 * MICRO),),
        condition_id="0xc0",
        opposite_token_id=other,
    )


async def test_a_halt_of_a_token_from_before_its_market_was_known_holds() -> None:
    """Halted by one name before anything is known of it, a market is halted by all of its names."""
    async with stage() as scene:
        gateway = scene.assembly.gateway
        halt: dict[str, Any] = {
            "scope": "market:1111",
            "reason": "a test",
            "source": "http",
            "actor": "test",
        }
        await gateway.kill_switch("ENABLE", **halt)
        await gateway.feed([token(scene, "1111", "2222")])
        for name in ("1111", "2222"):
            answer = await scene.ask(market=name, platform=Platform.POLYMARKET, sport=None)
            assert answer.code == "HALTED"
        reply = await gateway.kill_switch("DISABLE", **halt)
        assert reply.halts == ()
        answer = await scene.ask(market="2222", platform=Platform.POLYMARKET)
        assert answer.status == "Filled"


async def test_a_halt_of_a_sport_cancels_orders_from_before_it_was_known() -> None:
    """An order rests in a market of no known sport; once another says which, its halt covers it."""
    async with stage() as scene:
        await scene.quote(sport=None, game=None)
        resting = await scene.ask(price="0.5", time_in_force=TimeInForce.GTC)
        assert (await scene.ask(sport="NBA")).status == "Filled"
        await scene.assembly.gateway.kill_switch(
            "ENABLE", scope="sport:NBA", reason="a test", source="http", actor="test"
        )
        await scene.player.settle()
        result = scene.assembly.gateway.reads.result(resting.request_id)
        assert result is not None
        assert result.status == "Cancelled"
