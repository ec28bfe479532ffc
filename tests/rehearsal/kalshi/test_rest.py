"""The REST side of the simulated Kalshi: pages, errors in four shapes, rate limits, reads."""

from typing import Any

import pytest

from arbees.core.language.units import NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from tests.rehearsal.kalshi.served import (
    MARKET,
    NFL,
    START_NS,
    book,
    served,
)
from tools.conformity.caller import ORDERS

IOC = "immediate_or_cancel"


# Pages -----------------------------------------------------------------------------------------


async def test_pages_follow_each_other_to_the_end() -> None:
    """Newest first, each order once, an empty cursor on the last page."""
    async with served() as made:
        placed = [(await made.create(MARKET)).body["order_id"] for _ in range(5)]
        found, cursor = [], ""
        for _ in range(3):
            page = (await made.get("/portfolio/orders", limit="2", cursor=cursor)).body
            found += [each["order_id"] for each in page["orders"]]
            cursor = page["cursor"]
        assert found == placed[::-1]
        assert cursor == ""


async def test_a_cursor_of_nobody_is_the_first_page() -> None:
    """As recorded: no error, and nothing tells that it was none."""
    async with served() as made:
        await made.create(MARKET)
        answer = await made.get("/portfolio/orders", cursor="garbage")
        assert (answer.status, len(answer.body["orders"])) == (200, 1)


@pytest.mark.parametrize(
    "query", [{"limit": "1001"}, {"limit": "0"}, {"limit": "x"}, {"min_ts": "yesterday"}]
)
async def test_a_bad_query_is_refused_in_its_own_shape(query: dict[str, str]) -> None:
    """400 and `{"msg": ...}`."""
    async with served() as made:
        answer = await made.get("/portfolio/orders", **query)
        assert answer.status == 400
        assert list(answer.body) == ["msg"]


async def test_lists_take_filters() -> None:
    """By ticker, status and time, and any of them together."""
    async with served() as made:
        made.server.show(book(NFL))
        await made.create(MARKET)
        await made.create(NFL, price="0.4000", time_in_force=IOC)

        async def count(path: str, **query: str) -> int:
            body = (await made.get(path, **query)).body
            return len(next(iter(body.values())))

        orders = "/portfolio/orders"
        assert await count(orders) == 2
        assert await count(orders, ticker=MARKET) == 1
        assert await count(orders, ticker=f"{MARKET},{NFL}") == 2
        assert await count(orders, status="executed", ticker=NFL) == 1
        assert await count(orders, status="canceled") == 0
        assert await count(orders, min_ts="9999999999") == 0
        assert await count("/portfolio/fills", ticker=NFL) == 1
        assert await count("/portfolio/fills", order_id="none") == 0
        assert await count("/portfolio/positions", ticker=MARKET) == 0
        assert await count("/markets", tickers=NFL) == 1


# Errors ----------------------------------------------------------------------------------------


async def test_errors_have_four_shapes() -> None:
    """Nested, of a query, flat, and plain; never a `service`, which is gone."""
    async with served() as made:
        nested = await made.create(MARKET, price="0.4050")
        assert (nested.status, nested.body) == (
            400,
            {"error": {"code": "invalid_price", "message": "invalid price"}},
        )
        query = await made.get("/portfolio/orders", limit="0")
        assert (query.status, query.body) == (400, {"msg": "invalid limit: 0"})
        unread = await made.call("POST", ORDERS, b"{")
        assert (unread.status, list(unread.body)) == (400, ["code", "message", "details"])
        made.server.rest.set_limits((1.0, 5.0), (1.0, 5.0))
        fast = await made.create(MARKET)
        assert (fast.status, fast.body) == (429, {"error": "too many requests"})


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff"])
async def test_a_body_that_is_none_is_a_bad_request(body: bytes) -> None:
    """JSON that cannot be read, or is no object."""
    async with served() as made:
        answer = await made.call("POST", ORDERS, body)
        assert (answer.status, answer.body["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"count": 1}, "bad_request"),
        ({"price": 0.4}, "bad_request"),
        ({"count": "1.001"}, "invalid_parameters"),
        ({"price": "0.40001"}, "invalid_parameters"),
        ({"price": "dear"}, "invalid_parameters"),
        ({"side": "yes"}, "invalid_parameters"),
        ({"ticker": ""}, "invalid_parameters"),
        ({"time_in_force": "day"}, "invalid_parameters"),
        ({"self_trade_prevention_type": ""}, "invalid_parameters"),
        ({"client_order_id": "a.b"}, "invalid_parameters"),
        ({"client_order_id": "x" * 65}, "invalid_parameters"),
        ({"expiration_time": "soon"}, "invalid_parameters"),
        ({"expiration_time": 9_999_999_999, "time_in_force": IOC}, "invalid_parameters"),
        ({"reduce_only": True}, "invalid_parameters"),
    ],
)
async def test_fields_are_read_strictly(more: dict[str, Any], code: str) -> None:
    """Numbers as text, words of the list, ids without a full stop; nothing is placed."""
    async with served() as made:
        answer = await made.create(MARKET, **more)
        said = answer.body.get("error", answer.body)["code"]
        assert (answer.status, said) == (400, code)
        assert (await made.get("/portfolio/orders")).body["orders"] == []


