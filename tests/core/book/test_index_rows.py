"""Index rows: what the journal's tables say of keys, ids, signals and orders, event by event."""

from typing import Any

import pytest

from arbees.core import events
from arbees.core.book.index_rows import (
    DENIED,
    NOT_SENT,
    OPEN,
    RETRIABLE,
    SPENT,
    IndexFold,
    rows_of,
)
from arbees.core.book.open_order import Order, Reservation
from arbees.core.deciding.facts import Facts
from arbees.core.language.request import Request
from arbees.core.language.words import (
    Action,
    OrderStatus,
    Platform,
    Side,
    TimeInForce,
)
from arbees.core.orders.lifecycle import opened
from arbees.core.ports import IndexRow, KeyRow, OrderRow, RequestRow, SignalRow
from tests.core.bodies import LEAST
from tests.safeguards.build import KALSHI, NOW, request

SIGNALLED = request(signal_id="s-1", side=Side.NO, attempt=2)
PLAIN = request()
IDS: dict[str, Any] = {"client_order_id": "c-1", "request_id": "r-1"}
ENDS: list[tuple[events.OrderEvent, str]] = [
    (events.OrderDenied(**IDS, code="x", message="m"), DENIED),
    (events.OrderNotSent(**IDS, message="m"), NOT_SENT),
    (events.OrderRejected(**IDS, venue_code="x", message="m"), SPENT),
    (events.OrderCancelled(**IDS, reason="x"), SPENT),
    (events.OrderExpired(**IDS), SPENT),
]


def approved(asked: Request = PLAIN, **changes: Any) -> events.OrderApproved:
    """Return an approval."""
    fields: dict[str, Any] = {
        "request": asked,
        "client_order_id": "c-1",
        "market_id": "ID",
        "market_key": "KEY",
        "platform": "Kalshi",
        "side": Side.YES,
        "limit_price": 650_000,
        "reserved": Reservation(1, 2, 3, 4, 5),
        "sport": "NBA",
        "game_id": "g",
        "strategy": "alpha",
        "facts": Facts(now_ns=NOW),
        "received_ns": NOW,
        **changes,
    }
    return events.OrderApproved(**fields)


def filled(**changes: Any) -> events.OrderFilled:
    """Return a fill."""
    fields: dict[str, Any] = {
        **IDS,
        "platform": "Kalshi",
        "market_key": "KEY",
        "strategy": "alpha",
        "trade_id": "t",
        "quantity": 1,
        "price": 2,
        "value": 2,
        "fee": 0,
        "venue_ns": 5,
        "reserved": Reservation(),
        **changes,
    }
    return events.OrderFilled(**fields)


def order(asked: Request = PLAIN) -> Order:
    """Return the order of an approval."""
    return opened(approved(asked), NOW)


def key(asked: Request, outcome: str, time_ns: int = 9) -> KeyRow:
    """Return the row of a key."""
    return KeyRow("k-1", "r-1", asked.attempt, asked.fingerprint(), outcome, time_ns)


def signal(outcome: str, side: Side = Side.YES) -> SignalRow:
    """Return the row of the signal."""
    return SignalRow("s-1", "KEY", side, "Buy", "k-1", outcome)


SEEN = RequestRow("r-1", "k-1")


def test_words_of_the_tables() -> None:
    """Journals hold these; after two of them a caller may come again."""
    assert (OPEN, DENIED, NOT_SENT, SPENT) == ("open", "denied", "not_sent", "spent")
    assert {DENIED, NOT_SENT} == RETRIABLE


@pytest.mark.parametrize("asked", [PLAIN, SIGNALLED])
def test_a_denial(asked: Request) -> None:
    """The key is denied, the id is seen; a signal that was denied may come again."""
    event = events.RequestDenied(
        request=asked, findings=(), facts=Facts(now_ns=NOW), received_ns=NOW
    )
    assert rows_of(event, 9, None) == (key(asked, DENIED), SEEN)


