"""Balances: as of the venue's own mark, and with what working orders hold by their list."""

from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import TimeInForce
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import ExchangeOrder
from arbees.rehearsal.kalshi.server import OWNER
from tests.venues.kalshi.rig import TICKER, Rig, rig


async def test_a_figure_is_as_of_the_venues_own_mark() -> None:
    """Reads lag: an order of a moment ago is not inside a figure that is five seconds old."""
    async with rig() as made:
        made.server.fault(FaultKind.READ_LAG, seconds=5.0)
        before_ns = made.clock.now_ns()
        found = await made.venue.balances()
        assert all(each.as_of_ns <= before_ns - 4 * NS_PER_SECOND for each in found)


async def test_a_clock_that_is_off_never_makes_a_figure_fresher() -> None:
    """Fills are told in the venue's time, answers in ours: the earlier of both counts."""
    for shift_ns in (-NS_PER_SECOND, NS_PER_SECOND):
        async with rig() as made:
            made.clock.shift_ns = shift_ns
            true_ns = made.exchange.now_ns()
            found = await made.venue.balances()
            assert all(each.as_of_ns <= min(true_ns, true_ns + shift_ns) + 10**8 for each in found)


async def test_what_orders_hold_is_counted_from_their_list() -> None:
    """Kalshi tells the sum to few accounts: every account is counted from what rests, by anyone."""
    async with rig() as made:
        await made.send(made.order(cents=20, contracts=10, time_in_force=TimeInForce.GTC))
        made.exchange.create(by_hand(made, cents=10, contracts=5))
        pools = {each.pool: each for each in await made.venue.balances()}
        assert pools["Kalshi:3"].available == 10_000 * MICRO - 2 * MICRO - 500_000
        assert {each.total for each in pools.values()} == {10_000 * MICRO}


async def test_what_a_closing_order_ties_up() -> None:
    """Nothing up to what is held; beyond that it opens the other side, at the price of that."""
    async with rig() as made:
        await made.send(made.order(contracts=5))
        before = {each.pool: each.total for each in await made.venue.balances()}
        ask = by_hand(made, cents=70, contracts=8)
        ask.is_bid = False
        made.exchange.create(ask)
        found = {each.pool: each for each in await made.venue.balances()}
        assert {name: each.total for name, each in found.items()} == before
        assert (found["Kalshi:3"].total or 0) - found["Kalshi:3"].available == 900_000


async def test_the_fee_of_what_rests_is_uncertain() -> None:
    """Whether Kalshi keeps it back is not documented: it is told apart, by the cent above."""
    async with rig() as made:
        await made.send(made.order(cents=20, contracts=10, time_in_force=TimeInForce.GTC))
        pools = {each.pool: each.uncertain for each in await made.venue.balances()}
        assert pools == {"Kalshi": 0, "Kalshi:1": 0, "Kalshi:2": 0, "Kalshi:3": 120_000}


def by_hand(made: Rig, *, cents: int, contracts: int) -> ExchangeOrder:
    """Return a bid of the account that another program places."""
    now_ns = made.clock.now_ns()
    return ExchangeOrder(
        order_id=made.exchange.new_order_id(),
        owner=OWNER,
        client_order_id="theirs",
        ticker=TICKER,
        is_bid=True,
        price=cents * 10_000,
        count=contracts * MICRO,
        time_in_force="good_till_canceled",
        created_ns=now_ns,
        updated_ns=now_ns,
    )
