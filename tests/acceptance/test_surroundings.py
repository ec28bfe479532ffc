"""A service whose terminal, pipes and signals are not as one would wish: it trades, and ends well.

Each runs `arbees run` in a process of its own with a resting order, and looks into the paper
exchange's own book for what is left of it.
"""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.service import PATIENCE, Service

QUOTE = {
    "platform": "Kalshi",
    "market_id": "M",
    "sport": "NBA",
    "game_id": "g",
    "bids": [["0.59", "900"]],
    "asks": [["0.61", "900"]],
}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Name a service; a test starts it as it likes."""
    found = Service(tmp_path)
    yield found
    found.close()


def start(service: Service, line: str) -> None:
    """Start it through a line of the shell, and wait until it is ready."""
    service.process = subprocess.Popen(
        ["bash", "-c", line, "x", sys.executable, "-m", "arbees", "run"],
        cwd=service.folder,
        env=service.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert service.process.poll() is None
        try:
            if service.get("/readyz")[0] == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("Expected it to be ready, it is not")


def order(name: str, price: str, **more: str) -> dict[str, object]:
    """Return a request to buy one."""
    return {
        "request_id": name,
        "idempotency_key": name,
        "platform": "Kalshi",
        "market_id": "M",
        "side": "Yes",
        "size": 1,
        "limit_price": price,
        **more,
    }


def trade(service: Service) -> None:
    """Fill an order, and let another rest."""
    assert service.ask("POST", "/v1/quotes", QUOTE)[0] == 200
    assert service.submit(order("a", "0.61"))[1]["status"] == "Filled"
    rest = order("b", "0.30", time_in_force="GTC")
    assert service.submit(rest, "?wait=2")[1]["status"] == "Pending"
    assert working(service) == 1


def working(service: Service) -> int:
    """Count what still works at the paper exchange."""
    link = sqlite3.connect(f"file:{service.folder / 'paper.db'}?mode=ro", uri=True)
    try:
        rows = link.execute("select count(*) from orders where status in ('working', 'pending')")
        return int(rows.fetchone()[0])
    finally:
        link.close()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGINT])
def test_every_end_is_orderly(service: Service, number: signal.Signals) -> None:
    """A closed terminal, the quit key, Ctrl-C, a manager's TERM: all cancel what rests."""
    service.start()
    trade(service)
    assert service.end(number) == 0
    assert working(service) == 0


@pytest.mark.parametrize("second", [signal.SIGHUP, signal.SIGTERM])
def test_a_closed_terminal_says_so_twice(service: Service, second: signal.Signals) -> None:
    """Kernel and shell both send SIGHUP, and a manager TERM besides: that is no second demand."""
    service.start()
    trade(service)
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)
    service.process.send_signal(second)
    assert service.end(signal.SIGHUP) == 0
    assert working(service) == 0


def test_nohup_lives_on(service: Service) -> None:
    """Who starts it to survive the terminal is obeyed."""
    start(service, "trap '' HUP; exec \"$@\"")
    trade(service)
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)
    assert service.get("/readyz")[0] == 200
    assert working(service) == 1
    assert service.end() == 0


@pytest.mark.parametrize(
    "line",
    [
        'exec "$@" <&-',
        'exec "$@" >&-',
        'exec "$@" 2>&-',
        'exec "$@" <&- >&- 2>&-',
        'exec "$@" >/dev/full',
        'exec "$@" 2>/dev/full',
        'exec "$@" >/dev/full 2>&1',
    ],
)
def test_closed_and_full_streams(service: Service, line: str) -> None:
    """It starts, trades and ends in order, and no message lands in a file of its own."""
    start(service, line)
    trade(service)
    assert service.end() == 0
    assert working(service) == 0
    assert service.command("audit", "verify").returncode == 0


def test_a_pipe_that_nobody_reads(service: Service) -> None:
    """What is logged to a full pipe is lost; trading, and a stop, wait for no reader."""
    reader, writer = os.pipe()
    service.environment["LOG_FORMAT"] = "json"
    service.process = subprocess.Popen(
        [sys.executable, "-m", "arbees", "run"],
        cwd=service.folder,
        env=service.environment,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
    )
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if service.get("/readyz")[0] == 200:
                break
        except OSError:
            time.sleep(0.02)
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, b"x" * 4096):
            pass
    os.set_blocking(writer, True)
    trade(service)
    begun = time.monotonic()
    assert service.kill("ENABLE")[1]["durable"] is True
    assert time.monotonic() - begun < 2
    assert service.end() == 0
    assert working(service) == 0
    os.close(reader)
    os.close(writer)


def test_a_terminal_that_closes_during_the_start(service: Service) -> None:
    """What rested before a crash is cancelled by the start, which hears it as soon as it can."""
    service.start()
    trade(service)
    service.end(signal.SIGKILL)
    assert working(service) == 1
    with (service.folder / "stderr").open("ab") as log:
        service.process = subprocess.Popen(
            [sys.executable, "-m", "arbees", "run"],
            cwd=service.folder,
            env=service.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        deadline = time.monotonic() + PATIENCE
        while "paper trading" not in (service.folder / "stderr").read_text().rpartition("Ready")[2]:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        service.process.send_signal(signal.SIGHUP)
        assert service.process.wait(PATIENCE) == 0
    assert working(service) == 0
