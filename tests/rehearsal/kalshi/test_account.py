"""The account at the simulated Kalshi: groups, cash, archive, subaccounts, keys, rate limits."""

import time
from typing import Any

import pytest

from arbees.core.language.strict_json import format_time
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.money import LIVE_NS, returned
from arbees.rehearsal.kalshi.engine.rules import OWNER, part_of
from tests.rehearsal.kalshi.served import (
    MARKET,
    NFL,
    Served,
    book,
    served,
)

GROUPS = "/portfolio/order_groups"
ORDERS = "/portfolio/events/orders"
IOC = "immediate_or_cancel"


async def cash(made: Served) -> dict[str, float]:
    """Return what can be spent, by shard."""
    rows = (await made.get("/portfolio/balance")).body["balance_breakdown"]
    return {str(each["exchange_index"]): float(each["balance"]) for each in rows}


# Order groups ----------------------------------------------------------------------------------


async def test_a_group_is_found_on_its_own_shard_alone() -> None:
    """Without the parameter a write looks on shard 0; reads find it anyway, and it is listed."""
    async with served() as made:
        body = {"contracts_limit": 10, "exchange_index": 3}
        group = (await made.call("POST", f"{GROUPS}/create", body)).body["order_group_id"]
        for query in ({}, {"exchange_index": "0"}, {"exchange_index": "2"}):
            for word in ("trigger", "reset"):
                answer = await made.call("PUT", f"{GROUPS}/{group}/{word}", {}, query=query)
                assert answer.status == 404
            assert (await made.call("DELETE", f"{GROUPS}/{group}", query=query)).status == 404
        query = {"exchange_index": "3"}
        for word in ("trigger", "reset"):
            answer = await made.call("PUT", f"{GROUPS}/{group}/{word}", {}, query=query)
            assert answer.status == 200
        assert (await made.get(f"{GROUPS}/{group}")).status == 200
        (listed,) = (await made.get(GROUPS)).body["order_groups"]
        assert (listed["id"], listed["exchange_index"]) == (group, 3)
        assert (await made.call("DELETE", f"{GROUPS}/{group}", query=query)).status == 200
        refused = await made.create(MARKET, order_group_id=group)
        assert refused.body["error"]["code"] == "order_group_not_found"


# Cash ------------------------------------------------------------------------------------------


async def test_what_resting_orders_hold_is_for_members_of_an_fcm() -> None:
    """403 for everybody else."""
    path = "/portfolio/summary/total_resting_order_value"
    async with served() as made:
        await made.control("account", is_fcm=False)
        assert (await made.get(path)).body["error"]["code"] == "permission_denied"
        await made.control("account", is_fcm=True)
        assert (await made.get(path)).status == 200


async def test_money_moves_without_a_trade_and_is_listed_where_its_kind_is() -> None:
    """Interest and corrections are nowhere but in the balance."""
    async with served() as made:
        before = await cash(made)
        for asked in (
            {"kind": "interest", "amount": "1.37", "shard": 3},
            {"kind": "correction", "amount": "-500"},
            {"kind": "deposit", "amount": "25"},
            {"kind": "withdrawal", "amount": "10"},
            {"kind": "transfer", "amount": "7.5", "shard": 0, "to_shard": 3},
            {"kind": "internal", "amount": "2", "to_subaccount": 4},
        ):
            await made.control("cash", **asked)
        after = await cash(made)
        moved = {shard: round(after[shard] - before[shard], 2) for shard in after}
        assert moved == {"0": -494.5, "1": 0, "2": 0, "3": 8.87}
        lists = {
            "/portfolio/deposits": ("deposits", "amount_cents", 2_500),
            "/portfolio/withdrawals": ("withdrawals", "amount_cents", 1_000),
            "/portfolio/intra_exchange_instance_transfers": ("transfers", "amount", "7.5000"),
            "/portfolio/subaccounts/transfers": ("transfers", "amount_cents", 200),
        }
        for path, (name, field, value) in lists.items():
            (row,) = (await made.get(path)).body[name]
            assert row[field] == value


