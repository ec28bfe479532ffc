"""Requests by Redis: taken from a stream, decided like any other, answered in a stream.

Guarantees that an entry is acknowledged only after its decision is durable, together with its
result; that one which comes again (the process died in between) is answered with what became of the
first; that what becomes of a request later is told too, each truth once and the last one always;
and that an entry which cannot be read goes to a stream of its own with the reason, and stops
nobody. It fails as the connection fails: what was not acknowledged is taken again.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import redis.asyncio as aioredis
import structlog
from redis.exceptions import ResponseError

from arbees.core.language.request import Request, parse_request
from arbees.core.language.strict_json import Malformed
from arbees.core.orders.result import Result, encode
from arbees.interface.views import Gateway, Undecided

REQUESTS = "execution:requests"
RESULTS = "execution:results"
REFUSED = "execution:requests:refused"
"""Where entries go that cannot be read, each with the reason."""
GROUP = "arbees"
AT_ONCE = 64
RESULTS_KEPT = 100_000
WAIT_SECONDS = 10.0
BLOCK_MS = 1_000
RETRY_SECONDS = 1.0
MISSED_MAX = 1_000
"""After a start, so many of the last results are compared with what is known now."""

_log = structlog.get_logger("arbees.redis")


class RequestStream:
    """The one consumer of the stream of requests."""

    def __init__(self, gateway: Gateway, now_ns: Callable[[], int], name: str = "") -> None:
        """Take requests; what was told is kept under the name of the gateway's journal."""
        self._gateway = gateway
        self._now_ns = now_ns
        self._told = f"arbees:{RESULTS}:{name}"
        """A sorted set: the requests that came by Redis, with the last sequence told of each."""
        self._answering: set[str] = set()
        self._had_group = False

    async def run(self, client: aioredis.Redis) -> None:
        """Take entries until cancelled: first those that an earlier process did not answer."""
        await self._join(client)
        await self._tell_missed(client)
        free = asyncio.Semaphore(AT_ONCE)
        place: str | bytes = "0"
        async with asyncio.TaskGroup() as group:
            while True:
                found: Any = await client.xreadgroup(
                    GROUP, GROUP, {REQUESTS: place}, count=AT_ONCE, block=BLOCK_MS
                )
                entries = [each for _, some in found or () for each in some]
                if place != ">":
                    place = entries[-1][0] if entries else ">"
                for name, fields in entries:
                    await free.acquire()
                    task = group.create_task(self._answer(client, name, fields))
                    task.add_done_callback(lambda _task: free.release())

    async def _join(self, client: aioredis.Redis) -> None:
        """
        Make the consumer group, where there is none.

        What stood in the stream before anybody took from it is too old to act on; what came since
        a Redis that we knew has lost the group is not, and what was answered is not done again.
        """
        try:
            start = "0" if self._had_group else "$"
            await client.xgroup_create(REQUESTS, GROUP, id=start, mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self._had_group = True

    async def _answer(
        self, client: aioredis.Redis, name: bytes, fields: dict[bytes, bytes] | None
    ) -> None:
        """Decide one entry, tell the result, acknowledge."""
        raw = (fields or {}).get(b"json")
        try:
            request = parse_request(b"" if raw is None else raw, self._now_ns())
        except Malformed as error:
            _log.warning("Redis: an entry cannot be read", entry=name.decode(), why=str(error))
            pipe = client.pipeline(transaction=True)
            kept: Any = {"entry": name, "reason": str(error), "json": raw or b""}
            pipe.xadd(REFUSED, kept, maxlen=RESULTS_KEPT, approximate=True)
            pipe.xack(REQUESTS, GROUP, name)
            await pipe.execute()
            return
        own_id = request.request_id
        self._answering.add(own_id)
        try:
            told = original_of(await self._decided(request))
            pipe = client.pipeline(transaction=True)
            self._tell(pipe, own_id, told)
            pipe.xack(REQUESTS, GROUP, name)
            await pipe.execute()
            while (now := self._known(own_id)) is not None and now.sequence > told.sequence:
                told = now
                await self._tell_alone(client, own_id, told)
        finally:
            self._answering.discard(own_id)

    async def _decided(self, request: Request) -> Result:
        while True:
            try:
                return await self._gateway.submit(request, WAIT_SECONDS)
            except Undecided:
                await asyncio.sleep(RETRY_SECONDS)  # nothing was spent: it is asked again

    # What becomes of it later ------------------------------------------------------------------

    async def tell_later(
        self,
        client: aioredis.Redis,
        pipe: Any,  # noqa: ANN401 - untyped
        changed: list[str],
    ) -> None:
        """
        Tell what became of requests that were answered before.

        Args:
            client: a connection.
            pipe: what is told is told with it.
            changed: requests that something happened to, whoever sent them.
        """
        asked = [each for each in changed if each not in self._answering]
        if not asked:
            return
        for own_id, told in zip(asked, await client.zmscore(self._told, asked), strict=True):
            if told is None:
                continue  # it did not come by Redis
            now = self._known(own_id)
            if now is not None and now.sequence > told:
                self._tell(pipe, own_id, now)

    async def _tell_missed(self, client: aioredis.Redis) -> None:
        """Tell what became of the last requests while nobody told: the process had died."""
        newest: Any = await client.zrevrange(self._told, 0, MISSED_MAX - 1, withscores=True)
        for name, told in newest:
            now = self._known(name.decode())
            if now is not None and now.sequence > told:
                await self._tell_alone(client, name.decode(), now)

    def _known(self, request_id: str) -> Result | None:
        found = self._gateway.execution(request_id)
        return None if found is None else original_of(found.result)

    async def _tell_alone(self, client: aioredis.Redis, request_id: str, result: Result) -> None:
        pipe = client.pipeline(transaction=True)
        self._tell(pipe, request_id, result)
        await pipe.execute()

    def _tell(self, pipe: Any, request_id: str, result: Result) -> None:  # noqa: ANN401 - untyped
        told = encode(result)
        pipe.xadd(RESULTS, {"json": told}, maxlen=RESULTS_KEPT, approximate=True)
        pipe.publish(RESULTS, told)
        pipe.zadd(self._told, {request_id: result.sequence})
        pipe.zremrangebyrank(self._told, 0, -RESULTS_KEPT - 1)


def original_of(result: Result) -> Result:
    """Return what became of the first, where this is the refusal of the same request again."""
    first = result.original
    if isinstance(first, Result) and first.request_id == result.request_id:
        return first if result.code == "DUPLICATE_REQUEST" else result
    return result
