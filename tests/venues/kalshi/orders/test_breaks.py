"""Every break that can be planted at the simulated Kalshi is found, and its policy carried out."""

from collections.abc import Callable

import pytest

from arbees.core import events
from arbees.core.language.units import MICRO
from arbees.core.language.words import TimeInForce
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import GRID, ExchangeOrder
from arbees.rehearsal.kalshi.server import OWNER
from verification.live.scene import MARKET, KalshiScene, kalshi_stage


def _by_hand(scene: KalshiScene, *, is_bid: bool, cents: int, time_in_force: str) -> None:
    """Place an order of the account that the gateway knows nothing of."""
    now_ns = scene.clock.now_ns()
    scene.exchange.create(
        ExchangeOrder(
            order_id=scene.exchange.new_order_id(),
            owner=OWNER,
            client_order_id="by-hand",
            ticker=MARKET,
            is_bid=is_bid,
            price=cents * 10_000,
            count=5 * MICRO,
            time_in_force=time_in_force,
            created_ns=now_ns,
            updated_ns=now_ns,
        )
    )


def _foreign_order(scene: KalshiScene) -> None:
    _by_hand(scene, is_bid=True, cents=10, time_in_force="good_till_canceled")


def _closed_position(scene: KalshiScene) -> None:
    _by_hand(scene, is_bid=False, cents=38, time_in_force="immediate_or_cancel")


def _wrong_cash(scene: KalshiScene) -> None:
    scene.exchange.account(OWNER).cash[3] -= 1


PLANTED: dict[str, tuple[Callable[[KalshiScene], None], str]] = {
    "foreign order": (_foreign_order, "foreign_order"),
    "closed position": (_closed_position, "position"),
    "wrong cash": (_wrong_cash, "cash"),
}


async def _compared(scene: KalshiScene) -> tuple[str, ...]:
    """Compare on demand; return the kinds of the open breaks."""
    view = await scene.assembly.gateway.reconcile()
    assert view.complete, view
    return tuple(sorted({each.kind for each in scene.assembly.gateway.desk.book.breaks.values()}))


async def _code(scene: KalshiScene) -> str | None:
    """Ask for an order in the market of the break; return the code of the answer."""
    scene.show(MARKET)
    await scene.pass_time(1)
    result = await scene.send(scene.request("1", "0.40"))
    assert result is not None
    return result.code


@pytest.mark.parametrize("policy", ["report", "freeze_market", "halt"])
@pytest.mark.parametrize("planted", PLANTED)
async def test_a_planted_break_is_found_and_its_policy_carried_out(
    planted: str, policy: str
) -> None:
    """Reported ones let trade on; frozen ones deny the market; others halt everything."""
    plant, kind = PLANTED[planted]
    async with kalshi_stage({"RECONCILE_POLICY": policy}) as scene:
        await scene.send(scene.request("5", "0.40"))
        await scene.settled()
        assert await _compared(scene) == ()
        plant(scene)
        assert kind in await _compared(scene)
        expected = {"report": None, "freeze_market": "RECONCILIATION_BREAK", "halt": "HALTED"}
        assert await _code(scene) == expected[policy]


@pytest.mark.parametrize("planted", ["closed position", "wrong cash"])
async def test_what_the_venue_says_is_adopted(planted: str) -> None:
    """Position and cash become the venue's, as it tells them, and trading goes on."""
    plant, kind = PLANTED[planted]
    async with kalshi_stage({"RECONCILE_POLICY": "adopt"}) as scene:
        await scene.send(scene.request("5", "0.40"))
        await scene.settled()
        assert await _compared(scene) == ()
        plant(scene)
        await _compared(scene)
        assert await _compared(scene) == ()
        journal = scene.assembly.gateway.desk.journal
        new_events = [events.decode(stored.body) for stored in journal.records()]
        assert kind in {each.kind for each in new_events if isinstance(each, events.BreakOpened)}
        book, account = scene.assembly.gateway.desk.book, scene.exchange.account(OWNER)
        held = book.markets[MARKET].yes.quantity - book.markets[MARKET].no.quantity
        assert held == account.positions[MARKET]
        assert book.ledgers["Kalshi:3"] == account.cash[3] // GRID * GRID
        assert await _code(scene) is None


async def test_a_missing_fill_is_taken_and_told() -> None:
    """A fill that no stream told of is in the book after the comparison, with its break."""
    async with kalshi_stage() as scene:
        await scene.rest(1)
        scene.server.fault(FaultKind.STREAM_SILENT)
        scene.trade(scene.exchange.resting(OWNER)[0])
        assert scene.compare().lost_fills == 1
        view = await scene.assembly.gateway.reconcile()
        assert view.complete
        await scene.settled()
        journal = scene.assembly.gateway.desk.journal
        new_events = [events.decode(stored.body) for stored in journal.records()]
        kinds = [each.kind for each in new_events if isinstance(each, events.BreakOpened)]
        assert kinds == ["missing_fill"]
        assert not scene.assembly.gateway.desk.book.breaks


