"""The tests that the requirements themselves ask for, each through the whole gateway."""

from collections import Counter

import msgspec
import pytest

from arbees.core.language.words import Action, Platform, TimeInForce
from arbees.core.orders.result import Result
from arbees.rehearsal.scene import stage
from arbees.rehearsal.tour import STOPS, Stop
from arbees.settings import load
from arbees.telemetry.audit.log import AuditLog
from arbees.venues.paper.faults import Fault

EVENT_TYPES = {
    "ExecutionRequested",
    "OrderPlaced",
    "OrderFilled",
    "OrderPartialFill",
    "OrderCancelled",
    "OrderRejected",
    "OrderFailed",
}


async def test_a_hundred_requests_a_minute() -> None:
    """Of 100 requests within a minute, 20 go out; each other is told why and until when."""
    results: list[Result] = []
    async with stage() as scene:
        await scene.quote()
        for _ in range(100):
            results.append(await scene.ask(size="1"))
            await scene.wait(0.5)
        codes = Counter(result.code for result in results)
        assert codes == {None: 20, "RATE_LIMIT_MINUTE": 80}
        assert all(result.denials[0].until for result in results if result.code)
        await scene.wait(60)
        await scene.quote()
        assert (await scene.ask(size="1")).status == "Filled"


async def test_the_same_signal_twice() -> None:
    """The same request again, and the same signal under another key, place no second order."""
    async with stage() as scene:
        await scene.quote()
        first = scene.request(signal_id="signal-789")
        assert (await scene.send(first)).status == "Filled"
        again = await scene.send(first)
        other = await scene.ask(signal_id="signal-789")
        held = scene.assembly.gateway.desk.book.markets[first.market_id].yes.quantity
        assert (again.status, again.code) == ("Rejected", "DUPLICATE_REQUEST")
        assert isinstance(again.original, Result)
        assert again.original.status == "Filled"
        assert (other.status, other.code) == ("Rejected", "DUPLICATE_SIGNAL")
        assert held == first.size


async def test_insufficient_funds() -> None:
    """An order that the balance does not cover, allowance included, never reaches the exchange."""
    async with stage({"PAPER_BALANCE": "6.70"}) as scene:
        await scene.quote()
        denied = await scene.ask(size="10")
        passed = await scene.ask(size="9.98")
        assert (denied.rejected_by, denied.code) == ("gateway", "INSUFFICIENT_BALANCE")
        assert denied.rejection_reason == (
            "Insufficient balance: have $6.70, need $6.71 (fee allowance included)"
        )
        assert passed.status == "Filled"


async def test_the_kill_switch_halts_at_once() -> None:
    """After the answer nothing passes, what rests is cancelled; after the release orders pass."""
    async with stage() as scene:
        await scene.quote()
        resting = await scene.ask(price="0.55", time_in_force=TimeInForce.GTC)
        gateway = scene.assembly.gateway
        reply = await gateway.kill_switch(
            "ENABLE", scope="all", reason="drill", source="command", actor="test"
        )
        assert (reply.in_force, reply.durable, reply.state) == (True, True, "HALTED")
        denied = await scene.ask()
        known = gateway.execution(resting.request_id)
        assert denied.code == "HALTED"
        assert known is not None
        assert known.result.status == "Cancelled"
        await gateway.kill_switch(
            "DISABLE", scope="all", reason="drill over", source="command", actor="test"
        )
        assert (await scene.ask()).status == "Filled"


async def test_every_event_is_in_the_audit_log() -> None:
    """Fills, partial fills, cancels, rejections and failures: all seven types, each request."""
    async with stage() as scene:
        await scene.quote(size="5")
        asked = [
            await scene.ask(size="5"),
            await scene.ask(size="500"),
            await scene.ask(size="1", price="0.50"),
        ]
        await scene.quote(size="5")
        asked.append(await scene.ask(size="8"))
        scene.assembly.exchange.faults.set(Fault.OUTAGE, times=1)
        asked.append(await scene.ask(size="1"))
        audit = scene.assembly.audit
        assert isinstance(audit, AuditLog)
        assert audit.catch_up()
        path = audit._files.path
        lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    statuses = [result.status for result in asked]
    assert statuses == ["Filled", "Rejected", "Cancelled", "Partial", "Failed"]
    assert {line["event_type"] for line in lines} == EVENT_TYPES
    final = {"Filled", "Partial", "Cancelled", "Rejected", "Failed"}
    told = Counter(line["request_id"] for line in lines if line["status"] in final)
    assert told == {result.request_id: 1 for result in asked}


async def test_failures_of_the_exchange() -> None:
    """While the exchange cannot be reached orders fail safely, then are held back; then go on."""
    async with stage() as scene:
        await scene.quote()
        scene.assembly.exchange.faults.set(Fault.OUTAGE, platform=Platform.KALSHI)
        during = [await scene.ask(size="1") for _ in range(6)]
        assert [result.code for result in during] == [*["NOT_SENT"] * 5, "VENUE_UNAVAILABLE"]
        scene.assembly.exchange.faults.clear(Fault.OUTAGE, platform=Platform.KALSHI)
        await scene.wait(60)
        await scene.quote()
        assert (await scene.ask(size="1")).status == "Filled"


async def test_a_position_can_be_left_whatever_is_full() -> None:
    """At the limit of a market what closes still passes, what opens does not."""
    async with stage({"MAX_POSITION_PER_MARKET": "61", "MAX_ORDER_SIZE": "61"}) as scene:
        await scene.quote()
        assert (await scene.ask(size="100")).status == "Filled"
        assert (await scene.ask(size="1")).code == "MAX_POSITION_PER_MARKET"
        left = await scene.ask(size="100", price="0.59", action=Action.SELL)
        assert left.status == "Filled"
        assert left.filled_qty == 100


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.safeguard)
async def test_every_safeguard_is_seen_to_deny(stop: Stop) -> None:
    """An order that it is against is denied by each safeguard, and never reaches the exchange."""
    async with stage(stop.settings, toml=stop.toml) as scene:
        result = await stop.tell(scene)
        assert (result.status, result.rejected_by) == ("Rejected", "gateway")
        assert result.code == stop.code
        assert result.denials[0].safeguard == stop.safeguard


def test_the_rollback_begins_with_paper() -> None:
    """`PAPER_TRADING=1` means paper, also while the second flag still stands."""
    settings = load({"PAPER_TRADING": "1", "LIVE_TRADING_AUTHORIZED": "true"})
    assert settings.mode == "paper"


def test_one_safeguard_is_switched_off_by_name() -> None:
    """The last step of the rollback plan takes one safeguard and a reason, and says so."""
    settings = load(
        {"DISABLED_SAFEGUARDS": "price_range", "DISABLED_SAFEGUARDS_REASON": "bad odds feed"}
    )
    assert settings.disabled == {"price_range": "bad odds feed"}
    assert "price_range" not in {safeguard.name for safeguard in settings.safeguards}
    assert len(settings.safeguards) == len(STOPS)
