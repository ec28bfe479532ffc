"""What is measured of a running gateway: metrics, quality and drills, wired as the service is."""

import asyncio
from pathlib import Path

import pytest

from arbees.core import events
from arbees.core.language.quote import Quote
from arbees.core.language.request import Request
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform, Side
from arbees.interface.drills import DrillsWire, DrillWire, events_of
from arbees.runtime.clock import SystemClock
from arbees.runtime.signals import Ends
from arbees.settings import Settings, load
from arbees.wiring import bootstrap
from arbees.wiring.assembly import Assembly, Files
from tests.telemetry.metrics.test_exposition import values

pytestmark = pytest.mark.anyio


def settings_in(folder: Path) -> Settings:
    """Return settings whose kill-switch file is nobody else's."""
    return load({"KILL_SWITCH_FILE": str(folder / "stop")})


def files_in(folder: Path) -> Files:
    """Return the files of a gateway in a folder."""
    return Files(folder / "journal.db", folder / "paper.db", folder / "audit.jsonl")


async def trade(assembly: Assembly, clock: SystemClock, name: str, size: int) -> str | None:
    """Ask for some contracts; return the code of what came of it."""
    gateway = assembly.gateway
    quote = Quote(
        ts_ns=clock.now_ns(),
        platform=Platform.KALSHI,
        market_id="KX",
        bids=((640_000, 100 * MICRO),),
        asks=((660_000, 100 * MICRO),),
        sport="NBA",
    )
    await gateway.feed([quote])
    request = Request(
        request_id=name,
        idempotency_key=name,
        platform=Platform.KALSHI,
        market_id="KX",
        side=Side.YES,
        size=size,
        limit_price=660_000,
        created_ns=clock.now_ns(),
    )
    return (await gateway.submit(request, 5)).code


async def test_what_happened_is_measured(tmp_path: Path) -> None:
    """An order that filled and one that was denied are counted; balances and commits are there."""
    clock = SystemClock()
    async with bootstrap.running(
        settings_in(tmp_path), clock=clock, files=files_in(tmp_path), ends=Ends(), has_console=False
    ) as assembly:
        assert await trade(assembly, clock, "r1", 10 * MICRO) is None
        assert await trade(assembly, clock, "r2", 500 * MICRO) == "MAX_ORDER_SIZE"
        text = (await assembly.follower.metrics()).decode()
        assert values(text, "arbees_requests_total")["Kalshi",] == 2
        assert values(text, "arbees_filled_contracts_total")["Kalshi",] == 10
        assert values(text, "arbees_filled_dollars_total")["Kalshi",] == 6.6
        assert values(text, "arbees_denials_total")["order_size",] == 1
        assert values(text, "arbees_ready") == {(): 1}
        assert values(text, "arbees_balance_dollars")["Kalshi", "Kalshi"] > 0
        assert values(text, "arbees_commit_seconds_count")[()] > 3
        head = assembly.gateway.desk.journal.head.sequence
        assert 0 < values(text, "arbees_journal_sequence")[()] <= head
        row = (await assembly.follower.quality(None, None)).total
        assert (row.requests, row.denied, row.filled, row.fills) == (2, 1, 1, 1)
        assert row.slippage_quote.per_contract == 0


async def test_a_restart_counts_anew_and_remembers_quality(tmp_path: Path) -> None:
    """Counters begin at 0 with the process, the day's quality does not."""
    for turn in (1, 2):
        clock = SystemClock()
        async with bootstrap.running(
            settings_in(tmp_path),
            clock=clock,
            files=files_in(tmp_path),
            ends=Ends(),
            has_console=False,
        ) as assembly:
            await trade(assembly, clock, f"r{turn}", 10 * MICRO)
            text = (await assembly.follower.metrics()).decode()
            assert values(text, "arbees_requests_total")["Kalshi",] == 1
            since = clock.now_ns() - 60 * 10**9
            assert (await assembly.follower.quality(since, None)).total.requests == turn


async def test_scrapes_beside_trading(tmp_path: Path) -> None:
    """While orders go through, every page is whole and no count ever goes back."""
    clock = SystemClock()
    async with bootstrap.running(
        settings_in(tmp_path), clock=clock, files=files_in(tmp_path), ends=Ends(), has_console=False
    ) as assembly:

        async def scrape() -> list[float]:
            seen: list[float] = []
            for _ in range(10):
                text = (await assembly.follower.metrics()).decode()
                seen.append(values(text, "arbees_requests_total")["Kalshi",])
            return seen

        scraping = [asyncio.create_task(scrape()) for _ in range(3)]
        for number in range(15):
            await trade(assembly, clock, f"r{number}", MICRO)
        for task in scraping:
            seen = await task
            assert seen == sorted(seen)
        text = (await assembly.follower.metrics()).decode()
        assert values(text, "arbees_requests_total")["Kalshi",] == 15


async def test_drills_are_kept_by_the_gateway(tmp_path: Path) -> None:
    """What is handed in stands in the journal; whether the limits are its own is told."""
    settings = settings_in(tmp_path)
    async with bootstrap.running(
        settings, clock=SystemClock(), files=files_in(tmp_path), ends=Ends(), has_console=False
    ) as assembly:
        for limits, agree in ((settings.limits_hash, True), ("others", False)):
            run = DrillsWire(
                limits_hash=limits,
                settings_hash=settings.hash,
                host="h",
                version="1",
                drills=[DrillWire(safeguard="balance", passed=True)],
            )
            view = await assembly.gateway.record_drills(events_of(run, "ann"))
            assert (view.recorded, view.limits_agree) == (1, agree)
            stored = assembly.reader.record(view.sequence)
            assert stored is not None
            event = events.decode(stored.body)
            assert isinstance(event, events.Drilled)
            assert (event.limits_hash, event.actor) == (limits, "ann")
