"""The bus: no stop lost, none lifted by accident, and a Redis that is away is answered."""

import json

import pytest

from arbees.api.redis.bus import STATUS, SWITCH, SWITCH_EVENTS
from arbees.interface.views import Undecided
from tests.api.redis.surroundings import Surroundings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("word", ["ENABLE", "enable", " On ", "HALT", "stop"])
async def test_a_published_word_stops(word: str) -> None:
    """Each of the words, in any case, halts everything."""
    around = Surroundings()
    async with around.running():
        await around.redis.publish(SWITCH, word)
        await around.until(lambda: around.sources == {"redis"})
    assert around.gateway.switched[0]["scope"] == "all"


@pytest.mark.parametrize("word", ["DISABLE", "off", "Resume", "START"])
async def test_a_published_word_lifts_what_redis_halted(word: str) -> None:
    """And no more than that: a halt of another source stays."""
    around = Surroundings()
    around.gateway.by_source["http"] = ("HALTED", "by hand")
    async with around.running():
        await around.redis.publish(SWITCH, "ENABLE")
        await around.until(lambda: "redis" in around.sources)
        await around.redis.publish(SWITCH, word)
        await around.until(lambda: around.sources == {"http"})


@pytest.mark.parametrize("word", [b"", b"ENABLED", b"yes", b"\xff\xfe", b"ENABLE now"])
async def test_other_words_do_nothing(word: bytes) -> None:
    """What is no word of the switch is not guessed at, and ends nothing."""
    around = Surroundings()
    async with around.running():
        await around.redis.publish(SWITCH, word)
        await around.redis.publish(SWITCH, "HALT")
        await around.until(lambda: around.sources == {"redis"})
    assert len(around.gateway.switched) == 1


async def test_a_key_that_is_set_stops_and_its_end_lifts() -> None:
    """`SET` halts, also before the gateway starts; `SET ... DISABLE` and `DEL` lift it."""
    around = Surroundings()
    await around.redis.set(SWITCH, "enable")
    async with around.running():
        await around.until(lambda: around.sources == {"redis"})
        await around.redis.set(SWITCH, "DISABLE")
        await around.until(lambda: not around.sources)
        await around.redis.set(SWITCH, "ENABLE")
        await around.until(lambda: around.sources == {"redis"})
        await around.redis.delete(SWITCH)
        await around.until(lambda: not around.sources)


async def test_a_key_that_stands_holds() -> None:
    """Lifted elsewhere while the key says ENABLE it halts again: the key is lifted first."""
    around = Surroundings()
    await around.redis.set(SWITCH, "ENABLE")
    async with around.running():
        await around.until(lambda: around.sources == {"redis"})
        around.gateway.by_source.clear()
        await around.until(lambda: around.sources == {"redis"})


async def test_a_key_that_a_restart_forgot_lifts_nothing() -> None:
    """Redis comes back empty: nobody deleted the key, so the stop stands."""
    around = Surroundings()
    await around.redis.set(SWITCH, "ENABLE")
    async with around.running():
        await around.until(lambda: around.sources == {"redis"})
        around.server.is_up = False
        await around.until(lambda: "REDIS_DOWN" in around.alerts)
        around.server.values.clear()
        around.server.is_up = True
        await around.until(lambda: not around.alerts)
        before = around.clock.now
        await around.until(lambda: around.clock.now - before > 5_000_000_000)
        assert around.sources == {"redis"}
        await around.redis.publish(SWITCH, "DISABLE")
        await around.until(lambda: not around.sources)


async def test_a_key_that_was_never_set_lifts_nothing() -> None:
    """A published stop is not lifted by the absence of the key."""
    around = Surroundings()
    async with around.running():
        await around.redis.publish(SWITCH, "ENABLE")
        await around.until(lambda: "redis" in around.sources)
        before = around.clock.now
        await around.until(lambda: around.clock.now - before > 5_000_000_000)
        assert around.sources == {"redis"}


async def test_the_state_is_told() -> None:
    """The key says how the switch stands, and each change is an event."""
    around = Surroundings()
    heard = around.redis.pubsub()
    await heard.subscribe(SWITCH_EVENTS)
    async with around.running():

        async def says(word: bytes) -> None:
            await around.until(lambda: around.server.values.get(STATUS) == word)

        await says(b"DISABLED")
        around.gateway.by_source["http"] = ("REDUCING", "careful")
        await says(b"REDUCING")
        around.gateway.by_source["http"] = ("HALTED", "enough")
        await says(b"ENABLED")
        await around.redis.delete(STATUS)  # Redis was restarted
        await says(b"ENABLED")
    states = []
    while not heard.queue.empty():
        states.append(json.loads(heard.queue.get_nowait()["data"])["state"])
    assert states == ["DISABLED", "REDUCING", "ENABLED"]


@pytest.mark.parametrize(
    ("policy", "state"), [("halt", "HALTED"), ("reduce", "REDUCING"), ("continue", None)]
)
async def test_the_policy_while_redis_is_away(policy: str, state: str | None) -> None:
    """It holds within seconds, is lifted when Redis is heard again, and an alert says so."""
    around = Surroundings(policy)
    async with around.running():
        assert not around.sources
        around.server.is_up = False
        await around.until(lambda: "REDIS_DOWN" in around.alerts)
        if state is not None:
            await around.until(lambda: "redis_down" in around.sources)
            assert around.gateway.by_source["redis_down"][0] == state
        around.server.is_up = True
        await around.until(lambda: not around.alerts and not around.sources)


async def test_a_start_without_redis_follows_the_policy() -> None:
    """Nothing is silence: what was never heard is not heard."""
    around = Surroundings("halt")
    around.server.is_up = False
    async with around.running():
        await around.until(lambda: around.sources == {"redis_down"})
        assert "since the start" in around.gateway.by_source["redis_down"][1]


async def test_coming_back_lifts_no_operators_stop() -> None:
    """What an operator published before the cut stands after it."""
    around = Surroundings("halt")
    async with around.running():
        await around.redis.publish(SWITCH, "ENABLE")
        await around.until(lambda: "redis" in around.sources)
        around.server.is_up = False
        await around.until(lambda: around.sources == {"redis", "redis_down"})
        around.server.is_up = True
        await around.until(lambda: around.sources == {"redis"})


async def test_the_policy_of_an_earlier_process_is_lifted() -> None:
    """A restart finds the halt on record, and Redis at work."""
    around = Surroundings("halt")
    around.gateway.by_source["redis_down"] = ("HALTED", "before")
    async with around.running():
        await around.until(lambda: not around.sources)


async def test_a_deaf_subscription_is_made_anew() -> None:
    """A connection that takes what we say and tells nothing is given up; the policy holds."""
    around = Surroundings("halt")
    around.server.is_deaf = True
    async with around.running():
        await around.until(lambda: around.sources == {"redis_down"})
        first = around.server.listeners[0]
        await around.until(lambda: first not in around.server.listeners)
        around.server.is_deaf = False
        await around.until(lambda: not around.sources)


async def test_a_journal_that_failed_ends_nothing() -> None:
    """The stop is in force in memory; the bus goes on."""
    around = Surroundings()
    around.gateway.kill_error = Undecided("JOURNAL_FAILED", "no disk")
    async with around.running():
        await around.redis.publish(SWITCH, "ENABLE")
        await around.until(lambda: len(around.gateway.switched) == 1)
        around.gateway.kill_error = None
        await around.redis.publish(SWITCH, "ENABLE")
        await around.until(lambda: around.sources == {"redis"})