@pytest.mark.parametrize("code", ["DUPLICATE_REQUEST", "IDEMPOTENCY_CONFLICT"])
def test_a_duplicate(code: str) -> None:
    """The key stays as it was; the id is seen."""
    event = events.DuplicateRefused(
        request=PLAIN, code=code, original_request_id="r-0", received_ns=NOW
    )
    assert rows_of(event, 9, None) == (SEEN,)


def test_a_duplicate_signal() -> None:
    """Its own key was new: it is denied, and may come again with another signal."""
    event = events.DuplicateRefused(
        request=SIGNALLED, code="DUPLICATE_SIGNAL", original_request_id="r-0", received_ns=NOW
    )
    assert rows_of(event, 9, None) == (key(SIGNALLED, DENIED), SEEN)


def test_an_approval() -> None:
    """The key is open, the order can be found, the signal is seen for the key's side."""
    found = OrderRow("c-1", "r-1", "Kalshi", None)
    assert rows_of(approved(), 9, None) == (key(PLAIN, OPEN), SEEN, found)
    assert rows_of(approved(SIGNALLED), 9, None) == (
        key(SIGNALLED, OPEN),
        SEEN,
        found,
        signal(OPEN),
    )
    flipped = approved(SIGNALLED, side=Side.NO)
    assert rows_of(flipped, 9, None)[3] == signal(OPEN, Side.NO)


def test_an_acknowledgement() -> None:
    """From now on it is found by the venue's id too."""
    event = events.OrderAcknowledged(**IDS, venue_order_id="v-1")
    assert rows_of(event, 9, order()) == (OrderRow("c-1", "r-1", Platform.KALSHI, "v-1"),)


@pytest.mark.parametrize(("event", "outcome"), ENDS)
def test_ends(event: events.Event, outcome: str) -> None:
    """Key and signal are spent, or may be tried again where nothing reached a venue."""
    assert rows_of(event, 9, order()) == (key(PLAIN, outcome),)
    assert rows_of(event, 9, order(SIGNALLED)) == (key(SIGNALLED, outcome), signal(outcome))


def test_fills() -> None:
    """Only the last one ends; a correction spends what might have been tried again."""
    assert rows_of(filled(), 9, order()) == ()
    assert rows_of(filled(is_complete=True), 9, order(SIGNALLED)) == (
        key(SIGNALLED, SPENT),
        signal(SPENT),
    )
    assert rows_of(filled(corrects=5), 9, order()) == ()
    assert rows_of(filled(corrects=5, is_complete=True), 9, order()) == ()
    late = order()
    for status in (OrderStatus.NOT_SENT, OrderStatus.DENIED):
        late.status = status
        assert rows_of(filled(corrects=5), 9, late) == (key(PLAIN, SPENT),)
    for status in (OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED):
        late.status = status
        assert rows_of(filled(corrects=5), 9, late) == ()


@pytest.mark.parametrize(
    "event",
    [
        events.OrderUnknown(**IDS, message="m", sent_ns=5),
        events.CancelRequested(**IDS, reason="x", actor="a"),
        events.CancelAnswered(**IDS, message="m"),
    ],
)
def test_what_happens_on_the_way_has_no_row(event: events.Event) -> None:
    """An order that goes on is open still."""
    assert rows_of(event, 9, order(SIGNALLED)) == ()


ABOUT_REQUESTS = (events.RequestDenied, events.DuplicateRefused, events.OrderApproved)


@pytest.mark.parametrize(
    "event", [event for event, _ in LEAST if not isinstance(event, ABOUT_REQUESTS)]
)
def test_without_an_order_there_is_no_row(event: events.Event) -> None:
    """Control and venue truth, and what happens to orders of which nothing is known."""
    assert rows_of(event, 9, None) == ()
    if not isinstance(event, events.OrderEvent):
        assert rows_of(event, 9, order()) == ()


