"""Scopes of halts have one spelling, so that no halt covers nothing by accident."""

from typing import Any

import pytest

from arbees.core.book import fresh
from arbees.core.quote import Quote
from arbees.core.units import MICRO
from arbees.core.words import Platform, TimeInForce
from arbees.runtime.scopes import canonical_scope
from arbees.testing.scene import MARKET, Scene, stage


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("all", "all"),
        ("platform:kalshi", "platform:Kalshi"),
        ("platform:POLYMARKET", "platform:Polymarket"),
        ("sport:nba", "sport:NBA"),
        ("strategy:Momentum", "strategy:Momentum"),
        ("model_version:v1", "model_version:v1"),
        ("market:KXUNKNOWN", "market:KXUNKNOWN"),
    ],
)
def test_a_scope_has_one_spelling(typed: str, meant: str) -> None:
    """Platforms and sports are taken in any case; names of strategies are as they are."""
    assert canonical_scope(typed, fresh()) == meant


@pytest.mark.parametrize("typed", ["", "ALL", "kalshi", "platform:", "platform:Kalshy", "game:1"])
def test_what_is_no_scope_is_refused(typed: str) -> None:
    """A scope that would cover nothing refuses and says what was expected."""
    with pytest.raises(ValueError, match=r"Expected .*, was "):
        canonical_scope(typed, fresh())


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
