"""The cards: what a venue promises, one card a promise, in the order in which they are printed.

Guarantees that a card fails on a venue that lies in it: each has its liar in the tests. A card
returns what the table of capabilities says of the venue: `yes`, or what is so in its place.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec

from arbees.core.deciding.outcomes import (
    CancelAccepted,
    CancelMissed,
    CancelUnknown,
    Found,
    Gated,
    Inconclusive,
    Missing,
    NotSent,
    OrderClosed,
    Refusal,
    Refused,
    Settled,
    StreamChanged,
    Unknown,
    VenueOrder,
    WorkingOrder,
)
from arbees.core.language.payouts import NO_WON, YES_WON, Payouts
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Side, TimeInForce
from arbees.core.ports import CancelsMany
from arbees.errors import VenueError
from verification.conformance.bench import CENT, CardFailure, ConformanceBench, Trouble, expect

YES = "yes"
TEN = 10 * MICRO
SPLIT = Payouts(MICRO // 2, MICRO // 2)
HIDDEN_SECONDS = 20
"""How long a bench hides an order from reads."""

Play = Callable[[ConformanceBench], Coroutine[Any, Any, str]]


class Card(msgspec.Struct, frozen=True):
    """One promise."""

    number: int
    name: str
    promise: str
    """The first line of its text."""
    play: Play


CARDS: dict[str, Card] = {}


def _card(play: Play) -> Play:
    name = play.__name__
    text = (play.__doc__ or "").strip().splitlines()[0]
    CARDS[name] = Card(len(CARDS) + 1, name, text, play)
    return play


async def _listed(bench: ConformanceBench, name: str) -> VenueOrder | None:
    rows = await bench.venue.open_orders()
    found = [row for row in rows if row.client_order_id == name]
    expect("an order is listed once", len(found) <= 1, found)
    return found[0] if found else None


async def _in_list(bench: ConformanceBench, name: str) -> VenueOrder:
    return await bench.until(f"{name} among the open orders", lambda: _listed(bench, name))


async def _gone(bench: ConformanceBench, name: str) -> None:
    async def look() -> bool:
        return await _listed(bench, name) is None

    await bench.until(f"{name} to leave the open orders", look)


async def _found(bench: ConformanceBench, name: str, sent_ns: int) -> Found:
    async def look() -> Found | None:
        try:
            found = await bench.venue.find(name, bench.market_id, sent_ns)
        except VenueError:
            return None
        expect("what is there is never missing", not isinstance(found, Missing), found)
        return found if isinstance(found, Found) else None

    return await bench.until(f"{name} to be found", look)


async def _nothing_there(bench: ConformanceBench, name: str) -> None:
    expect("nothing of it works", await _listed(bench, name) is None)
    expect("nothing of it filled", await bench.held() == {}, await bench.held())


# Orders ------------------------------------------------------------------------------------------


@_card
async def create(bench: ConformanceBench) -> str:
    """An order that is taken has the venue's id, and is listed as it was sent."""
    await bench.show(38, 42, 100)
    order = bench.order(10, 40)
    outcome = await bench.accepted(order)
    expect("it works on", outcome.closed is None and not outcome.fills, outcome)
    row = await _in_list(bench, order.client_order_id)
    terms = (row.platform, row.market_id, row.quantity, row.filled)
    expect("the list has its terms", terms == (bench.platform, bench.market_id, TEN, 0), row)
    bought = {(Side.YES, 40 * CENT), (Side.NO, 60 * CENT)}
    expect("and its price", (row.side, row.limit_price) in bought, row)
    expect("and the id of the answer", row.venue_order_id == outcome.venue_order_id, row)
    found = await _found(bench, order.client_order_id, outcome.time_ns)
    expect("so has the lookup", found.venue_order_id == outcome.venue_order_id, found)
    return YES


@_card
async def twice(bench: ConformanceBench) -> str:
    """The same client order id sent twice is one order."""
    await bench.show(38, 42, 100)
    order = bench.order(10, 40)
    await bench.accepted(order)
    await bench.send(bench.order(10, 40, name=order.client_order_id))
    await _in_list(bench, order.client_order_id)
    rows = await bench.venue.open_orders()
    expect("one order works", len(rows) == 1, rows)
    return YES


