"""Turns: tokens go to what reduces first, then to who came first, and nobody waits for ever."""

import asyncio
from collections.abc import Awaitable, Callable

from arbees.core.language.units import NS_PER_SECOND
from arbees.runtime.clock import RecordedClock
from arbees.venues.kalshi.connection.budget import Budget
from arbees.venues.kalshi.connection.turns import PATIENCE_NS, WAITING_MAX, Turns

STEP_NS = NS_PER_SECOND // 100


class Queue:
    """Orders that ask for tokens of the smallest tier."""

    def __init__(self) -> None:
        self.clock = RecordedClock(0)
        self.budget = Budget(0)
        self.turns = Turns(self.clock)
        self.served: list[str] = []
        self.refused: list[str] = []

    async def order(
        self, name: str, *, is_reducing: bool = False, expires_ns: int | None = None
    ) -> None:
        """Ask for the tokens of an order."""
        wait_ns = await self.turns.take(
            lambda now_ns: self.budget.order(now_ns, is_reducing=is_reducing),
            is_reducing=is_reducing,
            expires_ns=expires_ns,
        )
        (self.refused if wait_ns else self.served).append(name)

    async def pass_time(self, ns: int) -> None:
        """Let time pass in small steps."""
        until_ns = self.clock.now_ns() + ns
        while self.clock.now_ns() < until_ns:
            await self.clock.move_to(self.clock.now_ns() + STEP_NS, turn)
            await turn()


async def turn() -> None:
    """Let the loop turn."""
    for _ in range(10):
        await asyncio.sleep(0)


def start(*works: Awaitable[None]) -> list["asyncio.Future[None]"]:
    """Start orders, in this order."""
    return [asyncio.ensure_future(work) for work in works]


async def played(make: Callable[[Queue], list["asyncio.Future[None]"]], seconds: float) -> Queue:
    """Let orders ask, and time pass."""
    queue = Queue()
    asked = make(queue)
    await turn()
    await queue.pass_time(int(seconds * NS_PER_SECOND))
    for each in asked:
        each.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    return queue


async def test_seventeen_orders_at_once_all_have_their_turn() -> None:
    """On the smallest tier in about a second, in the order in which they came."""
    names = [str(number) for number in range(17)]
    queue = await played(lambda queue: start(*(queue.order(name) for name in names)), 1.5)
    assert queue.served == names
    assert queue.refused == []


async def test_what_reduces_comes_before_all_that_wait() -> None:
    """It came last and is served first, out of the reserve if need be."""

    def ask(queue: Queue) -> list["asyncio.Future[None]"]:
        opening = start(*(queue.order(str(number)) for number in range(20)))
        return opening + start(queue.order("exit", is_reducing=True))

    queue = await played(ask, 0.05)
    assert "exit" in queue.served
    assert len(queue.served) < 10


async def test_nobody_waits_longer_than_a_few_seconds() -> None:
    """A hundred at once: those whose tokens would come too late are told so, and not sent."""
    names = [str(number) for number in range(100)]
    queue = await played(lambda queue: start(*(queue.order(name) for name in names)), 6)
    assert queue.served == names[: len(queue.served)]
    assert 50 <= len(queue.served) < 70
    assert len(queue.served) + len(queue.refused) == 100


async def test_an_order_waits_no_longer_than_it_is_good_for() -> None:
    """One that would expire meanwhile gives way at once."""

    def ask(queue: Queue) -> list["asyncio.Future[None]"]:
        first = start(*(queue.order(str(number)) for number in range(9)))
        return first + start(queue.order("brief", expires_ns=STEP_NS), queue.order("next"))

    queue = await played(ask, 1)
    assert queue.refused == ["brief"]
    assert queue.served[-1] == "next"


async def test_one_that_gives_up_holds_nobody_up() -> None:
    """An order whose task ends leaves its place."""
    queue = Queue()
    asked = start(*(queue.order(str(number)) for number in range(12)))
    await turn()
    for each in asked[8:11]:
        each.cancel()
    await queue.pass_time(NS_PER_SECOND)
    assert queue.served[-1] == "11"
    assert PATIENCE_NS > NS_PER_SECOND


async def test_the_number_of_those_who_wait_is_bounded() -> None:
    """One more is refused at once."""
    queue = Queue()
    asked = start(*(queue.order(str(number)) for number in range(WAITING_MAX + 20)))
    await turn()
    assert len(queue.refused) >= 5
    for each in asked:
        each.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
