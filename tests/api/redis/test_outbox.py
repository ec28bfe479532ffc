"""What goes out: each line at least once, in order, and with it what became of requests."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from arbees.api.redis.outbox import (
    AUDIT,
    NOTIFICATIONS,
    SWITCH_EVENTS,
    WAITING_MAX,
    JournalOutbox,
    LastWords,
)
from arbees.api.redis.requests import RESULTS, RequestStream
from arbees.core import events
from arbees.core.language.words import ResultStatus
from arbees.interface.views import Execution
from arbees.telemetry.alerts.board import Alert, AlertName, Severity
from tests.api.fake import NOW_NS, FakeGateway, result
from tests.api.redis.memory import Client, PubSub, Server
from tests.telemetry.lives import Lives, make_request

pytestmark = pytest.mark.anyio
PLACE = f"arbees:{AUDIT}:main:paper"


@asynccontextmanager
async def running(
    part: Callable[[Redis], Coroutine[None, None, None]], server: Server
) -> AsyncIterator[None]:
    """Run a part of the bus for as long as the block lasts."""
    task = asyncio.create_task(part(cast(Redis, Client(server))))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def heard(listening: PubSub, count: int) -> list[dict[str, Any]]:
    """Return what was published, once it is so much."""
    async with asyncio.timeout(3):
        return [json.loads((await listening.queue.get())["data"]) for _ in range(count)]


class Place:
    """A journal, a Redis and what publishes the one by the other."""

    def __init__(self) -> None:
        self.lives = Lives()
        self.server = Server()
        self.gateway = FakeGateway()
        self.requests = RequestStream(self.gateway, lambda: NOW_NS, "main:paper")
        self.lives.approve(make_request("before", idempotency_key="k0"))

    def outbox(self, *, is_audited: bool = True) -> JournalOutbox:
        """Return one of a new process."""
        return JournalOutbox(
            self.lives,
            lambda: self.lives.stored[-1].sequence,
            "main:paper",
            gateway=self.gateway,
            later=self.requests,
            is_audited=is_audited,
        )

    async def listening(self, channel: str) -> PubSub:
        """Return a subscription."""
        found = PubSub(self.server)
        await found.subscribe(channel)
        return found


async def test_lines_go_on_where_they_ended() -> None:
    """From the first connection on, each line, over restarts of the process and of Redis too."""
    place = Place()
    lines = await place.listening(AUDIT)
    async with running(place.outbox().run, place.server):
        await asyncio.sleep(0.05)
        place.lives.approve(make_request("r-1", idempotency_key="k1"))
        (line,) = await heard(lines, 1)
    assert (line["event_type"], line["request_id"]) == ("ExecutionRequested", "r-1")
    assert int(place.server.values[PLACE]) == place.lives.stored[-1].sequence
    place.lives.approve(make_request("r-2", idempotency_key="k2"))  # while nobody publishes
    async with running(place.outbox().run, place.server):
        (line,) = await heard(lines, 1)
    assert line["request_id"] == "r-2"


@pytest.mark.parametrize("kept", [b"99999", b"x", b""])
async def test_a_place_that_is_none_is_the_end(kept: bytes) -> None:
    """An older journal was put back, or somebody wrote there: it goes on from the end."""
    place = Place()
    place.server.values[PLACE] = kept
    lines = await place.listening(AUDIT)
    async with running(place.outbox().run, place.server):
        await asyncio.sleep(0.05)
        place.lives.approve(make_request("r-1", idempotency_key="k1"))
        (line,) = await heard(lines, 1)
    assert line["request_id"] == "r-1"


async def test_a_full_redis_is_told_nothing_twice() -> None:
    """What is published and the place to go on from are one step: it waits for room."""
    place = Place()
    lines = await place.listening(AUDIT)
    place.server.values[PLACE] = b"1"
    place.lives.approve(make_request("r-1", idempotency_key="k1"))
    place.server.is_full = True
    for _ in range(3):
        with pytest.raises(ResponseError):
            await place.outbox().run(cast(Redis, Client(place.server)))
    place.server.is_full = False
    async with running(place.outbox().run, place.server):
        assert [each["request_id"] for each in await heard(lines, 1)] == ["r-1"]
        await asyncio.sleep(0.05)
    assert lines.queue.empty()


async def test_alerts_and_halts_are_told_from_the_journal() -> None:
    """In the requirements' shape, with their ends, also where no audit log is kept."""
    place = Place()
    alerts, halts = await place.listening(NOTIFICATIONS), await place.listening(SWITCH_EVENTS)
    lines = await place.listening(AUDIT)
    async with running(place.outbox(is_audited=False).run, place.server):
        await asyncio.sleep(0.05)
        place.lives.add(
            events.HaltRaised(
                source="http",
                scope="all",
                state="HALTED",
                reason="enough",
                actor="ann",
                receipt_id="receipt-1",
            )
        )
        name = "BALANCE_LOW"
        place.lives.add(
            events.AlertRaised(
                alert_id="BALANCE_LOW|Kalshi|Kalshi",
                name=name,
                severity="critical",
                message="low",
                since_ns=NOW_NS,
                data={"platform": "Kalshi", "pool": "Kalshi", "current_balance": "12.50"},
            )
        )
        place.lives.add(events.AlertCleared(alert_id="BALANCE_LOW|Kalshi|Kalshi"))
        place.lives.add(events.AlertCleared(alert_id="UNKNOWN_ORDER|arb-1"))
        place.lives.add(events.HaltLifted(source="http", scope="all", reason="calm", actor="ann"))
        place.lives.approve(make_request("r-1", idempotency_key="k1"))
        raised, over, forgotten = await heard(alerts, 3)
        stopped, lifted = await heard(halts, 2)
    assert (raised["event_type"], raised["priority"]) == (name, "CRITICAL")
    assert raised["data"] == {
        "service": "execution_service",
        "alert": name,
        "message": "low",
        "count": 1,
        "is_cleared": False,
        "platform": "Kalshi",
        "pool": "Kalshi",
        "current_balance": "12.50",
    }
    assert (over["data"]["is_cleared"], over["data"]["message"]) == (True, "low")
    assert (forgotten["event_type"], forgotten["data"]["client_order_id"]) == (
        *("UNKNOWN_ORDER", "arb-1"),
    )
    assert (stopped["action"], stopped["source"], stopped["reason"]) == ("RAISED", "http", "enough")
    assert (lifted["action"], lifted["actor"]) == ("LIFTED", "ann")
    assert lines.queue.empty()


