"""Quotes and settlements as they come in: one JSON line each (`quotes.jsonl`)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec.structs import replace

from arbees.core.language import strict_json
from arbees.core.language.payouts import Payouts, won_by
from arbees.core.language.strict_json import (
    ABSENT,
    IdentifierText,
    Malformed,
    Number,
    OptionalNumber,
    Timestamp,
)
from arbees.core.language.units import MICRO, NS_PER_SECOND, format_micro
from arbees.core.language.words import (
    Platform,
    PlatformWord,
    Side,
    SideWord,
)

Level = tuple[int, int]
"""Price in micro-dollars of Yes and quantity in micro-contracts."""

AHEAD_MAX_NS = 2 * NS_PER_SECOND
"""How far the clock of a feed may be ahead of ours."""

_LEVELS_MAX = 1_000


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The whole known book of the Yes side of `market_id`, best level first."""

    ts_ns: int
    platform: Platform
    market_id: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    sport: str | None = None
    game_id: str | None = None
    game_start_ns: int | None = None
    condition_id: str | None = None
    opposite_token_id: str | None = None
    tick: int | None = None
    lot: int | None = None
    status: str | None = None
    """`open` or `closed`; None = open."""


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How a market ended: what a contract of each side of `market_id` pays."""

    ts_ns: int
    platform: Platform
    market_id: str
    payouts: Payouts


_CLOSED = (
    *("closed", "paused", "halted", "suspended", "settled", "unopened"),
    *("initialized", "inactive", "determined", "disputed", "amended", "finalized"),
)
_STATUSES = {"open": "open", "active": "open", **dict.fromkeys(_CLOSED, "closed")}
"""Kalshi's own words and their like: only an open market takes orders."""
StatusWord = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(_STATUSES)})]
"""The status of a market in a type that is decoded, before `wire.word` reads it in any case."""


