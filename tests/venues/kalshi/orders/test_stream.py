"""The stream of our own orders: what it says of them, and when it cannot be trusted."""

import json

import pytest

from arbees.core.deciding.outcomes import (
    Filled,
    OrderClosed,
    OrderSeen,
    StreamChanged,
)
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import TimeInForce
from arbees.errors import VenueOutcomeUnknown
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.venues.kalshi.connection.socket import Message
from arbees.venues.kalshi.shapes import read
from tests.venues.kalshi.rig import TICKER, Rig, quote, rig

CHANGED = StreamChanged


def message(kind: str, **msg: object) -> Message:
    """Return a message as it comes."""
    return read(json.dumps({"type": kind, "sid": 1, "msg": msg}), Message)


def states(made: Rig) -> list[bool]:
    """Return what was told of the stream itself."""
    return [each.is_live for each in made.reports if isinstance(each, CHANGED)]


def order_row(**more: object) -> dict[str, object]:
    """Return an order as the channel tells it."""
    return {
        "order_id": "o1",
        "client_order_id": "arb-1",
        "ticker": TICKER,
        "book_side": "bid",
        "status": "canceled",
        "fill_count_fp": "2.00",
        "remaining_count_fp": "0.00",
        "initial_count_fp": "5.00",
        "yes_price_dollars": "0.4000",
        **more,
    }


# What it says of orders ------------------------------------------------------------------------


async def test_fills_and_ends_are_told_as_they_happen() -> None:
    """A taker's fill with its fee, and the end of what was cancelled by the venue."""
    async with rig() as made:
        made.reports.clear()
        taken = made.order(contracts=2)
        await made.send(taken)
        await made.until(lambda: any(isinstance(each, Filled) for each in made.reports))
        (fill,) = [each.fill for each in made.reports if isinstance(each, Filled)]
        assert fill.client_order_id == taken.client_order_id
        assert (fill.quantity, fill.price, fill.fee) == (2 * MICRO, 400_000, 33_600)
        rests = made.order(cents=20, time_in_force=TimeInForce.GTC)
        await made.send(rests)
        made.server.fault(FaultKind.TRADING_PAUSE)
        await made.until(lambda: any(_ends(each, rests.client_order_id) for each in made.reports))
        (end,) = [each for each in made.reports if _ends(each, rests.client_order_id)]
        assert isinstance(end, OrderClosed)
        assert (end.closed, end.reason, end.filled) == ("cancelled", "HaltCancel", 0)


def _ends(report: object, name: str) -> bool:
    return isinstance(report, OrderClosed) and report.client_order_id == name


async def test_foreign_orders_are_passed_over() -> None:
    """What somebody else placed on the account is not ours to report."""
    async with rig() as made:
        made.reports.clear()
        stream = made.venue.stream
        for name in ("theirs", "", "ARB-1"):
            stream._take(message("user_order", **order_row(client_order_id=name)))
            stream._take(
                message(
                    "fill",
                    trade_id="t",
                    order_id="o",
                    client_order_id=name,
                    count_fp="1.00",
                    yes_price_dollars="0.4000",
                    fee_cost="0.016800",
                )
            )
        assert made.reports == []


async def test_unknown_words_and_fields_change_nothing() -> None:
    """A type, a status or a field that Kalshi invents: nothing is concluded from it."""
    async with rig() as made:
        made.reports.clear()
        stream = made.venue.stream
        stream._take(message("something_new", a=1))
        stream._take(message("user_order", **order_row(status="unknown", surprise=[])))
        assert made.reports == []
        stream._take(message("user_order", **order_row(status="resting")))
        (seen,) = made.reports
        assert isinstance(seen, OrderSeen)
        assert (seen.order.client_order_id, seen.order.closed) == ("arb-1", None)
        made.reports.clear()
        stream._take(message("user_order", **order_row(surprise={"a": 1})))
        assert len(made.reports) == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("fill", {"client_order_id": "arb-1"}),
        ("fill", {"trade_id": "t", "order_id": "o", "count_fp": 1}),
        ("user_order", {"status": "canceled"}),
        ("user_order", order_row(fill_count_fp="many")),
    ],
)
async def test_what_cannot_be_read_ends_the_connection(kind: str, body: dict[str, object]) -> None:
    """Something of ours may be in it, so the reads must be compared."""
    async with rig() as made:
        with pytest.raises(VenueOutcomeUnknown):
            made.venue.stream._take(message(kind, **body))


# What it is worth ------------------------------------------------------------------------------


async def test_it_is_live_once_all_its_channels_are() -> None:
    """Not when it is connected; `vitals` are blind until then."""
    async with rig(listens=False) as made:
        assert made.venue.vitals.is_blind or made.venue.stream.is_live
        await made.until(lambda: made.venue.stream.is_live)
        assert states(made) == [True]
        assert not made.venue.vitals.is_blind
        stream = made.venue.stream
        stream._say("a test", is_live=False)
        stream._waiting = {"fill", "user_orders"}
        stream._take(message("subscribed", channel="fill", sid=1))
        assert not stream.is_live
        stream._take(message("subscribed", channel="user_orders", sid=2))
        assert stream.is_live


async def test_a_lost_stream_is_told_and_comes_back() -> None:
    """Blind, and live again; what happened meanwhile is never told."""
    async with rig() as made:
        made.server.fault(FaultKind.STREAM_CLOSED)
        await made.until(lambda: states(made) == [True, False, True])
        (lost,) = [e for e in made.reports if isinstance(e, CHANGED) and not e.is_live]
        assert lost.reason
        made.server.show(quote(bid=38))


async def test_a_stream_that_does_not_come_is_blind() -> None:
    """As long as the venue cannot be reached, whatever is tried."""
    async with rig() as made:
        made.server.fault(FaultKind.UNREACHABLE)
        made.server.streams.cut()
        await made.until(lambda: not made.venue.stream.is_live)
        assert made.venue.vitals.is_blind
        made.server.heal()
        await made.until(lambda: made.venue.stream.is_live, seconds=10)


async def test_a_heartbeat_that_is_overdue_is_late_and_then_dead() -> None:
    """After 15 s without a sign late; after 25 s down, although the connection stands."""
    async with rig() as made:
        stream = made.venue.stream
        made.server.fault(FaultKind.STREAM_SILENT)
        assert not made.venue.vitals.is_heartbeat_late
        made.clock.shift_ns += 16 * NS_PER_SECOND
        assert made.venue.vitals.is_heartbeat_late
        assert stream.is_live
        made.clock.shift_ns += 10 * NS_PER_SECOND
        await made.until(lambda: False in states(made))
        (lost,) = [e for e in made.reports if isinstance(e, CHANGED) and not e.is_live]
        assert "silent for" in lost.reason
