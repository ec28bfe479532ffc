"""Events: what happened, past tense, with every number that `apply` adds.

Guarantees that an old journal replays for ever: `apply` reads no fee, limit, calendar or setting.
The JSON of an event is the body of a journal record.
"""

from typing import Any

import msgspec

from arbees.core import alert_events as alerts
from arbees.core import counted_events as counted
from arbees.core import event as base
from arbees.core import operator_events as operators
from arbees.core.book import api_keys
from arbees.core.book.market import Listing
from arbees.core.book.open_order import Order, Reservation
from arbees.core.deciding import flatten_plan
from arbees.core.deciding.facts import Facts
from arbees.core.language.request import Request
from arbees.core.language.words import Platform, Side

Event = base.Event
Finding = base.Finding
AlertCleared = alerts.AlertCleared
AlertRaised = alerts.AlertRaised
Authorized = operators.Authorized
CashCounted = counted.CashCounted
CashExplained = counted.CashExplained
CashMoved = operators.CashMoved
DenialReviewed = operators.DenialReviewed
DifferenceAccepted = counted.DifferenceAccepted
Drilled = operators.Drilled
FlattenPlanned = flatten_plan.FlattenPlanned
KeyCreated = api_keys.KeyCreated
KeyRevoked = api_keys.KeyRevoked
PositionAdopted = counted.PositionAdopted


class Bound(Event, frozen=True, kw_only=True):
    """The first record: which account, environment and mode this journal belongs to."""

    account: str
    environment: str
    mode: str


class Started(Event, frozen=True, kw_only=True):
    """A process took over, with its version and settings (secrets left out)."""

    version: str
    settings_hash: str
    settings: dict[str, str]
    disabled: dict[str, str] = {}  # noqa: RUF012 - a struct copies it
    """Safeguards switched off, with the reason."""


class Stopped(Event, frozen=True, kw_only=True):
    """An orderly end."""

    reason: str


class RequestDenied(Event, frozen=True, kw_only=True):
    """A gateway denial: final for this attempt; nothing reached a venue."""

    request: Request
    leg: int = 0
    findings: tuple[Finding, ...]
    """Denials first, headline first of all."""
    warnings: tuple[Finding, ...] = ()
    verdicts: msgspec.Raw = msgspec.Raw(b"[]")
    facts: Facts
    falls_back: bool = False
    """An alternate is tried next, so this is not the final result."""
    received_ns: int
    key_id: str | None = None


class DuplicateRefused(Event, frozen=True, kw_only=True):
    """A known key or signal, or a conflict with one; counted nowhere."""

    request: Request
    code: str
    original_request_id: str
    observed: str | None = None
    limit: str | None = None
    received_ns: int
    key_id: str | None = None


class OrderApproved(Event, frozen=True, kw_only=True):
    """Every safeguard passed: the intent, and what is reserved for it from here on."""

    request: Request
    leg: int = 0
    client_order_id: str
    market_id: str
    market_key: str
    platform: Platform
    side: Side
    is_flipped: bool = False
    limit_price: int
    is_reducing: bool = False
    reserved: Reservation
    reference: int | None = None
    rates: tuple[int, int, int] = (0, 1, 0)
    pool: str = ""
    """Whose cash it takes; empty = the platform's one pool."""
    sport: str
    game_id: str
    strategy: str
    warnings: tuple[Finding, ...] = ()
    verdicts: msgspec.Raw = msgspec.Raw(b"[]")
    facts: Facts
    received_ns: int
    key_id: str | None = None


class OrderEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to one order."""

    client_order_id: str
    request_id: str


class OrderDenied(OrderEvent, frozen=True, kw_only=True):
    """The gate stopped it after approval, provably before the wire: a gateway denial."""

    code: str
    message: str


class OrderAcknowledged(OrderEvent, frozen=True, kw_only=True):
    """The venue has it."""

    venue_order_id: str
    by: str = "answer"
    """How it was learnt: answer, stream, or what a lookup found it by."""


class OrderRejected(OrderEvent, frozen=True, kw_only=True):
    """The venue refused it."""

    venue_code: str
    message: str
    falls_back: bool = False


class OrderNotSent(OrderEvent, frozen=True, kw_only=True):
    """Provably no byte left, or absent by evidence."""

    message: str
    falls_back: bool = False
    evidence: tuple[str, ...] = ()


class OrderUnknown(OrderEvent, frozen=True, kw_only=True):
    """Its fate is not known; the worst case stays reserved until there is evidence."""

    message: str
    sent_ns: int


class OrderFilled(OrderEvent, frozen=True, kw_only=True):
    """One execution, with every number that the book adds. Taken in every state."""

    platform: str
    pool: str = ""
    """Whose cash it moved; empty = the platform's one pool."""
    market_key: str
    strategy: str
    trade_id: str
    quantity: int
    price: int
    """Of the order's side, in micro-dollars."""
    value: int
    """Price x quantity, exact: in millionths of a micro-dollar."""
    fee: int
    is_maker: bool = False
    venue_ns: int
    reserved: Reservation
    """What stays reserved afterwards."""
    is_complete: bool = False
    """Nothing remains: the order is FILLED."""
    yes_quantity: int = 0
    """Change of what is held of Yes, and so on."""
    yes_cost: int = 0
    no_quantity: int = 0
    no_cost: int = 0
    realized: int = 0
    cash: int = 0
    """Change of the balance, fee included."""
    outside: int = 0
    """Part of it that is not provably inside the venue's figure yet (spent > 0)."""
    strategy_quantity: int = 0
    """Change of the strategy's own signed Yes quantity in the market."""
    corrects: int | None = None
    """Sequence of the final result that this later truth corrects."""
    is_provisional: bool = False
    """The venue may still take it back."""