def test_the_order_of_an_approval() -> None:
    """Every field of it, from the request and from the decision."""
    asked = request(
        side=Side.NO,
        action=Action.SELL,
        signal_id="s-1",
        attempt=3,
        time_in_force=TimeInForce.GTD,
        expires_ns=8,
        model_version="v1",
        limit_price="0.3",
    )
    event = approved(
        asked,
        leg=2,
        platform="Polymarket",
        is_flipped=True,
        is_reducing=True,
        reference=640_000,
        rates=(50_000, 10, 100_000),
    )
    assert opened(event, 9) == Order(
        client_order_id="c-1",
        request_id="r-1",
        idempotency_key="k-1",
        attempt=3,
        fingerprint=asked.fingerprint(),
        signal_id="s-1",
        leg=2,
        platform=Platform.POLYMARKET,
        market_id="ID",
        market_key="KEY",
        side=Side.YES,
        is_flipped=True,
        action=Action.SELL,
        quantity=10_000_000,
        limit_price=650_000,
        time_in_force=TimeInForce.GTD,
        created_ns=9,
        expires_ns=8,
        strategy="alpha",
        model_version="v1",
        sport="NBA",
        is_reducing=True,
        status=OrderStatus.PENDING,
        trades=[],
        reserved=Reservation(1, 2, 3, 4, 5),
        reference=640_000,
        rates=(50_000, 10, 100_000),
    )
    assert opened(event, 9).trades is not opened(event, 9).trades


# The fold --------------------------------------------------------------------------------------


def fold(*new_events: events.Event) -> list[tuple[IndexRow, ...]]:
    """Return the rows of the events of a journal, one after the other."""
    folded = IndexFold()
    return [folded.rows(event, 9) for event in new_events]


def test_the_rows_of_a_life() -> None:
    """The fold knows the orders by itself."""
    acknowledged = events.OrderAcknowledged(**IDS, venue_order_id="v-1")
    first, second, third, last, none = fold(
        approved(), acknowledged, filled(), filled(is_complete=True), acknowledged
    )
    assert first == (key(PLAIN, OPEN), SEEN, OrderRow("c-1", "r-1", "Kalshi", None))
    assert second == (OrderRow("c-1", "r-1", Platform.KALSHI, "v-1"),)
    assert (third, last) == ((), (key(PLAIN, SPENT),))
    # What is spent is forgotten: nothing that comes later changes its rows.
    assert none == ()


@pytest.mark.parametrize(("event", "outcome"), ENDS)
def test_what_comes_after_the_end(event: events.OrderEvent, outcome: str) -> None:
    """A fill spends a key that might have been tried again; after other ends it says nothing."""
    _, ended, late, later = fold(
        approved(), event, filled(corrects=2), filled(corrects=2, trade_id="u")
    )
    assert ended == (key(PLAIN, outcome),)
    assert late == ((key(PLAIN, SPENT),) if outcome in RETRIABLE else ())
    assert later == ()


def test_the_next_attempt_begins_anew() -> None:
    """Its rows name the new attempt."""
    again = request(request_id="r-2", attempt=2)
    second = IDS | {"request_id": "r-2"}
    *_, opened, ended = fold(
        approved(),
        events.OrderNotSent(**IDS, message="m"),
        approved(again),
        events.OrderCancelled(**second, reason="x"),
    )
    assert opened[0] == KeyRow("k-1", "r-2", 2, again.fingerprint(), OPEN, 9)
    assert ended == (KeyRow("k-1", "r-2", 2, again.fingerprint(), SPENT, 9),)


def test_events_of_no_order() -> None:
    """Denials have their rows, everything else has none."""
    denied = events.RequestDenied(
        request=PLAIN, findings=(), facts=Facts(now_ns=NOW), received_ns=NOW
    )
    assert fold(denied, events.Stopped(reason="x")) == [(key(PLAIN, DENIED), SEEN), ()]
    assert fold(events.OrderExpired(**IDS)) == [()]
    assert PLAIN.market_id == KALSHI