@_card
async def gate(bench: ConformanceBench) -> str:
    """What the gate refuses leaves no byte."""
    await bench.show(38, 42, 100)
    order = bench.order(10, 42)
    outcome = await bench.venue.submit(order, lambda: Refusal(code="HALTED", message="halted"))
    expect("it is Gated, with the gate's words", outcome == Gated(code="HALTED", message="halted"))
    await bench.pass_time(2)
    await _nothing_there(bench, order.client_order_id)
    return YES


@_card
async def ioc(bench: ConformanceBench) -> str:
    """IOC takes what is there at the limit or better; nothing of it rests."""
    await bench.show(38, 42, 10)
    order = bench.order(15, 43, TimeInForce.IOC)
    outcome = await bench.accepted(order)
    await bench.until_told(
        "fills of ten contracts",
        lambda: sum(f.quantity for f in bench.told(outcome, order.client_order_id).values()) == TEN,
    )
    fills = bench.told(outcome, order.client_order_id).values()
    expect("each at the book's price", {fill.price for fill in fills} == {42 * CENT}, fills)
    expect("ours took", not any(fill.is_maker for fill in fills), fills)
    await _gone(bench, order.client_order_id)
    expect("what is held is what filled", await bench.held() == {Side.YES: TEN})
    return YES


@_card
async def fok(bench: ConformanceBench) -> str:
    """FOK fills whole, or is killed with nothing filled."""
    await bench.show(38, 42, 10)
    order = bench.order(15, 42, TimeInForce.FOK)
    killed = await bench.send(order)
    is_killed = getattr(killed, "is_kill", False) or getattr(killed, "closed", None) == "killed"
    expect("it is killed", is_killed and not getattr(killed, "fills", ()), killed)
    await _nothing_there(bench, order.client_order_id)
    order = bench.order(10, 42, TimeInForce.FOK)
    outcome = await bench.accepted(order)
    await bench.until_told(
        "all of it filled",
        lambda: sum(f.quantity for f in bench.told(outcome, order.client_order_id).values()) == TEN,
    )
    return YES


@_card
async def gtc(bench: ConformanceBench) -> str:
    """GTC rests until somebody takes it: a maker's fill at its own price."""
    await bench.show(38, 42, 100)
    order = bench.order(10, 40)
    outcome = await bench.accepted(order)
    await bench.pass_time(5)
    expect("it rests", await _listed(bench, order.client_order_id) is not None)
    await bench.show(37, 40, 10)
    name = order.client_order_id
    await bench.until_told("its fill on the stream", lambda: bench.told(outcome, name))
    fills = bench.told(outcome, name).values()
    expect("it is a maker's", all(fill.is_maker for fill in fills), fills)
    expect("at its own price or better", all(f.price <= 40 * CENT for f in fills), fills)
    expect("all of it", sum(fill.quantity for fill in fills) == TEN, fills)
    await _gone(bench, name)
    return YES


@_card
async def gtd(bench: ConformanceBench) -> str:
    """GTD rests until its time, and no longer."""
    await bench.show(38, 42, 100)
    first = await bench.accepted(bench.order(1, 39))
    order = bench.order(10, 40, TimeInForce.GTD, expires_ns=first.time_ns + 90 * NS_PER_SECOND)
    outcome = await bench.accepted(order)
    await _in_list(bench, order.client_order_id)
    await bench.pass_time(95)
    await _gone(bench, order.client_order_id)
    found = await _found(bench, order.client_order_id, outcome.time_ns)
    expect("it is found as ended", found.closed in {"expired", "cancelled"}, found)
    expect("nothing of it filled", not found.fills and await bench.held() == {}, found)
    return YES if found.closed == "expired" else "its end reads as a cancel"


