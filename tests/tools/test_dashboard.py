"""What is drawn and alerted on exists: dashboard and pages name metrics of the catalogue."""

import json
import re
from pathlib import Path

from arbees.telemetry.metrics.catalogue import CATALOGUE, MetricKind
from tools.dashboard import DASHBOARD, PANELS, dashboard, text
from tools.metrics_page import metrics_page

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"\barbees_[a-z_]+\b")
KNOWN = {metric.name for metric in CATALOGUE} | {
    metric.name + part
    for metric in CATALOGUE
    if metric.kind is MetricKind.HISTOGRAM
    for part in ("_bucket", "_sum", "_count")
}


def test_the_dashboard_is_current() -> None:
    """The committed file is what the tool makes."""
    assert (ROOT / DASHBOARD).read_text(encoding="utf-8") == text()


def test_every_panel_asks_for_metrics_that_there_are() -> None:
    """Each expression names metrics of the catalogue, and each panel has a place of its own."""
    places = {json.dumps(panel["gridPos"]) for panel in dashboard()["panels"]}
    assert len(places) == len(PANELS)
    for panel in PANELS:
        for expression, legend in panel.lines:
            found = set(NAME.findall(expression))
            assert found, expression
            assert found <= KNOWN, expression
            labels = set(re.findall(r"{{(\w+)}}", legend))
            named = {label for each in CATALOGUE if each.name in found for label in each.labels}
            assert labels <= named, panel.title


def test_pages_name_metrics_that_there_are() -> None:
    """Alert rules and queries on the pages about metrics ask for nothing that is not there."""
    page = (ROOT / "docs" / "how-to" / "metrics.md").read_text(encoding="utf-8")
    found = set(NAME.findall(page))
    assert len(found) > 10
    assert found <= KNOWN


def test_the_reference_lists_every_metric_once() -> None:
    """Each metric has a row with its type and help."""
    lines = metrics_page().splitlines()
    for metric in CATALOGUE:
        (row,) = (line for line in lines if line.startswith(f"| `{metric.name}` |"))
        assert f"| {metric.kind} |" in row
        assert row.endswith(f"| {metric.help} |")