def test_collateral_is_what_cannot_be_lost_together() -> None:
    """Of No in several markets of which one ends Yes, all but the largest; of Yes nothing."""
    assert returned({"A": -5, "B": -3, "C": -4}) == 7
    assert returned({"A": -5}) == 0
    assert returned({"A": 5, "B": 3}) == 0
    assert returned({}) == 0


async def test_an_event_gives_collateral_back_and_takes_it_from_the_end() -> None:
    """No of two exclusive markets costs less at once; in the end the sum is the same."""
    async with served() as made:
        other = f"{MARKET.rpartition('-')[0]}-HOU"
        made.server.show(book(other), shard=3)
        await made.control("account", exclusive=MARKET.rpartition("-")[0])
        before = (await cash(made))["3"]
        for market in (MARKET, other):
            await made.create(market, side="ask", price="0.3800", count="10", time_in_force=IOC)
        fees = 2 * 0.1650  # 0.07 x 10 x 0.38 x 0.62 = 0.16492, on the grid
        spent = before - (await cash(made))["3"]
        assert spent == pytest.approx(2 * 6.2 + fees - 10, abs=1e-3)
        made.server.exchange.settle(MARKET, "yes")
        made.server.exchange.settle(other, "no")
        assert (await cash(made))["3"] - before == pytest.approx(10 - 2 * 6.2 - fees, abs=1e-3)


# Archive ---------------------------------------------------------------------------------------


async def test_what_is_two_weeks_old_is_in_the_archive_alone() -> None:
    """Ended orders and fills; what rests stays, cash and positions know all of it."""
    later_ns = [0]
    async with served(now_ns=lambda: time.time_ns() + later_ns[0]) as made:
        await made.create(MARKET, price="0.4000", count="3", time_in_force=IOC)
        rests = (await made.create(MARKET, price="0.1000")).body["order_id"]
        later_ns[0] = LIVE_NS + NS_PER_SECOND
        # The caller's clock stays where it was.
        made.server.fault(FaultKind.CLOCK_SKEW, seconds=-later_ns[0] / NS_PER_SECOND)
        await made.create(MARKET, price="0.4000", count="2", time_in_force=IOC)
        live = (await made.get("/portfolio/orders")).body["orders"]
        old = (await made.get("/historical/orders")).body["orders"]
        assert rests in {each["order_id"] for each in live}
        assert [each["fill_count_fp"] for each in old] == ["3.00"]
        assert {each["order_id"] for each in live}.isdisjoint(each["order_id"] for each in old)
        assert (await made.get(f"/portfolio/orders/{old[0]['order_id']}")).status == 404
        fills = {
            path: [each["count_fp"] for each in (await made.get(path)).body["fills"]]
            for path in ("/portfolio/fills", "/historical/fills")
        }
        assert fills == {"/portfolio/fills": ["2.00"], "/historical/fills": ["3.00"]}
        (held,) = (await made.get("/portfolio/positions")).body["market_positions"]
        assert held["position_fp"] == "5.00"


async def test_cutoffs_can_be_set_and_are_told() -> None:
    """One for orders, one for fills."""
    async with served() as made:
        await made.create(MARKET, price="0.4000", time_in_force=IOC)
        soon = format_time(4_000_000_000 * NS_PER_SECOND)
        await made.control("account", archive_fills=soon)
        told = (await made.get("/historical/cutoff")).body
        assert told["trades_created_ts"] == soon != told["orders_updated_ts"]
        assert (await made.get("/portfolio/fills")).body["fills"] == []
        assert len((await made.get("/portfolio/orders")).body["orders"]) == 1


# Subaccounts and keys --------------------------------------------------------------------------