@_card
async def partial(bench: ConformanceBench) -> str:
    """Part of an order fills, the rest rests: the list and the fills add up."""
    await bench.show(38, 42, 4)
    order = bench.order(10, 42)
    outcome = await bench.accepted(order)
    row = await _in_list(bench, order.client_order_id)
    expect("the list has both", (row.quantity, row.filled) == (TEN, 4 * MICRO), row)
    name = order.client_order_id
    await bench.until_told("its fill", lambda: bench.told(outcome, name))
    expect(
        "the fills are what filled",
        sum(each.quantity for each in bench.told(outcome, name).values()) == 4 * MICRO,
    )
    expect("and so is what is held", await bench.held() == {Side.YES: 4 * MICRO})
    return YES


# Ending them -------------------------------------------------------------------------------------


@_card
async def cancel(bench: ConformanceBench) -> str:
    """A cancel says how much it ended, and a second one that there is nothing left."""
    await bench.show(38, 42, 4)
    order = bench.order(10, 42)
    outcome = await bench.accepted(order)
    await _in_list(bench, order.client_order_id)
    name, order_id = order.client_order_id, outcome.venue_order_id
    answer = await bench.venue.cancel(name, order_id, bench.market_id)
    expect("it is accepted", isinstance(answer, CancelAccepted), answer)
    expect("for what rested", getattr(answer, "quantity", None) == 6 * MICRO, answer)
    await _gone(bench, name)
    again = await bench.venue.cancel(name, order_id, bench.market_id)
    expect("again there is nothing", isinstance(again, CancelMissed), again)
    await bench.until_told("its end on the stream", lambda: _ends(bench, name))
    found = await _found(bench, name, outcome.time_ns)
    expect("it is found as cancelled", found.closed == "cancelled", found)
    return YES


def _ends(bench: ConformanceBench, name: str) -> list[OrderClosed]:
    return [
        each
        for each in bench.reports
        if isinstance(each, OrderClosed) and each.client_order_id == name
    ]


@_card
async def cancel_many(bench: ConformanceBench) -> str:
    """Many cancels in one call: each order has its own outcome, also one that is gone."""
    venue = bench.venue
    if not isinstance(venue, CancelsMany):
        return "one by one"
    await bench.show(38, 42, 100)
    orders = [bench.order(10, 40 - number) for number in range(3)]
    outcomes = [await bench.accepted(order) for order in orders]
    await _in_list(bench, orders[-1].client_order_id)
    await venue.cancel(orders[0].client_order_id, outcomes[0].venue_order_id, bench.market_id)
    named = [
        WorkingOrder(
            client_order_id=order.client_order_id,
            venue_order_id=outcome.venue_order_id,
            market_id=bench.market_id,
        )
        for order, outcome in zip(orders, outcomes, strict=True)
    ]
    answers = await venue.cancel_many(named)
    kinds = [type(answers.get(order.client_order_id)) for order in orders]
    expect("each has its own", kinds == [CancelMissed, CancelAccepted, CancelAccepted], answers)
    for order in orders:
        await _gone(bench, order.client_order_id)
    return YES


# Doubt -------------------------------------------------------------------------------------------


@_card
async def lost_answer(bench: ConformanceBench) -> str:
    """A taken order whose answer is lost is Unknown, and found: never refused, never missing."""
    await bench.show(38, 42, 100)
    await bench.trouble(Trouble.LOST_AFTER)
    order = bench.order(10, 40)
    outcome = await bench.send(order)
    expect("nothing is concluded", isinstance(outcome, Unknown), outcome)
    assert isinstance(outcome, Unknown)
    found = await _found(bench, order.client_order_id, outcome.sent_ns)
    expect("it works", found.closed is None and found.venue_order_id, found)
    return YES


