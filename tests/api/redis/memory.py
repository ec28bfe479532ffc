"""A Redis by hand: what the bus uses of one, in memory, and cut off when a test says so."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from redis.exceptions import ConnectionError as CutOff
from redis.exceptions import ResponseError


class Server:
    """What the connections share."""

    def __init__(self) -> None:
        self.is_up = True
        self.is_deaf = False
        """Takes what is published and tells nobody."""
        self.values: dict[str, bytes] = {}
        self.listeners: list[PubSub] = []
        self.streams: dict[str, list[tuple[bytes, dict[bytes, bytes]]]] = {}
        self.group: dict[bytes, bool] = {}
        """Entries that were handed out, by name, and whether they were acknowledged."""
        self.has_group = False
        self.scores: dict[str, dict[str, float]] = {}
        """Sorted sets, by name."""
        self.run_id = "1"
        self.is_full = False
        """Takes nothing more."""
        self.before_set: Callable[[], object] = lambda: None
        """Happens right before something is set."""

    def require_up(self) -> None:
        """Raise if the server is away."""
        if not self.is_up:
            raise CutOff("Connection refused")

    def require_room(self) -> None:
        """Raise if the server takes nothing."""
        self.require_up()
        if self.is_full:
            raise ResponseError("OOM command not allowed when used memory > 'maxmemory'.")

    def restart(self) -> None:
        """Come back, empty."""
        self.values.clear()
        self.scores.clear()
        self.run_id += "1"
        self.is_up = True


def raw(value: object) -> bytes:
    """Return a value as Redis keeps it."""
    return value if isinstance(value, bytes) else str(value).encode()


class PubSub:
    """A subscription."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.channels: set[str] = set()
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.is_connected = True
        self.connection = self

    async def subscribe(self, *channels: str) -> None:
        self._server.require_up()
        self.channels |= set(channels)
        self._server.listeners.append(self)

    async def get_message(
        self,
        *,
        ignore_subscribe_messages: bool,
        timeout: float,  # noqa: ASYNC109 - redis-py's word
    ) -> dict[str, Any] | None:
        if self.queue.empty():
            self._server.require_up()
        try:
            async with asyncio.timeout(timeout / 100):
                return await self.queue.get()
        except TimeoutError:
            return None

    async def aclose(self) -> None:
        if self in self._server.listeners:
            self._server.listeners.remove(self)


class Client:
    """A connection, and a pipeline on it: what is called is done at once."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def pubsub(self) -> PubSub:
        return PubSub(self.server)

    def pipeline(self, *, transaction: bool) -> "Pipeline":
        return Pipeline(self)

    async def aclose(self) -> None:
        pass

    async def publish(self, channel: str, data: bytes | str) -> int:
        self.server.require_up()
        found = [each for each in self.server.listeners if channel in each.channels]
        for each in [] if self.server.is_deaf else found:
            message = {"type": "message", "channel": channel.encode(), "data": raw(data)}
            each.queue.put_nowait(message)
        return len(found)

    async def get(self, name: str) -> bytes | None:
        self.server.require_up()
        return self.server.values.get(name)

    async def exists(self, name: str) -> int:
        self.server.require_up()
        return int(name in self.server.values)

    async def info(self, section: str) -> dict[str, str]:
        self.server.require_up()
        return {"run_id": self.server.run_id}

    async def zadd(self, name: str, scores: Mapping[str, float]) -> None:
        self.server.require_room()
        self.server.scores.setdefault(name, {}).update(scores)

    async def zremrangebyrank(self, name: str, first: int, last: int) -> None:
        self.server.require_up()

    async def zmscore(self, name: str, members: list[str]) -> list[float | None]:
        self.server.require_up()
        return [self.server.scores.get(name, {}).get(each) for each in members]

    async def zrevrange(
        self,
        name: str,
        first: int,
        last: int,
        *,
        withscores: bool,
    ) -> list[tuple[bytes, float]]:
        self.server.require_up()
        found = self.server.scores.get(name, {}).items()
        return [(member.encode(), score) for member, score in found]

    async def set(self, name: str, value: object, *, xx: bool = False) -> None:
        self.server.require_room()
        self.server.before_set()
        if not xx or name in self.server.values:
            self.server.values[name] = raw(value)

    async def delete(self, name: str) -> None:
        self.server.values.pop(name, None)

    async def xadd(self, stream: str, fields: Mapping[str, object], **_limits: Any) -> bytes:
        self.server.require_room()
        entries = self.server.streams.setdefault(stream, [])
        name = b"%d-0" % (len(entries) + 1)
        entries.append((name, {key.encode(): raw(value) for key, value in fields.items()}))
        return name

    async def xgroup_create(
        self,
        stream: str,
        group: str,
        *,
        id: str,  # noqa: A002 - redis-py's word
        mkstream: bool,
    ) -> None:
        self.server.require_up()
        if self.server.has_group:
            raise ResponseError("BUSYGROUP Consumer Group name already exists")
        self.server.has_group = True

    async def xreadgroup(
        self, group: str, consumer: str, streams: Mapping[str, str | bytes], **_bounds: Any
    ) -> list[Any]:
        self.server.require_up()
        ((stream, place),) = streams.items()
        entries = self.server.streams.get(stream, [])
        handed = self.server.group
        if place == ">":
            found = [each for each in entries if each[0] not in handed]
            handed |= {name: False for name, _ in found}
        else:
            found = [each for each in entries if handed.get(each[0]) is False]
            found = [each for each in found if place == "0" or each[0] > raw(place)]
        if not found:
            await asyncio.sleep(0.01)
        return [(stream.encode(), found)] if found else []

    async def xack(self, stream: str, group: str, name: bytes) -> None:
        self.server.require_up()
        self.server.group[name] = True


class Pipeline:
    """Commands that are done together."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._waiting: list[Any] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any command
        def keep(*given: Any, **more: Any) -> "Pipeline":
            self._waiting.append((name, given, more))
            return self

        return keep

    async def execute(self) -> list[Any]:
        server = self._client.server
        if {name for name, _, _ in self._waiting} & {"set", "xadd", "zadd"}:
            server.require_room()  # all or nothing
        server.require_up()
        return [
            await getattr(self._client, name)(*given, **more) for name, given, more in self._waiting
        ]
