"""The kill switch: in force at once, durable before it is answered, lifted by who may."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.open_order import Order
from arbees.core.deciding import commands
from arbees.core.deciding.outcomes import CancelUnknown, Filled
from arbees.core.language.units import MICRO
from arbees.core.language.words import (
    Action,
    HaltSource,
    TimeInForce,
    TradingState,
)
from arbees.errors import JournalUnavailable
from arbees.interface.operator import Conflict
from arbees.interface.views import KillReply, Undecided
from arbees.safeguards.kill_switch import KillSwitch
from tests.runtime.rig import Rig, fill, running
from tests.runtime.scripted_venue import fills
from tests.safeguards.build import KALSHI, NOW


def names(halts: Sequence[Any]) -> list[tuple[str, str]]:
    """Return halts by source and scope."""
    return [(halt.source, halt.scope) for halt in halts]


def raise_halts(rig: Rig, *sources: str, scope: str = "all") -> None:
    """Put halts of these sources on record."""
    for source in sources:
        rig.desk.writer.tell(
            commands.RaiseHalt(
                source=source,
                scope=scope,
                state=TradingState.HALTED,
                reason=f"by {source}",
                actor="a",
                receipt_id=f"receipt-{source}",
            )
        )


# Halting ---------------------------------------------------------------------------------------


async def test_enable_is_answered_durable_and_with_a_receipt() -> None:
    """The answer says what is in force, that it is on disk, as which record, and the receipt."""
    async with running() as rig:
        reply = await rig.halt(reason="odd fills", source="command", actor="ann")
        assert (reply.in_force, reply.durable, reply.state) == (True, True, "HALTED")
        assert reply.sequence == rig.journal.head.sequence
        (halt,) = reply.halts
        assert (halt.source, halt.scope, halt.state) == ("command", "all", "HALTED")
        assert (halt.reason, halt.automatic) == ("odd fills", False)
        assert halt.since.startswith("2026-01-28T20:30:00")
        (raised,) = rig.events(events.HaltRaised)
        assert (raised.actor, raised.receipt_id) == ("ann", reply.receipt_id)
        assert rig.gateway.receipt(reply.receipt_id or "") is not None


async def test_enable_is_in_force_before_it_is_awaited() -> None:
    """From the call on the gate is shut and everybody sees it, before anything is on disk."""
    async with running() as rig:
        rig.kalshi.before_gate.clear()
        await rig.ask()
        await rig.settle()
        halting = asyncio.ensure_future(rig.halt())
        await asyncio.sleep(0)
        assert rig.gateway.kill_status().state == "HALTED"
        assert rig.events(events.HaltRaised) == []
        rig.kalshi.before_gate.set()
        await halting
        await rig.settle()
        assert rig.kalshi.sent == []


async def test_every_halt_has_its_own_receipt() -> None:
    """Halts of two sources are two receipts."""
    async with running() as rig:
        replies = [await rig.halt(), await rig.halt(source="command")]
        assert len({reply.receipt_id for reply in replies}) == 2


async def test_a_halt_that_is_repeated_is_not_recorded_again() -> None:
    """It is answered as in force, by the receipt that it has, whatever the new words are."""
    async with running() as rig:
        first = await rig.halt()
        before = rig.journal.head
        for reason in ("drill", "another reason", "x" * 1_000):
            reply = await rig.halt(reason=reason)
            assert (reply.in_force, reply.durable) == (True, True)
            assert reply.receipt_id == first.receipt_id
        assert rig.journal.head == before
        assert rig.desk.gate.pending == {}
        await rig.halt("DISABLE")
        assert rig.gateway.kill_status().state == "ACTIVE"
        assert (await rig.ask()).status != "Rejected"


async def test_a_halt_that_is_repeated_asks_for_its_cancels_again() -> None:
    """An order whose cancel the venue has not answered is in the receipt, and chased again."""
    async with running() as rig:
        rig.kalshi.cancel_answers += [CancelUnknown(message="no answer")] * 50
        await rig.rest("k-1")
        await rig.halt()
        await rig.settle()
        (order,) = rig.book.orders.values()
        assert order.cancel_reason == "halt: drill"
        receipt = rig.gateway.receipt((await rig.halt()).receipt_id or "")
        assert receipt is not None
        assert [each.client_order_id for each in receipt.in_flight] == [order.client_order_id]


async def test_a_halt_between_a_lift_and_its_commit_holds() -> None:
    """Repeated while its end is on the way, it is a halt of its own: nothing leaves in between."""
    async with running() as rig:
        await rig.halt()
        lifting = asyncio.ensure_future(rig.halt("DISABLE"))
        halting = asyncio.ensure_future(rig.halt())
        await asyncio.gather(lifting, halting)
        assert rig.gateway.kill_status().state == "HALTED"
        assert "http|all" in rig.book.halts


async def test_halts_of_one_are_bounded() -> None:
    """The 33rd of a key, and the 257th of all, is refused; everything can always be halted."""
    async with running() as rig:
        for number in range(32):
            await rig.halt(scope=f"strategy:s{number}", actor="key:a", owner="a")
        with pytest.raises(Conflict, match="TOO_MANY_HALTS"):
            await rig.halt(scope="strategy:s32", actor="key:a", owner="a")
        assert (await rig.halt(scope="strategy:s31", actor="key:a", owner="a")).in_force
        for number in range(32, 256):
            await rig.halt(scope=f"strategy:s{number}", actor=f"key:{number // 32}")
        with pytest.raises(Conflict, match="TOO_MANY_HALTS"):
            await rig.halt(scope="strategy:s256", actor="key:z")
        assert (await rig.halt(scope="all", actor="key:a", owner="a")).state == "HALTED"
        assert (await rig.halt("DISABLE", scope="all", every=True)).halts == ()


async def test_a_bound_key_lifts_what_it_raised_alone() -> None:
    """Its halt and the operator's of the same scope are two, in whichever order they came."""
    async with running(KillSwitch()) as rig:
        scope = "strategy:beta"
        for first, second in (("", "b"), ("b", "")):
            await rig.halt(scope=scope, owner=first)
            await rig.halt(scope=scope, owner=second)
            assert len(rig.gateway.kill_status().halts) == 2
            reply = await rig.halt("DISABLE", scope=scope, owner="b")
            assert (reply.in_force, len(reply.halts), len(reply.remaining)) == (False, 1, 1)
            assert (await rig.ask(f"k{first}", strategy="beta")).code == "HALTED"
            assert (await rig.halt("DISABLE", scope=scope)).halts == ()


