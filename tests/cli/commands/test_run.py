"""`arbees run`: what it prints before it starts, and the whole way once with the real gateway."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from arbees.cli.commands.start.run import banner
from arbees.cli.main import main
from arbees.settings import load
from tests.api.fake import body
from tests.cli.test_main import SOURCE

Capture = pytest.CaptureFixture[str]


def test_banner(capsys: Capture) -> None:
    """Mode, address and journal stand on stderr before anything starts."""
    banner(load({"HTTP_PORT": "8400"}))
    said = capsys.readouterr()
    assert said.out == ""
    assert "Arbees, paper trading" in said.err
    assert "http://127.0.0.1:8400" in said.err
    assert "var/arbees-paper.db" in said.err
    assert "0 off" in said.err


def test_banner_shows_what_is_off(capsys: Capture) -> None:
    """A safeguard that is off is named with its reason."""
    off = {"DISABLED_SAFEGUARDS": "order_size", "DISABLED_SAFEGUARDS_REASON": "a rehearsal"}
    banner(load(off))
    said = capsys.readouterr().err
    assert "1 off" in said
    assert "order_size: a rehearsal" in said


def test_live_without_authority_is_78(capsys: Capture) -> None:
    """Live trading without its second flag refuses with the requirements' three facts."""
    os.environ["PAPER_TRADING"] = "0"
    assert main(["run"]) == 78
    assert "Live trading is DISABLED for safety" in capsys.readouterr().err


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


class Running:
    """A gateway in a process of its own."""

    def __init__(self, folder: Path, early: signal.Signals | None = None) -> None:
        """Start it, and wait until it is ready; `early` is sent with the first line it prints."""
        os.environ |= {
            "PYTHONPATH": SOURCE,
            "HTTP_PORT": str(free_port()),
            "AUDIT_LOG_PATH": str(folder / "audit.jsonl"),
            "JOURNAL_PATH": str(folder / "journal.db"),
            "PAPER_BOOK_PATH": str(folder / "paper.db"),
            "KILL_SWITCH_FILE": str(folder / "kill"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "arbees", "run"], stderr=subprocess.PIPE, text=True
        )
        self.said: list[str] = []
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if early is not None and not self.said:
                self.process.send_signal(early)
            self.said.append(line)
            if found := re.search(r"Ready on (http://\S+)", line):
                os.environ["ARBEES_URL"] = found[1]
                return
        self.clean_up()
        raise AssertionError("".join(self.said))

    def clean_up(self) -> None:
        """Leave no process and no pipe behind."""
        self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, and return its exit code."""
        self.process.send_signal(number)
        assert self.process.stderr is not None
        self.said += self.process.stderr
        return self.process.wait(30)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Run a gateway."""
    os.chdir(tmp_path)
    running = Running(tmp_path)
    yield running
    running.clean_up()


def test_from_start_to_stop(running: Running, tmp_path: Path, capsys: Capture) -> None:
    """A gateway starts, denies, halts, says so, stops, and leaves a journal that verifies."""
    assert any("paper trading" in line for line in running.said)
    request = tmp_path / "request.json"
    request.write_bytes(body())
    assert main(["submit", str(request), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["code"] == "MARKET_UNKNOWN"
    assert main(["kill", "on", "--reason", "a test"]) == 0
    request.write_bytes(body(request_id="req-2", idempotency_key="key-2"))
    assert main(["submit", str(request)]) == 4
    assert main(["status"]) == 0
    assert "a test" in capsys.readouterr().out
    assert running.end() == 0
    assert main(["audit", "verify", "--log", str(tmp_path / "audit.jsonl")]) == 0
    assert "Intact" in capsys.readouterr().out
    assert main(["status"]) == 69


def test_a_halt_by_signal_while_starting_is_not_lost(tmp_path: Path, capsys: Capture) -> None:
    """SIGUSR1 before anybody can hear it halts as soon as somebody can, and ends nothing."""
    os.chdir(tmp_path)
    running = Running(tmp_path, early=signal.SIGUSR1)
    try:
        assert main(["kill", "status"]) == 0
        assert "SIGUSR1" in capsys.readouterr().out
        assert running.end() == 0
    finally:
        running.clean_up()


def test_files_are_not_for_everybody(running: Running, tmp_path: Path) -> None:
    """What is traded, and why, is not for other users to read, whatever the umask."""
    assert running.end() == 0
    written = [path for path in tmp_path.iterdir() if path.is_file()]
    assert {path.name for path in written} >= {"journal.db", "paper.db", "audit.jsonl"}
    assert [path.name for path in written if path.stat().st_mode & 0o027] == []
    private = [path for path in written if not path.name.startswith(("paper", "stderr", "log"))]
    assert [path.name for path in private if path.stat().st_mode & 0o077] == []
