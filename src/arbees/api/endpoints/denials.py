"""`POST /v1/denials/reviews`: keep what an operator says of denials."""

from functools import partial

from starlette.requests import Request

from arbees.api.http.access import caller_of
from arbees.api.http.attribution import actor_of, reason_of
from arbees.api.http.body import parameters, read_json
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint
from arbees.api.http.problem import Problem
from arbees.api.http.reply import Reply, json_reply
from arbees.core.events import DenialReviewed
from arbees.interface.denial_reviews import NoDenial, ReviewsWire, ReviewView, parse_reviews


@partial(
    Endpoint,
    method="POST",
    path="/v1/denials/reviews",
    operation="reviewDenials",
    summary="Confirm or dispute denials",
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
)
async def review(context: Context, request: Request) -> Reply:
    """
    Say of denials whether they were right.

    What is said is kept in the journal, with who and why; the last word on a denial counts. It
    changes no result and no limit. `arbees replay --check-false-denials` lists what is still open.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    asked = parse_reviews(await read_json(request.scope, request.receive))
    caller_of(request.scope).stay()
    reason, actor = reason_of(asked.reason), actor_of(request, asked.actor)
    reviews = tuple(
        DenialReviewed(
            request_id=each.request_id,
            sequence=each.sequence,
            verdict=asked.verdict,
            reason=reason,
            actor=actor,
        )
        for each in asked.denials
    )
    try:
        reviewed = await gateway.review_denials(reviews)
    except NoDenial as error:
        raise Problem(404, "NOT_FOUND", str(error)) from None
    return json_reply(reviewed, 201)
