"""Requests: what a strategy asks for, read exactly.

Guarantees that a `Request` holds nothing malformed. A malformed one ends here, spends no key, and
its error names the field.
"""

import hashlib

import msgspec

from arbees.core import wire
from arbees.core.units import MICRO, format_micro
from arbees.core.wire import ABSENT, Identifier, Malformed, Number, OptionalNumber
from arbees.core.words import Action, Platform, Side, TimeInForce

SIZE_MAX = 1_000_000_000 * MICRO
ATTEMPT_MAX = 1_000_000
ALTERNATES_MAX = 8
_TEXT_MAX = 1_024


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

    platform: str
    market_id: str
    side: str
    limit_price: Number


class RequestWire(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An execution request."""

    request_id: Identifier
    idempotency_key: Identifier
    platform: str
    market_id: Identifier
    side: str
    size: Number
    limit_price: Number
    action: str | None = None
    time_in_force: str | None = None
    attempt: int | None = None
    created_at: str | None = None
    expires_at: str | None = None
    game_id: Identifier | None = None
    sport: Identifier | None = None
    signal_id: Identifier | None = None
    signal_type: Identifier | None = None
    edge_pct: OptionalNumber = ABSENT
    model_prob: OptionalNumber = ABSENT
    market_prob: OptionalNumber = ABSENT
    pregame_prob: OptionalNumber = ABSENT
    model_version: Identifier | None = None
    strategy: Identifier | None = None
    contract_team: Identifier | None = None
    token_id: Identifier | None = None
    game_start_at: str | None = None
    reason: str | None = None
    alternates: list[AlternateWire] | None = None


_DECODER = msgspec.json.Decoder(RequestWire)
_PLATFORMS = wire.words(Platform)
_SIDES = wire.words(Side)
_ACTIONS = wire.words(Action)
_TIMES_IN_FORCE = wire.words(TimeInForce)


def parse_request(data: bytes, now_ns: int) -> Request:
    """
    Read one request.

    Args:
        data: a JSON object.
        now_ns: arrival, which is `created_at` where the request has none.

    Raises:
        Malformed: what is wrong, and in which field.
    """
    raw = wire.decode(data, _DECODER)
    size = wire.number("size", raw.size)
    if not 0 < size <= SIZE_MAX:
        raise Malformed(
            "size", f"Expected contracts above 0, at most 1e9, was {format_micro(size)}"
        )
    attempt = 1 if raw.attempt is None else raw.attempt
    if not 1 <= attempt <= ATTEMPT_MAX:
        raise Malformed("attempt", f"Expected 1 to {ATTEMPT_MAX}, was {attempt}")
    time_in_force = (
        TimeInForce.IOC
        if raw.time_in_force is None
        else wire.word("time_in_force", raw.time_in_force, _TIMES_IN_FORCE)
    )
    if time_in_force is TimeInForce.GTD and raw.expires_at is None:
        raise Malformed("expires_at", "Expected a time, since time_in_force is GTD, was absent")
    created_ns = wire.time("created_at", raw.created_at)
    _require_ids(data, raw)
    return Request(  # hot: passed by place
        raw.request_id,
        raw.idempotency_key,
        wire.word("platform", raw.platform, _PLATFORMS),
        raw.market_id,
        wire.word("side", raw.side, _SIDES),
        size,
        _price("limit_price", raw.limit_price),
        now_ns if created_ns is None else created_ns,
        Action.BUY if raw.action is None else wire.word("action", raw.action, _ACTIONS),
        time_in_force,
        attempt,
        wire.time("expires_at", raw.expires_at),
        raw.game_id,
        raw.sport,
        raw.signal_id,
        raw.signal_type,
        wire.optional_number("edge_pct", raw.edge_pct),
        _probability("model_prob", raw.model_prob),
        _probability("market_prob", raw.market_prob),
        _probability("pregame_prob", raw.pregame_prob),
        raw.model_version,
        raw.strategy,
        raw.contract_team,
        raw.token_id,
        wire.time("game_start_at", raw.game_start_at),
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
    if wire.is_plain(data):
        return
    for field in _IDS:
        text = getattr(raw, field)
        if text is not None:
            wire.identifier(field, text)


def _price(field: str, raw: msgspec.Raw) -> int:
    price = wire.number(field, raw)
    if not 0 < price < MICRO:
        raise Malformed(
            field,
            f"Expected dollars of the named side, above 0 and below 1, was {format_micro(price)}",
        )
    return price


def _probability(field: str, raw: msgspec.Raw) -> int | None:
    value = wire.optional_number(field, raw)
    if value is not None and not 0 <= value <= MICRO:
        raise Malformed(field, f"Expected a probability from 0 to 1, was {format_micro(value)}")
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
            platform=wire.word("alternates.platform", each.platform, _PLATFORMS),
            market_id=wire.identifier("alternates.market_id", each.market_id),
            side=wire.word("alternates.side", each.side, _SIDES),
            limit_price=_price("alternates.limit_price", each.limit_price),
        )
        for each in raw
    )
