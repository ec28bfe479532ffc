"""Records follow each other, and what contradicts the book crashes."""

from typing import get_args

import msgspec
import pytest

from arbees.core import events
from arbees.core.book.apply import _HANDLERS, apply
from arbees.core.book.book import fresh
from arbees.core.language.words import Side
from arbees.errors import InvariantViolation
from tests.core.bodies import LEAST
from tests.core.scene import MICRO, Scene
from tests.safeguards.build import KALSHI, NOW, listing, request

CHANGES_NOTHING = (
    events.DenialReviewed,
    events.Drilled,
    events.DuplicateRefused,
    events.CancelAnswered,
    events.MassCancelled,
    events.FlattenPlanned,
)


def test_records_follow_each_other() -> None:
    """Sequence by sequence; time stands still or goes on."""
    book = fresh()
    apply(book, events.Stopped(reason="x"), 1, 5)
    assert (book.sequence, book.time_ns) == (1, 5)
    apply(book, events.Stopped(reason="x"), 2, 5)
    apply(book, events.Stopped(reason="x"), 3, 6)
    assert (book.sequence, book.time_ns) == (3, 6)


@pytest.mark.parametrize("sequence", [0, 1, 3, -1])
def test_a_gap_or_a_repetition_crashes(sequence: int) -> None:
    """After 1 comes 2."""
    book = fresh()
    apply(book, events.Stopped(reason="x"), 1, 5)
    with pytest.raises(InvariantViolation) as error:
        apply(book, events.Stopped(reason="x"), sequence, 5)
    assert str(error.value) == f"Expected record 2, was {sequence}"
    assert book.sequence == 1


def test_time_that_runs_backwards_crashes() -> None:
    """Not by a nanosecond."""
    book = fresh()
    apply(book, events.Stopped(reason="x"), 1, 5)
    with pytest.raises(InvariantViolation) as error:
        apply(book, events.Stopped(reason="x"), 2, 4)
    assert str(error.value) == "Expected a record at 5 ns or later, was 4"
    assert (book.sequence, book.time_ns) == (1, 5)


@pytest.mark.parametrize("event", [event for event, _ in LEAST if type(event) in CHANGES_NOTHING])
def test_what_changes_nothing(event: events.Event) -> None:
    """Duplicates, answers to cancels, lists of a mass cancel, reviews are read, not counted."""
    book = fresh()
    apply(book, event, 1, 5)
    expected = fresh()
    expected.sequence, expected.time_ns = 1, 5
    assert book == expected
    assert _HANDLERS.keys() | set(CHANGES_NOTHING) == set(get_args(events.AnyEvent))


def denied(scene: Scene, event: events.Event) -> str:
    """Return why an event crashes."""
    with pytest.raises(InvariantViolation) as error:
        apply(scene.book, event, scene.book.sequence + 1, scene.now)
    return str(error.value)


def test_one_open_order_a_key() -> None:
    """The same intent twice would send the same id twice (P2)."""
    scene = Scene()
    order = scene.order()
    approved = scene.records[-1][2]
    assert denied(scene, approved) == (
        f"Expected one open order a key, {order.client_order_id} is open already"
    )
    assert scene.book.markets[KALSHI].orders == [order.client_order_id]


@pytest.mark.parametrize(
    "event",
    [
        events.OrderDenied(client_order_id="c", request_id="r", code="x", message="m"),
        events.OrderAcknowledged(client_order_id="c", request_id="r", venue_order_id="v"),
        events.OrderRejected(client_order_id="c", request_id="r", venue_code="x", message="m"),
        events.OrderNotSent(client_order_id="c", request_id="r", message="m"),
        events.OrderUnknown(client_order_id="c", request_id="r", message="m", sent_ns=1),
        events.OrderCancelled(client_order_id="c", request_id="r", reason="x"),
        events.OrderExpired(client_order_id="c", request_id="r"),
        events.CancelRequested(client_order_id="c", request_id="r", reason="x", actor="a"),
    ],
)
def test_only_an_open_order_goes_on(event: events.Event) -> None:
    """What is closed, or was never approved, takes nothing but fills."""
    assert denied(Scene(), event) == "Expected an open order, c is not"


def test_states_go_only_where_they_may() -> None:
    """A working order cannot have been denied, and an unknown one not become unknown."""
    scene = Scene()
    resting, lost = scene.resting(), scene.lost("k-2")
    ids = {"client_order_id": resting.client_order_id, "request_id": "r"}
    gate = events.OrderDenied(**ids, code="HALTED", message="m")
    assert denied(scene, gate) == (
        f"Expected no way from WORKING to DENIED ({resting.client_order_id})"
    )
    ids = {"client_order_id": lost.client_order_id, "request_id": "r"}
    unknown = events.OrderUnknown(**ids, message="m", sent_ns=1)
    scene = Scene()
    lost = scene.lost("k-2")
    assert denied(scene, unknown) == (
        f"Expected no way from UNKNOWN to UNKNOWN ({lost.client_order_id})"
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("yes_quantity", "OutcomeHolding(quantity=-1, cost=0, closing=0)"),
        ("yes_cost", "OutcomeHolding(quantity=0, cost=-1, closing=0)"),
        ("no_quantity", "OutcomeHolding(quantity=-1, cost=0, closing=0)"),
        ("no_cost", "OutcomeHolding(quantity=0, cost=-1, closing=0)"),
    ],
)
def test_nothing_is_held_below_nothing(name: str, shown: str) -> None:
    """A sale of what is not there is a bug, not a position."""
    settled = events.MarketSettled(market_key=KALSHI, result=Side.YES, payout=0, realized=0)
    event = msgspec.structs.replace(settled, **{name: -1})
    assert denied(Scene(), event) == f"Expected holdings of 0 and more in {KALSHI}, was {shown}"


def test_a_whole_evening_replays() -> None:
    """Orders, fills, ends, a halt and a settlement: replay, snapshot and sums agree throughout."""
    scene = Scene()
    scene.balance(1_000 * MICRO)
    first = scene.resting("a", strategy="alpha")
    scene.fill(first, 4 * MICRO, 640_000, 70_000)
    scene.check()
    scene.lost("b", limit_price="0.4")
    scene.check()
    scene.wait(30)
    scene.balance(990 * MICRO)
    scene.fill(first, 6 * MICRO, 650_000, 90_000)
    scene.check()
    scene.write(events.MarketStatusChanged(market_key=KALSHI, is_open=False))
    scene.write(
        events.MarketSettled(
            market_key=KALSHI,
            result=Side.YES,
            payout=10 * MICRO,
            realized=10 * MICRO - 6_460_000,
            yes_quantity=-10 * MICRO,
            yes_cost=-6_460_000,
        )
    )
    scene.check()
    assert request().market_id == listing().market_id
    assert scene.book.pnl_today(0) == 3_540_000 - 160_000
    assert scene.now > NOW