@_card
async def absence(bench: ConformanceBench) -> str:
    """An order that never arrived is missing with evidence, and not before there is any."""
    await bench.show(38, 42, 100)
    await bench.trouble(Trouble.LOST_BEFORE)
    order = bench.order(10, 42)
    outcome = await bench.send(order)
    expect("nothing is concluded", isinstance(outcome, Unknown), outcome)
    assert isinstance(outcome, Unknown)
    await bench.heal()

    async def look() -> Missing | None:
        try:
            found = await bench.venue.find(order.client_order_id, bench.market_id, outcome.sent_ns)
        except VenueError:
            return None
        expect("what is not there is not found", not isinstance(found, Found), found)
        return found if isinstance(found, Missing) else None

    missing = await bench.until("its absence to be proven", look)
    expect("the evidence is named", len(missing.evidence) >= 3, missing)
    await _nothing_there(bench, order.client_order_id)
    return YES


@_card
async def late_presence(bench: ConformanceBench) -> str:
    """An order that reads do not show yet is never missing; it is found when they show it."""
    await bench.show(38, 42, 100)
    if not await bench.trouble(Trouble.HIDDEN):
        return "its reads never lag"
    order = bench.order(10, 40)
    outcome = await bench.send(order)
    expect("nothing is concluded", isinstance(outcome, Unknown), outcome)
    assert isinstance(outcome, Unknown)
    found = await _found(bench, order.client_order_id, outcome.sent_ns)
    expect("it works", found.closed is None and found.venue_order_id, found)
    return YES


# Books of the account ----------------------------------------------------------------------------


@_card
async def fills(bench: ConformanceBench) -> str:
    """The list of fills has each execution once, as the stream told it, with its fee."""
    await bench.show(38, 42, 10)
    cash = await bench.cash()
    order = bench.order(10, 42, TimeInForce.IOC)
    outcome = await bench.accepted(order)
    name = order.client_order_id
    await bench.until_told("its fill", lambda: bench.told(outcome, name))

    async def look() -> list[tuple[str, int, int]]:
        rows = await bench.venue.fills(outcome.time_ns - 60 * NS_PER_SECOND)
        return sorted((row.trade_id, row.quantity, row.fee) for row in rows)

    listed = await bench.until("the fill in the list", look)
    told = sorted((f.trade_id, f.quantity, f.fee) for f in bench.told(outcome, name).values())
    expect("the list is what was told", listed == told, (listed, told))

    async def paid() -> bool:
        told = bench.told(outcome, name).values()
        cost = sum(mul_price(fill.price, fill.quantity) + fill.fee for fill in told)
        return cash - await bench.cash() == cost

    await bench.until("cash to fall by cost and fee", paid)
    return YES


def mul_price(price: int, quantity: int) -> int:
    """Return the dollars of contracts, in micro-dollars, both in millionths."""
    return price * quantity // MICRO


@_card
async def balances(bench: ConformanceBench) -> str:
    """Each pool tells what is available and as of when; what rests is held back."""
    await bench.show(38, 42, 100)
    pools = await bench.venue.balances()
    names = [each.pool for each in pools]
    expect("each pool once, by its venue", len(set(names)) == len(names) > 0, names)
    expect("of this venue", all(each.platform is bench.platform for each in pools), pools)
    total = sum(each.available for each in pools)
    expect("all of the cash", total == bench.starting_cash, (total, bench.starting_cash))
    await bench.accepted(bench.order(10, 40))

    async def look() -> bool:
        return bench.starting_cash - await bench.cash() >= mul_price(40 * CENT, TEN)

    await bench.until("what rests to be held back", look)
    later = await bench.venue.balances()
    marks = [(a.as_of_ns, b.as_of_ns) for a, b in zip(pools, later, strict=True)]
    expect("its mark moves on", all(one <= two for one, two in marks), marks)
    return YES if len(pools) == 1 else f"{len(pools)} pools"


@_card
async def settlement(bench: ConformanceBench) -> str:
    """A settled market pays each contract what its result says, and says so when asked."""
    await bench.show(38, 42, 10)
    order = bench.order(10, 42, TimeInForce.IOC)
    outcome = await bench.accepted(order)
    await bench.until_told("its fill", lambda: bench.told(outcome, order.client_order_id))
    cash = await bench.cash()
    can_split = await bench.settle(SPLIT)
    payouts = SPLIT if can_split else YES_WON
    if not can_split:
        await bench.settle(YES_WON)
    said = await bench.until("the result", lambda: _result(bench))
    expect("it says what is paid", said.payouts == payouts, said)

    async def paid() -> bool:
        return await bench.cash() - cash == mul_price(payouts.yes, TEN)

    await bench.until("the payout in cash", paid)
    expect("nothing is held any more", await bench.held() == {})
    return YES if can_split else "whole dollars alone"


