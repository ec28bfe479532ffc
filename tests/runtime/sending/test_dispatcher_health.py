"""What the dispatcher learns of a venue's health from what it answers."""

import asyncio

import pytest

from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import (
    Found,
    Inconclusive,
    NotSent,
    Outcome,
    Refusal,
    Refused,
    Unknown,
)
from arbees.core.language.words import Platform
from arbees.errors import VenueError
from tests.runtime.rig import Rig, running
from tests.safeguards.build import NOW, SECOND

LOST = Unknown(message="timeout", sent_ns=NOW)
LAGS = Inconclusive(message="reads lag")
FOUND = Found(venue_order_id="v-1", by="id", time_ns=NOW)


@pytest.mark.parametrize(
    ("answer", "is_error"),
    [
        (NotSent(message="no route"), True),
        (LOST, True),
        (Unknown(message="HTTP 200, cut", sent_ns=NOW, is_health=False), False),
        (NotSent(message="our own budget", is_health=False), False),
        (Refused(venue_code="paused", message="paused", is_health=True), False),
        (Refused(venue_code="price", message="bad price"), False),
    ],
)
async def test_answers_that_speak_of_health(answer: Outcome, is_error: bool) -> None:
    """What does not arrive is an error; an answer, an odd one too, and our own budget are none."""
    async with running(errors_to_open=1) as rig:
        rig.kalshi.answers.append(answer)
        rig.kalshi.lookups.append(LAGS)
        await rig.ask()
        await rig.settle()
        assert rig.desk.breakers[Platform.KALSHI].is_open is is_error
        assert not rig.desk.breakers[Platform.POLYMARKET].is_open


async def open_breaker(rig: Rig) -> None:
    """Open Kalshi's breaker, and let its pause pass."""
    rig.kalshi.failure = VenueError("down")
    await rig.gateway.monitors.refresh_balances()
    assert rig.desk.breakers[Platform.KALSHI].is_open
    await rig.wait(29)
    rig.desk.clock = StoppedPause(rig.now_ns + SECOND)


class StoppedPause:
    """A clock that stands where the pause of a breaker is over, and lets nobody wake."""

    def __init__(self, now_ns: int) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        """Return where it stands."""
        return self._now_ns

    def jump_ns(self) -> int:
        """Return 0."""
        return 0

    def slew(self) -> None:
        """Do nothing."""

    def accept_jump(self) -> None:
        """Do nothing."""

    async def sleep(self, seconds: float) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


async def test_our_own_gate_is_no_word_of_the_venue() -> None:
    """An order that we held back ourselves says nothing of the venue: its breaker stays open."""
    async with running(errors_to_open=1) as rig:
        rig.kalshi.before_gate.clear()
        await rig.ask()
        await rig.settle()
        await open_breaker(rig)
        rig.desk.gate.close(Refusal(code="SHUTTING_DOWN", message="m"))
        rig.kalshi.before_gate.set()
        await rig.settle()
        assert rig.known().final
        assert rig.desk.breakers[Platform.KALSHI].is_open


async def test_an_inconclusive_lookup_is_no_word_of_the_venue() -> None:
    """A lookup that could not look, or found nothing certain, does not close the breaker."""
    async with running(errors_to_open=1) as rig:
        order = await rig.rest()
        await open_breaker(rig)
        rig.kalshi.lookups.append(Inconclusive(message="The venue cannot be reached"))
        rig.desk.dispatcher.carry_out([commands.ResolveOrder(order.client_order_id)])
        await rig.settle()
        assert len(rig.kalshi.looked_up) == 1
        assert rig.desk.breakers[Platform.KALSHI].is_open
        rig.kalshi.lookups.append(FOUND)


async def test_a_lookup_that_finds_closes_the_breaker() -> None:
    """Evidence is evidence: a venue that answers what it has is back."""
    async with running(errors_to_open=1) as rig:
        order = await rig.rest()
        await open_breaker(rig)
        rig.kalshi.failure = None
        rig.kalshi.lookups.append(FOUND)
        rig.desk.dispatcher.carry_out([commands.ResolveOrder(order.client_order_id)])
        await rig.settle()
        assert not rig.desk.breakers[Platform.KALSHI].is_open
