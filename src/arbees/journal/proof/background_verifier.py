"""Verify a journal in a process of its own, while this one reads it for something else.

Guarantees the same report as a verification here, without its time: hashing a record takes about as
long as reading and half as long as applying it, and an interpreter does one thing at a time. It
fails as `Verification` does, in `report`; a process that dies is a fault.
"""

import multiprocessing
import os
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

from arbees.errors import ArbeesError, JournalUnavailable
from arbees.journal.proof.verifier import Progress, Verification, VerifierReport

_END_SECONDS = 5.0


class Beside:
    """One verification beside us; use it as a context, ask `poll` now and then."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Start. Only records, witness and snapshots are verified, not tables and pages."""
        context = multiprocessing.get_context("spawn")
        self._end: VerifierReport | ArbeesError | None = None
        self._last = Progress(0, 0)
        self._ours, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(os.fspath(path), theirs), daemon=True)
        self._process.start()
        theirs.close()

    def poll(self) -> Progress:
        """Return how far it is; never waits."""
        while self._end is None and self._ours.poll():
            self._take()
        return self._last

    def report(self) -> VerifierReport:
        """
        Wait for the end and return what was found.

        Raises:
            JournalUnavailable: the journal cannot be read, or the process died.
            ConfigurationError: it is another program's, or a newer version's.
        """
        while self._end is None:
            self._take()
        if isinstance(self._end, ArbeesError):
            raise self._end
        return self._end

    def _take(self) -> None:
        try:
            said = self._ours.recv()
        except EOFError:
            said = JournalUnavailable("The process that verified the journal ended early")
        if isinstance(said, Progress):
            self._last = said
        else:
            self._end = said

    def close(self) -> None:
        """End it, done or not; idempotent."""
        self._process.terminate()
        self._process.join(_END_SECONDS)
        self._ours.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def _work(path: str, end: Connection) -> None:
    """Verify and tell; what is not understood here is told too."""
    said: VerifierReport | ArbeesError
    with suppress(BrokenPipeError, KeyboardInterrupt):
        try:
            walk = Verification(Path(path), is_deep=False)
            for progress in walk.steps():
                end.send(progress)
            said = walk.report()
        except ArbeesError as error:
            said = error
        end.send(said)
