"""Answers that nobody should give: none of them is believed, and none of them breaks anything."""

from typing import Any

import pytest

from arbees.core.deciding.outcomes import (
    CancelMissed,
    CancelUnknown,
    Filled,
    StreamChanged,
    Unknown,
)
from arbees.core.language.units import MICRO
from arbees.errors import VenueError
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.budget import Budget
from arbees.venues.kalshi.connection.socket import Message
from arbees.venues.kalshi.markets.book import BookLevels, Delta, OrderBook
from arbees.venues.kalshi.markets.catalogue import rates_of
from arbees.venues.kalshi.orders.answers import (
    cancel_outcome,
    create_outcome,
    error_of,
    read_error,
)
from arbees.venues.kalshi.orders.cash import ties_of
from arbees.venues.kalshi.orders.orders import fill_of, listed_order
from arbees.venues.kalshi.shapes import AccountLimits, Bucket, Costs, EndpointCost, FillRow
from arbees.venues.kalshi.shapes import read as read_message
from tests.venues.kalshi.orders.test_answers import ASKED
from tests.venues.kalshi.rig import TICKER, rig

DEEP = b'{"order_id":"a","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def test_an_answer_nested_too_deep_is_one_that_cannot_be_read() -> None:
    """Brackets without end are unreadable like any other text that is none."""
    with pytest.raises(VenueError):
        shapes.read(DEEP, shapes.CreateAnswer)
    with pytest.raises(VenueError):
        read_message(DEEP, Message)
    assert error_of(500, DEEP) is None
    for status in (201, 409, 500):
        outcome = create_outcome(status, DEEP, ASKED)
        assert isinstance(outcome, Unknown)


