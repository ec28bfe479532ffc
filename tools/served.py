"""A gateway in a process of its own, for tools that ask much of it.

Guarantees files and a port of its own in a folder, quotes that stay fresh while it runs, and that
it does not outlive the tool. What it uses of memory and descriptors is read from /proc.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60.0
QUOTES_EVERY_SECONDS = 1.0
MARKETS = tuple(f"FUZZ-{number}" for number in range(8))
SETTINGS = {
    "MAX_ORDERS_PER_MINUTE": "1000000",
    "MAX_ORDERS_PER_HOUR": "1000000",
    "MAX_REPEATED_EXECUTIONS": "1000000",
    "MAX_OPEN_ORDERS": "100000",
    "MAX_POSITION_PER_MARKET": "1000000",
    "MAX_GAME_EXPOSURE": "1000000",
    "MAX_SPORT_EXPOSURE": "1000000",
    "MAX_TOTAL_EXPOSURE": "1000000",
    "MAX_DAILY_LOSS": "1000000",
    "PAPER_BALANCE": "1000000",
}
"""Limits so wide that requests reach the exchange, however many there are."""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


class Served:
    """
    `arbees run` on paper.

    Attributes:
        folder: where its files are.
        port: on 127.0.0.1.
        secret: an API key with every scope, once `take_key` made one.
        key_id: its public part.
        environment: of its process.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        """Name files and a port; nothing runs yet."""
        self.folder = folder
        self.port = free_port()
        self.secret = ""
        self.key_id = ""
        files = {
            "HTTP_PORT": str(self.port),
            "JOURNAL_PATH": str(folder / "journal.db"),
            "PAPER_BOOK_PATH": str(folder / "paper.db"),
            "AUDIT_LOG_PATH": str(folder / "audit.jsonl"),
            "KILL_SWITCH_FILE": str(folder / "kill"),
        }
        self.environment = {**os.environ, **SETTINGS, **files, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._is_over = threading.Event()
        self._feeder = threading.Thread(target=self._feed, daemon=True)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it said, without the audit lines."""
        lines = (self.folder / "stderr").read_text(encoding="utf-8").splitlines()
        return "\n".join(line for line in lines if '"logger":"audit"' not in line)

    def start(self) -> None:
        """Start, wait until it is ready, and begin to feed quotes. Raises RuntimeError."""
        with (self.folder / "stderr").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "arbees", "run"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + PATIENCE_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"Expected a gateway that serves, it said: {self.log[-2_000:]}")
            time.sleep(0.02)
        self._quote()
        self._feeder.start()

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            return self.ask("GET", "/readyz")[0] == 200
        return False

    def stop(self) -> None:
        """End it in order, and wait."""
        self._is_over.set()
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Ask, and return status and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        headers = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        text = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            text = json.dumps(body)
        try:
            connection.request(method, path, text, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def take_key(self) -> None:
        """Make the first API key, with every scope; from then on everything needs one."""
        scopes = ["submit", "cancel", "read", "halt", "resume", "admin"]
        status, made = self.ask("POST", "/v1/keys", {"name": "tool", "scopes": scopes})
        if status != 201:
            raise RuntimeError(f"Expected a key, was {status} {made}")
        self.secret, self.key_id = made["secret"], made["key"]["key_id"]

    def _feed(self) -> None:
        while not self._is_over.wait(QUOTES_EVERY_SECONDS):
            with contextlib.suppress(OSError, ValueError):
                self._quote()

    def _quote(self) -> None:
        self.ask("POST", "/v1/quotes", [quote(market) for market in MARKETS])

    def memory(self) -> int:
        """Return the resident memory of the process, in bytes."""
        pages = int(self._proc("statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        """Return how many file descriptors the process holds."""
        return len(list(self._proc("fd").iterdir()))

    def _proc(self, name: str) -> Path:
        assert self._process is not None
        return Path("/proc") / str(self._process.pid) / name


def quote(market_id: str) -> dict[str, Any]:
    """Return a quote of a market with much to be had on both sides."""
    return {
        "platform": "Kalshi",
        "market_id": market_id,
        "sport": "SOCCER",
        "game_id": f"GAME-{market_id}",
        "bids": [[0.48, 100_000], [0.47, 100_000]],
        "asks": [[0.52, 100_000], [0.53, 100_000]],
    }


@contextlib.contextmanager
def serving(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Run a gateway while a block runs."""
    served = Served(folder, settings)
    try:
        served.start()
        yield served
    finally:
        served.stop()
