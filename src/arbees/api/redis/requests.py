"""Requests by Redis: taken from a stream, decided like any other, answered in a stream.

Guarantees that an entry is acknowledged only after its decision is durable, that one which comes
again (the process died in between) is answered with what became of the first, and that an entry
which cannot be read goes to a stream of its own with the reason, and stops nobody. It fails as the
connection fails: what was not acknowledged is taken again.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import redis.asyncio as aioredis
import structlog
from redis.exceptions import ResponseError

from arbees.core.language.request import parse_request
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

_log = structlog.get_logger("arbees.redis")


class RequestStream:
    """The one consumer of the stream of requests."""

    def __init__(self, gateway: Gateway, now_ns: Callable[[], int]) -> None:
        """Take requests for a gateway."""
        self._gateway = gateway
        self._now_ns = now_ns

    async def run(self, client: aioredis.Redis) -> None:
        """Take entries until cancelled: first those that an earlier process did not answer."""
        try:
            await client.xgroup_create(REQUESTS, GROUP, id="$", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
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

    async def _answer(
        self, client: aioredis.Redis, name: bytes, fields: dict[bytes, bytes] | None
    ) -> None:
        """Decide one entry, tell the result, acknowledge."""
        pipe: Any = client.pipeline(transaction=True)
        raw = (fields or {}).get(b"json")
        try:
            request = parse_request(b"" if raw is None else raw, self._now_ns())
        except Malformed as error:
            _log.warning("Redis: an entry cannot be read", entry=name.decode(), why=str(error))
            kept = {"entry": name, "reason": str(error), "json": raw or b""}
            pipe.xadd(REFUSED, kept, maxlen=RESULTS_KEPT, approximate=True)
            pipe.xack(REQUESTS, GROUP, name)
            await pipe.execute()
            return
        while True:
            try:
                result = await self._gateway.submit(request, WAIT_SECONDS)
            except Undecided:
                await asyncio.sleep(RETRY_SECONDS)  # nothing was spent: it is asked again
            else:
                break
        told = encode(original_of(result))
        pipe.xadd(RESULTS, {"json": told}, maxlen=RESULTS_KEPT, approximate=True)
        pipe.publish(RESULTS, told)
        pipe.xack(REQUESTS, GROUP, name)
        await pipe.execute()


def original_of(result: Result) -> Result:
    """Return what became of the first, where this is the refusal of the same request again."""
    first = result.original
    if isinstance(first, Result) and first.request_id == result.request_id:
        return first if result.code == "DUPLICATE_REQUEST" else result
    return result
