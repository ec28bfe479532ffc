"""What the audit log tells of a journal made by hand, and the requirements' example to compare."""

import json
from typing import Any

from arbees.telemetry.audit.line import AuditLine, encode
from arbees.telemetry.audit.projection import Projector
from tests.telemetry.lives import Lives

EXAMPLE = """
{
  "timestamp": "2026-01-28T20:30:00.123Z",
  "event_type": "ExecutionRequested",
  "service": "execution_service",
  "request_id": "req_abc123",
  "idempotency_key": "idempotent_xyz",
  "platform": "Kalshi",
  "market_id": "NBAHOU-BOSJAN28",
  "side": "Yes",
  "price": 0.65,
  "size": 50.0,
  "status": "Pending",
  "order_id": null,
  "rejection_reason": null,
  "latency_ms": 0.0,
  "metadata": {
    "game_id": "nba_12345",
    "sport": "NBA",
    "signal_id": "signal_789",
    "signal_type": "ModelEdgeYes",
    "edge_pct": 18.5,
    "model_version": null,
    "model_prob": null,
    "strategy": null,
    "code": null,
    "sequence": 1
  }
}
"""
"""The requirements' example, with the service and further metadata of the interfaces."""


def lines(lives: Lives) -> list[AuditLine]:
    """Project a journal."""
    projector = Projector(lives)
    return [line for stored in lives.stored for line in projector.lines(stored)]


def told(lives: Lives) -> list[tuple[str, str]]:
    """Return event type and status of each line."""
    return [(line.event_type, line.status) for line in lines(lives)]


def last(lives: Lives) -> str:
    """Return the last line as it stands in the file."""
    return encode(lines(lives)[-1]).decode().rstrip("\n")


def result(**fields: Any) -> dict[str, Any]:
    """Return a result line of the example's request."""
    known = json.loads(EXAMPLE)
    known["metadata"] = {
        "fees": 0.0,
        "requested_price": 0.65,
        "requested_size": 50.0,
        "model_version": None,
        "model_prob": None,
        "strategy": None,
        "code": None,
        "sequence": 1,
        **fields.pop("metadata", {}),
    }
    return {**known, **fields}


def packed(value: dict[str, Any]) -> str:
    """Write a line as compact JSON, in the order of its fields."""
    return json.dumps(value, separators=(",", ":"))
