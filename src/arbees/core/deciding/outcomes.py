"""What venues answer, classified by what it proves, and the only order that they accept.

Guarantees that an outcome is a value: `Accepted`, `Refused`, `NotSent`, `Unknown` (or `Gated`, when
our own gate held the order back). What is not proven is `Unknown`.
"""

import msgspec

from arbees.core.language.payouts import Payouts
from arbees.core.language.words import (
    Action,
    Platform,
    Side,
    TimeInForce,
)

_SEAL = object()
"""Held by `core.deciding.decide` alone (a test reads the source for it)."""


class ApprovedOrder:
    """An order that passed every safeguard. Only `decide` holds the seal to make one."""

    __slots__ = (
        "action",
        "client_order_id",
        "expires_ns",
        "is_reducing",
        "leg",
        "limit_price",
        "market_id",
        "market_key",
        "platform",
        "quantity",
        "request_id",
        "side",
        "time_in_force",
    )

    def __init__(  # noqa: PLR0917 - hot: passed by place
        self,
        seal: object,
        client_order_id: str,
        request_id: str,
        leg: int,
        platform: Platform,
        market_id: str,
        market_key: str,
        side: Side,
        action: Action,
        quantity: int,
        limit_price: int,
        time_in_force: TimeInForce,
        expires_ns: int | None,
        is_reducing: bool = False,  # noqa: FBT001, FBT002 - hot: passed by place
    ) -> None:
        """Build from a decision; `seal` proves where. Raises TypeError without it."""
        if seal is not _SEAL:
            msg = "Only a decision can approve an order"
            raise TypeError(msg)
        self.client_order_id = client_order_id
        self.request_id = request_id
        self.leg = leg
        """0 = the request's own market, 1.. = its alternates."""
        self.platform = platform
        self.market_id = market_id
        self.market_key = market_key
        self.side = side
        """The side of `market_id` that was named; prices are of this side."""
        self.action = action
        self.quantity = quantity
        self.limit_price = limit_price
        self.time_in_force = time_in_force
        self.expires_ns = expires_ns
        self.is_reducing = is_reducing
        """It closes what is held: nothing of ours that guards against new risk stops it."""


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution; price in micro-dollars of the named side, fee as the balance paid it."""

    client_order_id: str
    trade_id: str
    quantity: int
    price: int
    fee: int
    is_maker: bool
    time_ns: int
    """The venue's own time."""
    venue_order_id: str | None = None
    is_provisional: bool = False
    """The venue may still take it back (`FillFailed`)."""
    is_of_yes: bool = False
    """The price is that of Yes, whatever side was named: a venue that has one book says it so."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue took the order: its id, with our client order id and sane counts."""

    venue_order_id: str
    time_ns: int
    fills: tuple[Fill, ...] = ()
    closed: str | None = None
    """None = it works on; else why nothing remains: `filled`, `cancelled`, `expired`, `killed`."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An answer that the venue documents as not placed."""

    venue_code: str
    message: str
    is_health: bool = False
    """The reason is the venue's state, not the order: a fallback is allowed."""
    is_kill: bool = False
    """A fill or kill that could not be filled whole: it was taken, and is cancelled."""


class NotSent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Provably no byte left: connect, name resolution, pool, TLS."""

    message: str
    is_health: bool = True
    """Whether it says something of the venue's health; our own budget and form do not."""


