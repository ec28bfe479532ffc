"""Rows of the table of endpoints (`api.table`): what is measured."""

from arbees.api.endpoints import denials, drills, history, quality
from arbees.api.http.endpoint import Endpoint, Parameter
from arbees.core.language.strict_json import Identifier, Timestamp
from arbees.interface.denial_reviews import ReviewsWire, ReviewView
from arbees.interface.drills import DrillsView, DrillsWire
from arbees.interface.history import FillView, HistoryPage, PnlBy, PnlView
from arbees.interface.measures import By, QualityView

HISTORY = (
    Parameter(
        name="since",
        place="query",
        type=Timestamp,
        says="Nothing older.",
        example="2026-01-28T05:00:00Z",
    ),
    Parameter(
        name="until",
        place="query",
        type=Timestamp,
        says="Nothing from then on.",
        example="2026-01-29T05:00:00Z",
    ),
    Parameter(
        name="strategy", place="query", type=Identifier, says="Of a strategy.", example="alpha"
    ),
    Parameter(
        name="market",
        place="query",
        type=Identifier,
        says="Of a market, by the venue's name of it.",
        example="NBA-BOS",
    ),
    Parameter(
        name="cursor",
        place="query",
        type=str,
        says="Only what is older: the `cursor` of the page before.",
        example="100",
    ),
    Parameter(name="limit", place="query", type=str, says="At most so many; 1000.", example="100"),
)
"""What the lists of the history take."""

MEASURES = (
    Endpoint(
        method="GET",
        path="/v1/fills",
        operation="listFills",
        summary="Show executions of orders",
        handler=history.fills,
        tag="Looking",
        scopes=("read",),
        sight="own",
        parameters=HISTORY,
        answers={200: HistoryPage[FillView]},
    ),
    Endpoint(
        method="GET",
        path="/v1/pnl",
        operation="getPnl",
        summary="Show profit and loss by anything",
        handler=history.pnl,
        tag="Looking",
        scopes=("read",),
        sight="own",
        parameters=(
            Parameter(
                name="by",
                place="query",
                type=PnlBy,
                says="What tells groups apart; strategy unless given.",
                example="strategy",
            ),
            HISTORY[0],
        ),
        answers={200: PnlView},
    ),
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
    Endpoint(
        method="POST",
        path="/v1/drills",
        operation="recordDrills",
        summary="Record drills of safeguards",
        handler=drills.record,
        tag="Account",
        scopes=("admin",),
        body=DrillsWire,
        example={
            "limits_hash": "5f0c",
            "settings_hash": "9a1b",
            "host": "trader-1",
            "version": "0.1.0",
            "drills": [{"safeguard": "balance", "passed": True}],
        },
        answers={201: DrillsView},
    ),
    Endpoint(
        method="POST",
        path="/v1/denials/reviews",
        operation="reviewDenials",
        summary="Confirm or dispute denials",
        handler=denials.review,
        tag="Account",
        scopes=("admin",),
        body=ReviewsWire,
        example={
            "denials": [{"request_id": "req-1", "sequence": 17}],
            "verdict": "confirmed",
            "reason": "the size was a mistake of the strategy",
        },
        answers={201: ReviewView},
        problems={404: ("NOT_FOUND",)},
    ),
)
