"""The desk: its parts know each other, and it is idle when nothing is under way."""

from arbees.core import events
from arbees.core.language.words import Platform
from tests.runtime.rig import Rig, running
from tests.runtime.test_gateway import Simulator


async def test_idle_is_when_nothing_is_under_way() -> None:
    """Writer, dispatcher and exchange: as long as one of them is busy the desk is."""
    async with running() as rig:
        assert rig.desk.is_idle
        rig.kalshi.before_answer.clear()
        await rig.ask()
        await rig.settle()
        assert not rig.desk.is_idle
        rig.kalshi.before_answer.set()
        await rig.settle()
        assert rig.desk.is_idle
        busy = Simulator(0)
        busy.is_idle = False
        rig.desk.simulator = busy
        assert not rig.desk.is_idle


async def test_receipts_have_ids_of_their_own() -> None:
    """No two halts or mass cancels share an id, in this life or in the next."""
    async with running() as rig:
        ids = [rig.desk.receipt_id() for _ in range(3)]
        await rig.halt()
    async with running(journal=rig.journal) as again:
        ids += [again.desk.receipt_id() for _ in range(3)]
        ids += [each.receipt_id for each in again.events(events.HaltRaised)]
    assert len(set(ids)) == len(ids)


async def test_a_task_that_dies_poisons() -> None:
    """Whatever part of it dies: nothing may be promised any more, and it is told."""
    rig = Rig()
    rig.desk._part_died("balances", RuntimeError("broke"))
    assert "balances" in (rig.desk.writer.poison or "")
    assert "TASK_DIED|balances" in rig.standing
    await rig.desk.supervisor.stop()


def test_each_venue_has_a_breaker_of_its_own() -> None:
    """Nothing is healthy or sick together; at first nobody's word was compared with the book."""
    rig = Rig(errors_to_open=1)
    rig.desk.breakers[Platform.KALSHI].note(rig.now_ns, "502")
    assert rig.desk.breakers[Platform.KALSHI].is_open
    assert not rig.desk.breakers[Platform.POLYMARKET].is_open
    assert rig.desk.uncompared == set(Platform)
