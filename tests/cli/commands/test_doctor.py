"""`arbees doctor` says whether a gateway would run here."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from arbees.cli.commands.start.doctor import exit_of, show
from arbees.cli.commands.start.host import fail, ok, warn
from arbees.cli.main import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Path:
    """Go to a folder with settings as `init` leaves them, on a port of its own."""
    os.chdir(tmp_path)
    assert main(["init", "--yes", "--port", "8399", "--kill-file", "stop"]) == 0
    return tmp_path


def test_fresh_start_is_well(folder: Path, capsys: Capture) -> None:
    """After `init` nothing fails, and nothing was changed."""
    before = {path.name for path in folder.rglob("*")}
    capsys.readouterr()
    assert main(["doctor"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "journal" in said.out
    assert "the first start makes it" in said.out
    assert {path.name for path in folder.rglob("*")} == before


def test_json(capsys: Capture) -> None:
    """A program reads each check with its state and how to mend it."""
    capsys.readouterr()
    os.environ["AUDIT_LOG_PATH"] = "nowhere/audit.jsonl"
    assert main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    (bad,) = (each for each in found["checks"] if each["state"] == "fail")
    assert bad["name"] == "audit log"
    assert "mkdir -p nowhere" in bad["mend"]


def test_settings_that_refuse(capsys: Capture) -> None:
    """Every bad setting is listed with its fix, as `config check` would, and the code is its."""
    os.environ |= {"MAX_SAFE_PRICE": "95", "PAPER_TRADING": "ture"}
    assert main(["doctor"]) == 78
    said = capsys.readouterr().out
    assert "MAX_SAFE_PRICE" in said
    assert "PAPER_TRADING" in said
    assert main(["config", "check"]) == 78


def test_live_without_authority(capsys: Capture) -> None:
    """Half of the flags is a refusal too."""
    os.environ |= {"PAPER_TRADING": "0"}
    assert main(["doctor"]) == 78
    assert "LIVE_TRADING_AUTHORIZED" in capsys.readouterr().out


def test_safeguard_that_is_off(capsys: Capture) -> None:
    """It is a warning that cannot be overlooked."""
    os.environ |= {"DISABLED_SAFEGUARDS": "freshness", "DISABLED_SAFEGUARDS_REASON": "a test"}
    assert main(["doctor"]) == 0
    assert "Safeguard freshness is OFF: a test" in capsys.readouterr().out


def test_gateway_runs_on_what_init_wrote(folder: Path, capsys: Capture) -> None:
    """`arbees run` starts on what `init` wrote, and `doctor` knows it as our own."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        number = bound.getsockname()[1]
    assert main(["init", "--yes", "--force", "--port", str(number), "--kill-file", "stop"]) == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "arbees", "run"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert any("Ready on" in line for line in process.stderr)
        capsys.readouterr()
        assert main(["doctor"]) == 0
        said = capsys.readouterr().out
        assert f"A gateway runs at http://127.0.0.1:{number}: paper, ACTIVE" in said
        assert f"written by pid {process.pid}" in said
        assert "other settings" not in said
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_exit_codes() -> None:
    """Warnings end with 0, failures with 1, refused settings with 78."""
    assert exit_of([ok("a", ""), warn("b", "", "")], is_refused=False) == 0
    assert exit_of([ok("a", ""), fail("b", "", "")], is_refused=False) == 1
    assert exit_of([fail("b", "", "")], is_refused=True) == 78


def test_shows_how_to_mend(capsys: Capture) -> None:
    """Below what is not well stands what to do; the last line counts."""
    show([ok("clock", "good"), warn("port", "odd\x1b[2J", "look"), fail("disk", "full", "free it")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "ok   clock  good",
        "warn port   odd\\x1b[2J",
        "            look",
        "fail disk   full",
        "            free it",
        "1 ok, 1 warn, 1 fail",
    ]
