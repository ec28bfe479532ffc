"""Records drills at a running gateway; implements `interface.drills.Driller`.

Guarantees that what is answered stands in the journal.
"""

from collections.abc import Sequence

from arbees.core.deciding import commands
from arbees.core.events import Drilled
from arbees.interface.drills import DrillsView
from arbees.runtime.intake.writer import Lane, Writer


class DrillRecords:
    """Takes drills."""

    def __init__(self, writer: Writer, limits_hash: str) -> None:
        """Take what makes drills durable; the hash is that of the limits in force."""
        self._writer = writer
        self._limits_hash = limits_hash

    async def record_drills(self, drills: Sequence[Drilled]) -> DrillsView:
        """Journal drills; see the port."""
        committed = await self._writer.put(commands.Record(events=tuple(drills)), Lane.FACTS)
        mine = self._limits_hash
        return DrillsView(
            recorded=len(drills),
            limits_agree=all(each.limits_hash == mine for each in drills),
            sequence=committed.records[-1][0],
        )
