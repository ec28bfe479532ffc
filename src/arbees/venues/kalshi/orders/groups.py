"""Order groups: a stop at the venue itself, for the case that ours does not work.

Guarantees that orders which open risk carry the group of their shard, whose limit on contracts
matched within 15 seconds is the venue's to enforce; that a kill switch triggers all of them; that
one which tripped or was deleted by another hand is told of, and is opened again only when a halt is
lifted; and that a later start goes on with the groups of the one before. What reduces never carries
one. A group that cannot be made is done without: it is a second stop.

Source: OpenAPI 3.34, order groups; one shard a group, a rolling window of 15 s. Each call names its
shard: without one it means shard 0.
"""

import asyncio
from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from arbees.core.language.units import MICRO, div_ceil
from arbees.errors import VenueError
from arbees.venues.kalshi import shapes
from arbees.venues.kalshi.connection.api import KalshiApi
from arbees.venues.kalshi.orders.answers import read_error

PATH = "/portfolio/order_groups"
SHARDS = (0, 1, 2, 3)
LIMIT_MAX = 1_000_000
NOTE = "order_group:"
"""Before the shard in the name of a note: its group, and in which state we left it."""
_GONE = 404
_WORDS = ("order group", "order_group")


class GroupState(StrEnum):
    """How a group stands, by what we did and heard."""

    OPEN = "open"
    SHUT = "shut"
    """We triggered it: a global stop."""
    TRIPPED = "tripped"
    """It tripped, or somebody else triggered or deleted it."""


class Made(msgspec.Struct, frozen=True):
    """The answer to a create."""

    order_group_id: str


