"""The bus: one connection to Redis at a time, and whether it can be trusted.

Guarantees that the order path never waits for Redis; that what an operator publishes or sets stops
trading as any other halt does, and is lifted by Redis alone; and that a Redis which is away, or a
subscription that hears nothing any more, is known by an echo of our own within seconds and answered
as `REDIS_DOWN_POLICY` says, from the start on. It fails by connecting again, and says so.
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import redis.asyncio as aioredis
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from arbees.core.language.strict_json import format_time
from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.visible_text import visible
from arbees.core.language.words import SCOPE_ALL, HaltSource, TradingState
from arbees.interface.views import Gateway, StatusView, Undecided

SWITCH = "trading:kill_switch"
"""The channel that an operator publishes to, and the key that one may set."""
STATUS = "trading:kill_switch_status"
SWITCH_EVENTS = "trading:kill_switch_events"
WORDS = {
    **dict.fromkeys(("ENABLE", "ON", "HALT", "STOP"), "ENABLE"),
    **dict.fromkeys(("DISABLE", "OFF", "RESUME", "START"), "DISABLE"),
}
STATES = {TradingState.ACTIVE: "DISABLED", TradingState.REDUCING: "REDUCING"}
"""The switch as the status key tells it; whatever is stricter is ENABLED."""
BEAT_SECONDS = 0.5
"""Between looks at the operator's key, echoes, and writes of the status."""
DEAF_SECONDS = 10.0
"""Without an echo for so long the subscription is made anew."""
DOWN_SECONDS = 5.0
"""Without an echo for so long the policy holds."""
RETRY_SECONDS = 1.0
FIRST_SECONDS = 2.0
"""How long a start waits for the first echo."""
ANSWER_SECONDS = 3.0
ACTOR = "redis"

_log = structlog.get_logger("arbees.redis")


class Deaf(Exception):  # noqa: N818 - ends a session
    """The subscription hears nothing: not even what we say ourselves."""


