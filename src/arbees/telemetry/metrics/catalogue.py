"""The closed catalogue of metrics: name, type, labels, help.

Guarantees that what `/metrics` shows and what the reference lists are the same, and that labels are
bounded: no market, request, order or key is ever one. Names follow Prometheus: a unit at the end,
`_total` behind counters.
"""

from enum import StrEnum

import msgspec

PREFIX = "arbees_"


class MetricKind(StrEnum):
    """Types of metrics."""

    COUNTER = "counter"
    """Only grows, from 0 at the start of the process."""
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(msgspec.Struct, frozen=True):
    """One metric."""

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()


def _metric(kind: MetricKind, name: str, text: str, *labels: str) -> Metric:
    return Metric(PREFIX + name, kind, text, labels)


def _counter(name: str, text: str, *labels: str) -> Metric:
    return _metric(MetricKind.COUNTER, name, text, *labels)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return _metric(MetricKind.GAUGE, name, text, *labels)


# Counted from durable records ------------------------------------------------------------------

REQUESTS = _counter("requests_total", "Requests that were decided, duplicates included.", "venue")
DECISIONS = _counter(
    "decisions_total",
    "Decisions: approved, denied or duplicate, with the code of the headline.",
    "decision",
    "code",
)
DENIALS = _counter(
    "denials_total",
    "Denials by safeguard, each that denied; also idempotency (the key) and gate.",
    "safeguard",
)
APPROVALS = _counter("approvals_total", "Orders that every safeguard passed.", "venue")
ACKNOWLEDGEMENTS = _counter("acknowledgements_total", "Orders that a venue has taken.", "venue")
ENDED = _counter("orders_ended_total", "Orders that ended, by how.", "venue", "how")
REJECTS = _counter(
    "rejects_total", "Orders that a venue refused, by its own code.", "venue", "code"
)
UNKNOWNS = _counter("unknowns_total", "Orders whose fate became unknown.", "venue")
FILLS = _counter("fills_total", "Fills.", "venue")
CONTRACTS = _counter("filled_contracts_total", "Contracts that were filled.", "venue")
DOLLARS = _counter("filled_dollars_total", "Dollars of the fills at their prices.", "venue")
FEES = _counter("fees_dollars_total", "Fees of the fills, in dollars.", "venue")
CANCELS = _counter("cancels_requested_total", "Orders whose cancel was asked for.")
HALTS_RAISED = _counter("halts_raised_total", "Halts that were raised, by source.", "source")
BREAKS_OPENED = _counter("reconciliation_breaks_total", "Reconciliation breaks found.", "venue")

DECIDE_SECONDS = _metric(
    MetricKind.HISTOGRAM, "decide_seconds", "From the arrival of a request to its decision."
)
ACKNOWLEDGE_SECONDS = _metric(
    MetricKind.HISTOGRAM,
    "acknowledge_seconds",
    "From the decision to the acknowledgement of the venue.",
    "venue",
)

# How the gateway is ----------------------------------------------------------------------------

COMMIT_SECONDS = _metric(
    MetricKind.HISTOGRAM, "commit_seconds", "One commit of the journal, its sync included."
)
BUILD = _gauge(
    "build_info",
    "Always 1; the labels say what runs.",
    "version",
    "settings_hash",
    "mode",
    "account",
    "environment",
)
READY = _gauge("ready", "1 while requests are decided, also when they are denied by a halt.")
STATE = _gauge(
    "trading_state", "State of the account: 0 ACTIVE, 1 REDUCING, 2 HALTED, 3 READ_ONLY."
)
HALTS = _gauge("halts", "Halts in force, by source.", "source")
REFUSES = _gauge(
    "refuses",
    "Scopes that would be refused now, by code and kind of scope; none = all is well.",
    "code",
    "scope",
)
ENABLED = _gauge("safeguard_enabled", "1 = on, 0 = switched off.", "safeguard")
VENUE_STATE = _gauge(
    "venue_state", "State of a venue: 0 ACTIVE, 1 REDUCING, 2 HALTED, 3 READ_ONLY.", "venue"
)
BREAKER = _gauge("breaker_open", "1 while the breaker holds orders to a venue back.", "venue")
OPEN_ORDERS = _gauge("open_orders", "Orders working, in flight or unknown.")
UNKNOWN_ORDERS = _gauge("unknown_orders", "Orders whose fate is not known now.")
BREAKS = _gauge("reconciliation_breaks_open", "Reconciliation breaks that are open.")
EXPOSURE = _gauge(
    "exposure_dollars",
    "Worst case in dollars: of the account, of each venue and sport, and of the market and the "
    "game where it is highest (name max).",
    "scope",
    "name",
)
LIMIT = _gauge(
    "limit",
    "A limit, in the unit of its code, where it is tightest in a kind of scope.",
    "safeguard",
    "code",
    "scope",
)
USED = _gauge("limit_used", "How much of that limit is used.", "safeguard", "code", "scope")
HEADROOM = _gauge("limit_headroom", "What is left of that limit.", "safeguard", "code", "scope")
PNL = _gauge("pnl_today_dollars", "P&L of the trading day: realized, marked, less fees.")
LOSS_LIMIT = _gauge("daily_loss_limit_dollars", "Greatest loss of a trading day.")
BALANCE = _gauge(
    "balance_dollars", "Available balance of a pool by the figure of the venue.", "venue", "pool"
)
RESERVED = _gauge(
    "balance_reserved_dollars",
    "What of ours is not provably inside that figure.",
    "venue",
    "pool",
)
BALANCE_AGE = _gauge("balance_age_seconds", "Age of that figure.", "venue", "pool")
SEQUENCE = _gauge("journal_sequence", "Last durable record of the journal.")
QUEUED = _gauge("queued_commands", "Commands that wait for the writer.", "lane")
AUDIT_LAG = _gauge("audit_log_lag_records", "Journal records that the audit log has yet to hold.")
ALERTS = _gauge("alerts_active", "Alerts that stand.", "severity")

CATALOGUE: tuple[Metric, ...] = tuple(
    found for found in list(globals().values()) if isinstance(found, Metric)
)
"""All of them, in the order of their definition."""

PROCESS = (
    "process_virtual_memory_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
)
"""What the process itself adds on Linux, under the names that all Prometheus clients use."""
