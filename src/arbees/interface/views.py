"""What the gateway shows and answers: the shapes of its reads, and the port of the gateway itself.

The api and the command line know the gateway only through these.
"""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from arbees.core.book.api_keys import KeyHolder
from arbees.core.language.quote import Quote, Settlement
from arbees.core.language.request import Request
from arbees.core.orders.result import Result
from arbees.interface.denial_reviews import Reviewer
from arbees.interface.drills import Driller
from arbees.interface.history import TradeHistory
from arbees.interface.measures import Observer
from arbees.interface.operator import Operator


class Undecided(Exception):  # noqa: N818 - not a fault of the gateway's code
    """
    Nothing was decided and nothing spent; come again with the same key.

    Attributes:
        code: `QUEUE_FULL`, `SHUTTING_DOWN`, `JOURNAL_FAILED` or `STARTING`.
        message: what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        """Say why, and what to do."""
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


class HaltView(msgspec.Struct, frozen=True, kw_only=True):
    """A halt in force."""

    source: str
    scope: str
    state: str
    reason: str
    since: str
    automatic: bool


class KillReply(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to a kill-switch command."""

    in_force: bool
    """What was asked is in force in memory."""
    durable: bool
    """It is in the journal too."""
    state: str
    halts: tuple[HaltView, ...]
    sequence: int
    receipt_id: str | None
    scope: str | None = None
    """What was commanded, in its one spelling; null where nothing was."""
    matches_nothing: bool = False
    """Nothing known is in that scope: it holds only for what comes under that name."""
    remaining: tuple[HaltView, ...] = ()
    """After DISABLE: halts of the scope that it may not lift (automatic ones, the file)."""


class ReceiptOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order that a halt or a mass cancel chases."""

    client_order_id: str
    order_id: str | None
    platform: str
    market_id: str
    status: str
    filled_meanwhile: Decimal


class ReceiptClose(msgspec.Struct, frozen=True, kw_only=True):
    """One order by which a flattening closes what is held."""

    request_id: str
    platform: str
    market_id: str
    side: str
    """What is sold."""
    quantity: Decimal
    limit_price: Decimal
    status: str
    """Of its result; `Failed` where it was not asked for."""
    filled_qty: Decimal
    code: str | None
    message: str | None


class ReceiptLeft(msgspec.Struct, frozen=True, kw_only=True):
    """What a flattening could not close, and why."""

    platform: str
    market_id: str
    side: str
    quantity: Decimal
    reason: str
    code: str | None = None
    """Of the denial or rejection, where it is one."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a halt, a mass cancel or a flattening did; fills up until `complete`."""

    receipt_id: str
    sequence: int
    kind: str
    scope: str
    state: str
    reason: str
    since: str
    cancelled: tuple[ReceiptOrder, ...]
    in_flight: tuple[ReceiptOrder, ...]
    """Handed over before and not ended yet."""
    filled_meanwhile: tuple[ReceiptOrder, ...]
    complete: bool
    completed_at: str | None
    closing: tuple[ReceiptClose, ...] = ()
    """The orders that close what is held; of a flattening alone."""
    left: tuple[ReceiptLeft, ...] = ()
    """What of it could not be closed."""
    matches_nothing: bool = False
    """Nothing known is in its scope."""


class VenueView(msgspec.Struct, frozen=True, kw_only=True):
    """State of a venue."""

    platform: str
    shard: int | None = None
    """Which shard of it; null where the venue has none."""
    state: str
    reasons: tuple[str, ...] = ()
    until: str | None = None
    """When that ends, if it is known."""


