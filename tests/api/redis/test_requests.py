"""Requests by a stream: each answered once it is durable, none lost, none in the way."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from arbees.api.redis import requests as stream_module
from arbees.api.redis.requests import REFUSED, REQUESTS, RESULTS, RequestStream
from arbees.core.language.request import Request
from arbees.core.language.words import ResultStatus
from arbees.core.orders.result import Result
from arbees.interface.views import Undecided
from tests.api.fake import NOW_NS, FakeGateway, body, result
from tests.api.redis.memory import Client, Server

pytestmark = pytest.mark.anyio


class Place:
    """A stream, and a gateway behind it."""

    def __init__(self) -> None:
        self.server = Server()
        self.redis = Client(self.server)
        self.gateway = FakeGateway()

    @asynccontextmanager
    async def taking(self) -> AsyncIterator[None]:
        """Take requests for as long as the block lasts."""
        stream = RequestStream(self.gateway, lambda: NOW_NS)
        task = asyncio.create_task(stream.run(cast(Redis, self.redis)))
        await asyncio.sleep(0.02)
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def ask(self, name: str, **changes: Any) -> bytes:
        """Add a request."""
        asked = body(request_id=name, idempotency_key=f"k-{name}", **changes)
        return await self.redis.xadd(REQUESTS, {"json": asked})

    async def results(self, count: int) -> list[dict[str, Any]]:
        """Return the results once there are so many."""
        async with asyncio.timeout(3):
            while len(self.server.streams.get(RESULTS, [])) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return [json.loads(fields[b"json"]) for _, fields in self.server.streams[RESULTS]]


async def test_a_request_is_answered_and_acknowledged() -> None:
    """The result is in the stream, and was told on the channel."""
    place = Place()
    heard = place.redis.pubsub()
    await heard.subscribe(RESULTS)
    async with place.taking():
        entry = await place.ask("r-1")
        (found,) = await place.results(1)
    assert (found["request_id"], found["status"]) == ("r-1", "Filled")
    assert place.server.group == {entry: True}
    assert json.loads(heard.queue.get_nowait()["data"]) == found


@pytest.mark.parametrize(
    "fields", [{"json": "{"}, {"json": "[]"}, {"json": body(size=None)}, {"other": "x"}, {}]
)
async def test_what_cannot_be_read_is_set_aside(fields: dict[str, str]) -> None:
    """With the reason, acknowledged, and the next one is taken."""
    place = Place()
    async with place.taking():
        bad = await place.redis.xadd(REQUESTS, fields)
        await place.ask("r-2")
        (found,) = await place.results(1)
    assert found["request_id"] == "r-2"
    ((_, kept),) = place.server.streams[REFUSED]
    assert kept[b"entry"] == bad
    assert kept[b"reason"]
    assert place.server.group[bad] is True


async def test_an_answer_that_was_not_told_is_told_again() -> None:
    """The process died before it acknowledged: the refusal of the repeat says what became of it."""
    place = Place()
    first: dict[str, Result] = {}

    def answer(request: Request) -> Result:
        made = first.setdefault(request.request_id, result(request))
        if len(place.gateway.requests) == 1:
            return made
        again = result(request, ResultStatus.REJECTED, code="DUPLICATE_REQUEST")
        return replace(again, original=made)

    place.gateway.answer = answer
    async with place.taking():
        await place.ask("r-3")
        await place.results(1)
        for name in place.server.group:
            place.server.group[name] = False  # as if the acknowledgement had been lost
    async with place.taking():
        found = await place.results(2)
    assert [each["status"] for each in found] == ["Filled", "Filled"]
    assert set(place.server.group.values()) == {True}


async def test_what_is_not_decided_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full queue or a start spends nothing: the entry is acknowledged when it is decided."""
    monkeypatch.setattr(stream_module, "RETRY_SECONDS", 0.01)
    place = Place()
    tries = [Undecided("QUEUE_FULL", "later"), Undecided("STARTING", "later")]

    def answer(request: Request) -> Result:
        if tries:
            raise tries.pop()
        return result(request)

    place.gateway.answer = answer
    async with place.taking():
        await place.ask("r-4")
        (found,) = await place.results(1)
    assert found["status"] == "Filled"
    assert len(place.gateway.requests) == 3


async def test_one_that_waits_holds_up_no_other() -> None:
    """Requests are decided side by side, a bounded number of them."""
    place = Place()
    place.gateway.gate.clear()
    async with place.taking():
        for number in range(stream_module.AT_ONCE + 5):
            await place.ask(f"r-{number}")
        async with asyncio.timeout(3):
            while len(place.gateway.requests) < stream_module.AT_ONCE:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        assert len(place.gateway.requests) == stream_module.AT_ONCE
        place.gateway.gate.set()
        assert len(await place.results(stream_module.AT_ONCE + 5)) == stream_module.AT_ONCE + 5
