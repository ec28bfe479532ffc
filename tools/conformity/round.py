"""A round through all that we ask of Kalshi, good calls and bad ones, one after the other."""

from typing import Any

from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import TickRange
from arbees.rehearsal.kalshi.server import KalshiServer
from tools.conformity.caller import GROUPS, ORDERS, ROOT, Caller

READS = (
    "/account/limits",
    "/account/endpoint_costs",
    "/exchange/status",
    "/exchange/schedule",
    "/exchange/user_data_timestamp",
    "/markets",
    "/portfolio/balance",
    "/portfolio/fills",
    "/portfolio/orders",
    "/portfolio/positions",
    "/portfolio/settlements",
    "/portfolio/summary/total_resting_order_value",
    "/portfolio/deposits",
    "/portfolio/withdrawals",
    "/portfolio/intra_exchange_instance_transfers",
    "/portfolio/subaccounts/transfers",
    "/portfolio/subaccounts/balances",
    "/historical/cutoff",
    "/historical/orders",
    "/historical/fills",
    "/historical/positions",
    "/series/fee_changes",
    "/events/fee_changes",
    "/incentive_programs",
    "/api_keys",
    GROUPS,
)
"""What is read without naming anything."""
IOC = "immediate_or_cancel"
FOK = "fill_or_kill"


