"""Requests: what a strategy asks for, read exactly.

Guarantees that a `Request` holds nothing malformed. A malformed one ends here, spends no key, and
its error names the field.
"""

import hashlib
from typing import Annotated

import msgspec

from arbees.core.language import input_hints, strict_json
from arbees.core.language.strict_json import (
    ABSENT,
    Identifier,
    IdentifierText,
    Malformed,
    Number,
    OptionalNumber,
    Timestamp,
)
from arbees.core.language.units import MICRO, format_micro
from arbees.core.language.words import (
    Action,
    ActionWord,
    Platform,
    PlatformWord,
    Side,
    SideWord,
    TimeInForce,
    TimeInForceWord,
)

_CONTRACTS_MAX = 1_000_000_000
SIZE_MAX = _CONTRACTS_MAX * MICRO
ATTEMPT_MAX = 1_000_000
ALTERNATES_MAX = 8
_TEXT_MAX = 1_024

# What the type cannot judge without saying it worse: `parse_request` does.
_ATTEMPT = msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": ATTEMPT_MAX})
_REASON = msgspec.Meta(extra_json_schema={"maxLength": _TEXT_MAX})
_SIZE = msgspec.Meta(extra_json_schema={"exclusiveMinimum": 0, "maximum": _CONTRACTS_MAX})
_PRICE = msgspec.Meta(extra_json_schema={"exclusiveMinimum": 0, "exclusiveMaximum": 1})
_PROBABILITY = msgspec.Meta(extra_json_schema={"minimum": 0, "maximum": 1})
_ALTERNATES = msgspec.Meta(extra_json_schema={"maxItems": ALTERNATES_MAX})


