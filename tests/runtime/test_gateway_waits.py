"""How long the gateway keeps a caller waiting, and for what."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from arbees.core.deciding.outcomes import (
    Accepted,
    Filled,
    Inconclusive,
    Refused,
    Unknown,
)
from arbees.core.deciding.verdicts import Deny
from arbees.core.language.units import MICRO
from arbees.core.language.words import TimeInForce
from arbees.core.orders.result import Result
from tests.core.scene import Says
from tests.runtime.rig import Rig, fill, running
from tests.runtime.scripted_venue import fills
from tests.safeguards.build import NOW
from verification.simulation import simulate

GTC = TimeInForce.GTC
LOST = Unknown(message="timeout", sent_ns=NOW)


# Waiting ---------------------------------------------------------------------------------------


def timed(rig: Rig, waits: Awaitable[Result]) -> "asyncio.Task[tuple[Result, float]]":
    """Return a result and how long it took, in seconds of the loop."""

    async def measure() -> tuple[Result, float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        result = await waits
        return result, loop.time() - began

    return asyncio.create_task(measure())


Act = Callable[[Rig], Awaitable[None]]


def ask(
    wait: float, *, then: Act | None = None, before: Act | None = None, **changes: Any
) -> tuple[Result, float]:
    """Submit a request in simulated time; return the result and how long it took."""

    async def main() -> tuple[Result, float]:
        async with running() as rig:
            if before is not None:
                await before(rig)
            task = timed(rig, rig.ask(wait=wait, **changes))
            await rig.settle()
            if then is not None:
                await then(rig)
            return await task

    return simulate(main())


async def hold_answer(rig: Rig) -> None:
    """Let the venue keep its answer to itself."""
    rig.kalshi.before_answer.clear()


async def hold_answer_of_fill(rig: Rig) -> None:
    """Let the venue fill, and keep that to itself."""
    rig.kalshi.answers.append(lambda order: fills(order, NOW))
    rig.kalshi.before_answer.clear()


async def release(rig: Rig) -> None:
    """Let the venue speak after two seconds."""
    await asyncio.sleep(2)
    rig.kalshi.before_answer.set()


def test_no_wait_answers_right_after_the_commit() -> None:
    """Whoever waits for nothing gets the decision as soon as it is durable."""
    result, took = ask(0, before=hold_answer)
    assert (result.status, result.final, took) == ("Pending", False, 0)
    assert result.sequence > 0


def test_waits_until_it_is_final() -> None:
    """The answer comes with the fill, not before and not later."""
    result, took = ask(10, before=hold_answer_of_fill, then=release)
    assert (result.status, result.final) == ("Filled", True)
    assert result.filled_qty == 10
    assert took == pytest.approx(2, abs=0.01)


def test_a_wait_that_is_over_gives_the_result_so_far() -> None:
    """When the time is up the result is what is known: not final, nothing lost."""
    result, took = ask(3, before=hold_answer)
    assert (result.status, result.final) == ("Pending", False)
    assert took == pytest.approx(3, abs=0.01)


def test_a_resting_order_is_answered_at_its_acknowledgement() -> None:
    """Nobody waits for a resting order to fill: it is answered once the venue has it."""
    result, took = ask(10, before=hold_answer, then=release, time_in_force=GTC)
    assert (result.status, result.final) == ("Pending", False)
    assert result.order_id is not None
    assert took == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_an_order_for_now_is_answered_at_its_end(time_in_force: TimeInForce) -> None:
    """That the venue has it, told by a first fill on its stream, is no answer to one for now."""

    async def stream_first(rig: Rig) -> None:
        first, rest = (
            fill(rig.order(), quantity * MICRO, venue_order_id="v") for quantity in (4, 6)
        )
        rig.kalshi.report(Filled(fill=first))
        rig.kalshi.answers.append(
            Accepted(venue_order_id="v", time_ns=NOW, fills=(first, rest), closed="filled")
        )
        await release(rig)

    result, took = ask(10, before=hold_answer, then=stream_first, time_in_force=time_in_force)
    assert result.final
    assert took == pytest.approx(2, abs=0.01)


def test_an_unknown_is_answered_at_once() -> None:
    """Evidence may take minutes: whoever waits is told that it is unknown."""

    async def lose(rig: Rig) -> None:
        rig.kalshi.answers.append(LOST)
        rig.kalshi.lookups.append(Inconclusive(message="lag"))

    result, took = ask(10, before=lose)
    assert (result.status, result.final, took) == ("Unknown", False, 0)


def test_a_refusal_is_answered_at_once() -> None:
    """A venue that says no is final."""

    async def refuse(rig: Rig) -> None:
        rig.kalshi.answers.append(Refused(venue_code="price", message="bad price"))

    result, took = ask(10, before=refuse)
    assert (result.status, result.rejected_by, result.venue_code) == ("Rejected", "venue", "price")
    assert took == 0


async def test_a_denial_is_answered_at_once() -> None:
    """A denial needs no venue."""
    async with running(Says("kill_switch", Deny("HALTED", "drill"))) as rig:
        result = await rig.ask(wait=10)
        assert (result.status, result.code, result.final) == ("Rejected", "HALTED", True)
        assert rig.kalshi.sent == []


def test_a_duplicate_is_answered_at_once() -> None:
    """While the first is in flight the second comes back at once, with it as it is known."""

    async def main() -> None:
        async with running() as rig:
            rig.kalshi.before_answer.clear()
            first = timed(rig, rig.ask(wait=5))
            await rig.settle()
            second, took = await timed(rig, rig.ask(wait=5, request_id="r-2"))
            assert (second.code, took) == ("DUPLICATE_REQUEST", 0)
            assert isinstance(second.original, Result)
            assert (second.original.request_id, second.original.status) == ("r-k-1", "Pending")
            assert not first.done()
            rig.kalshi.before_answer.set()
            assert (await first)[0].final is False

    simulate(main())


async def test_many_wait_apart() -> None:
    """Each caller is woken by what happens to their own request."""
    async with running() as rig:
        for number in range(20):
            rig.kalshi.answers.append(lambda order: fills(order, NOW))
            assert number == len(rig.kalshi.answers) - 1
        results = await asyncio.gather(*(rig.ask(f"k-{n}", wait=10) for n in range(20)))
        assert [each.request_id for each in results] == [f"r-k-{n}" for n in range(20)]
        assert {each.status for each in results} == {"Filled"}
        assert rig.gateway._watch == {}
