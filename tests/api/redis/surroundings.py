"""What is around a bus: a Redis in memory, a clock that runs ahead, a gateway that is stopped."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

from msgspec.structs import replace
from redis.asyncio import Redis

from arbees.api.redis.bus import RedisBus
from arbees.core.language.words import HaltSource
from arbees.interface.views import HaltView, KillReply, StatusView
from tests.api.fake import NOW_NS, SINCE, FakeGateway
from tests.api.redis.memory import Client, Server

STATES = {"ENABLE": "HALTED", "REDUCE": "REDUCING"}


class Stopped(FakeGateway):
    """A gateway whose halts are by source, as the real one's of one scope."""

    def __init__(self) -> None:
        super().__init__()
        self.by_source: dict[str, tuple[str, str]] = {}

    async def kill_switch(self, action: str, **more: Any) -> KillReply:
        reply = await super().kill_switch(action, **more)
        source = str(more["source"])
        if action == "DISABLE":
            self.by_source.pop(source, None)
        else:
            self.by_source[source] = (STATES[action], more["reason"])
        return reply

    def status(self) -> StatusView:
        halts = tuple(
            HaltView(
                source=source,
                scope="all",
                state=state,
                reason=reason,
                since=SINCE,
                automatic=HaltSource(source).is_automatic,
            )
            for source, (state, reason) in self.by_source.items()
        )
        self.halts = halts
        states = {each.state for each in halts}
        found = super().status()
        word = "HALTED" if "HALTED" in states else "REDUCING" if states else "ACTIVE"
        return replace(found, state=word, halts=halts)


class Clock:
    """Time that passes only while somebody sleeps, a hundred times as fast."""

    def __init__(self) -> None:
        self.now = NOW_NS

    def now_ns(self) -> int:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += round(seconds * 1e9)
        await asyncio.sleep(seconds / 100)


class Surroundings:
    """Everything around a bus."""

    def __init__(self, policy: str = "continue") -> None:
        self.server = Server()
        self.gateway = Stopped()
        self.clock = Clock()
        self.alerts: set[str] = set()
        self.said: list[str] = []
        self.redis = Client(self.server)
        self.bus = RedisBus(
            lambda: cast(Redis, Client(self.server)),
            gateway=self.gateway,
            clock=self.clock,
            alert=self._alert,
            alert_over=self.alerts.discard,
            down_policy=policy,
        )

    def _alert(self, name: str, message: str, **data: object) -> None:
        self.alerts.add(name)
        self.said.append(message)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the bus for as long as the block lasts."""
        tasks = [asyncio.create_task(self.bus.run())]
        await self.bus.first_heard()
        tasks.append(asyncio.create_task(self.bus.watch()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait until something is so; fail after three seconds."""
        async with asyncio.timeout(3):
            while not is_so():  # noqa: ASYNC110 - whatever it is, it has no event
                await asyncio.sleep(0.005)

    @property
    def sources(self) -> set[str]:
        """Return who halts."""
        return set(self.gateway.by_source)
