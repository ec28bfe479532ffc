"""What the shell must offer to the core: the protocols that separate deciding from doing.

Guarantees that the packages around the core know each other only through these shapes. Nothing
here runs; an implementation that breaks a sentence of a docstring breaks a promise of the design.
"""

from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

import msgspec

from arbees.core.book.market import Listing, Terms
from arbees.core.deciding.outcomes import (
    ApprovedOrder,
    CancelOutcome,
    CashMovement,
    Fill,
    Lookup,
    Outcome,
    PoolBalance,
    Refusal,
    Report,
    Settled,
    VenueOrder,
    VenuePosition,
    WorkingOrder,
)
from arbees.core.language.payouts import Payouts
from arbees.core.language.quote import Quote
from arbees.core.language.words import Platform


class KeyRow(msgspec.Struct, frozen=True):
    """The last attempt of an idempotency key; one row a key, kept for ever."""

    idempotency_key: str
    request_id: str
    attempt: int
    fingerprint: str
    """Digest of the economic fields: the same key with another one is a conflict."""
    outcome: str
    """`open` (in flight or resting), `denied`, `not_sent` or `spent`."""
    processed_ns: int


class RequestRow(msgspec.Struct, frozen=True):
    """Under which key a request id was seen first; never replaced."""

    request_id: str
    idempotency_key: str


class SignalRow(msgspec.Struct, frozen=True):
    """A signal seen for a market, side and action under a key; the last outcome of that key."""

    signal_id: str
    market_key: str
    side: str
    action: str
    idempotency_key: str
    outcome: str


class OrderRow(msgspec.Struct, frozen=True):
    """Where the life of an order is found: by our id, and by the venue's once it is known."""

    client_order_id: str
    request_id: str
    platform: str
    venue_order_id: str | None


IndexRow = KeyRow | RequestRow | SignalRow | OrderRow


class Entry(msgspec.Struct, frozen=True):
    """One record to append, with the index rows that must become durable in the same commit."""

    time_ns: int
    kind: str
    body: bytes
    request_id: str | None
    index: tuple[IndexRow, ...] = ()


class Stored(msgspec.Struct, frozen=True):
    """One record as read back."""

    sequence: int
    time_ns: int
    kind: str
    body: bytes
    request_id: str | None
    hash: bytes


class Head(msgspec.Struct, frozen=True):
    """The last durable record: its sequence (0 = empty), chain hash and time."""

    sequence: int
    hash: bytes
    time_ns: int


class KeyTables(Protocol):
    """What is looked up before a request is decided."""

    def key(self, idempotency_key: str) -> KeyRow | None:
        """Return the last attempt of a key."""
        ...

    def request(self, request_id: str) -> RequestRow | None:
        """Return under which key a request id was seen."""
        ...

    def signals(
        self, signal_id: str, market_key: str, side: str, action: str
    ) -> Sequence[SignalRow]:
        """Return the keys under which a signal was seen for this market, side and action."""
        ...


class Room(Protocol):
    """How much room a journal has."""

    @property
    def free_bytes(self) -> int:
        """What may still be written."""
        ...

    @property
    def is_low(self) -> bool:
        """Whether to stop admitting; outcomes and halts are still taken."""
        ...