class Alternate(msgspec.Struct, frozen=True, kw_only=True):
    """Where else the same size and action may go; every safeguard runs anew for it."""

    platform: Platform
    market_id: str
    side: Side
    limit_price: int


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """An execution request. Money, prices, quantities and probabilities in millionths."""

    request_id: str
    idempotency_key: str
    platform: Platform
    market_id: str
    side: Side
    size: int
    limit_price: int
    """Of the named side, in micro-dollars."""
    created_ns: int
    action: Action = Action.BUY
    time_in_force: TimeInForce = TimeInForce.IOC
    attempt: int = 1
    expires_ns: int | None = None
    game_id: str | None = None
    sport: str | None = None
    signal_id: str | None = None
    signal_type: str | None = None
    edge_pct: int | None = None
    """In points of the named side, in millionths."""
    model_prob: int | None = None
    """Probabilities are of Yes."""
    market_prob: int | None = None
    pregame_prob: int | None = None
    model_version: str | None = None
    strategy: str | None = None
    contract_team: str | None = None
    token_id: str | None = None
    game_start_ns: int | None = None
    reason: str | None = None
    alternates: tuple[Alternate, ...] = ()

    def fingerprint(self) -> str:
        """Return the digest of the economic fields; another one under the same key conflicts."""
        text = "\x1f".join(
            (
                self.platform,
                self.market_id,
                self.side,
                self.action,
                str(self.size),
                str(self.limit_price),
                self.time_in_force,
                self.strategy or "",
            )
        )
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class AlternateWire(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where else the same size and action may go; every safeguard runs anew for it."""

    platform: PlatformWord
    market_id: IdentifierText
    side: SideWord
    limit_price: Annotated[Number, _PRICE]
    """Dollars of that side, above 0 and below 1."""


class RequestWire(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An execution request; words are read in any case."""

    request_id: Identifier
    """The caller's name for this request; never used for another key."""
    idempotency_key: Identifier
    """One key, at most one accepted order, for ever."""
    platform: PlatformWord
    """The venue meant, also on paper."""
    market_id: Identifier
    """Kalshi: the ticker. Polymarket: the token id of the outcome that `side: Yes` means."""
    side: SideWord
    """The outcome that is bought or sold."""
    size: Annotated[Number, _SIZE]
    """Contracts, above 0, at most 1e9; up to six decimals where the venue has them."""
    limit_price: Annotated[Number, _PRICE]
    """Dollars of the named side, above 0 and below 1."""
    action: ActionWord | None = None
    """`Buy` unless given, or `Sell` of what is held of that side."""
    time_in_force: TimeInForceWord | None = None
    """`IOC` unless given."""
    attempt: Annotated[int, _ATTEMPT] | None = None
    """1 unless given; one higher each time a denied or unsent request comes again."""
    created_at: Timestamp | None = None
    """When the signal was made; its age is judged. The arrival unless given."""
    expires_at: Timestamp | None = None
    """The latest moment to send. Required for `GTD`, whose order ends then too."""
    game_id: Identifier | None = None
    """Name of the game; all its markets share a limit."""
    sport: Identifier | None = None
    """Name of the sport, a group of limits; counts in capitals, however it is written."""
    signal_id: Identifier | None = None
    """One execution a market, side and action, whatever the key."""
    signal_type: Identifier | None = None
    """Kept for the record."""
    edge_pct: OptionalNumber = ABSENT
    """Percentage points of the named side."""
    model_prob: Annotated[OptionalNumber, _PROBABILITY] = ABSENT
    """Probability of Yes, 0 to 1, by the model."""
    market_prob: Annotated[OptionalNumber, _PROBABILITY] = ABSENT
    """Probability of Yes, 0 to 1, by the market."""
    pregame_prob: Annotated[OptionalNumber, _PROBABILITY] = ABSENT
    """Probability of Yes, 0 to 1, before the game."""
    model_version: Identifier | None = None
    """May be required, allowed or denied; a scope of halts."""
    strategy: Identifier | None = None
    """Counts limits of its own; a scope of halts. `UNNAMED` unless given."""
    contract_team: Identifier | None = None
    """Kept for the record."""
    token_id: Identifier | None = None
    """Polymarket's token of the named side, outright."""
    game_start_at: Timestamp | None = None
    """For trading windows with a phase; what is known of the market unless given."""
    reason: Annotated[str, _REASON] | None = None
    """Kept for the record, at most 1,024 characters."""
    alternates: Annotated[list[AlternateWire], _ALTERNATES] | None = None
    """Up to 8 places where the order may go instead, tried in order."""


_DECODER = msgspec.json.Decoder(RequestWire)
_PLATFORMS = strict_json.words(Platform)
_SIDES = strict_json.words(Side)
_ACTIONS = strict_json.words(Action)
_TIMES_IN_FORCE = strict_json.words(TimeInForce)


def parse_request(data: bytes, now_ns: int) -> Request:
    """
    Read one request.

    Args:
        data: a JSON object.
        now_ns: arrival, which is `created_at` where the request has none.

    Raises:
        Malformed: what is wrong, and in which field.
    """
    raw = strict_json.decode(data, _DECODER)
    size = strict_json.number("size", raw.size)
    if not 0 < size <= SIZE_MAX:
        message = f"Expected contracts above 0, at most 1e9, was {format_micro(size)}"
        raise Malformed("size", message, input_hints.of_size(size))
    attempt = 1 if raw.attempt is None else raw.attempt
    if not 1 <= attempt <= ATTEMPT_MAX:
        message = f"Expected 1 to {ATTEMPT_MAX}, was {attempt}"
        raise Malformed("attempt", message, "the first attempt is 1")
    time_in_force = (
        TimeInForce.IOC
        if raw.time_in_force is None
        else strict_json.word("time_in_force", raw.time_in_force, _TIMES_IN_FORCE)
    )
    if time_in_force is TimeInForce.GTD and raw.expires_at is None:
        raise Malformed("expires_at", "Expected a time, since time_in_force is GTD, was absent")
    created_ns = strict_json.time("created_at", raw.created_at)
    _require_ids(data, raw)
    return Request(  # hot: passed by place
        raw.request_id,
        raw.idempotency_key,
        strict_json.word("platform", raw.platform, _PLATFORMS),
        raw.market_id,
        strict_json.word("side", raw.side, _SIDES),
        size,
        _price("limit_price", raw.limit_price),
        now_ns if created_ns is None else created_ns,
        Action.BUY if raw.action is None else strict_json.word("action", raw.action, _ACTIONS),
        time_in_force,
        attempt,
        strict_json.time("expires_at", raw.expires_at),
        raw.game_id,
        raw.sport,
        raw.signal_id,
        raw.signal_type,
        strict_json.optional_number("edge_pct", raw.edge_pct),
        _probability("model_prob", raw.model_prob),
        _probability("market_prob", raw.market_prob),
        _probability("pregame_prob", raw.pregame_prob),
        raw.model_version,
        raw.strategy,
        raw.contract_team,
        raw.token_id,
        strict_json.time("game_start_at", raw.game_start_at),
        _text("reason", raw.reason),
        _alternates(raw.alternates),
    )


_IDS = (
    "request_id",
    "idempotency_key",
    "market_id",
    "game_id",
    "sport",
    "signal_id",
    "signal_type",
    "model_version",
    "strategy",
    "contract_team",
    "token_id",
)


def _require_ids(data: bytes, raw: RequestWire) -> None:
    """Refuse an id that is none. Lengths are right by now, and plain text is all printable."""
    if strict_json.is_plain(data):
        return
    for field in _IDS:
        text = getattr(raw, field)
        if text is not None:
            strict_json.identifier(field, text)


def _price(field: str, raw: msgspec.Raw) -> int:
    price = strict_json.number(field, raw)
    if not 0 < price < MICRO:
        was = format_micro(price)
        message = f"Expected dollars of the named side, above 0 and below 1, was {was}"
        raise Malformed(field, message, input_hints.of_price(was, price))
    return price


def _probability(field: str, raw: msgspec.Raw) -> int | None:
    value = strict_json.optional_number(field, raw)
    if value is not None and not 0 <= value <= MICRO:
        was = format_micro(value)
        message = f"Expected a probability from 0 to 1, was {was}"
        raise Malformed(field, message, input_hints.of_probability(was, value))
    return value


def _text(field: str, text: str | None) -> str | None:
    if text is not None and len(text) > _TEXT_MAX:
        raise Malformed(field, f"Expected at most {_TEXT_MAX} characters, was {len(text)}")
    return text


def _alternates(raw: list[AlternateWire] | None) -> tuple[Alternate, ...]:
    if not raw:
        return ()
    if len(raw) > ALTERNATES_MAX:
        raise Malformed("alternates", f"Expected at most {ALTERNATES_MAX}, was {len(raw)}")
    return tuple(
        Alternate(
            platform=strict_json.word("alternates.platform", each.platform, _PLATFORMS),
            market_id=strict_json.identifier("alternates.market_id", each.market_id),
            side=strict_json.word("alternates.side", each.side, _SIDES),
            limit_price=_price("alternates.limit_price", each.limit_price),
        )
        for each in raw
    )
