"""Reads: results, executions and the status, and nothing of it before it is durable."""

from decimal import Decimal
from typing import Any

import pytest

from arbees.core import events
from arbees.core.deciding.outcomes import Filled, Inconclusive, Unknown
from arbees.core.deciding.verdicts import Deny
from arbees.core.language.units import MICRO
from arbees.core.language.words import Platform, TimeInForce
from arbees.core.orders.result import Result
from arbees.errors import VenueError
from arbees.runtime.looking.reads import Reads, view
from tests.core.scene import Says
from tests.runtime.rig import Rig, fill, running
from tests.runtime.scripted_venue import fills
from tests.safeguards.build import KALSHI, NOW

LOST = Unknown(message="timeout", sent_ns=NOW)


def result(rig: Rig, request_id: str) -> Result:
    """Return the result of a request as known now."""
    found = rig.gateway.reads.result(request_id)
    assert found is not None
    return found


# Results ---------------------------------------------------------------------------------------


async def test_nothing_is_known_of_what_was_never_asked() -> None:
    """An id and a key that nobody used have no result."""
    async with running() as rig:
        assert rig.gateway.reads.result("r") is None
        assert rig.gateway.execution("r") is None
        assert rig.gateway.execution_by_key("k") is None


async def test_a_result_follows_its_order() -> None:
    """Resting, partly filled, filled: each time as known now."""
    async with running() as rig:
        order = await rig.rest()
        assert (rig.known().status, rig.known().filled_qty) == ("Pending", Decimal(0))
        rig.kalshi.report(Filled(fill=fill(order, 4 * MICRO)))
        await rig.settle()
        assert (rig.known().status, rig.known().filled_qty) == ("Pending", Decimal(4))
        rig.kalshi.report(Filled(fill=fill(order, 6 * MICRO)))
        await rig.settle()
        assert (rig.known().status, rig.known().final) == ("Filled", True)
        assert rig.known().avg_price == Decimal("0.65")


async def test_nothing_is_told_before_it_is_durable() -> None:
    """When a commit begins, results, executions and receipts say nothing of it."""
    async with running() as rig:
        seen: list[Any] = []

        def look(_entries: object) -> None:
            seen.append(rig.gateway.reads.result("r-k-1"))
            seen.append(rig.gateway.execution("r-k-1"))
            seen.append(rig.gateway.execution_by_key("k-1"))
            seen.append(rig.gateway.receipt(f"receipt-{rig.journal.head.sequence + 1}-1"))

        rig.journal.before_append = look
        await rig.ask()
        assert seen == [None] * 4
        assert rig.known().status == "Pending"
        await rig.settle()
        seen.clear()
        reply = await rig.halt()
        assert rig.gateway.receipt(reply.receipt_id or "") is not None
        assert [each.status for each in seen if isinstance(each, Result)] == ["Pending"]


async def test_an_execution_is_a_result_with_its_records() -> None:
    """The records that a result is the fold of come with it, in order, with time and kind."""
    async with running() as rig:
        rig.kalshi.answers.append(lambda order: fills(order, NOW))
        await rig.ask()
        await rig.settle()
        found = rig.gateway.execution("r-k-1")
        assert found is not None
        assert found.result == rig.known()
        kinds = [each.kind for each in found.events]
        assert kinds == ["OrderApproved", "OrderAcknowledged", "OrderFilled"]
        sequences = [each.sequence for each in found.events]
        assert sequences == sorted(sequences)
        assert sequences[-1] == found.result.sequence
        assert found.events[0].body["request"]["request_id"] == "r-k-1"
        assert found.events[0].time.startswith("2026-01-28T20:30:00")


async def test_the_last_attempt_of_a_key_counts() -> None:
    """By its key a request is found as its last attempt left it."""
    async with running(Says("kill_switch", Deny("HALTED", "drill"))) as rig:
        await rig.ask()
        await rig.ask(attempt=2, request_id="r-2")
        found = rig.gateway.execution_by_key("k-1")
        assert found is not None
        assert (found.result.request_id, found.result.attempt) == ("r-2", 2)
        first = rig.gateway.execution("r-k-1")
        assert first is not None
        assert first.result.attempt == 1


def test_a_record_for_people() -> None:
    """A record shows its time as text and its body as JSON would."""
    shown = view((7, NOW, events.Stopped(reason="bye")))
    assert (shown.sequence, shown.kind) == (7, "Stopped")
    assert shown.time == "2026-01-28T20:30:00.000Z"
    assert shown.body == {"type": "Stopped", "reason": "bye"}


# Duplicates ------------------------------------------------------------------------------------


async def test_a_duplicate_comes_with_its_original() -> None:
    """Under its own id a retry is a duplicate, with the original as known now."""
    async with running() as rig:
        order = await rig.rest()
        again = await rig.ask(request_id="r-2", time_in_force=TimeInForce.GTC)
        assert again.code == "DUPLICATE_REQUEST"
        assert isinstance(again.original, Result)
        assert again.original.status == "Pending"
        rig.kalshi.report(Filled(fill=fill(order, 10 * MICRO)))
        await rig.settle()
        found = result(rig, "r-2")
        assert (found.code, found.final) == ("DUPLICATE_REQUEST", True)
        assert isinstance(found.original, Result)
        assert (found.original.request_id, found.original.status) == ("r-k-1", "Filled")


