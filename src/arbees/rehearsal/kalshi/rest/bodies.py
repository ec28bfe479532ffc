"""The simulated exchange's words on the wire, in the shapes of the recorded answers."""

from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from arbees.core.language.strict_json import format_time
from arbees.core.language.units import (
    MICRO,
    NS_PER_MILLISECOND,
    NS_PER_SECOND,
    parse_micro,
)
from arbees.rehearsal.kalshi.engine.catalogue import ExchangeCatalogue, ExchangeEvent, Milestone
from arbees.rehearsal.kalshi.engine.rules import (
    CENT,
    ExchangeAccount,
    ExchangeFill,
    ExchangeGroup,
    ExchangeMarket,
    ExchangeOrder,
    ExchangeSettlement,
    Status,
    subaccount_of,
)

if TYPE_CHECKING:
    from arbees.rehearsal.kalshi.engine.exchange import Exchange

OPEN_NS = 14 * 86_400 * NS_PER_SECOND
"""A market whose close nobody set closes so long after it opened."""
USER_ID = "00000000-0000-4000-8000-000000000000"


def price(value: int) -> str:
    """Return dollars with four decimals."""
    return _fixed(value, 4)


def money(value: int) -> str:
    """Return dollars with six decimals."""
    return _fixed(value, 6)


def count(value: int) -> str:
    """Return contracts with two decimals."""
    return _fixed(value, 2)


def _fixed(value: int, places: int) -> str:
    sign, size = ("-", -value) if value < 0 else ("", value)
    whole, rest = divmod(size, MICRO)
    return f"{sign}{whole}.{f'{rest:06d}'[:places]}"


def time(ns: int) -> str:
    """Return a time as the API writes it."""
    return format_time(ns)


