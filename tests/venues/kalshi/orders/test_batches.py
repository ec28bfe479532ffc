"""Many cancels in one call: an outcome of each order, and nothing concluded from silence."""

from arbees.core.deciding.outcomes import (
    Accepted,
    CancelAccepted,
    CancelMissed,
    CancelOutcome,
    CancelUnknown,
    WorkingOrder,
)
from arbees.core.language.words import TimeInForce
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.venues.kalshi.orders.batches import CHUNK
from tests.venues.kalshi.rig import Rig, rig
from verification.live.scene import kalshi_stage


async def _working(made: Rig, number: int) -> list[WorkingOrder]:
    found: list[WorkingOrder] = []
    for _ in range(number):
        order = made.order(cents=10, contracts=1, time_in_force=TimeInForce.GTC)
        outcome = await made.send(order)
        assert isinstance(outcome, Accepted)
        found.append(
            WorkingOrder(
                client_order_id=order.client_order_id,
                venue_order_id=outcome.venue_order_id,
                market_id=order.market_id,
            )
        )
    return found


def _kinds(outcomes: dict[str, CancelOutcome]) -> dict[type, int]:
    kinds = [type(each) for each in outcomes.values()]
    return {kind: kinds.count(kind) for kind in set(kinds)}


async def test_more_orders_than_one_call_holds() -> None:
    """All are cancelled, over several calls, and each says how much of it."""
    async with rig() as made:
        orders = await _working(made, CHUNK + 3)
        outcomes = await made.venue.cancel_many(orders)
        assert _kinds(outcomes) == {CancelAccepted: CHUNK + 3}
        assert set(outcomes) == {each.client_order_id for each in orders}
        assert not made.exchange.resting("trader")


async def test_what_fails_of_a_batch_is_not_known() -> None:
    """Every other item fails for the venue's state: those orders are asked for again."""
    async with rig() as made:
        orders = await _working(made, 6)
        made.server.fault(FaultKind.PARTIAL_BATCH, call="batch")
        outcomes = await made.venue.cancel_many(orders)
        assert _kinds(outcomes) == {CancelAccepted: 3, CancelUnknown: 3}
        assert len(made.exchange.resting("trader")) == 3


async def test_what_is_gone_already_is_missed_not_cancelled() -> None:
    """An order that ended before is no cancel: what became of it is looked up."""
    async with rig() as made:
        orders = await _working(made, 5)
        made.exchange.cancel("trader", orders[0].venue_order_id)
        outcomes = await made.venue.cancel_many(orders)
        assert isinstance(outcomes[orders[0].client_order_id], CancelMissed)
        assert _kinds(outcomes) == {CancelAccepted: 4, CancelMissed: 1}


async def test_a_lost_answer_leaves_all_of_it_unknown() -> None:
    """The venue cancelled them; without its word nothing is concluded."""
    async with rig() as made:
        orders = await _working(made, 5)
        made.server.fault(FaultKind.LOST_AFTER, call="batch")
        outcomes = await made.venue.cancel_many(orders)
        assert _kinds(outcomes) == {CancelUnknown: 5}
        assert not made.exchange.resting("trader")


async def test_an_answer_without_orders_is_none() -> None:
    """A 2xx that names no order says nothing of any."""
    async with rig() as made:
        orders = await _working(made, 5)
        made.server.fault(FaultKind.EMPTY_SUCCESS, call="batch")
        assert _kinds(await made.venue.cancel_many(orders)) == {CancelUnknown: 5}


async def test_what_a_batch_leaves_is_cancelled_one_by_one() -> None:
    """A mass cancel of which every other item fails ends with nothing working."""
    async with kalshi_stage() as scene:
        await scene.rest(7)
        scene.server.fault(FaultKind.PARTIAL_BATCH, call="batch")
        gateway = scene.assembly.gateway
        receipt_id = await gateway.cancel_all(scope="all", reason="drill", actor="ann")
        await scene.until(lambda: not gateway.desk.book.orders)
        await scene.settled()
        receipt = gateway.receipt(receipt_id)
        assert receipt is not None
        assert len(receipt.cancelled) == 7
        assert scene.server.faults.happened[FaultKind.PARTIAL_BATCH] == 1
