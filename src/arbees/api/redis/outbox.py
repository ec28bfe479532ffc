"""What goes out by Redis, from the journal: audit lines, alerts, halts, later results.

Guarantees that what is durable is published at least once and in its order, however long Redis was
away or took nothing: the place to go on from is kept in Redis itself, and moves only together with
what was published. Nothing waits for it. It fails as the connection fails.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import redis.asyncio as aioredis
from redis.exceptions import RedisError

from arbees.api.redis.bus import client_of
from arbees.api.redis.requests import RequestStream
from arbees.core import events
from arbees.core.language.strict_json import format_time
from arbees.core.language.visible_text import visible
from arbees.core.language.words import TradingState
from arbees.core.orders import lifecycle
from arbees.core.ports import Stored
from arbees.interface.views import Gateway
from arbees.telemetry.alerts.board import Alert, AlertName
from arbees.telemetry.alerts.record import forgotten, recorded
from arbees.telemetry.alerts.sinks import Failed, event_of
from arbees.telemetry.audit.line import encode
from arbees.telemetry.audit.projection import AuditReader, Projector

AUDIT = "audit:execution"
NOTIFICATIONS = "notification:events"
SWITCH_EVENTS = "trading:kill_switch_events"
PAGE = 200
LOOK_SECONDS = 0.1
STATES = {TradingState.ACTIVE: "DISABLED", TradingState.REDUCING: "REDUCING"}
"""The switch as it is told; whatever is stricter is ENABLED."""
LAST_WORDS = frozenset({AlertName.JOURNAL_TROUBLE, AlertName.TASK_DIED})
"""Alerts that the journal may not take any more; told at once, and again from the journal."""
WAITING_MAX = 100

Told = list[tuple[str, bytes]]
"""What is published, and on which channel."""


class JournalOutbox:
    """Publishes what the journal tells, from where the last publication ended."""

    def __init__(
        self,
        reader: AuditReader,
        head: Callable[[], int],
        name: str,
        *,
        gateway: Gateway,
        later: RequestStream,
        is_audited: bool = True,
    ) -> None:
        """
        Follow a journal.

        Args:
            reader: durable records only.
            head: returns the sequence of the last durable record.
            name: of the journal, so that several may use one Redis.
            gateway: knows how the switch stands.
            later: tells what became of requests that were answered already.
            is_audited: whether the audit log's lines are told.
        """
        self._reader = reader
        self._head = head
        self._place = f"arbees:{AUDIT}:{name}"
        self._gateway = gateway
        self._later = later
        self._is_audited = is_audited
        self._alerts: dict[str, Alert] = {}
        """Those that were told lately, for their end."""

    async def run(self, client: aioredis.Redis) -> None:
        """Publish what becomes durable, until cancelled."""
        projector = Projector(self._reader, is_timed=True)
        place = self._start(await client.get(self._place))
        while True:
            if self._head() > place:
                page = await asyncio.to_thread(self._page, place)
                told, changed = await asyncio.to_thread(self._project, projector, page)
                place = page[-1].sequence
                pipe = client.pipeline(transaction=True)
                for channel, data in told:
                    pipe.publish(channel, data)
                await self._later.tell_later(client, pipe, changed)
                pipe.set(self._place, place)
                await pipe.execute()
            else:
                await asyncio.sleep(LOOK_SECONDS)

    def _start(self, kept: bytes | str | None) -> int:
        head = self._head()
        return min(int(kept), head) if kept is not None and kept.isdigit() else head

    def _page(self, place: int) -> list[Stored]:
        page: list[Stored] = []
        for stored in self._reader.records(place):
            page.append(stored)
            if len(page) >= PAGE:
                break
        return page

    def _project(self, projector: Projector, page: list[Stored]) -> tuple[Told, list[str]]:
        """Return what a page of records tells, and the requests that something happened to."""
        told: Told = []
        changed: dict[str, None] = {}
        for stored in page:
            if self._is_audited:
                told += [(AUDIT, encode(each).rstrip(b"\n")) for each in projector.lines(stored)]
            if stored.kind in lifecycle.KINDS:
                changed[getattr(events.decode(stored.body), "request_id", "")] = None
            elif stored.kind in _TOLD:
                told += self._tell(stored, events.decode(stored.body))
        changed.pop("", None)
        return told, list(changed)

    def _tell(self, stored: Stored, event: events.Event) -> Told:
        match event:
            case events.HaltRaised() | events.HaltLifted():
                return [(SWITCH_EVENTS, self._switched(stored, event))]
            case events.AlertRaised():
                alert = recorded(event)
                if alert is not None:
                    self._alerts[alert.alert_id] = alert
            case events.AlertCleared():
                alert = self._alerts.pop(event.alert_id, None) or forgotten(event.alert_id)
                if alert is not None:
                    alert = msgspec.structs.replace(alert, cleared_ns=stored.time_ns)
            case _:
                alert = None
        if alert is None:
            return []
        return [(NOTIFICATIONS, json.dumps(event_of(alert, stored.time_ns)).encode())]

    def _switched(self, stored: Stored, event: events.HaltRaised | events.HaltLifted) -> bytes:
        status = self._gateway.status()
        told: dict[str, Any] = {
            "event_type": "KILL_SWITCH",
            "action": "RAISED" if isinstance(event, events.HaltRaised) else "LIFTED",
            "source": event.source,
            "scope": event.scope,
            "reason": event.reason,
            "actor": event.actor,
            "state": STATES.get(TradingState(status.state), "ENABLED"),
            "halts": [
                {"source": each.source, "scope": each.scope, "reason": each.reason}
                for each in status.halts
            ],
            "sequence": stored.sequence,
            "ts": format_time(stored.time_ns),
        }
        return json.dumps(told).encode()


_TOLD = frozenset({"HaltRaised", "HaltLifted", "AlertRaised", "AlertCleared"})


class LastWords:
    """A sink of the alert board: tells at once what the journal may not take any more."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """Hold nothing yet."""
        self._now_ns = now_ns
        self._waiting: deque[bytes] = deque(maxlen=WAITING_MAX)

    def send(self, alert: Alert) -> None:
        """Take an alert, if it is one by which the process may end."""
        if alert.name in LAST_WORDS:
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


async def tell_once(url: str, alert: Alert) -> str:
    """Publish one alert over a connection of its own, and say who heard. Raises Failed."""
    client = client_of(url)
    try:
        data = json.dumps(event_of(alert, alert.last_ns)).encode()
        heard = await client.publish(NOTIFICATIONS, data)
    except (RedisError, OSError, TimeoutError) as error:
        raise Failed(visible(str(error) or type(error).__name__)) from None
    finally:
        await client.aclose()
    return f"{heard} heard it on {NOTIFICATIONS}"