async def test_a_bound_key_lifts_no_automatic_halt() -> None:
    """What the gateway raised by itself is the operator's to look at."""
    async with running() as rig:
        raise_halts(rig, "repeated_execution", scope="strategy:beta")
        await rig.settle()
        reply = await rig.halt("DISABLE", scope="strategy:beta", owner="b", acknowledge=True)
        assert names(reply.remaining) == [("repeated_execution", "strategy:beta")]
        assert (await rig.halt("DISABLE", scope="strategy:beta", acknowledge=True)).halts == ()


async def test_the_operator_lifts_a_bound_keys_halt() -> None:
    """Without an owner, all halts of people in the scope are lifted."""
    async with running() as rig:
        await rig.halt(scope="all", owner="b")
        await rig.halt(scope="all", owner="c")
        assert (await rig.halt("DISABLE")).halts == ()
        assert rig.gateway.kill_status().state == "ACTIVE"


async def test_an_acknowledged_reduction_steps_down_what_halts() -> None:
    """All but the file are REDUCING then; without the acknowledgement they stay as they are."""
    async with running(KillSwitch()) as rig:
        raise_halts(rig, "daily_loss", "clock", "http")
        await rig.settle()
        assert (await rig.halt("REDUCE", source="command")).state == "HALTED"
        reply = await rig.halt("REDUCE", source="command", acknowledge=True)
        assert (reply.state, {each.state for each in reply.halts}) == ("REDUCING", {"REDUCING"})
        assert (await rig.ask()).code == "REDUCE_ONLY"
        raised = rig.events(events.HaltRaised)[-3:]
        assert all("by " in each.reason and "stepped down" in each.reason for each in raised)
        reply = await rig.halt("DISABLE", acknowledge=True)
        assert reply.halts == ()