def created(order: ExchangeOrder, now_ns: int) -> dict[str, Any]:
    """Return the answer to a create."""
    body: dict[str, Any] = {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "fill_count": count(order.filled),
        "remaining_count": count(order.remaining),
        "ts_ms": now_ns // NS_PER_MILLISECOND,
    }
    if order.filled:
        cost = order.taker_cost if order.is_bid else order.filled - order.taker_cost
        body["average_fill_price"] = price(cost * MICRO // order.filled)
        body["average_fee_paid"] = price(-(-order.taker_fees * MICRO // order.filled))
    return body


def order_row(order: ExchangeOrder, shard: int) -> dict[str, Any]:
    """Return an order as lists have it."""
    outcome = "yes" if order.is_bid else "no"
    row: dict[str, Any] = {
        "order_id": order.order_id,
        "user_id": USER_ID,
        "client_order_id": None if order.is_nameless else order.client_order_id,
        "ticker": order.ticker,
        "outcome_side": outcome,
        "book_side": "bid" if order.is_bid else "ask",
        "side": "yes",
        "action": "buy" if order.is_bid else "sell",
        "type": "limit",
        "status": order.status.value,
        "yes_price_dollars": price(order.price),
        "no_price_dollars": price(MICRO - order.price),
        "initial_count_fp": count(order.initial or order.count),
        "fill_count_fp": count(order.filled),
        "remaining_count_fp": count(order.remaining),
        "taker_fees_dollars": money(order.taker_fees),
        "maker_fees_dollars": money(order.maker_fees),
        "taker_fill_cost_dollars": money(order.taker_cost),
        "maker_fill_cost_dollars": money(order.maker_cost),
        "created_time": time(order.created_ns),
        "last_update_time": time(order.updated_ns),
        "self_trade_prevention_type": order.stp,
        "cancel_order_on_pause": order.cancels_on_pause,
        "subaccount_number": subaccount_of(order.owner),
        "exchange_index": shard,
    }
    if order.expires_ns is not None:
        row["expiration_time"] = time(order.expires_ns)
    if order.group_id is not None:
        row["order_group_id"] = order.group_id
    return row


def fill_row(fill: ExchangeFill, shard: int) -> dict[str, Any]:
    """Return a fill as lists have it; without the client order id, as since 2026-03-30."""
    return {
        "fill_id": fill.trade_id,
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "ticker": fill.ticker,
        "market_ticker": fill.ticker,
        "side": "yes",
        "action": "buy" if fill.is_bid else "sell",
        "outcome_side": "yes" if fill.is_bid else "no",
        "book_side": "bid" if fill.is_bid else "ask",
        "count_fp": count(fill.count),
        "yes_price_dollars": price(fill.price),
        "no_price_dollars": price(MICRO - fill.price),
        "is_taker": fill.is_taker,
        "fee_cost": money(fill.fee),
        "created_time": time(fill.time_ns),
        "ts": fill.time_ns // NS_PER_SECOND,
        "subaccount_number": subaccount_of(fill.owner),
        "exchange_index": shard,
    }


def position_row(account: ExchangeAccount, ticker: str, shard: int) -> dict[str, Any]:
    """Return a position as lists have it."""
    return {
        "ticker": ticker,
        "exchange_index": shard,
        "position_fp": count(account.positions.get(ticker, 0)),
        "market_exposure_dollars": money(account.costs.get(ticker, 0)),
        "total_traded_dollars": money(account.traded.get(ticker, 0)),
        "realized_pnl_dollars": money(account.realized.get(ticker, 0)),
        "fees_paid_dollars": money(account.fees.get(ticker, 0)),
        "last_updated_ts": time(account.updated_ns.get(ticker, 0)),
    }


def event_rows(
    rows: list[dict[str, Any]], markets: dict[str, ExchangeMarket]
) -> list[dict[str, Any]]:
    """Return what positions come to by event."""
    events: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        events.setdefault(markets[row["ticker"]].event_ticker, []).append(row)
    return [
        {
            "event_ticker": event,
            "total_cost_dollars": money(_sum(own, "total_traded_dollars")),
            "total_cost_shares_fp": count(_sum(own, "position_fp")),
            "event_exposure_dollars": money(_sum(own, "market_exposure_dollars")),
            "realized_pnl_dollars": money(_sum(own, "realized_pnl_dollars")),
            "fees_paid_dollars": money(_sum(own, "fees_paid_dollars")),
        }
        for event, own in events.items()
    ]


def _sum(rows: list[dict[str, Any]], field: str) -> int:
    return sum(parse_micro(row[field]) for row in rows)


def factor(value: int | None) -> float | int | None:
    """Return a fee multiplier as the API writes it: a JSON number."""
    if value is None:
        return None
    return value // MICRO if value % MICRO == 0 else value / MICRO


def ranges(market: ExchangeMarket) -> list[dict[str, str]]:
    """Return the ticks of a market."""
    return [
        {"start": price(each.start), "end": price(each.end), "step": price(each.step)}
        for each in market.ranges
    ]


def market_row(market: ExchangeMarket, catalogue: ExchangeCatalogue) -> dict[str, Any]:
    """Return a market."""
    bid = market.bids[0].price if market.bids else 0
    ask = market.asks[0].price if market.asks else MICRO
    start = time(market.open_ns)
    close = time(market.close_ns or market.open_ns + OPEN_NS)
    row: dict[str, Any] = {
        "ticker": market.ticker,
        "event_ticker": market.event_ticker,
        "market_type": "binary",
        "yes_sub_title": market.ticker,
        "no_sub_title": market.ticker,
        "created_time": start,
        "updated_time": time(market.updated_ns or market.open_ns),
        "open_time": start,
        "close_time": close,
        "latest_expiration_time": close,
        "settlement_timer_seconds": 60,
        "status": market.status,
        "yes_bid_dollars": price(bid),
        "yes_ask_dollars": price(ask),
        "no_bid_dollars": price(MICRO - ask),
        "no_ask_dollars": price(MICRO - bid),
        "yes_bid_size_fp": count(_depth(market.bids, bid)),
        "yes_ask_size_fp": count(_depth(market.asks, ask)),
        "last_price_dollars": price(market.last_price or bid),
        "previous_yes_bid_dollars": price(bid),
        "previous_yes_ask_dollars": price(ask),
        "previous_price_dollars": price(bid),
        "volume_fp": count(0),
        "volume_24h_fp": count(0),
        "open_interest_fp": count(0),
        "notional_value_dollars": price(MICRO),
        "result": market.result,
        "can_close_early": True,
        "expiration_value": "",
        "rules_primary": "Simulated.",
        "rules_secondary": "",
        "price_level_structure": market.structure,
        "price_ranges": ranges(market),
        "settlement_bounds_type": "default",
        "exchange_index": market.shard,
    }
    occurrence_ns = catalogue.occurrence_ns(market.event_ticker)
    if occurrence_ns is not None:
        row["occurrence_datetime"] = row["expected_expiration_time"] = time(occurrence_ns)
    if market.payout is not None:
        row["settlement_value_dollars"] = price(market.payout)
    if market.settled_ns:
        row["settlement_ts"] = time(market.settled_ns)
    if market.waived_until_ns:
        row["fee_waiver_expiration_time"] = time(market.waived_until_ns)
    return row | market.odd


def event_row(event: ExchangeEvent) -> dict[str, Any]:
    """Return an event."""
    row: dict[str, Any] = {
        "event_ticker": event.ticker,
        "series_ticker": event.series_ticker,
        "title": event.ticker,
        "sub_title": "",
        "collateral_return_type": event.collateral,
        "mutually_exclusive": event.is_exclusive,
        "category": "Sports",
        "settlement_sources": [],
    }
    if event.fee_type is not None:
        row["fee_type_override"] = event.fee_type
        row["fee_multiplier_override"] = factor(event.multiplier)
    return row


def milestone_row(milestone: Milestone) -> dict[str, Any]:
    """Return a game; it alone knows when it starts."""
    return {
        "id": milestone.milestone_id,
        "category": "Sports",
        "type": "game",
        "start_date": time(milestone.start_ns),
        "end_date": None,
        "related_event_tickers": milestone.events,
        "title": milestone.game,
        "notification_message": "",
        "details": {},
        "primary_event_tickers": milestone.events[:1],
        "last_updated_ts": time(milestone.updated_ns),
    }


def settlement_row(settlement: ExchangeSettlement, market: ExchangeMarket) -> dict[str, Any]:
    """Return what a market paid somebody."""
    is_yes = settlement.held > 0
    held, cost = count(abs(settlement.held)), money(settlement.cost)
    return {
        "ticker": settlement.ticker,
        "exchange_index": market.shard,
        "event_ticker": market.event_ticker,
        "market_result": market.result,
        "yes_count_fp": held if is_yes else count(0),
        "yes_total_cost_dollars": cost if is_yes else money(0),
        "no_count_fp": count(0) if is_yes else held,
        "no_total_cost_dollars": money(0) if is_yes else cost,
        "revenue": settlement.revenue // CENT,
        "value": settlement.payout // CENT,
        "settled_time": time(settlement.time_ns),
        "fee_cost": money(settlement.fee),
    }


def _depth(side: list[ExchangeOrder], at: int) -> int:
    return sum(order.count - order.filled for order in side if order.price == at)


def levels(side: list[ExchangeOrder], *, of_no: bool) -> list[list[str]]:
    """Return the levels of one side of the book, ascending: the best is the last."""
    found: dict[int, int] = {}
    for order in side:
        at = MICRO - order.price if of_no else order.price
        found[at] = found.get(at, 0) + order.count - order.filled
    return [[price(at), count(found[at])] for at in sorted(found)]


def group_row(group: ExchangeGroup) -> dict[str, Any]:
    """Return an order group."""
    return {
        "id": group.group_id,
        "is_auto_cancel_enabled": True,
        "contracts_limit_fp": count(group.limit),
        "exchange_index": group.shard,
    }


def balance(exchange: "Exchange", owner: str, shards: tuple[int, ...]) -> dict[str, Any]:
    """Return the balance of all shards, and of each."""
    parts = {shard: exchange.available(owner, shard) for shard in shards}
    whole = sum(parts.values())
    value = sum(abs(held) for held in exchange.account(owner).positions.values()) // 2
    return {
        "balance": whole // 10_000,
        "balance_dollars": price(whole),
        "portfolio_value": value // 10_000,
        "updated_ts": exchange.now_ns() // NS_PER_SECOND,
        "balance_breakdown": [
            {"exchange_index": shard, "balance": price(part)} for shard, part in parts.items()
        ],
    }


def http_date(ns: int) -> str:
    """Return the `Date` header of a moment."""
    return formatdate(ns // NS_PER_SECOND, usegmt=True)


def is_over(order: ExchangeOrder) -> bool:
    """Tell whether an order has ended."""
    return order.status is not Status.RESTING
