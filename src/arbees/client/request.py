"""Requests as a strategy writes them: the fields of the wire, with Python's own types.

Guarantees that numbers go out exactly as they were given (a float as the shortest text that means
it), and that nothing is judged here: the gateway reads strictly, and its refusal names the field.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Required, TypedDict

import msgspec

Number = Decimal | int | float | str
Time = datetime | str
"""A moment with a zone, or its RFC 3339 text."""


class Alternate(TypedDict):
    """Where else the same size and action may go."""

    platform: str
    market_id: str
    side: str
    limit_price: Number


class RequestFields(TypedDict, total=False):
    """The fields of a request as keyword arguments; see `Request`."""

    idempotency_key: Required[str]
    platform: Required[str]
    market_id: Required[str]
    side: Required[str]
    size: Required[Number]
    limit_price: Required[Number]
    request_id: str | None
    action: str
    time_in_force: str
    attempt: int
    created_at: Time | None
    expires_at: Time | None
    game_id: str | None
    sport: str | None
    signal_id: str | None
    signal_type: str | None
    edge_pct: Number | None
    model_prob: Number | None
    market_prob: Number | None
    pregame_prob: Number | None
    model_version: str | None
    strategy: str | None
    contract_team: str | None
    token_id: str | None
    game_start_at: Time | None
    reason: str | None
    alternates: Sequence[Alternate]


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    An execution request; docs/reference/results.md tells every field.

    Attributes:
        idempotency_key: one key, at most one accepted order, for ever. Make it from what the order
            is for (`"fair-value/BOS/2026-01-28/entry"`), not from a random number: a strategy that
            crashed and decides the same again must come to the same key.
        platform: `Kalshi` or `Polymarket`, also on paper.
        market_id: Kalshi's ticker; on Polymarket the token id of the outcome that Yes means.
        side: `Yes` or `No`.
        size: contracts.
        limit_price: dollars of the named side, above 0 and below 1.
        request_id: the name of this request; made up where it is None.
        created_at: when the signal was made; now where it is None.
        expires_at: the latest moment to send, and how long a denial that lifts by itself is
            waited for; without it none is.
    """

    idempotency_key: str
    platform: str
    market_id: str
    side: str
    size: Number
    limit_price: Number
    request_id: str | None = None
    action: str = "Buy"
    time_in_force: str = "IOC"
    attempt: int = 1
    created_at: Time | None = None
    expires_at: Time | None = None
    game_id: str | None = None
    sport: str | None = None
    signal_id: str | None = None
    signal_type: str | None = None
    edge_pct: Number | None = None
    model_prob: Number | None = None
    market_prob: Number | None = None
    pregame_prob: Number | None = None
    model_version: str | None = None
    strategy: str | None = None
    contract_team: str | None = None
    token_id: str | None = None
    game_start_at: Time | None = None
    reason: str | None = None
    alternates: Sequence[Alternate] = ()


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: object) -> bytes:
    """Return JSON in which every exact number is a JSON number."""
    return _ENCODER.encode(value)


def moment(value: Time) -> datetime | None:
    """Return a time as a moment; None where it is no RFC 3339 time with a zone."""
    if isinstance(value, str):
        try:
            value = msgspec.convert(value, datetime)
        except msgspec.ValidationError:
            return None
    return None if value.tzinfo is None else value.astimezone(UTC)
