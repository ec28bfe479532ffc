"""What was executed: nothing left out, nothing twice, and money that agrees with the book's."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from arbees.core import events
from arbees.core.language.units import to_decimal
from arbees.core.language.words import Action, Side
from arbees.history import trades as trades_module
from arbees.history.trades import Trades
from arbees.interface.history import HistoryQuery
from arbees.journal import JournalReader
from arbees.rehearsal.scene import MARKET, Scene, stage

OTHER = "NBA-OTHER"


def evening(folder: Path, *, settled: Side | None = None) -> dict[str, int]:
    """Trade as two strategies, be denied once; return the book's own figures."""

    async def run() -> dict[str, int]:
        async with stage(folder=folder) as scene:
            await trade(scene)
            if settled is not None:
                await scene.settle(settled)
            desk = scene.assembly.gateway.desk
            book = desk.book
            return {
                "realized": book.realized,
                "fees": book.fees,
                "unrealized": desk.marks.unrealized,
            }

    return asyncio.run(run())


async def trade(scene: Scene) -> None:
    """Buy and sell some as alpha; buy as beta, in another game."""
    await scene.quote()
    await scene.quote(market=OTHER, game="nba_BOS@ATL")
    await scene.ask(size="10", price="0.61", strategy="alpha")
    await scene.ask(size="4", price="0.59", action=Action.SELL, strategy="alpha")
    await scene.ask(size="2000", price="0.61", strategy="alpha")
    await scene.ask(size="5", price="0.61", strategy="beta", market=OTHER)


def reading(folder: Path) -> Trades:
    """Return the history of a journal."""
    return Trades(JournalReader(folder / "journal.db"), lambda _time_ns: "2026-01-28")


def test_results_the_newest_first(tmp_path: Path) -> None:
    """Each request once, as it stands now, denied ones too."""
    evening(tmp_path)
    page = reading(tmp_path).executions(HistoryQuery())
    assert [each.request_id for each in page.items] == ["req-4", "req-3", "req-2", "req-1"]
    assert [str(each.status) for each in page.items] == ["Filled", "Rejected", "Filled", "Filled"]
    assert page.cursor is None


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_leave_nothing_out(tmp_path: Path, limit: int) -> None:
    """Going on with the cursor shows everything once, in order."""
    evening(tmp_path)
    trades, found, cursor = reading(tmp_path), list[str](), None
    for _ in range(9):
        page = trades.executions(HistoryQuery(limit=limit, cursor=cursor))
        found += [each.request_id for each in page.items]
        if page.cursor is None:
            break
        cursor = int(page.cursor)
    assert found == ["req-4", "req-3", "req-2", "req-1"]


def test_a_page_looks_at_a_bounded_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is rare is found over several pages, each of which costs no more than the others."""
    evening(tmp_path)
    monkeypatch.setattr(trades_module, "LOOKED_AT_MAX", 2)
    trades = reading(tmp_path)
    first = trades.executions(HistoryQuery(status="Failed"))
    assert (first.items, first.cursor is None) == ((), False)
    assert first.cursor is not None
    second = trades.executions(HistoryQuery(strategy="alpha", cursor=int(first.cursor)))
    assert [each.request_id for each in second.items] == ["req-2", "req-1"]


def test_filters(tmp_path: Path) -> None:
    """By strategy, market and status, and by time, its end excluded."""
    evening(tmp_path)
    trades = reading(tmp_path)

    def names(**fields: object) -> list[str]:
        query = HistoryQuery(**fields)  # type: ignore[arg-type]
        return [each.request_id for each in trades.executions(query).items]

    assert names(strategy="beta") == ["req-4"]
    assert names(market=MARKET, status="Filled") == ["req-2", "req-1"]
    assert names(status="Rejected") == ["req-3"]
    fills = trades.fills(HistoryQuery(strategy="alpha"))
    assert [each.request_id for each in fills.items] == ["req-2", "req-1"]
    assert trades.fills(HistoryQuery(market=OTHER)).items[0].strategy == "beta"
    assert trades.fills(HistoryQuery(market="nowhere")).items == ()
    whole = JournalReader(tmp_path / "journal.db")
    decided = [each for each in whole.records() if each.kind == "OrderApproved"]
    first_ns, last_ns = decided[0].time_ns, decided[-1].time_ns
    assert names(since_ns=last_ns) == ["req-4"]
    assert names(until_ns=first_ns + 1) == ["req-1"]


def test_a_fill_says_all_of_it(tmp_path: Path) -> None:
    """Whose, of which order, on which side, at which price, and what it cost."""
    evening(tmp_path)
    fill = reading(tmp_path).fills(HistoryQuery(market=OTHER)).items[0]
    assert (fill.request_id, fill.strategy, fill.side, fill.action) == (
        *("req-4", "beta"),
        *("Yes", "Buy"),
    )
    assert (fill.quantity, fill.price, fill.is_reversed) == (Decimal(5), Decimal("0.61"), False)
    assert fill.fee > 0


@pytest.mark.parametrize("settled", [None, Side.YES, Side.NO])
def test_money_adds_up_to_the_books(tmp_path: Path, settled: Side | None) -> None:
    """Over all groups realized, fees and unrealized are what the gateway itself has."""
    book = evening(tmp_path, settled=settled)
    for by in ("strategy", "market", "game", "sport", "model_version", "day"):
        rows = reading(tmp_path).pnl(by, None, None).rows
        assert sum(each.realized for each in rows) == to_decimal(book["realized"]), by
        assert sum(each.fees for each in rows) == to_decimal(book["fees"]), by
        assert sum(each.unrealized or 0 for each in rows) == to_decimal(book["unrealized"]), by


def test_each_strategy_has_its_own(tmp_path: Path) -> None:
    """Alpha sold four at a loss of two cents each; beta is asked for alone."""
    evening(tmp_path)
    rows = {each.name: each for each in reading(tmp_path).pnl("strategy", None, None).rows}
    assert rows["alpha"].realized == Decimal("-0.08")
    assert (rows["beta"].realized, rows["beta"].fills) == (Decimal(0), 1)
    assert [each.name for each in reading(tmp_path).pnl("strategy", None, "beta").rows] == ["beta"]


def test_what_is_not_marked_is_not_known(tmp_path: Path) -> None:
    """Without a journaled mark a figure is missing, never 0."""
    evening(tmp_path)
    tally = trades_module._Tally("strategy", None, None, lambda _ns: "")
    for each in JournalReader(tmp_path / "journal.db").records():
        if each.kind in {"OrderApproved", "OrderFilled"}:
            tally.take(each.time_ns, events.decode(each.body))
    assert {each.unrealized for each in tally.rows()} == {None}
    assert {each.total for each in tally.rows()} == {None}
