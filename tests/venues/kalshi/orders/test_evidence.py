"""Evidence at the simulated Kalshi: absence needs the cash, and the archive counts."""

import pytest

from arbees.core import events
from arbees.core.deciding.outcomes import Found, Missing
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import OrderStatus, TimeInForce
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import ExchangeOrder
from arbees.rehearsal.kalshi.server import OWNER
from tests.venues.kalshi.rig import TICKER, Rig, rig
from verification.live.scene import MARKET, KalshiScene, kalshi_stage

HIDDEN_SECONDS = 150.0
PAST_SECONDS = 77
"""After this the bytes can no longer be taken, and every read is fresher than that."""


async def lose(scene: KalshiScene, size: str = "50", price: str = "0.20") -> ExchangeOrder:
    """Send an order that is taken, whose answer is lost, and that no list and no stream shows."""
    await scene.send(scene.request("1", "0.40"))
    await scene.settled()
    scene.server.fault(FaultKind.STREAM_SILENT)
    scene.server.fault(FaultKind.HIDDEN, call="create", seconds=HIDDEN_SECONDS)
    scene.server.fault(FaultKind.LOST_AFTER, call="create")
    await scene.send(scene.request(size, price, TimeInForce.GTC), 0.0)
    await scene.until(lambda: scene.exchange.resting(OWNER), moves=False)
    (order,) = scene.exchange.resting(OWNER)
    return order


def status(scene: KalshiScene, order: ExchangeOrder) -> OrderStatus | None:
    """Return how the book has an order; None = it has ended there."""
    known = scene.assembly.gateway.desk.book.orders.get(order.client_order_id)
    return None if known is None else known.status


def recorded(scene: KalshiScene, kind: type[events.Event]) -> list[events.Event]:
    """Return the durable events of a kind."""
    found = [events.decode(each.body) for each in scene.assembly.gateway.desk.journal.records()]
    return [each for each in found if isinstance(each, kind)]


# Absence ---------------------------------------------------------------------------------------


async def test_an_order_that_only_cash_shows_stays_unknown() -> None:
    """Lists leave it out for 150 s while cash is honest: reserved all the while, then found."""
    async with kalshi_stage() as scene:
        order = await lose(scene)
        worst = scene.assembly.gateway.desk.book.markets[MARKET].worst
        assert worst >= 10 * MICRO
        for _ in range(28):
            await scene.pass_time(5)
            assert status(scene, order) is OrderStatus.UNKNOWN
            assert scene.assembly.gateway.desk.book.markets[MARKET].worst == worst
        assert not recorded(scene, events.OrderNotSent)
        # What an unknown order may have taken is no break of cash.
        assert not scene.assembly.gateway.desk.book.breaks
        scene.server.heal()
        await scene.settled()
        assert status(scene, order) is OrderStatus.WORKING


async def test_an_order_that_never_arrived_is_absent_with_its_evidence() -> None:
    """The same silence, and the cash is all there: it ends, each item on record, cash among it."""
    async with kalshi_stage() as scene:
        await scene.settled()
        scene.server.fault(FaultKind.LOST_BEFORE, call="create")
        await scene.send(scene.request("50", "0.20", TimeInForce.GTC), 0.0)
        await scene.pass_time(PAST_SECONDS + 20)
        (absent,) = recorded(scene, events.OrderNotSent)
        assert isinstance(absent, events.OrderNotSent)
        assert any(each.startswith("cash of Kalshi:3: ") for each in absent.evidence)
        await scene.settled()


async def test_cash_that_moved_otherwise_proves_nothing() -> None:
    """Money that vanished meanwhile may be what the order took: it ends once that is explained."""
    async with kalshi_stage() as scene:
        await scene.settled()
        scene.server.fault(FaultKind.LOST_BEFORE, call="create")
        await scene.send(scene.request("50", "0.20", TimeInForce.GTC), 0.0)
        scene.exchange.money.move(3, -5 * MICRO)  # and no list tells of it
        await scene.pass_time(PAST_SECONDS + 20)
        assert not recorded(scene, events.OrderNotSent)
        scene.exchange.money.move(3, 5 * MICRO)
        await scene.pass_time(30)
        assert recorded(scene, events.OrderNotSent)


