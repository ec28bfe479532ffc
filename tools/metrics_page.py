"""Write down the metrics: the page of the reference that is made from the catalogue.

Guarantees that the page says what `/metrics` shows; a test compares the committed file.
"""

from arbees.telemetry.metrics.catalogue import CATALOGUE, PROCESS, MetricKind

HEAD = """\
# Metrics

What `GET /metrics` shows, in the text format of Prometheus. The list is closed; this page is made
from `telemetry/metrics/catalogue.py`. How to scrape it, and which alerts to begin with:
[How to watch with Prometheus](../how-to/metrics.md).

- Counters begin at 0 with the process and count durable records alone; every safeguard, venue and
  source is there from the start.
- Gauges are of one durable moment. What is not known (a balance never seen) is missing, not 0.
- Labels are bounded: no market, request, order or key is one. `venue` is `Kalshi` or `Polymarket`
  (`other` for an order that this process knows nothing of), venues' own codes beyond 64 and sports
  beyond 32 are `other`.
- `arbees_limit`, `arbees_limit_used` and `arbees_limit_headroom` tell of each limit where it is
  tightest among the scopes of one kind: of all markets the fullest one. Their unit is that of the
  [code](codes.md): dollars or a number.
- Histograms have the bounds 0.1 ms to 10 s.
"""

COLUMNS = "| metric | type | labels | what it is |\n|---|---|---|---|"
TITLES = {
    MetricKind.COUNTER: "Counted",
    MetricKind.HISTOGRAM: "Timed",
    MetricKind.GAUGE: "As it is now",
}


def metrics_page() -> str:
    """Return the text of the page of metrics."""
    parts = [HEAD]
    for kind, title in TITLES.items():
        rows = [
            f"| `{each.name}` | {each.kind} | {_labels(each.labels)} | {each.help} |"
            for each in CATALOGUE
            if each.kind is kind
        ]
        parts.append(f"## {title}\n\n{COLUMNS}\n" + "\n".join(rows) + "\n")
    listed = ", ".join(f"`{name}`" for name in PROCESS)
    parts.append(f"## The process\n\nUnder the names that all Prometheus clients use: {listed}.\n")
    return "\n".join(parts)


def _labels(labels: tuple[str, ...]) -> str:
    return ", ".join(f"`{label}`" for label in labels)
