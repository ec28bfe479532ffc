"""The page of metrics: the catalogue, all of it, in the format that Prometheus reads."""

import asyncio
import re
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from arbees.core import events
from arbees.core.language.units import to_decimal
from arbees.core.language.words import Platform, TradingState
from arbees.interface.measures import (
    Histogram,
    Measures,
    PoolMeasure,
    Used,
    VenueMeasure,
)
from arbees.telemetry.alerts.board import AlertBoard
from arbees.telemetry.metrics import catalogue
from arbees.telemetry.metrics.counters import Counters
from arbees.telemetry.metrics.exposition import (
    SPORTS_MAX,
    Metrics,
    MetricsPage,
    MetricsSnapshot,
)
from tests.telemetry.evenings import Evening


def venue(platform: Platform, **more: Any) -> VenueMeasure:
    """Return a venue in good order, or a variation of it."""
    known: dict[str, Any] = {
        "platform": platform,
        "state": TradingState.ACTIVE,
        "is_breaker_open": False,
        "exposure": 12_500_000,
    }
    return VenueMeasure(**(known | more))


def pool(name: str, available: int = 9_990_000_000) -> PoolMeasure:
    """Return a pool of Kalshi's, seen a second and a half ago."""
    return PoolMeasure(
        platform="Kalshi",
        pool=name,
        available=available,
        outside=1_000_000,
        age_ns=1_500_000_000,
    )


def measures(**more: Any) -> Measures:
    """Return a gateway in good order, or a variation of it."""
    known: dict[str, Any] = {
        "sequence": 40,
        "version": "1.2.3",
        "settings_hash": "ab" * 32,
        "mode": "paper",
        "account": "main",
        "environment": "local",
        "is_ready": True,
        "state": TradingState.ACTIVE,
        "halts": (),
        "disabled": (),
        "venues": tuple(venue(platform) for platform in Platform),
        "pools": (pool("Kalshi"),),
        "open_orders": 2,
        "unknown_orders": 1,
        "breaks": 0,
        "exposure": 25_000_000,
        "exposure_market": 12_500_000,
        "exposure_game": 20_000_000,
        "exposure_sports": {"NBA": 25_000_000},
        "pnl_today": -1_500_000,
        "max_daily_loss": 500_000_000,
        "used": (
            Used(
                safeguard="total_exposure",
                code="MAX_TOTAL_EXPOSURE",
                scope="all",
                value=to_decimal(25_000_000),
                limit=to_decimal(2_000_000_000),
                headroom=to_decimal(1_975_000_000),
            ),
        ),
        "queued": {"control": 0, "facts": 0, "requests": 3},
        "commits": Histogram().timings(),
    }
    return Measures(**(known | more))


def page(now: Measures | None = None, counters: Counters | None = None) -> str:
    """Return the page of a moment."""
    snapshot = MetricsSnapshot(now or measures(), counters or Counters(), 38, {})
    return MetricsPage().render(snapshot).decode()


