"""A server with a follower, and a connection to it."""

from collections.abc import AsyncIterator

import pytest

from arbees.api import ApiServer
from tests.api.fake import NOW_NS, FakeGateway, Wire
from tests.api.fake_follower import FakeFollower


@pytest.fixture
def follower() -> FakeFollower:
    """Return what reads at length."""
    return FakeFollower()


@pytest.fixture
async def wire(gateway: FakeGateway, follower: FakeFollower) -> AsyncIterator[Wire]:
    """Connect to a server with a follower."""
    server = ApiServer(gateway, "127.0.0.1", 0, now_ns=lambda: NOW_NS, follower=follower)
    await server.start()
    wire = await Wire.open(server.address)
    yield wire
    wire.close()
    await server.stop()