async def test_later_results_of_what_came_by_redis() -> None:
    """What was told before is told on; a request of somebody else is not."""
    place = Place()
    asked = make_request("r-1", idempotency_key="k1")
    place.server.scores["arbees:execution:results:main:paper"] = {"r-1": 3}
    place.gateway.known = {
        name: Execution(
            result=replace(result(make_request(name), ResultStatus.CANCELLED), sequence=9),
            events=(),
        )
        for name in ("r-1", "h-1")
    }
    async with running(place.outbox().run, place.server):
        await asyncio.sleep(0.05)
        for request in (asked, make_request("h-1")):
            place.lives.approve(request)
            place.lives.order(events.OrderCancelled, request, reason="asked")
        async with asyncio.timeout(3):
            while int(place.server.values.get(PLACE, 0)) < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    told = [json.loads(fields[b"json"]) for _, fields in place.server.streams[RESULTS]]
    assert [(each["request_id"], each["sequence"]) for each in told] == [("r-1", 9)]


async def test_last_words_are_told_at_once() -> None:
    """That the journal failed cannot wait for the journal; what waits is bounded."""
    server, words = Server(), LastWords(lambda: NOW_NS)
    listening = PubSub(server)
    await listening.subscribe(NOTIFICATIONS)
    for name in (AlertName.KILL_SWITCH_ACTIVATED, *[AlertName.JOURNAL_TROUBLE] * WAITING_MAX):
        words.send(
            Alert(
                alert_id=name.value,
                name=name,
                severity=Severity.CRITICAL,
                message="gone",
                since_ns=NOW_NS,
                last_ns=NOW_NS,
            )
        )
    async with running(words.run, server):
        told = await heard(listening, WAITING_MAX)
    assert {each["event_type"] for each in told} == {"JOURNAL_TROUBLE"}
