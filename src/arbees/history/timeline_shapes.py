"""The shapes of a request's story, as a receipt holds it: exact numbers in human units."""

from decimal import Decimal
from typing import Any

import msgspec

from arbees.core.orders.result import Result


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict of a safeguard, in human units."""

    safeguard: str
    code: str
    verdict: str
    """`pass`, `skipped`, `warn` or `deny`."""
    observed: Decimal | str | None = None
    limit: Decimal | str | None = None
    headroom: Decimal | str | None = None
    until: str | None = None
    why: str | None = None
    """Of a test that does not apply."""


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """One decision: the request's own market, or one of its alternates."""

    sequence: int
    time: str
    leg: int
    outcome: str
    """`approved`, `denied` or `refused` (the key)."""
    code: str | None
    platform: str
    market_id: str
    side: str
    limit_price: Decimal
    verdicts: tuple[Judged, ...]
    facts: dict[str, Any]
    """What was consulted besides the book, raw."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it was handed to a venue, or would have been."""

    sequence: int
    client_order_id: str
    is_derived: bool
    """The id is the one that account, environment and key give."""
    platform: str
    market_id: str
    side: str
    action: str
    quantity: Decimal
    limit_price: Decimal
    time_in_force: str
    expires: str | None


class OutcomeShown(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order, record by record."""

    sequence: int
    time: str
    kind: str
    says: str


class FillShown(msgspec.Struct, frozen=True, kw_only=True):
    """One fill."""

    sequence: int
    trade_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    is_maker: bool
    venue_time: str
    corrects: int | None


class ReservationShown(msgspec.Struct, frozen=True, kw_only=True):
    """What was reserved from a record on, in dollars and contracts."""

    sequence: int
    why: str
    loss_if_yes: Decimal
    loss_if_no: Decimal
    cash: Decimal
    day_loss: Decimal
    closing: Decimal


class RepeatShown(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asked for the same once more."""

    sequence: int
    time: str
    request_id: str
    idempotency_key: str
    code: str


class HaltShown(msgspec.Struct, frozen=True, kw_only=True):
    """A halt that was in force and covered the request."""

    sequence: int
    time: str
    source: str
    scope: str
    state: str
    reason: str
    actor: str


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator said of the denial."""

    sequence: int
    of: int
    verdict: str
    reason: str
    actor: str


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    request: dict[str, Any]
    """As it was read: money, prices and quantities in millionths, times in nanoseconds."""
    received: str
    result: Result
    original_request_id: str | None
    """Of the request that this one is a duplicate of."""
    decisions: tuple[Decided, ...]
    sent: tuple[Sent, ...]
    came: tuple[OutcomeShown, ...]
    fills: tuple[FillShown, ...]
    reserved: tuple[ReservationShown, ...]
    duplicates: tuple[RepeatShown, ...]
    halts: tuple[HaltShown, ...]
    reviews: tuple[Reviewed, ...]
    version: str | None
    """Of the program that decided."""
    settings_hash: str | None