@pytest.mark.parametrize("source", ["http", "command", "redis"])
async def test_a_plain_reduction_never_loosens(source: str) -> None:
    """Gate and book stay HALTED, before and after a restart; the receipt is the standing halt's."""
    async with running(KillSwitch()) as rig:
        first = await rig.halt(source=source)
        reply = await rig.halt("REDUCE", source=source)
        assert (reply.state, reply.receipt_id) == ("HALTED", first.receipt_id)
        assert {each.state for each in rig.desk.gate.in_force().values()} == {"HALTED"}
        assert rig.desk.gate.pending == {}
        assert (await rig.ask()).code == "HALTED"
    async with running(KillSwitch(), journal=rig.journal) as again:
        assert again.gateway.kill_status().state == "HALTED"
        reply = await again.halt("REDUCE", source=source, acknowledge=True)
        assert (reply.state, len(reply.halts)) == ("REDUCING", 1)


async def test_a_reduction_on_the_heels_of_a_halt_does_not_loosen_it() -> None:
    """Neither of the two is durable yet when the weaker comes."""
    async with running(KillSwitch()) as rig:
        await asyncio.gather(rig.halt(), rig.halt("REDUCE"), rig.halt("REDUCE"))
        assert rig.gateway.kill_status().state == "HALTED"
        assert rig.desk.gate.pending == {}


async def test_enable_cancels_what_works_and_names_it() -> None:
    """Everything that works in the scope is cancelled; the record names it."""
    async with running() as rig:
        here = await rig.rest("k-1")
        there = await rig.rest("k-2", market_id="KX-OTHER")
        await rig.halt(scope=f"market:{KALSHI}")
        await rig.settle()
        assert [name for name, _ in rig.kalshi.cancels] == [here.client_order_id]
        (raised,) = rig.events(events.HaltRaised)
        assert raised.in_flight == (here.client_order_id,)
        assert list(rig.book.orders) == [there.client_order_id]


async def test_reduce_cancels_only_what_opens() -> None:
    """Under REDUCING orders that close go on; those that open are cancelled."""
    async with running(KillSwitch()) as rig:
        rig.kalshi.answers.append(lambda order: fills(order, NOW))
        await rig.ask("k-0")
        await rig.settle()
        closes = await rig.rest("k-1", action=Action.SELL, limit_price=700_000, size="4")
        await rig.rest("k-2")
        reply = await rig.halt("REDUCE")
        await rig.settle()
        assert reply.state == "REDUCING"
        assert list(rig.book.orders) == [closes.client_order_id]
        assert (await rig.ask("k-3")).code == "REDUCE_ONLY"
        assert (await rig.ask("k-4", action=Action.SELL, size="4")).code is None


async def test_a_halt_outlives_the_process() -> None:
    """After a restart it is in force as before."""
    async with running(KillSwitch()) as rig:
        await rig.halt(reason="odd fills")
    async with running(KillSwitch(), journal=rig.journal) as again:
        assert names(again.gateway.kill_status().halts) == [("http", "all")]
        assert (await again.ask()).code == "HALTED"


async def test_cancels_of_a_halt_go_on_until_answered() -> None:
    """A venue that does not answer is asked again; the receipt fills up."""
    async with running() as rig:
        await rig.rest()
        rig.kalshi.cancel_answers.extend([CancelUnknown(message="no answer")] * 3)
        reply = await rig.halt()
        await rig.settle()
        receipt = rig.gateway.receipt(reply.receipt_id or "")
        assert receipt is not None
        assert not receipt.complete
        await rig.wait(10)
        receipt = rig.gateway.receipt(reply.receipt_id or "")
        assert receipt is not None
        assert receipt.complete
        assert len(receipt.cancelled) == 1


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"action": "STOP"}, "Expected ENABLE, REDUCE or DISABLE, was 'STOP'"),
        ({"scope": "everything"}, "Expected all"),
        ({"scope": "market:"}, "Expected all"),
        ({"source": "somebody"}, "somebody"),
    ],
)
async def test_what_cannot_be_meant_is_refused(changes: dict[str, str], text: str) -> None:
    """A word that is none halts nothing and breaks nothing."""
    async with running() as rig:
        fields: dict[str, Any] = {"action": "ENABLE", "scope": "all", "source": "http", **changes}
        with pytest.raises(ValueError, match=text):
            await rig.gateway.kill_switch(fields.pop("action"), reason="r", actor="a", **fields)
        assert rig.gateway.kill_status().halts == ()
        assert (await rig.ask()).code is None


