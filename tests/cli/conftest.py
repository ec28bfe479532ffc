"""A gateway by hand behind a real server, in a thread of its own."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from arbees.api import ApiServer
from arbees.interface.views import Follower
from tests.api.fake import FakeGateway, receipt


class Served(NamedTuple):
    """A gateway that is served, and the file that halts without it."""

    gateway: FakeGateway
    address: str
    kill_file: Path


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Undo what `arbees run`, called in this process, does to it: permissions, signals."""
    umask, mask = os.umask(0o022), signal.pthread_sigmask(signal.SIG_BLOCK, ())
    os.umask(umask)
    yield
    os.umask(umask)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def serving(gateway: FakeGateway | None, follower: Follower | None = None) -> Iterator[str]:
    """Serve a gateway and its follower; None = it is still starting."""
    loop = asyncio.new_event_loop()
    server = ApiServer(gateway, "127.0.0.1", 0, stop_seconds=0.1, follower=follower)
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.address
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def kill_file(tmp_path: Path) -> Path:
    """Name the kill-switch file of this test, which is not there."""
    path = tmp_path / "kill_switch"
    os.environ["KILL_SWITCH_FILE"] = str(path)
    return path


@pytest.fixture
def served(kill_file: Path) -> Iterator[Served]:
    """Serve a gateway that the command line finds."""
    gateway = FakeGateway()
    gateway.receipts["receipt-1"] = replace(receipt(), complete=True)
    with serving(gateway) as address:
        os.environ["ARBEES_URL"] = address
        yield Served(gateway, address, kill_file)


@pytest.fixture
def starting(kill_file: Path) -> Iterator[str]:
    """Serve a gateway that is still starting."""
    with serving(None) as address:
        os.environ["ARBEES_URL"] = address
        yield address


@pytest.fixture
def nobody(kill_file: Path) -> str:
    """Point the command line to where nobody listens."""
    address = "http://127.0.0.1:1"
    os.environ["ARBEES_URL"] = address
    return address
