"""The shape of one audit line: the requirements' fields, their order, their spelling.

Guarantees that a line is one JSON object on one line, that its numbers are exact decimals of at
most 6 places, and that what identifies it can be read back. Reading fails by returning None.
"""

from enum import StrEnum
from typing import Any

import msgspec

from arbees.core.language.units import format_micro
from arbees.core.language.visible_text import harmless
from arbees.core.language.words import ResultStatus

SERVICE = "execution_service"


class EventType(StrEnum):
    """The seven types of the requirements."""

    REQUESTED = "ExecutionRequested"
    PLACED = "OrderPlaced"
    FILLED = "OrderFilled"
    PARTIAL_FILL = "OrderPartialFill"
    CANCELLED = "OrderCancelled"
    REJECTED = "OrderRejected"
    FAILED = "OrderFailed"


TYPE_OF_RESULT = {
    ResultStatus.FILLED: EventType.FILLED,
    ResultStatus.PARTIAL: EventType.PARTIAL_FILL,
    ResultStatus.CANCELLED: EventType.CANCELLED,
    ResultStatus.REJECTED: EventType.REJECTED,
    ResultStatus.FAILED: EventType.FAILED,
}
"""Event type of a final result, by its status."""

FINAL = frozenset(TYPE_OF_RESULT)
"""A line is final exactly when its status is one of these."""


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line; fields in the order of the requirements' example."""

    timestamp: str
    """Time of the journal record, RFC 3339 in milliseconds, UTC."""
    event_type: EventType
    service: str = SERVICE
    request_id: str
    idempotency_key: str
    platform: str
    market_id: str
    side: str
    price: msgspec.Raw
    """Dollars of the named side: the limit, or the average price of what filled."""
    size: msgspec.Raw
    """Contracts: what was asked for, or what filled."""
    status: ResultStatus
    order_id: str | None = None
    """The venue's, once it is known."""
    rejection_reason: str | None = None
    latency_ms: msgspec.Raw
    metadata: dict[str, Any]

    @property
    def sequence(self) -> int:
        """Sequence of the journal record that the line is made from."""
        sequence: int = self.metadata["sequence"]
        return sequence

    @property
    def is_final(self) -> bool:
        """Whether the request's result is decided with this line."""
        return self.status in FINAL


class _MarkMetadata(msgspec.Struct, frozen=True):
    sequence: int


class LineMark(msgspec.Struct, frozen=True):
    """What identifies a line that was written: read back from a file."""

    timestamp: str
    event_type: str
    request_id: str
    metadata: _MarkMetadata

    @property
    def sequence(self) -> int:
        """Sequence of the journal record that the line was made from."""
        return self.metadata.sequence

    @property
    def day(self) -> str:
        """UTC date of the line, as 2026-01-28."""
        return self.timestamp[:10]

    def is_of(self, line: AuditLine) -> bool:
        """Tell whether a written line and a projected one are about the same thing."""
        return (self.sequence, self.timestamp, self.event_type, self.request_id) == (
            line.sequence,
            line.timestamp,
            line.event_type,
            line.request_id,
        )


_ENCODER = msgspec.json.Encoder()
_MARK_DECODER = msgspec.json.Decoder(LineMark)


def number(micro: int) -> msgspec.Raw:
    """Write millionths as a JSON number with a decimal point, exactly: 0.65, 50.0."""
    text = format_micro(micro)
    return msgspec.Raw(text.encode() if "." in text else text.encode() + b".0")


def optional_number(micro: int | None) -> msgspec.Raw | None:
    """Write a number that may be absent."""
    return None if micro is None else number(micro)


def encode(line: AuditLine) -> bytes:
    """Return a line as it stands in the file, line feed included."""
    return harmless(_ENCODER.encode(line)) + b"\n"


def read_mark(text: bytes) -> LineMark | None:
    """Read what identifies a line; None if it is none of ours."""
    try:
        mark = _MARK_DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return mark if mark.sequence > 0 else None
