"""What is measured: the shapes of the gauges of a gateway and of the quality of its execution.

Guarantees exact numbers (Decimals on the wire, integers in millionths inside) and that what cannot
be divided is null, never 0. Who fills it says from which records.
"""

from bisect import bisect_left
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, Protocol

import msgspec

from arbees.core.language.words import Platform, TradingState


class VenueMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """One venue: its state, and what may be lost there, in micro-dollars."""

    platform: Platform
    state: TradingState
    is_breaker_open: bool
    exposure: int


class PoolMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """One pool of a venue's money, in micro-dollars; a venue with shards has one for each."""

    platform: str
    pool: str
    available: int
    """The venue's own figure."""
    outside: int
    """What of ours is not provably inside that figure."""
    age_ns: int
    """Of that figure."""


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a limit is used where it is tightest among the scopes of one kind."""

    safeguard: str
    code: str
    scope: str
    """Kind of scope: `all`, `platform`, `market`, `game`, `sport`, `strategy`; never its name."""
    value: Decimal
    limit: Decimal
    headroom: Decimal


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """A histogram of durations: how many fell under each bound, the rest above the last."""

    counts: tuple[int, ...]
    """One for each of `BOUNDS_NS`, and one for what is longer."""
    total_ns: int


BOUNDS_NS = (
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
)
"""Upper bounds, inclusive, of what is timed: from a tenth of a millisecond to ten seconds."""


class Histogram:
    """Counts of durations under the bounds that all histograms share."""

    __slots__ = ("counts", "total_ns")

    def __init__(self) -> None:
        """Begin with none."""
        self.counts = [0] * (len(BOUNDS_NS) + 1)
        self.total_ns = 0

    def add(self, ns: int) -> None:
        """Take a duration."""
        self.counts[bisect_left(BOUNDS_NS, ns)] += 1
        self.total_ns += ns

    def timings(self) -> Timings:
        """Return what was counted so far."""
        return Timings(counts=tuple(self.counts), total_ns=self.total_ns)


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway at one durable moment: nothing here is ahead of the disk (P1)."""

    sequence: int
    """Of the last durable record, which this reflects."""
    version: str
    settings_hash: str
    mode: str
    account: str
    environment: str
    is_ready: bool
    state: TradingState
    halts: tuple[str, ...]
    """Sources of the halts in force, one for each halt."""
    refused: tuple[tuple[str, str], ...] = ()
    """Code and kind of scope of each thing that would be refused now."""
    disabled: tuple[str, ...]
    venues: tuple[VenueMeasure, ...]
    pools: tuple[PoolMeasure, ...]
    open_orders: int
    unknown_orders: int
    breaks: int
    exposure: int
    """Worst case of the account, in micro-dollars."""
    exposure_market: int
    """Of the market where it is highest; likewise the next."""
    exposure_game: int
    exposure_sports: Mapping[str, int]
    pnl_today: int
    max_daily_loss: int
    used: tuple[Used, ...]
    queued: Mapping[str, int]
    """Commands that wait, by lane."""
    commits: Timings


# Quality of execution --------------------------------------------------------------------------

By = Literal["venue", "sport", "strategy", "model_version"]
"""By what requests are grouped."""


class StageView(msgspec.Struct, frozen=True, kw_only=True):
    """How long one stage took, in milliseconds; null where nothing was timed."""

    stage: str
    count: int
    min_ms: Decimal | None
    p50_ms: Decimal | None
    """At most `percentile_error` too high, never too low; likewise the next two."""
    p95_ms: Decimal | None
    p99_ms: Decimal | None
    max_ms: Decimal | None
    mean_ms: Decimal | None


class SlippageView(msgspec.Struct, frozen=True, kw_only=True):
    """What fills cost more than a reference; below 0 they were better. Rounded against us."""

    contracts: Decimal
    """Filled contracts for which the reference is known."""
    dollars: Decimal
    per_contract: Decimal | None


class DenialCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often one safeguard denied, alone or with others."""

    safeguard: str
    count: int
    headlines: int
    """Of them, as the first."""


class CodeCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often a code was the headline of a denial."""

    code: str
    count: int


class RejectCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often a venue refused with one code of its own."""

    platform: str
    venue_code: str
    count: int


class QualityRow(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the requests that were decided in the period, as known now."""

    name: str
    """Of the group; empty for all of them."""
    requests: int
    """Decided, duplicates left out; a request that fell back counts once, where it came first."""
    duplicates: int
    denied: int
    """Requests that ended in a denial of ours."""
    approved: int
    """Orders that every safeguard passed."""
    stopped: int
    """Of them, stopped at the gate; the next ones add up to `approved` with it."""
    not_sent: int
    rejected: int
    filled: int
    """Filled to the last contract."""
    partial: int
    """Ended with some fill."""
    unfilled: int
    """Ended without one."""
    open: int
    """Not ended yet, unknown ones included."""
    unknown: int
    """Of them, those of which nothing is known now."""
    placed: int
    """Orders that a venue had: acknowledged, or filled."""
    fills: int
    placed_qty: Decimal
    filled_qty: Decimal
    volume: Decimal
    """Dollars of the fills at their prices, rounded up."""
    fees: Decimal
    fill_rate: Decimal | None
    """Contracts filled of contracts placed, 0..1, rounded down."""
    order_fill_rate: Decimal | None
    """Placed orders with any fill of placed orders, 0..1, rounded down."""
    slippage_limit: SlippageView
    """Against the limit price."""
    slippage_quote: SlippageView
    """Against the best price of the other side that the decision saw."""
    latency: tuple[StageView, ...]
    denials: tuple[DenialCount, ...]
    codes: tuple[CodeCount, ...]
    rejects: tuple[RejectCount, ...]


class QualityView(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /v1/quality`: the quality of execution over a period."""

    since: str
    until: str
    by: str | None
    total: QualityRow
    groups: tuple[QualityRow, ...]
    """By name; empty unless asked for by venue, sport, strategy or model_version."""
    percentile_error: Decimal
    """How far a percentile may be above the true one, as a share of it."""
    sequence: int
    """Of the last record that is counted."""


class Observer(Protocol):
    """What looks at a gateway at length, for people and for monitoring, off the writer's loop."""

    async def quality(self, since_ns: int | None, by: By | None) -> QualityView:
        """
        Return the quality of the requests decided since a moment.

        Args:
            since_ns: the moment; None = the beginning of the trading day.
            by: venue, sport, strategy or model_version to group by; None = no groups.

        Raises:
            JournalUnavailable, JournalCorrupt: the journal cannot be read.
        """
        ...

    async def metrics(self) -> bytes:
        """Return the page of metrics, in Prometheus' text format."""
        ...
