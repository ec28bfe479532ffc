"""A gateway process under the hand of a test: started, killed, started again, asked again, stopped.

Guarantees that it sees nothing of the surroundings but what it needs, that its files lie in one
folder, and that whatever it promised before a kill is compared, word by word, with what it says
afterwards.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from arbees.core.language.units import MICRO
from arbees.wiring.bootstrap import Files
from verification.barrage import (
    CONNECTIONS,
    Barrage,
    Body,
    SentRequest,
)
from verification.evidence import ExposureLimits
from verification.http import HttpConnection

START_SECONDS = 30.0
STOP_SECONDS = 30.0
KNOWN_SECONDS = 20.0

SETTINGS = {
    "MAX_ORDER_SIZE": "10",
    "MAX_ORDER_CONTRACTS": "1000",
    "MAX_POSITION_PER_MARKET": "40",
    "MAX_GAME_EXPOSURE": "120",
    "MAX_SPORT_EXPOSURE": "800",
    "MAX_TOTAL_EXPOSURE": "800",
    "MAX_ORDERS_PER_MINUTE": "10000",
    "MAX_ORDERS_PER_HOUR": "100000",
    "MAX_OPEN_ORDERS": "10000",
    "MAX_UNKNOWN_ORDERS": "1000",
    "MAX_DAILY_LOSS": "100000",
    "MAX_REPEATED_EXECUTIONS": "100000",
    "PAPER_BALANCE": "1000000",
    "VENUE_ERRORS_TO_OPEN": "1000",
    "LOG_LEVEL": "warning",
}
"""Limits so wide that at least half of the barrage passes, and so narrow that they bind."""

LIMITS = ExposureLimits(
    order=10 * MICRO, contracts=1_000 * MICRO, market=40 * MICRO, total=800 * MICRO
)
"""The same, for the comparison with the exchange's own book."""

_KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR")


def files_in(folder: Path) -> Files:
    """Return the files of a gateway in a folder."""
    return Files(folder / "journal.db", folder / "paper.db", folder / "audit.jsonl")


class Process:
    """One gateway, as often as it is started."""

    def __init__(
        self, folder: Path, lost: str = "0", settings: Mapping[str, str] = SETTINGS
    ) -> None:
        """
        Prepare; nothing runs yet.

        Args:
            folder: where it keeps everything.
            lost: chance that the exchange's answer to an order is lost, as text.
            settings: by name.
        """
        self._settings = settings
        self._folder = folder
        self._lost = lost
        self._child: asyncio.subprocess.Process | None = None
        self.port = free_port()

    def _environment(self) -> dict[str, str]:
        files = files_in(self._folder)
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            **self._settings,
            "HTTP_PORT": str(self.port),
            "JOURNAL_PATH": str(files.journal),
            "PAPER_BOOK_PATH": str(files.paper_book),
            "AUDIT_LOG_PATH": str(files.audit_log),
            "KILL_SWITCH_FILE": str(self._folder / "kill_switch"),
        }

    async def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it is ready. Raises TimeoutError, or OSError if it ended."""
        with (self._folder / "stderr").open("ab") as errors:
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "verification.victim", "--lost-answers", self._lost),
                cwd=self._folder,
                env=self._environment(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=errors,
            )
        if wait:
            async with asyncio.timeout(START_SECONDS):
                while not await self._is_ready():  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.02)

    async def _is_ready(self) -> bool:
        if self._child is not None and self._child.returncode is not None:
            raise OSError(f"it ended with {self._child.returncode}")
        try:
            async with await HttpConnection.open(self.port) as connection:
                status, _ = await connection.ask("GET", "/readyz")
        except OSError:
            return False
        return status == 200

    async def kill(self) -> None:
        """End it at once, as `kill -9`."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to stop, and return how it ended. Raises TimeoutError."""
        async with asyncio.timeout(STOP_SECONDS):
            return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        child = self._child
        if child is None:
            return 0
        if child.returncode is None:
            child.send_signal(number)
        return await child.wait()

    @property
    def pid(self) -> int:
        """Number of the process. Raises OSError where none runs."""
        if self._child is None or self._child.returncode is not None:
            raise OSError("no process runs")
        return self._child.pid

    def last_words(self) -> str:
        """Return the end of what it wrote to stderr."""
        return (self._folder / "stderr").read_text("utf-8", "replace")[-2_000:]


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# Promises --------------------------------------------------------------------------------------


async def repeat_all(port: int, barrage: Barrage) -> list[str]:
    """Look up everything that was acknowledged, send everything again; return what was broken."""
    broken: list[str] = []
    acknowledged = [sent for sent in barrage.sent if sent.is_acknowledged]
    bodies = list(barrage.bodies())

    async def work(number: int) -> None:
        async with await HttpConnection.open(port) as connection:
            for sent in acknowledged[number::CONNECTIONS]:
                broken.extend(await _look_up(connection, sent))
            for body in bodies[number::CONNECTIONS]:
                status, answer = await connection.ask("POST", "/v1/executions?wait=0", body)
                if status not in {200, 202}:
                    broken.append(f"{body['request_id']}: asked again, was {status} {answer}")

    await asyncio.gather(*(work(number) for number in range(CONNECTIONS)))
    return broken


async def _look_up(connection: HttpConnection, sent: SentRequest) -> list[str]:
    before = sent.answer or {}
    name = sent.body["request_id"]
    if before.get("code") in {"DUPLICATE_REQUEST", "IDEMPOTENCY_CONFLICT"}:
        return []
    status, after = await connection.ask("GET", f"/v1/executions/{name}")
    if status != 200:
        return [f"{name}: acknowledged as {before.get('status')}, now {status}"]
    return [f"{name}: {text}" for text in contradictions(before, after)]


def contradictions(before: Body, after: Body) -> list[str]:
    """
    Return where a later word on a result contradicts an earlier one.

    Args:
        before: as it was acknowledged.
        after: as it is known now, of the same request id.
    """
    found: list[str] = []

    def must(name: str, *, is_kept: bool) -> None:
        if not is_kept:
            found.append(f"{name} was {before.get(name)}, is {after.get(name)}")

    must("sequence", is_kept=after["sequence"] >= before["sequence"])
    must("filled_qty", is_kept=after["filled_qty"] >= before["filled_qty"])
    if before["order_id"] is not None:
        must("order_id", is_kept=after["order_id"] == before["order_id"])
    if before["final"]:
        must("final", is_kept=after["final"])
        if "corrects" not in after:
            for name in ("status", "code", "filled_qty", "avg_price", "fees"):
                must(name, is_kept=after[name] == before[name])
    return found


async def until_known(port: int) -> None:
    """Wait until no order is unknown. Raises TimeoutError."""
    async with await HttpConnection.open(port) as connection, asyncio.timeout(KNOWN_SECONDS):
        unknown = 1
        while unknown:
            _, status = await connection.ask("GET", "/v1/status")
            unknown = status["unknown_orders"]
            await asyncio.sleep(0.05)
