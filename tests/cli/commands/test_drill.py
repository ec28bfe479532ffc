"""`arbees drill`: what it shows, where it keeps it, and how it ends."""

import json
from pathlib import Path

import pytest

from arbees.cli.commands.prove.drill import app
from arbees.core import events
from arbees.journal import JournalReader, SqliteJournal
from arbees.settings import load_here
from tests.api.fake import FakeGateway
from tests.cli.conftest import serving

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with a port at which nobody is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HTTP_PORT", "1")
    monkeypatch.setenv("KILL_SWITCH_FILE", str(tmp_path / "stop"))
    return tmp_path


def run(*words: str) -> int:
    """Run the command."""
    code = app(list(words), result_action="return_value")
    assert isinstance(code, int)
    return code


def drilled(path: Path) -> list[events.Drilled]:
    """Return the drills of a journal."""
    with JournalReader(path) as reader:
        new_events = [events.decode(each.body) for each in reader.records()]
    return [event for event in new_events if isinstance(event, events.Drilled)]


def test_keeps_what_it_showed_in_the_journal(here: Path, capsys: Capture) -> None:
    """Without a gateway it writes the journal of the settings itself, which is made if need be."""
    assert run("order_size", "kill_switch") == 0
    found = drilled(here / "var" / "arbees-paper.db")
    assert [each.safeguard for each in found] == ["kill_switch", "order_size"]
    assert all(each.is_passed and not each.failures for each in found)
    assert {each.limits_hash for each in found} == {load_here().limits_hash}
    shown = capsys.readouterr().out
    assert "All 2 passed" in shown
    assert "Kept up to record 3 of var/arbees-paper.db" in shown


def test_a_failure_is_kept_too_and_ends_with_1(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """What was not as expected stands in the record and in red."""
    monkeypatch.setenv("KILL_SWITCH_FILE", str(here / "missing" / "stop"))
    assert run("kill_switch", "--json") == 1
    (found,) = drilled(here / "var" / "arbees-paper.db")
    assert not found.is_passed
    assert found.failures == (f"no file can be made in {here / 'missing'}",)
    told = json.loads(capsys.readouterr().out)
    assert told["passed"] is False
    assert told["recorded"]["by"] == "command line"
    (only,) = told["drills"]
    assert [step["as_expected"] for step in only["steps"]] == [True, False]


def test_nothing_is_written_unless_asked(here: Path) -> None:
    """With --no-record no journal comes to be."""
    assert run("holding", "--no-record") == 0
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("words", [("holdings",), ("holding", "--all")])
def test_wrong_words_are_usage(here: Path, words: tuple[str, ...], capsys: Capture) -> None:
    """A name that is none, and names with --all, are told what was expected."""
    assert run(*words) == 2
    assert "Expected names" in capsys.readouterr().err


def test_writes_beside_no_gateway(here: Path, capsys: Capture) -> None:
    """While somebody writes the journal and does not answer, nothing is written: come again."""
    settings = load_here()
    journal = SqliteJournal.open(
        settings.journal_path(), account="main", environment="local", mode=settings.mode
    )
    try:
        assert run("holding") == 5
    finally:
        journal.close()
    assert "come again" in capsys.readouterr().err
    assert drilled(here / "var" / "arbees-paper.db") == []


def test_a_running_gateway_keeps_the_drills(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Where one is reached it writes the records; that its limits are others is said."""
    gateway = FakeGateway()
    with serving(gateway) as address:
        monkeypatch.setenv("ARBEES_URL", address)
        assert run("holding", "--json") == 0
    (kept,) = gateway.drills
    assert (kept.safeguard, kept.is_passed) == ("holding", True)
    shown = capsys.readouterr()
    assert json.loads(shown.out)["recorded"] == {"by": "gateway", "sequence": 9}
    assert "other limits" in shown.err
    assert list(here.iterdir()) == []
