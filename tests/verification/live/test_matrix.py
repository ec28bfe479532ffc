"""The fault matrix and the halt, small: the whole of them is `make faults`."""

import asyncio

from msgspec.structs import replace

from arbees.rehearsal.kalshi.engine.faults import READING, FaultKind
from verification.live import halt
from verification.live.cells import (
    Cell,
    Moment,
    Operation,
    cells,
    combinations,
    reason_against,
)
from verification.live.matrix import (
    Row,
    line_of,
    no_cells,
    reading_line,
    troubles_of,
)
from verification.live.reading_faults import (
    READINGS,
    ReadingCell,
    Situation,
    reading_cells,
    run_reading,
)
from verification.live.run import (
    ANSWER_SECONDS,
    SETTINGS,
    Ran,
    run_cell,
)
from verification.live.scene import MARKET, kalshi_stage
from verification.live.truth import Truth

EVERY = 31


def test_every_combination_is_a_cell_or_has_a_reason() -> None:
    """All faults x all calls x all moments x killed or not: none is left out in silence."""
    everything = list(combinations())
    assert len(everything) == len(FaultKind) * len(Operation) * len(Moment) * 2
    assert set(cells()) == {cell for cell in everything if reason_against(cell) is None}
    assert {cell.fault for cell in cells()} == set(FaultKind) - READING
    assert len(no_cells()) > 0


def test_every_reading_meets_every_situation() -> None:
    """Each fault of what is read x what there is x killed or not; each by a name of its own."""
    everything = reading_cells()
    assert len({cell.name for cell in everything}) == len(everything)
    assert len(everything) == len(READINGS) * len(Situation) * 2
    assert all(cell.reading.name == cell.fault for cell in everything)


async def test_a_sample_of_what_is_read_keeps_every_promise() -> None:
    """Book and exchange agree, nothing was sent on an old quote; the table says what did not."""
    for cell in (
        ReadingCell("subscription lost for good", Situation.HELD, is_killed=False),
        ReadingCell("book in prices of No", Situation.NOTHING, is_killed=False),
        ReadingCell("bytes that are no text", Situation.UNKNOWN, is_killed=True),
        ReadingCell("decreased and amended by hand", Situation.RESTING, is_killed=True),
    ):
        ran = await run_reading(cell, 3)
        assert ran.is_good, ran
        assert "<-" not in reading_line(cell, [ran])
        assert "<-" in reading_line(cell, [replace(ran, stale=1)])


async def test_a_sample_of_the_matrix_keeps_every_promise() -> None:
    """Every 31st cell: no duplicate, no lost fill, no breach, no unknown left."""
    for place, cell in enumerate(cells()[::EVERY]):
        ran = await run_cell(cell, place)
        assert ran.is_good, (cell.name, ran)
        assert ran.happened, cell.name


def test_a_broken_promise_is_seen_in_the_table() -> None:
    """A row with a duplicate is marked, and says why."""
    cell = Cell(FaultKind.LATE, Operation.CREATE, Moment.AFTER, is_killed=True)
    row = Row(cell, [Ran(cell=cell, seed=7, happened=1, duplicates=1, failures=["twice"])])
    assert not row.is_good
    assert line_of(row).rstrip().endswith("<-")
    assert troubles_of(row) == ["    seed 7: twice"]


def test_a_halt_while_a_hundred_orders_work() -> None:
    """Nothing new after the acknowledgement, all gone, the receipt as the exchange's record."""
    found = asyncio.run(halt.run(100, 1_200.0))
    assert found.orders >= 100
    assert found.is_good, found


class Silent(Truth):
    """Says nothing of what it would refuse."""

    def _codes(self) -> frozenset[str]:
        return frozenset()


class Timid(Truth):
    """Says more than it would refuse."""

    def _codes(self) -> frozenset[str]:
        return super()._codes() | {"MAX_OPEN_ORDERS"}


async def test_what_is_refused_and_not_said_is_a_lie_and_the_reverse() -> None:
    """The order that asks finds out both; the gateway as it is says the truth, halted or not."""
    async with kalshi_stage(SETTINGS, answer_seconds=ANSWER_SECONDS) as scene:
        all_of_them = [Truth(scene), Silent(scene), Timid(scene)]
        honest, silent, timid = all_of_them
        for word in ("DISABLE", "ENABLE"):  # of halts: none, then one
            await scene.assembly.gateway.kill_switch(
                word, scope=f"market:{MARKET}", reason="test", source="http", actor="test"
            )
            for truth in all_of_them:
                scene.show()
                await truth.ask()
                await scene.pass_time(5.0)
        assert await honest.lies() == []
        assert await silent.lies() == ["refused, and `refuses` did not say it: ['HALTED']"]
        assert await timid.lies() == [
            "`refuses` says ['MAX_OPEN_ORDERS'], and an order is let through"
        ]
