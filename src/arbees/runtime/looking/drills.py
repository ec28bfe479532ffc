"""Records drills at a running gateway; implements `interface.drills.Driller`.

Guarantees that what is answered stands in the journal.
"""

from collections.abc import Sequence

from arbees.core.deciding import commands
from arbees.core.events import Drilled
from arbees.interface.drills import DrillsView
from arbees.runtime.desk import Desk
from arbees.runtime.intake.writer import Lane


class DrillRecords:
    """The part of the gateway that takes drills; the gateway gives it its desk."""

    desk: Desk

    async def record_drills(self, drills: Sequence[Drilled]) -> DrillsView:
        """Journal drills; see the port."""
        desk = self.desk
        committed = await desk.writer.put(commands.Record(events=tuple(drills)), Lane.FACTS)
        mine = desk.options.limits_hash
        return DrillsView(
            recorded=len(drills),
            limits_agree=all(each.limits_hash == mine for each in drills),
            sequence=committed.records[-1][0],
        )
