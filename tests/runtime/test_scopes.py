"""Scopes of halts have one spelling, so that no halt covers nothing by accident."""

import pytest

from arbees.core.book import fresh
from arbees.runtime.gateway import canonical_scope
from arbees.testing.scene import MARKET, stage


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
