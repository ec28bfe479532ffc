"""The start of a gateway: what an earlier life left is found out, never sent again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.open_order import Order
from arbees.core.deciding.outcomes import (
    CancelAccepted,
    CancelUnknown,
    Found,
    Inconclusive,
    Lookup,
    Unknown,
    VenueOrder,
)
from arbees.core.language.units import MICRO
from arbees.core.language.words import TimeInForce
from arbees.errors import JournalUnavailable, VenueError
from arbees.interface.views import Undecided
from arbees.runtime.clock import RecordedClock
from tests.runtime.memory_journal import MemoryJournal
from tests.runtime.rig import Rig, fill, listed, running
from tests.safeguards.build import NOW, SECOND

LAGS = Inconclusive(message="lag")
GTC = TimeInForce.GTC


def found(closed: str | None = None, **changes: Any) -> Found:
    """Return that an order was found."""
    return Found(**{"venue_order_id": "v", "by": "id", "time_ns": NOW, "closed": closed, **changes})


async def crashed(
    *, answer: Unknown | None = None, is_answered: bool = False, is_cancelled: bool = False
) -> tuple[MemoryJournal, Order]:
    """
    Live until a crash; return the journal and the order that was open.

    Args:
        answer: what the venue answered, if not that it rests.
        is_answered: whether an answer came before the crash.
        is_cancelled: whether its cancel was asked for, and not answered.
    """
    async with running() as rig:
        if answer is not None:
            rig.kalshi.answers.append(answer)
            rig.kalshi.lookups.extend([LAGS] * 9)
        if not is_answered and answer is None:
            rig.kalshi.before_answer.clear()
        await rig.ask(time_in_force=GTC)
        await rig.settle()
        if is_cancelled:
            rig.kalshi.cancel_answers.extend([CancelUnknown(message="no answer")] * 9)
            await rig.gateway.cancel_all(scope="all", reason="drill", actor="ann")
            await rig.settle()
        order = rig.order()
    return rig.journal, order


@asynccontextmanager
async def restarted(
    journal: MemoryJournal, *lookups: Lookup, working: tuple[VenueOrder, ...] = ()
) -> AsyncIterator[Rig]:
    """Start another life, an hour later, at a venue that finds this."""
    rig = Rig(journal=journal, clock=RecordedClock(NOW + 3_600 * SECOND))
    rig.kalshi.lookups.extend(lookups)
    rig.kalshi.working = list(working)
    try:
        await rig.gateway.start()
        yield rig
    finally:
        await rig.desk.supervisor.stop()


# The first records -----------------------------------------------------------------------------


async def test_a_start_is_on_record() -> None:
    """Version, settings and what is switched off are journaled before anything is admitted."""
    rig = Rig(
        version="1.2",
        settings_hash="abc",
        settings={"MAX_ORDER_SIZE": "50"},
        disabled={"order_size": "rehearsal"},
    )
    await rig.gateway.start()
    assert rig.events(events.Started) == [
        events.Started(
            version="1.2",
            settings_hash="abc",
            settings={"MAX_ORDER_SIZE": "50"},
            disabled={"order_size": "rehearsal"},
        )
    ]
    assert rig.gateway.readiness().ready
    assert rig.book.is_started
    await rig.desk.supervisor.stop()


async def test_venues_are_asked_before_the_first_request() -> None:
    """Cash, results, fills, orders and positions of each venue come before anything is admitted."""
    rig = Rig()
    admitted: list[bool] = []
    for venue in (rig.kalshi, rig.polymarket):
        venue.during_read = lambda: admitted.append(rig.desk.writer.is_admitting)
    await rig.gateway.start()
    for venue in (rig.kalshi, rig.polymarket):
        first, *compared = venue.asked
        assert first == "balances"
        lists = ["fills", "placed", "open_orders", "positions", "movements"]
        assert compared == ["results", "balances", *lists]
    assert admitted == [False] * 16
    assert rig.desk.writer.is_admitting
    await rig.desk.supervisor.stop()


# Orders of an earlier life ---------------------------------------------------------------------


async def test_a_pending_order_that_filled_is_found() -> None:
    """Sent, filled, and the process died before the answer: the fill is found and counted once."""
    journal, order = await crashed()
    seen = found("filled", fills=(fill(order, 10 * MICRO),))
    async with restarted(journal, seen) as rig:
        kinds = journal.kinds(events.OrderUnknown, events.OrderAcknowledged, events.OrderFilled)
        assert kinds == ["OrderUnknown", "OrderAcknowledged", "OrderFilled"]
        assert rig.known().status == "Filled"
        assert rig.kalshi.sent == []


async def test_a_pending_order_that_never_arrived_is_not_sent() -> None:
    """Journaled and never sent, by all evidence: it ends so, and recovery sends nothing."""
    journal, _ = await crashed()
    async with restarted(journal) as rig:
        assert rig.known().code == "NOT_SENT"
        await rig.wait(600)
        assert rig.kalshi.sent == []


async def test_a_pending_order_may_have_been_sent_until_the_restart() -> None:
    """When its bytes left is not on record: they may have until this process took over."""
    journal, order = await crashed()
    async with restarted(journal) as rig:
        (unknown,) = rig.events(events.OrderUnknown)
        assert unknown.sent_ns == NOW + 3_600 * SECOND
        assert rig.kalshi.looked_up == [(order.client_order_id, unknown.sent_ns)]


async def test_an_unknown_order_is_asked_for_again() -> None:
    """What was unknown stays unknown, with its own time, until there is evidence."""
    journal, order = await crashed(answer=Unknown(message="timeout", sent_ns=NOW + 7))
    async with restarted(journal, LAGS, LAGS) as rig:
        assert rig.kalshi.looked_up == [(order.client_order_id, NOW + 7)]
        assert rig.order().status == "UNKNOWN"
        assert len(rig.events(events.OrderUnknown)) == 1
        await rig.wait(5)
        assert rig.known().code == "NOT_SENT"


async def test_a_start_does_not_wait_for_evidence_for_ever() -> None:
    """An unknown that stays does not keep the gateway from starting: it stays reserved."""
    journal, order = await crashed()
    async with restarted(journal, *[LAGS] * 99) as rig:
        assert rig.gateway.readiness().ready
        assert rig.book.unknown == 1
        assert rig.order().reserved == order.reserved


async def test_a_working_order_goes_on() -> None:
    """What rested rests, after it was looked up; nothing of it is sent or cancelled."""
    journal, order = await crashed(is_answered=True)
    async with restarted(journal, found(), working=(listed(order),)) as rig:
        assert rig.order().status == "WORKING"
        assert len(rig.kalshi.looked_up) == 1
        assert (rig.kalshi.sent, rig.kalshi.cancels) == ([], [])
        assert rig.book.breaks == {}


async def test_a_working_order_that_ended_meanwhile_ends() -> None:
    """What filled while nobody listened is taken at the start."""
    journal, order = await crashed(is_answered=True)
    seen = found("cancelled", fills=(fill(order, 3 * MICRO),))
    async with restarted(journal, seen) as rig:
        assert rig.known().status == "Partial"


async def test_cancels_are_resumed() -> None:
    """A cancel that was asked for and not answered is asked for again."""
    journal, order = await crashed(is_answered=True, is_cancelled=True)
    async with restarted(journal, working=(listed(order),)) as rig:
        rig.kalshi.cancel_answers.append(CancelAccepted(quantity=10 * MICRO, time_ns=NOW))
        await rig.settle()
        await rig.wait(1)
        assert [name for name, _ in rig.kalshi.cancels][:1] == [order.client_order_id]


async def test_an_unknown_order_is_cancelled_once_it_is_found() -> None:
    """Its cancel was asked for before the crash: found at work, it is cancelled."""
    journal, order = await crashed(is_cancelled=True)
    async with restarted(journal, found(), working=(listed(order),)) as rig:
        rig.kalshi.sent = []
        await rig.wait(1)
        assert (order.client_order_id, "v") in rig.kalshi.cancels


async def test_halts_and_breaks_outlive_a_crash() -> None:
    """What stopped trading before the crash stops it after."""
    async with running() as rig:
        await rig.halt(reason="odd fills")
    async with running(journal=rig.journal) as again:
        assert again.gateway.reads.state() == "HALTED"
        assert again.gateway.reads.halts()[0].reason == "odd fills"


# Starts that fail ------------------------------------------------------------------------------


@pytest.mark.parametrize("is_started", [False, True])
async def test_a_stop_without_a_start_closes_everything(is_started: bool) -> None:
    """A gateway that never started, or not to its end, is stopped like any other."""
    rig = Rig()
    if is_started:
        await rig.gateway.start()
    await rig.gateway.stop("never mind")
    assert rig.kalshi.is_closed
    assert rig.polymarket.is_closed
    assert len(rig.events(events.Stopped)) == int(is_started)


async def test_a_journal_that_fails_at_the_start() -> None:
    """The start is refused, and the stop after it ends at once and closes everything."""
    rig = Rig()
    rig.journal.failure = JournalUnavailable("disk full")
    with pytest.raises(JournalUnavailable, match="disk full"):
        await rig.gateway.start()
    assert not rig.gateway.readiness().ready
    await rig.gateway.stop("it failed")
    assert rig.kalshi.is_closed


async def test_a_journal_that_fails_during_the_start() -> None:
    """A failure behind the first record is not covered up by the end of the start."""
    rig = Rig()

    def fail_later() -> None:
        rig.journal.failure = JournalUnavailable("disk full")

    rig.journal.after_append = fail_later
    with pytest.raises(JournalUnavailable, match="disk full"):
        await rig.gateway.start()
    assert not rig.gateway.readiness().ready
    assert not rig.desk.writer.is_admitting
    with pytest.raises(Undecided) as refused:
        await rig.ask()
    assert refused.value.code == "JOURNAL_FAILED"
    await rig.settle()
    assert rig.ended == ["the journal failed: disk full"]
    await rig.gateway.stop("it failed")


async def test_an_adapter_that_breaks_at_the_start() -> None:
    """A fault of an adapter refuses the start; the stop after it is orderly and on record."""
    rig = Rig()

    def explode() -> None:
        raise RuntimeError("a bug in an adapter")

    rig.kalshi.during_read = explode
    with pytest.raises(RuntimeError):
        await rig.gateway.start()
    assert not rig.gateway.readiness().ready
    await rig.gateway.stop("it failed")
    assert rig.kalshi.is_closed
    assert rig.events(events.Stopped) == [events.Stopped(reason="it failed")]


async def test_a_silent_venue_does_not_keep_the_gateway_from_starting() -> None:
    """A venue that fails is one that fails: the others trade."""
    rig = Rig()
    rig.kalshi.failure = VenueError("502")
    await rig.gateway.start()
    assert rig.gateway.readiness().ready
    await rig.gateway.stop("enough")
