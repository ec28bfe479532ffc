"""Orders that are not what was approved, at a running gateway: amended, denied, disputed."""

import asyncio

import pytest

from arbees.core.book.open_order import Order
from arbees.core.language.units import MICRO
from arbees.core.language.words import End, OrderStatus, TimeInForce
from arbees.core.orders.result import Result
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import ExchangeOrder as Theirs
from arbees.rehearsal.kalshi.engine.rules import Status
from verification.live.scene import MARKET, KalshiScene, kalshi_stage

CENT = 10_000
MUTE = ("user_orders", "fill")


async def asked(scene: KalshiScene, size: str, price: str, time_in_force: TimeInForce) -> Result:
    """Send an order that the gateway lets through, once it sees the market; return its result."""
    for _ in range(20):
        scene.show()
        await scene.pass_time(0.1, 0.1)
        found = await scene.send(scene.request(size, price, time_in_force), 0.5)
        assert found is not None
        if found.rejected_by != "gateway":
            return found
    raise AssertionError("denied again and again")


async def rested(scene: KalshiScene, size: str = "5", price: str = "0.30") -> tuple[Order, Theirs]:
    """Return an order that rests, as the book and as the exchange have it."""
    await asked(scene, size, price, TimeInForce.GTC)
    await scene.until(lambda: any(each.acknowledged_ns for each in orders(scene)))
    (order,) = orders(scene)
    return order, theirs(scene, order.client_order_id)


def orders(scene: KalshiScene) -> list[Order]:
    """Return the open orders of the book."""
    return list(scene.assembly.gateway.desk.book.orders.values())


def theirs(scene: KalshiScene, client_order_id: str) -> Theirs:
    """Return an order as the exchange has it."""
    found = scene.exchange.orders.values()
    return next(each for each in found if each.client_order_id == client_order_id)


def result(scene: KalshiScene, request_id: str) -> Result:
    """Return the result of a request as known now."""
    found = scene.assembly.gateway.execution(request_id)
    assert found is not None
    return found.result


async def ended(scene: KalshiScene, order: Order) -> Result:
    """Wait for the end of an order; return its result."""
    await scene.until(lambda: not orders(scene))
    await scene.until(lambda: result(scene, order.request_id).final)
    return result(scene, order.request_id)


def kinds(scene: KalshiScene) -> list[str]:
    """Return the kinds of the open breaks."""
    return sorted(each.kind for each in scene.assembly.gateway.desk.book.breaks.values())


def mute(scene: KalshiScene) -> None:
    """Let the account's own streams lose what they would say."""
    for channel in MUTE:
        scene.server.fault(FaultKind.SEQUENCE_GAP, call=channel, count=1_000)


async def compared(scene: KalshiScene) -> bool:
    """Compare now; tell whether every venue was."""
    task = asyncio.create_task(scene.assembly.gateway.reconcile())
    await scene.until(task.done)
    return (await task).complete


# Changed by hand (A5a, A5b) --------------------------------------------------------------------


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("is_muted", [False, True])
async def test_decreased_by_hand_and_filled(before: int, is_muted: bool) -> None:
    """Five asked, decreased to two, two filled: Partial, ended; the comparison is complete."""
    async with kalshi_stage() as scene:
        order, there = await rested(scene)
        if is_muted:
            mute(scene)
        if before:
            scene.trade(there, before * MICRO)
        scene.exchange.by_hand.decrease(there, (2 - before) * MICRO)
        if not is_muted:
            await scene.until(lambda: order.amended is not None)
            assert kinds(scene) == ["amended_order"]
        scene.trade(there, 5 * MICRO)
        found = await ended(scene, order)
        assert found.status == "Partial"
        assert found.filled_qty == 2
        assert await compared(scene)
        assert kinds(scene) == []
        assert scene.compare().is_agreed


async def test_decreased_to_nothing_is_cancelled() -> None:
    """Nothing of it is left: the venue's word of its end."""
    async with kalshi_stage() as scene:
        order, there = await rested(scene)
        scene.exchange.by_hand.decrease(there, 0)
        assert (await ended(scene, order)).status == "Cancelled"


@pytest.mark.parametrize("is_muted", [False, True])
async def test_amended_by_hand_is_a_break_and_counts_by_the_worse(is_muted: bool) -> None:
    """2 at 0.30 becomes 10 at 0.39: the worst case is 3.90, and the break names the difference."""
    async with kalshi_stage() as scene:
        order, there = await rested(scene, "2")
        book = scene.assembly.gateway.desk.book
        assert book.total_worst == 600_000
        if is_muted:
            mute(scene)
        scene.exchange.by_hand.amend(there, 10 * MICRO, 39 * CENT)
        if is_muted:
            assert await compared(scene)
        await scene.until(lambda: book.total_worst == 3_900_000)
        (found,) = book.breaks.values()
        assert (found.kind, found.expected) == ("amended_order", "2 at 0.3")
        assert found.observed == "10 at 0.39"
        scene.trade(there, 10 * MICRO)
        assert (await ended(scene, order)).filled_qty == 10
        assert await compared(scene)
        assert kinds(scene) == []
        assert scene.compare().is_agreed


