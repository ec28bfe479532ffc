"""Write the Grafana dashboard of execution quality: `python -m tools.dashboard`.

Guarantees that every panel asks for metrics of the catalogue; a test compares the committed file
with what this makes, and its expressions with the catalogue.
"""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

DASHBOARD = Path("deploy/grafana-dashboard.json")
SOURCE = {"type": "prometheus", "uid": "${source}"}
_WIDTH, _HEIGHT = 12, 7
_ENDED = "sum(increase(arbees_orders_ended_total{}[1h]))"


class Panel(NamedTuple):
    """One graph: a title, a unit of Grafana, and expressions with the names of their lines."""

    title: str
    unit: str
    lines: tuple[tuple[str, str], ...]


def _quantiles(metric: str) -> tuple[tuple[str, str], ...]:
    rate = f"sum by (le) (rate({metric}_bucket[5m]))"
    return tuple(
        (f"histogram_quantile({share}, {rate})", f"p{share * 100:g}") for share in (0.5, 0.95, 0.99)
    )


PANELS = (
    Panel("Trading state (2 = halted)", "short", (("arbees_trading_state", "state"),)),
    Panel(
        "P&L of the day",
        "currencyUSD",
        (("arbees_pnl_today_dollars", "P&L"), ("-arbees_daily_loss_limit_dollars", "limit")),
    ),
    Panel(
        "Requests",
        "reqps",
        (("sum by (decision) (rate(arbees_decisions_total[5m]))", "{{decision}}"),),
    ),
    Panel(
        "Denials by safeguard",
        "reqps",
        (("rate(arbees_denials_total[5m]) > 0", "{{safeguard}}"),),
    ),
    Panel(
        "Orders that filled, of all that ended",
        "percentunit",
        (
            (
                _ENDED.format('{how="filled"}') + " / " + _ENDED.format(""),
                "filled",
            ),
        ),
    ),
    Panel(
        "Rejects of venues",
        "short",
        (("increase(arbees_rejects_total[1h]) > 0", "{{venue}} {{code}}"),),
    ),
    Panel("Arrival to decision", "s", _quantiles("arbees_decide_seconds")),
    Panel("Decision to acknowledgement", "s", _quantiles("arbees_acknowledge_seconds")),
    Panel("Commit of the journal", "s", _quantiles("arbees_commit_seconds")),
    Panel(
        "How much of each limit is used",
        "percentunit",
        (("arbees_limit_used / (arbees_limit > 0)", "{{code}} {{scope}}"),),
    ),
    Panel("Exposure", "currencyUSD", (("arbees_exposure_dollars", "{{scope}} {{name}}"),)),
    Panel(
        "Balance",
        "currencyUSD",
        (
            ("arbees_balance_dollars", "{{pool}}"),
            ("arbees_balance_reserved_dollars", "{{pool}}, ours"),
        ),
    ),
    Panel(
        "Open and unknown orders",
        "short",
        (("arbees_open_orders", "open"), ("arbees_unknown_orders", "unknown")),
    ),
    Panel(
        "Filled dollars and fees, an hour",
        "currencyUSD",
        (
            ("sum(increase(arbees_filled_dollars_total[1h]))", "filled"),
            ("sum(increase(arbees_fees_dollars_total[1h]))", "fees"),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it."""
    return {
        "title": "Arbees",
        "uid": "arbees",
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {"name": "source", "label": "Source", "type": "datasource", "query": "prometheus"}
            ]
        },
        "panels": [_panel(number, panel) for number, panel in enumerate(PANELS)],
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": {
            "x": number % 2 * _WIDTH,
            "y": number // 2 * _HEIGHT,
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend,
            }
            for place, (expression, legend) in enumerate(panel.lines)
        ],
    }


def text() -> str:
    """Return the text of the file."""
    return json.dumps(dashboard(), indent=1) + "\n"


if __name__ == "__main__":
    DASHBOARD.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{DASHBOARD}\n")
