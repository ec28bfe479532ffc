"""Cash at the simulated Kalshi: compared for every account, explained, taken over by name."""

import pytest

from arbees.core import events
from arbees.core.language.units import MICRO
from arbees.core.language.words import Action, HaltSource, TimeInForce
from arbees.interface.operator import Conflict
from arbees.rehearsal.kalshi.engine.rules import OWNER, ExchangeOrder
from verification.live.scene import (
    MARKET,
    OTHER,
    KalshiScene,
    kalshi_stage,
)

POOL = "Kalshi|cash|Kalshi:3"
WORD = {"reason": "seen at the venue", "actor": "ann"}


async def compared(scene: KalshiScene) -> dict[str, str]:
    """Compare on demand; return the open breaks with what each does."""
    view = await scene.assembly.gateway.reconcile()
    assert view.complete, view
    breaks = scene.assembly.gateway.desk.book.breaks
    return {name: each.policy for name, each in breaks.items()}


async def code(scene: KalshiScene, market: str = MARKET) -> str | None:
    """Ask for a small order once its book is there; return the code of the answer."""
    found: str | None = "QUOTE_MISSING"
    for _ in range(10):
        scene.show(market)
        await scene.pass_time(1)
        result = await scene.send(scene.request("1", "0.40", market=market))
        assert result is not None
        found = result.code
        if found not in {"QUOTE_MISSING", "QUOTE_STALE"}:
            break
    return found


async def hold(scene: KalshiScene) -> None:
    """Buy five contracts."""
    assert await code(scene) is None
    await scene.send(scene.request("4", "0.40"))
    await scene.until(lambda: scene.exchange.account(OWNER).positions.get(MARKET) == 5 * MICRO)


async def test_money_that_went_out_freezes_its_pool_alone() -> None:
    """500 dollars of a shard vanish: nothing opens on it, what closes does, and others go on."""
    async with kalshi_stage() as scene:
        await hold(scene)
        assert await code(scene, OTHER) is None
        await scene.settled()
        assert await compared(scene) == {}
        scene.exchange.money.move(3, -500 * MICRO)
        assert await compared(scene) == {POOL: "freeze_market"}
        assert await code(scene) == "RECONCILIATION_BREAK"
        assert await code(scene, OTHER) is None
        sold = await scene.send(scene.request("5", "0.38", action=Action.SELL))
        assert sold is not None
        assert sold.code is None


@pytest.mark.parametrize("amount", [1_370_000, 113_456 * MICRO])
async def test_money_that_came_in_is_told_and_stops_nobody(amount: int) -> None:
    """Interest, an incentive, or a figure of fantasy: reported, and trading goes on everywhere."""
    async with kalshi_stage() as scene:
        await hold(scene)
        await scene.settled()
        assert await compared(scene) == {}
        scene.exchange.money.move(3, amount)
        assert await compared(scene) == {POOL: "report"}
        assert await code(scene) is None
        scene.exchange.money.move(3, -amount)
        assert await compared(scene) == {}


async def test_what_the_venue_lists_is_explained() -> None:
    """Deposits, withdrawals and transfers between shards are no difference, each counted once."""
    async with kalshi_stage() as scene:
        await scene.settled()
        money = scene.exchange.money
        money.deposit(250 * MICRO)
        money.deposit(-40 * MICRO)
        money.transfer(0, 3, 70 * MICRO)
        assert await compared(scene) == {}
        assert await compared(scene) == {}
        book = scene.assembly.gateway.desk.book
        assert book.cash_moved == 210 * MICRO
        assert book.ledgers["Kalshi:3"] == scene.exchange.account(OWNER).cash[3]
        money.move(0, -40 * MICRO)  # as much as a withdrawal that is counted already
        assert await compared(scene) == {"Kalshi|cash|Kalshi": "freeze_market"}


async def test_a_deposit_that_an_operator_recorded_is_not_counted_twice() -> None:
    """It is on record by hand, and in the venue's list too."""
    async with kalshi_stage() as scene:
        await scene.settled()
        gateway = scene.assembly.gateway
        scene.exchange.money.deposit(250 * MICRO)
        await gateway.move_cash("Kalshi", 250 * MICRO, reason="wire", actor="ann")
        assert await compared(scene) == {}
        assert gateway.desk.book.cash_moved == 250 * MICRO
        scene.exchange.money.move(0, -250 * MICRO)
        assert await compared(scene) == {"Kalshi|cash|Kalshi": "freeze_market"}


async def test_cash_is_taken_over_by_an_operator_and_stays_so() -> None:
    """The venue's figure becomes ours, on record with who and why; the break does not come back."""
    async with kalshi_stage() as scene:
        await scene.settled()
        scene.exchange.money.move(3, -500 * MICRO)
        assert POOL in await compared(scene)
        gateway = scene.assembly.gateway
        assert await gateway.adopt_break(POOL, **WORD) is not None
        assert await compared(scene) == {}
        assert await code(scene) is None
        closed = [
            each
            for each in (events.decode(row.body) for row in gateway.desk.journal.records())
            if isinstance(each, events.BreakClosed)
        ]
        assert (closed[-1].how, closed[-1].actor) == ("adopted: seen at the venue", "ann")
        assert await gateway.adopt_break(POOL, **WORD) is None


