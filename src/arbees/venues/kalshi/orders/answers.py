"""What an answer of Kalshi proves: by its content and its `error.code`, never by the status alone.

Guarantees that `Accepted` needs an order id, our own client order id and counts that make sense;
that `Refused` needs a code which Kalshi documents as not placed; and that everything else, a 2xx
without an order among it, is `Unknown`, to be found out. Pure: bytes in, a value out.

Source: OpenAPI 3.34, recorded answers, and the table of codes of the venue's page (section 5).
"""

import re

import msgspec

from arbees.core.deciding.outcomes import (
    Accepted,
    CancelAccepted,
    CancelMissed,
    CancelOutcome,
    CancelUnknown,
    Outcome,
    Refused,
    Unknown,
)
from arbees.core.language.units import MICRO, NS_PER_MILLISECOND
from arbees.errors import VenueError, VenueOutcomeUnknown, VenueRateLimited, VenueRefused
from arbees.venues.kalshi.shapes import CancelAnswer, CreateAnswer, micro, read, since_epoch

KILLS = frozenset({"fill_or_kill_insufficient_resting_volume", "fok_insufficient_volume"})
"""A fill or kill that could not be filled whole."""
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
        "market_already_closed",
        "exceeded_per_market_risk_limit",
        "exceeded_order_group_risk_limit",
        "order_group_not_found",
        "self_cross_attempt",
        "post_only_cross",
        "reduce_only",
        "exceeded_sell_position_floor",
        *KILLS,
    }
)
"""Codes that say that the order was not placed; the FIX names in lower case among them."""
HEALTH = frozenset({"trading_is_paused", "exchange_is_paused", RATE_LIMITED})
"""The same, for a reason of the venue's state: it may be tried elsewhere, or later."""
_REFUSALS = frozenset({400, 401, 403, 404, 410, 429})
"""With these a code of `NOT_PLACED` counts."""
MAYBE_PLACED = frozenset({"order_already_exists", "exchange_unavailable"})
"""An order may be there, with whatever status these come."""
_NOT_FOUND = frozenset({"not_found", "order_not_found"})
_CONFLICT = 409
"""Says too much: only a pause and a killed FOK prove anything with it."""
SERVER_ERROR = 500
"""From this status on the fault is the venue's own."""
_SHOWN_MAX = 200
_MESSAGE_MAX = 500


_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+")


def word_of(code: str) -> str:
    """
    Return a code as it is looked up, however it is spelled.

    `MARKET_ALREADY_CLOSED`, `market-already-closed`, `marketAlreadyClosed` and `Market already
    closed` are the same: REST spellings of the documented names are not all known.
    """
    return "_".join(_WORDS.findall(code)).lower()


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
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    inner = found.get("error", found)
    if isinstance(inner, str):
        if status == 429:
            return ErrorBody(RATE_LIMITED, inner[:_SHOWN_MAX])
        is_code = word_of(inner) in NOT_PLACED | HEALTH
        return ErrorBody(word_of(inner), inner[:_SHOWN_MAX]) if is_code else None
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


class CreateTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for in a create, as far as its answer is held against it."""

    client_order_id: str
    quantity: int
    """In micro-contracts."""
    price: int
    """Of Yes, in micro-dollars."""
    is_bid: bool
    rests: bool
    """What does not fill at once stays in the book (GTC, GTD)."""
    sent_ns: int
    """The moment that the signature names: until 60 s later the bytes may be accepted."""


def create_outcome(status: int, body: bytes, asked: CreateTerms) -> Outcome:
    """
    Classify the answer to a create.

    Args:
        status: of HTTP.
        body: as it came.
        asked: what was sent.
    """
    sent_ns = asked.sent_ns
    if status in {200, 201}:
        return _created(body, asked)
    error, is_health = error_of(status, body), status >= SERVER_ERROR
    if error is None:
        said = f"HTTP {status} without a readable error"
        return Unknown(message=said, sent_ns=sent_ns, is_health=is_health)
    said = f"{error.code or f'HTTP {status}'}: {error.message}"
    word = word_of(error.code)
    if status == 429:
        return Refused(venue_code=RATE_LIMITED, message=said, is_health=True)
    if status in {*_REFUSALS, _CONFLICT} and word in HEALTH:
        return Refused(venue_code=error.code, message=said, is_health=True)
    if (status in _REFUSALS and word in NOT_PLACED) or (status == _CONFLICT and word in KILLS):
        return Refused(venue_code=error.code, message=said, is_kill=word in KILLS)
    if status in {401, 403} and word not in MAYBE_PLACED:
        # Nobody who was not let in placed an order, whatever the words are. Should it be listed
        # all the same, the listing outranks this.
        return Refused(venue_code=error.code or f"http_{status}", message=said)
    return Unknown(message=said, sent_ns=sent_ns, is_health=is_health)


def _created(body: bytes, asked: CreateTerms) -> Outcome:
    """Return what a 2xx proves: nothing, unless it is of this order and its counts add up."""
    try:
        answer = read(body, CreateAnswer)
        filled = micro("fill_count", answer.fill_count)
        remaining = micro("remaining_count", answer.remaining_count)
        time_ns = since_epoch("ts_ms", answer.ts_ms, NS_PER_MILLISECOND)
        wrong = _contradiction(answer, filled, remaining, asked)
    except VenueOutcomeUnknown as error:
        wrong = error.message
    if wrong is not None:
        return _unread(wrong, asked.sent_ns)
    return Accepted(
        venue_order_id=answer.order_id,
        time_ns=time_ns,
        # The answer names no trades: what filled is read from the fills, which do.
        closed="cancelled" if not filled and not remaining else None,
    )


def _contradiction(
    answer: CreateAnswer, filled: int, remaining: int, asked: CreateTerms
) -> str | None:
    """
    Return why an answer proves nothing; None = it adds up.

    What rests is whole: filled and remaining are what was sent. What does not rest has nothing
    left; it may have ended with less, or nothing, also because it met an order of our own. Of what
    rests the same words (0 filled, 0 remaining) are said where it met our own order, and where the
    answer is wrong: it is looked up.
    """
    if not answer.order_id:
        return "Kalshi's answer names no order"
    if answer.client_order_id != asked.client_order_id:
        return f"Kalshi's answer is of another order: {answer.client_order_id}"
    counts = f"{answer.fill_count} filled, {answer.remaining_count} remaining"
    is_whole = filled + remaining == asked.quantity
    is_sane = is_whole if asked.rests else remaining == 0 and filled <= asked.quantity
    if filled < 0 or remaining < 0 or not is_sane:
        return f"Kalshi's counts contradict the order: {counts}"
    for name in ("average_fill_price", "average_fee_paid"):
        text = getattr(answer, name)
        if text is None:
            continue
        average = micro(name, text)
        if not filled and average:
            return f"Kalshi's {name} is {text} of an order without a fill"
        if average < 0:
            return f"Kalshi's {name} contradicts the order: {text}"
    if filled and answer.average_fill_price is not None:
        price = micro("average_fill_price", answer.average_fill_price)
        if not 0 < price < MICRO or (price > asked.price if asked.is_bid else price < asked.price):
            return f"Kalshi's average_fill_price is worse than the limit: {price}"
    return None


def _unread(message: str, sent_ns: int) -> Unknown:
    """Return the outcome of an answer that proves nothing: a sign of one order, not of health."""
    return Unknown(message=message[:_MESSAGE_MAX], sent_ns=sent_ns, is_health=False)


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
            time_ns = since_epoch("ts_ms", answer.ts_ms, NS_PER_MILLISECOND)
        except VenueOutcomeUnknown as unread:
            return CancelUnknown(message=unread.message, is_health=False)
        if answer.order_id != venue_order_id:
            said = f"Kalshi's answer is of another order: {answer.order_id}"
            return CancelUnknown(message=said[:_MESSAGE_MAX], is_health=False)
        return CancelAccepted(quantity=reduced, time_ns=time_ns)
    error = error_of(status, body)
    said = f"HTTP {status}" if error is None else f"{error.code or status}: {error.message}"
    if status == 404 and error is not None and word_of(error.code) in _NOT_FOUND:
        # Cancelled, executed or never known: the same words for all three.
        return CancelMissed(message=said)
    return CancelUnknown(message=said, is_health=status >= SERVER_ERROR)


def read_error(status: int, body: bytes) -> VenueError:
    """Return why a read failed; nothing is concluded from it."""
    error = error_of(status, body)
    said = f"Kalshi: HTTP {status}" + ("" if error is None else f" {error.code} {error.message}")
    if status == 429:
        return VenueRateLimited(said)
    if error is not None and status in {*_REFUSALS, _CONFLICT}:
        return VenueRefused(said, venue_code=error.code or None)
    return VenueOutcomeUnknown(said, is_health=status >= SERVER_ERROR)
