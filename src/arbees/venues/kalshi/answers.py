"""What an answer of Kalshi proves: by its content and its `error.code`, never by the status alone.

Guarantees that `Accepted` needs an order id, our own client order id and counts that make sense;
that `Refused` needs a code which Kalshi documents as not placed; and that everything else, a 2xx
without an order among it, is `Unknown`, to be found out. Pure: bytes in, a value out.

Source: OpenAPI 3.34, recorded answers, and the table of codes of the venue's page (section 5).
"""

import msgspec

from arbees.core.outcomes import (
    Accepted,
    CancelAccepted,
    CancelMissed,
    CancelOutcome,
    CancelUnknown,
    Outcome,
    Refused,
    Unknown,
)
from arbees.core.units import NS_PER_MILLISECOND
from arbees.errors import VenueError, VenueOutcomeUnknown, VenueRateLimited, VenueRefused
from arbees.venues.kalshi.shapes import CancelAnswer, CreateAnswer, micro, read

KILLED = "fill_or_kill_insufficient_resting_volume"
RATE_LIMITED = "too_many_requests"

NOT_PLACED = frozenset(
    {
        "insufficient_balance",
        "available_balance_too_low",
        "invalid_price",
        "invalid_order",
        "invalid_order_size",
        "invalid_parameters",
        "bad_request",
        "market_inactive",
        "market_not_found",
        "not_found",
        "authentication_error",
        "signature_is_missing_from_headers",
        "header_timestamp_expired",
        "deprecated_v1_order_endpoint",
        KILLED,
    }
)
"""Codes that say that the order was not placed, whatever the status beside them."""
HEALTH = frozenset({"trading_is_paused", "exchange_is_paused", RATE_LIMITED})
"""The same, for a reason of the venue's state: it may be tried elsewhere, or later."""
_REFUSALS = frozenset({400, 401, 403, 404, 409, 410, 429})
_SHOWN_MAX = 200


class ErrorBody(msgspec.Struct, frozen=True):
    """What an error says, in whichever of the four shapes it came."""

    code: str
    message: str


def error_of(status: int, body: bytes) -> ErrorBody | None:
    """
    Read an error in any of the shapes that Kalshi has.

    They are `{"error": {code, message, details?}}`, `{code, message, details}`, `{"msg": text}` and
    `{"error": text}`.

    Returns:
        None where there is none to read. The code is empty where the shape has none.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    inner = found.get("error", found)
    if isinstance(inner, str):
        is_limit = status == 429 or inner == "too many requests"
        return ErrorBody(RATE_LIMITED, inner[:_SHOWN_MAX]) if is_limit else None
    if not isinstance(inner, dict):
        return None
    code, message = inner.get("code"), inner.get("message", inner.get("msg"))
    if not isinstance(code, str):
        # `{"msg": ...}` says that the query was not understood; other errors have a code.
        code = "bad_request" if isinstance(inner.get("msg"), str) else ""
    if not isinstance(message, str):
        message = ""
    details = inner.get("details")
    if isinstance(details, str) and details:
        message = f"{message}: {details}" if message else details
    if not code and not message:
        return None
    return ErrorBody(code, message[:_SHOWN_MAX])


def create_outcome(
    status: int, body: bytes, *, client_order_id: str, quantity: int, sent_ns: int
) -> Outcome:
    """
    Classify the answer to a create.

    Args:
        status: of HTTP.
        body: as it came.
        client_order_id: that was sent.
        quantity: that was sent, in micro-contracts.
        sent_ns: the moment that the signature names: until 60 s later the bytes may be accepted.
    """
    if status in {200, 201}:
        return _created(body, client_order_id, quantity, sent_ns)
    error = error_of(status, body)
    if error is None:
        return Unknown(message=f"HTTP {status} without a readable error", sent_ns=sent_ns)
    said = f"{error.code or f'HTTP {status}'}: {error.message}"
    if status == 429:
        return Refused(venue_code=RATE_LIMITED, message=said, is_health=True)
    if status in _REFUSALS and error.code in HEALTH:
        return Refused(venue_code=error.code, message=said, is_health=True)
    if status in _REFUSALS and error.code in NOT_PLACED:
        return Refused(venue_code=error.code, message=said, is_kill=error.code == KILLED)
    if status in {401, 403}:
        # Nobody who was not let in placed an order, whatever the words are.
        return Refused(venue_code=error.code or f"http_{status}", message=said)
    return Unknown(message=said, sent_ns=sent_ns)


def _created(body: bytes, client_order_id: str, quantity: int, sent_ns: int) -> Outcome:
    try:
        answer = read(body, CreateAnswer)
        filled = micro("fill_count", answer.fill_count)
        remaining = micro("remaining_count", answer.remaining_count)
    except VenueOutcomeUnknown as error:
        return Unknown(message=error.message, sent_ns=sent_ns)
    if not answer.order_id:
        return Unknown(message="Kalshi's answer names no order", sent_ns=sent_ns)
    if answer.client_order_id != client_order_id:
        return Unknown(
            message=f"Kalshi's answer is of another order: {answer.client_order_id}",
            sent_ns=sent_ns,
        )
    if filled < 0 or remaining < 0 or filled + remaining > quantity:
        return Unknown(
            message=f"Kalshi's counts contradict the order: {answer.fill_count} filled, "
            f"{answer.remaining_count} remaining",
            sent_ns=sent_ns,
        )
    return Accepted(
        venue_order_id=answer.order_id,
        time_ns=answer.ts_ms * NS_PER_MILLISECOND,
        # The answer names no trades: what filled is read from the fills, which do.
        closed="cancelled" if not filled and not remaining else None,
    )


def cancel_outcome(status: int, body: bytes, venue_order_id: str) -> CancelOutcome:
    """
    Classify the answer to a cancel.

    Args:
        status: of HTTP.
        body: as it came.
        venue_order_id: that was to be cancelled.
    """
    if status == 200:
        try:
            answer = read(body, CancelAnswer)
            reduced = micro("reduced_by", answer.reduced_by)
        except VenueOutcomeUnknown as unread:
            return CancelUnknown(message=unread.message)
        if answer.order_id != venue_order_id:
            return CancelUnknown(message=f"Kalshi's answer is of another order: {answer.order_id}")
        return CancelAccepted(quantity=reduced, time_ns=answer.ts_ms * NS_PER_MILLISECOND)
    error = error_of(status, body)
    said = f"HTTP {status}" if error is None else f"{error.code or status}: {error.message}"
    if status == 404 and error is not None and error.code == "not_found":
        # Cancelled, executed or never known: the same words for all three.
        return CancelMissed(message=said)
    return CancelUnknown(message=said)


def read_error(status: int, body: bytes) -> VenueError:
    """Return why a read failed; nothing is concluded from it."""
    error = error_of(status, body)
    said = f"Kalshi: HTTP {status}" + ("" if error is None else f" {error.code} {error.message}")
    if status == 429:
        return VenueRateLimited(said)
    if error is not None and status in _REFUSALS:
        return VenueRefused(said, venue_code=error.code or None)
    return VenueOutcomeUnknown(said)