@pytest.mark.parametrize("end", ["cancelled", "not_sent"])
async def test_an_order_that_its_venue_shows_no_more_is_ended_by_word(end: End) -> None:
    """Gone from every list: an operator ends it, as cancelled, since the venue had it."""
    async with kalshi_stage() as scene:
        order, there = await rested(scene)
        mute(scene)
        scene.exchange.by_hand.decrease(there, 0)
        resolve = scene.assembly.gateway.resolve_order
        work = resolve(order.client_order_id, end=end, reason="gone", actor="ann")
        task = asyncio.create_task(work)
        await scene.until(task.done)
        if end == "cancelled" or not orders(scene):
            assert orders(scene) == []
        else:
            assert task.exception() is not None


# Disputed (A5c) --------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "price"), [(9_000, 90), (6, 40), (5, 41)])
async def test_a_fill_that_contradicts_its_order_is_not_booked(count: int, price: int) -> None:
    """More than remains, or worse than the limit: a break; the order goes on as it is."""
    async with kalshi_stage() as scene:
        order, there = await rested(scene, "5", "0.35")
        scene.exchange.by_hand.invent(there, count * MICRO, price * CENT)
        await scene.until(lambda: kinds(scene))
        book = scene.assembly.gateway.desk.book
        assert kinds(scene) == ["contradictory_fill"]
        assert (order.status, order.filled) == (OrderStatus.WORKING, 0)
        assert (book.realized, book.markets[MARKET].yes.quantity) == (0, 0)
        scene.trade(there, 5 * MICRO)
        assert (await ended(scene, order)).filled_qty == 5
        assert scene.compare().is_agreed


async def test_an_invented_fill_on_the_lists_keeps_no_order_open() -> None:
    """The row says cancelled with nothing filled, and so does the book: that is its end."""
    async with kalshi_stage() as scene:
        order, there = await rested(scene)
        mute(scene)
        scene.exchange.by_hand.invent(there, 9_000 * MICRO, 90 * CENT, is_listed=True)
        scene.exchange.by_hand.decrease(there, 0)
        found = await ended(scene, order)
        assert found.status == "Cancelled"
        assert found.filled_qty == 0
        assert kinds(scene) == ["contradictory_fill"]


async def test_the_same_execution_under_a_second_trade_id() -> None:
    """It counts once."""
    async with kalshi_stage() as scene:
        order, there = await rested(scene)
        scene.trade(there, 5 * MICRO)
        await ended(scene, order)
        scene.exchange.by_hand.repeat(there)
        await scene.until(lambda: kinds(scene))
        assert kinds(scene) == ["contradictory_fill"]
        assert result(scene, order.request_id).filled_qty == 5
        assert scene.assembly.gateway.desk.book.markets[MARKET].yes.quantity == 5 * MICRO


# Answers (A5d, A5e, A11) -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "counts", [("0.00", "0.00"), ("0.00", "4.00"), ("9.00", "0.00"), ("5.00", "5.00")]
)
async def test_an_answer_that_does_not_add_up_proves_nothing(counts: tuple[str, str]) -> None:
    """Looked up: it rests, whatever the answer said."""
    async with kalshi_stage() as scene:
        edits = {"fill_count": counts[0], "remaining_count": counts[1]}
        scene.server.fault(FaultKind.EDITED, edits=edits)
        order, there = await rested(scene)
        assert (order.status, there.status) == (OrderStatus.WORKING, Status.RESTING)
        assert not result(scene, order.request_id).final
        assert await compared(scene)
        assert scene.compare().is_agreed


@pytest.mark.parametrize("word", ["permission_denied", "something_new"])
@pytest.mark.parametrize("is_muted", [False, True])
async def test_taken_and_answered_as_a_refusal(word: str, is_muted: bool) -> None:
    """Shown by the stream, or found by the look of a halt: ours, counted, cancelled by the halt."""
    async with kalshi_stage() as scene:
        if is_muted:
            mute(scene)
        scene.server.fault(FaultKind.ANSWERED_INSTEAD, status=403, word=word)
        answer = await asked(scene, "50", "0.30", TimeInForce.GTC)
        name = answer.client_order_id or ""
        await scene.pass_time(1)
        book = scene.assembly.gateway.desk.book
        if is_muted:
            assert (answer.status, book.total_worst) == ("Rejected", 0)
        else:
            await scene.until(lambda: book.total_worst == 15_000_000)
            assert kinds(scene) == ["reopened_order"]
        gateway = scene.assembly.gateway
        reply = await gateway.kill_switch(
            "ENABLE", scope=f"market:{MARKET}", reason="stop", source="http", actor="ann"
        )

        def is_complete() -> bool:
            receipt = gateway.receipt(reply.receipt_id or "")
            return receipt is not None and receipt.complete

        await scene.until(is_complete)
        assert theirs(scene, name).status is Status.CANCELED
        found = result(scene, answer.request_id)
        assert (found.status, found.final) == ("Cancelled", True)
        assert found.corrects
        assert await compared(scene)
        assert kinds(scene) == []


