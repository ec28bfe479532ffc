"""A gateway in a process of its own, driven over HTTP, signals and the command line.

Guarantees that each has files and a port of its own, and that none outlives its test.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PATIENCE = 30.0
"""Seconds in which anything here must have happened."""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


class Service:
    """`arbees run` with its files in a folder."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        """Name files and a port; nothing runs yet."""
        self.folder = folder
        self.port = free_port()
        self.kill_file = folder / "kill"
        self.journal = folder / "journal.db"
        files = {
            "HTTP_PORT": str(self.port),
            "JOURNAL_PATH": str(self.journal),
            "PAPER_BOOK_PATH": str(folder / "paper.db"),
            "AUDIT_LOG_PATH": str(folder / "audit.jsonl"),
            "KILL_SWITCH_FILE": str(self.kill_file),
        }
        self.environment = {**os.environ, **files, **(settings or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.words: tuple[str, ...] = ("arbees", "run")
        """The module that is run, and its arguments."""

    def start(self) -> None:
        """Start, and wait until it is ready."""
        with (self.folder / "stderr").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.words],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "stderr").read_text()
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("Expected it to be ready, it is not")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal the process, and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """Leave nothing running."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)

    def command(self, *words: str, lines: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a command beside it, on the same settings."""
        return subprocess.run(
            [sys.executable, "-m", "arbees", *words],
            cwd=self.folder,
            env=self.environment,
            input=lines,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any], str | None]:
        """Return status, body and content type of an answer; text stands as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        given = {} if body is None else {"Content-Type": "application/json"}
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        try:
            connection.request(method, path, text, {**given, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.getheader("Content-Type")
        finally:
            connection.close()

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return status and body of a GET."""
        return self.ask("GET", path)[:2]

    def submit(self, request: object, query: str = "") -> tuple[int, dict[str, Any]]:
        """Post a request."""
        return self.ask("POST", f"/v1/executions{query}", request)[:2]

    def kill(self, action: str, **fields: object) -> tuple[int, dict[str, Any]]:
        """Post to the kill switch."""
        body = {"action": action, "reason": "a test", **fields}
        return self.ask("POST", "/v1/kill-switch", body)[:2]
