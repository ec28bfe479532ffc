"""Orders at the simulated exchange: at most once, by evidence, whatever goes wrong in between."""

import asyncio

import pytest

from arbees.core.deciding.outcomes import (
    Accepted,
    Filled,
    Found,
    Gated,
    Inconclusive,
    NotSent,
    OrderClosed,
    Refusal,
    Refused,
    Unknown,
)
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Action, Side, TimeInForce
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import Status
from arbees.venues.kalshi.orders.orders import ABSENT_AFTER_NS
from tests.venues.kalshi.rig import TICKER, Rig, rig

LONG_AGO_NS = ABSENT_AFTER_NS + 5 * NS_PER_SECOND


def placed(made: Rig) -> list[str]:
    """Return the client order ids of all that the exchange took."""
    return [order.client_order_id for order in made.exchange.orders.values()]


# What is sent ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "action", "cents", "is_bid", "yes_cents"),
    [
        (Side.YES, Action.BUY, 40, True, 40),
        (Side.YES, Action.SELL, 38, False, 38),
        (Side.NO, Action.BUY, 62, False, 38),
        (Side.NO, Action.SELL, 60, True, 40),
    ],
)
async def test_all_four_ways_stand_in_one_book(
    side: Side, action: Action, cents: int, yes_cents: int, *, is_bid: bool
) -> None:
    """Buy and Sell of either side are a bid or an ask at the price of Yes."""
    async with rig() as made:
        answer = await made.send(made.order(side, cents, 5, TimeInForce.GTC, action))
        assert isinstance(answer, Accepted)
        (order,) = made.exchange.orders.values()
        assert (order.is_bid, order.price, order.count) == (is_bid, yes_cents * 10_000, 5 * MICRO)
        assert order.client_order_id == "arb-1"


async def test_resting_orders_carry_the_venues_own_backstops() -> None:
    """A resting order is cancelled by a pause and by its group; a Sell now never opens."""
    async with rig() as made:
        await made.data.metadata([TICKER])
        await made.send(made.order(cents=20, time_in_force=TimeInForce.GTC))
        await made.send(made.order(Side.YES, 30, 3, TimeInForce.IOC, Action.SELL))
        resting, sold = made.exchange.orders.values()
        assert resting.cancels_on_pause
        assert resting.group_id in made.exchange.groups
        assert (sold.reduce_only, sold.filled, sold.status) == (True, 0, Status.CANCELED)


async def test_an_expiry_is_told_in_whole_seconds_and_never_later() -> None:
    """GTD ends at the venue at the second before its moment at the latest."""
    async with rig() as made:
        soon = made.clock.now_ns() + 90 * NS_PER_SECOND + 700_000_000
        order = made.order(cents=20, time_in_force=TimeInForce.GTD, expires_ns=soon)
        await made.send(order)
        (taken,) = made.exchange.orders.values()
        assert taken.expires_ns is not None
        assert soon - NS_PER_SECOND < taken.expires_ns <= soon


async def test_what_expires_within_the_second_is_not_sent() -> None:
    """An expiry that the venue cannot be told in time is not sent at all."""
    async with rig() as made:
        now_ns = made.clock.now_ns()
        order = made.order(time_in_force=TimeInForce.GTD, expires_ns=now_ns)
        assert isinstance(await made.send(order), NotSent)
        assert placed(made) == []


async def test_a_quantity_that_kalshi_has_no_words_for_is_not_sent() -> None:
    """Three decimals of a contract cannot be said there."""
    async with rig() as made:
        order = made.order()
        order.quantity = 1_001_000
        answer = await made.send(order)
        assert isinstance(answer, NotSent)
        assert "at most 2 decimals" in answer.message


# The gate --------------------------------------------------------------------------------------


async def test_a_gate_that_refuses_lets_no_byte_out() -> None:
    """The gate's word is the answer, and the exchange heard nothing."""
    async with rig() as made:
        answer = await made.venue.submit(
            made.order(), lambda: Refusal(code="HALTED", message="stop")
        )
        assert answer == Gated(code="HALTED", message="stop")
        await asyncio.sleep(0.02)
        assert placed(made) == []


async def test_nothing_happens_between_the_gate_and_the_write() -> None:
    """From the gate to the transport's write no other task has a turn of the loop."""
    async with rig() as made:
        await made.send(made.order())  # the connection is there
        turns = asked = written = 0
        running = True

        async def spin() -> None:
            nonlocal turns
            while running:
                turns += 1
                await asyncio.sleep(0)

        def gate() -> None:
            nonlocal asked
            asked = turns

        held = made.venue._wire._idle[-1]
        transport = held._transport
        assert transport is not None
        original = transport.write

        def write(data: bytes) -> None:
            nonlocal written
            written = turns
            original(data)

        class Spy:
            def __getattr__(self, name: str) -> object:
                return write if name == "write" else getattr(transport, name)

        held._transport = Spy()  # type: ignore[assignment]
        spinner = asyncio.create_task(spin())
        await asyncio.sleep(0)  # it runs; with a signature ready the order itself waits for nothing
        answer = await made.venue.submit(made.order(), gate)
        running = False
        await spinner
        assert isinstance(answer, Accepted)
        assert asked == written > 0


