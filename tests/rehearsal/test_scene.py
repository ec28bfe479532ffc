"""The stage: a gateway in recorded time that does what it is told, and cleans up."""

from pathlib import Path

import pytest

from arbees.core import events
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.orders.result import Result
from arbees.errors import ConfigurationError
from arbees.journal import JournalReader
from arbees.rehearsal.evening import START_NS
from arbees.rehearsal.scene import MARKET, Scene, stage
from arbees.venues.paper.faults import Fault


async def test_a_request_and_all_that_it_sets_off() -> None:
    """Quote, ask, and the answer is what became of it in the end."""
    async with stage() as scene:
        await scene.quote()
        result = await scene.ask()
        assert (result.status, result.final) == ("Filled", True)
        assert result.request_id == "req-1"
        again = await scene.ask()
        assert again.request_id == "req-2"


async def test_time_moves_only_when_told_to() -> None:
    """Asking takes no time; waiting takes exactly as long as it says."""
    async with stage() as scene:
        assert scene.now_ns == START_NS
        await scene.quote()
        await scene.ask()
        assert scene.now_ns == START_NS
        await scene.wait(12.5)
        assert scene.now_ns == START_NS + 12 * NS_PER_SECOND + NS_PER_SECOND // 2


async def test_a_resting_order_expires_on_the_way() -> None:
    """Timers of gateway and exchange come in their turn while time passes."""
    async with stage() as scene:
        await scene.quote()
        resting = await scene.ask(
            price="0.50",
            time_in_force=TimeInForce.GTD,
            expires_ns=scene.now_ns + 5 * NS_PER_SECOND,
        )
        assert resting.status == "Pending"
        await scene.wait(10)
        known = scene.assembly.gateway.reads.result(resting.request_id)
        assert known is not None
        assert known.status == "Cancelled"


async def test_quotes_of_any_kind() -> None:
    """A quote may be of another market, one-sided, or of a while ago."""
    async with stage({"QUOTE_POLICY": "deny"}) as scene:
        await scene.quote(None, "0.61")
        assert (await scene.ask()).status == "Filled"
        await scene.quote(market="KX-OTHER", age=11)
        assert (await scene.ask(market="KX-OTHER")).code == "QUOTE_STALE"


async def test_settling_ends_a_market() -> None:
    """The result of a market is paid out."""
    async with stage() as scene:
        await scene.quote()
        await scene.ask()
        await scene.settle(Side.YES)
        assert scene.assembly.gateway.desk.book.realized == 3_900_000
        assert (await scene.ask()).code == "MARKET_CLOSED"


async def test_a_duplicate_is_answered_as_one() -> None:
    """What is a duplicate keeps its own answer, with the original beside it."""
    async with stage() as scene:
        await scene.quote()
        request = scene.request()
        await scene.send(request)
        again = await scene.send(request)
        assert again.code == "DUPLICATE_REQUEST"
        assert isinstance(again.original, Result)
        assert again.original.status == "Filled"


async def test_a_request_of_any_kind() -> None:
    """Everything of a request may be said, and what is not said is harmless."""
    async with stage() as scene:
        request = scene.request(
            side=Side.NO, action=Action.SELL, platform=Platform.POLYMARKET, age=3, signal_id="s"
        )
        assert (request.side, request.action, request.signal_id) == ("No", "Sell", "s")
        assert request.created_ns == START_NS - 3 * NS_PER_SECOND
        assert (request.market_id, request.strategy) == (MARKET, "demo")


async def test_settings_and_toml_are_in_force() -> None:
    """Limits are those that were given; everything else is at its default."""
    toml = "[sport_exposure.limits]\nNBA = 5\n"
    async with stage({"MAX_ORDER_CONTRACTS": "10"}, toml=toml) as scene:
        await scene.quote()
        result = await scene.ask(size="11")
        assert [denial.code for denial in result.denials] == [
            "MAX_ORDER_CONTRACTS",
            "MAX_SPORT_EXPOSURE",
        ]


async def test_faults_may_be_set() -> None:
    """The exchange can be disturbed; what is unknown is told so."""
    async with stage() as scene:
        await scene.quote()
        scene.assembly.exchange.faults.set(Fault.LOST_AFTER)
        scene.assembly.exchange.faults.set(Fault.REPORT_LOST)
        scene.assembly.exchange.faults.set(Fault.READ_LAG)
        assert (await scene.ask()).status == "Unknown"


async def test_what_never_settles_fails_loudly() -> None:
    """Waiting for what waits for the clock itself would never end: it is refused instead."""
    async with stage() as scene:
        await scene.quote()
        scene.assembly.exchange.faults.latency_ns = (NS_PER_SECOND, NS_PER_SECOND)
        with pytest.raises(RuntimeError, match="settle"):
            await scene.ask()
        scene.assembly.exchange.faults.latency_ns = (0, 0)


# Files -----------------------------------------------------------------------------------------


def kinds(folder: Path) -> list[str]:
    """Return the kinds of the records in a folder's journal."""
    reader = JournalReader(folder / "journal.db")
    found = [stored.kind for stored in reader.records()]
    reader.close()
    return found


async def test_a_folder_is_kept(tmp_path: Path) -> None:
    """What happened stays in the folder, ended in order, and another scene goes on there."""
    async with stage(folder=tmp_path) as scene:
        await scene.quote()
        await scene.ask()
    assert kinds(tmp_path)[-1] == events.Stopped.__name__
    async with stage(folder=tmp_path, start_ns=START_NS + NS_PER_SECOND) as scene:
        assert scene.assembly.gateway.execution_by_key("key-1") is not None


async def test_a_scene_that_fails_is_taken_down(tmp_path: Path) -> None:
    """An error on stage ends it in order all the same."""
    with pytest.raises(KeyError):
        async with stage(folder=tmp_path):
            raise KeyError
    assert kinds(tmp_path)[-1] == events.Stopped.__name__


async def test_a_scene_that_cannot_start_lets_go_of_its_files(tmp_path: Path) -> None:
    """Where the start is refused nothing stays open: the next scene may use the folder."""
    blocked = tmp_path / "audit.jsonl"
    blocked.mkdir()
    with pytest.raises(ConfigurationError):
        async with stage(folder=tmp_path):
            raise AssertionError
    blocked.rmdir()
    async with stage(folder=tmp_path, start_ns=START_NS + NS_PER_SECOND) as scene:
        assert isinstance(scene, Scene)


async def test_a_scene_may_end_without_a_stop(tmp_path: Path) -> None:
    """For crashes: nothing is written at the end."""
    async with stage(folder=tmp_path, do_stop=False) as scene:
        await scene.quote()
    assert events.Stopped.__name__ not in kinds(tmp_path)
    await scene.assembly.stop("for the test's own sake")