class QuoteWire(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A quote: the whole known book of the Yes side of a market."""

    platform: PlatformWord
    """The venue meant."""
    market_id: IdentifierText
    """The venue's name of the market; on Polymarket the token of the outcome that Yes means."""
    bids: list[tuple[Number, Number]]
    """`[price, quantity]`, the best price first."""
    asks: list[tuple[Number, Number]]
    """`[price, quantity]`, the best price first."""
    ts: Timestamp | None = None
    """Time of the quote; the arrival unless given."""
    sport: IdentifierText | None = None
    """Name of the sport."""
    game_id: IdentifierText | None = None
    """Name of the game."""
    game_start_at: Timestamp | None = None
    """When the game begins."""
    condition_id: IdentifierText | None = None
    """Polymarket's name of the question to which two tokens belong."""
    opposite_token_id: IdentifierText | None = None
    """Polymarket's token of the opposite outcome."""
    tick: OptionalNumber = ABSENT
    """Price step; 0.001 unless given."""
    lot: OptionalNumber = ABSENT
    """Quantity step; 0.01 unless given."""
    status: StatusWord | None = None
    """`open` or `closed`, or a venue's own word for it; open unless given."""


class PayoutsWire(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a contract of each side pays, 0 to 1 dollar."""

    yes: Number = msgspec.field(name="Yes")
    """Of a contract of Yes."""
    no: OptionalNumber = msgspec.field(name="No", default=ABSENT)
    """Of a contract of No; the rest of the dollar unless given."""


class SettlementWire(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How a market ended: `result`, or `payouts` where no side takes it all."""

    platform: PlatformWord
    """The venue meant."""
    market_id: IdentifierText
    """The venue's name of the market."""
    result: SideWord | None = None
    """The winning side of `market_id`."""
    payouts: PayoutsWire | None = None
    """What each side pays, instead of a result: a tie, a void, a scalar market."""
    ts: Timestamp | None = None
    """Time of the result; the arrival unless given."""


_QUOTE = msgspec.json.Decoder(QuoteWire)
_SETTLEMENT = msgspec.json.Decoder(SettlementWire)
_PLATFORMS = strict_json.words(Platform)
_SIDES = strict_json.words(Side)


def is_outdated(ts_ns: int, known_ns: int, now_ns: int) -> bool:
    """
    Tell whether a quote is older than the newest that is known.

    One from the future is no newer one: a wrong year in a feed would hide all prices to come, and
    with them the loss of the day.

    Args:
        ts_ns: time of the quote.
        known_ns: time of the newest so far.
        now_ns: the clock.
    """
    return ts_ns < known_ns <= now_ns + AHEAD_MAX_NS


def is_crossed(bids: Sequence[Level], asks: Sequence[Level]) -> bool:
    """Tell whether a book is crossed or locked (best bid >= best ask): no venue trades at it."""
    return bool(bids and asks) and max(bids)[0] >= min(asks)[0]


def sound(quote: Quote) -> Quote:
    """
    Return what may be believed of a quote, from whatever source it is.

    A level without a quantity, or outside of 0 to 1 dollar, is no level. A crossed or locked book
    is no quote: nobody knows which side of it is wrong, so none of it is left, and what was quoted
    before is over too.
    """
    bids, asks = _standing(quote.bids), _standing(quote.asks)
    if is_crossed(bids, asks):
        bids, asks = (), ()
    if bids == quote.bids and asks == quote.asks:
        return quote
    return replace(quote, bids=bids, asks=asks)


def _standing(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    return tuple(level for level in levels if level[1] > 0 and 0 < level[0] < MICRO)


def parse_quote(data: bytes, now_ns: int) -> Quote:
    """
    Read one quote that somebody feeds.

    Args:
        data: a JSON object.
        now_ns: the time of a quote that carries none.

    Raises:
        Malformed: what is wrong, and in which field; a crossed or locked book is.
    """
    quote = parse_recorded_quote(data, now_ns)
    if is_crossed(quote.bids, quote.asks):
        bid, ask = format_micro(quote.bids[0][0]), format_micro(quote.asks[0][0])
        raise Malformed("asks", f"Expected asks above the best bid {bid}, was {ask}: no such book")
    return quote


def parse_recorded_quote(data: bytes, now_ns: int) -> Quote:
    """
    Read one quote of a recording, which is as it was: `sound` says what of it is believed.

    Args:
        data: a JSON object.
        now_ns: the time of a quote that carries none.

    Raises:
        Malformed: what is wrong, and in which field.
    """
    raw = strict_json.decode(data, _QUOTE)
    tick, lot = (
        strict_json.optional_number("tick", raw.tick),
        strict_json.optional_number("lot", raw.lot),
    )
    if tick is not None and not 0 < tick < MICRO:
        raise Malformed("tick", "Expected a price step between 0 and 1")
    if lot is not None and lot <= 0:
        raise Malformed("lot", "Expected a quantity step above 0")
    bids, asks = _levels("bids", raw.bids, -1), _levels("asks", raw.asks, 1)
    return Quote(
        ts_ns=_time(raw.ts, now_ns),
        platform=strict_json.word("platform", raw.platform, _PLATFORMS),
        market_id=strict_json.identifier("market_id", raw.market_id),
        bids=bids,
        asks=asks,
        sport=None if raw.sport is None else strict_json.identifier("sport", raw.sport),
        game_id=None if raw.game_id is None else strict_json.identifier("game_id", raw.game_id),
        game_start_ns=strict_json.time("game_start_at", raw.game_start_at),
        condition_id=_optional_id("condition_id", raw.condition_id),
        opposite_token_id=_optional_id("opposite_token_id", raw.opposite_token_id),
        tick=tick,
        lot=lot,
        status=None if raw.status is None else strict_json.word("status", raw.status, _STATUSES),
    )


def parse_settlement(data: bytes, now_ns: int) -> Settlement:
    """Read one settlement. Raises Malformed."""
    raw = strict_json.decode(data, _SETTLEMENT)
    return Settlement(
        ts_ns=_time(raw.ts, now_ns),
        platform=strict_json.word("platform", raw.platform, _PLATFORMS),
        market_id=strict_json.identifier("market_id", raw.market_id),
        payouts=_payouts(raw),
    )


def _payouts(raw: SettlementWire) -> Payouts:
    if (raw.result is None) is (raw.payouts is None):
        raise Malformed("result", "Expected either result or payouts")
    if raw.payouts is None:
        return won_by(strict_json.word("result", raw.result or "", _SIDES))
    yes = strict_json.number("payouts", raw.payouts.yes)
    no = strict_json.optional_number("payouts", raw.payouts.no)
    no = MICRO - yes if no is None else no
    if not (0 <= yes <= MICRO and 0 <= no <= MICRO):
        raise Malformed("payouts", "Expected payouts from 0 to 1 dollar")
    return Payouts(yes, no)


def _time(text: str | None, now_ns: int) -> int:
    time_ns = strict_json.time("ts", text)
    return now_ns if time_ns is None else time_ns


def _optional_id(field: str, text: str | None) -> str | None:
    return None if text is None else strict_json.identifier(field, text)


def _levels(
    field: str, raw: list[tuple[msgspec.Raw, msgspec.Raw]], direction: int
) -> tuple[Level, ...]:
    if len(raw) > _LEVELS_MAX:
        raise Malformed(field, f"Expected at most {_LEVELS_MAX} levels, was {len(raw)}")
    levels = tuple(
        (strict_json.number(field, price), strict_json.number(field, size)) for price, size in raw
    )
    for price, size in levels:
        if not 0 < price < MICRO:
            raise Malformed(field, "Expected prices between 0 and 1 dollar")
        if size <= 0:
            raise Malformed(field, "Expected quantities above 0")
    prices = [direction * price for price, _ in levels]
    if any(later <= earlier for earlier, later in pairwise(prices)):
        raise Malformed(field, "Expected the best price first, each price once")
    return levels
