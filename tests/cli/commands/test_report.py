"""`arbees report`: which period, from which journal, and how it looks."""

import asyncio
import json
from pathlib import Path

import pytest

from arbees.cli.commands.watch.report import app
from arbees.core.language.strict_json import parse_time
from arbees.core.language.words import Action
from arbees.rehearsal.scene import stage
from tests.api.fake import FakeGateway
from tests.api.fake_follower import FakeFollower
from tests.cli.conftest import serving

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with the journal of an evening of 2026-01-28, and no gateway."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HTTP_PORT", "1")

    async def run() -> None:
        async with stage(folder=tmp_path) as scene:
            await scene.quote()
            await scene.ask(size="10", price="0.61")
            await scene.ask(size="4", price="0.59", action=Action.SELL)
            await scene.ask(size="1000", price="0.61")

    asyncio.run(run())
    return tmp_path


def run(*words: str) -> int:
    """Run the command."""
    code = app(list(words), result_action="return_value")
    assert isinstance(code, int)
    return code


def test_a_day_for_people(here: Path, capsys: Capture) -> None:
    """The day's orders, rates, money and denials are there by name."""
    assert run("journal.db", "--since", "2026-01-28") == 0
    shown = capsys.readouterr().out
    for part in ("P&L", "Fill rate", "100.0 %", "Slippage", "Latency, ms", "order_size"):
        assert part in shown
    assert "From 2026-01-28T05:00:00.000Z to before 2026-01-29T05:00:00.000Z" in shown


def test_a_day_for_programs(here: Path, capsys: Capture) -> None:
    """JSON has the same with exact numbers, groups too."""
    assert run("journal.db", "--since", "2026-01-28", "--by", "strategy", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["quality"]["total"]["fills"] == 2
    assert [row["name"] for row in told["quality"]["groups"]] == ["demo"]
    assert told["pnl"]["total"] < 0


def test_other_days_are_empty(here: Path, capsys: Capture) -> None:
    """The day before had nothing; a range that ends with a day includes it."""
    assert run("journal.db", "--since", "2026-01-27", "--json") == 0
    assert json.loads(capsys.readouterr().out)["quality"]["total"]["requests"] == 0
    assert run("journal.db", "--since", "2026-01-26", "--until", "2026-01-28", "--json") == 0
    assert json.loads(capsys.readouterr().out)["quality"]["total"]["requests"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "yesterday"), "--since: Expected"),
        (("--since", "2026-02-30"), "such as 2026-01-28"),
        (("--since", "2026-01-28T20:30:00"), "--since: Expected"),
        (("--since", "2026-01-28", "--until", "2026-01-27"), "after --since"),
    ],
)
def test_wrong_times_say_what_is_expected(
    here: Path, words: tuple[str, ...], said: str, capsys: Capture
) -> None:
    """A time that is none, or a period that ends before it begins, is usage."""
    assert run("journal.db", *words) == 2
    assert said in capsys.readouterr().err


def test_without_journal_and_gateway(here: Path, capsys: Capture) -> None:
    """Where there is neither, it says so and ends as an unreachable gateway does."""
    assert run() == 69
    assert "There is no journal at var/arbees-paper.db" in capsys.readouterr().err


def test_where_there_is_no_journal_the_gateway_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Its quality is shown, since the time that was meant and grouped as asked."""
    monkeypatch.chdir(tmp_path)
    follower = FakeFollower()
    with serving(FakeGateway(), follower) as address:
        monkeypatch.setenv("ARBEES_URL", address)
        assert run("--since", "2026-01-28", "--by", "venue") == 0
        assert follower.asked == [(parse_time("2026-01-28T05:00:00Z"), "venue")]
        shown = capsys.readouterr().out
        assert "Fill rate" in shown
        assert "Kalshi" in shown
        assert run("--json") == 0
        assert follower.asked[-1] == (None, None)
        assert json.loads(capsys.readouterr().out)["total"]["requests"] > 0