# Lifting ---------------------------------------------------------------------------------------

AUTOMATIC = tuple(source for source in HaltSource if source.is_automatic)
BY_HAND = ("http", "command", "signal", "redis")


async def lift(rig: Rig, **more: Any) -> KillReply:
    """Lift what may be lifted."""
    return await rig.halt("DISABLE", **more)


async def test_disable_lifts_what_people_halted() -> None:
    """Halts by HTTP, command line, signal and Redis end; trading resumes."""
    async with running(KillSwitch()) as rig:
        raise_halts(rig, *BY_HAND)
        await rig.settle()
        assert (await rig.ask("k-1")).code == "HALTED"
        reply = await lift(rig)
        assert (reply.in_force, reply.durable, reply.state) == (True, True, "ACTIVE")
        assert reply.halts == reply.remaining == ()
        assert (await rig.ask("k-2")).code is None


async def test_disable_leaves_automatic_halts_without_an_acknowledgement() -> None:
    """What the gateway halted by itself stays, and is named; acknowledged, it ends."""
    async with running(KillSwitch()) as rig:
        raise_halts(rig, "http", *AUTOMATIC)
        await rig.settle()
        reply = await lift(rig)
        assert not reply.in_force
        assert reply.state == "HALTED"
        assert {halt.source for halt in reply.remaining} == set(AUTOMATIC)
        assert {halt.source for halt in reply.halts} == set(AUTOMATIC)
        reply = await lift(rig, acknowledge=True)
        assert (reply.in_force, reply.halts) == (True, ())


async def test_nobody_lifts_the_halt_of_the_file(tmp_path: Path) -> None:
    """Only the removal of the file ends its halt, acknowledged or not."""
    folder = str(tmp_path)  # it exists, as the file would
    async with running(kill_file=folder) as rig:
        reply = await lift(rig, acknowledge=True)
        assert not reply.in_force
        assert names(reply.remaining) == [("file", "all")]


async def test_redis_lifts_its_own_alone() -> None:
    """A DISABLE that comes by Redis ends only what came by Redis."""
    async with running() as rig:
        raise_halts(rig, "redis", "http")
        await rig.settle()
        reply = await lift(rig, source="redis")
        assert names(reply.halts) == [("http", "all")]


async def test_lifting_is_for_one_scope() -> None:
    """The end of one scope's halt leaves those of others."""
    async with running() as rig:
        raise_halts(rig, "http")
        raise_halts(rig, "command", scope="sport:NBA")
        await rig.settle()
        reply = await lift(rig)
        assert (reply.in_force, names(reply.halts)) == (True, [("command", "sport:NBA")])
        assert reply.state == "ACTIVE"


async def test_lifting_nothing_is_no_fault() -> None:
    """Where nothing is halted there is nothing to lift."""
    async with running() as rig:
        reply = await lift(rig)
        assert (reply.in_force, reply.durable, reply.halts) == (True, True, ())


# Without a journal -----------------------------------------------------------------------------


async def test_a_halt_that_cannot_be_written_is_in_force_all_the_same() -> None:
    """With a failed journal the halt holds in memory, and the answer says so."""
    async with running() as rig:
        rig.journal.failure = JournalUnavailable("disk full")
        for _ in range(2):
            reply = await rig.halt()
            assert (reply.in_force, reply.durable, reply.state) == (True, False, "HALTED")
            assert names(reply.halts) == [("http", "all")]


async def test_a_stricter_halt_that_cannot_be_written_shows() -> None:
    """Reduced on disk, halted in memory only: everybody is told the stricter."""
    async with running() as rig:
        await rig.halt("REDUCE")
        rig.journal.failure = JournalUnavailable("disk full")
        reply = await rig.halt()
        assert reply.state == "HALTED"
        assert reply.halts[0].state == "HALTED"


async def test_lifting_that_cannot_be_written_is_refused() -> None:
    """A halt does not end in memory alone: the caller is told that nothing was decided."""
    async with running() as rig:
        await rig.halt()
        rig.journal.failure = JournalUnavailable("disk full")
        with pytest.raises(Undecided) as refused:
            await lift(rig)
        assert refused.value.code == "JOURNAL_FAILED"
        assert rig.gateway.kill_status().state == "HALTED"


