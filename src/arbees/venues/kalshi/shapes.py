"""What Kalshi's API says, as far as we use it: shapes that take unknown fields and unknown words.

Guarantees that a number is read exactly or not at all, that a field that Kalshi adds or a word that
it invents never breaks a read, and that a field which a decision needs and which is absent is an
error that names it. Money and counts come as text (`"0.5200"`, `"10.00"`), times in three units.

Source: OpenAPI 3.34; recorded answers of the demo environment.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from arbees.core.language.payouts import Payouts, payout_of_yes, won_by
from arbees.core.language.strict_json import parse_time
from arbees.core.language.units import MICRO, NS_PER_SECOND, parse_micro
from arbees.core.language.words import Action, Side
from arbees.errors import VenueOutcomeUnknown

T = TypeVar("T")

CENT = MICRO // 100
MOST = 10**18
"""No amount of money and no count reaches this in millionths; sums of them fit 64 bits."""
FINAL = frozenset({"finalized", "settled"})
"""Words of a market whose result is paid out."""
FILL_MOST = 9 * 10**12
"""Micro-contracts of one fill or order: its value still fits 64 bits."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Base: an object of the API."""


class CreateAnswer(Shape, frozen=True, kw_only=True):
    """`POST /portfolio/events/orders`."""

    order_id: str = ""
    client_order_id: str | None = None
    fill_count: str = ""
    remaining_count: str = ""
    average_fill_price: str | None = None
    average_fee_paid: str | None = None
    ts_ms: int = 0


class CancelAnswer(Shape, frozen=True, kw_only=True):
    """`DELETE /portfolio/events/orders/{order_id}`."""

    order_id: str = ""
    client_order_id: str | None = None
    reduced_by: str = ""
    ts_ms: int = 0


class KalshiOrderRow(Shape, frozen=True, kw_only=True):
    """One order of `GET /portfolio/orders`, and the message of the stream `user_orders`."""

    order_id: str
    ticker: str = ""
    client_order_id: str | None = None
    """None = whoever placed it gave it none."""
    book_side: str = ""
    outcome_side: str = ""
    status: str = ""
    yes_price_dollars: str = ""
    fill_count_fp: str = ""
    remaining_count_fp: str = ""
    last_update_time: str | None = None
    last_update_reason: str | None = None
    exchange_index: int | None = None
    subaccount_number: int | None = None

    @property
    def name(self) -> str:
        """The id that a client gave it; empty = none."""
        return self.client_order_id or ""


class FillRow(Shape, frozen=True, kw_only=True):
    """One fill of `GET /portfolio/fills`."""

    trade_id: str
    order_id: str
    ticker: str = ""
    count_fp: str
    yes_price_dollars: str
    is_taker: bool = True
    fee_cost: str
    book_side: str = ""
    outcome_side: str = ""
    created_time: str | None = None
    ts: int | None = None
    exchange_index: int | None = None
    subaccount_number: int | None = None


class PositionRow(Shape, frozen=True, kw_only=True):
    """One market of `GET /portfolio/positions`: > 0 = Yes, < 0 = No."""

    ticker: str
    position_fp: str
    exchange_index: int | None = None


class Cutoff(Shape, frozen=True, kw_only=True):
    """`GET /historical/cutoff`: what is older is in the archive alone."""

    trades_created_ts: str
    orders_updated_ts: str


class Deposit(Shape, frozen=True, kw_only=True):
    """One row of `GET /portfolio/deposits` and `/portfolio/withdrawals`, in cents."""

    id: str
    status: str
    amount_cents: int
    fee_cents: int = 0
    created_ts: int
    finalized_ts: int | None = None


class ShardTransfer(Shape, frozen=True, kw_only=True):
    """One row of `GET /portfolio/intra_exchange_instance_transfers`, in dollars."""

    transfer_id: str
    source_exchange_shard: int
    destination_exchange_shard: int
    amount: str
    status: str
    created_ts: int


class SubaccountTransfer(Shape, frozen=True, kw_only=True):
    """One row of `GET /portfolio/subaccounts/transfers`, in cents."""

    transfer_id: str
    from_subaccount: int
    to_subaccount: int
    amount_cents: int
    created_ts: int
    exchange_index: int = 0


class ShardBalance(Shape, frozen=True, kw_only=True):
    """Cash of one shard, in dollars."""

    exchange_index: int
    balance: str


class BalanceAnswer(Shape, frozen=True, kw_only=True):
    """`GET /portfolio/balance`; `balance` alone is in cents, cut off."""

    balance: int
    balance_dollars: str | None = None
    balance_breakdown: tuple[ShardBalance, ...] = ()
    updated_ts: int = 0


class RestingValue(Shape, frozen=True, kw_only=True):
    """`GET /portfolio/summary/total_resting_order_value`: what resting orders hold, by shard."""

    resting_order_value_breakdown: tuple[ShardBalance, ...]


class KalshiPriceRange(Shape, frozen=True, kw_only=True):
    """The tick of a range of prices, in dollars."""

    start: str
    end: str
    step: str


