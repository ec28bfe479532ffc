"""`/metrics`: the gauges of the gateway and what was counted, in the text format of Prometheus.

Guarantees that exactly the catalogue is shown, from one durable moment (P1), that no label is
unbounded, and that it is written down in a thread: the loop only copies counts. Floating point
appears here and nowhere before, since the format has no other numbers.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from arbees.core.language.units import MICRO, NS_PER_SECOND
from arbees.core.language.words import HaltSource, TradingState
from arbees.interface.measures import BOUNDS_NS, Measures, Timings
from arbees.safeguards import ALL
from arbees.telemetry.alerts.board import AlertBoard, Severity
from arbees.telemetry.metrics import catalogue
from arbees.telemetry.metrics.counters import OTHER, Counters, Counts

SPORTS_MAX = 32
"""Sports that are told apart, those with most at risk; the rest is `other`."""
DOLLARS = {catalogue.FEES.name, catalogue.CONTRACTS.name}
"""Counters in millionths."""

Values = dict[tuple[str, ...], float]


class MetricsSnapshot:
    """Everything of one moment that a page shows."""

    def __init__(
        self,
        measures: Measures,
        counters: Counters,
        audit_sequence: int | None,
        alerts: dict[Severity, int],
    ) -> None:
        """Copy what goes on changing."""
        self.measures = measures
        self.counts: Counts = counters.counts()
        self.decide = counters.decide.timings()
        self.acknowledge = {name: each.timings() for name, each in counters.acknowledge.items()}
        self.audit_sequence = audit_sequence
        self.alerts = alerts


class MetricsPage:
    """Writes pages, with a registry of its own."""

    def __init__(self) -> None:
        """Register the process and what `render` is given."""
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        self._registry.register(self)
        self._snapshot: MetricsSnapshot | None = None

    def render(self, snapshot: MetricsSnapshot) -> bytes:
        """Return the text of one moment; one call at a time."""
        self._snapshot = snapshot
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield the families; called by the registry."""
        if self._snapshot is not None:
            yield from families(self._snapshot)


def families(snapshot: MetricsSnapshot) -> Iterator[Metric]:
    """Yield every metric of the catalogue, in its order."""
    gauges = gauges_of(snapshot)
    histograms: dict[str, dict[tuple[str, ...], Timings]] = {
        catalogue.DECIDE_SECONDS.name: {(): snapshot.decide},
        catalogue.COMMIT_SECONDS.name: {(): snapshot.measures.commits},
        catalogue.ACKNOWLEDGE_SECONDS.name: {
            (name,): it for name, it in snapshot.acknowledge.items()
        },
    }
    for metric in catalogue.CATALOGUE:
        family: Any
        if metric.kind is catalogue.MetricKind.COUNTER:
            name = metric.name.removesuffix("_total")
            family = CounterMetricFamily(name, metric.help, labels=metric.labels)
            for labels, count in snapshot.counts[metric.name].items():
                family.add_metric(labels, _counted(metric.name, count))
        elif metric.kind is catalogue.MetricKind.GAUGE:
            family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for labels, value in gauges[metric.name].items():
                family.add_metric(labels, value)
        else:
            family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
            for labels, timings in histograms[metric.name].items():
                family.add_metric(labels, _buckets(timings), timings.total_ns / NS_PER_SECOND)
        yield family


def _counted(name: str, count: int) -> float:
    if name == catalogue.DOLLARS.name:
        return count / MICRO / MICRO
    return count / MICRO if name in DOLLARS else count


def _buckets(timings: Timings) -> list[tuple[str, float]]:
    bounds = [*(f"{ns / NS_PER_SECOND:g}" for ns in BOUNDS_NS), "+Inf"]
    return list(zip(bounds, accumulate(timings.counts), strict=True))