# Mass cancels and receipts ---------------------------------------------------------------------


async def test_a_mass_cancel_has_a_receipt() -> None:
    """It names what it covers, and is complete once all of it has ended."""
    async with running() as rig:
        await rig.rest("k-1")
        filled = await rig.rest("k-2")
        rig.kalshi.before_cancel.clear()
        receipt_id = await rig.gateway.cancel_all(scope="all", reason="end of day", actor="ann")
        receipt = rig.gateway.receipt(receipt_id)
        assert receipt is not None
        assert (receipt.kind, receipt.scope, receipt.reason) == (
            "mass_cancel",
            "all",
            "end of day",
        )
        assert (receipt.complete, receipt.completed_at, len(receipt.in_flight)) == (False, None, 2)
        rig.kalshi.report(_filled(filled))
        await rig.settle()
        rig.kalshi.before_cancel.set()
        await rig.settle()
        receipt = rig.gateway.receipt(receipt_id)
        assert receipt is not None
        assert receipt.complete
        assert receipt.completed_at is not None
        assert [order.status for order in receipt.cancelled] == ["CANCELLED"]
        (meanwhile,) = receipt.filled_meanwhile
        assert meanwhile.client_order_id == filled.client_order_id
        assert (meanwhile.status, meanwhile.filled_meanwhile) == ("FILLED", Decimal(10))


def _filled(order: Order) -> Filled:
    return Filled(fill=fill(order, 10 * MICRO))


async def test_fills_of_before_are_not_meanwhile() -> None:
    """What was filled before the halt is not counted as filled since."""
    async with running() as rig:
        order = await rig.rest(time_in_force=TimeInForce.GTC)
        rig.kalshi.report(Filled(fill=fill(order, 4 * MICRO)))
        await rig.settle()
        rig.kalshi.before_cancel.clear()
        reply = await rig.halt()
        rig.kalshi.report(Filled(fill=fill(order, 1 * MICRO)))
        await rig.settle()
        receipt = rig.gateway.receipt(reply.receipt_id or "")
        assert receipt is not None
        (meanwhile,) = receipt.filled_meanwhile
        assert meanwhile.filled_meanwhile == 1
        assert [each.status for each in receipt.in_flight] == ["PARTIALLY_FILLED"]


async def test_a_later_attempt_is_not_the_halts() -> None:
    """What is sent under the same key after the halt was lifted is not what the halt chased."""
    async with running() as rig:
        rig.kalshi.before_gate.clear()
        await rig.ask()
        await rig.settle()
        reply = await rig.halt()
        rig.kalshi.before_gate.set()
        await rig.settle()
        assert rig.known().code == "HALTED"
        await rig.halt("DISABLE")
        rig.kalshi.answers.append(lambda order: fills(order, NOW))
        await rig.ask(attempt=2, request_id="r-2")
        await rig.settle()
        assert len(rig.kalshi.sent) == 1
        receipt = rig.gateway.receipt(reply.receipt_id or "")
        assert receipt is not None
        assert (receipt.complete, receipt.cancelled, receipt.in_flight) == (True, (), ())
        assert receipt.filled_meanwhile == ()


async def test_nothing_is_a_receipt_that_is_none() -> None:
    """An id that no halt or mass cancel had gives nothing; a request's id neither."""
    async with running() as rig:
        await rig.ask()
        assert rig.gateway.receipt("receipt-0") is None
        assert rig.gateway.receipt("r-k-1") is None


async def test_a_halt_of_nothing_is_complete_once_the_venue_shows_nothing() -> None:
    """Where nothing works there is nothing to chase, by the venue's own list."""
    async with running() as rig:
        reply = await rig.halt("REDUCE", scope="sport:NBA")
        await rig.settle()
        receipt = rig.gateway.receipt(reply.receipt_id or "")
        assert receipt is not None
        assert (receipt.kind, receipt.state, receipt.scope) == ("halt", "REDUCING", "sport:NBA")
        assert receipt.complete
        assert receipt.completed_at == receipt.since
