"""Somebody who types what a page says, in the order in which it says it.

Guarantees that a command is run as it stands in the page, in a folder that has what a clone has;
only the port, the kill-switch file and the names that a reader fills in are others, and systemd is
played: `systemctl start|stop|restart arbees` start and end a gateway of the reader's own. It fails
with the command and what it printed.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from tests.docs.elsewhere import entry_for
from tests.docs.pages import ROOT, commands_of

CLONED = ("Makefile", "README.md", "pyproject.toml", "requirements.lock", "examples", "deploy")
"""What of a clone the pages' commands need."""
PORT = "8321"
KILL_FILE = "/tmp/arbees_kill_switch"
FILLED_IN = {"REQUEST_ID": "req-1", "RECEIPT_ID": "receipt-1"}
"""What a reader puts in place of a name in capitals."""
READY_SECONDS = 60.0
"""Patience with a machine that does much else."""
COMMAND_SECONDS = 120.0
RUNS = frozenset({"arbees run", "make run"})
PRELUDE = (
    ("quotes", "quote.json"),
    ("executions", "request.json"),
    ("executions", "too-large.json"),
)
"""What somebody who opens a page in the middle of a day has sent before: example to path."""
_SYSTEMD = re.compile(r"systemctl (start|stop|restart) arbees$")


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Reader:
    """Somebody who types what a page says; use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        """
        Prepare.

        Args:
            folder: an empty one, where the clone is to lie.
        """
        self._folder = folder
        self._port = free_port()
        self._gateways: list[subprocess.Popen[str]] = []
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "HTTP_PORT": str(self._port),
            "KILL_SWITCH_FILE": str(folder / "kill_switch"),
            "NO_COLOR": "1",
            "COLUMNS": "100",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for gateway in self._gateways:
            if gateway.poll() is None:
                gateway.kill()
            gateway.communicate()

    def clone(self) -> None:
        """Put there what a clone has, and an environment as `make setup` leaves it."""
        for name in CLONED:
            source, target = ROOT / name, self._folder / name
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
        binaries = self._folder / ".venv" / "bin"
        binaries.mkdir(parents=True)
        for name in ("arbees", "python", "pip"):
            script = binaries / name
            script.write_text(f'#!/bin/sh\nexec "{Path(sys.executable).parent / name}" "$@"\n')
            script.chmod(0o755)
        (binaries / "activate").write_text(f'export PATH="{binaries}:$PATH"\n')
        (self._folder / ".venv" / ".ready").touch()
        self._environment["PATH"] = f"{binaries}:{self._environment['PATH']}"

    def settle(self) -> None:
        """Do what the tutorial begins with: a gateway, a market, a fill and a denial."""
        self.clone()
        (self._folder / ".env").write_text("AUDIT_LOG_PATH=var/execution_audit.jsonl\n")
        self._start(["arbees", "run"])
        gateway = HTTPConnection("127.0.0.1", self._port, timeout=READY_SECONDS)
        for path, example in PRELUDE:
            body = (self._folder / "examples" / example).read_bytes()
            gateway.request("POST", f"/v1/{path}", body, {"Content-Type": "application/json"})
            answer = gateway.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
        gateway.close()

    def type(self, block: str) -> str:
        """
        Type all commands of a block; return what they printed.

        Raises:
            AssertionError: one ended with another code than the page says.
        """
        printed = ""
        for command, promised in commands_of(block):
            bare = command.partition(" #")[0].strip().removeprefix("sudo ")
            systemd = _SYSTEMD.fullmatch(bare)
            if bare.startswith("git clone"):
                self.clone()
            elif bare.startswith("cd "):
                assert bare == "cd arbees"
            elif bare in RUNS and not promised:
                printed += self._start(bare.split())
            elif systemd is not None:
                printed += self._systemctl(systemd.group(1))
            elif entry_for(command) is None:
                printed += self._run(
                    ["bash", "-o", "pipefail", "-c", self._here(command)], promised
                )
        return printed.replace(f":{self._port}", f":{PORT}")

    def run_python(self, block: str) -> str:
        """Run a block of Python as a program of its own; return what it printed."""
        printed = self._run([sys.executable, "-c", self._here(block)], 0)
        return printed.replace(f":{self._port}", f":{PORT}")

    def _here(self, text: str) -> str:
        text = text.replace(f":{PORT}", f":{self._port}")
        text = text.replace(KILL_FILE, self._environment["KILL_SWITCH_FILE"])
        for name, value in FILLED_IN.items():
            text = re.sub(rf"\b{name}\b", value, text)
        return text

    def _run(self, arguments: list[str], promised: int) -> str:
        done = subprocess.run(
            arguments,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert done.returncode == promised, f"{arguments[-1]}: exit {done.returncode}\n{printed}"
        return printed

    def _systemctl(self, verb: str) -> str:
        if verb != "start":
            gateway = self._gateways[-1]
            gateway.send_signal(signal.SIGTERM)
            assert gateway.wait(timeout=READY_SECONDS) == 0
        return "" if verb == "stop" else self._start(["arbees", "run"])

    def _start(self, command: list[str]) -> str:
        log = self._folder / f"gateway-{len(self._gateways)}.log"
        with log.open("w") as file:
            gateway = subprocess.Popen(
                command, cwd=self._folder, env=self._environment, stderr=file, text=True
            )
        self._gateways.append(gateway)
        end = time.monotonic() + READY_SECONDS
        while "Ready on" not in log.read_text():
            assert gateway.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        return log.read_text()
