"""A server on a free port, on the loop that the service uses."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from arbees.api import ApiServer
from tests.api.fake import NOW_NS, FakeGateway, Wire


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run on uvloop, as the service does."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
def gateway() -> FakeGateway:
    """Return a gateway that fills everything."""
    return FakeGateway()


@pytest.fixture
async def server(gateway: FakeGateway) -> AsyncIterator[ApiServer]:
    """Serve the gateway."""
    server = ApiServer(gateway, "127.0.0.1", 0, now_ns=lambda: NOW_NS, stop_seconds=1)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def wire(server: ApiServer) -> AsyncIterator[Wire]:
    """Connect to the server."""
    wire = await Wire.open(server.address)
    yield wire
    wire.close()
