"""The report of a period agrees with what the gateway itself showed."""

import asyncio
from decimal import Decimal
from pathlib import Path

from arbees.core import events
from arbees.core.deciding import commands
from arbees.core.language.units import NS_PER_SECOND, to_decimal
from arbees.core.language.words import Action, HaltSource, Side
from arbees.history.report import LISTED_MAX, report
from arbees.journal import JournalReader
from arbees.rehearsal.evening import START_NS
from arbees.rehearsal.scene import MARKET, Scene, stage
from arbees.runtime.intake.writer import Lane

MINUTE = 60 * NS_PER_SECOND


async def trade(scene: Scene) -> None:
    """Buy, sell some of it, and be denied once."""
    await scene.quote()
    await scene.ask(size="10", price="0.61")
    await scene.ask(size="4", price="0.59", action=Action.SELL)
    await scene.ask(size="1000", price="0.61")


def evening(folder: Path) -> tuple[int, int, int]:
    """Trade, wait, trade again and settle; return the P&L after each."""
    worth: list[int] = []

    async def run() -> None:
        async with stage(folder=folder) as scene:
            desk = scene.assembly.gateway.desk
            await trade(scene)
            await scene.wait(60)
            worth.append(desk.book.pnl_today(desk.marks.unrealized))
            await trade(scene)
            await scene.wait(60)
            worth.append(desk.book.pnl_today(desk.marks.unrealized))
            await scene.settle(Side.YES)
            await scene.assembly.gateway.kill_switch(
                "ENABLE", scope="all", reason="enough", source=HaltSource.COMMAND, actor="ann"
            )
            await scene.player.settle()
            worth.append(desk.book.pnl_today(desk.marks.unrealized))

    asyncio.run(run())
    return worth[0], worth[1], worth[2]


def test_pnl_of_each_part_adds_up_to_that_of_the_gateway(tmp_path: Path) -> None:
    """Two halves of an evening report what the gateway's own P&L moved by in each."""
    first, second, last = evening(tmp_path)
    middle = START_NS + MINUTE + 1
    after = START_NS + 10 * MINUTE
    with JournalReader(tmp_path / "journal.db") as reader:
        whole = report(reader, START_NS, after)
        early = report(reader, START_NS, middle)
        late = report(reader, middle, after)
    assert early.pnl.total == to_decimal(first)
    assert early.pnl.total + late.pnl.total == whole.pnl.total == to_decimal(last)
    assert whole.pnl.total == whole.pnl.realized - whole.pnl.fees + whole.pnl.unrealized
    assert second != last
    assert early.quality.total.fills == 2
    assert whole.quality.total.fills == 4
    assert whole.quality.total.denied == 2


def test_halts_and_their_reasons_are_told(tmp_path: Path) -> None:
    """A halt within the period is listed, one outside of it is not."""
    evening(tmp_path)
    with JournalReader(tmp_path / "journal.db") as reader:
        (halt,) = report(reader, START_NS, START_NS + 10 * MINUTE).halts
        none = report(reader, START_NS, START_NS + MINUTE)
    assert halt.name == "HALTED command all"
    assert halt.message == "enough"
    assert (none.halts, none.halts_raised) == ((), 0)


def test_a_period_without_records_is_empty(tmp_path: Path) -> None:
    """Before the first record and after the last nothing was earned and nothing asked."""
    evening(tmp_path)
    with JournalReader(tmp_path / "journal.db") as reader:
        last_ns = reader.head.time_ns
        for since in (0, last_ns + 1):
            found = report(reader, since, since + 1)
            assert found.pnl.total == found.pnl.fees == 0
            assert found.quality.total.requests == 0
            assert found.quality.total.fill_rate is None


def test_lists_are_bounded(tmp_path: Path) -> None:
    """However many halts there were, only so many are listed; all are counted."""

    async def run() -> None:
        async with stage(folder=tmp_path) as scene:
            raised = events.HaltRaised(
                source="http", scope="all", state="HALTED", reason="r", actor="a", receipt_id="r"
            )
            many = commands.Record(events=(raised,) * (LISTED_MAX + 5))
            await scene.assembly.gateway.desk.writer.put(many, Lane.CONTROL)

    asyncio.run(run())
    with JournalReader(tmp_path / "journal.db") as reader:
        found = report(reader, START_NS, START_NS + MINUTE)
    assert (len(found.halts), found.halts_raised) == (LISTED_MAX, LISTED_MAX + 5)


def test_market_is_the_one_that_was_traded(tmp_path: Path) -> None:
    """Groups name the venue of the market, with the sums of the whole."""
    evening(tmp_path)
    assert MARKET.startswith("KX")
    with JournalReader(tmp_path / "journal.db") as reader:
        found = report(reader, START_NS, START_NS + 10 * MINUTE, by="venue").quality
    (row,) = found.groups
    assert row.name == "Kalshi"
    assert row.fees == found.total.fees > Decimal(0)
