"""Reads of the simulated Kalshi: as of now, or as of as long ago as a fault says."""

from aiohttp import web

from arbees.core.language.units import NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import (
    SHARDS,
    ExchangeFill,
    ExchangeOrder,
    ExchangeRefusal,
    Status,
    part_of,
)
from arbees.rehearsal.kalshi.rest import bodies
from arbees.rehearsal.kalshi.rest.context import CallContext
from arbees.rehearsal.kalshi.rest.reading import (
    bucket,
    page,
    parts_of,
    seconds,
    span,
    subaccount,
)

ROOT = "/trade-api/v2"
ORDERS = f"{ROOT}/portfolio/events/orders"


class Looking:
    """Calls that read."""

    def __init__(self, desk: CallContext) -> None:
        """Serve a desk."""
        self._desk = desk

    async def orders(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/orders`."""
        self._desk.exchange.tick()
        query = request.query
        status, since = query.get("status"), seconds(query.get("min_ts"))
        tickers = set(query.get("ticker", "").split(",")) - {""}
        parts, cutoff_ns = parts_of(request, owner, self._desk.exchange), self._cutoff("orders")
        rows = [
            bodies.order_row(order, self._desk.shard(order.ticker))
            for order in self._desk.exchange.orders_at(self._desk.as_of_ns())
            if order.owner in parts
            and (not tickers or order.ticker in tickers)
            and (status is None or order.status == status)
            and order.created_ns >= since * NS_PER_SECOND
            and not self._desk.is_hidden(order.order_id)
            and self._is_live(order, cutoff_ns)
        ]
        return page(request, "orders", rows)

    def _cutoff(self, name: str) -> int:
        """Return before when things are in the archive alone."""
        return self._desk.exchange.archive.before_ns(name)

    @staticmethod
    def _is_live(order: ExchangeOrder, cutoff_ns: int) -> bool:
        """Tell whether an order is not in the archive yet: what rests never is."""
        return order.status is Status.RESTING or order.updated_ns >= cutoff_ns

    async def old_orders(self, request: web.Request, owner: str) -> web.Response:
        """`GET /historical/orders`: those that ended before the cutoff."""
        parts, cutoff_ns = parts_of(request, owner, self._desk.exchange), self._cutoff("orders")
        ticker, spans = request.query.get("ticker"), span(request)
        rows = [
            bodies.order_row(order, self._desk.shard(order.ticker))
            for order in self._desk.exchange.orders_at(self._desk.exchange.now_ns())
            if order.owner in parts
            and ticker in {None, order.ticker}
            and spans[0] <= order.created_ns < spans[1]
            and not self._is_live(order, cutoff_ns)
            and not self._desk.is_hidden(order.order_id)
        ]
        return page(request, "orders", rows)

    async def old_fills(self, request: web.Request, owner: str) -> web.Response:
        """`GET /historical/fills`: those from before the cutoff."""
        cutoff_ns, spans = self._cutoff("fills"), span(request)
        parts, ticker = parts_of(request, owner, self._desk.exchange), request.query.get("ticker")
        rows = [
            bodies.fill_row(fill, self._desk.shard(fill.ticker))
            for fill in self._listed(parts)
            if fill.time_ns < cutoff_ns
            and ticker in {None, fill.ticker}
            and spans[0] <= fill.time_ns < spans[1]
        ]
        return page(request, "fills", rows)

    async def old_positions(self, request: web.Request, owner: str) -> web.Response:
        """`GET /historical/positions`: settled ones of markets that were put away."""
        exchange = self._desk.exchange
        parts = parts_of(request, owner, exchange)
        rows = [
            bodies.position_row(exchange.account(each.owner), each.ticker, market.shard)
            for each in exchange.settlements
            if each.owner in parts and (market := exchange.markets[each.ticker]).is_archived
        ]
        return page(request, "market_positions", rows, event_positions=[])

    async def cutoff(self, request: web.Request, owner: str) -> web.Response:
        """`GET /historical/cutoff`."""
        orders, fills = self._cutoff("orders"), self._cutoff("fills")
        return web.json_response(
            {
                "market_settled_ts": bodies.time(orders),
                "trades_created_ts": bodies.time(fills),
                "orders_updated_ts": bodies.time(orders),
                "market_positions_last_updated_ts": bodies.time(orders),
            }
        )

    async def order(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/orders/{order_id}`."""
        order_id = request.match_info["order_id"]
        order = self._desk.exchange.order_at(order_id, self._desk.as_of_ns())
        is_seen = order is not None and not self._desk.is_hidden(order_id)
        parts = parts_of(request, owner, self._desk.exchange)
        if order is None or not is_seen or order.owner not in parts:
            raise ExchangeRefusal(404, "not_found")
        if not self._is_live(order, self._cutoff("orders")):
            raise ExchangeRefusal(404, "not_found")
        return web.json_response({"order": bodies.order_row(order, self._desk.shard(order.ticker))})

    def _fills(self, parts: set[str], as_of_ns: int) -> list[ExchangeFill]:
        return [
            fill
            for fill in reversed(self._desk.exchange.fills)
            if fill.owner in parts and fill.time_ns <= as_of_ns
        ]

    def _listed(self, parts: set[str]) -> list[ExchangeFill]:
        """Return the fills that lists have: those that are hidden not, those that never were."""
        desk, now_ns = self._desk, self._desk.exchange.now_ns()
        hidden = desk.faults.standing(FaultKind.HIDDEN_FILLS, now_ns)
        found = [
            fill
            for fill in self._fills(parts, desk.as_of_ns())
            if hidden is None or fill.time_ns < hidden.since_ns
        ]
        return [*(each for each in desk.exchange.invented if each.owner in parts), *found]

    async def fills(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/fills`."""
        query = request.query
        tickers = set(query.get("ticker", "").split(",")) - {""}
        since = seconds(query.get("min_ts")) * NS_PER_SECOND
        rows = [
            bodies.fill_row(fill, self._desk.shard(fill.ticker))
            for fill in self._listed(parts_of(request, owner, self._desk.exchange))
            if fill.time_ns >= self._cutoff("fills")
            and (not tickers or fill.ticker in tickers)
            and query.get("order_id") in {None, fill.order_id}
            and fill.time_ns >= since
        ]
        return page(request, "fills", rows)

    async def positions(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/positions`, of one account; as of the same moment as the fills."""
        part = part_of(owner, subaccount(request) or 0)
        account = self._desk.exchange.account(part)
        held: dict[str, int] = {}
        for fill in self._fills({part}, self._desk.as_of_ns()):
            held[fill.ticker] = held.get(fill.ticker, 0) + (
                fill.count if fill.is_bid else -fill.count
            )
        rows = []
        for ticker, quantity in sorted(held.items()):
            market = self._desk.exchange.markets[ticker]
            if request.query.get("ticker") not in {None, ticker} or market.settled_ns:
                continue
            row = bodies.position_row(account, ticker, market.shard)
            row["position_fp"] = bodies.count(quantity)
            rows.append(row)
        events = bodies.event_rows(rows, self._desk.exchange.markets)
        return page(request, "market_positions", rows, event_positions=events)

    async def balance(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/balance`, of one account."""
        part = part_of(owner, subaccount(request) or 0)
        return web.json_response(bodies.balance(self._desk.exchange, part, SHARDS))

    async def resting_value(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/summary/total_resting_order_value`: for members of an FCM alone."""
        if not self._desk.is_fcm:
            raise ExchangeRefusal(403, "permission_denied")
        parts = {shard: self._desk.exchange.held(owner, shard) for shard in SHARDS}
        return web.json_response(
            {
                "total_resting_order_value": sum(parts.values()) // 10_000,
                "resting_order_value_breakdown": [
                    {"exchange_index": shard, "balance": bodies.price(part)}
                    for shard, part in parts.items()
                ],
            }
        )

    async def settlements(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/settlements`: the live ones, newest first."""
        exchange = self._desk.exchange
        ticker, parts = request.query.get("ticker"), parts_of(request, owner, exchange)
        rows = [
            bodies.settlement_row(each, exchange.markets[each.ticker])
            for each in reversed(exchange.settlements)
            if each.owner in parts
            and ticker in {None, each.ticker}
            and not exchange.markets[each.ticker].is_archived
        ]
        return page(request, "settlements", rows)

    async def limits(self, request: web.Request, owner: str) -> web.Response:
        """`GET /account/limits`."""
        return web.json_response(
            {
                "grants": [],
                "usage_tier": "basic",
                "read": bucket(self._desk.read_limit),
                "write": bucket(self._desk.write_limit),
            }
        )

    async def costs(self, request: web.Request, owner: str) -> web.Response:
        """`GET /account/endpoint_costs`."""
        cheap = [
            {"method": "DELETE", "path": f"{ORDERS}/:order_id", "cost": 2},
            {"method": "DELETE", "path": ORDERS, "cost": 2},
            {"method": "GET", "path": f"{ROOT}/portfolio/orders/:order_id", "cost": 2},
        ]
        return web.json_response({"default_cost": 10, "endpoint_costs": cheap})

    async def status(self, request: web.Request, owner: str) -> web.Response:
        """`GET /exchange/status`."""
        exchange = self._desk.exchange
        active = [shard not in exchange.shut for shard in SHARDS]
        trading = [shard not in exchange.shut | exchange.paused for shard in SHARDS]
        return web.json_response(
            {
                "exchange_active": active[0],  # of shard 0 alone
                "trading_active": trading[0],
                "exchange_index_statuses": [
                    {
                        "exchange_index": shard,
                        "description": f"Shard {shard}",
                        "exchange_active": active[shard],
                        "trading_active": trading[shard],
                        "intra_exchange_transfers_active": active[shard],
                    }
                    for shard in SHARDS
                ],
            }
        )

    async def freshness(self, request: web.Request, owner: str) -> web.Response:
        """`GET /exchange/user_data_timestamp`."""
        return web.json_response({"as_of_time": bodies.time(self._desk.as_of_ns())})