class Journal(KeyTables, Protocol):
    """An append-only record of one account, written by one process at a time."""

    @property
    def head(self) -> Head:
        """The last durable record."""
        ...

    @property
    def trouble(self) -> str | None:
        """What an operator should know though nothing is lost; None while all is well."""
        ...

    def space(self) -> Room:
        """Return the room that is left."""
        ...

    def maintain(self) -> None:
        """
        Use an idle moment for upkeep; blocking, cheap if nothing is due.

        Raises:
            JournalUnavailable: it failed, and is poisoned.
        """
        ...

    def verify_rest(self) -> Iterator[object]:
        """
        Follow the whole chain in small steps, beside the writer.

        Raises:
            JournalCorrupt: names the first record that does not hold.
        """
        ...

    def append(self, entries: Sequence[Entry]) -> Head:
        """
        Make all entries and their index rows durable in one commit, or none of them.

        Blocking; may be called from a thread other than the one that reads.

        Raises:
            JournalUnavailable: nothing of it is known to be durable; the journal is poisoned and
                every later call raises the same.
            LeaseLost: another writer holds the fence.
        """
        ...

    def view(self) -> AbstractContextManager[KeyTables]:
        """Hold one state of the tables while many questions are asked; append nothing in it."""
        ...

    def order(self, client_order_id: str) -> OrderRow | None:
        """Return where an order is found, by our own id."""
        ...

    def order_by_venue_id(self, platform: str, venue_order_id: str) -> OrderRow | None:
        """Return where an order is found, by the venue's id."""
        ...

    def records(self, after: int = 0) -> Iterator[Stored]:
        """Yield the durable records with a sequence above `after`, in order."""
        ...

    def records_of(self, request_id: str) -> Sequence[Stored]:
        """Return the durable records of one request, in order."""
        ...

    def write_snapshot(self, sequence: int, version: str, body: bytes) -> None:
        """Keep a snapshot of the book as of `sequence`; older ones are thinned out."""
        ...

    def snapshot(self) -> tuple[int, str, bytes] | None:
        """Return the newest snapshot that is intact and not newer than the head."""
        ...

    def close(self) -> None:
        """Release the writer's lock; idempotent."""
        ...


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """How a venue is, by its own word and by ours of it; for facts and for the lattice."""

    clock_offset_ns: int = 0
    """Our clock less the venue's."""
    is_heartbeat_late: bool = False
    is_blind: bool = False
    """Our own stream of orders and fills is not up."""
    is_paused: bool = False
    """The venue takes no orders for a while, but cancels."""
    is_closed: bool = False
    """The venue takes not even cancels."""
    reason: str | None = None
    """Why nothing can be sent, if anything keeps it."""
    until_ns: int | None = None
    """When that lifts, if it is known."""
    is_sendable: bool = True
    """Whether anything can be sent at all: if not, not even what reduces is tried."""
    blind_reason: str | None = None
    """Why our own stream is not up, where that is known."""


WELL = Vitals()

Gate = Callable[[], Refusal | None]
"""Asked in the same synchronous step as the first write; a refusal means: write nothing."""


class Kept(Protocol):
    """A task that its supervisor keeps alive."""

    def cancel(self) -> bool:
        """Ask it to end."""
        ...

    def done(self) -> bool:
        """Tell whether it has ended for good."""
        ...

    def __await__(self) -> Generator[Any, None, None]:
        """Wait for its end."""
        ...


