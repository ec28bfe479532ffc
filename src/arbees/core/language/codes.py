"""The closed list of codes: what each means, in which unit it is observed, how it reads.

The single source of truth: messages, documentation and parity tests are made from it.
"""

from arbees.core.language.code import Code, Unit, sentence

CODES: dict[str, Code] = {
    "MALFORMED": Code(
        "request",
        Unit.TEXT,
        "The request cannot be read: {observed}",
        "Correct the named field and send it again; no key was spent.",
    ),
    "DUPLICATE_REQUEST": Code(
        "idempotency",
        Unit.TEXT,
        "Duplicate request: idempotency_key {observed} already processed",
        "Read `original`; that is what became of the first.",
    ),
    "DUPLICATE_SIGNAL": Code(
        "idempotency",
        Unit.TEXT,
        "Signal {observed} already executed for this market, side and action under key {limit}",
        "One signal, one execution; send a new signal_id for a new decision.",
    ),
    "IDEMPOTENCY_CONFLICT": Code(
        "idempotency",
        Unit.TEXT,
        "The idempotency key or request_id was used before for something else: {observed}",
        "Use a new idempotency_key and request_id for a new order.",
    ),
    "KEY_REVOKED": Code(
        "access",
        Unit.TEXT,
        "The API key {observed} was revoked",
        "Ask whoever runs the gateway for another key.",
    ),
    "NOT_AUTHORIZED": Code(
        "authorization",
        Unit.TEXT,
        "Live trading is not authorized: {observed}",
        "Set both flags and run `arbees authorize`.",
    ),
    "AUTHORIZATION_EXPIRED": Code(
        "authorization",
        Unit.TEXT,
        "The authorization of live trading ended at {limit}; now is {observed}",
        "Run `arbees authorize` again with a later --until.",
    ),
    "HALTED": Code(
        "kill_switch",
        Unit.TEXT,
        "Trading halted: {observed}",
        "See `arbees kill status`; lift with `arbees kill off`.",
    ),
    "REDUCE_ONLY": Code(
        "kill_switch",
        Unit.TEXT,
        "Only reducing orders pass: {observed}",
        "See `arbees kill status`; lift with `arbees kill off`.",
    ),
    "EXPIRED": Code(
        "freshness",
        Unit.TEXT,
        "The request expired at {limit}; it is {observed}",
        "Send a fresh signal.",
    ),
    "STALE_SIGNAL": Code(
        "freshness",
        Unit.SECONDS,
        "The request is {observed} s old, maximum {limit} s",
        "Send a fresh signal.",
    ),
    "FUTURE_DATED": Code(
        "freshness",
        Unit.SECONDS,
        "created_at lies {observed} s in the future, maximum {limit} s: is its zone right?",
        "Set the strategy's clock.",
    ),
    "MODEL_VERSION_MISSING": Code(
        "model_version",
        Unit.TEXT,
        "The request names no model_version",
        "Name the model that made the signal.",
    ),
    "MODEL_VERSION_DENIED": Code(
        "model_version",
        Unit.TEXT,
        "Model version {observed} may not trade: {limit}",
        "Use an allowed model version or change the lists.",
    ),
    "MARKET_UNKNOWN": Code(
        "market",
        Unit.TEXT,
        "Market {observed} is not known: is it of this platform, and spelt so?",
        "Check market_id; on paper feed a quote of it first.",
    ),
    "MARKET_CLOSED": Code(
        "market",
        Unit.TEXT,
        "Market {observed} is closed for trading",
        "Nothing to do: it ended or is paused.",
    ),
    "MARKET_STALE": Code(
        "market",
        Unit.TEXT,
        "The venue's word on the market is too old: {observed}",
        "The venue does not answer; reducing orders pass. It is asked again and again.",
    ),
    "INVALID_TICK": Code(
        "market",
        Unit.PRICE,
        "Price {observed} does not lie on the tick {limit}",
        "Round to the tick.",
    ),
    "INVALID_QUANTITY": Code(
        "market",
        Unit.CONTRACTS,
        "Quantity {observed} is not a multiple of the lot {limit}",
        "Round to the lot.",
    ),
    "MIN_ORDER": Code(
        "market",
        Unit.CONTRACTS,
        "Quantity {observed} is below the venue's minimum {limit}",
        "Order more.",
    ),
    "CLASSIFICATION_CONFLICT": Code(
        "market",
        Unit.TEXT,
        "The request says {observed}, the market is {limit}: correct it, or leave it out",
        "Correct sport, game_id or token_id, or leave them out.",
    ),
    "SELL_EXCEEDS_POSITION": Code(
        "holding",
        Unit.CONTRACTS,
        "Sell of {observed} contracts exceeds the {limit} held and not being closed",
        "A Sell only closes; to open the other side, Buy the other side.",
    ),
    "OUTSIDE_WINDOW": Code(
        "trading_window",
        Unit.TEXT,
        "Outside the trading window: {observed}; allowed: {limit}",
        "Wait, or change [trading_window].",
    ),
    "VENUE_PAUSED": Code(
        "trading_window",
        Unit.TEXT,
        "The venue is paused: {observed}",
        "Wait until the pause is over.",
    ),
    "MAX_ORDER_SIZE": Code(
        "order_size",
        Unit.DOLLARS,
        "Order size {observed} exceeds maximum {limit}",
        "Send a smaller order.",
    ),
    "MAX_ORDER_CONTRACTS": Code(
        "order_size",
        Unit.CONTRACTS,
        "Order quantity {observed} exceeds maximum {limit}",
        "Send a smaller order.",
    ),
    "PRICE_OUT_OF_RANGE": Code(
        "price_range",
        Unit.PRICE,
        "Price {observed} outside safe range {limit}",
        "Check the model's price.",
    ),
    "PREGAME_DELTA": Code(
        "price_reference",
        Unit.PRICE,
        "Price differs from the pregame probability by {observed}, maximum {limit}",
        "Check the model, or set PREGAME_POLICY.",
    ),
    "THROUGH_QUOTE": Code(
        "price_reference",
        Unit.PRICE,
        "Price is {observed} through the best quote, maximum {limit}",
        "Price closer to the book.",
    ),
    "QUOTE_STALE": Code(
        "price_reference",
        Unit.SECONDS,
        "The quote is {observed} s old, maximum {limit} s",
        "Look at the market data feed.",
    ),
    "QUOTE_MISSING": Code(
        "price_reference",
        Unit.TEXT,
        "No quote to compare with: {observed}",
        "Look at the market data feed.",
    ),
    "EDGE_IMPLAUSIBLE": Code(
        "price_reference",
        Unit.POINTS,
        "The edge is off by {observed} points from model probability less price, maximum {limit}",
        "Check the model's edge_pct.",
    ),
    "RATE_LIMIT_MINUTE": Code(
        "rate_limit",
        Unit.COUNT,
        "Rate limit exceeded: {observed} orders in last minute (max {limit})",
        "Wait; a burst usually means a bug in the strategy.",
    ),
    "RATE_LIMIT_HOUR": Code(
        "rate_limit",
        Unit.COUNT,
        "Rate limit exceeded: {observed} orders in last hour (max {limit})",
        "Wait; a burst usually means a bug in the strategy.",
    ),
    "REPEATED_EXECUTION": Code(
        "repeated_execution",
        Unit.COUNT,
        "{observed} cycles of entering and leaving in the last hour, maximum {limit}"
        "; too many halt the strategy until somebody acknowledges that",
        "Look at the strategy, then `arbees kill off --scope strategy:X --acknowledge`.",
    ),
    "SELF_TRADE": Code(
        "opposing_order",
        Unit.PRICE,
        "Would trade with our own open order at {limit} (this one: {observed})",
        "Cancel the open order first.",
    ),
    "MAX_OPEN_ORDERS": Code(
        "open_orders",
        Unit.COUNT,
        "{observed} open orders with this one, maximum {limit}",
        "Cancel some.",
    ),
    "MAX_POSITION_PER_MARKET": Code(
        "market_exposure",
        Unit.DOLLARS,
        "Total market exposure {observed} would exceed maximum {limit}",
        "Close some of it, or order less.",
    ),
    "MAX_GAME_EXPOSURE": Code(
        "game_exposure",
        Unit.DOLLARS,
        "Exposure to the game {observed} would exceed maximum {limit}",
        "Close some of it, or order less.",
    ),
    "MAX_SPORT_EXPOSURE": Code(
        "sport_exposure",
        Unit.DOLLARS,
        "Exposure to the sport {observed} would exceed maximum {limit}",
        "Close some of it, or order less.",
    ),
    "MAX_TOTAL_EXPOSURE": Code(
        "total_exposure",
        Unit.DOLLARS,
        "Exposure of the account {observed} would exceed maximum {limit}",
        "Close some of it, or order less.",
    ),
    "INSUFFICIENT_BALANCE": Code(
        "balance",
        Unit.DOLLARS,
        "Insufficient balance: have {limit}, need {observed} (fee allowance included)",
        "Deposit, or order less.",
    ),
    "BALANCE_STALE": Code(
        "balance",
        Unit.SECONDS,
        "The balance is {observed} s old, maximum {limit} s",
        "Look at the venue's connection.",
    ),
    "MAX_DAILY_LOSS": Code(
        "daily_loss",
        Unit.DOLLARS,
        "Loss of the day {observed}, open orders and this one included, would exceed maximum "
        "{limit}",
        "No more risk today, unless an operator decides otherwise.",
    ),
    "MARKS_STALE": Code(
        "daily_loss",
        Unit.SECONDS,
        "The loss is not known: seconds since the oldest mark {observed}, maximum {limit}",
        "Look at the market data feed: each market that is held needs a quote.",
    ),
    "UNKNOWN_IN_MARKET": Code(
        "unknown_orders",
        Unit.COUNT,
        "{observed} order(s) of unknown fate in this market",
        "Wait for evidence; see `arbees status`.",
    ),
    "MAX_UNKNOWN_ORDERS": Code(
        "unknown_orders",
        Unit.COUNT,
        "{observed} orders of unknown fate, maximum {limit}",
        "Wait for evidence; see `arbees status`.",
    ),
    "VENUE_UNAVAILABLE": Code(
        "venue_health",
        Unit.TEXT,
        "The venue is unavailable: {observed}",
        "Wait, or name an alternate.",
    ),
    "VENUE_HEARTBEAT_LATE": Code(
        "venue_health",
        Unit.TEXT,
        "The venue's heartbeat is late",
        "Wait for the connection.",
    ),
    "VENUE_BLIND": Code(
        "venue_health",
        Unit.TEXT,
        "Our own stream of orders and fills is not trusted",
        "Wait for reconciliation.",
    ),
    "CLOCK_SKEW": Code(
        "venue_health",
        Unit.SECONDS,
        "Our clock is {observed} s off the venue's, maximum {limit} s",
        "Set the clock.",
    ),
    "RECONCILIATION_BREAK": Code(
        "reconciliation",
        Unit.TEXT,
        "The market has an open reconciliation break: {observed}",
        "Resolve the break; see the runbook.",
    ),
    "VENUE_REJECTED": Code(
        "venue",
        Unit.TEXT,
        "The venue refused the order: {observed}",
        "See venue_code.",
    ),
    "NOT_SENT": Code(
        "dispatcher",
        Unit.TEXT,
        "The order provably never left: {observed}",
        "Come again with the next attempt.",
    ),
    "QUEUE_FULL": Code(
        "writer",
        Unit.TEXT,
        "Too much is waiting; nothing was decided",
        "Come again with the same key.",
    ),
    "JOURNAL_FAILED": Code(
        "journal",
        Unit.TEXT,
        "The journal failed; the outcome is not known",
        "Ask again with the same key after the restart.",
    ),
    "SHUTTING_DOWN": Code(
        "writer",
        Unit.TEXT,
        "The gateway is stopping; nothing was decided",
        "Come again with the same key after the restart.",
    ),
    "JOURNAL_ROLLED_BACK": Code(
        "journal",
        Unit.TEXT,
        "The venue knows an order of ours that the journal does not: {observed}",
        "An older journal was put back: see the runbook.",
    ),
}

