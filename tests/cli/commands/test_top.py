"""`arbees top` goes on whatever the gateway does, and leaves the terminal as it was."""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from arbees.cli.commands.watch.top import LiveView
from arbees.cli.main import main
from arbees.cli.shared import connection
from arbees.cli.shared.exits import Exit
from tests.acceptance.service import Service
from tests.api.fake import halt
from tests.cli.conftest import Served

Capture = pytest.CaptureFixture[str]
SOURCE = str(Path(__file__).parents[3] / "src")


def test_prints_once_where_there_is_no_terminal(served: Served, capsys: Capture) -> None:
    """On a pipe the same is printed, once, without colour and without empty lines."""
    served.gateway.halts = (halt(),)
    assert main(["top"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("  PAPER   HALTED")
    assert "HALTED   all by http" in said.out
    assert "OFF    order_size: a test" in said.out
    assert "\x1b" not in said.out
    assert "\n\n" not in said.out
    assert said.err == ""


def test_json(served: Served, capsys: Capture) -> None:
    """A program gets what people see."""
    assert main(["top", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["error"] is None
    assert found["status"]["state"] == "ACTIVE"
    assert found["decisions"] == []


def test_unreachable_once(nobody: str, capsys: Capture) -> None:
    """A single look at nobody ends with 69, and says so in the same place."""
    assert main(["top", "--once"]) == 69
    assert "UNREACHABLE" in capsys.readouterr().out


def test_starting(starting: str, capsys: Capture) -> None:
    """A gateway that is not ready is told, with its reason."""
    assert main(["top", "--once"]) == 5
    assert "NOT READY  STARTING" in capsys.readouterr().out


def test_keeps_what_it_saw(served: Served) -> None:
    """After a lost answer the last state stays, marked as old."""
    watch = LiveView(connection.find(), 1.0)
    try:
        assert watch.look().error == ""
        os.environ["ARBEES_URL"] = "http://127.0.0.1:1"
        lost = LiveView(connection.find(), 1.0)
        lost.seen.status = watch.seen.status
        assert "refused" in lost.look().error
        assert lost.seen.status is not None
        assert lost.code is Exit.UNREACHABLE
    finally:
        watch.close()


class Screen:
    """`arbees top` in a terminal of 80 by 24, and all that it drew."""

    def __init__(self, url: str) -> None:
        """Start it."""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "arbees", "top", "--every", "0.2"],
            env={**os.environ, "PYTHONPATH": SOURCE, "TERM": "xterm", "ARBEES_URL": url},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        self.slave = slave

    def wait_for(self, mark: str, seconds: float = 20.0) -> str:
        """Return what is drawn until a text shows."""
        heard, end = b"", time.monotonic() + seconds
        while mark.encode() not in heard:
            assert select.select([self.master], [], [], max(0, end - time.monotonic()))[0], heard
            heard += os.read(self.master, 65_536)
        return heard.decode(errors="replace")

    def close(self) -> None:
        """Leave nothing behind."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def test_lives_through_a_restart(tmp_path: Path) -> None:
    """In a real terminal: active, unreachable, active again with what happened, and q ends it."""
    service = Service(tmp_path)
    service.start()
    screen = Screen(f"http://127.0.0.1:{service.port}")
    try:
        screen.wait_for("PAPER   ACTIVE")
        screen.wait_for("STARTED")
        service.end()
        screen.wait_for("UNREACHABLE")
        service.start()
        screen.wait_for("PAPER   ACTIVE")
        os.write(screen.master, b"x")
        os.write(screen.master, b"q")
        screen.wait_for("\x1b[?1049l")
        assert screen.process.wait(10) == 0
        assert termios.tcgetattr(screen.slave) == screen.before
    finally:
        screen.close()
        service.close()
