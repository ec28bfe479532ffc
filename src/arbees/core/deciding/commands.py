"""Commands: what the writer is asked to do, imperative. Time, ids and venue answers are data."""

from collections.abc import Callable

import msgspec

from arbees.core.book.api_keys import KeyAsk
from arbees.core.book.book import Book
from arbees.core.book.market import Listing, Terms
from arbees.core.book.open_order import Order
from arbees.core.deciding.candidate import Candidate
from arbees.core.deciding.facts import Facts
from arbees.core.deciding.outcomes import (
    ApprovedOrder,
    CancelOutcome,
    CashMovement,
    Fill,
    Lookup,
    OrderClosed,
    Outcome,
    PoolBalance,
    VenueOrder,
)
from arbees.core.deciding.verdicts import Safeguard, Verdict
from arbees.core.events import BreakOpened, Event, OrderFilled
from arbees.core.language.payouts import Payouts
from arbees.core.language.quote import Quote
from arbees.core.language.request import Request
from arbees.core.language.words import End, Mode, Platform, TradingState
from arbees.core.ports import KeyRow, SignalRow

Check = Callable[[Candidate, Book, Facts], tuple[Verdict, ...]]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What decides besides the book: the safeguards that are on, and constants of the account."""

    mode: Mode
    account: str
    environment: str
    safeguards: tuple[Safeguard, ...]
    terms: dict[Platform, Terms]
    balance_buffer: int
    break_policies: dict[str, str] = {}
    """What a break of a kind does, where it is not `break_policy`."""
    break_policy: str = "freeze_market"
    checks: tuple[Check, ...] = ()
    """What each safeguard is asked, in their order; made from them."""

    owners: dict[str, str] = {}
    """Which safeguard a code belongs to; likewise."""

    def __post_init__(self) -> None:
        """Bind once what every order needs."""
        checks = tuple(each.check for each in self.safeguards)
        owners = {code: each.name for each in self.safeguards for code in each.codes}
        msgspec.structs.force_setattr(self, "checks", checks)
        msgspec.structs.force_setattr(self, "owners", owners)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal's tables say of a request's key, id and signal."""

    key: KeyRow | None = None
    request_key: str | None = None
    """The key under which the request_id was seen first."""
    signal: SignalRow | None = None
    """An execution of the same signal, market, side and action under another key."""
    signal_request_id: str | None = None
    """The request of that execution."""


UNSEEN = Known()


class Submit(msgspec.Struct, frozen=True, kw_only=True):
    """Decide a request (leg 0), or one of its alternates after the leg before fell through."""

    request: Request
    received_ns: int
    known: Known = UNSEEN
    leg: int = 0
    key_id: str | None = None
    """API key that it came with; None = keys are not in use."""


class ClosedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is closed: as it ended, and the sequence of its final record."""

    order: Order
    final_sequence: int
    request: Request
    final_ns: int = 0
    """When its final record was made."""


class TakeOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue answered to an order."""

    client_order_id: str
    outcome: Outcome
    request: Request
    """Of the order, for what comes next if it fell through."""
    past: ClosedOrder | None = None


class TakeFill(msgspec.Struct, frozen=True, kw_only=True):
    """A fill, from whatever source; known trade ids change nothing."""

    fill: Fill
    past: ClosedOrder | None = None
    is_proven: bool = False
    """Listing and cash agree with it: it counts, whatever it contradicts."""
    more: tuple[Fill, ...] = ()
    """Of the same order, proven together with it: listing and cash agree with all of them."""


class TakeReversal(msgspec.Struct, frozen=True, kw_only=True):
    """A provisional execution failed."""

    client_order_id: str
    trade_id: str
    filled: OrderFilled | None = None
    """How it was booked; None = it was not."""
    past: ClosedOrder | None = None


class TakeClosed(msgspec.Struct, frozen=True, kw_only=True):
    """The venue ended an order."""

    closed: OrderClosed


class TakeLookup(msgspec.Struct, frozen=True, kw_only=True):
    """What a search for an order found."""

    client_order_id: str
    lookup: Lookup
    past: ClosedOrder | None = None


class TakeVenueOrder(msgspec.Struct, frozen=True, kw_only=True):
    """
    The venue shows an order of ours, by its list or on the account's own stream.

    Its word outranks every answer: an order that the book has ended is reopened.
    """

    listed: VenueOrder
    by: str = "list"
    """`list` or `stream`."""
    as_of_ns: int = 0
    """Our time before which everything is inside what the venue shows; 0 = it is not known. Where
    the venue itself said that the order ended, only what is younger than that outranks it."""
    past: ClosedOrder | None = None