class Tasks(Protocol):
    """Where a part of the gateway starts what runs by itself: under a name, supervised."""

    def keep(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> Kept:
        """Start a task that is started anew, after a pause, whenever it dies; each is told of."""
        ...


class Venue(Protocol):
    """One exchange, or what stands in for it."""

    @property
    def platform(self) -> Platform:
        """The venue that this adapter speaks for."""
        ...

    @property
    def terms(self) -> Terms:
        """Netting, fee rates, default tick and lot of the venue."""
        ...

    @property
    def vitals(self) -> Vitals:
        """How the venue is now; asked for every decision, so it only looks at what is known."""
        ...

    async def start(self) -> None:
        """Connect, before anything else is asked. Raises VenueError."""
        ...

    async def cancel_everything(self) -> int | None:
        """
        Cancel all that works of the account, in one call, whoever placed it.

        It may reach orders that are placed up to a minute later: nothing is sent until then, which
        `vitals` say. Each order is cancelled by itself all the same.

        Returns:
            For how many nanoseconds it may reach on; None = the venue has no such call.

        Raises:
            VenueError: no answer; it may have been carried out.
        """
        ...

    async def re_arm(self, pool: str | None = None) -> None:
        """
        Undo what `cancel_everything` shut at the venue: a halt was lifted. Raises VenueError.

        Args:
            pool: whose own circuit breaker is to be reset, since the halt of it was lifted; None =
                what we shut, and nothing that tripped by itself.
        """
        ...

    async def submit(self, order: ApprovedOrder, gate: Gate) -> Outcome:
        """
        Send one order, at most once, and say what the answer proves. Never raises for an outcome.

        The connection is acquired first; then `gate()` and the first write are one synchronous
        step. A refusal of the gate is returned as `Gated`.
        """
        ...

    async def cancel(
        self, client_order_id: str, venue_order_id: str | None, market_id: str
    ) -> CancelOutcome:
        """Ask the venue to cancel one order; may be repeated without harm."""
        ...

    async def find(self, client_order_id: str, market_id: str, sent_ns: int) -> Lookup:
        """Look for an order in all states: by id, list, trades and fills, with freshness marks."""
        ...

    async def open_orders(self) -> Sequence[VenueOrder]:
        """List all working orders of the account. Raises VenueError; never returns a guess."""
        ...

    async def placed(self, since_ns: int) -> Sequence[VenueOrder]:
        """
        List what was placed since a moment, in all states, archived ones too; or VenueError.

        It shows orders of ours that a journal which was put back does not know.
        """
        ...

    async def movements(self, since_ns: int) -> Sequence[CashMovement]:
        """List what moved cash since a moment besides fills and payouts. Raises VenueError."""
        ...

    async def positions(self) -> Sequence[VenuePosition]:
        """List all positions of the account. Raises VenueError."""
        ...

    async def results(self, market_ids: Sequence[str]) -> Sequence[Settled]:
        """Return which of these markets were settled, and how. Raises VenueError."""
        ...

    async def fills(self, since_ns: int) -> Sequence[Fill]:
        """
        List what of ours filled since a moment; all of it, or VenueError.

        A fill may carry no client order id where the venue does not tell it, but always its own.
        """
        ...

    async def balances(self) -> Sequence[PoolBalance]:
        """Return the available balance of each pool. Raises VenueError."""
        ...

    def listen(self, sink: Callable[[Report], None]) -> None:
        """Deliver every fill, cancel, expiry and settlement from now on to `sink`, in order."""
        ...

    async def close(self) -> None:
        """Release connections and files."""
        ...


@runtime_checkable
class CancelsMany(Protocol):
    """A venue that can be asked for many cancels at once."""

    async def cancel_many(self, orders: Sequence[WorkingOrder]) -> Mapping[str, CancelOutcome]:
        """Ask for cancels; each order has an outcome, by client order id, as from `cancel`."""
        ...


@runtime_checkable
class Sharded(Protocol):
    """A venue whose parts are up and down by themselves."""

    @property
    def shards(self) -> Mapping[str, int]:
        """The number of each shard, by the name of its pool."""
        ...

    def vitals_of(self, pool: str) -> Vitals:
        """Return how the shard of a pool is now; a pool that is not known is the whole venue."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A venue whose adapter must know something of the life before; see `outcomes.Noted`."""

    def recall(self, notes: Mapping[str, str]) -> None:
        """Take over what the life before noted, by name; called before `start`."""
        ...


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue says of a market."""

    listing: Listing
    is_open: bool
    """Whether it takes orders now."""
    status: str = ""
    """The venue's own word for that."""
    payouts: Payouts | None = None
    """What it pays, once it is finally settled."""
    as_of_ns: int
    """Our time at which the oldest part of this was asked for."""


class MarketNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's word that something of markets changed: to be asked for anew."""

    market_ids: tuple[str, ...] | None
    """None = any of them may have changed: what was said meanwhile was not heard."""
    closed: str = ""
    """The venue's word where they take no orders from now on, whatever a read still says."""


class MarketData(Protocol):
    """Markets and their books at one venue, live; apart from who trades there."""

    async def start(self) -> None:
        """Connect. Raises VenueError; goes on trying all the same."""
        ...

    async def metadata(self, market_ids: Sequence[str]) -> Mapping[str, Metadata]:
        """
        Return what is known of markets; those that are not there, or unreadable, are left out.

        Raises:
            VenueError: no answer; nothing is concluded of any.
        """
        ...

    def notify(self, sink: Callable[[MarketNotice], None]) -> None:
        """Tell `sink` when the venue says that markets changed."""
        ...

    def watch(self, market_id: str) -> None:
        """Follow the book of a market from now on; beyond what can be followed it is not."""
        ...

    def let_go(self, market_id: str) -> None:
        """Follow the book of a market no more."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why no book can be believed now; None = they can, or none is followed."""
        ...

    def listen(self, sink: Callable[[Quote], None]) -> None:
        """
        Deliver each state of the books that are followed to `sink`.

        Its time is that of the venue's own word on that very book, in our clock.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class Clock(Protocol):
    """Time as the gateway sees it: UTC wall clock anchored to the monotonic one."""

    def now_ns(self) -> int:
        """Return UTC nanoseconds; never runs backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; under a recorded clock until that clock has moved."""
        ...
