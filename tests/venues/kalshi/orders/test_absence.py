"""Absence: an unknown order ends when every item of the evidence is there, and not before."""

from msgspec.structs import replace

from arbees.core.deciding.outcomes import (
    Found,
    Inconclusive,
    Missing,
    PoolBalance,
)
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import TimeInForce
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import ExchangeOrder
from tests.venues.kalshi.rig import TICKER, Rig, quote, rig

HOUR_NS = 3_600 * NS_PER_SECOND
LONG_AGO_NS = 100 * NS_PER_SECOND
"""After this nothing that was signed can still be taken."""


def age(made: Rig, by_ns: int = HOUR_NS) -> None:
    """Let everything that the exchange took have been taken so long before."""
    exchange = made.exchange

    def older(order: ExchangeOrder) -> ExchangeOrder:
        return replace(order, created_ns=order.created_ns - by_ns)

    for name, versions in exchange.history.items():
        exchange.history[name] = [(at - by_ns, older(order)) for at, order in versions]


async def look(made: Rig, name: str) -> Found | Missing | Inconclusive:
    """Look for an order whose bytes may have left until a hundred seconds ago."""
    return await made.venue.find(name, TICKER, made.clock.now_ns() - LONG_AGO_NS)


async def test_an_order_of_long_before_the_last_moment_is_found() -> None:
    """The process was away for an hour: its bytes may have left when it died, not when it came."""
    async with rig() as made:
        order = made.order(cents=20, time_in_force=TimeInForce.GTC)
        await made.send(order)
        age(made)
        found = await look(made, order.client_order_id)
        assert isinstance(found, Found)


async def test_what_filled_long_before_the_last_moment_is_found_with_its_fills() -> None:
    """The same, of an order that filled: its fills come with it."""
    async with rig() as made:
        order = made.order(contracts=5)
        await made.send(order)
        age(made)
        found = await look(made, order.client_order_id)
        assert isinstance(found, Found)
        assert sum(fill.quantity for fill in found.fills) == 5 * MICRO
        assert found.closed == "filled"


async def test_a_fill_of_an_older_order_does_not_hide_an_absence() -> None:
    """An order that rested for an hour fills now; it explains the fill, the other is absent."""
    async with rig() as made:
        await made.send(made.order(cents=39, contracts=4, time_in_force=TimeInForce.GTC))
        made.server.show(quote(bid=30, ask=39))
        age(made)
        assert made.exchange.fills
        assert isinstance(await look(made, "arb-never-sent"), Missing)


async def test_a_settled_market_ends_an_unknown_too() -> None:
    """After the settlement nothing is held any more, whatever the fills add up to."""
    async with rig() as made:
        await made.send(made.order(contracts=5))
        made.exchange.settle(TICKER, "yes")
        assert isinstance(await look(made, "arb-never-sent"), Missing)


async def test_an_order_that_is_listed_from_between_two_reads_on_is_found() -> None:
    """Not in the list of orders, yet in the later one by which cash adds up: it is not absent."""
    async with rig() as made:
        order = made.order(cents=20, time_in_force=TimeInForce.GTC)
        await made.send(order)
        age(made)
        made.server.fault(FaultKind.HIDDEN, call="any", seconds=1_000_000.0)
        assert isinstance(await look(made, order.client_order_id), Missing)
        balances = made.venue.cash.balances

        async def balances_once_shown() -> tuple[PoolBalance, ...]:
            made.server.desk.hidden.clear()
            return await balances()

        vars(made.venue.cash)["balances"] = balances_once_shown
        found = await look(made, order.client_order_id)
        assert isinstance(found, Found)
        assert found.listed is not None
        assert found.closed is None
