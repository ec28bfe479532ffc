"""What stands on the wire besides the gateway's own views: the design's fields.

Guarantees that fields which exist for the gateway alone do not leave, and that a field which is
there only sometimes is absent otherwise.
"""

from typing import Any

import msgspec

from arbees.core.orders.result import Result
from arbees.interface.views import (
    EventView,
    Execution,
    HaltView,
    KillReply,
)


class ExecutionView(Result, kw_only=True):
    """A result as known now, with the records that it is the fold of."""

    events: tuple[EventView, ...]


class KillView(msgspec.Struct, frozen=True, kw_only=True):
    """The halts in force, after a command or now."""

    in_force: bool
    """What was asked is in force in memory."""
    durable: bool
    """It is in the journal too, and survives a restart."""
    state: str
    halts: tuple[HaltView, ...]
    sequence: int
    receipt_id: str | None
    """Of what the command does to open orders; null where nothing was commanded."""
    scope: str | None = None
    """What was commanded, in its one spelling; null where nothing was."""
    matches_nothing: bool = False
    """Nothing known is in that scope: it holds only for what comes under that name."""


class RecordView(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the journal, as it is streamed."""

    sequence: int
    time: str
    kind: str
    """Of the event: see the list of events."""
    request_id: str | None
    """The request to which it belongs; null where it belongs to none."""
    body: dict[str, Any]
    """The event, as it is journaled."""


class AcceptedView(msgspec.Struct, frozen=True, kw_only=True):
    """How many items were taken."""

    accepted: int


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The process serves."""

    alive: bool


def execution_view(execution: Execution) -> ExecutionView:
    """Return a result with its records as one object."""
    result = execution.result
    fields = {name: getattr(result, name) for name in Result.__struct_fields__}
    return ExecutionView(**fields, events=execution.events)


def kill_view(reply: KillReply) -> KillView:
    """Return the answer to a kill-switch command."""
    return KillView(
        in_force=reply.in_force,
        durable=reply.durable,
        state=reply.state,
        halts=reply.halts,
        sequence=reply.sequence,
        receipt_id=reply.receipt_id,
        scope=reply.scope,
        matches_nothing=reply.matches_nothing,
    )
