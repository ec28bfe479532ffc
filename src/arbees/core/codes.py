"""The closed list of codes: what each means, in which unit it is observed, how it reads.

The single source of truth: messages, documentation and parity tests are made from it.
"""

from enum import StrEnum

import msgspec

from arbees.core.units import format_dollars, format_micro, whole_seconds
from arbees.core.wire import format_time


class Unit(StrEnum):
    """Unit of what was observed and of its limit."""

    DOLLARS = "dollars"
    PRICE = "price"
    CONTRACTS = "contracts"
    COUNT = "count"
    SECONDS = "seconds"
    POINTS = "points"
    TEXT = "text"


class Code(msgspec.Struct, frozen=True):
    """One code: who says it, its unit, its sentence and what to do about it."""

    name: str
    safeguard: str
    unit: Unit
    message: str
    """With `{observed}` and `{limit}`."""
    remedy: str


def _code(name: str, safeguard: str, unit: Unit, message: str, remedy: str) -> tuple[str, Code]:
    return name, Code(name, safeguard, unit, message, remedy)


U = Unit
CODES: dict[str, Code] = dict(
    (
        _code(
            "MALFORMED",
            "request",
            U.TEXT,
            "The request cannot be read: {observed}",
            "Correct the named field and send it again; no key was spent.",
        ),
        _code(
            "DUPLICATE_REQUEST",
            "idempotency",
            U.TEXT,
            "Duplicate request: idempotency_key {observed} already processed",
            "Read `original`; that is what became of the first.",
        ),
        _code(
            "DUPLICATE_SIGNAL",
            "idempotency",
            U.TEXT,
            "Signal {observed} already executed for this market, side and action under key {limit}",
            "One signal, one execution; send a new signal_id for a new decision.",
        ),
        _code(
            "IDEMPOTENCY_CONFLICT",
            "idempotency",
            U.TEXT,
            "The idempotency key or request_id was used before for something else: {observed}",
            "Use a new idempotency_key and request_id for a new order.",
        ),
        _code(
            "NOT_AUTHORIZED",
            "authorization",
            U.TEXT,
            "Live trading is not authorized: {observed}",
            "Set both flags and run `arbees authorize`.",
        ),
        _code(
            "AUTHORIZATION_EXPIRED",
            "authorization",
            U.TEXT,
            "The authorization of live trading ended at {limit}; now is {observed}",
            "Run `arbees authorize` again with a later --until.",
        ),
        _code(
            "HALTED",
            "kill_switch",
            U.TEXT,
            "Trading halted: {observed}",
            "See `arbees kill status`; lift with `arbees kill off`.",
        ),
        _code(
            "REDUCE_ONLY",
            "kill_switch",
            U.TEXT,
            "Only reducing orders pass: {observed}",
            "See `arbees kill status`; lift with `arbees kill off`.",
        ),
        _code(
            "EXPIRED",
            "freshness",
            U.TEXT,
            "The request expired at {limit}; it is {observed}",
            "Send a fresh signal.",
        ),
        _code(
            "STALE_SIGNAL",
            "freshness",
            U.SECONDS,
            "The request is {observed} s old, maximum {limit} s",
            "Send a fresh signal.",
        ),
        _code(
            "FUTURE_DATED",
            "freshness",
            U.SECONDS,
            "created_at lies {observed} s in the future, maximum {limit} s",
            "Set the strategy's clock.",
        ),
        _code(
            "MODEL_VERSION_MISSING",
            "model_version",
            U.TEXT,
            "The request names no model_version",
            "Name the model that made the signal.",
        ),
        _code(
            "MODEL_VERSION_DENIED",
            "model_version",
            U.TEXT,
            "Model version {observed} may not trade: {limit}",
            "Use an allowed model version or change the lists.",
        ),
        _code(
            "MARKET_UNKNOWN",
            "market",
            U.TEXT,
            "Market {observed} is not known",
            "Check market_id; on paper feed a quote of it first.",
        ),
        _code(
            "MARKET_CLOSED",
            "market",
            U.TEXT,
            "Market {observed} is closed for trading",
            "Nothing to do: it ended or is paused.",
        ),
        _code(
            "INVALID_TICK",
            "market",
            U.PRICE,
            "Price {observed} does not lie on the tick {limit}",
            "Round to the tick.",
        ),
        _code(
            "INVALID_QUANTITY",
            "market",
            U.CONTRACTS,
            "Quantity {observed} is not a multiple of the lot {limit}",
            "Round to the lot.",
        ),
        _code(
            "MIN_ORDER",
            "market",
            U.CONTRACTS,
            "Quantity {observed} is below the venue's minimum {limit}",
            "Order more.",
        ),
        _code(
            "CLASSIFICATION_CONFLICT",
            "market",
            U.TEXT,
            "The request says {observed}, the market is {limit}",
            "Correct sport, game_id or token_id, or leave them out.",
        ),
        _code(
            "SELL_EXCEEDS_POSITION",
            "holding",
            U.CONTRACTS,
            "Sell of {observed} contracts exceeds the {limit} held and not being closed",
            "A Sell only closes; to open the other side, Buy the other side.",
        ),
        _code(
            "OUTSIDE_WINDOW",
            "trading_window",
            U.TEXT,
            "Outside the trading window: {observed}; allowed: {limit}",
            "Wait, or change [trading_window].",
        ),
        _code(
            "VENUE_PAUSED",
            "trading_window",
            U.TEXT,
            "The venue is paused: {observed}",
            "Wait until the pause is over.",
        ),
        _code(
            "MAX_ORDER_SIZE",
            "order_size",
            U.DOLLARS,
            "Order size {observed} exceeds maximum {limit}",
            "Send a smaller order.",
        ),
        _code(
            "MAX_ORDER_CONTRACTS",
            "order_size",
            U.CONTRACTS,
            "Order quantity {observed} exceeds maximum {limit}",
            "Send a smaller order.",
        ),
        _code(
            "PRICE_OUT_OF_RANGE",
            "price_range",
            U.PRICE,
            "Price {observed} outside safe range {limit}",
            "Check the model's price.",
        ),
        _code(
            "PREGAME_DELTA",
            "price_reference",
            U.PRICE,
            "Price differs from the pregame probability by {observed}, maximum {limit}",
            "Check the model, or set PREGAME_POLICY.",
        ),
        _code(
            "THROUGH_QUOTE",
            "price_reference",
            U.PRICE,
            "Price is {observed} through the best quote, maximum {limit}",
            "Price closer to the book.",
        ),
        _code(
            "QUOTE_STALE",
            "price_reference",
            U.SECONDS,
            "The quote is {observed} s old, maximum {limit} s",
            "Look at the market data feed.",
        ),
        _code(
            "QUOTE_MISSING",
            "price_reference",
            U.TEXT,
            "No quote to compare with: {observed}",
            "Look at the market data feed.",
        ),
        _code(
            "EDGE_IMPLAUSIBLE",
            "price_reference",
            U.POINTS,
            "The edge is off by {observed} points from model probability less price, maximum "
            "{limit}",
            "Check the model's edge_pct.",
        ),
        _code(
            "RATE_LIMIT_MINUTE",
            "rate_limit",
            U.COUNT,
            "Rate limit exceeded: {observed} orders in last minute (max {limit})",
            "Wait; a burst usually means a bug in the strategy.",
        ),
        _code(
            "RATE_LIMIT_HOUR",
            "rate_limit",
            U.COUNT,
            "Rate limit exceeded: {observed} orders in last hour (max {limit})",
            "Wait; a burst usually means a bug in the strategy.",
        ),
        _code(
            "REPEATED_EXECUTION",
            "repeated_execution",
            U.COUNT,
            "{observed} cycles of entering and leaving in the last hour, maximum {limit}",
            "Look at the strategy, then `arbees kill off --scope strategy:X --acknowledge`.",
        ),
        _code(
            "SELF_TRADE",
            "opposing_order",
            U.PRICE,
            "Would trade with our own open order at {limit} (this one: {observed})",
            "Cancel the open order first.",
        ),
        _code(
            "MAX_OPEN_ORDERS",
            "open_orders",
            U.COUNT,
            "{observed} open orders with this one, maximum {limit}",
            "Cancel some.",
        ),
        _code(
            "MAX_POSITION_PER_MARKET",
            "market_exposure",
            U.DOLLARS,
            "Total market exposure {observed} would exceed maximum {limit}",
            "Close some of it, or order less.",
        ),
        _code(
            "MAX_GAME_EXPOSURE",
            "game_exposure",
            U.DOLLARS,
            "Exposure to the game {observed} would exceed maximum {limit}",
            "Close some of it, or order less.",
        ),
        _code(
            "MAX_SPORT_EXPOSURE",
            "sport_exposure",
            U.DOLLARS,
            "Exposure to the sport {observed} would exceed maximum {limit}",
            "Close some of it, or order less.",
        ),
        _code(
            "MAX_TOTAL_EXPOSURE",
            "total_exposure",
            U.DOLLARS,
            "Exposure of the account {observed} would exceed maximum {limit}",
            "Close some of it, or order less.",
        ),
        _code(
            "INSUFFICIENT_BALANCE",
            "balance",
            U.DOLLARS,
            "Insufficient balance: have {limit}, need {observed} (fee allowance included)",
            "Deposit, or order less.",
        ),
        _code(
            "BALANCE_STALE",
            "balance",
            U.SECONDS,
            "The balance is {observed} s old, maximum {limit} s",
            "Look at the venue's connection.",
        ),
        _code(
            "MAX_DAILY_LOSS",
            "daily_loss",
            U.DOLLARS,
            "Loss of the day {observed}, open orders and this one included, would exceed maximum "
            "{limit}",
            "No more risk today, unless an operator decides otherwise.",
        ),
        _code(
            "UNKNOWN_IN_MARKET",
            "unknown_orders",
            U.COUNT,
            "{observed} order(s) of unknown fate in this market",
            "Wait for evidence; see `arbees status`.",
        ),
        _code(
            "MAX_UNKNOWN_ORDERS",
            "unknown_orders",
            U.COUNT,
            "{observed} orders of unknown fate, maximum {limit}",
            "Wait for evidence; see `arbees status`.",
        ),
        _code(
            "VENUE_UNAVAILABLE",
            "venue_health",
            U.TEXT,
            "The venue is unavailable: {observed}",
            "Wait, or name an alternate.",
        ),
        _code(
            "VENUE_HEARTBEAT_LATE",
            "venue_health",
            U.TEXT,
            "The venue's heartbeat is late",
            "Wait for the connection.",
        ),
        _code(
            "VENUE_BLIND",
            "venue_health",
            U.TEXT,
            "Our own stream of orders and fills is not trusted",
            "Wait for reconciliation.",
        ),
        _code(
            "CLOCK_SKEW",
            "venue_health",
            U.SECONDS,
            "Our clock is {observed} s off the venue's, maximum {limit} s",
            "Set the clock.",
        ),
        _code(
            "RECONCILIATION_BREAK",
            "reconciliation",
            U.TEXT,
            "The market has an open reconciliation break: {observed}",
            "Resolve the break; see the runbook.",
        ),
        _code(
            "VENUE_REJECTED",
            "venue",
            U.TEXT,
            "The venue refused the order: {observed}",
            "See venue_code.",
        ),
        _code(
            "NOT_SENT",
            "dispatcher",
            U.TEXT,
            "The order provably never left: {observed}",
            "Come again with the next attempt.",
        ),
        _code(
            "QUEUE_FULL",
            "writer",
            U.TEXT,
            "Too much is waiting; nothing was decided",
            "Come again with the same key.",
        ),
        _code(
            "JOURNAL_FAILED",
            "journal",
            U.TEXT,
            "The journal failed; the outcome is not known",
            "Ask again with the same key after the restart.",
        ),
        _code(
            "SHUTTING_DOWN",
            "writer",
            U.TEXT,
            "The gateway is stopping; nothing was decided",
            "Come again with the same key after the restart.",
        ),
        _code(
            "JOURNAL_ROLLED_BACK",
            "journal",
            U.TEXT,
            "The venue knows an order of ours that the journal does not: {observed}",
            "An older journal was put back: see the runbook.",
        ),
    )
)


def show(unit: Unit, value: int | str | None) -> str:
    """Write a value in its unit, for people."""
    if value is None or isinstance(value, str):
        return value or ""
    if unit is Unit.DOLLARS:
        return format_dollars(value)
    if unit is Unit.PRICE:
        return format_dollars(value).replace("$", "")
    if unit is Unit.SECONDS:
        return format_micro(whole_milliseconds(value))
    if unit is Unit.COUNT:
        return str(value)
    return format_micro(value)


def whole_milliseconds(ns: int) -> int:
    """Return nanoseconds as millionths of a second, cut to milliseconds."""
    return whole_seconds(ns * 1_000) * 1_000


def message(code: str, observed: int | str | None, limit: int | str | None) -> str:
    """Return the sentence of a denial or warning."""
    known = CODES[code]
    return known.message.format(observed=show(known.unit, observed), limit=show(known.unit, limit))


def until_text(until_ns: int | None) -> str:
    """Return when a denial lifts, as text; empty if it does not lift by itself."""
    return "" if until_ns is None else format_time(until_ns)
