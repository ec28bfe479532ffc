"""Where the simulated Kalshi's books come from: quotes of a file, or a seeded evening.

Guarantees that the same seed makes the same books in the same order. A quote replaces what nobody
placed of a market's book; orders of an account stay, and trade with what comes in.
"""

import msgspec

from arbees.core.language.quote import Quote
from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import Platform
from arbees.rehearsal.kalshi.engine.exchange import MAKER, Exchange
from arbees.rehearsal.kalshi.engine.rules import (
    COUNT_STEP,
    ExchangeMarket,
    ExchangeOrder,
    Status,
    TickRange,
)

CENT = 10_000
STARTS_AFTER_NS = 2 * 3_600 * NS_PER_SECOND
"""The game of a market that is listed starts then, where its quote does not say."""
SHARD_OF = {"NBA": 3, "MLB": 3, "NFL": 0}
"""Shards of sports, as of October 2026 (tennis, baseball and basketball are on the third)."""


def show(exchange: Exchange, quote: Quote, *, shard: int | None = None) -> None:
    """
    Make a market's book what a quote says of it.

    Args:
        exchange: where; the market is listed if it is new.
        quote: of Kalshi; others are passed over.
        shard: of a new market; None = by its sport.
    """
    if quote.platform is not Platform.KALSHI:
        return
    market = exchange.markets.get(quote.market_id)
    if market is None:
        market = _listed(quote, shard, exchange.now_ns())
        start_ns = quote.game_start_ns or exchange.now_ns() + STARTS_AFTER_NS
        exchange.add_market(market, start_ns)
    if market.is_steered and market.status != "active":
        return
    if not market.is_steered:
        market.status = "closed" if quote.status == "closed" else "active"
    for side in (market.bids, market.asks):
        for order in [each for each in side if each.owner == MAKER]:
            side.remove(order)
            exchange.book(order, -order.remaining)
            order.status = Status.CANCELED
    for is_bid, levels in ((True, quote.bids), (False, quote.asks)):
        for price, quantity in levels:
            count = quantity // COUNT_STEP * COUNT_STEP
            if count > 0 and 0 < price < MICRO:
                exchange.show(_made(exchange, market, count, price, is_bid=is_bid))


def _listed(quote: Quote, shard: int | None, now_ns: int) -> ExchangeMarket:
    ticker = quote.market_id
    event = ticker.rpartition("-")[0] or ticker
    tick = quote.tick or CENT
    return msgspec.convert(
        {
            "ticker": ticker,
            "event_ticker": event,
            "series_ticker": event.partition("-")[0],
            "shard": SHARD_OF.get(quote.sport or "", 0) if shard is None else shard,
            "open_ns": now_ns,
            "ranges": [TickRange(0, MICRO, tick)],
        },
        ExchangeMarket,
    )


def _made(
    exchange: Exchange, market: ExchangeMarket, count: int, price: int, *, is_bid: bool
) -> ExchangeOrder:
    now_ns = exchange.now_ns()
    return ExchangeOrder(
        order_id=exchange.new_order_id(),
        owner=MAKER,
        client_order_id="",
        ticker=market.ticker,
        is_bid=is_bid,
        price=price,
        count=count,
        time_in_force="good_till_canceled",
        created_ns=now_ns,
        updated_ns=now_ns,
    )