class RequestCancel(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel the open orders of a scope, or one order."""

    scope: str
    """`all`, `platform:X`, ... or `order:CLIENT_ORDER_ID`."""
    reason: str
    actor: str
    receipt_id: str = ""
    opening_only: bool = False
    is_flatten: bool = False
    """What is held is to be closed after it."""


class TakeCancel(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue answered to a cancel."""

    client_order_id: str
    outcome: CancelOutcome


class RaiseHalt(msgspec.Struct, frozen=True, kw_only=True):
    """Halt or reduce a scope."""

    source: str
    scope: str
    state: TradingState
    reason: str
    actor: str
    receipt_id: str
    owner: str = ""
    """Id of the bound API key that asks; its halts are its own."""
    acknowledge: bool = False
    """To reduce: step down also what halts the scope harder, by whatever source but the file."""
    loss: int | None = None
    """Loss of the day now, for the daily loss."""


class LiftHalt(msgspec.Struct, frozen=True, kw_only=True):
    """Lift the halts of some sources for a scope; `sources` empty = all that a person may lift."""

    sources: tuple[str, ...]
    scope: str
    reason: str
    actor: str
    acknowledge: bool = False
    """Also lift automatic ones."""
    owner: str = ""
    """Lift only the halts of this bound API key; empty = of everybody."""
    every: bool = False
    """Lift the halts of every scope, not of this one alone."""


class ListMarket(msgspec.Struct, frozen=True, kw_only=True):
    """A quote, settlement or venue metadata names a market."""

    listing: Listing
    is_open: bool = True
    status: str = ""
    """The venue's own word for that."""
    quote: Quote | None = None
    """The quote that named it; volatile, for the marks."""


class SettleMarket(msgspec.Struct, frozen=True, kw_only=True):
    """A venue settled a market, or amended what it pays."""

    platform: Platform
    market_id: str
    payouts: Payouts
    """By the sides of `market_id`."""


class ObserveBalance(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's own figure of a pool."""

    balance: PoolBalance


class MoveCash(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit or withdrawal."""

    platform: Platform
    amount: int
    reason: str
    actor: str


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue says where we differ: the cash of a pool, or both sides of a market."""

    expected: tuple[int, ...]
    """Cash, or Yes and No, as the book had them when they were compared."""
    pool: str = ""
    amount: int = 0
    market_key: str = ""
    yes: int = 0
    no: int = 0
    yes_price: int | None = None
    """At which Yes (No) could be closed now; None = not known."""
    no_price: int | None = None


class TakeComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that does not agree with a venue, of the kinds that were compared."""

    platform: Platform
    kinds: frozenset[str]
    found: tuple[BreakOpened, ...]
    claims: dict[str, Claim] = {}
    """By break id: what may be adopted where the policy says so."""
    untold: frozenset[str] = frozenset()
    """Break ids of what could not be compared this time: their breaks stay as they are."""


class TakeMovements(msgspec.Struct, frozen=True, kw_only=True):
    """Cash that moved without a trade, by the venue's own lists, and what is there by now."""

    movements: tuple[CashMovement, ...]
    balances: tuple[PoolBalance, ...]


class AdoptBreak(msgspec.Struct, frozen=True, kw_only=True):
    """A named operator takes the venue's word where it differs from ours."""

    found: BreakOpened
    """As a comparison of just now has it."""
    reason: str
    actor: str
    claim: Claim | None = None
    """What the venue says there, where it is a figure of the book."""
    client_order_id: str = ""
    """The order that it is about, where it is one of ours."""


class EndBreak(msgspec.Struct, frozen=True, kw_only=True):
    """A named operator ends a break."""

    break_id: str
    reason: str
    actor: str


class EndUnknown(msgspec.Struct, frozen=True, kw_only=True):
    """A named operator ends an order of unknown fate, or one that its venue shows no more (P7)."""

    client_order_id: str
    end: End
    reason: str
    actor: str


class OpenDay(msgspec.Struct, frozen=True, kw_only=True):
    """A trading day begins."""

    day: str
    unrealized: int


class CreateKey(msgspec.Struct, frozen=True, kw_only=True):
    """Make an API key; its secret is known to whoever asks."""

    key_id: str
    digest: str
    ask: KeyAsk
    actor: str


class RevokeKey(msgspec.Struct, frozen=True, kw_only=True):
    """End an API key."""

    key_id: str
    reason: str
    actor: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Journal events that need no decision (start, stop, marks, breaks, authority)."""

    events: tuple[Event, ...]


Command = (
    Submit
    | TakeOutcome
    | TakeFill
    | TakeReversal
    | TakeClosed
    | TakeLookup
    | TakeVenueOrder
    | RequestCancel
    | TakeCancel
    | RaiseHalt
    | LiftHalt
    | ListMarket
    | SettleMarket
    | ObserveBalance
    | MoveCash
    | TakeComparison
    | TakeMovements
    | AdoptBreak
    | EndBreak
    | EndUnknown
    | OpenDay
    | CreateKey
    | RevokeKey
    | Record
)


class SendOrder(msgspec.Struct, frozen=True):
    """Send an approved order, once its intent is durable."""

    order: ApprovedOrder
    request: Request
    """Of which it is an order."""


class CancelOrder(msgspec.Struct, frozen=True):
    """Ask the venue to cancel an order of ours."""

    client_order_id: str


class ResolveOrder(msgspec.Struct, frozen=True):
    """Find out what became of an order."""

    client_order_id: str


class TryAlternate(msgspec.Struct, frozen=True):
    """Decide the next leg of a request, in the same batch."""

    request: Request
    leg: int
    key_id: str | None = None


Effect = SendOrder | CancelOrder | ResolveOrder | TryAlternate


class Decision(msgspec.Struct, frozen=True):
    """Events to journal and apply, and effects to carry out once they are durable."""

    events: tuple[Event, ...] = ()
    effects: tuple[Effect, ...] = ()


NO_DECISION = Decision()