def gauges_of(snapshot: MetricsSnapshot) -> dict[str, Values]:
    """Return the values of every gauge, by the values of its labels."""
    now, dollars = snapshot.measures, _dollars
    build = (now.version, now.settings_hash, now.mode, now.account, now.environment)
    audit = snapshot.audit_sequence
    found: dict[str, Values] = {
        catalogue.BUILD.name: {build: 1},
        catalogue.READY.name: {(): now.is_ready},
        catalogue.STATE.name: {(): now.state.rank},
        catalogue.HALTS.name: {(str(each),): now.halts.count(each) for each in HaltSource},
        catalogue.REFUSES.name: dict(Counter(now.refused)),
        catalogue.ENABLED.name: {
            (name,): name not in now.disabled
            for name in (str(each.name) for each in ALL)  # type: ignore[attr-defined]
        },
        catalogue.OPEN_ORDERS.name: {(): now.open_orders},
        catalogue.UNKNOWN_ORDERS.name: {(): now.unknown_orders},
        catalogue.BREAKS.name: {(): now.breaks},
        catalogue.EXPOSURE.name: _exposures(now),
        catalogue.PNL.name: {(): dollars(now.pnl_today)},
        catalogue.LOSS_LIMIT.name: {(): dollars(now.max_daily_loss)},
        catalogue.SEQUENCE.name: {(): now.sequence},
        catalogue.QUEUED.name: {(lane,): count for lane, count in now.queued.items()},
        catalogue.AUDIT_LAG.name: {} if audit is None else {(): max(0, now.sequence - audit)},
        catalogue.ALERTS.name: {(str(each),): snapshot.alerts.get(each, 0) for each in Severity},
    }
    found |= _venues(now)
    for metric, field in (
        (catalogue.LIMIT, "limit"),
        (catalogue.USED, "value"),
        (catalogue.HEADROOM, "headroom"),
    ):
        found[metric.name] = {
            (each.safeguard, each.code, each.scope): float(getattr(each, field))
            for each in now.used
        }
    return found


def _venues(now: Measures) -> dict[str, Values]:
    found: dict[str, Values] = {
        metric.name: {}
        for metric in (
            catalogue.VENUE_STATE,
            catalogue.BREAKER,
            catalogue.BALANCE,
            catalogue.RESERVED,
            catalogue.BALANCE_AGE,
        )
    }
    for venue in now.venues:
        name = (str(venue.platform),)
        found[catalogue.VENUE_STATE.name][name] = TradingState(venue.state).rank
        found[catalogue.BREAKER.name][name] = venue.is_breaker_open
    for pool in now.pools:
        place = (pool.platform, pool.pool)
        found[catalogue.BALANCE.name][place] = _dollars(pool.available)
        found[catalogue.RESERVED.name][place] = _dollars(pool.outside)
        found[catalogue.BALANCE_AGE.name][place] = pool.age_ns / NS_PER_SECOND
    return found


def _exposures(now: Measures) -> Values:
    found: Values = {
        ("all", ""): _dollars(now.exposure),
        ("market", "max"): _dollars(now.exposure_market),
        ("game", "max"): _dollars(now.exposure_game),
    }
    found |= {("venue", str(each.platform)): _dollars(each.exposure) for each in now.venues}
    sports = sorted(now.exposure_sports.items(), key=lambda each: (-each[1], each[0]))
    found |= {("sport", sport): _dollars(amount) for sport, amount in sports[:SPORTS_MAX]}
    if len(sports) > SPORTS_MAX:
        rest = sum(amount for _, amount in sports[SPORTS_MAX:])
        found["sport", OTHER] = _dollars(rest)
    return found


def _dollars(micro: int) -> float:
    return micro / MICRO


class Metrics:
    """Answers scrapes, one at a time."""

    def __init__(
        self,
        measure: Callable[[], Awaitable[Measures]],
        counters: Counters,
        *,
        audit_sequence: Callable[[], int | None] = lambda: None,
        board: AlertBoard | None = None,
    ) -> None:
        """
        Prepare.

        Args:
            measure: returns the gauges of a durable moment.
            counters: fed with durable events.
            audit_sequence: last record in the audit log; None = there is no log.
            board: the alerts.
        """
        self._measure = measure
        self.counters = counters
        self._audit_sequence = audit_sequence
        self.board = board
        self._page = MetricsPage()
        self._turn = asyncio.Lock()

    async def text(self) -> bytes:
        """Return the page of now."""
        async with self._turn:
            measures = await self._measure()
            snapshot = MetricsSnapshot(
                measures, self.counters, self._audit_sequence(), self._alerts()
            )
            return await asyncio.to_thread(self._page.render, snapshot)

    def _alerts(self) -> dict[Severity, int]:
        found = dict.fromkeys(Severity, 0)
        for alert in () if self.board is None else self.board.list():
            found[alert.severity] += 1
        return found