async def test_a_signature_that_grew_old_is_not_used() -> None:
    """A clock that jumps between signature and write: nothing leaves."""
    async with rig() as made:

        def gate() -> None:
            made.clock.shift_ns += 60 * NS_PER_SECOND

        answer = await made.venue.submit(made.order(), gate)
        assert isinstance(answer, NotSent)
        assert placed(made) == []


async def test_without_the_venues_time_nothing_leaves() -> None:
    """An offset that is not known any more, or too large, keeps every order here."""
    async with rig() as made:
        made.clock.shift_ns += 400 * NS_PER_SECOND
        answer = await made.send(made.order())
        assert isinstance(answer, NotSent)
        assert "clock" in answer.message


async def test_an_order_beyond_the_rate_budget_is_not_sent() -> None:
    """Beyond what the venue takes an order is not sent, and the reserve stays for cancels."""
    async with rig() as made:
        budget = made.venue.api.budget
        budget.exceeded("POST", made.clock.now_ns())
        budget.write.rate = 1.0
        answer = await made.send(made.order())
        assert isinstance(answer, NotSent)
        assert "rate budget" in answer.message
        assert made.server.rest.over_limit == 0


# Answers ---------------------------------------------------------------------------------------


async def test_a_fill_is_told_by_the_stream_with_its_fee() -> None:
    """What filled comes with trade, price of Yes, quantity and the fee that the balance paid."""
    async with rig() as made:
        answer = await made.send(made.order(contracts=10))
        assert isinstance(answer, Accepted)
        kinds = {Filled, OrderClosed}
        await made.until(lambda: kinds <= {type(each) for each in made.reports})
        filled = [each.fill for each in made.reports if isinstance(each, Filled)]
        assert [(each.quantity, each.price, each.is_of_yes) for each in filled] == [
            (10 * MICRO, 400_000, True)
        ]
        assert filled[0].fee == 168_000
        ended = [each for each in made.reports if isinstance(each, OrderClosed)]
        assert [(each.closed, each.filled) for each in ended] == [("filled", 10 * MICRO)]


@pytest.mark.parametrize(
    ("kind", "was_taken"),
    [
        (FaultKind.LOST_BEFORE, False),
        (FaultKind.LOST_AFTER, True),
        (FaultKind.RESET, True),
        (FaultKind.ERROR_BEFORE, False),
        (FaultKind.ERROR_AFTER, True),
        (FaultKind.EMPTY_SUCCESS, True),
    ],
)
async def test_a_lost_answer_is_unknown_and_found_out(kind: FaultKind, *, was_taken: bool) -> None:
    """Whether it was taken or not, nobody can tell from the answer; the lookup can."""
    async with rig() as made:
        made.server.fault(kind)
        order = made.order(contracts=3)
        answer = await made.send(order)
        assert isinstance(answer, Unknown)
        found = await made.venue.find(order.client_order_id, TICKER, answer.sent_ns)
        if was_taken:
            assert isinstance(found, Found)
            assert found.closed == "filled"
            assert sum(each.quantity for each in found.fills) == 3 * MICRO
        else:
            assert isinstance(found, Inconclusive)
            assert "may still take the bytes" in found.message
        assert placed(made) == ([order.client_order_id] if was_taken else [])
        assert made.server.faults.happened == {kind: 1}


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FaultKind.RATE_LIMITED, "too_many_requests"),
        (FaultKind.TRADING_PAUSE, "trading_is_paused"),
        (FaultKind.EXCHANGE_PAUSE, "exchange_is_paused"),
    ],
)
async def test_a_venue_that_takes_nothing_now_refuses_for_its_health(
    kind: FaultKind, code: str
) -> None:
    """429 and pauses: not placed, and an alternate may be tried."""
    async with rig() as made:
        made.server.fault(kind)
        answer = await made.send(made.order())
        assert isinstance(answer, Refused)
        assert (answer.venue_code, answer.is_health) == (code, True)
        assert placed(made) == []


async def test_a_second_send_of_an_id_is_unknown_not_a_refusal() -> None:
    """`order_already_exists` means that an earlier send landed."""
    async with rig() as made:
        order = made.order(cents=20, time_in_force=TimeInForce.GTC)
        await made.send(order)
        assert isinstance(await made.send(order), Unknown)
        assert len(placed(made)) == 1


async def test_a_killed_order_is_a_kill() -> None:
    """A FOK that cannot fill whole is told by a 409 that proves it."""
    async with rig() as made:
        answer = await made.send(made.order(contracts=500, time_in_force=TimeInForce.FOK))
        assert isinstance(answer, Refused)
        assert answer.is_kill


@pytest.mark.parametrize(
    ("cents", "contracts", "code"),
    [(40, 100_000, "insufficient_balance"), (0, 5, "invalid_price")],
)
async def test_refusals_of_the_order_itself(cents: int, contracts: int, code: str) -> None:
    """What the venue finds wrong with an order is its refusal."""
    async with rig() as made:
        order = made.order(cents=cents or 40, contracts=contracts)
        if not cents:
            order.limit_price = 405_000
        answer = await made.send(order)
        assert isinstance(answer, Refused)
        assert (answer.venue_code, answer.is_health) == (code, False)