async def _result(bench: ConformanceBench) -> Settled | None:
    rows = await bench.venue.results([bench.market_id])
    return rows[0] if rows else None


@_card
async def corrections(bench: ConformanceBench) -> str:
    """A result that the venue amends is told as amended."""
    await bench.show(38, 42, 10)
    await bench.settle(YES_WON)
    await bench.until("the result", lambda: _result(bench))
    if not await bench.settle(NO_WON):
        return "a result is for ever"

    async def look() -> bool:
        said = await _result(bench)
        return said is not None and said.payouts == NO_WON

    await bench.until("the amended result", look)
    return YES


# Bad days ----------------------------------------------------------------------------------------


@_card
async def failing_reads(bench: ConformanceBench) -> str:
    """A venue that does not answer is an error of each read, never an empty list or an outcome."""
    await bench.show(38, 42, 100)
    order = bench.order(10, 40)
    outcome = await bench.accepted(order)
    await bench.trouble(Trouble.UNREACHABLE)
    venue = bench.venue
    reads: tuple[Callable[[], Awaitable[object]], ...] = (
        venue.open_orders,
        venue.positions,
        venue.balances,
        lambda: venue.placed(0),
        lambda: venue.fills(0),
        lambda: venue.results([bench.market_id]),
    )
    for read in reads:
        try:
            came = await read()
        except VenueError:
            continue
        raise CardFailure(f"Expected VenueError of a read without an answer, was {came!r}")
    try:
        found = await venue.find(order.client_order_id, bench.market_id, outcome.time_ns)
    except VenueError:
        pass
    else:
        expect("a lookup concludes nothing", isinstance(found, Inconclusive), found)
    answer = await venue.cancel(order.client_order_id, outcome.venue_order_id, bench.market_id)
    expect("a cancel concludes nothing", isinstance(answer, CancelUnknown), answer)
    sent = await bench.send(bench.order(10, 40))
    expect("an order is not taken", isinstance(sent, NotSent | Unknown), sent)
    await bench.heal()
    await _in_list(bench, order.client_order_id)
    return YES


@_card
async def deaf_stream(bench: ConformanceBench) -> str:
    """What the stream does not tell is found by reads; a stream that ended is said to have."""
    await bench.show(38, 42, 100)
    order = bench.order(10, 40)
    outcome = await bench.accepted(order)
    await bench.trouble(Trouble.DEAF)
    await bench.show(37, 40, 10)
    await _gone(bench, order.client_order_id)
    found = await _found(bench, order.client_order_id, outcome.time_ns)
    expect("it is found as filled", found.closed == "filled", found)
    expect("with its fills", sum(fill.quantity for fill in found.fills) == TEN, found)
    changes = [each for each in bench.reports if isinstance(each, StreamChanged)]
    said = [each.is_live for each in changes if not each.is_live] or bench.venue.vitals.is_blind
    if not said:
        return "reports are lost one by one"
    await bench.heal()

    async def look() -> bool:
        return not bench.venue.vitals.is_blind

    await bench.until("the stream to be back", look)
    return YES


@_card
async def rates(bench: ConformanceBench) -> str:
    """A call too many leaves no order; after a pause orders are taken again."""
    await bench.show(38, 42, 100)
    if not await bench.trouble(Trouble.LIMITED):
        return "no limit"
    order = bench.order(10, 42)
    outcome = await bench.send(order)
    expect("it is not taken", isinstance(outcome, Refused | NotSent), outcome)
    await bench.heal()
    await bench.pass_time(10)
    await _nothing_there(bench, order.client_order_id)

    async def look() -> bool:
        return not isinstance(await bench.send(bench.order(1, 39)), Refused | NotSent)

    await bench.until("orders to be taken again", look)
    return YES
