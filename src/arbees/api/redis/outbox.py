"""What goes out by Redis: the audit log's lines, each at least once, and alerts.

Guarantees that a line which is durable is published, however long Redis was away: the place to go
on from is kept in Redis itself, beside what was published. Alerts wait in a bounded queue, the
oldest are lost first, and nothing waits for them. It fails as the connection fails.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable

import redis.asyncio as aioredis

from arbees.telemetry.alerts.board import Alert
from arbees.telemetry.alerts.sinks import event_of
from arbees.telemetry.audit.line import encode
from arbees.telemetry.audit.projection import AuditReader, Projector

AUDIT = "audit:execution"
NOTIFICATIONS = "notification:events"
WAITING_MAX = 1_000
PAGE = 200
LOOK_SECONDS = 0.1


class AuditOutbox:
    """Publishes the audit log's lines, from where the last publication ended."""

    def __init__(self, reader: AuditReader, head: Callable[[], int], name: str) -> None:
        """
        Follow a journal.

        Args:
            reader: durable records only.
            head: returns the sequence of the last durable record.
            name: of the journal, so that several may use one Redis.
        """
        self._reader = reader
        self._head = head
        self._place = f"arbees:{AUDIT}:{name}"

    async def run(self, client: aioredis.Redis) -> None:
        """Publish what becomes durable, until cancelled."""
        projector = Projector(self._reader, is_timed=True)
        kept = await client.get(self._place)
        place = self._head() if kept is None else min(int(kept), self._head())
        while True:
            if self._head() > place:
                lines, place = await asyncio.to_thread(self._take, projector, place)
                pipe = client.pipeline(transaction=False)
                for line in lines:
                    pipe.publish(AUDIT, line)
                pipe.set(self._place, place)
                await pipe.execute()
            else:
                await asyncio.sleep(LOOK_SECONDS)

    def _take(self, projector: Projector, place: int) -> tuple[list[bytes], int]:
        lines: list[bytes] = []
        for count, stored in enumerate(self._reader.records(place), 1):
            lines += [encode(each).rstrip(b"\n") for each in projector.lines(stored)]
            place = stored.sequence
            if count >= PAGE:
                break
        return lines, place


class AlertOutbox:
    """Publishes alerts; a sink of the alert board."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """Hold nothing yet."""
        self._now_ns = now_ns
        self._waiting: deque[bytes] = deque(maxlen=WAITING_MAX)

    def send(self, alert: Alert) -> None:
        """Take an alert that is new, due for a reminder, or cleared."""
        self._waiting.append(json.dumps(event_of(alert, self._now_ns())).encode())

    async def run(self, client: aioredis.Redis) -> None:
        """Publish what waits, until cancelled."""
        while True:
            while self._waiting:
                first = self._waiting[0]
                await client.publish(NOTIFICATIONS, first)
                if self._waiting and self._waiting[0] is first:
                    self._waiting.popleft()
            await asyncio.sleep(LOOK_SECONDS)
