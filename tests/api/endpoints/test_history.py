"""`/v1/executions` without a key, `/v1/fills` and `/v1/pnl` over a connection."""

from collections.abc import AsyncIterator

import pytest

from arbees.api import ApiServer
from arbees.core.language.strict_json import parse_time
from arbees.errors import JournalUnavailable
from arbees.interface.history import HistoryQuery
from tests.api.fake import NOW_NS, FakeGateway, Wire
from tests.api.fake_follower import FakeFollower

pytestmark = pytest.mark.anyio
SINCE = "2026-01-28T05:00:00Z"


@pytest.fixture
def follower() -> FakeFollower:
    """Return a follower that notes what it is asked."""
    return FakeFollower()


@pytest.fixture
async def wire(gateway: FakeGateway, follower: FakeFollower) -> AsyncIterator[Wire]:
    """Connect to a server with that follower."""
    server = ApiServer(gateway, "127.0.0.1", 0, now_ns=lambda: NOW_NS, follower=follower)
    await server.start()
    wire = await Wire.open(server.address)
    yield wire
    wire.close()
    await server.stop()


@pytest.mark.parametrize("path", ["/v1/executions", "/v1/fills"])
async def test_filters_reach_the_follower(wire: Wire, follower: FakeFollower, path: str) -> None:
    """Without a question it is everything; each filter is taken as it was meant."""
    answer = await wire.ask("GET", path)
    assert (answer.status, answer.json["items"]) == (200, [])
    query = f"since={SINCE}&until={SINCE}&strategy=alpha&market=M&cursor=42&limit=5"
    assert (await wire.ask("GET", f"{path}?{query}")).status == 200
    at_ns = parse_time(SINCE)
    assert follower.queries == [
        HistoryQuery(),
        HistoryQuery(
            since_ns=at_ns, until_ns=at_ns, strategy="alpha", market="M", cursor=42, limit=5
        ),
    ]


async def test_results_by_status(wire: Wire, follower: FakeFollower) -> None:
    """Results can be asked for by how they stand."""
    assert (await wire.ask("GET", "/v1/executions?status=Unknown")).status == 200
    assert follower.queries == [HistoryQuery(status="Unknown")]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/executions?status=filled", "status"),
        ("/v1/fills?status=Filled", "status"),
        ("/v1/fills?since=yesterday", "since"),
        ("/v1/fills?cursor=-1", "cursor"),
        ("/v1/fills?cursor=" + "9" * 19, "cursor"),
        ("/v1/fills?limit=0", "limit"),
        ("/v1/fills?limit=1001", "limit"),
        ("/v1/executions?market=", "market"),
        ("/v1/pnl?by=venue", "by"),
        ("/v1/pnl?until=" + SINCE, "until"),
    ],
)
async def test_bad_questions_are_400(
    wire: Wire, follower: FakeFollower, path: str, field: str
) -> None:
    """What cannot be meant names the parameter, and nothing is read."""
    answer = await wire.ask("GET", path)
    assert (answer.status, answer.json["field"]) == (400, field)
    assert follower.queries == []


async def test_profit_and_loss(wire: Wire, follower: FakeFollower) -> None:
    """By strategy unless asked otherwise, since ever unless asked otherwise."""
    assert (await wire.ask("GET", "/v1/pnl")).json["by"] == "strategy"
    assert (await wire.ask("GET", f"/v1/pnl?by=day&since={SINCE}")).json["by"] == "day"
    assert follower.queries == [("strategy", None, None), ("day", parse_time(SINCE), None)]


@pytest.mark.parametrize("path", ["/v1/executions", "/v1/fills", "/v1/pnl"])
async def test_a_journal_that_cannot_be_read_is_503(
    wire: Wire, follower: FakeFollower, path: str
) -> None:
    """The answer says that it may be asked again."""
    follower.error = JournalUnavailable("the disk is gone")
    answer = await wire.ask("GET", path)
    assert (answer.status, answer.json["code"]) == (503, "JOURNAL_FAILED")
