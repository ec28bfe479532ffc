"""The bus: no stop lost, none lifted by accident, and a Redis that is away is answered."""

import pytest

from arbees.api.redis.bus import STATUS, SWITCH
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
        around.server.restart()
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


async def test_a_key_that_redis_forgot_within_one_connection_lifts_nothing() -> None:
    """Emptied, or started anew behind a proxy that keeps the connection: nobody deleted the key."""
    around = Surroundings()
    async with around.running():
        for forget in (around.server.values.clear, around.server.restart):
            await around.redis.set(SWITCH, "ENABLE")
            await around.until(lambda: around.sources == {"redis"})
            await around.until(lambda: STATUS in around.server.values)
            forget()
            before = around.clock.now
            await around.until(
                lambda since=before: around.clock.now - since > 3_000_000_000  # type: ignore[misc]
            )
            assert around.sources == {"redis"}
            await around.redis.publish(SWITCH, "DISABLE")
            await around.until(lambda: not around.sources)


async def test_a_redis_that_is_emptied_between_two_of_our_commands_lifts_nothing() -> None:
    """Our own key is not made anew before it was seen to be gone: it tells the two apart."""
    around = Surroundings()
    async with around.running():
        await around.redis.set(SWITCH, "ENABLE")
        await around.until(lambda: around.sources == {"redis"})
        await around.until(lambda: STATUS in around.server.values)
        emptied: list[bool] = []

        def empty() -> None:
            if not emptied:
                emptied.append(True)
                around.server.values.clear()

        around.server.before_set = empty
        await around.until(lambda: emptied)
        await around.until(lambda: STATUS in around.server.values)
        before = around.clock.now
        await around.until(lambda: around.clock.now - before > 3_000_000_000)
        assert around.sources == {"redis"}


async def test_a_published_end_lifts_nothing_while_the_key_stands() -> None:
    """Not even for the moment until the key is read again: an order would pass."""
    around = Surroundings()
    await around.redis.set(SWITCH, "ENABLE")
    async with around.running():
        await around.until(lambda: around.sources == {"redis"})
        await around.redis.publish(SWITCH, "DISABLE")
        await around.redis.publish(SWITCH, "STOP")
        await around.until(lambda: "published" in str(around.gateway.switched))
        assert {each["action"] for each in around.gateway.switched} == {"ENABLE"}


async def test_a_stop_that_is_published_behind_the_end_of_the_key_holds() -> None:
    """The end of the key is noticed later than the stop that came after it: it lifts nothing."""
    around = Surroundings()
    await around.redis.set(SWITCH, "ENABLE")
    async with around.running():
        await around.until(lambda: around.sources == {"redis"})
        await around.redis.delete(SWITCH)
        await around.redis.publish(SWITCH, "ENABLE")
        before = around.clock.now
        await around.until(lambda: around.clock.now - before > 5_000_000_000)
        assert around.sources == {"redis"}


async def test_what_came_before_the_cut_is_heard() -> None:
    """Redis told the operator that one heard: so it was, though the connection broke behind it."""
    around = Surroundings()
    async with around.running():
        await around.until(lambda: STATUS in around.server.values)
        listening = around.server.listeners[0]
        listening.queue.put_nowait(
            {"type": "message", "channel": SWITCH.encode(), "data": b"ENABLE"}
        )
        around.server.is_up = False
        await around.until(lambda: around.sources == {"redis"})


async def test_a_full_redis_keeps_the_switch() -> None:
    """It takes nothing more, hears and tells: that is an alert, and no reason to be deaf."""
    around = Surroundings("halt")
    async with around.running():
        around.server.is_full = True
        await around.until(lambda: "REDIS_DOWN" in around.alerts)
        assert "OOM" in around.said[-1]
        listening = around.server.listeners[0]
        await around.redis.publish(SWITCH, "ENABLE")
        await around.until(lambda: around.sources == {"redis"})
        assert around.server.listeners == [listening]
        around.server.is_full = False
        await around.until(lambda: not around.alerts)
        assert around.sources == {"redis"}


async def test_a_stricter_policy_takes_the_place_of_the_one_before() -> None:
    """What an earlier process reduced under another setting is halted now."""
    around = Surroundings("halt")
    around.gateway.by_source["redis_down"] = ("REDUCING", "before")
    around.server.is_up = False
    async with around.running():
        await around.until(lambda: around.gateway.by_source["redis_down"][0] == "HALTED")


async def test_the_state_is_told() -> None:
    """The key says how the switch stands, also after Redis forgot it."""
    around = Surroundings()
    async with around.running():

        async def says(word: bytes) -> None:
            await around.until(lambda: around.server.values.get(STATUS) == word)

        await says(b"DISABLED")
        around.gateway.by_source["http"] = ("REDUCING", "careful")
        await says(b"REDUCING")
        around.gateway.by_source["http"] = ("HALTED", "enough")
        await says(b"ENABLED")
        await around.redis.delete(STATUS)
        await says(b"ENABLED")


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
        await around.until(lambda: around.server.listeners)
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