class MarketRow(Shape, frozen=True, kw_only=True):
    """A market, as far as an order needs it."""

    ticker: str
    event_ticker: str = ""
    status: str = ""
    result: str = ""
    settlement_value_dollars: str | None = None
    open_time: str | None = None
    close_time: str | None = None
    price_ranges: tuple[KalshiPriceRange, ...] = ()
    yes_ask_dollars: str | None = None
    fee_waiver_expiration_time: str | None = None
    settlement_ts: str | None = None
    exchange_index: int | None = None


class OneMarket(Shape, frozen=True, kw_only=True):
    """`GET /historical/markets/{ticker}`."""

    market: MarketRow


class Markets(Shape, frozen=True, kw_only=True):
    """A page of markets."""

    markets: tuple[msgspec.Raw, ...]
    cursor: str = ""


class SettlementRow(Shape, frozen=True, kw_only=True):
    """What the account was paid for one market: `GET /portfolio/settlements`."""

    ticker: str
    market_result: str = ""
    yes_count_fp: str = "0"
    no_count_fp: str = "0"
    revenue: int
    """Cents."""
    fee_cost: str = "0"
    """All fees of the market, those of its trades too."""
    value: int | None = None
    """What a contract of Yes paid, in cents."""
    settled_time: str | None = None
    exchange_index: int | None = None


class Settlements(Shape, frozen=True, kw_only=True):
    """A page of settlements."""

    settlements: tuple[msgspec.Raw, ...]
    cursor: str = ""


class MilestoneRow(Shape, frozen=True, kw_only=True):
    """A game, and the events about it; the word on when it starts."""

    id: str
    start_date: str | None = None
    related_event_tickers: tuple[str, ...] = ()
    primary_event_tickers: tuple[str, ...] = ()


class Milestones(Shape, frozen=True, kw_only=True):
    """`GET /milestones`."""

    milestones: tuple[msgspec.Raw, ...]


class FeeChangeRow(Shape, frozen=True, kw_only=True):
    """A fee that is announced, of a series or of an event, whose nulls end an override."""

    series_ticker: str = ""
    event_ticker: str | None = None
    fee_type: str | None = None
    fee_multiplier: float | None = None
    fee_type_override: str | None = None
    fee_multiplier_override: float | None = None
    scheduled_ts: str | None = None


class FeeChanges(Shape, frozen=True, kw_only=True):
    """`GET /series/fee_changes` and `/events/fee_changes`."""

    series_fee_change_arr: tuple[msgspec.Raw, ...] = ()
    event_fee_changes: tuple[msgspec.Raw, ...] = ()


class EventRow(Shape, frozen=True, kw_only=True):
    """An event: what binds its markets to a series."""

    event_ticker: str
    series_ticker: str = ""
    fee_type_override: str | None = None
    fee_multiplier_override: float | None = None


class OneEvent(Shape, frozen=True, kw_only=True):
    """`GET /events/{event_ticker}`."""

    event: EventRow


class SeriesRow(Shape, frozen=True, kw_only=True):
    """A series: fees, category and tags."""

    ticker: str
    category: str = ""
    tags: tuple[str, ...] | None = ()
    fee_type: str = ""
    fee_multiplier: float = 1.0


class OneSeries(Shape, frozen=True, kw_only=True):
    """`GET /series/{series_ticker}`."""

    series: SeriesRow


class ShardStatus(Shape, frozen=True, kw_only=True):
    """State of one shard."""

    exchange_index: int
    exchange_active: bool = True
    trading_active: bool = True


class ExchangeStatus(Shape, frozen=True, kw_only=True):
    """`GET /exchange/status`; the fields of the top are those of shard 0 alone."""

    exchange_active: bool
    trading_active: bool
    exchange_estimated_resume_time: str | None = None
    exchange_index_statuses: tuple[ShardStatus, ...] = ()


class UserDataTimestamp(Shape, frozen=True, kw_only=True):
    """`GET /exchange/user_data_timestamp`: how fresh the reads of orders and fills are."""

    as_of_time: str


class Bucket(Shape, frozen=True, kw_only=True):
    """A token bucket."""

    refill_rate: float
    bucket_capacity: float


class AccountLimits(Shape, frozen=True, kw_only=True):
    """`GET /account/limits`."""

    read: Bucket
    write: Bucket
    usage_tier: str = ""


class EndpointCost(Shape, frozen=True, kw_only=True):
    """Tokens of one endpoint."""

    method: str
    path: str
    cost: float


class Costs(Shape, frozen=True, kw_only=True):
    """`GET /account/endpoint_costs`."""

    default_cost: float = 10
    endpoint_costs: tuple[EndpointCost, ...] = ()


def read(body: bytes | str | msgspec.Raw, shape: type[T]) -> T:
    """
    Read an answer, or a message of a stream.

    Raises:
        VenueOutcomeUnknown: it is not what Kalshi documents; which field, and how.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except (ValueError, RecursionError) as error:  # bytes that are no UTF-8 are a ValueError too
        raise unreadable(f"what Kalshi says cannot be read: {error}") from None


def unreadable(message: str) -> VenueOutcomeUnknown:
    """Return the error of an answer that came and cannot be read: no sign of the venue's health."""
    return VenueOutcomeUnknown(message, is_health=False)