async def test_a_transfer_that_the_venue_lists_does_not_keep_an_order_unknown() -> None:
    """Cash that moved between shards is explained by Kalshi's list of it."""
    async with kalshi_stage() as scene:
        await scene.settled()
        scene.server.fault(FaultKind.LOST_BEFORE, call="create")
        await scene.send(scene.request("50", "0.20", TimeInForce.GTC), 0.0)
        scene.exchange.money.transfer(3, 0, 5 * MICRO)
        await scene.pass_time(PAST_SECONDS + 40)
        assert recorded(scene, events.OrderNotSent)
        assert not scene.assembly.gateway.desk.book.breaks
        await scene.settled()


# The archive -----------------------------------------------------------------------------------


def put_away(made: Rig) -> None:
    """Let everything until now be in the archive alone."""
    now_ns = made.exchange.now_ns() + 1
    made.exchange.archive.set_ns.update(orders=now_ns, fills=now_ns)


async def test_fills_of_the_archive_explain_a_position() -> None:
    """Thirty archived contracts and ten recent ones, forty held: an absence can be shown."""
    async with rig() as made:
        for _ in range(3):
            await made.send(made.order(contracts=10))
        put_away(made)
        await made.send(made.order(contracts=10))
        found = await made.venue.find("arb-none", TICKER, made.clock.now_ns() - 100 * NS_PER_SECOND)
        assert isinstance(found, Missing)
        assert any(each.startswith("position: 40.00") for each in found.evidence)


async def test_an_archived_order_is_found_with_its_fills() -> None:
    """Order and fills are older than the cutoffs: presence all the same."""
    async with rig() as made:
        order = made.order(contracts=5)
        await made.send(order)
        put_away(made)
        sent_ns = made.clock.now_ns() - 100 * NS_PER_SECOND
        found = await made.venue.find(order.client_order_id, TICKER, sent_ns)
        assert isinstance(found, Found)
        assert sum(each.quantity for each in found.fills) == 5 * MICRO
        assert found.closed == "filled"


async def test_lists_are_whole_over_the_cutoff() -> None:
    """What was placed and filled before and after it, each once."""
    async with rig() as made:
        await made.send(made.order(contracts=5))
        put_away(made)
        await made.send(made.order(contracts=6))
        assert len(await made.venue.placed(0)) == 2
        assert sorted(each.quantity for each in await made.venue.fills(0)) == [5 * MICRO, 6 * MICRO]


# Odd rows --------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["client_order_id", "fill_count_fp", "book_side", "status"])
async def test_an_odd_row_of_another_program_is_its_own_trouble(field: str) -> None:
    """A null where text is meant: ours are listed, looked up and found absent as before."""
    async with rig() as made:
        ours = made.order(cents=20, time_in_force=TimeInForce.GTC)
        await made.send(ours)
        made.exchange.create(_stranger(made.exchange.new_order_id(), made.clock.now_ns()))
        _null(made.venue.portfolio, "theirs", field)
        assert ours.client_order_id in {
            each.client_order_id for each in await made.venue.open_orders()
        }
        sent_ns = made.clock.now_ns() - 100 * NS_PER_SECOND
        assert isinstance(await made.venue.find("arb-none", TICKER, sent_ns), Missing)
        assert {each.pool for each in await made.venue.balances()} >= {"Kalshi", "Kalshi:3"}


def _stranger(order_id: str, now_ns: int) -> ExchangeOrder:
    return ExchangeOrder(
        order_id=order_id,
        owner=OWNER,
        client_order_id="theirs",
        ticker=TICKER,
        is_bid=True,
        price=100_000,
        count=MICRO,
        time_in_force="good_till_canceled",
        created_ns=now_ns,
        updated_ns=now_ns,
    )


def _null(portfolio: object, name: str, field: str) -> None:
    """Let a field of the order that has a name come as null."""
    take = portfolio._take  # type: ignore[attr-defined]

    def nulled(raw: bytes, shape: object, found: object) -> None:
        import json

        row = json.loads(raw)
        if row.get("client_order_id") == name:
            row[field] = None
        take(json.dumps(row).encode(), shape, found)

    portfolio._take = nulled  # type: ignore[attr-defined]
