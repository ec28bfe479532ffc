"""`arbees config`: what it prints and how it ends."""

import json
import os
from pathlib import Path

import pytest

from arbees.cli.commands.administer.config import app, check, show
from arbees.settings import load

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    """Stand in an empty folder of one's own."""
    os.chdir(tmp_path)


def test_good_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """Good settings end with 0 and tell mode and hash."""
    assert check() == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith("The settings are good: paper trading, 0 set")
    assert load({}).hash in said.out


def test_every_problem_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Problems of all sources go to stderr, one line each, and end with 78."""
    Path(".env").write_text("MAX_ORDER_SIZ=5\n")
    Path("arbees.toml").write_text("[order_sise]\n")
    os.environ["MAX_ORDERS_PER_HOUR"] = "abc"
    assert check() == 78
    said = capsys.readouterr()
    assert said.out == ""
    assert [line.partition(":")[0] for line in said.err.splitlines()] == [
        "[order_sise]",
        "MAX_ORDER_SIZ",
        "MAX_ORDERS_PER_HOUR",
    ]
    assert show() == 78
    assert capsys.readouterr().err == said.err


def test_problems_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json each problem has its parts on stdout."""
    os.environ["MAX_ORDER_SIZE"] = "-1"
    assert check(as_json=True) == 78
    data = json.loads(capsys.readouterr().out)
    assert data["ok"] is False
    assert data["mode"] is None
    (found,) = data["problems"]
    assert (found["setting"], found["value"]) == ("MAX_ORDER_SIZE", "-1")
    assert found["fix"].startswith("Set a number from 0.01")


def test_good_settings_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json good settings say so, with mode, hash and what is switched off."""
    os.environ.update(DISABLED_SAFEGUARDS="market", DISABLED_SAFEGUARDS_REASON="x")
    assert check(as_json=True) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["ok"], data["mode"], data["problems"]) == (True, "paper", [])
    assert data["disabled_safeguards"] == {"market": "x"}


def test_one_flag_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """PAPER_TRADING=0 alone ends with 78 and the three facts, as a start would."""
    os.environ["PAPER_TRADING"] = "0"
    assert check() == 78
    said = capsys.readouterr().err
    assert "CRITICAL: PAPER_TRADING=0 but LIVE_TRADING_AUTHORIZED not set\n" in said
    assert show() == 0


def test_live_without_credentials_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Live settings that name no account end with 78, as a start on them would."""
    os.environ.update(PAPER_TRADING="0", LIVE_TRADING_AUTHORIZED="true")
    assert check() == 78
    assert "Expected credentials of a platform" in capsys.readouterr().err


def test_live_on_a_venue_without_an_adapter_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """What this version cannot trade on is no good setting, however complete it is."""
    os.environ.update(
        PAPER_TRADING="0",
        LIVE_TRADING_AUTHORIZED="true",
        POLYMARKET_PRIVATE_KEY="0x" + "11" * 32,
        POLYMARKET_FUNDER_ADDRESS="0x" + "22" * 20,
    )
    assert check() == 78
    assert "no live adapter for Polymarket" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environ", "ends", "text"),
    [
        ({"AUDIT_LOG_PATH": "nowhere/audit.jsonl"}, 78, "The folder of nowhere/audit.jsonl"),
        ({"AUDIT_LOG_PATH": "."}, 78, "is no file"),
        ({"AUDIT_LOG_PATH": "audit.jsonl"}, 0, ""),
        ({"AUDIT_LOG_PATH": "nowhere/audit.jsonl", "AUDIT_LOG_ENABLED": "false"}, 0, ""),
        ({}, 0, ""),
    ],
)
def test_the_audit_log_is_looked_at(
    environ: dict[str, str], ends: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A path that a start would refuse is refused here; on paper the default gives way."""
    os.environ.update(environ)
    assert check() == ends
    assert text in capsys.readouterr().err


def test_show_tells_values_and_where_they_come_from(capsys: pytest.CaptureFixture[str]) -> None:
    """Every setting is shown with its source, secrets hidden."""
    Path(".env").write_text(f"MAX_ORDER_SIZE=50\nKALSHI_PRIVATE_KEY={SECRET}\n")
    Path(".env").chmod(0o644)
    assert show() == 0
    said = capsys.readouterr().out
    assert SECRET not in said
    lines = {line.split()[0]: line.split()[1:] for line in said.splitlines() if line}
    assert lines["MAX_ORDER_SIZE"] == ["50", "(.env)"]
    assert lines["KALSHI_PRIVATE_KEY"] == ["***", "(.env)"]
    assert lines["REDIS_URL"] == ["-"]
    assert show(as_json=True) == 0
    said = capsys.readouterr().out
    assert SECRET not in said
    data = json.loads(said)
    assert data["settings"]["MAX_ORDER_SIZE"] == {"value": "50", "origin": ".env"}
    assert data["settings"].keys() == load({}).shown().keys()
    assert check() == 0
    assert "chmod go-r" in capsys.readouterr().err


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The commands are called `check` and `show` and take `--json`."""
    for words in (["check", "--json"], ["show", "--json"]):
        with pytest.raises(SystemExit) as caught:
            app(words)
        assert caught.value.code in {0, None}
        assert json.loads(capsys.readouterr().out)["settings_hash"] == load({}).hash


def test_addresses_of_alerts_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `run` would refuse is no good setting: an address that Apprise does not know."""
    monkeypatch.setenv("ALERT_URLS", "nonsense")
    assert check() == 78
    assert "ALERT_URLS" in capsys.readouterr().err