async def test_a_trade_by_hand_is_taken_over() -> None:
    """Position and cash become the venue's one after the other; then everything agrees."""
    async with kalshi_stage() as scene:
        await hold(scene)
        await scene.settled()
        scene.exchange.create(_by_hand(scene, price=400_000, tif="immediate_or_cancel"))
        found = await compared(scene)
        assert set(found) == {POOL, f"Kalshi|position|{MARKET}"}
        for name in found:
            assert await scene.assembly.gateway.adopt_break(name, **WORD) is not None
        assert await compared(scene) == {}
        assert await code(scene) is None


async def test_an_order_of_another_hand_is_let_stand_as_it_is() -> None:
    """It is no break any more while it works; a second one is."""
    async with kalshi_stage() as scene:
        await hold(scene)
        await scene.settled()
        scene.exchange.create(_by_hand(scene, price=100_000))
        (name,) = await compared(scene)
        assert name.startswith("Kalshi|foreign_order|")
        assert await scene.assembly.gateway.adopt_break(name, **WORD) is not None
        assert await compared(scene) == {}
        scene.exchange.create(_by_hand(scene, price=110_000, name="another"))
        (second,) = await compared(scene)
        assert second != name


async def test_what_agrees_by_now_is_not_taken_over() -> None:
    """The venue is compared first: an old figure is never adopted."""
    async with kalshi_stage() as scene:
        await scene.settled()
        scene.exchange.money.move(3, -500 * MICRO)
        assert POOL in await compared(scene)
        scene.exchange.money.move(3, 500 * MICRO)
        with pytest.raises(Conflict) as raised:
            await scene.assembly.gateway.adopt_break(POOL, **WORD)
        assert raised.value.code == "AGREES"
        assert await compared(scene) == {}


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.GTC])
async def test_an_order_that_the_journal_lost_halts(time_in_force: TimeInForce) -> None:
    """A journal of before is put back: what was placed since is found, ended or not."""
    async with kalshi_stage() as scene:
        await hold(scene)
        await scene.settled()
        cents = 400_000 if time_in_force is TimeInForce.IOC else 100_000
        tif = "immediate_or_cancel" if time_in_force is TimeInForce.IOC else "good_till_canceled"
        for is_bid in (True, False)[: 2 if time_in_force is TimeInForce.IOC else 1]:
            price = cents if is_bid else 380_000
            order = _by_hand(scene, price=price, tif=tif, name=f"arb-{'0' * 38}{is_bid:02d}")
            order.is_bid = is_bid
            scene.exchange.create(order)
        await scene.assembly.gateway.reconcile()
        halts = scene.assembly.gateway.desk.book.halts.values()
        found = [each.reason for each in halts if each.source == HaltSource.JOURNAL]
        assert any("JOURNAL_ROLLED_BACK" in each for each in found)


def _by_hand(
    scene: KalshiScene, *, price: int, tif: str = "good_till_canceled", name: str = "by-hand"
) -> ExchangeOrder:
    """Return a bid of the account that another hand places."""
    now_ns = scene.clock.now_ns()
    return ExchangeOrder(
        order_id=scene.exchange.new_order_id(),
        owner=OWNER,
        client_order_id=name,
        ticker=MARKET,
        is_bid=True,
        price=price,
        count=5 * MICRO,
        time_in_force=tif,
        created_ns=now_ns,
        updated_ns=now_ns,
    )


async def test_a_fill_that_contradicts_its_order_keeps_no_comparison_from_ending() -> None:
    """It is told on the stream and nowhere listed: a break, which the next clean look ends."""
    async with kalshi_stage() as scene:
        await hold(scene)
        await scene.rest(1)
        (order,) = scene.exchange.resting(OWNER)
        hand = scene.exchange.by_hand
        hand.invent(order, 9_000 * MICRO, 900_000, trade_id="never", is_listed=False)
        book = scene.assembly.gateway.desk.book
        await scene.until(lambda: any("contradictory_fill" in name for name in book.breaks))
        assert await compared(scene) == {}
        assert book.markets[MARKET].yes.quantity == 5 * MICRO
        await scene.settled()


async def test_a_listed_fill_that_nothing_else_shows_stays_a_break() -> None:
    """Position and cash do not know it: not booked, and everything else is compared."""
    async with kalshi_stage() as scene:
        await hold(scene)
        await scene.rest(1)
        (order,) = scene.exchange.resting(OWNER)
        hand = scene.exchange.by_hand
        hand.invent(order, 9_000 * MICRO, 900_000, trade_id="listed", is_listed=True)
        book = scene.assembly.gateway.desk.book
        await scene.until(lambda: any("contradictory_fill" in name for name in book.breaks))
        for _ in range(2):
            (name,) = await compared(scene)
            assert name.endswith("|listed")
        assert book.markets[MARKET].yes.quantity == 5 * MICRO
