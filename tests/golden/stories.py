"""What golden journals tell besides the evenings of the crash tests: the surroundings of orders."""

from msgspec.structs import replace

from arbees.core import commands as c
from arbees.core import events as e
from arbees.core.words import Platform
from arbees.runtime.writer import Lane
from arbees.venues.paper.faults import Fault
from tests.runtime.evenings import GAME, OTHER, Act, Evening, make_quote


async def look_around(evening: Evening) -> None:
    """Marks, an outage and its end, a market that closes, breaks, cash, authority, a new day."""
    await evening.quote()
    await evening.quote(OTHER)
    await evening.ask("filled")
    await evening.clock.sleep(31)
    evening.assembly.exchange.faults.set(Fault.OUTAGE, platform=Platform.KALSHI, times=6)
    for number in range(5):
        await evening.ask(f"not sent {number}", market=OTHER)
    await evening.clock.sleep(65)
    closed = make_quote(OTHER, None, None, evening.clock.now_ns())
    await evening.assembly.gateway.feed([replace(closed, status="closed")])
    writer = evening.assembly.gateway.desk.writer
    opened = e.BreakOpened(
        break_id="Kalshi|position|drill",
        kind="position",
        platform="Kalshi",
        market_key=GAME,
        expected="10 Yes",
        observed="11 Yes",
        policy="freeze_market",
    )
    authorized = e.Authorized(actor="operator", reason="a drill", settings_hash="0" * 64)
    await writer.put(c.Record(events=(opened, authorized)), Lane.CONTROL)
    await evening.ask("frozen")
    ended = e.BreakClosed(break_id=opened.break_id, how="a drill", actor="operator")
    await writer.put(c.Record(events=(ended,)), Lane.CONTROL)
    deposit = c.MoveCash(
        platform=Platform.KALSHI, amount=5_000_000, reason="a deposit", actor="operator"
    )
    await writer.put(deposit, Lane.CONTROL)
    await writer.put(c.OpenDay(day="2026-01-29", unrealized=0), Lane.CONTROL)


STORIES: tuple[Act, ...] = (look_around,)