async def test_taken_refused_and_found_by_a_comparison() -> None:
    """Streams said nothing: the venue's own list is enough, also after a restart."""
    async with kalshi_stage() as scene:
        mute(scene)
        scene.server.fault(FaultKind.ANSWERED_INSTEAD, status=403)
        answer = await asked(scene, "5", "0.30", TimeInForce.GTC)
        await scene.restart()
        await scene.until(lambda: orders(scene))
        (order,) = orders(scene)
        assert (order.client_order_id, order.remaining) == (answer.client_order_id, 5 * MICRO)
        assert scene.assembly.gateway.desk.book.total_worst == 1_500_000
        assert kinds(scene) == ["reopened_order"]


@pytest.mark.parametrize(
    ("status", "word"),
    [(400, "market_already_closed"), (404, "POST_ONLY_CROSS"), (400, "SelfCrossAttempt")],
)
async def test_a_documented_refusal_freezes_nothing(status: int, word: str) -> None:
    """Rejected at once; the next order in the market is decided and sent."""
    async with kalshi_stage() as scene:
        scene.server.fault(FaultKind.ANSWERED_ONLY, status=status, word=word)
        refused = await asked(scene, "5", "0.40", TimeInForce.IOC)
        assert (refused.status, refused.venue_code) == ("Rejected", word)
        after = await asked(scene, "5", "0.40", TimeInForce.IOC)
        await scene.until(lambda: result(scene, after.request_id).status == "Filled")


@pytest.mark.parametrize(("status", "word"), [(409, "reduce_only"), (400, "exchange_unavailable")])
async def test_a_refusal_that_proves_nothing_is_looked_up(status: int, word: str) -> None:
    """It may have been applied: and here it was."""
    async with kalshi_stage() as scene:
        scene.server.fault(FaultKind.ANSWERED_INSTEAD, status=status, word=word)
        order, _ = await rested(scene)
        assert order.status is OrderStatus.WORKING
        assert not result(scene, order.request_id).final


@pytest.mark.parametrize("is_listed", [False, True])
async def test_a_comparison_goes_on_beside_a_disputed_fill(is_listed: bool) -> None:
    """It is complete; what the lists do not have ends by it, what they have stays a break."""
    async with kalshi_stage() as scene:
        _, there = await rested(scene)
        scene.exchange.by_hand.invent(there, 9_000 * MICRO, 90 * CENT, is_listed=is_listed)
        await scene.until(lambda: kinds(scene) == ["contradictory_fill"])
        assert await compared(scene)
        assert ("contradictory_fill" in kinds(scene)) is is_listed
        assert "position" not in kinds(scene)


async def test_a_fill_that_listing_and_cash_agree_with_counts() -> None:
    """Amended there unseen, and filled at once: what was disputed is booked, to the last dollar."""
    async with kalshi_stage() as scene:
        order, there = await rested(scene)
        assert await compared(scene)
        mute(scene)
        scene.exchange.by_hand.amend(there, 8 * MICRO, 35 * CENT)
        scene.trade(there, 8 * MICRO)
        await scene.until(lambda: kinds(scene) == ["contradictory_fill"])
        assert scene.assembly.gateway.desk.book.markets[MARKET].yes.quantity == 0
        assert await compared(scene)
        assert (await ended(scene, order)).filled_qty == 8
        assert kinds(scene) == []
        assert scene.compare().is_agreed


@pytest.mark.parametrize("parts", [(10,), (4, 6), (1, 4, 5)])
async def test_amended_up_and_filled_in_parts_unseen(parts: tuple[int, ...]) -> None:
    """Nobody told of the change: the fills count together once listing and cash agree."""
    async with kalshi_stage() as scene:
        order, there = await rested(scene, "2")
        gateway = scene.assembly.gateway
        await gateway.reconcile()
        for channel in MUTE:
            scene.server.fault(FaultKind.SEQUENCE_GAP, call=channel, count=20)
        scene.exchange.by_hand.amend(there, 10 * MICRO, 39 * CENT)
        for part in parts:
            scene.exchange.by_hand.trade(there, part * MICRO)
        book = gateway.desk.book
        for _ in range(3):
            await gateway.reconcile()
            await scene.settled()
            await scene.pass_time(5)
        await scene.until(lambda: not orders(scene))
        assert book.markets[MARKET].yes.quantity == 10 * MICRO
        assert kinds(scene) == []
        assert (await ended(scene, order)).filled_qty == 10