class FillDisputed(OrderEvent, frozen=True, kw_only=True):
    """A fill that contradicts its order: more than remains, or worse than the limit. Not booked."""

    trade_id: str
    quantity: int
    price: int
    """Of the order's side, in micro-dollars."""
    fee: int
    venue_ns: int
    message: str
    """What contradicts."""


class FillReversed(OrderEvent, frozen=True, kw_only=True):
    """A provisional execution failed: it is taken back, once. All at 0 = it never was counted."""

    platform: str
    pool: str = ""
    """Whose cash it moved; empty = the platform's one pool."""
    market_key: str
    strategy: str
    trade_id: str
    quantity: int = 0
    """What counts no more; so do value and fee."""
    value: int = 0
    """Price x quantity, exact: in millionths of a micro-dollar."""
    fee: int = 0
    reserved: Reservation
    """What stays reserved afterwards."""
    yes_quantity: int = 0
    """Change of what is held of Yes, and so on."""
    yes_cost: int = 0
    no_quantity: int = 0
    no_cost: int = 0
    realized: int = 0
    cash: int = 0
    """Change of the balance, fee included."""
    strategy_quantity: int = 0
    """Change of the strategy's own signed Yes quantity in the market."""
    corrects: int | None = None
    """Sequence of the final result that this later truth corrects."""


class OrderCancelled(OrderEvent, frozen=True, kw_only=True):
    """The venue ended it: cancelled, or killed without a fill."""

    reason: str


class OrderExpired(OrderEvent, frozen=True, kw_only=True):
    """Its own expiry ended it."""


class OrderReopened(OrderEvent, frozen=True, kw_only=True):
    """The venue works an order that had ended here: it counts again, in its worst case."""

    order: Order
    """As it is from now on, with what is reserved for it."""
    by: str
    """Where the venue showed it: `list` or `stream`."""
    message: str
    """How it had ended, and how the venue shows it."""
    corrects: int
    """Sequence of the final result that this later truth corrects."""


class OrderAmended(OrderEvent, frozen=True, kw_only=True):
    """The venue shows other terms than the approved ones: somebody changed them there by hand."""

    quantity: int
    """What it may fill in all, by the venue; the same as approved = it is as it was."""
    limit_price: int
    """Of the order's side."""
    by: str
    """Where the venue showed it: `list` or `stream`."""
    reserved: Reservation
    """What is reserved from now on: the worse of both terms."""


class VenueIdChanged(OrderEvent, frozen=True, kw_only=True):
    """The venue lists the order under another id than an answer gave; the listing wins."""

    venue_order_id: str
    before: str
    """The id until now."""
    by: str
    """Where the venue showed it: `list` or `stream`."""


class CancelRequested(OrderEvent, frozen=True, kw_only=True):
    """Somebody wants it cancelled."""

    reason: str
    actor: str


class CancelAnswered(OrderEvent, frozen=True, kw_only=True):
    """What the venue said to a cancel that did not end the order."""

    message: str


class HaltRaised(Event, frozen=True, kw_only=True):
    """A halt (HALTED or REDUCING) of a source for a scope; survives restarts."""

    source: str
    scope: str
    state: str
    reason: str
    actor: str
    receipt_id: str
    in_flight: tuple[str, ...] = ()
    """Client order ids handed to a venue before, still open then."""
    owner: str = ""
    """Id of the bound API key that raised it, which alone of such keys may lift it; empty = none.
    """
    loss: int | None = None
    """Loss of the day at which the daily loss halted, or was stepped down."""


class HaltLifted(Event, frozen=True, kw_only=True):
    """A halt was lifted."""

    source: str
    scope: str
    reason: str
    actor: str
    owner: str = ""
    """Of the halt."""


class MassCancelled(Event, frozen=True, kw_only=True):
    """A mass cancel was asked for: which orders it covers."""

    scope: str
    reason: str
    actor: str
    orders: tuple[str, ...]
    receipt_id: str
    is_flatten: bool = False
    """What is held is to be closed after it."""


