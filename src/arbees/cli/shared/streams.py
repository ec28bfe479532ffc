"""Standard streams that cannot stop a command: closed, full or hung up, they lose words alone.

Guarantees that the numbers 0, 1 and 2 are open before anything else is opened, so that no journal
or socket takes the number to which messages go; and that for a command which acts a write that
fails changes neither what it does nor its exit code. What could not be written is lost.
"""

import contextlib
import io
import os
import select
import signal
import sys
from collections.abc import Iterator
from typing import TextIO, cast

_STANDARD = (0, 1, 2)
PATIENCE_MS = 100
"""How long a reader may make us wait, once."""


def open_standard() -> None:
    """Open what is closed of standard input, output and error on the null device."""
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken, and those below are open by now.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 - its only form
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the process
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - likewise
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - likewise


class Lasting(io.TextIOBase):
    """
    A stream for people that swallows what cannot be written, and waits for no reader.

    A pipe that nobody reads, or a terminal that is held, is given a moment once; from then on words
    are lost until it takes some again, and then it is told how many were.
    """

    def __init__(self, stream: TextIO) -> None:
        """Write to a stream for as long as it takes anything."""
        self._stream = stream
        self._is_lost = False
        self._missing = 0
        self._number = _number_of(stream)
        self._poll = select.poll()
        if self._number is not None:
            self._poll.register(self._number, select.POLLOUT)

    @property
    def encoding(self) -> str:  # type: ignore[override] # read only here
        """Of the stream."""
        return self._stream.encoding

    def write(self, text: str) -> int:
        """Write a text, or lose it."""
        if not self._is_lost and text:
            try:
                self._put(text)
            except UnicodeError:
                self._put(text.encode("ascii", "replace").decode())
            except (OSError, ValueError):
                self._lose()
        return len(text)

    def _put(self, text: str) -> None:
        if self._number is None:
            self._stream.write(text)
            return
        if self._missing and self._is_ready(0):
            told, self._missing = f"({self._missing} writes were lost: nobody read)\n", 0
            os.write(self._number, told.encode())
        data = text.encode(self._stream.encoding or "utf-8", self._stream.errors or "replace")
        for start in range(0, len(data), select.PIPE_BUF):
            # A stream that is ready takes so much at once, without waiting.
            if not self._is_ready(0 if self._missing else PATIENCE_MS):
                self._missing += 1
                return
            piece = data[start : start + select.PIPE_BUF]
            while piece:
                piece = piece[os.write(self._number, piece) :]

    def _is_ready(self, wait_ms: int) -> bool:
        return bool(self._poll.poll(wait_ms))

    def flush(self) -> None:
        """Write out what is held back, or lose it."""
        if not self._is_lost:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self._lose()

    def isatty(self) -> bool:
        """Tell whether somebody looks at it."""
        return not self._is_lost and not self._stream.closed and self._stream.isatty()

    def fileno(self) -> int:
        """Return its number. Raises OSError where it has none."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Tell that it may be written to."""
        return True

    def _lose(self) -> None:
        """Give up, so that the interpreter, which writes out the rest at its end, does not fail."""
        self._is_lost = True
        if self._number in _STANDARD:
            with contextlib.suppress(OSError):
                null = os.open(os.devnull, os.O_RDWR)
                os.dup2(null, self._number)
                os.close(null)


def _number_of(stream: TextIO) -> int | None:
    """Return the number of a stream, None where it has none."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


@contextlib.contextmanager
def lasting_output() -> Iterator[None]:
    """Let standard output and error lose what they cannot take, for as long as the block lasts."""
    out, error = sys.stdout, sys.stderr
    with contextlib.suppress(OSError, ValueError):
        out.flush()
    sys.stdout, sys.stderr = cast(TextIO, Lasting(out)), cast(TextIO, Lasting(error))
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = out, error


@contextlib.contextmanager
def surviving_the_terminal() -> Iterator[None]:
    """Go on when the terminal is closed, for as long as the block lasts."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