class RefusalView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that would be refused now."""

    scope: str
    """What: `all`, `platform:X`, `pool:X` (of a shard), `market:X`, `strategy:X`, `task:X`, ..."""
    code: str
    """With which an order would be denied, or not be decided at all."""
    reason: str
    """Why, in plain words; empty where the caller may not know."""
    until: str | None = None
    """When it lifts by itself; null where it does not, or nobody knows."""


class JournalView(msgspec.Struct, frozen=True, kw_only=True):
    """Head of the journal."""

    sequence: int
    hash: str


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /v1/status`."""

    mode: str
    state: str
    halts: tuple[HaltView, ...]
    venues: tuple[VenueView, ...]
    refuses: tuple[RefusalView, ...] = ()
    """What would be refused now, the widest scope first; empty when all is well."""
    journal: JournalView
    pnl_today: Decimal
    version: str
    settings_hash: str
    disabled_safeguards: tuple[str, ...]
    """Names of those that are switched off."""
    account: str = ""
    environment: str = ""
    disabled_reason: str | None = None
    open_orders: int = 0
    unknown_orders: int = 0
    total_exposure: Decimal = Decimal(0)
    warnings: tuple[str, ...] = ()
    """What an operator should look at: audit log behind, disk low, safeguards off."""


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /readyz`."""

    ready: bool
    reasons: tuple[str, ...] = ()
    """In plain words; for a key with `read` alone."""
    refuses: tuple[RefusalView, ...] = ()
    """What would be refused now; without such a key codes and times alone, each once."""

    def for_strangers(self) -> "Readiness":
        """Return what anybody may know: codes and times, no names and no amounts."""
        seen = dict.fromkeys((each.code, each.until) for each in self.refuses)
        return Readiness(
            ready=self.ready,
            refuses=tuple(
                RefusalView(scope="", code=code, reason="", until=until) for code, until in seen
            ),
        )


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a request's life."""

    sequence: int
    time: str
    kind: str
    body: dict[str, Any]


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """A result with the records that it is the fold of."""

    result: Result
    events: tuple[EventView, ...]


class Gateway(KeyHolder, Operator, Driller, Reviewer, Protocol):
    """The gateway as the api sees it. All calls on its event loop."""

    async def submit(
        self, request: Request, wait_seconds: float, key_id: str | None = None
    ) -> Result:
        """
        Decide, send and wait; with a key, within its caps.

        Returns:
            The final result, or the result so far when `wait_seconds` passed (0 = right after the
            commit of the decision), the venue acknowledged a resting order, or the order is
            UNKNOWN.

        Raises:
            Undecided: nothing was decided (503), or the journal failed: ask again with the key.
        """
        ...

    def execution(self, request_id: str, strategy: str | None = None) -> Execution | None:
        """
        Return the result of a request as known now.

        Args:
            request_id: as its caller wrote it.
            strategy: whose ids are meant; None = those that are nobody's own, then anybody's.
        """
        ...

    def execution_by_key(self, key: str, strategy: str | None = None) -> Execution | None:
        """Return the result of a key's last attempt as known now; likewise."""
        ...

    async def feed(self, quotes: Sequence[Quote]) -> None:
        """
        Take quotes (paper only): facts for the safeguards, a book for the paper exchange.

        Raises:
            Conflict: the venue tells its own books here (`VENUE_SPEAKS`); nothing was taken.
        """
        ...

    async def settle(self, settlement: Settlement) -> None:
        """
        Settle a market on the paper exchange.

        Raises:
            Conflict: the venue tells its own settlements here (`VENUE_SPEAKS`).
        """
        ...

    async def kill_switch(
        self,
        action: str,
        *,
        scope: str,
        reason: str,
        source: str,
        actor: str,
        acknowledge: bool = False,
        owner: str = "",
        every: bool = False,
    ) -> KillReply:
        """
        ENABLE, REDUCE or DISABLE; in force in memory before anything is awaited.

        Args:
            action: what to do.
            scope: in which scope.
            reason: why.
            source: where it comes from.
            actor: who says so.
            acknowledge: to DISABLE, lift also what the gateway halted by itself; to REDUCE, step
                down also what others halted.
            owner: id of the bound key that asks: its halts are its own, and it lifts no other.
            every: to DISABLE, lift in every scope.

        Raises:
            Undecided: the journal failed; an ENABLE stays in force in memory all the same.
            ValueError: unknown action or scope.
            Conflict: too many halts stand (`TOO_MANY_HALTS`); one of scope `all` always passes.
        """
        ...

    def kill_status(self) -> KillReply:
        """Return the halts in force."""
        ...

    def receipt(self, receipt_id: str) -> Receipt | None:
        """Return what a halt or mass cancel did so far."""
        ...

    def status(self) -> StatusView:
        """Return the state of everything."""
        ...

    def readiness(self) -> Readiness:
        """Return whether requests are decided; stays ready when halted, with reasons."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether real money is at stake."""
        ...


class Ahead(Exception):  # noqa: N818 - an expected outcome
    """
    A reader asks for what comes after a record that this journal does not have.

    Attributes:
        after: the record that was named.
        head: the last durable one.
    """

    def __init__(self, after: int, head: int) -> None:
        """Say which record was named, and which is the last."""
        self.after = after
        self.head = head
        super().__init__(
            f"Expected a record up to {head}, the last of this journal, was {after}. It is another "
            "journal than the one that was followed, or an older copy of it"
        )


class Follower(Observer, TradeHistory, Protocol):
    """What reads at length, from the durable journal and off the writer's loop."""

    def events(self, after: int) -> AsyncIterator[bytes]:
        """
        Yield every durable record above `after` as server-sent events, once and in order.

        Each piece is whole events or comments; the first one, a comment, comes at once, and a
        comment whenever nothing else did for a while. It ends when the gateway does.

        Raises:
            Ahead: there is no record `after` yet.
            Undecided: too many read already (`QUEUE_FULL`).
        """
        ...