class MarketListed(Event, frozen=True, kw_only=True):
    """A market was seen for the first time, or the newest word on it is another one."""

    listing: Listing
    status: str = ""
    """The venue's own word, where the market is new and open."""


class MarketStatusChanged(Event, frozen=True, kw_only=True):
    """A market opened or closed for trading."""

    market_key: str
    is_open: bool
    status: str = ""
    """The venue's own word."""


class GamesJoined(Event, frozen=True, kw_only=True):
    """Names of one and the same game: their markets are one risk from here on."""

    game: str
    """The name that it goes by."""
    names: tuple[str, ...]
    """Its other names, those of before among them."""


class MarketSettled(Event, frozen=True, kw_only=True):
    """
    What is held of a market is paid out; the numbers close both sides.

    Quantities above 0 take some of that back: a sale is heard of after the settlement.
    """

    market_key: str
    result: Side | None = None
    """The side that won, if one took it all; records of the first versions say no more."""
    yes_payout: int | None = None
    """What a contract of Yes pays, in micro-dollars."""
    no_payout: int | None = None
    """What a contract of No pays."""
    payout: int
    """What is paid out in all."""
    realized: int
    yes_quantity: int = 0
    yes_cost: int = 0
    no_quantity: int = 0
    no_cost: int = 0


class SettlementCorrected(Event, frozen=True, kw_only=True):
    """The venue amended the final result of a market: the difference to what was paid out."""

    market_key: str
    yes_payout: int
    """What a contract of Yes pays now, in micro-dollars."""
    no_payout: int
    """What a contract of No pays now."""
    payout: int
    """How much more is paid in all; less than 0 = it is taken back."""
    realized: int
    corrects: int
    """Sequence of the record whose result this replaces."""


class BalanceObserved(Event, frozen=True, kw_only=True):
    """A venue's own figure, and what of ours is not provably inside it."""

    pool: str
    platform: str
    available: int
    as_of_ns: int
    outside: int
    inside: tuple[str, ...] = ()
    """Open orders whose cash is inside the figure now."""


class DayOpened(Event, frozen=True, kw_only=True):
    """A trading day began; its P&L counts from this baseline."""

    day: str
    baseline: int


class Marked(Event, frozen=True, kw_only=True):
    """Prices at which what is held could be closed: market key -> (Yes, No)."""

    marks: dict[str, tuple[int | None, int | None]]


class BreakOpened(Event, frozen=True, kw_only=True):
    """A reconciliation break; an open one freezes its market."""

    break_id: str
    kind: str
    platform: str
    market_key: str | None
    expected: str
    observed: str
    policy: str
    pool: str = ""
    """Whose cash it is about: nothing else is frozen."""
    amount: int = 0
    """Micro-dollars that the venue has more (less: < 0) than our count."""


class BreakClosed(Event, frozen=True, kw_only=True):
    """A break ended: by evidence, adoption or a named operator."""

    break_id: str
    how: str
    actor: str


class VenueStateChanged(Event, frozen=True, kw_only=True):
    """A venue moved along the lattice, and why."""

    platform: str
    state: str
    reasons: tuple[str, ...] = ()
    shard: int | None = None
    """Which shard of it; None = all of it."""


class VenueNoted(Event, frozen=True, kw_only=True):
    """What the adapter of a venue must know after a restart, such as its order groups."""

    platform: str
    name: str
    """Of the note; a later one of this name takes its place."""
    value: str
    """Empty = nothing is to be known any more."""


AnyEvent = (
    Bound
    | Started
    | Stopped
    | Authorized
    | RequestDenied
    | DuplicateRefused
    | OrderApproved
    | OrderDenied
    | OrderAcknowledged
    | OrderRejected
    | OrderNotSent
    | OrderUnknown
    | OrderFilled
    | OrderCancelled
    | OrderExpired
    | FillDisputed
    | FillReversed
    | OrderReopened
    | OrderAmended
    | VenueIdChanged
    | CancelRequested
    | CancelAnswered
    | HaltRaised
    | HaltLifted
    | MassCancelled
    | FlattenPlanned
    | MarketListed
    | MarketStatusChanged
    | GamesJoined
    | MarketSettled
    | SettlementCorrected
    | BalanceObserved
    | CashCounted
    | CashExplained
    | PositionAdopted
    | CashMoved
    | DayOpened
    | Marked
    | BreakOpened
    | BreakClosed
    | VenueStateChanged
    | VenueNoted
    | AlertRaised
    | AlertCleared
    | DenialReviewed
    | DifferenceAccepted
    | Drilled
    | KeyCreated
    | KeyRevoked
)

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyEvent)


def encode(event: Event) -> bytes:
    """Return the body of a journal record."""
    return _ENCODER.encode(event)


def decode(body: bytes) -> Event:
    """Read the body of a journal record. Raises msgspec.ValidationError if it is none."""
    event: Event = _DECODER.decode(body)
    return event


def kind(event: Event) -> str:
    """Return the kind of a journal record."""
    return type(event).__name__
