"""What the gateway says, typed: results, events, lists; every number exact.

Guarantees that a number of the wire is the same number here (Decimal, or a whole one), that fields
which a later gateway adds do no harm, and that what cannot be read is told from what was refused:
`read` raises `ValueError`, nothing is guessed.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec

from arbees.core.language.words import ResultStatus

T = TypeVar("T")

GATEWAY = "gateway"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A denial or a warning of a safeguard."""

    safeguard: str
    code: str
    message: str
    observed: Any = None
    """Decimal, int, text or None; in the unit of the code."""
    limit: Any = None
    """The same."""
    until: datetime | None = None
    """When it lifts, if it lifts by itself."""


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One stop of the route: where the request was tried, and what came of it."""

    platform: str
    market_id: str
    status: str
    code: str | None = None
    order_id: str | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request; docs/reference/results.md tells every field."""

    request_id: str
    idempotency_key: str
    attempt: int
    status: ResultStatus
    final: bool
    rejected_by: str | None = None
    code: str | None = None
    rejection_reason: str | None = None
    denials: tuple[Line, ...] = ()
    warnings: tuple[Line, ...] = ()
    platform: str
    market_id: str
    side: str
    action: str
    order_id: str | None = None
    client_order_id: str | None = None
    requested_size: Decimal
    limit_price: Decimal
    filled_qty: Decimal = Decimal(0)
    avg_price: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    latency_ms: Decimal = Decimal(0)
    sequence: int = 0
    model_version: str | None = None
    strategy: str | None = None
    route: tuple[Leg, ...] = ()
    venue_code: str | None = None
    corrects: int | None = None
    original: "Result | None" = None
    """Of a duplicate: what became of the first request under the key."""

    @property
    def is_denied(self) -> bool:
        """Whether the gateway refused it, so that it never reached a venue."""
        return self.rejected_by == GATEWAY

    @property
    def is_unknown(self) -> bool:
        """Whether it was sent and its fate is not known yet."""
        return self.status is ResultStatus.UNKNOWN

    @property
    def is_halted(self) -> bool:
        """Whether a halt denied it: `HALTED`, or `REDUCE_ONLY`."""
        return self.code in {"HALTED", "REDUCE_ONLY"}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the journal; the numbers of its body are in millionths."""

    sequence: int
    time: datetime
    kind: str
    request_id: str | None = None
    body: dict[str, Any]


class Execution(Result, frozen=True, kw_only=True):
    """A result with the records that it is the fold of."""

    events: tuple[Event, ...] = ()


class Items(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A list, and the last durable record that it reflects."""

    items: tuple[T, ...]
    sequence: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error as it comes (RFC 9457)."""

    code: str = ""
    detail: str = ""
    field: str | None = None


_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}


def read(body: bytes, kind: type[T]) -> T:
    """
    Read an answer.

    Raises:
        ValueError: it is none of that kind.
    """
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(kind, float_hook=Decimal)
    try:
        found: T = decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = f"the answer cannot be read: {error}"
        raise ValueError(msg) from None
    return found
