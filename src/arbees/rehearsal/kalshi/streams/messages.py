"""What the streams of the simulated Kalshi say, in the shapes of the AsyncAPI document."""

from typing import Any

from arbees.core.language.units import MICRO, NS_PER_MILLISECOND, NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.catalogue import ExchangeCatalogue
from arbees.rehearsal.kalshi.engine.rules import (
    ExchangeAccount,
    ExchangeFill,
    ExchangeGroup,
    ExchangeMarket,
    ExchangeOrder,
    subaccount_of,
)
from arbees.rehearsal.kalshi.rest import bodies


def order_message(order: ExchangeOrder, shard: int) -> dict[str, Any]:
    """Return an order as the channel `user_orders` tells it."""
    row = bodies.order_row(order, shard)
    for name in ("type", "action", "no_price_dollars", "cancel_order_on_pause"):
        row.pop(name, None)
    row["is_yes"] = order.is_bid
    row["created_ts_ms"] = order.created_ns // NS_PER_MILLISECOND
    row["last_updated_ts_ms"] = order.updated_ns // NS_PER_MILLISECOND
    row["last_update_reason"] = order.reason
    if order.expires_ns is not None:
        row["expiration_ts_ms"] = order.expires_ns // NS_PER_MILLISECOND
    return row


def fill_message(fill: ExchangeFill, shard: int) -> dict[str, Any]:
    """Return a fill as the channel `fill` tells it."""
    named: dict[str, Any] = (
        {"client_order_id": fill.client_order_id} if fill.client_order_id else {}
    )
    if subaccount_of(fill.owner):
        named["subaccount"] = subaccount_of(fill.owner)
    return named | {
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "market_ticker": fill.ticker,
        "exchange_index": shard,
        "is_taker": fill.is_taker,
        "side": "yes",
        "purchased_side": "yes" if fill.is_bid else "no",
        "action": "buy" if fill.is_bid else "sell",
        "outcome_side": "yes" if fill.is_bid else "no",
        "book_side": "bid" if fill.is_bid else "ask",
        "yes_price_dollars": bodies.price(fill.price),
        "count_fp": bodies.count(fill.count),
        "fee_cost": bodies.money(fill.fee),
        "ts": fill.time_ns // NS_PER_SECOND,
        "ts_ms": fill.time_ns // NS_PER_MILLISECOND,
        "post_position_fp": bodies.count(fill.position),
    }


def position_message(account: ExchangeAccount, ticker: str) -> dict[str, Any]:
    """Return a position as the channel `market_positions` tells it."""
    return {
        "user_id": bodies.USER_ID,
        "market_ticker": ticker,
        "position_fp": bodies.count(account.positions.get(ticker, 0)),
        "position_cost_dollars": bodies.money(account.costs.get(ticker, 0)),
        "realized_pnl_dollars": bodies.money(account.realized.get(ticker, 0)),
        "fees_paid_dollars": bodies.money(account.fees.get(ticker, 0)),
        "position_fee_cost_dollars": bodies.money(account.fees.get(ticker, 0)),
        "volume_fp": bodies.count(abs(account.positions.get(ticker, 0))),
    }


def group_message(group: ExchangeGroup, event: str, now_ns: int) -> dict[str, Any]:
    """Return what became of an order group, as `order_group_updates` tells it."""
    said: dict[str, Any] = {
        "event_type": event,
        "order_group_id": group.group_id,
        "ts_ms": now_ns // NS_PER_MILLISECOND,
    }
    if event in {"created", "limit_updated"}:
        said["contracts_limit_fp"] = bodies.count(group.limit)
    return said


def delta_message(
    order: ExchangeOrder, quantity: int, now_ns: int, *, is_yes_priced: bool
) -> dict[str, Any]:
    """Return the change of one level of a book, as `orderbook_delta` tells it."""
    is_of_yes = order.is_bid or is_yes_priced
    said: dict[str, Any] = {
        "market_ticker": order.ticker,
        "market_id": order.ticker,
        "price_dollars": bodies.price(order.price if is_of_yes else MICRO - order.price),
        "delta_fp": bodies.count(quantity),
        "side": "yes" if order.is_bid else "no",
        "ts_ms": now_ns // NS_PER_MILLISECOND,
    }
    if order.client_order_id:
        said["client_order_id"] = order.client_order_id
    return said


def snapshot_message(market: ExchangeMarket, *, is_yes_priced: bool) -> dict[str, Any]:
    """Return a whole book; an empty side is left out. Yes-priced: both sides in prices of Yes."""
    said: dict[str, Any] = {"market_ticker": market.ticker, "market_id": market.ticker}
    if market.bids:
        said["yes_dollars_fp"] = bodies.levels(market.bids, of_no=False)
    if market.asks:
        said["no_dollars_fp"] = bodies.levels(market.asks, of_no=not is_yes_priced)
    return said


def ticker_message(
    market: ExchangeMarket, catalogue: ExchangeCatalogue, now_ns: int
) -> dict[str, Any]:
    """Return the top of a book, as `ticker` tells it."""
    row = bodies.market_row(market, catalogue)
    return {
        "market_ticker": market.ticker,
        "market_id": market.ticker,
        "price_dollars": row["last_price_dollars"],
        "yes_bid_dollars": row["yes_bid_dollars"],
        "yes_ask_dollars": row["yes_ask_dollars"],
        "yes_bid_size_fp": row["yes_bid_size_fp"],
        "yes_ask_size_fp": row["yes_ask_size_fp"],
        "last_trade_size_fp": bodies.count(0),
        "volume_fp": row["volume_fp"],
        "open_interest_fp": row["open_interest_fp"],
        "dollar_volume": 0,
        "dollar_open_interest": 0,
        "ts": now_ns // NS_PER_SECOND,
        "ts_ms": now_ns // NS_PER_MILLISECOND,
        "time": bodies.time(now_ns),
    }
