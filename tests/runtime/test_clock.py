"""Clocks: time never runs backwards, a jump is reported once, sleepers wake in order."""

import asyncio
import random

from hypothesis import given
from hypothesis import strategies as st

from arbees.core.language.units import NS_PER_SECOND
from arbees.runtime.clock import JUMP_MAX_NS, RecordedClock, SystemClock
from tests.safeguards.build import NOW

SECOND = NS_PER_SECOND


class Hands:
    """The machine's wall clock and monotonic clock, turned by hand."""

    def __init__(self) -> None:
        self.wall = NOW
        self.steady = 5 * SECOND

    def run(self, ns: int) -> None:
        """Let both run."""
        self.wall += ns
        self.steady += ns

    def clock(self) -> SystemClock:
        """Return a clock over them."""
        return SystemClock(lambda: self.wall, lambda: self.steady)


def test_runs_with_the_monotonic_clock() -> None:
    """At the start it is the wall clock's time; from there it runs as the monotonic one runs."""
    hands = Hands()
    clock = hands.clock()
    assert clock.now_ns() == NOW
    hands.run(3 * SECOND)
    assert clock.now_ns() == NOW + 3 * SECOND


def test_does_not_follow_the_wall_clock_by_itself() -> None:
    """A wall clock that is set changes nothing until somebody looks."""
    hands = Hands()
    clock = hands.clock()
    hands.wall += 3_600 * SECOND
    assert clock.now_ns() == NOW
    assert clock.jump_ns() == 3_600 * SECOND


def test_slew_forwards() -> None:
    """A small drift forwards is followed at once, and is no jump any more."""
    hands = Hands()
    clock = hands.clock()
    hands.wall += SECOND
    clock.slew()
    assert clock.now_ns() == NOW + SECOND
    assert clock.jump_ns() == 0


