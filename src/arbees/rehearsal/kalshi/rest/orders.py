"""Creates and cancels of the simulated Kalshi, one by one and in batches."""

from typing import Any

from aiohttp import web

from arbees.core.language.units import NS_PER_MILLISECOND, NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.faults import FaultKind
from arbees.rehearsal.kalshi.engine.rules import ExchangeOrder, ExchangeRefusal, part_of
from arbees.rehearsal.kalshi.rest import bodies
from arbees.rehearsal.kalshi.rest.context import CallContext
from arbees.rehearsal.kalshi.rest.reading import (
    SUBACCOUNT_MAX,
    fixed,
    is_plain,
    parts_of,
    read_json,
    subaccount,
    text,
    word,
)

_TIMES = ("good_till_canceled", "immediate_or_cancel", "fill_or_kill")
_STP = ("taker_at_cross", "maker")


class Ordering:
    """Calls that place and cancel orders."""

    def __init__(self, desk: CallContext) -> None:
        """Serve a desk."""
        self._desk = desk

    async def create(self, request: web.Request, owner: str) -> web.Response:
        """`POST /portfolio/events/orders`."""
        order = self._place(await read_json(request), owner, subaccount(request))
        return web.json_response(bodies.created(order, self._desk.exchange.now_ns()), status=201)

    def _place(self, body: dict[str, Any], owner: str, locked: int | None) -> ExchangeOrder:
        part = body.get("subaccount", locked or 0)
        if not isinstance(part, int) or not 0 <= part <= SUBACCOUNT_MAX:
            raise ExchangeRefusal(400, "invalid_parameters", "subaccount")
        if locked not in {None, part}:
            raise ExchangeRefusal(403, "permission_denied", "subaccount")
        order = self._order_of(body, part_of(owner, part))
        placed = self._desk.exchange.create(order)
        now_ns = self._desk.exchange.now_ns()
        hidden = self._desk.faults.occurs("create", now_ns, FaultKind.HIDDEN)
        if hidden is not None:
            self._desk.hidden[placed.order_id] = now_ns + int(hidden.seconds * NS_PER_SECOND)
        return placed

    def _order_of(self, body: dict[str, Any], owner: str) -> ExchangeOrder:
        now_ns = self._desk.exchange.now_ns()
        time_in_force = word(body, "time_in_force", _TIMES)
        expires = body.get("expiration_time")
        if expires is not None and (
            not isinstance(expires, int) or time_in_force != "good_till_canceled"
        ):
            raise ExchangeRefusal(400, "invalid_parameters", "expiration_time")
        if body.get("reduce_only") and time_in_force != "immediate_or_cancel":
            raise ExchangeRefusal(400, "invalid_parameters", "reduce_only")
        client_order_id = body.get("client_order_id", "")
        if not isinstance(client_order_id, str) or not is_plain(client_order_id):
            raise ExchangeRefusal(400, "invalid_parameters", "client_order_id")
        return ExchangeOrder(
            order_id=self._desk.exchange.new_order_id(),
            owner=owner,
            client_order_id=client_order_id,
            ticker=text(body, "ticker"),
            is_bid=word(body, "side", ("bid", "ask")) == "bid",
            price=fixed(body, "price", 4),
            count=fixed(body, "count", 2),
            time_in_force=time_in_force,
            created_ns=now_ns,
            updated_ns=now_ns,
            expires_ns=None if expires is None else expires * NS_PER_SECOND,
            group_id=body.get("order_group_id"),
            stp=word(body, "self_trade_prevention_type", _STP),
            cancels_on_pause=bool(body.get("cancel_order_on_pause")),
            reduce_only=bool(body.get("reduce_only")),
            post_only=bool(body.get("post_only")),
        )

    async def create_batch(self, request: web.Request, owner: str) -> web.Response:
        """`POST /portfolio/events/orders/batched`: each item has its own answer."""
        rows: list[dict[str, Any]] = []
        partial = self._desk.faults.occurs(
            "batch", self._desk.exchange.now_ns(), FaultKind.PARTIAL_BATCH
        )
        for place, body in enumerate((await read_json(request)).get("orders", [])):
            try:
                self._fail_every_other(place, is_partial=partial is not None)
                order = self._place(body, owner, subaccount(request))
            except ExchangeRefusal as error:
                said = {"code": error.code, "message": error.code.replace("_", " ")}
                rows.append({"client_order_id": body.get("client_order_id"), "error": said})
            else:
                rows.append(bodies.created(order, self._desk.exchange.now_ns()))
        return web.json_response({"orders": rows}, status=201)

    def _fail_every_other(self, place: int, *, is_partial: bool) -> None:
        if is_partial and place % 2:
            raise ExchangeRefusal(409, "exchange_is_paused")

    async def cancel(self, request: web.Request, owner: str) -> web.Response:
        """`DELETE /portfolio/events/orders/{order_id}`."""
        order_id = request.match_info["order_id"]
        order = self._desk.exchange.orders.get(order_id)
        self._require_shard(request, order)
        reduced = self._cancelled(part_of(owner, subaccount(request) or 0), order_id, "cancel")
        now_ns = self._desk.exchange.now_ns()
        return web.json_response(
            {
                "order_id": order_id,
                "client_order_id": order.client_order_id if order else "",
                "reduced_by": bodies.count(reduced),
                "ts_ms": now_ns // NS_PER_MILLISECOND,
            }
        )

    def _cancelled(self, owner: str, order_id: str, call: str) -> int:
        """Cancel one order; return how much, by the exchange's word, which a fault makes untrue."""
        exchange, faults = self._desk.exchange, self._desk.faults
        order = exchange.orders.get(order_id)
        if order is None or order.owner != owner or not order.remaining:
            return exchange.cancel(owner, order_id)
        if exchange.markets[order.ticker].shard in exchange.shut:
            return exchange.cancel(owner, order_id)
        if not faults.occurs(call, exchange.now_ns(), FaultKind.CANCEL_YET_FILLED):
            return exchange.cancel(owner, order_id)
        reduced = order.remaining
        exchange.by_hand.trade(order, reduced)
        return reduced

    def _require_shard(self, request: web.Request, order: ExchangeOrder | None) -> None:
        """Without market_ticker and exchange_index a cancel goes to shard 0, and finds nothing."""
        if order is None:
            raise ExchangeRefusal(404, "not_found")
        shard = self._desk.exchange.markets[order.ticker].shard
        named = request.query.get("exchange_index", "")
        if request.query.get("market_ticker") != order.ticker and named != str(shard) and shard:
            raise ExchangeRefusal(404, "not_found")

    async def cancel_batch(self, request: web.Request, owner: str) -> web.Response:
        """`DELETE /portfolio/events/orders/batched`."""
        rows: list[dict[str, Any]] = []
        partial = self._desk.faults.occurs(
            "batch", self._desk.exchange.now_ns(), FaultKind.PARTIAL_BATCH
        )
        for place, each in enumerate((await read_json(request)).get("orders", [])):
            order_id = each.get("order_id", "")
            try:
                self._fail_every_other(place, is_partial=partial is not None)
                part = each.get("subaccount", subaccount(request) or 0)
                reduced = self._cancelled(part_of(owner, part), order_id, "batch")
            except ExchangeRefusal as error:
                said = {"code": error.code, "message": error.code.replace("_", " ")}
                rows.append({"order_id": order_id, "reduced_by": "0.00", "error": said})
            else:
                now_ms = self._desk.exchange.now_ns() // NS_PER_MILLISECOND
                reduced_by = bodies.count(reduced)
                rows.append({"order_id": order_id, "reduced_by": reduced_by, "ts_ms": now_ms})
        return web.json_response({"orders": rows})

    async def cancel_all(self, request: web.Request, owner: str) -> web.Response:
        """`DELETE /portfolio/events/orders`: everything, on all shards; reaches on for a minute."""
        exchange, faults = self._desk.exchange, self._desk.faults
        for part in sorted(parts_of(request, owner, exchange)):
            for order in () if exchange.shut else exchange.resting(part):
                if faults.occurs("cancel_all", exchange.now_ns(), FaultKind.CANCEL_YET_FILLED):
                    exchange.by_hand.trade(order, order.remaining)
            exchange.cancel_all(part)
        return web.Response(status=204)

    def _own(self, request: web.Request, owner: str, ticker: object) -> ExchangeOrder:
        """Return the resting order of a path. Raises Refused."""
        order = self._desk.exchange.orders.get(request.match_info["order_id"])
        if order is None or order.owner != part_of(owner, subaccount(request) or 0):
            raise ExchangeRefusal(404, "not_found")
        if ticker not in {None, order.ticker}:
            raise ExchangeRefusal(400, "order_ticker_mismatch")
        if self._desk.exchange.markets[order.ticker].shard in self._desk.exchange.shut:
            raise ExchangeRefusal(409, "exchange_is_paused")
        return order

    async def decrease(self, request: web.Request, owner: str) -> web.Response:
        """`POST /portfolio/events/orders/{order_id}/decrease`."""
        body = await read_json(request)
        order = self._own(request, owner, body.get("market_ticker"))
        if ("reduce_by" in body) == ("reduce_to" in body):
            raise ExchangeRefusal(
                400, "invalid_parameters", "exactly one of reduce_by and reduce_to"
            )
        if "reduce_by" in body:
            left = max(0, order.remaining - fixed(body, "reduce_by", 2))
        else:
            left = fixed(body, "reduce_to", 2)
        self._desk.exchange.by_hand.decrease(order, left)
        return web.json_response(
            {
                "order_id": order.order_id,
                "remaining_count": bodies.count(order.remaining),
                "ts_ms": self._desk.exchange.now_ns() // NS_PER_MILLISECOND,
            }
        )

    async def amend(self, request: web.Request, owner: str) -> web.Response:
        """`POST /portfolio/events/orders/{order_id}/amend`: `count` has what is filled in it."""
        body = await read_json(request)
        order = self._own(request, owner, text(body, "ticker"))
        if (word(body, "side", ("bid", "ask")) == "bid") is not order.is_bid:
            raise ExchangeRefusal(400, "order_side_mismatch")
        filled = self._desk.exchange.by_hand.amend(
            order, fixed(body, "count", 2), fixed(body, "price", 4)
        )
        return web.json_response(
            {
                "order_id": order.order_id,
                "remaining_count": bodies.count(order.remaining),
                "fill_count": bodies.count(filled),
                "ts_ms": self._desk.exchange.now_ns() // NS_PER_MILLISECOND,
            }
        )

    async def deprecated(self, request: web.Request, owner: str) -> web.Response:
        """Refuse the order endpoints of the first version, which were shut off in June 2026."""
        raise ExchangeRefusal(410, "deprecated_v1_order_endpoint")