async def test_a_retry_that_comes_twice_keeps_its_original() -> None:
    """The same retry, sent again with the same id, is still a duplicate with its original."""
    async with running() as rig:
        await rig.rest()
        for _ in range(3):
            await rig.ask(request_id="r-2", time_in_force=TimeInForce.GTC)
        found = result(rig, "r-2")
        assert isinstance(found.original, Result)
        assert found.original.request_id == "r-k-1"


async def test_a_retry_with_the_same_id_is_its_original() -> None:
    """A retry that changes nothing is answered as a duplicate, and is not the request's result."""
    async with running() as rig:
        await rig.rest()
        again = await rig.ask(time_in_force=TimeInForce.GTC)
        assert again.code == "DUPLICATE_REQUEST"
        assert (rig.known().code, rig.known().status) == (None, "Pending")


async def test_a_conflict_has_no_original_of_another_key() -> None:
    """A request id that belongs to another key is refused, and shows nothing of that key."""
    async with running() as rig:
        await rig.rest()
        other = await rig.ask("k-2", request_id="r-k-1")
        assert other.code == "IDEMPOTENCY_CONFLICT"
        assert not isinstance(other.original, Result)
        assert rig.known().idempotency_key == "k-1"


async def test_a_signal_comes_with_the_execution_that_was_first() -> None:
    """The second shard's order is a duplicate of the first one's, which it is shown."""
    async with running() as rig:
        await rig.rest(signal_id="s")
        other = await rig.ask("k-2", signal_id="s")
        assert other.code == "DUPLICATE_SIGNAL"
        assert isinstance(other.original, Result)
        assert other.original.idempotency_key == "k-1"


async def test_only_duplicates_are_answered_as_such() -> None:
    """What is no duplicate cannot be answered as one: that would be a bug."""
    async with running() as rig:
        with pytest.raises(TypeError):
            Reads(rig.desk).duplicate((1, NOW, events.Stopped(reason="r")))


# Status ----------------------------------------------------------------------------------------


async def test_status() -> None:
    """Mode, versions, money, orders, venues and the head of the journal, as they are."""
    async with running(
        version="1.2", settings_hash="abc", disabled={"order_size": "rehearsal"}
    ) as rig:
        rig.warnings = ("the audit log is behind",)
        rig.kalshi.answers.append(lambda order: fills(order, NOW))
        await rig.ask("k-1")
        await rig.settle()
        await rig.rest("k-2", market_id="KX")
        rig.kalshi.answers.append(LOST)
        rig.kalshi.lookups.extend([Inconclusive(message="lag")] * 9)
        await rig.ask("k-3", market_id="KX-2")
        await rig.settle()
        status = rig.gateway.status()
        assert (status.mode, status.state, status.halts) == ("paper", "ACTIVE", ())
        assert (status.account, status.environment) == ("main", "local")
        assert (status.version, status.settings_hash) == ("1.2", "abc")
        assert (status.disabled_safeguards, status.disabled_reason) == (
            ("order_size",),
            "rehearsal",
        )
        assert (status.open_orders, status.unknown_orders) == (2, 1)
        assert status.total_exposure == Decimal("19.5")
        assert status.pnl_today == Decimal("-0.1")
        head = rig.journal.head
        assert (status.journal.sequence, status.journal.hash) == (head.sequence, head.hash.hex())
        assert [(each.platform, each.state) for each in status.venues] == [
            ("Kalshi", "ACTIVE"),
            ("Polymarket", "ACTIVE"),
        ]
        assert status.warnings == ("the audit log is behind",)


async def test_the_status_is_that_of_the_disk() -> None:
    """While a commit is under way the status tells what was durable before it."""
    async with running() as rig:
        await rig.rest("k-1")
        seen: list[Any] = []

        def look(_entries: object) -> None:
            status = rig.gateway.status()
            seen.append((status.open_orders, status.total_exposure, status.pnl_today))

        rig.journal.before_append = look
        await rig.ask("k-2", market_id="KX")
        assert seen == [(1, Decimal("6.5"), Decimal(0))]
        rig.journal.before_append = lambda _entries: None
        await rig.settle()
        status = rig.gateway.status()
        assert (status.open_orders, status.total_exposure) == (2, Decimal(13))


async def test_status_of_a_venue_that_is_away() -> None:
    """An open breaker shows with what opened it; what reduces still passes."""
    async with running(errors_to_open=1) as rig:
        rig.gateway.monitors.note(Platform.KALSHI, "502")
        rig.gateway.monitors.note(Platform.POLYMARKET, "")
        kalshi, polymarket = rig.gateway.status().venues
        assert (kalshi.state, kalshi.reasons) == ("REDUCING", ("502",))
        assert (polymarket.state, polymarket.reasons) == ("REDUCING", ("breaker open",))
        rig.kalshi.failure = rig.polymarket.failure = VenueError("down")


async def test_the_strictest_halt_is_the_state() -> None:
    """Halts are listed strictest first; only those of everything are the account's state."""
    async with running() as rig:
        await rig.halt("REDUCE", source="command")
        await rig.halt(scope=f"market:{KALSHI}")
        status = rig.gateway.status()
        assert status.state == "REDUCING"
        assert [each.state for each in status.halts] == ["HALTED", "REDUCING"]
        await rig.halt(source="signal")
        assert rig.gateway.status().state == "HALTED"


async def test_a_halted_gateway_is_ready() -> None:
    """Halted is ready: requests are decided, and denied; the reasons are told."""
    async with running() as rig:
        assert rig.gateway.readiness().reasons == ()
        await rig.halt(reason="odd fills")
        readiness = rig.gateway.readiness()
        assert readiness.ready
        assert readiness.reasons == ("all: Trading halted: http for all: odd fills",)
