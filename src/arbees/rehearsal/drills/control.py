"""Drills of authority, halts, the venue's state, breaks, and the key."""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from arbees.core import events
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import (
    HaltSource,
    Mode,
    Platform,
    TimeInForce,
)
from arbees.rehearsal.drills.amounts import COUNT_MAX, ELSEWHERE
from arbees.rehearsal.drills.generous import only
from arbees.rehearsal.drills.stage import (
    MARKET,
    OTHER_MARKET,
    DrillStage,
    Theatre,
)
from arbees.safeguards.authorization import Authorization
from arbees.safeguards.kill_switch import KillSwitch
from arbees.safeguards.reconciliation import Reconciliation
from arbees.safeguards.venue_health import VenueHealth
from arbees.venues.kalshi.spec import weekly_pause
from arbees.venues.paper.faults import Fault

_DAY_NS = 86_400 * NS_PER_SECOND


async def authorization(theatre: Theatre) -> None:
    """Ask for live orders without a flag, without a record, with one, and when it has ended."""
    now = theatre.settings.section(Authorization)
    platform = Platform.KALSHI
    if now.live_platforms and not any(each.casefold() == "kalshi" for each in now.live_platforms):
        platform = Platform.POLYMARKET
    live = replace(now, paper_trading=False, live_trading_authorized=True)
    live = replace(live, live_trading_authorized_until=None)
    moment = theatre.now_ns if weekly_pause(theatre.now_ns) is None else theatre.now_ns + _DAY_NS
    market = MARKET if platform is Platform.KALSHI else ELSEWHERE

    async def on(mine: Authorization, act: Callable[[DrillStage, Any], Awaitable[None]]) -> None:
        settings = only(theatre.settings, mine, mode=Mode.LIVE)
        async with theatre.stage(settings, start_ns=moment) as stage:
            await stage.quote(market, platform=platform)
            await act(stage, lambda: stage.request(market, platform=platform))

    async def flagless(stage: DrillStage, ask: Any) -> None:  # noqa: ANN401 - makes a request
        await stage.denies("a live order without the second flag", ask(), "NOT_AUTHORIZED")

    async def recorded(stage: DrillStage, ask: Any) -> None:  # noqa: ANN401 - makes a request
        await stage.denies("a live order without a record", ask(), "NOT_AUTHORIZED")
        book = stage.gateway.desk.book
        other = events.Authorized(actor="drill", reason="drill", settings_hash="of other settings")
        await stage.record(other)
        await stage.denies("one authorized under other settings", ask(), "NOT_AUTHORIZED")
        until = stage.now_ns + 60 * NS_PER_SECOND
        granted = replace(other, settings_hash=book.settings_hash, until_ns=until)
        await stage.record(granted)
        await stage.passes("one authorized under these", ask())
        await stage.wait(until - stage.now_ns)
        await stage.passes("one at the last moment", ask())
        await stage.wait(1)
        await stage.denies("one a nanosecond later", ask(), "AUTHORIZATION_EXPIRED")

    await on(replace(live, live_trading_authorized=False), flagless)
    await on(live, recorded)


async def kill_switch(theatre: Theatre) -> None:
    """Halt by file, by command and by reducing; each stops, and what rests is cancelled."""
    mine = theatre.settings.section(KillSwitch)
    there = Path(mine.kill_switch_file)
    file = there.with_name(f"{there.name}.drill-{os.getpid()}")
    settings = only(theatre.settings, mine)
    try:
        async with theatre.stage(settings, kill_file=str(file)) as stage:
            await stage.quote()
            resting = stage.request(limit_price=400_000, time_in_force=TimeInForce.GTC)
            await stage.passes("an order that rests", resting)
            if not _is_made(file):
                stage.note(f"no file can be made in {file.parent}", is_as_expected=False)
                return
            await stage.denies(f"while there is a file in {file.parent}", _buy(stage), "HALTED")
            file.unlink()
            await stage.passes("when the file is gone", _buy(stage))
            await _switched(stage)
    finally:
        with suppress(OSError):
            file.unlink()


def _buy(stage: DrillStage) -> Any:  # noqa: ANN401 - a request
    return stage.request()


def _is_made(file: Path) -> bool:
    try:
        file.touch(mode=0o600, exist_ok=False)
    except OSError:
        return False
    return True


