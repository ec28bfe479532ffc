"""`arbees authorize`: what it records, and when it refuses."""

import json
import os
from pathlib import Path

import pytest

from arbees.cli.commands.administer.authorize import app, authorize
from arbees.core.events import Authorized, Bound, decode
from arbees.journal import JournalReader, SqliteJournal
from arbees.settings import load_here

SECRET = "hunter2"
LIVE = {
    "PAPER_TRADING": "0",
    "LIVE_TRADING_AUTHORIZED": "true",
    "KALSHI_API_KEY_ID": SECRET,
    "KALSHI_PRIVATE_KEY": SECRET,
    "JOURNAL_PATH": "arbees-{mode}.db",
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    """Stand in an empty folder of one's own, with live settings."""
    os.chdir(tmp_path)
    os.environ.update(LIVE)


def recorded() -> list[object]:
    """Return the events of the live journal."""
    reader = JournalReader("arbees-live.db")
    try:
        return [decode(stored.body) for stored in reader.records()]
    finally:
        reader.close()


def test_record_names_who_why_until_when_and_which_settings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The live journal gets who, why, until when, and every setting without its secrets."""
    assert authorize(reason=" first day ", until="2100-01-01T00:00:00Z") == 0
    settings = load_here()
    bound, event = recorded()
    assert bound == Bound(account="main", environment="local", mode="live")
    assert isinstance(event, Authorized)
    assert event.reason == "first day"
    assert event.until_ns == 4_102_444_800_000_000_000
    assert event.settings_hash == settings.hash
    assert event.settings == settings.recorded()
    assert "@" in event.actor
    assert SECRET not in str(event)
    said = capsys.readouterr().out
    assert settings.hash in said
    assert "until 2100-01-01T00:00:00.000Z" in said


def test_later_records_follow(capsys: pytest.CaptureFixture[str]) -> None:
    """Authorizing again appends another record; --json tells it."""
    assert authorize(reason="first") == 0
    os.environ["MAX_ORDER_SIZE"] = "50"
    capsys.readouterr()
    assert authorize(reason="second", as_json=True) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["reason"], data["until"], data["sequence"]) == ("second", None, 3)
    assert data["settings"]["MAX_ORDER_SIZE"] == "50"
    assert [type(event).__name__ for event in recorded()] == ["Bound", "Authorized", "Authorized"]


@pytest.mark.parametrize(
    ("reason", "until"),
    [
        ("", None),
        ("  ", None),
        ("a\nb", None),
        ("a" * 501, None),
        ("x", "tomorrow"),
        ("x", "2100-01-01"),
        ("x", "2020-01-01T00:00:00Z"),
    ],
)
def test_no_reason_or_no_time(
    capsys: pytest.CaptureFixture[str], reason: str, until: str | None
) -> None:
    """Without a reason, or with an end that is no time to come, it is a usage error."""
    assert authorize(reason=reason, until=until) == 2
    assert capsys.readouterr().err.startswith("--reason: " if until is None else "--until: ")
    assert not Path("arbees-live.db").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"PAPER_TRADING": "1"}, "PAPER_TRADING: Expected settings that mean live trading"),
        ({"LIVE_TRADING_AUTHORIZED": "false"}, "CRITICAL: PAPER_TRADING=0"),
        ({"KALSHI_PRIVATE_KEY": ""}, "LIVE_PLATFORMS: Expected credentials of a platform"),
        ({"MAX_ORDER_SIZE": "abc"}, "MAX_ORDER_SIZE: Expected a number"),
    ],
)
def test_settings_that_are_not_live_refuse(
    capsys: pytest.CaptureFixture[str], change: dict[str, str], said: str
) -> None:
    """Settings that are wrong or do not mean live trading end with 78 and record nothing."""
    os.environ.update(change)
    assert authorize(reason="x") == 78
    assert capsys.readouterr().err.startswith(said)
    assert not Path("arbees-live.db").exists()


def test_running_gateway_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    """While another process writes the journal nothing is recorded, and it says what to do."""
    journal = SqliteJournal.open("arbees-live.db", account="main", environment="local", mode="live")
    try:
        assert authorize(reason="x") == 1
    finally:
        journal.close()
    assert "Stop the gateway, authorize, and start it again" in capsys.readouterr().err
    assert [type(event).__name__ for event in recorded()] == ["Bound"]


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    """`--reason` is needed; `--until` and `--json` may follow."""
    with pytest.raises(SystemExit) as caught:
        app(["--reason", "x", "--until", "2100-01-01T00:00:00Z", "--json"])
    assert caught.value.code in {0, None}
    assert json.loads(capsys.readouterr().out)["reason"] == "x"
    with pytest.raises(SystemExit) as caught:
        app([])
    assert caught.value.code not in {0, None}
