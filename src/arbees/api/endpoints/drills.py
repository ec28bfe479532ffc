"""`POST /v1/drills`: keep what `arbees drill` showed."""

from functools import partial

from starlette.requests import Request

from arbees.api.http.access import caller_of
from arbees.api.http.body import parameters, read_json
from arbees.api.http.context import Context
from arbees.api.http.endpoint import Endpoint
from arbees.api.http.reply import Reply, json_reply
from arbees.interface.drills import DrillsView, DrillsWire, parse_drills
from arbees.safeguards import ALL

NAMES = (*(str(each.name) for each in ALL), "idempotency")  # type: ignore[attr-defined]


@partial(
    Endpoint,
    method="POST",
    path="/v1/drills",
    operation="recordDrills",
    summary="Record drills of safeguards",
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
)
async def record(context: Context, request: Request) -> Reply:
    """
    Record drills of safeguards, for the pre-flight evidence.

    They were made by `arbees drill`, at a gateway of their own; here they are only kept.
    """
    gateway = context.gateway
    parameters(request.scope["query_string"], ())
    client = request.client.host if request.client else "unknown"
    body = await read_json(request.scope, request.receive)
    drills = parse_drills(body, NAMES, caller_of(request.scope).actor(client))
    return json_reply(await gateway.record_drills(drills), 201)
