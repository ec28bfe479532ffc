"""What people do at the web site of the simulated Kalshi, and what it tells that never happened."""

import time
from typing import Any

import msgspec
import pytest

from arbees.core.language.units import NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import Status
from tests.rehearsal.kalshi.served import MARKET, Served, served
from tests.rehearsal.kalshi.stand import CENT, Stand

ORDERS = "/portfolio/events/orders"


async def placed(made: Served, **more: Any) -> str:
    """Let an order of five at $0.30 rest."""
    answer = await made.create(MARKET, price="0.3000", count="5.00", client_order_id="mine", **more)
    name: str = answer.body["order_id"]
    return name


async def listed(made: Served, order: str) -> dict[str, Any]:
    """Return an order as lists have it."""
    rows = (await made.get("/portfolio/orders")).body["orders"]
    found: dict[str, Any] = next(each for each in rows if each["order_id"] == order)
    return found


def sizes(row: dict[str, Any]) -> list[str]:
    """Return state and counts of an order."""
    names = ("status", "initial_count_fp", "fill_count_fp", "remaining_count_fp")
    return [row[name] for name in names]


async def test_an_order_that_was_decreased_ends_with_less_than_asked() -> None:
    """Five asked, decreased to two, two filled: executed."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe("user_orders", market=None)
        order = await placed(made)
        await heard.of("user_order")
        await made.control("order", do="decrease", order="mine", count="2")
        said = (await heard.of("user_order"))["msg"]
        assert (said["last_update_reason"], said["remaining_count_fp"]) == ("Decrease", "2.00")
        await made.control("order", do="trade", order=order, count="9")
        assert sizes(await listed(made, order)) == ["executed", "5.00", "2.00", "0.00"]


@pytest.mark.parametrize(("count", "status"), [("0", "canceled"), ("5", "resting")])
async def test_a_decrease_to_nothing_cancels(count: str, status: str) -> None:
    """To what it has it changes nothing."""
    async with served() as made:
        order = await placed(made)
        await made.control("order", do="decrease", order=order, count=count)
        assert (await listed(made, order))["status"] == status


async def test_an_amended_order_holds_and_trades_as_the_new_one() -> None:
    """Another price and size: what it holds of the cash follows, and it may trade at once."""
    async with served() as made:
        order = await placed(made)
        before = (await made.get("/portfolio/balance")).body["balance"]
        await made.control("order", do="amend", order=order, count="10", price="0.39")
        row = await listed(made, order)
        assert (sizes(row), row["yes_price_dollars"]) == (
            ["resting", "5.00", "0.00", "10.00"],
            "0.3900",
        )
        after = (await made.get("/portfolio/balance")).body["balance"]
        assert before - after == 390 - 150
        await made.control("order", do="amend", order=order, count="10", price="0.40")
        assert sizes(await listed(made, order)) == ["executed", "5.00", "10.00", "0.00"]


async def test_the_calls_for_it_do_the_same() -> None:
    """Decrease and amend over the API; what is wrong is refused by its name."""
    async with served() as made:
        path = f"{ORDERS}/{await placed(made)}"
        less = await made.call("POST", f"{path}/decrease", {"reduce_by": "1.00"})
        assert less.body["remaining_count"] == "4.00"
        both = await made.call("POST", f"{path}/decrease", {"reduce_by": "1", "reduce_to": "1"})
        assert both.status == 400
        body = {"ticker": MARKET, "side": "bid", "price": "0.3100", "count": "6.00"}
        more = await made.call("POST", f"{path}/amend", body)
        assert (more.body["remaining_count"], more.body["fill_count"]) == ("6.00", "0.00")
        wrong = await made.call("POST", f"{path}/amend", body | {"side": "ask"})
        assert wrong.body["error"]["code"] == "order_side_mismatch"


async def test_an_order_made_by_hand_has_no_name() -> None:
    """Null in lists, nothing in its fills; it trades like any other."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe("fill", market=None)
        answer = await made.control("order", do="create", ticker=MARKET, price="0.40", count="2")
        told = answer["order"]
        assert (told["client_order_id"], told["status"]) == (None, "executed")
        assert "client_order_id" not in (await heard.of("fill"))["msg"]


