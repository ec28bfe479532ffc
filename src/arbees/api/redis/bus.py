"""The bus: one connection to Redis at a time, and whether it can be trusted.

Guarantees that the order path never waits for Redis; that what an operator publishes or sets stops
trading as any other halt does, and is lifted by Redis alone; that what was told is heard, also when
the connection breaks right behind it; and that a Redis which is away, or a subscription that hears
nothing any more, is known by an echo of our own within seconds and answered as `REDIS_DOWN_POLICY`
says, from the start on. A Redis that hears and tells but takes nothing (it is full, or forbids it)
keeps the switch and is an alert. It fails by connecting again, and says so.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import redis.asyncio as aioredis
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from arbees.core.language.units import NS_PER_SECOND
from arbees.core.language.visible_text import visible
from arbees.core.language.words import SCOPE_ALL, HaltSource, TradingState
from arbees.interface.views import Gateway, Undecided

SWITCH = "trading:kill_switch"
"""The channel that an operator publishes to, and the key that one may set."""
STATUS = "trading:kill_switch_status"
WORDS = {
    **dict.fromkeys(("ENABLE", "ON", "HALT", "STOP"), "ENABLE"),
    **dict.fromkeys(("DISABLE", "OFF", "RESUME", "START"), "DISABLE"),
}
STRICTNESS = {"reduce": TradingState.REDUCING, "halt": TradingState.HALTED}
STATES = {TradingState.ACTIVE: "DISABLED", TradingState.REDUCING: "REDUCING"}
"""The switch as the status key tells it; whatever is stricter is ENABLED."""
BEAT_SECONDS = 0.5
"""Between looks at the operator's key, echoes, and writes of the status."""
FIRST_BEAT_SECONDS = 0.02
"""The same until the first echo is heard."""
DEAF_SECONDS = 10.0
"""Without an echo for so long the subscription is made anew."""
END_SECONDS = 0.5
"""Between two times of asking a part to end."""
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
        """
        self._connect = connect
        self._gateway = gateway
        self._clock = clock
        self._alert = alert
        self._alert_over = alert_over
        self._action = {"reduce": "REDUCE", "halt": "ENABLE"}.get(down_policy)
        self._least = STRICTNESS.get(down_policy, TradingState.ACTIVE)
        self._echo = f"arbees:echo:{secrets.token_hex(8)}"
        self._echo_ns = 0
        """When our own echo was heard last; 0 = not over this connection."""
        self._heard_ns = 0
        """When the echo was heard and the operator's key was read; 0 = never."""
        self._first = asyncio.Event()
        self._trouble = "not connected yet"
        self._refused: dict[str, tuple[int, str]] = {}
        """What Redis answers instead of doing it: when last, and why, by who asked."""
        self._set_at: str | None = None
        """The run of Redis in which the operator's key was seen to say ENABLE; None = it does not.
        """
        self._is_settled = False
        """Whether all is well since Redis was heard, and the policy of before is lifted."""

    # The connection ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep connected until cancelled."""
        while True:
            try:
                await self._session()
            except (RedisError, OSError, TimeoutError, Deaf) as error:
                self._trouble = visible(str(error) or type(error).__name__)
                _log.warning("Redis is not heard", why=self._trouble)
            await self._clock.sleep(RETRY_SECONDS)

    async def keep(self, name: str, part: Part) -> None:
        """Run a part over connections of its own until cancelled: its faults silence no stop."""
        while True:
            client = self._connect()
            try:
                await part(client)
            except* (RedisError, OSError, TimeoutError) as group:
                why = _first_of(group)
                if group.subgroup(ResponseError) is not None:
                    self._refuse(name, why)
                _log.warning("Redis: a part of it goes on later", part=name, why=why)
            finally:
                await _closed(client)
            await self._clock.sleep(RETRY_SECONDS)

    async def _session(self) -> None:
        client = self._connect()
        # Whether the key was deleted or forgotten while we were away, nobody knows: lifts nothing.
        self._set_at = None
        self._echo_ns = 0
        listening = client.pubsub()
        try:
            await listening.subscribe(SWITCH, self._echo)
            started_ns = self._clock.now_ns()
            parts = (
                asyncio.create_task(self._listen(client, listening, started_ns)),
                asyncio.create_task(self._keep_beating(client)),
            )
            # No group: where a part fails as the bus is ended, a group forgets that it was ended.
            try:
                done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _ended(parts)
            for each in done:
                each.result()
        finally:
            await _closed(listening)
            await _closed(client)

    async def _listen(
        self,
        client: aioredis.Redis,
        listening: Any,  # noqa: ANN401 - untyped
        started_ns: int,
    ) -> None:
        """Hear the operator, and ourselves. Raises Deaf."""
        while True:
            message = await listening.get_message(ignore_subscribe_messages=True, timeout=1.0)
            if message is not None:  # what was told is heard before the line is given up
                await self._hear(client, message)
                continue
            last_ns = self._echo_ns or started_ns
            if self._clock.now_ns() - last_ns > DEAF_SECONDS * NS_PER_SECOND:
                raise Deaf("our own echo is not heard")

    async def _hear(self, client: aioredis.Redis, message: dict[str, Any]) -> None:
        if message.get("type") != "message":
            return
        if message["channel"] == self._echo.encode():
            self._echo_ns = self._clock.now_ns()
            return
        await self._take(client, message["data"])

    async def _keep_beating(self, client: aioredis.Redis) -> None:
        """
        Go on when the connection breaks: the subscription has another, and goes on hearing.

        What it heard already would be lost with it, and somebody was told that one heard.
        """
        while True:
            try:
                await self._beat(client)
            except (RedisError, OSError, TimeoutError) as error:
                self._trouble = visible(str(error) or type(error).__name__)
                self._set_at = None  # what happened to the key meanwhile, nobody knows
            await self._clock.sleep(BEAT_SECONDS if self._echo_ns else FIRST_BEAT_SECONDS)

    async def _beat(self, client: aioredis.Redis) -> None:
        """Say something to ourselves, read the operator's key, tell the state."""
        await client.publish(self._echo, b"echo")
        is_marked = await self._look(client)
        if self._echo_ns:
            self._heard_ns = self._echo_ns
            self._first.set()
        word = STATES.get(TradingState(self._gateway.status().state), "ENABLED")
        try:
            # Where it was there and is gone now, Redis forgot: the next look must see that.
            await client.set(STATUS, word, xx=is_marked)
        except ResponseError as error:
            self._refuse("the state of the switch", visible(str(error)))

    def _refuse(self, name: str, why: str) -> None:
        self._refused[name] = (self._clock.now_ns(), why)

    # The kill switch ---------------------------------------------------------------------------

    async def _take(self, client: aioredis.Redis, data: bytes) -> None:
        """Do what an operator says; a word that is none is not guessed at."""
        text = data.decode("utf-8", "replace").strip()
        action = WORDS.get(text.upper())
        if action is None:
            _log.warning("Redis: no word of the kill switch", text=visible(text[:80]))
            return
        if action == "DISABLE" and await _may_be_set(client):
            _log.warning("Redis: the key says ENABLE, or is not known: it holds", key=SWITCH)
            return
        # An end of the key that is not noticed yet is older than this, and must not lift it.
        self._set_at = None
        await self._switch(action, f"published {action} at {SWITCH}", HaltSource.REDIS)

    async def _look(self, client: aioredis.Redis) -> bool:
        """
        Follow the operator's key: set to ENABLE halts; what was set is lifted by its end.

        Returns:
            Whether our own key was there.
        """
        # A full Redis takes no transaction. Nobody else writes our key: no need of one.
        pipe = client.pipeline(transaction=False)
        pipe.get(SWITCH)
        pipe.exists(STATUS)
        pipe.info("server")
        value, is_marked, server = await pipe.execute()
        run = str(server.get("run_id"))
        if _word_of(value) == "ENABLE":
            # Also when it was lifted elsewhere: as long as it stands there, it holds.
            if self._set_at is None or not self._holds(HaltSource.REDIS, TradingState.HALTED):
                await self._switch("ENABLE", f"key {SWITCH} says ENABLE", HaltSource.REDIS)
            self._set_at = run
            return bool(is_marked)
        # Where our own key is gone as well, or Redis was started anew, it forgot: nobody lifted.
        if self._set_at == run and is_marked:
            await self._switch("DISABLE", f"key {SWITCH} says so no more", HaltSource.REDIS)
        self._set_at = None
        return bool(is_marked)

    async def _switch(self, action: str, reason: str, source: HaltSource) -> None:
        try:
            await self._gateway.kill_switch(
                action, scope=SCOPE_ALL, reason=reason, source=source, actor=ACTOR
            )
        except Undecided as error:  # in force in memory all the same where it stops
            _log.warning("Redis: the kill switch is not on record", why=str(error))

    # The policy --------------------------------------------------------------------------------

    async def first_heard(self) -> None:
        """Wait until Redis is heard for the first time, but not for long: then the policy holds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_SECONDS):
                await self._first.wait()

    async def watch(self) -> None:
        """Apply the policy while Redis is not heard, and lift it when it is; until cancelled."""
        while True:
            await self.judge()
            await self._clock.sleep(BEAT_SECONDS)

    async def judge(self) -> None:
        """Apply or lift the policy by what is known now."""
        now_ns = self._clock.now_ns()
        silent_ns = now_ns - self._heard_ns
        if silent_ns > DOWN_SECONDS * NS_PER_SECOND:
            long = f"for {silent_ns // NS_PER_SECOND} s" if self._heard_ns else "since the start"
            why = f"Redis was not heard {long}: {self._trouble}"
            self._alert("REDIS_DOWN", why)
            self._is_settled = False
            is_held = self._holds(HaltSource.REDIS_DOWN, self._least)
            if self._action is not None and not is_held:
                reason = f"{why} (REDIS_DOWN_POLICY)"
                await self._switch(self._action, reason, HaltSource.REDIS_DOWN)
            return
        if self._holds(HaltSource.REDIS_DOWN, TradingState.REDUCING):
            await self._switch("DISABLE", "Redis is heard again", HaltSource.REDIS_DOWN)
        standing = {
            name: why
            for name, (at_ns, why) in self._refused.items()
            if now_ns - at_ns <= DOWN_SECONDS * NS_PER_SECOND
        }
        if standing:
            why = "; ".join(f"{name}: {why}" for name, why in standing.items())
            self._alert("REDIS_DOWN", f"Redis is heard, but refuses what it is asked for: {why}")
            self._is_settled = False
        elif not self._is_settled:
            self._alert_over("REDIS_DOWN")
            self._is_settled = True

    def _holds(self, source: HaltSource, least: TradingState) -> bool:
        """Tell whether a source halts everything, at least so strictly."""
        return any(
            each.source == source
            and each.scope == SCOPE_ALL
            and TradingState(each.state).rank >= least.rank
            for each in self._gateway.status().halts
        )


async def _may_be_set(client: aioredis.Redis) -> bool:
    """Tell whether the operator's key says ENABLE, or cannot be read."""
    try:
        return _word_of(await client.get(SWITCH)) == "ENABLE"
    except (RedisError, OSError, TimeoutError):
        return True


def _word_of(value: Any) -> str | None:  # noqa: ANN401 - untyped
    """Return what the operator's key says."""
    text = "" if value is None else value.decode("utf-8", "replace").strip().upper()
    return WORDS.get(text)


async def _ended(parts: Iterable["asyncio.Task[None]"]) -> None:
    """End tasks; one that loses its cancellation among errors of the connection is asked again."""
    left = set(parts)
    while left:
        for each in left:
            each.cancel()
        _, left = await asyncio.wait(left, timeout=END_SECONDS)


async def _closed(connection: Any) -> None:  # noqa: ANN401 - a client or a subscription
    with contextlib.suppress(RedisError, OSError, TimeoutError):
        await connection.aclose()


def _first_of(group: BaseExceptionGroup[BaseException]) -> str:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return visible(str(first) or type(first).__name__)