class RedisClock(Protocol):
    """The gateway's clock."""

    def now_ns(self) -> int:
        """Return the time."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Raise(Protocol):
    """Raises or ends an alert."""

    def __call__(self, name: str, message: str, **data: object) -> None:
        """Raise an alert, or count one that stands."""
        ...


def client_of(url: str) -> aioredis.Redis:
    """Return a client that gives up soon; nothing of it connects yet."""
    return aioredis.Redis.from_url(
        url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        decode_responses=False,
        # A connection that was lost is ours to notice: what it did not hear is not known.
        retry=Retry(NoBackoff(), 0),
    )


Part = Callable[[aioredis.Redis], Awaitable[None]]
"""What else goes on while there is a connection; runs until it is cancelled."""


class RedisBus:
    """Connects, hears the kill switch, tells the state, and applies the policy."""

    def __init__(
        self,
        connect: Callable[[], aioredis.Redis],
        *,
        gateway: Gateway,
        clock: RedisClock,
        alert: Raise,
        alert_over: Callable[[str], None],
        down_policy: str,
        parts: tuple[Part, ...] = (),
    ) -> None:
        """
        Prepare; nothing connects yet.

        Args:
            connect: returns a client of Redis, which connects when it is used.
            gateway: what is stopped and asked.
            clock: the gateway's.
            alert: raises an alert.
            alert_over: ends one.
            down_policy: `continue`, `reduce` or `halt`: what holds while Redis is not heard.
            parts: what else uses the connection.
        """
        self._connect = connect
        self._gateway = gateway
        self._clock = clock
        self._alert = alert
        self._alert_over = alert_over
        self._action = {"reduce": "REDUCE", "halt": "ENABLE"}.get(down_policy)
        self._parts = parts
        self._echo = f"arbees:echo:{secrets.token_hex(8)}"
        self._heard_ns = 0
        """When our own echo was heard last; 0 = never."""
        self._first = asyncio.Event()
        self._trouble = "not connected yet"
        self._was_set = False
        """Whether the operator's key was seen to say ENABLE, over this connection."""
        self._told: str | None = None
        self._is_settled = False
        """Whether all is well since Redis was heard, and the policy of before is lifted."""

    # The connection ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep connected until cancelled."""
        while True:
            try:
                await self._session()
            except* (RedisError, OSError, TimeoutError, Deaf) as group:
                self._trouble = _first_of(group)
                _log.warning("Redis is not heard", why=self._trouble)
            await self._clock.sleep(RETRY_SECONDS)

    async def _session(self) -> None:
        client = self._connect()
        # What a Redis that was restarted has forgotten, nobody has deleted: it lifts nothing.
        self._was_set = False
        listening = client.pubsub()
        try:
            await listening.subscribe(SWITCH, self._echo)
            started_ns = self._clock.now_ns()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(listening, started_ns))
                group.create_task(self._beat(client))
                for part in self._parts:
                    group.create_task(_endless(part, client))
        finally:
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                await listening.aclose()  # type: ignore[no-untyped-call]
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                await client.aclose()

    async def _listen(self, listening: Any, started_ns: int) -> None:  # noqa: ANN401 - untyped
        """Hear the operator, and ourselves. Raises Deaf."""
        last_ns = started_ns
        while True:
            message = await listening.get_message(ignore_subscribe_messages=True, timeout=1.0)
            now_ns = self._clock.now_ns()
            if message is not None and message.get("type") == "message":
                if message["channel"] == self._echo.encode():
                    last_ns = self._heard_ns = now_ns
                    self._first.set()
                else:
                    await self._take(message["data"], "published")
            if now_ns - last_ns > DEAF_SECONDS * NS_PER_SECOND:
                raise Deaf("our own echo is not heard")

    async def _beat(self, client: aioredis.Redis) -> None:
        """Say something to ourselves, read the operator's key, tell the state."""
        while True:
            await client.publish(self._echo, b"echo")
            status = self._gateway.status()
            await self._look(await client.get(SWITCH), status)
            await self._tell(client, status)
            await self._clock.sleep(BEAT_SECONDS)

    # The kill switch ---------------------------------------------------------------------------

    async def _take(self, data: bytes, how: str) -> None:
        """Do what an operator says; a word that is none is not guessed at."""
        text = data.decode("utf-8", "replace").strip()
        action = WORDS.get(text.upper())
        if action is None:
            _log.warning("Redis: no word of the kill switch", text=visible(text[:80]))
            return
        await self._switch(action, f"{how} {action} at {SWITCH}", HaltSource.REDIS)

    async def _look(self, value: Any, status: StatusView) -> None:  # noqa: ANN401 - untyped
        """Follow the operator's key: set to ENABLE halts; what was set is lifted by its end."""
        text = "" if value is None else value.decode("utf-8", "replace").strip().upper()
        is_set = WORDS.get(text) == "ENABLE"
        if is_set:
            # Also when it was lifted elsewhere: as long as it stands there, it holds.
            if not self._was_set or not _is_halted(status, HaltSource.REDIS):
                await self._switch("ENABLE", f"key {SWITCH} is {text}", HaltSource.REDIS)
        elif self._was_set:
            await self._switch("DISABLE", f"key {SWITCH} says so no more", HaltSource.REDIS)
        self._was_set = is_set

    async def _switch(self, action: str, reason: str, source: HaltSource) -> None:
        try:
            await self._gateway.kill_switch(
                action, scope=SCOPE_ALL, reason=reason, source=source, actor=ACTOR
            )
        except Undecided as error:  # in force in memory all the same where it stops
            _log.warning("Redis: the kill switch is not on record", why=str(error))

    async def _tell(self, client: aioredis.Redis, status: StatusView) -> None:
        """Write how the switch stands, and tell each change of it."""
        word = STATES.get(TradingState(status.state), "ENABLED")
        await client.set(STATUS, word)
        if word != self._told:
            event = {
                "event_type": "KILL_SWITCH",
                "state": word,
                "halts": [
                    {"source": each.source, "scope": each.scope, "reason": each.reason}
                    for each in status.halts
                ],
                "ts": format_time(self._clock.now_ns()),
            }
            await client.publish(SWITCH_EVENTS, json.dumps(event).encode())
            self._told = word

    # The policy --------------------------------------------------------------------------------

    async def first_heard(self) -> None:
        """Wait until Redis is heard for the first time, but not for long: then the policy holds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_SECONDS):
                await self._first.wait()

    async def watch(self) -> None:
        """Apply the policy while Redis is not heard, and lift it when it is; until cancelled."""
        while True:
            await self._judge()
            await self._clock.sleep(BEAT_SECONDS)

    async def _judge(self) -> None:
        silent_ns = self._clock.now_ns() - self._heard_ns
        if silent_ns > DOWN_SECONDS * NS_PER_SECOND:
            long = f"for {silent_ns // NS_PER_SECOND} s" if self._heard_ns else "since the start"
            why = f"Redis was not heard {long}: {self._trouble}"
            self._alert("REDIS_DOWN", why)
            self._is_settled = False
            if self._action is not None and not self._is_down_in_force():
                reason = f"{why} (REDIS_DOWN_POLICY)"
                await self._switch(self._action, reason, HaltSource.REDIS_DOWN)
        elif not self._is_settled:
            self._alert_over("REDIS_DOWN")
            if self._is_down_in_force():
                await self._switch("DISABLE", "Redis is heard again", HaltSource.REDIS_DOWN)
            self._is_settled = True

    def _is_down_in_force(self) -> bool:
        """Tell whether the policy holds; one of an earlier process does too."""
        return _is_halted(self._gateway.status(), HaltSource.REDIS_DOWN)


def _is_halted(status: StatusView, source: HaltSource) -> bool:
    return any(each.source == source and each.scope == SCOPE_ALL for each in status.halts)


async def _endless(part: Part, client: aioredis.Redis) -> None:
    await part(client)


def _first_of(group: BaseExceptionGroup[BaseException]) -> str:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return visible(str(first) or type(first).__name__)
