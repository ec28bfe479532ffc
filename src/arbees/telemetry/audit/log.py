"""Write the audit log: follow the journal, append its lines, go on where a crash stopped.

Guarantees that every line of every durable record is in the files exactly once, whenever the
process dies and whatever it had written: where to go on is read from the files themselves, nothing
else is kept. It exists apart from the order path: a disk that is full stops the log, not trading,
and once there is room the log goes on from where it was. It fails by saying so (`is_behind`,
`error`), at the start by refusing with `ConfigurationError`, and with `JournalCorrupt` where the
journal cannot be read as what happened.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from enum import Enum, auto
from itertools import islice
from typing import Protocol

from arbees.core.language.strict_json import format_time
from arbees.core.ports import Stored
from arbees.errors import JournalUnavailable
from arbees.telemetry.audit.files import AuditFiles, Chunk
from arbees.telemetry.audit.line import encode
from arbees.telemetry.audit.projection import AuditReader, Projector, is_of_journal

SLICE_RECORDS = 32
"""Records taken at a time beside the order path: a millisecond of work."""
BATCH_RECORDS = 512
"""Records taken at a time when nothing else runs."""
LINGER_SECONDS = 0.1
"""How long records may gather after the first one, so that a busy journal costs few wake-ups."""
RETRY_SECONDS = 1.0
"""How long to wait after a failure."""

Copy = Callable[[Sequence[bytes]], None]
"""Takes lines that were written to the file. Must neither block nor raise."""

_log = logging.getLogger("arbees.audit_log")


class Wake(Protocol):
    """What tells that the journal grew; `asyncio.Event` is one."""

    def clear(self) -> None:
        """Forget that it grew."""
        ...

    async def wait(self) -> object:
        """Wait until it grows."""
        ...


class _Step(Enum):
    MORE = auto()
    DONE = auto()
    FAILED = auto()


class AuditLog:
    """The follower of one journal that writes its audit log."""

    def __init__(
        self,
        reader: AuditReader,
        files: AuditFiles,
        *,
        copies: Sequence[Copy] = (),
        is_timed: bool = True,
    ) -> None:
        """
        Bind a journal and files; nothing is read or written before `open`.

        Args:
            reader: durable records only, never ahead of the watermark.
            files: where the lines go.
            copies: who else gets each line, once it is in the file (console, bus).
            is_timed: False writes `latency_ms` 0, as a recorded clock has none.
        """
        self._reader = reader
        self._files = files
        self._copies = tuple(copies)
        self._projector = Projector(reader, is_timed=is_timed)
        self._lock = threading.Lock()
        self._walk: Iterator[Stored] | None = None
        self._is_resumed = False
        self._sequence = 0
        self._begun: tuple[int, int] = (0, 0)
        """(sequence, lines) of the record of which some lines are in the files already."""
        self._retired_day = ""
        self._error: str | None = None

    @property
    def sequence(self) -> int:
        """Sequence of the last record whose lines are written."""
        return self._sequence

    @property
    def error(self) -> str | None:
        """Why the last attempt failed; None if it did not."""
        return self._error

    @property
    def is_behind(self) -> bool:
        """Whether lines wait for the disk or the journal; they are not lost."""
        return self._error is not None

    def open(self) -> None:
        """
        Take the files.

        Raises:
            ConfigurationError: `AUDIT_LOG_PATH` cannot be written; says what to do.
        """
        self._files.open()

    def catch_up(self) -> bool:
        """
        Write the lines of everything that is durable now, and sync.

        Blocking; for the end of a process, for playback and for tests.

        Returns:
            False if it failed (see `error`); nothing is lost, another call goes on.

        Raises:
            JournalCorrupt: the journal cannot be read as what happened.
        """
        step = _Step.MORE
        while step is _Step.MORE:
            step = self._step(BATCH_RECORDS)
        if step is _Step.FAILED:
            return False
        with self._lock:
            try:
                self._files.sync()
            except OSError as error:
                self._fail(error)
                return False
        return True

    async def run(self, wake: Wake, sleep: Callable[[float], Awaitable[None]]) -> None:
        """
        Follow the journal until cancelled, in small steps on another thread.

        Args:
            wake: set after each commit.
            sleep: the clock's.

        Raises:
            JournalCorrupt: the journal cannot be read as what happened.
        """
        while True:
            wake.clear()
            step = _Step.MORE
            while step is _Step.MORE:
                step = await asyncio.to_thread(self._step, SLICE_RECORDS)
            if step is _Step.FAILED:
                await sleep(RETRY_SECONDS)
            else:
                await wake.wait()
                await sleep(LINGER_SECONDS)

    def close(self) -> None:
        """Release the files, without catching up; idempotent."""
        with self._lock:
            self._files.close()

    # Inside ------------------------------------------------------------------------------------

    def _step(self, limit: int) -> _Step:
        """Take the next records; a failure of disk or journal is kept, not raised."""
        with self._lock:
            try:
                if not self._is_resumed or self._files.is_deleted:
                    self._resume()
                step = self._take(limit)
            except (OSError, JournalUnavailable) as error:
                self._fail(error)
                return _Step.FAILED
            if self._error is not None:
                self._error = None
                _log.info("The audit log is written again, up to record %d", self._sequence)
            return step

    def _fail(self, error: Exception) -> None:
        """Remember a failure; the next attempt looks at the files anew."""
        text = str(error) or type(error).__name__
        if text != self._error:
            _log.warning("The audit log waits, trading goes on: %s", text)
        self._error = text
        self._is_resumed = False

    def _resume(self) -> None:
        """Find the last line that was written, and make the current file end with a whole one."""
        tails = self._files.tails()
        last = next(
            (tail for tail in tails if tail.mark and is_of_journal(self._reader, tail.mark)), None
        )
        current = next((tail for tail in tails if tail.path == self._files.path), None)
        is_ours = (
            current is None or current.mark is None or is_of_journal(self._reader, current.mark)
        )
        if not is_ours:
            _log.warning("The audit log held lines of another journal and is set aside")
        self._files.resume(is_ours=is_ours)
        self._projector.forget()
        self._walk = None
        self._sequence, self._begun = 0, (0, 0)
        if last is not None:
            self._sequence, self._begun = last.sequence - 1, (last.sequence, last.lines)
        self._is_resumed = True

    def _take(self, limit: int) -> _Step:
        if self._walk is None:
            self._walk = iter(self._reader.records(self._sequence))
        records = list(islice(self._walk, limit))
        if len(records) < limit:
            self._walk = None
        if not records:
            return _Step.DONE
        written: list[bytes] = []
        chunks: list[Chunk] = []
        for stored in records:
            lines = self._projector.lines(stored)
            if stored.sequence == self._begun[0]:
                lines = lines[self._begun[1] :]
            if lines:
                encoded = [encode(line) for line in lines]
                chunks.append((lines[0].timestamp[:10], b"".join(encoded)))
                written += encoded
        if chunks:
            self._files.append(chunks)
        self._sequence = records[-1].sequence
        if written:
            for copy in self._copies:
                copy(written)
        self._retire(format_time(records[-1].time_ns)[:10])
        return _Step.DONE if self._walk is None else _Step.MORE

    def _retire(self, day: str) -> None:
        """Delete what is too old, once a day of the records' own time."""
        if day != self._retired_day:
            self._retired_day = day
            self._files.retire(day)


class NoAuditLog:
    """Stands in where `AUDIT_LOG_ENABLED` is false: the journal alone remembers."""

    sequence = 0
    error: str | None = None
    is_behind = False

    def open(self) -> None:
        """Touch nothing."""

    def catch_up(self) -> bool:
        """Write nothing; that is all there is to write."""
        return True

    async def run(self, wake: Wake, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Wait until cancelled."""
        while True:
            wake.clear()
            await wake.wait()

    def close(self) -> None:
        """Release nothing."""
