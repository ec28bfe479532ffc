"""What stands on the wire of executions and the kill switch: the design's fields.

Guarantees that fields which exist for the gateway alone do not leave, and that a field which is
there only sometimes is absent otherwise.
"""

from typing import Any

import msgspec

from arbees.core.views import Execution, KillReply


def execution_fields(execution: Execution) -> dict[str, Any]:
    """Return a result with the records that it is the fold of, as one JSON object."""
    result = execution.result
    fields = {name: getattr(result, name) for name in result.__struct_fields__}
    there = {name: value for name, value in fields.items() if value is not msgspec.UNSET}
    return there | {"events": execution.events}


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
