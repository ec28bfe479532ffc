"""What goes out: each line at least once, and alerts without anybody waiting."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import cast

import pytest
from redis.asyncio import Redis

from arbees.api.redis.outbox import AUDIT, NOTIFICATIONS, WAITING_MAX, AlertOutbox, AuditOutbox
from arbees.telemetry.alerts.board import Alert, AlertName, Severity
from tests.api.fake import NOW_NS
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


async def heard(listening: PubSub, count: int) -> list[dict[str, object]]:
    """Return what was published, once it is so much."""
    async with asyncio.timeout(3):
        return [json.loads((await listening.queue.get())["data"]) for _ in range(count)]


async def test_lines_go_on_where_they_ended() -> None:
    """From the first connection on, each line, over restarts of the process and of Redis too."""
    lives, server = Lives(), Server()
    lives.approve(make_request("before", idempotency_key="k0"))
    listening = PubSub(server)
    await listening.subscribe(AUDIT)
    outbox = AuditOutbox(lives, lambda: lives.stored[-1].sequence, "main:paper")
    async with running(outbox.run, server):
        await asyncio.sleep(0.05)
        lives.approve(make_request("r-1", idempotency_key="k1"))
        (line,) = await heard(listening, 1)
    assert (line["event_type"], line["request_id"]) == ("ExecutionRequested", "r-1")
    assert int(server.values[PLACE]) == lives.stored[-1].sequence
    lives.approve(make_request("r-2", idempotency_key="k2"))  # while nobody publishes
    async with running(outbox.run, server):
        (line,) = await heard(listening, 1)
    assert line["request_id"] == "r-2"


async def test_a_place_beyond_the_journal_is_none() -> None:
    """An older journal was put back: it goes on from its end."""
    lives, server = Lives(), Server()
    lives.approve(make_request("before", idempotency_key="k0"))
    server.values[PLACE] = b"99999"
    listening = PubSub(server)
    await listening.subscribe(AUDIT)
    outbox = AuditOutbox(lives, lambda: lives.stored[-1].sequence, "main:paper")
    async with running(outbox.run, server):
        await asyncio.sleep(0.05)
        lives.approve(make_request("r-1", idempotency_key="k1"))
        (line,) = await heard(listening, 1)
    assert line["request_id"] == "r-1"


def alert(number: int = 0, *, cleared_ns: int | None = None) -> Alert:
    """Return an alert."""
    return Alert(
        alert_id=f"a{number}",
        name=AlertName.KILL_SWITCH_ACTIVATED,
        severity=Severity.CRITICAL,
        message=f"halted {number}",
        since_ns=NOW_NS,
        last_ns=NOW_NS,
        cleared_ns=cleared_ns,
        data={"scope": "all"},
    )


async def test_alerts_and_their_end_are_told() -> None:
    """In the requirements' shape: type, priority, data with service and alert, time."""
    server, outbox = Server(), AlertOutbox(lambda: NOW_NS)
    listening = PubSub(server)
    await listening.subscribe(NOTIFICATIONS)
    outbox.send(alert())
    outbox.send(alert(cleared_ns=NOW_NS + 1))
    async with running(outbox.run, server):
        raised, over = await heard(listening, 2)
    assert (raised["event_type"], raised["priority"]) == ("KILL_SWITCH_ACTIVATED", "CRITICAL")
    data = cast(dict[str, object], raised["data"])
    assert (data["service"], data["scope"], data["is_cleared"]) == (
        *("execution_service", "all"),
        False,
    )
    assert cast(dict[str, object], over["data"])["is_cleared"] is True


async def test_what_waits_is_bounded() -> None:
    """While Redis is away the newest alerts are kept."""
    server, outbox = Server(), AlertOutbox(lambda: NOW_NS)
    listening = PubSub(server)
    await listening.subscribe(NOTIFICATIONS)
    for number in range(WAITING_MAX + 3):
        outbox.send(alert(number))
    async with running(outbox.run, server):
        (first,) = await heard(listening, 1)
    assert cast(dict[str, object], first["data"])["message"] == "halted 3"
