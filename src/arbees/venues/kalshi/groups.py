"""Order groups: a stop at the venue itself, for the case that ours does not work.

Guarantees that our orders carry a group of their shard, whose limit on contracts matched within 15
seconds is the venue's to enforce; that a kill switch triggers all of them; and that they are opened
again only when a halt is lifted. A group that cannot be made is done without: it is a second stop.

Source: OpenAPI 3.34, order groups; one shard a group, a rolling window of 15 s.
"""

import asyncio

import msgspec

from arbees.core.units import MICRO, div_ceil
from arbees.errors import VenueError
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.answers import read_error
from arbees.venues.kalshi.api import KalshiApi

PATH = "/portfolio/order_groups"
SHARDS = (0, 1, 2, 3)
LIMIT_MAX = 1_000_000


class Made(msgspec.Struct, frozen=True):
    """The answer to a create."""

    order_group_id: str


class Groups:
    """The groups of one account, one a shard."""

    def __init__(self, api: KalshiApi, limit: int) -> None:
        """
        Prepare; `make` asks the venue.

        Args:
            api: makes the calls.
            limit: micro-contracts that may be matched within 15 s.
        """
        self._api = api
        self._limit = min(max(1, div_ceil(limit, MICRO)), LIMIT_MAX)
        self.ids: dict[int, str] = {}
        """By shard."""
        self.is_shut = False
        """They were triggered, and not opened again."""
        self._turn = asyncio.Lock()

    @property
    def are_made(self) -> bool:
        """Whether every shard has its group."""
        return all(shard in self.ids for shard in SHARDS)

    async def make(self) -> None:
        """Make the groups that are missing; a shard without one is traded without."""
        async with self._turn:
            for shard in SHARDS:
                if shard not in self.ids:
                    try:
                        self.ids[shard] = await self._made(shard)
                    except VenueError:
                        continue

    async def _made(self, shard: int) -> str:
        body = {
            "contracts_limit": self._limit,
            "exchange_index": shard,
            "subaccount": self._api.subaccount,
        }
        answer = await self._api.call("POST", f"{PATH}/create", body=msgspec.json.encode(body))
        if answer.status not in {200, 201}:
            raise read_error(answer.status, answer.body)
        return shapes.read(answer.body, Made).order_group_id

    async def trigger(self) -> None:
        """Cancel what rests of the groups, and shut them; one that does not answer is left out."""
        self.is_shut = bool(self.ids)
        await asyncio.gather(
            *(self._put(shard, "trigger", is_urgent=True) for shard in self.ids),
            return_exceptions=True,
        )

    async def reset(self) -> None:
        """Open them again. Raises VenueError: one did not answer; they stay shut for us."""
        if self.is_shut:
            for shard in self.ids:
                await self._put(shard, "reset")
            self.is_shut = False

    async def _put(self, shard: int, word: str, *, is_urgent: bool = False) -> None:
        answer = await self._api.call(
            "PUT",
            f"{PATH}/{self.ids[shard]}/{word}",
            {"exchange_index": shard},  # without it the venue looks on shard 0
            body=b"{}",
            priced_as=f"{PATH}/:order_group_id/{word}",
            is_urgent=is_urgent,
        )
        if answer.status not in {200, 204}:
            raise read_error(answer.status, answer.body)
