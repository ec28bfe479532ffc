"""Gives each test a redis-server of its own, and none outlives it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.service import Service
from tests.api.redis.server import RedisServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """Return a redis-server that runs."""
    folder = tmp_path / "redis"
    folder.mkdir()
    made = RedisServer(folder)
    made.start()
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def service(tmp_path: Path, server: RedisServer) -> Iterator[Service]:
    """Return a gateway beside it, which does not run yet."""
    made = Service(tmp_path, {"REDIS_URL": server.url, "REDIS_DOWN_POLICY": "halt"})
    try:
        yield made
    finally:
        made.close()
