"""What stands on the wire of results, executions and the kill switch: the design's fields.

Guarantees that fields which exist for the gateway alone do not leave, and that a field which is
there only sometimes (`original`, `corrects`, `venue_code`) is absent otherwise.
"""

from typing import Any

from arbees.core.result import Result
from arbees.core.views import Execution, KillReply

_ALWAYS = tuple(
    name
    for name in Result.__struct_fields__
    if name not in {"acknowledged", "original", "corrects", "venue_code"}
)


def result_fields(result: Result) -> dict[str, Any]:
    """Return a result as a JSON object."""
    fields = {name: getattr(result, name) for name in _ALWAYS}
    if result.venue_code is not None:
        fields["venue_code"] = result.venue_code
    if result.corrects is not None:
        fields["corrects"] = result.corrects
    if result.original is not None:
        fields["original"] = result_fields(result.original)
    return fields


def execution_fields(execution: Execution) -> dict[str, Any]:
    """Return a result with the records that it is the fold of."""
    return result_fields(execution.result) | {"events": execution.events}


def kill_fields(reply: KillReply) -> dict[str, Any]:
    """Return the answer to a kill-switch command."""
    return {
        "in_force": reply.in_force,
        "durable": reply.durable,
        "state": reply.state,
        "halts": reply.halts,
        "sequence": reply.sequence,
        "receipt_id": reply.receipt_id,
    }
