"""Many cancels in one call: a mass cancel of a thousand orders is fifty requests.

Guarantees that each order has an outcome of its own, by what the answer says of that order; that an
answer which is lost, late or short leaves unknown what it does not speak of; and that a batch fits
the rate budget, since Kalshi refuses one that does not as a whole. It costs as much as one by one.

Source: OpenAPI 3.34, `DELETE /portfolio/events/orders/batched`; 2 tokens an item.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from arbees.core.deciding.outcomes import CancelOutcome, CancelUnknown, WorkingOrder
from arbees.errors import VenueError
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.api import KalshiApi
from arbees.venues.kalshi.connection.connection import CREATE
from arbees.venues.kalshi.orders.answers import cancel_outcome, read_error

PATH = f"{CREATE}/batched"
CHUNK = 20
"""Orders of one call: 40 tokens, which the smallest account can have at once."""
CALLS = 2
"""Calls under way at once; single cancels and reads have connections left."""


class Item(msgspec.Struct, frozen=True):
    """What an answer says of one order: an error, or how much was cancelled."""

    order_id: str = ""
    error: msgspec.Raw = msgspec.Raw(b"null")


class BatchItems(msgspec.Struct, frozen=True):
    """The answer; each item is read by itself."""

    orders: list[msgspec.Raw]


class Batches:
    """Batch cancels of one account."""

    def __init__(self, api: KalshiApi, shard_of: Callable[[str], int | None]) -> None:
        """
        Hold what a batch needs.

        Args:
            api: makes the calls.
            shard_of: the shard of a ticker; None = not known, the ticker says it.
        """
        self._api = api
        self._shard_of = shard_of

    async def cancel(self, orders: Sequence[WorkingOrder]) -> dict[str, CancelOutcome]:
        """Cancel orders that the venue named; return an outcome of each, by client order id."""
        turns, found = asyncio.Semaphore(CALLS), dict[str, CancelOutcome]()

        async def ask(chunk: Sequence[WorkingOrder]) -> None:
            async with turns:
                found.update(await self._cancel(chunk))

        chunks = [orders[first : first + CHUNK] for first in range(0, len(orders), CHUNK)]
        await asyncio.gather(*(ask(chunk) for chunk in chunks))
        return found

    async def _cancel(self, chunk: Sequence[WorkingOrder]) -> dict[str, CancelOutcome]:
        body = msgspec.json.encode({"orders": [self._named(each) for each in chunk]})
        try:
            answer = await self._api.call("DELETE", PATH, body=body, items=len(chunk))
            if answer.status != 200:
                raise read_error(answer.status, answer.body)
            told = _by_venue_id(answer.body)
        except VenueError as error:
            return {
                each.client_order_id: CancelUnknown(
                    message=error.message, is_health=error.is_health
                )
                for each in chunk
            }
        silent = CancelUnknown(
            message="Kalshi's answer does not speak of this order", is_health=False
        )
        return {each.client_order_id: told.get(each.venue_order_id, silent) for each in chunk}

    def _named(self, order: WorkingOrder) -> dict[str, str | int]:
        named: dict[str, str | int] = {
            "order_id": order.venue_order_id,
            "market_ticker": order.market_id,
            "subaccount": self._api.subaccount,
        }
        shard = self._shard_of(order.market_id)
        return named if shard is None else named | {"exchange_index": shard}


def _by_venue_id(body: bytes) -> dict[str, CancelOutcome]:
    """Return what an answer says, by the venue's id. Raises VenueOutcomeUnknown."""
    found: dict[str, CancelOutcome] = {}
    for raw in shapes.read(body, BatchItems).orders:
        item = shapes.read(bytes(raw), Item)
        if item.order_id in found:
            raise shapes.unreadable(f"Kalshi's answer speaks twice of {item.order_id}")
        # An error of an item has the words of an error of the call; none of them has a status.
        is_error = bytes(item.error) != b"null"
        found[item.order_id] = cancel_outcome(404 if is_error else 200, bytes(raw), item.order_id)
    return found
