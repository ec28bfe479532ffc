"""Follow the events: what the stream says, read piece by piece, and where to go on after a cut.

Guarantees that each record is handed out once and in order, over any number of connections, however
the bytes are cut: what was not heard whole is asked for again. It fails with `GatewayRefused` where
the gateway does not know the record after which it shall go on, and where a record is missing.
"""

from collections.abc import Iterator

from arbees.client.calls import BUSY, refusal
from arbees.client.pace import Pace
from arbees.client.results import Event, read
from arbees.client.steps import Broken, Call, Outcome
from arbees.errors import GatewayError

PATH = "/v1/events"
LAST_EVENT_ID = "Last-Event-ID"
SILENCE_SECONDS = 45.0
"""A stream that says nothing for so long, three heartbeats, is dead and opened anew."""
EVENT_BYTES_MAX = 16 << 20


class Following:
    """One walk along the journal."""

    def __init__(self, after: int) -> None:
        """Begin after a record."""
        self.last = after
        """Sequence of the last record that was handed out."""
        self.failures = 0
        """In a row, since something was heard."""
        self._rest = b""

    def call(self) -> Call:
        """Return the call that opens the stream where it has to go on."""
        self._rest = b""
        headers = {LAST_EVENT_ID: str(self.last), "Accept": "text/event-stream"}
        return Call("GET", PATH, seconds=SILENCE_SECONDS, headers=headers)

    def pause(self, outcome: Outcome, pace: Pace) -> float:
        """
        Return how long to pause before the stream is opened again.

        Args:
            outcome: what opening it came to.
            pace: of coming again.

        Raises:
            GatewayRefused: there will be no stream.
        """
        self.failures += 1
        if isinstance(outcome, Broken) or outcome.is_ok:
            return pace.pause(self.failures)
        if outcome.status not in BUSY | {500}:
            raise refusal(outcome)
        return pace.pause(self.failures, outcome.retry_after)

    def feed(self, piece: bytes) -> Iterator[Event]:
        """
        Yield the events that a piece completes.

        Raises:
            GatewayError: a record is missing, or what comes is no such stream.
        """
        whole, mark, rest = (self._rest + piece).rpartition(b"\n\n")
        if len(rest) > EVENT_BYTES_MAX:
            raise GatewayError("Expected an end of the event")
        self._rest = rest
        if not mark:
            return
        for text in whole.split(b"\n\n"):
            event = _event(text)
            if event is None or event.sequence <= self.last:
                continue
            if event.sequence != self.last + 1:
                raise GatewayError(f"Expected record {self.last + 1}, was {event.sequence}")
            self.last = event.sequence
            self.failures = 0
            yield event


def _event(text: bytes) -> Event | None:
    """Read one event; None for a comment."""
    data = [line[5:].lstrip() for line in text.splitlines() if line.startswith(b"data:")]
    if not data:
        return None
    try:
        return read(b"\n".join(data), Event)
    except ValueError as error:
        raise GatewayError(str(error)) from None
