"""The queue of expiries: in order, once, and no larger than what works."""

from arbees.core.language.words import Platform
from arbees.venues.paper.expiries import Expiries
from arbees.venues.paper.state import PaperOrder
from tests.venues.paper.rig import BUY, GTC, GTD, YES


def an_order(name: str, sequence: int, expires_ns: int | None) -> PaperOrder:
    """Return a working order, GTD if it expires."""
    return PaperOrder(
        client_order_id=name,
        order_id=name,
        platform=Platform.KALSHI,
        market_id="M",
        market_key="M",
        side=YES,
        outcome=YES,
        action=BUY,
        quantity=1,
        limit_price=1,
        time_in_force=GTC if expires_ns is None else GTD,
        expires_ns=expires_ns,
        created_ns=0,
        updated_ns=0,
        sequence=sequence,
    )


def test_due_orders_come_earliest_first_then_oldest_and_once() -> None:
    """Restored or new, each comes when due; ended ones and those without expiry never."""
    working = {"old": an_order("old", 1, 50), "forever": an_order("forever", 2, None)}
    expiries = Expiries(working)
    for name, sequence, due in (("twin", 4, 50), ("first", 3, 40), ("ended", 5, 30)):
        working[name] = an_order(name, sequence, due)
        expiries.watch(working[name])
    del working["ended"]
    assert expiries.next_due_ns() == 40
    assert expiries.take_due(39) is None
    found = []
    while (order := expiries.take_due(50)) is not None:
        found.append(order.client_order_id)
        del working[order.client_order_id]
    assert found == ["first", "old", "twin"]
    assert expiries.next_due_ns() is None


def test_ended_orders_do_not_pile_up() -> None:
    """Short-lived orders with far expiries leave no queue behind."""
    working: dict[str, PaperOrder] = {}
    expiries = Expiries(working)
    for number in range(1_000):
        working["x"] = an_order("x", number, 10**18 + number)
        expiries.watch(working["x"])
        del working["x"]
        working["y"] = an_order("y", number, None)
    assert len(expiries) < 100
