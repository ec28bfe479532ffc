"""Rows of the table of endpoints (`api.endpoints`): what is measured."""

from arbees.api import quality
from arbees.api.endpoint import Endpoint, Parameter
from arbees.core.measures import By, QualityView
from arbees.core.wire import Timestamp

MEASURES = (
    Endpoint(
        method="GET",
        path="/v1/quality",
        operation="getQuality",
        summary="Show fill rate, slippage, latencies and denials",
        handler=quality.quality,
        tag="Looking",
        scopes=("read",),
        parameters=(
            Parameter(
                name="since",
                place="query",
                type=Timestamp,
                says="Requests decided since then; the beginning of the trading day unless given.",
                example="2026-01-28T05:00:00Z",
            ),
            Parameter(
                name="by",
                place="query",
                type=By,
                says="Group by this, besides the sum over all.",
                example="venue",
            ),
        ),
        answers={200: QualityView},
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        operation="getMetrics",
        summary="Show the metrics for Prometheus",
        handler=quality.metrics,
        tag="Looking",
        scopes=("read",),
        answers={200: str},
        media_type=quality.TEXT.decode(),
    ),
)
