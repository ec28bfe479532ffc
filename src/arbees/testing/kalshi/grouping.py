"""Order groups of the simulated Kalshi."""

from typing import Any

from aiohttp import web

from arbees.core.units import MICRO
from arbees.testing.kalshi import bodies
from arbees.testing.kalshi.desk import Desk
from arbees.testing.kalshi.reading import fixed, read_json
from arbees.testing.kalshi.rules import SHARDS, Group, Refused

LIMIT_MAX = 1_000_000


class Grouping:
    """Calls about order groups."""

    def __init__(self, desk: Desk) -> None:
        """Serve a desk."""
        self._desk = desk

    async def create_group(self, request: web.Request, owner: str) -> web.Response:
        """`POST /portfolio/order_groups/create`."""
        body = await read_json(request)
        shard = body.get("exchange_index") or 0
        if not isinstance(shard, int) or shard not in SHARDS:
            raise Refused(400, "invalid_parameters", "exchange_index")
        group = Group(
            group_id=self._desk.exchange.new_order_id(),
            owner=owner,
            limit=_limit_of(body),
            shard=shard,
        )
        self._desk.exchange.groups[group.group_id] = group
        self._desk.exchange.tell_group(group, "created")
        said = {"order_group_id": group.group_id, "subaccount": 0, "exchange_index": group.shard}
        return web.json_response(said, status=201)

    async def groups(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/order_groups`."""
        found = [each for each in self._desk.exchange.groups.values() if each.owner == owner]
        return web.json_response({"order_groups": [bodies.group_row(each) for each in found]})

    def _group(self, request: web.Request, owner: str) -> Group:
        group = self._desk.exchange.groups.get(request.match_info["group_id"])
        if group is None or group.owner != owner:
            raise Refused(404, "not_found")
        return group

    async def group(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/order_groups/{id}`."""
        group = self._group(request, owner)
        orders = [
            order.order_id
            for order in self._desk.exchange.resting(owner)
            if order.group_id == group.group_id
        ]
        said = bodies.group_row(group) | {"orders": orders}
        del said["id"]  # who asks knows it
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
        raise Refused(400, "invalid_parameters", "contracts_limit")
    return micro