class Unknown(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Everything else: timeout, reset after the first byte, 5xx, unreadable, contradictory."""

    message: str
    sent_ns: int
    is_health: bool = True
    """Whether it says something of the venue's health: silence and 5xx do, odd answers do not."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why the gate held an approved order back."""

    code: str
    message: str


class Gated(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Our own gate held the order back after approval: a gateway denial."""

    code: str
    message: str


Outcome = Accepted | Refused | NotSent | Unknown | Gated


class CancelAccepted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue cancelled what remained."""

    quantity: int
    """What was cancelled, in micro-contracts."""
    time_ns: int


class CancelMissed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Nothing to cancel: cancelled, filled or never known. Proves nothing of which."""

    message: str


class CancelUnknown(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """No usable answer; ask again."""

    message: str
    is_health: bool = True
    """Whether it says something of the venue's health."""


CancelOutcome = CancelAccepted | CancelMissed | CancelUnknown


class VenueOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the venue shows it: in a list of its own, or on the account's stream."""

    client_order_id: str | None
    venue_order_id: str
    platform: Platform
    market_id: str
    side: Side
    """Of `market_id`; with `action` and `limit_price` as the venue says it."""
    action: Action
    quantity: int
    """What it may fill in all by the venue's word: what filled, and what remains of it."""
    filled: int
    limit_price: int
    closed: str | None = None
    """None = it works; else why nothing remains: `filled`, `cancelled`, `expired`."""
    reason: str = ""
    """The venue's own word for its last change."""
    time_ns: int = 0
    """The venue's own time of that; 0 = it does not say."""


class Found(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Presence, by whatever means: ends an unknown at once."""

    venue_order_id: str
    by: str
    time_ns: int
    fills: tuple[Fill, ...] = ()
    closed: str | None = None
    listed: VenueOrder | None = None
    """The same order as the venue lists it, where it does: what is compared whole."""


class Missing(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Absence with all of its evidence (design section 4); each item is journaled."""

    evidence: tuple[str, ...]
    cash: "tuple[PoolBalance, ...]" = ()
    """Read after the lists, and to be explained without the order; empty = a venue whose reads are
    one with its book, so that its lists say it all."""


class Inconclusive(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Neither proven; ask again."""

    message: str


Lookup = Found | Missing | Inconclusive


class OrderClosed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue ended an order: `cancelled` or `expired`."""

    client_order_id: str
    closed: str
    reason: str
    time_ns: int
    filled: int | None = None
    """Micro-contracts of it that filled in all; None = the venue does not say."""


class Settled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A market is finally settled: what a contract of each side of `market_id` pays."""

    platform: Platform
    market_id: str
    payouts: Payouts
    time_ns: int


class Filled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A fill on the account's own stream."""

    fill: Fill


class FillFailed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A provisional execution failed at the venue: it is to be taken back."""

    client_order_id: str
    trade_id: str


class OrderSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The account's own stream shows an order of ours at work: presence."""

    order: VenueOrder


class StreamChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The stream of our own orders is up, or can no longer be trusted: it has no replay."""

    platform: Platform
    is_live: bool
    reason: str


class BreakerTripped(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue's own circuit breaker for our orders tripped: what opens in a pool is refused."""

    platform: Platform
    pool: str
    reason: str


class Noted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What the adapter must know after a restart; an empty value ends a note."""

    platform: Platform
    name: str
    value: str


Report = (
    Filled | FillFailed | OrderSeen | OrderClosed | Settled | StreamChanged | BreakerTripped | Noted
)


class PoolBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Available money of one pool of a venue, in micro-dollars, as of the venue's own mark."""

    platform: Platform
    pool: str
    available: int
    as_of_ns: int
    total: int | None = None
    """The same with what working orders hold of it; None = it is not known."""
    uncertain: int = 0
    """What they may hold besides: where a venue does not document it, as with fees."""
    is_moving: bool = False
    """The total is not known since orders came or went meanwhile: the next look tells."""


class CashMovement(msgspec.Struct, frozen=True, kw_only=True):
    """What moved cash of a pool other than fills and payouts, by the venue's own list of it."""

    platform: Platform
    pool: str
    amount: int
    """In micro-dollars, > 0 = it came in."""
    kind: str
    """`deposit`, `withdrawal`, `transfer` (between pools), `subaccount`, `settlement_fee`."""
    movement_id: str
    time_ns: int
    """The venue's own time."""
    market_id: str = ""
    """Of a `settlement_fee`: whose fees, those of its trades maybe among them, the amount is."""


class WorkingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that the venue named, to be cancelled with others."""

    client_order_id: str
    venue_order_id: str
    market_id: str


class VenuePosition(msgspec.Struct, frozen=True, kw_only=True):
    """A position as the venue lists it; quantity > 0 of the side of `market_id`."""

    platform: Platform
    market_id: str
    side: Side
    quantity: int
    trouble: str = ""
    """Why its row cannot be read; then the quantity says nothing."""