async def test_an_empty_answer_is_not_read_as_flat() -> None:
    """A list without our orders ends none of them, and a 2xx without a list is a failure."""
    async with kalshi_stage() as scene:
        await scene.send(scene.request("5", "0.40"))
        await scene.rest(2)
        book = scene.assembly.gateway.desk.book
        open_orders, held = set(book.orders), scene.exchange.account(OWNER).positions[MARKET]
        scene.server.fault(FaultKind.HIDDEN, call="any", seconds=30.0)
        await scene.assembly.gateway.reconcile()
        assert set(book.orders) == open_orders
        await scene.pass_time(31)
        scene.server.fault(FaultKind.EMPTY_SUCCESS, call="read", count=20)
        view = await scene.assembly.gateway.reconcile()
        assert not view.complete
        assert set(book.orders) == open_orders
        assert book.markets[MARKET].yes.quantity == held
        scene.server.heal()
        await scene.settled()


async def test_a_failed_query_proves_nothing() -> None:
    """Reads that fail leave everything as it is, and say that nothing was compared."""
    async with kalshi_stage() as scene:
        await scene.send(scene.request("5", "0.40"))
        await scene.settled()
        scene.server.fault(FaultKind.ERROR_BEFORE, call="read", count=20)
        view = await scene.assembly.gateway.reconcile()
        assert not view.complete
        assert not scene.assembly.gateway.desk.book.breaks
        scene.server.heal()
        assert await _compared(scene) == ()


async def test_a_start_while_the_exchange_cannot_be_reached() -> None:
    """The gateway starts blind, denies, forgets nothing, and compares when the exchange is back."""
    async with kalshi_stage() as scene:
        await scene.send(scene.request("5", "0.40"))
        await scene.rest(3)
        await scene.kill()
        scene.server.fault(FaultKind.UNREACHABLE)
        resting = scene.exchange.resting(OWNER)
        scene.trade(resting[0], resting[0].remaining)
        await scene.start(waits=False)
        known = set(scene.exchange.orders)
        result = await scene.send(scene.request("1", "0.20", TimeInForce.GTC))
        assert result is not None
        assert result.status == "Rejected"
        await scene.pass_time(30)
        assert set(scene.exchange.orders) == known
        scene.server.heal()
        await scene.settled()
        await scene.until(lambda: scene.is_ready)


async def test_an_order_in_flight_at_the_kill_is_found_by_asking() -> None:
    """An order whose answer was lost with the process is found, never sent again."""
    async with kalshi_stage() as scene:
        await scene.send(scene.request("1", "0.40"))
        scene.server.fault(FaultKind.LOST_AFTER, call="create")
        request = scene.request("5", "0.40")
        await scene.send(request, 0.0)
        await scene.until(lambda: len(scene.exchange.orders) == 2, moves=False)
        await scene.restart()
        await scene.settled()
        result = await scene.send(request)
        assert result is not None
        assert result.code == "DUPLICATE_REQUEST"
        assert scene.compare().is_agreed
        assert len(scene.exchange.orders) == 2


async def test_groups_stay_shut_over_a_kill_until_the_halt_is_lifted() -> None:
    """A halt outlives the process; once it is lifted, orders pass again after the minute."""
    async with kalshi_stage() as scene:
        gateway = scene.assembly.gateway
        await scene.send(scene.request("1", "0.40"))
        await gateway.kill_switch("ENABLE", scope="all", reason="r", source="http", actor="a")
        await scene.restart(waits=False)
        assert await _code(scene) == "HALTED"
        gateway = scene.assembly.gateway
        await gateway.kill_switch("DISABLE", scope="all", reason="r", source="http", actor="a")
        for _ in range(60):
            if await _code(scene) is None:
                break
            await scene.pass_time(2)
        assert await _code(scene) is None
        await scene.settled()


async def test_a_clock_that_is_off_denies() -> None:
    """Beyond two seconds the two clocks are too far apart to open anything."""
    async with kalshi_stage() as scene:
        await scene.send(scene.request("1", "0.40"))
        scene.server.fault(FaultKind.CLOCK_SKEW, seconds=6.0)
        await scene.pass_time(12)
        scene.show(MARKET)
        await scene.pass_time(1)
        known = set(scene.exchange.orders)
        result = await scene.send(scene.request("1", "0.40"))
        assert result is not None
        assert "CLOCK_SKEW" in {each.code for each in result.denials}
        assert set(scene.exchange.orders) == known
        scene.server.heal()
        await scene.settled()