async def test_fills_are_told_that_never_were() -> None:
    """More than remains at a worse price; once more as another trade; money does not move."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe("fill", market=None)
        order = await placed(made)
        before = await made.state()
        await made.control("order", do="invent", order=order, count="9000", price="0.90")
        said = (await heard.of("fill"))["msg"]
        assert (said["order_id"], said["count_fp"], said["yes_price_dollars"]) == (
            order,
            "9000.00",
            "0.9000",
        )
        await made.control("order", do="trade", order=order, count="1")
        first = (await heard.of("fill"))["msg"]
        await made.control("order", do="repeat", order=order, is_listed=True)
        second = (await heard.of("fill"))["msg"]
        assert first["trade_id"] != second["trade_id"]
        assert {**first, "trade_id": ""} == {**second, "trade_id": ""}
        assert len((await made.get("/portfolio/fills")).body["fills"]) == 2
        after = await made.state()
        assert after["positions"] == {MARKET: "1.00"}
        assert float(before["cash"]["3"]) - float(after["cash"]["3"]) == pytest.approx(0.3)


async def test_what_is_hidden_still_costs() -> None:
    """An order and its fills are in no list; cash and position have them, and so has the stream."""
    later_ns = [0]
    clock = {"now_ns": lambda: time.time_ns() + later_ns[0]}
    async with served(**clock) as made, made.stream() as heard:
        await heard.subscribe("user_orders", market=None)
        await made.fault(FaultKind.HIDDEN, seconds=4)
        await made.fault(FaultKind.HIDDEN_FILLS, for_seconds=4)
        before = (await made.get("/portfolio/balance")).body["balance"]
        order = await placed(made)
        assert (await heard.of("user_order"))["msg"]["order_id"] == order
        await made.control("order", do="trade", order=order, count="2")
        assert (await made.get("/portfolio/orders")).body["orders"] == []
        assert (await made.get(f"/portfolio/orders/{order}")).status == 404
        assert (await made.get("/portfolio/fills")).body["fills"] == []
        assert (await made.get("/portfolio/balance")).body["balance"] == before - 150
        (held,) = (await made.get("/portfolio/positions")).body["market_positions"]
        assert held["position_fp"] == "2.00"
        later_ns[0] = 4 * NS_PER_SECOND
        assert len((await made.get("/portfolio/fills")).body["fills"]) == 1
        assert (await listed(made, order))["fill_count_fp"] == "2.00"


@pytest.mark.parametrize("kind", [FaultKind.ANSWERED_INSTEAD, FaultKind.ANSWERED_ONLY])
async def test_a_create_may_be_answered_by_anything(kind: FaultKind) -> None:
    """A refusal in its form, or bytes that are none; taken or not."""
    async with served() as made:
        await made.fault(kind)
        denied = await made.create(MARKET, price="0.1000")
        assert (denied.status, denied.body["error"]["code"]) == (403, "permission_denied")
        await made.fault(kind, status=502, hex=b"caf\xe9".hex())
        with pytest.raises(msgspec.DecodeError):
            await made.create(MARKET, price="0.1000")
        taken = 2 if kind is FaultKind.ANSWERED_INSTEAD else 0
        assert len((await made.get("/portfolio/orders")).body["orders"]) == taken


async def test_any_field_of_an_answer_can_be_another() -> None:
    """Counts of a create; a null in every row; a row more; a field less; by path, as often."""
    async with served() as made:
        edits = {"fill_count": "0.00", "remaining_count": "0.00"}
        await made.fault(FaultKind.EDITED, edits=edits)
        wrong = await made.create(MARKET, price="0.1000")
        assert wrong.body["remaining_count"] == "0.00"
        await made.fault(
            FaultKind.EDITED,
            path="/portfolio/orders",
            edits={"orders/*/client_order_id": None, "orders/1": {"odd": True}},
            drops=["orders/0/created_time"],
        )
        first, more = (await made.get("/portfolio/orders")).body["orders"]
        assert (first["client_order_id"], "created_time" in first, more) == (
            None,
            False,
            {"odd": True},
        )
        (well,) = (await made.get("/portfolio/orders")).body["orders"]
        assert well["status"] == "resting"


async def test_a_stream_says_anything() -> None:
    """A message out of turn, and bytes that are no text."""
    async with served() as made, made.stream() as heard:
        await heard.subscribe("user_orders", market=None)
        message = {"type": "user_order", "msg": {"order_id": None}}
        await made.control("say", channel="user_orders", message=message)
        assert (await heard.of("user_order"))["msg"] == {"order_id": None}


def test_less_keeps_its_place_and_more_loses_it() -> None:
    """Of two at one price the decreased one is first, the enlarged one last."""
    stand = Stand()
    first, second = stand.place("ann", 30, 5), stand.place("bob", 30, 5)
    stand.exchange.by_hand.decrease(first, 3_000_000)
    assert stand.market.bids == [first, second]
    stand.wait(1)
    stand.exchange.by_hand.amend(first, 4_000_000, 30 * CENT)
    assert stand.market.bids == [second, first]
    assert first.status is Status.RESTING
