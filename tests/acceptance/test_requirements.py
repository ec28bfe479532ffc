"""The requirements' own tests, as their checklist has them, on the wired gateway.

Default settings unless a test says otherwise; simulated time, so that a minute takes no minute.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from arbees.core.language.words import Action, Platform, TimeInForce
from arbees.core.orders.result import Result
from arbees.settings import load
from arbees.telemetry.audit.line import EventType
from arbees.venues.paper.faults import Fault
from tests.runtime.evenings import GAME, OTHER, TOKEN, Evening, files_in
from verification.exchange_book import read_book
from verification.simulation import simulate

Story = Callable[[Evening], Awaitable[None]]


def live(folder: Path, story: Story, kill_file: Path | None = None, **settings: str) -> Evening:
    """Live an evening under given settings."""
    evening = Evening(folder, load(settings), kill_file)
    simulate(evening.live(story))
    return evening


def orders_at_exchange(folder: Path) -> int:
    """Return how many orders the exchange ever accepted."""
    return len(read_book(files_in(folder).paper_book).orders)


def audit_lines(folder: Path) -> list[dict[str, Any]]:
    """Return the audit log."""
    return [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]


def codes(results: list[Result]) -> Counter[str | None]:
    """Count the codes of results."""
    return Counter(result.code for result in results)


# Load test: 100 signals a minute with rate limiting ---------------------------------------------


def test_100_signals_a_minute_against_the_rate_limit(tmp_path: Path) -> None:
    """Of 100 signals in a minute 20 become orders, and none more in any minute of the hour."""

    async def story(evening: Evening) -> None:
        await evening.quote(ask=(620, 10_000))
        for number in range(100):
            await evening.ask(f"signal-{number}", contracts=1)
            await evening.clock.sleep(0.6)
        assert codes(evening.results) == {None: 20, "RATE_LIMIT_MINUTE": 80}
        await evening.quote(ask=(620, 10_000))
        assert (await evening.ask("a-minute-later", contracts=1)).code is None

    evening = live(tmp_path, story)
    first_denied = evening.results[20]
    assert first_denied.rejected_by == "gateway"
    assert first_denied.denials[0].until == "2026-01-28T20:31:00.005Z"
    assert orders_at_exchange(tmp_path) == 21


def test_100_signals_at_once_against_the_rate_limit(tmp_path: Path) -> None:
    """Also when all of them come in the same moment, exactly 20 become orders."""

    async def story(evening: Evening) -> None:
        await evening.quote(ask=(620, 10_000))
        asked = [evening.ask(f"signal-{number}", contracts=1) for number in range(100)]
        await asyncio.gather(*asked)

    evening = live(tmp_path, story)
    assert codes(evening.results) == {None: 20, "RATE_LIMIT_MINUTE": 80}
    assert orders_at_exchange(tmp_path) == 20


# Chaos test: failures of the exchange's API ------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.OUTAGE, Fault.LOST_BEFORE])
def test_failures_of_the_exchange_open_the_breaker(tmp_path: Path, fault: Fault) -> None:
    """Five failures of the exchange close the way to it; once it is back, it opens by a read."""

    async def story(evening: Evening) -> None:
        evening.assembly.exchange.faults.set(fault, platform=Platform.KALSHI)
        for number in range(8):
            market = f"MARKET-{number}"
            await evening.quote(market)
            await evening.ask(f"{number}", market=market)
        await evening.quote(TOKEN)
        assert (await evening.ask("elsewhere", market=TOKEN)).status == "Filled"
        evening.assembly.exchange.faults.clear()
        await evening.clock.sleep(31)
        await evening.quote()
        assert (await evening.ask("back")).status == "Filled"

    evening = live(tmp_path, story)
    denied = [result.code for result in evening.results[:8]]
    assert denied[5:] == ["VENUE_UNAVAILABLE"] * 3
    assert "VENUE_UNAVAILABLE" not in denied[:5]
    assert orders_at_exchange(tmp_path) == 2


def test_lost_answers_place_nothing_twice(tmp_path: Path) -> None:
    """An order whose answer is lost is found, not sent again; asking again changes nothing."""

    async def story(evening: Evening) -> None:
        await evening.quote()
        evening.assembly.exchange.faults.set(Fault.LOST_AFTER, times=1)
        await evening.ask("lost", wait=0)
        await evening.clock.sleep(1)
        again = await evening.ask("lost")
        assert again.code == "DUPLICATE_REQUEST"
        assert isinstance(again.original, Result)
        assert again.original.status == "Filled"

    live(tmp_path, story)
    assert orders_at_exchange(tmp_path) == 1


# Kill switch test: an immediate halt --------------------------------------------------------------


def test_the_kill_switch_halts_at_once(tmp_path: Path) -> None:
    """From the call on nothing is sent: not what waits, not what comes; what rests is cancelled."""

    async def story(evening: Evening) -> None:
        await evening.quote()
        await evening.ask("rests", price=610, time_in_force=TimeInForce.GTC)
        evening.assembly.exchange.faults.latency_ns = (5_000_000, 5_000_000)
        waits = asyncio.create_task(evening.ask("on its way"))
        await evening.clock.sleep(0.001)
        reply = await evening.halt()
        assert reply.in_force
        assert reply.durable
        assert reply.state == "HALTED"
        assert (await waits).code == "HALTED"
        assert (await evening.ask("comes later")).code == "HALTED"
        await evening.clock.sleep(1)
        assert evening.known("rests").status == "Cancelled"
        receipt = evening.assembly.gateway.receipt(reply.receipt_id or "")
        assert receipt is not None
        assert receipt.complete
        assert (await evening.ask("still halted", action=Action.SELL)).code == "HALTED"

    live(tmp_path, story)
    assert orders_at_exchange(tmp_path) == 1


def test_a_halt_survives_a_restart(tmp_path: Path) -> None:
    """Who stops and starts the gateway does not start trading."""

    async def stop(evening: Evening) -> None:
        await evening.quote()
        await evening.halt()

    async def ask(evening: Evening) -> None:
        await evening.quote()
        assert (await evening.ask("after the restart")).code == "HALTED"

    live(tmp_path, stop)
    live(tmp_path, ask)
    assert orders_at_exchange(tmp_path) == 0


def test_the_kill_switch_file_halts_at_once(tmp_path: Path) -> None:
    """While the file exists nothing passes; without it the halt ends."""
    kill_file = tmp_path / "kill"

    async def story(evening: Evening) -> None:
        await evening.quote()
        kill_file.touch()
        assert (await evening.ask("halted")).code == "HALTED"
        kill_file.unlink()
        assert (await evening.ask("free")).status == "Filled"

    live(tmp_path, story, kill_file)
    assert orders_at_exchange(tmp_path) == 1


# Balance test: rejection when funds are insufficient ---------------------------------------------


def test_insufficient_funds_are_rejected(tmp_path: Path) -> None:
    """6.20 dollars and the fee allowance of 10 % need 6.82 dollars, and not a cent less."""

    async def story(evening: Evening) -> None:
        await evening.quote()
        await evening.ask("one")

    enough, short = tmp_path / "enough", tmp_path / "short"
    enough.mkdir()
    short.mkdir()
    assert live(enough, story, PAPER_BALANCE="6.82").results[0].status == "Filled"
    denied = live(short, story, PAPER_BALANCE="6.81").results[0]
    assert denied.code == "INSUFFICIENT_BALANCE"
    assert [str(denied.denials[0].observed), str(denied.denials[0].limit)] == ["6.82", "6.81"]
    assert orders_at_exchange(short) == 0


def test_funds_are_not_spent_twice(tmp_path: Path) -> None:
    """Orders at the same moment see what the others of them reserved."""

    async def story(evening: Evening) -> None:
        await evening.quote()
        await evening.quote(OTHER)
        markets = (GAME, OTHER)
        await asyncio.gather(*(evening.ask(f"{n}", market=markets[n % 2]) for n in range(4)))

    evening = live(tmp_path, story, PAPER_BALANCE="14")
    assert codes(evening.results) == {None: 2, "INSUFFICIENT_BALANCE": 2}


# Idempotency test: the same signal twice ----------------------------------------------------------


def test_the_same_signal_twice_is_rejected(tmp_path: Path) -> None:
    """Under the same key, and under another one, a signal becomes one order."""

    async def story(evening: Evening) -> None:
        await evening.quote()
        first = await evening.ask("one", signal_id="signal_789")
        again = await evening.ask("one", signal_id="signal_789")
        other = await evening.ask("other", signal_id="signal_789")
        assert first.status == "Filled"
        assert (again.status, again.code) == ("Rejected", "DUPLICATE_REQUEST")
        assert (other.status, other.code) == ("Rejected", "DUPLICATE_SIGNAL")
        for refused in (again, other):
            assert isinstance(refused.original, Result)
            assert refused.original.order_id == first.order_id

    live(tmp_path, story)
    assert orders_at_exchange(tmp_path) == 1


def test_the_same_signal_at_the_same_moment_is_rejected(tmp_path: Path) -> None:
    """Ten times the same in one moment is one order, and after a restart still."""

    async def story(evening: Evening) -> None:
        await evening.quote()
        await asyncio.gather(*(evening.ask("one") for _ in range(10)))
        assert codes(evening.results) == {None: 1, "DUPLICATE_REQUEST": 9}

    async def again(evening: Evening) -> None:
        await evening.quote()
        assert (await evening.ask("one")).code == "DUPLICATE_REQUEST"

    live(tmp_path, story)
    live(tmp_path, again)
    assert orders_at_exchange(tmp_path) == 1


# Audit log test: all events logged ----------------------------------------------------------------


async def every_ending(evening: Evening) -> None:
    """Requests that end in each way there is."""
    await evening.quote()
    await evening.quote(OTHER, ask=(620, 5))
    await evening.ask("filled")
    await evening.ask("partial", market=OTHER)
    await evening.ask("cancelled", market=OTHER, price=610)
    await evening.ask("rejected", contracts=101)
    await evening.ask("filled")
    evening.assembly.exchange.faults.set(Fault.OUTAGE, times=1)
    await evening.ask("failed")


def test_every_event_is_in_the_audit_log(tmp_path: Path) -> None:
    """Each request has its line, each acknowledgement, and each result with its status."""
    evening = live(tmp_path, every_ending)
    lines = audit_lines(tmp_path)
    assert {line["event_type"] for line in lines} == {str(each) for each in EventType}
    assert all(line["service"] == "execution_service" for line in lines)
    told: dict[str, list[str]] = {}
    for line in lines:
        told.setdefault(line["request_id"], []).append(line["event_type"])
    assert told["request-partial"] == ["ExecutionRequested", "OrderPlaced", "OrderPartialFill"]
    assert told["request-cancelled"] == ["ExecutionRequested", "OrderPlaced", "OrderCancelled"]
    assert told["request-rejected"] == ["ExecutionRequested", "OrderRejected"]
    assert told["request-failed"] == ["ExecutionRequested", "OrderFailed"]
    assert told["request-filled"] == [
        *("ExecutionRequested", "OrderPlaced", "OrderFilled"),
        *("ExecutionRequested", "OrderRejected"),
    ]
    assert len(evening.results) == sum(line["event_type"] == "ExecutionRequested" for line in lines)


# Bad orders are prevented ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"contracts": 5_000}, "MAX_ORDER_SIZE"),
        ({"price": 970}, "PRICE_OUT_OF_RANGE"),
        ({"price": 30}, "PRICE_OUT_OF_RANGE"),
        ({"price": 621, "market": "NOWHERE"}, "MARKET_UNKNOWN"),
        ({"action": Action.SELL, "price": 590}, "SELL_EXCEEDS_POSITION"),
        ({"price": 800}, "THROUGH_QUOTE"),
    ],
)
def test_bad_orders_are_prevented(tmp_path: Path, fields: dict[str, Any], code: str) -> None:
    """An error injected into a signal is denied, and nothing reaches the exchange."""

    async def story(evening: Evening) -> None:
        await evening.quote()
        denied = await evening.ask("bad", **fields)
        assert denied.status == "Rejected"
        assert code in {each.code for each in denied.denials}

    live(tmp_path, story)
    assert orders_at_exchange(tmp_path) == 0
