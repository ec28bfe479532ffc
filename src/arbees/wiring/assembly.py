"""A gateway that is put together: where it keeps what it keeps, how it starts, how it ends.

Guarantees that its parts end in order: first what decides, then what reads on to the last record,
at last the journal. `arbees.wiring.bootstrap` makes it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from arbees.core.orders.result import Recorded
from arbees.history.follower import JournalFollower
from arbees.journal import JournalReader
from arbees.runtime.desk import Desk, JumpingClock
from arbees.runtime.gateway import TradingGateway
from arbees.settings import Settings
from arbees.telemetry.audit.log import AuditLog, NoAuditLog
from arbees.venues.paper import PaperExchange

Warnings = Callable[[], tuple[str, ...]]
LAST_EVENTS_SECONDS = 2.0
"""How long the end waits for those who follow the events to take the last ones."""


class Files:
    """Where one gateway keeps what it keeps."""

    def __init__(self, journal: Path, paper_book: Path, audit_log: Path | None) -> None:
        """Name the files; `audit_log` None = none is written."""
        self.journal = journal
        self.paper_book = paper_book
        self.audit_log = audit_log

    @classmethod
    def of(cls, settings: Settings) -> "Files":
        """Return the files that the settings name."""
        audit = settings.audit_log
        return cls(
            settings.journal_path(),
            Path(settings.gateway.paper_book_path),
            settings.audit_log_path() if audit.is_enabled else None,
        )


class Assembly:
    """A wired gateway with its paper exchange and audit log; `start` and `stop` are its life."""

    def __init__(
        self,
        gateway: TradingGateway,
        paper: PaperExchange | None,
        audit: AuditLog | NoAuditLog,
        reader: JournalReader,
        clock: JumpingClock,
        *,
        follower: JournalFollower,
    ) -> None:
        """Hold the parts."""
        self.gateway = gateway
        self.paper = paper
        """What stands in for the venues; None in live trading."""
        self.audit = audit
        self.reader = reader
        self.follower = follower
        self._clock = clock
        self._wake = asyncio.Event()
        gateway.listen(self._grew)

    @property
    def exchange(self) -> PaperExchange:
        """The paper exchange. Raises RuntimeError in live trading, which has none."""
        if self.paper is None:
            raise RuntimeError("Expected paper trading")
        return self.paper

    async def start(self, *, follow: bool = True) -> None:
        """Open the audit log and start the gateway; `follow` writes audit lines as they come."""
        self.audit.open()
        if follow:
            self.gateway.desk.supervisor.start(
                self.audit.run(self._wake, self._clock.sleep), "audit log"
            )
            self.gateway.desk.supervisor.keep(self.follower.stream.run, "event stream")
        await self.gateway.start()

    def _grew(self, _records: Sequence[Recorded]) -> None:
        self._wake.set()
        self.follower.stream.grew()

    async def stop(self, reason: str) -> None:
        """Stop in order: the gateway, the audit log up to the last record, the journal at last."""
        with contextlib.ExitStack() as closing:
            # Last: whoever closes a journal last removes its log, and a reader cannot.
            closing.callback(self.gateway.desk.journal.close)
            closing.callback(self.reader.close)
            closing.callback(self.audit.close)
            await self.gateway.stop(reason)
            await self.follower.stream.finish(LAST_EVENTS_SECONDS)
            if self.gateway.desk.options.is_inline:
                self.audit.catch_up()
            else:
                await asyncio.to_thread(self.audit.catch_up)


def warnings_of(
    desk: Desk, paper: PaperExchange | None, audit: AuditLog | NoAuditLog, more: Sequence[Warnings]
) -> tuple[str, ...]:
    """Return what an operator should look at, one sentence each; `more` comes first."""
    found = [text for warnings in more for text in warnings()]
    if audit.error is not None:
        found.append(f"the audit log is behind: {audit.error}")
    trouble = desk.journal.trouble
    if trouble is not None:
        found.append(trouble)
    if paper is not None and paper.stop_reason is not None:
        found.append(f"the paper exchange stopped: {paper.stop_reason}")
    found += [
        f"safeguard {name} is off: {reason}" for name, reason in desk.options.disabled.items()
    ]
    overridden = desk.options.overridden
    if overridden is not None:
        found.append(f"live trading without its pre-flight evidence: {overridden}")
    return tuple(found)