def values(text: str, name: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a metric by the values of its labels, in the catalogue's order."""
    order = next((each.labels for each in catalogue.CATALOGUE if name.startswith(each.name)), ())
    return {
        tuple(sample.labels[label] for label in order): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def test_shows_the_catalogue_and_nothing_else() -> None:
    """Every metric is there with its help, type and labels; besides it only the process."""
    text = page()
    types = dict(re.findall(r"(?m)^# TYPE (\S+) (\S+)$", text))
    process = {name: kind for name, kind in types.items() if name.startswith("process_")}
    assert set(process) == set(catalogue.PROCESS)
    wanted = {each.name: str(each.kind) for each in catalogue.CATALOGUE}
    assert {name: kind for name, kind in types.items() if name not in process} == wanted
    for metric in catalogue.CATALOGUE:
        assert f"# HELP {metric.name} {metric.help}\n" in text
        for family in text_string_to_metric_families(text):
            for sample in family.samples if family.name == metric.name else ():
                assert set(sample.labels) - {"le"} == set(metric.labels)


def test_names_follow_the_rules_of_prometheus() -> None:
    """Counters end in `_total`, nothing else does; each has a help that is a sentence."""
    names = [metric.name for metric in catalogue.CATALOGUE]
    assert len(set(names)) == len(names)
    for metric in catalogue.CATALOGUE:
        assert re.fullmatch(r"arbees_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") is (metric.kind is catalogue.MetricKind.COUNTER)
        assert metric.help.endswith(".")
        assert not {"le", "quantile", "job", "instance"} & set(metric.labels)


def test_no_label_names_a_market_a_request_or_a_key() -> None:
    """Labels are of closed or bounded sets."""
    bounded = "code decision how lane name pool safeguard scope severity source venue"
    build = "account environment mode settings_hash version"
    found = {
        label
        for metric in catalogue.CATALOGUE
        if metric is not catalogue.BUILD
        for label in metric.labels
    }
    assert " ".join(sorted(found)) == bounded
    assert " ".join(sorted(catalogue.BUILD.labels)) == build


def test_gauges_tell_what_was_measured() -> None:
    """Money is in dollars, times in seconds, states are numbers."""
    halted = measures(
        state=TradingState.HALTED,
        halts=("file", "http", "http"),
        disabled=("balance",),
        venues=(venue(Platform.KALSHI, state=TradingState.HALTED, is_breaker_open=True),),
        pools=(pool("Kalshi"), pool("Kalshi:2", 5_000_000)),
    )
    text = page(halted)
    assert values(text, "arbees_trading_state") == {(): 2}
    assert values(text, "arbees_halts")["http",] == 2
    assert values(text, "arbees_halts")["redis",] == 0
    assert values(text, "arbees_safeguard_enabled")["balance",] == 0
    assert values(text, "arbees_breaker_open") == {("Kalshi",): 1}
    places = {("Kalshi", "Kalshi"): 9_990, ("Kalshi", "Kalshi:2"): 5}
    assert values(text, "arbees_balance_dollars") == places
    assert values(text, "arbees_balance_age_seconds") == dict.fromkeys(places, 1.5)
    assert values(text, "arbees_pnl_today_dollars") == {(): -1.5}
    assert values(text, "arbees_audit_log_lag_records") == {(): 2}
    assert values(text, "arbees_exposure_dollars")["sport", "NBA"] == 25
    key = ("total_exposure", "MAX_TOTAL_EXPOSURE", "all")
    assert values(text, "arbees_limit_headroom") == {key: 1_975}


def test_a_balance_never_seen_is_missing_not_zero() -> None:
    """A gauge that is not known is not shown, so that nobody takes it for nothing."""
    text = page(measures(pools=()))
    assert values(text, "arbees_balance_dollars") == {}
    assert values(text, "arbees_balance_age_seconds") == {}


def test_sports_without_end_are_bounded() -> None:
    """Sports are a caller's words: those with most at risk are told apart, the rest summed up."""
    sports = {f"S{number:03}": 1_000_000 * number for number in range(1, 100)}
    found = values(page(measures(exposure_sports=sports)), "arbees_exposure_dollars")
    shown = {name: amount for (scope, name), amount in found.items() if scope == "sport"}
    assert len(shown) == SPORTS_MAX + 1
    assert shown["other"] == sum(range(1, 100 - SPORTS_MAX))


def test_hostile_text_stays_inside_its_label() -> None:
    """Quotes, backslashes and line ends in a name break no line of the page."""
    hostile = 'x"} 1\narbees_ready 0\\'
    text = page(measures(account=hostile))
    assert values(text, "arbees_ready") == {(): 1}
    labels = next(iter(values(text, "arbees_build_info")))
    assert hostile in labels


def test_histograms_are_cumulative_and_agree() -> None:
    """Buckets grow, and the last one is the count."""
    counters = Counters()
    for each in Evening(2, 40).lives.stored:
        counters.take(each.time_ns, events.decode(each.body))
    text = page(counters=counters)
    buckets = list(values(text, "arbees_decide_seconds_bucket").values())
    assert buckets == sorted(buckets)
    assert values(text, "arbees_decide_seconds_count") == {(): buckets[-1]}


def test_answers_from_a_measured_moment() -> None:
    """A scrape waits for a durable moment, and shows the alerts that stand."""

    async def run() -> str:
        board = AlertBoard()
        board.raise_("BALANCE_LOW", "low", 1)
        board.raise_("QUOTES_STALE", "old", 1)
        board.clear("QUOTES_STALE", 2)

        async def measure() -> Measures:
            await asyncio.sleep(0)
            return measures()

        metrics = Metrics(measure, Counters(), audit_sequence=lambda: None, board=board)
        pages = await asyncio.gather(metrics.text(), metrics.text())
        assert [each.splitlines()[0] for each in pages] == [pages[0].splitlines()[0]] * 2
        return pages[0].decode()

    text = asyncio.run(run())
    assert values(text, "arbees_alerts_active") == {
        ("critical",): 1,
        ("warning",): 0,
        ("info",): 0,
    }
    assert values(text, "arbees_audit_log_lag_records") == {}
    assert values(text, "arbees_journal_sequence") == {(): 40}