def readable(rows: Iterable[msgspec.Raw], shape: type[T]) -> list[T]:
    """Return the rows of a list that can be read; an odd one is its own trouble alone."""
    found: list[T] = []
    for row in rows:
        with suppress(ValueError, RecursionError):  # bytes that are no UTF-8 too
            found.append(msgspec.json.decode(row, type=shape))
    return found


def payouts_of(row: MarketRow) -> Payouts | None:
    """
    Return what a market pays; None = that is not final, or contradicts itself.

    Only a `finalized` market counts: while it is `determined`, `disputed` or `amended` its result
    may still change, and nothing is paid yet. A tie, a void and a scalar result say what Yes pays;
    No pays the rest. Source: market lifecycle, 2026-10.
    """
    if row.status.lower() not in FINAL:
        return None
    value = None
    if row.settlement_value_dollars:
        value = micro("settlement_value_dollars", row.settlement_value_dollars)
        if not 0 <= value <= MICRO:
            return None
    side = {"yes": Side.YES, "no": Side.NO}.get(row.result.lower())
    if side is None:
        return None if value is None else payout_of_yes(value)
    return won_by(side) if value in {None, won_by(side).yes} else None


def root_of(base_url: str) -> str:
    """Return the path of a base URL, which is part of what is signed."""
    return urlsplit(base_url).path.rstrip("/")


def micro(field: str, text: str) -> int:
    """Read dollars or contracts in millionths. Raises VenueOutcomeUnknown, naming the field."""
    try:
        return plausible(field, parse_micro(text))
    except ValueError as error:
        raise unreadable(f"Kalshi's {field}: {error}") from None


def plausible(field: str, value: int, low: int = -MOST, high: int = MOST) -> int:
    """Return a number that can be one. Raises VenueOutcomeUnknown, naming the field."""
    if not low <= value <= high:
        raise unreadable(f"Kalshi's {field}: Expected from {low} to {high}, was {value}")
    return value


def price(field: str, text: str) -> int:
    """Read a price: from nothing to a dollar, both included. Raises VenueOutcomeUnknown."""
    return plausible(field, micro(field, text), 0, MICRO)


def count(field: str, text: str) -> int:
    """Read how many contracts: none or more. Raises VenueOutcomeUnknown."""
    return plausible(field, micro(field, text), 0, FILL_MOST)


def since_epoch(field: str, count: int, unit_ns: int) -> int:
    """Read a time that is counted in seconds or parts of them. Raises VenueOutcomeUnknown."""
    return plausible(field, count * unit_ns, low=0, high=4 * MOST)


def moment(field: str, text: str | None) -> int:
    """Read a time as UTC nanoseconds; 0 = absent. Raises VenueOutcomeUnknown."""
    if not text:
        return 0
    try:
        return parse_time(text)
    except ValueError as error:
        raise unreadable(f"Kalshi's {field}: {error}") from None


def known_moment(text: str | None) -> int | None:
    """Read a time that may be absent or none at all (the year 1); None = not known."""
    try:
        found = moment("time", text)
    except VenueOutcomeUnknown:
        return None
    return found if found > 0 else None


def fill_ns(row: FillRow) -> int:
    """Return when a fill happened, in UTC nanoseconds; to the second where only that is said."""
    return moment("created_time", row.created_time) or since_epoch("ts", row.ts or 0, NS_PER_SECOND)


def bought(book_side: str, outcome_side: str) -> Side:
    """
    Return which outcome is bought: a bid buys Yes, an ask sells Yes, which is buying No.

    Raises:
        VenueOutcomeUnknown: neither word says it.
    """
    word = book_side or {"yes": "bid", "no": "ask"}.get(outcome_side, "")
    if word == "bid":
        return Side.YES
    if word == "ask":
        return Side.NO
    raise unreadable(f"Kalshi's book_side: Expected bid or ask, was {word!r}")


def book_order(side: Side, action: Action, price: int) -> tuple[str, int]:
    """
    Return how an order stands in Kalshi's one book, which is quoted from Yes.

    Args:
        side: that is named.
        action: Buy or Sell of it.
        price: of the named side, in micro-dollars.

    Returns:
        `bid` or `ask`, and the price of Yes.
    """
    is_bid = (side is Side.YES) == (action is Action.BUY)
    return ("bid" if is_bid else "ask"), (price if side is Side.YES else MICRO - price)


def decimal_text(value: int, places: int) -> str:
    """
    Return millionths as text with at least two and at most `places` decimals.

    Raises:
        ValueError: it needs more.
    """
    whole, rest = divmod(value, MICRO)
    digits = f"{rest:06d}"
    if int(digits[places:] or "0"):
        raise ValueError(f"Expected at most {places} decimals, was {whole}.{digits}")
    return f"{whole}.{digits[:places]}"