def test_slew_backwards_stands_still_meanwhile() -> None:
    """A small drift backwards is followed by standing still until time has caught up."""
    hands = Hands()
    clock = hands.clock()
    assert clock.now_ns() == NOW
    hands.wall -= SECOND
    clock.slew()
    assert clock.now_ns() == NOW
    assert clock.jump_ns() == 0
    hands.run(SECOND // 2)
    assert clock.now_ns() == NOW
    hands.run(SECOND)
    assert clock.now_ns() == NOW + SECOND // 2


def test_slew_does_not_follow_a_jump() -> None:
    """Exactly two seconds are a drift; a nanosecond more is a jump, and is not followed."""
    hands = Hands()
    clock = hands.clock()
    hands.wall += JUMP_MAX_NS
    clock.slew()
    assert clock.now_ns() == NOW + JUMP_MAX_NS
    hands.wall += JUMP_MAX_NS + 1
    clock.slew()
    assert clock.now_ns() == NOW + JUMP_MAX_NS
    assert clock.jump_ns() == JUMP_MAX_NS + 1


def test_a_jump_is_reported_once() -> None:
    """Once accepted a jump is gone, small drifts are followed again, another jump is seen."""
    hands = Hands()
    clock = hands.clock()
    hands.wall -= 3_600 * SECOND
    assert clock.jump_ns() == -3_600 * SECOND
    clock.accept_jump()
    assert clock.jump_ns() == 0
    assert clock.now_ns() == NOW
    hands.run(SECOND)
    hands.wall += SECOND // 10
    clock.slew()
    assert clock.now_ns() == NOW + SECOND + SECOND // 10
    hands.wall += 3_600 * SECOND
    assert clock.jump_ns() == 3_600 * SECOND


async def test_sleep_of_the_system_clock_gives_way() -> None:
    """Sleeping waits on the event loop, which goes on meanwhile."""
    await Hands().clock().sleep(0)


@given(st.lists(st.tuples(st.sampled_from("rwbsa"), st.integers(-4 * SECOND, 4 * SECOND))))
def test_never_runs_backwards(steps: list[tuple[str, int]]) -> None:
    """Whatever the machine's clocks do, and whoever slews or accepts, time does not go back."""
    hands = Hands()
    clock = hands.clock()
    last = clock.now_ns()
    for what, ns in steps:
        if what == "r":
            hands.run(abs(ns))
        elif what == "w":
            hands.wall += ns
        elif what == "b":
            hands.steady += abs(ns)
        elif what == "s":
            clock.slew()
        else:
            clock.accept_jump()
        assert clock.now_ns() >= last
        last = clock.now_ns()


# Recorded time ---------------------------------------------------------------------------------


class Sleepers:
    """Tasks that sleep on a recorded clock and note when they woke."""

    def __init__(self, clock: RecordedClock) -> None:
        self.clock = clock
        self.woken: list[tuple[str, int]] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def add(self, name: str, seconds: float, *, again: int = 0) -> asyncio.Task[None]:
        """Let somebody fall asleep, and fall asleep again so often."""
        task = asyncio.create_task(self._sleep(name, seconds, again))
        self.tasks.append(task)
        await asyncio.sleep(0)
        return task

    async def _sleep(self, name: str, seconds: float, again: int) -> None:
        for _ in range(1 + again):
            await self.clock.sleep(seconds)
            self.woken.append((name, self.clock.now_ns() - NOW))

    async def settle(self) -> None:
        """Let whoever woke go on."""
        for _ in range(3):
            await asyncio.sleep(0)

    async def move(self, seconds: float) -> None:
        """Move the clock."""
        await self.clock.move_to(NOW + round(seconds * SECOND), self.settle)


async def test_stands_still_until_moved() -> None:
    """A recorded clock moves only when told to, never back, and no gap is a jump."""
    clock = RecordedClock(NOW)
    sleepers = Sleepers(clock)
    assert clock.now_ns() == NOW
    await sleepers.move(10)
    assert clock.now_ns() == NOW + 10 * SECOND
    await sleepers.move(5)
    assert clock.now_ns() == NOW + 10 * SECOND
    clock.slew()
    clock.accept_jump()
    assert clock.jump_ns() == 0


async def test_sleepers_wake_in_order_of_due_time() -> None:
    """Each wakes at its own time, in order of time, and what comes later sleeps on."""
    sleepers = Sleepers(RecordedClock(NOW))
    await sleepers.add("late", 3)
    await sleepers.add("early", 1)
    await sleepers.add("never", 60)
    assert sleepers.clock.next_due_ns() == NOW + SECOND
    await sleepers.move(5)
    assert sleepers.woken == [("early", SECOND), ("late", 3 * SECOND)]
    assert sleepers.clock.next_due_ns() == NOW + 60 * SECOND
    sleepers.tasks[-1].cancel()


async def test_ties_wake_in_order_of_falling_asleep() -> None:
    """Who fell asleep first wakes first where the due times are the same."""
    sleepers = Sleepers(RecordedClock(NOW))
    for name in "abcde":
        await sleepers.add(name, 1)
    await sleepers.move(1)
    assert [name for name, _ in sleepers.woken] == list("abcde")


async def test_whoever_sleeps_again_wakes_again_on_the_way() -> None:
    """A timer that rearms itself fires each time, in between those of others."""
    sleepers = Sleepers(RecordedClock(NOW))
    await sleepers.add("ticks", 1, again=3)
    await sleepers.add("once", 2.5)
    await sleepers.move(4)
    assert sleepers.woken == [
        ("ticks", SECOND),
        ("ticks", 2 * SECOND),
        ("once", 2 * SECOND + SECOND // 2),
        ("ticks", 3 * SECOND),
        ("ticks", 4 * SECOND),
    ]


async def test_due_exactly_at_the_end_of_a_move_wakes() -> None:
    """The end of a move belongs to it."""
    sleepers = Sleepers(RecordedClock(NOW))
    await sleepers.add("due", 1)
    await sleepers.clock.move_to(NOW + SECOND - 1, sleepers.settle)
    assert sleepers.woken == []
    await sleepers.clock.move_to(NOW + SECOND, sleepers.settle)
    assert sleepers.woken == [("due", SECOND)]


async def test_sleeping_for_nothing_waits_for_a_move() -> None:
    """Even the shortest sleep ends after the clock has moved, never before."""
    sleepers = Sleepers(RecordedClock(NOW))
    await sleepers.add("nap", 0)
    await sleepers.move(0)
    assert sleepers.woken == []
    await sleepers.move(1)
    assert [name for name, _ in sleepers.woken] == ["nap"]


async def test_who_gave_up_is_passed_over() -> None:
    """A cancelled sleeper is neither woken nor due."""
    sleepers = Sleepers(RecordedClock(NOW))
    gone = await sleepers.add("gone", 1)
    await sleepers.add("stays", 2)
    gone.cancel()
    await sleepers.settle()
    assert sleepers.clock.next_due_ns() == NOW + 2 * SECOND
    await sleepers.move(3)
    assert [name for name, _ in sleepers.woken] == ["stays"]
    assert sleepers.clock.next_due_ns() is None


async def test_any_naps_wake_in_order() -> None:
    """Of many sleepers each wakes at its time, earlier ones first, ties as they came."""
    draw = random.Random(7)
    sleepers = Sleepers(RecordedClock(NOW))
    naps = [(f"s{number}", draw.randrange(1, 20)) for number in range(60)]
    for name, seconds in naps:
        await sleepers.add(name, seconds)
    while sleepers.clock.next_due_ns() is not None:
        await sleepers.move((sleepers.clock.now_ns() - NOW) / SECOND + draw.randrange(1, 5))
    expected = sorted(naps, key=lambda nap: nap[1])
    assert sleepers.woken == [(name, seconds * SECOND) for name, seconds in expected]
