"""Answers that nobody should give: none of them is believed, and none of them breaks anything."""

import pytest

from arbees.core.outcomes import CancelMissed, CancelUnknown, Unknown
from arbees.errors import VenueError
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.answers import create_outcome, error_of
from arbees.venues.kalshi.budget import Budget
from arbees.venues.kalshi.markets import rates_of
from arbees.venues.kalshi.orders import fill_of
from arbees.venues.kalshi.shapes import Bucket, Costs, EndpointCost, FillRow, Limits
from arbees.venues.kalshi.socket import Message
from arbees.venues.kalshi.socket import read as read_message
from tests.venues.kalshi.rig import TICKER, rig
from tests.venues.kalshi.test_answers import ASKED

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
        {"ts": -1},
        {"ts": 10**30},
        {"created_time": "9999-12-31T23:59:59Z"},
    ],
)
def test_a_fill_that_can_be_none_is_not_taken(changed: dict[str, object]) -> None:
    """A count of nothing or less, a price beyond a dollar, a number without end: an error."""
    with pytest.raises(VenueError):
        fill_of(row(**changed), "arb-1")


def test_a_limit_of_nothing_leaves_what_was_known() -> None:
    """Buckets that never fill and prices below nothing are no word of the venue's."""
    budget = Budget(0)
    nothing = Bucket(refill_rate=0, bucket_capacity=0)
    cost = EndpointCost(method="GET", path="/portfolio/fills", cost=-5)
    budget.learn(
        Limits(read=nothing, write=nothing), Costs(default_cost=0, endpoint_costs=(cost,)), 0
    )
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
    """Whatever ended it, nobody listens any more: no order leaves on its word."""
    async with rig() as made:
        assert not made.venue.vitals.is_blind

        def breaks(_report: object) -> None:
            raise RuntimeError("nobody takes it")

        made.venue.listen(breaks)
        await made.send(made.order())
        await made.until(lambda: made.venue.vitals.is_blind)
