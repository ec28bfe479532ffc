"""Reads of the simulated Kalshi about the account: money that moved, keys, hours, incentives.

Guarantees the shapes of OpenAPI 3.34. Lists have what Kalshi lists; what it does not list, interest
and corrections, is nowhere but in the balance.
"""

from typing import Any

from aiohttp import web

from arbees.core.language.units import NS_PER_SECOND
from arbees.rehearsal.kalshi.engine.money import Movement
from arbees.rehearsal.kalshi.engine.rules import (
    CENT,
    SHARDS,
    subaccount_of,
    user_of,
)
from arbees.rehearsal.kalshi.rest import bodies
from arbees.rehearsal.kalshi.rest.context import CallContext
from arbees.rehearsal.kalshi.rest.identity import Doorman
from arbees.rehearsal.kalshi.rest.reading import page

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ALL_DAY = [{"open_time": "00:00", "close_time": "24:00"}]
BUT_THE_PAUSE = [
    {"open_time": "00:00", "close_time": "03:00"},
    {"open_time": "05:00", "close_time": "24:00"},
]
"""Thursdays there is a pause, in Eastern Time."""


class Statements:
    """Calls about the account and its money."""

    def __init__(self, desk: CallContext, doorman: Doorman) -> None:
        """Serve a desk."""
        self._desk = desk
        self._doorman = doorman

    def _listed(self, kind: str) -> list[Movement]:
        return self._desk.exchange.money.listed(kind)

    async def deposits(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/deposits`."""
        return page(request, "deposits", [_payment(each) for each in self._listed("deposit")])

    async def withdrawals(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/withdrawals`."""
        rows = [_payment(each) for each in self._listed("withdrawal")]
        return page(request, "withdrawals", rows)

    async def transfers(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/intra_exchange_instance_transfers`: between shards."""
        rows = [
            {
                "transfer_id": each.movement_id,
                "source": "event_contract",
                "destination": "event_contract",
                "source_exchange_shard": each.source,
                "destination_exchange_shard": each.target,
                "amount": bodies.price(each.amount),
                "status": "complete",
                "created_ts": each.time_ns // NS_PER_SECOND,
            }
            for each in self._listed("transfer")
        ]
        return page(request, "transfers", rows)

    async def internal(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/subaccounts/transfers`."""
        rows = [
            {
                "transfer_id": each.movement_id,
                "from_subaccount": each.source,
                "to_subaccount": each.target,
                "amount_cents": each.amount // CENT,
                "created_ts": each.time_ns // NS_PER_SECOND,
                "exchange_index": each.shard,
            }
            for each in self._listed("internal")
        ]
        return page(request, "transfers", rows)

    async def balances(self, request: web.Request, owner: str) -> web.Response:
        """`GET /portfolio/subaccounts/balances`: of each on each shard."""
        exchange = self._desk.exchange
        rows = [
            {
                "subaccount_number": subaccount_of(name),
                "exchange_index": shard,
                "balance": bodies.price(exchange.available(name, shard)),
                "updated_ts": exchange.now_ns() // NS_PER_SECOND,
            }
            for name in sorted(exchange.accounts)
            if user_of(name) == owner
            for shard in SHARDS
        ]
        return web.json_response({"subaccount_balances": rows})

    async def incentives(self, request: web.Request, owner: str) -> web.Response:
        """`GET /incentive_programs`: none runs; what one paid is not listed anywhere."""
        return web.json_response({"incentive_programs": []})

    async def keys(self, request: web.Request, owner: str) -> web.Response:
        """`GET /api_keys`: their scopes, and until when the account is known to be at home."""
        rows: list[dict[str, Any]] = [
            {"api_key_id": key_id, "name": "rehearsal", "scopes": list(key.scopes)}
            | ({} if key.subaccount is None else {"subaccount": key.subaccount})
            for key_id, key in self._doorman.keys.items()
            if key.owner == owner
        ]
        said: dict[str, Any] = {"api_keys": rows}
        if self._doorman.region_expires_ns is not None:
            said["api_key_region_expiration_ts"] = self._doorman.region_expires_ns // NS_PER_SECOND
        return web.json_response(said)

    async def schedule(self, request: web.Request, owner: str) -> web.Response:
        """`GET /exchange/schedule`: all week, but for the pause on Thursdays."""
        hours = dict.fromkeys(DAYS, ALL_DAY) | {"thursday": BUT_THE_PAUSE}
        week = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2036-01-01T00:00:00Z", **hours}
        said = {"standard_hours": [week], "maintenance_windows": []}
        return web.json_response({"schedule": said})

    async def announcements(self, request: web.Request, owner: str) -> web.Response:
        """`GET /exchange/announcements`: there are none."""
        return web.json_response({"announcements": []})


def _payment(movement: Movement) -> dict[str, Any]:
    return {
        "id": movement.movement_id,
        "status": "applied",
        "type": "ach",
        "amount_cents": movement.amount // CENT,
        "fee_cents": 0,
        "created_ts": movement.time_ns // NS_PER_SECOND,
        "finalized_ts": movement.time_ns // NS_PER_SECOND,
    }
