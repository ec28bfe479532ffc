"""The REST side of the simulated Kalshi: routes, identity, rate limits, and what faults do to them.

Guarantees that what is refused was not placed, that what a fault hides did happen all the same, and
that an answer has the shape of the recorded ones. Loopback only; nothing here is for real money.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from arbees.rehearsal.kalshi.engine.faults import ExchangeFault, FaultKind
from arbees.rehearsal.kalshi.engine.order_groups import Grouping
from arbees.rehearsal.kalshi.engine.rules import SHARDS, ExchangeRefusal
from arbees.rehearsal.kalshi.rest import bodies
from arbees.rehearsal.kalshi.rest.account import ORDERS, ROOT, Looking
from arbees.rehearsal.kalshi.rest.context import CallContext
from arbees.rehearsal.kalshi.rest.identity import Doorman
from arbees.rehearsal.kalshi.rest.markets import MarketReads
from arbees.rehearsal.kalshi.rest.oddity import edit, made_up
from arbees.rehearsal.kalshi.rest.orders import Ordering
from arbees.rehearsal.kalshi.rest.reading import (
    LOCKED,
    BadQuery,
    cut,
    error_reply,
    flat_reply,
    message_of,
    read_json,
    subaccount,
)
from arbees.rehearsal.kalshi.rest.statements import Statements
from arbees.venues.kalshi.connection.budget import TokenBucket

_COSTS = {"cancel": 2.0, "cancel_all": 2.0, "one": 2.0}
Handler = Callable[[web.Request, str], Awaitable[web.Response]]


class Rest:
    """The routes of one exchange."""

    def __init__(self, desk: CallContext, doorman: Doorman) -> None:
        """Serve a desk."""
        self.desk = desk
        self.doorman = doorman
        self.over_limit = 0
        """How many calls were answered 429 because the client really was too fast."""
        self._ordering, self._looking = Ordering(desk), Looking(desk)
        self._grouping, self._listing = Grouping(desk), MarketReads(desk)
        self._statements = Statements(desk, doorman)
        self.set_limits(desk.read_limit, desk.write_limit)

    def set_limits(self, read: tuple[float, float], write: tuple[float, float]) -> None:
        """Give the account another tier: (tokens a second, capacity) for reads and writes."""
        now_ns = self.desk.exchange.now_ns()
        self.desk.read_limit, self.desk.write_limit = read, write
        self._read = TokenBucket(*read, now_ns)
        self._write = {shard: TokenBucket(*write, now_ns) for shard in SHARDS}

    def routes(self) -> list[web.RouteDef]:
        """Return all routes of the exchange."""
        get, post, delete, put = web.get, web.post, web.delete, web.put
        wrap = self._wrap
        ordering, looking, grouping = self._ordering, self._looking, self._grouping
        groups = f"{ROOT}/portfolio/order_groups"
        return [
            *self._public(),
            post(ORDERS, wrap("create", ordering.create)),
            post(f"{ORDERS}/batched", wrap("batch", ordering.create_batch)),
            delete(f"{ORDERS}/batched", wrap("batch", ordering.cancel_batch)),
            delete(ORDERS, wrap("cancel_all", ordering.cancel_all)),
            delete(f"{ORDERS}/{{order_id}}", wrap("cancel", ordering.cancel)),
            post(f"{ORDERS}/{{order_id}}/amend", wrap("amend", ordering.amend)),
            post(f"{ORDERS}/{{order_id}}/decrease", wrap("amend", ordering.decrease)),
            get(f"{ROOT}/portfolio/orders", wrap("read", looking.orders)),
            get(f"{ROOT}/portfolio/orders/{{order_id}}", wrap("one", looking.order)),
            get(f"{ROOT}/portfolio/fills", wrap("read", looking.fills)),
            get(f"{ROOT}/portfolio/positions", wrap("read", looking.positions)),
            get(f"{ROOT}/portfolio/balance", wrap("read", looking.balance)),
            get(
                f"{ROOT}/portfolio/summary/total_resting_order_value",
                wrap("read", looking.resting_value),
            ),
            *self._account(),
            get(f"{ROOT}/account/endpoint_costs", wrap("read", looking.costs, is_public=True)),
            get(f"{ROOT}/exchange/status", wrap("read", looking.status, is_public=True)),
            post(f"{groups}/create", wrap("group", grouping.create_group)),
            get(groups, wrap("read", grouping.groups)),
            get(f"{groups}/{{group_id}}", wrap("read", grouping.group)),
            put(f"{groups}/{{group_id}}/limit", wrap("group", grouping.limit_group)),
            put(f"{groups}/{{group_id}}/trigger", wrap("group", grouping.trigger_group)),
            put(f"{groups}/{{group_id}}/reset", wrap("group", grouping.reset_group)),
            delete(f"{groups}/{{group_id}}", wrap("group", grouping.delete_group)),
            post(f"{ROOT}/portfolio/orders", wrap("create", ordering.deprecated)),
            delete(f"{ROOT}/portfolio/orders/{{order_id}}", wrap("cancel", ordering.deprecated)),
        ]

    def _account(self) -> list[web.RouteDef]:
        """Return the routes that read the account, but for its orders."""
        looking, statements = self._looking, self._statements
        paths = {
            "/portfolio/settlements": looking.settlements,
            "/historical/cutoff": looking.cutoff,
            "/historical/orders": looking.old_orders,
            "/historical/fills": looking.old_fills,
            "/historical/positions": looking.old_positions,
            "/account/limits": looking.limits,
            "/exchange/user_data_timestamp": looking.freshness,
            "/portfolio/deposits": statements.deposits,
            "/portfolio/withdrawals": statements.withdrawals,
            "/portfolio/intra_exchange_instance_transfers": statements.transfers,
            "/portfolio/subaccounts/transfers": statements.internal,
            "/portfolio/subaccounts/balances": statements.balances,
            "/api_keys": statements.keys,
        }
        return [web.get(ROOT + path, self._wrap("read", do)) for path, do in paths.items()]

    def _public(self) -> list[web.RouteDef]:
        """Return the routes about markets; for all but books no key is needed."""
        listing = self._listing
        paths = {
            "/series/fee_changes": listing.series_fees,
            "/events/fee_changes": listing.event_fees,
            "/markets": listing.markets,
            "/markets/{ticker}": listing.market,
            "/historical/markets/{ticker}": listing.archived,
            "/events/{event_ticker}": listing.event,
            "/series/{ticker}": listing.series,
            "/milestones": listing.milestones,
            "/incentive_programs": self._statements.incentives,
            "/exchange/schedule": self._statements.schedule,
            "/exchange/announcements": self._statements.announcements,
        }
        found = [
            web.get(ROOT + path, self._wrap("read", handler, is_public=True))
            for path, handler in paths.items()
        ]
        book = self._wrap("read", listing.orderbook)
        return [*found, web.get(f"{ROOT}/markets/{{ticker}}/orderbook", book)]

    # Around each call --------------------------------------------------------------------------

    def _wrap(
        self, call: str, handler: Handler, *, is_public: bool = False
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            response = await self._answer(request, call, handler, is_public=is_public)
            if isinstance(response, web.Response):
                response.headers["Date"] = bodies.http_date(self.doorman.now_ns())
            return response

        return answer

    async def _answer(
        self, request: web.Request, call: str, handler: Handler, *, is_public: bool
    ) -> web.StreamResponse:
        now_ns = self.desk.exchange.now_ns()
        if self.desk.faults.standing(FaultKind.UNREACHABLE, now_ns):
            return cut(request)
        if self._happens(request, call, FaultKind.LOST_BEFORE):
            return cut(request)
        if self._happens(request, call, FaultKind.ERROR_BEFORE):
            return error_reply(500, "internal_server_error", "internal server error")
        if self._happens(request, call, FaultKind.RATE_LIMITED):
            return web.json_response({"error": "too many requests"}, status=429)
        instead = self._happens(request, call, FaultKind.ANSWERED_ONLY)
        if instead is not None:
            return made_up(instead)
        try:
            owner = ""
            if not is_public:
                owner = self._admit(request, call)
            if not await self._pay(request, call):
                self.over_limit += 1
                return web.json_response({"error": "too many requests"}, status=429)
            response = await handler(request, owner)
        except ExchangeRefusal as error:
            if error.code == "bad_request":  # recorded flat, unlike the others
                return flat_reply(error.status, error.code, error.details)
            return error_reply(error.status, error.code, message_of(error.code), error.details)
        except BadQuery as error:
            return web.json_response({"msg": str(error)}, status=400)
        return await self._afterwards(request, call, response)

    def _admit(self, request: web.Request, call: str) -> str:
        """Return who asks, if the key may ask that. Raises Refused."""
        key = self.doorman.key(request.headers, request.method, request.path)
        if key.subaccount is not None:
            request[LOCKED] = key.subaccount
        is_read = request.method == "GET"
        narrower = "read::portfolio_balance" if request.path.endswith("/balance") else ""
        if not (key.may("read", narrower) if is_read else key.may("write", "write::trade")):
            raise ExchangeRefusal(403, "permission_denied", "scope")
        if key.subaccount is not None and subaccount(request) != key.subaccount:
            raise ExchangeRefusal(403, "permission_denied", "subaccount")
        expires_ns = self.doorman.region_expires_ns
        is_over = expires_ns is not None and expires_ns <= self.desk.exchange.now_ns()
        if call == "create" and is_over:
            raise ExchangeRefusal(403, "permission_denied", "location")
        return key.owner

    async def _afterwards(
        self, request: web.Request, call: str, response: web.Response
    ) -> web.StreamResponse:
        """Let the answer be lost, late, cut, or wrong; the call itself was taken."""
        late = self._happens(request, call, FaultKind.LATE)
        if late is not None:
            await asyncio.sleep(late.seconds)
        if self._happens(request, call, FaultKind.LOST_AFTER):
            return cut(request)
        if self._happens(request, call, FaultKind.ERROR_AFTER):
            return error_reply(503, "service_unavailable", "service unavailable")
        if self._happens(request, call, FaultKind.EMPTY_SUCCESS):
            return web.json_response({"error": {"code": "unknown", "message": ""}}, status=200)
        instead = self._happens(request, call, FaultKind.ANSWERED_INSTEAD)
        if instead is not None:
            return made_up(instead)
        edited = self._happens(request, call, FaultKind.EDITED)
        if edited is not None:
            return edit(response, edited)
        if self._happens(request, call, FaultKind.RESET):
            if request.transport is not None:
                request.transport.write(b"HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{")
            return cut(request)
        return response

    def _happens(self, request: web.Request, call: str, kind: FaultKind) -> ExchangeFault | None:
        return self.desk.faults.occurs(
            call,
            self.desk.exchange.now_ns(),
            kind,
            method=request.method,
            path=request.path.removeprefix(ROOT),
        )

    async def _pay(self, request: web.Request, call: str) -> bool:
        cost = _COSTS.get(call, 10.0)
        if call == "batch":
            found = await read_json(request)
            cost = (10.0 if request.method == "POST" else 2.0) * len(found.get("orders") or [1])
        is_read = request.method == "GET"
        capacity = (self.desk.read_limit if is_read else self.desk.write_limit)[1]
        buckets = [self._read] if is_read else await self._billed(request, call)
        now_ns = self.desk.exchange.now_ns()
        return cost <= capacity and not any(bucket.take(cost, now_ns) for bucket in buckets)

    async def _billed(self, request: web.Request, call: str) -> list[TokenBucket]:
        """
        Return the buckets that a write pays from.

        A single write that names a shard above 0 pays from that shard's own; one that names none
        from all of them; batches and shard 0 pay from the unscoped one.
        """
        named: object = request.query.get("exchange_index")
        if call in {"create", "amend"} and named is None:
            named = (await read_json(request)).get("exchange_index")
        if call == "batch":
            named = 0
        if named is None or str(named) == "-1":
            return list(self._write.values())
        shard = int(str(named)) if str(named).isdigit() else 0
        return [self._write.get(shard, self._write[0])]
