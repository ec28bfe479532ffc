"""`/v1/quality`, `/metrics` and `POST /v1/drills` over a connection."""

from collections.abc import AsyncIterator

import pytest

from arbees.api import ApiServer
from arbees.core.language.strict_json import parse_time
from arbees.errors import JournalUnavailable
from arbees.interface.drills import FAILURES_MAX, TEXT_MAX
from tests.api.fake import NOW_NS, FakeGateway, Wire, ask
from tests.api.fake_follower import FakeFollower

pytestmark = pytest.mark.anyio


@pytest.fixture
def follower() -> FakeFollower:
    """Return a follower of a random evening."""
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


async def test_quality_of_the_day(wire: Wire, follower: FakeFollower) -> None:
    """Without a question it is the trading day, ungrouped; numbers are JSON numbers."""
    answer = await wire.ask("GET", "/v1/quality")
    assert answer.status == 200
    assert follower.asked == [(None, None)]
    total = answer.json["total"]
    assert isinstance(total["filled_qty"], int | float)
    assert answer.json["groups"] == []


async def test_quality_since_and_by(wire: Wire, follower: FakeFollower) -> None:
    """Both reach the follower as they were meant."""
    since = "2026-01-28T05:00:00Z"
    answer = await wire.ask("GET", f"/v1/quality?since={since}&by=venue")
    assert answer.status == 200
    assert follower.asked == [(parse_time(since), "venue")]
    assert answer.json["groups"][0]["name"] == "Kalshi"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("since=2026-01-28", "since"),
        ("since=2026-01-28T05:00:00", "since"),
        ("by=market", "by"),
        ("by=Venue", "by"),
        ("by=", "by"),
        ("group=venue", "group"),
        ("by=venue&by=sport", "by"),
    ],
)
async def test_questions_that_are_none(
    wire: Wire, follower: FakeFollower, query: str, field: str
) -> None:
    """They are malformed, name the field, and reach nobody."""
    answer = await wire.ask("GET", f"/v1/quality?{query}")
    assert (answer.status, answer.json["field"]) == (400, field)
    assert follower.asked == []


async def test_a_journal_that_cannot_be_read(wire: Wire, follower: FakeFollower) -> None:
    """It is no fault of the one who asks: 503, come again."""
    follower.error = JournalUnavailable("the journal is closed")
    answer = await wire.ask("GET", "/v1/quality")
    assert (answer.status, answer.json["code"]) == (503, "JOURNAL_FAILED")


async def test_metrics_are_text(wire: Wire) -> None:
    """The page has the media type that Prometheus asks for, and takes no question."""
    answer = await wire.ask("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert (await wire.ask("GET", "/metrics?name=x")).status == 400


DRILLS = (
    b'{"limits_hash":"here","settings_hash":"s","host":"h","version":"1",'
    b'"drills":[{"safeguard":"balance","passed":true},'
    b'{"safeguard":"idempotency","passed":false,"failures":["it passed"]}]}'
)


async def test_drills_are_recorded(wire: Wire, gateway: FakeGateway) -> None:
    """Each becomes a record that names who sent it, and whether the limits agree is told."""
    await wire.send(ask("POST", "/v1/drills", DRILLS))
    answer = await wire.answer()
    assert answer.status == 201
    assert answer.json == {"recorded": 2, "limits_agree": True, "sequence": 9}
    first, second = gateway.drills
    assert (first.safeguard, first.is_passed, first.failures) == ("balance", True, ())
    assert (second.is_passed, second.failures) == (False, ("it passed",))
    assert first.actor
    await wire.send(ask("POST", "/v1/drills", DRILLS.replace(b"here", b"elsewhere")))
    assert (await wire.answer()).json["limits_agree"] is False


@pytest.mark.parametrize(
    "data",
    [
        DRILLS.replace(b"balance", b"balances"),
        DRILLS.replace(b'"host":"h",', b""),
        DRILLS.replace(b'"host":"h"', b'"host":"%s"' % (b"h" * (TEXT_MAX + 1))),
        DRILLS.replace(b"true", b"1"),
        b'{"limits_hash":"l","settings_hash":"s","host":"h","version":"1","drills":[]}',
        b"[]",
    ],
)
async def test_drills_that_are_none(wire: Wire, gateway: FakeGateway, data: bytes) -> None:
    """An unknown safeguard, a missing host, too much text, no drill: malformed, nothing kept."""
    await wire.send(ask("POST", "/v1/drills", data))
    assert (await wire.answer()).status == 400
    assert gateway.drills == []


async def test_failures_are_bounded(wire: Wire, gateway: FakeGateway) -> None:
    """A drill that broke everywhere keeps only so much of it."""
    many = b",".join([b'"no"'] * (FAILURES_MAX + 5))
    await wire.send(ask("POST", "/v1/drills", DRILLS.replace(b'"it passed"', many)))
    assert (await wire.answer()).status == 201
    assert len(gateway.drills[1].failures) == FAILURES_MAX
