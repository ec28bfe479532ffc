"""One subaccount is traded and looked at: what another one does is none of ours to judge."""

import pytest

from arbees.core.language.units import MICRO
from arbees.core.language.words import TimeInForce
from arbees.rehearsal.kalshi.engine.rules import (
    OWNER,
    ExchangeOrder,
    Status,
    part_of,
)
from arbees.venues.kalshi.connection.api import takes_subaccount
from tests.venues.kalshi.rig import TICKER, Rig, rig

CREATE = "/portfolio/events/orders"


def other(made: Rig, cents: int, tif: str = "good_till_canceled") -> ExchangeOrder:
    """Let subaccount 1 place an order."""
    owner, now_ns = part_of(OWNER, 1), made.clock.now_ns()
    made.exchange.account(owner).cash[3] = 1_000 * MICRO
    return made.exchange.create(
        ExchangeOrder(
            order_id=made.exchange.new_order_id(),
            owner=owner,
            client_order_id=f"arb-other-{cents}",
            ticker=TICKER,
            is_bid=True,
            price=cents * 10_000,
            count=7 * MICRO,
            time_in_force=tif,
            created_ns=now_ns,
            updated_ns=now_ns,
        )
    )


async def test_what_another_subaccount_does_is_passed_over() -> None:
    """Its orders, fills and positions are not listed, its cash is not ours, it goes on working."""
    async with rig() as made:
        ours = made.order(cents=20, time_in_force=TimeInForce.GTC)
        await made.send(ours)
        rests = other(made, 10)
        other(made, 40, "immediate_or_cancel")
        await made.send(made.order(contracts=2))
        names = {each.client_order_id for each in await made.venue.open_orders()}
        assert names == {ours.client_order_id}
        assert all(
            not (each.client_order_id or "").startswith("arb-other")
            for each in await made.venue.placed(0)
        )
        assert [each.quantity for each in await made.venue.fills(0)] == [2 * MICRO]
        assert [each.quantity for each in await made.venue.positions()] == [2 * MICRO]
        pools = {each.pool: each.total for each in await made.venue.balances()}
        assert pools["Kalshi:3"] == made.exchange.account(OWNER).cash[3]
        await made.venue.cancel_everything()
        assert made.exchange.orders[rests.order_id].status is Status.RESTING
        assert made.exchange.resting(OWNER) == []


@pytest.mark.parametrize(
    ("method", "path", "takes"),
    [
        ("GET", "/portfolio/orders", True),
        ("GET", "/portfolio/fills", True),
        ("GET", "/portfolio/settlements", True),
        ("GET", "/portfolio/positions", True),
        ("GET", "/portfolio/balance", True),
        ("GET", "/historical/orders", True),
        ("GET", "/historical/fills", True),
        ("GET", "/portfolio/order_groups", True),
        ("PUT", "/portfolio/order_groups/g/trigger", True),
        ("DELETE", "/portfolio/order_groups/g", True),
        ("DELETE", CREATE, True),
        ("DELETE", f"{CREATE}/o", True),
        ("POST", CREATE, False),
        ("POST", "/portfolio/order_groups/create", False),
        ("DELETE", f"{CREATE}/batched", False),
        ("GET", "/portfolio/deposits", False),
        ("GET", "/exchange/status", False),
    ],
)
def test_every_call_that_takes_a_subaccount_names_it(
    method: str, path: str, *, takes: bool
) -> None:
    """In the query; creates, batches and new groups name it in their bodies."""
    assert takes_subaccount(method, path) is takes