async def test_what_names_no_subaccount_means_all_or_the_primary() -> None:
    """Orders, fills and cancel-all mean all of them; balance and positions the primary one."""
    async with served() as made:
        made.server.exchange.account(part_of(OWNER, 2)).cash[3] = 50 * MICRO
        await made.create(MARKET, price="0.1000", client_order_id="first")
        await made.create(MARKET, price="0.1100", client_order_id="second", subaccount=2)
        taken = {"price": "0.4000", "time_in_force": IOC, "subaccount": 2}
        await made.create(MARKET, **taken)
        for query, names in (
            ({}, {"first", "second"}),
            ({"subaccount": "0"}, {"first"}),
            ({"subaccount": "2"}, {"second"}),
        ):
            rows = (await made.get("/portfolio/orders", status="resting", **query)).body["orders"]
            assert {each["client_order_id"] for each in rows} == names
        assert (await made.get("/portfolio/positions")).body["market_positions"] == []
        (held,) = (await made.get("/portfolio/positions", subaccount="2")).body["market_positions"]
        assert held["position_fp"] == "1.00"
        (fill,) = (await made.get("/portfolio/fills")).body["fills"]
        assert fill["subaccount_number"] == 2
        assert (await made.get("/portfolio/balance")).body["balance"] == 4_000_000 - 10
        await made.call("DELETE", ORDERS, query={"subaccount": "0"})
        left = (await made.get("/portfolio/orders", status="resting")).body["orders"]
        assert [each["client_order_id"] for each in left] == ["second"]
        path = f"{ORDERS}/{left[0]['order_id']}"
        assert (await made.call("DELETE", path, query={"market_ticker": MARKET})).status == 404
        await made.call("DELETE", ORDERS)
        assert (await made.get("/portfolio/orders", status="resting")).body["orders"] == []


async def test_a_key_is_locked_to_a_subaccount() -> None:
    """It sees and trades that one alone, by name or without; others are 403."""
    async with served() as made:
        made.server.exchange.account(part_of(OWNER, 2)).cash[3] = 50 * MICRO
        await made.create(MARKET, price="0.1000")
        await made.control("account", subaccount=2)
        assert (await made.get("/portfolio/orders")).body["orders"] == []
        assert (await made.get("/portfolio/balance")).body["balance"] == 5_000
        for asked in ({}, {"subaccount": 2}):
            assert (await made.create(MARKET, price="0.1000", **asked)).status == 201
        assert (await made.create(MARKET, price="0.1000", subaccount=1)).status == 403
        assert (await made.get("/portfolio/orders", subaccount="0")).status == 403
        (key,) = (await made.get("/api_keys")).body["api_keys"]
        assert key["subaccount"] == 2


async def test_scopes_and_the_place_of_the_account_bound_a_key() -> None:
    """A reading key places nothing; after its date no key trades sports."""
    async with served() as made:
        await made.control("account", scopes=["read"])
        assert (await made.create(MARKET)).status == 403
        assert (await made.get("/portfolio/orders")).status == 200
        past = format_time(NS_PER_SECOND)
        await made.control("account", scopes=["read", "write::trade"], region_expires=past)
        told = (await made.get("/api_keys")).body
        assert told["api_key_region_expiration_ts"] == 1
        assert told["api_keys"][0]["scopes"] == ["read", "write::trade"]
        assert (await made.create(MARKET)).status == 403


@pytest.mark.parametrize(
    ("asked", "again", "taken"),
    [
        ({"exchange_index": 3}, {"exchange_index": 0, "market": NFL}, True),
        ({"exchange_index": 0, "market": NFL}, {"exchange_index": 0, "market": NFL}, False),
        ({}, {"exchange_index": 3}, False),
        ({"exchange_index": 3}, {}, False),
    ],
)
async def test_a_write_that_names_its_shard_pays_there_alone(
    asked: dict[str, Any], again: dict[str, Any], taken: bool
) -> None:
    """One that does not pays everywhere; 429 has no word of when to come again."""
    async with served(now_ns=lambda: 1_750_000_000 * NS_PER_SECOND) as made:
        made.server.show(book(NFL))
        made.server.fault(FaultKind.CLOCK_SKEW, seconds=time.time() - 1_750_000_000)
        made.server.rest.set_limits((100.0, 100.0), (10.0, 10.0))
        first = await made.create(asked.pop("market", MARKET), **asked)
        second = await made.create(again.pop("market", MARKET), **again)
        assert first.status == 201
        assert second.status == (201 if taken else 429)
        if not taken:
            assert second.body == {"error": "too many requests"}


async def test_thursdays_have_a_pause() -> None:
    """In the schedule, from three to five."""
    async with served() as made:
        (week,) = (await made.get("/exchange/schedule")).body["schedule"]["standard_hours"]
        assert [each["close_time"] for each in week["thursday"]] == ["03:00", "24:00"]
        assert [each["close_time"] for each in week["friday"]] == ["24:00"]