async def _switched(stage: DrillStage) -> None:
    async def switch(action: str) -> str | None:
        reply = await stage.gateway.kill_switch(
            action, scope="all", reason="drill", source=HaltSource.COMMAND, actor="drill"
        )
        await stage.player.settle()
        return reply.receipt_id

    resting = stage.request(limit_price=400_000, time_in_force=TimeInForce.GTC)
    await stage.passes("an order that rests", resting)
    receipt_id = await switch("ENABLE")
    await stage.denies("after `kill on`", _buy(stage), "HALTED")
    receipt = None if receipt_id is None else stage.gateway.receipt(receipt_id)
    is_cancelled = receipt is not None and receipt.complete and len(receipt.cancelled) == 1
    stage.note("what rested is cancelled", is_as_expected=is_cancelled)
    await switch("DISABLE")
    await stage.passes("after `kill off`", _buy(stage))
    await stage.passes("a Buy to hold", stage.request(limit_price=510_000))
    await switch("REDUCE")
    await stage.denies("after `kill reduce` an order that opens", _buy(stage), "REDUCE_ONLY")
    close = stage.request(action="Sell", limit_price=490_000)
    await stage.passes("one that reduces", close)
    await switch("DISABLE")
    await stage.passes("after `kill off`", _buy(stage))


async def venue_health(theatre: Theatre) -> None:
    """Break a venue as often as opens its breaker; then let it come back."""
    now = theatre.settings.section(VenueHealth)
    errors = min(now.venue_errors_to_open, COUNT_MAX)
    if errors != now.venue_errors_to_open:
        theatre.note(f"VENUE_ERRORS_TO_OPEN is {now.venue_errors_to_open}; {errors} are tried")
    mine = replace(now, venue_errors_to_open=errors)
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await stage.quote()
        stage.faults.set(Fault.OUTAGE, platform=Platform.KALSHI)
        failed = 0
        for _ in range(errors):
            failed += (await stage.ask()).code == "NOT_SENT"
        stage.note(f"{failed} errors of the venue", is_as_expected=failed == errors)
        await stage.denies("the next order", _buy(stage), "VENUE_UNAVAILABLE")
        await stage.quote(ELSEWHERE, platform=Platform.POLYMARKET)
        elsewhere = stage.request(ELSEWHERE, platform=Platform.POLYMARKET)
        await stage.passes("one at the other venue", elsewhere)
        stage.faults.clear()
        await stage.wait(2 * mine.venue_cooldown + NS_PER_SECOND)
        await stage.quote()
        await stage.passes("one when the venue is back", _buy(stage))


async def reconciliation(theatre: Theatre) -> None:
    """Open a break in a market, look at that market and another, and close it."""
    mine = theatre.settings.section(Reconciliation)
    async with theatre.stage(only(theatre.settings, mine)) as stage:
        await stage.quote()
        await stage.quote(OTHER_MARKET)
        policy = mine.policy_of("position")
        opened = events.BreakOpened(
            break_id="drill",
            kind="position",
            platform=Platform.KALSHI,
            market_key=MARKET,
            expected="0",
            observed="1",
            policy="freeze_market" if policy in {"report", "adopt"} else policy,
        )
        await stage.record(opened)
        if policy != opened.policy:
            stage.note(f"the policy is {policy}: a break of freeze_market is tried")
        await stage.denies("an order in a market with a break", _buy(stage), "RECONCILIATION_BREAK")
        await stage.passes("one in another market", stage.request(OTHER_MARKET))
        await stage.record(events.BreakClosed(break_id="drill", how="drill", actor="drill"))
        await stage.passes("one when the break is closed", _buy(stage))


async def idempotency(theatre: Theatre) -> None:
    """Send the same key again, with the same and with other fields, and the same signal."""
    async with theatre.stage(only(theatre.settings)) as stage:
        await stage.quote()
        first = stage.request(signal_id="drill-signal", limit_price=510_000)
        await stage.passes("the first request of a key", first)
        again = replace(first, request_id="drill-again")
        await stage.denies("the same again", again, "DUPLICATE_REQUEST")
        other = replace(first, request_id="drill-other", size=2 * MICRO)
        await stage.denies("the same key for another size", other, "IDEMPOTENCY_CONFLICT")
        signal = stage.request(signal_id="drill-signal", limit_price=510_000)
        await stage.denies("the same signal under another key", signal, "DUPLICATE_SIGNAL")
        fills = sum(each.filled for each in stage.gateway.desk.book.orders.values())
        held = stage.gateway.desk.book.markets[MARKET].yes.quantity
        stage.note(f"{held / MICRO:g} contract is held", is_as_expected=held == MICRO and not fills)
