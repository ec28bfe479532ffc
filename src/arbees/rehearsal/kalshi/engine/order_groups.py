"""Order groups of the simulated Kalshi."""

from typing import Any

from aiohttp import web

from arbees.core.language.units import MICRO
from arbees.rehearsal.kalshi.engine.rules import (
    SHARDS,
    ExchangeGroup,
    ExchangeRefusal,
    part_of,
    user_of,
)
from arbees.rehearsal.kalshi.rest import bodies
from arbees.rehearsal.kalshi.rest.context import CallContext
from arbees.rehearsal.kalshi.rest.reading import (
    fixed,
    parts_of,
    read_json,
    subaccount,
)

LIMIT_MAX = 1_000_000
GROUPS_MAX = 100_000


class Grouping:
    """Calls about order groups."""

    def __init__(self, desk: CallContext) -> None:
        """Serve a desk."""
        self._desk = desk

    async def create_group(self, request: web.Request, owner: str) -> web.Response:
        """`POST /portfolio/order_groups/create`."""
        body = await read_json(request)
        shard = body.get("exchange_index") or 0
        if not isinstance(shard, int) or shard not in SHARDS:
            raise ExchangeRefusal(400, "invalid_parameters", "exchange_index")
        exchange, part = self._desk.exchange, body.get("subaccount", subaccount(request) or 0)
        mine = [each for each in exchange.groups.values() if user_of(each.owner) == owner]
        if len(mine) >= GROUPS_MAX:
            raise ExchangeRefusal(400, "invalid_parameters", "too many order groups")
        group = ExchangeGroup(
            group_id=exchange.new_order_id(),
            owner=part_of(owner, part),
            limit=_limit_of(body),
            shard=shard,
            made_ns=exchange.now_ns(),
        )
        self._desk.exchange.groups[group.group_id] = group
        self._desk.exchange.tell_group(group, "created")
        said = {"order_group_id": group.group_id, "subaccount": part, "exchange_index": shard}
        return web.json_response(said, status=201)

    async def groups(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/order_groups`."""
        parts = parts_of(request, owner, self._desk.exchange)
        found = [each for each in self._desk.exchange.groups.values() if each.owner in parts]
        return web.json_response({"order_groups": [bodies.group_row(each) for each in found]})

    def _group(self, request: web.Request, owner: str) -> ExchangeGroup:
        """Return the group that a write means: on shard 0 and primary, unless it says otherwise."""
        group = self._desk.exchange.groups.get(request.match_info["group_id"])
        shard = request.query.get("exchange_index", "0")
        if group is None or group.owner != part_of(owner, subaccount(request) or 0):
            raise ExchangeRefusal(404, "not_found")
        if shard != str(group.shard):
            raise ExchangeRefusal(404, "not_found")
        return group

    async def group(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/order_groups/{id}`: of any shard."""
        group = self._desk.exchange.groups.get(request.match_info["group_id"])
        if group is None or group.owner not in parts_of(request, owner, self._desk.exchange):
            raise ExchangeRefusal(404, "not_found")
        orders = [
            order.order_id
            for order in self._desk.exchange.resting(group.owner)
            if order.group_id == group.group_id
        ]
        said = bodies.group_row(group) | {"orders": orders}
        del said["id"], said["exchange_index"]  # who asks knows them
        return web.json_response(said)

    async def limit_group(self, request: web.Request, owner: str) -> web.Response:
        """`PUT /portfolio/order_groups/{id}/limit`: below what was matched, it triggers at once."""
        group = self._group(request, owner)
        group.limit = _limit_of(await read_json(request))
        self._desk.exchange.tell_group(group, "limit_updated")
        if group.within(self._desk.exchange.now_ns()) > group.limit:
            self._desk.exchange.trigger(group)
        return web.json_response({})

    async def trigger_group(self, request: web.Request, owner: str) -> web.Response:
        """`PUT /portfolio/order_groups/{id}/trigger`."""
        self._desk.exchange.trigger(self._group(request, owner))
        return web.json_response({})

    async def reset_group(self, request: web.Request, owner: str) -> web.Response:
        """`PUT /portfolio/order_groups/{id}/reset`."""
        group = self._group(request, owner)
        group.is_triggered, group.matched = False, []
        self._desk.exchange.tell_group(group, "reset")
        return web.json_response({})

    async def delete_group(self, request: web.Request, owner: str) -> web.Response:
        """`DELETE /portfolio/order_groups/{id}`: cancels its orders."""
        group = self._group(request, owner)
        self._desk.exchange.trigger(group)
        del self._desk.exchange.groups[group.group_id]
        self._desk.exchange.tell_group(group, "deleted")
        return web.json_response({})


def _limit_of(body: dict[str, Any]) -> int:
    """Read the limit of a body in micro-contracts. Raises Refused."""
    limit = body.get("contracts_limit")
    micro = limit * MICRO if isinstance(limit, int) else fixed(body, "contracts_limit_fp", 2)
    if not 1 <= micro // MICRO <= LIMIT_MAX:
        raise ExchangeRefusal(400, "invalid_parameters", "contracts_limit")
    return micro
