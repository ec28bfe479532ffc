"""Codes: each reads as it always did, in its own unit, and belongs to one safeguard."""

import pytest

from arbees.core.language.code import Unit
from arbees.core.language.codes import CODES, message

# Code, who says it, an observed value and a limit in the unit of the code, and the sentence.
SENTENCES: list[tuple[str, str, int | str | None, int | str | None, str]] = [
    ("MALFORMED", "request", "what", None, "The request cannot be read: what"),
    (
        "DUPLICATE_REQUEST",
        "idempotency",
        "what",
        None,
        "Duplicate request: idempotency_key what already processed",
    ),
    (
        "DUPLICATE_SIGNAL",
        "idempotency",
        "what",
        "limit",
        "Signal what already executed for this market, side and action under key limit",
    ),
    (
        "IDEMPOTENCY_CONFLICT",
        "idempotency",
        "what",
        None,
        "The idempotency key or request_id was used before for something else: what",
    ),
    ("KEY_REVOKED", "access", "what", None, "The API key what was revoked"),
    ("NOT_AUTHORIZED", "authorization", "what", None, "Live trading is not authorized: what"),
    (
        "AUTHORIZATION_EXPIRED",
        "authorization",
        "what",
        "limit",
        "The authorization of live trading ended at limit; now is what",
    ),
    ("HALTED", "kill_switch", "what", None, "Trading halted: what"),
    ("REDUCE_ONLY", "kill_switch", "what", None, "Only reducing orders pass: what"),
    ("EXPIRED", "freshness", "what", "limit", "The request expired at limit; it is what"),
    (
        "STALE_SIGNAL",
        "freshness",
        31_250_000_000,
        30_000_000_000,
        "The request is 31.25 s old, maximum 30 s",
    ),
    (
        "FUTURE_DATED",
        "freshness",
        31_250_000_000,
        30_000_000_000,
        "created_at lies 31.25 s in the future, maximum 30 s: is its zone right?",
    ),
    ("MODEL_VERSION_MISSING", "model_version", None, None, "The request names no model_version"),
    (
        "MODEL_VERSION_DENIED",
        "model_version",
        "what",
        "limit",
        "Model version what may not trade: limit",
    ),
    (
        "MARKET_UNKNOWN",
        "market",
        "what",
        None,
        "Market what is not known: is it of this platform, and spelt so?",
    ),
    ("MARKET_CLOSED", "market", "what", None, "Market what is closed for trading"),
    (
        "MARKET_STALE",
        "market",
        "125 s, maximum 120 s",
        None,
        "The venue's word on the market is too old: 125 s, maximum 120 s",
    ),
    ("INVALID_TICK", "market", 655_000, 600_000, "Price 0.655 does not lie on the tick 0.60"),
    (
        "INVALID_QUANTITY",
        "market",
        12_500_000,
        10_000_000,
        "Quantity 12.5 is not a multiple of the lot 10",
    ),
    (
        "MIN_ORDER",
        "market",
        12_500_000,
        10_000_000,
        "Quantity 12.5 is below the venue's minimum 10",
    ),
    (
        "CLASSIFICATION_CONFLICT",
        "market",
        "what",
        "limit",
        "The request says what, the market is limit: correct it, or leave it out",
    ),
    (
        "SELL_EXCEEDS_POSITION",
        "holding",
        12_500_000,
        10_000_000,
        "Sell of 12.5 contracts exceeds the 10 held and not being closed",
    ),
    (
        "OUTSIDE_WINDOW",
        "trading_window",
        "what",
        "limit",
        "Outside the trading window: what; allowed: limit",
    ),
    ("VENUE_PAUSED", "trading_window", "what", None, "The venue is paused: what"),
    (
        "MAX_ORDER_SIZE",
        "order_size",
        120_500_000,
        100_000_000,
        "Order size $120.50 exceeds maximum $100.00",
    ),
    (
        "MAX_ORDER_CONTRACTS",
        "order_size",
        12_500_000,
        10_000_000,
        "Order quantity 12.5 exceeds maximum 10",
    ),
    ("PRICE_OUT_OF_RANGE", "price_range", 655_000, 600_000, "Price 0.655 outside safe range 0.60"),
    (
        "PREGAME_DELTA",
        "price_reference",
        655_000,
        600_000,
        "Price differs from the pregame probability by 0.655, maximum 0.60",
    ),
    (
        "THROUGH_QUOTE",
        "price_reference",
        655_000,
        600_000,
        "Price is 0.655 through the best quote, maximum 0.60",
    ),
    (
        "QUOTE_STALE",
        "price_reference",
        31_250_000_000,
        30_000_000_000,
        "The quote is 31.25 s old, maximum 30 s",
    ),
    ("QUOTE_MISSING", "price_reference", "what", None, "No quote to compare with: what"),
    (
        "EDGE_IMPLAUSIBLE",
        "price_reference",
        2_500_000,
        1_000_000,
        "The edge is off by 2.5 points from model probability less price, maximum 1",
    ),
    (
        "RATE_LIMIT_MINUTE",
        "rate_limit",
        21,
        20,
        "Rate limit exceeded: 21 orders in last minute (max 20)",
    ),
    (
        "RATE_LIMIT_HOUR",
        "rate_limit",
        21,
        20,
        "Rate limit exceeded: 21 orders in last hour (max 20)",
    ),
    (
        "REPEATED_EXECUTION",
        "repeated_execution",
        21,
        20,
        (
            "21 cycles of entering and leaving in the last hour, maximum 20; "
            "too many halt the strategy until somebody acknowledges that"
        ),
    ),
    (
        "SELF_TRADE",
        "opposing_order",
        655_000,
        600_000,
        "Would trade with our own open order at 0.60 (this one: 0.655)",
    ),
    ("MAX_OPEN_ORDERS", "open_orders", 21, 20, "21 open orders with this one, maximum 20"),
    (
        "MAX_POSITION_PER_MARKET",
        "market_exposure",
        120_500_000,
        100_000_000,
        "Total market exposure $120.50 would exceed maximum $100.00",
    ),
    (
        "MAX_GAME_EXPOSURE",
        "game_exposure",
        120_500_000,
        100_000_000,
        "Exposure to the game $120.50 would exceed maximum $100.00",
    ),
    (
        "MAX_SPORT_EXPOSURE",
        "sport_exposure",
        120_500_000,
        100_000_000,
        "Exposure to the sport $120.50 would exceed maximum $100.00",
    ),
    (
        "MAX_TOTAL_EXPOSURE",
        "total_exposure",
        120_500_000,
        100_000_000,
        "Exposure of the account $120.50 would exceed maximum $100.00",
    ),
    (
        "INSUFFICIENT_BALANCE",
        "balance",
        120_500_000,
        100_000_000,
        "Insufficient balance: have $100.00, need $120.50 (fee allowance included)",
    ),
    (
        "BALANCE_STALE",
        "balance",
        31_250_000_000,
        30_000_000_000,
        "The balance is 31.25 s old, maximum 30 s",
    ),
    (
        "MAX_DAILY_LOSS",
        "daily_loss",
        120_500_000,
        100_000_000,
        "Loss of the day $120.50, open orders and this one included, would exceed maximum $100.00",
    ),
    (
        "MARKS_STALE",
        "daily_loss",
        125_000_000_000,
        120_000_000_000,
        "The loss is not known: seconds since the oldest mark 125, maximum 120",
    ),
    ("UNKNOWN_IN_MARKET", "unknown_orders", 21, None, "21 order(s) of unknown fate in this market"),
    ("MAX_UNKNOWN_ORDERS", "unknown_orders", 21, 20, "21 orders of unknown fate, maximum 20"),
    ("VENUE_UNAVAILABLE", "venue_health", "what", None, "The venue is unavailable: what"),
    ("VENUE_HEARTBEAT_LATE", "venue_health", None, None, "The venue's heartbeat is late"),
    (
        "VENUE_BLIND",
        "venue_health",
        None,
        None,
        "Our own stream of orders and fills is not trusted",
    ),
    (
        "CLOCK_SKEW",
        "venue_health",
        31_250_000_000,
        30_000_000_000,
        "Our clock is 31.25 s off the venue's, maximum 30 s",
    ),
    (
        "RECONCILIATION_BREAK",
        "reconciliation",
        "what",
        None,
        "The market has an open reconciliation break: what",
    ),
    ("VENUE_REJECTED", "venue", "what", None, "The venue refused the order: what"),
    ("NOT_SENT", "dispatcher", "what", None, "The order provably never left: what"),
    ("QUEUE_FULL", "writer", None, None, "Too much is waiting; nothing was decided"),
    ("JOURNAL_FAILED", "journal", None, None, "The journal failed; the outcome is not known"),
    ("SHUTTING_DOWN", "writer", None, None, "The gateway is stopping; nothing was decided"),
    (
        "JOURNAL_ROLLED_BACK",
        "journal",
        "what",
        None,
        "The venue knows an order of ours that the journal does not: what",
    ),
]


@pytest.mark.parametrize(("code", "safeguard", "observed", "limit", "text"), SENTENCES)
def test_how_a_denial_reads(
    code: str,
    safeguard: str,
    observed: int | str | None,
    limit: int | str | None,
    text: str,
) -> None:
    """Who said it, what was observed, and the limit: a person can follow."""
    assert message(code, observed, limit) == text
    assert CODES[code].safeguard == safeguard


def test_every_code_is_listed_here() -> None:
    """The list of codes is closed; a new one is written down here with its sentence."""
    assert list(CODES) == [row[0] for row in SENTENCES]


@pytest.mark.parametrize("code", CODES)
def test_every_code_says_what_to_do(code: str) -> None:
    """A remedy is a sentence; codes with numbers have a unit for them."""
    known = CODES[code]
    assert isinstance(known.unit, Unit)
    assert known.remedy.endswith(".")
    assert known.remedy[0].isupper()
    if known.unit is Unit.TEXT:
        assert "{observed} s" not in known.message


def test_what_is_no_code_has_no_sentence() -> None:
    """The list is closed."""
    with pytest.raises(KeyError):
        message("NONE", None, None)