async def go_round(caller: Caller, server: KalshiServer, ticker: str, other: str) -> None:
    """
    Make every call at least once in every state that changes its answer.

    Args:
        caller: of the account.
        server: whose faults are set for what no caller can bring about.
        ticker: of a market with a book.
        other: of one on another shard, which is settled at the end.
    """
    await _reads(caller, ticker)  # of an account that did nothing
    await _orders(caller, ticker)
    await _batches(caller, ticker)
    await _groups(caller, ticker)
    await _bad_orders(caller, ticker)
    await _strangers(caller)
    await caller.create(other, price="0.9900", count="2.50", time_in_force=IOC)
    await caller.create(other, side="ask", price="0.0100", count="7", time_in_force=IOC)
    await _reads(caller, ticker)
    _move(server, ticker)
    server.exchange.lifecycle.determine(other, MICRO // 2)
    await caller.call("GET", f"/markets/{other}")
    server.exchange.lifecycle.finalize(other)
    await _reads(caller, ticker)
    server.exchange.lifecycle.archive(other)
    server.exchange.archive.set_ns.update(orders=1 << 61, fills=1 << 61)
    await _reads(caller, ticker)
    await caller.call("GET", f"/historical/markets/{other}")
    server.exchange.archive.set_ns.clear()
    await caller.call("GET", f"/markets/{other}")
    await caller.create(other)
    server.desk.is_fcm = True
    await caller.call("GET", "/portfolio/summary/total_resting_order_value")
    await _pauses(caller, server, ticker)


def _move(server: KalshiServer, ticker: str) -> None:
    """Let money and fees move, and tick and close of a market, so that lists have something."""
    exchange, event = server.exchange, ticker.rpartition("-")[0]
    exchange.money.deposit(5 * MICRO)
    exchange.money.deposit(-MICRO)
    exchange.money.transfer(0, 3, MICRO)
    exchange.money.lend(0, 2, MICRO)
    later_ns = exchange.now_ns() + 3_600 * NS_PER_SECOND
    for name in (event, event.partition("-")[0]):
        exchange.lifecycle.charge(name, "quadratic_with_maker_fees", at_ns=later_ns)
    exchange.lifecycle.charge(event, "quadratic", 2 * MICRO)
    exchange.lifecycle.move_close(ticker, later_ns)
    exchange.lifecycle.set_ticks(ticker, TickRange(0, MICRO, 1_000))


async def _reads(caller: Caller, ticker: str) -> None:
    for path in READS:
        await caller.call("GET", path)
    event = ticker.rpartition("-")[0]
    await caller.call("GET", f"/markets/{ticker}")
    await caller.call("GET", f"/markets/{ticker}/orderbook")
    await caller.call("GET", f"/events/{event}")
    await caller.call("GET", f"/series/{event.partition('-')[0]}")
    await caller.call("GET", "/milestones", query={"related_event_ticker": event, "limit": "10"})
    for path in ("/markets/NONE", "/markets/NONE/orderbook", "/events/NONE"):
        await caller.call("GET", path)
    await caller.call("GET", "/markets", query={"tickers": ticker, "limit": "1000"})
    for path in ("/portfolio/orders", "/portfolio/fills"):
        await caller.call("GET", path, query={"ticker": ticker, "limit": "1", "min_ts": "0"})
        await caller.call("GET", path, query={"limit": "1001"})
        await caller.call("GET", path, query={"cursor": "garbage"})
        await caller.call("GET", path, query={"min_ts": "yesterday"})
    for status in ("resting", "canceled", "executed"):
        await caller.call("GET", "/portfolio/orders", query={"status": status})
    await caller.call("GET", "/portfolio/positions", query={"settlement_status": "unsettled"})


async def _orders(caller: Caller, ticker: str) -> None:
    placed = await caller.create(ticker, cancel_order_on_pause=True)
    order = placed.body["order_id"]
    await caller.call("GET", f"/portfolio/orders/{order}")
    await caller.call("POST", f"{ORDERS}/{order}/decrease", {"reduce_by": "0.50"})
    body = {"ticker": ticker, "side": "bid", "price": "0.0200", "count": "2.00"}
    await caller.call("POST", f"{ORDERS}/{order}/amend", body)
    await caller.call("POST", f"{ORDERS}/{order}/amend", body | {"side": "ask"})
    await caller.call("DELETE", f"{ORDERS}/{order}", query={"market_ticker": ticker})
    await caller.call("DELETE", f"{ORDERS}/{order}", query={"market_ticker": ticker})
    await caller.call("GET", f"/portfolio/orders/{order}")
    await caller.call("GET", "/portfolio/orders/00000000-0000-0000-0000-000000000000")
    for more in (
        {"price": "0.9900", "time_in_force": IOC},
        {"price": "0.9900", "time_in_force": FOK, "count": "2"},
        {"price": "0.0100", "time_in_force": IOC},
        {"price": "0.0100", "side": "ask", "time_in_force": IOC, "reduce_only": True},
        {"price": "0.0100", "expiration_time": 4_000_000_000, "post_only": True},
        {"price": "0.9900", "count": "500000", "time_in_force": IOC},
    ):
        await caller.create(ticker, **more)
    for stp in ("taker_at_cross", "maker"):  # one meets its own order
        await caller.create(ticker, price="0.3900", self_trade_prevention_type=stp)
        await caller.create(ticker, side="ask", price="0.3900", self_trade_prevention_type=stp)
    await caller.call("DELETE", ORDERS)
    await caller.call("POST", "/portfolio/orders", {"ticker": ticker})
    await caller.call("DELETE", f"/portfolio/orders/{order}")


async def _batches(caller: Caller, ticker: str) -> None:
    item = {
        "ticker": ticker,
        "side": "bid",
        "count": "1.00",
        "price": "0.0100",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "maker",
    }
    orders: list[dict[str, Any]] = [
        item | {"client_order_id": "batch-1"},
        item | {"client_order_id": "batch-1"},
        item | {"client_order_id": "batch-2", "price": "0.9900", "time_in_force": IOC},
        item | {"client_order_id": "batch-3", "price": "0.0151"},
    ]
    placed = await caller.call("POST", f"{ORDERS}/batched", {"orders": orders})
    named = [each["order_id"] for each in placed.body["orders"] if each.get("order_id")]
    gone = [{"order_id": each, "market_ticker": ticker} for each in [*named, "none"]]
    await caller.call("DELETE", f"{ORDERS}/batched", {"orders": gone})


async def _groups(caller: Caller, ticker: str) -> None:
    made = await caller.call("POST", f"{GROUPS}/create", {"contracts_limit": 10})
    group = made.body["order_group_id"]
    await caller.create(ticker, order_group_id=group)
    await caller.call("GET", GROUPS)
    await caller.call("GET", f"{GROUPS}/{group}")
    shard = {"exchange_index": "0"}
    await caller.call("PUT", f"{GROUPS}/{group}/limit", {"contracts_limit": 20}, query=shard)
    await caller.call("PUT", f"{GROUPS}/{group}/trigger", {})
    await caller.create(ticker, order_group_id=group)
    await caller.call("PUT", f"{GROUPS}/{group}/reset", {})
    await caller.call("DELETE", f"{GROUPS}/{group}")
    await caller.call("DELETE", f"{GROUPS}/{group}")
    await caller.create(ticker, order_group_id="none")


async def _bad_orders(caller: Caller, ticker: str) -> None:
    for more in (
        {"count": 1},
        {"price": 0.01},
        {"count": "0.001"},
        {"count": "0"},
        {"price": "0.0150"},
        {"price": "1.0000"},
        {"price": "cheap"},
        {"side": "yes"},
        {"time_in_force": "day"},
        {"self_trade_prevention_type": None},
        {"client_order_id": "a.b"},
        {"client_order_id": "x" * 65},
        {"expiration_time": 1},
        {"expiration_time": 4_000_000_000, "time_in_force": IOC},
        {"reduce_only": True},
        {"price": "0.9900", "count": "900000"},
        {"price": "0.9900", "post_only": True},
        {"price": "0.9900", "count": "2000", "time_in_force": FOK},
        {"ticker": "NONE"},
    ):
        await caller.create(ticker, **more)
    await caller.create(ticker, client_order_id="twice")
    await caller.create(ticker, client_order_id="twice")
    for body in (b"{", b"[]", b""):
        await caller.call("POST", ORDERS, body)


async def _strangers(caller: Caller) -> None:
    path = "/portfolio/balance"
    good = caller.signed("GET", ROOT + path)
    wrong = [
        {},
        caller.signed("GET", ROOT + path, late_seconds=300),
        caller.signed("GET", ROOT + path, late_seconds=-300),
        caller.signed("POST", ROOT + path),
        caller.signed("GET", ROOT + path, key_id="00000000-0000-0000-0000-000000000000"),
        good | {"KALSHI-ACCESS-TIMESTAMP": "now"},
        good | {"KALSHI-ACCESS-SIGNATURE": "AAAA"},
    ]
    for headers in wrong:
        await caller.call("GET", path, headers=headers)


async def _pauses(caller: Caller, server: KalshiServer, ticker: str) -> None:
    for kind in (FaultKind.TRADING_PAUSE, FaultKind.EXCHANGE_PAUSE):
        await caller.create(ticker)
        server.fault(kind)
        await caller.call("GET", "/exchange/status")
        await caller.create(ticker)
        await caller.call("DELETE", ORDERS)
        server.heal()
    server.rest.set_limits((10.0, 20.0), (10.0, 20.0))
    for _ in range(4):
        await caller.create(ticker)
        await caller.call("GET", "/portfolio/balance")
    server.rest.set_limits((MICRO, MICRO), (MICRO, MICRO))