def row(**changed: object) -> FillRow:
    """Return a fill as the venue lists it."""
    fields: dict[str, object] = {
        "trade_id": "t",
        "order_id": "o",
        "count_fp": "5.00",
        "yes_price_dollars": "0.4000",
        "fee_cost": "0.084000",
        "ts": 1_795_500_000,
    }
    return FillRow(**(fields | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed",
    [
        {"count_fp": "-5.00"},
        {"count_fp": "0.00"},
        {"count_fp": "100000000000000000"},
        {"count_fp": "\u0665"},
        {"count_fp": "NaN"},
        {"yes_price_dollars": "-0.40"},
        {"yes_price_dollars": "1.01"},
        {"fee_cost": "99999999999999999"},
        {"fee_cost": "5.010001"},
        {"fee_cost": "-5.010001"},
        {"ts": -1},
        {"ts": 10**30},
        {"created_time": "9999-12-31T23:59:59Z"},
    ],
)
def test_a_fill_that_can_be_none_is_not_taken(changed: dict[str, object]) -> None:
    """A count of nothing or less, a price beyond a dollar, a number without end: an error."""
    with pytest.raises(VenueError):
        fill_of(row(**changed), "arb-1")


def test_a_fee_may_be_all_that_a_fill_can_bring() -> None:
    """A dollar a contract and a cent for its rounding are taken, whoever pays them."""
    assert fill_of(row(fee_cost="5.010000"), "arb-1").fee == 5_010_000
    assert fill_of(row(fee_cost="-5.010000"), "arb-1").fee == -5_010_000


@pytest.mark.parametrize(
    "changed",
    [
        {"yes_price_dollars": "1.000001"},
        {"yes_price_dollars": "-0.000001"},
        {"fill_count_fp": "-0.000001"},
        {"remaining_count_fp": "-0.000001"},
        {"remaining_count_fp": "9000000.000001"},
    ],
)
def test_an_order_that_can_be_none_is_not_listed(changed: dict[str, str]) -> None:
    """Its price lies between nothing and a dollar, its counts are none or more."""
    fields: dict[str, Any] = {
        "order_id": "o",
        "ticker": TICKER,
        "book_side": "bid",
        "yes_price_dollars": "1.0000",
        "fill_count_fp": "0.00",
        "remaining_count_fp": "9000000.00",
    }
    assert listed_order(shapes.KalshiOrderRow(**fields)).limit_price == MICRO
    odd = shapes.KalshiOrderRow(**(fields | changed))
    with pytest.raises(VenueError):
        listed_order(odd)
    with pytest.raises(VenueError):
        ties_of(odd, {}, {}) if "fill_count_fp" not in changed else listed_order(odd)


@pytest.mark.parametrize("price", ["0.0000", "-0.0100", "1.0000", "1000000.00"])
def test_a_level_at_nothing_or_a_dollar_is_none(price: str) -> None:
    """Neither a whole book nor a change may name one: that book is in doubt."""
    book = OrderBook()
    for levels in ({"yes_dollars_fp": ((price, "5.00"),)}, {"no_dollars_fp": ((price, "5.00"),)}):
        with pytest.raises(VenueError):
            book.replace(BookLevels(market_ticker=TICKER, **levels))
    for side in ("yes", "no"):
        change = Delta(market_ticker=TICKER, price_dollars=price, delta_fp="5.00", side=side)
        with pytest.raises(VenueError):
            book.change(change)
    book.replace(BookLevels(market_ticker=TICKER, yes_dollars_fp=(("0.000001", "5.00"),)))
    assert book.bids == {1: 5 * MICRO}


@pytest.mark.parametrize("rate", [0.0, -5.0, 1e-320, 1e300])
@pytest.mark.parametrize("price", [-5.0, 1e300])
def test_a_limit_that_can_be_none_leaves_what_was_known(rate: float, price: float) -> None:
    """Buckets that never fill, or have no end, and prices below nothing are no word at all."""
    budget = Budget(0)
    odd = Bucket(refill_rate=rate, bucket_capacity=rate)
    cost = EndpointCost(method="GET", path="/portfolio/fills", cost=price)
    budget.learn(AccountLimits(read=odd, write=odd), 0)
    budget.learn_costs(Costs(default_cost=price, endpoint_costs=(cost,)))
    budget.exceeded("POST", 0)
    assert budget.order(0) > 0
    assert budget.cost("GET", "/portfolio/fills") == 10


def test_a_fee_below_nothing_is_none() -> None:
    """A multiplier below zero would let fees pay for orders."""
    with pytest.raises(VenueError):
        rates_of(
            shapes.EventRow(event_ticker="E"),
            shapes.SeriesRow(ticker="S", fee_type="quadratic", fee_multiplier=-1.0),
        )


async def test_an_order_id_is_never_more_than_a_part_of_a_path() -> None:
    """Whatever the venue calls an order, the cancel of it is one request for one order."""
    async with rig() as made:
        name = "a/../b HTTP/1.1\r\nx: y\r\n\r\n注文"
        answer = await made.venue.cancel("arb-1", name, TICKER)
        assert isinstance(answer, CancelMissed | CancelUnknown)


async def test_a_stream_whose_task_died_is_blind() -> None:
    """Whatever ended it, nobody listens any more: no order leaves on its word. It comes back."""
    async with rig() as made:
        assert not made.venue.vitals.is_blind

        def breaks(_report: object) -> None:
            raise RuntimeError("nobody takes it")

        made.venue.listen(breaks)
        await made.send(made.order())
        await made.until(lambda: made.venue.vitals.is_blind)
        assert made.dead == ["kalshi stream: RuntimeError('nobody takes it')"]
        made.venue.listen(made.reports.append)
        await made.until(lambda: not made.venue.vitals.is_blind)


ODD_BODIES = {
    "latin-1": b'{"error":{"code":"caf\xe9","message":"x"},"order_id":"caf\xe9",'
    b'"orders":[{"order_id":"caf\xe9"}]}',
    "utf-16": '{"orders":[]}'.encode("utf-16"),
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56\xca\x2f\x4a\x49",
    "empty": b"",
    "cut": b'{"orders":[{"order_id":"o',
    "html": b"<html><body>502 Bad Gateway</body></html>",
    "list": b"[]",
    "null": b"null",
    "number": b"7",
    "not a number": b'{"orders":NaN,"order_id":NaN,"ts_ms":NaN}',
    "too large": b'{"orders":1e999,"order_id":1e999,"ts_ms":1e999}',
    "many digits": b'{"order_id":"o","client_order_id":"arb-1","fill_count":"1.00",'
    b'"reduced_by":"1.00","remaining_count":"0.00","ts_ms":' + b"9" * 4_000 + b"}",
    "below zero": b'{"order_id":"o","client_order_id":"arb-1","fill_count":"1.00",'
    b'"reduced_by":"1.00","remaining_count":"0.00","ts_ms":-99999999999999999999}',
    "half a pair": b'{"order_id":"\\ud83d","orders":["\\ud83d"]}',
    "two answers": b'{"order_id":"o"}{"order_id":"o"}',
    "other types": b'{"order_id":7,"ts_ms":"now","orders":{"a":1},"error":[["x"]]}',
    "deep": DEEP,
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
@pytest.mark.parametrize("status", [200, 201, 204, 302, 400, 403, 404, 409, 418, 429, 500, 502])
def test_bytes_that_cannot_be_read_are_unknown_of_that_call_alone(status: int, body: bytes) -> None:
    """A create is unknown whatever its status, a read fails by VenueError: nothing else."""
    outcome = create_outcome(status, body, ASKED)
    assert isinstance(outcome, Unknown)
    assert outcome.is_health == (status >= 500)
    assert len(outcome.message) < 1_000
    assert isinstance(cancel_outcome(status, body, "o"), CancelUnknown)
    assert isinstance(read_error(status, body), VenueError)
    for shape in (shapes.Cutoff, shapes.UserDataTimestamp, shapes.BalanceAnswer, Message):
        with pytest.raises(VenueError) as raised:
            shapes.read(body, shape)
        assert not raised.value.is_health


@pytest.mark.parametrize("name", [None, "", "web-1", "caf\u00e9"])
@pytest.mark.parametrize("channel", ["fill", "user_orders"])
async def test_an_odd_row_of_another_program_costs_nothing(channel: str, name: str | None) -> None:
    """The stream stands and goes on; of a row that may be ours something was missed."""
    async with rig() as made:
        before = len(made.reports)
        odd = {"order_id": 7, "trade_id": [], "status": {}, "client_order_id": name}
        word = "fill" if channel == "fill" else "user_order"
        for _ in range(3):
            made.server.streams.say(channel, {"type": word, "msg": odd})
        await made.send(made.order())
        await made.until(lambda: any(isinstance(each, Filled) for each in made.reports))
        assert not any(isinstance(each, StreamChanged) for each in made.reports[before:])
        ours = odd | {"client_order_id": "arb-1"}
        made.server.streams.say(channel, {"type": word, "msg": ours})
        await made.until(
            lambda: any(isinstance(each, StreamChanged) for each in made.reports[before:])
        )


@pytest.mark.parametrize(
    "said",
    [
        b'{"type":"fill","sid":1,"msg":{"trade_id":"caf\xe9"}}',
        b'{"type":"user_order","sid":1,"msg":{"order_id":"caf\xe9","client_order_id":"arb-x"}}',
        b'{"type":"caf\xe9"}',
        b"\xff\xfe",
        b"[[[",
        b'{"type":"fill","sid":1,"msg":[1e999]}',
        b'{"type":"subscribed","id":{},"msg":{"channel":7}}',
    ],
)
async def test_a_message_that_cannot_be_read_ends_no_task(said: bytes) -> None:
    """Something was missed: the stream is down for a moment and comes back; nobody has died."""
    async with rig() as made:
        made.server.streams.say("fill", said)
        await made.until(
            lambda: (
                [each.is_live for each in made.reports if isinstance(each, StreamChanged)][-2:]
                == [False, True]
            )
        )
        assert made.dead == []
        assert not made.venue.vitals.is_blind
