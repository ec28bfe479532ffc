"""The accounts' own stream: every report to every listener of its venue, in commit order.

Guarantees that nothing is reported before it is durable, since only the pump publishes, after the
commit. Answers to callers go first where the loop allows it, as an exchange's drop copy is a line
of its own. Deaf, stuttering and shuffled delivery happen only on request.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from arbees.core.deciding.outcomes import Report
from arbees.core.language.words import Platform
from arbees.venues.paper.faults import Fault, Faults

Sink = Callable[[Report], None]


class DropCopy:
    """Queues reports and hands them to the listeners of their venue."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._waiting: deque[tuple[Platform, Report]] = deque()
        self._sinks: dict[Platform, list[Sink]] = {platform: [] for platform in Platform}

    @property
    def is_empty(self) -> bool:
        """Whether everything published was delivered."""
        return not self._waiting

    def listen(self, platform: Platform, sink: Sink) -> None:
        """Deliver to `sink` from now on."""
        self._sinks[platform].append(sink)

    def stop(self, platform: Platform) -> None:
        """Forget the listeners of a venue."""
        self._sinks[platform].clear()

    def publish(self, reports: Sequence[tuple[Platform, Report]]) -> None:
        """Queue the reports of one commit; `deliver` hands them out."""
        batch = [
            entry
            for entry in reports
            if not self._faults.occurs(Fault.REPORT_LOST, entry[0])
            for _ in range(1 + self._faults.occurs(Fault.REPORT_TWICE, entry[0]))
        ]
        if len(batch) > 1 and self._faults.occurs(Fault.REPORTS_SHUFFLED, batch[0][0]):
            self._faults.shuffle(batch)
        self._waiting.extend(batch)

    def deliver(self) -> None:
        """Hand out everything that waits, in order."""
        while self._waiting:
            platform, report = self._waiting.popleft()
            for sink in tuple(self._sinks[platform]):
                sink(report)

    def deliver_soon(self) -> None:
        """Hand out after the callers that were just answered have run."""
        if self._waiting:
            asyncio.get_running_loop().call_soon(self.deliver)