async def test_the_first_version_is_shut() -> None:
    """410 for its orders and cancels."""
    async with served() as made:
        for method, path in (("POST", "/portfolio/orders"), ("DELETE", "/portfolio/orders/x")):
            answer = await made.call(method, path, {} if method == "POST" else None)
            code = answer.body["error"]["code"]
            assert (answer.status, code) == (410, "deprecated_v1_order_endpoint")


# Rate limits -----------------------------------------------------------------------------------


async def test_buckets_are_paid_and_refilled_by_the_clock() -> None:
    """An order costs ten, a cancel two; reads have their own; who waits may go on."""
    now_ns = START_NS

    async with served() as made:
        made.server.exchange.now_ns = lambda: now_ns
        made.server.rest.set_limits((10.0, 10.0), (10.0, 22.0))
        first = await made.create(MARKET)
        assert first.status == 201
        assert (await made.create(MARKET)).status == 201
        assert (await made.create(MARKET)).status == 429
        path = f"{ORDERS}/{first.body['order_id']}"
        assert (await made.call("DELETE", path, query={"market_ticker": MARKET})).status == 200
        assert (await made.get("/portfolio/balance")).status == 200
        assert (await made.get("/portfolio/balance")).status == 429
        now_ns += NS_PER_SECOND
        assert (await made.create(MARKET)).status == 201
        assert made.server.rest.over_limit == 2


async def test_a_batch_pays_for_each_of_its_items_at_once() -> None:
    """One that does not fit is refused as a whole, and nothing of it is placed."""
    async with served() as made:
        made.server.rest.set_limits((10.0, 100.0), (0.001, 25.0))
        item = {
            "ticker": MARKET,
            "side": "bid",
            "count": "1.00",
            "price": "0.0100",
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "maker",
        }
        three = await made.call("POST", f"{ORDERS}/batched", {"orders": [item] * 3})
        assert three.status == 429
        two = await made.call("POST", f"{ORDERS}/batched", {"orders": [item] * 2})
        assert (two.status, len(two.body["orders"])) == (201, 2)


# Reads -----------------------------------------------------------------------------------------


async def test_a_cancel_without_its_market_goes_to_shard_0() -> None:
    """An order on another shard is not found there; with ticker or shard it is."""
    async with served() as made:
        order = (await made.create(MARKET)).body["order_id"]
        other = (await made.create(MARKET)).body["order_id"]
        path = f"{ORDERS}/{order}"
        assert (await made.call("DELETE", path)).status == 404
        assert (await made.call("DELETE", path, query={"market_ticker": MARKET})).status == 200
        by_shard = await made.call("DELETE", f"{ORDERS}/{other}", query={"exchange_index": "3"})
        assert by_shard.status == 200


async def test_the_balance_is_told_by_shard_and_cut_to_cents() -> None:
    """What rests is taken off its shard; the cents are cut, not rounded."""
    async with served() as made:
        made.server.desk.is_fcm = True
        await made.create(MARKET, price="0.3900", count="2.50")
        body = (await made.get("/portfolio/balance")).body
        assert body["balance_dollars"] == "39999.0250"
        assert body["balance"] == 3_999_902
        parts = {each["exchange_index"]: each["balance"] for each in body["balance_breakdown"]}
        assert parts == {0: "10000.0000", 1: "10000.0000", 2: "10000.0000", 3: "9999.0250"}
        path = "/portfolio/summary/total_resting_order_value"
        held = (await made.get(path)).body["resting_order_value_breakdown"]
        assert {each["exchange_index"]: each["balance"] for each in held}[3] == "0.9750"


async def test_a_book_is_bids_of_both_outcomes_ascending() -> None:
    """The best of each is the last; what asks for Yes bids for No."""
    async with served() as made:
        await made.create(MARKET, price="0.1000")
        found = (await made.get(f"/markets/{MARKET}/orderbook")).body["orderbook_fp"]
        assert found == {
            "yes_dollars": [["0.1000", "1.00"], ["0.3800", "100.00"]],
            "no_dollars": [["0.6000", "100.00"]],
        }


async def test_reads_lag_as_long_as_they_are_told_to() -> None:
    """Orders, fills and positions are those of then, and their freshness says so."""
    async with served() as made:
        await made.create(MARKET, price="0.4000", time_in_force=IOC)
        made.server.fault(FaultKind.READ_LAG, seconds=30)
        for path in ("/portfolio/orders", "/portfolio/fills", "/portfolio/positions"):
            body = (await made.get(path)).body
            assert next(iter(body.values())) == []
        made.server.heal()
        assert len((await made.get("/portfolio/fills")).body["fills"]) == 1


async def test_the_control_tells_everything() -> None:
    """Orders, fills, positions and cash as the exchange itself keeps them."""
    async with served() as made:
        await made.create(MARKET, price="0.4000", count="3.00", time_in_force=IOC)
        state = await made.state()
        assert len(state["orders"]) == len(state["fills"]) == 1
        assert state["positions"] == {MARKET: "3.00"}
        assert state["cash"]["3"] == "9998.749600"
        assert (state["over_limit"], state["repeated_signatures"]) == (0, 0)
