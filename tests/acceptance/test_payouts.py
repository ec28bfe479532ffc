"""Settlements end to end: ties and voids, live at a simulated Kalshi, and in files."""

import json
from pathlib import Path

import pytest

from arbees.core import events
from arbees.core.language.payouts import Payouts, payout_of_yes
from arbees.core.language.units import MICRO
from arbees.core.language.words import ResultStatus, Side
from arbees.rehearsal.playback import read_settlements
from verification.live.scene import MARKET, KalshiScene, kalshi_stage


async def hold(scene: KalshiScene, side: Side = Side.YES) -> int:
    """Hold a hundred contracts of a side at 0.40 (No at 0.62); return the fee."""
    price = "0.40" if side is Side.YES else "0.62"
    result = await scene.send(scene.request("100", price, side=side))
    if result is not None and result.code == "QUOTE_MISSING":  # its first state came late
        await scene.pass_time(1)
        result = await scene.send(scene.request("100", price, side=side))
    assert result is not None
    assert result.status is ResultStatus.FILLED
    await scene.settled()
    return scene.assembly.gateway.desk.book.fees


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("value", [500_000, 370_000, 0, 1_000_000])
async def test_a_scalar_result_pays_and_ends_the_position(side: Side, value: int) -> None:
    """A tie, a void at the last price, all or nothing: P&L and cash are the venue's, no break."""
    async with kalshi_stage() as scene:
        await hold(scene, side)
        scene.exchange.lifecycle.determine(MARKET, value)
        scene.exchange.lifecycle.finalize(MARKET)
        book = scene.assembly.gateway.desk.book
        await scene.until(lambda: book.markets[MARKET].is_settled)
        paid = value if side is Side.YES else MICRO - value
        cost = 40 * MICRO if side is Side.YES else 62 * MICRO
        assert book.realized == 100 * paid - cost
        assert book.markets[MARKET].payouts == payout_of_yes(value)
        assert book.total_worst == 0
        await scene.assembly.gateway.reconcile()
        await scene.settled()
        assert book.breaks == {}


def test_a_file_of_settlements_takes_results_and_payouts(tmp_path: Path) -> None:
    """Old lines keep their meaning; a new one says what each side pays."""
    common = {"platform": "Kalshi", "market_id": "M", "ts": "2026-07-01T01:22:33Z"}
    lines = [
        {**common, "result": "yes"},
        {**common, "payouts": {"Yes": 0.5}},
        {**common, "payouts": {"Yes": "0.33", "No": "0.61"}},
    ]
    file = tmp_path / "settlements.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    read = [each.item.payouts for each in read_settlements(file)]
    assert read == [Payouts(MICRO, 0), Payouts(500_000, 500_000), Payouts(330_000, 610_000)]


async def test_an_amended_result_is_booked_as_the_difference() -> None:
    """Yes is paid, then the venue calls it a tie: cash and P&L follow."""
    async with kalshi_stage() as scene:
        await hold(scene)
        book = scene.assembly.gateway.desk.book
        scene.exchange.settle(MARKET, "yes")
        await scene.until(lambda: book.markets[MARKET].is_settled)
        assert book.realized == 60 * MICRO
        scene.exchange.lifecycle.amend(MARKET, 500_000)
        await scene.until(lambda: book.realized == 10 * MICRO, 3_600)
        await scene.settled()
        rows = list(scene.assembly.gateway.desk.journal.records())
        kinds = {"BreakOpened", "BreakClosed"}
        opened, closed = [events.decode(row.body) for row in rows if row.kind in kinds]
        assert isinstance(opened, events.BreakOpened)
        assert (opened.kind, opened.policy) == ("amended_settlement", "report")
        assert opened.observed == "pays 500000/500000, a difference of -$50.00"
        assert isinstance(closed, events.BreakClosed)
        await scene.assembly.gateway.reconcile()
        await scene.settled()
        assert book.breaks == {}


@pytest.mark.parametrize("is_whole", [False, True])
@pytest.mark.parametrize("seconds", [0, 120])
async def test_a_fee_of_the_settlement_is_a_cost_and_no_break(
    seconds: float, *, is_whole: bool
) -> None:
    """Listed alone or with the fees of the trades: booked once, in fees and P&L, cash agrees."""
    async with kalshi_stage() as scene:
        before = await hold(scene)
        gateway = scene.assembly.gateway
        await gateway.reconcile()
        scene.exchange.lifecycle.determine(MARKET, MICRO)
        scene.exchange.lifecycle.finalize(MARKET, 30_000)
        if is_whole:
            scene.exchange.settlements[-1].fee += before
        book = gateway.desk.book
        await scene.until(lambda: book.markets[MARKET].is_settled)
        await scene.pass_time(seconds)
        for _ in range(3):
            await gateway.reconcile()
            await scene.settled()
            assert book.breaks == {}
            assert book.fees == before + 30_000
            assert book.markets[MARKET].fees == before + 30_000
        assert "RECONCILIATION_MISMATCH" not in {name for name, _ in scene.alerts}


async def test_a_fee_is_no_word_for_money_that_vanished() -> None:
    """A dollar is gone besides: neither is booked, the whole difference is the break."""
    async with kalshi_stage() as scene:
        before = await hold(scene)
        gateway = scene.assembly.gateway
        await gateway.reconcile()
        scene.exchange.lifecycle.determine(MARKET, MICRO)
        scene.exchange.lifecycle.finalize(MARKET, 30_000)
        scene.exchange.money.move(3, -MICRO)
        book = gateway.desk.book
        await scene.until(lambda: book.markets[MARKET].is_settled)
        await gateway.reconcile()
        assert [each.amount for each in book.breaks.values()] == [-1_030_000]
        assert book.fees == before
        scene.exchange.money.move(3, MICRO)
        await gateway.reconcile()
        await gateway.reconcile()
        assert book.breaks == {}
        assert book.fees == before + 30_000


async def test_what_may_still_change_is_not_booked() -> None:
    """Determined, disputed, amended: the position stays, and its worst case with it."""
    async with kalshi_stage() as scene:
        await hold(scene)
        book, market = scene.assembly.gateway.desk.book, scene.exchange.markets[MARKET]
        for status in ("determined", "disputed", "amended"):
            market.status, market.result, market.payout = status, "yes", MICRO
            await scene.pass_time(70)
            assert not book.markets[MARKET].is_settled
            assert not book.markets[MARKET].is_open
            assert book.total_worst == 40 * MICRO
        scene.exchange.settle(MARKET, "no")
        await scene.until(lambda: book.markets[MARKET].is_settled)
        assert book.realized == -40 * MICRO
