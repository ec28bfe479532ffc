"""The fault matrix and the halt, small: the whole of them is `make faults`."""

import asyncio

from msgspec.structs import replace

from arbees.testing.kalshi import halting
from arbees.testing.kalshi.believing import (
    READINGS,
    ReadingCell,
    Situation,
    reading_cells,
    run_reading,
)
from arbees.testing.kalshi.cells import Cell, Moment, Operation, cells, combinations, reason_against
from arbees.testing.kalshi.faults import READING, FaultKind
from arbees.testing.kalshi.matrix import Row, line_of, no_cells, reading_line, troubles_of
from arbees.testing.kalshi.run import Ran, run_cell

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
    found = asyncio.run(halting.run(100, 1_200.0))
    assert found.orders >= 100
    assert found.is_good, found