NUMBERED: tuple[str, ...] = (
    *("NOT_AUTHORIZED", "AUTHORIZATION_EXPIRED", "HALTED", "REDUCE_ONLY"),
    *("EXPIRED", "STALE_SIGNAL", "FUTURE_DATED", "MODEL_VERSION_MISSING"),
    *("MODEL_VERSION_DENIED", "MARKET_UNKNOWN", "MARKET_CLOSED", "MARKET_STALE"),
    *("INVALID_TICK", "INVALID_QUANTITY", "MIN_ORDER"),
    *("CLASSIFICATION_CONFLICT", "SELL_EXCEEDS_POSITION", "OUTSIDE_WINDOW"),
    *("VENUE_PAUSED", "MAX_ORDER_SIZE", "MAX_ORDER_CONTRACTS"),
    *("PRICE_OUT_OF_RANGE", "PREGAME_DELTA", "THROUGH_QUOTE", "QUOTE_STALE"),
    *("QUOTE_MISSING", "EDGE_IMPLAUSIBLE", "RATE_LIMIT_MINUTE"),
    *("RATE_LIMIT_HOUR", "REPEATED_EXECUTION", "SELF_TRADE", "MAX_OPEN_ORDERS"),
    *("MAX_POSITION_PER_MARKET", "MAX_GAME_EXPOSURE", "MAX_SPORT_EXPOSURE"),
    *("MAX_TOTAL_EXPOSURE", "INSUFFICIENT_BALANCE", "BALANCE_STALE"),
    *("MAX_DAILY_LOSS", "MARKS_STALE", "UNKNOWN_IN_MARKET"),
    *("MAX_UNKNOWN_ORDERS", "VENUE_UNAVAILABLE", "VENUE_HEARTBEAT_LATE"),
    *("VENUE_BLIND", "CLOCK_SKEW", "RECONCILIATION_BREAK"),
)
"""Codes that journals name by their place here: names may be added at the end, nothing else."""


def message(code: str, observed: int | str | None, limit: int | str | None) -> str:
    """Return the sentence of a denial or warning. Raises KeyError for what is no code."""
    return sentence(CODES[code], observed, limit)
