"""`/v1/quality` and `/metrics`: how well is executed, and what a monitor watches.

Guarantees that neither is worked out on the loop: the follower reads and writes in threads, one
reader at a time each.
"""

from functools import partial
from typing import get_args

from starlette.requests import Request

from arbees.api.http.body import parameters
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint, Parameter
from arbees.api.http.problem import RETRY, Problem
from arbees.api.http.reply import Reply, json_reply
from arbees.core.language.strict_json import Malformed, Timestamp, parse_time, shown
from arbees.errors import JournalUnavailable
from arbees.interface.measures import By, QualityView

TEXT = b"text/plain; version=0.0.4; charset=utf-8"


@partial(
    Endpoint,
    method="GET",
    path="/v1/quality",
    operation="getQuality",
    summary="Show fill rate, slippage, latencies and denials",
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
)
async def quality(context: Context, request: Request) -> Reply:
    """
    Show fill rate, slippage, latencies, denials and rejects.

    Counted are the requests that were decided since the moment `since` (the beginning of the
    trading day unless given), with what became of them up to now. Only durable records count. Rates
    are null where nothing was placed. Percentiles are at most `percentile_error` too high.
    """
    follower = context.follower
    asked = parameters(request.scope["query_string"], ("since", "by"))
    since_ns = None
    if "since" in asked:
        try:
            since_ns = parse_time(asked["since"])
        except ValueError as error:
            raise Malformed("since", str(error)) from None
    by = _by(asked["by"]) if "by" in asked else None
    try:
        return json_reply(await follower.quality(since_ns, by))
    except JournalUnavailable as error:
        raise Problem(503, "JOURNAL_FAILED", str(error), headers=(RETRY,)) from None


def _by(text: str) -> By:
    for each in get_args(By):
        if text == each:
            found: By = each
            return found
    raise Malformed("by", f"Expected one of {', '.join(get_args(By))}, was {shown(text)}")


@partial(
    Endpoint,
    method="GET",
    path="/metrics",
    operation="getMetrics",
    summary="Show the metrics for Prometheus",
    tag="Looking",
    scopes=("read",),
    answers={200: str},
    media_type=TEXT.decode(),
)
async def metrics(context: Context, request: Request) -> Reply:
    """
    Show the metrics in the text format of Prometheus.

    Counters begin at 0 with the process; gauges are of one durable moment.
    """
    follower = context.follower
    parameters(request.scope["query_string"], ())
    return Reply(200, await follower.metrics(), TEXT)
