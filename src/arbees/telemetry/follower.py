"""All that reads the journal at length for others to look at, behind the port of the core.

Guarantees that it reads only, over a connection and in threads of its own: the writer's loop does
not wait for it. It fails as its parts do.
"""

from collections.abc import AsyncIterator

from arbees.telemetry.stream import EventStream


class JournalFollower:
    """Implements `core.views.Follower` over one journal."""

    def __init__(self, stream: EventStream) -> None:
        """Hold the parts."""
        self.stream = stream

    def events(self, after: int) -> AsyncIterator[bytes]:
        """Yield the durable records above a sequence as server-sent events; see the port."""
        return self.stream.events(after)