class ListedGroup(msgspec.Struct, frozen=True):
    """A group of the list."""

    id: str
    contracts_limit_fp: str = ""


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
        self._states: dict[int, GroupState] = {}
        self._left: dict[str, int] = {}
        """Groups of ours that nothing uses any more; they are removed as the venue answers."""
        self._is_looked_at = False
        """The venue was asked which of the groups of earlier starts there are."""
        self.note: Callable[[str, str], None] = lambda _name, _value: None
        """Told what a later start must know."""
        self.tripped: Callable[[int, str], None] = lambda _shard, _reason: None
        """Told of a group that stops what opens on its shard, and why."""
        self._turn = asyncio.Lock()

    @property
    def are_made(self) -> bool:
        """Whether every shard has its group, and none is left over."""
        is_missing = any(
            shard not in self.ids and self.state(shard) is GroupState.OPEN for shard in SHARDS
        )
        return self._is_looked_at and not self._left and not is_missing

    def state(self, shard: int) -> GroupState:
        """Return how the group of a shard stands."""
        return self._states.get(shard, GroupState.OPEN)

    def is_shut(self, shard: int | None) -> bool:
        """Tell whether orders that open would be refused on a shard; None = on any."""
        shards = SHARDS if shard is None else (shard,)
        return any(self.state(each) is not GroupState.OPEN for each in shards)

    def recall(self, notes: Mapping[str, str]) -> None:
        """Take over what an earlier start noted; before `make`."""
        for shard in SHARDS:
            group, _, state = notes.get(f"{NOTE}{shard}", "").partition(" ")
            if group:
                self.ids[shard] = group
                self._states[shard] = GroupState(state or GroupState.OPEN)

    # Making ------------------------------------------------------------------------------------

    async def make(self) -> None:
        """Make the groups that are missing; a shard without one is traded without."""
        async with self._turn:
            if not self._is_looked_at:
                await self._look()
            for shard in SHARDS:
                if shard not in self.ids and self.state(shard) is GroupState.OPEN:
                    try:
                        self._set(shard, GroupState.OPEN, await self._made(shard))
                    except VenueError:
                        continue
            await self._remove()

    async def _look(self) -> None:
        """Find the groups of earlier starts; what is not there any more is made anew."""
        if not self.ids:
            self._is_looked_at = True
            return
        try:
            there = {each.id: each for each in await self._listed()}
        except VenueError:
            return  # what was noted is as good a guess as any; it is looked for again
        self._is_looked_at = True
        for shard, group in list(self.ids.items()):
            found = there.get(group)
            if found is None:
                self._forget(shard)
            elif found.contracts_limit_fp != f"{self._limit}.00":
                # Orders that carry it may rest: its limit is changed, not its name.
                await self._limited(shard, group)

    async def _limited(self, shard: int, group: str) -> None:
        body = msgspec.json.encode({"contracts_limit": self._limit})
        try:
            await self._put(shard, group, "limit", body=body)
        except VenueError:
            self._left[group] = shard
            self._forget(shard)

    async def _listed(self) -> list[ListedGroup]:
        answer = await self._api.call("GET", PATH)
        if answer.status != 200:
            raise read_error(answer.status, answer.body)
        rows = shapes.read(answer.body, dict[str, msgspec.Raw]).get("order_groups")
        return [] if rows is None else shapes.read(rows, list[ListedGroup])

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

    async def _remove(self) -> None:
        """Remove groups that nothing uses any more."""
        for group, shard in list(self._left.items()):
            try:
                answer = await self._api.call(
                    "DELETE",
                    f"{PATH}/{group}",
                    {"exchange_index": shard},
                    priced_as=f"{PATH}/:order_group_id",
                )
            except VenueError:
                return
            if answer.status in {200, 204, _GONE}:
                del self._left[group]

    # What is heard -----------------------------------------------------------------------------

    def hear(self, group: str, event: str) -> None:
        """Take what the venue tells of a group."""
        shard = next((each for each, name in self.ids.items() if name == group), None)
        if shard is None:
            return
        if event == "deleted":
            self._trip(shard, "the order group was deleted at Kalshi")
            self._forget(shard, GroupState.TRIPPED)
        elif event == "triggered" and self.state(shard) is GroupState.OPEN:
            self._trip(shard, "the order group tripped at Kalshi")

    def refused(self, shard: int | None, message: str) -> None:
        """Take a refusal of an order that carried the group of its shard."""
        lower = message.lower()
        if shard is None or not any(word in lower for word in _WORDS):
            return
        if self.state(shard) is GroupState.OPEN:
            self._trip(shard, f"Kalshi refuses orders with the order group: {message}")
            if "not found" in lower or "not_found" in lower:
                self._forget(shard, GroupState.TRIPPED)

    def _trip(self, shard: int, reason: str) -> None:
        if self.state(shard) is GroupState.TRIPPED:
            return
        self._set(shard, GroupState.TRIPPED, self.ids.get(shard, ""))
        self.tripped(shard, reason)

    # Shutting and opening ----------------------------------------------------------------------

    async def trigger(self) -> None:
        """Cancel what rests of the groups, and shut them; one that does not answer is left out."""
        shut = dict(self.ids)
        for shard, group in shut.items():
            if self.state(shard) is GroupState.OPEN:
                self._set(shard, GroupState.SHUT, group)
        await asyncio.gather(
            *(self._put(shard, group, "trigger", is_urgent=True) for shard, group in shut.items()),
            return_exceptions=True,
        )

    async def reset(self, shard: int | None = None) -> None:
        """
        Open groups again: those that we shut, or that of a shard, whatever shut it; idempotent.

        Each stands for itself. Raises VenueError: one did not answer; it stays shut.
        """
        failure: VenueError | None = None
        for each in SHARDS if shard is None else (shard,):
            state = self.state(each)
            if state is GroupState.OPEN or (shard is None and state is not GroupState.SHUT):
                continue
            try:
                await self._reset(each)
            except VenueError as error:
                failure = error
        if failure is not None:
            raise failure

    async def _reset(self, shard: int) -> None:
        group = self.ids.get(shard)
        if group is not None:
            answer = await self._call(shard, group, "reset")
            if answer == _GONE:
                group = None
        if group is None:
            group = await self._made(shard)
        self._set(shard, GroupState.OPEN, group)

    async def _put(
        self, shard: int, group: str, word: str, *, body: bytes = b"{}", is_urgent: bool = False
    ) -> None:
        if await self._call(shard, group, word, body=body, is_urgent=is_urgent) == _GONE:
            self._forget(shard, self.state(shard))

    async def _call(
        self, shard: int, group: str, word: str, *, body: bytes = b"{}", is_urgent: bool = False
    ) -> int:
        """Change a group of a shard; return the status: done, or 404. Raises VenueError."""
        answer = await self._api.call(
            "PUT",
            f"{PATH}/{group}/{word}",
            {"exchange_index": shard},
            body=body,
            priced_as=f"{PATH}/:order_group_id/{word}",
            is_urgent=is_urgent,
        )
        if answer.status not in {200, 204, _GONE}:
            raise read_error(answer.status, answer.body)
        return answer.status

    def _forget(self, shard: int, state: GroupState = GroupState.OPEN) -> None:
        """Take it that the group of a shard is gone; one that is open is made anew."""
        self.ids.pop(shard, None)
        self._set(shard, state, "")

    def _set(self, shard: int, state: GroupState, group: str) -> None:
        self._states[shard] = state
        if group:
            self.ids[shard] = group
        self.note(f"{NOTE}{shard}", f"{group} {state}".strip())
